/* gateway_rates.c - how fast: the site's rate, that of a link, that of a point; each block is taken
 * from all that apply.
 *
 * They come with the list of agents, so that a change counts from the next block on. */
#include <assert.h>
#include <stdlib.h>

#include "actors/gateway.h"

#define HIERARCHY 3u

/* A link that agents share. */
struct gateway_link {
    bucket_t rate;
    bool listed;    /* by the last answer of the database */
    uint32_t users; /* agents on it */
};

static uint32_t
buckets_of(agent_gateway_t *self, agent_t *agent, bucket_t *ret_bucket[HIERARCHY])
{
    uint32_t count = 0;

    ret_bucket[count++] = &self->rate;
    if (agent->link) {
        ret_bucket[count++] = &agent->link->rate;
    }
    ret_bucket[count++] = &agent->rate;
    return count;
}

static gateway_link_t *
link_of(agent_gateway_t *self, slice_t name)
{
    char key[NAME_BYTES_MAX + 1];

    if (name.size == 0 || !table_key(name, key)) {
        return NULL;
    }
    gateway_link_t *link = zhashx_lookup(self->link, key);
    if (!link) {
        link = calloc(1, sizeof *link);
        assert(link);
        zhashx_update(self->link, key, link);
    }
    link->listed = true;
    return link;
}

static void
link_destroy(void **item)
{
    free(*item);
    *item = NULL;
}

void
rates_init(agent_gateway_t *self)
{
    self->link = zhashx_new();
    assert(self->link);
    zhashx_set_destructor(self->link, link_destroy);
}

void
rates_begin(agent_gateway_t *self)
{
    for (gateway_link_t *link = zhashx_first(self->link); link; link = zhashx_next(self->link)) {
        link->listed = false;
    }
}

static uint64_t
slower(uint64_t a, uint64_t b)
{
    return a == 0 || (b > 0 && b < a) ? b : a;
}

/* Goes through all agents; links have none before that. */
static void
count_all(agent_gateway_t *self)
{
    self->slowest = 0;
    for (const agent_t *agent = zhashx_first(self->agent); agent;
         agent = zhashx_next(self->agent)) {
        self->slowest = slower(self->slowest, agent->rate.rate);
        if (agent->link) {
            agent->link->users++;
        }
    }
}

static void
forget_counts(agent_gateway_t *self)
{
    for (gateway_link_t *link = zhashx_first(self->link); link; link = zhashx_next(self->link)) {
        link->users = 0;
    }
}

/* A link that no agent is on any more goes; who left it was listed with another one, or is gone. */
void
rates_end(agent_gateway_t *self)
{
    zlistx_t *keys = zhashx_keys(self->link);

    assert(keys);
    for (const char *key = zlistx_first(keys); key; key = zlistx_next(keys)) {
        if (!((gateway_link_t *) zhashx_lookup(self->link, key))->listed) {
            zhashx_delete(self->link, key);
        }
    }
    zlistx_destroy(&keys);
    forget_counts(self);
    count_all(self);
}

uint64_t
rates_slowest(const agent_gateway_t *self)
{
    uint64_t slowest = self->slowest;

    for (const gateway_link_t *link = zhashx_first(self->link); link;
         link = zhashx_next(self->link)) {
        slowest = slower(slowest, link->users > 0 ? link->rate.rate : 0);
    }
    return slowest;
}

void
rates_know(agent_gateway_t *self, agent_t *agent, const agents_listed_t *m, const agent_row_t *row,
           int64_t now_ns)
{
    bucket_set(&self->rate, m->rate, now_ns);
    bool was_slowest = agent->rate.rate == self->slowest && agent->rate.rate != row->rate;
    bucket_set(&agent->rate, row->rate, now_ns);
    self->slowest = slower(self->slowest, row->rate);
    if (agent->link) {
        agent->link->users--;
    }
    agent->link = link_of(self, record_slice(m, row->link));
    if (agent->link) {
        agent->link->users++;
        bucket_set(&agent->link->rate, row->link_rate, now_ns);
    }
    if (was_slowest && self->slowest > 0) {
        forget_counts(self);
        count_all(self);
    }
}

/* A block of the slowest that applies has to be there in all of them. */
uint64_t
rates_room(agent_gateway_t *self, agent_t *agent, int64_t now_ns, int64_t *wait_ns)
{
    bucket_t *bucket[HIERARCHY];
    uint32_t count = buckets_of(self, agent, bucket);
    uint64_t room = UINT64_MAX, block = AGENT_DATA_BYTES_MAX;
    int64_t longest = 0;

    for (uint32_t i = 0; i < count; i++) {
        uint64_t own = bucket_block(bucket[i]);
        block = own < block ? own : block;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint64_t held = bucket_room(bucket[i], now_ns);
        int64_t wait = bucket_wait_ns(bucket[i], block, now_ns);
        room = held < room ? held : room;
        longest = wait > longest ? wait : longest;
    }
    if (longest > 0) {
        *wait_ns = longest < *wait_ns ? longest : *wait_ns;
        return 0;
    }
    return room;
}

void
rates_take(agent_gateway_t *self, agent_t *agent, uint64_t bytes)
{
    bucket_t *bucket[HIERARCHY];

    for (uint32_t i = buckets_of(self, agent, bucket); i-- > 0;) {
        bucket_take(bucket[i], bytes);
    }
}

void
rates_give(agent_gateway_t *self, agent_t *agent, uint64_t bytes)
{
    bucket_t *bucket[HIERARCHY];

    for (uint32_t i = buckets_of(self, agent, bucket); i-- > 0;) {
        bucket_give(bucket[i], bytes);
    }
}
