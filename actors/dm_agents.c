/* dm_agents.c - a point that is another machine: its token is made, then the point is committed. */
#include "actors/dm.h"
#include "actors/jobs_gateway.h"
#include "actors/refuse.h"

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

/* ---- its key is revoked ---- */

static void
answer_revoked(actor_ctx_t *ctx, dm_op_t *op)
{
    answer_unheard(actor_reply_to(ctx, op->request, &done_type, kept_record(op->revoked)));
    dm_op_free(op);
}

static void
refuse_revoked(actor_ctx_t *ctx, dm_op_t *op, err_t err)
{
    const dp_set_t *set = kept_record(op->command);
    const refusal_t *refusal =
        refuse_draft(ctx, err, "repeat the command; despool component list shows the gateway",
                     "set", record_slice(set, set->name),
                     "its key is revoked, but agent_gateway has not said that it shuts it out");

    answer_unheard(REPLY_TO(ctx, op->request, refusal, refusal));
    dm_op_free(op);
}

/* A gateway that ends or begins anew lets nobody in by what it knew before. */
static actor_next_t
is_shut(actor_ctx_t *ctx, void *state, const actor_answer_t *answer)
{
    dm_op_t *op = dm_op_of(state, answer->tag);
    err_t err = answer_err(answer);

    claim(ctx, op != NULL);
    if (err == OK || err == ERR_DOWN || err == ERR_RESTARTING) {
        answer_revoked(ctx, op);
    } else {
        refuse_revoked(ctx, op, err);
    }
    return ACTOR_CONTINUE;
}

/* The command was answered while the gateway was paused. */
static actor_next_t
is_shut_unheard(actor_ctx_t *ctx, void *state, const actor_answer_t *answer)
{
    claim(ctx, state && answer);
    return ACTOR_CONTINUE;
}

/* A paused gateway takes nothing from anybody, and hears this first when it is resumed. */
static verdict_t
shut_out(actor_ctx_t *ctx, const distribution_manager_t *self, dm_op_t *op)
{
    const dp_set_t *set = kept_record(op->command);
    bool paused = actor_role_state(ctx, ACTOR_EDGE_ASK_agent_gateway_agent_shut) == ACTOR_PAUSED;
    agent_shut_t *m = DRAFT(ctx, agent_shut);

    m->dp = actor_text(ctx, record_slice(set, set->name));
    verdict_t verdict =
        paused ? ask_agent_gateway_agent_shut(ctx, m, DM_SLOW_MS, is_shut_unheard, 0)
               : ask_agent_gateway_agent_shut(ctx, m, DM_ASK_MS, is_shut, dm_op_tag(self, op));
    if (paused && verdict == VERDICT_OK) {
        answer_revoked(ctx, op);
    }
    return verdict;
}

/* It is durable: whoever repeats the command by its key gets here again. */
static actor_next_t
revoked(actor_ctx_t *ctx, void *state, const actor_answer_t *answer)
{
    distribution_manager_t *self = state;
    dm_op_t *op = dm_op_of(self, answer->tag);

    claim(ctx, op != NULL);
    if (!ANSWER_AS(answer, done) || ((const dp_set_t *) kept_record(op->command))->dry_run) {
        dm_op_pass_on(ctx, op, answer);
        return ACTOR_CONTINUE;
    }
    op->revoked = actor_keep(ctx, answer->type, answer->record);
    verdict_t verdict = shut_out(ctx, self, op);
    if (verdict == VERDICT_DOWN) {
        answer_revoked(ctx, op);
    } else if (verdict != VERDICT_OK) {
        refuse_revoked(ctx, op, verdict_err(verdict));
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
        ask_site_database_agent_revoke(ctx, m, DM_ASK_MS, revoked, dm_op_tag(self, op));
    if (verdict != VERDICT_OK) {
        dm_op_refuse(ctx, op, verdict_err(verdict), slice_of(""));
    }
    return ACTOR_CONTINUE;
}
