/* dm_store.c - store.check, store.rebuild, store.collect: while one is in hand, nobody stores. */
#include "actors/dm.h"
#include "actors/jobs_store.h"
#include "actors/refuse.h"

/* The command is answered: what was held back goes on. */
static actor_next_t
end(actor_ctx_t *ctx, distribution_manager_t *self)
{
    self->collecting = false;
    dm_package_go_on(ctx, self);
    return ACTOR_CONTINUE;
}

static void
pass_on(actor_ctx_t *ctx, dm_op_t *op, const store_report_t *found)
{
    store_report_t *m = DRAFT(ctx, store_report);
    err_t err = draft_copy(actor_draft_open(ctx), &store_report_type, m, found, found);

    if (err != OK) {
        dm_op_refuse(ctx, op, err, slice_of(""));
        return;
    }
    answer_unheard(REPLY_TO(ctx, op->request, store_report, m));
    dm_op_free(op);
}

static actor_next_t
store_done(actor_ctx_t *ctx, void *state, const actor_answer_t *answer)
{
    dm_op_t *op = dm_op_of(state, answer->tag);
    const store_report_t *found = ANSWER_AS(answer, store_report);

    claim(ctx, op != NULL);
    if (!found) {
        dm_op_refuse(ctx, op, answer->err == OK ? ERR_INTERNAL : answer->err, slice_of(""));
    } else if (found->err != OK) {
        dm_op_refuse(ctx, op, (err_t) found->err, record_slice(found, found->text));
    } else {
        pass_on(ctx, op, found);
    }
    return end(ctx, state);
}

static store_order_t *
make_order(actor_ctx_t *ctx, const distribution_manager_t *self, const dm_op_t *op,
           const roots_t *roots)
{
    const site_args_t *site = kept_record(self->args);
    slice_t data = record_slice(site, site->data);
    store_order_t *m = DRAFT(ctx, store_order);
    draft_t *draft = actor_draft_open(ctx);

    m->store = actor_textf(ctx, "%.*s/store", (int) data.size, data.data);
    m->check = op->type == &store_check_type;
    m->rebuild = op->type == &store_rebuild_type;
    m->repair = m->check && ((const store_check_t *) kept_record(op->command))->repair;
    m->dry_run = m->check     ? ((const store_check_t *) kept_record(op->command))->dry_run
                 : m->rebuild ? ((const store_rebuild_t *) kept_record(op->command))->dry_run
                              : ((const store_collect_t *) kept_record(op->command))->dry_run;
    m->roots = draft_rows(draft, roots->roots.count, sizeof(root_ref_t));
    for (uint32_t i = 0; i < roots->roots.count && !draft->full; i++) {
        const root_ref_t *root = ROW(roots, roots->roots, i, root_ref_t);
        root_ref_t *row = draft_row(draft, m->roots, i, sizeof(root_ref_t));
        *row = *root;
        row->id = actor_text(ctx, record_slice(roots, root->id));
    }
    return m;
}

static actor_next_t
roots_came(actor_ctx_t *ctx, void *state, const actor_answer_t *answer)
{
    distribution_manager_t *self = state;
    dm_op_t *op = dm_op_of(self, answer->tag);
    const roots_t *roots = ANSWER_AS(answer, roots);

    claim(ctx, op != NULL);
    if (!roots) {
        dm_op_pass_on(ctx, op, answer);
        return end(ctx, self);
    }
    job_spec_t spec = {.name = "go over store",
                       .run = job_go_over,
                       .input_type = &store_order_type,
                       .input = make_order(ctx, self, op, roots),
                       .deadline_ms = DM_SLOW_MS,
                       .then = store_done,
                       .tag = answer->tag};
    verdict_t verdict = actor_job(ctx, &spec, NULL);
    if (verdict != VERDICT_OK) {
        dm_op_refuse(ctx, op, verdict_err(verdict), slice_of(""));
        return end(ctx, self);
    }
    return ACTOR_CONTINUE;
}

/* A snapshot may be storing what no version is known to need: it is not waited for, but told. */
actor_next_t
dm_store(actor_ctx_t *ctx, distribution_manager_t *self, const record_type_t *type, const void *m)
{
    dm_op_t *op = dm_op_take(ctx, self, type, m, "site_database");

    if (!op) {
        return ACTOR_CONTINUE;
    }
    if (self->collecting || self->store_held || dm_ops_snapshots(self) > 0) {
        dm_op_refuse(ctx, op, ERR_BUSY, slice_of(""));
        return ACTOR_CONTINUE;
    }
    live_roots_t *ask = DRAFT(ctx, live_roots);
    ask->all = true;
    ask->named = true;
    verdict_t verdict =
        ask_site_database_live_roots(ctx, ask, DM_ASK_MS, roots_came, dm_op_tag(self, op));
    self->collecting = verdict == VERDICT_OK;
    if (verdict != VERDICT_OK) {
        dm_op_refuse(ctx, op, verdict_err(verdict), slice_of(""));
    }
    return ACTOR_CONTINUE;
}
