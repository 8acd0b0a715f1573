/* gateway_seeds.c - what an agent says that its seed had, or why it was not used, and what it has
 * mended of its own, as events.
 *
 * It decides nothing: what an agent lacks it says in its need. An agent that says it without end
 * would push all other events out of the history: so many of each are taken in a minute. */
#include <stdio.h>

#include "actors/gateway.h"
#include "proto/status.h"

bool
seeds_may_note(const actor_ctx_t *ctx, agent_t *agent)
{
    int64_t now_ns = actor_now_ns(ctx);

    if (agent->notes == 0 || now_ns - agent->notes_ns >= (int64_t) GATEWAY_NOTES_MS * 1000000) {
        agent->notes = 0;
        agent->notes_ns = now_ns;
    }
    agent->notes += agent->notes <= GATEWAY_NOTES_MAX;
    return agent->notes <= GATEWAY_NOTES_MAX;
}

static void
note(actor_ctx_t *ctx, agent_t *agent, const order_t *order, status_id_t id, const char *text)
{
    const agent_call_t *call = kept_record(order->call);

    if (!seeds_may_note(ctx, agent)) {
        return;
    }
    note_event_t *event = DRAFT(ctx, note_event);
    event->component = actor_text(ctx, slice_of("agent_gateway"));
    event->id = id;
    event->severity = status_severity(id);
    event->package = actor_text(ctx, record_slice(call, ROW(call, call->work, 0, work_t)->package));
    event->dp = actor_text(ctx, slice_of(agent->dp));
    event->text = actor_text(ctx, slice_of(text));
    answer_unheard(tell_site_database_note_event(ctx, event));
}

bool
orders_seeded(actor_ctx_t *ctx, const agent_gateway_t *self, agent_t *agent,
              const agent_seeded_t *m)
{
    const order_t *order = orders_of(agent, m->order);

    if (!order) {
        return m->order <= self->numbers;
    }
    char text[TEXT_BYTES_MAX + 1];
    slice_t why = record_slice(m, m->text);
    why = why.size > 0 ? why : slice_of(err_sentence((err_t) m->err));
    if (m->files > 0) {
        snprintf(text, sizeof text, "the seed of %s had %llu files that it lacked, %llu bytes",
                 agent->dp, (unsigned long long) m->files, (unsigned long long) m->bytes);
        note(ctx, agent, order, STATUS_SEED_USED, text);
    }
    if (m->err != OK) {
        snprintf(
            text, sizeof text,
            "the seed of %s is not used: %.*s; despool dp set %s --seed names another, or none",
            agent->dp, (int) why.size, why.data, agent->dp);
    } else {
        snprintf(text, sizeof text, "%llu names in the seed of %s are not used, the first: %.*s",
                 (unsigned long long) m->skipped, agent->dp, (int) why.size, why.data);
    }
    if (m->err != OK || m->skipped > 0) {
        note(ctx, agent, order, STATUS_SEED_NOT_USED, text);
    }
    return true;
}

bool
orders_indexed(actor_ctx_t *ctx, const agent_gateway_t *self, agent_t *agent,
               const agent_indexed_t *m)
{
    const order_t *order = orders_of(agent, m->order);
    char text[TEXT_BYTES_MAX + 1];

    if (!order) {
        return m->order <= self->numbers;
    }
    snprintf(text, sizeof text,
             "the index of what %s keeps was damaged, or a part of it gone: it is made anew, of "
             "%llu objects",
             agent->dp, (unsigned long long) m->objects);
    note(ctx, agent, order, STATUS_INDEX_MENDED, text);
    return true;
}

void
seeds_delta_refused(actor_ctx_t *ctx, agent_t *agent, const order_t *order, uint64_t count)
{
    char text[TEXT_BYTES_MAX];

    if (count > 0) {
        snprintf(text, sizeof text, "%llu deltas gave other bytes at %s: whole files are sent",
                 (unsigned long long) count, agent->dp);
        note(ctx, agent, order, STATUS_DELTA_REFUSED, text);
    }
}
