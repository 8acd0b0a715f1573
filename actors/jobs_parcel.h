/* jobs_parcel.h - the job that writes a version into a parcel.
 *
 * Shape    job_export: export_order -> export_report.
 * Promises see content/parcel.h. The site's keys are made, where it has none yet.
 * Costs    those of content/.
 * Errors   in the answer.
 * Threads  one job; nobody collects meanwhile.
 */
#pragma once
#include "runtime/actor.h"

job_fn job_export;
