/* dm_points.c - dp.add, dp.set, dp.adopt: the root is claimed, then the point is committed. */
#include "actors/dm.h"
#include "actors/jobs_claim.h"

static text_t
name_of(const dm_op_t *op, const void *m)
{
    return op->type == &dp_add_type   ? ((const dp_add_t *) m)->name
           : op->type == &dp_set_type ? ((const dp_set_t *) m)->name
                                      : ((const dp_adopt_t *) m)->name;
}

static bool
same_name(slice_t a, slice_t b)
{
    return a.size == b.size && strncasecmp(a.data, b.data, a.size) == 0;
}

static const point_ref_t *
point_of(const points_listed_t *listed, slice_t name)
{
    for (uint32_t i = 0; i < listed->points.count; i++) {
        const point_ref_t *point = ROW(listed, listed->points, i, point_ref_t);
        if (same_name(record_slice(listed, point->dp), name)) {
            return point;
        }
    }
    return NULL;
}

static void
copy_known(actor_ctx_t *ctx, claim_order_t *m, const points_listed_t *listed)
{
    draft_t *draft = actor_draft_open(ctx);

    m->points = draft_rows(draft, listed->points.count, sizeof(point_ref_t));
    for (uint32_t i = 0; i < listed->points.count && !draft->full; i++) {
        point_ref_t *row = draft_row(draft, m->points, i, sizeof *row);
        err_t err = draft_copy(draft, &point_ref_type, row, listed,
                               ROW(listed, listed->points, i, point_ref_t));
        draft->full |= err != OK;
    }
    m->sources = draft_rows(draft, listed->sources.count, sizeof(text_t));
    for (uint32_t i = 0; i < listed->sources.count && !draft->full; i++) {
        text_t text = draft_copy_text(draft, listed, *ROW(listed, listed->sources, i, text_t));
        text_t *row = draft_row(draft, m->sources, i, sizeof *row);
        if (row) {
            *row = text;
        }
    }
}

id128_t
dm_new_incarnation(actor_ctx_t *ctx)
{
    uint64_t half[2];
    id128_t id;

    half[0] = actor_random(ctx); /* one after the other: compilers differ */
    half[1] = actor_random(ctx) | 1;
    memcpy(id.byte, half, sizeof id.byte);
    return id;
}

/* What every command begins with. */
typedef struct head {
    text_t key, principal;
    bool dry_run;
} head_t;

static head_t
head_of(const dm_op_t *op)
{
    const void *command = kept_record(op->command);
    const dp_add_t *add = command;
    const dp_set_t *set = command;
    const dp_adopt_t *adopt = command;

    return op->type == &dp_add_type   ? (head_t){add->key, add->principal, add->dry_run}
           : op->type == &dp_set_type ? (head_t){set->key, set->principal, set->dry_run}
                                      : (head_t){adopt->key, adopt->principal, adopt->dry_run};
}

static const char *
verb_of(const dm_op_t *op)
{
    return op->type == &dp_add_type ? "add" : op->type == &dp_set_type ? "set" : "adopt";
}

static const claim_order_t *
order_of(actor_ctx_t *ctx, const distribution_manager_t *self, const dm_op_t *op,
         const points_listed_t *listed, const point_ref_t *known)
{
    const void *command = kept_record(op->command);
    const site_args_t *site = kept_record(self->args);
    const dp_add_t *add = command;
    const dp_set_t *set = command;
    claim_order_t *m = DRAFT(ctx, claim_order);
    bool is_add = op->type == &dp_add_type, is_set = op->type == &dp_set_type;

    m->how = actor_text(ctx, slice_of(verb_of(op)));
    m->site = self->site;
    m->dp = known ? draft_copy_text(actor_draft_open(ctx), listed, known->dp)
                  : actor_text(ctx, record_slice(add, add->name));
    m->dp_incarnation = known ? known->dp_incarnation : dm_new_incarnation(ctx);
    m->dp_root = is_add   ? actor_text(ctx, record_slice(add, add->root))
                 : is_set ? actor_text(ctx, record_slice(set, set->root))
                          : actor_text(ctx, record_slice(listed, known->dp_root));
    m->data = actor_text(ctx, record_slice(site, site->data));
    m->dry_run = head_of(op).dry_run;
    copy_known(ctx, m, listed);
    return m;
}

static actor_next_t
committed(actor_ctx_t *ctx, void *state, const actor_answer_t *answer)
{
    dm_op_t *op = dm_op_of(state, answer->tag);

    claim(ctx, op != NULL);
    dm_op_pass_on(ctx, op, answer);
    return ACTOR_CONTINUE;
}

static verdict_t
commit(actor_ctx_t *ctx, const distribution_manager_t *self, const dm_op_t *op,
       const claimed_t *claimed)
{
    const void *command = kept_record(op->command);
    head_t head = head_of(op);
    point_commit_t *m = DRAFT(ctx, point_commit);

    m->add = op->type == &dp_add_type;
    m->adopt = op->type == &dp_adopt_type;
    m->written = claimed->written;
    m->dry_run = head.dry_run;
    m->key = actor_text(ctx, record_slice(command, head.key));
    m->principal = actor_text(ctx, record_slice(command, head.principal));
    m->name = actor_text(ctx, record_slice(command, name_of(op, command)));
    m->root = actor_text(ctx, record_slice(claimed, claimed->root));
    m->incarnation = claimed->incarnation;
    return ask_site_database_point_commit(ctx, m, DM_ASK_MS, committed, dm_op_tag(self, op));
}

static actor_next_t
claimed_root(actor_ctx_t *ctx, void *state, const actor_answer_t *answer)
{
    distribution_manager_t *self = state;
    dm_op_t *op = dm_op_of(self, answer->tag);
    const claimed_t *claimed = ANSWER_AS(answer, claimed);

    claim(ctx, op != NULL);
    if (!claimed || claimed->err != OK) {
        err_t err = claimed ? (err_t) claimed->err : answer->err;
        dm_op_refuse(ctx, op, err == OK ? ERR_INTERNAL : err,
                     claimed ? record_slice(claimed, claimed->text) : slice_of(""));
        return ACTOR_CONTINUE;
    }
    verdict_t verdict = commit(ctx, self, op, claimed);
    if (verdict != VERDICT_OK) {
        dm_op_refuse(ctx, op, verdict_err(verdict), slice_of(""));
    }
    return ACTOR_CONTINUE;
}

static bool
is_agent(const dm_op_t *op)
{
    return op->type == &dp_add_type && ((const dp_add_t *) kept_record(op->command))->agent;
}

static actor_next_t
points_came(actor_ctx_t *ctx, void *state, const actor_answer_t *answer)
{
    distribution_manager_t *self = state;
    dm_op_t *op = dm_op_of(self, answer->tag);
    const points_listed_t *listed = ANSWER_AS(answer, points_listed);

    claim(ctx, op != NULL);
    if (!listed) {
        dm_op_pass_on(ctx, op, answer);
        return ACTOR_CONTINUE;
    }
    const void *command = kept_record(op->command);
    slice_t name = record_slice(command, name_of(op, command));
    const point_ref_t *known = point_of(listed, name);
    char text[TEXT_BYTES_MAX];
    if ((op->type == &dp_add_type) == (known != NULL)) {
        err_t err = known ? ERR_EXISTS : ERR_NOT_FOUND;
        snprintf(text, sizeof text, "cannot %s '%.*s': %s", verb_of(op), (int) name.size, name.data,
                 err_sentence(err));
        dm_op_refuse(ctx, op, err, slice_of(text));
        return ACTOR_CONTINUE;
    }
    if (known && point_is_agent(record_slice(listed, known->dp_root))) {
        snprintf(text, sizeof text,
                 "cannot %s '%.*s': its root is the business of its agent, which names it",
                 verb_of(op), (int) name.size, name.data);
        dm_op_refuse_so(ctx, op, ERR_BAD_VALUE, slice_of(text),
                        "to move it: despool dp remove NAME, dp add NAME --agent, and join there "
                        "with the other --root");
        return ACTOR_CONTINUE;
    }
    if (is_agent(op)) {
        return dm_agent_add(ctx, self, op, record_slice(listed, listed->address));
    }
    job_spec_t spec = {.name = "claim",
                       .run = job_claim,
                       .input_type = &claim_order_type,
                       .input = order_of(ctx, self, op, listed, known),
                       .subject = name,
                       .deadline_ms = DM_ASK_MS,
                       .then = claimed_root,
                       .tag = answer->tag};
    verdict_t verdict = actor_job(ctx, &spec, NULL);
    if (verdict != VERDICT_OK) {
        dm_op_refuse(ctx, op, verdict_err(verdict), slice_of(""));
    }
    return ACTOR_CONTINUE;
}

actor_next_t
dm_point(actor_ctx_t *ctx, distribution_manager_t *self, const record_type_t *type, const void *m)
{
    dm_op_t *op = dm_op_take(ctx, self, type, m, "site_database");

    if (!op) {
        return ACTOR_CONTINUE;
    }
    if (type == &dp_set_type && ((const dp_set_t *) m)->revoke) {
        return dm_agent_revoke(ctx, self, op);
    }
    if (type == &dp_set_type && ((const dp_set_t *) m)->root.size == 0) {
        return dm_agent_pace(ctx, self, op);
    }
    points_known_t *query = DRAFT(ctx, points_known);
    query->name = actor_text(ctx, record_slice(m, name_of(op, m)));
    query->alone = type == &dp_add_type && ((const dp_add_t *) m)->agent;
    verdict_t verdict =
        ask_site_database_points_known(ctx, query, DM_ASK_MS, points_came, dm_op_tag(self, op));
    if (verdict != VERDICT_OK) {
        dm_op_refuse(ctx, op, verdict_err(verdict), slice_of(""));
    }
    return ACTOR_CONTINUE;
}
