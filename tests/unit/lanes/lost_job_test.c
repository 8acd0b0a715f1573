/* lost_job_test.c - a job thread that does not come back is named to who hears the notes. */
#include <criterion/criterion.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runtime/host.h"
#include "runtime/notes.h"

static sem_t told;
static char actor[96], why[256];

static void
never_returns(job_t *job, world_t *world, const void *input, void *resource)
{
    cr_assert(job != NULL && world != NULL && input == NULL && resource == NULL);
    for (;;) {
        pause();
    }
}

static actor_next_t
unheard(actor_ctx_t *ctx, void *self, const actor_answer_t *answer)
{
    claim(ctx, self != NULL && answer->err == ERR_DEADLINE);
    return ACTOR_CONTINUE;
}

static actor_next_t
boss_init(actor_ctx_t *ctx, void *self, const void *args)
{
    job_spec_t spec = {.name = "look",
                       .run = never_returns,
                       .subject = slice_of("/mnt/shelf"),
                       .deadline_ms = 50,
                       .then = unheard};
    claim(ctx, self != NULL && args == NULL);
    claim(ctx, actor_job(ctx, &spec, NULL) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

static actor_next_t
on_trouble(actor_ctx_t *ctx, void *self, const void *message)
{
    const actor_trouble_t *m = message;
    claim(ctx, self != NULL);
    if (slice_equal(record_slice(m, m->what), slice_of("job-lost"))) {
        claim(ctx, slice_copy(record_slice(m, m->actor), actor, sizeof actor));
        claim(ctx, slice_copy(record_slice(m, m->why), why, sizeof why));
        sem_post(&told);
    }
    return ACTOR_CONTINUE;
}

Test(lost_job, its_actor_its_name_and_its_subject_are_told, .timeout = 30)
{
    static const actor_hears_t hears[] = {{&actor_trouble_type, LANE_NORMAL, on_trouble}};
    static const actor_class_t boss = {.name = "boss",
                                       .state_bytes = 8,
                                       .init = boss_init,
                                       .hears = hears,
                                       .hears_count = 1,
                                       .role = true};
    static const actor_class_t *const classes[] = {&boss, NULL};
    static const host_options_t options = {.classes = classes, .root = &boss, .notes_to = "boss"};
    char left[256] = "";
    sem_init(&told, 0, 0);
    host_t *host = host_new(&options);
    cr_assert_eq(host_start(host), OK);
    sem_wait(&told);
    cr_expect_str_eq(actor, "boss");
    cr_expect_str_eq(why, "job look for /mnt/shelf did not return");
    host_stop(host, 2000, left, sizeof left);
    cr_expect_not_null(strstr(left, "look"), "expected the job in what was left, got: %s", left);
    host_destroy(&host);
}
