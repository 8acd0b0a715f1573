/* staging.h - what an agent has of objects that are not whole yet, and their way into its store.
 *
 * Shape    DATA/incoming/<hex of the digest>: the first bytes of an object. What comes whole goes
 *          to the store at once. <hex>.list: the list of the chunks of a large one, each of which
 *          comes as an object of its own. A staging_t is one job's view.
 * Promises staging_size is what need not be sent again. After staging_commit returned OK all that
 *          was put is durable; before, nothing was promised. An object has a name in the store only
 *          when its bytes had its digest.
 * Costs    a part is written once when it comes, and once more when the object is whole.
 * Errors   ERR_DIGEST (what was staged is thrown away, and comes again), ERR_BAD_VALUE (a part that
 *          leaves a gap), ERR_SITE_FULL, those of the world.
 * Threads  one job at a time.
 * Owner    who opened it closes it; the store is borrowed.
 */
#pragma once

#include "actors/content/hash.h"
#include "actors/content/store.h"

typedef struct staging staging_t;

typedef struct staging_part {
    digest_t object;
    uint64_t from, total; /* bytes; total: of the whole object */
    slice_t bytes;
    slice_t packed; /* of a whole object: what zstd made of it; none: it did not come so */
    bool delta;     /* it came against another, which took most of the work of packing it */
} staging_part_t;

/* What is there of the list of an object's chunks. */
typedef struct staging_list {
    bool known;    /* all of it, or that there is none to be had */
    uint8_t *rows; /* of pack.h; the caller frees them */
    size_t size;   /* bytes; 0: the object is fetched as a whole */
} staging_list_t;

err_t staging_open(world_t *world, const char *data, store_t *store, staging_t **ret_staging,
                   fault_t *fault) must_use;
void staging_close(staging_t **staging);
/* Bytes of an object that are there already; 0: none. */
err_t staging_size(staging_t *staging, const digest_t *object, uint64_t *ret_size,
                   fault_t *fault) must_use;
err_t staging_put(staging_t *staging, const staging_part_t *part, fault_t *fault) must_use;
/* A list is believed when it is whole; what its chunks come to, the object's digest decides. */
err_t staging_list(staging_t *staging, const digest_t *object, staging_list_t *ret_list,
                   fault_t *fault) must_use;
/* A part of it; total 0: there is no list. A first part begins it anew. */
err_t staging_put_list(staging_t *staging, const staging_part_t *part, fault_t *fault) must_use;
/* It was no good: the object is fetched as a whole. */
err_t staging_refuse_list(staging_t *staging, const digest_t *object, fault_t *fault) must_use;
/* The object is in the store, durably. */
err_t staging_end_list(staging_t *staging, const digest_t *object, fault_t *fault) must_use;
err_t staging_commit(staging_t *staging, fault_t *fault) must_use;
