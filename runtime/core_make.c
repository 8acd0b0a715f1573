/* core_make.c - making, starting, stopping and freeing a core. */
#include "runtime/inside.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static void *
reserve(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert(memory != MAP_FAILED && "address space of the runtime");
    return memory;
}

static void
make_workers(core_t *core)
{
    uint32_t count = core->worker_count + TAKEOVERS_MAX;
    core->workers = xalloc(count, sizeof *core->workers);
    core->worker_at = xalloc(core->worker_count, sizeof *core->worker_at);
    for (uint32_t i = 0; i < count; i++) {
        worker_t *worker = &core->workers[i];
        worker->core = core;
        worker->cells = core->cells;
        worker->index = i;
        worker->ctx.worker = worker;
        worker->draft_memory = reserve(MESSAGE_BYTES_MAX);
        draft_over(&worker->ctx.drafting.draft, worker->draft_memory, MESSAGE_BYTES_MAX);
        worker->inside = true;
        worker->spare = i >= core->worker_count;
        if (!worker->spare) {
            core->worker_at[i] = worker;
        }
        worker->name = worker->made_name;
        snprintf(worker->made_name, sizeof worker->made_name, "%s-%u",
                 worker->spare ? "relief" : "pool",
                 i - (worker->spare ? core->worker_count : core->pool_first) + 1);
    }
    for (uint32_t i = 0; i < core->class_count; i++) {
        const loaded_class_t *class = &core->classes[i];
        if (class->worker != UINT32_MAX) {
            worker_t *worker = &core->workers[class->worker];
            snprintf(worker->made_name, sizeof worker->made_name, "%s", class->class->name);
        }
    }
}

core_t *
core_new(const core_options_t *options, const executor_t *executor, err_t *ret_err, char *ret_why,
         size_t why_size)
{
    core_t *core = xalloc(1, sizeof *core);
    core->executor = *executor;
    err_t err = load_classes(core, options, ret_why, why_size);
    if (err != OK) {
        load_free(core);
        free(core);
        *ret_err = err;
        return NULL;
    }
    core->cells = reserve(ACTORS_MAX * sizeof *core->cells);
    core->names = reserve(ACTORS_MAX * sizeof *core->names);
    core->told = reserve(ACTORS_MAX * sizeof *core->told);
    core->cells_used = 1; /* 0 is nobody */
    core->quarantine = reserve(QUARANTINE_MAX * sizeof *core->quarantine);
    core->fresh_messages = options->fresh_messages;
    core->about_field = options->about_field;
    core->takeover_ms = options->takeover_ms == 0 ? TAKEOVER_MS : options->takeover_ms;
    core->started_ns = executor->now_ns(executor->self);
    make_workers(core);
    uint32_t size = 0;
    if (options->root_args != NULL) {
        size = options->root_args_bytes == 0 ? options->root_args_type->fixed_bytes
                                             : (uint32_t) options->root_args_bytes;
    }
    core->root_args =
        envelope_new(ENV_INIT, (actor_ref_t){0}, (actor_ref_t){0},
                     size == 0 ? NULL : options->root_args_type, options->root_args, size);
    return core;
}

void
core_destroy(core_t **core_at)
{
    core_t *core = *core_at;
    if (core == NULL) {
        return;
    }
    takeover_free(core);
    for (uint32_t i = 1; i < atomic_load(&core->cells_used); i++) {
        actor_t *actor = atomic_load(&core->cells[i].actor);
        if (actor != NULL) {
            life_release(actor);
        }
    }
    for (uint32_t i = 0; i < core->worker_count + TAKEOVERS_MAX; i++) {
        munmap(core->workers[i].draft_memory, MESSAGE_BYTES_MAX);
        due_free(&core->workers[i].timers);
        brought_free(&core->workers[i]);
        for (int lane = 0; lane < LANE_COUNT; lane++) {
            free(core->workers[i].ready[lane].at);
        }
    }
    envelope_free(core->root_args);
    quarantine_free(core);
    load_free(core);
    munmap(core->cells, ACTORS_MAX * sizeof *core->cells);
    munmap(core->names, ACTORS_MAX * sizeof *core->names);
    munmap(core->told, ACTORS_MAX * sizeof *core->told);
    munmap(core->quarantine, QUARANTINE_MAX * sizeof *core->quarantine);
    free(core->worker_at);
    free(core->workers);
    free(core);
    *core_at = NULL;
}

uint32_t
core_worker_count(const core_t *core)
{
    return core->worker_count;
}

worker_t *
core_worker(core_t *core, uint32_t index)
{
    assert(index < core->worker_count);
    return atomic_load(&core->worker_at[index]);
}

void
core_note_in(core_t *core, struct black_box_file *file)
{
    core->black_box = file;
    for (uint32_t i = 0; i < core->worker_count + TAKEOVERS_MAX; i++) {
        core->workers[i].black_box = black_box_of(file, i);
    }
}

struct black_box_file *
core_notes(const core_t *core)
{
    return core->black_box;
}

void
core_start(core_t *core)
{
    loaded_class_t *class = core->root_class;
    uint32_t place = class->worker == UINT32_MAX ? core->pool_first : class->worker;
    bool claimed = cell_claim(core, &core->root);
    assert(claimed && "the first actor has a slot");
    (void) claimed;
    life_new(core, class, core->root, (actor_ref_t){0}, (slice_t){0}, core_worker(core, place));
    atomic_store(&cell_at(core, core->root.index)->leaves, true);
    if (class->class->role) {
        atomic_store(&class->role_of, core->root.index);
        atomic_store(&class->role, ref_word(core->root));
    }
    envelope_t *init = core->root_args;
    core->root_args = NULL;
    init->to = core->root;
    core->executor.post(core->executor.self, CORE_FROM_HOST(core), place, init);
}

void
core_stop(core_t *core)
{
    if (core->root.index == 0 || atomic_load(&core->ended)) {
        return;
    }
    envelope_t *stop = envelope_new(ENV_STOP, (actor_ref_t){0}, core->root, NULL, NULL, 0);
    core->executor.post(core->executor.self, CORE_FROM_HOST(core), envelope_worker(core, stop),
                        stop);
}

void
core_request_stop(core_t *core)
{
    atomic_store(&core->stop_requested, true);
    core->executor.changed(core->executor.self);
}

void
core_want_stop(core_t *core, err_t err, const char *why)
{
    if (!atomic_exchange(&core->stop_claimed, true)) {
        core->stop_err = err;
        snprintf(core->stop_why, sizeof core->stop_why, "%s", why);
        atomic_store(&core->stop_told, true);
    }
    core_request_stop(core);
}

err_t
core_stop_reason(const core_t *core, const char **ret_why)
{
    bool told = atomic_load(&core->stop_told);
    *ret_why = told ? core->stop_why : "";
    return told ? core->stop_err : OK;
}

bool
core_stop_requested(const core_t *core)
{
    return atomic_load(&core->stop_requested);
}

bool
core_is_ended(const core_t *core)
{
    return atomic_load(&core->ended);
}

bool
core_is_failed(const core_t *core)
{
    return atomic_load(&core->failed);
}

/* ---- counting what is there; while no worker is being stepped ---- */

static actor_t *
actor_at(const core_t *core, uint32_t index)
{
    return atomic_load(&core->cells[index].actor);
}

uint32_t
core_open_asks(const core_t *core, char *ret_text, size_t size)
{
    uint32_t found = 0;
    size_t used = 0;
    for (uint32_t i = 1; i < atomic_load(&core->cells_used); i++) {
        const actor_t *actor = actor_at(core, i);
        for (uint32_t a = 0; actor != NULL && a < actor->rare->ask_capacity; a++) {
            const open_ask_t *ask = actor->rare->ask[a];
            if (ask == NULL || ask->job != NULL) {
                continue;
            }
            found++;
            const loaded_class_t *target = atomic_load(&cell_at(core, ask->to.index)->class);
            if (used < size) {
                used +=
                    (size_t) snprintf(ret_text + used, size - used, "%s asked %s of %s; ",
                                      watch_called(actor), ask->type->name, target->class->name);
            }
        }
    }
    return found;
}

uint32_t
core_open_jobs(const core_t *core)
{
    uint32_t found = 0;
    for (uint32_t i = 1; i < atomic_load(&core->cells_used); i++) {
        const actor_t *actor = actor_at(core, i);
        found += actor == NULL ? 0 : actor->jobs_open;
    }
    return found;
}

uint64_t
core_queued(const core_t *core)
{
    uint64_t found = 0;
    for (uint32_t i = 1; i < atomic_load(&core->cells_used); i++) {
        const actor_t *actor = actor_at(core, i);
        for (int lane = 0; actor != NULL && lane < LANE_COUNT; lane++) {
            found += actor->lane_depth[lane];
        }
        for (const held_t *h = actor == NULL ? NULL : actor->held; h != NULL; h = h->next) {
            found += fifo_count(&h->later) + (h->failed != NULL);
        }
    }
    return found;
}
