/* jobs_backup.h - the jobs of a backup of the site.
 *
 * Shape    backup_order in, backup_report out.
 * Promises a fill that fails leaves the directory empty, as far as it can.
 * Errors   in the report.
 * Threads  job threads.
 */
#pragma once

#include "runtime/actor.h"

void job_backup_begin(job_t *job, world_t *world, const void *input, void *resource);
void job_backup_fill(job_t *job, world_t *world, const void *input, void *resource);
