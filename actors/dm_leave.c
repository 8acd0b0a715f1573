/* dm_leave.c - dp.remove, and points whose content is gone: their roots are given free, then they
 * go, in steps that the database notes: actors/database/leaving.c says why. */
#include "actors/dm.h"
#include "actors/jobs_claim.h"

#define REST_MS    30000u /* after a root that could not be given free */
#define RELEASE_MS 60000u /* of a step: what is left at such a root is a few directories */

THEN(distribution_manager_t, removed)
THEN(distribution_manager_t, leaving_came)
THEN(distribution_manager_t, step_done)
THEN(distribution_manager_t, step_noted)

/* ---- commands that wait for it ---- */

/* A client is answered when the name is free again, or when that takes longer than one look. */
static void
let_go(actor_ctx_t *ctx, dm_op_t *op, const char *why)
{
    if (why) {
        done_t *m = DRAFT(ctx, done);
        m->changed = ((const done_t *) kept_record(op->answer))->changed;
        m->text = actor_textf(ctx, "it goes when its root can be given free: %s", why);
        answer_unheard(REPLY_TO(ctx, op->request, done, m));
    } else {
        answer_unheard(actor_reply_to(ctx, op->request, &done_type, kept_record(op->answer)));
    }
    dm_op_free(op);
}

static bool
is_of(const dm_op_t *op, slice_t name)
{
    const dp_remove_t *m = kept_record(op->command);
    slice_t own = record_slice(m, m->name);

    return own.size == name.size && strncasecmp(own.data, name.data, own.size) == 0;
}

static void
mark_listed(distribution_manager_t *self, const points_listed_t *listed)
{
    for (uint32_t i = 0; i < DM_OPS_MAX; i++) {
        dm_op_t *op = &self->op[i];
        for (uint32_t j = 0; op->used && op->answer && j < listed->points.count; j++) {
            const point_ref_t *point = ROW(listed, listed->points, j, point_ref_t);
            op->listed |= is_of(op, record_slice(listed, point->dp));
        }
    }
}

/* Whose point was none of those that leave, in a whole round, has nothing to wait for. */
static void
let_others_go(actor_ctx_t *ctx, distribution_manager_t *self)
{
    for (uint32_t i = 0; i < DM_OPS_MAX; i++) {
        dm_op_t *op = &self->op[i];
        if (op->used && op->answer && op->asked && !op->listed) {
            let_go(ctx, op, NULL);
        }
    }
}

static actor_next_t
removed(actor_ctx_t *ctx, distribution_manager_t *self, const actor_answer_t *answer)
{
    dm_op_t *op = dm_op_of(self, answer->tag);

    claim(ctx, op != NULL);
    if (!ANSWER_AS(answer, done) || ((const dp_remove_t *) kept_record(op->command))->dry_run) {
        dm_op_pass_on(ctx, op, answer);
        return ACTOR_CONTINUE;
    }
    const dp_remove_t *m = kept_record(op->command);
    if (m->forget) {
        dm_end_look_out(ctx, record_slice(m, m->name));
    }
    op->answer = actor_keep(ctx, answer->type, answer->record);
    self->leave.rest_ns = 0;
    dm_leave(ctx, self);
    return ACTOR_CONTINUE;
}

actor_next_t
dm_point_remove(actor_ctx_t *ctx, distribution_manager_t *self, const dp_remove_t *m)
{
    dm_op_t *op = dm_op_take(ctx, self, &dp_remove_type, m, "site_database");
    verdict_t verdict =
        op ? ask_site_database_dp_remove(ctx, m, DM_ASK_MS, removed_then, dm_op_tag(self, op))
           : VERDICT_OK;

    if (verdict != VERDICT_OK) {
        dm_op_refuse(ctx, op, verdict_err(verdict), slice_of(""));
    }
    return ACTOR_CONTINUE;
}

/* ---- one round ---- */

static void
begin_round(distribution_manager_t *self)
{
    self->leave.moved = self->leave.failed = false;
    for (uint32_t i = 0; i < DM_OPS_MAX; i++) {
        self->op[i].asked = self->op[i].used && self->op[i].answer;
        self->op[i].listed = false;
    }
}

void
dm_leave(actor_ctx_t *ctx, distribution_manager_t *self)
{
    leave_state_t *leave = &self->leave;

    leave->again = leave->open > 0;
    if (leave->again || actor_now_ns(ctx) < leave->rest_ns) {
        return;
    }
    if (!leave->last[0]) {
        begin_round(self);
    }
    leaving_points_t *m = DRAFT(ctx, leaving_points);
    m->limit = LEAVING_POINTS_MAX;
    m->after = leave->last[0] ? actor_text(ctx, slice_of(leave->last)) : (text_t){0, 0};
    m->emptied = leave->last_emptied;
    leave->open =
        ask_site_database_leaving_points(ctx, m, DM_ASK_MS, leaving_came_then, 0) == VERDICT_OK;
    if (leave->open == 0) {
        leave->last[0] = '\0';
        let_others_go(ctx, self);
    }
}

/* The end of a portion, and perhaps of the round. Where nothing moved and something failed the next
 * round waits; who fails holds back nobody who does not. */
static void
end_one(actor_ctx_t *ctx, distribution_manager_t *self)
{
    leave_state_t *leave = &self->leave;

    if (--leave->open > 0) {
        return;
    }
    if (!leave->last[0] && leave->moved) {
        leave->again = true;
    } else if (!leave->last[0] && leave->failed) {
        leave->rest_ns = actor_now_ns(ctx) + (int64_t) REST_MS * 1000000;
    }
    if (leave->again) {
        dm_leave(ctx, self);
    }
}

static void
end_step(actor_ctx_t *ctx, distribution_manager_t *self, uint64_t at)
{
    kept_destroy(&self->leave.step[at]);
    end_one(ctx, self);
}

static void
tell_stays(actor_ctx_t *ctx, leave_state_t *leave, slice_t dp, const char *why)
{
    char name[NAME_BYTES_MAX + 1];

    if (!slice_copy(dp, name, sizeof name) || zhashx_insert(leave->told, name, leave) != 0) {
        return; /* it was told before */
    }
    note_event_t *event = DRAFT(ctx, note_event);
    event->component = actor_text(ctx, slice_of("distribution_manager"));
    event->id = STATUS_POINT_STAYS;
    event->severity = status_severity(STATUS_POINT_STAYS);
    event->dp = actor_text(ctx, dp);
    event->text = actor_textf(ctx, "%s: %s", status_sentence(STATUS_POINT_STAYS), why);
    answer_unheard(tell_site_database_note_event(ctx, event));
}

/* An absent point waits until it is back; any other cause is tried again after a rest. */
static void
fail_step(actor_ctx_t *ctx, distribution_manager_t *self, uint64_t at, err_t err, const char *why)
{
    const point_leave_t *m = kept_record(self->leave.step[at]);
    slice_t dp = record_slice(m, m->dp);

    if (!dm_miss(ctx, m, m->dp, &m->dp_incarnation, m->dp_root, err)) {
        self->leave.failed = true;
        tell_stays(ctx, &self->leave, dp, why);
    }
    for (uint32_t i = 0; i < DM_OPS_MAX; i++) {
        dm_op_t *op = &self->op[i];
        if (op->used && op->answer && is_of(op, dp)) {
            let_go(ctx, op, why);
        }
    }
    end_step(ctx, self, at);
}

/* The root of an agent is its own business: whoever has the machine may give it to another. */
static void
note_step(actor_ctx_t *ctx, distribution_manager_t *self, uint64_t at)
{
    verdict_t verdict = ask_site_database_point_leave(ctx, kept_record(self->leave.step[at]),
                                                      DM_ASK_MS, step_noted_then, at);

    if (verdict != VERDICT_OK) {
        fail_step(ctx, self, at, verdict_err(verdict), err_sentence(verdict_err(verdict)));
    }
}

static void
start_step(actor_ctx_t *ctx, distribution_manager_t *self, const points_listed_t *listed,
           uint32_t at)
{
    const point_ref_t *point = ROW(listed, listed->points, at, point_ref_t);
    point_leave_t *m = DRAFT(ctx, point_leave);

    m->site = self->site;
    m->dp = actor_text(ctx, record_slice(listed, point->dp));
    m->dp_incarnation = point->dp_incarnation;
    m->dp_root = actor_text(ctx, record_slice(listed, point->dp_root));
    m->emptied = point->emptied;
    self->leave.step[at] = actor_keep(ctx, &point_leave_type, m);
    if (point_is_agent(record_slice(listed, point->dp_root))) {
        note_step(ctx, self, at);
        return;
    }
    job_spec_t spec = {.name = "release",
                       .run = job_release,
                       .input_type = &point_leave_type,
                       .input = m,
                       .subject = record_slice(m, m->dp),
                       .deadline_ms = RELEASE_MS,
                       .then = step_done_then,
                       .tag = at};
    verdict_t verdict = actor_job(ctx, &spec, NULL);
    if (verdict != VERDICT_OK) {
        fail_step(ctx, self, at, verdict_err(verdict), err_sentence(verdict_err(verdict)));
    }
}

/* A portion that is full is followed by the next one of the round. */
static void
note_last(leave_state_t *leave, const points_listed_t *listed, uint32_t count)
{
    leave->last[0] = '\0';
    leave->last_emptied = false;
    if (count == LEAVING_POINTS_MAX) {
        const point_ref_t *point = ROW(listed, listed->points, count - 1, point_ref_t);
        leave->again = slice_copy(record_slice(listed, point->dp), leave->last, sizeof leave->last);
        leave->last_emptied = point->emptied;
    }
}

static actor_next_t
leaving_came(actor_ctx_t *ctx, distribution_manager_t *self, const actor_answer_t *answer)
{
    const points_listed_t *listed = ANSWER_AS(answer, points_listed);
    uint32_t count = listed ? listed->points.count : 0;

    claim(ctx, count <= LEAVING_POINTS_MAX);
    if (listed) {
        mark_listed(self, listed);
    }
    note_last(&self->leave, listed, count);
    if (!self->leave.last[0]) {
        let_others_go(ctx, self);
    }
    self->leave.open += count;
    for (uint32_t i = 0; i < count; i++) {
        start_step(ctx, self, listed, i);
    }
    end_one(ctx, self);
    return ACTOR_CONTINUE;
}

static actor_next_t
step_done(actor_ctx_t *ctx, distribution_manager_t *self, const actor_answer_t *answer)
{
    const claimed_t *m = ANSWER_AS(answer, claimed);
    err_t err = m ? (err_t) m->err : answer->err == ERR_DEADLINE ? ERR_HUNG : answer->err;
    char why[TEXT_BYTES_MAX];

    if (err == OK) {
        verdict_t verdict =
            ask_site_database_point_leave(ctx, kept_record(self->leave.step[answer->tag]),
                                          DM_ASK_MS, step_noted_then, answer->tag);
        if (verdict == VERDICT_OK) {
            return ACTOR_CONTINUE;
        }
        err = verdict_err(verdict);
    }
    bool said = m && m->err != OK && slice_copy(record_slice(m, m->text), why, sizeof why);
    fail_step(ctx, self, answer->tag, err, said ? why : err_sentence(err));
    return ACTOR_CONTINUE;
}

/* What was superseded meanwhile is found out by the next round. */
static actor_next_t
step_noted(actor_ctx_t *ctx, distribution_manager_t *self, const actor_answer_t *answer)
{
    err_t err = answer_err(answer);

    if (err != OK && err != ERR_SUPERSEDED) {
        fail_step(ctx, self, answer->tag, err, err_sentence(err));
        return ACTOR_CONTINUE;
    }
    const point_leave_t *m = kept_record(self->leave.step[answer->tag]);
    char name[NAME_BYTES_MAX + 1];
    if (slice_copy(record_slice(m, m->dp), name, sizeof name)) {
        zhashx_delete(self->leave.told, name);
    }
    self->leave.moved = true;
    end_step(ctx, self, answer->tag);
    return ACTOR_CONTINUE;
}

void
dm_leave_init(distribution_manager_t *self)
{
    self->leave.told = zhashx_new();
    assert(self->leave.told);
}

void
dm_leave_drop(distribution_manager_t *self)
{
    zhashx_destroy(&self->leave.told);
    for (uint32_t i = 0; i < LEAVING_POINTS_MAX; i++) {
        kept_destroy(&self->leave.step[i]);
    }
}
