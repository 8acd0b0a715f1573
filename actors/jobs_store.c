/* jobs_store.c - see jobs_store.h. */
#include "actors/jobs_store.h"

#include <stdlib.h>

#include "actors/content/store.h"
#include "actors/jobs_text.h"
#include "proto/messages.h"

static void
tell_progress(void *context, uint64_t bytes)
{
    job_progress(context, bytes, 0);
}

/* Opens the store in the form of this release, without what a kill has left. */
static err_t
open_whole(job_t *job, world_t *world, slice_t path, store_t **ret_store, fault_t *fault)
{
    char text[PATH_BYTES_MAX + 1];
    uint64_t count = 0;

    if (!slice_copy(path, text, sizeof text)) {
        return RAISE(fault, ERR_NAME_TOO_LONG, 0, "open", "the store");
    }
    TRY(store_open(world, text, ret_store, fault));
    err_t err = store_recover(*ret_store, &count, fault);
    err = err == OK ? store_migrate(*ret_store, tell_progress, job, &count, fault) : err;
    if (err != OK) {
        store_close(ret_store);
    }
    return err;
}

/* The roots of an order, to be freed. */
static digest_t *
roots_of(const void *record, rows_t rows)
{
    digest_t *roots = calloc(rows.count + 1u, sizeof *roots);

    for (uint32_t i = 0; roots && i < rows.count; i++) {
        roots[i] = ROW(record, rows, i, root_ref_t)->root;
    }
    return roots;
}

/* The version whose manifest ended a collection; NULL: none did. */
static const root_ref_t *
lacking(const store_t *store, const void *order, rows_t roots)
{
    size_t root = 0;

    return store && store_collect_lacked(store, &root)
               ? ROW(order, roots, (uint32_t) root, root_ref_t)
               : NULL;
}

/* What is damaged, and what of: that version has to be stored again, or to go. */
static text_t
lacking_text(job_t *job, const fault_t *fault, const void *order, const root_ref_t *by)
{
    char text[TEXT_BYTES_MAX];

    fault_text(fault, text, sizeof text);
    return draft_textf(job_draft(job), "%s: it is of the manifest of %.*s version %llu", text,
                       RECORD_SHOWN(order, by->id), (unsigned long long) by->epoch);
}

static err_t
collect(job_t *job, world_t *world, const collect_order_t *m, store_collected_t *ret,
        const root_ref_t **ret_by, fault_t *fault)
{
    store_t *store = NULL;
    digest_t *roots = roots_of(m, m->roots);
    err_t err = roots ? open_whole(job, world, record_slice(m, m->store), &store, fault)
                      : RAISE(fault, ERR_NO_MEMORY, 0, "collect", "the store");

    if (err == OK) {
        err = store_collect(store, roots, m->roots.count, false, tell_progress, job, ret, fault);
        *ret_by = lacking(store, m, m->roots);
    }
    store_close(&store);
    free(roots);
    return err;
}

void
job_collect_store(job_t *job, world_t *world, const void *input, void *resource)
{
    store_collected_t result = {0};
    fault_t fault = {0};
    const root_ref_t *by = NULL;
    err_t err = resource ? ERR_INTERNAL : collect(job, world, input, &result, &by, &fault);
    collected_t *m = JOB_OUTPUT(job, collected);

    m->err = err;
    m->objects = result.removed_objects;
    m->bytes = result.removed_bytes;
    m->held_objects = result.held_objects;
    m->held_bytes = result.held_bytes;
    if (by) {
        m->lacks = by->root;
        m->lacks_id = draft_text(job_draft(job), record_slice(input, by->id));
        m->text = lacking_text(job, &fault, input, by);
    } else if (err != OK) {
        m->text = job_fault_text(job, &fault);
    }
}

/* Which versions have to be stored again, or to go. */
static rows_t
rows_of_lacking(job_t *job, const store_order_t *m, const uint64_t *missing, uint64_t versions)
{
    draft_t *draft = job_draft(job);
    uint32_t told = versions < VERSIONS_TOLD_MAX ? (uint32_t) versions : VERSIONS_TOLD_MAX, at = 0;
    rows_t rows = draft_rows(draft, told, sizeof(lacking_row_t));

    for (uint32_t i = 0; at < told && i < m->roots.count && !draft->full; i++) {
        if (missing[i] > 0) {
            const root_ref_t *root = ROW(m, m->roots, i, root_ref_t);
            text_t id = draft_text(draft, record_slice(m, root->id));
            lacking_row_t *row = draft_row(draft, rows, at++, sizeof(lacking_row_t));
            if (row) {
                *row = (lacking_row_t){.id = id, .epoch = root->epoch, .missing = missing[i]};
            }
        }
    }
    return rows;
}

static err_t
check(job_t *job, store_t *store, const store_order_t *m, const digest_t *roots, uint64_t *missing,
      store_report_t *report, fault_t *fault)
{
    store_checked_t found = {0};

    TRY(store_check_explained(store, roots, m->roots.count, m->repair && !m->dry_run, tell_progress,
                              job, &found, missing, fault));
    report->lacking = rows_of_lacking(job, m, missing, found.versions_damaged);
    report->ok = found.damaged + found.heads_damaged + found.pages_damaged + found.missing == 0;
    report->packs = found.packs;
    report->objects = found.objects;
    report->bytes = found.bytes;
    report->damaged = found.damaged;
    report->heads_damaged = found.heads_damaged;
    report->pages_damaged = found.pages_damaged;
    report->missing = found.missing;
    report->versions_damaged = found.versions_damaged;
    return OK;
}

static err_t
check_by_command(job_t *job, store_t *store, const store_order_t *m, const digest_t *roots,
                 store_report_t *report, fault_t *fault)
{
    uint64_t *missing = calloc(m->roots.count + 1u, sizeof *missing);
    err_t err = missing ? check(job, store, m, roots, missing, report, fault)
                        : RAISE(fault, ERR_NO_MEMORY, 0, "check", "the store");

    free(missing);
    return err;
}

/* Who keeps what stays; a version that needs nothing that others do not need is among them. */
static rows_t
rows_of_kept(job_t *job, const store_order_t *m, const store_kept_t *kept)
{
    draft_t *draft = job_draft(job);
    rows_t rows = draft_rows(draft, m->roots.count, sizeof(kept_row_t));

    for (uint32_t i = 0; i < rows.count && !draft->full; i++) {
        const root_ref_t *root = ROW(m, m->roots, i, root_ref_t);
        kept_row_t *row = draft_row(draft, rows, i, sizeof(kept_row_t));
        row->id = draft_text(draft, record_slice(m, root->id));
        row->epoch = root->epoch;
        row->objects = kept[i].objects;
        row->bytes = kept[i].bytes;
    }
    return rows;
}

static err_t
collect_and_explain(job_t *job, store_t *store, const store_order_t *m, const digest_t *roots,
                    store_kept_t *kept, store_report_t *report, fault_t *fault)
{
    store_collected_t found = {0};

    TRY(store_collect_explained(store, roots, m->roots.count, m->dry_run, tell_progress, job,
                                &found, kept, fault));
    report->kept_by = rows_of_kept(job, m, kept);
    report->packs = found.packs;
    report->objects = found.live_objects;
    report->bytes = found.live_bytes;
    report->removed_objects = found.removed_objects;
    report->removed_bytes = found.removed_bytes;
    report->kept_objects = found.kept_objects;
    report->kept_bytes = found.kept_bytes;
    report->held_objects = found.held_objects;
    report->held_bytes = found.held_bytes;
    report->packs_rewritten = found.packs_rewritten;
    return OK;
}

static err_t
collect_by_command(job_t *job, store_t *store, const store_order_t *m, const digest_t *roots,
                   store_report_t *report, fault_t *fault)
{
    store_kept_t *kept = calloc(m->roots.count + 1u, sizeof *kept);
    err_t err = kept ? collect_and_explain(job, store, m, roots, kept, report, fault)
                     : RAISE(fault, ERR_NO_MEMORY, 0, "collect", "the store");

    free(kept);
    return err;
}

static err_t
do_order(job_t *job, store_t *store, const store_order_t *m, const digest_t *roots,
         store_report_t *report, fault_t *fault)
{
    report->ok = true;
    if (m->check) {
        return check_by_command(job, store, m, roots, report, fault);
    }
    if (!m->rebuild) {
        return collect_by_command(job, store, m, roots, report, fault);
    }
    return m->dry_run ? OK : store_rebuild(store, tell_progress, job, &report->objects, fault);
}

static err_t
run_order(job_t *job, world_t *world, const store_order_t *m, store_report_t *report,
          const root_ref_t **ret_by, fault_t *fault)
{
    store_t *store = NULL;
    digest_t *roots = roots_of(m, m->roots);
    err_t err = roots ? open_whole(job, world, record_slice(m, m->store), &store, fault)
                      : RAISE(fault, ERR_NO_MEMORY, 0, "open", "the store");

    if (err == OK) {
        err = do_order(job, store, m, roots, report, fault);
        *ret_by = err != OK ? lacking(store, m, m->roots) : NULL;
    }
    store_close(&store);
    free(roots);
    return err;
}

void
job_go_over(job_t *job, world_t *world, const void *input, void *resource)
{
    store_report_t report = {0};
    fault_t fault = {0};
    store_report_t *m = JOB_OUTPUT(job, store_report); /* its rows come behind it */
    const root_ref_t *by = NULL;
    err_t err = resource ? ERR_INTERNAL : run_order(job, world, input, &report, &by, &fault);

    *m = report;
    m->err = by ? ERR_NOT_STORED : err;
    if (by) {
        m->text = lacking_text(job, &fault, input, by);
    } else if (err != OK) {
        m->text = job_fault_text(job, &fault);
    }
}

static err_t
read_again(world_t *world, const store_portion_t *m, store_scrubbed_t *ret, uint64_t *ret_named,
           fault_t *fault)
{
    store_t *store = NULL;
    char text[PATH_BYTES_MAX + 1];

    if (!slice_copy(record_slice(m, m->store), text, sizeof text)) {
        return RAISE(fault, ERR_NAME_TOO_LONG, 0, "open", "the store");
    }
    TRY(store_open(world, text, &store, fault));
    bool begins = m->pack == 0 && m->offset == 0;
    err_t named = begins ? store_find_lost(store, true, ret_named, fault) : OK;
    err_t err = named == OK || named == ERR_DAMAGED
                    ? store_scrub(store, m->pack, m->offset, m->bytes, ret, fault)
                    : named;
    store_close(&store);
    return err != OK ? err : named;
}

void
job_read_store(job_t *job, world_t *world, const void *input, void *resource)
{
    store_scrubbed_t found = {0};
    fault_t fault = {0};
    uint64_t named = 0;
    err_t err = resource ? ERR_INTERNAL : read_again(world, input, &found, &named, &fault);
    store_read_again_t *m = JOB_OUTPUT(job, store_read_again);

    m->err = err;
    m->pack = found.pack;
    m->offset = found.offset;
    m->bytes = found.bytes;
    m->damaged = found.damaged;
    m->named = named;
    if (err != OK) {
        m->text = job_fault_text(job, &fault);
    }
}
