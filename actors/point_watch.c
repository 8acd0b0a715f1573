/* point_watch.c - looks at the job in hand: tells how far it came, and calls one hung that gives no
 * sign of life.
 *
 * Each name and block is a sign. Where one call may take long, a sync of all that was written, the
 * job said so before, and by how much; any other call that takes so long is a point in trouble,
 * which is tried again when the call came back, and loses no attempt. */
#include "actors/point_worker_inside.h"

static void
tell_progress(actor_ctx_t *ctx, const point_worker_t *self, uint64_t done, uint64_t total)
{
    const work_t *work = kept_record(self->work);

    for (int to = 0; to < 2; to++) {
        progress_t *m = DRAFT(ctx, progress);
        m->target = work->target;
        m->package = actor_text(ctx, record_slice(work, work->package));
        m->dp = actor_text(ctx, record_slice(work, work->dp));
        m->bytes_done = done;
        m->bytes_total = total;
        answer_unheard(to ? tell_status_manager_progress(ctx, m)
                          : tell_site_database_progress(ctx, m));
    }
}

actor_next_t
point_watch_job(actor_ctx_t *ctx, point_worker_t *self)
{
    uint64_t done = 0, total = 0, beats = 0, patience_ms = 0;

    if (!self->work || !actor_job_progress(ctx, self->job, &done, &total) ||
        !actor_job_pulse(ctx, self->job, &beats, &patience_ms)) {
        return ACTOR_CONTINUE;
    }
    self->still = beats == self->beats ? self->still + 1 : 0;
    self->beats = beats;
    if (done != self->seen) {
        self->seen = done;
        tell_progress(ctx, self, done, total);
    }
    if ((uint64_t) self->still * LOOK_MS >= POINT_STILL_MS + patience_ms) {
        actor_job_cancel(ctx, self->job);
        point_answer_failed(ctx, self, ERR_HUNG);
        return ACTOR_CONTINUE;
    }
    return actor_timer(ctx, TIMER_LOOK, LOOK_MS) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
}
