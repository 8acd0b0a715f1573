/* jobs.h - what site_database has done off the actor: opening, and groups.
 *
 * Shape    job functions whose resource is the connection, and readers of what they answer.
 * Promises database_open answers `done` or `refusal`; database_group answers `group_answers`.
 * Threads  a job thread at a time.
 * Owner    the connection comes back with the answer; database_drop closes it when nobody is there.
 */
#pragma once

#include "actors/database/connection.h"
#include "runtime/actor.h"

void database_open(job_t *job, world_t *world, const void *input, void *resource);  /* site_args */
void database_group(job_t *job, world_t *world, const void *input, void *resource); /* group_order */
void database_drop(void *resource);

/* The record that one message is answered with; NULL when it is none. */
const void *database_answer(const group_answers_t *answers, const group_answer_t *answer,
                            const record_type_t **ret_type);
/* Copies the targets whose work is to end; what does not fit sets the draft full. */
rows_t database_stopped(draft_t *draft, const group_answers_t *answers);
