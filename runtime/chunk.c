/* chunk.c - chunks, and those that a worker was brought. */
#include "runtime/inside.h"

#include <assert.h>
#include <stdlib.h>

/* Who sends is mostly answered, so that the chunks which a thread was brought are those it fills
 * next. Given back to malloc by another thread than took them, they cost its lock, and pages that
 * came and went. */
static _Thread_local struct {
    chunk_t *first;
    uint32_t count;
} kept;

static chunk_t *
chunk_take(void)
{
    chunk_t *chunk = kept.first;
    if (chunk != NULL) {
        kept.first = chunk->next;
        kept.count--;
        return chunk;
    }
    size_t whole =
        sizeof(chunk_t) + CHUNK_BYTES + ENVELOPE_SHORT; /* a short one is copied longer */
    chunk = aligned_alloc(CHUNK_ALIGN, (whole + CHUNK_ALIGN - 1) / CHUNK_ALIGN * CHUNK_ALIGN);
    assert(chunk != NULL && "memory for messages");
    return chunk;
}

chunk_t *
chunk_new(void)
{
    chunk_t *chunk = chunk_take();
    *chunk = (chunk_t){.size = CHUNK_BYTES};
    return chunk;
}

void
chunk_free(chunk_t *take_chunk)
{
    while (!chunk_is_empty(take_chunk)) {
        envelope_drop_packed(chunk_next(take_chunk));
    }
    envelope_free(take_chunk->large);
    if (kept.count + 1 <= CHUNKS_KEPT) {
        take_chunk->next = kept.first;
        kept.first = take_chunk;
        kept.count++;
        return;
    }
    free(take_chunk);
}

void
chunks_thread_ends(void)
{
    while (kept.count > 0) {
        free(chunk_take());
    }
}

/* ---- those that a worker was brought ---- */

void
brought_ends(worker_t *worker)
{
    worker->brought = worker->brought->next;
    if (--worker->brought_count == 0) {
        worker->ready_lanes &= ~READY_BROUGHT;
    }
}

static void
unpack(worker_t *worker, chunk_t *chunk)
{
    told_by_hand_t hand;
    while (!chunk_is_empty(chunk)) {
        worker_deliver(worker, envelope_unpack(chunk_message(chunk, &hand, true)));
    }
    envelope_t *large = chunk_take_large(chunk);
    if (large != NULL) {
        worker_deliver(worker, large);
    }
}

void
brought_spill(worker_t *worker)
{
    while (worker->brought_count > 0) {
        chunk_t *chunk = worker->brought;
        brought_ends(worker);
        unpack(worker, chunk);
        if (chunk != worker->hand_chunk) {
            chunk_free(chunk);
        }
    }
}

/* Small ones are put together, so that BROUGHT_MAX of them are not reached with a few messages in
 * each, and all unpacked for it (W3 spread: 39 to 30 ns a message). Nothing joins the one that is
 * being emptied: what is in it would seem to have waited for as long as the first of it. */
static bool
joins_last(worker_t *worker, chunk_t *take_chunk)
{
    chunk_t *last = worker->brought_last;
    if (worker->brought_count < 2 || take_chunk->used > take_chunk->size / 4 ||
        !chunk_fits(last, take_chunk->used)) {
        return false;
    }
    memcpy(last->bytes + last->used, take_chunk->bytes, take_chunk->used);
    last->used += take_chunk->used;
    chunk_free(take_chunk);
    return true;
}

void
worker_bring(worker_t *worker, chunk_t *take_chunk)
{
    bool mixed = take_chunk->mixed || worker->core->fresh_messages;
    if (mixed || worker->brought_count >= BROUGHT_MAX) {
        brought_spill(worker);
    }
    if (mixed) {
        unpack(worker, take_chunk);
        chunk_free(take_chunk);
        return;
    }
    if (joins_last(worker, take_chunk)) {
        return;
    }
    take_chunk->came_ns = worker->ctx.now_ns;
    if (worker->brought_count++ == 0) {
        worker->brought = take_chunk;
        worker->ready_lanes |= READY_BROUGHT;
    } else {
        worker->brought_last->next = take_chunk;
    }
    worker->brought_last = take_chunk;
}

void
brought_free(worker_t *worker)
{
    while (worker->brought_count > 0) {
        chunk_t *chunk = worker->brought;
        brought_ends(worker);
        chunk_free(chunk);
    }
}

envelope_t *
brought_own(worker_t *worker)
{
    envelope_t *in_hand = worker->ctx.in_hand;
    if (worker->hand_chunk != NULL && in_hand != NULL) {
        in_hand = envelope_unpack(in_hand);
        worker->ctx.in_hand = in_hand;
        worker->hand_chunk = NULL;
    }
    if (in_hand != NULL && in_hand->kind == ENV_TELL) {
        in_hand->number = 0; /* on hand it named its receiver, and was not dated */
        in_hand->sent_ns = in_hand->sent_ns == 0 ? worker->ctx.now_ns : in_hand->sent_ns;
        in_hand->reserved = false; /* its place was given back when it was taken */
    }
    return in_hand;
}
