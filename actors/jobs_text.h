/* jobs_text.h - how a job says why it failed.
 *
 * Shape    a fault becomes a text of the job's answer, cut at TEXT_BYTES_MAX.
 * Promises the text of fault_text.
 * Costs    one copy.
 * Errors   none; an answer without room has none of it.
 * Threads  that of the job.
 */
#pragma once

#include "proto/messages.h"
#include "runtime/actor.h"

text_t job_fault_text(job_t *job, const fault_t *fault);
