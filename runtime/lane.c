/* lane.c - the four queues of an actor, and the lists of actors that have something to run. */
#include "runtime/inside.h"

#include <stdlib.h>

void
lane_wake(actor_t *actor)
{
    for (int lane = 0; lane < LANE_COUNT; lane++) {
        if (actor->lane_depth[lane] > 0 && lane_is_open(actor, (lane_t) lane)) {
            lane_list(actor, (lane_t) lane);
        }
    }
}

#define READY_LEAST 16u /* places of a list */

void
lane_lengthen(ready_list_t *list)
{
    ready_list_t longer = {.capacity = list->capacity == 0 ? READY_LEAST : list->capacity * 2};
    longer.at = xalloc(longer.capacity, sizeof *longer.at);
    for (; longer.count < list->count; longer.count++) {
        longer.at[longer.count] = list->at[(list->first + longer.count) & (list->capacity - 1)];
    }
    free(list->at);
    *list = longer;
}

envelope_t *
lane_next_any(worker_t *worker, actor_t **ret_actor)
{
    envelope_t *envelope = NULL;
    uint32_t ready;
    while (envelope == NULL && (ready = worker->ready_lanes & ~READY_BROUGHT) != 0) {
        envelope = lane_turn(worker, (lane_t) __builtin_ctz(ready), ret_actor);
    }
    return envelope;
}

/* The first message of the lane that is not a later one of a sender whose message is held back. */
envelope_t *
lane_next_held(actor_t *actor, lane_t lane)
{
    for (;;) {
        envelope_t *envelope = lane_pop(actor, lane);
        if (envelope == NULL || !poison_takes(actor, envelope)) {
            return envelope;
        }
    }
}

void
lane_unlist(actor_t *actor)
{
    for (int lane = 0; lane < LANE_COUNT; lane++) {
        if ((actor->listed & 1u << lane) == 0) {
            continue; /* one that never left its parent's tray: its worker's lists are not ours */
        }
        const ready_list_t *list = &actor->worker->ready[lane];
        uint32_t mask = list->capacity - 1, at = list->first;
        while (list->at[at & mask] != actor) {
            at++;
        }
        for (; at + 1 != list->first + list->count; at++) {
            list->at[at & mask] = list->at[(at + 1) & mask];
        }
        lane_unlisted(actor->worker, (lane_t) lane, actor, actor->bearing);
    }
}

bool
lane_has(const actor_t *actor, lane_t lane, actor_ref_t from)
{
    for (const envelope_t *e = lane_first(actor, lane); e != NULL; e = lane_after(actor, lane, e)) {
        if (cell_was_one(actor->core, e->from, from)) {
            return true;
        }
    }
    for (const held_t *held = actor->held; held != NULL; held = held->next) {
        if (held->lane == lane && cell_was_one(actor->core, held->from, from)) {
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
    if (lane == LANE_NORMAL) { /* what the next incarnation has said is behind it, too */
        actor->far = actor->lane_depth[LANE_NORMAL];
    }
}

void
lane_put_first(actor_t *actor, lane_t lane, fifo_t *front)
{
    envelope_t *last = actor->lane_last[lane];
    if (front->head == NULL) {
        return;
    }
    uint32_t count = fifo_count(front);
    front->tail->next = last == NULL ? front->head : last->next;
    actor->lane_last[lane] = last == NULL ? front->tail : last;
    actor->lane_last[lane]->next = front->head;
    actor->lane_depth[lane] += count;
    actor->far += lane == LANE_NORMAL ? count : 0;
    *front = (fifo_t){0};
}

fifo_t
lane_take_out(actor_t *actor, lane_t lane,
              bool (*unwanted)(const envelope_t *envelope, const void *context),
              const void *context)
{
    fifo_t out = {0};
    uint32_t all = actor->lane_depth[lane], before = actor->far, far = before;
    for (uint32_t at = 0; at < all; at++) {
        envelope_t *envelope = lane_pop(actor, lane);
        if (unwanted(envelope, context)) {
            fifo_push(&out, envelope);
            far -= lane == LANE_NORMAL && at < before;
        } else {
            lane_append(actor, lane, envelope);
        }
    }
    actor->far = far; /* never more than there are: what is brought would wait for nobody */
    return out;
}
