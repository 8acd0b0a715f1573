/* agent_steps.c - an order's way at an agent: what is lacking, its data, the work on the point. */
#include <assert.h>
#include <stdlib.h>

#include "actors/agent_inside.h"
#include "actors/jobs_point.h"

#define LACK_MS     600000u
#define PROGRESS_MS 1000u
#define MENDS_MAX   8u /* in an order; what is still lacking then is met by the next one */

THEN(agent_state_t, lacking_came)
THEN(agent_state_t, worked)
THEN(agent_state_t, tidied)

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
    agent_plain_give_up(self);
    kept_destroy(&self->order);
    kept_destroy(&self->need);
    agent_ahead_end(self);
    self->phase = PHASE_IDLE;
}

text_t
agent_data_directory(actor_ctx_t *ctx, const agent_state_t *self)
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

/* The end of the order in hand, and of its jobs: the one that waited comes next. What came for the
 * last one is stored first: a look at what is lacking would find half of it. */
actor_next_t
agent_go_on(actor_ctx_t *ctx, agent_state_t *self)
{
    if (self->order || self->job_open || self->storing || self->arrivals || !self->next) {
        return ACTOR_CONTINUE;
    }
    self->order = self->next;
    self->next = NULL;
    self->whole = self->seed_tried = self->whole_files = false;
    self->mends = 0;
    self->refused = 0;
    self->lacks = 0;
    self->mark = (lack_mark_t){0};
    return agent_look_for_lacks(ctx, self);
}

static actor_next_t
end_order(actor_ctx_t *ctx, agent_state_t *self)
{
    agent_forget_order(ctx, self);
    return agent_go_on(ctx, self);
}

actor_next_t
agent_fail_order(actor_ctx_t *ctx, agent_state_t *self, err_t err, slice_t text)
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

/* After a restart, or when a job was lost with it, anywhere: the ids of packs are drawn. */
static kept_place_t *
take_kept_place(actor_ctx_t *ctx, agent_state_t *self)
{
    kept_place_t *place = self->kept_place ? self->kept_place : calloc(1, sizeof *place);

    assert(place);
    if (!self->kept_place) {
        place->pack = actor_random(ctx);
    }
    self->kept_place = NULL;
    return place;
}

/* What was lent to a job at the point. */
static void
take_back(agent_state_t *self, void *resource)
{
    if (self->scrubs) {
        self->kept_place = resource ? resource : self->kept_place;
    } else {
        place_ahead_drop(resource);
    }
}

actor_next_t
agent_run(actor_ctx_t *ctx, agent_state_t *self)
{
    const agent_args_t *args = kept_record(self->args);
    agent_task_t task = (agent_task_t) agent_order_of(self->order)->task;
    const record_type_t *type = task == AGENT_TASK_MEASURE ? &measure_type
                                : task == AGENT_TASK_WORK  ? &work_type
                                : task == AGENT_TASK_SCRUB ? &scrub_point_type
                                                           : &collect_point_type;
    job_spec_t spec = {.name = agent_task_words.word[task],
                       .run = task == AGENT_TASK_MEASURE ? job_measure
                              : task == AGENT_TASK_WORK  ? job_work
                              : task == AGENT_TASK_SCRUB ? job_scrub
                                                         : job_collect_point,
                       .input_type = type,
                       .input = draft_work(ctx, self, self->order, type),
                       .subject = record_slice(args, args->dp),
                       .deadline_ms = AGENT_WORK_MS,
                       .then = worked_then,
                       .tag = agent_order_of(self->order)->order};

    if (task == AGENT_TASK_SCRUB) {
        spec.resource = take_kept_place(ctx, self);
        spec.drop = free;
    } else if (task == AGENT_TASK_WORK) {
        spec.resource = agent_ahead_lend(self);
        spec.drop = place_ahead_drop;
    }
    self->scrubs = task == AGENT_TASK_SCRUB;
    claim(ctx, start_job(ctx, self, &spec, PHASE_RUN) == ACTOR_CONTINUE);
    if (!self->job_open) {
        take_back(self, spec.resource);
    }
    return self->job_open && task != AGENT_TASK_COLLECT ? agent_watch_from_now(ctx, self)
                                                        : ACTOR_CONTINUE;
}

/* What the point does not hold any more the store need not; the next order waits for it. */
static actor_next_t
tidy_store(actor_ctx_t *ctx, agent_state_t *self)
{
    work_t *work = draft_work(ctx, self, self->order, &work_type);

    work->root = self->fetched_root;
    self->left.pack_bytes = 0; /* it may be rewritten */
    if (!digest_equal(&self->seeded_root, &work->root)) {
        self->seeded_root = (digest_t){{0}}; /* what came of it may go */
    }
    job_spec_t spec = {.name = "tidy",
                       .run = job_tidy,
                       .input_type = &work_type,
                       .input = work,
                       .then = tidied_then};
    agent_forget_order(ctx, self);
    self->job_open = actor_job(ctx, &spec, &self->job) == VERDICT_OK;
    return agent_go_on(ctx, self);
}

static actor_next_t
tidied(actor_ctx_t *ctx, agent_state_t *self, const actor_answer_t *answer)
{
    claim(ctx, answer != NULL);
    self->job_open = false;
    return agent_go_on(ctx, self);
}

bool
agent_has_in_hand(const agent_state_t *self, uint64_t number, agent_phase_t phase)
{
    return self->order && agent_order_of(self->order)->order == number && self->phase == phase;
}

/* Which version's manifest was in the way of an order that places nothing; none: it was not that.
 * What a scrub finds damaged the site is told first, and has the version placed again. */
static digest_t
unread_of(const agent_state_t *self, const actor_answer_t *answer)
{
    const outcome_t *outcome = ANSWER_AS(answer, outcome);
    const collected_t *collected = ANSWER_AS(answer, collected);
    bool scrubs = agent_order_of(self->order)->task == AGENT_TASK_SCRUB;
    err_t err = outcome && !action_places(outcome->action) ? (err_t) outcome->err
                : collected                                ? (err_t) collected->err
                                                           : OK;

    if (err != ERR_NOT_STORED && (err != ERR_DIGEST || scrubs)) {
        return (digest_t){{0}};
    }
    digest_t lacks = outcome ? outcome->lacks : collected->lacks;
    return digest_is_none(&lacks) && outcome ? agent_work_of(self->order)->root : lacks;
}

/* Who takes a version away, or reads it again, goes by its manifest. What proved damaged of that is
 * set aside by who met it, and comes again from the site, as for who places: once for a version,
 * which may be an older one than that of the order. */
static bool
is_to_be_mended(agent_state_t *self, const actor_answer_t *answer)
{
    digest_t unread = unread_of(self, answer);

    if (digest_is_none(&unread) || self->mends == MENDS_MAX ||
        (self->mends > 0 && digest_equal(&unread, &self->mended))) {
        return false;
    }
    self->mends++;
    self->mended = unread;
    return true;
}

static actor_next_t
worked(actor_ctx_t *ctx, agent_state_t *self, const actor_answer_t *answer)
{
    self->job_open = false;
    take_back(self, answer->resource);
    agent_watch_end(ctx, self);
    if (!agent_has_in_hand(self, answer->tag, PHASE_RUN)) {
        return agent_go_on(ctx, self);
    }
    const outcome_t *outcome = ANSWER_AS(answer, outcome);
    agent_tell_indexed(ctx, self, outcome ? outcome->indexed : 0);
    if (is_to_be_mended(self, answer)) {
        return agent_look_for_lacks(ctx, self);
    }
    bool works = agent_order_of(self->order)->task == AGENT_TASK_WORK;
    bool placed = works && outcome && outcome->err == OK && action_places(outcome->action);
    bool tidies = ANSWER_AS(answer, collected) || (outcome && outcome->action == ACTION_REMOVE);
    if (placed || self->mends > 0) {
        self->fetched_root = (digest_t){{0}};
    }
    agent_finish(ctx, self, self->order, answer);
    if (placed) {
        claim(ctx, agent_activation_look(ctx, self) == ACTOR_CONTINUE);
    }
    return tidies && !self->storing ? tidy_store(ctx, self) : end_order(ctx, self);
}

/* ---- what is lacking ---- */

static bool
is_placement(const agent_state_t *self)
{
    agent_task_t task = (agent_task_t) agent_order_of(self->order)->task;

    return action_places(agent_work_of(self->order)->action) &&
           (task == AGENT_TASK_MEASURE || task == AGENT_TASK_WORK);
}

/* What has come of the need before, if this look follows one. */
static void
put_came(actor_ctx_t *ctx, agent_state_t *self, lack_order_t *m)
{
    const lacking_t *need = self->need && m->nodes ? kept_record(self->need) : NULL;
    draft_t *draft = actor_draft_open(ctx);

    m->came = draft_rows(draft, need ? need->ranges.count : 0, sizeof(range_t));
    for (uint32_t i = 0; i < m->came.count; i++) {
        range_t *row = draft_row(draft, m->came, i, sizeof *row);
        if (row) {
            *row = *ROW(need, need->ranges, i, range_t);
        }
    }
    kept_destroy(&self->need);
}

actor_next_t
agent_look_for_lacks(actor_ctx_t *ctx, agent_state_t *self)
{
    bool measures = agent_order_of(self->order)->task == AGENT_TASK_MEASURE;

    if (!is_placement(self) && self->mends == 0) {
        return agent_activation_prepare(ctx, self);
    }
    lack_order_t *m = DRAFT(ctx, lack_order);
    m->data = agent_data_directory(ctx, self);
    m->root = self->mends > 0 ? self->mended : agent_work_of(self->order)->root;
    m->nodes = self->mends > 0 || (measures && !self->whole);
    m->ranges_max = self->ranges_max;
    m->mark_node = self->mark.node;
    m->mark_entry = self->mark.entry;
    m->mark_rest = self->mark.rest;
    m->have = self->whole_files ? m->have : agent_work_of(self->order)->have;
    put_came(ctx, self, m);
    agent_ahead_begin(self);
    job_spec_t spec = {.name = "lack",
                       .run = job_lack,
                       .input_type = &lack_order_type,
                       .input = m,
                       .subject = slice_of("store"),
                       .deadline_ms = LACK_MS,
                       .resource = agent_ahead_lend(self),
                       .drop = place_ahead_drop,
                       .then = lacking_came_then,
                       .tag = agent_order_of(self->order)->order};
    actor_next_t next = start_job(ctx, self, &spec, PHASE_LACK);
    if (!self->job_open) {
        place_ahead_drop(spec.resource);
    }
    return next;
}

static actor_next_t
lacking_came(actor_ctx_t *ctx, agent_state_t *self, const actor_answer_t *answer)
{
    const lacking_t *m = ANSWER_AS(answer, lacking);
    bool in_hand = agent_has_in_hand(self, answer->tag, PHASE_LACK);

    self->job_open = false;
    agent_ahead_back(self, answer->resource, in_hand ? self->ahead_of : 0);
    if (!in_hand) {
        return agent_go_on(ctx, self);
    }
    if (!m || m->err != OK) {
        return agent_fail_order(ctx, self, m ? (err_t) m->err : answer->err,
                                m ? record_slice(m, m->text) : slice_of(""));
    }
    agent_tell_indexed(ctx, self, m->indexed);
    self->mark = (lack_mark_t){m->mark_node, m->mark_entry, m->mark_rest};
    if (self->mends > 0) {
        return m->ranges.count == 0 ? agent_run(ctx, self) : agent_fetch(ctx, self, m);
    }
    bool measures = agent_order_of(self->order)->task == AGENT_TASK_MEASURE;
    if (m->ranges.count > 0 && (self->whole || !measures) && agent_has_seed(self)) {
        return agent_seed(ctx, self);
    }
    if (measures) {
        if (self->whole) {
            self->lacks = m->bytes;
            return agent_activation_prepare(ctx, self);
        }
        self->whole = m->ranges.count == 0;
        return self->whole ? agent_look_for_lacks(ctx, self) : agent_fetch(ctx, self, m);
    }
    return m->ranges.count == 0 ? agent_activation_prepare(ctx, self) : agent_fetch(ctx, self, m);
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
    err = err == OK && self->hung ? ERR_HUNG : err;
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
    return agent_go_on(ctx, self);
}

actor_next_t
agent_take_stop(actor_ctx_t *ctx, agent_state_t *self, const agent_stop_t *m)
{
    if (self->next && agent_order_of(self->next)->order == m->order) {
        agent_fail(ctx, self, self->next, ERR_CANCELLED, slice_of(""));
        kept_destroy(&self->next);
    }
    return self->order && agent_order_of(self->order)->order == m->order
               ? agent_fail_order(ctx, self, ERR_CANCELLED, slice_of(""))
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
