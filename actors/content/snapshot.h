/* snapshot.h - takes a source directory into the store as one version.
 *
 * Shape    reads the source once, level by level through descriptors, never following a link.
 * Promises after OK every byte and node of the version is durable in the store, and the source is
 *          never opened again. A source that changed while it was read (size, mtime, ctime or inode
 *          of a file or a directory) is refused with its path; nothing half-read has a root. The
 *          same tree gives the same root.
 * Costs    one read of every file; memory of one sorted
 *          listing and one node for each level; at most about 50 descriptors.
 * Errors   ERR_NO_SOURCE, ERR_SOURCE_CHANGED, ERR_UNSUPPORTED, ERR_LINK_OUTSIDE, ERR_PERMISSION,
 *          ERR_NAME_TOO_LONG (deeper than TREE_DEPTH_MAX), ERR_TOO_LARGE (a directory of more than
 *          DIRECTORY_BYTES_MAX, with its names, what it needs, and that), ERR_SITE_FULL,
 *          ERR_CANCELLED, ERR_IO.
 * Threads  one job.
 */
#pragma once

#include "actors/content/fold.h"
#include "actors/content/manifest.h"
#include "actors/content/store.h"

typedef struct snapshot {
    digest_t root;
    uint64_t files, directories, links; /* without the root directory */
    uint64_t bytes;                     /* of all files */
    uint64_t unique_bytes;              /* of objects that were new to the store, manifest too */
    uint64_t stored_bytes;              /* what those take in it */
    uint64_t files_with_attributes;     /* files and directories whose ACLs, xattrs or
                                           capabilities are not carried */
    fold_clashes_t clashes;             /* names that differ from another one only in case */
} snapshot_t;

typedef struct snapshot_rules {
    const char *const *excludes; /* see tree_is_excluded; an excluded directory is not entered */
    size_t exclude_count;
    bool links_inside; /* a symbolic link that leads out of the tree is ERR_LINK_OUTSIDE */
} snapshot_rules_t;

/* Called now and then, at most once a file or block. */
typedef void snapshot_progress_fn(void *context, uint64_t files, uint64_t bytes);

/* Whether the source is a directory that can be read now. */
err_t snapshot_look(world_t *world, const char *source, fault_t *fault) must_use;
/* progress may be NULL. Into a dry store it reads everything and writes nothing: the root is the
 * one that a real run would have. rules NULL: all that is there. */
err_t snapshot_take(world_t *world, store_t *store, const char *source,
                    const snapshot_rules_t *rules, snapshot_progress_fn *progress, void *context,
                    snapshot_t *ret_snapshot, fault_t *fault) must_use;
