/* point_collect.c - superseded versions of a point go when their grace time has ended: one order
 * for each package, one job at a time, and only while no request is in hand. */
#include <assert.h>
#include <stdlib.h>

#include "actors/point_worker_inside.h"
#include "proto/status.h"

#define NS_PER_MS        INT64_C(1000000)
#define COLLECT_EXTRA_MS 1000u   /* after a grace time has ended */
#define COLLECT_AGAIN_MS 300000u /* after a failure */

THEN(point_worker_t, collected)

static const collect_point_t *
order_of(const tidy_t *tidy)
{
    return kept_record(tidy->order);
}

static tidy_t *
tidy_of(const point_worker_t *self, const collect_point_t *m)
{
    for (tidy_t *tidy = self->tidies; tidy; tidy = tidy->next) {
        const collect_point_t *order = order_of(tidy);
        if (slice_equal(record_slice(order, order->package), record_slice(m, m->package))) {
            return tidy;
        }
    }
    return NULL;
}

static void
drop_tidy(point_worker_t *self, tidy_t *dropped)
{
    tidy_t **at = &self->tidies;

    while (*at != dropped) {
        at = &(*at)->next;
    }
    *at = dropped->next;
    self->tidy_count--;
    kept_destroy(&dropped->order);
    free(dropped);
}

void
point_collect_drop(point_worker_t *self)
{
    while (self->tidies) {
        drop_tidy(self, self->tidies);
    }
}

void
point_collect_ends(point_worker_t *self)
{
    for (tidy_t *tidy = self->tidies, *next; tidy; tidy = next) {
        next = tidy->next;
        if (tidy == self->tidying) {
            tidy->ends = true;
        } else {
            drop_tidy(self, tidy);
        }
    }
}

static tidy_t *
next_due(const point_worker_t *self)
{
    tidy_t *first = self->tidies;

    for (tidy_t *tidy = self->tidies; tidy; tidy = tidy->next) {
        first = tidy->due_ns < first->due_ns ? tidy : first;
    }
    return first;
}

static actor_next_t
look_in(actor_ctx_t *ctx, uint64_t ms)
{
    return actor_timer(ctx, TIMER_COLLECT, ms) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
}

actor_next_t
point_collect(actor_ctx_t *ctx, point_worker_t *self)
{
    tidy_t *tidy = next_due(self);

    if (!tidy) {
        return point_rest(ctx, self);
    }
    if (tidy->due_ns > actor_now_ns(ctx)) {
        return look_in(ctx, (uint64_t) ((tidy->due_ns - actor_now_ns(ctx)) / NS_PER_MS) + 1);
    }
    const collect_point_t *m = order_of(tidy);
    job_spec_t spec = {.name = "collect",
                       .run = job_collect_point,
                       .input_type = &collect_point_type,
                       .input = m,
                       .subject = record_slice(m, m->dp),
                       .then = collected_then};
    bool far = point_is_far((const work_t *) m);
    if (self->work || self->job_open ||
        (far ? point_agent_ask(ctx, AGENT_TASK_COLLECT, (const work_t *) m, JOB_DEADLINE_MS,
                               collected_then)
             : actor_job(ctx, &spec, &self->job)) != VERDICT_OK) {
        return look_in(ctx, LOOK_MS);
    }
    self->job_open = true;
    self->tidying = tidy;
    tidy->due_ns = INT64_MAX;
    return ACTOR_CONTINUE;
}

actor_next_t
point_collect_from(actor_ctx_t *ctx, point_worker_t *self, const collect_point_t *m)
{
    tidy_t *tidy = tidy_of(self, m);

    if (!tidy && self->tidy_count >= POINT_TIDIES_MAX) {
        return ACTOR_CONTINUE;
    }
    if (!tidy) {
        tidy = calloc(1, sizeof *tidy);
        assert(tidy);
        tidy->next = self->tidies;
        self->tidies = tidy;
        self->tidy_count++;
    }
    tidy->told = tidy->told && order_of(tidy)->epoch == m->epoch;
    kept_destroy(&tidy->order);
    tidy->order = actor_keep(ctx, &collect_point_type, m);
    tidy->due_ns = actor_now_ns(ctx);
    actor_timer_cancel(ctx, TIMER_IDLE);
    return point_collect(ctx, self);
}

/* Until the database has heard it, the store keeps what the point no longer holds. */
static void
tell_tidied(actor_ctx_t *ctx, const collect_point_t *order)
{
    target_tidied_t *m = DRAFT(ctx, target_tidied);

    m->target = order->target;
    m->epoch = order->epoch;
    answer_unheard(tell_site_database_target_tidied(ctx, m));
}

/* Once, while the point is in hand: it is tried again and again. */
static void
tell_stays(actor_ctx_t *ctx, tidy_t *tidy, const collected_t *m)
{
    const collect_point_t *order = order_of(tidy);
    slice_t why = record_slice(m, m->text);
    note_event_t *event = DRAFT(ctx, note_event);

    tidy->told = true;
    event->component = actor_text(ctx, slice_of("point_worker"));
    event->id = STATUS_VERSIONS_STAY;
    event->severity = status_severity(STATUS_VERSIONS_STAY);
    event->package = actor_text(ctx, record_slice(order, order->package));
    event->dp = actor_text(ctx, record_slice(order, order->dp));
    event->text = actor_textf(ctx, "%s: %.*s", status_sentence(STATUS_VERSIONS_STAY),
                              (int) why.size, why.data);
    answer_unheard(tell_site_database_note_event(ctx, event));
}

/* What still waits for its grace time, or made way for work, is looked at again; so is what failed
 * where the point is, later. What an absent point keeps is ordered again. */
static void
settle(actor_ctx_t *ctx, point_worker_t *self, tidy_t *tidy, const actor_answer_t *answer)
{
    const collect_point_t *order = order_of(tidy);
    const collected_t *m = ANSWER_AS(answer, collected);
    err_t err = m ? (err_t) m->err : answer->err;

    if (tidy->ends) {
        drop_tidy(self, tidy);
        return;
    }
    if (tidy->due_ns != INT64_MAX) {
        return; /* a later order came meanwhile */
    }
    if (m && err != OK && err != ERR_CANCELLED && !err_is_absence(err)) {
        if (!tidy->told) {
            tell_stays(ctx, tidy, m);
        }
        tidy->due_ns = actor_now_ns(ctx) + (int64_t) COLLECT_AGAIN_MS * NS_PER_MS;
        return;
    }
    if (err == ERR_CANCELLED || (m && err == OK && m->waiting > 0)) {
        uint64_t ms = COLLECT_EXTRA_MS + (err == OK ? order->grace_ms : 0);
        tidy->due_ns = actor_now_ns(ctx) + (int64_t) ms * NS_PER_MS;
        return;
    }
    if (m && err == OK) {
        tell_tidied(ctx, order);
    }
    drop_tidy(self, tidy);
}

static actor_next_t
collected(actor_ctx_t *ctx, point_worker_t *self, const actor_answer_t *answer)
{
    tidy_t *tidy = self->tidying;

    claim(ctx, tidy != NULL);
    self->job_open = false;
    self->tidying = NULL;
    settle(ctx, self, tidy, answer);
    if (self->work) {
        return point_start_work(ctx, self);
    }
    return point_collect(ctx, self);
}
