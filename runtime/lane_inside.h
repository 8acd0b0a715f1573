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
    if (list->head == NULL) {
        list->head = actor;
    } else {
        list->tail->ready_next[lane] = actor;
    }
    list->tail = actor;
    actor->worker->ready_lanes |= 1u << lane;
}

/* One that says since when it waits. */
static inline void
lane_push_dated(actor_t *actor, lane_t lane, envelope_t *take_envelope)
{
    fifo_push(&actor->lane[lane], take_envelope);
    watch_touch(actor);
    if (lane_is_open(actor, lane)) {
        lane_list(actor, lane);
    }
}

static inline void
lane_push(actor_t *actor, lane_t lane, envelope_t *take_envelope)
{
    if (take_envelope->sent_ns == 0) { /* an order of the runtime: it waits from now on */
        executor_t *executor = &actor->core->executor;
        take_envelope->sent_ns = executor->now_ns(executor->self);
    }
    lane_push_dated(actor, lane, take_envelope);
}

static inline void
lane_unlist_first(worker_t *worker, lane_t lane)
{
    ready_list_t *list = &worker->ready[lane];
    actor_t *actor = list->head;
    list->head = actor->ready_next[lane];
    if (list->head == NULL) {
        worker->ready_lanes &= ~(1u << lane);
    }
    actor->ready_listed[lane] = false;
}

/* The next message to be handled, of the highest lane that is open; its actor has its next turn in
 * that lane behind the others. NULL: nothing can run. */
envelope_t *lane_next_held(actor_t *actor, lane_t lane);
static inline envelope_t *
lane_next(worker_t *worker, actor_t **ret_actor)
{
    while (worker->ready_lanes != 0) {
        lane_t lane = (lane_t) __builtin_ctz(worker->ready_lanes);
        actor_t *actor = worker->ready[lane].head;
        if (!lane_is_open(actor, lane)) {
            lane_unlist_first(worker, lane); /* lane_wake lists it again */
            continue;
        }
        envelope_t *envelope =
            actor->held == NULL ? fifo_pop(&actor->lane[lane]) : lane_next_held(actor, lane);
        bool more = actor->lane[lane].head != NULL;
        if (!more || actor->ready_next[lane] != NULL) { /* alone with more, it stays where it is */
            lane_unlist_first(worker, lane);
            if (more) {
                lane_list(actor, lane);
            }
        }
        watch_touch(actor);
        if (envelope != NULL) {
            *ret_actor = actor;
            return envelope;
        }
    }
    return NULL;
}

/* lane.c */
void lane_wake(actor_t *actor); /* a lane may have been opened */
void lane_unlist(actor_t *actor);
bool lane_has(const actor_t *actor, lane_t lane, actor_ref_t from);
void lane_push_down(actor_t *actor, envelope_t *take_envelope);
