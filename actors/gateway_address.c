/* gateway_address.c - where agents find the site: told to each that does not know it yet, in its
 * visit until it has that durably, and noted then.
 *
 * Who is away hears it when it comes where the site still listens. Whoever takes that away is told
 * of those who have not been there. */
#include <string.h>

#include "actors/agent_order.h"
#include "actors/gateway.h"
#include "proto/status.h"

#define NAMES_MAX 10u    /* that are named; all are counted */
#define AGAIN_MS  60000u /* until who was told, and did not say that it knows, is told again */

void
address_set(agent_gateway_t *self, slice_t address)
{
    if (slice_equal(slice_of(self->address), address) ||
        !slice_copy(address, self->address, sizeof self->address)) {
        return;
    }
    for (agent_t *agent = zhashx_first(self->agent); agent; agent = zhashx_next(self->agent)) {
        agent->told = false;
    }
}

static bool
knows(const agent_gateway_t *self, const agent_t *agent)
{
    return strcmp(agent->knows, self->address) == 0;
}

static text_t
sign_address(actor_ctx_t *ctx, const agent_gateway_t *self, const agent_t *agent)
{
    agent_order_said_t of = {
        .site = self->site, .point = agent->incarnation, .visit = agent->visit};
    uint8_t signature[SIGN_BYTES] = {0};
    signed_version_t said;

    if (agent_address_said(&of, slice_of(self->address), &said) == OK) {
        sign_version(&self->keys.signing, SIGN_ADDRESS, &said, signature);
    }
    return actor_text(ctx, (slice_t){(const char *) signature, sizeof signature});
}

void
address_tell(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent)
{
    if (!self->address[0] || !agent->here || agent->told || knows(self, agent)) {
        return;
    }
    agent_address_t *m = DRAFT(ctx, agent_address);
    agent->told = true;
    agent->told_ns = actor_now_ns(ctx);
    m->address = actor_text(ctx, slice_of(self->address));
    m->signature = sign_address(ctx, self, agent);
    visit_say(ctx, self, agent, &agent_address_type, m);
}

void
address_look(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent)
{
    if (agent->told && actor_now_ns(ctx) - agent->told_ns >= (int64_t) AGAIN_MS * 1000000) {
        agent->told = false;
        address_tell(ctx, self, agent);
    }
}

/* ---- who cannot find the site any more ---- */

static bool
listens_at(const agent_gateway_t *self, const char *address)
{
    const site_args_t *args = kept_record(self->args);
    slice_t all = record_slice(args, args->listen);
    size_t size = strlen(address);

    for (size_t at = 0; at + size <= all.size; at++) {
        bool begins = at == 0 || all.data[at - 1] == ' ';
        bool ends = at + size == all.size || all.data[at + size] == ' ';
        if (begins && ends && memcmp(all.data + at, address, size) == 0) {
            return true;
        }
    }
    return false;
}

/* Whom the site may reach by an address that it does not listen at itself, we cannot know. */
static bool
is_stranded(const agent_gateway_t *self, const agent_t *agent)
{
    return !digest_is_none(&agent->key) && !agent->revoked && agent->knows[0] &&
           !(self->address[0] && knows(self, agent)) && !listens_at(self, agent->knows);
}

static void
tell_stranded(actor_ctx_t *ctx, agent_gateway_t *self)
{
    char names[NAMES_MAX * (NAME_BYTES_MAX + 2) + 1] = "";
    size_t used = 0, count = 0;

    for (agent_t *agent = zhashx_first(self->agent); agent; agent = zhashx_next(self->agent)) {
        if (is_stranded(self, agent) && count++ < NAMES_MAX) {
            used += (size_t) snprintf(names + used, sizeof names - used, "%s%s",
                                      count > 1 ? ", " : "", agent->dp);
        }
    }
    if (count == 0) {
        return;
    }
    note_event_t *event = DRAFT(ctx, note_event);
    event->component = actor_text(ctx, slice_of("agent_gateway"));
    event->id = STATUS_AGENTS_STRANDED;
    event->severity = status_severity(STATUS_AGENTS_STRANDED);
    event->text = actor_textf(ctx, "%s: %zu: %s; listen at their address as well, until they know",
                              status_sentence(STATUS_AGENTS_STRANDED), count, names);
    answer_unheard(tell_site_database_note_event(ctx, event));
}

void
address_tell_all(actor_ctx_t *ctx, agent_gateway_t *self)
{
    for (agent_t *agent = zhashx_first(self->agent); agent; agent = zhashx_next(self->agent)) {
        address_tell(ctx, self, agent);
    }
    if (!self->stranded) { /* once for each start: where it listens does not change */
        self->stranded = true;
        tell_stranded(ctx, self);
    }
}

/* ---- who has heard it ---- */

static actor_next_t
noted(actor_ctx_t *ctx, void *state, const actor_answer_t *answer)
{
    claim(ctx, state && answer); /* one that was not noted is told again when we begin anew */
    return ACTOR_CONTINUE;
}

/* It may have been changed again meanwhile. */
bool
address_heard(actor_ctx_t *ctx, const agent_gateway_t *self, agent_t *agent, const agent_moved_t *m)
{
    slice_t address = record_slice(m, m->address);

    if (!slice_equal(address, slice_of(self->address))) {
        return true;
    }
    memcpy(agent->knows, self->address, sizeof agent->knows);
    agent_heard_t *heard = DRAFT(ctx, agent_heard);
    heard->key = agent->key;
    heard->address = actor_text(ctx, address);
    answer_unheard(ask_site_database_agent_heard(ctx, heard, GATEWAY_ASK_MS, noted, 0));
    return true;
}
