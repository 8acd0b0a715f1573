/* tombstone.h - what an agent keeps when its point was removed: it serves nobody any more.
 *
 * Shape    DATA/removed, a sealed text (seal.h) of the point's incarnation. It is one of that point
 *          alone: an agent that joins anew serves another one, and the text means nothing then.
 * Promises durable before it is believed, or said to the site.
 * Costs    a few calls, one of them a sync of the directory.
 * Errors   ERR_DAMAGED, those of the world.
 * Threads  one job, or the program before its host starts.
 */
#pragma once

#include "proto/record.h"
#include "runtime/world.h"

err_t tombstone_write(world_t *world, const char *data, const id128_t *incarnation,
                      fault_t *fault) must_use;
/* Whether there is one for this point. */
err_t tombstone_read(world_t *world, const char *data, const id128_t *incarnation,
                     bool *ret_removed, fault_t *fault) must_use;
