/* world_os_run.h - a program of the real machine, run by a job; see world_run in world.h.
 *
 * Promises the child has none of our descriptors, signals or words; it dies with this thread, and
 *          so with the process. Between fork and exec are calls alone that are safe there.
 * Costs    one fork of the process; a look each 50 ms.
 * Errors   -errno of what kept it from its beginning; -ECANCELED: it was killed.
 * Threads  any number of jobs at a time.
 */
#pragma once
#include "runtime/world.h"

int world_os_run(world_t *world, const world_program_t *program, world_ended_t *ret);
