/* lack_before.h - what stood in the version before in the place of something; for lack.c
 * and place_before.c.
 *
 * Shape    the names of an old directory, gone over beside those of the new one, in rising order.
 * Promises what cannot be read is no base; whoever needs it will say so.
 * Costs    one directory's node in memory.
 * Errors   none.
 * Threads  one job.
 * Owner    lack_before_begin -> free(node).
 */
#pragma once

#include "actors/content/manifest.h"
#include "actors/content/store.h"

typedef struct lack_before {
    void *node; /* NULL: there is none */
    manifest_cursor_t cursor;
    tree_entry_t entry;
    bool more;
} lack_before_t;

void lack_before_begin(store_t *store, const digest_t *old, lack_before_t *ret);
/* What was there under this name, if it was of this kind; else no digest. */
const digest_t *lack_before_of(lack_before_t *before, const tree_entry_t *entry);
/* The topmost directory of a version, as far as that is there. */
digest_t lack_before_top(store_t *store, const digest_t *have);
