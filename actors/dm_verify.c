/* dm_verify.c - verify: one instruction of its own kind, the outcomes gathered, damage told; what
 * is answered at its end stands in dm_verified.c. */
#include "actors/dm.h"

/* ---- outcomes ---- */

static actor_next_t
damage_told(actor_ctx_t *ctx, void *state, const actor_answer_t *answer)
{
    const distribution_manager_t *self = state;

    /* Refused: another command took the target's place, and what it wants will be verified then. */
    claim(ctx, self->opened && answer != NULL);
    return ACTOR_CONTINUE;
}

static void
tell_damage(actor_ctx_t *ctx, const outcome_t *outcome, const verify_row_t *row)
{
    target_damaged_t *m = DRAFT(ctx, target_damaged);

    m->target = outcome->target;
    m->revision = outcome->revision;
    m->text =
        actor_textf(ctx, "%llu paths are missing, %llu changed, %llu extra",
                    (unsigned long long) row->missing_count,
                    (unsigned long long) row->changed_count, (unsigned long long) row->extra_count);
    answer_unheard(ask_site_database_target_damaged(ctx, m, DM_ASK_MS, damage_told, 0));
}

static bool
takes(dm_op_t *op, const outcome_t *m, uint32_t *ret_row)
{
    const due_t *plan = op->used && op->plan ? kept_record(op->plan) : NULL;

    for (uint32_t i = 0; plan && i < plan->targets.count; i++) {
        if (ROW(plan, plan->targets, i, due_row_t)->target == m->target && !op->found[i]) {
            *ret_row = i;
            return true;
        }
    }
    return false;
}

static void
tell_whole(actor_ctx_t *ctx, const outcome_t *m)
{
    note_event_t *event = DRAFT(ctx, note_event);

    event->component = actor_text(ctx, slice_of("distribution_manager"));
    event->id = STATUS_TARGET_VERIFIED;
    event->severity = status_severity(STATUS_TARGET_VERIFIED);
    event->package = actor_text(ctx, record_slice(m, m->package));
    event->dp = actor_text(ctx, record_slice(m, m->dp));
    event->text = actor_text(ctx, slice_of(status_sentence(STATUS_TARGET_VERIFIED)));
    answer_unheard(tell_site_database_note_event(ctx, event));
}

/* What was found is told, and mended when it is damage. */
static void
follow(actor_ctx_t *ctx, const outcome_t *m)
{
    const verify_row_t *row =
        m->err == OK && m->verify.count == 1 ? ROW(m, m->verify, 0, verify_row_t) : NULL;
    if (row && row->ok) {
        tell_whole(ctx, m);
    } else if (row && row->cause.count == 0) {
        tell_damage(ctx, m, row);
    }
}

static void
end_when_all_are_in(actor_ctx_t *ctx, const distribution_manager_t *self, dm_op_t *op)
{
    if (op->waiting == 0 && op->type == &distribute_plan_type) {
        dm_plan_end(ctx, op);
    } else if (op->waiting == 0) {
        dm_verify_end(ctx, self, op);
    }
}

/* Every verify that waits for this target is served by the one look; nothing follows from a look
 * that only dry runs wanted, or a plan. */
bool
dm_gather_outcome(actor_ctx_t *ctx, distribution_manager_t *self, const outcome_t *m)
{
    bool wet = false;

    if (!action_looks(m->action)) {
        return false;
    }
    for (uint32_t i = 0; i < DM_OPS_MAX; i++) {
        uint32_t row = 0;
        dm_op_t *op = &self->op[i];
        if (!takes(op, m, &row)) {
            continue;
        }
        if (m->err == ERR_PAUSED) {
            dm_held_without_slots(ctx, op);
            continue;
        }
        wet = wet ||
              (op->type == &verify_type && !((const verify_t *) kept_record(op->command))->dry_run);
        op->found[row] = actor_keep(ctx, &outcome_type, m);
        op->waiting--;
        end_when_all_are_in(ctx, self, op);
    }
    if (wet) {
        follow(ctx, m);
    }
    return true;
}

/* ---- the plan ---- */

static dm_op_t *
op_of_number(distribution_manager_t *self, uint64_t number)
{
    for (uint32_t i = 0; i < DM_OPS_MAX; i++) {
        if (self->op[i].used && self->op[i].number == number) {
            return &self->op[i];
        }
    }
    return NULL;
}

/* The despooler restarted or its inbox is full. The command may have been answered meanwhile. */
static actor_next_t
instructed(actor_ctx_t *ctx, void *state, const actor_answer_t *answer)
{
    dm_op_t *op = op_of_number(state, answer->tag);
    err_t err = answer_err(answer);

    if (op) {
        op->untaken--;
    }
    if (op && err != OK && op->waiting > 0) {
        dm_op_refuse(ctx, op, err, slice_of(""));
    }
    return ACTOR_CONTINUE;
}

actor_next_t
dm_gather_planned(actor_ctx_t *ctx, void *state, const actor_answer_t *answer)
{
    distribution_manager_t *self = state;
    dm_op_t *op = dm_op_of(self, answer->tag);
    const due_t *due = ANSWER_AS(answer, due);

    claim(ctx, op != NULL);
    if (!due) {
        dm_op_pass_on(ctx, op, answer);
        return ACTOR_CONTINUE;
    }
    op->plan = actor_keep(ctx, &due_type, due);
    op->found = calloc(due->targets.count + 1u, sizeof *op->found);
    claim(ctx, op->found != NULL);
    op->waiting = due->targets.count;
    op->number = ++self->gathers;
    if (!dm_held_works_for(ctx, op)) {
        return ACTOR_CONTINUE;
    }
    verdict_t verdict =
        op->waiting ? dm_instruct(ctx, due, instructed, op->number, &op->untaken) : VERDICT_OK;
    if (verdict != VERDICT_OK) {
        dm_op_refuse(ctx, op, verdict_err(verdict), slice_of(""));
    } else {
        end_when_all_are_in(ctx, self, op);
    }
    return dm_held_look_in(ctx, self);
}

actor_next_t
dm_verify(actor_ctx_t *ctx, distribution_manager_t *self, const verify_t *m)
{
    if (!dm_held_works(ctx, "verify", record_slice(m, m->id))) {
        return ACTOR_CONTINUE;
    }
    dm_op_t *op = dm_op_take(ctx, self, &verify_type, m, "despooler");
    if (!op) {
        return ACTOR_CONTINUE;
    }
    verify_plan_t *plan = DRAFT(ctx, verify_plan);
    plan->key = actor_text(ctx, record_slice(m, m->key));
    plan->principal = actor_text(ctx, record_slice(m, m->principal));
    plan->id = actor_text(ctx, record_slice(m, m->id));
    plan->dp = m->dp.at ? actor_text(ctx, record_slice(m, m->dp)) : (text_t){0, 0};
    plan->dry_run = m->dry_run;
    verdict_t verdict =
        ask_site_database_verify_plan(ctx, plan, DM_ASK_MS, dm_gather_planned, dm_op_tag(self, op));
    if (verdict != VERDICT_OK) {
        dm_op_refuse(ctx, op, verdict_err(verdict), slice_of(""));
    }
    return ACTOR_CONTINUE;
}
