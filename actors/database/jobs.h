/* jobs.h - what site_database has done off the actor: opening, and groups.
 *
 * Shape    job functions whose resource is the connection, and how they are started.
 * Promises database_open (of site_args) answers `done` or `refusal`; database_group (of
 *          group_order) answers `group_answers`.
 * Threads  a job thread at a time.
 * Owner    the connection comes back with the answer; when nobody is there to take it, it is
 *          closed.
 */
#pragma once

#include "actors/database/connection.h"
#include "runtime/actor.h"

void database_open(job_t *job, world_t *world, const void *input, void *resource);
/* Of database_copy; answers `database_copied` or `refusal`. */
void database_copy_out(job_t *job, world_t *world, const void *input, void *resource);
void database_group(job_t *job, world_t *world, const void *input, void *resource);

typedef struct database_job {
    const char *name;
    job_fn *run;
    const record_type_t *input_type;
    const void *input; /* the draft in hand */
    uint32_t deadline_ms;
    actor_answer_fn *then;
} database_job_t;
/* Whether it was started; the connection is the job's then, and comes back with its answer. */
bool database_start(actor_ctx_t *ctx, const database_job_t *job, connection_t *take_connection);

/* Copies the targets whose work is to end; what does not fit sets the draft full. */
rows_t database_stopped(draft_t *draft, const group_answers_t *answers);
