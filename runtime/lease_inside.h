/* lease_inside.h - a place for a message in a lane, mostly out of those that the worker has taken
 * ahead: then it costs no call and no line that another core has. The rest is in lease.c.
 *
 * Of an actor on this worker the spare places are in the actor; of one elsewhere, in a slot of the
 * worker's. A place that a message leaves stays with the receiver's worker until it has too many.
 */
#pragma once

#include "runtime/directory_inside.h"

#define LEASE_LARGE 512u /* a message of more bytes is not leased for */
#define LEASE_BYTES 64u  /* taken ahead with each place */
#define LEASE_FROM                                                                                 \
    2048u /* lanes with fewer places, or fewer bytes for so many, are not leased from */
#define LEASE_FROM_BYTES   (LEASE_FROM * LEASE_BYTES)
#define LEASE_MESSAGES     32u /* places taken ahead at once */
#define LEASE_MESSAGES_MAX (2 * LEASE_MESSAGES)
#define LEASE_BYTES_MAX    (LEASE_MESSAGES_MAX * LEASE_LARGE)

_Static_assert(LEASE_BYTES_MAX + LEASE_LARGE <= UINT16_MAX, "a spare_t has 16 bits for them");

/* lease.c: the same, without or beyond what was taken ahead. bytes: of the message, rounded up. */
verdict_t lease_reserve_more(worker_t *worker, actor_ref_t to, lane_t lane, uint32_t bytes,
                             const loaded_class_t *class);
verdict_t spare_take_more(actor_t *actor, lane_t lane, uint32_t bytes);
void spare_give_more(actor_t *actor, lane_t lane, uint32_t bytes);
void spares_rest(worker_t *worker); /* those of all its actors go back */
void lease_rest(worker_t *worker);  /* all go back */
/* A place that was taken by this worker and is not used: the message never arrived. */
void lease_release(worker_t *worker, actor_ref_t to, lane_t lane, uint32_t bytes);

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

/* They are of the tenant that `to` names, and it is there: its slot may have had another one since
 * somebody looked. */
static inline bool
lease_is_of(const lease_t *lease, const core_t *core, actor_ref_t to)
{
    return lease->whose == lease_tenant(core, to.index) && cell_holds(core, to);
}

/* One place for a message of these bytes in a lane elsewhere. */
static inline verdict_t
lease_reserve(worker_t *worker, actor_ref_t to, lane_t lane, uint32_t bytes,
              const loaded_class_t *class)
{
    lease_t *lease = lease_at(worker, to.index, lane);
    bytes = room_bytes(bytes);
    if (lease->messages == 0 || lease->bytes < bytes || !lease_is_of(lease, worker->core, to)) {
        return lease_reserve_more(worker, to, lane, bytes, class);
    }
    lease->messages--;
    lease->bytes -= bytes;
    return VERDICT_OK;
}

/* One message of so many bytes. */
static inline uint32_t
spare_of(uint32_t bytes)
{
    return bytes << 16 | 1;
}
#define LENDS_BYTES 64u /* of a message that finds its place spare where a cell says so */
static inline bool
spare_lends(spare_t spare)
{
    return spare.messages > 0 && spare.bytes >= LENDS_BYTES;
}
/* One place in a lane of an actor of this worker; false: nothing was done, as it would leave
 * nothing to lend. */
static inline __attribute__((always_inline)) bool
spare_takes(actor_t *actor, lane_t lane, uint32_t bytes)
{
    spare_t *spare = &actor->spare[(size_t) lane - LANE_URGENT];
    spare_t has = *spare;
    bytes = room_bytes(bytes);
    if (has.messages <= 1 || has.bytes < bytes + LENDS_BYTES) {
        return false;
    }
    spare->both = has.both - spare_of(bytes);
    return true;
}
static inline verdict_t
spare_take(actor_t *actor, lane_t lane, uint32_t bytes)
{
    return spare_takes(actor, lane, bytes) ? VERDICT_OK
                                           : spare_take_more(actor, lane, room_bytes(bytes));
}
/* And back: the message has left the lane. */
static inline void
spare_give(actor_t *actor, lane_t lane, uint32_t bytes)
{
    spare_t *spare = &actor->spare[(size_t) lane - LANE_URGENT];
    spare_t has = *spare;
    bytes = room_bytes(bytes);
    if (!spare_lends(has) || has.messages >= LEASE_MESSAGES_MAX ||
        has.bytes + bytes > LEASE_BYTES_MAX) {
        spare_give_more(actor, lane, bytes);
        return;
    }
    spare->both = has.both + spare_of(bytes);
}
