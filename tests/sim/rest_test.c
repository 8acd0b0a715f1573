/* rest_test.c - what a site does while all that is left to do waits for agents that are away.
 *
 * Counted, and not timed: messages between its actors, and steps of SQLite's machine. */
#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>

#include "tests/sim/costs.h"
#include "tests/sim/crowd.h"

#define HOUR_MS   3600000u
#define SETTLE_MS 300000u /* what was begun for the points has ended by then */
#define FEW       40u
#define MANY      400u
/* of an hour: two looks at when its target is due, a list of all that are absent, twice, and the
 * looks for points that are there and for something to read again, which go over all points */
#define STEPS_OF_A_POINT 1500u
#define MEMBERS          80u /* of which two go */

typedef struct rest {
    stage_t *stage;
    uint64_t messages;
} rest_t;

static void
saw(void *context, const sim_sight_t *sight)
{
    rest_t *rest = context;

    rest->messages += sight->type != NULL;
}

static void
nobody_hears(void *context, bool dial, slice_t peer, slice_t body)
{
    (void) context, (void) dial, (void) peer, (void) body;
}

static void
step(void *context, int64_t until_ns)
{
    rest_t *rest = context;
    int64_t left_ns = until_ns - sim_now_ns(stage_sim(rest->stage));

    sim_run_for(stage_sim(rest->stage), left_ns > 0 ? left_ns : 1, UINT64_MAX);
}

static void
set_up(rest_t *rest, stage_agents_t agents)
{
    stage_options_t options = {.seed = 1,
                               .strategy = SIM_UNIFORM,
                               .files = 2,
                               .bare = true,
                               .saw = saw,
                               .saw_context = rest,
                               .agents = agents};

    costs_begin();
    sqlite3_randomness(0, NULL);
    rest->stage = stage_new(&options);
}

static void
add_package(rest_t *rest)
{
    cr_assert(stage_ready(rest->stage, 60000), "the site is not ready");
    cr_assert_eq(stage_do(rest->stage, 60000, "package.add", "id=P1", "source=/source", NULL), OK);
}

typedef struct spent {
    uint64_t messages, steps;
} spent_t;

/* An hour of a site that has a package for so many agents which never came. */
static spent_t
hour_of(uint32_t points)
{
    rest_t rest = {0};

    set_up(&rest, (stage_agents_t){nobody_hears, NULL, NULL, step, &rest});
    add_package(&rest);
    for (uint32_t i = 0; i < points; i++) {
        char name[32];
        snprintf(name, sizeof name, "name=p%u", i);
        cr_assert_eq(stage_do(rest.stage, 60000, "dp.add", name, "agent!", NULL), OK);
    }
    cr_assert_eq(stage_do(rest.stage, 60000, "distribute", "id=P1", "all!", NULL), OK);
    stage_run(rest.stage, SETTLE_MS);
    cr_assert_str_eq(stage_target(rest.stage, "P1", "p7"), "retrying");
    spent_t before = {rest.messages, costs_sum().steps};
    stage_run(rest.stage, HOUR_MS);
    spent_t spent = {rest.messages - before.messages, costs_sum().steps - before.steps};
    cr_assert_str_eq(stage_target(rest.stage, "P1", "p7"), "retrying");
    cr_assert_null(stage_fault(rest.stage), "%s", stage_fault(rest.stage));
    stage_destroy(&rest.stage);
    printf("# an hour of %u points whose agents are away: %lu messages, %lu steps of SQLite\n",
           points, (unsigned long) spent.messages, (unsigned long) spent.steps);
    return spent;
}

Test(rest, nobody_is_asked_for_an_agent_that_is_away, .timeout = 120)
{
    spent_t few = hour_of(FEW), many = hour_of(MANY);
    uint64_t added = MANY - FEW;

    cr_expect(many.messages < few.messages + added, "%lu messages for %u, %lu for %u",
              (unsigned long) few.messages, FEW, (unsigned long) many.messages, MANY);
    cr_expect(many.steps < few.steps + added * STEPS_OF_A_POINT, "%lu steps for %u, %lu for %u",
              (unsigned long) few.steps, FEW, (unsigned long) many.steps, MANY);
}

Test(rest, an_agent_that_comes_after_an_hour_has_its_work_at_once, .timeout = 120)
{
    rest_t rest = {0};
    crowd_t *crowd = crowd_new(MEMBERS, 1);

    set_up(&rest, crowd_agents(crowd));
    crowd_meet(crowd, rest.stage);
    add_package(&rest);
    cr_assert_eq(stage_do(rest.stage, 60000, "site.set", "scrub:0", NULL), OK);
    cr_assert(crowd_join(crowd));
    crowd_leave(crowd);
    cr_assert_eq(stage_do(rest.stage, 60000, "distribute", "id=P1", "all!", NULL), OK);
    stage_run(rest.stage, SETTLE_MS);
    cr_assert_str_eq(stage_target(rest.stage, "P1", "M00013"), "retrying");
    stage_run(rest.stage, HOUR_MS);
    crowd_arrive(crowd);
    stage_run(rest.stage, 10000); /* 4 s until the last of them says hello, and 5 */
    for (uint32_t i = 13; i < MEMBERS; i += 40) {
        char name[16];
        crowd_name(i, name);
        cr_expect_str_eq(stage_target(rest.stage, "P1", name), "installed");
    }
    cr_assert_null(stage_fault(rest.stage), "%s", stage_fault(rest.stage));
    crowd_destroy(&crowd);
    stage_destroy(&rest.stage);
}
