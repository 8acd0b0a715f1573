/* point_probe.c - the look-out for an absent point: told to distribution_manager when it is
 * back. */
#include "actors/point_worker_inside.h"

THEN(point_worker_t, probed)

actor_next_t
point_look_out(actor_ctx_t *ctx, point_worker_t *self, const probe_point_t *m)
{
    kept_destroy(&self->probe);
    self->probe = actor_keep(ctx, &probe_point_type, m);
    actor_timer_cancel(ctx, TIMER_IDLE);
    return actor_timer(ctx, TIMER_PROBE, self->probe_ms) == VERDICT_OK ? ACTOR_CONTINUE
                                                                       : ACTOR_FAIL;
}

actor_next_t
point_probe(actor_ctx_t *ctx, point_worker_t *self)
{
    const probe_point_t *m = self->probe ? kept_record(self->probe) : NULL;

    if (!m) {
        return ACTOR_CONTINUE;
    }
    job_spec_t spec = {.name = "probe",
                       .run = job_probe,
                       .input_type = &probe_point_type,
                       .input = m,
                       .subject = record_slice(m, m->dp),
                       .deadline_ms = PROBE_DEADLINE_MS,
                       .then = probed_then};
    if (self->job_open || actor_job(ctx, &spec, NULL) != VERDICT_OK) {
        return actor_timer(ctx, TIMER_PROBE, self->probe_ms) == VERDICT_OK ? ACTOR_CONTINUE
                                                                           : ACTOR_FAIL;
    }
    return ACTOR_CONTINUE;
}

static actor_next_t
probed(actor_ctx_t *ctx, point_worker_t *self, const actor_answer_t *answer)
{
    const claimed_t *found = ANSWER_AS(answer, claimed);
    const probe_point_t *probe_m = self->probe ? kept_record(self->probe) : NULL;

    if (probe_m && found && found->err == OK) {
        point_returned_t *m = DRAFT(ctx, point_returned);
        m->dp = actor_text(ctx, record_slice(probe_m, probe_m->dp));
        m->dp_incarnation = probe_m->dp_incarnation;
        if (tell_distribution_manager_point_returned(ctx, m) == VERDICT_OK) {
            kept_destroy(&self->probe);
            return point_rest(ctx, self);
        }
    }
    return actor_timer(ctx, TIMER_PROBE, self->probe_ms) == VERDICT_OK ? ACTOR_CONTINUE
                                                                       : ACTOR_FAIL;
}
