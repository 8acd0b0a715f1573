/* old_way_test.c - Q153576 in a whole site that writes its retry the old way (old_way.c): what
 * names no target is refused, and neither forgotten nor taken as done. */
#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>

#include "tests/sim/stage.h"
#include "tests/sim/stage_inside.h"

static stage_t *
two_points(void)
{
    stage_options_t options = {.seed = 1, .points = 2, .files = 3};
    sqlite3_randomness(0, NULL);
    stage_t *stage = stage_new(&options);
    cr_assert(stage_ready(stage, 60000));
    cr_assert_eq(stage_do(stage, 60000, "package.add", "id=P1", "source=/source", NULL), OK);
    cr_assert_eq(stage_do(stage, 60000, "dp.add", "name=a", "root=/points/a", NULL), OK);
    cr_assert_eq(stage_do(stage, 60000, "dp.add", "name=b", "root=/points/b", NULL), OK);
    return stage;
}

Test(old_way, q153576_an_instruction_without_targets_is_refused_and_nothing_is_complete,
     .timeout = 60)
{
    wire_value_t state;
    stage_t *stage = two_points();
    stage_plug(stage, "b", false);
    cr_assert_eq(stage_do(stage, 60000, "distribute", "id=P1", "all!", NULL), OK);
    stage_run(stage, 10000);
    stage_plug(stage, "b", true);
    stage_run(stage, 600000);
    cr_expect_gt(stage->empty_refused, 0u, "no retry was written the old way");
    cr_expect_eq(stage->empty_accepted, 0u, "%u without targets were accepted",
                 stage->empty_accepted);
    cr_expect_str_eq(stage_target(stage, "P1", "a"), "installed");
    const char *failed = stage_target(stage, "P1", "b");
    cr_expect_str_neq(failed, "installed");
    cr_assert(wire_find(stage_answer(stage), "state", &state));
    cr_expect(slice_equal(state.bytes, slice_of("active")), "the package is %.*s",
              (int) state.bytes.size, state.bytes.data);
    stage_destroy(&stage);
}
