/* store_mark.h - which objects of the store live versions reach.
 *
 * Shape    two bits for each entry of the index: set where a root leads, and where it was gone into
 *          as a directory. A file whose list of chunks proved damaged leads nowhere: what may be a
 *          chunk of it is in doubt (store_doubt.c).
 * Promises a node that cannot be read, or an object that is nowhere and of which nobody knows that
 *          it is damaged, ends the marking with an error: who collects removes nothing then.
 * Costs    two bits for each entry; one look into the index for each name of a version.
 * Errors   those of the walk, ERR_NOT_STORED.
 * Threads  one; the store must not merge meanwhile (holds_runs).
 * Owner    marks_init / marks_release.
 */
#pragma once

#include "actors/content/store_inner.h"

#define MARKS_DOUBTS_MAX 64u /* the last one stands for all that are more */

/* A file whose list of chunks proved damaged: what may be a chunk of it. */
typedef struct doubt {
    digest_t file;
    size_t root;          /* which needs it first */
    uint64_t least, most; /* bytes of such a chunk; most 0: each one is known */
} doubt_t;

typedef struct marks {
    store_t *store;
    uint8_t **bits; /* of each run, in two planes */
    size_t runs;
    store_progress_fn *progress;
    void *context;
    uint64_t bytes;           /* gone over */
    uint64_t objects, stored; /* that have a mark; with their heads */
    uint64_t missing;         /* objects that are nowhere */
    bool tolerant;            /* they are only counted */
    size_t root;              /* in whose name marks are set */
    doubt_t doubt[MARKS_DOUBTS_MAX];
    size_t doubts;
    fault_t *fault;
} marks_t;

err_t marks_init(marks_t *marks, store_t *store, store_progress_fn *progress, void *context,
                 fault_t *fault) must_use;
void marks_release(marks_t *marks);
err_t marks_root(marks_t *marks, const digest_t *root) must_use;
bool marks_has(const marks_t *marks, size_t run, uint64_t ordinal);
/* Whether this very entry of a pack is marked; and marks it. */
err_t marks_has_record(marks_t *marks, const run_entry_t *entry, bool *ret_marked) must_use;
err_t marks_record(marks_t *marks, const run_entry_t *entry) must_use;
void marks_clear(marks_t *marks);
/* Marks what a look into the index has found; whether it had no mark. */
bool marks_place(marks_t *marks, const store_place_t *place);

/* Notes a file of so many bytes that is nowhere: if its list proved damaged, what can be read of it
 * leads to chunks, which are marked, and the others are in doubt. */
err_t marks_doubt(marks_t *marks, const digest_t *file, uint64_t bytes) must_use;
/* Marks each object without a mark that may be a chunk of a file in doubt. kept: by root, is added
 * to; NULL: nobody asked. */
err_t marks_doubtful(marks_t *marks, store_kept_t *kept, store_kept_t *ret_held) must_use;
