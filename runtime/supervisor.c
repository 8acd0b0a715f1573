/* supervisor.c - what a parent's side of the runtime decides about its children.
 *
 * A child that has ended either is gone (final) or waits for a word: restart, after a backoff that
 * doubles, or give up. The strategy decides which siblings go with it. The parent's own handler is
 * only told.
 */
#include "runtime/inside.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STOP_CHILD_MS 2000 /* per child of an orderly stop; then the next one is stopped */

static void
order(actor_t *parent, const child_t *child, envelope_kind_t kind, actor_reason_t reason)
{
    envelope_t *envelope = envelope_new(kind, parent->self, child->who, NULL, NULL, 0);
    envelope->reason = (uint8_t) reason;
    core_route(parent->worker, envelope);
}

static void
tell_parent(actor_t *parent, const child_t *child, actor_reason_t reason, actor_ref_t next)
{
    envelope_t *down = envelope_new(ENV_DOWN, child->who, parent->self, NULL, child->name,
                                    (uint32_t) strlen(child->name) + 1);
    down->number = child->tag;
    down->reason = (uint8_t) reason;
    envelope_more(down)->down.next = ref_word(next);
    envelope_more(down)->down.class_name = child->class->name;
    lane_push_down(parent, down);
}

/* From both ends, because who ends is mostly the one that began first or last. */
child_t *
supervisor_find(actor_t *parent, uint32_t index)
{
    child_t *first = parent->children, *last = parent->children_last;
    while (first != NULL && first->who.index != index && last->who.index != index) {
        first = first->next;
        last = last->previous;
    }
    return first == NULL || first->who.index == index ? first : last;
}

static void
remove_child(actor_t *parent, child_t *child)
{
    *(child->previous == NULL ? &parent->children : &child->previous->next) = child->next;
    *(child->next == NULL ? &parent->children_last : &child->next->previous) = child->previous;
    timer_unset(&parent->worker->timers, &child->timer);
    if (parent->stopping == child) {
        parent->stopping = NULL;
    }
    free(child->restarted);
    memory_give(child, sizeof *child);
}

void
supervisor_forget(actor_t *parent, actor_ref_t who)
{
    child_t *child = supervisor_find(parent, who.index);
    if (child != NULL) {
        remove_child(parent, child);
    }
}

void
supervisor_free(actor_t *parent)
{
    while (parent->children != NULL) {
        remove_child(parent, parent->children);
    }
}

void
supervisor_add(actor_t *parent, actor_ref_t who, const actor_class_t *class, slice_t name,
               uint64_t tag)
{
    child_t *child = memory_take(sizeof *child);
    *child = (child_t){.next = NULL};
    child->who = who;
    child->class = class;
    child->tag = tag;
    child->timer.actor = parent;
    memcpy(child->name, name.data, name.size);
    child->previous = parent->children_last;
    *(child->previous == NULL ? &parent->children : &child->previous->next) = child;
    parent->children_last = child;
}

/* ---- spawn ---- */

static worker_t *
place(const actor_ctx_t *ctx, const loaded_class_t *class)
{
    core_t *core = ctx->worker->core;
    if (class->worker != UINT32_MAX) {
        return core_worker(core, class->worker);
    }
    if (class->with_parent) {
        return ctx->worker;
    }
    uint32_t turn = atomic_fetch_add(&core->pool_next, 1) % core->pool_count;
    return core_worker(core, core->pool_first + turn);
}

verdict_t
actor_spawn(actor_ctx_t *ctx, const actor_class_t *class, slice_t name,
            const record_type_t *args_type, const void *args, uint64_t tag, actor_ref_t *ret_child)
{
    actor_t *parent = ctx->actor;
    core_t *core = parent->core;
    loaded_class_t *loaded = load_find(core, class->name);
    if (loaded == NULL || loaded->class != class) {
        return VERDICT_UNDECLARED;
    }
    uint32_t size = 0;
    verdict_t verdict = args == NULL ? VERDICT_OK : record_source(ctx, args_type, args, &size);
    if (verdict != VERDICT_OK) {
        return verdict;
    }
    actor_ref_t child;
    if ((class->role && atomic_load(&loaded->role) != 0) || !cell_claim(core, &child)) {
        return VERDICT_FULL;
    }
    name = name.size == 0 ? slice_of(class->name) : name;
    name.size = name.size > ACTOR_NAME_BYTES_MAX ? ACTOR_NAME_BYTES_MAX : name.size;
    life_new(core, loaded, child, parent->self, name, place(ctx, loaded));
    worker_enters(ctx->worker);
    supervisor_add(parent, child, class, name, tag);
    worker_leaves(ctx->worker);
    tray_add(ctx, envelope_new(ENV_INIT, parent->self, child, args == NULL ? NULL : args_type, args,
                               size));
    if (ret_child != NULL) {
        *ret_child = child;
    }
    return VERDICT_OK;
}

void
supervisor_child_leaves(actor_t *parent, actor_ref_t who)
{
    actor_t *child = atomic_load(&cell_at(parent->core, who.index)->actor);
    if (child->class->class->role) {
        atomic_store(&child->class->role, ref_word(who));
    }
}

/* ---- orders of the parent's handler ---- */

static void
order_from_handler(actor_ctx_t *ctx, actor_ref_t who, envelope_kind_t kind)
{
    child_t *child = supervisor_find(ctx->actor, who.index);
    if (child == NULL) {
        return;
    }
    worker_enters(ctx->worker);
    bool waits = kind == ENV_CYCLE && child->state == CHILD_WAITS && !child->stopping;
    if (kind == ENV_STOP) {
        child->stopping = true;
        timer_unset(&ctx->worker->timers, &child->timer);
    } else if (waits) {
        timer_set(&ctx->worker->timers, &child->timer, ctx->now_ns); /* its backoff is over now */
    }
    worker_leaves(ctx->worker);
    if (waits) {
        return;
    }
    if (kind == ENV_CYCLE) {
        child->state = CHILD_CYCLES;
    }
    tray_add(ctx, envelope_new(kind, ctx->actor->self, child->who, NULL, NULL, 0));
}

void
actor_stop(actor_ctx_t *ctx, actor_ref_t child)
{
    order_from_handler(ctx, child, ENV_STOP);
}

void
actor_pause(actor_ctx_t *ctx, actor_ref_t child)
{
    order_from_handler(ctx, child, ENV_PAUSE);
}

void
actor_resume(actor_ctx_t *ctx, actor_ref_t child)
{
    order_from_handler(ctx, child, ENV_RESUME);
}

void
actor_restart_child(actor_ctx_t *ctx, actor_ref_t child)
{
    order_from_handler(ctx, child, ENV_CYCLE);
}

void
actor_monitor(actor_ctx_t *ctx, actor_ref_t who, uint64_t tag)
{
    envelope_t *order_ = envelope_new(ENV_MONITOR, ctx->actor->self, who, NULL, NULL, 0);
    order_->number = tag;
    tray_add(ctx, order_);
}

/* ---- the orderly stop of all children, last one first ---- */

static void
child_left(worker_t *worker, timer_node_t *node)
{
    (void) worker;
    actor_t *parent = node->actor;
    assert(parent->stopping != NULL && &parent->stopping->timer == node);
    parent->stopping->left = true;
    parent->stopping = NULL;
    supervisor_stop_next(parent);
}

void
supervisor_stop_next(actor_t *parent)
{
    if (parent->stopping != NULL) {
        return;
    }
    child_t *child = parent->children_last;
    while (child != NULL && child->left) {
        child = child->previous;
    }
    if (child == NULL) {
        life_children_ended(parent);
        return;
    }
    parent->stopping = child;
    child->timer.fire = child_left;
    timer_set(&parent->worker->timers, &child->timer,
              parent->worker->ctx.now_ns + (int64_t) STOP_CHILD_MS * NS_PER_MS);
    child->stopping = true;
    order(parent, child, ENV_STOP, ACTOR_ENDED);
}

/* ---- restarts ---- */

/* Counts this restart; false when there were too many in the period. */
static bool
within_intensity(const actor_t *parent, child_t *child)
{
    const actor_class_t *class = parent->class->class;
    uint32_t intensity =
        class->restart_intensity == 0 ? RESTART_INTENSITY : class->restart_intensity;
    int64_t period_ms =
        class->restart_period_ms == 0 ? RESTART_PERIOD_MS : class->restart_period_ms;
    int64_t now = parent->worker->ctx.now_ns;
    if (child->restarted == NULL) {
        child->restarted = xalloc(intensity, sizeof(int64_t));
    }
    int64_t *oldest = &child->restarted[child->restarts % intensity];
    if (child->restarts >= intensity && now - *oldest <= period_ms * NS_PER_MS) {
        return false;
    }
    *oldest = now;
    child->restarts++;
    return true;
}

static int64_t
backoff_ns(const actor_t *parent, const child_t *child)
{
    const actor_class_t *class = parent->class->class;
    int64_t period_ms =
        class->restart_period_ms == 0 ? RESTART_PERIOD_MS : class->restart_period_ms;
    uint32_t intensity =
        class->restart_intensity == 0 ? RESTART_INTENSITY : class->restart_intensity;
    uint32_t recent = 0;
    for (uint32_t i = 0; child->restarted != NULL && i < intensity && i < child->restarts; i++) {
        recent += parent->worker->ctx.now_ns - child->restarted[i] <= period_ms * NS_PER_MS;
    }
    int64_t wait_ms = RESTART_BACKOFF_MS;
    while (recent > 1 && wait_ms < RESTART_BACKOFF_MAX_MS) {
        wait_ms *= 2;
        recent--;
    }
    return (wait_ms < RESTART_BACKOFF_MAX_MS ? wait_ms : RESTART_BACKOFF_MAX_MS) * NS_PER_MS;
}

static void
restart_child(actor_t *parent, child_t *child)
{
    uint32_t index = child->who.index;
    /* It is there from now on: who is told of it here may speak to it at once. */
    actor_ref_t next = cell_next_incarnation(cell_at(parent->core, index), index);
    order(parent, child, ENV_RESTART, ACTOR_RESTARTED);
    tell_parent(parent, child, ACTOR_RESTARTED, next);
    child->who = next;
    child->state = CHILD_RUNS;
}

/* With the strategies that restart several: all that wait, in the order in which they were started,
 * once none still cycles and every backoff is over. */
static void
restart_all(actor_t *parent)
{
    for (const child_t *child = parent->children; child != NULL; child = child->next) {
        bool backs_off = child->state == CHILD_WAITS && timer_is_set(&child->timer);
        if (!child->stopping && (child->state == CHILD_CYCLES || backs_off)) {
            return; /* its end, or the end of its backoff, comes back here */
        }
    }
    for (child_t *child = parent->children; child != NULL; child = child->next) {
        if (child->state == CHILD_WAITS && !child->stopping) {
            restart_child(parent, child);
        }
    }
}

static void
restart_waiting(worker_t *worker, timer_node_t *node)
{
    (void) worker;
    actor_t *parent = node->actor;
    if (parent->class->class->strategy != ACTOR_ONE_FOR_ONE) {
        restart_all(parent);
        return;
    }
    child_t *child = parent->children;
    while (&child->timer != node) {
        child = child->next;
    }
    restart_child(parent, child);
}

static void
cycle_siblings(actor_t *parent, child_t *failed)
{
    actor_strategy_t strategy = parent->class->class->strategy;
    bool later = false;
    for (child_t *child = parent->children; child != NULL; child = child->next) {
        bool goes = strategy == ACTOR_ONE_FOR_ALL || (strategy == ACTOR_REST_FOR_ONE && later);
        later = later || child == failed;
        if (!goes || child == failed || child->state != CHILD_RUNS || child->stopping) {
            continue;
        }
        if (child->class->restart == ACTOR_TEMPORARY) { /* goes with them, and never comes back */
            child->stopping = true;
            order(parent, child, ENV_STOP, ACTOR_ENDED);
        } else {
            child->state = CHILD_CYCLES;
            order(parent, child, ENV_CYCLE, ACTOR_RESTARTED);
        }
    }
}

static void
give_up(actor_t *parent, child_t *child, const char *why)
{
    core_note_trouble(parent->worker, child->name, "given-up", why, child->restarts);
    child->stopping = true;
    order(parent, child, ENV_GIVE_UP, ACTOR_GIVEN_UP);
    tell_parent(parent, child, ACTOR_GIVEN_UP, (actor_ref_t){0});
}

static void
child_waits(actor_t *parent, child_t *child, const envelope_t *ended)
{
    bool cycled = child->state == CHILD_CYCLES;
    child->state = CHILD_WAITS;
    child->timer.fire = restart_waiting;
    if (cycled && ended->reason == ACTOR_RESTARTED) {
        restart_waiting(parent->worker, &child->timer);
        return;
    }
    core_note_trouble(parent->worker, child->name, "failed", (const char *) ended->record,
                      child->restarts + 1);
    if (ended->counted && !within_intensity(parent, child)) {
        give_up(parent, child, (const char *) ended->record);
        return;
    }
    cycle_siblings(parent, child);
    timer_set(&parent->worker->timers, &child->timer,
              parent->worker->ctx.now_ns + backoff_ns(parent, child));
}

void
supervisor_child_ended(actor_t *parent, envelope_t *ended)
{
    child_t *child = supervisor_find(parent, ended->from.index);
    if (child == NULL) {
        return;
    }
    if (!ended->final) {
        if (!child->stopping && parent->stage == STAGE_OPEN) {
            child_waits(parent, child, ended);
        }
        return; /* else its stop is on its way, or will be */
    }
    actor_reason_t reason = (actor_reason_t) ended->reason;
    if (reason == ACTOR_FAILED) {
        core_note_trouble(parent->worker, child->name, "failed", (const char *) ended->record, 1);
    }
    if (parent->stage != STAGE_ENDING && reason != ACTOR_GIVEN_UP) {
        tell_parent(parent, child, reason, (actor_ref_t){0});
    }
    remove_child(parent, child);
    if (parent->stage == STAGE_ENDING) {
        supervisor_stop_next(parent);
    } else if (parent->class->class->strategy != ACTOR_ONE_FOR_ONE) {
        restart_all(parent); /* they may have waited for this one to cycle */
    }
}

void
supervisor_child_late(actor_t *parent, envelope_t *late)
{
    const child_t *child = supervisor_find(parent, late->from.index);
    if (child != NULL) {
        tell_parent(parent, child, ACTOR_LATE, (actor_ref_t){0});
    }
}
