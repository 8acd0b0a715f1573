/* lease.c - places in lanes that a worker has taken ahead, or was given back and keeps.
 *
 * A place is taken in the room of a lane (directory.c), one word that all workers share. A worker
 * takes several at once and gives several back at once, so that most messages touch no line that
 * another core has. What is leased counts as taken: no bound is exceeded, and a lane may be called
 * full a few places early. Lanes with few places are never leased from, so theirs are exact. A
 * worker that has nothing to run gives all leases back, a busy one every LEASE_QUANTA quanta.
 */
#include "runtime/inside.h"

/* A large message is never leased for, or a few of them would hold the whole lane. */
static bool
may_lease(const loaded_class_t *class, uint32_t bytes)
{
    return class->messages_max >= LEASE_FROM && class->bytes_max >= LEASE_FROM * LEASE_BYTES &&
           bytes <= LEASE_LARGE;
}

static lease_t *
lease_at(worker_t *worker, actor_ref_t to, lane_t lane)
{
    return &worker->lease[(to.index * 2 + (lane - LANE_URGENT)) % LEASES];
}

static bool
lease_is_of(const lease_t *lease, const cell_t *cell, actor_ref_t to, lane_t lane)
{
    return lease->index == to.index && lease->lane == (uint32_t) lane &&
           lease->first ==
               (uint32_t) (atomic_load_explicit(&cell->life, memory_order_relaxed) >> 32);
}

static void
remember(worker_t *worker, lease_t *lease, actor_ref_t to, lane_t lane)
{
    const cell_t *cell = &worker->core->cells[to.index];
    if (!lease->used) {
        lease->used = true;
        worker->leased[worker->leased_count++] = (uint16_t) (lease - worker->lease);
    }
    lease->index = to.index;
    lease->lane = (uint32_t) lane;
    lease->first = (uint32_t) (atomic_load_explicit(&cell->life, memory_order_relaxed) >> 32);
    lease->messages = 0;
    lease->bytes = 0;
}

verdict_t
lease_reserve(worker_t *worker, actor_ref_t to, lane_t lane, uint32_t bytes,
              const loaded_class_t *class)
{
    core_t *core = worker->core;
    lease_t *lease = lease_at(worker, to, lane);
    if (!cell_holds(core, to)) {
        return VERDICT_DOWN;
    }
    bytes = room_bytes(bytes);
    bool mine = lease_is_of(lease, &core->cells[to.index], to, lane);
    if (mine && lease->messages > 0 && lease->bytes >= bytes) {
        lease->messages--;
        lease->bytes -= bytes;
        return VERDICT_OK;
    }
    room_t more = {LEASE_MESSAGES, LEASE_MESSAGES * LEASE_BYTES + bytes};
    if (may_lease(class, bytes) && (mine || lease->messages == 0) &&
        room_take(core, to, lane, more, class) == VERDICT_OK) {
        if (!mine) {
            remember(worker, lease, to, lane);
        }
        lease->messages += more.messages - 1;
        lease->bytes += more.bytes - bytes;
        return VERDICT_OK;
    }
    return room_take(core, to, lane, (room_t){1, bytes}, class);
}

void
lease_release(worker_t *worker, actor_ref_t to, lane_t lane, uint32_t bytes,
              const loaded_class_t *class)
{
    core_t *core = worker->core;
    lease_t *lease = lease_at(worker, to, lane);
    if (!cell_holds(core, to)) {
        return; /* its lanes went with it */
    }
    bytes = room_bytes(bytes);
    bool mine = lease_is_of(lease, &core->cells[to.index], to, lane);
    if (!may_lease(class, bytes) || (!mine && lease->messages > 0)) {
        room_give(core, to, lane, (room_t){1, bytes});
        return;
    }
    if (!mine) {
        remember(worker, lease, to, lane);
    }
    lease->messages++;
    lease->bytes += bytes;
    if (lease->messages > 2 * LEASE_MESSAGES || lease->bytes > 2 * LEASE_MESSAGES * LEASE_LARGE) {
        room_t much = {lease->messages / 2, room_bytes(lease->bytes / 2)};
        room_give(core, to, lane, much);
        lease->messages -= much.messages;
        lease->bytes -= much.bytes;
    }
}

void
lease_rest(worker_t *worker)
{
    for (uint32_t i = 0; i < worker->leased_count; i++) {
        lease_t *lease = &worker->lease[worker->leased[i]];
        if (lease->messages > 0 || lease->bytes > 0) {
            actor_ref_t to = {lease->index, lease->first};
            room_give(worker->core, to, (lane_t) lease->lane,
                      (room_t){lease->messages, lease->bytes});
        }
        *lease = (lease_t){.used = false};
    }
    worker->leased_count = 0;
}
