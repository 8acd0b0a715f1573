/* job_cond.h - a condition whose waits end by the clock that never jumps.
 *
 * Shape    cond_init_monotonic, in place of pthread_cond_init.
 * Threads  as pthread_cond_init.
 */
#pragma once

#include <pthread.h>
#include <time.h>

static inline void
cond_init_monotonic(pthread_cond_t *cond)
{
    pthread_condattr_t monotonic;

    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &monotonic);
    pthread_condattr_destroy(&monotonic);
}
