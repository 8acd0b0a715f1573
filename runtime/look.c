/* look.c - readiness as a fold over all actors, and the notes about who is stuck, late or
 * failed. */
#include "runtime/inside.h"

#include <stdio.h>
#include <string.h>

static bool
is_taken(const cell_t *cell)
{
    return atomic_load(&cell->life) >> 32 != 0 && atomic_load(&cell->class) != NULL;
}

static const char *
class_name(const cell_t *cell)
{
    const loaded_class_t *class = atomic_load(&cell->class);
    return class->class->name;
}

/* ---- readiness ---- */

bool
core_is_ready(const core_t *core, char *ret_why, size_t why_size)
{
    size_t used = 0;
    bool ready = core->root.index != 0 && !atomic_load(&core->ended);
    if (ret_why != NULL) {
        ret_why[0] = '\0';
    }
    for (uint32_t i = 1; i < atomic_load(&core->cells_used); i++) {
        const cell_t *cell = &core->cells[i];
        uint32_t state = atomic_load(&cell->state);
        if (!is_taken(cell) || state == ACTOR_READY || state == ACTOR_DEGRADED ||
            state == ACTOR_PAUSED || state == ACTOR_STOPPED) {
            continue;
        }
        ready = false;
        if (ret_why != NULL && used < why_size) {
            used += (size_t) snprintf(ret_why + used, why_size - used, "%s%s",
                                      used == 0 ? "" : ", ", class_name(cell));
        }
    }
    return ready;
}

bool
core_is_late(const core_t *core)
{
    for (uint32_t i = 1; i < atomic_load(&core->cells_used); i++) {
        const cell_t *cell = &core->cells[i];
        if (is_taken(cell) && atomic_load(&cell->reported_late) &&
            atomic_load(&cell->state) == ACTOR_STARTING) {
            return true;
        }
    }
    return atomic_load(&core->ended);
}

uint32_t
core_left(const core_t *core, char *ret_left, size_t size)
{
    uint32_t found = 0;
    size_t used = 0;
    if (size > 0) {
        ret_left[0] = '\0';
    }
    for (uint32_t i = 1; i < atomic_load(&core->cells_used); i++) {
        const cell_t *cell = &core->cells[i];
        if (!is_taken(cell)) {
            continue;
        }
        found++;
        const char *handling = "";
        int64_t since_ns;
        bool in_hand = watch_hand(core, i, &handling, &since_ns);
        if (used < size) {
            used +=
                (size_t) snprintf(ret_left + used, size - used, "%s%s%s%s", found == 1 ? "" : ", ",
                                  class_name(cell), in_hand ? " in " : "", handling);
        }
    }
    return found;
}

/* ---- notes ---- */

/* A tell to a role; NULL when there is none, it does not hear this, or has no room. */
static envelope_t *
note_to(core_t *core, loaded_class_t *class, const record_type_t *type, const draft_t *draft)
{
    uint32_t row = 0;
    while (class != NULL && row < class->class->hears_count &&
           class->class->hears[row].type != type) {
        row++;
    }
    if (class == NULL || row == class->class->hears_count) {
        return NULL;
    }
    lane_t lane = class->class->hears[row].lane;
    actor_ref_t to = ref_of_word(atomic_load(&class->role));
    if (room_take(core, to, lane, (room_t){1, room_bytes(draft->size)}, class) != VERDICT_OK) {
        atomic_fetch_add(&core->notes_dropped, 1);
        return NULL;
    }
    envelope_t *note = envelope_new(ENV_TELL, (actor_ref_t){0}, to, type, draft->base, draft->size);
    note->lane = (uint8_t) lane;
    note->hears = (uint16_t) row;
    note->reserved = true;
    note->sent_ns = core->executor.now_ns(core->executor.self);
    return note;
}

envelope_t *
core_note_new(core_t *core, const record_type_t *type, const draft_t *draft)
{
    return note_to(core, core->notes_class, type, draft);
}

bool
core_tell_stopping(core_t *core, const char *role, uint32_t within_ms)
{
    alignas(16) uint8_t memory[256];
    draft_t draft;
    draft_over(&draft, memory, sizeof memory);
    host_stopping_t *note = draft_begin(&draft, &host_stopping_type);
    note->within_ms = within_ms;
    envelope_t *envelope = note_to(core, load_find(core, role), &host_stopping_type, &draft);
    if (envelope != NULL) {
        core->executor.post(core->executor.self, CORE_FROM_HOST(core),
                            envelope_worker(core, envelope), envelope);
    }
    return envelope != NULL;
}

void
core_note_trouble(worker_t *worker, const char *actor, const char *what, const char *why,
                  uint32_t attempts)
{
    alignas(16) uint8_t memory[1024];
    draft_t draft;
    draft_over(&draft, memory, sizeof memory);
    actor_trouble_t *note = draft_begin(&draft, &actor_trouble_type);
    note->actor = draft_text(&draft, slice_of(actor));
    note->what = draft_text(&draft, slice_of(what));
    note->why = draft_text(&draft, slice_of(why));
    note->attempts = attempts;
    envelope_t *envelope = core_note_new(worker->core, &actor_trouble_type, &draft);
    if (envelope != NULL) {
        core_route(worker, envelope);
    }
}

static void
post(core_t *core, envelope_t *envelope)
{
    if (envelope != NULL) {
        core->executor.post(core->executor.self, CORE_FROM_WATCH(core),
                            envelope_worker(core, envelope), envelope);
    }
}

/* Many actors are of one class, so it is the actor's own name that tells which of them it is. */
static void
name_of(const core_t *core, uint32_t index, char *ret_name, size_t size)
{
    actor_figures_t figures;
    uint32_t next;
    bool known = core_watch(core, index, &figures, 1, &next) == 1 && figures.who.index == index;
    snprintf(ret_name, size, "%s",
             known && figures.name[0] != '\0' ? figures.name : class_name(cell_at(core, index)));
}

static void
note_stalled(core_t *core, const worker_t *worker, int64_t running_ns, bool over)
{
    alignas(16) uint8_t memory[512];
    draft_t draft;
    draft_over(&draft, memory, sizeof memory);
    actor_stalled_t *note = draft_begin(&draft, &actor_stalled_type);
    note->actor = draft_text(&draft, slice_of(worker->seen.name));
    note->message = draft_text(&draft, slice_of(over ? "" : hand_what(worker)));
    note->running_ms = (uint64_t) (running_ns / NS_PER_MS);
    note->over = over;
    post(core, core_note_new(core, &actor_stalled_type, &draft));
}

/* How long the handler in hand has been seen to run: from the first look that saw it, so that it
 * does not depend on the worker's clock, which is looked at now and then only. 0: none is. */
static int64_t
seen_running(worker_t *worker, uint64_t order, bool runs, int64_t now)
{
    if (!runs || worker->seen.order != order) {
        worker->seen.order = runs ? order : 0;
        worker->seen.since_ns = now;
        worker->seen.slow_ns = 0;
    }
    return runs ? now - worker->seen.since_ns : 0;
}

/* Also of one that has ended since: its alarm would stay for ever. */
static void
look_over(core_t *core, worker_t *worker, uint64_t order, bool runs)
{
    if (worker->seen.stalled && (!runs || worker->seen.order != order)) {
        worker->seen.stalled = false;
        note_stalled(core, worker, 0, true);
    }
}

/* For how long the handler, which is over its limit, has kept its worker. A thread that is ready to
 * run and is not let is no stuck one: of its time only what it ran counts. One that waits for
 * something else has all the time but for what it queued. */
static int64_t
keeps_worker(const core_t *core, worker_t *worker, int64_t limit, int64_t now)
{
    const executor_t *executor = &core->executor;
    seen_t *seen = &worker->seen;
    thread_times_t times;
    if (executor->times == NULL || !executor->times(executor->self, worker->index, &times)) {
        return now - seen->since_ns;
    }
    if (seen->slow_ns == 0) {
        seen->slow_ns = now;
        seen->slow = times;
    }
    return limit + (times.is_ready
                        ? times.ran_ns - seen->slow.ran_ns
                        : now - seen->slow_ns - (times.queued_ns - seen->slow.queued_ns));
}

static bool
look_stalled(core_t *core, worker_t *worker, int64_t now)
{
    uint64_t order = atomic_load(&worker->handlers);
    uint32_t index = atomic_load(&worker->hand);
    const loaded_class_t *class = atomic_load(&cell_at(core, index)->class);
    bool runs = index != 0 && class != NULL && atomic_load(&worker->handlers) == order;
    look_over(core, worker, order, runs);
    int64_t running = seen_running(worker, order, runs, now);
    if (running > atomic_load(&worker->longest_seen_ns)) {
        atomic_store(&worker->longest_seen_ns, running);
    }
    if (!runs) {
        return false;
    }
    int64_t limit_ms =
        class->class->handler_limit_ms == 0 ? HANDLER_LIMIT_MS : class->class->handler_limit_ms;
    int64_t takeover_ms = core->takeover_ms > limit_ms ? core->takeover_ms : limit_ms;
    if (running <= limit_ms * NS_PER_MS) {
        return true;
    }
    if (!worker_is_taken(worker) &&
        keeps_worker(core, worker, limit_ms * NS_PER_MS, now) > takeover_ms * NS_PER_MS) {
        core->overdue = worker;
    }
    if (!worker->seen.stalled) {
        worker->seen.stalled = true;
        name_of(core, index, worker->seen.name, sizeof worker->seen.name);
        note_stalled(core, worker, running, false);
    }
    return true;
}

bool
core_overdue(const core_t *core, overdue_t *ret)
{
    if (core->overdue == NULL) {
        return false;
    }
    *ret = (overdue_t){core->overdue->index, core->overdue->seen.order};
    return true;
}

static void
note_trouble(core_t *core, const char *actor, const char *what, const char *why)
{
    alignas(16) uint8_t memory[1024];
    draft_t draft;
    draft_over(&draft, memory, sizeof memory);
    actor_trouble_t *note = draft_begin(&draft, &actor_trouble_type);
    note->actor = draft_text(&draft, slice_of(actor));
    note->what = draft_text(&draft, slice_of(what));
    note->why = draft_text(&draft, slice_of(why));
    note->attempts = 1;
    post(core, core_note_new(core, &actor_trouble_type, &draft));
}

void
core_job_names(const core_t *core, const job_t *job, char *ret_actor, size_t actor_size,
               char *ret_job, size_t job_size)
{
    slice_t subject = job_subject(job);
    name_of(core, job_owner(job).index, ret_actor, actor_size);
    snprintf(ret_job, job_size, "job %s%s%.*s", job_name(job), subject.size == 0 ? "" : " for ",
             (int) subject.size, subject.data);
}

void
core_job_lost(core_t *core, const char *actor, const char *job, bool lost)
{
    char why[256];
    snprintf(why, sizeof why, "%s %s", job, lost ? "did not return" : "has returned");
    note_trouble(core, actor, lost ? "job-lost" : "job-back", why);
}

static void
note_late(core_t *core, uint32_t index, const cell_t *cell)
{
    char name[ACTOR_NAME_BYTES_MAX + 1];
    name_of(core, index, name, sizeof name);
    note_trouble(core, name, "late", "not ready by its deadline; still starting");
    actor_ref_t parent = ref_of_word(atomic_load(&cell->parent));
    actor_ref_t who = {index, (uint32_t) atomic_load(&cell->life)};
    if (parent.index != 0) {
        envelope_t *late = envelope_new(ENV_LATE, who, parent, NULL, NULL, 0);
        post(core, late);
    }
}

static void
look_late(core_t *core, uint32_t index, cell_t *cell, int64_t now)
{
    const loaded_class_t *class = atomic_load(&cell->class);
    int64_t limit_ms =
        class->class->init_deadline_ms == 0 ? INIT_DEADLINE_MS : class->class->init_deadline_ms;
    int64_t since_ns = 0; /* its worker has not begun it: from the first look on */
    bool starting = atomic_load(&cell->state) == ACTOR_STARTING &&
                    !atomic_compare_exchange_strong(&cell->started_ns, &since_ns, now);
    if (starting && now - since_ns > limit_ms * NS_PER_MS &&
        !atomic_exchange(&cell->reported_late, true)) {
        note_late(core, index, cell);
        core->executor.changed(core->executor.self);
    }
}

static void
look_settled(core_t *core, int64_t now)
{
    char why[512];
    bool ready = core_is_ready(core, why, sizeof why);
    bool changed =
        ready != core->settled_ready || (core_is_late(core) && strcmp(why, core->settled_why) != 0);
    if (!changed) {
        return;
    }
    core->settled_ready = ready;
    memcpy(core->settled_why, why, sizeof why);
    alignas(16) uint8_t memory[1024];
    draft_t draft;
    draft_over(&draft, memory, sizeof memory);
    actor_settled_t *note = draft_begin(&draft, &actor_settled_type);
    note->ready = ready;
    note->after_ms = (uint64_t) ((now - core->started_ns) / NS_PER_MS);
    note->waiting_for = draft_text(&draft, slice_of(why));
    post(core, core_note_new(core, &actor_settled_type, &draft));
}

bool
core_look(core_t *core)
{
    int64_t now = core->executor.now_ns(core->executor.self);
    bool in_hand = false;
    core->overdue = NULL;
    for (uint32_t i = 0; i < core->worker_count + TAKEOVERS_MAX; i++) {
        in_hand |= look_stalled(core, &core->workers[i], now);
    }
    for (uint32_t i = 1; i < atomic_load(&core->cells_used); i++) {
        cell_t *cell = &core->cells[i];
        if (is_taken(cell)) {
            look_late(core, i, cell, now);
        }
    }
    look_settled(core, now);
    return in_hand || !core->settled_ready;
}
