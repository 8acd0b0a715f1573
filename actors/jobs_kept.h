/* jobs_kept.h - an agent's own store is read again, a portion with each portion of its point.
 *
 * Shape    a kept_place is where that goes on; the agent lends it to job_scrub (jobs_point.h). The
 *          store has no row at the site for it: after a restart it goes on at a drawn pack.
 * Promises what proved damaged is set aside, durably, so that it counts as lacking; OK says that
 *          the version that is looked at lacks nothing, as far as was looked.
 * Costs    the bytes of the portion; where anything was set aside, one look for each name of the
 *          version when its reading begins.
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

/* Reads the portion that an order of a scrub asks for; *ret_bytes: that were read. begins: the
 * reading of this version does. */
err_t kept_read(world_t *world, store_t *store, const work_t *work, bool begins,
                kept_place_t *place, uint64_t *ret_bytes, fault_t *fault) must_use;
