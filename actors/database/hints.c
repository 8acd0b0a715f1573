/* hints.c - see hints.h. */
#include "actors/database/hints.h"

#include "actors/database/jobs.h"

#define AGAIN_MS 50 /* until a hint that found no room is told again */

/* The answers in hand may list targets to stop; NULL: their list found no room, only the news. */
static void
tell_work(actor_ctx_t *ctx, hints_t *hints, const group_answers_t *answers)
{
    work_changed_t *news = DRAFT(ctx, work_changed);
    if (answers != NULL) {
        news->stopped = database_stopped(actor_draft_open(ctx), answers);
    }
    hints->work = tell_distribution_manager_work_changed(ctx, news) != VERDICT_OK;
}

static void
tell_events(actor_ctx_t *ctx, hints_t *hints)
{
    events_committed_t *news = DRAFT(ctx, events_committed);
    news->last = hints->last_event;
    hints->events = tell_status_manager_events_committed(ctx, news) != VERDICT_OK;
}

/* One that is not there asks when it is. answers: of which agents; NULL: of any. */
static void
tell_agents(actor_ctx_t *ctx, hints_t *hints, const group_answers_t *answers)
{
    agents_changed_t *news = DRAFT(ctx, agents_changed);
    uint32_t count = answers && !hints->agents ? answers->agents.count : 0;
    news->agents = draft_rows(actor_draft_open(ctx), count, sizeof(agent_ref_t));
    for (uint32_t i = 0; i < count; i++) {
        agent_ref_t *row = draft_row(actor_draft_open(ctx), news->agents, i, sizeof *row);
        if (row != NULL) {
            *row = *ROW(answers, answers->agents, i, agent_ref_t);
        }
    }
    hints->agents = tell_agent_gateway_agents_changed(ctx, news) == VERDICT_FULL;
}

static void
tell_again_later(actor_ctx_t *ctx, const hints_t *hints)
{
    if ((hints->work || hints->events || hints->agents) &&
        actor_timer(ctx, HINTS_TIMER, AGAIN_MS) != VERDICT_OK) {
        actor_degraded(ctx, "no room for a timer");
    }
}

void
hints_tell(actor_ctx_t *ctx, hints_t *hints, const group_answers_t *answers)
{
    if (answers->targets_changed || answers->stopped.count > 0) {
        tell_work(ctx, hints, answers);
    }
    if (answers->agents_changed || answers->agents.count > 0) {
        tell_agents(ctx, hints, answers);
    }
    if (answers->last_event > 0) {
        hints->last_event = answers->last_event;
        tell_events(ctx, hints);
    }
    tell_again_later(ctx, hints);
}

void
hints_again(actor_ctx_t *ctx, hints_t *hints)
{
    if (hints->work) {
        tell_work(ctx, hints, NULL);
    }
    if (hints->events) {
        tell_events(ctx, hints);
    }
    if (hints->agents) {
        tell_agents(ctx, hints, NULL);
    }
    tell_again_later(ctx, hints);
}
