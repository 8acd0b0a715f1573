/* gateway_share.c - what was read for one agent goes to all that lack the same next.
 *
 * Many agents are sent one version at one time: reading, packing and searching for each alone took
 * the site as much again for each. Nothing is kept: who is elsewhere by then has it read anew. */
#include "actors/content/hash.h"
#include "actors/gateway.h"

static const agent_need_t *
need_of(const agent_t *agent)
{
    return kept_record(agent->need);
}

/* Where the need in hand goes on. */
static range_t
next_of(const agent_t *agent, uint32_t further)
{
    const agent_need_t *need = need_of(agent);
    range_t range = *ROW(need, need->ranges, agent->next + further, range_t);

    range.from += further == 0 ? agent->sent : 0;
    return range;
}

static bool
is_alike(const reading_now_t *reading, const named_set_t *named, const range_t *range)
{
    const range_t *read = &reading->range;

    return reading->named == named && digest_equal(&read->object, &range->object) &&
           read->from == range->from && read->list == range->list &&
           digest_equal(&read->base, &range->base);
}

void
share_begin(agent_gateway_t *self, const agent_t *agent, uint64_t job)
{
    if (self->reads < GATEWAY_READS_MAX) {
        self->read[self->reads++] = (reading_now_t){job, agent->named, next_of(agent, 0)};
    }
}

void
share_end(agent_gateway_t *self, uint64_t job)
{
    for (uint32_t i = 0; i < self->reads; i++) {
        if (self->read[i].job == job) {
            self->read[i] = self->read[--self->reads];
            return;
        }
    }
}

bool
share_waits(const agent_gateway_t *self, const agent_t *agent)
{
    range_t next = next_of(agent, 0);

    for (uint32_t i = 0; i < self->reads; i++) {
        if (is_alike(&self->read[i], agent->named, &next)) {
            return true;
        }
    }
    return false;
}

/* Whether all that was read comes next for this one, too. */
static bool
fits(const agent_t *agent, const agent_data_t *m)
{
    uint32_t left = need_of(agent)->ranges.count - agent->next;

    for (uint32_t i = 0; i < m->pieces.count; i++) {
        const piece_t *piece = ROW(m, m->pieces, i, piece_t);
        range_t range = i < left ? next_of(agent, i) : (range_t){.from = UINT64_MAX};
        if (!digest_equal(&piece->object, &range.object) || piece->from != range.from ||
            piece->list != range.list ||
            (piece->packing == PACKING_DELTA && digest_is_none(&range.base))) {
            return false;
        }
    }
    return m->pieces.count > 0;
}

static void
send_too(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent, const agent_data_t *read,
         uint64_t bytes)
{
    agent_data_t *m = DRAFT(ctx, agent_data);
    uint64_t order = need_of(agent)->order;
    draft_t *draft = actor_draft_open(ctx);

    draft->full |= draft_copy(draft, &agent_data_type, m, read, read) != OK;
    m->order = order;
    content_take(ctx, self, agent, bytes);
    content_pass(self, agent, read);
    if (agent->need) {
        line_in(self, agent);
    }
    plain_say(ctx, self, agent, m);
    line_settle(self, agent);
    orders_look_at_turn(ctx, self, agent);
}

void
share_read(actor_ctx_t *ctx, agent_gateway_t *self, const agent_t *reader, const named_set_t *named,
           const agent_data_t *m, uint64_t bytes)
{
    int64_t wait_ns = INT64_MAX;

    for (agent_t *agent = self->first, *next; agent && bytes > 0; agent = next) {
        next = agent->behind;
        if (agent != reader && agent->named == named && agent->need && agent->job == 0 &&
            fits(agent, m) && content_room(ctx, self, agent, &wait_ns) >= bytes) {
            send_too(ctx, self, agent, m, bytes);
        }
    }
}
