/* job_pool.h - threads that run jobs.
 *
 * Shape    a queue of jobs and a number of threads; each thread runs one job at a time in a world
 *          of its own and sends the answer to the job's worker over sockets of its own.
 * Promises at most JOBS_QUEUED_MAX jobs wait. A job that is past its deadline is answered at
 *          once; a thread that does not come back after JOB_PATIENCE_MS more is written off and
 *          replaced, at most JOB_THREADS_LOST_MAX times, and what it worked for gets no second
 *          job meanwhile.
 * Costs    one lock, held for some instructions at each submit and take.
 * Errors   ERR_HUNG: a thread is lost over the subject.
 * Threads  every function may be called from any worker's thread; job_pool_look from the
 *          watchdog's.
 * Owner    job_pool_new -> the host, job_pool_destroy(&pool).
 */
#pragma once

#include "runtime/executor.h"
#include "runtime/mailbox.h"

#define JOB_PATIENCE_MS 1000 /* after a deadline, for a job to meet its cancellation */

typedef struct job_pool job_pool_t;

typedef struct job_pool_figures {
    uint32_t threads, lost;
    uint64_t queued;
    uint64_t moves; /* begins and ends of jobs so far */
} job_pool_figures_t;

/* Its threads note what they have in hand in notes; NULL: nowhere. */
job_pool_t *job_pool_new(mail_t *mail, uint32_t threads, struct black_box_file *notes);
bool job_pool_reserve(job_pool_t *pool);
void job_pool_release(job_pool_t *pool);
err_t job_pool_submit(job_pool_t *pool, job_t *job) must_use;
void job_pool_cancel(job_pool_t *pool, const job_t *job);
/* Answers jobs that are past their deadline, over the watchdog's outlet; replaces lost threads, and
 * tells the core of each. */
void job_pool_look(job_pool_t *pool, int64_t now_ns, outlet_t *outlet, core_t *core);
void job_pool_figures(job_pool_t *pool, job_pool_figures_t *ret);
/* Drops what waits, cancels what runs, takes nothing more; returns at once. */
void job_pool_end(job_pool_t *pool);
/* After job_pool_end: waits for the threads that are not lost, at most until the time given; the
 * number of threads that did not come back, named in ret_left. */
uint32_t job_pool_wait(job_pool_t *pool, int64_t until_ns, char *ret_left, size_t left_size);
/* After job_pool_wait found none left. */
void job_pool_destroy(job_pool_t **pool);
