/* gateway_plain.c - bytes of data by a second connection that is not encrypted, where the operator
 * wants that.
 *
 * An agent that is here is told an address and a ticket, over the connection by which it has proved
 * its key. Whoever says the ticket at the plain socket, the first time, is that agent; nothing else
 * is heard there. Orders, credit and receipts stay where they are, and each object is held against
 * its digest by the agent: who is between can read content, and can break the transfer. */
#include "actors/agent_wire.h"
#include "actors/content/manifest.h"
#include "actors/gateway.h"
#include "proto/status.h"

#define HEX_BYTES 65u
#define NS_PER_MS INT64_C(1000000)

static slice_t
peer_of(const plain_t *plain)
{
    return (slice_t){(const char *) plain->peer, plain->peer_size};
}

static void
hex_of_ticket(const digest_t *ticket, char ret_hex[HEX_BYTES])
{
    hex_of_bytes(ticket->byte, sizeof ticket->byte, ret_hex);
}

/* ---- failures ---- */

static void
note_failure(actor_ctx_t *ctx, const agent_t *agent, const char *why)
{
    note_event_t *event = DRAFT(ctx, note_event);

    event->component = actor_text(ctx, slice_of("agent_gateway"));
    event->id = STATUS_PLAIN_FAILED;
    event->severity = status_severity(STATUS_PLAIN_FAILED);
    event->dp = actor_text(ctx, slice_of(agent->dp));
    event->text = actor_textf(ctx,
                              "plain bulk of %s does not work: %s; its content goes by CURVE until "
                              "it is set anew",
                              agent->dp, why);
    answer_unheard(tell_site_database_note_event(ctx, event));
}

static void
fail(actor_ctx_t *ctx, agent_t *agent, uint32_t times, const char *why)
{
    plain_t *plain = &agent->plain;
    bool told = plain->failed >= PLAIN_FAILURES_MAX;

    plain->failed += times;
    if (!told && plain->failed >= PLAIN_FAILURES_MAX) {
        note_failure(ctx, agent, why);
    }
}

/* ---- the ticket ---- */

/* The site alone can make it, and each visit and number has its own. */
static bool
draw_ticket(const agent_gateway_t *self, agent_t *agent)
{
    plain_t *plain = &agent->plain;
    uint8_t signature[SIGN_BYTES];
    signed_version_t said = {.site = self->site,
                             .point = agent->incarnation,
                             .package_incarnation = agent->visit,
                             .epoch = plain->number,
                             .package = slice_of("")};

    sign_version(&self->keys.signing, SIGN_TICKET, &said, signature);
    return manifest_digest(signature, sizeof signature, &plain->ticket) == OK;
}

static void
forget_ticket(agent_gateway_t *self, plain_t *plain)
{
    char hex[HEX_BYTES];

    if (!digest_is_none(&plain->ticket)) {
        hex_of_ticket(&plain->ticket, hex);
        zhashx_delete(self->ticket, hex);
        plain->ticket = (digest_t){{0}};
    }
}

void
plain_offer(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent)
{
    const site_args_t *args = kept_record(self->args);
    plain_t *plain = &agent->plain;
    char hex[HEX_BYTES];

    if (args->plain.size == 0 || !agent->here || !plain->wanted || plain->number != 0 ||
        plain->failed >= PLAIN_FAILURES_MAX) {
        return;
    }
    plain->number = ++self->numbers;
    if (!draw_ticket(self, agent)) {
        plain->number = 0;
        return;
    }
    plain->since_ns = actor_now_ns(ctx);
    hex_of_ticket(&plain->ticket, hex);
    zhashx_update(self->ticket, hex, agent);
    agent_bulk_t *m = DRAFT(ctx, agent_bulk);
    m->number = plain->number;
    m->address = actor_text(ctx, record_slice(args, args->plain));
    m->ticket = plain->ticket;
    visit_say(ctx, self, agent, &agent_bulk_type, m);
}

static void
set_peer(agent_gateway_t *self, plain_t *plain, slice_t peer)
{
    self->paired = self->paired + (peer.size > 0) - (plain->peer_size > 0);
    memcpy(plain->peer, peer.data, peer.size);
    plain->peer_size = (uint8_t) peer.size;
}

/* The agent begins anew: what was under way is not known to have come. */
static void
end_at_agent(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent)
{
    agent_bulk_t *m = DRAFT(ctx, agent_bulk);

    m->number = agent->plain.number;
    set_peer(self, &agent->plain, slice_of(""));
    visit_say(ctx, self, agent, &agent_bulk_type, m);
}

void
plain_know(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent, bool wanted)
{
    plain_t *plain = &agent->plain;

    if (wanted == plain->wanted) {
        return;
    }
    plain->wanted = wanted;
    plain->failed = 0;
    if (wanted) {
        plain_offer(ctx, self, agent);
    } else if (plain->number != 0) {
        forget_ticket(self, plain);
        end_at_agent(ctx, self, agent);
    }
}

/* ---- the connection ---- */

void
plain_hear(actor_ctx_t *ctx, agent_gateway_t *self, const peer_came_t *m)
{
    const record_type_t *type = NULL;
    const void *record = NULL;
    char hex[HEX_BYTES];
    agent_t *agent = NULL;

    if (agent_frame_read(record_slice(m, m->body), AGENT_SAYS_IN_PLAIN, self->memory,
                         AGENT_MEMORY_BYTES, &type, &record) == OK) {
        hex_of_ticket(&((const agent_ticket_t *) record)->ticket, hex);
        agent = zhashx_lookup(self->ticket, hex);
    }
    if (!agent) {
        self->unknown++; /* the link ends a connection that it says nothing to */
        return;
    }
    forget_ticket(self, &agent->plain);
    set_peer(self, &agent->plain, record_slice(m, m->peer));
    plain_beat(ctx, self, agent);
}

/* Once for each sign of life that the agent gives: so a connection that has ended is found, when
 * nothing else is said there. */
void
plain_beat(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent)
{
    agent_beat_t *beat = DRAFT(ctx, agent_beat);

    beat->number = agent->plain.number;
    if (agent->plain.peer_size > 0 &&
        !outbox_put(ctx, &self->plain, peer_of(&agent->plain), false, &agent_beat_type, beat)) {
        visit_end(ctx, self, agent, ERR_ABSENT);
    }
}

void
plain_gone(actor_ctx_t *ctx, agent_gateway_t *self, slice_t peer)
{
    if (peer.size == 0) {
        self->plain.asks = 0; /* of a link that has begun anew */
    }
    for (agent_t *agent = zhashx_first(self->agent); agent; agent = zhashx_next(self->agent)) {
        if (agent->plain.peer_size > 0 &&
            (peer.size == 0 || slice_equal(peer, peer_of(&agent->plain)))) {
            end_at_agent(ctx, self, agent);
        }
    }
}

/* Whoever was told a ticket and does not come cannot reach the address. */
void
plain_look(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent)
{
    plain_t *plain = &agent->plain;
    int64_t until_ns = plain->since_ns + (int64_t) AGENT_SILENCE_MS * NS_PER_MS;

    if (!digest_is_none(&plain->ticket) && actor_now_ns(ctx) > until_ns) {
        forget_ticket(self, plain);
        plain->number = 0;
        fail(ctx, agent, 1, "it does not come to the address");
    }
    plain_offer(ctx, self, agent);
}

void
plain_end(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent)
{
    plain_t *plain = &agent->plain;

    if (plain->carries && agent->credit.under_way > 0) {
        fail(ctx, agent, 1, "it ends while bytes are under way");
    }
    forget_ticket(self, plain);
    plain->number = 0;
    set_peer(self, plain, slice_of(""));
    plain->carries = false;
}

/* ---- data ---- */

static bool
asks_for_lists(const agent_need_t *m)
{
    bool asks = false;

    for (uint32_t i = 0; i < m->ranges.count && !asks; i++) {
        asks = ROW(m, m->ranges, i, range_t)->list;
    }
    return asks;
}

/* A list of chunks has no digest of its own: one that was changed would have the agent ask for what
 * its version does not name, time and again, and is not believed to be the agent's own word. */
void
plain_choose(agent_t *agent, const agent_need_t *m)
{
    plain_t *plain = &agent->plain;

    plain->carries =
        plain->peer_size > 0 && plain->failed < PLAIN_FAILURES_MAX && !asks_for_lists(m);
}

/* What was under way there is durable. */
void
plain_arrived(agent_t *agent)
{
    plain_t *plain = &agent->plain;

    plain->failed = plain->carries && plain->failed < PLAIN_FAILURES_MAX ? 0 : plain->failed;
}

void
plain_say(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent, const agent_data_t *m)
{
    plain_t *plain = &agent->plain;

    if (!plain->carries) {
        visit_say(ctx, self, agent, &agent_data_type, m);
    } else if (plain->peer_size > 0 && /* else it begins anew, and lacks this too */
               !outbox_put(ctx, &self->plain, peer_of(plain), false, &agent_data_type, m)) {
        visit_end(ctx, self, agent, ERR_ABSENT);
    }
}

void
plain_judge(actor_ctx_t *ctx, agent_t *agent, const agent_done_t *m)
{
    uint32_t err = m->outcome.count > 0    ? ROW(m, m->outcome, 0, outcome_t)->err
                   : m->measured.count > 0 ? ROW(m, m->measured, 0, measured_t)->err
                                           : OK;

    if (agent->plain.carries && err == ERR_DIGEST) {
        fail(ctx, agent, PLAIN_FAILURES_MAX, "other bytes came than were sent");
    }
}
