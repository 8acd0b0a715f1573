/* agent_probe.c - a look at an agent's root, beside whatever is in hand. */
#include "actors/agent_inside.h"
#include "actors/jobs_point.h"

THEN(agent_state_t, probed)

actor_next_t
agent_probe(actor_ctx_t *ctx, agent_state_t *self, kept_t *take_order)
{
    const agent_args_t *args = kept_record(self->args);

    if (self->probe) {
        agent_fail(ctx, self, take_order, ERR_BUSY, slice_of(""));
        kept_destroy(&take_order);
        return ACTOR_CONTINUE;
    }
    self->probe = take_order;
    probe_point_t *m = DRAFT(ctx, probe_point);
    m->dp = actor_text(ctx, record_slice(args, args->dp));
    m->dp_incarnation = args->dp_incarnation;
    m->dp_root = actor_text(ctx, record_slice(args, args->root));
    m->site = args->site;
    job_spec_t spec = {.name = "probe",
                       .run = job_probe,
                       .input_type = &probe_point_type,
                       .input = m,
                       .deadline_ms = PROBE_DEADLINE_MS,
                       .then = probed_then};
    return actor_job(ctx, &spec, NULL) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
}

static actor_next_t
probed(actor_ctx_t *ctx, agent_state_t *self, const actor_answer_t *answer)
{
    claim(ctx, self->probe != NULL);
    agent_finish(ctx, self, self->probe, answer);
    kept_destroy(&self->probe);
    return ACTOR_CONTINUE;
}
