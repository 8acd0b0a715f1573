/* kin.h - which chunk of the version before each new chunk is most like.
 *
 * Shape    the large files of two versions. A new chunk that stands beside one that both have takes
 *          the old one's neighbour for its base; for any other, marks are taken of the old chunks
 *          (places whose hash of 32 bytes begins with so many zeros) and the one that has most
 *          marks of the new one's first 256 KiB is its base.
 * Promises a base is a chunk of the version before, no more: whether it saves anything, who
 *          packs against it finds out. What cannot be read has no base and is none.
 * Costs    the lists are read; what has no neighbour in common is read on both sides, at most
 *          KIN_BYTES_MAX of each, and searched by every processor. 25 MiB (kin_marks.h), 40 bytes
 *          for each new chunk.
 *          A browser's new version of 297 MB, recompiled, by pieces of 256 KiB (of every fourth and
 *          eighth, made up to the whole): 114 MB packed alone, 91 MB against one base each, 82 MB
 *          against two; zstd --patch-from over the whole old file gives 101 MB. On the wire to
 *          four agents, all in all: 376 MB. 0.8 CPU seconds for all of it.
 * Errors   ERR_NO_MEMORY, ERR_CANCELLED.
 * Threads  one job.
 * Owner    kin_release.
 */
#pragma once

#include "actors/content/store.h"

typedef struct kin_pair {
    digest_t chunk, base;
} kin_pair_t;

typedef struct kin {
    kin_pair_t *pair; /* rising by chunk */
    size_t count;
} kin_t;

typedef struct kin_files {
    const digest_t *file;
    size_t count;
} kin_files_t;

err_t kin_find(store_t *store, kin_files_t now, kin_files_t before, kin_t *ret_kin,
               fault_t *fault) must_use;
/* The base of a chunk; NULL: none. */
const digest_t *kin_base(const kin_t *kin, const digest_t *chunk);
void kin_release(kin_t *kin);
