/* dm_verified.c - the answer of a verify: made of its outcomes, kept under its key, given. */
#include "actors/dm.h"
#include "actors/outcome.h"

#define KEEP_BYTES_MAX (4u << 20) /* of an answer; as msgpack it is smaller, or is not kept */

static void
copy_row(draft_t *draft, const outcome_t *outcome, verify_row_t *row)
{
    if (outcome->err == OK && outcome->verify.count == 1) {
        err_t err = draft_copy(draft, &verify_row_type, row, outcome,
                               ROW(outcome, outcome->verify, 0, verify_row_t));
        draft->full |= err != OK;
        return;
    }
    outcome_found_nothing(draft, outcome, &row->dp, &row->cause);
}

static void
fill(draft_t *draft, const dm_op_t *op, verified_t *m)
{
    const due_t *plan = kept_record(op->plan);
    const verify_t *command = kept_record(op->command);

    m->id = draft_copy_text(draft, command, command->id);
    m->ok = true;
    m->points = draft_rows(draft, plan->targets.count, sizeof(verify_row_t));
    for (uint32_t i = 0; i < plan->targets.count && !draft->full; i++) {
        verify_row_t *row = draft_row(draft, m->points, i, sizeof *row);
        copy_row(draft, kept_record(op->found[i]), row);
        m->ok = m->ok && row->ok;
    }
}

static void
reply_all(actor_ctx_t *ctx, dm_op_t *op)
{
    verified_t *m = DRAFT(ctx, verified);

    fill(actor_draft_open(ctx), op, m);
    answer_unheard(REPLY_TO(ctx, op->request, verified, m));
    dm_op_free(op);
}

/* Too large to be kept: it is told all the same, and a repeat looks again. */
static actor_next_t
answer_kept(actor_ctx_t *ctx, void *state, const actor_answer_t *answer)
{
    dm_op_t *op = dm_op_of(state, answer->tag);
    const refusal_t *refusal = ANSWER_AS(answer, refusal);

    claim(ctx, op != NULL && op->plan != NULL);
    if (refusal && refusal->code == ERR_TOO_LARGE) {
        reply_all(ctx, op);
    } else {
        dm_op_pass_on(ctx, op, answer);
    }
    return ACTOR_CONTINUE;
}

/* All is looked at. Under a key the answer is durable before it is given. */
void
dm_verify_end(actor_ctx_t *ctx, const distribution_manager_t *self, dm_op_t *op)
{
    const verify_t *command = kept_record(op->command);

    if (command->key.size == 0 || command->dry_run) {
        reply_all(ctx, op);
        return;
    }
    verify_keep_t *m = DRAFT(ctx, verify_keep);
    draft_t *draft = actor_draft_open(ctx);
    m->key = actor_text(ctx, record_slice(command, command->key));
    m->verified = draft_rows(draft, 1, sizeof(verified_t));
    verified_t *verified = draft_row(draft, m->verified, 0, sizeof *verified);
    if (verified) {
        fill(draft, op, verified);
    }
    verdict_t verdict =
        draft->size > KEEP_BYTES_MAX
            ? VERDICT_TOO_LARGE
            : ask_site_database_verify_keep(ctx, m, DM_ASK_MS, answer_kept, dm_op_tag(self, op));
    if (verdict == VERDICT_TOO_LARGE) {
        reply_all(ctx, op);
    } else if (verdict != VERDICT_OK) {
        dm_op_refuse(ctx, op, verdict_err(verdict), slice_of(""));
    }
}
