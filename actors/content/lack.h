/* lack.h - what an agent has to be sent before it can place a version.
 *
 * Shape    goes over the version's nodes as far as they are there, breadth first; each object that
 *          is not in the store is a range, from what is staged of it on. A file of more than
 *          DELTA_BYTES_MAX is asked for by its chunks: first their list, then those that are not in
 *          the store, whatever they came there with; when all are, the file is put by its list.
 * Promises an object is listed once. Nodes come before what they name. Nothing lacking: the version
 *          can be placed from the store.
 *          What proved damaged when it was read, a chunk or a list, comes again; when the list of a
 *          file lied twice, the whole file is asked for. Nothing lacking was found by a look at all
 *          of it, whatever the mark said, or whatever came.
 * Costs    one look at the store for each name of the version and each chunk of a file that is
 *          lacking; from a mark on, those that the ranges are of, and each directory before it is
 *          read; of a manifest that comes level by level, the directories that came. Memory of the
 *          ranges, of one digest for each directory, of a list, and of 16 to 32 bytes for each
 *          object that is lacking, of LACK_NAMES_MAX. Content is not read.
 * Errors   ERR_DIGEST, ERR_DAMAGED (a node in the store), ERR_NO_MEMORY, those of the world.
 * Threads  one job.
 */
#pragma once

#include "actors/content/place_ahead.h"
#include "actors/content/staging.h"
#include "actors/content/transfer.h"

/* Where the look before had come to: all that is named before it was there, or was listed. */
typedef struct lack_mark {
    uint64_t node, entry; /* a directory, in the order in which they are come to, and in it */
    uint64_t rest;        /* bytes that were lacking behind it */
} lack_mark_t;

typedef struct lack {
    transfer_range_t *range; /* at most max */
    uint32_t count, max;
    uint64_t bytes_max;   /* of what is listed; the first range may be longer */
    uint64_t listed;      /* bytes of the ranges */
    uint64_t bytes;       /* of all that is known to be lacking, each object once */
    uint64_t bytes_total; /* of the version's files, when its node is there */
    bool nodes;           /* the manifest alone, and the lists of large files */
    digest_t have;        /* a version that is there: its files are bases of those in their place */
    lack_mark_t mark;     /* given by the look before of the same version, left for the next one */
    const digest_t *came; /* with nodes: what came of what the look before had listed: it goes on */
    uint32_t came_count;  /* there; 0: from the top */
    place_ahead_t *ahead; /* hears where in the tree what is listed belongs; NULL: nobody does */
    uint64_t looks;       /* names that were looked for in the store */
    /* Called for each object that is lacking, with its bytes; 0: that is not known. May be NULL. */
    err_t (*each)(void *context, const digest_t *object, uint64_t size);
    void *context;
} lack_t;

err_t lack_find(store_t *store, staging_t *staging, const digest_t *root, lack_t *lack,
                fault_t *fault) must_use;
