/* ask.c - asks from both ends: what an actor has asked, and what it has been asked.
 *
 * An ask resolves exactly once because its number is in one table, that of the asker: whichever of
 * reply, deadline, down, refused, restarting or cycle takes it out first is the answer, the others
 * are late and counted.
 */
#include "runtime/ask_inside.h"
#include "runtime/handler_inside.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
ask_show(actor_t *actor)
{
    atomic_store_explicit(&actor->cell->asks, (uint16_t) (actor->asks_open - actor->jobs_open),
                          memory_order_relaxed);
    atomic_store_explicit(&actor->cell->jobs, (uint16_t) actor->jobs_open, memory_order_relaxed);
}

#define ASKS_LEAST 4u /* places for them; always a power of two */

rare_t *
asks_lengthen(actor_t *actor)
{
    rare_t *rare = life_rare(actor);
    uint32_t capacity = rare->ask_capacity == 0 ? ASKS_LEAST : rare->ask_capacity * 2;
    rare->ask = realloc(rare->ask, capacity * sizeof(open_ask_t *));
    assert(rare->ask != NULL && "memory for asks");
    memset(rare->ask + rare->ask_capacity, 0,
           (capacity - rare->ask_capacity) * sizeof(open_ask_t *));
    rare->ask_capacity = capacity;
    return rare;
}

void
ask_deadline(worker_t *worker, timer_node_t *node)
{
    open_ask_t *ask = (open_ask_t *) node;
    if (ask->job != NULL) {
        job_ask_to_stop(worker, ask->job);
    }
    wait_resolved(node->actor, ask);
    ask_answer_self(node->actor, ask->id, ERR_DEADLINE);
}

void
ask_close_more(actor_t *actor, open_ask_t *ask)
{
    if (ask->call || ask->serves != NULL) {
        wait_resolved(actor, ask);
    }
    if (ask->call) {
        actor->calls_open--;
    }
    if (ask->job != NULL) {
        actor->jobs_open--;
        job_unref(ask->job);
    }
}

void
ask_answer_self(actor_t *actor, uint64_t id, err_t err)
{
    envelope_t *reply = envelope_new(ENV_REPLY, actor->self, actor->self, NULL, NULL, 0);
    reply->number = id;
    reply->err = (uint16_t) err;
    reply->lane = LANE_REPLY;
    reply->sent_ns = actor->core->executor.now_ns(actor->core->executor.self);
    lane_push(actor, LANE_REPLY, reply);
}

void
ask_is_late(const actor_t *actor, const envelope_t *reply)
{
    bool own = reply->type == NULL && reply->from.index == actor->self.index;
    /* Our own deadline, when it comes second, is no late reply. */
    atomic_fetch_add(&actor->core->late_replies, own ? 0 : 1);
}

void
ask_end_all(actor_t *actor)
{
    for (uint32_t i = 0; i < actor->rare->ask_capacity; i++) {
        open_ask_t *ask = actor->rare->ask[i];
        if (ask != NULL) {
            if (ask->job != NULL) {
                job_ask_to_stop(actor->worker, ask->job);
            }
            ask_close(actor->worker, actor, ask);
        }
    }
    if (actor->rare->ask_capacity > 0) {
        rare_t *rare = life_rare(actor);
        free(rare->ask);
        rare->ask = NULL;
        rare->ask_capacity = 0;
        ask_show(actor);
    }
}

/* ---- being asked ---- */

void
ask_whole(actor_ctx_t *ctx)
{
    const envelope_t *ask = ctx->in_hand;
    const envelope_more_t *more = envelope_more_of(ask);
    accepted_t *accepted = &ctx->at_once;
    accepted->request = (request_t){ask->from, ask->number, more->ask.deadline_ns};
    accepted->chain = (chain_t){0};
    if (more->ask.chain.head.asker.index != 0) {
        accepted->chain = more->ask.chain;
    }
    accepted->asked = NULL;
    accepted->served = NULL;
    accepted->waits_for[0] = '\0';
    accepted->is_served = false;
}

void
ask_puts_off(actor_ctx_t *ctx)
{
    ask_whole(ctx);
    actor_t *actor = ctx->actor;
    accepted_t *accepted = memory_take(sizeof *accepted);
    *accepted = ctx->at_once;
    accepted->next = NULL;
    accepted_t *first = actor->accepted;
    accepted->previous = first == NULL ? accepted : first->previous;
    *(first == NULL ? &actor->accepted : &first->previous->next) = accepted;
    actor->accepted->previous = accepted;
    ctx->asked = accepted;
    ctx->is_at_once = false;
}

void
ask_accepted_free(actor_t *actor, accepted_t *accepted)
{
    bool first = accepted == actor->accepted;
    *(first ? &actor->accepted : &accepted->previous->next) = accepted->next;
    if (actor->accepted != NULL) {
        accepted_t *after = accepted->next != NULL ? accepted->next : actor->accepted;
        after->previous = accepted->previous;
    }
    memory_give(accepted, sizeof *accepted);
}

static accepted_t *
accepted_find(const actor_t *actor, request_t request)
{
    accepted_t *accepted = actor->accepted;
    while (accepted != NULL && (accepted->request.ask != request.ask ||
                                !ref_equal(accepted->request.asker, request.asker))) {
        accepted = accepted->next;
    }
    return accepted;
}

static envelope_t *
reply_new(actor_ref_t from, actor_ref_t asker, uint64_t ask, err_t err)
{
    envelope_t *reply = envelope_head(ENV_REPLY, from, asker, NULL, 0);
    reply->number = ask;
    reply->err = (uint16_t) err;
    reply->lane = LANE_REPLY;
    return reply;
}

void
ask_reply_error(worker_t *worker, actor_ref_t from, actor_ref_t asker, uint64_t ask, err_t err)
{
    envelope_t *reply = reply_new(from, asker, ask, err);
    reply->sent_ns = worker->ctx.now_ns;
    core_route(worker, reply);
}

static bool
is_ask(const envelope_t *envelope, const void *context)
{
    (void) context;
    return envelope->kind == ENV_ASK;
}

void
ask_refuse_all(actor_t *actor, err_t err)
{
    while (actor->accepted != NULL) {
        request_t request = actor->accepted->request;
        wait_answered(actor->core, actor->accepted);
        ask_reply_error(actor->worker, actor->self, request.asker, request.ask, err);
        ask_accepted_free(actor, actor->accepted);
    }
    for (int lane = LANE_URGENT; lane < LANE_COUNT; lane++) {
        fifo_t asks = lane_take_out(actor, (lane_t) lane, is_ask, NULL);
        for (envelope_t *e; (e = fifo_pop(&asks)) != NULL;) {
            core_refuse_envelope(actor->worker, e, err);
        }
    }
    for (held_t *held = actor->held; held != NULL; held = held->next) {
        fifo_t rest = {0};
        for (envelope_t *e; (e = fifo_pop(&held->later)) != NULL;) {
            if (e->kind == ENV_ASK) {
                core_refuse_envelope(actor->worker, e, err);
            } else {
                fifo_push(&rest, e);
            }
        }
        held->later = rest;
    }
    watch_touch(actor);
}

bool
actor_is_asked(const actor_ctx_t *ctx)
{
    return ctx->asked != NULL;
}

static void
put_reply(actor_ctx_t *ctx, accepted_t *accepted, envelope_t *reply)
{
    accepted->answered = true;
    reply->mine = accepted == &ctx->at_once ? NULL : accepted;
    if (accepted == ctx->asked) {
        ctx->asked = NULL;
        ctx->deferred = true;
    }
    tray_add(ctx, reply);
}

/* Most answers: a short draft to the ask in hand, where a block is at hand. False: nothing was
 * done. */
static inline bool
answers_with_draft(actor_ctx_t *ctx, const record_type_t *type, const void *m)
{
    static const envelope_t head = {.attempt = 1, .kind = ENV_REPLY, .lane = LANE_REPLY};
    const envelope_t *ask = ctx->in_hand;
    uint32_t size = ctx->drafting.draft.size;
    envelope_tail_t tail;
    if (ctx->asked != &ctx->at_once || !draft_is_short(ctx, type, m) ||
        !memory_is_at_hand(ENVELOPE_SHORT)) {
        return false;
    }
    envelope_t *reply = memory_take_at_hand(ENVELOPE_SHORT);
    memcpy(&tail, (const uint8_t *) &head + ENVELOPE_TAIL, sizeof tail);
    envelope_fill(reply, &tail, ref_word(ctx->actor->self), ref_word(ask->from), NULL, type, size);
    words_copy(reply->record, m, size);
    reply->number = ask->number;
    put_reply(ctx, &ctx->at_once, reply);
    return true;
}

static verdict_t
reply_with(actor_ctx_t *ctx, accepted_t *accepted, const record_type_t *type, const void *m)
{
    uint32_t size = 0;
    verdict_t verdict = record_source(ctx, type, m, &size);
    if (verdict != VERDICT_OK) {
        return verdict;
    }
    if (accepted == NULL || accepted->answered) {
        return accepted == NULL ? VERDICT_DOWN : VERDICT_OK;
    }
    request_t request = accepted->request;
    envelope_t *reply = envelope_head(ENV_REPLY, ctx->actor->self, request.asker, type, size);
    record_copy(is_draft(ctx, m), reply->record, m, size);
    reply->number = request.ask;
    reply->lane = LANE_REPLY;
    put_reply(ctx, accepted, reply);
    return VERDICT_OK;
}

verdict_t
actor_reply(actor_ctx_t *ctx, const record_type_t *type, const void *m)
{
    if (ctx->asked == NULL || answers_with_draft(ctx, type, m)) {
        return VERDICT_OK;
    }
    if (ctx->is_at_once) {
        ask_whole(ctx);
    }
    return reply_with(ctx, ctx->asked, type, m);
}

verdict_t
actor_reply_to(actor_ctx_t *ctx, request_t request, const record_type_t *type, const void *m)
{
    return request.asker.index == 0 ? VERDICT_OK
                                    : reply_with(ctx, accepted_find(ctx->actor, request), type, m);
}

request_t
actor_defer(actor_ctx_t *ctx, const char *waits_for)
{
    if (ctx->asked == NULL) {
        return (request_t){0};
    }
    if (ctx->is_at_once) {
        ask_puts_off(ctx);
    }
    snprintf(ctx->asked->waits_for, sizeof ctx->asked->waits_for, "%s", waits_for);
    ctx->deferred = true;
    return ctx->asked->request;
}

void
actor_serve(actor_ctx_t *ctx, request_t request, const char *waits_for)
{
    accepted_t *accepted = request.asker.index == 0 ? NULL : accepted_find(ctx->actor, request);
    if (accepted == NULL || accepted->answered) {
        return;
    }
    snprintf(accepted->waits_for, sizeof accepted->waits_for, "%s", waits_for);
    ctx->actor->waits_shown = UINT8_MAX;
    ctx->out_kinds |= OUT_MORE;
    ctx->serving = accepted;
    if (!accepted->is_served) {
        accepted->is_served = true;
        accepted->served = ctx->served;
        ctx->served = accepted;
    }
}

static void
refuse(actor_ctx_t *ctx, accepted_t *accepted, err_t err)
{
    if (accepted != NULL && !accepted->answered) {
        request_t request = accepted->request;
        put_reply(ctx, accepted, reply_new(ctx->actor->self, request.asker, request.ask, err));
    }
}

void
actor_refuse(actor_ctx_t *ctx, err_t err)
{
    if (ctx->is_at_once) {
        ask_whole(ctx);
    }
    refuse(ctx, ctx->asked, err);
}

void
actor_refuse_to(actor_ctx_t *ctx, request_t request, err_t err)
{
    if (request.asker.index != 0) {
        refuse(ctx, accepted_find(ctx->actor, request), err);
    }
}
