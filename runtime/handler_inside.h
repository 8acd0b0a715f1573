/* handler_inside.h - what every handler is begun and ended with, at no call.
 *
 * Between worker_leaves and worker_enters (takeover_inside.h) a handler is in its own code. The
 * rest, for handlers that did more than to tell, is in handler.c.
 */
#pragma once

#include "runtime/inside.h"

/* handler.c: into the worker's black box. */
void core_note_delivery(const actor_t *actor, const envelope_t *in_hand, const char *what);

/* What is in hand is told of the worker, not of the actor, so that it costs no line of its cell. */
static inline void
hand_take(worker_t *worker, const actor_t *actor, const char *const *what)
{
    bump(&worker->handlers);
    atomic_store_explicit(&worker->handling, what, memory_order_relaxed);
    atomic_store_explicit(&worker->hand, actor->self.index, memory_order_release);
}

/* What is in hand is no message of a type. */
static inline const char *const *
hand_says(worker_t *worker, const char *what)
{
    atomic_store_explicit(&worker->said, what, memory_order_relaxed);
    return (const char *const *) (const void *) &worker->said;
}
/* As every handler finds it. Who told, and did nothing else (only_tells), has left it so. */
static inline void
handler_rests(actor_ctx_t *ctx)
{
    ctx->asked = NULL;
    ctx->is_at_once = false;
    ctx->served = NULL;
    ctx->serving = NULL;
    ctx->deferred = false;
    ctx->host_stop = false;
    ctx->claim[0] = '\0';
    ctx->deadlines = 0;
}

/* careful: false where the caller knows that the worker has no black box to write in, and that
 * messages need not be spoilt. */
static inline __attribute__((always_inline)) void
handler_begin(worker_t *worker, actor_t *actor, envelope_t *in_hand, const char *const *what,
              bool careful)
{
    actor_ctx_t *ctx = &worker->ctx;
    ctx->actor = actor;
    ctx->in_hand = in_hand;
    ctx->drafting.draft.full = true; /* none is begun */
    ctx->drafting.type = NULL;
    if (careful && worker->black_box != NULL) {
        core_note_delivery(actor, in_hand, *what);
    }
    hand_take(worker, actor, what);
    worker_leaves(worker);
}

/* The handler has returned, and is out of its own code: true, it was taken over meanwhile. */
static inline bool
handler_returns(worker_t *worker, actor_t *actor)
{
    if (worker_enters(worker)) {
        return true;
    }
    atomic_store_explicit(&worker->hand, 0, memory_order_release);
    actor->handled++;
    return false;
}

static inline __attribute__((always_inline)) void
hand_down(worker_t *worker, bool careful)
{
    actor_ctx_t *ctx = &worker->ctx;
    if (careful && worker->core->fresh_messages && ctx->drafting.type != NULL) {
        envelope_spoil(ctx->drafting.draft.base, ctx->drafting.draft.size);
    }
    if (careful && worker->black_box != NULL) {
        black_box_done(worker->black_box);
    }
    ctx->actor = NULL;
    ctx->in_hand = NULL;
}

/* Nothing more is to be done after the handler than to let go what it told. from_hand: the message
 * stayed on hand, which none does for one that holds something back. */
static inline bool
only_tells(const actor_t *actor, const actor_ctx_t *ctx, actor_next_t next, bool from_hand)
{
    return next == ACTOR_CONTINUE && ctx->out_kinds == 0 && (from_hand || actor->held == NULL);
}

/* True: it kept the message in hand. hand: as tray_tell; NULL: nothing stays on hand. */
static inline __attribute__((always_inline)) bool
handler_ends(worker_t *worker, actor_t *actor, actor_next_t next, hand_t *hand, bool from_hand,
             bool careful)
{
    if (!only_tells(actor, &worker->ctx, next, from_hand)) {
        return core_handler_end(actor, next);
    }
    if (handler_returns(worker, actor)) {
        return takeover_returned(actor);
    }
    tray_tell(worker, hand);
    if (careful || !from_hand || hand->told == NULL) { /* else it is taken at once for the next */
        hand_down(worker, careful);
    }
    return false;
}

static inline void
let_go(const core_t *core, envelope_t *take_envelope)
{
    if (core->fresh_messages) {
        envelope_spoil(take_envelope->record, take_envelope->size);
    }
    envelope_free(take_envelope);
}
