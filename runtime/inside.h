/* inside.h - what the files of the core know of each other, and nobody else.
 *
 * Shape    a cell per actor slot, shared and made of atomics only; an actor_t behind it, touched by
 *          the thread of its worker alone (the spawner makes it, and gives it away with the
 *          envelope that starts it).
 *          The structs are in a header for each theme (*_inside.h); here is what each file offers
 *          the others.
 * Threads  see each struct.
 */
#pragma once

#include <assert.h>

#include "proto/limits.h"
#include "runtime/actor_inside.h"
#include "runtime/black_box.h"
#include "runtime/cell_inside.h"
#include "runtime/chunk_inside.h"
#include "runtime/core.h"
#include "runtime/core_inside.h"
#include "runtime/directory_inside.h"
#include "runtime/due.h"
#include "runtime/envelope_inside.h"
#include "runtime/lane_inside.h"
#include "runtime/lease_inside.h"
#include "runtime/notes.h"
#include "runtime/takeover_inside.h"

#define NS_PER_MS 1000000

/* deliver.c */
void core_refuse_envelope(worker_t *worker, envelope_t *take_envelope, err_t err);
/* Whether it goes into the lane that it names, whatever else may be so. */
static inline bool
core_goes_in(const actor_t *receiver, const envelope_t *envelope)
{
    return envelope->kind == ENV_TELL ||
           (envelope->kind <= ENV_REPLY && receiver->stage == STAGE_OPEN);
}
/* Who `to` is, when it is on this worker; only in the runtime (worker_enters), because what another
 * thread has taken over is not ours to look at. Whether it is `to` is asked after its place was
 * read: one elsewhere may go meanwhile, and its slot become a new one's. */
static inline actor_t *
core_here(const worker_t *worker, actor_ref_t to)
{
    if (!cell_is_one(to.index)) {
        return NULL;
    }
    const cell_t *cell = &worker->cells[to.index];
    if (atomic_load_explicit(&cell->worker, memory_order_acquire) != worker->index) {
        return NULL;
    }
    actor_t *actor = atomic_load_explicit(&cell->actor, memory_order_acquire);
    return actor != NULL && cell_is_of(cell, to) && actor->worker == worker ? actor : NULL;
}
/* To its receiver, wherever that is; what is said on one worker, the most frequent, at no call. */
static inline void
core_route(worker_t *worker, envelope_t *take_envelope)
{
    core_t *core = worker->core;
    const cell_t *cell = cell_at(core, take_envelope->to.index);
    uint32_t to = atomic_load_explicit(&cell->worker, memory_order_acquire);
    actor_t *actor = atomic_load_explicit(&cell->actor, memory_order_acquire);
    if (take_envelope->sent_ns == 0) { /* an order of the runtime: it waits from now on */
        take_envelope->sent_ns = worker->ctx.now_ns;
    }
    if (to != worker->index) {
        core->executor.post(core->executor.self, worker->index, to, take_envelope);
    } else if (actor != NULL && cell_holds(core, take_envelope->to) && /* else it is not ours yet */
               actor->worker == worker && core_goes_in(actor, take_envelope)) {
        lane_push(actor, (lane_t) take_envelope->lane, take_envelope);
    } else {
        worker_deliver(worker, take_envelope);
    }
}

/* handler.c */
typedef actor_next_t run_fn(actor_ctx_t *ctx, void *self, const void *argument);
/* Runs fn as a handler of the actor, out-tray and end included. */
void core_run(actor_t *actor, const char *what, run_fn *fn, const void *argument);
/* What a record is about, by the host's field; 0: not known. */
uint64_t core_about(const core_t *core, const record_type_t *type, const void *record);
void core_handler_begin(actor_t *actor, envelope_t *in_hand, const char *what);
bool core_handler_end(actor_t *actor, actor_next_t next); /* true: it kept the message in hand */

/* look.c */
void core_note_trouble(worker_t *worker, const char *actor, const char *what, const char *why,
                       uint32_t attempts);

/* out_tray.c */
void tray_commit(actor_ctx_t *ctx);
void tray_abort(actor_ctx_t *ctx);
void tray_opens(actor_ctx_t *ctx); /* for more than what was told alone */
/* In the runtime, when the handler has returned: what it told alone goes the way of all others. */
static inline void
tray_only_joins(actor_ctx_t *ctx)
{
    if (ctx->only != NULL) {
        told_takes_place(ctx->only);
        fifo_push(&ctx->out, ctx->only);
        ctx->only = NULL;
    }
}
static inline void
tray_add_one(actor_ctx_t *ctx, envelope_kind_t kind, envelope_t *take_envelope) /* of that kind */
{
    if (ctx->only != NULL) {
        tray_opens(ctx);
    }
    if (kind != ENV_TELL) {
        ctx->out_kinds |= 1u << kind;
    }
    fifo_push(&ctx->out, take_envelope);
}
static inline void
tray_add(actor_ctx_t *ctx, envelope_t *take_envelope)
{
    tray_add_one(ctx, (envelope_kind_t) take_envelope->kind, take_envelope);
}
/* What is told is most of what leaves, and its receiver is known when it is here: nobody has gone
 * since the handler told it. */
static inline void
tray_tell_leaves(actor_ctx_t *ctx, envelope_t *take_told)
{
    actor_t *here = take_told->here;
    take_told->number = 0;
    take_told->sent_ns = ctx->now_ns;
    if (here != NULL && take_told->lane == LANE_NORMAL) {
        lane_push_here(ctx->worker, here, LANE_NORMAL, take_told);
    } else if (here != NULL) {
        lane_push_here(ctx->worker, here, LANE_URGENT, take_told);
    } else {
        take_told->next = NULL;
        core_route(ctx->worker, take_told);
    }
}
void tray_tell_all(actor_ctx_t *ctx);  /* as tray_commit, where only tells are in it */
void tray_tell_only(actor_ctx_t *ctx); /* and where that is what it told alone */
/* What is on hand, and for whom. */
typedef struct hand {
    envelope_t *told; /* no place is taken for it; NULL: nothing is */
    actor_t *to;
} hand_t;
/* The same; where nothing else can run, what is alone stays on hand: what was told alone there, if
 * hand is not NULL, other things on that of the worker. */
static inline __attribute__((always_inline)) void
tray_tell(worker_t *worker, hand_t *hand)
{
    actor_ctx_t *ctx = &worker->ctx;
    envelope_t *only = ctx->only, *told;
    if (only != NULL) {
        actor_t *to = only->here;
        if (hand != NULL && lane_hands_on(worker, to)) {
            ctx->only = NULL;
            *hand = (hand_t){only, to};
        } else {
            tray_tell_only(ctx);
        }
        return;
    }
    told = ctx->out.head;
    if (told != NULL && hand != NULL && told->next == NULL && told->here != NULL &&
        told->lane == LANE_NORMAL && lane_hands_on(worker, told->here)) {
        ctx->out.head = NULL;
        worker->on_hand = told;
    } else if (told != NULL) {
        tray_tell_all(ctx);
    }
}
/* Of one that is in hand or kept. */
verdict_t record_source_else(const actor_ctx_t *ctx, const record_type_t *type, const void *m,
                             uint32_t *ret_size);
static inline bool
is_draft(const actor_ctx_t *ctx, const void *m)
{
    return m == ctx->drafting.draft.base && ctx->drafting.type != NULL;
}
/* The bytes of a record that a handler hands over. */
static inline verdict_t
record_source(const actor_ctx_t *ctx, const record_type_t *type, const void *m, uint32_t *ret_size)
{
    if (!is_draft(ctx, m)) {
        return record_source_else(ctx, type, m, ret_size);
    }
    assert(ctx->drafting.type == type && "the draft in hand is of the type that is sent");
    *ret_size = ctx->drafting.draft.size;
    return ctx->drafting.draft.full ? VERDICT_TOO_LARGE : VERDICT_OK;
}
#define COPIED_SHORT 64u /* bytes of a draft, at most, that are copied at no call */
_Static_assert(COPIED_SHORT <= LENDS_BYTES, "what is told alone fits the place that is lent");
/* m is the draft in hand, of that type, and all of it fits so much. */
static inline bool
draft_is_short(const actor_ctx_t *ctx, const record_type_t *type, const void *m)
{
    const actor_drafting_t *hand = &ctx->drafting;
    return m == hand->draft.base && hand->type == type && !hand->draft.full &&
           hand->draft.size - 1 < COPIED_SHORT;
}
/* What record_source found into an envelope: at its end, of an ask, is more, written after it. */
static inline void
record_copy(bool drafted, void *to, const void *m, uint32_t size)
{
    if (drafted && size <= COPIED_SHORT) {
        words_copy(to, m, size);
    } else {
        memcpy(to, m, size);
    }
}

/* ask.c */
void ask_answer_self(actor_t *actor, uint64_t id, err_t err);
void ask_show(actor_t *actor);
void ask_end_all(actor_t *actor);
void ask_whole(actor_ctx_t *ctx);    /* at_once says all of the one in hand */
void ask_puts_off(actor_ctx_t *ctx); /* into the actor's list: it outlives the handler */
void ask_accepted_free(actor_t *actor, accepted_t *accepted);
void ask_refuse_all(actor_t *actor, err_t err); /* all that is accepted or queued */
void ask_reply_error(worker_t *worker, actor_ref_t from, actor_ref_t asker, uint64_t ask,
                     err_t err);

/* wait.c */
void wait_commit(actor_ctx_t *ctx); /* before the tray is emptied */
void wait_answered(core_t *core, accepted_t *accepted);
void wait_refused(const core_t *core, const chain_t *chain); /* nobody was there to accept it */
void wait_resolved(actor_t *actor, open_ask_t *ask);
/* The low half of a word: who has to act next; 0: nobody is there. And who that is, by a word. */
uint32_t wait_next(const core_t *core, actor_ref_t who);
actor_ref_t wait_on(const core_t *core, uint64_t waits);

/* jobs.c */
void job_unref(job_t *job);
void job_ask_to_stop(worker_t *worker, job_t *job);
void job_commit(actor_ctx_t *ctx, envelope_t *take_envelope);
void job_throw_away(actor_ctx_t *ctx, envelope_t *take_envelope);

/* timer.c */
void timer_dispatch(actor_t *actor, envelope_t *expiry);
void timer_end_all(actor_t *actor);

/* down.c */
void down_dispatch(actor_t *actor, const envelope_t *message);

/* life.c */
void life_new(core_t *core, loaded_class_t *class, actor_ref_t self, actor_ref_t parent,
              slice_t name, worker_t *worker);
rare_t *life_rare_new(actor_t *actor); /* it has written nothing into it */
static inline rare_t *
life_rare(actor_t *actor) /* its own, to be written */
{
    return actor->rare == &rare_none ? life_rare_new(actor) : (rare_t *) actor->rare;
}
void life_init(actor_t *actor, envelope_t *take_envelope);
void life_end(actor_t *actor, actor_reason_t reason, bool final, bool counted, const char *why);
void life_children_ended(actor_t *actor);
void life_order(actor_t *actor, envelope_t *take_envelope);
void life_release(actor_t *actor); /* at teardown: no messages any more */
void life_set_state(actor_t *actor, actor_state_t state);
actor_ref_t life_parent(const actor_t *actor); /* index 0: it is the root */

/* supervisor.c */
void supervisor_stop_next(actor_t *parent); /* the last child, or life_children_ended */
void supervisor_child_ended(actor_t *parent, envelope_t *ended);
void supervisor_takes(actor_t *actor); /* to end; before supervisor_stop_next */
void supervisor_child_takes(actor_t *parent, const envelope_t *takes);
void supervisor_child_late(actor_t *parent, envelope_t *late);
void supervisor_child_leaves(actor_t *parent, actor_ref_t who);
child_t *supervisor_find(actor_t *parent, actor_ref_t who);
void supervisor_add(actor_t *parent, actor_ref_t who, const loaded_class_t *class, slice_t name,
                    uint64_t tag);
void supervisor_forget(actor_t *parent, actor_ref_t who); /* a child that never left the tray */
void supervisor_free(actor_t *parent);

/* poison.c */
void poison_hold(actor_t *actor, envelope_t *take_failed, const char *why);
bool poison_takes(actor_t *actor, envelope_t *envelope); /* a later one of a held sender */
void poison_passed(actor_t *actor);                      /* the message in hand was a held one */
void poison_free(actor_t *actor);
/* Back under its number: what retried it failed, or there was no room. */
void quarantine_put_back(core_t *core, envelope_t *take_envelope);
void quarantine_free(core_t *core);

/* watch.c */
/* Before its cell is opened. The name: its own, or of no bytes. */
void watch_begin(core_t *core, actor_ref_t who, slice_t name);
/* Its name, for its worker and who knows that it stays. */
const char *watch_called(const actor_t *actor);
void watch_failed(const actor_t *actor);
void watch_restarted(const actor_t *actor);
void watch_show(const actor_t *actor);
void watch_tell(worker_t *worker); /* when it rests, or is busy for long */
void watch_forget(actor_t *actor); /* it goes */
void watch_stuck(actor_t *actor);  /* its worker goes on without it: its state is in use */
/* What the handler in hand of who sits there is on, and since when, from any thread; false: it has
 * none. */
bool watch_hand(const core_t *core, uint32_t index, const char **ret_what, int64_t *ret_since_ns);
/* The name of who sits there, from any thread. */
void watch_name(const core_t *core, uint32_t index, char *ret_name, size_t size);
envelope_t *core_note_new(core_t *core, const record_type_t *type, const draft_t *draft);

void *xalloc(size_t count, size_t size); /* zeroed; out of memory ends the process */
/* As much of the text as fits, closed; a fifth of what snprintf takes for it. */
static inline void
text_put(char *to, size_t size, const char *from)
{
    size_t length = strnlen(from, size - 1);
    memcpy(to, from, length);
    to[length] = '\0';
}
