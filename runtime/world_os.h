/* world_os.h - the real machine behind world.h.
 *
 * Shape    one world_t per job, made on the stack of its thread over a cancel flag that others
 *          set.
 * Promises every call looks at the cancel flag first; counts its ordinal when fault points are
 *          armed.
 * Threads  a world_os_t belongs to one thread; the flag may be set from any.
 */
#pragma once
#include <stdatomic.h>
#include "runtime/world.h"

typedef struct world_os {
    world_t world;
    const atomic_bool *cancel; /* may be NULL */
} world_os_t;

/* Fills *os and returns its world. */
world_t *world_os_init(world_os_t *os, const atomic_bool *cancel);
