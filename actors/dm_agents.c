/* dm_agents.c - a point that is another machine: its token is made, then the point is committed. */
#include "actors/dm.h"
#include "actors/jobs_gateway.h"

#include <string.h>

static actor_next_t
passed_on(actor_ctx_t *ctx, void *state, const actor_answer_t *answer)
{
    dm_op_t *op = dm_op_of(state, answer->tag);

    claim(ctx, op != NULL);
    dm_op_pass_on(ctx, op, answer);
    return ACTOR_CONTINUE;
}

static verdict_t
commit(actor_ctx_t *ctx, const distribution_manager_t *self, const dm_op_t *op,
       const token_made_t *made)
{
    const dp_add_t *add = kept_record(op->command);
    point_commit_t *m = DRAFT(ctx, point_commit);

    m->add = true;
    m->dry_run = add->dry_run;
    m->key = actor_text(ctx, record_slice(add, add->key));
    m->principal = actor_text(ctx, record_slice(add, add->principal));
    m->name = actor_text(ctx, record_slice(add, add->name));
    m->root = actor_text(ctx, slice_of(POINT_AGENT));
    m->incarnation = made->dp_incarnation;
    m->token = made->token;
    m->address = actor_text(ctx, record_slice(made, made->address));
    m->expires_s = add->expires_s;
    if (!add->dry_run) {
        m->token_text = actor_text(ctx, record_slice(made, made->token_text));
    }
    return ask_site_database_point_commit(ctx, m, DM_ASK_MS, passed_on, dm_op_tag(self, op));
}

static actor_next_t
token_came(actor_ctx_t *ctx, void *state, const actor_answer_t *answer)
{
    distribution_manager_t *self = state;
    dm_op_t *op = dm_op_of(self, answer->tag);
    const token_made_t *made = ANSWER_AS(answer, token_made);

    claim(ctx, op != NULL);
    err_t err = !made ? answer->err : (err_t) made->err;
    if (err == OK) {
        verdict_t verdict = commit(ctx, self, op, made);
        err = verdict == VERDICT_OK ? OK : verdict_err(verdict);
    }
    if (err != OK) {
        dm_op_refuse(ctx, op, err, made ? record_slice(made, made->text) : slice_of(""));
    }
    return ACTOR_CONTINUE;
}

/* A site may listen at several endpoints, with blanks between them. */
static slice_t
first_of(slice_t endpoints)
{
    const char *end = endpoints.size > 0 ? memchr(endpoints.data, ' ', endpoints.size) : NULL;

    return end ? (slice_t){endpoints.data, (size_t) (end - endpoints.data)} : endpoints;
}

actor_next_t
dm_agent_add(actor_ctx_t *ctx, distribution_manager_t *self, dm_op_t *op, slice_t address)
{
    const site_args_t *site = kept_record(self->args);
    slice_t listen = first_of(record_slice(site, site->listen));
    const dp_add_t *add = kept_record(op->command);
    token_order_t *m = DRAFT(ctx, token_order);

    m->data = actor_text(ctx, record_slice(site, site->data));
    m->listen = actor_text(ctx, listen.size > 0 && address.size > 0 ? address : listen);
    m->dp = actor_text(ctx, record_slice(add, add->name));
    m->dp_incarnation = dm_new_incarnation(ctx);
    m->site = self->site;
    job_spec_t spec = {.name = "token",
                       .run = job_token,
                       .input_type = &token_order_type,
                       .input = m,
                       .subject = slice_of("keys"),
                       .deadline_ms = DM_ASK_MS,
                       .then = token_came,
                       .tag = dm_op_tag(self, op)};
    verdict_t verdict = actor_job(ctx, &spec, NULL);
    if (verdict != VERDICT_OK) {
        dm_op_refuse(ctx, op, verdict_err(verdict), slice_of(""));
    }
    return ACTOR_CONTINUE;
}

/* Its rate and its link are rows alone. */
actor_next_t
dm_agent_pace(actor_ctx_t *ctx, distribution_manager_t *self, dm_op_t *op)
{
    const dp_set_t *set = kept_record(op->command);
    verdict_t verdict =
        ask_site_database_dp_set(ctx, set, DM_ASK_MS, passed_on, dm_op_tag(self, op));

    if (verdict != VERDICT_OK) {
        dm_op_refuse(ctx, op, verdict_err(verdict), slice_of(""));
    }
    return ACTOR_CONTINUE;
}

actor_next_t
dm_agent_revoke(actor_ctx_t *ctx, distribution_manager_t *self, dm_op_t *op)
{
    const dp_set_t *set = kept_record(op->command);
    agent_revoke_t *m = DRAFT(ctx, agent_revoke);

    m->key = actor_text(ctx, record_slice(set, set->key));
    m->principal = actor_text(ctx, record_slice(set, set->principal));
    m->dry_run = set->dry_run;
    m->name = actor_text(ctx, record_slice(set, set->name));
    verdict_t verdict =
        ask_site_database_agent_revoke(ctx, m, DM_ASK_MS, passed_on, dm_op_tag(self, op));
    if (verdict != VERDICT_OK) {
        dm_op_refuse(ctx, op, verdict_err(verdict), slice_of(""));
    }
    return ACTOR_CONTINUE;
}
