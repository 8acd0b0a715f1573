/* core.c - a worker runs one handler on one message, and carries out what the handler wanted. */
#include "runtime/brought_inside.h"
#include "runtime/handler_inside.h"
#include "runtime/inside.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

void
core_note_delivery(const actor_t *actor, const envelope_t *in_hand, const char *what)
{
    const core_t *core = actor->core;
    black_box_note(actor->worker->black_box,
                   &(delivery_t){
                       .class_name = actor->class->class->name,
                       .actor = watch_called(actor),
                       .message = what,
                       .about = in_hand ? core_about(core, in_hand->type, in_hand->record) : 0,
                       .attempt = in_hand ? in_hand->attempt : 0,
                       .now_ns = actor->worker->ctx.now_ns,
                   });
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
    watch_failed(actor);
    if (tell && !final) {
        poison_hold(actor, brought_own(actor->worker), why);
        *ret_kept = true;
    }
    if (ctx->is_at_once) { /* it is refused with the others */
        ctx->at_once.answered = false;
        ask_puts_off(ctx);
    }
    life_end(actor, ACTOR_FAILED, final, first, why);
}

static void
ends_well(actor_t *actor, actor_next_t next)
{
    actor_ctx_t *ctx = &actor->worker->ctx;
    if (actor->rare->trying != NULL) {
        poison_passed(actor);
    }
    if (ctx->asked != NULL && !ctx->deferred) {
        actor_refuse(ctx, ERR_INTERNAL);
    }
    bool host_stop = ctx->host_stop;
    if (ctx->asked != NULL || ctx->served != NULL ||
        (ctx->out_kinds & (1u << ENV_ASK | 1u << ENV_REPLY)) != 0) {
        wait_commit(ctx);
    }
    tray_commit(ctx);
    if (host_stop) {
        core_want_stop(actor->core, ctx->host_err, ctx->host_why);
    }
    if (next == ACTOR_STOP) {
        life_end(actor, ACTOR_ENDED, actor->class->class->restart != ACTOR_PERMANENT, true, NULL);
    }
}

static bool
handler_end(actor_t *actor, actor_next_t next)
{
    actor_ctx_t *ctx = &actor->worker->ctx;
    const core_t *core = actor->core;
    bool kept = false;
    if (handler_returns(actor)) {
        return takeover_returned(actor);
    }
    if (next == ACTOR_FAIL) {
        fail(ctx, &kept);
    } else {
        ends_well(actor, next);
    }
    handler_rests(ctx);
    hand_down(core, ctx, true);
    return kept;
}

void
core_handler_begin(actor_t *actor, envelope_t *in_hand, const char *what)
{
    handler_begin(actor, in_hand, what, true);
}

bool
core_handler_end(actor_t *actor, actor_next_t next)
{
    worker_enters(actor->worker); /* its list is not ours while somebody may take it over */
    watch_touch(actor);           /* it need not have come out of a lane */
    return handler_end(actor, next);
}

void
core_run(actor_t *actor, const char *what, run_fn *fn, const void *argument)
{
    core_handler_begin(actor, NULL, what);
    core_handler_end(actor, fn(&actor->worker->ctx, actor->state, argument));
}

/* ---- dispatch ---- */

/* Nothing more is to be done after the handler than to let its answer go: nobody waits in a circle
 * for it. */
static inline bool
answers_at_once(const actor_t *actor, const actor_ctx_t *ctx, actor_next_t next)
{
    const envelope_t *only = ctx->out.head;
    return next == ACTOR_CONTINUE && ctx->out_kinds == 1u << ENV_REPLY && only->next == NULL &&
           only->mine == NULL && ctx->at_once.chain.head.asker.index == 0 && actor->held == NULL;
}
static inline bool
answer(actor_t *actor, bool hands_on)
{
    actor_ctx_t *ctx = &actor->worker->ctx;
    if (handler_returns(actor)) {
        return takeover_returned(actor);
    }
    envelope_t *reply = ctx->out.head;
    ctx->out.head = NULL;
    ctx->out_kinds = 0;
    ctx->is_at_once = false;
    ctx->deferred = false;
    actor_t *asker = hands_on ? core_here(ctx->worker, reply->to) : NULL;
    if (asker != NULL) { /* one that ends has closed its asks */
        lane_hands_answer(ctx->worker, asker, reply);
    } else {
        reply->sent_ns = ctx->now_ns;
        core_route(ctx->worker, reply);
    }
    hand_down(actor->core, ctx, true);
    return false;
}

static inline void
dispatch_ask(actor_t *actor, envelope_t *message, bool hands_on)
{
    const actor_hears_t *hears = &actor->class->class->hears[message->hears];
    core_t *core = actor->core;
    actor_ctx_t *ctx = &actor->worker->ctx;
    if (message->reserved) {
        spare_give(actor, (lane_t) message->lane, message->size);
        message->reserved = false;
    }
    if (envelope_more(message)->ask.deadline_ns <= ctx->now_ns) {
        /* Its asker has been told `deadline`: what is done from here on nobody would hear of. */
        core_refuse_envelope(actor->worker, message, ERR_DEADLINE);
        return;
    }
    handler_begin(actor, message, message->type->name, true);
    ask_accept(ctx, message);
    actor_next_t next = hears->handler(ctx, actor->state, message->record);
    bool kept =
        answers_at_once(actor, ctx, next) ? answer(actor, hands_on) : handler_end(actor, next);
    if (!kept) {
        let_go(core, message); /* the actor may be gone */
    }
}

/* Most messages: told, and answered by nothing but tells. True: it was kept. */
static inline __attribute__((always_inline)) bool
run_told(actor_t *actor, envelope_t *message, bool hands_on, bool careful)
{
    const actor_hears_t *hears = &actor->class->class->hears[message->hears];
    actor_ctx_t *ctx = &actor->worker->ctx;
    handler_begin(actor, message, message->type->name, careful);
    actor_next_t next = hears->handler(ctx, actor->state, message->record);
    return handler_ends(actor, next, hands_on, careful);
}

/* One whose place was given back. */
static inline __attribute__((always_inline)) void
tell_given(actor_t *actor, envelope_t *message, bool hands_on, bool careful)
{
    core_t *core = actor->core;
    if (run_told(actor, message, hands_on, careful)) {
        return;
    }
    if (careful) {
        let_go(core, message); /* the actor may be gone */
    } else {
        envelope_free_told(message);
    }
}

static inline __attribute__((always_inline)) void
dispatch_tell(actor_t *actor, envelope_t *message, bool hands_on, bool careful)
{
    if (message->reserved) {
        spare_give(actor, (lane_t) message->lane, message->size);
        message->reserved = false;
    }
    tell_given(actor, message, hands_on, careful);
}

static inline void
dispatch_answer(actor_t *actor, envelope_t *message)
{
    const core_t *core = actor->core;
    ask_dispatch(actor, message);
    let_go(core, message);
}

static void
dispatch_rare(actor_t *actor, envelope_t *message)
{
    const core_t *core = actor->core;
    switch ((envelope_kind_t) message->kind) {
    case ENV_DONE:
        ask_dispatch(actor, message);
        break;
    case ENV_TIMER:
        timer_dispatch(actor, message);
        break;
    case ENV_DOWN:
        down_dispatch(actor, message);
        break;
    case ENV_ENDED:
        supervisor_child_ended(actor, message);
        break;
    case ENV_LATE:
        supervisor_child_late(actor, message);
        break;
    case ENV_TAKES:
        supervisor_child_takes(actor, message);
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

static inline __attribute__((always_inline)) void
dispatch(actor_t *actor, envelope_t *message, bool hands_on, bool careful)
{
    if (careful && actor->core->fresh_messages) {
        message = envelope_moved(message);
    }
    /* A jump through a table is a tenth of a small message's time. */
    if (message->kind == ENV_TELL) {
        dispatch_tell(actor, message, hands_on, careful);
    } else if (message->kind == ENV_ASK) {
        dispatch_ask(actor, message, hands_on);
    } else if (message->kind == ENV_REPLY) {
        dispatch_answer(actor, message);
    } else {
        dispatch_rare(actor, message);
    }
}

#define LEASE_QUANTA 256u /* a busy worker gives all leases back every so many quanta */
/* Handlers between looks at the clock: timers fire late, and ages are short, by so many that are
 * short. The first looks come after one and after some, as nobody knows how long these will run. */
#define CLOCK_EVERY 32u
#define CLOCK_SOON  8u
/* A run of handlers is over at the first look that finds so much gone: what they told to other
 * workers leaves after it. */
#define RUN_NS 20000

static void
look_at_clock(worker_t *worker)
{
    executor_t *executor = &worker->core->executor;
    int64_t before_ns = worker->ctx.now_ns;
    worker->ctx.now_ns = executor->now_ns(executor->self);
    int64_t took_ns = worker->ctx.now_ns - before_ns;
    if (worker->ran && took_ns > atomic_load_explicit(&worker->longest_ns, memory_order_relaxed)) {
        atomic_store_explicit(&worker->longest_ns, took_ns, memory_order_relaxed);
    }
    worker->ran = false;
    for (timer_node_t *timer; (timer = timer_due(&worker->timers, worker->ctx.now_ns)) != NULL;) {
        timer->fire(worker, timer);
    }
    if (worker->ctx.now_ns - worker->told_ns >= TELL_EVERY_NS) {
        brought_ages(worker);
        watch_tell(worker);
    }
}

/* ---- what is run next ---- */

/* The first of them is handled by `actor` where it lies; NULL: it goes the way of all others. */
static inline __attribute__((always_inline)) void
run_brought(worker_t *worker, actor_t *actor, bool hands_on, bool careful)
{
    chunk_t *chunk = worker->brought;
    envelope_t *packed = chunk_message(chunk, &worker->by_hand, false);
    if (chunk_is_empty(chunk)) {
        brought_ends(worker);
    }
    if (actor == NULL) {
        worker_deliver(worker, envelope_unpack(packed));
    } else {
        bump(&worker->delivered);
        watch_touch(actor);
        worker->hand_chunk = chunk;
        if (packed->reserved) {
            spare_give(actor, LANE_NORMAL, packed->size);
        }
        (void) run_told(actor, packed, hands_on, careful);
        worker->hand_chunk = NULL;
    }
    if (chunk_is_empty(chunk)) { /* also when it was taken over meanwhile, and all else spilt */
        chunk_free(chunk);
    }
}

/* What is on hand was told to one that is here, and has its place in the normal lane. */
static inline __attribute__((always_inline)) void
run_on_hand(worker_t *worker, bool careful)
{
    envelope_t *message = worker->on_hand;
    actor_t *actor = lane_on_hand(worker);
    bump(&worker->delivered);
    if (careful && worker->core->fresh_messages) {
        message = envelope_moved(message);
    }
    spare_give(actor, LANE_NORMAL, message->size);
    message->reserved = false;
    tell_given(actor, message, true, careful);
}

static inline void
run_answer_on_hand(worker_t *worker, bool careful)
{
    envelope_t *message = worker->answer_on_hand;
    actor_t *asker = lane_answer_on_hand(worker);
    bump(&worker->delivered);
    if (careful && worker->core->fresh_messages) {
        message = envelope_moved(message);
    }
    dispatch_answer(asker, message);
}

/* hands_on: the caller runs what is on hand next, or takes it back. careful: as handler_begin. */
static inline __attribute__((always_inline)) bool
run_waiting(worker_t *worker, bool hands_on, bool careful)
{
    actor_t *actor = NULL;
    if (worker->answer_on_hand != NULL) {
        run_answer_on_hand(worker, careful);
        return true;
    }
    if (worker->ready_lanes >= READY_BROUGHT && brought_have_turn(worker)) {
        actor = brought_to(worker);
        if (!brought_waits(actor)) {
            run_brought(worker, actor, hands_on, careful);
            return true;
        }
    }
    envelope_t *message = lane_next(worker, &actor);
    if (message != NULL) {
        bump(&worker->delivered);
        dispatch(actor, message, hands_on, careful);
        return true;
    }
    return worker->brought_count > 0; /* no lane had anything that can run: it is their turn */
}

/* Apart from what is on hand, whose few values then stay in registers (W1: 40.5 to 38.6 ns). */
static __attribute__((noinline)) bool
run_waiting_plain(worker_t *worker)
{
    return run_waiting(worker, true, false);
}
static __attribute__((noinline)) bool
run_waiting_careful(worker_t *worker)
{
    return run_waiting(worker, true, true);
}

static inline __attribute__((always_inline)) bool
run_next(worker_t *worker, bool careful)
{
    if (worker->on_hand != NULL) {
        run_on_hand(worker, careful);
        return true;
    }
    return careful ? run_waiting_careful(worker) : run_waiting_plain(worker);
}

bool
worker_step(worker_t *worker)
{
    look_at_clock(worker);
    bool ran = run_waiting(worker, false, true);
    worker_settle(worker);
    return ran;
}

uint32_t
worker_round(worker_t *worker, uint32_t most)
{
    uint32_t ran = 0;
    look_at_clock(worker);
    for (; ran < most && run_next(worker, true); ran++) {
    }
    lane_take_back(worker);
    worker_settle(worker);
    return ran;
}

/* The clock is not looked at before each handler, which would cost as much as a small one; who sets
 * a timer or a deadline looks for itself. Returns how many were handled. */
static inline __attribute__((always_inline)) uint32_t
run_quantum(worker_t *worker, const _Atomic uint32_t *bell, uint32_t heard, uint32_t most,
            bool careful)
{
    uint32_t ran = 0, look = 1;
    int64_t until_ns = worker->ctx.now_ns + RUN_NS;
    while (ran < most && run_next(worker, careful)) {
        if (bell_rang(bell, heard)) {
            return ran + 1;
        }
        if (++ran >= look) {
            lane_take_back(worker);
            look_at_clock(worker);
            if (worker->ctx.now_ns >= until_ns) {
                break;
            }
            look = ran < CLOCK_SOON ? CLOCK_SOON : ran + CLOCK_EVERY;
        }
    }
    return ran;
}

/* Leases are kept while there is much to do. */
bool
worker_run(worker_t *worker, const _Atomic uint32_t *bell, uint32_t heard, uint32_t most)
{
    look_at_clock(worker);
    bool careful = worker->black_box != NULL || worker->core->fresh_messages;
    uint32_t ran = careful ? run_quantum(worker, bell, heard, most, true)
                           : run_quantum(worker, bell, heard, most, false);
    lane_take_back(worker);
    worker->quanta++;
    if (worker->ready_lanes == 0 || worker->quanta % LEASE_QUANTA == 0) {
        lease_rest(worker);
    }
    if (worker->ready_lanes == 0) {
        watch_tell(worker);
    }
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
