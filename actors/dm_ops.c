/* dm_ops.c - commands in hand: taken, found again by their tag, answered once. */
#include "actors/dm.h"
#include "actors/instruction.h"
#include "actors/refuse.h"

dm_op_t *
dm_op_take(actor_ctx_t *ctx, distribution_manager_t *self, const record_type_t *type, const void *m,
           const char *waits_for)
{
    for (uint32_t i = 0; i < DM_OPS_MAX; i++) {
        dm_op_t *op = &self->op[i];
        if (!op->used) {
            *op = (dm_op_t){.used = true, .type = type};
            op->command = actor_keep(ctx, type, m);
            op->request = actor_defer(ctx, waits_for);
            return op;
        }
    }
    actor_refuse(ctx, ERR_FULL);
    return NULL;
}

uint64_t
dm_op_tag(const distribution_manager_t *self, const dm_op_t *op)
{
    return (uint64_t) (op - self->op);
}

dm_op_t *
dm_op_of(distribution_manager_t *self, uint64_t tag)
{
    return tag < DM_OPS_MAX && self->op[tag].used ? &self->op[tag] : NULL;
}

void
dm_op_free(dm_op_t *op)
{
    const due_t *plan = op->plan ? kept_record(op->plan) : NULL;

    for (uint32_t i = 0; op->found && plan && i < plan->targets.count; i++) {
        kept_destroy(&op->found[i]);
    }
    free(op->found);
    kept_destroy(&op->plan);
    kept_destroy(&op->answer);
    kept_destroy(&op->revoked);
    kept_destroy(&op->command);
    *op = (dm_op_t){.used = false};
}

/* The command's word, as everywhere else: "package.add". */
static const char *
word_of(const dm_op_t *op)
{
    uint32_t number = op->type->number;

    return number > 0 && number <= command_count ? commands[number - 1].word : op->type->name;
}

void
dm_op_pass_on(actor_ctx_t *ctx, dm_op_t *op, const actor_answer_t *answer)
{
    answer_pass_on(ctx, op->request, answer, "run", slice_of(word_of(op)));
    dm_op_free(op);
}

/* A command that is refused is over: nothing resumes by itself, as work does. */
static const char *
hint_of(err_t err)
{
    switch (err) {
    case ERR_ABSENT:
        return "make or mount the directory, then repeat the command";
    case ERR_READ_ONLY:
        return "remount it writable, then repeat the command";
    case ERR_SPACE:
        return "free space or inodes there, then repeat the command";
    case ERR_NOT_FOUND:
        return "despool dp list shows the distribution points";
    default:
        return err_hint(err);
    }
}

void
dm_op_refuse(actor_ctx_t *ctx, dm_op_t *op, err_t err, slice_t text)
{
    dm_op_refuse_so(ctx, op, err, text, hint_of(err));
}

void
dm_op_refuse_so(actor_ctx_t *ctx, dm_op_t *op, err_t err, slice_t text, const char *hint)
{
    refusal_t *m = DRAFT(ctx, refusal);

    m->code = err;
    m->message = text.size
                     ? actor_text(ctx, text)
                     : actor_textf(ctx, "cannot run '%s': %s", word_of(op), err_sentence(err));
    m->hint = actor_text(ctx, slice_of(hint));
    m->need = m->have = RECORD_NONE;
    answer_unheard(REPLY_TO(ctx, op->request, refusal, m));
    dm_op_free(op);
}

uint32_t
dm_ops_snapshots(const distribution_manager_t *self)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < DM_OPS_MAX; i++) {
        count += self->op[i].used && self->op[i].snapshot;
    }
    return count;
}

verdict_t
dm_instruct(actor_ctx_t *ctx, const due_t *due, actor_answer_fn *then, uint64_t tag,
            uint32_t *count)
{
    uint8_t grouped[DUE_TARGETS_MAX] = {0};
    instruction_walk_t walk = {.due = due, .grouped = grouped};
    verdict_t verdict = due->targets.count <= DUE_TARGETS_MAX ? VERDICT_OK : VERDICT_TOO_LARGE;

    while (verdict == VERDICT_OK && instruction_next(&walk)) {
        instruction_t *m = DRAFT(ctx, instruction);
        instruction_fill(&walk, actor_draft_open(ctx), m);
        verdict = ask_despooler_instruction(ctx, m, DM_ASK_MS, then, tag);
        *count += verdict == VERDICT_OK;
    }
    return verdict;
}

void
dm_ops_drop(distribution_manager_t *self)
{
    for (uint32_t i = 0; i < DM_OPS_MAX; i++) {
        dm_op_free(&self->op[i]);
    }
}
