/* directory_inside.h - cells by their number, and places in the lanes behind them. */
#pragma once

#include "runtime/core_inside.h"

/* directory.c */
static inline cell_t *
cell_at(const core_t *core, uint32_t index)
{
    return &core->cells[index < ACTORS_MAX ? index : 0];
}
static inline loaded_class_t *
class_at(const core_t *core, actor_ref_t who)
{
    return atomic_load_explicit(&cell_at(core, who.index)->class, memory_order_acquire);
}
/* A slot for who is to be ret_ref: free for all others until it is opened. */
bool cell_claim(core_t *core, actor_ref_t *ret_ref);
void cell_open(const core_t *core, actor_ref_t who);
void cell_give_back(core_t *core, uint32_t index);
static inline bool
cell_is_one(uint32_t index)
{
    return index != 0 && index < ACTORS_MAX;
}
/* ref names the actor that is there now: an earlier incarnation names the same one as long as it
 * has only been restarted since. */
static inline bool
life_has(uint64_t life, actor_ref_t ref)
{
    uint32_t first = (uint32_t) (life >> 32);
    return first != 0 && ref.incarnation - first <= (uint32_t) life - first;
}
static inline bool
cell_is_of(const cell_t *cell, actor_ref_t ref)
{
    return life_has(atomic_load_explicit(&cell->life, memory_order_acquire), ref);
}
static inline bool
cell_holds(const core_t *core, actor_ref_t ref)
{
    return cell_is_one(ref.index) && cell_is_of(&core->cells[ref.index], ref);
}
/* Both are of one actor, restarts aside; or of two that have gone, which nobody can tell. */
static inline bool
cell_was_one(const core_t *core, actor_ref_t a, actor_ref_t b)
{
    uint64_t life = atomic_load_explicit(&cell_at(core, a.index)->life, memory_order_acquire);
    return a.index == b.index &&
           (a.incarnation == b.incarnation || life_has(life, a) == life_has(life, b));
}
/* A number that one thread alone counts up, and others read. */
static inline void
bump(_Atomic uint64_t *number)
{
    uint64_t now = atomic_load_explicit(number, memory_order_relaxed);
    atomic_store_explicit(number, now + 1, memory_order_relaxed);
}
actor_ref_t cell_next_incarnation(cell_t *cell, uint32_t index);
#define ROOM_UNIT         16u      /* bytes */
#define ROOM_MESSAGES_MAX 0xfffffu /* that a lane's room can count */
static inline uint32_t
room_bytes(uint32_t bytes) /* rounded up to that */
{
    return (bytes + ROOM_UNIT - 1) / ROOM_UNIT * ROOM_UNIT;
}
verdict_t room_take(core_t *core, actor_ref_t to, lane_t lane, room_t wanted,
                    const loaded_class_t *class);
void room_give(core_t *core, actor_ref_t to, lane_t lane, room_t back);
uint64_t room_messages(const cell_t *cell, lane_t lane);
