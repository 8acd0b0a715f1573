/* jobs_claim.h - the jobs that claim and release a point's root and that collect the site's store.
 *
 * Shape    job_claim: claim_order -> claimed; job_release: point_leave -> claimed;
 *          job_collect_store: collect_order -> collected.
 * Promises a root that overlaps another point, a source or the data directory is refused before
 *          anything is written to it.
 * Costs    those of content/point.h and content/store.h.
 * Errors   in the answers.
 * Threads  one job each.
 */
#pragma once
#include "runtime/actor.h"

job_fn job_claim, job_release, job_collect_store;
