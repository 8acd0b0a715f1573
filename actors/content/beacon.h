/* beacon.h - what an agent keeps of its site's beacons: the highest that it heard, if it is stale.
 *
 * Shape    DATA/beacon, a sealed text (seal.h): sequence, the site's time (shown, never compared),
 *          whether the agent was stale when it was written, beacons that were said again so far.
 * Promises a beacon counts when it is higher than all before, also those before a restart; that is
 *          durable before it counts.
 * Costs    a few calls, two of them syncs.
 * Errors   ERR_SUPERSEDED (no higher one), ERR_DAMAGED, those of the world.
 * Threads  one job.
 */
#pragma once

#include "proto/record.h"
#include "runtime/world.h"

typedef struct beacon {
    uint64_t sequence; /* 0: none was heard */
    int64_t time_ns;   /* wall clock of the site */
    uint64_t replayed; /* that were no higher than one before, in this run of the agent */
    bool stale;
} beacon_t;

err_t beacon_keep(world_t *world, const char *data, const beacon_t *beacon,
                  fault_t *fault) must_use;
/* The same beacon as is kept, and that the agent is stale. */
err_t beacon_keep_stale(world_t *world, const char *data, uint64_t replayed,
                        fault_t *fault) must_use;
