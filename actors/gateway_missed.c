/* gateway_missed.c - absent points whose agents are away: nobody looks for them until they come.
 *
 * Each that was missed is told of once, when it comes; then its point is looked at like any other,
 * until a look finds its agent away again, which is a further miss. What a restart forgets is told
 * again by distribution_manager, which hears of that. */
#include <string.h>

#include "actors/gateway.h"

#define LOST_MS 1000u /* within which who is missed is told again */

void
missed_tell(actor_ctx_t *ctx, agent_t *agent)
{
    if (!agent->missed || !agent->here) {
        return;
    }
    agent_came_t *m = DRAFT(ctx, agent_came);
    m->dp = actor_text(ctx, slice_of(agent->dp));
    m->dp_incarnation = agent->incarnation;
    agent->missed = tell_distribution_manager_agent_came(ctx, m) != VERDICT_OK;
}

void
missed_forgotten(actor_ctx_t *ctx, agent_gateway_t *self)
{
    if (!self->forgot || list_is_open(self)) {
        return;
    }
    look_outs_lost_t *m = DRAFT(ctx, look_outs_lost);
    m->within_ms = LOST_MS;
    self->forgot = tell_distribution_manager_look_outs_lost(ctx, m) != VERDICT_OK;
}

/* News of who is not known may be under way: when it is here, all are told again. */
actor_next_t
missed_hear(actor_ctx_t *ctx, agent_gateway_t *self, const agents_missed_t *m)
{
    for (uint32_t i = 0; i < m->points.count; i++) {
        const point_ref_t *point = ROW(m, m->points, i, point_ref_t);
        agent_t *agent = table_by_name(self, record_slice(m, point->dp));
        if (agent &&
            memcmp(&agent->incarnation, &point->dp_incarnation, sizeof agent->incarnation) == 0) {
            agent->missed = true;
            missed_tell(ctx, agent);
        } else {
            self->forgot |= !self->listed || list_is_open(self);
        }
    }
    return ACTOR_CONTINUE;
}
