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

verdict_t
record_source_else(const actor_ctx_t *ctx, const record_type_t *type, const void *m,
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

/* Of one that was taken over nothing leaves, and its neighbours are not its own any more. */
void
tray_opens(actor_ctx_t *ctx)
{
    envelope_t *only = ctx->only;
    ctx->only = NULL;
    if (!worker_enters(ctx->worker)) {
        told_takes_place(only);
    }
    worker_leaves(ctx->worker);
    fifo_push(&ctx->out, only);
}

static inline void
ask_leaves(const actor_ctx_t *ctx, envelope_t *take_ask)
{
    actor_t *here = take_ask->asks;
    take_ask->sent_ns = ctx->now_ns;
    if (here != NULL && here->stage == STAGE_OPEN && take_ask->lane == LANE_NORMAL) {
        lane_push_here(ctx->worker, here, LANE_NORMAL, take_ask);
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

void
tray_tell_only(actor_ctx_t *ctx)
{
    envelope_t *only = ctx->only;
    ctx->only = NULL;
    told_takes_place(only);
    if (only->here->worker != ctx->worker) { /* it is to begin, and was the last one's */
        only->here = NULL;
    }
    tray_tell_leaves(ctx, only);
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
    if (ctx->only != NULL) {
        fifo_push(&ctx->out, ctx->only);
        ctx->only = NULL;
    }
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
