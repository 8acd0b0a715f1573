/* job_cond.h - a condition whose waits end by the clock that never jumps.
 *
 * Shape    cond_init_monotonic, in place of pthread_cond_init; cond_now_ns, and cond_at for
 *          pthread_cond_timedwait.
 * Threads  as pthread_cond_init.
 */
#pragma once

#include <pthread.h>
#include <stdint.h>
#include <time.h>

#define COND_S_NS INT64_C(1000000000)

static inline void
cond_init_monotonic(pthread_cond_t *cond)
{
    pthread_condattr_t monotonic;

    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

static inline int64_t
cond_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * COND_S_NS + now.tv_nsec;
}

static inline struct timespec
cond_at(int64_t ns)
{
    return (struct timespec){.tv_sec = ns / COND_S_NS, .tv_nsec = ns % COND_S_NS};
}
