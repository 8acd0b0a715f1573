/* worker_inside.h - what the files of the workers' threads share; nobody else includes it.
 *
 * Shape    a seat is one worker's thread with its mailbox; threads_t has them all, the outlet of
 *          each thread that sends, the pool of job threads and the watchdog.
 * Threads  a seat belongs to its own thread; of the rest, what is atomic is shared.
 */
#pragma once

#include <pthread.h>

#include "runtime/inside.h"
#include "runtime/job_pool.h"
#include "runtime/mailbox.h"
#include "runtime/worker_threads.h"

#define OUTLETS_MAX (WORKERS_MAX + CORE_OUTSIDERS)

typedef struct seat {
    threads_t *threads;
    uint32_t index;
    pthread_t thread;
    mailbox_t *mailbox;
    link_t *link; /* NULL: none */
    uint64_t chance;
    uint32_t sleeps, lost; /* of spins in a row */
    _Atomic bool ended;
} seat_t;

struct threads {
    executor_t executor;
    core_t *core;
    mail_t *mail;
    uint32_t workers, job_threads, link_count;
    link_t *link[LINKS_MAX];
    seat_t seat[WORKERS_MAX];
    outlet_t *outlet[OUTLETS_MAX];
    job_pool_t *jobs;
    pthread_t watchdog;
    bool running, spins; /* spins: there is another processor that could ring meanwhile */
    _Atomic bool stopping, watchdog_ended;
    _Atomic uint32_t threads_running;
    int wake; /* eventfd: a stop was signalled, or something changed */
    _Atomic bool stop_signalled;
    const char *stop_to;
    int64_t stop_due_ns; /* 0: nobody was told yet */
};

int64_t seat_now_ns(void *unused);     /* monotonic */
void threads_ring(threads_t *threads); /* who waits for the host looks again */
/* The bodies of the threads; context: the seat, and threads_t. */
void *seat_main(void *seat);
void *watchdog_main(void *threads);
