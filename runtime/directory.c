/* directory.c - the slots of the actors: who is there, and how much room their lanes have.
 *
 * A free slot is found on a list whose head carries a count, so that a slot taken and given back
 * meanwhile is not mistaken for the same head. The room of a lane is one word (generation,
 * messages, bytes) changed by compare-and-swap: no bound is exceeded, not by one, and a place given
 * back late cannot reach the lane of a later tenant.
 */
#include "runtime/inside.h"

#include <assert.h>

#define MESSAGES_SHIFT   28
#define GENERATION_SHIFT 48
#define MESSAGES_MASK    ROOM_MESSAGES_MAX
#define UNITS_MASK       0xfffffffu

static uint32_t
pop_free(core_t *core)
{
    uint64_t head = atomic_load(&core->free_head);
    while ((uint32_t) head != 0) {
        uint64_t next = atomic_load(&core->cells[(uint32_t) head].next_free);
        uint64_t wish = ((head >> 32) + 1) << 32 | next;
        if (atomic_compare_exchange_weak(&core->free_head, &head, wish)) {
            return (uint32_t) head;
        }
    }
    uint32_t used = atomic_load(&core->cells_used); /* never more, for who looks at all of them */
    while (used < ACTORS_MAX && !atomic_compare_exchange_weak(&core->cells_used, &used, used + 1)) {
    }
    return used < ACTORS_MAX ? used : 0;
}

bool
cell_claim(core_t *core, actor_ref_t *ret_ref)
{
    uint32_t index = pop_free(core);
    if (index == 0) {
        return false;
    }
    cell_t *cell = &core->cells[index];
    uint32_t incarnation = (uint32_t) atomic_load_explicit(&cell->life, memory_order_relaxed) + 1;
    incarnation += incarnation == 0; /* it would be nobody's */
    uint64_t room = (uint64_t) (uint16_t) incarnation << GENERATION_SHIFT;
    atomic_store_explicit(&cell->room[0], room, memory_order_release);
    atomic_store_explicit(&cell->room[1], room, memory_order_release);
    atomic_fetch_add_explicit(&core->actors, 1, memory_order_relaxed);
    *ret_ref = (actor_ref_t){index, incarnation};
    return true;
}

void
cell_open(const core_t *core, actor_ref_t who)
{
    uint64_t life = (uint64_t) who.incarnation << 32 | who.incarnation;
    atomic_store_explicit(&core->cells[who.index].life, life, memory_order_release);
}

void
cell_give_back(core_t *core, uint32_t index)
{
    cell_t *cell = &core->cells[index];
    uint32_t last = (uint32_t) atomic_load_explicit(&cell->life, memory_order_relaxed);
    atomic_store_explicit(&cell->life, last, memory_order_release);
    atomic_fetch_sub_explicit(&core->actors, 1, memory_order_relaxed);
    uint64_t head = atomic_load(&core->free_head);
    do {
        atomic_store_explicit(&cell->next_free, (uint32_t) head, memory_order_relaxed);
    } while (
        !atomic_compare_exchange_weak(&core->free_head, &head, ((head >> 32) + 1) << 32 | index));
}

actor_ref_t
cell_next_incarnation(cell_t *cell, uint32_t index)
{
    uint64_t life = atomic_load(&cell->life);
    uint32_t next = (uint32_t) life + 1; /* the first one stays, also where this begins anew */
    atomic_store(&cell->life, (life & ~(uint64_t) UINT32_MAX) | next);
    return (actor_ref_t){index, next};
}

static _Atomic uint64_t *
room_of(const core_t *core, actor_ref_t to, lane_t lane)
{
    return &core->cells[to.index].room[lane - LANE_URGENT];
}

/* Generation of the tenant that `to` names. */
static uint64_t
generation_of(const core_t *core, actor_ref_t to)
{
    return (uint16_t) (atomic_load(&core->cells[to.index].life) >> 32);
}

verdict_t
room_take(core_t *core, actor_ref_t to, lane_t lane, room_t wanted, const loaded_class_t *class)
{
    if (!cell_holds(core, to)) {
        return VERDICT_DOWN;
    }
    uint64_t generation = generation_of(core, to);
    assert(wanted.bytes % ROOM_UNIT == 0 && "bytes are counted in whole units");
    _Atomic uint64_t *room = room_of(core, to, lane);
    uint64_t old = atomic_load(room);
    uint64_t wish;
    do {
        uint64_t messages = (old >> MESSAGES_SHIFT & MESSAGES_MASK) + wanted.messages;
        uint64_t units = (old & UNITS_MASK) + wanted.bytes / ROOM_UNIT;
        if (old >> GENERATION_SHIFT != generation) {
            return VERDICT_DOWN;
        }
        if (messages > class->messages_max || units > class->bytes_max / ROOM_UNIT) {
            return VERDICT_FULL;
        }
        wish = generation << GENERATION_SHIFT | messages << MESSAGES_SHIFT | units;
    } while (!atomic_compare_exchange_weak(room, &old, wish));
    return VERDICT_OK;
}

void
room_give(core_t *core, actor_ref_t to, lane_t lane, room_t back)
{
    if (!cell_holds(core, to)) {
        return;
    }
    uint64_t generation = generation_of(core, to);
    assert(back.bytes % ROOM_UNIT == 0 && "bytes are counted in whole units");
    _Atomic uint64_t *room = room_of(core, to, lane);
    uint64_t less = (uint64_t) back.messages << MESSAGES_SHIFT | back.bytes / ROOM_UNIT;
    uint64_t old = atomic_load(room);
    do {
        if (old >> GENERATION_SHIFT != generation) {
            return;
        }
        assert((old >> MESSAGES_SHIFT & MESSAGES_MASK) >= back.messages &&
               "a place is given back once");
    } while (!atomic_compare_exchange_weak(room, &old, old - less));
}

uint64_t
room_messages(const cell_t *cell, lane_t lane)
{
    return atomic_load(&cell->room[lane - LANE_URGENT]) >> MESSAGES_SHIFT & MESSAGES_MASK;
}
