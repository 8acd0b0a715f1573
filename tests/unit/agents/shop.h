/* shop.h - a gateway's table with one agent, shop, that is here, for claims about the gateway.
 *
 * Shape    shop_begin makes the table, in the gateway's init; gateway_drop is its class's drop.
 * Threads  one claim, in a process of its own.
 */
#pragma once

#include <string.h>

#include "actors/gateway.h"

static inline agent_t *
shop_of(const agent_gateway_t *self)
{
    return table_by_name(self, slice_of("shop"));
}

static inline void
shop_begin(actor_ctx_t *ctx, agent_gateway_t *self)
{
    static _Alignas(8) uint8_t memory[2048];
    agent_hello_t hello = {.credit = AGENT_WINDOW_BYTES};
    draft_t draft;

    draft_over(&draft, memory, sizeof memory);
    agents_listed_t *m = draft_begin(&draft, &agents_listed_type);
    m->agents = draft_rows(&draft, 1, sizeof(agent_row_t));
    agent_row_t *row = draft_row(&draft, m->agents, 0, sizeof *row);
    row->dp = draft_text(&draft, slice_of("shop"));
    memset(&row->token, 1, sizeof row->token);
    memset(&row->key, 2, sizeof row->key);
    table_init(self);
    table_begin(self);
    table_add(ctx, self, m);
    table_end(ctx, self);
    visit_begin(ctx, self, shop_of(self), slice_of("peer"), &hello);
}

static inline void
gateway_drop(void *state)
{
    table_drop(state);
}
