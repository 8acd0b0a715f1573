/* supervisor.c - what a parent's side of the runtime decides about its children.
 *
 * A child that has ended either is gone (final) or waits for a word: restart, after a backoff that
 * doubles, or give up. The strategy decides which siblings go with it. The parent's own handler is
 * only told.
 */
#include "runtime/inside.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* For each child of an orderly stop, and as much for each one below it; then the next one is
 * stopped. */
#define STOP_CHILD_MS 2000

static void
order(actor_t *parent, const child_t *child, envelope_kind_t kind, actor_reason_t reason)
{
    envelope_t *envelope = envelope_new(kind, parent->self, child->who, NULL, NULL, 0);
    envelope->reason = (uint8_t) reason;
    core_route(parent->worker, envelope);
}

static const actor_class_t *
class_of(const actor_t *parent, const child_t *child)
{
    return parent->core->classes[child->class].class;
}

static const char *
name_of(const actor_t *parent, const child_t *child)
{
    return child->named ? child->name : class_of(parent, child)->name;
}

static void
tell_parent(actor_t *parent, const child_t *child, actor_reason_t reason, actor_ref_t next)
{
    const char *name = name_of(parent, child);
    envelope_t *down =
        envelope_new(ENV_DOWN, child->who, parent->self, NULL, name, (uint32_t) strlen(name) + 1);
    down->sent_ns = parent->worker->ctx.now_ns;
    down->number = child->tag;
    down->reason = (uint8_t) reason;
    envelope_more(down)->down.next = ref_word(next);
    envelope_more(down)->down.class_name = class_of(parent, child)->name;
    lane_push_down(parent, down);
}

/* It is, or was before it was restarted. The slot of one that has gone may be the next one's before
 * its end is heard of here: of two children in one slot an older incarnation is that of the first
 * in the list that is not older still. */
static bool
is_or_was(const child_t *child, actor_ref_t who)
{
    return child->who.index == who.index &&
           (int32_t) (child->who.incarnation - who.incarnation) >= 0;
}

/* From both ends, because who ends is mostly the one that began first or last. */
child_t *
supervisor_find(actor_t *parent, actor_ref_t who)
{
    child_t *first = parent->rare->children, *last = parent->rare->children_last;
    while (first != NULL && !is_or_was(first, who) && !ref_equal(last->who, who)) {
        first = first->next;
        last = last->previous;
    }
    return first == NULL || is_or_was(first, who) ? first : last;
}

/* What is being done about this child; NULL: nothing yet. */
static care_t *
care_find(const actor_t *parent, const child_t *child)
{
    care_t *care = child->tended ? parent->rare->cares : NULL;
    while (care != NULL && care->child != child) {
        care = care->next;
    }
    return care;
}

static care_t *
care_of(actor_t *parent, child_t *child)
{
    care_t *care = care_find(parent, child);
    if (care == NULL) {
        rare_t *rare = life_rare(parent);
        care = memory_take(sizeof *care);
        *care = (care_t){.timer.actor = parent, .next = rare->cares, .child = child};
        rare->cares = care;
        child->tended = true;
    }
    return care;
}

static void
care_end(actor_t *parent, care_t *care)
{
    care_t **at = &life_rare(parent)->cares;
    while (*at != care) {
        at = &(*at)->next;
    }
    *at = care->next;
    timer_unset(&parent->worker->timers, &care->timer);
    free(care->restarted);
    memory_give(care, sizeof *care);
}

static size_t
child_bytes(size_t name_bytes)
{
    size_t bytes = offsetof(child_t, name) + name_bytes + 1;
    return bytes < sizeof(child_t) ? sizeof(child_t) : bytes;
}

static void
remove_child(actor_t *parent, child_t *child)
{
    rare_t *rare = life_rare(parent);
    *(child->previous == NULL ? &rare->children : &child->previous->next) = child->next;
    *(child->next == NULL ? &rare->children_last : &child->next->previous) = child->previous;
    if (child->tended) {
        care_end(parent, care_find(parent, child));
    }
    if (rare->stopping == child) {
        rare->stopping = NULL;
    }
    memory_give(child, child_bytes(child->named ? strlen(child->name) : 0));
}

void
supervisor_forget(actor_t *parent, actor_ref_t who)
{
    child_t *child = supervisor_find(parent, who);
    if (child != NULL) {
        remove_child(parent, child);
    }
}

void
supervisor_free(actor_t *parent)
{
    while (parent->rare->children != NULL) {
        remove_child(parent, parent->rare->children);
    }
}

void
supervisor_add(actor_t *parent, actor_ref_t who, const loaded_class_t *class, slice_t name,
               uint64_t tag)
{
    rare_t *rare = life_rare(parent);
    child_t *child = memory_take(child_bytes(name.size));
    *child = (child_t){.previous = rare->children_last,
                       .who = who,
                       .tag = tag,
                       .class = (uint16_t) class->index,
                       .named = name.size > 0};
    if (name.size > 0) {
        memcpy(child->name, name.data, name.size);
        child->name[name.size] = '\0';
    }
    *(child->previous == NULL ? &rare->children : &child->previous->next) = child;
    rare->children_last = child;
}

/* ---- orders of the parent's handler ---- */

static void
order_from_handler(actor_ctx_t *ctx, actor_ref_t who, envelope_kind_t kind)
{
    child_t *child = supervisor_find(ctx->actor, who);
    if (child == NULL) {
        return;
    }
    worker_enters(ctx->worker);
    bool waits = kind == ENV_CYCLE && child->state == CHILD_WAITS && !child->stopping;
    if (kind == ENV_STOP) {
        child->stopping = true;
        if (child->tended) {
            timer_unset(&ctx->worker->timers, &care_find(ctx->actor, child)->timer);
        }
    } else if (waits) { /* its backoff is over now */
        timer_set(&ctx->worker->timers, &care_of(ctx->actor, child)->timer, ctx->now_ns);
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
    child_t *child = ((care_t *) node)->child;
    assert(parent->rare->stopping == child);
    child->left = true;
    life_rare(parent)->stopping = NULL;
    supervisor_stop_next(parent);
}

static void
say_takes(actor_t *actor, uint64_t ns)
{
    actor_ref_t parent = life_parent(actor);
    if (parent.index != 0) {
        envelope_t *takes = envelope_new(ENV_TAKES, actor->self, parent, NULL, NULL, 0);
        takes->number = ns;
        core_route(actor->worker, takes);
    }
}

/* Who waits for the end of this one must not go on while it still waits for its own in good
 * time. */
void
supervisor_takes(actor_t *actor)
{
    int64_t ns = 0;
    for (const child_t *child = actor->rare->children; child != NULL; child = child->next) {
        if (!child->left) {
            ns += child == actor->rare->stopping
                      ? care_find(actor, child)->timer.due_ns - actor->worker->ctx.now_ns
                      : (int64_t) STOP_CHILD_MS * NS_PER_MS;
        }
    }
    if (ns > 0) {
        say_takes(actor, (uint64_t) ns);
    }
}

void
supervisor_child_takes(actor_t *parent, const envelope_t *takes)
{
    child_t *child = parent->rare->stopping;
    if (child == NULL || !is_or_was(child, takes->from)) {
        return; /* nobody waits for it, or not any more */
    }
    timer_node_t *timer = &care_of(parent, child)->timer;
    timer_set(&parent->worker->timers, timer, timer->due_ns + (int64_t) takes->number);
    say_takes(parent, takes->number);
}

void
supervisor_stop_next(actor_t *parent)
{
    if (parent->rare->stopping != NULL) {
        return;
    }
    child_t *child = parent->rare->children_last;
    while (child != NULL && child->left) {
        child = child->previous;
    }
    if (child == NULL) {
        life_children_ended(parent);
        return;
    }
    life_rare(parent)->stopping = child;
    care_t *care = care_of(parent, child);
    care->timer.fire = child_left;
    timer_set(&parent->worker->timers, &care->timer,
              parent->worker->ctx.now_ns + (int64_t) STOP_CHILD_MS * NS_PER_MS);
    child->stopping = true;
    order(parent, child, ENV_STOP, ACTOR_ENDED);
}

/* ---- restarts ---- */

/* Counts this restart; false when there were too many in the period. */
static bool
within_intensity(const actor_t *parent, care_t *care)
{
    const actor_class_t *class = parent->class->class;
    uint32_t intensity =
        class->restart_intensity == 0 ? RESTART_INTENSITY : class->restart_intensity;
    int64_t period_ms =
        class->restart_period_ms == 0 ? RESTART_PERIOD_MS : class->restart_period_ms;
    int64_t now = parent->worker->ctx.now_ns;
    if (care->restarted == NULL) {
        care->restarted = xalloc(intensity, sizeof(int64_t));
    }
    int64_t *oldest = &care->restarted[care->restarts % intensity];
    if (care->restarts >= intensity && now - *oldest <= period_ms * NS_PER_MS) {
        return false;
    }
    *oldest = now;
    care->restarts++;
    return true;
}

static int64_t
backoff_ns(const actor_t *parent, const care_t *care)
{
    const actor_class_t *class = parent->class->class;
    int64_t period_ms =
        class->restart_period_ms == 0 ? RESTART_PERIOD_MS : class->restart_period_ms;
    uint32_t intensity =
        class->restart_intensity == 0 ? RESTART_INTENSITY : class->restart_intensity;
    uint32_t recent = 0;
    for (uint32_t i = 0; care->restarted != NULL && i < intensity && i < care->restarts; i++) {
        recent += parent->worker->ctx.now_ns - care->restarted[i] <= period_ms * NS_PER_MS;
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
    for (const child_t *child = parent->rare->children; child != NULL; child = child->next) {
        const care_t *care = care_find(parent, child);
        bool backs_off = child->state == CHILD_WAITS && care != NULL && timer_is_set(&care->timer);
        if (!child->stopping && (child->state == CHILD_CYCLES || backs_off)) {
            return; /* its end, or the end of its backoff, comes back here */
        }
    }
    for (child_t *child = parent->rare->children; child != NULL; child = child->next) {
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
    restart_child(parent, ((care_t *) node)->child);
}

static void
cycle_siblings(actor_t *parent, child_t *failed)
{
    actor_strategy_t strategy = parent->class->class->strategy;
    bool later = false;
    for (child_t *child = parent->rare->children; child != NULL; child = child->next) {
        bool goes = strategy == ACTOR_ONE_FOR_ALL || (strategy == ACTOR_REST_FOR_ONE && later);
        later = later || child == failed;
        if (!goes || child == failed || child->state != CHILD_RUNS || child->stopping) {
            continue;
        }
        if (class_of(parent, child)->restart ==
            ACTOR_TEMPORARY) { /* goes with them, and never comes back */
            child->stopping = true;
            order(parent, child, ENV_STOP, ACTOR_ENDED);
        } else {
            child->state = CHILD_CYCLES;
            order(parent, child, ENV_CYCLE, ACTOR_RESTARTED);
        }
    }
}

static void
give_up(actor_t *parent, child_t *child, uint32_t restarts, const char *why)
{
    core_note_trouble(parent->worker, name_of(parent, child), "given-up", why, restarts);
    child->stopping = true;
    order(parent, child, ENV_GIVE_UP, ACTOR_GIVEN_UP);
    tell_parent(parent, child, ACTOR_GIVEN_UP, (actor_ref_t){0});
}

static void
child_waits(actor_t *parent, child_t *child, const envelope_t *ended)
{
    bool cycled = child->state == CHILD_CYCLES;
    child->state = CHILD_WAITS;
    care_t *care = care_of(parent, child);
    care->timer.fire = restart_waiting;
    if (cycled && ended->reason == ACTOR_RESTARTED) {
        restart_waiting(parent->worker, &care->timer);
        return;
    }
    core_note_trouble(parent->worker, name_of(parent, child), "failed",
                      (const char *) ended->record, care->restarts + 1);
    if (ended->counted && !within_intensity(parent, care)) {
        give_up(parent, child, care->restarts, (const char *) ended->record);
        return;
    }
    cycle_siblings(parent, child);
    timer_set(&parent->worker->timers, &care->timer,
              parent->worker->ctx.now_ns + backoff_ns(parent, care));
}

void
supervisor_child_ended(actor_t *parent, envelope_t *ended)
{
    child_t *child = supervisor_find(parent, ended->from);
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
        core_note_trouble(parent->worker, name_of(parent, child), "failed",
                          (const char *) ended->record, 1);
    }
    /* One that was left is of an earlier life of its parent. */
    if (parent->stage != STAGE_ENDING && reason != ACTOR_GIVEN_UP && !child->left) {
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
    const child_t *child = supervisor_find(parent, late->from);
    if (child != NULL) {
        tell_parent(parent, child, ACTOR_LATE, (actor_ref_t){0});
    }
}
