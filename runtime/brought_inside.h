/* brought_inside.h - whose turn it is: what a worker was brought in chunks, or what is in lanes.
 *
 * Shape    what is brought is handled where it lies (chunk_inside.h), turn by turn with the normal
 *          lane. What waited there for too long is in lanes, and is handled before what came after
 *          it.
 * Threads  that of the worker.
 */
#pragma once

#include "runtime/inside.h"

/* Of a worker that has always something to run: so old are its figures. */
#define TELL_EVERY_NS 1000000

/* What has waited since the last time is told with the lanes, and its memory is not kept. */
static inline void
brought_ages(worker_t *worker)
{
    if (worker->brought_count > 0 &&
        worker->ctx.now_ns - worker->brought->came_ns >= TELL_EVERY_NS) {
        brought_spill(worker);
    }
}

/* Turn by turn with the normal lane, after all others. */
static inline bool
brought_have_turn(worker_t *worker)
{
    uint32_t lanes = worker->ready_lanes & ~READY_BROUGHT;
    worker->brought_turn = lanes != 1u << LANE_NORMAL || !worker->brought_turn;
    return worker->brought_turn && (lanes & ~(1u << LANE_NORMAL)) == 0;
}

/* The receiver of the first of them, when he is here and open and holds nothing; else NULL. */
static inline actor_t *
brought_to(const worker_t *worker)
{
    const core_t *core = worker->core;
    actor_ref_t to = chunk_first(worker->brought)->to;
    const cell_t *cell = cell_at(core, to.index);
    if (atomic_load_explicit(&cell->worker, memory_order_acquire) != worker->index) {
        return NULL;
    }
    actor_t *actor = atomic_load_explicit(&cell->actor, memory_order_acquire);
    bool takes = actor != NULL && cell_holds(core, to) && actor->worker == worker &&
                 actor->held == NULL && lane_is_open(actor, LANE_NORMAL);
    return takes ? actor : NULL;
}
/* Some in his lane came before it, and waited for too long: they go first. If it joined them there,
 * so would the next one, and so on for as long as there is much to do: 97 of 100 messages of W3
 * spread that came from the other worker went that way (119 to 101 ns of CPU each). */
static inline bool
brought_waits(const actor_t *to)
{
    return to != NULL && to->far > 0;
}
