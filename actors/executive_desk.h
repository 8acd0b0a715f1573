/* executive_desk.h - the executive's answers about set-aside messages and the run before this one.
 *
 * Shape    each answers the ask in hand.
 * Promises every one is answered, by its record or a refusal.
 * Costs    one draft.
 * Threads  the handler in hand.
 */
#pragma once

#include "proto/messages.h"
#include "runtime/actor.h"

#define BLACK_BOX_BYTES (1u << 20) /* of a rendered black box; what is longer is cut */

void desk_quarantine_list(actor_ctx_t *ctx);
void desk_quarantine_show(actor_ctx_t *ctx, const quarantine_show_t *m);
void desk_quarantine_retry(actor_ctx_t *ctx, const quarantine_retry_t *m);
void desk_quarantine_drop(actor_ctx_t *ctx, const quarantine_drop_t *m);
void desk_blackbox(actor_ctx_t *ctx);
