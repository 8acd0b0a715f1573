/* agent_steps.c - an order's way at an agent: what is lacking, its data, the work on the point. */
#include <assert.h>
#include <stdlib.h>

#include "actors/agent_inside.h"
#include "actors/jobs_point.h"

#define LACK_MS     600000u
#define PROGRESS_MS 1000u

THEN(agent_state_t, lacking_came)
THEN(agent_state_t, stored_came)
THEN(agent_state_t, worked)
THEN(agent_state_t, tidied)

static actor_next_t look_for_lacks(actor_ctx_t *ctx, agent_state_t *self);

const agent_order_t *
agent_order_of(const kept_t *order)
{
    return kept_record(order);
}

const work_t *
agent_work_of(const kept_t *order)
{
    const agent_order_t *m = kept_record(order);

    return ROW(m, m->work, 0, work_t);
}

void
agent_forget_order(actor_ctx_t *ctx, agent_state_t *self)
{
    if (self->job_open) {
        actor_job_cancel(ctx, self->job);
    }
    actor_timer_cancel(ctx, TIMER_PROGRESS);
    kept_destroy(&self->order);
    kept_destroy(&self->need);
    self->phase = PHASE_IDLE;
}

static text_t
data_of(actor_ctx_t *ctx, const agent_state_t *self)
{
    const agent_args_t *args = kept_record(self->args);

    return actor_text(ctx, record_slice(args, args->data));
}

static actor_next_t
start_job(actor_ctx_t *ctx, agent_state_t *self, const job_spec_t *spec, agent_phase_t phase)
{
    verdict_t verdict = actor_job(ctx, spec, &self->job);

    if (verdict != VERDICT_OK) {
        agent_fail(ctx, self, self->order, verdict_err(verdict), slice_of(""));
        agent_forget_order(ctx, self);
        return ACTOR_CONTINUE;
    }
    self->job_open = true;
    self->phase = phase;
    return actor_timer(ctx, TIMER_PROGRESS, PROGRESS_MS) == VERDICT_OK ? ACTOR_CONTINUE
                                                                       : ACTOR_FAIL;
}

/* The end of the order in hand, and of its job: the one that waited comes next. */
static actor_next_t
go_on(actor_ctx_t *ctx, agent_state_t *self)
{
    if (self->order || self->job_open || !self->next) {
        return ACTOR_CONTINUE;
    }
    self->order = self->next;
    self->next = NULL;
    self->whole = false;
    self->lacks = 0;
    return look_for_lacks(ctx, self);
}

static actor_next_t
end_order(actor_ctx_t *ctx, agent_state_t *self)
{
    agent_forget_order(ctx, self);
    return go_on(ctx, self);
}

static actor_next_t
fail_order(actor_ctx_t *ctx, agent_state_t *self, err_t err, slice_t text)
{
    agent_fail(ctx, self, self->order, err, text);
    return end_order(ctx, self);
}

/* ---- the work on the point ---- */

/* As the agent knows its point: where it is is its own business. */
static void *
draft_work(actor_ctx_t *ctx, const agent_state_t *self, const kept_t *kept,
           const record_type_t *type)
{
    const agent_args_t *args = kept_record(self->args);
    const agent_order_t *order = kept_record(kept);
    work_t *work = actor_draft(ctx, type);
    draft_t *draft = actor_draft_open(ctx);
    err_t err = draft_copy(draft, &work_type, work, order, agent_work_of(kept));

    draft->full |= err != OK;
    work->site = args->site;
    work->dp_incarnation = args->dp_incarnation;
    work->dp_root = actor_text(ctx, record_slice(args, args->root));
    work->store = actor_textf(ctx, "%.*s/store", RECORD_SHOWN(args, args->data));
    return work;
}

static actor_next_t
run(actor_ctx_t *ctx, agent_state_t *self)
{
    agent_task_t task = (agent_task_t) agent_order_of(self->order)->task;
    const record_type_t *type = task == AGENT_TASK_MEASURE ? &measure_type
                                : task == AGENT_TASK_WORK  ? &work_type
                                                           : &collect_point_type;
    job_spec_t spec = {.name = agent_task_words.word[task],
                       .run = task == AGENT_TASK_MEASURE ? job_measure
                              : task == AGENT_TASK_WORK  ? job_work
                                                         : job_collect_point,
                       .input_type = type,
                       .input = draft_work(ctx, self, self->order, type),
                       .deadline_ms = AGENT_WORK_MS,
                       .then = worked_then,
                       .tag = agent_order_of(self->order)->order};

    return start_job(ctx, self, &spec, PHASE_RUN);
}

/* What the point does not hold any more the store need not; the next order waits for it. */
static actor_next_t
tidy_store(actor_ctx_t *ctx, agent_state_t *self)
{
    work_t *work = draft_work(ctx, self, self->order, &work_type);

    work->root = self->fetched_root;
    job_spec_t spec = {.name = "tidy",
                       .run = job_tidy,
                       .input_type = &work_type,
                       .input = work,
                       .then = tidied_then};
    agent_forget_order(ctx, self);
    self->job_open = actor_job(ctx, &spec, &self->job) == VERDICT_OK;
    return go_on(ctx, self);
}

static actor_next_t
tidied(actor_ctx_t *ctx, agent_state_t *self, const actor_answer_t *answer)
{
    claim(ctx, answer != NULL);
    self->job_open = false;
    return go_on(ctx, self);
}

static bool
is_in_hand(const agent_state_t *self, uint64_t number, agent_phase_t phase)
{
    return self->order && agent_order_of(self->order)->order == number && self->phase == phase;
}

static actor_next_t
worked(actor_ctx_t *ctx, agent_state_t *self, const actor_answer_t *answer)
{
    self->job_open = false;
    if (!is_in_hand(self, answer->tag, PHASE_RUN)) {
        return go_on(ctx, self);
    }
    const outcome_t *outcome = ANSWER_AS(answer, outcome);
    bool placed = outcome && outcome->err == OK && outcome->action == ACTION_INSTALL;
    bool tidies = ANSWER_AS(answer, collected) || (outcome && outcome->action == ACTION_REMOVE);
    if (placed) {
        self->fetched_root = (digest_t){{0}};
    }
    agent_finish(ctx, self, self->order, answer);
    return tidies && !self->storing ? tidy_store(ctx, self) : end_order(ctx, self);
}

/* ---- what is lacking ---- */

static bool
is_placement(const agent_state_t *self)
{
    agent_task_t task = (agent_task_t) agent_order_of(self->order)->task;

    return agent_work_of(self->order)->action == ACTION_INSTALL &&
           (task == AGENT_TASK_MEASURE || task == AGENT_TASK_WORK);
}

static actor_next_t
look_for_lacks(actor_ctx_t *ctx, agent_state_t *self)
{
    bool measures = agent_order_of(self->order)->task == AGENT_TASK_MEASURE;

    if (!is_placement(self)) {
        return run(ctx, self);
    }
    lack_order_t *m = DRAFT(ctx, lack_order);
    m->data = data_of(ctx, self);
    m->root = agent_work_of(self->order)->root;
    m->nodes = measures && !self->whole;
    job_spec_t spec = {.name = "lack",
                       .run = job_lack,
                       .input_type = &lack_order_type,
                       .input = m,
                       .subject = slice_of("store"),
                       .deadline_ms = LACK_MS,
                       .then = lacking_came_then,
                       .tag = agent_order_of(self->order)->order};
    return start_job(ctx, self, &spec, PHASE_LACK);
}

static actor_next_t
fetch(actor_ctx_t *ctx, agent_state_t *self, const lacking_t *m)
{
    self->fetched_root = agent_work_of(self->order)->root;
    self->need = actor_keep(ctx, &lacking_type, m);
    self->came = 0;
    self->part = self->fetched = 0;
    self->phase = PHASE_FETCH;
    agent_need_t *need = DRAFT(ctx, agent_need);
    draft_t *draft = actor_draft_open(ctx);
    need->order = agent_order_of(self->order)->order;
    need->ranges = draft_rows(draft, m->ranges.count, sizeof(range_t));
    for (uint32_t i = 0; i < need->ranges.count; i++) {
        range_t *row = draft_row(draft, need->ranges, i, sizeof *row);
        if (row) {
            *row = *ROW(m, m->ranges, i, range_t);
        }
    }
    agent_say(ctx, self, &agent_need_type, need);
    return ACTOR_CONTINUE;
}

static actor_next_t
lacking_came(actor_ctx_t *ctx, agent_state_t *self, const actor_answer_t *answer)
{
    const lacking_t *m = ANSWER_AS(answer, lacking);

    self->job_open = false;
    if (!is_in_hand(self, answer->tag, PHASE_LACK)) {
        return go_on(ctx, self);
    }
    if (!m || m->err != OK) {
        return fail_order(ctx, self, m ? (err_t) m->err : answer->err,
                          m ? record_slice(m, m->text) : slice_of(""));
    }
    if (agent_order_of(self->order)->task == AGENT_TASK_MEASURE) {
        if (self->whole) {
            self->lacks = m->bytes;
            return run(ctx, self);
        }
        self->whole = m->ranges.count == 0;
        return self->whole ? look_for_lacks(ctx, self) : fetch(ctx, self, m);
    }
    return m->ranges.count == 0 ? run(ctx, self) : fetch(ctx, self, m);
}

/* ---- data ---- */

static actor_next_t
start_storing(actor_ctx_t *ctx, agent_state_t *self)
{
    lack_order_t *m = DRAFT(ctx, lack_order);

    m->data = data_of(ctx, self);
    job_spec_t spec = {.name = "store",
                       .run = job_store,
                       .input_type = &lack_order_type,
                       .input = m,
                       .subject = slice_of("store"),
                       .deadline_ms = LACK_MS,
                       .resource = self->arrivals,
                       .drop = arrivals_drop,
                       .then = stored_came_then,
                       .tag = self->dials};
    claim(ctx, actor_job(ctx, &spec, NULL) == VERDICT_OK);
    self->arrivals = NULL;
    self->storing = true;
    return ACTOR_CONTINUE;
}

/* Goes on in the need behind what came. */
static void
count_pieces(agent_state_t *self, const agent_data_t *m)
{
    const lacking_t *need = kept_record(self->need);

    for (uint32_t i = 0; i < m->pieces.count && self->came < need->ranges.count; i++) {
        const piece_t *piece = ROW(m, m->pieces, i, piece_t);
        const range_t *range = ROW(need, need->ranges, self->came, range_t);
        uint64_t end = range->size > 0 ? range->from + range->size : piece->total;
        self->fetched += piece->bytes.size;
        if (piece->from + piece->bytes.size >= end ||
            piece->from + piece->bytes.size >= piece->total) {
            self->came++;
        }
    }
}

static actor_next_t
fetched(actor_ctx_t *ctx, agent_state_t *self)
{
    const lacking_t *need = self->need ? kept_record(self->need) : NULL;

    if (self->phase != PHASE_FETCH || self->storing || self->arrivals || !need ||
        self->came < need->ranges.count) {
        return ACTOR_CONTINUE;
    }
    kept_destroy(&self->need);
    return look_for_lacks(ctx, self);
}

static uint64_t
bytes_of(const arrivals_t *arrivals)
{
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < arrivals->count; i++) {
        const agent_data_t *m = kept_record(arrivals->data[i]);
        for (uint32_t j = 0; j < m->pieces.count; j++) {
            bytes += ROW(m, m->pieces, j, piece_t)->bytes.size;
        }
    }
    return bytes;
}

/* Also what comes for an order that has ended is kept: it is content by its digest. */
actor_next_t
agent_take_data(actor_ctx_t *ctx, agent_state_t *self, const agent_data_t *m)
{
    bool in_hand = is_in_hand(self, m->order, PHASE_FETCH);

    if (m->err != OK) {
        return in_hand ? fail_order(ctx, self, (err_t) m->err, record_slice(m, m->text))
                       : ACTOR_CONTINUE;
    }
    if (in_hand) {
        count_pieces(self, m);
    }
    if (!self->arrivals) {
        self->arrivals = calloc(1, sizeof *self->arrivals);
        assert(self->arrivals);
    }
    if (self->arrivals->count == ARRIVALS_MAX || bytes_of(self->arrivals) > AGENT_WINDOW_BYTES) {
        return agent_dial(ctx, self); /* more than it may send */
    }
    self->arrivals->data[self->arrivals->count++] = outbox_keep_heard(ctx, &agent_data_type, m);
    return self->storing ? ACTOR_CONTINUE : start_storing(ctx, self);
}

static void
tell_durable(actor_ctx_t *ctx, agent_state_t *self, uint64_t bytes)
{
    agent_durable_t *m = DRAFT(ctx, agent_durable);

    m->order = self->order ? agent_order_of(self->order)->order : 0;
    m->bytes = bytes;
    agent_say(ctx, self, &agent_durable_type, m);
}

/* What failed ends its order before its credit goes back: nobody counts it as there. A job that is
 * lost with its thread never says what became of its bytes: the site is to forget them. */
static actor_next_t
stored_came(actor_ctx_t *ctx, agent_state_t *self, const actor_answer_t *answer)
{
    const stored_t *m = ANSWER_AS(answer, stored);
    bool failed = !m || m->err != OK;
    uint64_t bytes = 0;

    self->storing = false;
    if (answer->resource) {
        bytes = bytes_of(answer->resource);
        arrivals_drop(answer->resource);
    }
    if (failed && self->order) {
        agent_fail(ctx, self, self->order, m ? (err_t) m->err : answer->err,
                   m ? record_slice(m, m->text) : slice_of(""));
        agent_forget_order(ctx, self);
    }
    if (!answer->resource) {
        return agent_dial(ctx, self);
    }
    if (answer->tag == self->dials) {
        tell_durable(ctx, self, bytes);
    }
    if (self->arrivals) {
        return start_storing(ctx, self);
    }
    return failed ? go_on(ctx, self) : fetched(ctx, self);
}

/* ---- orders ---- */

actor_next_t
agent_take_order(actor_ctx_t *ctx, agent_state_t *self, const agent_order_t *m)
{
    if (m->work.count != 1) {
        return ACTOR_CONTINUE;
    }
    kept_t *order = outbox_keep_heard(ctx, &agent_order_type, m);
    err_t err = agent_check_order(self, m);
    if (err != OK) {
        agent_fail(ctx, self, order, err, slice_of(""));
        kept_destroy(&order);
        return ACTOR_CONTINUE;
    }
    if (m->task == AGENT_TASK_PROBE) {
        return agent_probe(ctx, self, order);
    }
    kept_destroy(&self->next);
    self->next = order;
    agent_forget_order(ctx, self); /* the site has one in hand at a time */
    return go_on(ctx, self);
}

actor_next_t
agent_take_stop(actor_ctx_t *ctx, agent_state_t *self, const agent_stop_t *m)
{
    if (self->next && agent_order_of(self->next)->order == m->order) {
        agent_fail(ctx, self, self->next, ERR_CANCELLED, slice_of(""));
        kept_destroy(&self->next);
    }
    return self->order && agent_order_of(self->order)->order == m->order
               ? fail_order(ctx, self, ERR_CANCELLED, slice_of(""))
               : ACTOR_CONTINUE;
}

actor_next_t
agent_tell_progress(actor_ctx_t *ctx, agent_state_t *self)
{
    uint64_t done = 0, total = 0;
    agent_progress_t *m;

    if (!self->order) {
        return ACTOR_CONTINUE;
    }
    if (self->phase == PHASE_FETCH && self->need) {
        const lacking_t *need = kept_record(self->need);
        total = need->bytes_total;
        uint64_t left = need->bytes > self->fetched ? need->bytes - self->fetched : 0;
        done = total > left ? total - left : 0;
    } else if (self->phase == PHASE_RUN && self->job_open) {
        (void) actor_job_progress(ctx, self->job, &done, &total);
    }
    if (total > 0 && agent_order_of(self->order)->task == AGENT_TASK_WORK) {
        m = DRAFT(ctx, agent_progress);
        m->order = agent_order_of(self->order)->order;
        m->bytes_done = done;
        m->bytes_total = total;
        agent_say(ctx, self, &agent_progress_type, m);
    }
    return actor_timer(ctx, TIMER_PROGRESS, PROGRESS_MS) == VERDICT_OK ? ACTOR_CONTINUE
                                                                       : ACTOR_FAIL;
}
