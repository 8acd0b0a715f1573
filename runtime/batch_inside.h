/* batch_inside.h - what one handler tells one actor elsewhere, time and again, under one head.
 *
 * Shape    an envelope of its own kind in the out-tray and in chunks: the head of the first of its
 *          messages, and then their records, each at a multiple of 8 bytes. `each` is the size of
 *          one, `size` of all. A tell joins the last of the tray when that is for the same actor,
 *          of the same type and size; one that is alone stays an envelope.
 * Promises each message has taken its own place in the receiver's lane, is given back with its
 *          handler's failure, and is delivered, counted and refused by itself: no handler, lane or
 *          figure knows of batches. Only what crosses workers is told this way: by threads, and in
 *          runs of the simulator that have rounds.
 * Costs    BATCH_BLOCK bytes of memory. A message of 3 ints takes 16 bytes of its chunk for 80
 *          (W2 across: 11.7 to 27.0 million a second).
 * Threads  that of the worker which has it.
 * Owner    batch_begin -> the tray; who packs it frees it (batch_free).
 */
#pragma once

#include "runtime/cell_inside.h"

#define BATCH_BLOCK  1016u /* bytes: the largest block that threads keep */
#define BATCH_RECORD 64u   /* bytes of a record, at most */
#define BATCH_BYTES  (BATCH_BLOCK - (uint32_t) sizeof(envelope_t))

static inline uint32_t
batch_step(uint32_t size)
{
    return (size + 7) & ~7u;
}

/* Whether one that is told after `last`, in the same handler, to `to`, can be in one batch with
 * it. */
static inline bool
batch_follows(const envelope_t *last, const loaded_edge_t *edge, uint64_t to)
{
    return ref_word(last->to) == to && last->type == edge->type && last->lane == LANE_NORMAL &&
           (last->kind == ENV_TELL || last->kind == ENV_BATCH);
}
static inline bool
batch_fits(const envelope_t *last, uint32_t size)
{
    return last->kind == ENV_BATCH && last->each == size &&
           last->size + batch_step(size) <= BATCH_BYTES;
}

/* Through the edge from `from` to `to`, as words; nothing is in it yet. */
static inline envelope_t *
batch_begin(const loaded_edge_t *edge, uint64_t from, uint64_t to, uint32_t each)
{
    envelope_t *batch = memory_take(BATCH_BLOCK); /* as batch_free gives it back */
    envelope_fill(batch, &edge->tail, from, to, NULL, edge->type, 0);
    batch->kind = ENV_BATCH;
    batch->each = (uint16_t) each;
    return batch;
}
/* Where the next record goes. */
static inline void *
batch_add(envelope_t *batch)
{
    void *record = batch->record + batch->size;
    batch->size += batch_step(batch->each);
    return record;
}
static inline uint32_t
batch_count(const envelope_t *batch)
{
    return batch->size / batch_step(batch->each);
}
static inline void
batch_free(envelope_t *take_batch)
{
    memory_give(take_batch, BATCH_BLOCK);
}

/* ---- its messages, one by one ---- */

/* Room for any one of them. */
typedef union told_by_hand {
    uint64_t word[(sizeof(envelope_t) + BATCH_RECORD) / sizeof(uint64_t)];
    alignas(16) uint8_t bytes[sizeof(envelope_t) + BATCH_RECORD];
} told_by_hand_t;

static inline envelope_t *
told_head(told_by_hand_t *hand, const envelope_t *batch)
{
    envelope_t *told = (envelope_t *) (void *) hand->bytes;
    memcpy(told, batch, sizeof *told);
    told->kind = ENV_TELL;
    told->size = batch->each;
    told->err = OK;
    return told;
}
/* The one whose record is so many bytes behind the head; what `hand` has of the head is kept. */
static inline envelope_t *
told_record(told_by_hand_t *hand, const envelope_t *batch, uint32_t at)
{
    envelope_t *told = (envelope_t *) (void *) hand->bytes;
    words_copy(told->record, batch->record + at, told->size);
    return told;
}
