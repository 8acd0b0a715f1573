/* agent_beacon.c - whether the site is heard: time since its last beacon with a higher number.
 *
 * It is the agent's own monotonic time, and counts from its start. Over the limit the agent is
 * stale: it says so, and goes on serving. What was heard before refreshes nothing. */
#include "actors/agent_inside.h"
#include "actors/agent_order.h"

#define NOTE_MS 60000u

THEN(agent_state_t, beacon_noted)
THEN(agent_state_t, stale_noted)

void
agent_beacon_begin(actor_ctx_t *ctx, agent_state_t *self)
{
    self->beacon = (beacon_state_t){.since_ns = actor_now_ns(ctx), .limit_ms = AGENT_STALE_MS};
}

static bool
holds(const agent_state_t *self, const agent_beacon_t *m)
{
    const agent_args_t *args = kept_record(self->args);
    signed_version_t said;

    return agent_beacon_said(&args->site, m, &said) == OK &&
           sign_check(&args->site_signing, SIGN_BEACON, &said, record_slice(m, m->signature)) == OK;
}

static actor_next_t
note(actor_ctx_t *ctx, agent_state_t *self, const agent_beacon_t *m, actor_answer_fn *then)
{
    beacon_order_t *order = DRAFT(ctx, beacon_order);

    order->data = agent_data_directory(ctx, self);
    order->sequence = m ? m->sequence : 0;
    order->time = m ? m->time : 0;
    order->stale = m == NULL;
    order->replayed = self->beacon.replayed;
    job_spec_t spec = {.name = "beacon",
                       .run = job_beacon,
                       .input_type = &beacon_order_type,
                       .input = order,
                       .deadline_ms = NOTE_MS,
                       .then = then,
                       .tag = m ? m->stale_ms : 0};
    self->beacon.noting = actor_job(ctx, &spec, NULL) == VERDICT_OK;
    return ACTOR_CONTINUE;
}

actor_next_t
agent_take_beacon(actor_ctx_t *ctx, agent_state_t *self, const agent_beacon_t *m)
{
    beacon_state_t *beacon = &self->beacon;

    if (!holds(self, m)) {
        beacon->forged++;
        return ACTOR_CONTINUE;
    }
    if (beacon->noting) { /* the next one is higher still */
        return ACTOR_CONTINUE;
    }
    beacon->in_hand = m->sequence;
    return note(ctx, self, m, beacon_noted_then);
}

static actor_next_t
beacon_noted(actor_ctx_t *ctx, agent_state_t *self, const actor_answer_t *answer)
{
    const claimed_t *m = ANSWER_AS(answer, claimed);
    beacon_state_t *beacon = &self->beacon;

    beacon->noting = false;
    beacon->replayed += m && m->err == ERR_SUPERSEDED;
    if (!m || m->err != OK) {
        return ACTOR_CONTINUE;
    }
    if (beacon->stale) {
        actor_ready(ctx);
    }
    beacon->stale = false;
    beacon->seen = beacon->in_hand;
    beacon->since_ns = actor_now_ns(ctx);
    beacon->limit_ms = answer->tag;
    return ACTOR_CONTINUE;
}

actor_next_t
agent_look_stale(actor_ctx_t *ctx, agent_state_t *self)
{
    beacon_state_t *beacon = &self->beacon;
    int64_t silent_ms = (actor_now_ns(ctx) - beacon->since_ns) / 1000000;

    if (beacon->stale || beacon->noting || (uint64_t) silent_ms <= beacon->limit_ms) {
        return ACTOR_CONTINUE;
    }
    beacon->stale = true;
    actor_degraded(ctx, "stale: no new beacon of the site");
    return note(ctx, self, NULL, stale_noted_then);
}

static actor_next_t
stale_noted(actor_ctx_t *ctx, agent_state_t *self, const actor_answer_t *answer)
{
    claim(ctx, answer != NULL);
    self->beacon.noting = false;
    return ACTOR_CONTINUE;
}
