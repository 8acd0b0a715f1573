/* incoming.h - what is kept of DATA/incoming (staging.h), as time goes by.
 *
 * Shape    DATA: the agent's data directory, a path of at most PATH_BYTES_MAX.
 * Promises after incoming_keep_few at most AGENT_STAGED_MAX objects that are not whole and
 *          AGENT_LISTS_KEPT lists are left, the youngest and that of the object in hand; after
 *          incoming_settle none of what the store has, which a kill may leave between an object's
 *          commit and the end of its name. What is removed is not synced: it may come back by a
 *          power cut, and goes the same way.
 * Costs    one reading of the directory; a look into the store, or a stat, for each name.
 * Errors   those of the world and of the store.
 * Threads  one job at a time.
 */
#pragma once

#include "actors/content/store.h"

err_t incoming_keep_few(world_t *world, slice_t data, const digest_t *in_hand,
                        fault_t *fault) must_use;
err_t incoming_settle(store_t *store, slice_t data, fault_t *fault) must_use;
/* Whether a large file is on its way by chunks; false, too, when that cannot be seen. */
bool incoming_has_lists(world_t *world, slice_t data);
