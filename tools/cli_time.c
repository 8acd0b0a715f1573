/* cli_time.c - a time that is to come, as a person gives it.
 *
 * Shape    RFC 3339 with its zone (seconds may be left out), or how long from now: +90s, +30m, +2h,
 *          +7d, by the clock of this machine. What travels is UTC.
 */
#include "tools/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proto/wire.h"
#include "proto/wire_time.h"

#define NS_PER_S    INT64_C(1000000000)
#define DIGITS_MAX  9
#define OFFSET_SIZE 6  /* +hh:mm */
#define TIME_BYTES  25 /* of wire_time_text, with the closing NUL */

static bool
from_now(const char *text, int64_t *ret_ns)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    size_t digits = strspn(text, "0123456789");

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (digits > 0 && digits <= DIGITS_MAX && text[digits] == units[i].unit &&
            !text[digits + 1]) {
            *ret_ns = (time(NULL) + strtol(text, NULL, 10) * units[i].seconds) * NS_PER_S;
            return true;
        }
    }
    return false;
}

static bool
two_digits(const char *text, int64_t max, int64_t *ret)
{
    *ret = 10 * (text[0] - '0') + (text[1] - '0');
    return strspn(text, "0123456789") >= 2 && *ret <= max;
}

/* The zone at the end of the text: how far it is ahead of UTC, and how many bytes it takes. */
static bool
zone_of(const char *text, size_t size, int64_t *ret_seconds, size_t *ret_zone)
{
    int64_t hours = 0, minutes = 0;

    if (size > 0 && text[size - 1] == 'Z') {
        *ret_seconds = 0;
        *ret_zone = 1;
        return true;
    }
    const char *zone = size > OFFSET_SIZE ? text + size - OFFSET_SIZE : "";
    if ((*zone != '+' && *zone != '-') || zone[3] != ':' || !two_digits(zone + 1, 23, &hours) ||
        !two_digits(zone + 4, 59, &minutes)) {
        return false;
    }
    *ret_seconds = (*zone == '-' ? -60 : 60) * (60 * hours + minutes);
    *ret_zone = OFFSET_SIZE;
    return true;
}

static bool
with_zone(const char *text, int64_t *ret_ns)
{
    char utc[48];
    size_t size = strlen(text), zone = 0;
    int64_t seconds = 0, wall_ns = 0;

    if (size >= sizeof utc - 5 || !zone_of(text, size, &seconds, &zone)) {
        return false;
    }
    size -= zone;
    bool whole = size != sizeof "2027-03-01T02:00" - 1;
    snprintf(utc, sizeof utc, "%.*s%sZ", (int) size, text, whole ? "" : ":00");
    if (!wire_time_of_text(slice_of(utc), &wall_ns) ||
        __builtin_sub_overflow(wall_ns, seconds * NS_PER_S, &wall_ns)) {
        return false;
    }
    *ret_ns = wall_ns;
    return true;
}

char *
cli_time(const char *text)
{
    char utc[TIME_BYTES];
    int64_t wall_ns = 0;
    bool good = text[0] == '+' ? from_now(text + 1, &wall_ns) : with_zone(text, &wall_ns);

    if (!good || wall_ns <= 0) {
        return NULL;
    }
    wire_time_text(wall_ns, utc);
    return strdup(utc);
}
