/* dm_source.c - package.set: a source is looked at before it is believed, as package.add does. */
#include "actors/dm.h"
#include "actors/jobs_snapshot.h"
#include "actors/package_orders.h"

static actor_next_t
was_set(actor_ctx_t *ctx, void *state, const actor_answer_t *answer)
{
    dm_op_t *op = dm_op_of(state, answer->tag);

    claim(ctx, op != NULL);
    dm_op_pass_on(ctx, op, answer);
    return ACTOR_CONTINUE;
}

static actor_next_t
set(actor_ctx_t *ctx, const distribution_manager_t *self, dm_op_t *op)
{
    verdict_t verdict = ask_site_database_package_set(ctx, kept_record(op->command), DM_ASK_MS,
                                                      was_set, dm_op_tag(self, op));
    if (verdict != VERDICT_OK) {
        dm_op_refuse(ctx, op, verdict_err(verdict), slice_of(""));
    }
    return ACTOR_CONTINUE;
}

static actor_next_t
looked_at(actor_ctx_t *ctx, void *state, const actor_answer_t *answer)
{
    const distribution_manager_t *self = state;
    dm_op_t *op = dm_op_of(state, answer->tag);
    const snapshot_taken_t *found = ANSWER_AS(answer, snapshot_taken);

    claim(ctx, op != NULL);
    if (!found) {
        dm_op_refuse(ctx, op, answer->err == OK ? ERR_INTERNAL : answer->err, slice_of(""));
        return ACTOR_CONTINUE;
    }
    if (found->err != OK) {
        answer_unheard(REPLY_TO(ctx, op->request, refusal, package_refusal(ctx, found)));
        dm_op_free(op);
        return ACTOR_CONTINUE;
    }
    return set(ctx, self, op);
}

static actor_next_t
package_found(actor_ctx_t *ctx, void *state, const actor_answer_t *answer)
{
    distribution_manager_t *self = state;
    dm_op_t *op = dm_op_of(self, answer->tag);
    const package_found_t *found = ANSWER_AS(answer, package_found);

    claim(ctx, op != NULL);
    if (!found) {
        dm_op_pass_on(ctx, op, answer);
        return ACTOR_CONTINUE;
    }
    const package_set_t *m = kept_record(op->command);
    if (!found->exists) { /* the database says so, in its words */
        return set(ctx, self, op);
    }
    const site_args_t *site = kept_record(self->args);
    job_spec_t spec = {.name = "look at source",
                       .run = job_look_at_source,
                       .input_type = &snapshot_order_type,
                       .input = package_look_order(ctx, m, found, record_slice(site, site->data)),
                       .subject = record_slice(m, m->id),
                       .deadline_ms = DM_ASK_MS,
                       .then = looked_at,
                       .tag = answer->tag};
    verdict_t verdict = actor_job(ctx, &spec, NULL);
    if (verdict != VERDICT_OK) {
        dm_op_refuse(ctx, op, verdict_err(verdict), slice_of(""));
    }
    return ACTOR_CONTINUE;
}

actor_next_t
dm_package_set(actor_ctx_t *ctx, distribution_manager_t *self, const package_set_t *m)
{
    dm_op_t *op = dm_op_take(ctx, self, &package_set_type, m, "site_database");

    if (!op) {
        return ACTOR_CONTINUE;
    }
    if (m->source.at == 0) {
        return set(ctx, self, op);
    }
    package_lookup_t *query = DRAFT(ctx, package_lookup);
    query->id = actor_text(ctx, record_slice(m, m->id));
    verdict_t verdict =
        ask_site_database_package_lookup(ctx, query, DM_ASK_MS, package_found, dm_op_tag(self, op));
    if (verdict != VERDICT_OK) {
        dm_op_refuse(ctx, op, verdict_err(verdict), slice_of(""));
    }
    return ACTOR_CONTINUE;
}
