/* store_mark.h - which objects of the store live versions reach.
 *
 * Shape    a bit for each entry of the index, set where a root leads.
 * Promises a node that cannot be read, or an object that is nowhere and of which nobody knows that
 *          it is damaged, ends the marking with an error: who collects removes nothing then.
 * Costs    one bit for each entry; one look into the index for each name of a version.
 * Errors   those of the walk, ERR_NOT_STORED.
 * Threads  one; the store must not merge meanwhile (holds_runs).
 * Owner    marks_init / marks_release.
 */
#pragma once

#include "actors/content/store_inner.h"

typedef struct marks {
    store_t *store;
    uint8_t **bits; /* of each run */
    size_t runs;
    store_progress_fn *progress;
    void *context;
    uint64_t bytes;           /* gone over */
    uint64_t objects, stored; /* that have a mark; with their heads */
    uint64_t missing;         /* objects that are nowhere */
    bool tolerant;            /* they are only counted */
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
