/* loser.c - see loser.h. */
#include "tests/unit/lanes/loser.h"

sem_t loser_go, loser_told;

static void
waits_outside(job_t *job, world_t *world, const void *input, void *resource)
{
    cr_assert(job != NULL && world != NULL && input == NULL && resource == NULL);
    while (sem_wait(&loser_go) != 0) {
    }
}

static actor_next_t
unheard(actor_ctx_t *ctx, void *self, const actor_answer_t *answer)
{
    claim(ctx, self != NULL && answer->err == ERR_DEADLINE);
    return ACTOR_CONTINUE;
}

actor_next_t
loser_init(actor_ctx_t *ctx, void *self, const void *args)
{
    job_spec_t spec = {.name = "read",
                       .run = waits_outside,
                       .subject = slice_of(LOSER_SUBJECT),
                       .deadline_ms = 50,
                       .then = unheard};
    claim(ctx, self != NULL && args == NULL);
    claim(ctx, actor_job(ctx, &spec, NULL) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

host_t *
loser_start(const host_options_t *options)
{
    cr_assert_eq(sem_init(&loser_go, 0, 0), 0);
    cr_assert_eq(sem_init(&loser_told, 0, 0), 0);
    host_t *host = host_new(options);
    cr_assert_eq(host_start(host), OK, "%s", host_why(host));
    return host;
}
