/* say.c - what a handler tells and asks: checked, given its place, and put into the tray.
 *
 * Most of it is a short draft for one on the same worker: that way is straight, and what few need
 * is called apart. What a message costs is mostly how often memory is read or written for it,
 * 0.14 ns each time: values stay in locals, as the compiler may not keep what is behind a pointer.
 */
#include "runtime/ask_inside.h"

#include <assert.h>
#include <string.h>

/* ---- to whom ---- */

static inline const loaded_edge_t *
edge_at(const actor_ctx_t *ctx, uint32_t edge)
{
    assert(edge < ctx->actor->class->edge_count && "the edge is one of the class");
    return &ctx->actor->class->edge[edge];
}

/* VERDICT_OK, or why `to` may not be spoken to through this edge. */
static inline verdict_t
check_target(const actor_ctx_t *ctx, const loaded_edge_t *edge, actor_ref_t to)
{
    core_t *core = ctx->worker->core;
    if (!cell_holds(core, to)) {
        return VERDICT_DOWN;
    }
    return class_at(core, to) == edge->target ? VERDICT_OK : VERDICT_UNDECLARED;
}

/* Takes a place in the receiver's lane for m, if it may be spoken to through this edge. One that is
 * here is looked at once: only this thread could end it. */
static inline __attribute__((always_inline)) verdict_t
take_place(const actor_ctx_t *ctx, const loaded_edge_t *edge, actor_ref_t to, const void *m,
           uint32_t *ret_size, actor_t **ret_here)
{
    worker_t *worker = ctx->worker;
    actor_t *here = worker_enters(worker) ? NULL : core_here(worker, to);
    verdict_t verdict = here == NULL                  ? check_target(ctx, edge, to)
                        : here->class == edge->target ? VERDICT_OK
                                                      : VERDICT_UNDECLARED;
    if (verdict == VERDICT_OK) {
        verdict = record_source(ctx, edge->type, m, ret_size);
    }
    if (verdict == VERDICT_OK) {
        verdict = here != NULL ? spare_take(here, edge->lane, *ret_size)
                               : lease_reserve(worker, to, edge->lane, *ret_size, edge->target);
    }
    worker_leaves(worker);
    *ret_here = here;
    return verdict;
}

/* Where its record goes when it can be in one batch with what was told before it; else NULL. */
static inline void *
joins(actor_ctx_t *ctx, const loaded_edge_t *edge, uint64_t to, uint32_t size)
{
    envelope_t *last = ctx->out.tail;
    if (!edge->batches || ctx->out.head == NULL || !batch_follows(last, edge, to) ||
        size - 1 >= BATCH_RECORD) {
        return NULL;
    }
    if (!batch_fits(last, size)) {
        last = batch_begin(edge, ref_word(ctx->actor->self), to, size);
        tray_add_one(ctx, ENV_TELL, last);
        last->here = NULL;
    }
    return batch_add(last);
}

/* A place in the lane of who is here, where one is spare. */
static inline __attribute__((always_inline)) bool
place_here(actor_t *here, const loaded_edge_t *edge, uint32_t size)
{
    return here != NULL && here->class == edge->target && spare_takes(here, edge->lane, size);
}

/* Who `to` is, when it is here and lends a place in its normal lane; else NULL. All of it is asked
 * of its cell, so that the worker need not be entered: should it be taken over just now, whatever
 * is found is not looked at, and leaves as little as anything else that the handler says. */
static inline __attribute__((always_inline)) actor_t *
lends_here(const worker_t *worker, const loaded_edge_t *edge, actor_ref_t to)
{
    const cell_t *cell = &worker->cells[to.index];
    bool lends = cell_is_one(to.index) && cell_is_of(cell, to) &&
                 atomic_load_explicit(&cell->worker, memory_order_relaxed) == worker->index &&
                 atomic_load_explicit(&cell->class, memory_order_relaxed) == edge->target &&
                 atomic_load_explicit(&cell->lends, memory_order_relaxed);
    return lends ? atomic_load_explicit(&cell->actor, memory_order_relaxed) : NULL;
}

/* What is told alone, as far as it is known by now, takes no place: one is lent, and whatever else
 * is said takes it first. So is most of what is told, and nothing is called for it (W1: 29 to 24 ns
 * a round trip, W4: 15.8 to 13.5 a hop). False: nothing was done. */
static inline __attribute__((always_inline)) bool
tells_alone(actor_ctx_t *ctx, const loaded_edge_t *edge, actor_ref_t to, const void *m)
{
    const record_type_t *type = edge->type;
    uint32_t size = ctx->drafting.draft.size;
    uint64_t self = ref_word(ctx->actor->self);
    if (!draft_is_short(ctx, type, m) || !memory_is_at_hand(ENVELOPE_SHORT)) {
        return false;
    }
    actor_t *here = lends_here(ctx->worker, edge, to);
    if (here == NULL || !tail_is_normal(&edge->tail)) {
        return false;
    }
    envelope_t *told = memory_take_at_hand(ENVELOPE_SHORT);
    envelope_tail_t tail = tail_without_place(&edge->tail);
    envelope_fill(told, &tail, self, ref_word(to), here, type, size);
    words_copy(told->record, m, size);
    ctx->only = told;
    return true;
}

/* Most of the rest are short drafts for those that are here, where a place and a block are at
 * hand. */
static inline __attribute__((always_inline)) bool
tells_here(actor_ctx_t *ctx, const loaded_edge_t *edge, actor_ref_t to, const void *m)
{
    worker_t *worker = ctx->worker;
    const record_type_t *type = edge->type;
    uint32_t size = ctx->drafting.draft.size;
    if (!draft_is_short(ctx, type, m) || !worker_enters_at_once(worker)) {
        return false;
    }
    actor_t *here = core_here(worker, to);
    if (!memory_is_at_hand(ENVELOPE_SHORT) || !place_here(here, edge, size)) {
        return false;
    }
    envelope_t *told = memory_take_at_hand(ENVELOPE_SHORT);
    worker_leaves(worker);
    envelope_fill(told, &edge->tail, ref_word(ctx->actor->self), ref_word(to), here, type, size);
    words_copy(told->record, m, size);
    fifo_push(&ctx->out, told);
    return true;
}

static __attribute__((noinline)) verdict_t
tell_otherwise(actor_ctx_t *ctx, const loaded_edge_t *edge, actor_ref_t to, const void *m)
{
    bool drafted = is_draft(ctx, m);
    uint32_t size = 0;
    actor_t *here = NULL;
    verdict_t verdict = take_place(ctx, edge, to, m, &size, &here);
    void *joined =
        verdict == VERDICT_OK && here == NULL ? joins(ctx, edge, ref_word(to), size) : NULL;
    if (joined != NULL) {
        record_copy(drafted, joined, m, size);
    } else if (verdict == VERDICT_OK) {
        envelope_t *told = envelope_through(&edge->tail, ref_word(ctx->actor->self), ref_word(to),
                                            edge->type, size, size);
        record_copy(drafted, told->record, m, size);
        told->here = here;
        tray_add_one(ctx, ENV_TELL, told);
    }
    return verdict;
}

/* Each apart, so that it saves what it needs itself. */
static __attribute__((noinline)) verdict_t
tell_alone(actor_ctx_t *ctx, const loaded_edge_t *edge, actor_ref_t to, const void *m)
{
    return tells_alone(ctx, edge, to, m) ? VERDICT_OK : tell_otherwise(ctx, edge, to, m);
}
static __attribute__((noinline)) verdict_t
tell_with_others(actor_ctx_t *ctx, const loaded_edge_t *edge, actor_ref_t to, const void *m)
{
    if (ctx->only != NULL) {
        tray_opens(ctx);
    }
    return tells_here(ctx, edge, to, m) ? VERDICT_OK : tell_otherwise(ctx, edge, to, m);
}

static inline __attribute__((always_inline)) verdict_t
tell(actor_ctx_t *ctx, const loaded_edge_t *edge, actor_ref_t to, const void *m)
{
    return ctx->out.head == NULL && ctx->only == NULL ? tell_alone(ctx, edge, to, m)
                                                      : tell_with_others(ctx, edge, to, m);
}

verdict_t
actor_tell(actor_ctx_t *ctx, uint32_t edge_number, actor_ref_t to, const void *m)
{
    return tell(ctx, edge_at(ctx, edge_number), to, m);
}

verdict_t
actor_tell_role(actor_ctx_t *ctx, uint32_t edge_number, const void *m)
{
    const loaded_edge_t *edge = edge_at(ctx, edge_number);
    return tell(ctx, edge, ref_of_word(atomic_load(&edge->target->role)), m);
}

/* ---- ask ---- */

#define DEADLINES_OF_ONE_LOOK                                                                      \
    16u /* asks of one handler that share a look at the clock, 28 ns here */

static int64_t
ask_due(actor_ctx_t *ctx, uint32_t deadline_ms)
{
    if (ctx->deadlines++ % DEADLINES_OF_ONE_LOOK == 0) {
        ctx->deadline_from_ns = actor_now_ns(ctx);
    }
    int64_t wait_ms = deadline_ms == 0 ? ASK_DEADLINE_MS : deadline_ms;
    int64_t due = ctx->deadline_from_ns + wait_ms * NS_PER_MS;
    bool nested = ctx->in_hand != NULL && ctx->in_hand->kind == ENV_ASK;
    int64_t has = nested                 ? envelope_more(ctx->in_hand)->ask.deadline_ns
                  : ctx->serving != NULL ? ctx->serving->request.deadline_ns
                                         : INT64_MAX;
    return has < due ? has : due;
}

/* As take_place, for what is asked some other way than most. */
typedef struct place {
    verdict_t verdict;
    uint32_t size;
    actor_t *here;
} place_t;
static __attribute__((noinline)) place_t
place_otherwise(const actor_ctx_t *ctx, const loaded_edge_t *edge, actor_ref_t to, const void *m)
{
    place_t place = {VERDICT_OK, 0, NULL};
    place.verdict = take_place(ctx, edge, to, m, &place.size, &place.here);
    return place;
}

static __attribute__((noinline)) verdict_t
has_asked_too_much(const actor_ctx_t *ctx, const loaded_edge_t *edge, actor_ref_t to)
{
    verdict_t target = check_target(ctx, edge, to);
    return target == VERDICT_OK ? VERDICT_FULL : target;
}

verdict_t
actor_ask(actor_ctx_t *ctx, uint32_t edge_number, actor_ref_t to, const void *m,
          uint32_t deadline_ms, actor_answer_fn *then, uint64_t tag)
{
    const loaded_edge_t *edge = edge_at(ctx, edge_number);
    actor_t *actor = ctx->actor;
    worker_t *worker = ctx->worker;
    bool call = edge->kind == EDGE_CALL || edge->kind == EDGE_DYNAMIC;
    if (actor->asks_open >= ASKS_OPEN_MAX || (call && actor->calls_open > 0)) {
        return has_asked_too_much(ctx, edge, to);
    }
    if (ctx->only != NULL) {
        tray_opens(ctx);
    }
    open_ask_t *ask = memory_take(sizeof *ask); /* what is in it need not be kept elsewhere */
    ask->then = then;
    ask->tag = tag;
    ask->to = to;
    ask->type = edge->type;
    bool is_short = draft_is_short(ctx, edge->type, m);
    uint32_t size = ctx->drafting.draft.size;
    actor_t *here = is_short && worker_enters_at_once(worker) ? core_here(worker, to) : NULL;
    if (!place_here(here, edge, size)) {
        place_t place = place_otherwise(ctx, edge, to, m);
        if (place.verdict != VERDICT_OK) {
            memory_give(ask, sizeof *ask);
            return place.verdict;
        }
        size = place.size;
        here = place.here;
        worker_enters(worker);
    }
    envelope_t *asked = envelope_through(&edge->tail, ref_word(actor->self), ref_word(to),
                                         edge->type, size, envelope_room(size));
    record_copy(is_short, asked->record, m, size);
    asked->asks = here;
    tray_add_one(ctx, ENV_ASK, asked);
    int64_t due_ns = ask_due(ctx, deadline_ms);
    __asm__("" : "+r"(worker)); /* or addresses in it are kept, on the stack */
    ask_open_inside(worker, actor, ask, due_ns);
    worker_leaves(worker);
    asked->number = ask->id;
    envelope_more_t *more = envelope_more_behind(asked, size);
    more->ask.deadline_ns = due_ns;
    memset(&more->ask.chain.head.asker, 0, sizeof more->ask.chain.head.asker);
    if (call) { /* wait.c looks at it when the handler has returned well */
        ask->call = true;
        actor->calls_open++;
        more->ask.chain = (chain_t){.head = {actor->self, ask->id, due_ns}, .call = true};
    }
    return VERDICT_OK;
}

actor_state_t
actor_role_state(const actor_ctx_t *ctx, uint32_t edge)
{
    const core_t *core = ctx->worker->core;
    actor_ref_t to = ref_of_word(atomic_load(&edge_at(ctx, edge)->target->role));

    return to.index != 0 && cell_holds(core, to)
               ? (actor_state_t) atomic_load(&cell_at(core, to.index)->state)
               : ACTOR_STOPPED;
}

verdict_t
actor_ask_role(actor_ctx_t *ctx, uint32_t edge_number, const void *m, uint32_t deadline_ms,
               actor_answer_fn *then, uint64_t tag)
{
    const loaded_edge_t *edge = edge_at(ctx, edge_number);
    actor_ref_t to = ref_of_word(atomic_load(&edge->target->role));
    return actor_ask(ctx, edge_number, to, m, deadline_ms, then, tag);
}
