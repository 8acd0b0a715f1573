/* wait.c - who waits for whom: a call that would close a circle of waiting fails at once.
 *
 * An open call is one word in its caller's cell: a turn, and who has to act next for it to be
 * answered. That is the one who was called; and when that one has put off its answer and asked
 * somebody for it, the one who was asked. Once he has gone it is nobody, whoever has his slot. So
 * each actor waits for one other at most, and following the words finds a circle. The word moves
 * when a handler has returned well, and is cleared the moment the answer leaves: what is in it is
 * never older than the messages that tell of it, so no call outside of a circle fails.
 *
 * Only who has the turn may pass it on. Whoever is asked for the answer is given a new one with the
 * ask, and gives it back with its answer; the one who asked then has its own again, and may ask
 * somebody else. One that was given up (its asker had no more time, or answered without it) has a
 * turn that is no longer in the word, and moves nothing.
 *
 * A deferred answer that waits for something of its own actor's normal lane (a timer, a tell) names
 * that actor's own class; one that waits for the outside, or for a job, names neither.
 */
#include "runtime/ask_inside.h"
#include "runtime/inside.h"

#include <stdio.h>
#include <string.h>

#define PATH_BYTES 256u

static uint64_t
word_of(uint32_t turn, uint32_t next)
{
    return (uint64_t) turn << 32 | next;
}

/* Turn 0 is that of no call: who has been given up would find it everywhere. */
static uint32_t
new_turn(core_t *core)
{
    uint32_t turn;
    do {
        turn = (uint32_t) (atomic_fetch_add(&core->wait_sequence, 1) + 1);
    } while (turn == 0);
    return turn;
}

/* ---- who is next, as a word has it: a slot, and which of its tenants in the bits above ---- */

#define SLOT_BITS_OF_NEXT 20u
_Static_assert(ACTORS_MAX <= 1u << SLOT_BITS_OF_NEXT, "a slot has so many bits");

static uint32_t
slot_of(uint32_t next)
{
    return next & ((1u << SLOT_BITS_OF_NEXT) - 1);
}
static uint32_t
tenant_of(uint64_t life, uint32_t slot)
{
    return (uint32_t) (life >> 32) << SLOT_BITS_OF_NEXT | slot;
}

uint32_t
wait_next(const core_t *core, actor_ref_t who)
{
    uint64_t life = atomic_load(&cell_at(core, who.index)->life);
    return life_has(life, who) ? tenant_of(life, who.index) : 0;
}

actor_ref_t
wait_on(const core_t *core, uint64_t waits)
{
    uint32_t next = (uint32_t) waits, slot = slot_of(next);
    uint64_t life = atomic_load(&cell_at(core, slot)->life);
    bool there = next != 0 && tenant_of(life, slot) == next;
    return there ? (actor_ref_t){slot, (uint32_t) life} : (actor_ref_t){0};
}

/* Who has this turn passes it on; false: it is another's by now. */
static bool
pass_on(const core_t *core, const chain_t *chain, uint32_t turn, uint64_t word)
{
    _Atomic uint64_t *waits = &cell_at(core, chain->head.asker.index)->waits;
    uint64_t old = atomic_load(waits);
    while (old >> 32 == turn) {
        if (atomic_compare_exchange_weak(waits, &old, word)) {
            return true;
        }
    }
    return false;
}

/* Takes the word from whoever has it, while this call is open. (A new call is told before its word
 * is: an old word that is seen before the call is not that of a newer one.) */
static void
take_away(const core_t *core, const chain_t *chain, uint64_t word)
{
    cell_t *cell = cell_at(core, chain->head.asker.index);
    uint64_t old = atomic_load(&cell->waits);
    while (old != 0 && atomic_load(&cell->call) == chain->sequence &&
           !atomic_compare_exchange_weak(&cell->waits, &old, word)) {
    }
}

void
wait_refused(const core_t *core, const chain_t *chain)
{
    if (chain->call) {
        take_away(core, chain, 0);
    } else if (chain->head.asker.index != 0) {
        pass_on(core, chain, chain->turn, word_of(chain->turn, 0));
    }
}

static void
unlink(open_ask_t *ask)
{
    ask->serves->asked = NULL;
    ask->serves = NULL;
}

void
wait_answered(core_t *core, accepted_t *accepted)
{
    const chain_t *chain = &accepted->chain;
    if (accepted->asked != NULL) {
        unlink(accepted->asked); /* it goes on for nobody */
        take_away(core, chain, word_of(new_turn(core), 0));
    }
    wait_refused(core, chain);
}

void
wait_resolved(actor_t *actor, open_ask_t *ask)
{
    if (ask->call) {
        atomic_store(&actor->cell->waits, 0);
    }
    if (ask->serves == NULL) {
        return;
    }
    const chain_t *chain = &ask->serves->chain;
    uint64_t back = word_of(chain->turn, 0);
    unlink(ask);
    if (pass_on(actor->core, chain, ask->turn, back)) {
        return;
    }
    /* It did not come back by an answer. Who was called himself may take it; anybody else may have
     * been given up by the one who asked him, and must not have it again. */
    take_away(actor->core, chain, chain->call ? back : word_of(new_turn(actor->core), 0));
}

/* ---- circles ---- */

static const char *
name_at(const core_t *core, uint32_t index)
{
    const loaded_class_t *class = atomic_load(&cell_at(core, index)->class);
    return class == NULL ? "nobody" : class->class->name;
}

/* Follows who waits for whom from `from`; true when that comes to `self`. ret_sum tells one walk
 * from another; path, when not NULL, gets the names. */
static bool
walk(const core_t *core, uint32_t next, uint32_t self, uint64_t *ret_sum, char *path)
{
    uint64_t sum = 0;
    size_t used = 0;
    for (uint32_t steps = 0; next != 0 && steps < atomic_load(&core->cells_used); steps++) {
        uint32_t from = slot_of(next);
        uint64_t waits = atomic_load(&cell_at(core, from)->waits);
        if (wait_on(core, next).index == 0) { /* he has gone: what was asked of him is refused */
            return false;
        }
        if (path != NULL && used < PATH_BYTES) {
            char name[ACTOR_NAME_BYTES_MAX + 1];
            watch_name(core, from, name, sizeof name);
            used += (size_t) snprintf(path + used, PATH_BYTES - used, " -> %s", name);
        }
        if (from == self) {
            *ret_sum = sum;
            return true;
        }
        sum = (sum ^ waits) * 0x9e3779b97f4a7c15u;
        next = (uint32_t) waits;
    }
    return false;
}

/* The word of `self` is published before the walk, so of the calls in a circle at least one sees it
 * whole; it is believed only when a second walk finds the same words. */
static bool
is_circle(actor_ctx_t *ctx, uint32_t next, uint32_t self)
{
    core_t *core = ctx->worker->core;
    char path[PATH_BYTES];
    char name[ACTOR_NAME_BYTES_MAX + 1];
    char why[PATH_BYTES + sizeof name];
    uint64_t first = 0;
    uint64_t second = 0;
    if (!walk(core, next, self, &first, NULL)) {
        return false;
    }
    if (core->walked != NULL) {
        core->walked(core);
    }
    if (!walk(core, next, self, &second, path) || first != second) {
        return false;
    }
    watch_name(core, self, name, sizeof name);
    snprintf(why, sizeof why, "%s%s", name, path);
    core_note_trouble(ctx->worker, name, "cycle", why, 1);
    if (core->judge != NULL) {
        core->judge(core->judge_context, self);
    }
    return true;
}

/* ---- when a handler has returned well ---- */

static void
replies_leave(actor_ctx_t *ctx)
{
    for (const envelope_t *e = ctx->out.head; e != NULL; e = e->next) {
        if (e->kind == ENV_REPLY) {
            wait_answered(ctx->worker->core, e->mine == NULL ? &ctx->at_once : e->mine);
        }
    }
}

/* The ask of this handler that a deferred answer waits for; it waits for one, and one for it. */
static envelope_t *
asked_for(const actor_ctx_t *ctx, const char *waits_for)
{
    for (envelope_t *e = ctx->out.head; e != NULL; e = e->next) {
        if (e->kind == ENV_ASK && ask_find(ctx->actor, e->number)->serves == NULL &&
            strcmp(name_at(ctx->worker->core, e->to.index), waits_for) == 0) {
            return e;
        }
    }
    return NULL;
}

static void
call_fails(actor_ctx_t *ctx, const chain_t *chain)
{
    take_away(ctx->worker->core, chain, 0);
    ask_reply_error(ctx->worker, ctx->actor->self, chain->head.asker, chain->head.ask, ERR_CYCLE);
}

/* Gives the turn to whom this answer waits for. The ask that goes there carries it. */
static void
deferral_leaves(actor_ctx_t *ctx, accepted_t *accepted)
{
    const chain_t *chain = &accepted->chain;
    if (chain->head.asker.index == 0 || accepted->answered || accepted->asked != NULL) {
        return;
    }
    core_t *core = ctx->worker->core;
    uint32_t self = wait_next(core, ctx->actor->self);
    uint32_t turn = chain->turn;
    uint32_t next = strcmp(accepted->waits_for, ctx->actor->class->class->name) == 0 ? self : 0;
    envelope_t *ask = asked_for(ctx, accepted->waits_for);
    if (ask != NULL) {
        accepted->asked = ask_find(ctx->actor, ask->number);
        accepted->asked->serves = accepted;
        accepted->asked->turn = turn;
        next = self; /* a call has a word of its own */
    }
    if (ask != NULL && !envelope_calls(ask)) {
        turn = accepted->asked->turn = new_turn(core);
        next = wait_next(core, ask->to);
        envelope_more(ask)->ask.chain = (chain_t){chain->head, chain->sequence, turn, false};
    }
    if (pass_on(core, chain, chain->turn, word_of(turn, next)) &&
        is_circle(ctx, next, chain->head.asker.index)) {
        call_fails(ctx, chain);
    }
}

static void
deferrals_leave(actor_ctx_t *ctx)
{
    if (ctx->asked != NULL && ctx->deferred) {
        deferral_leaves(ctx, ctx->asked);
    }
    for (accepted_t *accepted = ctx->served; accepted != NULL; accepted = accepted->served) {
        accepted->is_served = false;
        deferral_leaves(ctx, accepted);
    }
}

static void
take_back(actor_ctx_t *ctx, envelope_t *ask)
{
    fifo_t rest = {0};
    for (envelope_t *envelope; (envelope = fifo_pop(&ctx->out)) != NULL;) {
        if (envelope != ask) {
            fifo_push(&rest, envelope);
        }
    }
    ctx->out = rest;
    lease_release(ctx->worker, ask->to, ask->lane, ask->size);
    envelope_free(ask);
}

static void
call_leaves(actor_ctx_t *ctx, envelope_t *call)
{
    core_t *core = ctx->worker->core;
    actor_t *actor = ctx->actor;
    uint32_t turn = new_turn(core);
    chain_t *chain = &envelope_more(call)->ask.chain;
    chain->sequence = chain->turn = turn;
    atomic_store(&actor->cell->call, turn);
    uint32_t next = wait_next(core, call->to);
    atomic_store(&actor->cell->waits, word_of(turn, next));
    if (is_circle(ctx, next, actor->self.index)) {
        atomic_store(&actor->cell->waits, 0);
        ask_answer_self(actor, call->number, ERR_CYCLE);
        take_back(ctx, call);
    }
}

void
wait_commit(actor_ctx_t *ctx)
{
    if ((ctx->out_kinds & 1u << ENV_REPLY) != 0) {
        replies_leave(ctx);
    }
    deferrals_leave(ctx);
    if (ctx->actor->calls_open == 0) { /* no call is among what it asked */
        return;
    }
    for (envelope_t *e = ctx->out.head; e != NULL; e = e->next) {
        if (e->kind == ENV_ASK && envelope_calls(e)) {
            call_leaves(ctx, e);
            return; /* one at a time */
        }
    }
}
