/* verify_tree.h - holds the tree below one descriptor against a stored version.
 *
 * Shape    the part of verify that placement also needs, for a version in place without receipt.
 * Promises as verify.h; the mode and mtime of the topmost directory are not looked at. It may be
 *          DESCENT_NOWHERE: then all of the version is missing. Portions that follow each other
 *          from the beginning to the end look at all that a whole look does; one that ends within a
 *          directory leaves what stands there behind its end to the next.
 * Threads  one job.
 */
#pragma once

#include "actors/content/manifest.h"
#include "actors/content/paths.h"
#include "actors/content/place.h"

#define VERIFY_ENTRY_COST 4096u /* bytes: a look at a name, whatever stands behind it */

typedef struct verify_tree {
    place_progress_fn *progress; /* may be NULL */
    void *context;
    const char *prefix; /* of the paths told; NULL: none */
    const char *from;   /* where an earlier portion ended; NULL: from the beginning */
    bool read_only;     /* it was placed so, see receipt.h */
    uint64_t cost_max;  /* bytes read, after which the portion ends; 0: it has no end */
    /* what was found: */
    bool is_whole;
    uint64_t files, bytes; /* read and found equal */
    uint64_t cost;         /* bytes read, an entry being at least VERIFY_ENTRY_COST */
    char *next;            /* where the portion ended, malloc'd: the caller's; NULL: at the end */
    manifest_version_t version;
    paths_t paths; /* initialised by the caller, who releases it */
} verify_tree_t;

err_t verify_tree(world_t *world, store_t *store, int fd, const digest_t *root, verify_tree_t *tree,
                  fault_t *fault) must_use;
