/* cli_watch.c - follows the status stream, until all that was asked for is printed, or cannot be.
 *
 * The history (status.since) is the truth and the stream only says that there is something new, so
 * a watcher that was too slow, or met a host that restarted, misses nothing without being told. */
#include "tools/cli.h"

#include <inttypes.h>

#include "tools/cli_print.h"

#define WATCH_POLL_MS 1000 /* between looks at the history while the stream is silent */

typedef struct watch {
    cli_client_t *client;
    const cli_line_t *line;
    uint64_t since; /* the last that was printed */
    uint64_t left;  /* that are still to be printed */
} watch_t;

static void
print_event(watch_t *watch, const wire_value_t *event)
{
    if (watch->line->json) {
        cli_show_json(event);
    } else {
        cli_show_event(event);
    }
    watch->since = cli_number(event, "seq");
    watch->left = fflush(stdout) == 0 ? watch->left - 1 : 0; /* nobody reads it any more */
}

/* Tells what is no longer kept, and goes on behind it. */
static void
print_lost(watch_t *watch, const wire_value_t *result)
{
    wire_value_t lost;

    if (!wire_find(result, "lost", &lost) || lost.kind != WIRE_MAP) {
        return;
    }
    uint64_t from = cli_number(&lost, "from"), to = cli_number(&lost, "to");
    if (watch->line->json) {
        printf("{\"lost\":{\"from\":%" PRIu64 ",\"to\":%" PRIu64 "}}\n", from, to);
    } else {
        printf("status messages %" PRIu64 " to %" PRIu64 " are no longer kept\n", from, to);
    }
    watch->since = to > watch->since ? to : watch->since;
    watch->left = fflush(stdout) == 0 ? watch->left : 0;
}

/* Prints what came after the last that was printed. */
static int
catch_up(watch_t *watch)
{
    for (;;) {
        wire_value_t result;
        int code =
            cli_ask_small(watch->client, "status.since", NULL, "since", watch->since, &result);
        if (code != EXIT_DONE) {
            return code;
        }
        print_lost(watch, &result);
        wire_value_t events = cli_list(&result, "events");
        const uint8_t *at = events.body;
        for (uint32_t i = 0; i < events.count && watch->left > 0; i++) {
            wire_value_t event;
            wire_next(&events, &at, &event);
            print_event(watch, &event);
        }
        if (events.count == 0 || watch->left == 0 || watch->since >= cli_number(&result, "last")) {
            return EXIT_DONE;
        }
    }
}

/* Prints from the stream as long as it goes on where the last one was. */
static void
follow(watch_t *watch)
{
    wire_value_t event;

    while (watch->left > 0 && cli_hear(watch->client, WATCH_POLL_MS, &event)) {
        uint64_t seq = cli_number(&event, "seq");
        if (seq > watch->since + 1) {
            return;
        }
        if (seq == watch->since + 1) {
            print_event(watch, &event);
        }
    }
}

int
cli_watch(cli_client_t *client, const cli_line_t *line)
{
    const cli_argument_t *from = cli_argument(line, "--since");
    const cli_argument_t *count = cli_argument(line, "--count");
    watch_t watch = {client, line, from ? from->number : 0, count ? count->number : UINT64_MAX};
    wire_value_t event, result;
    int code = EXIT_DONE;

    /* Subscribed before the history is read, so that nothing falls between the two. */
    cli_hear(client, 0, &event);
    if (!from) {
        code = cli_ask_small(client, "status.since", NULL, "since", INT64_MAX, &result);
        watch.since = code == EXIT_DONE ? cli_number(&result, "last") : 0;
    }
    while (code == EXIT_DONE && watch.left > 0) {
        code = catch_up(&watch);
        if (code == EXIT_DONE) {
            follow(&watch);
        }
    }
    return code;
}
