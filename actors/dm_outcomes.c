/* dm_outcomes.c - what follows from an outcome: it is saved with what comes next, an absent
 * point is looked out for, and what a new version superseded is collected. */
#include "actors/dm.h"
#include "actors/retry.h"

static verdict_t
save_outcome(actor_ctx_t *ctx, const outcome_t *m, const retry_next_t *next, actor_answer_fn *then)
{
    target_outcome_t *save = DRAFT(ctx, target_outcome);
    draft_t *draft = actor_draft_open(ctx);

    /* An outcome is the first part of what is saved, field by field. */
    err_t err = draft_copy(draft, &outcome_type, save, m, m);
    draft->full |= err != OK;
    save->next = next->next;
    save->attempts = next->attempts;
    save->integrity_next = next->integrity;
    save->due_ms = next->due_ms;
    return ask_site_database_target_outcome(ctx, save, DM_ASK_MS, then, 0);
}

/* The version that was placed stays; what it superseded is collected after its grace time. */
static void
collect_at(actor_ctx_t *ctx, const outcome_t *m)
{
    collect_point_t *collect = DRAFT(ctx, collect_point);

    collect->target = m->target;
    collect->package = actor_text(ctx, record_slice(m, m->package));
    collect->package_incarnation = m->package_incarnation;
    collect->epoch = m->epoch;
    collect->root = m->root;
    collect->dp = actor_text(ctx, record_slice(m, m->dp));
    collect->dp_incarnation = m->dp_incarnation;
    collect->dp_root = actor_text(ctx, record_slice(m, m->dp_root));
    answer_unheard(tell_despooler_collect_point(ctx, collect));
}

verdict_t
dm_outcome(actor_ctx_t *ctx, const distribution_manager_t *self, const outcome_t *m,
           actor_answer_fn *then)
{
    retry_next_t next = retry_decide(m, actor_random(ctx));
    if (next.look_out) {
        dm_look_out(ctx, self, m, m->dp, &m->dp_incarnation, m->dp_root);
    }
    if (m->err == OK && m->action == ACTION_INSTALL) {
        collect_at(ctx, m);
    }
    return save_outcome(ctx, m, &next, then);
}
