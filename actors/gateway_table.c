/* gateway_table.c - who may come in, and who is here; see gateway.h. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/gateway.h"

#define HEX_BYTES 65u

static void
agent_destroy(void **item)
{
    agent_t *agent = *item;

    for (uint32_t i = 0; i < AGENT_ORDERS_MAX; i++) {
        order_free(&agent->order[i]);
    }
    kept_destroy(&agent->need);
    free(agent);
    *item = NULL;
}

void
table_init(agent_gateway_t *self)
{
    self->agent = zhashx_new();
    self->user = zhashx_new();
    self->memory = malloc(AGENT_MEMORY_BYTES);
    self->ticket = zhashx_new();
    assert(self->agent && self->user && self->ticket && self->memory);
    zhashx_set_destructor(self->agent, agent_destroy);
    outbox_init(&self->outbox);
    outbox_init(&self->plain);
    gone_init(self);
    here_init(self);
    self->all.window = AGENTS_WINDOW_BYTES;
    rates_init(self);
}

void
table_drop(agent_gateway_t *self)
{
    named_drop(self);
    gone_drop(self);
    here_drop(self);
    zhashx_destroy(&self->user);
    zhashx_destroy(&self->ticket);
    zhashx_destroy(&self->agent);
    zhashx_destroy(&self->link);
    outbox_drop(&self->outbox);
    outbox_drop(&self->plain);
    kept_destroy(&self->beacon_said);
    free(self->memory);
    self->memory = NULL;
}

bool
table_key(slice_t name, char key[NAME_BYTES_MAX + 1])
{
    if (!slice_copy(name, key, NAME_BYTES_MAX + 1)) {
        return false;
    }
    for (char *at = key; *at; at++) {
        *at = *at >= 'A' && *at <= 'Z' ? (char) (*at - 'A' + 'a') : *at;
    }
    return true;
}

agent_t *
table_by_name(const agent_gateway_t *self, slice_t dp)
{
    char key[NAME_BYTES_MAX + 1];

    return table_key(dp, key) ? zhashx_lookup(self->agent, key) : NULL;
}

agent_t *
table_by_user(const agent_gateway_t *self, slice_t user)
{
    char key[HEX_BYTES];

    return slice_copy(user, key, sizeof key) ? zhashx_lookup(self->user, key) : NULL;
}

bool
table_is_token(const agent_t *agent, slice_t user)
{
    char hex[HEX_BYTES];

    hex_of_bytes(agent->token.byte, sizeof agent->token.byte, hex);
    return slice_equal(user, slice_of(hex));
}

/* ---- what the database lists ---- */

static void
know_user(agent_gateway_t *self, const digest_t *key, agent_t *agent)
{
    char hex[HEX_BYTES];

    if (!digest_is_none(key)) {
        hex_of_bytes(key->byte, sizeof key->byte, hex);
        zhashx_update(self->user, hex, agent);
    }
}

static bool
same_agent(const agent_t *agent, const agent_row_t *row)
{
    return memcmp(&agent->incarnation, &row->dp_incarnation, sizeof row->dp_incarnation) == 0 &&
           memcmp(&agent->key, &row->key, sizeof row->key) == 0;
}

static void
take_row(actor_ctx_t *ctx, agent_gateway_t *self, const agents_listed_t *m, const agent_row_t *row)
{
    char key[NAME_BYTES_MAX + 1];
    agent_t *agent = table_by_name(self, record_slice(m, row->dp));

    if (!table_key(record_slice(m, row->dp), key)) {
        return;
    }
    if (!agent) {
        agent = calloc(1, sizeof *agent);
        assert(agent);
        pace_init(&agent->pace);
        zhashx_update(self->agent, key, agent);
    } else if (agent->here && (row->revoked || !same_agent(agent, row))) {
        visit_end(ctx, self, agent, ERR_ABSENT);
    }
    bool copied = slice_copy(record_slice(m, row->dp), agent->dp, sizeof agent->dp);
    agent->incarnation = row->dp_incarnation;
    agent->token = row->token;
    agent->key = row->key;
    agent->signing = row->signing;
    agent->revoked = row->revoked;
    copied &= slice_copy(record_slice(m, row->address), agent->knows, sizeof agent->knows);
    agent->listed = copied;
    self->is_stale = true;
    rates_know(self, agent, m, row, actor_now_ns(ctx));
    window_know(agent, row);
    plain_know(ctx, self, agent, row->plain);
    know_user(self, &agent->token, agent);
    know_user(self, &agent->key, agent);
}

static void
forget_others(actor_ctx_t *ctx, agent_gateway_t *self)
{
    zlistx_t *keys = zhashx_keys(self->agent);

    assert(keys);
    for (const char *key = zlistx_first(keys); key; key = zlistx_next(keys)) {
        agent_t *agent = zhashx_lookup(self->agent, key);
        if (!agent->listed) {
            gone_tell_visitor(ctx, self, agent);
            visit_end(ctx, self, agent, ERR_ABSENT);
            zhashx_delete(self->agent, key);
            self->is_stale = true;
        }
    }
    zlistx_destroy(&keys);
}

void
table_begin(agent_gateway_t *self)
{
    for (agent_t *agent = zhashx_first(self->agent); agent; agent = zhashx_next(self->agent)) {
        agent->listed = false;
    }
    gone_begin(self);
    rates_begin(self);
}

static void
forget_user(agent_gateway_t *self, const digest_t *key, const agent_t *agent)
{
    char hex[HEX_BYTES];

    hex_of_bytes(key->byte, sizeof key->byte, hex);
    if (zhashx_lookup(self->user, hex) == agent) {
        zhashx_delete(self->user, hex);
    }
}

void
table_change(actor_ctx_t *ctx, agent_gateway_t *self, const agents_listed_t *m)
{
    for (uint32_t i = 0; i < m->agents.count; i++) {
        const agent_row_t *row = ROW(m, m->agents, i, agent_row_t);
        agent_t *agent = table_by_name(self, record_slice(m, row->dp));
        if (agent) {
            forget_user(self, &agent->token, agent);
            forget_user(self, &agent->key, agent);
        }
        take_row(ctx, self, m, row);
    }
}

void
table_add(actor_ctx_t *ctx, agent_gateway_t *self, const agents_listed_t *m)
{
    self->told_rows += m->agents.count;
    for (uint32_t i = 0; i < m->agents.count; i++) {
        const agent_row_t *row = ROW(m, m->agents, i, agent_row_t);
        if (row->removed) {
            gone_add(self, row);
        } else {
            take_row(ctx, self, m, row);
        }
    }
}

/* The keys anew, so that none is left of who was forgotten or has other keys now. */
void
table_end(actor_ctx_t *ctx, agent_gateway_t *self)
{
    forget_others(ctx, self);
    gone_end(ctx, self);
    rates_end(self);
    address_tell_all(ctx, self);
    zhashx_purge(self->user);
    for (agent_t *agent = zhashx_first(self->agent); agent; agent = zhashx_next(self->agent)) {
        know_user(self, &agent->token, agent);
        know_user(self, &agent->key, agent);
    }
}

/* ---- visits ---- */

void
visit_end(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent, err_t err)
{
    plain_end(ctx, self, agent);
    for (uint32_t i = 0; i < AGENT_ORDERS_MAX; i++) {
        if (agent->order[i].number != 0) {
            actor_refuse_to(ctx, agent->order[i].request, err);
            order_free(&agent->order[i]);
        }
    }
    kept_destroy(&agent->need);
    named_leave(self, agent);
    if (agent->credit.under_way > 0) {
        pace_lose(&agent->pace);
    }
    credit_end(&agent->credit, &self->all);
    here_out(self, agent);
    agent->read_in_vain = false;
    line_settle(self, agent);
}

void
visit_begin(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent, slice_t peer,
            const agent_hello_t *hello)
{
    visit_end(ctx, self, agent, ERR_ABSENT);
    agent->told = false;
    memcpy(agent->peer, peer.data, peer.size);
    agent->peer_size = (uint8_t) peer.size;
    here_in(self, agent);
    agent->heard_ns = actor_now_ns(ctx);
    agent->visit = hello->visit;
    agent->offered = hello->credit;
    content_set_window(agent);
}

void
visit_say(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent, const record_type_t *type,
          const void *record)
{
    slice_t peer = {(const char *) agent->peer, agent->peer_size};

    if (!outbox_put(ctx, &self->outbox, peer, false, type, record)) {
        visit_end(ctx, self, agent, ERR_ABSENT);
    }
}

/* After each handler before a rest: so it looks at no agent. */
void
table_describe(const void *state, char *text, size_t size)
{
    const agent_gateway_t *self = state;

    if (!self->listens) {
        snprintf(text, size, "does not listen");
        return;
    }
    snprintf(text, size,
             "agents: %zu, here: %u, removed: %zu, bytes under way: %llu, sent: %llu, asked in "
             "vain: %llu, strangers refused: %llu, odd frames: %llu, site rate: %llu, slowest: "
             "%llu, packed: %llu, in plain: %llu, unknown: %llu, paired: %u, told of: %llu",
             zhashx_size(self->agent), self->here, zhashx_size(self->gone),
             (unsigned long long) self->all.under_way, (unsigned long long) self->sent,
             (unsigned long long) self->in_vain, (unsigned long long) self->strangers,
             (unsigned long long) self->odd, (unsigned long long) self->rate.rate,
             (unsigned long long) self->slowest, (unsigned long long) self->packed,
             (unsigned long long) self->in_plain, (unsigned long long) self->unknown, self->paired,
             (unsigned long long) self->told_rows);
}
