/* kin_marks.h - which of some old chunks new ones are most like; for kin.c.
 *
 * Shape    marks of a chunk are places whose hash of 32 bytes begins with so many zeros. Those of
 *          the old chunks are noted in a table; then each new one votes by those of its first 256
 *          KiB. Chunks are read one behind the other by the job, and expanded and marked by the
 *          world's hands, PIECES at a time; what comes of them is taken in their order.
 * Promises nothing is held against its digest: who packs against what is found looks. What cannot
 *          be read has no marks.
 * Costs    16 MiB for the table; 2 MiB and 64 KiB for each of 4 pieces.
 * Errors   ERR_NO_MEMORY, ERR_CANCELLED.
 * Threads  one job, and its world's hands while it is in a call.
 * Owner    kin_marks_new -> kin_marks_destroy.
 */
#pragma once

#include "actors/content/store.h"

typedef struct kin_marks kin_marks_t;

typedef struct kin_chunk {
    digest_t chunk;
    uint32_t size, file;
} kin_chunk_t;

/* Some chunks, by their places. */
typedef struct kin_some {
    const kin_chunk_t *row;
    const uint32_t *at;
    size_t count; /* beyond KIN_BYTES_MAX of them none is looked at */
} kin_some_t;

/* For so many old chunks of so many bytes. */
err_t kin_marks_new(store_t *store, size_t olds, uint64_t old_bytes, kin_marks_t **ret_marks,
                    fault_t *fault) must_use;
void kin_marks_destroy(kin_marks_t **marks);
err_t kin_marks_note(kin_marks_t *marks, const kin_some_t *old, fault_t *fault) must_use;
/* Says of each new one that is like an old one, by its place, which that is. */
typedef err_t kin_like_fn(void *context, uint32_t at, uint32_t old);
err_t kin_marks_vote(kin_marks_t *marks, const kin_some_t *now, kin_like_fn *like, void *context,
                     fault_t *fault) must_use;
