/* gateway_line.c - who waits for a turn to be sent something: first come, first served, a block at
 * a time, so that all share what there is in equal bytes.
 *
 * Who could be sent nothing, whatever the others have, sleeps: it keeps its place, and nobody walks
 * past it. With a thousand agents that are sent one version nearly all do, at any instant. */
#include "actors/gateway.h"

static void
link_behind(agent_gateway_t *self, agent_t *agent, agent_t *before)
{
    agent->before = before;
    agent->behind = before ? before->behind : self->first;
    *(before ? &before->behind : &self->first) = agent;
    *(agent->behind ? &agent->behind->before : &self->last) = agent;
}

static void
unlink_from(agent_gateway_t *self, agent_t *agent)
{
    *(agent->before ? &agent->before->behind : &self->first) = agent->behind;
    *(agent->behind ? &agent->behind->before : &self->last) = agent->before;
}

void
line_in(agent_gateway_t *self, agent_t *agent)
{
    if (agent->in_line) {
        line_wake(self, agent);
        return;
    }
    agent->in_line = true;
    agent->asleep = false;
    agent->place = ++self->places;
    link_behind(self, agent, self->last);
}

void
line_out(agent_gateway_t *self, agent_t *agent)
{
    if (agent->in_line && !agent->asleep) {
        unlink_from(self, agent);
    }
    agent->in_line = false;
    agent->asleep = false;
}

void
line_sleep(agent_gateway_t *self, agent_t *agent)
{
    unlink_from(self, agent);
    agent->asleep = true;
}

void
line_wake(agent_gateway_t *self, agent_t *agent)
{
    agent_t *before = self->last;

    if (!agent->asleep) {
        return;
    }
    while (before && before->place > agent->place) {
        before = before->before;
    }
    agent->asleep = false;
    link_behind(self, agent, before);
}

void
line_settle(agent_gateway_t *self, agent_t *agent)
{
    if (!agent->need) {
        line_out(self, agent);
    }
}
