/* despooler.c - its inbox of instructions, and a bounded number of despooling slots.
 *
 *   hears    instruction and backlog_query (asks), stop_work, probe_point, collect_point,
 *            scrub_point, slots_set
 *   tells    distribution_manager outcome, inbox_lost;
 *            point_worker stop_work, probe_point, collect_point, scrub_point;
 *            site_database note_event, lease_renew
 *            agent_gateway make_way
 *   asks     point_worker measure, work; site_database site_open, target_begin
 *   keeps    the inbox (one entry a target), who is in a slot, the space that work has reserved
 *   survives a restart loses the inbox: distribution_manager hears of it and sends it again
 *
 * A point has at most one entry in hand; how an entry in a slot goes on: despooler_steps.c.
 */
#include <stdio.h>

#include "actors/despooler_inside.h"
#include "actors/refuse.h"
#include "actors/roster.h"

#define RENEW_MS 300000u /* between renewals of leases: a third of LEASE_MS */
#define OPEN_MS  86400000u

HEARS(despooler_t, instruction)
HEARS(despooler_t, stop_work)
HEARS(despooler_t, probe_point)
HEARS(despooler_t, collect_point)
HEARS(despooler_t, scrub_point)
HEARS(despooler_t, slots_set)
HEARS(despooler_t, backlog_query)
THEN(despooler_t, opened)

static actor_next_t
on_instruction(actor_ctx_t *ctx, despooler_t *self, const instruction_t *m)
{
    err_t err = m->targets.count == 0 ? ERR_NO_TARGETS : OK;

    for (uint32_t i = 0; i < m->targets.count && err == OK; i++) {
        const target_ref_t *target = ROW(m, m->targets, i, target_ref_t);
        actor_about(target->target);
        err = hand_add(ctx, self, m, target);
    }
    if (err != OK) {
        const refusal_t *refusal = refuse_draft(ctx, err, NULL, "take the instruction for",
                                                record_slice(m, m->package), err_sentence(err));
        answer_unheard(REPLY(ctx, refusal, refusal));
        return steps_take_next(ctx, self);
    }
    accepted_t *accepted = DRAFT(ctx, accepted);
    accepted->queued = m->targets.count;
    answer_unheard(REPLY(ctx, accepted, accepted));
    steps_make_way(ctx, self);
    return steps_end_looks(ctx, self);
}

static actor_next_t
on_stop_work(actor_ctx_t *ctx, despooler_t *self, const stop_work_t *m)
{
    for (uint32_t i = 0; i < m->stopped.count; i++) {
        queue_entry_t *entry = hand_stop(self, ROW(m, m->stopped, i, stopped_row_t));
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
    slice_t dp = record_slice(m, m->dp);

    if (m->ends ? points_serve(self->points, dp, &worker)
                : points_worker(ctx, self->points, dp, &worker) == VERDICT_OK) {
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
on_scrub_point(actor_ctx_t *ctx, despooler_t *self, const scrub_point_t *m)
{
    actor_ref_t worker;

    if (points_worker(ctx, self->points, record_slice(m, m->dp), &worker) == VERDICT_OK) {
        answer_unheard(tell_point_worker_scrub_point(ctx, worker, hand_draft_scrub(ctx, self, m)));
    }
    return ACTOR_CONTINUE;
}

static actor_next_t
on_slots_set(actor_ctx_t *ctx, despooler_t *self, const slots_set_t *m)
{
    queue_slots(self->queue, m->slots);
    return steps_end_looks(ctx, self);
}

static actor_next_t
on_backlog_query(actor_ctx_t *ctx, despooler_t *self, const backlog_query_t *m)
{
    claim(ctx, m != NULL);
    self->now_ns = actor_now_ns(ctx);
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
    lost->all = true;
    answer_unheard(tell_distribution_manager_inbox_lost(ctx, lost));
    return steps_end_looks(ctx, self);
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
    if (key == TIMER_TURNS) {
        steps_make_way(ctx, self);
        return ACTOR_CONTINUE;
    }
    if (key == TIMER_LOOKS) {
        return steps_end_looks(ctx, self);
    }
    if (key == TIMER_WAITING) {
        self->waiting_told = false;
        return steps_take_next(ctx, self);
    }
    queue_entry_t *entry = queue_slot(self->queue, (uint32_t) (key - TIMER_OUTCOME_FIRST));
    const hand_t *hand = entry ? entry->load : NULL;
    return hand && hand->outcome ? steps_tell_outcome(ctx, self, entry, kept_record(hand->outcome))
                                 : ACTOR_CONTINUE;
}

static actor_next_t
despooler_down(actor_ctx_t *ctx, void *state, const actor_down_t *down)
{
    points_down(((despooler_t *) state)->points, down);
    return steps_take_next(ctx, state);
}

/* Its age is as of the last look: the alarm manager looks every 5 s. */
static void
despooler_describe(const void *state, char *text, size_t size)
{
    const despooler_t *self = state;
    queue_figures_t f;

    queue_look(self->queue, &f);
    int used = snprintf(text, size, "slots: %u%s, in hand: %u, waiting: %llu", f.slots,
                        f.slots == 0 ? " (disabled)" : "", f.busy, (unsigned long long) f.waiting);
    if (f.oldest_ns > 0 && used > 0 && (size_t) used < size) {
        int64_t age_ns = self->now_ns > f.oldest_ns ? self->now_ns - f.oldest_ns : 0;
        snprintf(text + used, size - (size_t) used, ", the oldest for %lld s",
                 (long long) (age_ns / 1000000000));
    }
}

static void
despooler_drop(void *state)
{
    despooler_t *self = state;

    kept_destroy(&self->args);
    queue_destroy(&self->queue, hand_drop);
    points_destroy(&self->points);
}

static const actor_hears_t actor_hears[] = {
    ON(instruction), ON_URGENT(stop_work), ON(probe_point),         ON(collect_point),
    ON(scrub_point), ON_URGENT(slots_set), ON_URGENT(backlog_query)};

const actor_class_t despooler_class = {
    .name = "despooler",
    .state_bytes = sizeof(despooler_t),
    .init = despooler_init,
    .on_timer = despooler_timer,
    .on_down = despooler_down,
    .drop = despooler_drop,
    .describe = despooler_describe,
    ACTOR_LIST(hears),
    .edges = actor_edges,
    .edge_count = ACTOR_EDGE_COUNT,
    .role = true,
    .starts_later = true,
};
