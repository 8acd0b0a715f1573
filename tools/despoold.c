/* despoold.c - the actor host: reads its configuration, starts the site, stops it in order.
 *
 *   despoold [--data DIR] [--config FILE] [--listen tcp://ADDRESS:PORT]
 *            [--listen-plain tcp://ADDRESS:PORT]
 *            [--placement component|pool] [--on-activate PROGRAM] [--version] [--help]
 *   despoold join TOKEN --data DIR --root ROOT
 *   despoold parcel FILE --data DIR
 *
 * A data directory in which join has left its word is an agent's, and is run as one.
 * Runs in the foreground. Exit codes: 0 stopped in order, 1 failed, 2 wrong usage. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "actors/content/keys.h"
#include "actors/provider_wire.h"
#include "actors/roster.h"
#include "proto/messages.h"
#include "runtime/host.h"
#include "runtime/world_os.h"
#include "tools/despoold_agent.h"
#include "tools/despoold_config.h"
#include "tools/despoold_data.h"
#include "tools/despoold_help.h"
#include "tools/despoold_options.h"
#include "tools/despoold_process.h"
#include "tools/despoold_says.h"

#ifndef DESPOOL_VERSION
#define DESPOOL_VERSION "0.1.0"
#endif
#define READY_TIMEOUT_MS                                                                           \
    (INIT_DEADLINE_MS + 1000u) /* then who is late is told, and the host goes on */

/* The handler can reach nothing but what is static. */
static host_t *volatile running;
static volatile sig_atomic_t told_to_stop;

static void
on_signal(int number)
{
    int kept = errno;

    if (number && running) {
        told_to_stop = 1;
        host_request_stop(running);
    }
    errno = kept;
}

/* A signal that comes while the host starts waits until the host can be asked to stop; the host's
 * threads inherit the mask, so that this thread hears them all. A terminal that is closed ends the
 * host in order, too, unless who started it has said that it should not (nohup). */
static void
catch_signals(sigset_t *ret_held)
{
    struct sigaction stop = {.sa_handler = on_signal}, ignore = {.sa_handler = SIG_IGN};
    struct sigaction plain = {.sa_handler = SIG_DFL}; /* who starts us may ignore those */
    struct sigaction hangup;

    sigemptyset(ret_held);
    sigaddset(ret_held, SIGTERM);
    sigaddset(ret_held, SIGINT);
    sigaddset(ret_held, SIGHUP);
    sigprocmask(SIG_BLOCK, ret_held, NULL);
    sigemptyset(&stop.sa_mask);
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGINT, &stop, NULL);
    if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler != SIG_IGN) {
        sigaction(SIGHUP, &stop, NULL);
    }
    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGCHLD, &plain, NULL);
}

/* ---- the host ---- */

static texts_t
put_prefixes(draft_t *draft, char *const *prefix, uint32_t count)
{
    texts_t texts = draft_rows(draft, count, sizeof(text_t));

    for (uint32_t i = 0; i < count; i++) {
        text_t text = draft_text(draft, slice_of(prefix[i]));
        text_t *row = draft_row(draft, texts, i, sizeof(text_t));
        if (row) {
            *row = text;
        }
    }
    return texts;
}

static site_args_t *
site_args(draft_t *draft, const config_t *config)
{
    site_args_t *args = draft_begin(draft, &site_args_type);

    args->data = draft_text(draft, slice_of(config->data));
    args->site = draft_text(draft, slice_of(config->site));
    args->grace_ms = config->grace_ms;
    args->probe_ms = config->probe_ms;
    args->scrub_ms = config->scrub_ms;
    args->beacon_ms = config->beacon_ms;
    args->backlog_alarm_ms = config->backlog_alarm_ms;
    args->listen = config->agents[0] ? draft_text(draft, slice_of(config->agents)) : (text_t){0};
    args->plain = config->plain[0]
                      ? draft_text(draft, slice_of(config->plain_told[0] ? config->plain_told
                                                                         : config->plain))
                      : (text_t){0};
    args->allow_source = put_prefixes(draft, config->source, config->sources);
    args->allow_root = put_prefixes(draft, config->root, config->roots);
    return args;
}

static host_t *
make_host(const config_t *config, const id128_t *restored)
{
    static uint64_t memory[131072]; /* 1 MiB: the longest configuration, many times over */
    static char black_box[PATH_BYTES_MAX + 16];
    static host_options_t options;
    draft_t draft;

    draft_over(&draft, memory, sizeof memory);
    site_args_t *args = site_args(&draft, config);
    args->restored = *restored;
    snprintf(black_box, sizeof black_box, "%s/blackbox", config->data);
    options = (host_options_t){.classes = roster,
                               .root = &executive_class,
                               .root_args_type = &site_args_type,
                               .root_args = args,
                               .root_args_bytes = draft.size,
                               .notes_to = "alarm_manager",
                               .black_box = black_box,
                               .about_field = "target",
                               .placement = config->placement,
                               .pool_workers = config->workers};
    return host_new(&options);
}

/* What a client hears when the provider is not there to answer it. */
static size_t
refuse_request(slice_t request, err_t err, uint8_t *ret_frame, size_t size)
{
    wire_writer_t writer;

    wire_writer_over(&writer, ret_frame, size);
    reply_put_unanswered(&writer, request, err);
    return writer.full ? 0 : writer.size;
}

/* The keys are made at the first start. */
static err_t
add_peer_link(host_t *host, const config_t *config)
{
    host_peers_t peers = {
        .name = "agent_link", .role = "agent_gateway", .endpoint = config->agents};
    keys_t keys;
    world_os_t os;
    fault_t fault = {0};
    char text[1024];
    err_t err = keys_open(world_os_init(&os, NULL), config->data, &keys, &fault);

    if (err != OK) {
        fprintf(stderr, "%s\n  %s\n", fault_text(&fault, text, sizeof text), err_hint(err));
        return err;
    }
    process_raise_descriptors();
    memcpy(peers.secret_key, keys.transport.byte, sizeof peers.secret_key);
    memcpy(peers.public_key, keys.transport_key.byte, sizeof peers.public_key);
    err = host_add_peer_link(host, &peers);
    explicit_bzero(&keys, sizeof keys);
    explicit_bzero(&peers, sizeof peers);
    return err;
}

static err_t
add_plain_link(host_t *host, const config_t *config)
{
    host_peers_t peers = {
        .name = "plain_link", .role = "agent_gateway", .endpoint = config->plain, .plain = true};

    return host_add_peer_link(host, &peers);
}

static err_t
add_links(host_t *host, const config_t *config)
{
    TRY(host_add_command_link(host, "command_link", config->command, "provider", 0600,
                              refuse_request));
    TRY(host_add_status_link(host, "status_link", config->status, 0600));
    if (config->agents[0]) {
        TRY(add_peer_link(host, config));
    }
    return config->plain[0] ? add_plain_link(host, config) : OK;
}

static int64_t
now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
tell_ready(host_t *host, const config_t *config, int64_t began_ms)
{
    host_figures_t figures;

    host_figures(host, &figures);
    say(STDOUT_FILENO,
        "despoold: ready, data %s, %" PRIu64 " actors, %" PRIu64 " threads, %" PRId64 " ms\n",
        config->data, figures.actors, figures.threads, now_ms() - began_ms);
    notify("READY=1\nSTATUS=ready");
}

/* A disk that is slow today must not cost the service its start: who is late may still come. */
static void
wait_ready(host_t *host, const config_t *config, int64_t began_ms)
{
    bool ready = host_wait_ready(host, READY_TIMEOUT_MS);

    if (!ready && !told_to_stop && !*host_why(host)) {
        say(STDOUT_FILENO,
            "despoold: not ready, data %s; despool component list tells who is late\n",
            config->data);
        notify("STATUS=not ready");
        ready = host_wait_late(host);
    }
    if (ready) {
        tell_ready(host, config, began_ms);
    } else if (told_to_stop) {
        say(STDOUT_FILENO, "despoold: told to stop before it was ready, data %s\n", config->data);
    }
}

/* From start to the orderly end; the exit code. */
static int
serve(host_t *host, const config_t *config, err_t err)
{
    char left[1024] = "";
    int64_t began_ms = now_ms();
    sigset_t held;
    catch_signals(&held);
    if (err == OK) {
        err = host_start(host);
    }
    if (err != OK) {
        fprintf(stderr, "cannot start the host in '%s': %s%s%s\n  %s\n", config->data,
                err_sentence(err), *host_why(host) ? ": " : "", host_why(host), err_hint(err));
        return 1;
    }
    running = host;
    sigprocmask(SIG_UNBLOCK, &held, NULL);
    wait_ready(host, config, began_ms);
    host_wait_stop(host);
    notify("STOPPING=1");
    err = host_failed(host);
    if (err != OK) {
        say(STDERR_FILENO, "cannot run the host in '%s': %s\n  %s\n", config->data, host_why(host),
            err_hint(err));
    }
    bool clean =
        host_stop(host, STOP_DEADLINE_MS - HOST_STOPPING_MS, left, sizeof left) && err == OK;
    running = NULL;
    if (*left) {
        say(STDERR_FILENO, "cannot stop in order within %u ms: left: %s\n", STOP_DEADLINE_MS, left);
    }
    return clean ? 0 : 1;
}

/* One whose point was removed has nothing to run, from the next start on; that is no failure. */
static int
run_agent(const config_t *config, const join_t *join)
{
    bool removed = false;
    err_t err = agent_tell_removed(config->data, join, &removed);
    if (err != OK || removed) {
        notify(removed ? "STATUS=removed" : "STATUS=not ready");
        return err == OK ? 0 : 1;
    }
    host_t *host = agent_host(config, join, &err);
    int code = serve(host, config, err);
    host_destroy(&host);
    err = agent_tell_removed(config->data, join, &removed);
    return err == OK ? code : 1;
}

/* What was asked for on the command line and means nothing to who lives in the directory. */
static bool
is_unfit(const options_t *options, const char *data, bool is_agent)
{
    const char *word = !is_agent            ? (options->program ? "--on-activate" : NULL)
                       : options->listens   ? "--listen"
                       : options->plain     ? "--listen-plain"
                       : options->placement ? "--placement"
                                            : NULL;

    if (word) {
        fprintf(stderr,
                "cannot start the host in '%s': %s is for %s, and this is %s\n"
                "  leave it out, or name another directory with --data\n",
                data, word, is_agent ? "a site" : "an agent", is_agent ? "an agent" : "a site");
    }
    return word != NULL;
}

/* An agent's data directory says so; join makes one. */
static int
run_locked(const options_t *options, const config_t *config)
{
    join_t join;
    id128_t restored;
    bool is_agent = false;
    err_t err = data_restored(config->data, &restored);
    if (err != OK) {
        return 1;
    }
    if (!options->join && agent_read(config->data, &join, &is_agent) != OK) {
        return 1;
    }
    is_agent = is_agent || options->join;
    if (is_unfit(options, config->data, is_agent) ||
        (options->join && agent_join(options->token, config->data, options->root, &join) != OK)) {
        return 1;
    }
    if (options->parcel) {
        return is_agent && agent_take_parcel(config->data, &join, options->file) == OK ? 0 : 1;
    }
    if (is_agent) {
        return run_agent(config, &join);
    }
    host_t *host = make_host(config, &restored);
    int code = serve(host, config, add_links(host, config));
    host_destroy(&host);
    return code;
}

static int
run(const options_t *options)
{
    static config_t config;
    const char *hint = "";
    char why[1024];
    data_dir_t data;

    if (options->parcel && agent_need(options->data) != OK) {
        return 1;
    }
    if (!data_make(options->data, &data)) {
        free(data.path);
        return 1;
    }
    err_t err = config_defaults(&config, data.path, why, sizeof why);
    if (err == OK && options->config) {
        err = config_load(&config, options->config, why, sizeof why);
        hint = err == OK ? "" : "\n  mend it there; without --config the defaults hold";
    }
    if (err == OK) {
        err = config_check(&config, why, sizeof why);
    }
    if (options->placement) { /* the command line has the last word */
        config_placement(options->placement, &config.placement);
    }
    if (err == OK) {
        err = config_program(&config, options->program, why, sizeof why);
    }
    if (err == OK) {
        err = config_listen(&config, options->listen, options->listens, options->plain, why,
                            sizeof why);
    }
    if (err != OK) {
        fprintf(stderr, "%s%s\n", why, hint);
        data_unmake(&data);
        free(data.path);
        config_fini(&config);
        return 1;
    }
    int code = 1;
    int lock = data_lock(config.data);
    if (lock >= 0) {
        code = run_locked(options, &config);
        if (code != 0) {
            data_unmake(&data);
        }
        close(lock);
    }
    free(data.path);
    config_fini(&config);
    return code;
}

int
main(int argc, char **argv)
{
    options_t options = {0};
    int code = options_parse(argc, argv, &options);

    if (code != 0) {
        return code;
    }
    if (options.version) {
        printf("despoold %s\n", DESPOOL_VERSION);
        return 0;
    }
    if (options.help) {
        despoold_help();
        return 0;
    }
    process_keep_memory();
    return run(&options);
}
