/* timer.c - an actor's own timers, by key; when they are due is known to its worker (due.c). */
#include "runtime/inside.h"

#include <assert.h>
#include <stdlib.h>

static keyed_timer_t **
bucket_of(const actor_t *actor, uint64_t key)
{
    const rare_t *rare = actor->rare;
    return &rare->timer_bucket[(key * 0x9e3779b97f4a7c15u >> 32) % rare->timer_buckets];
}

static keyed_timer_t *
find(const actor_t *actor, uint64_t key)
{
    if (actor->rare->timer_buckets == 0) {
        return NULL;
    }
    keyed_timer_t *timer = *bucket_of(actor, key);
    while (timer != NULL && timer->key != key) {
        timer = timer->chain;
    }
    return timer;
}

static void
grow(actor_t *actor)
{
    rare_t *rare = life_rare(actor);
    keyed_timer_t **old = rare->timer_bucket;
    uint32_t count = rare->timer_buckets;
    rare->timer_buckets = count == 0 ? 8 : count * 2;
    rare->timer_bucket = xalloc(rare->timer_buckets, sizeof(keyed_timer_t *));
    for (uint32_t i = 0; i < count; i++) {
        for (keyed_timer_t *timer = old[i], *next; timer != NULL; timer = next) {
            next = timer->chain;
            keyed_timer_t **bucket = bucket_of(actor, timer->key);
            timer->chain = *bucket;
            *bucket = timer;
        }
    }
    free(old);
}

static void
count_timers(actor_t *actor, int change)
{
    rare_t *rare = life_rare(actor);
    rare->timers = (uint32_t) ((int64_t) rare->timers + change);
    atomic_store_explicit(&actor->cell->timers, rare->timers, memory_order_relaxed);
}

static bool
is_expiry(const envelope_t *envelope, const void *context)
{
    const keyed_timer_t *timer = context; /* NULL: of any */
    return envelope->kind == ENV_TIMER && (timer == NULL || envelope->number == timer->key);
}

/* Takes the queued expiries of this timer (NULL: of all) out of the lane: there is one at most. */
static void
unqueue(actor_t *actor, const keyed_timer_t *timer)
{
    fifo_t out = lane_take_out(actor, LANE_NORMAL, is_expiry, timer);
    for (envelope_t *e; (e = fifo_pop(&out)) != NULL;) {
        envelope_free(e);
    }
    watch_touch(actor);
}

static void
forget(actor_t *actor, keyed_timer_t *timer)
{
    keyed_timer_t **at = bucket_of(actor, timer->key);
    while (*at != timer) {
        at = &(*at)->chain;
    }
    *at = timer->chain;
    timer_unset(&actor->worker->timers, &timer->timer);
    memory_give(timer, sizeof *timer);
    count_timers(actor, -1);
}

/* The expiry is a message of the normal lane like any other, so a busy actor meets it in its
 * turn. */
static void
expire(worker_t *worker, timer_node_t *node)
{
    (void) worker;
    keyed_timer_t *timer = (keyed_timer_t *) node;
    actor_t *actor = node->actor;
    timer->queued = true;
    envelope_t *expiry = envelope_new(ENV_TIMER, actor->self, actor->self, NULL, NULL, 0);
    expiry->number = timer->key;
    expiry->lane = LANE_NORMAL;
    expiry->sent_ns = node->due_ns;
    lane_push(actor, LANE_NORMAL, expiry);
}

static verdict_t
set_keyed(actor_ctx_t *ctx, uint64_t key, uint64_t delay_ms)
{
    actor_t *actor = ctx->actor;
    keyed_timer_t *timer = find(actor, key);
    if (timer == NULL) {
        if (actor->rare->timers >= TIMERS_PER_ACTOR_MAX) {
            return VERDICT_FULL;
        }
        if (actor->rare->timers >= actor->rare->timer_buckets) {
            grow(actor);
        }
        timer = memory_take(sizeof *timer);
        *timer = (keyed_timer_t){.key = key};
        timer->timer.fire = expire;
        timer->timer.actor = actor;
        keyed_timer_t **bucket = bucket_of(actor, key);
        timer->chain = *bucket;
        *bucket = timer;
        count_timers(actor, 1);
    }
    if (timer->queued) {
        unqueue(actor, timer);
        timer->queued = false;
    }
    int64_t now_ns = actor_now_ns(ctx);
    uint64_t delay_max = (uint64_t) (INT64_MAX - now_ns) / NS_PER_MS;
    int64_t delay_ns = (int64_t) (delay_ms < delay_max ? delay_ms : delay_max) * NS_PER_MS;
    timer_set(&ctx->worker->timers, &timer->timer, now_ns + delay_ns);
    return VERDICT_OK;
}

verdict_t
actor_timer(actor_ctx_t *ctx, uint64_t key, uint64_t delay_ms)
{
    worker_enters(ctx->worker);
    verdict_t verdict = set_keyed(ctx, key, delay_ms);
    worker_leaves(ctx->worker);
    return verdict;
}

void
actor_timer_cancel(actor_ctx_t *ctx, uint64_t key)
{
    worker_enters(ctx->worker);
    keyed_timer_t *timer = find(ctx->actor, key);
    if (timer != NULL) {
        if (timer->queued) {
            unqueue(ctx->actor, timer);
        }
        forget(ctx->actor, timer);
    }
    worker_leaves(ctx->worker);
}

static actor_next_t
run_timer(actor_ctx_t *ctx, void *self, const void *argument)
{
    const uint64_t *key = argument;
    return ctx->actor->class->class->on_timer(ctx, self, *key);
}

void
timer_dispatch(actor_t *actor, envelope_t *expiry)
{
    keyed_timer_t *timer = find(actor, expiry->number);
    assert(timer != NULL && timer->queued && "an expiry leaves the lane with its timer");
    forget(actor, timer);
    if (actor->class->class->on_timer != NULL) {
        core_run(actor, "timer", run_timer, &expiry->number);
    }
}

void
timer_end_all(actor_t *actor)
{
    if (actor->rare->timers > 0) {
        unqueue(actor, NULL);
    }
    rare_t *rare = actor->rare->timer_buckets > 0 ? life_rare(actor) : NULL;
    for (uint32_t i = 0; rare != NULL && i < rare->timer_buckets; i++) {
        while (rare->timer_bucket[i] != NULL) {
            forget(actor, rare->timer_bucket[i]);
        }
    }
    if (rare != NULL) {
        free(rare->timer_bucket);
        rare->timer_bucket = NULL;
        rare->timer_buckets = 0;
    }
}
