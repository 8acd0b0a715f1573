/* jobs_store.h - the jobs that go over the whole of the site's store.
 *
 * Shape    job_collect_store: collect_order -> collected; job_go_over: store_order -> store_report;
 *          job_read_store: store_portion -> store_read_again.
 * Promises each of the first two removes what was left unfinished, and moves what the first release
 *          stored into packs: nobody else may put into the store meanwhile; readers may be there.
 *          The third one is a reader.
 * Costs    those of content/store.h.
 * Errors   in the answers.
 * Threads  one job each.
 */
#pragma once
#include "runtime/actor.h"

job_fn job_collect_store, job_go_over, job_read_store;
