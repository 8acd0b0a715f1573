/* chunk_inside.h - envelopes that lie one behind the other, as they go from worker to worker.
 *
 * Shape    a head, and then envelopes, each at a multiple of CHUNK_ALIGN. One thread fills it and
 *          gives it away whole; who has received it takes the envelopes in their order. One that
 *          has no room in a chunk is not copied: its chunk, which has nothing else, names it.
 * Promises what was not taken is dropped with the chunk, its resources with it. A worker that was
 *          brought chunks runs what was told in place, so that most messages from elsewhere cost
 *          neither a block of their own nor a place in a lane; it copies all that is left into
 *          lanes when a chunk has been with it for a millisecond, when there are more than
 *          BROUGHT_MAX, when one has more in it than tells of the usual lane, and when somebody
 *          takes the worker over.
 * Costs    CHUNK_BYTES; a thread keeps CHUNKS_KEPT empty ones and fills them again (W3 spread: 160
 *          to 85 ns a message). BROUGHT_MAX of them, and the one in hand, are all the memory that a
 *          worker keeps for what it has. A large message goes from hand to hand: to copy it in and
 *          out at both of its ways took a fifth of what a site spent on sending content.
 * Threads  one at a time has it.
 * Owner    chunk_new -> caller, chunk_free; worker_bring takes it.
 */
#pragma once

#include "runtime/batch_inside.h"
#include "runtime/core_inside.h"

#define CHUNK_BYTES 16384u /* of a chunk; what is larger goes as it is */
#define CHUNK_ALIGN 16u
/* Empty ones, by a thread: 8; a sanitizer is to see each of them freed. */
#define CHUNKS_KEPT (BLOCKS_SHUT ? 0 : BLOCK_BYTES_KEPT / CHUNK_BYTES / 2)
#define BROUGHT_MAX 64u /* chunks that a worker has before it: 1 MiB of the usual ones */

struct chunk {
    chunk_t *next;              /* of those that its worker was brought */
    int64_t came_ns;            /* when it was */
    envelope_t *large;          /* the only one, and not in it */
    uint32_t used, size, taken; /* bytes; size 0: it takes no other */
    uint32_t of_batch;          /* bytes of records taken of the batch at `taken` */
    bool mixed;                 /* it has more than tells of the usual lane */
    bool received;              /* ZeroMQ has handed it over, and does not free it */
    alignas(CHUNK_ALIGN) uint8_t bytes[];
};

static inline uint32_t
chunk_round(size_t bytes)
{
    return (uint32_t) ((bytes + CHUNK_ALIGN - 1) / CHUNK_ALIGN * CHUNK_ALIGN);
}
static inline uint32_t
chunk_bytes_of(const envelope_t *envelope)
{
    return chunk_round(envelope_bytes(envelope));
}
static inline bool
chunk_fits(const chunk_t *chunk, size_t bytes)
{
    return chunk->used + chunk_round(bytes) <= chunk->size;
}
/* One that fits, or that fits into none and is the first; bytes: envelope_bytes of it, which its
 * sender has counted. */
static inline void
chunk_put(chunk_t *chunk, envelope_t *take_envelope, size_t bytes)
{
    if (bytes > CHUNK_BYTES) {
        chunk->large = take_envelope;
        chunk->size = 0;
        chunk->mixed = true;
        return;
    }
    uint8_t *at = chunk->bytes + chunk->used;
    chunk->used += chunk_round(bytes);
    if (take_envelope->kind == ENV_BATCH) {
        memcpy(at, take_envelope, bytes);
        batch_free(take_envelope);
        return;
    }
    if (take_envelope->kind != ENV_TELL || take_envelope->lane != LANE_NORMAL) {
        chunk->mixed = true;
    }
    envelope_pack(take_envelope, at, bytes);
}
static inline bool
chunk_is_empty(const chunk_t *chunk)
{
    return chunk->taken == chunk->used;
}
/* The one that was too large to be in it; NULL: there is none. */
static inline envelope_t *
chunk_take_large(chunk_t *chunk)
{
    envelope_t *large = chunk->large;
    chunk->large = NULL;
    return large;
}
/* The head of the next one; the chunk is not empty. */
static inline const envelope_t *
chunk_first(const chunk_t *chunk)
{
    return (const envelope_t *) (const void *) (chunk->bytes + chunk->taken);
}
/* The next one, where it lies, a batch whole; the chunk is not empty. */
static inline envelope_t *
chunk_next(chunk_t *chunk)
{
    envelope_t *packed = (envelope_t *) (void *) (chunk->bytes + chunk->taken);
    chunk->taken += chunk_bytes_of(packed);
    return packed;
}
/* The next message: where it lies, or by hand when it is one of a batch. anew: the hand was not
 * used for the one before. */
static inline __attribute__((always_inline)) envelope_t *
chunk_message(chunk_t *chunk, told_by_hand_t *hand, bool anew)
{
    envelope_t *packed = (envelope_t *) (void *) (chunk->bytes + chunk->taken);
    if (packed->kind != ENV_BATCH) {
        return chunk_next(chunk);
    }
    if (anew || chunk->of_batch == 0) {
        (void) told_head(hand, packed);
    }
    envelope_t *told = told_record(hand, packed, chunk->of_batch);
    chunk->of_batch += batch_step(told->size);
    if (chunk->of_batch >= packed->size) {
        chunk->of_batch = 0;
        chunk->taken += chunk_bytes_of(packed);
    }
    return told;
}

/* chunk.c */
chunk_t *chunk_new(void);
void chunk_free(chunk_t *take_chunk);
void chunks_thread_ends(void); /* frees those that this thread keeps */
/* The first of those that the worker was brought is empty, and is its caller's. */
void brought_ends(worker_t *worker);
/* All that is left goes into lanes. The chunk of the message in hand stays with it. */
void brought_spill(worker_t *worker);
void brought_free(worker_t *worker);
/* The message in hand as an envelope of its own: who keeps it for longer than the handler. */
envelope_t *brought_own(worker_t *worker);
