/* place_before.h - the chunks of the version that stands at a point, for the one after it.
 *
 * Shape    made for one placement. Of each large file the one of the same path is looked for in the
 *          version in place; chunks that both have are lent to the store, which then reads them
 *          there in place of expanding its own.
 * Promises a help and no more: nothing that stands at the point is believed, for the digest of the
 *          new file decides. What is not there, or not as it should be, is left to the store.
 * Costs    64 KiB and more for the nodes on the way to a file, 48 bytes for each chunk of the one
 *          before (BEFORE_CHUNKS_MAX), two descriptors. An update of 297 MB with 80 edits takes an
 *          agent 0.36 CPU seconds in place of 0.62.
 * Errors   none.
 * Threads  one job.
 * Owner    place_before_new -> place_before_destroy. NULL, which find and destroy take: there is
 *          no version in place.
 */
#pragma once

#include "actors/content/place_inner.h"

place_before_t *place_before_new(const place_job_t *job, const char *package);
void place_before_destroy(place_before_t **before);
/* Whether something may be lent for the file of this path, to which the entry belongs. It ends what
 * was found before, and whatever is being read of the store. */
bool place_before_find(place_before_t *before, const char *path, const tree_entry_t *entry);
/* Lends what was found to the object that was just begun. */
void place_before_lend(place_before_t *before, store_t *store);
