/* cli_watch.c - what takes time: following the stream, and waiting for targets.
 *
 * The history (status.since) is the truth and the stream only says that there is something new, so
 * a watcher that was too slow, or met a host that restarted, misses nothing without being told. */
#include "tools/cli.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WATCH_POLL_MS 1000 /* between looks at the history while the stream is silent */
#define WAIT_POLL_MS  300  /* between looks at the status while waiting */

static void
print_event(const cli_line_t *line, const wire_value_t *event)
{
    if (line->json) {
        cli_show_json(event);
    } else {
        cli_show_event(event);
    }
    fflush(stdout);
}

/* Tells what is no longer kept. */
static void
print_lost(const cli_line_t *line, const wire_value_t *result)
{
    wire_value_t lost;

    if (!wire_find(result, "lost", &lost) || lost.kind != WIRE_MAP) {
        return;
    }
    if (line->json) {
        printf("{\"lost\":{\"from\":%" PRIu64 ",\"to\":%" PRIu64 "}}\n", cli_number(&lost, "from"),
               cli_number(&lost, "to"));
    } else {
        printf("status messages %" PRIu64 " to %" PRIu64 " are no longer kept\n",
               cli_number(&lost, "from"), cli_number(&lost, "to"));
    }
}

/* Prints what came after *since, at most *left messages; *since moves on. */
static int
catch_up(cli_client_t *client, const cli_line_t *line, uint64_t *since, uint64_t *left)
{
    for (;;) {
        wire_value_t result, events;
        int code = cli_ask_small(client, "status.since", NULL, "since", *since, &result);
        if (code != EXIT_DONE) {
            return code;
        }
        print_lost(line, &result);
        if (!wire_find(&result, "events", &events) || events.count == 0) {
            return EXIT_DONE;
        }
        const uint8_t *at = events.body;
        for (uint32_t i = 0; i<events.count && * left> 0; i++, --*left) {
            wire_value_t event;
            wire_next(&events, &at, &event);
            print_event(line, &event);
            *since = cli_number(&event, "seq");
        }
        if (*left == 0 || *since >= cli_number(&result, "last")) {
            return EXIT_DONE;
        }
    }
}

int
cli_watch(cli_client_t *client, const cli_line_t *line)
{
    const cli_argument_t *from = cli_argument(line, "--since");
    const cli_argument_t *count = cli_argument(line, "--count");
    uint64_t since = from ? from->number : 0, left = count ? count->number : UINT64_MAX;
    wire_value_t event, result;
    int code = EXIT_DONE;

    /* Subscribed before the history is read, so that nothing falls between the two. */
    cli_hear(client, 0, &event);
    if (!from) {
        code = cli_ask_small(client, "status.since", NULL, "since", INT64_MAX, &result);
        since = code == EXIT_DONE ? cli_number(&result, "last") : 0;
    }
    while (code == EXIT_DONE && left > 0) {
        code = catch_up(client, line, &since, &left);
        if (code != EXIT_DONE || left == 0) {
            break;
        }
        if (!cli_hear(client, WATCH_POLL_MS, &event)) {
            continue;
        }
        uint64_t seq = cli_number(&event, "seq");
        if (seq == since + 1) {
            print_event(line, &event);
            since = seq;
            left--;
        }
    }
    return code;
}

/* ---- waiting
 * ------------------------------------------------------------------------------------------ */

typedef struct standing {
    uint32_t targets, installed, ended_badly;
    uint64_t bytes_done, bytes_total;
    char why[160];
} standing_t;

static bool
is_one_of(slice_t word, const char *const *words)
{
    for (; *words; words++) {
        if (slice_equal(word, slice_of(*words))) {
            return true;
        }
    }
    return false;
}

static bool
is_waited_for(const wire_value_t *changed, slice_t dp)
{
    const uint8_t *at = changed->body;

    for (uint32_t i = 0; i < changed->count; i++) {
        wire_value_t name;
        wire_next(changed, &at, &name);
        if (slice_equal(name.bytes, dp)) {
            return true;
        }
    }
    return false;
}

static void
stand(standing_t *standing, const wire_value_t *target)
{
    static const char *const badly[] = {"failed", "cancelled", "removing", "removed", NULL};
    slice_t state = cli_text(target, "state");
    wire_value_t cause;

    standing->targets++;
    standing->installed += slice_equal(state, slice_of("installed"));
    standing->ended_badly += is_one_of(state, badly);
    standing->bytes_done += cli_number(target, "bytes_done");
    standing->bytes_total += cli_number(target, "bytes_total");
    if (wire_find(target, "cause", &cause) && cause.kind == WIRE_MAP) {
        slice_t dp = cli_text(target, "dp"), code = cli_text(&cause, "code");
        snprintf(standing->why, sizeof standing->why, ", %.*s %.*s: %.*s", (int) dp.size, dp.data,
                 (int) state.size, state.data, (int) code.size, code.data);
    }
}

static int
look(cli_client_t *client, const char *id, const wire_value_t *named, standing_t *ret_standing)
{
    const char *pairs[] = {"id", id, NULL};
    wire_value_t result, targets;
    int code = cli_ask_small(client, "status", pairs, NULL, 0, &result);

    *ret_standing = (standing_t){0};
    if (code != EXIT_DONE || !wire_find(&result, "targets", &targets)) {
        return code;
    }
    const uint8_t *at = targets.body;
    for (uint32_t i = 0; i < targets.count; i++) {
        wire_value_t target;
        wire_next(&targets, &at, &target);
        if (!named || is_waited_for(named, cli_text(&target, "dp"))) {
            stand(ret_standing, &target);
        }
    }
    return EXIT_DONE;
}

static void
print_standing(const standing_t *s)
{
    fprintf(stderr, "\r\033[K%u of %u installed, %u %% of the bytes%s", s->installed, s->targets,
            s->bytes_total ? (unsigned) (100 * s->bytes_done / s->bytes_total) : 100, s->why);
    fflush(stderr);
}

static int64_t
seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

/* What distribute named: --to without groups, or else every target of the package. */
static bool
named_points(const cli_line_t *line, uint8_t *memory, size_t size, wire_value_t *ret_named)
{
    const cli_argument_t *to = cli_argument(line, "--to");
    wire_writer_t w;

    for (uint32_t i = 0; to && i < to->count; i++) {
        if (to->items[i][0] == '@') {
            return false;
        }
    }
    if (!to) {
        return false;
    }
    wire_writer_over(&w, memory, size);
    wire_put_array(&w, to->count);
    for (uint32_t i = 0; i < to->count; i++) {
        wire_put_str(&w, slice_of(to->items[i]));
    }
    return !w.full && wire_check(memory, w.size, ret_named) == OK;
}

int
cli_wait(cli_client_t *client, const cli_line_t *line)
{
    static uint8_t memory[CLI_REQUEST_BYTES];
    const char *id = cli_argument(line, "ID")->value[0];
    int64_t until = line->wait_s ? seconds_now() + line->wait_s : INT64_MAX;
    bool terminal = isatty(STDERR_FILENO) && !line->json;
    wire_value_t named, event;
    bool some = named_points(line, memory, sizeof memory, &named);
    standing_t standing;
    int code;

    for (;;) {
        code = look(client, id, some ? &named : NULL, &standing);
        if (code != EXIT_DONE || standing.installed + standing.ended_badly == standing.targets ||
            seconds_now() >= until) {
            break;
        }
        if (terminal) {
            print_standing(&standing);
        }
        cli_hear(client, WAIT_POLL_MS, &event);
    }
    if (terminal && code == EXIT_DONE) {
        print_standing(&standing);
        fputc('\n', stderr);
    }
    if (code == EXIT_DONE && standing.installed < standing.targets) {
        fprintf(stderr, "%u of %u points have '%s'%s; despool status %s tells more\n",
                standing.installed, standing.targets, id, standing.why, id);
        return EXIT_REFUSED;
    }
    return code;
}
