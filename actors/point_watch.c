/* point_watch.c - looks at the job in hand: tells how far it came, and calls one hung that stands
 * still. */
#include "actors/point_worker_inside.h"

#define STILL_MS        20000u  /* without progress: hung */
#define REMOVE_STILL_MS 200000u /* a removal tells no progress: this long altogether */

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

static uint32_t
still_ms(const point_worker_t *self)
{
    const work_t *work = kept_record(self->work);
    bool removes = work->action == ACTION_REMOVE && !self->is_measure && !self->tidying;

    return removes ? REMOVE_STILL_MS : STILL_MS;
}

actor_next_t
point_watch_job(actor_ctx_t *ctx, point_worker_t *self)
{
    uint64_t done = 0, total = 0;

    if (!self->work || !actor_job_progress(ctx, self->job, &done, &total)) {
        return ACTOR_CONTINUE;
    }
    if (done != self->seen) {
        self->seen = done;
        self->still = 0;
        tell_progress(ctx, self, done, total);
    } else if (++self->still * LOOK_MS >= still_ms(self)) {
        actor_job_cancel(ctx, self->job);
        point_answer_failed(ctx, self, ERR_HUNG);
        return ACTOR_CONTINUE;
    }
    return actor_timer(ctx, TIMER_LOOK, LOOK_MS) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
}
