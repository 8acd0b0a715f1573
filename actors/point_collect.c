/* point_collect.c - superseded versions of a point go when their grace time has ended. */
#include "actors/point_worker_inside.h"

#define COLLECT_EXTRA_MS 1000u /* after a grace time has ended */

THEN(point_worker_t, collected)

actor_next_t
point_collect(actor_ctx_t *ctx, point_worker_t *self)
{
    const collect_point_t *m = self->collect ? kept_record(self->collect) : NULL;

    if (!m) {
        return ACTOR_CONTINUE;
    }
    job_spec_t spec = {.name = "collect",
                       .run = job_collect_point,
                       .input_type = &collect_point_type,
                       .input = m,
                       .subject = record_slice(m, m->dp),
                       .then = collected_then};
    if (self->job_open || actor_job(ctx, &spec, &self->job) != VERDICT_OK) {
        return actor_timer(ctx, TIMER_COLLECT, LOOK_MS) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
    }
    self->job_open = true;
    return ACTOR_CONTINUE;
}

actor_next_t
point_collect_from(actor_ctx_t *ctx, point_worker_t *self, const collect_point_t *m)
{
    kept_destroy(&self->collect);
    self->collect = actor_keep(ctx, &collect_point_type, m);
    actor_timer_cancel(ctx, TIMER_IDLE);
    return point_collect(ctx, self);
}

/* What still waits for its grace time is looked at again when that has ended. */
static actor_next_t
collected(actor_ctx_t *ctx, point_worker_t *self, const actor_answer_t *answer)
{
    const collected_t *m = ANSWER_AS(answer, collected);
    const collect_point_t *order = self->collect ? kept_record(self->collect) : NULL;

    self->job_open = false;
    if (order && m && m->err == OK && m->waiting > 0) {
        return actor_timer(ctx, TIMER_COLLECT, order->grace_ms + COLLECT_EXTRA_MS) == VERDICT_OK
                   ? ACTOR_CONTINUE
                   : ACTOR_FAIL;
    }
    kept_destroy(&self->collect);
    return point_rest(ctx, self);
}
