/* cli_values.c - one value of the command line, as its kind wants it. */
#include "tools/cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/limits.h"

/* Drops empty steps and '.', and goes up at '..', in place. */
static void
straighten(char *path)
{
    char *to = path;

    for (const char *at = path; *at;) {
        at += strspn(at, "/");
        size_t size = strcspn(at, "/");
        if (size == 2 && at[0] == '.' && at[1] == '.') {
            while (to > path && *--to != '/') {
            }
        } else if (size > 0 && !(size == 1 && at[0] == '.')) {
            *to++ = '/';
            memmove(to, at, size);
            to += size;
        }
        at += size;
    }
    if (to == path) {
        *to++ = '/';
    }
    *to = 0;
}

char *
cli_absolute(const char *path)
{
    char here[PATH_BYTES_MAX + 1] = "", *whole = NULL;

    if ((path[0] != '/' && !getcwd(here, sizeof here)) ||
        asprintf(&whole, "%s/%s", here, path) < 0) {
        return NULL;
    }
    straighten(whole);
    if (strlen(whole) > PATH_BYTES_MAX) {
        free(whole);
        return NULL;
    }
    return whole;
}

static bool
add_item(cli_argument_t *argument, const char *item)
{
    if (argument->count == CLI_ITEMS_MAX) {
        return false;
    }
    if ((argument->count & (argument->count - 1)) == 0) {
        uint32_t room = argument->count ? 2 * argument->count : 1;
        const char **items = realloc(argument->items, room * sizeof *items);
        if (!items) {
            return false;
        }
        argument->items = items;
    }
    argument->items[argument->count++] = item;
    return true;
}

static bool
add_list(cli_argument_t *argument, char *list)
{
    char *const whole = list;

    for (char *item = strsep(&list, ","); item; item = strsep(&list, ",")) {
        if (!*item || !add_item(argument, item)) {
            for (char *end = list ? list : item; end > whole; end--) {
                end[-1] = end[-1] ? end[-1] : ',';
            }
            return false;
        }
    }
    return true;
}

bool
cli_whole_number(const char *text, uint64_t *ret_number)
{
    char *end = NULL;

    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || errno) {
        return false;
    }
    *ret_number = number;
    return true;
}

/* 40M is 40,000,000 bytes, 40Mi is 40 times 2^20; none is no limit. */
static bool
rate_of(const char *text, uint64_t *ret_rate)
{
    static const char units[] = "kMG";
    size_t digits = strspn(text, "0123456789");
    const char *unit = text[digits] == 'K' ? units : strchr(units, text[digits]);
    char number[24];

    if (strcmp(text, "none") == 0) {
        *ret_rate = 0;
        return true;
    }
    if (digits == 0 || digits >= sizeof number || !unit) {
        return false;
    }
    bool binary = *unit && text[digits + 1] == 'i';
    uint64_t times = 1;
    for (const char *at = units; *unit && at <= unit; at++) {
        times *= binary ? 1024 : 1000;
    }
    snprintf(number, sizeof number, "%.*s", (int) digits, text);
    if (text[digits + (*unit != 0) + binary] || !cli_whole_number(number, ret_rate) ||
        *ret_rate > UINT64_MAX / times) {
        return false;
    }
    *ret_rate *= times;
    return true;
}

void
cli_rate_text(uint64_t rate, char *text, size_t size)
{
    static const struct {
        const char *unit;
        uint64_t bytes;
    } units[] = {{"GB/s", 1000000000}, {"GiB/s", 1u << 30}, {"MB/s", 1000000}, {"MiB/s", 1u << 20},
                 {"kB/s", 1000},       {"KiB/s", 1024},     {"B/s", 1}};
    size_t i = 0;

    while (rate % units[i].bytes != 0) {
        i++;
    }
    snprintf(text, size, "%llu %s", (unsigned long long) (rate / units[i].bytes), units[i].unit);
}

bool
cli_take(cli_argument_t *argument, char *value)
{
    switch (argument->slot->kind) {
    case CLI_TEXT:
        argument->text = value;
        return true;
    case CLI_PATH:
        argument->path = *value ? cli_absolute(value) : NULL;
        return argument->path != NULL;
    case CLI_LIST:
        return add_list(argument, value);
    case CLI_REPEAT:
    case CLI_REST:
        return add_item(argument, value);
    case CLI_NUMBER:
        return cli_whole_number(value, &argument->number);
    case CLI_RATE:
        return rate_of(value, &argument->number);
    case CLI_TIME:
        argument->path = cli_time(value);
        return argument->path != NULL;
    case CLI_FLAG:
        return true;
    }
    return false;
}

void
cli_wanted(cli_kind_t kind, char *text, size_t size)
{
    switch (kind) {
    case CLI_NUMBER:
        snprintf(text, size, "a whole number");
        return;
    case CLI_RATE:
        snprintf(text, size, "bytes a second (40M, 512Ki, or none)");
        return;
    case CLI_TIME:
        snprintf(text, size, "a time with a zone (2027-03-01T02:00:00+01:00, or +2h)");
        return;
    case CLI_PATH:
        snprintf(text, size, "a path of 1 to %u bytes", (unsigned) PATH_BYTES_MAX);
        return;
    default:
        snprintf(text, size, "1 to %u names, lists with commas between (a,b,c)", CLI_ITEMS_MAX);
    }
}
