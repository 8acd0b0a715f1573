/* despooler.c - its inbox of instructions, and a bounded number of despooling slots.
 *
 *   hears    instruction (an ask), stop_work, probe_point, collect_point, slots_set, backlog_query (an ask)
 *   tells    distribution_manager outcome, inbox_lost; point_worker stop_work, probe_point, collect_point;
 *            site_database note_event, lease_renew
 *   asks     point_worker measure, work; site_database site_open, target_begin
 *   keeps    the inbox (one entry a target), who is in a slot, the space that work has reserved
 *   survives a restart loses the inbox: distribution_manager hears of it and sends it again
 *
 * An entry in a slot goes measure -> begin -> work -> outcome told; each step is an ask, whose answer
 * finds the entry by its slot. A point has at most one entry in hand; an outcome that finds no room
 * keeps its slot until it has.
 */
#include "actors/answer.h"
#include "actors/despooler_hand.h"
#include "actors/outcome.h"
#include "actors/refuse.h"
#include "actors/roster.h"
#include "proto/status.h"

#define ASK_MS     86400000u /* measure and work answer by themselves */
#define BEGIN_MS   60000u
#define RETRY_MS   100u    /* before an outcome that found no room is told again */
#define RENEW_MS   300000u /* between renewals of leases: a third of LEASE_MS */
#define WAITING_MS 30000u  /* between status messages while instructions wait for a slot */
#define OPEN_MS    86400000u

enum { TIMER_RENEW = 1, TIMER_WAITING, TIMER_OUTCOME_FIRST = 1000 };

#define EDGES(E)                                                                                   \
    E(NEED, site_database, site_open)                                                              \
    E(ASK, site_database, site_open)                                                               \
    E(ASK, site_database, target_begin)                                                            \
    E(TELL, site_database, lease_renew)                                                            \
    E(TELL, site_database, note_event)                                                             \
    E(TELL, distribution_manager, inbox_lost)                                                      \
    E(TELL, distribution_manager, outcome)                                                         \
    E(ASK_TO, point_worker, measure)                                                               \
    E(ASK_TO, point_worker, work)                                                                  \
    E(TELL_TO, point_worker, stop_work)                                                            \
    E(TELL_TO, point_worker, probe_point)                                                          \
    E(TELL_TO, point_worker, collect_point)
ACTOR_EDGES(EDGES)

HEARS(despooler_t, instruction)
HEARS(despooler_t, stop_work)
HEARS(despooler_t, probe_point)
HEARS(despooler_t, collect_point)
HEARS(despooler_t, slots_set)
HEARS(despooler_t, backlog_query)
THEN(despooler_t, opened)
THEN(despooler_t, measured)
THEN(despooler_t, begun)
THEN(despooler_t, worked)

static actor_next_t take_next(actor_ctx_t *ctx, despooler_t *self);

static void
note(actor_ctx_t *ctx, status_id_t id, const char *what, const backlog_t *b)
{
    uint32_t slots = b->slots, waiting = (uint32_t) b->waiting;
    uint64_t oldest_ms = b->oldest_ms;
    note_event_t *m = DRAFT(ctx, note_event);

    m->component = actor_text(ctx, slice_of("despooler"));
    m->id = id;
    m->severity = status_severity(id);
    m->text = actor_textf(ctx, "%s: %u slots%s, %u waiting, the oldest for %llu ms", what, slots,
                          slots == 0 ? " (disabled)" : "", waiting, (unsigned long long) oldest_ms);
    answer_unheard(tell_site_database_note_event(ctx, m));
}

/* Says that instructions wait for a slot, and for how long. */
static void
note_waiting(actor_ctx_t *ctx, const despooler_t *self)
{
    note(ctx, STATUS_INSTRUCTION_WAITS, "waiting for an available despooling slot",
         hand_draft_backlog(ctx, self));
}

/* ---- the end of a step ---- */

/* Tells what became of the entry and frees its slot; or keeps both until there is room. */
static actor_next_t
tell_outcome(actor_ctx_t *ctx, despooler_t *self, queue_entry_t *entry, const outcome_t *m)
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
    return take_next(ctx, self);
}

static actor_next_t
tell_failed(actor_ctx_t *ctx, despooler_t *self, queue_entry_t *entry, err_t err, slice_t text,
            bool reached)
{
    outcome_t *m = DRAFT(ctx, outcome);

    outcome_fail(actor_draft_open(ctx), m, hand_work(entry->load), err, text);
    m->reached = reached;
    return tell_outcome(ctx, self, entry, m);
}

/* Another command took the target's place: nobody waits for an outcome. */
static actor_next_t
give_up(actor_ctx_t *ctx, despooler_t *self, queue_entry_t *entry)
{
    ledger_release(&self->ledger, entry->key);
    hand_drop(queue_done(self->queue, entry));
    return take_next(ctx, self);
}

/* ---- the steps ---- */

static actor_next_t
start_work(actor_ctx_t *ctx, despooler_t *self, queue_entry_t *entry)
{
    hand_t *hand = entry->load;
    verdict_t verdict =
        ask_point_worker_work(ctx, hand->worker, hand_draft_work(ctx, self, entry, &work_type),
                              ASK_MS, worked_then, entry->slot);

    return verdict == VERDICT_OK
               ? ACTOR_CONTINUE
               : tell_failed(ctx, self, entry, verdict_err(verdict), slice_of(""), false);
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
    return verdict == VERDICT_OK ? ACTOR_CONTINUE : give_up(ctx, self, entry);
}

static actor_next_t
start_measure(actor_ctx_t *ctx, despooler_t *self, queue_entry_t *entry)
{
    hand_t *hand = entry->load;
    const work_t *work = hand_work(hand);
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
    return verdict == VERDICT_OK
               ? ACTOR_CONTINUE
               : tell_failed(ctx, self, entry, verdict_err(verdict), slice_of(""), false);
}

static actor_next_t
measured(actor_ctx_t *ctx, despooler_t *self, const actor_answer_t *answer)
{
    const measured_t *m = ANSWER_AS(answer, measured);
    queue_entry_t *entry = queue_slot(self->queue, (uint32_t) answer->tag);

    claim(ctx, entry != NULL);
    if (!m) {
        err_t err = answer->err == OK ? ERR_INTERNAL : answer->err;
        return tell_failed(ctx, self, entry, err, slice_of(""), false);
    }
    if (m->err != OK) {
        return tell_failed(ctx, self, entry, (err_t) m->err, record_slice(m, m->text), m->reached);
    }
    if (hand_work(entry->load)->action == ACTION_INSTALL && !m->already) {
        switch (hand_admit(self, entry, m)) {
        case LEDGER_STALE:
            return start_measure(ctx, self, entry);
        case LEDGER_NO_ROOM:
            return tell_outcome(ctx, self, entry, hand_draft_space(ctx, entry, m));
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
    if (!m) {
        return give_up(ctx, self, entry);
    }
    ((hand_t *) entry->load)->revision = m->revision;
    return start_work(ctx, self, entry);
}

static actor_next_t
worked(actor_ctx_t *ctx, despooler_t *self, const actor_answer_t *answer)
{
    const outcome_t *m = ANSWER_AS(answer, outcome);
    queue_entry_t *entry = queue_slot(self->queue, (uint32_t) answer->tag);

    claim(ctx, entry != NULL);
    if (!m) {
        err_t err = answer->err == OK ? ERR_INTERNAL : answer->err;
        return tell_failed(ctx, self, entry, err, slice_of(""), false);
    }
    return tell_outcome(ctx, self, entry, m);
}

/* ---- the inbox ---- */

static actor_next_t
take_next(actor_ctx_t *ctx, despooler_t *self)
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

static actor_next_t
on_instruction(actor_ctx_t *ctx, despooler_t *self, const instruction_t *m)
{
    err_t err = m->targets.count == 0 ? ERR_NO_TARGETS : OK;

    for (uint32_t i = 0; i < m->targets.count && err == OK; i++) {
        err = hand_add(ctx, self, m, ROW(m, m->targets, i, target_ref_t));
    }
    if (err != OK) {
        const refusal_t *refusal = refuse_draft(ctx, err, NULL, "take the instruction for",
                                                record_slice(m, m->package), err_sentence(err));
        answer_unheard(REPLY(ctx, refusal, refusal));
        return take_next(ctx, self);
    }
    accepted_t *accepted = DRAFT(ctx, accepted);
    accepted->queued = m->targets.count;
    answer_unheard(REPLY(ctx, accepted, accepted));
    return take_next(ctx, self);
}

static actor_next_t
on_stop_work(actor_ctx_t *ctx, despooler_t *self, const stop_work_t *m)
{
    for (uint32_t i = 0; i < m->stopped.count; i++) {
        queue_entry_t *entry = hand_stop(self, ROW(m, m->stopped, i, stopped_row_t)->target);
        if (entry) {
            hand_t *hand = entry->load;
            answer_unheard(tell_point_worker_stop_work(ctx, hand->worker, m));
        }
    }
    return ACTOR_CONTINUE;
}

static actor_next_t
on_probe_point(actor_ctx_t *ctx, despooler_t *self, const probe_point_t *m)
{
    actor_ref_t worker;

    if (points_worker(ctx, self->points, record_slice(m, m->dp), &worker) == VERDICT_OK) {
        answer_unheard(tell_point_worker_probe_point(ctx, worker, hand_draft_probe(ctx, self, m)));
    }
    return ACTOR_CONTINUE;
}

static actor_next_t
on_collect_point(actor_ctx_t *ctx, despooler_t *self, const collect_point_t *m)
{
    actor_ref_t worker;

    if (points_worker(ctx, self->points, record_slice(m, m->dp), &worker) == VERDICT_OK) {
        answer_unheard(
            tell_point_worker_collect_point(ctx, worker, hand_draft_collect(ctx, self, m)));
    }
    return ACTOR_CONTINUE;
}

static actor_next_t
on_slots_set(actor_ctx_t *ctx, despooler_t *self, const slots_set_t *m)
{
    queue_slots(self->queue, m->slots);
    note(ctx, STATUS_SLOTS_CHANGED, "the number of despooling slots was changed",
         hand_draft_backlog(ctx, self));
    return take_next(ctx, self);
}

static actor_next_t
on_backlog_query(actor_ctx_t *ctx, despooler_t *self, const backlog_query_t *m)
{
    claim(ctx, m != NULL);
    answer_unheard(REPLY(ctx, backlog, hand_draft_backlog(ctx, self)));
    return ACTOR_CONTINUE;
}

/* ---- the actor ---- */

static actor_next_t
opened(actor_ctx_t *ctx, despooler_t *self, const actor_answer_t *answer)
{
    const site_opened_t *m = ANSWER_AS(answer, site_opened);

    claim(ctx, m != NULL);
    self->site = m->site;
    self->opened = true;
    queue_slots(self->queue, m->slots);
    actor_ready(ctx);
    claim(ctx, actor_timer(ctx, TIMER_RENEW, RENEW_MS) == VERDICT_OK);
    inbox_lost_t *lost = DRAFT(ctx, inbox_lost);
    lost->slots = m->slots;
    answer_unheard(tell_distribution_manager_inbox_lost(ctx, lost));
    return take_next(ctx, self);
}

static actor_next_t
despooler_init(actor_ctx_t *ctx, void *state, const void *args)
{
    despooler_t *self = state;

    self->args = actor_keep(ctx, &site_args_type, args);
    self->queue = queue_new(SLOTS_DEFAULT);
    self->points = points_new(((const site_args_t *) args)->probe_ms);
    site_open_t *m = DRAFT(ctx, site_open);
    m->asker = actor_text(ctx, slice_of("despooler"));
    return ask_site_database_site_open(ctx, m, OPEN_MS, opened_then, 0) == VERDICT_OK
               ? ACTOR_CONTINUE
               : ACTOR_FAIL;
}

static void
renew_leases(actor_ctx_t *ctx, const despooler_t *self)
{
    for (uint32_t slot = 1; slot <= SLOTS_MAX; slot++) {
        const queue_entry_t *entry = queue_slot(self->queue, slot);
        const hand_t *hand = entry ? entry->load : NULL;
        if (!hand || hand->revision == 0) {
            continue;
        }
        lease_renew_t *m = DRAFT(ctx, lease_renew);
        m->target = hand_work(hand)->target;
        m->revision = hand->revision;
        m->lease_ms = LEASE_MS;
        answer_unheard(tell_site_database_lease_renew(ctx, m));
    }
}

static actor_next_t
despooler_timer(actor_ctx_t *ctx, void *state, uint64_t key)
{
    despooler_t *self = state;

    if (key == TIMER_RENEW) {
        renew_leases(ctx, self);
        return actor_timer(ctx, TIMER_RENEW, RENEW_MS) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
    }
    if (key == TIMER_WAITING) {
        self->waiting_told = false;
        return take_next(ctx, self);
    }
    queue_entry_t *entry = queue_slot(self->queue, (uint32_t) (key - TIMER_OUTCOME_FIRST));
    const hand_t *hand = entry ? entry->load : NULL;
    return hand && hand->outcome ? tell_outcome(ctx, self, entry, kept_record(hand->outcome))
                                 : ACTOR_CONTINUE;
}

static actor_next_t
despooler_down(actor_ctx_t *ctx, void *state, const actor_down_t *down)
{
    points_down(((despooler_t *) state)->points, down);
    return take_next(ctx, state);
}

static void
despooler_drop(void *state)
{
    despooler_t *self = state;

    kept_destroy(&self->args);
    queue_destroy(&self->queue, hand_drop);
    points_destroy(&self->points);
}

static const actor_hears_t actor_hears[] = {ON(instruction),      ON_URGENT(stop_work),
                                            ON(probe_point),      ON(collect_point),
                                            ON_URGENT(slots_set), ON_URGENT(backlog_query)};

const actor_class_t despooler_class = {
    .name = "despooler",
    .state_bytes = sizeof(despooler_t),
    .init = despooler_init,
    .on_timer = despooler_timer,
    .on_down = despooler_down,
    .drop = despooler_drop,
    ACTOR_LIST(hears),
    .edges = actor_edges,
    .edge_count = ACTOR_EDGE_COUNT,
    .role = true,
    .starts_later = true,
};
