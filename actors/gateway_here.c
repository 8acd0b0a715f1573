/* gateway_here.c - the agents that are here, found by what there is of them: their connection, the
 * job that reads for them; and what is looked at each second, without those who are away.
 *
 * A site may have ten thousand agents that are away: who is, costs nothing between two lists of the
 * database. */
#include <assert.h>
#include <stdio.h>

#include "actors/gateway.h"

#define PEER_HEX_BYTES (2u * UINT8_MAX + 1u)
#define JOB_BYTES      24u

void
here_init(agent_gateway_t *self)
{
    self->by_peer = zhashx_new();
    self->by_job = zhashx_new();
    assert(self->by_peer && self->by_job);
    self->is_stale = true;
}

void
here_drop(agent_gateway_t *self)
{
    zhashx_destroy(&self->by_peer);
    zhashx_destroy(&self->by_job);
}

/* ---- who is here ---- */

static const char *
peer_key(slice_t peer, char hex[PEER_HEX_BYTES])
{
    hex_of_bytes((const uint8_t *) peer.data, peer.size, hex);
    return hex;
}

static slice_t
peer_of(const agent_t *agent)
{
    return (slice_t){(const char *) agent->peer, agent->peer_size};
}

void
here_in(agent_gateway_t *self, agent_t *agent)
{
    char hex[PEER_HEX_BYTES];

    agent->here = true;
    agent->earlier = self->here_last;
    agent->later = NULL;
    *(self->here_last ? &self->here_last->later : &self->here_first) = agent;
    self->here_last = agent;
    self->here++;
    zhashx_update(self->by_peer, peer_key(peer_of(agent), hex), agent);
}

void
here_out(agent_gateway_t *self, agent_t *agent)
{
    char hex[PEER_HEX_BYTES];

    here_read_ends(self, agent);
    if (!agent->here) {
        return;
    }
    self->beacon_next = self->beacon_next == agent ? agent->later : self->beacon_next;
    *(agent->earlier ? &agent->earlier->later : &self->here_first) = agent->later;
    *(agent->later ? &agent->later->earlier : &self->here_last) = agent->earlier;
    agent->here = false;
    self->here--;
    if (zhashx_lookup(self->by_peer, peer_key(peer_of(agent), hex)) == agent) {
        zhashx_delete(self->by_peer, hex);
    }
}

agent_t *
here_by_peer(const agent_gateway_t *self, slice_t peer)
{
    char hex[PEER_HEX_BYTES];

    return peer.size <= UINT8_MAX ? zhashx_lookup(self->by_peer, peer_key(peer, hex)) : NULL;
}

/* ---- who is read for ---- */

static const char *
job_key(uint64_t job, char text[JOB_BYTES])
{
    snprintf(text, JOB_BYTES, "%llu", (unsigned long long) job);
    return text;
}

void
here_read_begins(agent_gateway_t *self, agent_t *agent, uint64_t job)
{
    char text[JOB_BYTES];

    agent->job = job;
    zhashx_update(self->by_job, job_key(job, text), agent);
}

void
here_read_ends(agent_gateway_t *self, agent_t *agent)
{
    char text[JOB_BYTES];

    if (agent->job != 0) {
        zhashx_delete(self->by_job, job_key(agent->job, text));
        agent->job = 0;
    }
}

agent_t *
here_by_job(const agent_gateway_t *self, uint64_t job)
{
    char text[JOB_BYTES];

    return zhashx_lookup(self->by_job, job_key(job, text));
}

/* ---- what the lists of the database say of all ---- */

/* Of two rates; 0: it has none. */
static uint64_t
slower(uint64_t rate, uint64_t other)
{
    return rate == 0 || (other > 0 && other < rate) ? other : rate;
}

/* Anew after each list, and not at each look: in between nothing of it changes. */
void
here_sum_up(agent_gateway_t *self)
{
    if (!self->is_stale) {
        return;
    }
    self->is_stale = false;
    self->slowest = 0;
    self->windows = (window_t){.closes_ns = INT64_MAX, .known_ns = INT64_MIN};
    for (agent_t *agent = zhashx_first(self->agent); agent; agent = zhashx_next(self->agent)) {
        self->slowest = slower(slower(self->slowest, agent->rate.rate), rates_of_link(agent));
        window_add(&self->windows, &agent->window);
    }
}
