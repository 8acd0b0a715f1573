/* agent_watch.c - looks at the work on the point: what gives no sign of life hangs, and is told so.
 *
 * As at a directory (point_watch.c): each name and block is a sign, and a job says before a call
 * that may take longer. Until the job has come back nothing else is begun on the point: each order,
 * and each look, hears that it hangs. */
#include <stdio.h>

#include "actors/agent_inside.h"

#define LOOK_MS 1000u

actor_next_t
agent_watch_from_now(actor_ctx_t *ctx, agent_state_t *self)
{
    self->beats_seen = 0;
    self->still = 0;
    return actor_timer(ctx, TIMER_WATCH, LOOK_MS) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
}

void
agent_watch_end(actor_ctx_t *ctx, agent_state_t *self)
{
    self->hung = false;
    actor_timer_cancel(ctx, TIMER_WATCH);
}

static actor_next_t
call_hung(actor_ctx_t *ctx, agent_state_t *self)
{
    self->hung = true;
    if (self->next) {
        agent_fail(ctx, self, self->next, ERR_HUNG, slice_of(""));
        kept_destroy(&self->next);
    }
    if (self->order) {
        agent_fail(ctx, self, self->order, ERR_HUNG, slice_of(""));
    }
    agent_forget_order(ctx, self);
    return ACTOR_CONTINUE;
}

actor_next_t
agent_watch(actor_ctx_t *ctx, agent_state_t *self)
{
    uint64_t beats = 0, patience_ms = 0;

    if ((!self->job_open && !self->storing) ||
        !actor_job_pulse(ctx, self->storing ? self->store_job : self->job, &beats, &patience_ms)) {
        return ACTOR_CONTINUE;
    }
    self->still = beats == self->beats_seen ? self->still + 1 : 0;
    self->beats_seen = beats;
    if ((uint64_t) self->still * LOOK_MS >= POINT_STILL_MS + patience_ms) {
        return self->phase == PHASE_SEED ? agent_leave_seed(ctx, self) : call_hung(ctx, self);
    }
    return actor_timer(ctx, TIMER_WATCH, LOOK_MS) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
}

void
agent_describe(const void *state, char *text, size_t size)
{
    static const char *const phases[] = {"idle",    "looks what is lacking", "looks into its seed",
                                         "fetches", "waits for its program", "works"};
    const agent_state_t *self = state;

    if (self->removed) {
        snprintf(text, size, "removed");
        return;
    }
    snprintf(text, size, "%s%s, %s, dialled: %llu", self->beacon.stale ? "stale, " : "",
             self->here ? "the site is there" : "no site",
             self->hung ? "hangs" : phases[self->phase], (unsigned long long) self->dials);
}
