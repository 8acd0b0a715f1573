/* worker_inside.h - what the files of the workers' threads share; nobody else includes it.
 *
 * Shape    a seat is one worker's thread with its mailbox; threads_t has them all, the outlet of
 *          each thread that sends, the pool of job threads and the watchdog. A thread whose handler
 *          does not return loses its seat to another one (takeover_inside.h).
 * Threads  a seat belongs to its own thread; of the rest, what is atomic is shared.
 */
#pragma once

#include <pthread.h>
#include <semaphore.h>

#include "runtime/inside.h"
#include "runtime/job_pool.h"
#include "runtime/mailbox.h"
#include "runtime/worker_threads.h"

#define OUTLETS_MAX (WORKERS_MAX + CORE_OUTSIDERS)

/* Whether others want this thread's processor, as of some spins ago. */
typedef struct crowd {
    int64_t looked_ns, until_ns; /* until_ns: no spinning before */
    int64_t rest_ns;             /* the last time without spinning; 0: there was room since */
    int64_t queued_ns;           /* that it was ready and was not let, at the last look */
} crowd_t;

typedef struct seat {
    threads_t *threads;
    uint32_t index;
    pthread_t thread;
    _Atomic pid_t tid; /* of it, for the system's figures; 0: it has not begun */
    mailbox_t *mailbox;
    link_t *link;          /* NULL: none */
    uint32_t sleeps, lost; /* of spins in a row */
    uint32_t spins;
    crowd_t crowd;
    _Atomic bool ended;
} seat_t;

/* One that lost its seat, and who has it now. Made by the watchdog. */
typedef struct relief {
    threads_t *threads;
    uint32_t seat;
    bool won;                   /* the new thread has the seat */
    sem_t go;                   /* the new thread may look at won */
    pthread_t stuck;            /* the old thread */
    _Atomic(worker_t *) worker; /* what the old thread still has; NULL: nobody lost this seat */
    outlet_t *outlet;           /* of the old thread */
    _Atomic bool back;          /* it has handed its worker back, and is ending */
} relief_t;

struct threads {
    executor_t executor;
    core_t *core;
    mail_t *mail;
    uint32_t workers, job_threads, link_count;
    link_t *link[LINKS_MAX];
    seat_t seat[WORKERS_MAX];
    relief_t relief[TAKEOVERS_MAX];
    bool may_relieve; /* the system has the fence that it takes */
    outlet_t *outlet[OUTLETS_MAX];
    job_pool_t *jobs;
    pthread_t watchdog;
    bool running, spins; /* spins: there is another processor that could ring meanwhile */
    _Atomic bool stopping, watchdog_ended;
    _Atomic uint32_t states_awaited; /* by so many that wait for all to be ready */
    _Atomic uint32_t threads_running;
    int wake; /* eventfd: a stop was signalled, or something changed */
    _Atomic bool stop_signalled;
    const char *stop_to;
    int64_t stop_due_ns; /* 0: nobody was told yet */
};

int64_t seat_now_ns(void *unused);     /* monotonic */
void seat_nap(uint32_t ms);            /* of the watchdog, less than a second; a signal ends it */
void threads_ring(threads_t *threads); /* who waits for the host looks again */
/* The bodies of the threads; context: the seat, and threads_t. */
void *seat_main(void *seat);
void *watchdog_main(void *threads);
/* relief.c */
void relief_prepare(threads_t *threads);
void relief_look(threads_t *threads); /* by the watchdog: who is over the limit loses its seat */
void relief_back(seat_t *seat, worker_t *worker); /* the last act of who has lost it */
uint32_t relief_away(const threads_t *threads, char *ret_left, size_t left_size);
/* How the thread fares that has this seat; false: the system does not tell. */
bool relief_times(void *threads, uint32_t worker, thread_times_t *ret);
/* No more threads of the machine are ready just now than it has processors, and all of those may be
 * ours: who is kept off his is badly placed, and nobody needs it. False: or it is not known. */
bool relief_has_room(void);
void relief_join(threads_t *threads);
void relief_close(threads_t *threads);
