/* sim_jobs.h - the jobs of a simulated host: each a fiber, suspended at each world call.
 *
 * Shape    a queue of jobs, JOB_THREADS of which run at a time, as on real threads; a job past
 *          its deadline answers at once, and its fiber counts as a lost thread until it comes
 *          back.
 * Promises a crash can fall between any two world calls; the distinct places of them are noted.
 * Threads  one.
 * Owner    sim_jobs_new -> the sim.
 */
#pragma once

#include "runtime/executor.h"
#include "runtime/sim_places.h"
#include "runtime/world_sim.h"

typedef struct sim_jobs sim_jobs_t;
typedef void sim_jobs_post_fn(void *context, uint32_t to_worker, envelope_t *take_envelope);

sim_jobs_t *sim_jobs_new(world_sim_t *world, sim_places_t *borrow_places, sim_jobs_post_fn *post,
                         void *context);
void sim_jobs_destroy(sim_jobs_t **jobs); /* after sim_jobs_cut */

bool sim_jobs_reserve(sim_jobs_t *jobs);
void sim_jobs_release(sim_jobs_t *jobs);
err_t sim_jobs_submit(sim_jobs_t *jobs, job_t *job) must_use;
void sim_jobs_cancel(sim_jobs_t *jobs, job_t *job);

/* How many jobs could go on now, and the i-th of them made to. */
uint32_t sim_jobs_runnable(const sim_jobs_t *jobs);
void sim_jobs_resume(sim_jobs_t *jobs, uint32_t which);
uint64_t sim_jobs_number(const sim_jobs_t *jobs, uint32_t which); /* stays with that job */
/* Answers the asks of jobs whose deadline has come. */
void sim_jobs_expire(sim_jobs_t *jobs);
int64_t sim_jobs_next_due(const sim_jobs_t *jobs); /* INT64_MAX: none */
uint32_t sim_jobs_lost(const sim_jobs_t *jobs);
uint32_t sim_jobs_open(const sim_jobs_t *jobs);
uint64_t sim_jobs_hash(const sim_jobs_t *jobs);
/* Power cut: every fiber is run to its end in a world in which nothing works any more. */
void sim_jobs_cut(sim_jobs_t *jobs);
