/* jobs_snapshot.h - the jobs that take a source into the store, and that only look at it.
 *
 * Shape    input snapshot_order, answer snapshot_taken; a dry run counts and stores nothing. The
 *          look refuses what a snapshot would refuse before it reads, with the same words.
 * Promises after err ok the version is durable in the store. A source that overlaps the data
 *          directory or a point's root is refused before it is read.
 * Costs    those of content/snapshot.h.
 * Errors   in the answer's err, with its text and, for site-full, need and have.
 * Threads  one job.
 */
#pragma once
#include "runtime/actor.h"

job_fn job_snapshot, job_look_at_source;
