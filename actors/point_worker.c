/* point_worker.c - one per distribution point: place, verify, remove; knows nothing of others.
 *
 *   hears    measure and work, each an ask of the despooler; probe_point, stop_work,
 *            collect_point, scrub_point
 *   tells    distribution_manager point_returned, looked, scrubbed; site_database target_tidied,
 *            note_event; site_database and status_manager progress; agent_gateway agent_end
 *   asks     agent_gateway agent_call, where the point is another machine; else what is slow is a
 *            job
 *   keeps    the request in hand and its work; the job, and how far it had come when last looked
 *            at
 *   survives a restart loses the job in hand: its asker is told `restarting`, the work is taken
 *            up again and goes on from what is staged at the point
 *
 * A point whose file system does not answer holds a job thread, not an actor: some time without a
 * sign of life the asker is told `hung`, and so is every further one until the job has come back.
 */
#include "actors/outcome.h"
#include "actors/point_worker_inside.h"

#define IDLE_END_MS 60000u /* without work and look-out it ends */

HEARS(point_worker_t, measure)
HEARS(point_worker_t, work)
HEARS(point_worker_t, probe_point)
HEARS(point_worker_t, stop_work)
HEARS(point_worker_t, collect_point)
HEARS(point_worker_t, scrub_point)
THEN(point_worker_t, work_done)

bool
point_is_idle(const point_worker_t *self)
{
    return !self->work && !self->job_open && !self->probe && !self->look && !self->tidies;
}

actor_next_t
point_rest(actor_ctx_t *ctx, const point_worker_t *self)
{
    claim(ctx, !point_is_idle(self) || actor_timer(ctx, TIMER_IDLE, IDLE_END_MS) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

/* ---- the request in hand ---- */

void
point_answer_failed(actor_ctx_t *ctx, point_worker_t *self, err_t err)
{
    const work_t *work = kept_record(self->work);
    slice_t text = slice_of(point_failure(record_slice(work, work->dp_root), err));

    if (self->is_measure) {
        measured_t *m = DRAFT(ctx, measured);
        m->err = err;
        m->text = actor_text(ctx, text);
        answer_unheard(REPLY_TO(ctx, self->request, measured, m));
    } else {
        outcome_t *m = DRAFT(ctx, outcome);
        outcome_fail(actor_draft_open(ctx), m, work, err, text);
        m->reached = !err_is_absence(err);
        answer_unheard(REPLY_TO(ctx, self->request, outcome, m));
    }
    kept_destroy(&self->work);
}

static actor_next_t
look_from_now(actor_ctx_t *ctx, point_worker_t *self)
{
    self->seen = 0;
    self->beats = 0;
    self->still = 0;
    return actor_timer(ctx, TIMER_LOOK, LOOK_MS) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
}

static err_t
err_of_job(err_t err)
{
    return err == ERR_DEADLINE ? ERR_HUNG : err;
}

actor_next_t
point_start_work(actor_ctx_t *ctx, point_worker_t *self)
{
    const work_t *work = kept_record(self->work);

    if (point_is_far(work)) {
        return point_agent_start(ctx, self);
    }
    job_spec_t spec = {.name = self->is_measure ? "measure" : "work",
                       .run = self->is_measure ? job_measure : job_work,
                       .input_type = self->is_measure ? &measure_type : &work_type,
                       .input = work,
                       .subject = record_slice(work, work->dp),
                       .deadline_ms = POINT_WORK_MS,
                       .then = work_done_then};
    verdict_t verdict = actor_job(ctx, &spec, &self->job);

    if (verdict != VERDICT_OK) {
        point_answer_failed(ctx, self, verdict_err(verdict));
        return point_rest(ctx, self);
    }
    self->job_open = true;
    return look_from_now(ctx, self);
}

/* A collection or a scrub makes way for work; one that does not come back is met as any job that
 * hangs. */
static actor_next_t
start(actor_ctx_t *ctx, point_worker_t *self, const record_type_t *type, const void *m)
{
    if (self->work) {
        actor_refuse(ctx, ERR_BUSY);
        return ACTOR_CONTINUE;
    }
    actor_timer_cancel(ctx, TIMER_IDLE);
    self->work = actor_keep(ctx, type, m);
    self->is_measure = type == &measure_type;
    self->request = actor_defer(ctx, "a job");
    if (!self->job_open) {
        return point_start_work(ctx, self);
    }
    if (!self->tidying && !self->scrub) {
        point_answer_failed(ctx, self, ERR_HUNG);
        return ACTOR_CONTINUE;
    }
    point_make_way(ctx, self);
    return point_is_far(kept_record(self->work)) ? ACTOR_CONTINUE : look_from_now(ctx, self);
}

static actor_next_t
on_measure(actor_ctx_t *ctx, point_worker_t *self, const measure_t *m)
{
    return start(ctx, self, &measure_type, m);
}

static actor_next_t
on_work(actor_ctx_t *ctx, point_worker_t *self, const work_t *m)
{
    return start(ctx, self, &work_type, m);
}

static actor_next_t
work_done(actor_ctx_t *ctx, point_worker_t *self, const actor_answer_t *answer)
{
    self->job_open = false;
    actor_timer_cancel(ctx, TIMER_LOOK);
    if (self->work && answer->err != OK) {
        point_answer_failed(ctx, self, err_of_job(answer->err));
    } else if (self->work) {
        answer_unheard(actor_reply_to(ctx, self->request, answer->type, answer->record));
        kept_destroy(&self->work);
    }
    return point_rest(ctx, self);
}

static actor_next_t
on_stop_work(actor_ctx_t *ctx, point_worker_t *self, const stop_work_t *m)
{
    const work_t *work = self->work ? kept_record(self->work) : NULL;

    for (uint32_t i = 0; work && i < m->stopped.count; i++) {
        const stopped_row_t *stopped = ROW(m, m->stopped, i, stopped_row_t);
        if (!outcome_is_stopped(stopped, work->target, work->revision)) {
            continue;
        }
        if (point_is_far(work)) {
            point_agent_stop(ctx, self->work);
        } else {
            actor_job_cancel(ctx, self->job);
        }
    }
    return ACTOR_CONTINUE;
}

/* ---- the actor ---- */

static actor_next_t
on_probe_point(actor_ctx_t *ctx, point_worker_t *self, const probe_point_t *m)
{
    return m->ends   ? point_look_out_ends(ctx, self)
           : m->once ? point_look_once(ctx, self, m)
                     : point_look_out(ctx, self, m);
}

static actor_next_t
on_collect_point(actor_ctx_t *ctx, point_worker_t *self, const collect_point_t *m)
{
    return point_collect_from(ctx, self, m);
}

static actor_next_t
on_scrub_point(actor_ctx_t *ctx, point_worker_t *self, const scrub_point_t *m)
{
    return point_scrub(ctx, self, m);
}

static actor_next_t
point_worker_init(actor_ctx_t *ctx, void *state, const void *args)
{
    point_worker_t *self = state;
    const point_worker_args_t *m = args;

    self->probe_ms = m->probe_ms ? m->probe_ms : PROBE_PERIOD_MS;
    return point_rest(ctx, self);
}

static actor_next_t
point_worker_timer(actor_ctx_t *ctx, void *state, uint64_t key)
{
    point_worker_t *self = state;

    switch (key) {
    case TIMER_LOOK:
        return point_watch_job(ctx, self);
    case TIMER_PROBE:
        return point_probe(ctx, self);
    case TIMER_COLLECT:
        return point_collect(ctx, self);
    default:
        return point_is_idle(self) ? ACTOR_STOP : ACTOR_CONTINUE;
    }
}

static void
point_worker_drop(void *state)
{
    point_worker_t *self = state;

    kept_destroy(&self->work);
    kept_destroy(&self->probe);
    kept_destroy(&self->look);
    kept_destroy(&self->scrub);
    point_collect_drop(self);
}

static const actor_hears_t actor_hears[] = {ON(measure),       ON(work),
                                            ON(probe_point),   ON_URGENT(stop_work),
                                            ON(collect_point), ON(scrub_point)};

const actor_class_t point_worker_class = {
    .name = "point_worker",
    .state_bytes = sizeof(point_worker_t),
    .init = point_worker_init,
    .on_timer = point_worker_timer,
    .drop = point_worker_drop,
    ACTOR_LIST(hears),
    .edges = actor_edges,
    .edge_count = ACTOR_EDGE_COUNT,
    .restart = ACTOR_TRANSIENT,
    .placement = ACTOR_POOL,
};
