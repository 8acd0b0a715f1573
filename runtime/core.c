/* core.c - a worker runs one handler on one message, and carries out what the handler wanted. */
#include "runtime/inside.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- from worker to worker ---- */

void
core_route(worker_t *worker, envelope_t *take_envelope)
{
    core_t *core = worker->core;
    uint32_t to = envelope_worker(core, take_envelope);
    if (to == worker->index) {
        worker_deliver(worker, take_envelope);
    } else {
        core->executor.post(core->executor.self, worker->index, to, take_envelope);
    }
}

/* Nobody takes it: an asker gets err, a monitor hears that whom it wanted to watch is gone. */
void
core_refuse_envelope(worker_t *worker, envelope_t *take_envelope, err_t err)
{
    core_t *core = worker->core;
    if (take_envelope->reserved) {
        lease_release(worker, take_envelope->to, take_envelope->lane, take_envelope->size,
                      class_at(core, take_envelope->to));
    }
    if (take_envelope->kind == ENV_ASK) {
        wait_refused(core, &take_envelope->chain);
        ask_reply_error(worker, take_envelope->to, take_envelope->from, take_envelope->ask, err);
    } else if (take_envelope->kind == ENV_MONITOR) {
        envelope_t *down =
            envelope_new(ENV_DOWN, take_envelope->to, take_envelope->from, NULL, "", 1);
        down->about = take_envelope->to;
        down->tag = take_envelope->tag;
        down->reason = ACTOR_ENDED;
        down->class_name = "";
        core_route(worker, down);
    } else if (take_envelope->kind == ENV_TELL) {
        atomic_fetch_add(&core->dead_letters, 1);
    } else if (take_envelope->kind == ENV_REPLY) {
        atomic_fetch_add(&core->late_replies, 1);
    }
    envelope_free(take_envelope);
}

static void
deliver_to(actor_t *actor, envelope_t *take_envelope)
{
    bool for_next = take_envelope->to.incarnation > actor->self.incarnation;
    bool ended = actor->stage == STAGE_ENDING || actor->stage == STAGE_WAITING;
    switch ((envelope_kind_t) take_envelope->kind) {
    case ENV_ASK:
        if (ended && !for_next) { /* the next one's start is on its way before this */
            err_t err = actor->end_final ? ERR_DOWN : ERR_RESTARTING;
            core_refuse_envelope(actor->worker, take_envelope, err);
            return;
        }
        lane_push(actor, take_envelope->lane, take_envelope);
        return;
    case ENV_TELL:
        lane_push(actor, take_envelope->lane, take_envelope);
        return;
    case ENV_REPLY:
        if (actor->stage != STAGE_OPEN) {
            core_refuse_envelope(actor->worker, take_envelope, ERR_DOWN);
            return;
        }
        lane_push(actor, LANE_REPLY, take_envelope);
        return;
    case ENV_DOWN:
        lane_push_down(actor, take_envelope);
        return;
    default:
        lane_push(actor, LANE_SYSTEM, take_envelope);
    }
}

void
worker_deliver(worker_t *worker, envelope_t *take_envelope)
{
    core_t *core = worker->core;
    cell_t *cell = cell_at(core, take_envelope->to.index);
    /* Only what this worker hosts is looked into: the slot may have a tenant elsewhere by now. */
    bool here = cell_holds(core, take_envelope->to) && atomic_load(&cell->worker) == worker->index;
    actor_t *actor = here ? atomic_load(&cell->actor) : NULL;
    if (actor == NULL) {
        core_refuse_envelope(worker, take_envelope, ERR_DOWN);
        return;
    }
    if (actor->worker != worker) {
        takeover_deliver(worker, actor, take_envelope);
        return;
    }
    deliver_to(actor, take_envelope);
}

/* ---- one handler ---- */

uint64_t
core_about(const core_t *core, const record_type_t *type, const void *record)
{
    uint64_t about = 0;
    for (uint32_t i = 0; core->about_field != NULL && type != NULL && i < type->field_count; i++) {
        const record_field_t *field = &type->field[i];
        if (field->kind == RECORD_u64 && strcmp(field->name, core->about_field) == 0) {
            memcpy(&about, (const uint8_t *) record + field->offset, sizeof about);
        }
    }
    return about;
}

static void
note_delivery(const actor_t *actor, const envelope_t *in_hand, const char *what)
{
    if (actor->worker->black_box == NULL) {
        return;
    }
    const core_t *core = actor->core;
    black_box_note(actor->worker->black_box,
                   &(delivery_t){
                       .class_name = actor->class->class->name,
                       .actor = actor->name,
                       .message = what,
                       .about = in_hand ? core_about(core, in_hand->type, in_hand->record) : 0,
                       .attempt = in_hand ? in_hand->attempt : 0,
                       .now_ns = actor->worker->ctx.now_ns,
                   });
}

void
core_handler_begin(actor_t *actor, envelope_t *in_hand, const char *what)
{
    actor_ctx_t *ctx = &actor->worker->ctx;
    ctx->actor = actor;
    ctx->in_hand = in_hand;
    ctx->asked = NULL;
    ctx->served = NULL;
    ctx->serving = NULL;
    ctx->deferred = false;
    ctx->host_stop = false;
    ctx->claim[0] = '\0';
    ctx->draft = (draft_t){0};
    note_delivery(actor, in_hand, what);
    atomic_store_explicit(&actor->cell->handling, what, memory_order_relaxed);
    atomic_store_explicit(&actor->cell->handling_since_ns, ctx->now_ns, memory_order_release);
    worker_leaves(actor->worker);
}

static void
fail(actor_ctx_t *ctx, bool *ret_kept)
{
    actor_t *actor = ctx->actor;
    envelope_t *in_hand = ctx->in_hand;
    char why[160];
    bool tell = in_hand != NULL && in_hand->kind == ENV_TELL;
    bool first = !tell || in_hand->attempt == 1;
    bool final = actor->class->class->restart == ACTOR_TEMPORARY;
    snprintf(why, sizeof why, "%s", ctx->claim[0] != '\0' ? ctx->claim : "its handler said so");
    tray_abort(ctx);
    atomic_fetch_add(&actor->cell->failures, 1);
    if (tell && !final) {
        poison_hold(actor, in_hand, why);
        *ret_kept = true;
    }
    life_end(actor, ACTOR_FAILED, final, first, why);
}

bool
core_handler_end(actor_t *actor, actor_next_t next)
{
    actor_ctx_t *ctx = &actor->worker->ctx;
    core_t *core = actor->core;
    bool kept = false;
    if (worker_enters(actor->worker)) {
        return takeover_returned(actor);
    }
    atomic_store_explicit(&actor->cell->handling_since_ns, 0, memory_order_release);
    atomic_store_explicit(&actor->cell->handling, NULL, memory_order_relaxed);
    bump(&actor->cell->handled);
    if (next == ACTOR_FAIL) {
        fail(ctx, &kept);
    } else {
        poison_passed(actor);
        if (ctx->asked != NULL && !ctx->deferred) {
            actor_refuse(ctx, ERR_INTERNAL);
        }
        bool host_stop = ctx->host_stop;
        wait_commit(ctx);
        tray_commit(ctx);
        actor->handled = true;
        watch_touch(actor);
        if (host_stop) {
            core_want_stop(core, ctx->host_err, ctx->host_why);
        }
        if (next == ACTOR_STOP) {
            life_end(actor, ACTOR_ENDED, actor->class->class->restart != ACTOR_PERMANENT, true,
                     NULL);
        }
    }
    if (core->fresh_messages) {
        envelope_spoil(ctx->draft.base, ctx->draft.size);
    }
    black_box_done(ctx->worker->black_box);
    ctx->actor = NULL;
    ctx->in_hand = NULL;
    return kept;
}

void
core_run(actor_t *actor, const char *what, run_fn *fn, const void *argument)
{
    core_handler_begin(actor, NULL, what);
    core_handler_end(actor, fn(&actor->worker->ctx, actor->state, argument));
}

/* ---- dispatch ---- */

static void
let_go(const core_t *core, envelope_t *take_envelope)
{
    if (core->fresh_messages) {
        envelope_spoil(take_envelope->record, take_envelope->size);
    }
    envelope_free(take_envelope);
}

static void
dispatch_message(actor_t *actor, envelope_t *message)
{
    const actor_hears_t *hears = &actor->class->class->hears[message->hears];
    core_t *core = actor->core;
    actor_ctx_t *ctx = &actor->worker->ctx;
    if (message->reserved) {
        lease_release(actor->worker, message->to, message->lane, message->size, actor->class);
        message->reserved = false;
    }
    if (message->kind == ENV_ASK && message->deadline_ns <= ctx->now_ns) {
        /* Its asker has been told `deadline`: what is done from here on nobody would hear of. */
        core_refuse_envelope(actor->worker, message, ERR_DEADLINE);
        return;
    }
    core_handler_begin(actor, message, message->type->name);
    if (message->kind == ENV_ASK) {
        ctx->asked = ask_accept(actor, message);
    }
    if (!core_handler_end(actor, hears->handler(ctx, actor->state, message->record))) {
        let_go(core, message); /* the actor may be gone */
    }
}

static actor_next_t
run_down(actor_ctx_t *ctx, void *self, const void *argument)
{
    return ctx->actor->class->class->on_down(ctx, self, argument);
}

/* A supervisor that has no on_down cannot do without a child that was given up: it fails itself. */
static actor_next_t
run_given_up(actor_ctx_t *ctx, void *self, const void *argument)
{
    (void) self;
    const actor_down_t *down = argument;
    snprintf(ctx->claim, sizeof ctx->claim, "its child %s was given up", down->name);
    return ACTOR_FAIL;
}

static void
dispatch_down(actor_t *actor, const envelope_t *message)
{
    actor_down_t down = {
        .who = message->about,
        .next = ref_of_word(message->ask),
        .reason = (actor_reason_t) message->reason,
        .class_name = message->class_name,
        .name = (const char *) message->record,
        .tag = message->tag,
    };
    bool mine = ref_equal(message->to, actor->self); /* not of an earlier incarnation's monitor */
    if (actor->stage != STAGE_OPEN || !mine) {
        return;
    }
    if (actor->class->class->on_down != NULL) {
        core_run(actor, "down", run_down, &down);
    } else if (down.reason == ACTOR_GIVEN_UP) {
        core_run(actor, "down", run_given_up, &down);
    }
}

static void
dispatch(actor_t *actor, envelope_t *message)
{
    if (actor->core->fresh_messages) {
        message = envelope_moved(message);
    }
    const core_t *core = actor->core;
    switch ((envelope_kind_t) message->kind) {
    case ENV_TELL:
    case ENV_ASK:
        dispatch_message(actor, message);
        return;
    case ENV_REPLY:
        ask_dispatch(actor, message);
        break;
    case ENV_TIMER:
        timer_dispatch(actor, message);
        break;
    case ENV_DOWN:
        dispatch_down(actor, message);
        break;
    case ENV_ENDED:
        supervisor_child_ended(actor, message);
        break;
    case ENV_LATE:
        supervisor_child_late(actor, message);
        break;
    case ENV_INIT:
        life_init(actor, message);
        return;
    default:
        life_order(actor, message);
        return;
    }
    let_go(core, message);
}

#define CLOCK_EVERY 8u /* handlers between looks: timers fire late, and ages are short, by these */

static void
look_at_clock(worker_t *worker)
{
    executor_t *executor = &worker->core->executor;
    worker->ctx.now_ns = executor->now_ns(executor->self);
    for (timer_node_t *timer; (timer = timer_due(&worker->timers, worker->ctx.now_ns)) != NULL;) {
        timer->fire(worker, timer);
    }
}

static bool
run_next(worker_t *worker)
{
    actor_t *actor = NULL;
    envelope_t *message = lane_next(worker, &actor);
    if (message == NULL) {
        return false;
    }
    bump(&worker->delivered);
    dispatch(actor, message);
    return true;
}

bool
worker_step(worker_t *worker)
{
    look_at_clock(worker);
    bool ran = run_next(worker);
    worker_settle(worker);
    return ran;
}

/* Leases are kept while there is much to do. The clock is not looked at before each handler, which
 * would cost as much as a small one; who sets a timer or a deadline looks for itself. */
bool
worker_run(worker_t *worker, const _Atomic uint32_t *bell, uint32_t heard, uint32_t most)
{
    look_at_clock(worker);
    uint32_t ran = 0;
    while (ran < most && run_next(worker)) {
        if (atomic_load_explicit(bell, memory_order_relaxed) != heard) {
            ran++;
            break;
        }
        if (++ran % CLOCK_EVERY == 0) {
            look_at_clock(worker);
        }
    }
    worker->quanta++;
    if (worker->ready_lanes == 0 || worker->quanta % LEASE_QUANTA == 0) {
        lease_rest(worker);
    }
    watch_tell(worker);
    return ran > 0;
}

int64_t
worker_next_due(const worker_t *worker)
{
    return timer_next(&worker->timers);
}

bool
worker_is_idle(const worker_t *worker)
{
    return worker->ready_lanes == 0;
}

const char *
worker_name(const worker_t *worker)
{
    return worker->name;
}

uint32_t
worker_index(const worker_t *worker)
{
    return worker->index;
}
