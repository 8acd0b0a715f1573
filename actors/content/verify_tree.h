/* verify_tree.h - holds the tree below one descriptor against a stored version.
 *
 * Shape    the part of verify that placement also needs, for a version in place without receipt.
 * Promises as verify.h; the mode and mtime of the topmost directory are not looked at. It may be
 *          DESCENT_NOWHERE: then all of the version is missing.
 * Threads  one job.
 */
#pragma once

#include "actors/content/manifest.h"
#include "actors/content/paths.h"
#include "actors/content/place.h"

typedef struct verify_tree {
    place_progress_fn *progress; /* may be NULL */
    void *context;
    const char *prefix; /* of the paths told; NULL: none */
    /* what was found: */
    bool is_whole;
    uint64_t files, bytes; /* read and found equal */
    manifest_version_t version;
    paths_t paths; /* initialised by the caller, who releases it */
} verify_tree_t;

err_t verify_tree(world_t *world, store_t *store, int fd, const digest_t *root, verify_tree_t *tree,
                  fault_t *fault) must_use;
