/* out_tray.c - what a handler says: drafts, and the tray that is emptied when it returned well.
 *
 * The place in the receiver's lane is taken when the handler calls; the message leaves at the end
 * of the handler, or never, and then its place is given back.
 */
#include "runtime/inside.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEPT_MAGIC 0x6b657074u

struct kept {
    const record_type_t *type;
    uint32_t size;
    uint32_t magic;
    alignas(16) uint8_t record[];
};

err_t
verdict_err(verdict_t verdict)
{
    switch (verdict) {
    case VERDICT_OK:
        return OK;
    case VERDICT_FULL:
        return ERR_FULL;
    case VERDICT_DOWN:
        return ERR_DOWN;
    case VERDICT_UNDECLARED:
        return ERR_UNDECLARED;
    case VERDICT_TOO_LARGE:
        return ERR_TOO_LARGE;
    }
    return ERR_INTERNAL;
}

void *
actor_draft(actor_ctx_t *ctx, const record_type_t *type)
{
    ctx->drafting.type = type;
    return draft_begin(&ctx->drafting.draft, type);
}

draft_t *
actor_draft_open(actor_ctx_t *ctx)
{
    return &ctx->drafting.draft;
}

text_t
actor_text(actor_ctx_t *ctx, slice_t text)
{
    return draft_text(&ctx->drafting.draft, text);
}

text_t
actor_textf(actor_ctx_t *ctx, const char *format, ...)
{
    char text[TEXT_BYTES_MAX + 1];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return draft_text(&ctx->drafting.draft, slice_of(text));
}

/* ---- records: where m may come from ---- */

static const kept_t *
kept_of(const void *record)
{
    const kept_t *kept =
        (const kept_t *) (const void *) ((const char *) record - offsetof(kept_t, record));
    assert(kept->magic == KEPT_MAGIC &&
           "a record is the draft in hand, the message in hand, or kept");
    return kept;
}

static verdict_t
source_in_hand_or_kept(const actor_ctx_t *ctx, const record_type_t *type, const void *m,
                       uint32_t *ret_size)
{
    const envelope_t *in_hand = ctx->in_hand;
    if (in_hand != NULL && m == in_hand->record) {
        assert(in_hand->type == type && "the message in hand is of the type that is sent");
        *ret_size = in_hand->size;
        return VERDICT_OK;
    }
    const kept_t *kept = kept_of(m);
    assert(kept->type == type && "the kept record is of the type that is sent");
    *ret_size = kept->size;
    return VERDICT_OK;
}

/* The bytes of a record that a handler hands over. */
static inline verdict_t
source(const actor_ctx_t *ctx, const record_type_t *type, const void *m, bool drafted,
       uint32_t *ret_size)
{
    if (!drafted) {
        return source_in_hand_or_kept(ctx, type, m, ret_size);
    }
    assert(ctx->drafting.type == type && "the draft in hand is of the type that is sent");
    *ret_size = ctx->drafting.draft.size;
    return ctx->drafting.draft.full ? VERDICT_TOO_LARGE : VERDICT_OK;
}

verdict_t
record_source(const actor_ctx_t *ctx, const record_type_t *type, const void *m, uint32_t *ret_size)
{
    return source(ctx, type, m, is_draft(ctx, m), ret_size);
}

kept_t *
actor_keep(actor_ctx_t *ctx, const record_type_t *type, const void *m)
{
    uint32_t size = 0;
    verdict_t verdict = record_source(ctx, type, m, &size);
    assert(verdict == VERDICT_OK && "what is kept fitted its draft");
    (void) verdict;
    kept_t *kept = malloc(sizeof *kept + size);
    assert(kept != NULL && "memory for a kept record");
    kept->type = type;
    kept->size = size;
    kept->magic = KEPT_MAGIC;
    memcpy(kept->record, m, size);
    return kept;
}

const void *
kept_record(const kept_t *kept)
{
    return kept->record;
}

void
kept_destroy(kept_t **kept)
{
    if (*kept != NULL) {
        (*kept)->magic = 0;
        free(*kept);
        *kept = NULL;
    }
}

/* ---- the tray ---- */

static inline void
ask_leaves(const actor_ctx_t *ctx, envelope_t *take_ask)
{
    actor_t *here = take_ask->asks;
    take_ask->sent_ns = ctx->now_ns;
    if (here != NULL && here->stage == STAGE_OPEN) {
        lane_push_dated(here, (lane_t) take_ask->lane, take_ask);
    } else {
        core_route(ctx->worker, take_ask);
    }
}

static inline void
leave(actor_ctx_t *ctx, envelope_t *envelope)
{
    if (envelope->kind == ENV_JOB) {
        job_commit(ctx, envelope);
        return;
    }
    if (envelope->kind == ENV_ASK) {
        ask_leaves(ctx, envelope);
        return;
    }
    if (envelope->kind == ENV_REPLY && envelope->mine != NULL) {
        ask_accepted_free(ctx->actor, envelope->mine);
    } else if (envelope->kind == ENV_REPLY) {
        ctx->is_at_once = false;
    }
    envelope->sent_ns = ctx->now_ns;
    core_route(ctx->worker, envelope);
}

void
tray_commit(actor_ctx_t *ctx)
{
    fifo_t out = ctx->out;
    bool spawned = (ctx->out_kinds & 1u << ENV_INIT) != 0;
    ctx->out = (fifo_t){0};
    ctx->out_kinds = 0;
    for (const envelope_t *e = out.head; spawned && e != NULL; e = e->next) {
        if (e->kind == ENV_INIT) { /* all new roles are known before any init runs */
            supervisor_child_leaves(ctx->actor, e->to);
        }
    }
    for (envelope_t *envelope = out.head, *next; envelope != NULL; envelope = next) {
        next = envelope->next;
        if (envelope->kind == ENV_TELL || envelope->kind == ENV_BATCH) {
            tray_tell_leaves(ctx, envelope);
        } else {
            envelope->next = NULL;
            leave(ctx, envelope);
        }
    }
}

void
tray_tell_all(actor_ctx_t *ctx)
{
    envelope_t *told = ctx->out.head;
    ctx->out = (fifo_t){0};
    ctx->out_kinds = 0;
    for (envelope_t *next; told != NULL; told = next) {
        next = told->next;
        tray_tell_leaves(ctx, told);
    }
}

static void
throw_batch_away(worker_t *worker, envelope_t *take_batch)
{
    for (uint32_t left = batch_count(take_batch); left > 0; left--) {
        lease_release(worker, take_batch->to, LANE_NORMAL, take_batch->each);
    }
    batch_free(take_batch);
}

void
tray_abort(actor_ctx_t *ctx)
{
    ctx->out_kinds = 0;
    for (envelope_t *envelope; (envelope = fifo_pop(&ctx->out)) != NULL;) {
        if (envelope->kind == ENV_JOB) {
            job_throw_away(ctx, envelope);
            continue;
        }
        if (envelope->kind == ENV_BATCH) {
            throw_batch_away(ctx->worker, envelope);
            continue;
        }
        if (envelope->reserved) {
            lease_release(ctx->worker, envelope->to, envelope->lane, envelope->size);
        }
        if (envelope->kind == ENV_REPLY && envelope->mine != NULL) {
            ((accepted_t *) envelope->mine)->answered = false;
        }
        if (envelope->kind == ENV_INIT) {
            actor_t *child = atomic_load(&cell_at(ctx->worker->core, envelope->to.index)->actor);
            supervisor_forget(ctx->actor, envelope->to);
            life_release(child);
        }
        if (envelope->kind == ENV_TELL && envelope->quarantined != 0) {
            quarantine_put_back(ctx->worker->core, envelope);
            continue;
        }
        envelope_free(envelope);
    }
}

/* ---- tell and ask ---- */

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
           bool drafted, uint32_t *ret_size, actor_t **ret_here)
{
    worker_t *worker = ctx->worker;
    actor_t *here = worker_enters(worker) ? NULL : core_here(worker, to);
    verdict_t verdict = here == NULL                  ? check_target(ctx, edge, to)
                        : here->class == edge->target ? VERDICT_OK
                                                      : VERDICT_UNDECLARED;
    if (verdict == VERDICT_OK) {
        verdict = source(ctx, edge->type, m, drafted, ret_size);
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

/* m may go the short way of what is said on one worker, and that way is open: the worker is entered
 * then. False: it may be. */
static inline __attribute__((always_inline)) bool
goes_short_way(const actor_ctx_t *ctx, const loaded_edge_t *edge, const void *m)
{
    return draft_is_short(ctx, edge->type, m) && worker_enters_at_once(ctx->worker);
}
/* A place in the lane of who is here, where one is spare. */
static inline __attribute__((always_inline)) bool
place_here(actor_t *here, const loaded_edge_t *edge, uint32_t size)
{
    return here != NULL && here->class == edge->target && spare_takes(here, edge->lane, size);
}

/* Most of what is told is a short draft for one that is here, where a place and a block are at
 * hand. Nothing is called for it, so that little needs to be saved (W1: 49.5 to 41 ns a round trip,
 * W4: 26.4 to 23 a hop). False: nothing was done, but the worker may be entered. */
static inline __attribute__((always_inline)) bool
tells_here(actor_ctx_t *ctx, const loaded_edge_t *edge, actor_ref_t to, const void *m)
{
    uint32_t size = ctx->drafting.draft.size;
    if (!goes_short_way(ctx, edge, m)) {
        return false;
    }
    actor_t *here = core_here(ctx->worker, to);
    envelope_t *told = envelope_at_hand();
    if (told == NULL || !place_here(here, edge, size)) {
        return false;
    }
    envelope_take_at_hand(told);
    worker_leaves(ctx->worker);
    envelope_fill(told, &edge->tail, ref_word(ctx->actor->self), ref_word(to), here, edge->type,
                  size);
    words_copy(told->record, m, size);
    tray_add_one(ctx, ENV_TELL, told);
    return true;
}

static __attribute__((noinline)) verdict_t
tell_otherwise(actor_ctx_t *ctx, const loaded_edge_t *edge, actor_ref_t to, const void *m)
{
    bool drafted = is_draft(ctx, m);
    uint32_t size = 0;
    actor_t *here = NULL;
    verdict_t verdict = take_place(ctx, edge, to, m, drafted, &size, &here);
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

static inline verdict_t
tell(actor_ctx_t *ctx, const loaded_edge_t *edge, actor_ref_t to, const void *m)
{
    return tells_here(ctx, edge, to, m) ? VERDICT_OK : tell_otherwise(ctx, edge, to, m);
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

/* What is asked, in the tray, with its place taken, but not yet with its number and deadline. */
static inline verdict_t
put_question(actor_ctx_t *ctx, const loaded_edge_t *edge, actor_ref_t to, const void *m,
             envelope_t **ret_asked)
{
    bool drafted = is_draft(ctx, m);
    uint32_t size = ctx->drafting.draft.size;
    actor_t *here = goes_short_way(ctx, edge, m) ? core_here(ctx->worker, to) : NULL;
    if (place_here(here, edge, size)) {
        worker_leaves(ctx->worker);
    } else {
        verdict_t verdict = take_place(ctx, edge, to, m, drafted, &size, &here);
        if (verdict != VERDICT_OK) {
            return verdict;
        }
    }
    envelope_t *asked = envelope_through(&edge->tail, ref_word(ctx->actor->self), ref_word(to),
                                         edge->type, size, envelope_room(size));
    record_copy(drafted, asked->record, m, size);
    asked->asks = here;
    tray_add_one(ctx, ENV_ASK, asked);
    *ret_asked = asked;
    return VERDICT_OK;
}

verdict_t
actor_ask(actor_ctx_t *ctx, uint32_t edge_number, actor_ref_t to, const void *m,
          uint32_t deadline_ms, actor_answer_fn *then, uint64_t tag)
{
    const loaded_edge_t *edge = edge_at(ctx, edge_number);
    actor_t *actor = ctx->actor;
    bool call = edge->kind == EDGE_CALL || edge->kind == EDGE_DYNAMIC;
    envelope_t *envelope = NULL;
    if (actor->asks_open >= ASKS_OPEN_MAX || (call && actor->calls_open > 0)) {
        verdict_t target = check_target(ctx, edge, to);
        return target == VERDICT_OK ? VERDICT_FULL : target;
    }
    verdict_t verdict = put_question(ctx, edge, to, m, &envelope);
    if (verdict != VERDICT_OK) {
        return verdict;
    }
    int64_t due_ns = ask_due(ctx, deadline_ms);
    open_ask_t *ask = ask_open(actor, then, tag, due_ns);
    ask->to = to;
    ask->type = edge->type;
    envelope->number = ask->id;
    *envelope_more(envelope) = (envelope_more_t){.ask = {.deadline_ns = due_ns}};
    if (call) { /* wait.c looks at it when the handler has returned well */
        ask->call = true;
        actor->calls_open++;
        envelope_more(envelope)->ask.chain =
            (chain_t){.head = {actor->self, ask->id, due_ns}, .call = true};
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
