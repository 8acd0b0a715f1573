/* agent_plain.c - bytes of data by a second connection, unencrypted, where the site says so.
 *
 * The site tells where and a ticket, over the connection by which it has proved its key. What comes
 * there is data alone, and whoever is between may have changed it: each object is held against its
 * digest like any other, and why there is no data is heard over the other connection. When the site
 * says that this one is no more, or something odd comes there, all begins anew. */
#include "actors/agent_inside.h"
#include "actors/agent_wire.h"

void
agent_plain_end(actor_ctx_t *ctx, agent_state_t *self)
{
    agent_plain_t *plain = &self->plain;

    if (plain->number != 0) {
        outbox_clear(&plain->outbox);
        outbox_hang_up(ctx, &plain->outbox);
    }
    plain->number = 0;
    plain->here = false;
    plain->given_ups = 0;
}

void
agent_plain_give_up(agent_state_t *self)
{
    agent_plain_t *plain = &self->plain;
    const lacking_t *need =
        self->phase == PHASE_FETCH && self->need ? kept_record(self->need) : NULL;

    if (self->order && need && self->came < need->ranges.count) {
        plain->given_up[plain->given_ups++ % GIVEN_UP_MAX] = agent_order_of(self->order)->order;
    }
}

actor_next_t
agent_take_bulk(actor_ctx_t *ctx, agent_state_t *self, const agent_bulk_t *m)
{
    agent_plain_t *plain = &self->plain;

    if (m->address.size == 0) {
        return agent_dial(ctx, self);
    }
    plain->number = m->number;
    plain->here = false;
    agent_ticket_t *ticket = DRAFT(ctx, agent_ticket);
    ticket->ticket = m->ticket;
    outbox_clear(&plain->outbox);
    claim(ctx, outbox_put(ctx, &plain->outbox, record_slice(m, m->address), true,
                          &agent_ticket_type, ticket));
    return ACTOR_CONTINUE;
}

/* The site's first word there is of this ticket; what came before it is of another connection. */
static actor_next_t
take_beat(agent_plain_t *plain, const agent_beat_t *m)
{
    plain->here |= m->number == plain->number && plain->number != 0;
    return ACTOR_CONTINUE;
}

/* A list of chunks has no digest of its own, and comes by the other connection. */
static bool
has_lists(const agent_data_t *m)
{
    bool has = false;

    for (uint32_t i = 0; i < m->pieces.count && !has; i++) {
        has = ROW(m, m->pieces, i, piece_t)->list;
    }
    return has;
}

/* Of an order that never asked for it: its number was changed on the way, and the order that did
 * ask would wait for ever. */
static bool
is_astray(const agent_state_t *self, uint64_t order)
{
    const agent_plain_t *plain = &self->plain;
    bool expected = agent_has_in_hand(self, order, PHASE_FETCH);

    for (uint32_t i = 0; i < plain->given_ups && i < GIVEN_UP_MAX && !expected; i++) {
        expected = plain->given_up[i] == order;
    }
    return !expected;
}

actor_next_t
agent_plain_came(actor_ctx_t *ctx, agent_state_t *self, const peer_came_t *m)
{
    agent_plain_t *plain = &self->plain;
    const record_type_t *type = NULL;
    const void *record = NULL;
    err_t err = agent_frame_read(record_slice(m, m->body), SITE_SAYS_IN_PLAIN, self->memory,
                                 AGENT_MEMORY_BYTES, &type, &record);

    if (err == OK && type == &agent_beat_type) {
        return take_beat(plain, record);
    }
    if (!plain->here) {
        return ACTOR_CONTINUE; /* of a connection that has ended */
    }
    const agent_data_t *data = record;
    if (err != OK || data->err != OK || has_lists(data) || is_astray(self, data->order)) {
        return agent_dial(ctx, self); /* it was changed on its way: what it was never comes */
    }
    return agent_take_data(ctx, self, data);
}

/* A ticket that could not be said is told again. */
actor_next_t
agent_plain_gone(actor_ctx_t *ctx, agent_state_t *self, const peer_gone_t *m)
{
    if (m->peer.size > 0) {
        return ACTOR_CONTINUE;
    }
    self->plain.outbox.asks = 0; /* the link has begun anew */
    return self->plain.number != 0 ? agent_dial(ctx, self) : ACTOR_CONTINUE;
}
