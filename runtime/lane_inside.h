/* lane_inside.h - an actor's four lanes, and how a worker knows which of them can run.
 *
 * What each message meets is here, so that it costs no call; the rest is in lane.c.
 */
#pragma once

#include "runtime/core_inside.h"

/* Figures are told once a quantum, of those actors whose figures changed (watch.c). */
static inline void
watch_touch(actor_t *actor)
{
    if (!actor->touched) {
        actor->touched = true;
        actor->touched_next = actor->worker->touched;
        actor->worker->touched = actor;
    }
}

static inline bool
lane_is_open(const actor_t *actor, lane_t lane)
{
    if (lane == LANE_SYSTEM) {
        return true;
    }
    return actor->stage == STAGE_OPEN &&
           (lane == LANE_REPLY || (!actor->paused && actor->calls_open == 0));
}

/* Behind those of its worker whose lane has something to run. */
static inline void
lane_list(actor_t *actor, lane_t lane)
{
    ready_list_t *list = &actor->worker->ready[lane];
    if (actor->ready_listed[lane]) {
        return;
    }
    actor->ready_listed[lane] = true;
    actor->ready_next[lane] = NULL;
    *(list->tail != NULL ? &list->tail->ready_next[lane] : &list->head) = actor;
    list->tail = actor;
    actor->worker->ready_lanes |= 1u << lane;
}

static inline void
lane_push(actor_t *actor, lane_t lane, envelope_t *take_envelope)
{
    if (take_envelope->sent_ns == 0) { /* an order of the runtime: it waits from now on */
        executor_t *executor = &actor->core->executor;
        take_envelope->sent_ns = executor->now_ns(executor->self);
    }
    fifo_push(&actor->lane[lane], take_envelope);
    watch_touch(actor);
    if (lane_is_open(actor, lane)) {
        lane_list(actor, lane);
    }
}

/* lane.c */
void lane_wake(actor_t *actor);                               /* a lane may have been opened */
envelope_t *lane_next(worker_t *worker, actor_t **ret_actor); /* NULL: nothing to run */
void lane_unlist(actor_t *actor);
bool lane_has(const actor_t *actor, lane_t lane, actor_ref_t from);
void lane_push_down(actor_t *actor, envelope_t *take_envelope);
