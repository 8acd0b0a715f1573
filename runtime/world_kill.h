/* world_kill.h - where the process kills itself for a kill test.
 *
 * Shape    two counters of the process: its disk-changing calls, and its passings of named points.
 * Promises armed by the environment only, and only in a build with FAULT_POINTS:
 *            DESPOOL_KILL_AT=N          SIGKILL at the N-th disk-changing call (syncs count as
 *                                       such), before it takes effect when N is odd, after it
 *                                       when N is even, and of a write when half of it is
 *                                       written; N is counted from 1
 *            DESPOOL_KILL_POINT=name:N  SIGKILL at the N-th passing of the point `name`
 *            DESPOOL_KILL_FILE=path     both from outside, while the process runs: the file is a
 *                                       world_kill_t, mapped; who shares it reads how many calls
 *                                       were made and writes at which one to end
 *          A value that is not of this form ends the process with a message: a kill test that
 *          never kills must not look like one that passed. Otherwise everything here is empty.
 * Costs    one atomic add for each call in such a build, nothing in others.
 * Errors   none.
 * Threads  any.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef FAULT_POINTS
#include <stdatomic.h>

typedef struct world_kill {
    atomic_uint_fast64_t calls;    /* disk-changing ones, so far */
    atomic_uint_fast64_t kill_at;  /* 0: not armed */
    atomic_uint_fast64_t passed;   /* of the named point, since it was armed */
    atomic_uint_fast64_t point_at; /* 0: not armed; written after the name, which is not atomic */
    char point[64];                /* ends with a NUL */
} world_kill_t;

/* Counts a disk-changing call that is about to be made; returns its ordinal. */
uint64_t world_kill_before(void);
/* How much of a write with that ordinal is to be written: a log that is written by one call for a
 * commit was never cut else. */
size_t world_kill_part(uint64_t ordinal, size_t size);
/* The call with that ordinal has returned. */
void world_kill_after(uint64_t ordinal);
void world_kill_point(const char *name);
#else
static inline uint64_t
world_kill_before(void)
{
    return 0;
}

static inline size_t
world_kill_part(uint64_t ordinal, size_t size)
{
    (void) ordinal;
    return size;
}

static inline void
world_kill_after(uint64_t ordinal)
{
    (void) ordinal;
}

static inline void
world_kill_point(const char *name)
{
    (void) name;
}
#endif
