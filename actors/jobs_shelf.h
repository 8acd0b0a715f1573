/* jobs_shelf.h - an agent's store and what is staged beside it, as its jobs open them.
 *
 * Shape    a shelf is zeroed, opened, closed; closing one that was not opened does nothing.
 * Promises those of store.h and staging.h.
 * Costs    those of opening a store.
 * Errors   ERR_NAME_TOO_LONG, those of the store and the world.
 * Threads  one job.
 */
#pragma once

#include "actors/content/place_ahead.h"
#include "actors/content/staging.h"
#include "proto/messages.h"
#include "runtime/actor.h"

typedef struct shelf {
    store_t *store;
    staging_t *staging;
    place_ahead_t *ahead; /* of the version that is on its way; borrowed, or NULL */
    fault_t fault;
} shelf_t;

err_t shelf_open(shelf_t *shelf, world_t *world, slice_t data) must_use;
void shelf_close(shelf_t *shelf);
/* What is full is the agent's disk, not the site's; of the fault, too. */
err_t shelf_err(shelf_t *shelf, err_t err);
/* A fault, as a text of the job's answer. */
text_t shelf_text(job_t *job, const fault_t *fault);
