/* dm_backup.c - site.backup: begin -> the database -> the rest -> answer; nothing is collected. */
#include "actors/dm.h"
#include "actors/jobs_backup.h"

#define COPY_MS 900000u /* of the database; its job has a deadline of its own */

THEN(distribution_manager_t, begun)
THEN(distribution_manager_t, copied)
THEN(distribution_manager_t, filled)

static void
end(distribution_manager_t *self, dm_op_t *op)
{
    if (op) {
        dm_op_free(op);
    }
    self->store_held = self->backup_waits = false;
}

static void
refuse(actor_ctx_t *ctx, distribution_manager_t *self, dm_op_t *op, err_t err, slice_t text)
{
    dm_op_refuse(ctx, op, err, text);
    end(self, NULL);
}

static const site_backup_t *
command_of(const dm_op_t *op)
{
    return kept_record(op->command);
}

static actor_next_t
start_job(actor_ctx_t *ctx, distribution_manager_t *self, dm_op_t *op, job_fn *run,
          uint64_t last_event, actor_answer_fn *then)
{
    const site_args_t *site = kept_record(self->args);
    backup_order_t *m = DRAFT(ctx, backup_order);

    m->data = actor_text(ctx, record_slice(site, site->data));
    m->dir = actor_text(ctx, record_slice(command_of(op), command_of(op)->dir));
    m->site = self->site;
    m->last_event = last_event;
    m->dry_run = command_of(op)->dry_run;
    job_spec_t spec = {.name = "backup",
                       .run = run,
                       .input_type = &backup_order_type,
                       .input = m,
                       .deadline_ms = DM_SLOW_MS,
                       .then = then,
                       .tag = dm_op_tag(self, op)};
    verdict_t verdict = actor_job(ctx, &spec, NULL);
    if (verdict != VERDICT_OK) {
        refuse(ctx, self, op, verdict_err(verdict), slice_of(""));
    }
    return ACTOR_CONTINUE;
}

static void
reply(actor_ctx_t *ctx, distribution_manager_t *self, dm_op_t *op, const backup_report_t *found)
{
    backup_report_t *m = DRAFT(ctx, backup_report);

    *m = *found;
    m->text = (text_t){0, 0};
    m->dir = actor_text(ctx, record_slice(command_of(op), command_of(op)->dir));
    answer_unheard(REPLY_TO(ctx, op->request, backup_report, m));
    end(self, op);
}

static bool
failed(actor_ctx_t *ctx, distribution_manager_t *self, dm_op_t *op, const actor_answer_t *answer)
{
    const backup_report_t *m = ANSWER_AS(answer, backup_report);

    claim(ctx, op != NULL);
    if (!m) {
        refuse(ctx, self, op, answer->err == OK ? ERR_INTERNAL : answer->err, slice_of(""));
    } else if (m->err != OK) {
        refuse(ctx, self, op, (err_t) m->err, record_slice(m, m->text));
    }
    return !m || m->err != OK;
}

static actor_next_t
begun(actor_ctx_t *ctx, distribution_manager_t *self, const actor_answer_t *answer)
{
    dm_op_t *op = dm_op_of(self, answer->tag);

    if (failed(ctx, self, op, answer)) {
        return ACTOR_CONTINUE;
    }
    if (command_of(op)->dry_run) {
        reply(ctx, self, op, ANSWER_AS(answer, backup_report));
        return ACTOR_CONTINUE;
    }
    database_copy_t *m = DRAFT(ctx, database_copy);
    m->dir = actor_text(ctx, record_slice(command_of(op), command_of(op)->dir));
    verdict_t verdict = ask_site_database_database_copy(ctx, m, COPY_MS, copied_then, answer->tag);
    if (verdict != VERDICT_OK) {
        refuse(ctx, self, op, verdict_err(verdict), slice_of(""));
    }
    return ACTOR_CONTINUE;
}

/* Of a database that could not be copied the rest is not: its job has taken away what it wrote. */
static actor_next_t
copied(actor_ctx_t *ctx, distribution_manager_t *self, const actor_answer_t *answer)
{
    dm_op_t *op = dm_op_of(self, answer->tag);
    const database_copied_t *m = ANSWER_AS(answer, database_copied);
    const refusal_t *refusal = ANSWER_AS(answer, refusal);

    claim(ctx, op != NULL);
    if (m) {
        return start_job(ctx, self, op, job_backup_fill, m->last_event, filled_then);
    }
    refuse(ctx, self, op, answer_err(answer) == OK ? ERR_INTERNAL : answer_err(answer),
           refusal ? record_slice(refusal, refusal->message) : slice_of(""));
    return ACTOR_CONTINUE;
}

static actor_next_t
filled(actor_ctx_t *ctx, distribution_manager_t *self, const actor_answer_t *answer)
{
    dm_op_t *op = dm_op_of(self, answer->tag);

    if (failed(ctx, self, op, answer)) {
        return ACTOR_CONTINUE;
    }
    const backup_report_t *m = ANSWER_AS(answer, backup_report);
    unsigned long long files = m->files, bytes = m->bytes, last = m->last_event;
    slice_t dir = record_slice(command_of(op), command_of(op)->dir);
    note_event_t *event = DRAFT(ctx, note_event);
    event->component = actor_text(ctx, slice_of("distribution_manager"));
    event->id = STATUS_SITE_BACKED_UP;
    event->severity = status_severity(STATUS_SITE_BACKED_UP);
    event->text =
        actor_textf(ctx, "%s: %llu files, %llu bytes, status messages up to %llu, in %.*s",
                    status_sentence(STATUS_SITE_BACKED_UP), files, bytes, last,
                    (int) (dir.size < 700 ? dir.size : 700), dir.data);
    answer_unheard(tell_site_database_note_event(ctx, event));
    reply(ctx, self, op, m);
    return ACTOR_CONTINUE;
}

/* ---- from the command on ---- */

static dm_op_t *
waiting_op(distribution_manager_t *self)
{
    for (uint32_t i = 0; i < DM_OPS_MAX; i++) {
        if (self->op[i].used && self->op[i].type == &site_backup_type) {
            return &self->op[i];
        }
    }
    return NULL;
}

void
dm_backup_go_on(actor_ctx_t *ctx, distribution_manager_t *self)
{
    dm_op_t *op = self->backup_waits && !self->collecting ? waiting_op(self) : NULL;

    if (op) {
        self->backup_waits = false;
        (void) start_job(ctx, self, op, job_backup_begin, 0, begun_then);
    }
}

actor_next_t
dm_backup(actor_ctx_t *ctx, distribution_manager_t *self, const site_backup_t *m)
{
    bool busy = self->store_held;
    dm_op_t *op = dm_op_take(ctx, self, &site_backup_type, m, "site_database");

    if (op && busy) {
        dm_op_refuse(ctx, op, ERR_BUSY, slice_of(""));
    } else if (op) {
        self->store_held = self->backup_waits = true;
        dm_backup_go_on(ctx, self);
    }
    return ACTOR_CONTINUE;
}
