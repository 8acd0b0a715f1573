/* gateway_beacon.c - the site says now and then that it is there, in words nobody can say again.
 *
 * A beacon is signed, and has a number that rises: the database gives it out, so that none is given
 * twice, also after a restart or a restore. One signature is for all agents. Those that are here
 * are told in portions, as they came: ten thousand at one time would hold up what else is to be
 * sent, and leave the outbox no room. */
#include "actors/agent_order.h"
#include "actors/gateway.h"

#define NS_PER_MS  INT64_C(1000000)
#define PORTION    256u /* agents that are told in one handler */
#define PORTION_MS 20u  /* between two portions */

THEN(agent_gateway_t, beacon_came)

static uint64_t
period_ms(const agent_gateway_t *self)
{
    const site_args_t *args = kept_record(self->args);

    return args->beacon_ms ? args->beacon_ms : BEACON_MS;
}

actor_next_t
beacon_due(actor_ctx_t *ctx, agent_gateway_t *self)
{
    if (self->has_keys && self->listed && self->here > 0) {
        beacon_next_t *m = DRAFT(ctx, beacon_next);
        m->all = true;
        answer_unheard(ask_site_database_beacon_next(ctx, m, GATEWAY_ASK_MS, beacon_came_then, 0));
    }
    return actor_timer(ctx, TIMER_BEACON, period_ms(self)) == VERDICT_OK ? ACTOR_CONTINUE
                                                                         : ACTOR_FAIL;
}

static const agent_beacon_t *
draft_beacon(actor_ctx_t *ctx, const agent_gateway_t *self, uint64_t sequence)
{
    agent_beacon_t *m = DRAFT(ctx, agent_beacon);
    uint8_t signature[SIGN_BYTES] = {0};
    signed_version_t said;

    m->sequence = sequence;
    m->time = actor_wall_ns(ctx) / NS_PER_MS * NS_PER_MS; /* as it is on the wire, and signed */
    m->stale_ms = period_ms(self) * BEACONS_MISSED_MAX;
    if (agent_beacon_said(&self->site, m, &said) == OK) {
        sign_version(&self->keys.signing, SIGN_BEACON, &said, signature);
    }
    m->signature = actor_text(ctx, (slice_t){(const char *) signature, sizeof signature});
    return m;
}

static actor_next_t
beacon_came(actor_ctx_t *ctx, agent_gateway_t *self, const actor_answer_t *answer)
{
    const beacon_made_t *made = ANSWER_AS(answer, beacon_made);

    if (!made) {
        return ACTOR_CONTINUE; /* the next one is soon */
    }
    self->beacon = made->sequence;
    kept_destroy(&self->beacon_said);
    self->beacon_said =
        actor_keep(ctx, &agent_beacon_type, draft_beacon(ctx, self, made->sequence));
    self->beacon_next = self->here_first;
    return beacon_go_on(ctx, self);
}

/* Once to each: an agent that heard it, and has come again since, would take it for one that
 * somebody has recorded. If it was lost with the visit before, the next one is soon. */
static void
tell(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent)
{
    const agent_beacon_t *m = kept_record(self->beacon_said);

    if (agent->beacon_told != m->sequence) {
        agent->beacon_told = m->sequence;
        visit_say(ctx, self, agent, &agent_beacon_type, m);
    }
}

/* Whoever comes meanwhile is behind those that are here, and hears it too. */
actor_next_t
beacon_go_on(actor_ctx_t *ctx, agent_gateway_t *self)
{
    for (uint32_t i = 0; i < PORTION && self->beacon_next; i++) {
        agent_t *agent = self->beacon_next;
        self->beacon_next = agent->later;
        tell(ctx, self, agent);
    }
    if (self->beacon_next) {
        return actor_timer(ctx, TIMER_BEACON_NEXT, PORTION_MS) == VERDICT_OK ? ACTOR_CONTINUE
                                                                             : ACTOR_FAIL;
    }
    kept_destroy(&self->beacon_said);
    return ACTOR_CONTINUE;
}

/* One that was not made since the start is not believed; the same again is no news. */
void
beacon_heard(actor_ctx_t *ctx, const agent_gateway_t *self, agent_t *agent, uint64_t seen)
{
    if (seen <= agent->beacon || seen > self->beacon) {
        return;
    }
    agent->beacon = seen;
    beacon_seen_t *m = DRAFT(ctx, beacon_seen);
    m->dp = actor_text(ctx, slice_of(agent->dp));
    m->sequence = seen;
    answer_unheard(tell_site_database_beacon_seen(ctx, m));
}
