/* gateway_shut.c - an agent whose key was revoked: whoever revoked it is answered when nothing is
 * taken from that agent any more.
 *
 * Its visit ends in the handler that hears of it. But a list that the database made before may be
 * under way still, and would let it in again: the answer to a question that is asked now comes
 * behind all those lists, and only then is the key good for nothing. */
#include "actors/gateway.h"

THEN(agent_gateway_t, heard_again)

static void
answer_shut(actor_ctx_t *ctx, const shutting_t *who)
{
    agent_is_shut_t *m = DRAFT(ctx, agent_is_shut);

    m->dp = actor_text(ctx, slice_of(who->dp));
    answer_unheard(REPLY_TO(ctx, who->request, agent_is_shut, m));
}

static actor_next_t
heard_again(actor_ctx_t *ctx, agent_gateway_t *self, const actor_answer_t *answer)
{
    shutting_t *who = &self->shutting[answer->tag];
    const agents_listed_t *m = ANSWER_AS(answer, agents_listed);

    who->used = false;
    if (!m) {
        actor_refuse_to(ctx, who->request, answer_err(answer));
        return list_anew(ctx, self);
    }
    list_take_one(ctx, self, m);
    answer_shut(ctx, who);
    return ACTOR_CONTINUE;
}

static bool
ask_again(actor_ctx_t *ctx, uint32_t place, slice_t dp)
{
    agents_known_t *m = DRAFT(ctx, agents_known);

    m->dp = actor_text(ctx, dp);
    return ask_site_database_agents_known(ctx, m, GATEWAY_ASK_MS, heard_again_then, place) ==
           VERDICT_OK;
}

actor_next_t
shut_agent(actor_ctx_t *ctx, agent_gateway_t *self, const agent_shut_t *m)
{
    slice_t dp = record_slice(m, m->dp);
    agent_t *agent = table_by_name(self, dp);
    uint32_t place = 0;

    if (agent) {
        agent->revoked = true;
        visit_end(ctx, self, agent, ERR_ABSENT);
    }
    while (place < GATEWAY_SHUTS_MAX && self->shutting[place].used) {
        place++;
    }
    shutting_t *who = place < GATEWAY_SHUTS_MAX ? &self->shutting[place] : NULL;
    if (!who || !slice_copy(dp, who->dp, sizeof who->dp) || !ask_again(ctx, place, dp)) {
        actor_refuse(ctx, ERR_BUSY);
        return list_anew(ctx, self);
    }
    who->used = true;
    who->request = actor_defer(ctx, "site_database");
    return ACTOR_CONTINUE;
}
