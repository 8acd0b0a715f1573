/* lease.c - places in lanes that a worker has taken ahead, or was given back and keeps.
 *
 * A place is taken in the room of a lane (directory.c), one word that all workers share. A worker
 * takes several at once and gives several back at once, so that most messages touch no line that
 * another core has. What is leased counts as taken: no bound is exceeded, and a lane may be called
 * full a few places early. Lanes with few places are never leased from, so theirs are exact. A
 * worker that has nothing to run gives all leases back, a busy one every LEASE_QUANTA quanta.
 */
#include "runtime/inside.h"

/* What is taken for one message, so that with what is there a batch is left behind it: never more,
 * or who sends much that fits the batch badly (many of no bytes, some of many) would pile up the
 * rest. A large message is never leased for, or a few of them would hold the whole lane. */
static room_t
ahead(uint32_t messages, uint32_t bytes, uint32_t for_bytes)
{
    room_t more = {1, for_bytes};
    more.messages += messages < LEASE_MESSAGES ? LEASE_MESSAGES - messages : 0;
    more.bytes += bytes < LEASE_MESSAGES * LEASE_BYTES ? LEASE_MESSAGES * LEASE_BYTES - bytes : 0;
    return more;
}

/* ---- of those elsewhere ---- */

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
    if (class->leases && bytes <= LEASE_LARGE && settle(worker, lease, to)) {
        room_t more = ahead(lease->messages, lease->bytes, bytes);
        if (room_take(worker->core, to, lane, more, class) == VERDICT_OK) {
            lease->messages += more.messages - 1;
            lease->bytes += more.bytes - bytes;
            return VERDICT_OK;
        }
    }
    return room_take(worker->core, to, lane, (room_t){1, bytes}, class);
}

void
lease_release(worker_t *worker, actor_ref_t to, lane_t lane, uint32_t bytes)
{
    room_give(worker->core, to, lane, (room_t){1, room_bytes(bytes)});
}

/* ---- of this worker's own ---- */

static bool
list(actor_t *actor)
{
    worker_t *worker = actor->worker;
    if (!actor->spares && worker->sparing_count < LEASES) {
        worker->sparing[worker->sparing_count++] = lease_tenant(worker->core, actor->self.index);
        actor->spares = true;
    }
    return actor->spares;
}

/* It is that from here on, and its cell says whether it lends. */
static void
spare_becomes(actor_t *actor, lane_t lane, spare_t spare)
{
    actor->spare[lane - LANE_URGENT] = spare;
    if (lane == LANE_NORMAL) {
        atomic_store_explicit(&actor->cell->lends, spare_lends(spare), memory_order_relaxed);
    }
}

verdict_t
spare_take_more(actor_t *actor, lane_t lane, uint32_t bytes)
{
    core_t *core = actor->core;
    if (actor->class->leases && bytes <= LEASE_LARGE && list(actor)) {
        spare_t spare = actor->spare[lane - LANE_URGENT];
        room_t more = ahead(spare.messages, spare.bytes, bytes);
        if (room_take(core, actor->self, lane, more, actor->class) == VERDICT_OK) {
            spare.messages = (uint16_t) (spare.messages + more.messages - 1);
            spare.bytes = (uint16_t) (spare.bytes + more.bytes - bytes);
            spare_becomes(actor, lane, spare);
            return VERDICT_OK;
        }
        if (spare.messages > 0 && spare.bytes >= bytes) { /* the last ones of a lane that is full */
            spare_becomes(actor, lane, (spare_t){.both = spare.both - spare_of(bytes)});
            return VERDICT_OK;
        }
    }
    return room_take(core, actor->self, lane, (room_t){1, bytes}, actor->class);
}

void
spare_give_more(actor_t *actor, lane_t lane, uint32_t bytes)
{
    spare_t spare = actor->spare[lane - LANE_URGENT];
    room_t back = {1, bytes};
    if (actor->class->leases && bytes <= LEASE_LARGE && list(actor)) {
        spare.messages++;
        spare.bytes = (uint16_t) (spare.bytes + bytes);
        bool many = spare.messages > LEASE_MESSAGES_MAX || spare.bytes > LEASE_BYTES_MAX;
        back = many ? (room_t){spare.messages / 2, room_bytes(spare.bytes / 2)} : (room_t){0};
        spare.messages = (uint16_t) (spare.messages - back.messages);
        spare.bytes = (uint16_t) (spare.bytes - back.bytes);
        spare_becomes(actor, lane, spare);
    }
    if (back.messages > 0 || back.bytes > 0) { /* one of many bytes is half a place */
        room_give(actor->core, actor->self, lane, back);
    }
}

static void
spare_rest(actor_t *actor)
{
    for (lane_t lane = LANE_URGENT; lane <= LANE_NORMAL; lane++) {
        spare_t spare = actor->spare[lane - LANE_URGENT];
        if (spare.both != 0) {
            room_give(actor->core, actor->self, lane, (room_t){spare.messages, spare.bytes});
            spare_becomes(actor, lane, (spare_t){0});
        }
    }
    actor->spares = false;
}

/* Who was listed may be gone, or somebody else may have the place. */
static actor_t *
still_here(const worker_t *worker, uint64_t whose)
{
    const cell_t *cell = cell_at(worker->core, (uint32_t) whose);
    if (lease_tenant(worker->core, (uint32_t) whose) != whose ||
        atomic_load(&cell->worker) != worker->index) {
        return NULL;
    }
    actor_t *actor = atomic_load(&cell->actor);
    return actor != NULL && actor->worker == worker ? actor : NULL;
}

void
spares_rest(worker_t *worker)
{
    for (uint32_t i = 0; i < worker->sparing_count; i++) {
        actor_t *actor = still_here(worker, worker->sparing[i]);
        if (actor != NULL) {
            spare_rest(actor);
        }
    }
    worker->sparing_count = 0;
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
    spares_rest(worker);
}
