/* dm_export.c - package.export: which version it is -> the job -> answer; nothing is collected. */
#include "actors/dm.h"
#include "actors/jobs_parcel.h"
#include "actors/refuse.h"

THEN(distribution_manager_t, found)
THEN(distribution_manager_t, written)

static const package_export_t *
command_of(const dm_op_t *op)
{
    return kept_record(op->command);
}

static void
note_written(actor_ctx_t *ctx, slice_t id, const export_report_t *m)
{
    slice_t file = record_slice(m, m->file);
    note_event_t *event = DRAFT(ctx, note_event);

    event->component = actor_text(ctx, slice_of("distribution_manager"));
    event->id = STATUS_PARCEL_WRITTEN;
    event->severity = status_severity(STATUS_PARCEL_WRITTEN);
    event->package = actor_text(ctx, id);
    event->text = actor_textf(ctx, "version %llu: %llu objects, %llu bytes, in %.*s",
                              (unsigned long long) m->epoch, (unsigned long long) m->objects,
                              (unsigned long long) m->bytes,
                              (int) (file.size < 700 ? file.size : 700), file.data);
    answer_unheard(tell_site_database_note_event(ctx, event));
}

/* The store is given back, whatever became of it; a collection that waits goes on by its timer. */
static actor_next_t
written(actor_ctx_t *ctx, distribution_manager_t *self, const actor_answer_t *answer)
{
    dm_op_t *op = dm_op_of(self, answer->tag);
    const export_report_t *m = ANSWER_AS(answer, export_report);

    claim(ctx, op != NULL);
    self->store_held = false;
    if (!m || m->err != OK) {
        err_t err = m ? (err_t) m->err : answer->err == OK ? ERR_INTERNAL : answer->err;
        dm_op_refuse(ctx, op, err, m ? record_slice(m, m->text) : slice_of(""));
        return ACTOR_CONTINUE;
    }
    if (!command_of(op)->dry_run) {
        note_written(ctx, record_slice(command_of(op), command_of(op)->id), m);
    }
    export_report_t *report = DRAFT(ctx, export_report);
    *report = *m;
    report->text = (text_t){0, 0};
    report->file = actor_text(ctx, record_slice(m, m->file));
    answer_unheard(REPLY_TO(ctx, op->request, export_report, report));
    dm_op_free(op);
    return ACTOR_CONTINUE;
}

/* False: the command was answered, and no job is under way. */
static bool
write_begins(actor_ctx_t *ctx, const distribution_manager_t *self, dm_op_t *op,
             const actor_answer_t *answer)
{
    const package_found_t *package = ANSWER_AS(answer, package_found);
    const site_args_t *site = kept_record(self->args);

    if (!package) {
        dm_op_pass_on(ctx, op, answer);
        return false;
    }
    if (!package->exists) {
        answer_unheard(REPLY_TO(
            ctx, op->request, refusal,
            refuse_draft(ctx, ERR_NOT_FOUND, "despool package list shows the packages", "export",
                         record_slice(package, package->id), err_sentence(ERR_NOT_FOUND))));
        dm_op_free(op);
        return false;
    }
    export_order_t *m = DRAFT(ctx, export_order);
    m->data = actor_text(ctx, record_slice(site, site->data));
    m->file = actor_text(ctx, record_slice(command_of(op), command_of(op)->file));
    m->package = actor_text(ctx, record_slice(package, package->id));
    m->site = self->site;
    m->epoch = package->epoch;
    m->root = package->root;
    m->dry_run = command_of(op)->dry_run;
    job_spec_t spec = {.name = "export",
                       .run = job_export,
                       .input_type = &export_order_type,
                       .input = m,
                       .deadline_ms = DM_SLOW_MS,
                       .then = written_then,
                       .tag = answer->tag};
    verdict_t verdict = actor_job(ctx, &spec, NULL);
    if (verdict != VERDICT_OK) {
        dm_op_refuse(ctx, op, verdict_err(verdict), slice_of(""));
    }
    return verdict == VERDICT_OK;
}

static actor_next_t
found(actor_ctx_t *ctx, distribution_manager_t *self, const actor_answer_t *answer)
{
    dm_op_t *op = dm_op_of(self, answer->tag);

    claim(ctx, op != NULL);
    self->store_held = write_begins(ctx, self, op, answer);
    return ACTOR_CONTINUE;
}

actor_next_t
dm_export(actor_ctx_t *ctx, distribution_manager_t *self, const package_export_t *m)
{
    dm_op_t *op = dm_op_take(ctx, self, &package_export_type, m, "site_database");

    if (!op) {
        return ACTOR_CONTINUE;
    }
    if (self->collecting || self->store_held) {
        dm_op_refuse(ctx, op, ERR_BUSY, slice_of(""));
        return ACTOR_CONTINUE;
    }
    package_lookup_t *ask = DRAFT(ctx, package_lookup);
    ask->id = actor_text(ctx, record_slice(m, m->id));
    ask->version = actor_text(ctx, record_slice(m, m->version));
    verdict_t verdict =
        ask_site_database_package_lookup(ctx, ask, DM_ASK_MS, found_then, dm_op_tag(self, op));
    self->store_held = verdict == VERDICT_OK;
    if (verdict != VERDICT_OK) {
        dm_op_refuse(ctx, op, verdict_err(verdict), slice_of(""));
    }
    return ACTOR_CONTINUE;
}
