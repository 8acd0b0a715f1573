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

void
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
                       .rare = &rare_none};
    /* Who reads the cell meanwhile finds that its life has changed; and a takeover, which looks who
     * is where, that the actor it sees has not begun. */
    atomic_store_explicit(&cell->leaves, false, memory_order_release);
    atomic_store_explicit(&cell->begun, false, memory_order_release);
    atomic_store_explicit(&cell->reported_late, false, memory_order_release);
    atomic_store_explicit(&cell->lends, false, memory_order_release);
    atomic_store_explicit(&cell->worker, worker->index, memory_order_release);
    atomic_store_explicit(&cell->waits, 0, memory_order_release);
    atomic_store_explicit(&cell->oldest_ns, 0, memory_order_release);
    atomic_store_explicit(&cell->started_ns, 0, memory_order_release);
    atomic_store_explicit(&cell->depth_system, 0, memory_order_release);
    atomic_store_explicit(&cell->depth_reply, 0, memory_order_release);
    atomic_store_explicit(&cell->handled, 0, memory_order_release);
    atomic_store_explicit(&cell->parent, ref_word(parent), memory_order_release);
    atomic_store_explicit(&cell->state, ACTOR_STARTING, memory_order_release);
    atomic_store_explicit(&cell->class, class, memory_order_release);
    watch_begin(core, self, name);
    atomic_store_explicit(&cell->actor, actor, memory_order_release);
    cell_open(core, self);
}

const rare_t rare_none = {.why = ""};

rare_t *
life_rare_new(actor_t *actor)
{
    rare_t *rare = memory_take(sizeof *rare);
    *rare = rare_none;
    actor->rare = rare;
    return rare;
}

static void
free_rare(const actor_t *actor)
{
    if (actor->rare != &rare_none) {
        free(actor->rare->monitors);
        memory_give((rare_t *) actor->rare, sizeof *actor->rare);
    }
}

actor_ref_t
life_parent(const actor_t *actor)
{
    return ref_of_word(atomic_load_explicit(&actor->cell->parent, memory_order_relaxed));
}

/* A waiter for all to be ready has told that it waits before it looks at states, and is told by who
 * has changed one: each sees the other, or both. */
void
life_set_state(actor_t *actor, actor_state_t state)
{
    if (atomic_load_explicit(&actor->cell->state, memory_order_relaxed) != (uint8_t) state) {
        atomic_store(&actor->cell->state, (uint8_t) state);
        actor->core->executor.changed(actor->core->executor.self);
    }
}

static actor_next_t
run_init(actor_ctx_t *ctx, void *self, const void *argument)
{
    const actor_class_t *class = ctx->actor->class->class;
    return class->init == NULL ? ACTOR_CONTINUE : class->init(ctx, self, argument);
}

static size_t
state_bytes(const actor_t *actor)
{
    size_t bytes = actor->class->class->state_bytes;
    return bytes == 0 ? 1 : bytes;
}

/* The lanes open when init has returned well, ready or not. */
static void
begin(actor_t *actor)
{
    if (actor->rare->why[0] != '\0') { /* of the one before; told while no state can be asked */
        life_rare(actor)->why[0] = '\0';
        watch_show(actor);
    }
    size_t bytes = state_bytes(actor);
    actor->state = memset(memory_take(bytes), 0, bytes);
    actor->stage = STAGE_STARTING;
    actor->is_ready = false;
    atomic_store_explicit(&actor->cell->started_ns, actor->worker->ctx.now_ns,
                          memory_order_relaxed);
    atomic_store_explicit(&actor->cell->reported_late, false, memory_order_release);
    life_set_state(actor, ACTOR_STARTING);
    envelope_t *args = actor->args;
    if (actor->core->fresh_messages && args != NULL) {
        args = actor->args = envelope_moved(args);
    }
    core_handler_begin(actor, args, "init");
    actor_next_t next =
        run_init(&actor->worker->ctx, actor->state, args == NULL ? NULL : args->record);
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
    if (take_envelope->type == NULL) {
        envelope_free(take_envelope);
    } else {
        actor->args = take_envelope;
    }
    atomic_store_explicit(&actor->cell->begun, true, memory_order_release);
    begin(actor);
}

static void
drop_state(actor_t *actor)
{
    if (actor->state != NULL) {
        if (actor->class->class->drop != NULL) {
            actor->class->class->drop(actor->state);
        }
        memory_give(actor->state, state_bytes(actor));
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
    if (atomic_load(&actor->class->role_of) == actor->self.index) { /* it may not have begun */
        atomic_store(&actor->class->role_of, 0);
    }
}

static bool
is_stop(const envelope_t *envelope, const void *context)
{
    (void) context;
    return envelope->kind == ENV_STOP;
}

/* What has been answered is heard before an end in order: else a link that ends with its host would
 * refuse who waits, with the answer in its lane. The order waits behind it, once: what comes later
 * is late. */
static bool
answers_first(actor_t *actor, envelope_t *take_stop)
{
    bool first = actor->stage == STAGE_OPEN && actor->lane_depth[LANE_REPLY] > 0 &&
                 take_stop->lane != LANE_REPLY;
    if (first) {
        take_stop->lane = LANE_REPLY;
        lane_push(actor, LANE_REPLY, take_stop);
    }
    return first;
}

/* It ends before its turn: by a handler of those answers. */
static bool
stop_waits(actor_t *actor)
{
    fifo_t stops = lane_take_out(actor, LANE_REPLY, is_stop, NULL);
    bool waits = stops.head != NULL; /* there is one at most */
    envelope_free(fifo_pop(&stops));
    return waits;
}

void
life_end(actor_t *actor, actor_reason_t reason, bool final, bool counted, const char *why)
{
    if (actor->stage == STAGE_ENDING || actor->stage == STAGE_WAITING) {
        return;
    }
    if (stop_waits(actor)) {
        final = true;
        reason = ACTOR_ENDED;
    }
    actor->end_reason = (uint8_t) reason;
    actor->end_final = final;
    actor->end_counted = counted;
    if (why != NULL) {
        text_put(life_rare(actor)->why, sizeof actor->rare->why, why);
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
    if (final) {
        supervisor_takes(actor);
    }
    supervisor_stop_next(actor);
}

static void
tell_down(actor_t *actor, const monitor_t *monitor, actor_reason_t reason, actor_ref_t next)
{
    const char *name = watch_called(actor);
    envelope_t *down =
        envelope_new(ENV_DOWN, actor->self, monitor->who, NULL, name, (uint32_t) strlen(name) + 1);
    down->number = monitor->tag;
    down->reason = (uint8_t) reason;
    envelope_more(down)->down.next = ref_word(next);
    envelope_more(down)->down.class_name = actor->class->class->name;
    core_route(actor->worker, down);
}

static void
tell_monitors(actor_t *actor, actor_reason_t reason, actor_ref_t next)
{
    for (uint32_t i = 0; i < actor->rare->monitor_count; i++) {
        tell_down(actor, &actor->rare->monitors[i], reason, next);
    }
}

static void
tell_supervisor(actor_t *actor)
{
    actor_ref_t parent = life_parent(actor);
    if (parent.index == 0) {
        atomic_store(&actor->core->failed, actor->end_reason != ACTOR_ENDED);
        atomic_store(&actor->core->ended, actor->end_final);
        actor->core->executor.changed(actor->core->executor.self);
        return;
    }
    const char *why = actor->rare->why;
    envelope_t *ended =
        envelope_new(ENV_ENDED, actor->self, parent, NULL, why, (uint32_t) strlen(why) + 1);
    ended->reason = actor->end_reason;
    ended->final = actor->end_final;
    ended->counted = actor->end_counted;
    core_route(actor->worker, ended);
}

static void
throw_queued(actor_t *actor)
{
    for (int lane = 0; lane < LANE_COUNT; lane++) {
        for (envelope_t *e; (e = lane_pop(actor, (lane_t) lane)) != NULL;) {
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
    atomic_store_explicit(&actor->cell->actor, NULL, memory_order_release);
    lane_unlist(actor);
    watch_forget(actor);
    envelope_free(actor->args);
    poison_free(actor);
    supervisor_free(actor);
    free_rare(actor);
    memory_give(actor, sizeof *actor);
    cell_give_back(core, index);
}

static void
end_for_good(actor_t *actor, actor_reason_t reason)
{
    leave_role(actor);
    tell_monitors(actor, reason, (actor_ref_t){0});
    actor->end_final = true;
    actor->end_reason = (uint8_t) reason;
    tell_supervisor(actor);
    vanish(actor);
}

void
life_children_ended(actor_t *actor)
{
    assert(actor->stage == STAGE_ENDING);
    actor->stage = STAGE_WAITING;
    bool root = life_parent(actor).index == 0;
    if (actor->end_final || root) {
        end_for_good(actor, (actor_reason_t) actor->end_reason);
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
    watch_restarted(actor);
    tell_monitors(actor, ACTOR_RESTARTED, next);
    actor->self = next;
    if (actor->rare->monitor_count > 0) {
        life_rare(actor)->monitor_count = 0;
    }
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
        supervisor_takes(actor);
    } else {
        life_end(actor, ACTOR_ENDED, true, false, NULL);
    }
}

/* Whoever has ended no longer wants to hear. */
static void
forget_monitors(const core_t *core, rare_t *rare)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < rare->monitor_count; i++) {
        if (cell_holds(core, rare->monitors[i].who)) {
            rare->monitors[kept++] = rare->monitors[i];
        }
    }
    rare->monitor_count = kept;
}

static void
monitor(actor_t *actor, const envelope_t *order)
{
    rare_t *rare = life_rare(actor);
    if (rare->monitor_count == rare->monitor_capacity) {
        forget_monitors(actor->core, rare);
    }
    if (rare->monitor_count == rare->monitor_capacity) {
        rare->monitor_capacity = rare->monitor_capacity == 0 ? 4 : rare->monitor_capacity * 2;
        rare->monitors = realloc(rare->monitors, rare->monitor_capacity * sizeof *rare->monitors);
        assert(rare->monitors != NULL && "memory for monitors");
    }
    rare->monitors[rare->monitor_count++] = (monitor_t){order->from, order->number};
}

static void
pause_lanes(actor_t *actor, bool paused)
{
    actor->paused = paused;
    if (actor->stage == STAGE_OPEN && actor->is_ready) {
        life_set_state(actor, paused                     ? ACTOR_PAUSED
                              : actor->rare->why[0] != 0 ? ACTOR_DEGRADED
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
        if (answers_first(actor, take_envelope)) {
            return;
        }
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
        for (envelope_t *e; (e = lane_pop(actor, (lane_t) lane)) != NULL;) {
            envelope_free(e);
        }
    }
    timer_end_all(actor);
    ask_end_all(actor);
    while (actor->accepted != NULL) {
        ask_accepted_free(actor, actor->accepted);
    }
    drop_state(actor);
    atomic_store_explicit(&actor->cell->actor, NULL, memory_order_release);
    lane_unlist(actor);
    watch_forget(actor);
    envelope_free(actor->args);
    poison_free(actor);
    supervisor_free(actor);
    free_rare(actor);
    cell_give_back(actor->core, actor->self.index);
    memory_give(actor, sizeof *actor);
}
