/* point_probe.c - the look-out for an absent point, told to distribution_manager when it is back;
 * and the one look at a point without work. */
#include "actors/point_worker_inside.h"

THEN(point_worker_t, probed)
THEN(point_worker_t, looked)

static verdict_t
start_probe(actor_ctx_t *ctx, const probe_point_t *m, actor_answer_fn *then)
{
    if (point_is_agent(record_slice(m, m->dp_root))) {
        return point_agent_probe(ctx, m, then);
    }
    job_spec_t spec = {.name = "probe",
                       .run = job_probe,
                       .input_type = &probe_point_type,
                       .input = m,
                       .subject = record_slice(m, m->dp),
                       .deadline_ms = PROBE_DEADLINE_MS,
                       .then = then};

    return actor_job(ctx, &spec, NULL);
}

actor_next_t
point_look_out(actor_ctx_t *ctx, point_worker_t *self, const probe_point_t *m)
{
    kept_destroy(&self->probe);
    self->probe = actor_keep(ctx, &probe_point_type, m);
    actor_timer_cancel(ctx, TIMER_IDLE);
    return actor_timer(ctx, TIMER_PROBE, self->probe_ms) == VERDICT_OK ? ACTOR_CONTINUE
                                                                       : ACTOR_FAIL;
}

/* The point was forgotten. */
actor_next_t
point_look_out_ends(actor_ctx_t *ctx, point_worker_t *self)
{
    kept_destroy(&self->probe);
    actor_timer_cancel(ctx, TIMER_PROBE);
    point_collect_ends(self);
    return point_rest(ctx, self);
}

actor_next_t
point_probe(actor_ctx_t *ctx, point_worker_t *self)
{
    const probe_point_t *m = self->probe ? kept_record(self->probe) : NULL;

    if (!m) {
        return ACTOR_CONTINUE;
    }
    if (self->job_open || start_probe(ctx, m, probed_then) != VERDICT_OK) {
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

    if (!probe_m) {
        return point_rest(ctx, self);
    }
    if (answer->err == ERR_NOT_FOUND) { /* an agent of no point; a new one is looked for again */
        return point_look_out_ends(ctx, self);
    }
    if (found && found->err == OK) {
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

/* ---- one look ---- */

static actor_next_t
tell_looked(actor_ctx_t *ctx, point_worker_t *self, err_t err)
{
    const probe_point_t *look = kept_record(self->look);
    looked_t *m = DRAFT(ctx, looked);

    m->dp = actor_text(ctx, record_slice(look, look->dp));
    m->dp_incarnation = look->dp_incarnation;
    m->dp_root = actor_text(ctx, record_slice(look, look->dp_root));
    m->err = err;
    answer_unheard(tell_distribution_manager_looked(ctx, m));
    kept_destroy(&self->look);
    return point_rest(ctx, self);
}

/* Where there is work or a look-out, these find out by themselves. */
actor_next_t
point_look_once(actor_ctx_t *ctx, point_worker_t *self, const probe_point_t *m)
{
    if (self->look) {
        return ACTOR_CONTINUE;
    }
    actor_timer_cancel(ctx, TIMER_IDLE);
    self->look = actor_keep(ctx, &probe_point_type, m);
    if (self->work || self->job_open || self->probe ||
        start_probe(ctx, m, looked_then) != VERDICT_OK) {
        return tell_looked(ctx, self, OK);
    }
    return ACTOR_CONTINUE;
}

/* A look that did not come back in time may have waited for a job thread: only one whose thread is
 * lost hangs. */
static actor_next_t
looked(actor_ctx_t *ctx, point_worker_t *self, const actor_answer_t *answer)
{
    const claimed_t *found = ANSWER_AS(answer, claimed);

    claim(ctx, self->look != NULL);
    return tell_looked(ctx, self, found ? (err_t) found->err : answer->err);
}
