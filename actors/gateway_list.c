/* gateway_list.c - which agents there are, as the database tells it: all at the start and where it
 * is not said who changed, else those that did. */
#include "actors/gateway.h"

#define OPEN_MS 86400000u

THEN(agent_gateway_t, listed)
THEN(agent_gateway_t, one_listed)

void
list_make_ready(actor_ctx_t *ctx, const agent_gateway_t *self)
{
    if (self->listed && self->has_keys) {
        actor_ready(ctx);
    }
}

static actor_next_t
later(actor_ctx_t *ctx)
{
    return actor_timer(ctx, TIMER_LIST, GATEWAY_AGAIN_MS) == VERDICT_OK ? ACTOR_CONTINUE
                                                                        : ACTOR_FAIL;
}

static actor_next_t
ask_list(actor_ctx_t *ctx, agent_gateway_t *self, uint64_t after)
{
    agents_known_t *m = DRAFT(ctx, agents_known);

    m->after = after;
    self->listing =
        ask_site_database_agents_known(ctx, m, OPEN_MS, listed_then, after) == VERDICT_OK;
    return self->listing ? ACTOR_CONTINUE : later(ctx);
}

/* What has changed while the list was told may stand in it as it was: then all is told again. */
static actor_next_t
listed(actor_ctx_t *ctx, agent_gateway_t *self, const actor_answer_t *answer)
{
    const agents_listed_t *m = ANSWER_AS(answer, agents_listed);

    self->listing = false;
    if (!m) {
        return later(ctx);
    }
    self->site = m->site;
    address_set(self, record_slice(m, m->address));
    if (answer->tag == 0) {
        self->changed = false;
        table_begin(self);
    }
    table_add(ctx, self, m);
    if (m->next > answer->tag) {
        return ask_list(ctx, self, m->next);
    }
    table_end(ctx, self);
    self->listed = true;
    content_go_on(ctx, self);
    list_make_ready(ctx, self);
    return self->changed ? ask_list(ctx, self, 0) : ACTOR_CONTINUE;
}

actor_next_t
list_all(actor_ctx_t *ctx, agent_gateway_t *self)
{
    return ask_list(ctx, self, 0);
}

bool
list_is_open(const agent_gateway_t *self)
{
    return self->listing || self->changed || self->ones > 0;
}

actor_next_t
list_anew(actor_ctx_t *ctx, agent_gateway_t *self)
{
    self->changed = true;
    return self->listing ? ACTOR_CONTINUE : ask_list(ctx, self, 0);
}

void
list_take_one(actor_ctx_t *ctx, agent_gateway_t *self, const agents_listed_t *m)
{
    table_change(ctx, self, m);
    content_go_on(ctx, self);
}

/* A list that has begun meanwhile is younger than this answer. */
static actor_next_t
one_listed(actor_ctx_t *ctx, agent_gateway_t *self, const actor_answer_t *answer)
{
    const agents_listed_t *m = ANSWER_AS(answer, agents_listed);

    self->ones--;
    if (!m) {
        return list_anew(ctx, self);
    }
    self->told_rows += m->agents.count;
    list_take_one(ctx, self, m);
    return ACTOR_CONTINUE;
}

/* All agents are listed for one that changed only when it is not said which. */
actor_next_t
list_changed(actor_ctx_t *ctx, agent_gateway_t *self, const agents_changed_t *m)
{
    bool all = m->agents.count == 0 || self->listing || !self->listed;

    for (uint32_t i = 0; !all && i < m->agents.count; i++) {
        agents_known_t *ask = DRAFT(ctx, agents_known);
        ask->after = ROW(m, m->agents, i, agent_ref_t)->row;
        ask->alone = true;
        all = ask_site_database_agents_known(ctx, ask, OPEN_MS, one_listed_then, 0) != VERDICT_OK;
        self->ones += !all;
    }
    return all ? list_anew(ctx, self) : ACTOR_CONTINUE;
}
