/* dm_plan.c - plan: each named point is measured by the despooler, and nothing follows from it. */
#include "actors/dm.h"
#include "actors/outcome.h"

/* Beyond all rows of targets; none is drawn twice while a run of the despooler remembers it. */
#define ENDS_S_MAX   UINT64_C(1000000000) /* 30 years; an end beyond is not told */
#define FIRST_NUMBER (UINT64_C(1) << 50)

static uint64_t
next_numbers(actor_ctx_t *ctx, distribution_manager_t *self)
{
    if (self->plans == 0) {
        self->plans = FIRST_NUMBER + (actor_random(ctx) >> 16);
    }
    self->plans += DUE_TARGETS_MAX;
    return self->plans;
}

static texts_t
copy_texts(draft_t *draft, const distribute_plan_t *m, texts_t from)
{
    texts_t names = draft_rows(draft, from.count, sizeof(text_t));

    for (uint32_t i = 0; i < from.count; i++) {
        text_t name = draft_copy_text(draft, m, *ROW(m, from, i, text_t));
        text_t *into = draft_row(draft, names, i, sizeof *into);
        if (into) {
            *into = name;
        }
    }
    return names;
}

actor_next_t
dm_plan(actor_ctx_t *ctx, distribution_manager_t *self, const distribute_plan_t *m)
{
    if (!dm_held_works(ctx, "plan", record_slice(m, m->id))) {
        return ACTOR_CONTINUE;
    }
    dm_op_t *op = dm_op_take(ctx, self, &distribute_plan_type, m, "despooler");
    if (!op) {
        return ACTOR_CONTINUE;
    }
    plan_targets_t *ask = DRAFT(ctx, plan_targets);
    ask->id = actor_text(ctx, record_slice(m, m->id));
    ask->to = copy_texts(actor_draft_open(ctx), m, m->to);
    ask->rings = copy_texts(actor_draft_open(ctx), m, m->rings);
    ask->all = m->all;
    ask->first = next_numbers(ctx, self);
    verdict_t verdict =
        ask_site_database_plan_targets(ctx, ask, DM_ASK_MS, dm_gather_planned, dm_op_tag(self, op));
    if (verdict != VERDICT_OK) {
        dm_op_refuse(ctx, op, verdict_err(verdict), slice_of(""));
    }
    return ACTOR_CONTINUE;
}

/* ---- the answer ---- */

static void
copy_row(draft_t *draft, const outcome_t *outcome, plan_row_t *row)
{
    if (outcome->err == OK && outcome->plan.count == 1) {
        err_t err = draft_copy(draft, &plan_row_type, row, outcome,
                               ROW(outcome, outcome->plan, 0, plan_row_t));
        draft->full |= err != OK;
        return;
    }
    outcome_found_nothing(draft, outcome, &row->dp, &row->cause);
    row->rate = row->least_ms = row->measured = RECORD_NONE;
    row->have_bytes = row->have_inodes = RECORD_NONE;
}

static void
fill_time(plan_row_t *row, const due_row_t *due)
{
    if (due->rate > 0 && row->cause.count == 0) {
        row->rate = due->rate;
        row->least_ms = row->bytes / due->rate * 1000 + row->bytes % due->rate * 1000 / due->rate;
    }
}

/* So much time within the windows, from the first on; 0: that is beyond those that were listed. */
static int64_t
end_within(const due_t *plan, const due_row_t *due, int64_t need_ns)
{
    for (uint32_t i = 0; i < due->windows.count; i++) {
        const window_row_t *window = ROW(plan, due->windows, i, window_row_t);
        if (window->closes == 0 || need_ns <= window->closes - window->opens) {
            return window->opens + need_ns;
        }
        need_ns -= window->closes - window->opens;
    }
    return 0;
}

/* By the rate that holds for it, or the last transfer there, whichever is less. */
static uint64_t
rate_of(const due_row_t *due)
{
    bool slower = due->measured > 0 && (due->rate == 0 || due->measured < due->rate);

    return slower ? due->measured : due->rate;
}

static void
fill_windows(draft_t *draft, const due_t *plan, const due_row_t *due, plan_row_t *row)
{
    const window_row_t *first =
        due->windows.count > 0 ? ROW(plan, due->windows, 0, window_row_t) : NULL;
    uint64_t rate = rate_of(due);

    row->measured = due->measured > 0 ? due->measured : RECORD_NONE;
    row->zone = draft_copy_text(draft, plan, due->zone);
    if (!first) {
        return;
    }
    row->opens = first->opens > plan->now ? first->opens : 0;
    row->closes = first->closes;
    if (rate > 0 && row->cause.count == 0 && row->bytes / rate < ENDS_S_MAX) {
        int64_t need_ns = (int64_t) (row->bytes / rate + (row->bytes % rate != 0)) * 1000000000;
        row->ends = end_within(plan, due, need_ns);
        row->late = row->ends == 0 || (row->closes != 0 && row->ends > row->closes);
    }
}

static void
fill_version(draft_t *draft, const due_t *plan, planned_t *m)
{
    const due_row_t *due = ROW(plan, plan->targets, 0, due_row_t);

    m->id = draft_copy_text(draft, plan, due->package);
    m->version = draft_rows(draft, 1, sizeof(version_ref_t));
    text_t label = draft_copy_text(draft, plan, due->label);
    version_ref_t *version = draft_row(draft, m->version, 0, sizeof *version);
    if (version) {
        *version = (version_ref_t){.epoch = due->epoch, .label = label, .root = due->root};
    }
}

void
dm_plan_end(actor_ctx_t *ctx, dm_op_t *op)
{
    const due_t *plan = kept_record(op->plan);
    planned_t *m = DRAFT(ctx, planned);
    draft_t *draft = actor_draft_open(ctx);

    fill_version(draft, plan, m);
    m->ok = true;
    m->points = draft_rows(draft, plan->targets.count, sizeof(plan_row_t));
    for (uint32_t i = 0; i < plan->targets.count && !draft->full; i++) {
        plan_row_t *row = draft_row(draft, m->points, i, sizeof *row);
        copy_row(draft, kept_record(op->found[i]), row);
        row->ring = ROW(plan, plan->targets, i, due_row_t)->ring;
        fill_time(row, ROW(plan, plan->targets, i, due_row_t));
        fill_windows(draft, plan, ROW(plan, plan->targets, i, due_row_t), row);
        m->ok = m->ok && row->cause.count == 0;
        m->bytes += row->bytes;
    }
    answer_unheard(REPLY_TO(ctx, op->request, planned, m));
    dm_op_free(op);
}
