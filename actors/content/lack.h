/* lack.h - what an agent has to be sent before it can place a version.
 *
 * Shape    goes over the version's nodes as far as they are there, breadth first; each object that
 *          is not in the store is a range, from what is staged of it on.
 * Promises an object is listed once. Nodes come before what they name. Nothing lacking: the version
 *          can be placed from the store.
 * Costs    one look at the store for each name of the version; memory of the ranges, of one
 *          digest for each directory, and of 16 to 32 bytes for each object that is lacking.
 * Errors   ERR_DIGEST, ERR_DAMAGED (a node in the store), ERR_NO_MEMORY, those of the world.
 * Threads  one job.
 */
#pragma once

#include "actors/content/staging.h"
#include "actors/content/transfer.h"

typedef struct lack {
    transfer_range_t *range; /* at most max */
    uint32_t count, max;
    uint64_t bytes_max;   /* of what is listed; the first range may be longer */
    uint64_t listed;      /* bytes of the ranges */
    uint64_t bytes;       /* of all that is known to be lacking, each object once */
    uint64_t bytes_total; /* of the version's files, when its node is there */
    bool nodes;           /* the manifest alone */
    digest_t have;        /* a version that is there: its files are bases of those in their place */
    /* Called for each object that is lacking, with its bytes; 0: that is not known. May be NULL. */
    err_t (*each)(void *context, const digest_t *object, uint64_t size);
    void *context;
} lack_t;

err_t lack_find(store_t *store, staging_t *staging, const digest_t *root, lack_t *lack,
                fault_t *fault) must_use;
