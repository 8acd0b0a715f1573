/* jobs_claim.h - the jobs that claim and release a point's root.
 *
 * Shape    job_claim: claim_order -> claimed; job_release: point_leave -> claimed.
 * Promises a root that overlaps another point, a source or the data directory is refused before
 *          anything is written to it.
 * Costs    those of content/point.h.
 * Errors   in the answers.
 * Threads  one job each.
 */
#pragma once
#include "runtime/actor.h"

job_fn job_claim, job_release;
