/* agent_removed.c - the point was removed at its site: noted durably, said, and the host ends.
 *
 * From the first word on nothing else is done for the site. It is told again when it does not hear
 * the answer; when it says nothing any more that is the end as well: the note is there. */
#include "actors/agent_inside.h"

#define BURY_MS 60000u

THEN(agent_state_t, buried)

static bool
holds(const agent_state_t *self, const agent_removed_t *m)
{
    const agent_args_t *args = kept_record(self->args);
    signed_version_t said = {.site = args->site,
                             .point = args->dp_incarnation,
                             .package_incarnation = self->visit,
                             .package = slice_of("")};

    return sign_check(&args->site_signing, SIGN_REMOVED, &said, record_slice(m, m->signature)) ==
           OK;
}

actor_next_t
agent_take_removed(actor_ctx_t *ctx, agent_state_t *self, const agent_removed_t *m)
{
    const agent_args_t *args = kept_record(self->args);

    if (!holds(self, m) || self->removed) {
        return ACTOR_CONTINUE;
    }
    self->removed = true;
    agent_forget_order(ctx, self);
    kept_destroy(&self->next);
    bury_order_t *order = DRAFT(ctx, bury_order);
    order->data = agent_data_directory(ctx, self);
    order->dp_incarnation = args->dp_incarnation;
    job_spec_t spec = {.name = "bury",
                       .run = job_bury,
                       .input_type = &bury_order_type,
                       .input = order,
                       .deadline_ms = BURY_MS,
                       .then = buried_then};
    self->removed = actor_job(ctx, &spec, NULL) == VERDICT_OK;
    return ACTOR_CONTINUE;
}

/* What could not be noted is not said: the site says it again in the next visit. */
static actor_next_t
buried(actor_ctx_t *ctx, agent_state_t *self, const actor_answer_t *answer)
{
    const claimed_t *m = ANSWER_AS(answer, claimed);

    if (!m || m->err != OK) {
        self->removed = false;
        self->heard_ns = 0; /* the next look dials anew */
        return ACTOR_CONTINUE;
    }
    self->buried = true;
    agent_buried_t *said = DRAFT(ctx, agent_buried);
    said->visit = self->visit;
    (void) outbox_put(ctx, &self->outbox, slice_of(""), false, &agent_buried_type, said);
    return ACTOR_CONTINUE;
}

actor_next_t
agent_end_removed(actor_ctx_t *ctx)
{
    actor_host_stop(ctx, err_sentence(ERR_POINT_REMOVED));
    return ACTOR_CONTINUE;
}

actor_next_t
agent_be_refused(actor_ctx_t *ctx, agent_state_t *self, const agent_refused_t *m)
{
    if (self->buried) {
        return agent_end_removed(ctx);
    }
    if (m->err == ERR_REVOKED) {
        actor_host_fail(ctx, ERR_REVOKED, err_sentence(ERR_REVOKED));
        return ACTOR_CONTINUE;
    }
    self->here = false; /* it is dialled anew when it has been silent for a while */
    return ACTOR_CONTINUE;
}
