/* point_scrub.c - a portion of what the point holds is read again, and makes way for work. */
#include "actors/outcome.h"
#include "actors/point_worker_inside.h"

#define SCRUB_MS 120000u /* of a portion at an agent */

THEN(point_worker_t, portion_read)

static actor_next_t
tell_failed(actor_ctx_t *ctx, const scrub_point_t *m, err_t err)
{
    scrubbed_t *scrubbed = DRAFT(ctx, scrubbed);

    outcome_fill_of(actor_draft_open(ctx), (outcome_t *) scrubbed, m, (const work_t *) m);
    scrubbed->err = err;
    scrubbed->text = actor_text(ctx, slice_of(err_sentence(err)));
    answer_unheard(tell_distribution_manager_scrubbed(ctx, scrubbed));
    return ACTOR_CONTINUE;
}

/* Where there is work, this is for a later round. */
actor_next_t
point_scrub(actor_ctx_t *ctx, point_worker_t *self, const scrub_point_t *m)
{
    const work_t *work = (const work_t *) m;
    job_spec_t spec = {.name = "scrub",
                       .run = job_scrub,
                       .input_type = &scrub_point_type,
                       .input = m,
                       .subject = record_slice(m, m->dp),
                       .deadline_ms = POINT_WORK_MS,
                       .then = portion_read_then};

    if (self->scrub || self->work || self->job_open || self->probe) {
        return tell_failed(ctx, m, ERR_BUSY);
    }
    verdict_t verdict = point_is_far(work) ? point_agent_ask(ctx, AGENT_TASK_SCRUB, work, SCRUB_MS,
                                                             portion_read_then)
                                           : actor_job(ctx, &spec, &self->job);
    if (verdict != VERDICT_OK) {
        return tell_failed(ctx, m, verdict_err(verdict));
    }
    actor_timer_cancel(ctx, TIMER_IDLE);
    self->scrub = actor_keep(ctx, &scrub_point_type, m);
    self->job_open = true;
    return ACTOR_CONTINUE;
}

/* A collection at an agent ends by itself. */
void
point_make_way(actor_ctx_t *ctx, const point_worker_t *self)
{
    bool far = point_is_far(kept_record(self->work));

    if (far && self->scrub) {
        point_agent_stop(ctx, self->scrub);
    } else if (!far) {
        actor_job_cancel(ctx, self->job);
    }
}

static actor_next_t
portion_read(actor_ctx_t *ctx, point_worker_t *self, const actor_answer_t *answer)
{
    const outcome_t *outcome = ANSWER_AS(answer, outcome);

    claim(ctx, self->scrub != NULL);
    self->job_open = false;
    if (outcome) {
        scrubbed_t *m = DRAFT(ctx, scrubbed);
        draft_t *draft = actor_draft_open(ctx);
        err_t err = draft_copy(draft, &scrubbed_type, m, outcome, outcome);
        draft->full |= err != OK;
        answer_unheard(tell_distribution_manager_scrubbed(ctx, m));
    } else {
        (void) tell_failed(ctx, kept_record(self->scrub), answer->err);
    }
    kept_destroy(&self->scrub);
    return self->work ? point_start_work(ctx, self) : point_collect(ctx, self);
}
