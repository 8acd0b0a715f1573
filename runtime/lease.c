/* lease.c - places in lanes that a worker has taken ahead, or was given back and keeps.
 *
 * A place is taken in the room of a lane (directory.c), one word that all workers share. A worker
 * takes several at once and gives several back at once, so that most messages touch no line that
 * another core has. What is leased counts as taken: no bound is exceeded, and a lane may be called
 * full a few places early. Lanes with few places are never leased from, so theirs are exact. A
 * worker that has nothing to run gives all leases back, a busy one every LEASE_QUANTA quanta.
 */
#include "runtime/inside.h"

#define LEASE_BYTES 64u   /* taken ahead with each place */
#define LEASE_FROM  2048u /* lanes with fewer places are not leased from */

/* A large message is never leased for, or a few of them would hold the whole lane. */
static bool
may_lease(const loaded_class_t *class, uint32_t bytes)
{
    return class->messages_max >= LEASE_FROM && class->bytes_max >= LEASE_FROM * LEASE_BYTES &&
           bytes <= LEASE_LARGE;
}

/* The slot is the lane's from here on, if no other lane's places are in it. */
static bool
settle(worker_t *worker, lease_t *lease, actor_ref_t to)
{
    uint64_t tenant = lease_tenant(worker->core, to.index);
    if (lease->whose != tenant && (lease->messages > 0 || lease->bytes > 0)) {
        return false;
    }
    if (!lease->used) {
        lease->used = true;
        worker->leased[worker->leased_count++] = (uint16_t) (lease - worker->lease);
    }
    lease->whose = tenant;
    return true;
}

verdict_t
lease_reserve_more(worker_t *worker, actor_ref_t to, lane_t lane, uint32_t bytes,
                   const loaded_class_t *class)
{
    lease_t *lease = lease_at(worker, to.index, lane);
    room_t more = {LEASE_MESSAGES, LEASE_MESSAGES * LEASE_BYTES + bytes};
    if (may_lease(class, bytes) && settle(worker, lease, to) &&
        room_take(worker->core, to, lane, more, class) == VERDICT_OK) {
        lease->messages += more.messages - 1;
        lease->bytes += more.bytes - bytes;
        return VERDICT_OK;
    }
    return room_take(worker->core, to, lane, (room_t){1, bytes}, class);
}

void
lease_release_more(worker_t *worker, actor_ref_t to, lane_t lane, uint32_t bytes)
{
    lease_t *lease = lease_at(worker, to.index, lane);
    if (!may_lease(class_at(worker->core, to), bytes) || !settle(worker, lease, to)) {
        room_give(worker->core, to, lane, (room_t){1, bytes});
        return;
    }
    if (lease->messages >= LEASE_MESSAGES_MAX || lease->bytes + bytes > LEASE_BYTES_MAX) {
        room_t much = {lease->messages / 2, room_bytes(lease->bytes / 2)};
        room_give(worker->core, to, lane, much);
        lease->messages -= much.messages;
        lease->bytes -= much.bytes;
    }
    lease->messages++;
    lease->bytes += bytes;
}

void
lease_rest(worker_t *worker)
{
    for (uint32_t i = 0; i < worker->leased_count; i++) {
        uint32_t slot = worker->leased[i];
        lease_t *lease = &worker->lease[slot];
        if (lease->messages > 0 || lease->bytes > 0) {
            lane_t lane = (lane_t) (LANE_URGENT + slot % 2);
            room_give(worker->core, ref_of_word(lease->whose), lane,
                      (room_t){lease->messages, lease->bytes});
        }
        *lease = (lease_t){.used = false};
    }
    worker->leased_count = 0;
}
