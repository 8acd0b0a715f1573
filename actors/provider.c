/* provider.c - commands: decodes, validates, answers.
 *
 *   hears    link_request: a client's command; its link_reply often comes later, out of order.
 *   tells    executive component_restart: of itself, once its client has been answered.
 *   asks     each command of whom the table below names; site_database `site_open` until it is
 *            open, and `recall` before a package is snapshot, a root claimed or a point verified,
 *            with a key.
 *   keeps    the commands in hand, at most PENDING_MAX: id, request, the record during a recall.
 *   survives nothing: the clients of commands in hand are told `restarting`; a repeat under the
 *            same key is not done twice, because the database keeps the answers.
 */
#include <string.h>

#include "actors/answer.h"
#include "actors/provider_inside.h"
#include "actors/roster.h"

#define SLOW_MS       86400000u /* a snapshot or a verify takes as long as it takes */
#define OPEN_RETRY_MS 100u

HEARS(provider_t, link_request)
THEN(provider_t, site_is_open)
THEN(provider_t, recalled_answer)
THEN(provider_t, command_answer)

static const actor_hears_t actor_hears[] = {ON(link_request)};

static actor_next_t pending_recall(actor_ctx_t *ctx, provider_t *self, pending_t *pending);

/* Who said the same key meanwhile has its turn now. */
actor_next_t
pending_end(actor_ctx_t *ctx, provider_t *self, pending_t *pending, const link_reply_t *reply)
{
    verdict_t verdict = REPLY_TO(ctx, pending->request, link_reply, reply);
    pending_t *next = pending_unpark(&self->pendings, pending);
    pending_forget(&self->pendings, pending);
    if (verdict == VERDICT_TOO_LARGE) {
        return ACTOR_FAIL;
    }
    return next ? pending_recall(ctx, self, next) : ACTOR_CONTINUE;
}

static actor_next_t
pending_fail(actor_ctx_t *ctx, provider_t *self, pending_t *pending, err_t err)
{
    return pending_end(ctx, self, pending,
                       reply_error(ctx, pending_id(pending), pending->command, err));
}

/* Asks whom the table names; m is the draft in hand or kept. Who is paused would keep it for as
 * long as that lasts: its client is told instead. */
static actor_next_t
pending_route(actor_ctx_t *ctx, provider_t *self, pending_t *pending, const void *m)
{
    const route_t *route = route_of(pending->command);
    actor_state_t state;
    if (route_is_held(ctx, route, &state)) {
        return hold_answer(ctx, self, pending, state);
    }
    bool slow = strcmp(route->whom, "distribution_manager") == 0;
    uint64_t tag = pending_tag(&self->pendings, pending);
    verdict_t verdict =
        route->ask(ctx, m, slow ? SLOW_MS : ASK_DEADLINE_MS, command_answer_then, tag);
    if (verdict != VERDICT_OK) {
        return pending_fail(ctx, self, pending, verdict_err(verdict));
    }
    return pending->looks ? hold_look_in(ctx, self) : ACTOR_CONTINUE;
}

static actor_next_t
command_answer(actor_ctx_t *ctx, provider_t *self, const actor_answer_t *answer)
{
    pending_t *pending = pending_of(&self->pendings, answer->tag);
    if (pending == NULL) {
        return ACTOR_CONTINUE;
    }
    slice_t id = pending_id(pending);
    const link_reply_t *reply = answer->err == OK
                                    ? reply_make(ctx, id, answer->type, answer->record)
                                    : reply_error(ctx, id, pending->command, answer->err);
    bool done = ANSWER_AS(answer, done) != NULL, restarts = pending->restarts && done;
    if (pending->stops && done) {
        /* Here and not earlier: the reply leaves with this handler, and the link ends last. */
        actor_host_stop(ctx, "a client said stop");
    }
    actor_next_t next = pending_end(ctx, self, pending, reply);
    if (restarts && next == ACTOR_CONTINUE) { /* behind the reply, in the order of telling */
        component_restart_t *m = DRAFT(ctx, component_restart);
        m->name = actor_text(ctx, slice_of("provider"));
        answer_unheard(tell_executive_component_restart(ctx, m));
    }
    return next;
}

/* The answer that was given to this key goes out again; without one the command is done. */
static actor_next_t
recalled_answer(actor_ctx_t *ctx, provider_t *self, const actor_answer_t *answer)
{
    pending_t *pending = pending_of(&self->pendings, answer->tag);
    const recalled_t *recalled = ANSWER_AS(answer, recalled);
    if (recalled == NULL || pending == NULL) { /* of another command, or cannot be looked for */
        return command_answer(ctx, self, answer);
    }
    if (recalled->type == MSG_NONE) {
        return pending_route(ctx, self, pending, kept_record(pending->kept));
    }
    return pending_end(ctx, self, pending, reply_recalled(ctx, pending_id(pending), recalled));
}

static actor_next_t
pending_recall(actor_ctx_t *ctx, provider_t *self, pending_t *pending)
{
    recall_t *recall = DRAFT(ctx, recall);
    recall->key = actor_text(ctx, pending_key(pending));
    recall->command = pending->command->type->number;
    verdict_t verdict = ask_site_database_recall(ctx, recall, ASK_DEADLINE_MS, recalled_answer_then,
                                                 pending_tag(&self->pendings, pending));
    return verdict == VERDICT_OK ? ACTOR_CONTINUE
                                 : pending_fail(ctx, self, pending, verdict_err(verdict));
}

static actor_next_t
answer_now(actor_ctx_t *ctx, const link_reply_t *reply)
{
    return REPLY(ctx, link_reply, reply) == VERDICT_TOO_LARGE ? ACTOR_FAIL : ACTOR_CONTINUE;
}

static actor_next_t
on_link_request(actor_ctx_t *ctx, provider_t *self, const link_request_t *m)
{
    client_request_t request;
    request_fault_t fault;
    slice_t principal = m->principal.size > 0 ? record_slice(m, m->principal) : slice_of("local");
    if (request_read(record_slice(m, m->body), &request, &fault) != OK) {
        return answer_now(ctx, reply_fault(ctx, request.id, &fault));
    }
    const site_args_t *site = kept_record(self->site);
    const void *command = actor_draft(ctx, request.command->type);
    if (request_decode(&request, site, actor_draft_open(ctx), &fault) != OK) {
        return answer_now(ctx, reply_fault(ctx, request.id, &fault));
    }
    if (request.command->type->number == MSG_ping) {
        const char *held = hold_keeper(ctx, self);
        return answer_now(ctx, reply_pong(ctx, request.id, site, self->opened, held));
    }
    const route_t *route = route_of(request.command);
    actor_state_t state;
    if (route_lacks_database(ctx, route, &state)) {
        return answer_now(ctx,
                          reply_held(ctx, request.id, request.command, "site_database", state));
    }
    if (!self->opened && strcmp(route->whom, "executive") != 0) {
        return answer_now(ctx, reply_error(ctx, request.id, request.command, ERR_STARTING));
    }
    if (self->pendings.free_count == 0) {
        return answer_now(ctx, reply_error(ctx, request.id, request.command, ERR_FULL));
    }
    if (request_sign(&request, principal, actor_draft_open(ctx)) != OK) {
        return answer_now(ctx, reply_error(ctx, request.id, request.command, ERR_TOO_LARGE));
    }
    pending_t *pending = pending_take(&self->pendings, &request, command);
    pending->request = actor_defer(ctx, route->whom);
    if (!pending_must_recall(&request)) {
        return pending_route(ctx, self, pending, command);
    }
    pending->kept = actor_keep(ctx, request.command->type, command);
    return pending_park(&self->pendings, pending, request.key) ? ACTOR_CONTINUE
                                                               : pending_recall(ctx, self, pending);
}

/* ---- life ---- */

static actor_next_t
ask_open(actor_ctx_t *ctx)
{
    site_open_t *open = DRAFT(ctx, site_open);
    open->asker = actor_text(ctx, slice_of("provider"));
    verdict_t asked = ask_site_database_site_open(ctx, open, SLOW_MS, site_is_open_then, 0);
    claim(ctx, asked == VERDICT_OK || actor_timer(ctx, TIMER_OPEN, OPEN_RETRY_MS) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

static actor_next_t
site_is_open(actor_ctx_t *ctx, provider_t *self, const actor_answer_t *answer)
{
    self->opened = ANSWER_AS(answer, site_opened) != NULL;
    if (self->opened) {
        actor_ready(ctx); /* before that a ping is answered, and says that the site is not */
    }
    claim(ctx, self->opened || actor_timer(ctx, TIMER_OPEN, OPEN_RETRY_MS) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

static actor_next_t
provider_init(actor_ctx_t *ctx, void *state, const void *args)
{
    provider_t *self = state;
    self->site = actor_keep(ctx, &site_args_type, args);
    pendings_init(&self->pendings);
    return ask_open(ctx);
}

static actor_next_t
provider_on_timer(actor_ctx_t *ctx, void *state, uint64_t key)
{
    return key == TIMER_HELD ? hold_look(ctx, state) : ask_open(ctx);
}

static void
provider_describe(const void *state, char *text, size_t size)
{
    const provider_t *self = state;
    pendings_describe(&self->pendings, self->opened, text, size);
}

static void
provider_drop(void *state)
{
    provider_t *self = state;
    kept_destroy(&self->site);
    pendings_release(&self->pendings);
}

const actor_class_t provider_class = {
    .name = "provider",
    .state_bytes = sizeof(provider_t),
    .init = provider_init,
    .on_timer = provider_on_timer,
    .drop = provider_drop,
    .describe = provider_describe,
    ACTOR_LIST(hears),
    .edges = actor_edges,
    .edge_count = ACTOR_EDGE_COUNT,
    .role = true,
    .starts_later = true,
};
