/* jobs_kept.h - an agent's own store is read again, a portion with each portion of its point.
 *
 * Shape    a kept_place is where that goes on; the agent lends it to job_scrub (jobs_point.h). The
 *          store has no row at the site for it: after a restart it goes on at a drawn pack.
 * Promises what proved damaged is set aside, durably, so that it counts as lacking; OK says that
 *          the version that is looked at lacks nothing, as far as was looked. An index that is
 *          damaged is made anew.
 * Costs    the bytes of the portion; when the reading of a version begins, 66 bytes for each object
 *          of the store, and where anything was set aside one look for each name of the version.
 * Errors   ERR_DIGEST: the version lacks something, or a node of it is damaged. It can be placed
 *          again with what is fetched for it. Those of the world.
 * Threads  one job; nobody else puts.
 */
#pragma once

#include "actors/content/store.h"
#include "proto/messages.h"

typedef struct kept_place {
    uint64_t pack, offset; /* as store_scrub has them */
} kept_place_t;

typedef struct kept_found {
    uint64_t bytes;   /* that were read */
    uint64_t indexed; /* objects that the index has again; 0: it was right */
} kept_found_t;
/* Reads the portion that an order of a scrub asks for. begins: the reading of this version does,
 * and all of the store's index is read. */
err_t kept_read(world_t *world, store_t *store, const work_t *work, bool begins,
                kept_place_t *place, kept_found_t *ret_found, fault_t *fault) must_use;
