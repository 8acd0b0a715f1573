/* life.c - the life of one actor as its own worker leads it: start, end, start again.
 *
 * STARTING -> OPEN -> ENDING (its children are stopped, last one first) -> WAITING (its supervisor
 * decides) -> STARTING as the next incarnation, or gone. Only the supervisor's files decide which.
 */
#include "runtime/inside.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

actor_t *
life_new(core_t *core, loaded_class_t *class, actor_ref_t self, actor_ref_t parent, slice_t name,
         worker_t *worker)
{
    actor_t *actor = memory_take(sizeof *actor);
    cell_t *cell = cell_at(core, self.index);
    *actor = (actor_t){.core = core,
                       .worker = worker,
                       .cell = cell,
                       .class = class,
                       .self = self,
                       .parent = parent};
    memcpy(actor->name, name.data,
           name.size < sizeof actor->name ? name.size : sizeof actor->name - 1);
    /* The slot is nobody else's until the actor is in it, but a takeover looks who is where. */
    atomic_store(&cell->begun, false);
    atomic_store(&cell->worker, worker->index);
    atomic_store_explicit(&cell->waits, 0, memory_order_relaxed);
    atomic_store_explicit(&cell->oldest_ns, 0, memory_order_relaxed);
    atomic_store_explicit(&cell->depth[0], 0, memory_order_relaxed);
    atomic_store_explicit(&cell->depth[1], 0, memory_order_relaxed);
    atomic_store_explicit(&cell->handled, 0, memory_order_relaxed);
    atomic_store_explicit(&cell->restarts, 0, memory_order_relaxed);
    atomic_store_explicit(&cell->failures, 0, memory_order_relaxed);
    atomic_store_explicit(&cell->reported_late, false, memory_order_relaxed);
    atomic_store_explicit(&cell->parent, ref_word(parent), memory_order_relaxed);
    atomic_store_explicit(&cell->started_ns, core->executor.now_ns(core->executor.self),
                          memory_order_relaxed);
    /* Who sees that it starts, and what it is, sees since when: else it would be told as late. */
    atomic_store_explicit(&cell->state, ACTOR_STARTING, memory_order_release);
    atomic_store_explicit(&cell->class, class, memory_order_release);
    watch_show(actor);
    atomic_store(&cell->actor, actor);
    return actor;
}

void
life_set_state(actor_t *actor, actor_state_t state)
{
    if (atomic_exchange(&actor->cell->state, state) != (uint32_t) state) {
        actor->core->executor.changed(actor->core->executor.self);
    }
}

static actor_next_t
run_init(actor_ctx_t *ctx, void *self, const void *argument)
{
    const actor_class_t *class = ctx->actor->class->class;
    return class->init == NULL ? ACTOR_CONTINUE : class->init(ctx, self, argument);
}

/* The lanes open when init has returned well, ready or not. */
static void
begin(actor_t *actor)
{
    size_t bytes = actor->class->class->state_bytes;
    if (actor->why[0] != '\0') { /* of the incarnation before; told while no state can be asked */
        actor->why[0] = '\0';
        watch_show(actor);
    }
    actor->state = xalloc(1, bytes == 0 ? 1 : bytes);
    actor->stage = STAGE_STARTING;
    actor->is_ready = false;
    atomic_store(&actor->cell->started_ns, actor->worker->ctx.now_ns);
    atomic_store(&actor->cell->reported_late, false);
    life_set_state(actor, ACTOR_STARTING);
    if (actor->core->fresh_messages) {
        actor->args = envelope_moved(actor->args);
    }
    envelope_t *args = actor->args;
    core_handler_begin(actor, args, "init");
    actor_next_t next =
        run_init(&actor->worker->ctx, actor->state, args->type == NULL ? NULL : args->record);
    worker_enters(actor->worker);
    if (next != ACTOR_FAIL) {
        actor->stage = STAGE_OPEN;
        if (!actor->class->class->starts_later) {
            actor_ready(&actor->worker->ctx);
        }
        lane_wake(actor);
    }
    core_handler_end(actor, next);
}

void
life_init(actor_t *actor, envelope_t *take_envelope)
{
    actor->args = take_envelope;
    atomic_store(&actor->cell->begun, true);
    begin(actor);
}

static void
drop_state(actor_t *actor)
{
    if (actor->state != NULL) {
        if (actor->class->class->drop != NULL) {
            actor->class->class->drop(actor->state);
        }
        free(actor->state);
        actor->state = NULL;
    }
}

/* Ends whatever the incarnation had going; its queued tells stay. */
static void
end_incarnation(actor_t *actor, err_t asks_get)
{
    timer_end_all(actor);
    ask_end_all(actor);
    ask_refuse_all(actor, asks_get);
    drop_state(actor);
}

static void
leave_role(actor_t *actor)
{
    uint64_t holder = atomic_load(&actor->class->role);
    if ((uint32_t) holder == actor->self.index) {
        atomic_compare_exchange_strong(&actor->class->role, &holder, 0);
    }
}

void
life_end(actor_t *actor, actor_reason_t reason, bool final, bool counted, const char *why)
{
    if (actor->stage == STAGE_ENDING || actor->stage == STAGE_WAITING) {
        return;
    }
    actor->end_reason = reason;
    actor->end_final = final;
    actor->end_counted = counted;
    if (why != NULL) {
        text_put(actor->why, sizeof actor->why, why);
    }
    if (final) {
        leave_role(actor);
    }
    actor->stage = STAGE_ENDING;
    end_incarnation(actor, final ? ERR_DOWN : ERR_RESTARTING);
    life_set_state(actor, final ? ACTOR_STOPPING : ACTOR_BACKING_OFF);
    if (why != NULL) {
        watch_show(actor);
    }
    supervisor_stop_next(actor);
}

static void
tell_down(actor_t *actor, const monitor_t *monitor, actor_reason_t reason, actor_ref_t next)
{
    envelope_t *down = envelope_new(ENV_DOWN, actor->self, monitor->who, NULL, actor->name,
                                    (uint32_t) strlen(actor->name) + 1);
    down->number = monitor->tag;
    down->reason = (uint8_t) reason;
    envelope_more(down)->down.next = ref_word(next);
    envelope_more(down)->down.class_name = actor->class->class->name;
    core_route(actor->worker, down);
}

static void
tell_monitors(actor_t *actor, actor_reason_t reason, actor_ref_t next)
{
    for (uint32_t i = 0; i < actor->monitor_count; i++) {
        tell_down(actor, &actor->monitors[i], reason, next);
    }
}

static void
tell_supervisor(actor_t *actor)
{
    if (actor->parent.index == 0) {
        atomic_store(&actor->core->failed, actor->end_reason != ACTOR_ENDED);
        atomic_store(&actor->core->ended, actor->end_final);
        actor->core->executor.changed(actor->core->executor.self);
        return;
    }
    envelope_t *ended = envelope_new(ENV_ENDED, actor->self, actor->parent, NULL, actor->why,
                                     (uint32_t) strlen(actor->why) + 1);
    ended->reason = (uint8_t) actor->end_reason;
    ended->final = actor->end_final;
    ended->counted = actor->end_counted;
    core_route(actor->worker, ended);
}

static void
throw_queued(actor_t *actor)
{
    for (int lane = 0; lane < LANE_COUNT; lane++) {
        for (envelope_t *e; (e = fifo_pop(&actor->lane[lane])) != NULL;) {
            core_refuse_envelope(actor->worker, e, ERR_DOWN);
        }
    }
}

/* Frees the actor; its slot may have a new tenant at once. */
static void
vanish(actor_t *actor)
{
    core_t *core = actor->core;
    uint32_t index = actor->self.index;
    throw_queued(actor);
    life_set_state(actor, ACTOR_STOPPED);
    atomic_store(&actor->cell->actor, NULL);
    lane_unlist(actor);
    watch_forget(actor);
    envelope_free(actor->args);
    poison_free(actor);
    supervisor_free(actor);
    free(actor->monitors);
    memory_give(actor, sizeof *actor);
    cell_give_back(core, index);
}

static void
end_for_good(actor_t *actor, actor_reason_t reason)
{
    leave_role(actor);
    tell_monitors(actor, reason, (actor_ref_t){0});
    actor->end_final = true;
    actor->end_reason = reason;
    tell_supervisor(actor);
    vanish(actor);
}

void
life_children_ended(actor_t *actor)
{
    assert(actor->stage == STAGE_ENDING);
    actor->stage = STAGE_WAITING;
    bool root = actor->parent.index == 0;
    if (actor->end_final || root) {
        end_for_good(actor, actor->end_reason);
    } else {
        tell_supervisor(actor);
    }
}

static void
restart(actor_t *actor)
{
    if (actor->stage != STAGE_WAITING) {
        return;
    }
    actor_ref_t next = {actor->self.index, (uint32_t) atomic_load(&actor->cell->life)};
    atomic_fetch_add(&actor->cell->restarts, 1);
    tell_monitors(actor, ACTOR_RESTARTED, next);
    actor->self = next;
    actor->monitor_count = 0;
    actor->paused = false;
    begin(actor);
}

static void
stop(actor_t *actor)
{
    if (actor->stage == STAGE_WAITING) {
        actor->end_reason = ACTOR_ENDED;
        end_for_good(actor, ACTOR_ENDED);
    } else if (actor->stage == STAGE_ENDING) {
        actor->end_final = true;
        actor->end_reason = ACTOR_ENDED;
    } else {
        life_end(actor, ACTOR_ENDED, true, false, NULL);
    }
}

/* Whoever has ended no longer wants to hear. */
static void
forget_monitors(actor_t *actor)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < actor->monitor_count; i++) {
        if (cell_holds(actor->core, actor->monitors[i].who)) {
            actor->monitors[kept++] = actor->monitors[i];
        }
    }
    actor->monitor_count = kept;
}

static void
monitor(actor_t *actor, const envelope_t *order)
{
    if (actor->monitor_count == actor->monitor_capacity) {
        forget_monitors(actor);
    }
    if (actor->monitor_count == actor->monitor_capacity) {
        actor->monitor_capacity = actor->monitor_capacity == 0 ? 4 : actor->monitor_capacity * 2;
        actor->monitors =
            realloc(actor->monitors, actor->monitor_capacity * sizeof *actor->monitors);
        assert(actor->monitors != NULL && "memory for monitors");
    }
    actor->monitors[actor->monitor_count++] = (monitor_t){order->from, order->number};
}

static void
pause_lanes(actor_t *actor, bool paused)
{
    actor->paused = paused;
    if (actor->stage == STAGE_OPEN && actor->is_ready) {
        life_set_state(actor, paused               ? ACTOR_PAUSED
                              : actor->why[0] != 0 ? ACTOR_DEGRADED
                                                   : ACTOR_READY);
    }
    lane_wake(actor);
}

/* One order of the system lane, INIT and DOWN aside. */
void
life_order(actor_t *actor, envelope_t *take_envelope)
{
    switch ((envelope_kind_t) take_envelope->kind) {
    case ENV_STOP:
        stop(actor);
        break;
    case ENV_CYCLE:
        life_end(actor, ACTOR_RESTARTED, false, false, NULL);
        break;
    case ENV_RESTART:
        restart(actor);
        break;
    case ENV_GIVE_UP:
        if (actor->stage == STAGE_WAITING) {
            end_for_good(actor, (actor_reason_t) take_envelope->reason);
        }
        break;
    case ENV_PAUSE:
    case ENV_RESUME:
        pause_lanes(actor, take_envelope->kind == ENV_PAUSE);
        break;
    case ENV_MONITOR:
        monitor(actor, take_envelope);
        break;
    default:
        assert(false && "an order of the runtime");
    }
    envelope_free(take_envelope);
}

void
life_release(actor_t *actor)
{
    leave_role(actor);
    for (int lane = 0; lane < LANE_COUNT; lane++) {
        for (envelope_t *e; (e = fifo_pop(&actor->lane[lane])) != NULL;) {
            envelope_free(e);
        }
    }
    timer_end_all(actor);
    ask_end_all(actor);
    while (actor->accepted != NULL) {
        ask_accepted_free(actor, actor->accepted);
    }
    drop_state(actor);
    atomic_store(&actor->cell->actor, NULL);
    lane_unlist(actor);
    watch_forget(actor);
    envelope_free(actor->args);
    poison_free(actor);
    supervisor_free(actor);
    free(actor->monitors);
    cell_give_back(actor->core, actor->self.index);
    memory_give(actor, sizeof *actor);
}
