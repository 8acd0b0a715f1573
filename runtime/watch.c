/* watch.c - looking at actors without touching them: atomics, and texts behind a sequence that a
 * reader finds changed and reads again; and the notes about who is stuck or late.
 */
#include "runtime/inside.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define DESCRIBE_EVERY_NS (100 * (int64_t) NS_PER_MS)
#define SHOWN_TRIES       8 /* of a reader; then the texts stay empty this time */

_Static_assert(sizeof(shown_t) % sizeof(uint64_t) == 0, "texts are copied by words");

/* ---- the actor's side ---- */

static void
publish(cell_t *cell, const shown_t *shown)
{
    uint64_t words[SHOWN_WORDS];
    memcpy(words, shown, sizeof words);
    uint32_t sequence = atomic_load_explicit(&cell->shown_sequence, memory_order_relaxed);
    atomic_store_explicit(&cell->shown_sequence, sequence + 1, memory_order_relaxed);
    for (size_t i = 0; i < SHOWN_WORDS; i++) { /* each after the odd number, and before the even */
        atomic_store_explicit(&cell->shown[i], words[i], memory_order_release);
    }
    atomic_store_explicit(&cell->shown_sequence, sequence + 2, memory_order_release);
}

static const char *
waits_for(const actor_t *actor)
{
    for (uint32_t i = 0; actor->calls_open > 0 && i < actor->ask_capacity; i++) {
        if (actor->ask[i] != NULL && actor->ask[i]->call) {
            const cell_t *cell = cell_at(actor->core, actor->ask[i]->to.index);
            const loaded_class_t *class = atomic_load(&cell->class);
            return class->class->name;
        }
    }
    return actor->accepted != NULL ? actor->accepted->waits_for : "";
}

void
watch_show(actor_t *actor)
{
    shown_t shown = {0};
    text_put(shown.class_name, sizeof shown.class_name, actor->class->class->name);
    text_put(shown.name, sizeof shown.name, actor->name);
    text_put(shown.why, sizeof shown.why, actor->why);
    text_put(shown.waits_for, sizeof shown.waits_for, waits_for(actor));
    if (actor->class->class->describe != NULL && actor->state != NULL) {
        actor->class->class->describe(actor->state, shown.describes, sizeof shown.describes);
    }
    publish(actor->cell, &shown);
}

/* Not oftener than every 100 ms, because it costs more than most handlers; but one that begins or
 * ends to wait says so at once, and one that describes itself when its worker is about to rest: it
 * may have no other handler for long. */
static void
handled(actor_t *actor)
{
    int64_t now = actor->worker->ctx.now_ns;
    bool describes = actor->class->class->describe != NULL;
    uint32_t waits = actor->calls_open > 0 ? 1 : actor->accepted != NULL ? 2 : 0;
    bool due = now - actor->described_ns >= DESCRIBE_EVERY_NS && (describes || waits != 0);
    bool rests = describes && actor->worker->ready_lanes == 0;
    if (due || rests || waits != actor->waits_shown) {
        actor->described_ns = now;
        actor->waits_shown = waits;
        watch_show(actor);
    }
}

static void
depths(const actor_t *actor)
{
    cell_t *cell = actor->cell;
    int64_t oldest = 0;
    for (int lane = 0; lane < LANE_COUNT; lane++) {
        const envelope_t *head = actor->lane[lane].head;
        if (head != NULL && (oldest == 0 || head->sent_ns < oldest)) {
            oldest = head->sent_ns;
        }
    }
    atomic_store_explicit(&cell->depth[0], actor->lane[LANE_SYSTEM].count, memory_order_relaxed);
    atomic_store_explicit(&cell->depth[1], actor->lane[LANE_REPLY].count, memory_order_relaxed);
    atomic_store_explicit(&cell->oldest_ns, oldest, memory_order_relaxed);
}

void
worker_settle(worker_t *worker)
{
    lease_rest(worker);
    watch_tell(worker);
}

void
watch_tell(worker_t *worker)
{
    while (worker->touched != NULL) {
        actor_t *actor = worker->touched;
        worker->touched = actor->touched_next;
        actor->touched = false;
        depths(actor);
        if (atomic_load_explicit(&actor->cell->handled, memory_order_relaxed) != actor->handled) {
            atomic_store_explicit(&actor->cell->handled, actor->handled, memory_order_relaxed);
            handled(actor);
        }
    }
}

void
watch_forget(actor_t *actor)
{
    actor_t **at = &actor->worker->touched;
    while (actor->touched && *at != actor) {
        at = &(*at)->touched_next;
    }
    if (actor->touched) {
        *at = actor->touched_next;
        actor->touched = false;
    }
}

/* ---- the reader's side ---- */

static void
read_shown(const cell_t *cell, shown_t *ret)
{
    uint64_t words[SHOWN_WORDS];
    *ret = (shown_t){0};
    for (int i = 0; i < SHOWN_TRIES; i++) {
        uint32_t before = atomic_load_explicit(&cell->shown_sequence, memory_order_acquire);
        for (size_t w = 0; w < SHOWN_WORDS; w++) {
            words[w] = atomic_load_explicit(&cell->shown[w], memory_order_acquire);
        }
        if (before % 2 == 0 &&
            before == atomic_load_explicit(&cell->shown_sequence, memory_order_relaxed)) {
            memcpy(ret, words, sizeof words);
            return;
        }
    }
}

void
watch_name(const core_t *core, uint32_t index, char *ret_name, size_t size)
{
    const cell_t *cell = cell_at(core, index);
    const loaded_class_t *class = atomic_load(&cell->class);
    shown_t shown;
    read_shown(cell, &shown);
    snprintf(ret_name, size, "%s",
             class == NULL        ? "nobody"
             : shown.name[0] != 0 ? shown.name
                                  : class->class->name);
}

static int64_t
age(int64_t since_ns, int64_t now_ns)
{
    return since_ns == 0 ? 0 : since_ns >= now_ns ? 1 : now_ns - since_ns;
}

static bool
reads_hand(const worker_t *worker, uint32_t index, const char **ret_what, int64_t *ret_since_ns)
{
    uint64_t order = atomic_load(&worker->handlers);
    const char *what = NULL;
    int64_t since_ns = 0;
    if (atomic_load(&worker->hand) != index) {
        return false;
    }
    what = atomic_load(&worker->handling);
    since_ns = atomic_load(&worker->handling_since_ns);
    if (atomic_load(&worker->handlers) != order) { /* it is over */
        return false;
    }
    *ret_what = what;
    *ret_since_ns = since_ns;
    return true;
}

bool
watch_hand(const core_t *core, uint32_t index, const char **ret_what, int64_t *ret_since_ns)
{
    uint32_t number = atomic_load(&cell_at(core, index)->worker);
    if (number < core->worker_count &&
        reads_hand(atomic_load(&core->worker_at[number]), index, ret_what, ret_since_ns)) {
        return true;
    }
    for (uint32_t i = 0; i < core->worker_count + TAKEOVERS_MAX; i++) {
        const worker_t *worker = &core->workers[i];
        if (atomic_load(&worker->away) != NULL &&
            reads_hand(worker, index, ret_what, ret_since_ns)) {
            return true;
        }
    }
    return false;
}

static void
read_figures(const core_t *core, uint32_t index, int64_t now_ns, actor_figures_t *ret)
{
    const cell_t *cell = &core->cells[index];
    shown_t shown;
    read_shown(cell, &shown);
    *ret = (actor_figures_t){
        .who = {index, (uint32_t) atomic_load(&cell->life)},
        .parent = ref_of_word(atomic_load(&cell->parent)),
        .state = (actor_state_t) atomic_load(&cell->state),
        .depth = {atomic_load(&cell->depth[0]), atomic_load(&cell->depth[1]),
                  room_messages(cell, LANE_URGENT), room_messages(cell, LANE_NORMAL)},
        .oldest_age_ns = age(atomic_load(&cell->oldest_ns), now_ns),
        .handled = atomic_load(&cell->handled),
        .asks_open = atomic_load(&cell->asks),
        .jobs_open = atomic_load(&cell->jobs),
        .timers = atomic_load(&cell->timers),
        .restarts = atomic_load(&cell->restarts),
        .failures = atomic_load(&cell->failures),
    };
    const char *handling = "";
    int64_t since_ns = 0;
    if (watch_hand(core, index, &handling, &since_ns)) {
        ret->handling_since_ns = age(since_ns, now_ns);
    }
    snprintf(ret->handling, sizeof ret->handling, "%s", handling);
    snprintf(ret->class_name, sizeof ret->class_name, "%s", shown.class_name);
    snprintf(ret->name, sizeof ret->name, "%s", shown.name);
    snprintf(ret->why, sizeof ret->why, "%s", shown.why);
    snprintf(ret->waits_for, sizeof ret->waits_for, "%s", shown.waits_for);
    snprintf(ret->describes, sizeof ret->describes, "%s", shown.describes);
    uint32_t next = (uint32_t) atomic_load(&cell->waits);
    uint64_t life = next == 0 ? 0 : atomic_load(&cell_at(core, next)->life);
    ret->waits_on = (actor_ref_t){next, (uint32_t) life};
    uint32_t worker = atomic_load(&cell->worker);
    snprintf(ret->worker, sizeof ret->worker, "%s",
             worker < core->worker_count ? core->workers[worker].name : "");
}

static bool
is_taken(const cell_t *cell)
{
    return atomic_load(&cell->life) >> 32 != 0 && atomic_load(&cell->class) != NULL;
}

uint32_t
core_watch(const core_t *core, uint32_t from, actor_figures_t *ret, uint32_t count,
           uint32_t *ret_next)
{
    int64_t now = core->executor.now_ns(core->executor.self);
    uint32_t used = atomic_load(&core->cells_used);
    uint32_t found = 0;
    uint32_t index = from == 0 ? 1 : from;
    for (; index < used && found < count; index++) {
        if (is_taken(&core->cells[index])) {
            read_figures(core, index, now, &ret[found++]);
        }
    }
    *ret_next = index;
    return found;
}

void
core_figures(const core_t *core, host_figures_t *ret)
{
    *ret = (host_figures_t){
        .actors = atomic_load(&core->actors),
        .workers = core->worker_count,
        .actors_max = ACTORS_MAX,
        .quarantined = atomic_load(&core->quarantine_count),
        .late_replies = atomic_load(&core->late_replies),
        .up_ns = core->executor.now_ns(core->executor.self) - core->started_ns,
    };
    for (uint32_t i = 0; i < core->worker_count + TAKEOVERS_MAX; i++) {
        ret->delivered += atomic_load(&core->workers[i].delivered);
    }
    core->executor.figures(core->executor.self, ret);
}

const actor_class_t *
actor_class_at(const actor_ctx_t *ctx, uint32_t number)
{
    const core_t *core = ctx->worker->core;
    return number < core->class_count ? core->classes[number].class : NULL;
}

uint32_t
actor_watch(const actor_ctx_t *ctx, uint32_t from, actor_figures_t *ret, uint32_t count,
            uint32_t *ret_next)
{
    return core_watch(ctx->worker->core, from, ret, count, ret_next);
}

void
actor_host_figures(const actor_ctx_t *ctx, host_figures_t *ret)
{
    core_figures(ctx->worker->core, ret);
}
