/* lost_job_test.c - a job thread that does not come back is named to who hears the notes. */
#include <stdio.h>
#include <string.h>

#include "runtime/notes.h"
#include "tests/placement.h"
#include "tests/unit/lanes/loser.h"

static char actor[96], why[256];

static actor_next_t
on_trouble(actor_ctx_t *ctx, void *self, const void *message)
{
    const actor_trouble_t *m = message;
    claim(ctx, self != NULL);
    if (slice_equal(record_slice(m, m->what), slice_of("job-lost"))) {
        claim(ctx, slice_copy(record_slice(m, m->actor), actor, sizeof actor));
        claim(ctx, slice_copy(record_slice(m, m->why), why, sizeof why));
        sem_post(&loser_told);
    }
    return ACTOR_CONTINUE;
}

Test(lost_job, its_actor_its_name_and_its_subject_are_told, .timeout = 30)
{
    static const actor_hears_t hears[] = {{&actor_trouble_type, LANE_NORMAL, on_trouble}};
    static const actor_class_t boss = {.name = "boss",
                                       .state_bytes = 8,
                                       .init = loser_init,
                                       .hears = hears,
                                       .hears_count = 1,
                                       .role = true};
    static const actor_class_t *const classes[] = {&boss, NULL};
    const host_options_t options = {
        .classes = classes, .root = &boss, .notes_to = "boss", .placement = placement_wanted()};
    char left[256] = "";
    host_t *host = loser_start(&options);
    sem_wait(&loser_told);
    cr_expect_str_eq(actor, "boss");
    cr_expect_str_eq(why, "job read for " LOSER_SUBJECT " did not return");
    host_stop(host, 2000, left, sizeof left);
    cr_expect_not_null(strstr(left, "read"), "expected the job in what was left, got: %s", left);
    host_destroy(&host);
}
