/* staging.h - what an agent has of objects that are not whole yet, and their way into its store.
 *
 * Shape    DATA/incoming/<hex of the digest>: the first bytes of an object. What comes whole goes
 *          to the store at once. A staging_t is one job's view.
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
} staging_part_t;

err_t staging_open(world_t *world, const char *data, store_t *store, staging_t **ret_staging,
                   fault_t *fault) must_use;
void staging_close(staging_t **staging);
/* Bytes of an object that are there already; 0: none. */
err_t staging_size(staging_t *staging, const digest_t *object, uint64_t *ret_size,
                   fault_t *fault) must_use;
err_t staging_put(staging_t *staging, const staging_part_t *part, fault_t *fault) must_use;
err_t staging_commit(staging_t *staging, fault_t *fault) must_use;
