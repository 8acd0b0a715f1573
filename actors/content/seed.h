/* seed.h - takes what a version lacks from a tree that is there already, on an agent's machine.
 *
 * Shape    the site names a directory; of its files those are read whose size is that of one that
 *          is lacking, and those are put into the agent's store whose digest is, too. DATA/seeds is
 *          the agent's own word on it, a directory a line: with such a file, what is in none of
 *          them is not read, and an empty one forbids all. Without one, what everybody on the
 *          machine may read may be: each directory on the way (but those that lead to the agent's
 *          own ROOT or DATA) and each below, and each file.
 * Promises nothing in the seed is written, no link followed, no mount below it entered. What is in
 *          the store has its digest, whatever happened to the seed meanwhile. What cannot be used
 *          is told, and costs its bytes alone: they are sent.
 * Costs    a stat for each name, one read of each file of a wanted size, a second of what is taken;
 *          16 bytes for each lacking file, at most SEED_WANTED_MAX; the names of one directory a
 *          level.
 * Errors   ERR_ABSENT (it is not there), ERR_PERMISSION (it may not be read), ERR_CONFIG
 *          (DATA/seeds), ERR_CANCELLED, those of the store.
 * Threads  one job; nobody else puts into the store meanwhile.
 */
#pragma once

#include "actors/content/staging.h"
#include "actors/content/store.h"

#define SEED_RULES_BYTES_MAX 65536u /* of DATA/seeds; a longer one is refused (config) */

typedef struct seed_way {
    const char *seed, *data, *root; /* the seed, and the agent's own DATA and ROOT */
    digest_t version;
    void (*beat)(void *context); /* a sign of life, with each name and block; may be NULL */
    void *context;
} seed_way_t;

typedef struct seed_result {
    uint64_t files, bytes; /* that were lacking, and are in the store now */
    uint64_t skipped;      /* names that were not read, or changed while they were */
    fault_t why;           /* of the first of them */
} seed_result_t;

err_t seed_take(world_t *world, store_t *store, staging_t *staging, const seed_way_t *way,
                seed_result_t *ret_result, fault_t *fault) must_use;

/* What the agent's own word allows of a seed: all that it can read, or what everybody may; refused
 * where it allows nothing. */
err_t seed_allowed(world_t *world, const seed_way_t *way, bool *ret_all, fault_t *fault) must_use;
