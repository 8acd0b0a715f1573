/* lease_inside.h - a place for a message in a lane, mostly out of those that the worker has taken
 * ahead: then it costs no call and no line that another core has. The rest is in lease.c. */
#pragma once

#include "runtime/directory_inside.h"

#define LEASE_LARGE 512u /* a message of more bytes is not leased for */

/* lease.c: the same, without or beyond a lease. bytes: of the message, rounded up. */
verdict_t lease_reserve_more(worker_t *worker, actor_ref_t to, lane_t lane, uint32_t bytes,
                             const loaded_class_t *class);
void lease_release_more(worker_t *worker, actor_ref_t to, lane_t lane, uint32_t bytes);
void lease_rest(worker_t *worker); /* all go back */

static inline lease_t *
lease_at(worker_t *worker, uint32_t index, lane_t lane)
{
    return &worker->lease[(index * 2 + (lane - LANE_URGENT)) % LEASES];
}
/* Who has the cell, restarts aside. */
static inline uint64_t
lease_tenant(const core_t *core, uint32_t index)
{
    uint64_t life = atomic_load_explicit(&cell_at(core, index)->life, memory_order_relaxed);
    return (life & ~(uint64_t) UINT32_MAX) | index;
}

/* One place for a message of these bytes; `to` is there (cell_holds). */
static inline verdict_t
lease_reserve(worker_t *worker, actor_ref_t to, lane_t lane, uint32_t bytes,
              const loaded_class_t *class)
{
    lease_t *lease = lease_at(worker, to.index, lane);
    bytes = room_bytes(bytes);
    if (lease->messages == 0 || lease->bytes < bytes ||
        lease->whose != lease_tenant(worker->core, to.index)) {
        return lease_reserve_more(worker, to, lane, bytes, class);
    }
    lease->messages--;
    lease->bytes -= bytes;
    return VERDICT_OK;
}

#define LEASE_MESSAGES     32u /* places taken ahead at once */
#define LEASE_MESSAGES_MAX (2 * LEASE_MESSAGES)
#define LEASE_BYTES_MAX    (LEASE_MESSAGES_MAX * LEASE_LARGE)
/* And back; who is gone has taken his lanes with him. */
static inline void
lease_release(worker_t *worker, actor_ref_t to, lane_t lane, uint32_t bytes)
{
    lease_t *lease = lease_at(worker, to.index, lane);
    if (!cell_holds(worker->core, to)) {
        return;
    }
    bytes = room_bytes(bytes);
    if (lease->whose != lease_tenant(worker->core, to.index) || bytes > LEASE_LARGE ||
        lease->messages >= LEASE_MESSAGES_MAX || lease->bytes + bytes > LEASE_BYTES_MAX) {
        lease_release_more(worker, to, lane, bytes);
        return;
    }
    lease->messages++;
    lease->bytes += bytes;
}
