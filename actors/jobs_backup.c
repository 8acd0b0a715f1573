/* jobs_backup.c - see jobs_backup.h. */
#include "actors/jobs_backup.h"

#include "actors/content/backup.h"
#include "actors/jobs_text.h"
#include "proto/messages.h"

typedef struct paths {
    char data[PATH_BYTES_MAX + 1], dir[PATH_BYTES_MAX + 1];
} paths_t;

static err_t
read_paths(const backup_order_t *order, paths_t *ret, fault_t *fault)
{
    bool fit = slice_copy(record_slice(order, order->data), ret->data, sizeof ret->data) &&
               slice_copy(record_slice(order, order->dir), ret->dir, sizeof ret->dir);

    return fit ? OK : RAISE(fault, ERR_NAME_TOO_LONG, 0, "back up", "the site");
}

static void
tell_progress(void *context, uint64_t bytes)
{
    job_progress(context, bytes, 0);
}

static void
report(job_t *job, err_t err, const fault_t *fault, const backup_result_t *result,
       uint64_t last_event)
{
    backup_report_t *m = JOB_OUTPUT(job, backup_report);

    m->err = err;
    m->files = result->files;
    m->bytes = result->bytes;
    m->last_event = last_event;
    if (err != OK) {
        m->text = job_fault_text(job, fault);
    }
}

void
job_backup_begin(job_t *job, world_t *world, const void *input, void *resource)
{
    const backup_order_t *order = input;
    const backup_result_t none = {0};
    paths_t paths;
    fault_t fault = {0};
    err_t err = resource ? ERR_INTERNAL : read_paths(order, &paths, &fault);

    err = err == OK ? backup_begin(world, paths.data, paths.dir, order->dry_run, &fault) : err;
    report(job, err, &fault, &none, 0);
}

void
job_backup_fill(job_t *job, world_t *world, const void *input, void *resource)
{
    const backup_order_t *order = input;
    const backup_about_t about = {.site = order->site, .last_event = order->last_event};
    backup_result_t result = {0};
    paths_t paths;
    fault_t fault = {0};
    err_t err = resource ? ERR_INTERNAL : read_paths(order, &paths, &fault);

    if (err == OK) {
        err =
            backup_fill(world, paths.data, paths.dir, &about, tell_progress, job, &result, &fault);
        if (err != OK && backup_abandon(world, paths.dir, NULL) != OK) {
            result.files = 0; /* what stays has no `backup`, and is none */
        }
    }
    report(job, err, &fault, &result, order->last_event);
}
