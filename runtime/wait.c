/* wait.c - who waits for whom: a call that would close a circle of waiting fails at once.
 *
 * An open call is one word in its caller's cell: its sequence, and who has to act next for it to be
 * answered. That is the one who was called; and when that one has put off its answer and asked
 * somebody for it, the one who was asked. So each actor waits for one other at most, and following
 * the words finds a circle. The word moves when a handler has returned well, by
 * compare-and-swap on its sequence, and is cleared the moment the answer leaves: what is in it is
 * never older than the messages that tell of it, so no call outside of a circle fails.
 *
 * A deferred answer that waits for something of its own actor's normal lane (a timer, a tell) names
 * that actor's own class; one that waits for the outside, or for a job, names neither.
 */
#include "runtime/inside.h"

#include <stdio.h>
#include <string.h>

#define PATH_BYTES 256u

static uint64_t
word_of(uint32_t sequence, uint32_t next)
{
    return (uint64_t) sequence << 32 | next;
}

void
wait_over(core_t *core, const chain_t *chain, uint32_t at)
{
    if (chain->head.asker.index == 0) {
        return;
    }
    _Atomic uint64_t *waits = &cell_at(core, chain->head.asker.index)->waits;
    uint64_t old = atomic_load(waits);
    uint64_t wish = chain->call ? 0 : word_of(chain->sequence, 0);
    while (old >> 32 == chain->sequence &&
           (chain->call || at == UINT32_MAX || (uint32_t) old == at) &&
           !atomic_compare_exchange_weak(waits, &old, wish)) {
    }
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
walk(const core_t *core, uint32_t from, uint32_t self, uint64_t *ret_sum, char *path)
{
    uint64_t sum = 0;
    size_t used = 0;
    for (uint32_t steps = 0; from != 0 && steps < ACTORS_MAX; steps++) {
        if (path != NULL && used < PATH_BYTES) {
            used +=
                (size_t) snprintf(path + used, PATH_BYTES - used, " -> %s", name_at(core, from));
        }
        if (from == self) {
            *ret_sum = sum;
            return true;
        }
        uint64_t waits = atomic_load(&cell_at(core, from)->waits);
        sum = (sum ^ waits) * 0x9e3779b97f4a7c15u;
        from = (uint32_t) waits;
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
    char why[PATH_BYTES + 64];
    uint64_t first = 0;
    uint64_t second = 0;
    if (!walk(core, next, self, &first, NULL) || !walk(core, next, self, &second, path) ||
        first != second) {
        return false;
    }
    snprintf(why, sizeof why, "%s%s", name_at(core, self), path);
    core_note_trouble(ctx->worker, name_at(core, self), "cycle", why, 1);
    return true;
}

/* ---- when a handler has returned well ---- */

static void
replies_leave(actor_ctx_t *ctx)
{
    for (const envelope_t *e = ctx->out.head; e != NULL; e = e->next) {
        if (e->kind == ENV_REPLY && e->mine != NULL) {
            const accepted_t *accepted = e->mine;
            wait_over(ctx->worker->core, &accepted->chain, ctx->actor->self.index);
        }
    }
}

/* The ask of this handler that a deferred answer waits for. */
static envelope_t *
asked_for(const actor_ctx_t *ctx, const char *waits_for)
{
    for (envelope_t *e = ctx->out.head; e != NULL; e = e->next) {
        if (e->kind == ENV_ASK && strcmp(name_at(ctx->worker->core, e->to.index), waits_for) == 0) {
            return e;
        }
    }
    return NULL;
}

static void
call_fails(actor_ctx_t *ctx, chain_t chain)
{
    chain.call = true;
    wait_over(ctx->worker->core, &chain, UINT32_MAX);
    ask_reply_error(ctx->worker, ctx->actor->self, chain.head.asker, chain.head.ask, ERR_CYCLE);
}

static void
deferral_leaves(actor_ctx_t *ctx)
{
    const accepted_t *asked = ctx->asked;
    if (asked == NULL || !ctx->deferred || asked->chain.head.asker.index == 0) {
        return;
    }
    chain_t chain = asked->chain;
    uint32_t self = ctx->actor->self.index;
    bool own = strcmp(asked->waits_for, ctx->actor->class->class->name) == 0;
    uint32_t next = own ? self : 0;
    envelope_t *ask = asked_for(ctx, asked->waits_for);
    chain.call = false;
    if (ask != NULL) {
        ask_find(ctx->actor, ask->ask)->serves = chain;
        next = ask->chain.call ? self : ask->to.index;
        ask->chain = ask->chain.call ? ask->chain : chain;
    }
    uint64_t old = word_of(chain.sequence, self);
    _Atomic uint64_t *waits = &cell_at(ctx->worker->core, chain.head.asker.index)->waits;
    if (atomic_compare_exchange_strong(waits, &old, word_of(chain.sequence, next)) &&
        next != self && is_circle(ctx, next, chain.head.asker.index)) {
        call_fails(ctx, chain);
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
    lease_release(ctx->worker, ask->to, ask->lane, ask->size, class_at(ctx->worker->core, ask->to));
    envelope_free(ask);
}

static void
call_leaves(actor_ctx_t *ctx, envelope_t *call)
{
    core_t *core = ctx->worker->core;
    actor_t *actor = ctx->actor;
    call->chain.sequence = (uint32_t) (atomic_fetch_add(&core->wait_sequence, 1) + 1);
    atomic_store(&actor->cell->waits, word_of(call->chain.sequence, call->to.index));
    if (is_circle(ctx, call->to.index, actor->self.index)) {
        atomic_store(&actor->cell->waits, 0);
        ask_answer_self(actor, call->ask, ERR_CYCLE);
        take_back(ctx, call);
    }
}

void
wait_commit(actor_ctx_t *ctx)
{
    if (ctx->asked == NULL && (ctx->out_kinds & (1u << ENV_ASK | 1u << ENV_REPLY)) == 0) {
        return;
    }
    replies_leave(ctx);
    deferral_leaves(ctx);
    for (envelope_t *e = ctx->out.head; e != NULL; e = e->next) {
        if (e->kind == ENV_ASK && e->chain.call) {
            call_leaves(ctx, e);
            return; /* one at a time */
        }
    }
}
