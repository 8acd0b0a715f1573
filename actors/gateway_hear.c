/* gateway_hear.c - what agents say: each frame by the key that its connection has proved. */
#include "actors/gateway.h"

/* Of the visit in hand or of the last one. */
static bool
is_of_connection(const agent_t *agent, slice_t peer)
{
    return peer.size > 0 && peer.size == agent->peer_size &&
           memcmp(peer.data, agent->peer, peer.size) == 0;
}

/* One visit to a connection: what was sent in the one before is still on its way there, and with
 * new credit as much again would be. */
static bool
greet(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent, slice_t peer, const agent_hello_t *m)
{
    if (m->credit == 0 || is_of_connection(agent, peer)) {
        return false;
    }
    visit_begin(ctx, self, agent, peer, m);
    agent_welcome_t *welcome = DRAFT(ctx, agent_welcome);
    welcome->v = AGENT_WIRE_VERSION;
    visit_say(ctx, self, agent, &agent_welcome_type, welcome);
    address_tell(ctx, self, agent);
    plain_offer(ctx, self, agent);
    return true;
}

bool
hear_is_of_visit(const agent_t *agent, slice_t peer)
{
    return agent->here && is_of_connection(agent, peer);
}

/* What is said within a visit. */
static bool
hear(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent, const record_type_t *type,
     const void *m)
{
    agent->heard_ns = actor_now_ns(ctx);
    if (type == &agent_beat_type) {
        agent_beat_t *beat = DRAFT(ctx, agent_beat);
        beat->number = ((const agent_beat_t *) m)->number;
        visit_say(ctx, self, agent, &agent_beat_type, beat);
        plain_beat(ctx, self, agent);
        beacon_heard(ctx, self, agent, ((const agent_beat_t *) m)->beacon);
        return true;
    }
    return type == &agent_need_type        ? content_need(ctx, self, agent, m)
           : type == &agent_durable_type   ? content_durable(ctx, self, agent, m)
           : type == &agent_progress_type  ? orders_progress(ctx, self, agent, m)
           : type == &agent_done_type      ? orders_done(ctx, self, agent, m)
           : type == &agent_seeded_type    ? orders_seeded(ctx, self, agent, m)
           : type == &agent_indexed_type   ? orders_indexed(ctx, self, agent, m)
           : type == &agent_moved_type     ? address_heard(ctx, self, agent, m)
           : type == &agent_activated_type ? activate_heard(ctx, agent, m)
                                           : false;
}

/* Whoever says something in a visit that is over begins anew when it hears nothing. */
static bool
take(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent, const peer_came_t *m,
     const record_type_t *type, const void *record)
{
    slice_t peer = record_slice(m, m->peer);
    bool joins = table_is_token(agent, record_slice(m, m->user));

    if (joins != (type == &agent_enrol_type)) {
        return false;
    }
    if (joins) {
        return join_enrol(ctx, self, peer, agent, record);
    }
    if (type == &agent_hello_type) {
        return greet(ctx, self, agent, peer, record);
    }
    return !hear_is_of_visit(agent, peer) || hear(ctx, self, agent, type, record);
}

void
hear_odd(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent, slice_t peer, err_t err)
{
    self->odd++;
    join_refuse(ctx, self, peer, err);
    if (hear_is_of_visit(agent, peer)) { /* else it has its token alone */
        visit_end(ctx, self, agent, ERR_ABSENT);
    }
}

actor_next_t
hear_frame(actor_ctx_t *ctx, agent_gateway_t *self, const peer_came_t *m)
{
    if (m->plain) {
        plain_hear(ctx, self, m);
        return ACTOR_CONTINUE;
    }
    agent_t *agent = table_by_user(self, record_slice(m, m->user));
    const record_type_t *type = NULL;
    const void *record = NULL;

    if (!self->listed || !self->has_keys) { /* nobody is known yet; who is here begins anew */
        return ACTOR_CONTINUE;
    }
    gone_t *gone = agent ? NULL : gone_by_user(self, record_slice(m, m->user));
    if (gone) {
        gone_hear(ctx, self, gone, m);
        return ACTOR_CONTINUE;
    }
    if (!agent || agent->revoked) {
        self->strangers++;
        join_refuse(ctx, self, record_slice(m, m->peer), ERR_REVOKED);
        return ACTOR_CONTINUE;
    }
    err_t err = agent_frame_read(record_slice(m, m->body), AGENT_SAYS, self->memory,
                                 AGENT_MEMORY_BYTES, &type, &record);
    if (err != OK || !take(ctx, self, agent, m, type, record)) {
        hear_odd(ctx, self, agent, record_slice(m, m->peer), err == OK ? ERR_BAD_REQUEST : err);
    }
    return ACTOR_CONTINUE;
}
