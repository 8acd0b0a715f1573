/* watch.c - looking at actors without touching them: atomics, and texts behind a sequence that a
 * reader finds changed and reads again.
 */
#include "runtime/inside.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define DESCRIBE_EVERY_NS (100 * (int64_t) NS_PER_MS)
#define READ_TRIES        8 /* then the tenant is passed over, or its texts stay empty, this time */

_Static_assert(sizeof(told_t) % sizeof(uint64_t) == 0, "texts are copied by words");
_Static_assert(sizeof(own_name_t) == ACTOR_NAME_BYTES_MAX + 1, "names are copied by words");

/* ---- the actor's side ---- */

static bool
shows(const cell_t *cell, unsigned what)
{
    return (atomic_load_explicit(&cell->shows, memory_order_acquire) & what) != 0;
}

void
watch_begin(core_t *core, actor_ref_t who, slice_t name)
{
    cell_t *cell = cell_at(core, who.index);
    if (name.size > 0) {
        uint64_t word[sizeof(own_name_t) / sizeof(uint64_t)] = {0};
        memcpy(word, name.data, name.size);
        for (size_t i = 0; i < sizeof word / sizeof *word; i++) {
            atomic_store_explicit(&core->names[who.index].word[i], word[i], memory_order_release);
        }
    }
    atomic_store_explicit(&cell->shows, name.size > 0 ? SHOWS_NAME : 0, memory_order_release);
}

const char *
watch_called(const actor_t *actor)
{
    return shows(actor->cell, SHOWS_NAME) ? actor->core->names[actor->self.index].text
                                          : actor->class->class->name;
}

static void
publish(told_cell_t *cell, const told_t *told)
{
    uint64_t words[TOLD_WORDS];
    memcpy(words, told, sizeof words);
    uint32_t sequence = atomic_load_explicit(&cell->sequence, memory_order_relaxed);
    atomic_store_explicit(&cell->sequence, sequence + 1, memory_order_relaxed);
    for (size_t i = 0; i < TOLD_WORDS; i++) { /* each after the odd number, and before the even */
        atomic_store_explicit(&cell->word[i], words[i], memory_order_release);
    }
    atomic_store_explicit(&cell->sequence, sequence + 2, memory_order_release);
}

/* Where this actor tells; what the tenant before it told is over. */
static told_cell_t *
told_of(const actor_t *actor)
{
    told_cell_t *cell = &actor->core->told[actor->self.index];
    if (!shows(actor->cell, SHOWS_TOLD)) {
        publish(cell, &(told_t){.why = ""});
        atomic_store_explicit(&cell->restarts, 0, memory_order_release);
        atomic_store_explicit(&cell->failures, 0, memory_order_release);
        atomic_fetch_or_explicit(&actor->cell->shows, SHOWS_TOLD, memory_order_release);
    }
    return cell;
}

void
watch_failed(const actor_t *actor)
{
    atomic_fetch_add_explicit(&told_of(actor)->failures, 1, memory_order_relaxed);
}

void
watch_restarted(const actor_t *actor)
{
    atomic_fetch_add_explicit(&told_of(actor)->restarts, 1, memory_order_relaxed);
}

static const char *
waits_for(const actor_t *actor)
{
    for (uint32_t i = 0; actor->calls_open > 0 && i < actor->rare->ask_capacity; i++) {
        const open_ask_t *ask = actor->rare->ask[i];
        if (ask != NULL && ask->call) {
            const cell_t *cell = cell_at(actor->core, ask->to.index);
            const loaded_class_t *class = atomic_load(&cell->class);
            return class->class->name;
        }
    }
    return actor->accepted != NULL ? actor->accepted->waits_for : "";
}

void
watch_show(const actor_t *actor)
{
    told_t told = {.why = ""};
    text_put(told.why, sizeof told.why, actor->rare->why);
    text_put(told.waits_for, sizeof told.waits_for, waits_for(actor));
    if (actor->class->class->describe != NULL && actor->state != NULL) {
        actor->class->class->describe(actor->state, told.describes, sizeof told.describes);
    }
    bool says = told.why[0] != '\0' || told.waits_for[0] != '\0' || told.describes[0] != '\0';
    if (says || shows(actor->cell, SHOWS_TOLD)) {
        publish(told_of(actor), &told);
    }
}

/* Not oftener than every 100 ms, because it costs more than most handlers; but one that begins or
 * ends to wait says so at once, and one that describes itself when its worker is about to rest: it
 * may have no other handler for long. */
static void
handled(actor_t *actor)
{
    int64_t now = actor->worker->ctx.now_ns;
    bool describes = actor->class->class->describe != NULL;
    uint8_t waits = actor->calls_open > 0 ? 1 : actor->accepted != NULL ? 2 : 0;
    bool due = now - actor->rare->described_ns >= DESCRIBE_EVERY_NS && (describes || waits != 0);
    bool rests = describes && actor->worker->ready_lanes == 0;
    if (due || rests || waits != actor->waits_shown) {
        life_rare(actor)->described_ns = now;
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
        const envelope_t *head = lane_first(actor, (lane_t) lane);
        if (head != NULL && (oldest == 0 || head->sent_ns < oldest)) {
            oldest = head->sent_ns;
        }
    }
    atomic_store_explicit(&cell->depth_system, actor->lane_depth[LANE_SYSTEM],
                          memory_order_relaxed);
    atomic_store_explicit(&cell->depth_reply, actor->lane_depth[LANE_REPLY], memory_order_relaxed);
    atomic_store_explicit(&cell->oldest_ns, oldest, memory_order_relaxed);
}

void
worker_settle(worker_t *worker)
{
    lease_rest(worker);
    watch_tell(worker);
}

/* All but what it says of itself; true: it has had a handler. */
static bool
tell_figures(actor_t *actor)
{
    bool ran = actor->handled > 0;
    actor->touched = false;
    depths(actor);
    ask_show(actor);
    if (ran) {
        _Atomic uint64_t *told = &actor->cell->handled;
        uint64_t before = atomic_load_explicit(told, memory_order_relaxed);
        atomic_store_explicit(told, before + actor->handled, memory_order_relaxed);
        actor->handled = 0;
    }
    return ran;
}

static void
tell(actor_t *actor)
{
    if (tell_figures(actor)) {
        handled(actor);
    }
}

void
watch_tell(worker_t *worker)
{
    worker->told_ns = worker->ctx.now_ns;
    while (worker->touched != NULL) {
        actor_t *actor = worker->touched;
        worker->touched = actor->touched_next;
        tell(actor);
    }
}

/* Who looks from a handler sees its neighbours on the worker as they are by now, not as of the last
 * quantum; but for itself, whose state is in use. */
static void
tell_others(worker_t *worker)
{
    actor_t *mine = NULL;
    while (worker->touched != NULL) {
        actor_t *actor = worker->touched;
        worker->touched = actor->touched_next;
        if (actor == worker->ctx.actor) {
            mine = actor;
        } else {
            tell(actor);
        }
    }
    if (mine != NULL) {
        mine->touched_next = NULL;
        worker->touched = mine;
    }
}

void
watch_stuck(actor_t *actor)
{
    for (actor_t **at = &actor->worker->touched; *at != NULL; at = &(*at)->touched_next) {
        if (*at == actor) {
            *at = actor->touched_next;
            break;
        }
    }
    (void) tell_figures(actor);
}

void
watch_forget(actor_t *actor)
{
    worker_t *worker = actor->worker;
    if (actor->touched && worker->touched != actor) { /* mostly it had the last handler */
        watch_tell(worker);
    }
    if (actor->touched) {
        worker->touched = actor->touched_next;
        actor->touched = false;
    }
}

/* ---- the reader's side ---- */

/* First incarnation of who is there; 0: nobody. The same before and after what is read of a cell,
 * or that is of two tenants. */
static uint64_t
first_of(const cell_t *cell)
{
    return atomic_load_explicit(&cell->life, memory_order_acquire) >> 32;
}

static void
read_told(const told_cell_t *cell, told_t *ret)
{
    uint64_t words[TOLD_WORDS];
    for (int i = 0; i < READ_TRIES; i++) {
        uint32_t before = atomic_load_explicit(&cell->sequence, memory_order_acquire);
        for (size_t w = 0; w < TOLD_WORDS; w++) {
            words[w] = atomic_load_explicit(&cell->word[w], memory_order_acquire);
        }
        if (before % 2 == 0 &&
            before == atomic_load_explicit(&cell->sequence, memory_order_relaxed)) {
            memcpy(ret, words, sizeof words);
            return;
        }
    }
}

/* Of its own or its class; empty: nobody has been there. */
static void
read_name(const core_t *core, uint32_t index, char *ret_name, size_t size)
{
    const cell_t *cell = cell_at(core, index);
    const loaded_class_t *class = atomic_load(&cell->class);
    uint64_t word[sizeof(own_name_t) / sizeof(uint64_t)] = {0};
    for (size_t i = 0; shows(cell, SHOWS_NAME) && i < sizeof word / sizeof *word; i++) {
        word[i] = atomic_load_explicit(&core->names[index].word[i], memory_order_acquire);
    }
    bool own = word[0] != 0;
    text_put(ret_name, size, own ? (const char *) word : class == NULL ? "" : class->class->name);
}

void
watch_name(const core_t *core, uint32_t index, char *ret_name, size_t size)
{
    const cell_t *cell = cell_at(core, index);
    for (int i = 0; i < READ_TRIES; i++) {
        uint64_t first = first_of(cell);
        read_name(core, index, ret_name, size);
        if (first != 0 && first == first_of(cell)) {
            return;
        }
    }
    text_put(ret_name, size, "nobody");
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
    what = hand_what(worker);
    since_ns = atomic_load(&worker->clock_ns);
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
read_texts(const core_t *core, uint32_t index, actor_figures_t *ret)
{
    const cell_t *cell = &core->cells[index];
    const loaded_class_t *class = atomic_load(&cell->class);
    told_t told = {.why = ""};
    if (shows(cell, SHOWS_TOLD)) {
        const told_cell_t *from = &core->told[index];
        read_told(from, &told);
        ret->restarts = atomic_load_explicit(&from->restarts, memory_order_acquire);
        ret->failures = atomic_load_explicit(&from->failures, memory_order_acquire);
    }
    snprintf(ret->class_name, sizeof ret->class_name, "%s", class->class->name);
    read_name(core, index, ret->name, sizeof ret->name);
    snprintf(ret->why, sizeof ret->why, "%s", told.why);
    snprintf(ret->waits_for, sizeof ret->waits_for, "%s", told.waits_for);
    snprintf(ret->describes, sizeof ret->describes, "%s", told.describes);
}

static void
read_figures(const core_t *core, uint32_t index, int64_t now_ns, actor_figures_t *ret)
{
    const cell_t *cell = &core->cells[index];
    *ret = (actor_figures_t){
        .who = {index, (uint32_t) atomic_load(&cell->life)},
        .parent = ref_of_word(atomic_load(&cell->parent)),
        .state = (actor_state_t) atomic_load(&cell->state),
        .depth = {atomic_load(&cell->depth_system), atomic_load(&cell->depth_reply),
                  room_messages(cell, LANE_URGENT), room_messages(cell, LANE_NORMAL)},
        .oldest_age_ns = age(atomic_load(&cell->oldest_ns), now_ns),
        .handled = atomic_load(&cell->handled),
        .asks_open = atomic_load(&cell->asks),
        .jobs_open = atomic_load(&cell->jobs),
        .timers = atomic_load(&cell->timers),
    };
    const char *handling = "";
    int64_t since_ns = 0;
    if (watch_hand(core, index, &handling, &since_ns)) {
        ret->handling_since_ns = age(since_ns, now_ns);
    }
    snprintf(ret->handling, sizeof ret->handling, "%s", handling);
    read_texts(core, index, ret);
    ret->waits_on = wait_on(core, atomic_load(&cell->waits));
    uint32_t worker = atomic_load(&cell->worker);
    snprintf(ret->worker, sizeof ret->worker, "%s",
             worker < core->worker_count ? core->workers[worker].made_name : "");
}

/* False: the slot is free, or has had another tenant at each try; or its spawn may still be taken
 * back: who would speak to it then would speak to what its spawner frees. */
static bool
read_tenant(const core_t *core, uint32_t index, int64_t now_ns, actor_figures_t *ret)
{
    const cell_t *cell = &core->cells[index];
    for (int i = 0; i < READ_TRIES; i++) {
        uint64_t first = first_of(cell);
        if (first == 0 || !atomic_load(&cell->leaves)) {
            return false;
        }
        read_figures(core, index, now_ns, ret);
        if (first_of(cell) == first) {
            return true;
        }
    }
    return false;
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
        found += read_tenant(core, index, now, &ret[found]);
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
        const worker_t *worker = &core->workers[i];
        int64_t ran_ns = atomic_load(&worker->longest_ns);
        int64_t seen_ns = atomic_load(&worker->longest_seen_ns);
        ret->delivered += atomic_load(&worker->handlers);
        ret->longest_ns = ran_ns > ret->longest_ns ? ran_ns : ret->longest_ns;
        ret->longest_ns = seen_ns > ret->longest_ns ? seen_ns : ret->longest_ns;
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
    if (!worker_enters(ctx->worker)) {
        tell_others(ctx->worker);
    }
    worker_leaves(ctx->worker);
    return core_watch(ctx->worker->core, from, ret, count, ret_next);
}

void
actor_host_figures(const actor_ctx_t *ctx, host_figures_t *ret)
{
    core_figures(ctx->worker->core, ret);
}
