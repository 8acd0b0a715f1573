/* lane_inside.h - an actor's four lanes, and how a worker knows which of them can run.
 *
 * What each message meets is here, so that it costs no call; the rest is in lane.c.
 */
#pragma once

#include <assert.h>

#include "runtime/lease_inside.h"

/* Figures are told now and then, of those actors whose figures changed (watch.c). */
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
    return actor->shut == LANES_OPEN || (lane == LANE_REPLY && actor->stage == STAGE_OPEN);
}

/* ---- a lane: a ring ---- */

static inline envelope_t *
lane_first(const actor_t *actor, lane_t lane)
{
    const envelope_t *last = actor->lane_last[lane];
    return last == NULL ? NULL : last->next;
}
static inline envelope_t *
lane_after(const actor_t *actor, lane_t lane, const envelope_t *envelope)
{
    return envelope == actor->lane_last[lane] ? NULL : envelope->next;
}
static inline void
lane_append(actor_t *actor, lane_t lane, envelope_t *take_envelope)
{
    envelope_t *last = actor->lane_last[lane];
    if (last == NULL) {
        take_envelope->next = take_envelope;
    } else {
        take_envelope->next = last->next;
        last->next = take_envelope;
    }
    actor->lane_last[lane] = take_envelope;
    actor->lane_depth[lane]++;
}
static inline envelope_t *
lane_pop_more(actor_t *actor, lane_t lane, bool *ret_more) /* whether there are more */
{
    envelope_t *last = actor->lane_last[lane], *first = last == NULL ? NULL : last->next;
    *ret_more = first != last;
    if (first != NULL) {
        last->next = first->next;
        __builtin_prefetch(first->next);
        __builtin_prefetch(first->next->record);
        actor->lane_last[lane] = first == last ? NULL : last;
        actor->lane_depth[lane]--;
        if (lane == LANE_NORMAL && actor->far > 0) {
            actor->far--;
        }
        first->next = NULL;
    }
    return first;
}
static inline envelope_t *
lane_pop(actor_t *actor, lane_t lane)
{
    bool more;
    return lane_pop_more(actor, lane, &more);
}

/* ---- who has something to run ---- */

void lane_lengthen(ready_list_t *list); /* lane.c */
static inline uint64_t
bears_listed(lane_t lane)
{
    return 1ull << (BEARS_LISTED + lane);
}
/* Behind those of its worker whose lane has something to run; bearing: what it bears just now. It
 * is written as the word that others read, who would wait for a narrower one. */
static inline void
lane_list_bearing(worker_t *worker, actor_t *actor, lane_t lane, uint64_t bearing)
{
    ready_list_t *list = &worker->ready[lane];
    if ((bearing & bears_listed(lane)) != 0) {
        return;
    }
    uint32_t count = list->count;
    if (count == list->capacity) {
        lane_lengthen(list);
    }
    list->at[(list->first + count) & (list->capacity - 1)] = actor;
    list->count = count + 1;
    actor->bearing = bearing | bears_listed(lane);
    worker->ready_lanes |= 1u << lane;
}
static inline void
lane_list(actor_t *actor, lane_t lane)
{
    lane_list_bearing(actor->worker, actor, lane, actor->bearing);
}
static inline actor_t *
lane_ready(const worker_t *worker, lane_t lane) /* the first one; NULL: none */
{
    const ready_list_t *list = &worker->ready[lane];
    return list->count == 0 ? NULL : list->at[list->first & (list->capacity - 1)];
}

static inline bool
bears_open(const actor_t *actor, lane_t lane, uint64_t bearing)
{
    return lane == LANE_NORMAL ? (uint32_t) bearing == LANES_OPEN : lane_is_open(actor, lane);
}
/* What it bears, as one whose figures change. */
static inline __attribute__((always_inline)) uint64_t
bears_touched(actor_t *actor)
{
    uint64_t bearing = actor->bearing;
    if ((bearing & BEARS_TOUCHED) == 0) {
        watch_touch(actor);
        bearing |= BEARS_TOUCHED;
    }
    return bearing;
}
/* One that says since when it waits, for one on this worker. */
static inline void
lane_push_here(worker_t *worker, actor_t *actor, lane_t lane, envelope_t *take_envelope)
{
    lane_append(actor, lane, take_envelope);
    uint64_t bearing = bears_touched(actor);
    if (bears_open(actor, lane, bearing)) {
        lane_list_bearing(worker, actor, lane, bearing);
    }
}
static inline void
lane_push_dated(actor_t *actor, lane_t lane, envelope_t *take_envelope)
{
    lane_push_here(actor->worker, actor, lane, take_envelope);
}

/* ---- what goes from hand to hand ---- */

/* Where nothing else can run, what was told is what runs next: it stays on hand and spares itself
 * the lane and the list (549 to 471 instructions a message). It is there from the end of one
 * handler to the begin of the next alone; who does anything in between puts it into its lane first.
 * False: it has to go there. */
static inline __attribute__((always_inline)) bool
lane_hands_on(const worker_t *worker, actor_t *actor)
{
    uint64_t bearing = actor->bearing;
    if (worker->ready_lanes != 0 || (bearing | BEARS_TOUCHED | BEARS_SPARES) != BEARS_PLAIN) {
        return false;
    }
    if ((bearing & BEARS_TOUCHED) == 0) {
        watch_touch(actor);
    }
    return true;
}

/* An answer to one here runs next: nothing was waiting above the lane of the ask. So it stays on
 * hand as well (W6: 98 to 87 ns an ask). */
static inline void
lane_hands_answer(worker_t *worker, actor_t *asker, envelope_t *take_answer)
{
    assert((worker->ready_lanes & (1u << LANE_SYSTEM | 1u << LANE_REPLY)) == 0 &&
           "what is of a higher lane ran before the ask");
    take_answer->asker = asker;
    worker->answer_on_hand = take_answer;
}
static inline actor_t *
lane_answer_on_hand(worker_t *worker)
{
    envelope_t *answer = worker->answer_on_hand;
    actor_t *asker = answer->asker;
    worker->answer_on_hand = NULL;
    watch_touch(asker);
    return asker;
}

/* The place that was found spare for what was told alone. */
static inline void
told_takes_place(envelope_t *told)
{
    if (!told->reserved) {
        verdict_t takes = spare_take(told->here, LANE_NORMAL, told->size);
        assert(takes == VERDICT_OK && "it was lent when it was told, and nothing took it");
        told->reserved = takes == VERDICT_OK;
    }
}
static inline void
lane_take_back(worker_t *worker)
{
    envelope_t *told = worker->on_hand, *answer = worker->answer_on_hand;
    if (told != NULL) {
        actor_t *to = told->here;
        worker->on_hand = NULL;
        told_takes_place(told);
        told->number = 0;
        told->sent_ns = worker->ctx.now_ns;
        lane_push_dated(to, LANE_NORMAL, told);
    }
    if (answer != NULL) {
        actor_t *asker = lane_answer_on_hand(worker);
        answer->sent_ns = worker->ctx.now_ns;
        lane_push_dated(asker, LANE_REPLY, answer);
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
lane_unlisted(worker_t *worker, lane_t lane, actor_t *actor, uint64_t bearing)
{
    if (--worker->ready[lane].count == 0) {
        worker->ready_lanes &= ~(1u << lane);
    }
    actor->bearing = bearing & ~bears_listed(lane);
}

envelope_t *lane_next_held(actor_t *actor, lane_t lane);
/* A turn of the first one in the lane's list; NULL: it had nothing to run. */
static inline __attribute__((always_inline)) envelope_t *
lane_turn(worker_t *worker, lane_t lane, actor_t **ret_actor)
{
    ready_list_t *list = &worker->ready[lane];
    uint32_t mask = list->capacity - 1;
    uint32_t turn = list->first;
    actor_t *actor = *ret_actor = list->at[turn & mask];
    envelope_t *envelope = NULL;
    uint64_t bearing = bears_touched(actor);
    bool more = false;
    if (bears_open(actor, lane, bearing)) { /* else lane_wake lists it again */
        if (bearing < BEARS_HOLDS) {
            envelope = lane_pop_more(actor, lane, &more);
        } else {
            envelope = lane_next_held(actor, lane);
            more = actor->lane_last[lane] != NULL;
        }
    }
    if (!more) {
        list->first = turn + 1;
        lane_unlisted(worker, lane, actor, bearing);
    } else if (list->count > 1) { /* alone with more, it stays where it is */
        list->at[(list->first++ + list->count) & mask] = actor;
    }
    return envelope;
}

/* Of the highest lane that is open. */
envelope_t *lane_next_any(worker_t *worker, actor_t **ret_actor);
/* The next message to be handled, of the highest lane that is open; its actor has its next turn in
 * that lane behind the others. NULL: nothing can run. At no call where the usual lane alone has
 * something. */
static inline __attribute__((always_inline)) envelope_t *
lane_next(worker_t *worker, actor_t **ret_actor)
{
    bool usual = (worker->ready_lanes & ~READY_BROUGHT) == 1u << LANE_NORMAL;
    envelope_t *envelope = usual ? lane_turn(worker, LANE_NORMAL, ret_actor) : NULL;
    if (envelope == NULL) {
        actor_t *actor = NULL; /* or the other one were in memory, too */
        envelope = lane_next_any(worker, &actor);
        *ret_actor = actor;
    }
    return envelope;
}

/* lane.c */
void lane_wake(actor_t *actor); /* a lane may have been opened */
void lane_unlist(actor_t *actor);
void lane_put_first(actor_t *actor, lane_t lane, fifo_t *front); /* before all others; empties it */
/* Takes all that are `unwanted` out of the lane, in their order. */
fifo_t lane_take_out(actor_t *actor, lane_t lane,
                     bool (*unwanted)(const envelope_t *envelope, const void *context),
                     const void *context);
bool lane_has(const actor_t *actor, lane_t lane, actor_ref_t from);
void lane_push_down(actor_t *actor, envelope_t *take_envelope);
