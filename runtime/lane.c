/* lane.c - the four queues of an actor, and the lists of actors that have something to run. */
#include "runtime/inside.h"

void
lane_wake(actor_t *actor)
{
    for (int lane = 0; lane < LANE_COUNT; lane++) {
        if (actor->lane[lane].count > 0 && lane_is_open(actor, (lane_t) lane)) {
            lane_list(actor, (lane_t) lane);
        }
    }
}

/* The first message of the lane that is not a later one of a sender whose message is held back. */
envelope_t *
lane_next_held(actor_t *actor, lane_t lane)
{
    for (;;) {
        envelope_t *envelope = fifo_pop(&actor->lane[lane]);
        if (envelope == NULL || !poison_takes(actor, envelope)) {
            return envelope;
        }
    }
}

void
lane_unlist(actor_t *actor)
{
    for (int lane = 0; lane < LANE_COUNT; lane++) {
        if (!actor->ready_listed[lane]) {
            continue; /* one that never left its parent's tray: its worker's lists are not ours */
        }
        ready_list_t *list = &actor->worker->ready[lane];
        actor_t *previous = NULL;
        for (actor_t *a = list->head; a != NULL; previous = a, a = a->ready_next[lane]) {
            if (a == actor) {
                *(previous == NULL ? &list->head : &previous->ready_next[lane]) =
                    a->ready_next[lane];
                list->tail = list->tail == a ? previous : list->tail;
                actor->ready_listed[lane] = false;
                break;
            }
        }
        if (list->head == NULL) {
            actor->worker->ready_lanes &= ~(1u << lane);
        }
    }
}

bool
lane_has(const actor_t *actor, lane_t lane, actor_ref_t from)
{
    for (const envelope_t *e = actor->lane[lane].head; e != NULL; e = e->next) {
        if (e->from.index == from.index) {
            return true;
        }
    }
    for (const held_t *held = actor->held; held != NULL; held = held->next) {
        if (held->lane == lane && held->from.index == from.index) {
            return true;
        }
    }
    return false;
}

/* A down follows every message that the dead one sent here: it goes to the end of the slowest lane
 * in which one of them still waits. */
void
lane_push_down(actor_t *actor, envelope_t *take_envelope)
{
    lane_t lane = LANE_SYSTEM;
    for (int l = LANE_REPLY; l < LANE_COUNT; l++) {
        if (lane_has(actor, (lane_t) l, take_envelope->from)) {
            lane = (lane_t) l;
        }
    }
    take_envelope->lane = (uint8_t) lane;
    lane_push(actor, lane, take_envelope);
}
