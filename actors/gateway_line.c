/* gateway_line.c - who waits for a turn to be sent something: first come, first served, a block at
 * a time, so that all share what there is in equal bytes. */
#include "actors/gateway.h"

void
line_in(agent_gateway_t *self, agent_t *agent)
{
    if (agent->in_line) {
        return;
    }
    agent->in_line = true;
    agent->before = self->last;
    agent->behind = NULL;
    *(self->last ? &self->last->behind : &self->first) = agent;
    self->last = agent;
}

void
line_out(agent_gateway_t *self, agent_t *agent)
{
    if (!agent->in_line) {
        return;
    }
    *(agent->before ? &agent->before->behind : &self->first) = agent->behind;
    *(agent->behind ? &agent->behind->before : &self->last) = agent->before;
    agent->in_line = false;
}

void
line_settle(agent_gateway_t *self, agent_t *agent)
{
    if (!agent->need) {
        line_out(self, agent);
    }
}
