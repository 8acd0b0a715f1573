/* clear.h - removes what is ours alone: staging trees, whatever is in them.
 *
 * Shape    rm -r by descriptors, beneath one directory and on its file system.
 * Promises links are removed, not followed; directories that their mode closes are opened first.
 * Costs    one listing a level.
 * Errors   those of the world; a name that is not there is OK.
 * Threads  one.
 */
#pragma once

#include "runtime/world.h"

/* Removes dir/name, a file, link or whole tree. */
err_t clear_name(world_t *world, int dir, const char *name, fault_t *fault) must_use;
/* Removes all that is in the directory dir/name, not itself. */
err_t clear_inside(world_t *world, int dir, const char *name, fault_t *fault) must_use;
