/* executive_desk.h - the executive's answers about what is: components, set-aside messages, the run before.
 *
 * Shape    each answers the ask in hand.
 * Promises every one is answered, by its record or a refusal.
 * Costs    one draft.
 * Threads  the handler in hand.
 */
#pragma once

#include "actors/executive_components.h"
#include "proto/messages.h"

#define BLACK_BOX_BYTES (1u << 20) /* of a rendered black box; what is longer is cut */

void desk_component_list(actor_ctx_t *ctx, component_table_t *table);
void desk_component_show(actor_ctx_t *ctx, component_table_t *table, const component_show_t *m);
void desk_quarantine_list(actor_ctx_t *ctx);
void desk_quarantine_show(actor_ctx_t *ctx, const quarantine_show_t *m);
void desk_quarantine_retry(actor_ctx_t *ctx, const quarantine_retry_t *m);
void desk_quarantine_drop(actor_ctx_t *ctx, const quarantine_drop_t *m);
void desk_blackbox(actor_ctx_t *ctx);
