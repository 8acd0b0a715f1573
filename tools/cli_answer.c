/* cli_answer.c - the pieces of answers: fields, times, versions, errors, events, JSON. */
#include "tools/cli.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tools/cli_print.h"

slice_t
cli_text(const wire_value_t *map, const char *name)
{
    wire_value_t value;

    if (map->kind != WIRE_MAP || !wire_find(map, name, &value) || value.kind != WIRE_STR) {
        return slice_of("");
    }
    return value.bytes;
}

uint64_t
cli_number(const wire_value_t *map, const char *name)
{
    wire_value_t value;

    if (map->kind != WIRE_MAP || !wire_find(map, name, &value) || value.kind != WIRE_UINT) {
        return 0;
    }
    return value.uint;
}

bool
cli_flag(const wire_value_t *map, const char *name)
{
    wire_value_t value;

    return map->kind == WIRE_MAP && wire_find(map, name, &value) && value.kind == WIRE_BOOL &&
           value.boolean;
}

wire_value_t
cli_list(const wire_value_t *map, const char *name)
{
    wire_value_t list;

    if (map->kind != WIRE_MAP || !wire_find(map, name, &list) || list.kind != WIRE_ARRAY) {
        return (wire_value_t){.kind = WIRE_ARRAY};
    }
    return list;
}

cli_items_t
cli_items(const wire_value_t *list)
{
    return (cli_items_t){*list, list->body, list->count};
}

bool
cli_next(cli_items_t *items, wire_value_t *ret_item)
{
    if (items->left == 0) {
        return false;
    }
    items->left--;
    wire_next(&items->list, &items->at, ret_item);
    return true;
}

/* No value is longer as JSON than eight times its msgpack; most need less than twice. */
static char *
json_of(const wire_value_t *value, size_t *ret_size)
{
    size_t encoded = (size_t) (value->after - value->from);

    for (size_t times = 2;; times *= 2) {
        size_t capacity = times * encoded + 256;
        char *text = malloc(capacity);
        assert(text);
        if (wire_json(value, text, capacity, ret_size)) {
            return text;
        }
        free(text);
        assert(times < 16);
    }
}

void
cli_show_json(const wire_value_t *value)
{
    size_t size = 0;
    char *text = json_of(value, &size);

    printf("%.*s\n", (int) size, text);
    free(text);
}

static void
print_error_json(const wire_value_t *error)
{
    size_t size = 0;
    char *text = json_of(error, &size);

    printf("{\"error\":%.*s}\n", (int) size, text);
    free(text);
    fflush(stdout);
}

void
cli_show_error(const cli_line_t *line, const wire_value_t *error)
{
    slice_t message = cli_text(error, "message"), hint = cli_text(error, "hint");

    if (line->json) {
        print_error_json(error);
    }
    cli_line(stderr, "%.*s", (int) message.size, message.data);
    if (hint.size > 0) {
        cli_line(stderr, "  %.*s", (int) hint.size, hint.data);
    }
}

static void
print_failure_json(const char *code, const char *message, const char *hint)
{
    static uint8_t memory[32768];
    wire_writer_t w;
    wire_value_t error;

    wire_writer_over(&w, memory, sizeof memory);
    wire_put_map(&w, 5);
    wire_put_str(&w, slice_of("code"));
    wire_put_str(&w, slice_of(code));
    wire_put_str(&w, slice_of("message"));
    wire_put_shown(&w, slice_of(message));
    wire_put_str(&w, slice_of("hint"));
    wire_put_str(&w, slice_of(hint ? hint : "despool --help tells more"));
    wire_put_str(&w, slice_of("need"));
    wire_put_nil(&w);
    wire_put_str(&w, slice_of("have"));
    wire_put_nil(&w);
    if (!w.full && wire_check(memory, w.size, &error) == OK) {
        print_error_json(&error);
    } else {
        printf("{\"error\":{\"code\":\"%s\",\"message\":null}}\n", code);
    }
}

void
cli_fail(const cli_line_t *line, const char *code, const char *hint, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    char *message = cli_formatted(format, list);
    va_end(list);
    if (line->json) {
        print_failure_json(code, message, hint);
    }
    cli_line(stderr, "%s", message);
    if (hint) {
        cli_line(stderr, "  %s", hint);
    }
    free(message);
}

int
cli_written(int code)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout)) {
        return code;
    }
    cli_line(stderr, "cannot write 'standard output': %s",
             errno ? strerror(errno) : "a part of it was not taken");
    cli_line(stderr, "  what was asked for is done, but not shown: mend where it goes, then look");
    return code == EXIT_DONE ? EXIT_REFUSED : code;
}

void
cli_relative(slice_t iso, int64_t now_s, char *text, size_t size)
{
    static const struct {
        long from, seconds; /* from this span on, counted in so many seconds */
        const char *unit;
    } units[] = {{172800, 86400, "d"}, {7200, 3600, "h"}, {120, 60, "min"}, {0, 1, "s"}};
    struct tm tm = {0};
    char copy[32];
    size_t unit = 0;

    text[0] = 0;
    if (!slice_copy(iso, copy, sizeof copy) || !strptime(copy, "%Y-%m-%dT%H:%M:%S", &tm)) {
        return;
    }
    long away = (long) (timegm(&tm) - now_s), span = away < 0 ? -away : away;
    while (span < units[unit].from) {
        unit++;
    }
    if (span == 0) {
        snprintf(text, size, "now");
        return;
    }
    snprintf(text, size, away < 0 ? "%ld %s ago" : "in %ld %s", span / units[unit].seconds,
             units[unit].unit);
}

void
cli_version(const wire_value_t *map, const char *name, char *text, size_t size)
{
    wire_value_t version;
    char plain[32];

    if (map->kind != WIRE_MAP || !wire_find(map, name, &version) || version.kind != WIRE_MAP) {
        snprintf(text, size, "-");
        return;
    }
    slice_t label = cli_text(&version, "label");
    snprintf(plain, sizeof plain, "%" PRIu64, cli_number(&version, "epoch"));
    if (label.size > 0 && !slice_equal(label, slice_of(plain))) {
        snprintf(text, size, "%s (%.*s)", plain, (int) label.size, label.data);
    } else {
        snprintf(text, size, "%s", plain);
    }
}

void
cli_show_event(const wire_value_t *event)
{
    slice_t time = cli_text(event, "time"), severity = cli_text(event, "severity");
    slice_t package = cli_text(event, "package"), dp = cli_text(event, "dp");
    slice_t text = cli_text(event, "text"), component = cli_text(event, "component");

    cli_line(stdout, "%-6" PRIu64 " %.*s %-7.*s %5" PRIu64 " %.*s%s%.*s%s%.*s: %.*s",
             cli_number(event, "seq"), (int) time.size, time.data, (int) severity.size,
             severity.data, cli_number(event, "id"), (int) component.size, component.data,
             package.size ? " " : "", (int) package.size, package.data, dp.size ? "@" : "",
             (int) dp.size, dp.data, (int) text.size, text.data);
}
