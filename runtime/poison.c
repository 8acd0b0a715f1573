/* poison.c - messages that fail their handler.
 *
 * The message is set aside with what its sender sent after it in that lane; everybody else is
 * served meanwhile. It is tried again after a backoff, and quarantined after its limit; then the
 * sender's later messages go on, in order.
 */
#include "runtime/inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t
backoff_ns(uint32_t attempt)
{
    int64_t wait_ms = RESTART_BACKOFF_MS;
    for (; attempt > 1 && wait_ms < RESTART_BACKOFF_MAX_MS; attempt--) {
        wait_ms *= 2;
    }
    return wait_ms * NS_PER_MS;
}

static void
unlink_held(actor_t *actor, held_t *held)
{
    held_t **at = &actor->held;
    while (*at != held) {
        at = &(*at)->next;
    }
    *at = held->next;
    actor->holds = actor->held != NULL;
    timer_unset(&actor->worker->timers, &held->timer);
    if (actor->rare->trying == held) {
        life_rare(actor)->trying = NULL;
    }
}

static void
let_go(actor_t *actor, held_t *held)
{
    unlink_held(actor, held);
    lane_put_first(actor, held->lane, &held->later);
    free(held);
    lane_wake(actor);
}

/* Behind what waits already, so that each message of another sender waits for one attempt at
 * most. */
static void
try_again(worker_t *worker, timer_node_t *node)
{
    (void) worker;
    held_t *held = (held_t *) node;
    actor_t *actor = node->actor;
    if (held->failed == NULL) {
        return;
    }
    lane_append(actor, held->lane, held->failed);
    held->failed = NULL;
    lane_wake(actor);
}

bool
poison_takes(actor_t *actor, envelope_t *envelope)
{
    for (held_t *held = actor->held; held != NULL; held = held->next) {
        if (held->lane != envelope->lane || envelope->kind == ENV_TIMER ||
            !cell_was_one(actor->core, held->from, envelope->from)) {
            continue;
        }
        if (held->failed == NULL && envelope->attempt > 1 && envelope->kind == ENV_TELL) {
            life_rare(actor)->trying = held;
            return false;
        }
        fifo_push(&held->later, envelope);
        return true;
    }
    return false;
}

/* ---- quarantine: entries of the host, each changed by whoever has marked it busy ---- */

static bool
seize(quarantine_entry_t *entry, uint32_t from)
{
    uint32_t expected = from;
    return atomic_compare_exchange_strong(&entry->state, &expected, QUARANTINE_BUSY);
}

static void
quarantine(actor_t *actor, envelope_t *take_envelope, const char *why)
{
    core_t *core = actor->core;
    uint64_t number = atomic_fetch_add(&core->quarantine_next, 1) + 1;
    quarantine_entry_t *entry = &core->quarantine[number % QUARANTINE_MAX];
    while (!seize(entry, QUARANTINE_FREE) && !seize(entry, QUARANTINE_SET)) {
    }
    if (entry->envelope != NULL) {
        envelope_free(entry->envelope); /* the oldest makes room, and is counted */
        atomic_fetch_add(&core->dead_letters, 1);
        atomic_fetch_sub(&core->quarantine_count, 1);
    }
    entry->envelope = take_envelope;
    entry->class = actor->class;
    entry->shown = (quarantined_t){
        .number = number,
        .attempts = take_envelope->attempt,
        .wall_ns = core->executor.wall_ns(core->executor.self),
    };
    snprintf(entry->shown.actor, sizeof entry->shown.actor, "%s", watch_called(actor));
    snprintf(entry->shown.message, sizeof entry->shown.message, "%s", take_envelope->type->name);
    snprintf(entry->shown.reason, sizeof entry->shown.reason, "%s", why);
    record_print(take_envelope->type, take_envelope->record, entry->shown.shown,
                 sizeof entry->shown.shown);
    atomic_fetch_add(&core->quarantine_count, 1);
    atomic_store(&entry->state, QUARANTINE_SET);
    core_note_trouble(actor->worker, watch_called(actor), "quarantined", why,
                      take_envelope->attempt);
}

static held_t *
hold_new(actor_t *actor, const envelope_t *failed)
{
    held_t *held = xalloc(1, sizeof *held);
    held->from = failed->from;
    held->lane = failed->lane;
    held->timer.actor = actor;
    held->timer.fire = try_again;
    held->next = actor->held;
    actor->held = held;
    actor->holds = true;
    return held;
}

void
poison_hold(actor_t *actor, envelope_t *take_failed, const char *why)
{
    held_t *held = actor->rare->trying;
    if (held != NULL) {
        life_rare(actor)->trying = NULL;
    }
    if (take_failed->attempt >= DELIVERY_ATTEMPTS_MAX) {
        quarantine(actor, take_failed, why);
        if (held != NULL) {
            let_go(actor, held);
        }
        return;
    }
    if (held == NULL) {
        held = hold_new(actor, take_failed);
    }
    timer_set(&actor->worker->timers, &held->timer,
              actor->worker->ctx.now_ns + backoff_ns(take_failed->attempt));
    take_failed->attempt++;
    held->failed = take_failed;
}

void
poison_passed(actor_t *actor)
{
    if (actor->rare->trying != NULL) {
        let_go(actor, actor->rare->trying);
    }
}

void
poison_free(actor_t *actor)
{
    while (actor->held != NULL) {
        held_t *held = actor->held;
        unlink_held(actor, held);
        atomic_fetch_add(&actor->core->dead_letters,
                         fifo_count(&held->later) + (held->failed != NULL));
        envelope_free(held->failed);
        for (envelope_t *e; (e = fifo_pop(&held->later)) != NULL;) {
            envelope_free(e);
        }
        free(held);
    }
}

void
quarantine_free(core_t *core)
{
    uint64_t last = atomic_load(&core->quarantine_next);

    /* Only what was used: to look at all of a fresh 1.3 MB took most of a simulated host's time. */
    for (uint64_t i = 0; i < QUARANTINE_MAX && i <= last; i++) {
        envelope_free(core->quarantine[i].envelope);
    }
}

/* ---- looking at it ---- */

uint32_t
actor_quarantine_list(const actor_ctx_t *ctx, uint64_t after, quarantined_t *ret, uint32_t count)
{
    core_t *core = ctx->worker->core;
    uint64_t last = atomic_load(&core->quarantine_next);
    uint64_t first = last > QUARANTINE_MAX ? last - QUARANTINE_MAX + 1 : 1;
    uint32_t found = 0;
    for (uint64_t number = after + 1 > first ? after + 1 : first; number <= last && found < count;
         number++) {
        quarantine_entry_t *entry = &core->quarantine[number % QUARANTINE_MAX];
        if (seize(entry, QUARANTINE_SET)) {
            if (entry->shown.number == number) {
                ret[found++] = entry->shown;
            }
            atomic_store(&entry->state, QUARANTINE_SET);
        }
    }
    return found;
}

/* The message of this number, out of its entry; NULL when there is none. ret_class: its
 * receiver's. */
static envelope_t *
take_out(core_t *core, uint64_t number, loaded_class_t **ret_class)
{
    quarantine_entry_t *entry = &core->quarantine[number % QUARANTINE_MAX];
    if (!seize(entry, QUARANTINE_SET)) {
        return NULL;
    }
    bool found = entry->shown.number == number;
    envelope_t *envelope = found ? entry->envelope : NULL;
    if (found) {
        entry->envelope = NULL;
        *ret_class = entry->class;
        atomic_fetch_sub(&core->quarantine_count, 1);
    }
    atomic_store(&entry->state, found ? QUARANTINE_FREE : QUARANTINE_SET);
    return envelope;
}

void
quarantine_put_back(core_t *core, envelope_t *take_envelope)
{
    quarantine_entry_t *entry = &core->quarantine[take_envelope->quarantined % QUARANTINE_MAX];
    bool free_entry = seize(entry, QUARANTINE_FREE);
    if (!free_entry || entry->shown.number != take_envelope->quarantined) {
        envelope_free(take_envelope); /* a younger one has its place */
        atomic_fetch_add(&core->dead_letters, 1);
        if (free_entry) {
            atomic_store(&entry->state, QUARANTINE_FREE);
        }
        return;
    }
    take_envelope->quarantined = 0;
    entry->envelope = take_envelope;
    atomic_fetch_add(&core->quarantine_count, 1);
    atomic_store(&entry->state, QUARANTINE_SET);
}

err_t
actor_quarantine_retry(actor_ctx_t *ctx, uint64_t number)
{
    core_t *core = ctx->worker->core;
    loaded_class_t *class = NULL;
    envelope_t *envelope = take_out(core, number, &class);
    if (envelope == NULL) {
        return ERR_NOT_FOUND;
    }
    if (class->class->role) { /* whoever has the role now */
        envelope->to = ref_of_word(atomic_load(&class->role));
    }
    verdict_t verdict = VERDICT_DOWN;
    if (cell_holds(core, envelope->to)) {
        verdict = lease_reserve(ctx->worker, envelope->to, envelope->lane, envelope->size, class);
    }
    envelope->quarantined = number;
    if (verdict != VERDICT_OK) {
        quarantine_put_back(core, envelope);
        return verdict_err(verdict);
    }
    envelope->attempt = 1;
    envelope->reserved = true;
    envelope->here = NULL; /* looked for when it leaves */
    tray_add(ctx, envelope);
    return OK;
}

err_t
actor_quarantine_drop(actor_ctx_t *ctx, uint64_t number)
{
    loaded_class_t *class = NULL;
    envelope_t *envelope = take_out(ctx->worker->core, number, &class);
    if (envelope == NULL) {
        return ERR_NOT_FOUND;
    }
    envelope_free(envelope);
    return OK;
}
