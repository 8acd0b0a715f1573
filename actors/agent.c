/* agent.c - a distribution point's own end: takes its site's orders, fetches content, places it.
 *
 *   hears    peer_came, peer_gone, peer_next of its link
 *   tells    nobody; what it has to say its link asks for
 *   asks     nobody: what is slow is a job
 *   keeps    the order in hand and how far it is; what came and is not durable yet
 *   survives a restart begins anew with the site: what was durable is not sent again
 *
 * A site that says nothing for AGENT_SILENCE_MS is gone, whatever its connection looks like; it is
 * dialled anew until it is back.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/agent_inside.h"
#include "actors/agent_roster.h"

#define NS_PER_MS INT64_C(1000000)

HEARS(agent_state_t, peer_came)
HEARS(agent_state_t, peer_gone)
HEARS(agent_state_t, peer_next)
THEN(agent_state_t, keys_came)

/* ---- the connection ---- */

static id128_t
draw_visit(actor_ctx_t *ctx)
{
    uint64_t half[2];
    id128_t visit;

    half[0] = actor_random(ctx); /* one after the other: compilers differ */
    half[1] = actor_random(ctx);
    memcpy(visit.byte, half, sizeof visit.byte);
    return visit;
}

actor_next_t
agent_dial(actor_ctx_t *ctx, agent_state_t *self)
{
    agent_shorten_need(self);
    agent_forget_order(ctx, self);
    kept_destroy(&self->next);
    if (self->arrivals) {
        arrivals_drop(self->arrivals);
        self->arrivals = NULL;
    }
    outbox_clear(&self->outbox);
    agent_plain_end(ctx, self);
    self->here = false;
    self->dials++;
    self->heard_ns = self->dialled_ns = actor_now_ns(ctx);
    self->visit = draw_visit(ctx);
    self->last_order = 0;
    agent_hello_t *m = DRAFT(ctx, agent_hello);
    m->visit = self->visit;
    m->v = AGENT_WIRE_VERSION;
    m->version = actor_text(ctx, slice_of(DESPOOL_VERSION));
    m->credit = AGENT_WINDOW_BYTES;
    claim(ctx,
          outbox_put(ctx, &self->outbox, agent_next_address(self), true, &agent_hello_type, m));
    return ACTOR_CONTINUE;
}

static actor_next_t
beat(actor_ctx_t *ctx, agent_state_t *self)
{
    bool silent = actor_now_ns(ctx) - self->heard_ns > (int64_t) AGENT_SILENCE_MS * NS_PER_MS;

    if (silent && self->buried) {
        return agent_end_removed(ctx);
    } else if (silent) {
        claim(ctx, agent_dial(ctx, self) == ACTOR_CONTINUE);
    } else if (self->here) {
        agent_beat_t *m = DRAFT(ctx, agent_beat);
        m->number = ++self->beats;
        m->beacon = self->beacon.seen;
        agent_say(ctx, self, &agent_beat_type, m);
    }
    claim(ctx, agent_look_stale(ctx, self) == ACTOR_CONTINUE);
    return actor_timer(ctx, TIMER_BEAT, AGENT_BEAT_MS) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
}

/* The link has begun anew, or could not send: so does the agent. An address that cannot be dialled
 * at all says so at once, and again each time: between two there is a pause. */
static actor_next_t
on_peer_gone(actor_ctx_t *ctx, agent_state_t *self, const peer_gone_t *m)
{
    if (m->plain) {
        return agent_plain_gone(ctx, self, m);
    }
    self->outbox.asks = 0;
    if (self->buried) {
        return agent_end_removed(ctx);
    }
    if (!self->has_keys || (!self->here && self->outbox.waiting > 0)) {
        return ACTOR_CONTINUE; /* what waits is the next hello */
    }
    if (actor_now_ns(ctx) - self->dialled_ns >= (int64_t) AGENT_DIAL_MS * NS_PER_MS) {
        return agent_dial(ctx, self);
    }
    self->here = false;
    outbox_clear(&self->outbox);
    return actor_timer(ctx, TIMER_DIAL, AGENT_DIAL_MS) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
}

static actor_next_t
on_peer_next(actor_ctx_t *ctx, agent_state_t *self, const peer_next_t *m)
{
    outbox_asked(ctx, m->plain ? &self->plain.outbox : &self->outbox, m->number);
    return ACTOR_CONTINUE;
}

/* ---- what the site says ---- */

static actor_next_t
take(actor_ctx_t *ctx, agent_state_t *self, const record_type_t *type, const void *m)
{
    if (type == &agent_refused_type) {
        return agent_be_refused(ctx, self, m);
    }
    self->heard_ns = actor_now_ns(ctx);
    if (type == &agent_welcome_type) {
        self->here = !self->removed;
        self->welcomed = true;
        return agent_activation_tell(ctx, self);
    }
    if (self->removed) {
        return ACTOR_CONTINUE;
    }
    return type == &agent_order_type              ? agent_take_order(ctx, self, m)
           : type == &agent_data_type             ? agent_take_data(ctx, self, m)
           : type == &agent_stop_type             ? agent_take_stop(ctx, self, m)
           : type == &agent_removed_type          ? agent_take_removed(ctx, self, m)
           : type == &agent_beacon_type           ? agent_take_beacon(ctx, self, m)
           : type == &agent_bulk_type             ? agent_take_bulk(ctx, self, m)
           : type == &agent_address_type          ? agent_take_address(ctx, self, m)
           : type == &agent_activation_known_type ? agent_take_activation_known(ctx, self, m)
                                                  : ACTOR_CONTINUE;
}

static actor_next_t
on_peer_came(actor_ctx_t *ctx, agent_state_t *self, const peer_came_t *m)
{
    const record_type_t *type = NULL;
    const void *record = NULL;

    if (m->plain) {
        return agent_plain_came(ctx, self, m);
    }
    err_t err = agent_frame_read(record_slice(m, m->body), SITE_SAYS, self->memory,
                                 AGENT_MEMORY_BYTES, &type, &record);

    return err == OK ? take(ctx, self, type, record) : ACTOR_CONTINUE;
}

/* ---- the actor ---- */

static actor_next_t
ask_keys(actor_ctx_t *ctx, const agent_state_t *self)
{
    const agent_args_t *args = kept_record(self->args);

    return keys_ask(ctx, record_slice(args, args->data), keys_came_then);
}

static actor_next_t
keys_came(actor_ctx_t *ctx, agent_state_t *self, const actor_answer_t *answer)
{
    const keys_read_t *m = ANSWER_AS(answer, keys_read);

    keys_take(answer, &self->keys);
    if (!m || m->err != OK) {
        actor_host_fail(ctx, m ? (err_t) m->err : answer->err, "the keys cannot be read");
        return ACTOR_CONTINUE;
    }
    self->has_keys = true;
    agent_beacon_begin(ctx, self);
    actor_ready(ctx);
    claim(ctx, actor_timer(ctx, TIMER_BEAT, AGENT_BEAT_MS) == VERDICT_OK);
    claim(ctx, agent_activation_look(ctx, self) == ACTOR_CONTINUE);
    return agent_dial(ctx, self);
}

static actor_next_t
agent_timer(actor_ctx_t *ctx, void *state, uint64_t key)
{
    return key == TIMER_BEAT       ? beat(ctx, state)
           : key == TIMER_DIAL     ? agent_dial(ctx, state)
           : key == TIMER_WATCH    ? agent_watch(ctx, state)
           : key == TIMER_ACTIVATE ? agent_activation_again(ctx, state)
           : key == TIMER_STORE    ? agent_store_due(ctx, state)
                                   : agent_tell_progress(ctx, state);
}

static actor_next_t
agent_init(actor_ctx_t *ctx, void *state, const void *args)
{
    agent_state_t *self = state;

    self->args = actor_keep(ctx, &agent_args_type, args);
    self->memory = malloc(AGENT_MEMORY_BYTES);
    assert(self->memory);
    outbox_init(&self->outbox);
    outbox_init(&self->plain.outbox);
    agent_know_addresses(self);
    self->ranges_max = AGENT_RANGES_MAX;
    return ask_keys(ctx, self);
}

static void
agent_drop(void *state)
{
    agent_state_t *self = state;

    kept_destroy(&self->args);
    kept_destroy(&self->probe);
    kept_destroy(&self->order);
    kept_destroy(&self->next);
    kept_destroy(&self->need);
    kept_destroy(&self->activation.known);
    if (self->arrivals) {
        arrivals_drop(self->arrivals);
    }
    agent_ahead_end(self);
    outbox_drop(&self->outbox);
    outbox_drop(&self->plain.outbox);
    free(self->kept_place);
    free(self->memory);
    explicit_bzero(&self->keys, sizeof self->keys);
}

static const actor_hears_t actor_hears[] = {ON(peer_came), ON(peer_gone), ON(peer_next)};

const actor_class_t agent_class = {
    .name = "agent",
    .state_bytes = sizeof(agent_state_t),
    .init = agent_init,
    .on_timer = agent_timer,
    .drop = agent_drop,
    .describe = agent_describe,
    ACTOR_LIST(hears),
    .role = true,
    .starts_later = true,
};
