/* executor.h - how the core of the runtime reaches what is outside of it.
 *
 * Shape    a struct of functions and a self pointer. The threads of worker.c are one executor, the
 *          simulator is another; the core is the same object file below both.
 * Promises the core calls `post` for every message whose receiver sits on another worker, alone or
 *          in a batch, and nothing else carries messages; envelopes from one worker to another
 *          arrive in the order of their posting.
 * Threads  the core calls from the thread that drives the worker named `from`.
 * Owner    post takes the envelope; job_submit takes the job when it returns OK.
 */
#pragma once

#include "runtime/actor.h"

typedef struct core core_t;
typedef struct worker worker_t;
typedef struct envelope envelope_t;
typedef struct chunk chunk_t; /* envelopes, packed */

/* Of a worker's thread: how long it ran so far, how long it was ready to run and did not, and
 * whether it runs or is ready to. */
typedef struct thread_times {
    int64_t ran_ns, queued_ns;
    bool is_ready;
} thread_times_t;

typedef struct executor {
    void *self;
    int64_t (*now_ns)(void *self); /* monotonic */
    int64_t (*wall_ns)(void *self);
    uint64_t (*random)(void *self, uint32_t worker);
    /* Hands an envelope to another worker, which will worker_deliver it, or worker_bring the chunk
     * that it is in. `from` is the worker in whose thread this is called, or CORE_FROM_WATCH
     * (core.h) or CORE_FROM_HOST. */
    void (*post)(void *self, uint32_t from, uint32_t to, envelope_t *take_envelope);
    /* One place in the queue of jobs; false: JOBS_QUEUED_MAX reached, or too many threads lost. */
    bool (*job_reserve)(void *self);
    void (*job_release)(void *self); /* gives an unused place back */
    /* Uses a reserved place (given back in any case once the job is out of the queue). OK: the
     * job is taken and job_begin, job_finish or job_abandon will be called for it, and their
     * envelope posted to job_worker (job). ERR_HUNG: not taken, a thread is lost over its
     * subject. */
    err_t (*job_submit)(void *self, uint32_t from, job_t *job);
    /* The job's cancel flag has been set: wake what waits for it. */
    void (*job_cancel)(void *self, uint32_t from, job_t *job);
    /* An actor changed its state, the host is asked to stop, or the root has ended. */
    void (*changed)(void *self);
    /* Adds threads, job threads, sockets, descriptors to the figures. */
    void (*figures)(void *self, host_figures_t *ret);
    /* False: they are not known. From CORE_FROM_WATCH; NULL: workers have no threads. */
    bool (*times)(void *self, uint32_t worker, thread_times_t *ret);
    /* What is posted may be a batch of tells (batch_inside.h). */
    bool batches;
} executor_t;

/* ---- jobs, as an executor sees them ---------------------------------------------------------- */

/* Runs the job to its end in the world given, on a stack of the executor's choice. */
void job_begin(job_t *job, world_t *world);
/* Then makes the envelope with its answer, to be delivered to the worker job_worker (job), and
 * releases the job: who else looks at it must have let go of it before. */
envelope_t *job_finish(job_t *job) must_use;
/* As job_finish for a job that never ran, or whose thread or stack will not come back: the answer
 * is err. lost: its resource is not given back, for the lost thread still has it. */
envelope_t *job_abandon(job_t *job, err_t err, bool lost) must_use;
/* No job has run for a while: the memory that outputs were made in goes back to the system. */
void jobs_rest(void);
uint32_t job_worker(const job_t *job); /* where its answer goes */
const char *job_name(const job_t *job);
slice_t job_subject(const job_t *job);     /* size 0: none */
int64_t job_deadline_ns(const job_t *job); /* monotonic */
/* Its deadline has passed: when it ends without an answer, that is why. */
void job_expire(job_t *job);
bool job_is_cancelled(const job_t *job);
actor_ref_t job_owner(const job_t *job);
/* For the black box; borrows from the job. */
struct delivery job_delivery(const job_t *job, int64_t now_ns);
