/* gateway_join.c - who may come in, and how a machine becomes a point's agent.
 *
 * The key of a token is a key of CURVE: whoever comes in by it has proved to have the secret. */
#include <string.h>

#include "actors/gateway.h"

THEN(agent_gateway_t, looked_for)

/* A token that was spent or has expired may come in to be told so, and the agent of a point that
 * was removed; nobody else may. */
static const door_opens_t *
opens_for(actor_ctx_t *ctx, agent_gateway_t *self, slice_t user)
{
    const agent_t *agent = table_by_user(self, user);
    door_opens_t *opens = DRAFT(ctx, door_opens);

    opens->open = (agent && !agent->revoked) || gone_by_user(self, user) != NULL;
    self->strangers += !opens->open;
    return opens;
}

static actor_next_t
looked_for(actor_ctx_t *ctx, agent_gateway_t *self, const actor_answer_t *answer)
{
    looked_for_t *who = &self->looked_for[answer->tag];
    const agents_listed_t *m = ANSWER_AS(answer, agents_listed);
    char user[65];

    who->used = false;
    if (!m) {
        actor_refuse_to(ctx, who->request, ERR_STARTING);
        return ACTOR_CONTINUE;
    }
    list_take_one(ctx, self, m);
    hex_of_bytes(who->key.byte, sizeof who->key.byte, user);
    const door_opens_t *opens = opens_for(ctx, self, slice_of(user));
    answer_unheard(REPLY_TO(ctx, who->request, door_opens, opens));
    return ACTOR_CONTINUE;
}

/* Whoever has a token, or has joined, was answered by the database, and knocks at once: the news of
 * it may be behind its knock. So nobody is called a stranger by what is known here alone. */
static actor_next_t
look_for(actor_ctx_t *ctx, agent_gateway_t *self, slice_t key)
{
    uint32_t place = 0;

    while (place < GATEWAY_LOOKS_MAX && self->looked_for[place].used) {
        place++;
    }
    if (place == GATEWAY_LOOKS_MAX) {
        actor_refuse(ctx, ERR_BUSY);
        return ACTOR_CONTINUE;
    }
    looked_for_t *who = &self->looked_for[place];
    agents_known_t *ask = DRAFT(ctx, agents_known);
    memcpy(who->key.byte, key.data, sizeof who->key.byte);
    ask->key = who->key;
    who->used = ask_site_database_agents_known(ctx, ask, GATEWAY_ASK_MS, looked_for_then, place) ==
                VERDICT_OK;
    if (who->used) {
        who->request = actor_defer(ctx, "site_database");
    } else {
        actor_refuse(ctx, ERR_BUSY);
    }
    return ACTOR_CONTINUE;
}

actor_next_t
join_knock(actor_ctx_t *ctx, agent_gateway_t *self, const door_knock_t *m)
{
    slice_t key = record_slice(m, m->key);
    char user[65] = "";

    if (!self->listed || !self->has_keys) {
        actor_refuse(ctx, ERR_STARTING);
        return ACTOR_CONTINUE;
    }
    bool whole = key.size == sizeof(digest_t);
    if (whole) {
        hex_of_bytes((const uint8_t *) key.data, sizeof(digest_t), user);
    }
    if (whole && !table_by_user(self, slice_of(user)) && !gone_by_user(self, slice_of(user))) {
        return look_for(ctx, self, key);
    }
    answer_unheard(REPLY(ctx, door_opens, opens_for(ctx, self, slice_of(user))));
    return ACTOR_CONTINUE;
}

/* ---- joining ---- */

void
join_say(actor_ctx_t *ctx, agent_gateway_t *self, slice_t peer, const record_type_t *type,
         const void *record)
{
    self->odd += !outbox_put(ctx, &self->outbox, peer, false, type, record);
}

void
join_refuse(actor_ctx_t *ctx, agent_gateway_t *self, slice_t peer, err_t err)
{
    agent_refused_t *m = DRAFT(ctx, agent_refused);

    m->err = err;
    m->text = actor_text(ctx, slice_of(err_sentence(err)));
    join_say(ctx, self, peer, &agent_refused_type, m);
}

/* The answer of the database is for a peer: its address is kept in the ask's place. */
static actor_next_t
enrolled(actor_ctx_t *ctx, void *state, const actor_answer_t *answer)
{
    agent_gateway_t *self = state;
    joining_t *joining = &self->joining[answer->tag];
    const agent_enrolled_t *m = ANSWER_AS(answer, agent_enrolled);
    slice_t peer = {(const char *) joining->peer, joining->peer_size};

    joining->used = false;
    if (!m) {
        join_refuse(ctx, self, peer, answer_err(answer));
        return ACTOR_CONTINUE;
    }
    agent_enrolled_t *out = DRAFT(ctx, agent_enrolled);
    out->dp = actor_text(ctx, record_slice(m, m->dp));
    out->site_signing = self->keys.signing_key;
    join_say(ctx, self, peer, &agent_enrolled_type, out);
    return ACTOR_CONTINUE;
}

bool
join_enrol(actor_ctx_t *ctx, agent_gateway_t *self, slice_t peer, const agent_t *agent,
           const agent_enrol_t *m)
{
    uint32_t place = 0;

    while (place < GATEWAY_JOINING_MAX && self->joining[place].used) {
        place++;
    }
    if (place == GATEWAY_JOINING_MAX) {
        join_refuse(ctx, self, peer, ERR_BUSY);
        return true;
    }
    joining_t *joining = &self->joining[place];
    joining->peer_size = (uint8_t) peer.size;
    memcpy(joining->peer, peer.data, peer.size);
    agent_enrol_t *ask = DRAFT(ctx, agent_enrol);
    ask->v = m->v;
    ask->key = m->key;
    ask->signing = m->signing;
    ask->root = actor_text(ctx, record_slice(m, m->root));
    ask->former = m->former;
    ask->token = agent->token;
    joining->used =
        ask_site_database_agent_enrol(ctx, ask, GATEWAY_ASK_MS, enrolled, place) == VERDICT_OK;
    if (!joining->used) {
        join_refuse(ctx, self, peer, ERR_BUSY);
    }
    return true;
}
