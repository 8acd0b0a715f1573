/* ask_inside.h - what an actor has asked: a table of its open asks, each with a deadline.
 *
 * What each ask meets is here, at no call; the rest is in ask.c.
 */
#pragma once

#include "runtime/handler_inside.h"

#define SLOT_BITS 10u
_Static_assert(ASKS_OPEN_MAX <= 1u << SLOT_BITS, "the slot is part of an ask's number");

/* ask.c */
rare_t *asks_lengthen(actor_t *actor); /* no slot is free: its own, with more */
void ask_deadline(worker_t *worker, timer_node_t *node);
void ask_close_more(actor_t *actor, open_ask_t *ask); /* a call, a job, or made for another */
void ask_is_late(const actor_t *actor, const envelope_t *reply);

static inline uint32_t
ask_slot(uint64_t id)
{
    return (uint32_t) id & ((1u << SLOT_BITS) - 1);
}

/* A slot for the next one: that of its number most likely, as the oldest are answered first. One
 * is free. */
static inline uint32_t
ask_free_slot(const rare_t *rare, uint64_t number)
{
    uint32_t last = rare->ask_capacity - 1, slot = (uint32_t) number & last;
    while (rare->ask[slot] != NULL) {
        slot = (slot + 1) & last;
    }
    return slot;
}

/* One in which its caller has said what is to be done with the answer; for who has entered the
 * worker. */
static inline void
ask_open_inside(worker_t *worker, actor_t *actor, open_ask_t *ask, int64_t due_ns)
{
    uint16_t open = actor->asks_open;
    rare_t *rare = (rare_t *) actor->rare; /* that of nobody has no slots */
    if (open == rare->ask_capacity) {
        rare = asks_lengthen(actor);
    }
    uint64_t number = ++rare->ask_sequence;
    uint32_t slot = ask_free_slot(rare, number);
    rare->ask[slot] = ask;
    actor->asks_open = (uint16_t) (open + 1);
    ask->timer.fire = ask_deadline;
    ask->timer.actor = actor;
    timer_set_first(&worker->timers, &ask->timer, due_ns);
    ask->id = number << SLOT_BITS | slot;
    ask->job = NULL;
    ask->serves = NULL;
    ask->call = false;
}

static inline open_ask_t *
ask_find(const actor_t *actor, uint64_t id)
{
    uint32_t slot = ask_slot(id);
    open_ask_t *ask = slot < actor->rare->ask_capacity ? actor->rare->ask[slot] : NULL;
    return ask != NULL && ask->id == id ? ask : NULL;
}

static inline void
ask_close(worker_t *worker, actor_t *actor, open_ask_t *ask)
{
    actor->rare->ask[ask_slot(ask->id)] = NULL;
    actor->asks_open--;
    timer_unset_last(&worker->timers, &ask->timer);
    if (ask->call || ask->serves != NULL || ask->job != NULL) {
        ask_close_more(actor, ask);
    }
    memory_give(ask, sizeof *ask);
}

/* ---- the answer ---- */

static inline actor_next_t
run_then(actor_ctx_t *ctx, envelope_t *reply, actor_answer_fn *then, uint64_t tag)
{
    actor_answer_t answer;
    answer.err = (err_t) reply->err;
    answer.type = reply->type;
    answer.record = reply->type == NULL ? NULL : reply->record;
    answer.tag = tag;
    answer.resource = NULL;
    if (reply->kind == ENV_DONE) {
        void **resource = &envelope_more(reply)->done.resource;
        answer.resource = *resource;
        *resource = NULL; /* the handler has it now */
    }
    return then(ctx, ctx->actor->state, &answer);
}

/* Runs what was to be done with the answer; careful: as handler_begin. */
static inline __attribute__((always_inline)) void
ask_dispatch(worker_t *worker, actor_t *actor, envelope_t *reply, bool careful)
{
    open_ask_t *ask = ask_find(actor, reply->number);
    if (ask == NULL) {
        ask_is_late(actor, reply);
        return;
    }
    actor_answer_fn *then = ask->then;
    uint64_t tag = ask->tag;
    bool call = ask->call;
    ask_close(worker, actor, ask);
    if (call) {
        lane_wake(actor);
    }
    const char *const *what =
        reply->type == NULL ? hand_says(worker, err_word((err_t) reply->err)) : &reply->type->name;
    handler_begin(worker, actor, reply, what, careful);
    actor_next_t next = run_then(&worker->ctx, reply, then, tag);
    handler_ends(worker, actor, next, NULL, false, careful);
}

/* ---- being asked ---- */

/* It is the one in hand. Most are answered by their handler: what at_once says of this one is there
 * for the others only, after ask_whole (W6: 66.2 to 65.5 ns). */
static inline void
ask_accept(actor_ctx_t *ctx)
{
    ctx->at_once.answered = false;
    ctx->asked = &ctx->at_once;
    ctx->is_at_once = true;
}
