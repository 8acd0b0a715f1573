/* despooler_steps.c - an entry in a slot goes measure -> begin -> work -> outcome told.
 *
 * Each step is an ask, whose answer finds the entry by its slot. An outcome that finds no room
 * keeps its slot until it has.
 */
#include "actors/despooler_inside.h"
#include "actors/outcome.h"

#define ASK_MS     86400000u /* measure and work answer by themselves */
#define BEGIN_MS   60000u
#define RETRY_MS   100u   /* before an outcome that found no room is told again */
#define TURNS_MS   1000u  /* between two words that others wait for an agent */
#define WAITING_MS 30000u /* between status messages while instructions wait for a slot */

THEN(despooler_t, measured)
THEN(despooler_t, begun)
THEN(despooler_t, worked)

/* The figures of a note as attributes, for whom a sentence is too much to read. */
static void
draft_attrs(actor_ctx_t *ctx, note_event_t *m, uint32_t slots, uint32_t waiting, uint64_t oldest_ms)
{
    static const char *const names[] = {"slots", "waiting", "oldest_ms"};
    const uint64_t values[] = {slots, waiting, oldest_ms};
    draft_t *draft = actor_draft_open(ctx);

    m->attrs = draft_rows(draft, 3, sizeof(pair_t));
    for (uint32_t i = 0; i < 3 && !draft->full; i++) {
        pair_t *pair = draft_row(draft, m->attrs, i, sizeof *pair);
        pair->name = actor_text(ctx, slice_of(names[i]));
        pair->value = actor_textf(ctx, "%llu", (unsigned long long) values[i]);
    }
}

void
steps_note(actor_ctx_t *ctx, status_id_t id, const char *what, const backlog_t *b)
{
    uint32_t slots = b->slots, waiting = (uint32_t) b->waiting;
    uint64_t oldest_ms = b->oldest_ms;
    note_event_t *m = DRAFT(ctx, note_event);

    m->component = actor_text(ctx, slice_of("despooler"));
    m->id = id;
    m->severity = status_severity(id);
    m->text = actor_textf(ctx, "%s: %u slots%s, %u waiting, the oldest for %llu ms", what, slots,
                          slots == 0 ? " (disabled)" : "", waiting, (unsigned long long) oldest_ms);
    draft_attrs(ctx, m, slots, waiting, oldest_ms);
    answer_unheard(tell_site_database_note_event(ctx, m));
}

/* Says that instructions wait for a slot, and for how long. */
static void
note_waiting(actor_ctx_t *ctx, const despooler_t *self)
{
    steps_note(ctx, STATUS_INSTRUCTION_WAITS, "waiting for an available despooling slot",
               hand_draft_backlog(ctx, self));
}

/* ---- the end of a step ---- */

actor_next_t
steps_tell_outcome(actor_ctx_t *ctx, despooler_t *self, queue_entry_t *entry, const outcome_t *m)
{
    hand_t *hand = entry->load;
    uint32_t slot = entry->slot;

    if (tell_distribution_manager_outcome(ctx, m) != VERDICT_OK) {
        if (!hand->outcome) {
            hand->outcome = actor_keep(ctx, &outcome_type, m);
        }
        return actor_timer(ctx, TIMER_OUTCOME_FIRST + slot, RETRY_MS) == VERDICT_OK ? ACTOR_CONTINUE
                                                                                    : ACTOR_FAIL;
    }
    ledger_release(&self->ledger, entry->key);
    hand_drop(queue_done(self->queue, entry));
    return steps_take_next(ctx, self);
}

static actor_next_t
tell_failed(actor_ctx_t *ctx, despooler_t *self, queue_entry_t *entry, err_t err)
{
    outcome_t *m = DRAFT(ctx, outcome);

    outcome_fail(actor_draft_open(ctx), m, hand_work(entry->load), err, slice_of(""));
    return steps_tell_outcome(ctx, self, entry, m);
}

/* What the point is ahead of is told with it: nothing has been sent yet. */
static actor_next_t
tell_unmeasured(actor_ctx_t *ctx, despooler_t *self, queue_entry_t *entry, const measured_t *found)
{
    outcome_t *m = DRAFT(ctx, outcome);

    outcome_fail(actor_draft_open(ctx), m, hand_work(entry->load), (err_t) found->err,
                 record_slice(found, found->text));
    m->reached = found->reached;
    m->holds = found->holds;
    return steps_tell_outcome(ctx, self, entry, m);
}

/* Another command took the target's place: nobody waits for an outcome. */
static actor_next_t
give_up(actor_ctx_t *ctx, despooler_t *self, queue_entry_t *entry)
{
    ledger_release(&self->ledger, entry->key);
    hand_drop(queue_done(self->queue, entry));
    return steps_take_next(ctx, self);
}

/* Whether it has begun nobody knows: a new run of distribution_manager takes it up again. */
static actor_next_t
forget(actor_ctx_t *ctx, despooler_t *self, queue_entry_t *entry)
{
    inbox_lost_t *lost = DRAFT(ctx, inbox_lost);
    queue_figures_t figures;

    queue_look(self->queue, &figures);
    lost->slots = figures.slots;
    return tell_distribution_manager_inbox_lost(ctx, lost) == VERDICT_OK ? give_up(ctx, self, entry)
                                                                         : ACTOR_FAIL;
}

/* ---- turns ---- */

static bool
may_make_way(const queue_entry_t *entry)
{
    const hand_t *hand = entry ? entry->load : NULL;

    return hand && hand->revision != 0 && action_places(hand_work(hand)->action) &&
           point_is_agent(record_slice(hand_work(hand), hand_work(hand)->dp_root));
}

/* What is sent to an agent has turns, when other work for the same agent waits that is no less
 * urgent. It is said again: the gateway may not know the work yet. */
void
steps_make_way(actor_ctx_t *ctx, const despooler_t *self)
{
    bool told = false;

    for (uint32_t slot = 1; slot <= SLOTS_MAX; slot++) {
        const queue_entry_t *entry = queue_slot(self->queue, slot);
        queue_rival_t rival = may_make_way(entry) ? queue_rival(entry) : QUEUE_NONE;
        if (rival == QUEUE_NONE) {
            continue;
        }
        const work_t *work = hand_work(entry->load);
        make_way_t *m = DRAFT(ctx, make_way);
        m->dp = actor_text(ctx, record_slice(work, work->dp));
        m->target = work->target;
        m->at_once = rival == QUEUE_HIGHER;
        answer_unheard(tell_agent_gateway_make_way(ctx, m));
        told = true;
    }
    if (told) {
        answer_unheard(actor_timer(ctx, TIMER_TURNS, TURNS_MS));
    }
}

/* ---- the steps ---- */

static actor_next_t
start_work(actor_ctx_t *ctx, despooler_t *self, queue_entry_t *entry)
{
    hand_t *hand = entry->load;
    verdict_t verdict =
        ask_point_worker_work(ctx, hand->worker, hand_draft_work(ctx, self, entry, &work_type),
                              ASK_MS, worked_then, entry->slot);

    if (verdict != VERDICT_OK) {
        return tell_failed(ctx, self, entry, verdict_err(verdict));
    }
    steps_make_way(ctx, self);
    return ACTOR_CONTINUE;
}

static actor_next_t
start_begin(actor_ctx_t *ctx, despooler_t *self, queue_entry_t *entry)
{
    const work_t *work = hand_work(entry->load);
    target_begin_t *m = DRAFT(ctx, target_begin);

    m->target = work->target;
    m->revision = entry->revision;
    m->action = work->action;
    m->slot = entry->slot;
    m->lease_ms = LEASE_MS;
    verdict_t verdict = ask_site_database_target_begin(ctx, m, BEGIN_MS, begun_then, entry->slot);
    return verdict == VERDICT_OK ? ACTOR_CONTINUE : forget(ctx, self, entry);
}

static actor_next_t
start_measure(actor_ctx_t *ctx, despooler_t *self, queue_entry_t *entry)
{
    hand_t *hand = entry->load;
    const work_t *work = hand_work(hand);
    actor_about(work->target);
    verdict_t verdict =
        points_worker(ctx, self->points, record_slice(work, work->dp), &hand->worker);

    hand->mark = ledger_mark(&self->ledger);
    if (verdict == VERDICT_OK && work->action == ACTION_VERIFY) {
        return start_work(ctx, self, entry);
    }
    if (verdict == VERDICT_OK) {
        verdict = ask_point_worker_measure(
            ctx, hand->worker, (const measure_t *) hand_draft_work(ctx, self, entry, &measure_type),
            ASK_MS, measured_then, entry->slot);
    }
    return verdict == VERDICT_OK ? ACTOR_CONTINUE
                                 : tell_failed(ctx, self, entry, verdict_err(verdict));
}

static actor_next_t
measured(actor_ctx_t *ctx, despooler_t *self, const actor_answer_t *answer)
{
    const measured_t *m = ANSWER_AS(answer, measured);
    queue_entry_t *entry = queue_slot(self->queue, (uint32_t) answer->tag);

    claim(ctx, entry != NULL);
    actor_about(hand_work(entry->load)->target);
    if (!m) {
        err_t err = answer->err == OK ? ERR_INTERNAL : answer->err;
        return tell_failed(ctx, self, entry, err);
    }
    if (m->err != OK) {
        return tell_unmeasured(ctx, self, entry, m);
    }
    if (hand_work(entry->load)->action == ACTION_PLAN) {
        return steps_tell_outcome(ctx, self, entry, hand_draft_plan(ctx, entry, m));
    }
    if (action_places(hand_work(entry->load)->action) && !m->already) {
        switch (hand_admit(self, entry, m)) {
        case LEDGER_STALE:
            return start_measure(ctx, self, entry);
        case LEDGER_NO_ROOM:
            return steps_tell_outcome(ctx, self, entry, hand_draft_space(ctx, entry, m));
        case LEDGER_ADMITTED:
            break;
        }
    }
    return start_begin(ctx, self, entry);
}

static actor_next_t
begun(actor_ctx_t *ctx, despooler_t *self, const actor_answer_t *answer)
{
    const begun_t *m = ANSWER_AS(answer, begun);
    queue_entry_t *entry = queue_slot(self->queue, (uint32_t) answer->tag);

    claim(ctx, entry != NULL);
    actor_about(hand_work(entry->load)->target);
    if (!m) {
        return answer_err(answer) == ERR_SUPERSEDED ? give_up(ctx, self, entry)
                                                    : forget(ctx, self, entry);
    }
    ((hand_t *) entry->load)->revision = m->revision;
    return start_work(ctx, self, entry);
}

/* It had its turn: it waits for the next one, as it has begun. */
static actor_next_t
next_turn(actor_ctx_t *ctx, despooler_t *self, queue_entry_t *entry, const outcome_t *m)
{
    queue_entry_t again = *entry;
    hand_t *hand = entry->load;
    slice_t dp = record_slice(m, m->dp);
    void *unused = NULL;

    hand->sent += m->sent != RECORD_NONE ? m->sent : 0;
    ledger_release(&self->ledger, entry->key);
    again.load = queue_done(self->queue, entry);
    again.since_ns = actor_now_ns(ctx);
    const queue_entry_t *newer = queue_waits(self->queue, again.key);
    err_t err = newer ? ERR_SUPERSEDED : queue_add(self->queue, dp, &again, &unused);
    hand_drop(err == OK ? unused : hand); /* of a full inbox: its lease ends, and it is due again */
    return steps_take_next(ctx, self);
}

static actor_next_t
worked(actor_ctx_t *ctx, despooler_t *self, const actor_answer_t *answer)
{
    const outcome_t *m = ANSWER_AS(answer, outcome);
    queue_entry_t *entry = queue_slot(self->queue, (uint32_t) answer->tag);

    claim(ctx, entry != NULL);
    actor_about(hand_work(entry->load)->target);
    if (!m) {
        err_t err = answer->err == OK ? ERR_INTERNAL : answer->err;
        return tell_failed(ctx, self, entry, err);
    }
    if (m->err == ERR_QUEUED) {
        return next_turn(ctx, self, entry, m);
    }
    const hand_t *hand = entry->load;
    bool turns = hand->sent > 0 && m->sent != RECORD_NONE;
    return steps_tell_outcome(ctx, self, entry, turns ? hand_draft_whole(ctx, hand, m) : m);
}

/* ---- slots ---- */

/* Nobody waits for content there: somebody waits for the answer. */
static bool
is_look(const queue_entry_t *entry)
{
    return action_looks(hand_work(entry->load)->action);
}

static verdict_t
tell_disabled(actor_ctx_t *ctx, const queue_entry_t *entry)
{
    outcome_t *m = DRAFT(ctx, outcome);

    outcome_fail(actor_draft_open(ctx), m, hand_work(entry->load), ERR_PAUSED, slice_of(""));
    return tell_distribution_manager_outcome(ctx, m);
}

/* What is in hand comes to its end, and all other work waits until there are slots again. */
actor_next_t
steps_end_looks(actor_ctx_t *ctx, despooler_t *self)
{
    queue_figures_t figures;
    const queue_entry_t *next = NULL;

    queue_look(self->queue, &figures);
    const queue_entry_t *entry = figures.slots == 0 ? queue_after(self->queue, NULL) : NULL;
    for (; entry; entry = next) {
        next = queue_after(self->queue, entry);
        if (!is_look(entry)) {
            continue;
        }
        if (tell_disabled(ctx, entry) != VERDICT_OK) {
            claim(ctx, actor_timer(ctx, TIMER_LOOKS, RETRY_MS) == VERDICT_OK);
            break;
        }
        hand_drop(queue_stop(self->queue, entry->key));
    }
    return steps_take_next(ctx, self);
}

actor_next_t
steps_take_next(actor_ctx_t *ctx, despooler_t *self)
{
    for (queue_entry_t *entry; self->opened && (entry = queue_take(self->queue));) {
        actor_next_t next = start_measure(ctx, self, entry);
        if (next != ACTOR_CONTINUE) {
            return next;
        }
    }
    queue_figures_t figures;
    queue_look(self->queue, &figures);
    if (figures.waiting_for_slot == 0 || self->waiting_told) {
        return ACTOR_CONTINUE;
    }
    self->waiting_told = true;
    note_waiting(ctx, self);
    return actor_timer(ctx, TIMER_WAITING, WAITING_MS) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
}
