/* gateway_older.c - what an agent needs of a version that its order does not name.
 *
 * Who takes superseded versions away goes by their manifests, and one of them may have proved
 * damaged at the agent. It is sent that again where the database says that its point may hold it,
 * and the bytes come from the site's store, which keeps a version for as long. */
#include "actors/content/hash.h"
#include "actors/gateway.h"

THEN(agent_gateway_t, held_came)

bool
older_is(const agent_need_t *need, const work_t *work)
{
    return !digest_is_none(&need->version) && !digest_equal(&need->version, &work->root);
}

/* The names of the order's own version are none of it. */
void
older_ask(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent, const work_t *work)
{
    const agent_need_t *need = kept_record(agent->need);
    version_held_t *m = DRAFT(ctx, version_held);

    named_leave(self, agent);
    m->target = work->target;
    m->root = need->version;
    agent->asked = ++self->jobs;
    if (ask_site_database_version_held(ctx, m, GATEWAY_ASK_MS, held_came_then, agent->asked) !=
        VERDICT_OK) {
        agent->asked = 0;
        content_allowed(ctx, self, agent, ERR_BUSY);
    }
}

static agent_t *
agent_of(const agent_gateway_t *self, uint64_t asked)
{
    for (agent_t *agent = zhashx_first(self->agent); agent; agent = zhashx_next(self->agent)) {
        if (agent->asked == asked) {
            return agent;
        }
    }
    return NULL;
}

/* For a need that another has taken the place of nobody waits. */
static actor_next_t
held_came(actor_ctx_t *ctx, agent_gateway_t *self, const actor_answer_t *answer)
{
    agent_t *agent = agent_of(self, answer->tag);

    if (agent) {
        agent->asked = 0;
        content_allowed(ctx, self, agent, answer_err(answer));
    }
    return ACTOR_CONTINUE;
}
