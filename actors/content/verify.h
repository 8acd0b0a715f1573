/* verify.h - holds every byte at a point against the version that should be there.
 *
 * Shape    walks the manifest and the directory side by side.
 * Promises every file is read and hashed; nothing is believed for its mtime, its size or its
 *          receipt. Nothing is written. Paths are relative to ROOT/PACKAGE; `current` is among
 *          them. Of an order to stage only the version itself is looked at, which nothing leads
 *          to yet and whose record is its receipt.
 * Costs    one read of the version at the point; one block and one node a level of memory.
 * Errors   ERR_ABSENT and others of the world, ERR_NOT_STORED (the manifest is not in the store).
 *          A difference is no error: it is the result.
 * Threads  one job.
 */
#pragma once

#include "actors/content/paths.h"
#include "actors/content/place.h"

typedef struct verify_result {
    bool whole;      /* nothing missing, changed, extra; `current` and the receipt agree */
    bool is_current; /* `current` names this version */
    bool has_receipt;
    uint64_t files, bytes; /* read and found equal */
    paths_t paths;
} verify_result_t;

/* The result is to be released, also when it is not whole. */
err_t verify_version(world_t *world, store_t *store, point_t *point, const place_order_t *order,
                     place_progress_fn *progress, void *context, verify_result_t *ret_result,
                     fault_t *fault) must_use;

/* A part of that, for looks that go on over time. */
typedef struct verify_portion {
    const char *from;  /* where the one before ended; NULL or empty: from the beginning */
    uint64_t cost_max; /* bytes read, an entry being at least VERIFY_ENTRY_COST; then it ends */
    uint64_t cost;     /* what it was */
    char *next;        /* where it ended, the caller's to free; NULL: at the end of the version */
} verify_portion_t;

/* As verify_version; whole says that nothing was found in this portion, nor in link and receipt. */
err_t verify_portion(world_t *world, store_t *store, point_t *point, const place_order_t *order,
                     place_progress_fn *progress, void *context, verify_portion_t *portion,
                     verify_result_t *ret_result, fault_t *fault) must_use;
void verify_result_release(verify_result_t *result);
