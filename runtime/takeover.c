/* takeover.c - see takeover_inside.h. */
#include "runtime/inside.h"

#include <stdio.h>
#include <string.h>

bool
worker_asked(const worker_t *worker)
{
    while (atomic_load_explicit(&worker->taking, memory_order_acquire) == TAKING_ASKED) {
    }
    return worker_is_taken(worker);
}

/* ---- what goes with an actor from worker to worker ---- */

static void
move_timer(timer_node_t *timer, worker_t *from, worker_t *to)
{
    if (timer_is_set(timer)) {
        timer_unset(&from->timers, timer);
        timer_set(&to->timers, timer, timer->due_ns);
    }
}

static void
move_timers(actor_t *actor, worker_t *from, worker_t *to)
{
    const rare_t *rare = actor->rare;
    for (uint32_t i = 0; i < rare->ask_capacity; i++) {
        if (rare->ask[i] != NULL) {
            move_timer(&rare->ask[i]->timer, from, to);
        }
    }
    for (uint32_t i = 0; i < rare->timer_buckets; i++) {
        for (keyed_timer_t *timer = rare->timer_bucket[i]; timer != NULL; timer = timer->chain) {
            move_timer(&timer->timer, from, to);
        }
    }
    for (care_t *care = rare->cares; care != NULL; care = care->next) {
        move_timer(&care->timer, from, to);
    }
    for (held_t *held = actor->held; held != NULL; held = held->next) {
        move_timer(&held->timer, from, to);
    }
}

/* ---- taking over ---- */

static worker_t *
find_spare(core_t *core)
{
    for (uint32_t i = 0; i < core->worker_count + TAKEOVERS_MAX; i++) {
        if (atomic_load_explicit(&core->workers[i].spare, memory_order_acquire)) {
            return &core->workers[i];
        }
    }
    return NULL;
}

/* Those that have begun are the worker's own, but for one that an earlier takeover left with its
 * stuck thread; who has not is found out when its init comes. */
static void
move_actors(core_t *core, const actor_t *but, const worker_t *from, worker_t *to)
{
    uint32_t used = atomic_load(&core->cells_used);
    for (uint32_t i = 1; i < used; i++) {
        const cell_t *cell = cell_at(core, i);
        actor_t *actor = atomic_load(&cell->actor); /* first: of this one it is that it has begun */
        bool mine = atomic_load(&cell->begun) && atomic_load(&cell->worker) == from->index;
        if (mine && actor != NULL && actor != but && actor->worker == from) {
            actor->worker = to;
        }
    }
}

/* And those whose init has come, and waits behind the handler that does not return. */
static void
move_listed(const worker_t *from, worker_t *to)
{
    for (int lane = 0; lane < LANE_COUNT; lane++) {
        const ready_list_t *list = &from->ready[lane];
        for (uint32_t i = 0; i < list->count; i++) {
            list->at[(list->first + i) & (list->capacity - 1)]->worker = to;
        }
    }
}

/* What the one that goes on had of places is left to the stuck one: nobody is in them. */
static void
swap_ready(worker_t *stuck, worker_t *next)
{
    ready_list_t unused[LANE_COUNT];
    memcpy(unused, next->ready, sizeof unused);
    memcpy(next->ready, stuck->ready, sizeof unused);
    memcpy(stuck->ready, unused, sizeof unused);
}

static void
hand_over(core_t *core, worker_t *stuck, worker_t *next)
{
    actor_t *actor = stuck->ctx.actor;
    brought_spill(stuck);
    lane_unlist(actor);
    watch_stuck(actor);
    spares_rest(stuck); /* while all are its own, also those whose init has not come */
    next->index = stuck->index;
    next->name = stuck->name;
    worker_set_clock(next, stuck->ctx.now_ns);
    next->timers = stuck->timers;
    next->touched = stuck->touched;
    next->ready_lanes = stuck->ready_lanes;
    move_listed(stuck, next);
    swap_ready(stuck, next);
    memset(&stuck->timers, 0, sizeof stuck->timers);
    stuck->touched = NULL;
    stuck->ready_lanes = 0;
    move_timers(actor, next, stuck);
    move_actors(core, actor, stuck, next);
    stuck->away = actor;
    atomic_store(&core->worker_at[stuck->index], next);
}

bool
core_take_over(core_t *core, const overdue_t *who, void (*fence_all)(void))
{
    worker_t *stuck = core_worker(core, who->worker), *next = find_spare(core);
    if (next == NULL) {
        return false;
    }
    atomic_store(&stuck->taking, TAKING_ASKED);
    fence_all();
    bool outside = !atomic_load_explicit(&stuck->inside, memory_order_acquire);
    const actor_t *actor = outside ? stuck->ctx.actor : NULL;
    bool still = actor != NULL && atomic_load(&stuck->hand) != 0 &&
                 atomic_load(&stuck->handlers) == who->order;
    if (still) {
        atomic_store(&next->spare, false);
        hand_over(core, stuck, next);
    }
    atomic_store(&stuck->taking, still ? TAKING_DONE : TAKING_NONE);
    return still;
}

/* ---- coming back ---- */

/* The stuck worker is left with nothing that could run. What is in hand is the runtime's to free,
 * unless it was told or asked: that is decided where the actor fails. */
bool
takeover_returned(actor_t *actor)
{
    worker_t *stuck = actor->worker;
    envelope_t *in_hand = brought_own(stuck);
    lane_unlist(actor);
    watch_forget(actor);
    stuck->parked = stuck->timers;
    memset(&stuck->timers, 0, sizeof stuck->timers);
    if (in_hand != NULL && in_hand->kind != ENV_TELL && in_hand->kind != ENV_ASK) {
        stuck->ctx.in_hand = NULL;
    }
    return true;
}

envelope_t *
takeover_back(const worker_t *stuck)
{
    return envelope_new(ENV_BACK, (actor_ref_t){0}, stuck->away->self, NULL, NULL, 0);
}

/* The stuck thread has let go of everything; from here on the worker is spare. */
static void
give_back(worker_t *stuck)
{
    due_free(&stuck->parked);
    memset(&stuck->parked, 0, sizeof stuck->parked);
    memset(&stuck->kept, 0, sizeof stuck->kept);
    stuck->away = NULL;
    atomic_store(&stuck->hand, 0);
    stuck->ctx = (actor_ctx_t){.worker = stuck};
    draft_over(&stuck->ctx.drafting.draft, stuck->draft_memory, MESSAGE_BYTES_MAX);
    atomic_store_explicit(&stuck->inside, true, memory_order_relaxed);
    atomic_store(&stuck->taking, TAKING_NONE);
    atomic_store_explicit(&stuck->spare, true, memory_order_release);
}

static void
come_back(worker_t *worker, actor_t *actor)
{
    worker_t *stuck = actor->worker;
    const executor_t *executor = &worker->core->executor;
    stuck->timers = stuck->parked;
    memset(&stuck->parked, 0, sizeof stuck->parked);
    move_timers(actor, stuck, worker);
    stuck->parked = stuck->timers;
    memset(&stuck->timers, 0, sizeof stuck->timers);
    lease_rest(stuck);
    worker->ctx = stuck->ctx;
    worker->ctx.worker = worker;
    draft_over(&worker->ctx.drafting.draft, worker->draft_memory, MESSAGE_BYTES_MAX);
    worker_set_clock(worker, executor->now_ns(executor->self));
    actor->worker = worker;
    lane_wake(actor); /* what came before the takeover */
    snprintf(worker->ctx.claim, sizeof worker->ctx.claim,
             "its handler did not return in time, and its worker went on without it");
    fifo_t kept = stuck->kept;
    envelope_t *in_hand = stuck->ctx.in_hand;
    give_back(stuck);
    if (!core_handler_end(actor, ACTOR_FAIL) && in_hand != NULL) {
        envelope_free(in_hand);
    }
    for (envelope_t *e; (e = fifo_pop(&kept)) != NULL;) {
        worker_deliver(worker, e);
    }
}

void
takeover_deliver(worker_t *worker, actor_t *actor, envelope_t *take_envelope)
{
    worker_t *stuck = actor->worker;
    if (stuck->away != actor) { /* spawned for the worker that had the number before */
        actor->worker = worker;
        worker_deliver(worker, take_envelope);
    } else if (take_envelope->kind == ENV_BACK) {
        envelope_free(take_envelope);
        come_back(worker, actor);
    } else {
        fifo_push(&stuck->kept, take_envelope);
    }
}

void
takeover_name(const worker_t *stuck, char *text, size_t size)
{
    const actor_t *actor = atomic_load(&stuck->away);
    bool in_hand = atomic_load(&stuck->hand) != 0;
    snprintf(text, size, "%s, left by %s in %s", stuck->name,
             actor == NULL ? "nobody" : watch_called(actor),
             in_hand ? hand_what(stuck) : "nothing");
}

void
takeover_free(core_t *core)
{
    for (uint32_t i = 0; i < core->worker_count + TAKEOVERS_MAX; i++) {
        worker_t *stuck = &core->workers[i];
        if (stuck->away == NULL) {
            continue;
        }
        stuck->timers = stuck->parked; /* its thread has ended, so its handler has returned */
        tray_abort(&stuck->ctx);
        envelope_free(stuck->ctx.in_hand);
        for (envelope_t *e; (e = fifo_pop(&stuck->kept)) != NULL;) {
            envelope_free(e);
        }
    }
}
