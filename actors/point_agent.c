/* point_agent.c - the same work at a point that is another machine: asked of the agent gateway.
 *
 * An agent that is not there is an absent point. What is in hand there when its connection ends is
 * lost to the site alone: what it has made durable it has. */
#include "actors/outcome.h"
#include "actors/point_worker_inside.h"

THEN(point_worker_t, agent_answered)

bool
point_is_far(const work_t *work)
{
    return point_is_agent(record_slice(work, work->dp_root));
}

/* An order to look or to collect has a work of its own shape. */
verdict_t
point_agent_ask(actor_ctx_t *ctx, agent_task_t task, const work_t *work, uint32_t deadline_ms,
                actor_answer_fn *then)
{
    agent_call_t *m = DRAFT(ctx, agent_call);
    draft_t *draft = actor_draft_open(ctx);

    m->task = task;
    m->work = draft_rows(draft, 1, sizeof(work_t));
    work_t *row = draft_row(draft, m->work, 0, sizeof *row);
    err_t err = row ? draft_copy(draft, &work_type, row, work, work) : ERR_TOO_LARGE;
    draft->full |= err != OK;
    return ask_agent_gateway_agent_call(ctx, m, deadline_ms, then, 0);
}

verdict_t
point_agent_probe(actor_ctx_t *ctx, const probe_point_t *probe, actor_answer_fn *then)
{
    agent_call_t *m = DRAFT(ctx, agent_call);
    draft_t *draft = actor_draft_open(ctx);

    m->task = AGENT_TASK_PROBE;
    m->work = draft_rows(draft, 1, sizeof(work_t));
    work_t *row = draft_row(draft, m->work, 0, sizeof *row);
    if (row) {
        row->dp = draft_copy_text(draft, probe, probe->dp);
        row->dp_incarnation = probe->dp_incarnation;
        row->dp_root = draft_copy_text(draft, probe, probe->dp_root);
        row->site = probe->site;
        row->package = draft_text(draft, slice_of(""));
        row->store = draft_text(draft, slice_of(""));
    }
    return ask_agent_gateway_agent_call(ctx, m, PROBE_DEADLINE_MS, then, 0);
}

actor_next_t
point_agent_start(actor_ctx_t *ctx, point_worker_t *self)
{
    const work_t *work = kept_record(self->work);
    agent_task_t task = self->is_measure ? AGENT_TASK_MEASURE : AGENT_TASK_WORK;
    verdict_t verdict = point_agent_ask(ctx, task, work, POINT_WORK_MS, agent_answered_then);

    if (verdict != VERDICT_OK) {
        point_answer_failed(ctx, self, ERR_ABSENT);
        return point_rest(ctx, self);
    }
    self->job_open = true;
    return ACTOR_CONTINUE;
}

/* Whose connection has ended, or who has no gateway, is not there. */
static err_t
err_of_agent(err_t err)
{
    return err == ERR_RESTARTING || err == ERR_DOWN || err == ERR_STARTING ? ERR_ABSENT : err;
}

static actor_next_t
agent_answered(actor_ctx_t *ctx, point_worker_t *self, const actor_answer_t *answer)
{
    bool fits = answer->type == (self->is_measure ? &measured_type : &outcome_type);

    self->job_open = false;
    if (self->work && answer->err == OK && fits) {
        answer_unheard(actor_reply_to(ctx, self->request, answer->type, answer->record));
        kept_destroy(&self->work);
    } else if (self->work) {
        point_answer_failed(ctx, self,
                            err_of_agent(answer->err == OK ? ERR_INTERNAL : answer->err));
    }
    return point_rest(ctx, self);
}

void
point_agent_stop(actor_ctx_t *ctx, const kept_t *kept)
{
    const work_t *work = kept_record(kept);
    agent_end_t *m = DRAFT(ctx, agent_end);

    m->dp = actor_text(ctx, record_slice(work, work->dp));
    m->target = work->target;
    m->revision = work->revision;
    answer_unheard(tell_agent_gateway_agent_end(ctx, m));
}
