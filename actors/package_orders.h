/* package_orders.h - the messages that a package_worker makes of a command.
 *
 * Shape    each makes the draft in hand; command is a package_add when add, else a package_update.
 * Promises the commit carries the command's key and principal, so that a repeat finds its answer.
 * Costs    one draft each.
 * Threads  the handler in hand.
 */
#pragma once

#include "proto/messages.h"
#include "runtime/actor.h"

#define PACKAGE_COMMIT_MS 60000u /* of a change of the database */

/* How long the snapshot for whom asks so may take. */
uint32_t package_snapshot_ms(const actor_ctx_t *ctx, const request_t *request);
const package_lookup_t *package_lookup_of(actor_ctx_t *ctx, bool add, const void *command);
/* Input of the snapshot job: source and excludes of the command, or what is known of
 * the package. */
const snapshot_order_t *package_snapshot_order(actor_ctx_t *ctx, bool add, const void *command,
                                               const package_found_t *found, slice_t data);
/* Input of the look at the source that a package.set names. */
const snapshot_order_t *package_look_order(actor_ctx_t *ctx, const package_set_t *command,
                                           const package_found_t *found, slice_t data);
const version_commit_t *package_version_commit(actor_ctx_t *ctx, bool add, const void *command,
                                               const snapshot_taken_t *taken);
/* What the snapshot job refused, as the command's refusal. */
const refusal_t *package_refusal(actor_ctx_t *ctx, const snapshot_taken_t *taken);
