/* host.c - see host.h. The program's root actor is a child of a root of ours, beside the links, so
 * that links start before anybody speaks to them and end after everybody else. */
#include "runtime/host.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime/inside.h"
#include "runtime/worker_threads.h"

struct host {
    host_options_t options;
    actor_class_t class; /* of our root */
    const actor_class_t **classes;
    link_t *link[LINKS_MAX];
    uint32_t links;
    core_t *core;
    threads_t *threads;
    _Atomic(threads_t *) to_be_told; /* of a stop that a signal asks for: the same */
    _Atomic bool stop_asked;
    black_box_file_t *black_box;
    bool started, in_order;
    bool left; /* threads did not come back: what they may use is never freed */
    struct host *next_left;
    char why[512];
};

/* ---- our root ---- */

static host_t *
host_of_ctx(const actor_ctx_t *ctx)
{
    return (host_t *) ((uintptr_t) ctx->actor->class->class - offsetof(host_t, class));
}

static verdict_t
spawn_links(actor_ctx_t *ctx, const host_t *host)
{
    verdict_t verdict = VERDICT_OK;

    for (uint32_t i = 0; i < host->links && verdict == VERDICT_OK; i++) {
        const actor_class_t *class = link_class(host->link[i]);
        actor_ref_t child;
        verdict = actor_spawn(ctx, class, slice_of(class->name), NULL, NULL, 0, &child);
    }
    return verdict;
}

static actor_next_t
root_init(actor_ctx_t *ctx, void *self, const void *args)
{
    const host_t *host = host_of_ctx(ctx);
    const host_options_t *options = &host->options;
    actor_ref_t root;
    void *draft = NULL;

    claim(ctx, self && !args && spawn_links(ctx, host) == VERDICT_OK);
    if (options->root_args) {
        size_t bytes = options->root_args_bytes ? options->root_args_bytes
                                                : options->root_args_type->fixed_bytes;
        draft = actor_draft(ctx, options->root_args_type);
        memcpy(draft, options->root_args, bytes);
        actor_draft_open(ctx)->size = (uint32_t) bytes;
    }
    claim(ctx, actor_spawn(ctx, options->root, slice_of(options->root->name),
                           options->root_args_type, draft, 1, &root) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

/* Without the program's root there is no program. */
static actor_next_t
root_down(actor_ctx_t *ctx, void *self, const actor_down_t *down)
{
    claim(ctx, self != NULL);
    if (down->tag == 1 && (down->reason == ACTOR_ENDED || down->reason == ACTOR_GIVEN_UP)) {
        actor_host_fail(ctx, ERR_INTERNAL, "the root actor has ended");
    }
    return ACTOR_CONTINUE;
}

/* ---- making ---- */

host_t *
host_new(const host_options_t *options)
{
    host_t *host = calloc(1, sizeof *host);

    assert(host && "memory for a host");
    host->options = *options;
    host->class = (actor_class_t){
        .name = "host", .state_bytes = 1, .init = root_init, .on_down = root_down, .role = true};
    return host;
}

static err_t
add_link(host_t *host, const link_options_t *options)
{
    if (host->links == LINKS_MAX) {
        return ERR_FULL;
    }
    host->link[host->links++] = link_new(options);
    return OK;
}

err_t
host_add_command_link(host_t *host, const char *name, const char *endpoint, const char *role,
                      uint32_t mode, host_refuse_fn *refuse)
{
    link_options_t options = {LINK_COMMANDS, name, endpoint, role, mode, refuse, NULL};

    return add_link(host, &options);
}

err_t
host_add_status_link(host_t *host, const char *name, const char *endpoint, uint32_t mode)
{
    link_options_t options = {LINK_STATUS, name, endpoint, NULL, mode, NULL, NULL};

    return add_link(host, &options);
}

/* The door comes first, so that it is there before anybody can knock. */
err_t
host_add_peer_link(host_t *host, const host_peers_t *peers)
{
    char door[48];
    link_options_t options = {LINK_PEERS, peers->name, peers->endpoint, peers->role, 0,
                              NULL,       peers};

    if (!peers->dials && !peers->plain) {
        link_options_t of_door = {LINK_DOOR, door, DOOR_ENDPOINT, peers->role, 0, NULL, NULL};
        snprintf(door, sizeof door, "%s_door", peers->name);
        TRY(add_link(host, &of_door));
    }
    return add_link(host, &options);
}

static void
list_classes(host_t *host)
{
    uint32_t count = 0;

    while (host->options.classes[count]) {
        count++;
    }
    host->classes = calloc(count + host->links + 3u, sizeof *host->classes);
    assert(host->classes && "memory for the list of classes");
    memcpy(host->classes, host->options.classes, count * sizeof *host->classes);
    host->classes[count++] = &host->class;
    host->classes[count++] = host->options.root; /* listed twice is loaded once */
    for (uint32_t i = 0; i < host->links; i++) {
        host->classes[count++] = link_class(host->link[i]);
    }
}

static void
open_black_box(host_t *host)
{
    const char *names[WORKERS_MAX + TAKEOVERS_MAX];
    uint32_t workers = core_worker_count(host->core) + TAKEOVERS_MAX;

    for (uint32_t i = 0; i < workers; i++) {
        names[i] = worker_name(&host->core->workers[i]);
    }
    host->black_box = black_box_new(host->options.black_box, names, workers);
    core_note_in(host->core, host->black_box);
}

err_t
host_start(host_t *host)
{
    err_t err = OK;

    list_classes(host);
    core_options_t options = {.classes = host->classes,
                              .root = &host->class,
                              .notes_to = host->options.notes_to,
                              .placement = host->options.placement,
                              .pool_workers = host->options.pool_workers,
                              .takeover_ms = host->options.takeover_ms,
                              .about_field = host->options.about_field};
    host->threads =
        threads_new(host->options.job_threads, host->link, host->links, host->options.root->name);
    host->core =
        core_new(&options, threads_executor(host->threads), &err, host->why, sizeof host->why);
    if (host->core) {
        open_black_box(host);
        err = threads_start(host->threads, host->core, host->why, sizeof host->why);
    }
    host->started = host->core && err == OK;
    atomic_store(&host->to_be_told, host->threads);
    if (atomic_load(&host->stop_asked)) { /* before there was anybody to be told */
        threads_signal_stop(host->threads);
    }
    return err;
}

const char *
host_why(const host_t *host)
{
    const char *said = "";

    if (host->core) {
        core_stop_reason(host->core, &said);
    }
    return *said ? said : host->why;
}

err_t
host_failed(const host_t *host)
{
    const char *said;

    return core_stop_reason(host->core, &said);
}

/* ---- waiting ---- */

static bool
stop_is_wanted(const core_t *core)
{
    return core_stop_requested(core) || core_is_ended(core);
}

static bool
ready_or_stopping(const core_t *core)
{
    return core_is_ready(core, NULL, 0) || stop_is_wanted(core);
}

static bool
ready_or_hopeless(const core_t *core)
{
    return ready_or_stopping(core) || core_is_late(core);
}

static bool
wait_ready(host_t *host, bool (*done)(const core_t *core), int64_t timeout_ms)
{
    threads_wait_ready(host->threads, done, timeout_ms);
    return core_is_ready(host->core, NULL, 0) && !core_stop_requested(host->core);
}

bool
host_wait_ready(host_t *host, uint32_t timeout_ms)
{
    return wait_ready(host, ready_or_hopeless, timeout_ms);
}

bool
host_wait_late(host_t *host)
{
    return wait_ready(host, ready_or_stopping, -1);
}

void
host_wait_stop(host_t *host)
{
    threads_wait(host->threads, stop_is_wanted, -1);
}

void
host_request_stop(host_t *host)
{
    atomic_store(&host->stop_asked, true);
    threads_t *threads = atomic_load(&host->to_be_told);
    if (threads) {
        threads_signal_stop(threads);
    }
}

/* ---- the end ---- */

static int64_t
now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000000000 + now.tv_nsec;
}

bool
host_stop(host_t *host, uint32_t deadline_ms, char *ret_left, size_t left_size)
{
    int64_t until_ns = now_ns() + (int64_t) deadline_ms * NS_PER_MS;

    ret_left[0] = 0;
    if (!host->started) {
        return true;
    }
    core_stop(host->core);
    /* A fifth of the time is for the threads, whatever the actors do. */
    bool ended = threads_wait(host->threads, core_is_ended, (int64_t) deadline_ms * 4 / 5);
    if (!ended) {
        core_left(host->core, ret_left, left_size);
    }
    host->left = threads_stop(host->threads, until_ns, ret_left, left_size) > 0;
    host->in_order = ended && !host->left;
    return host->in_order;
}

/* It stays where it can be found, so that a search for leaks knows it for what it is. */
static void
keep_left(host_t *host)
{
    static _Atomic(host_t *) left_hosts;

    host->next_left = atomic_load(&left_hosts);
    while (!atomic_compare_exchange_weak(&left_hosts, &host->next_left, host)) {
    }
}

void
host_destroy(host_t **host_at)
{
    host_t *host = *host_at;

    if (!host) {
        return;
    }
    *host_at = NULL;
    if (host->core && !host->left) {
        char left[256] = "";
        host->left = threads_stop(host->threads, now_ns() + STOP_DEADLINE_MS * INT64_C(1000000),
                                  left, sizeof left) > 0;
    }
    if (host->left) {
        keep_left(host);
        return;
    }
    core_destroy(&host->core);
    black_box_destroy(&host->black_box, host->in_order);
    threads_destroy(&host->threads);
    for (uint32_t i = 0; i < host->links; i++) {
        link_destroy(&host->link[i]);
    }
    free(host->classes);
    free(host);
    memory_thread_ends(); /* what actors had is kept by this thread, which may end as well */
}

err_t
host_run(const host_options_t *options, char *ret_why, size_t why_size)
{
    char left[256] = "";
    host_t *host = host_new(options);
    err_t err = host_start(host);

    if (err == OK) {
        host_wait_stop(host);
        err = host_failed(host);
    }
    snprintf(ret_why, why_size, "%s", host_why(host));
    if (!host_stop(host, STOP_DEADLINE_MS, left, sizeof left) && err == OK) {
        snprintf(ret_why, why_size, "cannot stop '%s': it did not end in time", left);
        err = ERR_DEADLINE;
    }
    host_destroy(&host);
    return err;
}

int
host_main(const host_options_t *options)
{
    char why[512];

    if (host_run(options, why, sizeof why) != OK) {
        fprintf(stderr, "%s\n", why);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}

void
host_figures(const host_t *host, host_figures_t *ret)
{
    core_figures(host->core, ret);
}

uint32_t
host_watch(const host_t *host, uint32_t from, actor_figures_t *ret, uint32_t count,
           uint32_t *ret_next)
{
    return core_watch(host->core, from, ret, count, ret_next);
}
