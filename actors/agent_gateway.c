/* agent_gateway.c - points that are other machines: who may come in, orders, content.
 *
 *   hears    peer_came, peer_gone, peer_next and door_knock of its link; agent_call (an ask) and
 *            agent_end of point_workers; make_way of the despooler; agents_changed; agent_shut (an
 *            ask) of distribution_manager
 *   tells    site_database and status_manager progress; site_database note_event, beacon_seen
 *   asks     site_database agents_known, agent_enrol, agent_told, agent_heard, version_held,
 *            activation_note, beacon_next
 *   keeps    the agents that the database knows; of those that are here their visit
 *   survives a restart loses the visits: agents begin anew, whoever waits hears `restarting`, and
 *            what an agent has made durable is not sent again
 *
 * Who a frame is from says the key that its connection has proved, never its address; whether that
 * key may still say something is looked at for each frame. What comes on a plain connection is a
 * ticket, or nothing (gateway_plain.c).
 */
#include <string.h>

#include "actors/gateway.h"

#define LOOK_MS 1000u

HEARS(agent_gateway_t, peer_gone)
HEARS(agent_gateway_t, peer_next)
HEARS(agent_gateway_t, agents_changed)
THEN(agent_gateway_t, keys_came)

#define GOES_TO(message, call)                                                                     \
    HEARS(agent_gateway_t, message)                                                                \
    static actor_next_t on_##message(actor_ctx_t *ctx, agent_gateway_t *self,                      \
                                     const message##_t *m)                                         \
    {                                                                                              \
        return call(ctx, self, m);                                                                 \
    }
GOES_TO(door_knock, join_knock)
GOES_TO(peer_came, hear_frame)
GOES_TO(agent_call, orders_call)
GOES_TO(agent_end, orders_end)
GOES_TO(agent_shut, shut_agent)
GOES_TO(make_way, orders_make_way)

/* ---- the link ---- */

static actor_next_t
on_peer_gone(actor_ctx_t *ctx, agent_gateway_t *self, const peer_gone_t *m)
{
    if (m->plain) {
        plain_gone(ctx, self, record_slice(m, m->peer));
        return ACTOR_CONTINUE;
    }
    if (m->peer.size == 0) {
        self->outbox.asks = 0; /* of a link that has begun anew */
    }
    agent_t *one = m->peer.size > 0 ? here_by_peer(self, record_slice(m, m->peer)) : NULL;
    if (one) {
        visit_end(ctx, self, one, ERR_ABSENT);
    }
    while (m->peer.size == 0 && self->here_first) {
        visit_end(ctx, self, self->here_first, ERR_ABSENT);
    }
    return ACTOR_CONTINUE;
}

static actor_next_t
on_peer_next(actor_ctx_t *ctx, agent_gateway_t *self, const peer_next_t *m)
{
    outbox_asked(ctx, m->plain ? &self->plain : &self->outbox, m->number);
    return ACTOR_CONTINUE;
}

/* ---- the actor ---- */

static actor_next_t
on_agents_changed(actor_ctx_t *ctx, agent_gateway_t *self, const agents_changed_t *m)
{
    return list_changed(ctx, self, m);
}

static actor_next_t
again(actor_ctx_t *ctx, uint64_t timer)
{
    return actor_timer(ctx, timer, GATEWAY_AGAIN_MS) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
}

static actor_next_t
ask_keys(actor_ctx_t *ctx, const agent_gateway_t *self)
{
    const site_args_t *args = kept_record(self->args);

    return keys_ask(ctx, record_slice(args, args->data), keys_came_then);
}

static actor_next_t
keys_came(actor_ctx_t *ctx, agent_gateway_t *self, const actor_answer_t *answer)
{
    const keys_read_t *m = ANSWER_AS(answer, keys_read);

    keys_take(answer, &self->keys);
    if (!m || m->err != OK) {
        actor_degraded(ctx, err_sentence(m ? (err_t) m->err : answer->err));
        return again(ctx, TIMER_KEYS);
    }
    self->has_keys = true;
    list_make_ready(ctx, self);
    return ACTOR_CONTINUE;
}

/* Who does not say anything is gone, also when its connection has not been told so. */
static actor_next_t
look(actor_ctx_t *ctx, agent_gateway_t *self)
{
    int64_t since = actor_now_ns(ctx) - (int64_t) AGENT_SILENCE_MS * 1000000;

    for (agent_t *agent = self->here_first, *next; agent; agent = next) {
        next = agent->later;
        if (agent->heard_ns < since) {
            visit_end(ctx, self, agent, ERR_ABSENT);
        }
        orders_look(ctx, self, agent);
        orders_look_at_turn(ctx, self, agent);
        plain_look(ctx, self, agent);
        address_look(ctx, self, agent);
    }
    here_sum_up(self);
    if (!self->listing && window_is_to_be_asked(ctx, self)) {
        claim(ctx, list_all(ctx, self) == ACTOR_CONTINUE);
    }
    content_go_on(ctx, self);
    return actor_timer(ctx, TIMER_LOOK, LOOK_MS) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
}

static actor_next_t
gateway_timer(actor_ctx_t *ctx, void *state, uint64_t key)
{
    agent_gateway_t *self = state;

    switch (key) {
    case TIMER_LOOK:
        return look(ctx, self);
    case TIMER_KEYS:
        return ask_keys(ctx, self);
    case TIMER_BEACON:
        return beacon_due(ctx, self);
    case TIMER_BEACON_NEXT:
        return beacon_go_on(ctx, self);
    case TIMER_RATE:
        content_go_on(ctx, self);
        return ACTOR_CONTINUE;
    default:
        return self->listing ? ACTOR_CONTINUE : list_all(ctx, self);
    }
}

/* A site that does not listen has no agents and makes no keys. */
static actor_next_t
gateway_init(actor_ctx_t *ctx, void *state, const void *args)
{
    agent_gateway_t *self = state;

    self->args = actor_keep(ctx, &site_args_type, args);
    self->listens = ((const site_args_t *) args)->listen.size > 0;
    self->numbers = actor_random(ctx) >> 16; /* of orders: not those of the incarnation before */
    table_init(self);
    if (!self->listens) {
        actor_ready(ctx);
        return ACTOR_CONTINUE;
    }
    claim(ctx, ask_keys(ctx, self) == ACTOR_CONTINUE && list_all(ctx, self) == ACTOR_CONTINUE &&
                   beacon_due(ctx, self) == ACTOR_CONTINUE);
    return actor_timer(ctx, TIMER_LOOK, LOOK_MS) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
}

static void
gateway_drop(void *state)
{
    agent_gateway_t *self = state;

    kept_destroy(&self->args);
    table_drop(self);
    explicit_bzero(&self->keys, sizeof self->keys);
}

static const actor_hears_t actor_hears[] = {
    ON(peer_came),        ON(peer_gone),        ON(peer_next),       ON_URGENT(door_knock),
    ON(agent_call),       ON_URGENT(agent_end), ON_URGENT(make_way), ON_URGENT(agents_changed),
    ON_URGENT(agent_shut)};

const actor_class_t agent_gateway_class = {
    .name = "agent_gateway",
    .state_bytes = sizeof(agent_gateway_t),
    .init = gateway_init,
    .on_timer = gateway_timer,
    .drop = gateway_drop,
    .describe = table_describe,
    ACTOR_LIST(hears),
    .edges = actor_edges,
    .edge_count = ACTOR_EDGE_COUNT,
    .role = true,
    .starts_later = true,
};
