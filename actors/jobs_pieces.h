/* jobs_pieces.h - what came of objects, unpacked and put where it belongs.
 *
 * Shape    the pieces of one message, onto a shelf that is open.
 * Promises a delta that does not give an object of its digest is left out and counted: the object
 *          is lacking as before, and is asked for without one. Nothing that a piece says makes it
 *          take more memory than its content may have.
 * Costs    AGENT_DATA_BYTES_MAX for a piece that is packed, DELTA_BYTES_MAX for its base.
 * Errors   ERR_DIGEST (of what is no delta), those of staging.h.
 * Threads  one job.
 */
#pragma once

#include "actors/jobs_shelf.h"

err_t pieces_put(shelf_t *shelf, const agent_data_t *m, uint64_t *ret_bytes,
                 uint64_t *ret_refused) must_use;
