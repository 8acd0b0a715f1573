/* core.c - a worker runs one handler on one message, and carries out what the handler wanted. */
#include "runtime/ask_inside.h"
#include "runtime/brought_inside.h"
#include "runtime/inside.h"

/* ---- dispatch ---- */

/* Nothing more is to be done after the handler than to let its answer go: nobody waits in a circle
 * for it. */
static inline bool
answers_at_once(const actor_t *actor, const actor_ctx_t *ctx, actor_next_t next)
{
    const envelope_t *only = ctx->out.head;
    return next == ACTOR_CONTINUE && ctx->out_kinds == 1u << ENV_REPLY && only->next == NULL &&
           only->mine == NULL && actor->held == NULL &&
           envelope_more_of(ctx->in_hand)->ask.chain.head.asker.index == 0;
}
static inline __attribute__((always_inline)) bool
answer(worker_t *worker, actor_t *actor, bool hands_on, bool careful)
{
    actor_ctx_t *ctx = &worker->ctx;
    if (handler_returns(worker, actor)) {
        return takeover_returned(actor);
    }
    envelope_t *reply = ctx->out.head;
    ctx->out.head = NULL;
    ctx->out_kinds = 0;
    ctx->is_at_once = false;
    ctx->deferred = false;
    actor_t *asker = hands_on ? core_here(worker, reply->to) : NULL;
    if (asker != NULL) { /* one that ends has closed its asks */
        lane_hands_answer(worker, asker, reply);
    } else {
        reply->sent_ns = ctx->now_ns;
        core_route(worker, reply);
    }
    hand_down(worker, careful);
    return false;
}

static inline actor_handler_fn *
heard_by(const actor_t *actor, const envelope_t *message)
{
    return actor->class->hears[message->hears].handler;
}

static inline __attribute__((always_inline)) void
run_asked(worker_t *worker, actor_t *actor, envelope_t *message, bool hands_on, bool careful)
{
    actor_ctx_t *ctx = &worker->ctx;
    if (message->reserved) {
        spare_give(actor, (lane_t) message->lane, message->size);
    }
    if (envelope_more(message)->ask.deadline_ns <= ctx->now_ns) {
        /* Its asker has been told `deadline`: what is done from here on nobody would hear of. */
        message->reserved = false;
        core_refuse_envelope(worker, message, ERR_DEADLINE);
        return;
    }
    handler_begin(worker, actor, message, &message->type->name, careful);
    ask_accept(ctx);
    actor_next_t next = heard_by(actor, message)(ctx, actor->state, message->record);
    bool kept = answers_at_once(actor, ctx, next) ? answer(worker, actor, hands_on, careful)
                                                  : core_handler_end(actor, next);
    if (careful && !kept) {
        let_go(worker->core, message); /* the actor may be gone */
    } else if (!kept) {
        envelope_free_asked(message);
    }
}
static __attribute__((noinline)) void
run_asked_plain(worker_t *worker, actor_t *actor, envelope_t *message)
{
    run_asked(worker, actor, message, true, false);
}
static __attribute__((noinline)) void
run_asked_careful(worker_t *worker, actor_t *actor, envelope_t *message, bool hands_on)
{
    run_asked(worker, actor, message, hands_on, true);
}

/* Most messages: told, and answered by nothing but tells. True: it was kept. */
static inline __attribute__((always_inline)) bool
run_told(worker_t *worker, actor_t *actor, envelope_t *message, hand_t *hand, bool careful)
{
    handler_begin(worker, actor, message, &message->type->name, careful);
    actor_next_t next = heard_by(actor, message)(&worker->ctx, actor->state, message->record);
    return handler_ends(worker, actor, next, hand, false, careful);
}

static inline void
hand_keep(worker_t *worker, const hand_t *hand)
{
    if (hand->told != NULL) {
        worker->on_hand = hand->told;
    }
}

static inline __attribute__((always_inline)) void
let_go_told(const core_t *core, envelope_t *take_told, bool careful)
{
    if (careful) {
        let_go(core, take_told); /* the actor may be gone */
    } else {
        envelope_free_told(take_told);
    }
}

static inline __attribute__((always_inline)) void
dispatch_tell(worker_t *worker, actor_t *actor, envelope_t *message, bool hands_on, bool careful)
{
    if (message->reserved) { /* brought_own: as it is kept, it has none */
        spare_give(actor, (lane_t) message->lane, message->size);
    }
    hand_t hand = {0};
    if (!run_told(worker, actor, message, hands_on ? &hand : NULL, careful)) {
        let_go_told(worker->core, message, careful);
    }
    hand_keep(worker, &hand);
}

static inline __attribute__((always_inline)) void
run_answer(worker_t *worker, actor_t *actor, envelope_t *message, bool careful)
{
    ask_dispatch(worker, actor, message, careful);
    let_go_told(worker->core, message, careful);
}
static __attribute__((noinline)) void
run_answer_plain(worker_t *worker, actor_t *actor, envelope_t *message)
{
    run_answer(worker, actor, message, false);
}
static __attribute__((noinline)) void
run_answer_careful(worker_t *worker, actor_t *actor, envelope_t *message)
{
    run_answer(worker, actor, message, true);
}

static void
dispatch_rare(actor_t *actor, envelope_t *message)
{
    const core_t *core = actor->core;
    switch ((envelope_kind_t) message->kind) {
    case ENV_DONE:
        ask_dispatch(actor->worker, actor, message, true);
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
dispatch(worker_t *worker, actor_t *actor, envelope_t *message, bool hands_on, bool careful)
{
    if (careful && worker->core->fresh_messages) {
        message = envelope_moved(message);
    }
    /* A jump through a table is a tenth of a small message's time. */
    if (message->kind == ENV_TELL) {
        dispatch_tell(worker, actor, message, hands_on, careful);
    } else if (message->kind == ENV_ASK) {
        careful ? run_asked_careful(worker, actor, message, hands_on)
                : run_asked_plain(worker, actor, message);
    } else if (message->kind == ENV_REPLY) {
        careful ? run_answer_careful(worker, actor, message)
                : run_answer_plain(worker, actor, message);
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
    worker_set_clock(worker, executor->now_ns(executor->self));
    int64_t took_ns = worker->ctx.now_ns - before_ns;
    uint64_t handlers = atomic_load_explicit(&worker->handlers, memory_order_relaxed);
    if (handlers != worker->looked &&
        took_ns > atomic_load_explicit(&worker->longest_ns, memory_order_relaxed)) {
        atomic_store_explicit(&worker->longest_ns, took_ns, memory_order_relaxed);
    }
    worker->looked = handlers;
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
        watch_touch(actor);
        worker->hand_chunk = chunk;
        if (packed->reserved) {
            spare_give(actor, LANE_NORMAL, packed->size);
        }
        hand_t hand = {0};
        (void) run_told(worker, actor, packed, hands_on ? &hand : NULL, careful);
        hand_keep(worker, &hand);
        worker->hand_chunk = NULL;
    }
    if (chunk_is_empty(chunk)) { /* also when it was taken over meanwhile, and all else spilt */
        chunk_free(chunk);
    }
}

/* What is on hand was told to one that is here, and so on while each tells one thing to one that is
 * here: where nothing else can run, a message goes from one register to the next. Returns how many
 * ran, at most `most`. */
static inline __attribute__((always_inline)) uint32_t
run_on_hand(worker_t *worker, const _Atomic uint32_t *bell, uint32_t heard, uint32_t most,
            bool careful)
{
    hand_t hand = {worker->on_hand, worker->on_hand->here};
    uint32_t left = most;
    worker->on_hand = NULL;
    if (hand.told->reserved) {
        spare_give(hand.to, LANE_NORMAL, hand.told->size);
    }
    do {
        envelope_t *message = hand.told;
        actor_t *actor = hand.to;
        hand.told = NULL;
        if (careful && worker->core->fresh_messages) {
            message = envelope_moved(message);
        }
        handler_begin(worker, actor, message, &message->type->name, careful);
        actor_next_t next = heard_by(actor, message)(&worker->ctx, actor->state, message->record);
        __asm__("" : "+r"(worker)); /* or addresses in it are kept meanwhile, on the stack */
        if (!handler_ends(worker, actor, next, &hand, true, careful)) {
            let_go_told(worker->core, message, careful);
        }
    } while (--left > 0 && hand.told != NULL && !bell_rang(bell, heard));
    if (hand.told != NULL) { /* it goes on later, and the last one was not put down */
        hand_down(worker, false);
        worker->on_hand = hand.told;
    }
    return most - left;
}
static __attribute__((noinline)) uint32_t
run_on_hand_plain(worker_t *worker, const _Atomic uint32_t *bell, uint32_t heard, uint32_t most)
{
    return run_on_hand(worker, bell, heard, most, false);
}
static __attribute__((noinline)) uint32_t
run_on_hand_careful(worker_t *worker, const _Atomic uint32_t *bell, uint32_t heard, uint32_t most)
{
    return run_on_hand(worker, bell, heard, most, true);
}

static inline __attribute__((always_inline)) bool
run_answer_on_hand(worker_t *worker, bool careful)
{
    envelope_t *message = worker->answer_on_hand;
    actor_t *asker = lane_answer_on_hand(worker);
    if (careful && worker->core->fresh_messages) {
        message = envelope_moved(message);
    }
    run_answer(worker, asker, message, careful);
    return true;
}
static __attribute__((noinline)) bool
run_answer_on_hand_plain(worker_t *worker)
{
    return run_answer_on_hand(worker, false);
}
static __attribute__((noinline)) bool
run_answer_on_hand_careful(worker_t *worker)
{
    return run_answer_on_hand(worker, true);
}

/* hands_on: the caller runs what is on hand next, or takes it back. careful: as handler_begin. */
static inline __attribute__((always_inline)) bool
run_waiting(worker_t *worker, bool hands_on, bool careful)
{
    actor_t *actor = NULL;
    if (worker->ready_lanes >= READY_BROUGHT && brought_have_turn(worker)) {
        actor = brought_to(worker);
        if (!brought_waits(actor)) {
            run_brought(worker, actor, hands_on, careful);
            return true;
        }
    }
    envelope_t *message = lane_next(worker, &actor);
    if (message != NULL) {
        dispatch(worker, actor, message, hands_on, careful);
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

/* What is next, and all that then stays on hand: how many ran, at most `most`. */
static inline __attribute__((always_inline)) uint32_t
run_next(worker_t *worker, const _Atomic uint32_t *bell, uint32_t heard, uint32_t most,
         bool careful)
{
    if (worker->on_hand != NULL) {
        return careful ? run_on_hand_careful(worker, bell, heard, most)
                       : run_on_hand_plain(worker, bell, heard, most);
    }
    if (worker->answer_on_hand != NULL) {
        return careful ? run_answer_on_hand_careful(worker) : run_answer_on_hand_plain(worker);
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
    static const _Atomic uint32_t silent;
    uint32_t ran = 0;
    look_at_clock(worker);
    for (uint32_t more = 1; ran < most && more > 0; ran += more) {
        more = run_next(worker, &silent, 0, most - ran, true);
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
    for (uint32_t more; (more = run_next(worker, bell, heard, look - ran, careful)) > 0;) {
        ran += more;
        if (bell_rang(bell, heard)) {
            break;
        }
        if (ran == look) {
            lane_take_back(worker);
            look_at_clock(worker);
            if (worker->ctx.now_ns >= until_ns || ran >= most) {
                break;
            }
            look = ran < CLOCK_SOON ? CLOCK_SOON : ran + CLOCK_EVERY;
            look = look < most ? look : most;
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
