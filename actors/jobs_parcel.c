/* jobs_parcel.c - see jobs_parcel.h. */
#include "actors/jobs_parcel.h"

#include <stdio.h>
#include <string.h>

#include "actors/content/keys.h"
#include "actors/content/parcel.h"
#include "actors/jobs_text.h"
#include "proto/messages.h"

static void
tell_progress(void *context, uint64_t bytes)
{
    job_progress(context, bytes, 0);
}

static err_t
write(job_t *job, world_t *world, const export_order_t *order, parcel_result_t *ret, fault_t *fault)
{
    char data[PATH_BYTES_MAX + 1], file[PATH_BYTES_MAX + 1], path[PATH_BYTES_MAX + 8];
    parcel_about_t about = {.site = order->site, .epoch = order->epoch, .root = order->root};
    store_t *store = NULL;
    keys_t keys;

    if (!slice_copy(record_slice(order, order->data), data, sizeof data) ||
        !slice_copy(record_slice(order, order->file), file, sizeof file) ||
        !slice_copy(record_slice(order, order->package), about.package, sizeof about.package)) {
        return RAISE(fault, ERR_NAME_TOO_LONG, 0, "write", "a parcel");
    }
    snprintf(path, sizeof path, "%s/store", data);
    TRY(keys_open(world, data, &keys, fault));
    err_t err = store_open(world, path, &store, fault);
    err = err == OK ? parcel_write(world, store, &about, &keys.signing,
                                   order->dry_run ? NULL : file, tell_progress, job, ret, fault)
                    : err;
    store_close(&store);
    explicit_bzero(&keys, sizeof keys);
    return err;
}

void
job_export(job_t *job, world_t *world, const void *input, void *resource)
{
    const export_order_t *order = input;
    parcel_result_t result = {0};
    fault_t fault = {0};
    err_t err = resource ? ERR_INTERNAL : write(job, world, order, &result, &fault);
    export_report_t *m = JOB_OUTPUT(job, export_report);

    m->err = err;
    m->epoch = order->epoch;
    m->objects = result.objects;
    m->bytes = result.bytes;
    m->file = draft_copy_text(job_draft(job), order, order->file);
    if (err != OK) {
        m->text = job_fault_text(job, &fault);
    }
}
