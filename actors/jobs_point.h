/* jobs_point.h - the jobs that work on one distribution point.
 *
 * Shape    job_measure: measure -> measured; job_work: work -> outcome (install, remove or
 *          verify), lent a place_ahead_t by an agent that places, or nothing; job_probe:
 *          probe_point -> claimed; job_collect_point: collect_point -> collected; job_scrub:
 *          scrub_point -> outcome, of a portion; an agent lends it a kept_place_t (jobs_kept.h),
 *          and what it keeps is read along.
 * Promises each makes its answer whatever it meets; `reached` says that the point itself was met,
 *          so that absence uses up no attempt. A verify that finds damage takes the receipt away,
 *          so that the repair is a placement like any other.
 * Costs    those of content/.
 * Errors   in the answers.
 * Threads  one job each.
 */
#pragma once
#include "runtime/actor.h"

job_fn job_measure, job_work, job_probe, job_collect_point, job_scrub;
