/* cli_wait.c - distribute --wait: looks at the package until its targets have come to an end. */
#include "tools/cli.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "tools/cli_print.h"

/* Between looks at the status: an eighth of what was waited so far, so that who waits hears of a
 * short distribution at once, and a long one is not looked at for nothing. */
#define LOOK_MS_MIN 10
#define LOOK_MS_MAX 300
#define TOLD_MS     2000 /* after which who waits for a component that is held is told of it */
#define LOOK_PART   8

typedef struct standing {
    uint32_t targets, installed, ended_badly, queued;
    uint64_t bytes_done, bytes_total;
    char why[160];
} standing_t;

static bool
is_same_name(slice_t a, slice_t b)
{
    return a.size == b.size && strncasecmp(a.data, b.data, a.size) == 0;
}

static bool
is_among(slice_t name, const wire_value_t *names)
{
    cli_items_t items = cli_items(names);
    wire_value_t item;

    while (cli_next(&items, &item)) {
        if (is_same_name(item.bytes, name)) {
            return true;
        }
    }
    return false;
}

static bool
has_ended_badly(slice_t state)
{
    static const char *const badly[] = {"failed", "cancelled", "removing", "removed"};

    for (size_t i = 0; i < sizeof badly / sizeof badly[0]; i++) {
        if (slice_equal(state, slice_of(badly[i]))) {
            return true;
        }
    }
    return false;
}

static void
stand(standing_t *standing, const wire_value_t *target)
{
    slice_t state = cli_text(target, "state");
    wire_value_t cause;

    standing->targets++;
    standing->installed += slice_equal(state, slice_of("installed"));
    standing->ended_badly += has_ended_badly(state);
    standing->bytes_done += cli_number(target, "bytes_done");
    standing->bytes_total += cli_number(target, "bytes_total");
    if (wire_find(target, "cause", &cause) && cause.kind == WIRE_MAP) {
        slice_t dp = cli_text(target, "dp");
        slice_t code = cli_text(&cause, cli_is_queued(target) ? "text" : "code");
        standing->queued += cli_is_queued(target);
        snprintf(standing->why, sizeof standing->why, ", %.*s is %.*s: %.*s", (int) dp.size,
                 dp.data, (int) state.size, state.data, (int) code.size, code.data);
    }
}

static int
look(cli_client_t *client, const char *id, const wire_value_t *named, standing_t *ret_standing)
{
    const char *pairs[] = {"id", id, NULL};
    wire_value_t result;
    int code = cli_ask_small(client, "status", pairs, NULL, 0, &result);

    *ret_standing = (standing_t){0};
    if (code != EXIT_DONE) {
        return code;
    }
    wire_value_t targets = cli_list(&result, "targets");
    cli_items_t items = cli_items(&targets);
    wire_value_t target;
    while (cli_next(&items, &target)) {
        if (!named || is_among(cli_text(&target, "dp"), named)) {
            stand(ret_standing, &target);
        }
    }
    return EXIT_DONE;
}

static void
print_standing(const standing_t *s)
{
    char text[320];
    uint64_t percent = s->bytes_total ? 100 * s->bytes_done / s->bytes_total : 100;

    snprintf(text, sizeof text, "%u of %u installed, %" PRIu64 " %% of the bytes%s", s->installed,
             s->targets, percent, s->why);
    /* The line before is written over: the cursor goes back up to it. */
    fputs("\033[1A\r\033[K", stderr);
    cli_line(stderr, "%s", text);
}

static int64_t
ms_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
pause_after(int64_t waited_ms)
{
    int64_t ms = waited_ms / LOOK_PART;

    ms = ms < LOOK_MS_MIN ? LOOK_MS_MIN : ms > LOOK_MS_MAX ? LOOK_MS_MAX : ms;
    cli_pause((uint32_t) ms);
}

/* The points of a group, as names. */
static int
put_group(cli_client_t *client, const char *name, wire_writer_t *w, uint32_t *count)
{
    wire_value_t result;
    int code = cli_ask_small(client, "group.list", NULL, NULL, 0, &result);
    wire_value_t groups = code == EXIT_DONE ? cli_list(&result, "groups") : (wire_value_t){0};
    cli_items_t items = cli_items(&groups);
    wire_value_t group;

    while (cli_next(&items, &group)) {
        if (!is_same_name(cli_text(&group, "name"), slice_of(name))) {
            continue;
        }
        wire_value_t dps = cli_list(&group, "dps");
        cli_items_t points = cli_items(&dps);
        wire_value_t dp;
        while (cli_next(&points, &dp)) {
            ++*count;
            wire_put_str(w, dp.bytes);
        }
    }
    return code;
}

/* What --to named, groups by their points: an array in memory. */
static int
named_points(cli_client_t *client, const cli_argument_t *to, uint8_t *memory, size_t size,
             wire_value_t *ret_named)
{
    static const uint8_t array32 = 0xdd; /* its count, four bytes, follows */
    uint32_t count = 0;
    int code = EXIT_DONE;
    wire_writer_t w;

    wire_writer_over(&w, memory, size);
    wire_put_raw(&w, (slice_t){(const char *) &array32, 1});
    wire_put_raw(&w, (slice_t){"\0\0\0\0", 4});
    for (uint32_t i = 0; i < to->count && code == EXIT_DONE; i++) {
        if (to->items[i][0] == '@') {
            code = put_group(client, to->items[i] + 1, &w, &count);
        } else {
            wire_put_str(&w, slice_of(to->items[i]));
            count++;
        }
    }
    for (int i = 0; i < 4; i++) {
        memory[1 + i] = (uint8_t) (count >> (24 - 8 * i));
    }
    if (code == EXIT_DONE && (w.full || wire_check(memory, w.size, ret_named) != OK)) {
        cli_line(stderr, "cannot wait: there are too many names");
        return EXIT_REFUSED;
    }
    return code;
}

/* Who waits for what a person has paused is told once, beside the line that is written over. */
static int
tell_held(cli_client_t *client, bool terminal)
{
    int code = cli_tell_held(client, stderr);

    if (terminal) {
        fputc('\n', stderr);
    }
    return code;
}

int
cli_wait(cli_client_t *client, const cli_line_t *line)
{
    static uint8_t memory[CLI_REQUEST_BYTES];
    const char *id = cli_argument(line, "ID")->text;
    const cli_argument_t *to = cli_argument(line, "--to");
    int64_t began_ms = ms_now();
    int64_t until_ms = line->wait_s ? began_ms + line->wait_s * INT64_C(1000) : INT64_MAX;
    bool terminal = isatty(STDERR_FILENO) && !line->json, told = false;
    wire_value_t named;
    standing_t standing;
    int code = to ? named_points(client, to, memory, sizeof memory, &named) : EXIT_DONE;

    cli_client_until(client, line->wait_s ? until_ms : 0);
    if (terminal && code == EXIT_DONE) {
        fputc('\n', stderr);
    }
    while (code == EXIT_DONE) {
        code = look(client, id, to ? &named : NULL, &standing);
        if (code == EXIT_DONE && !told && standing.queued > 0 && ms_now() > began_ms + TOLD_MS) {
            code = tell_held(client, terminal);
            told = true;
        }
        if (terminal && code == EXIT_DONE) {
            print_standing(&standing);
        }
        if (standing.installed + standing.ended_badly == standing.targets || ms_now() >= until_ms) {
            break;
        }
        pause_after(ms_now() - began_ms);
    }
    if (code == EXIT_DONE && (standing.targets == 0 || standing.installed < standing.targets)) {
        cli_line(stderr, "%u of %u points have '%s'%s; despool status %s tells more",
                 standing.installed, standing.targets, id, standing.why, id);
        if (standing.queued > 0) {
            (void) cli_tell_held(client, stderr);
        }
        return EXIT_REFUSED;
    }
    return code;
}
