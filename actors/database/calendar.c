/* calendar.c - see calendar.h.
 *
 * A look goes from one change to the next: of the windows within the time in which the zone's
 * offset stays what it is, and of the offset itself. */
#include "actors/database/calendar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "proto/wire_time.h"

#define DAY_S     86400
#define DAYS      7
#define ALL_DAYS  ((1u << DAYS) - 1)
#define STEPS_MAX 64u /* changes of windows and of the offset until something changes; 4 would do */

static const char *const day_words[DAYS] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
static const char *const day_names[DAYS] = {"monday", "tuesday",  "wednesday", "thursday",
                                            "friday", "saturday", "sunday"};

/* A window as it was read: the days on which it begins, and when, of a day. */
typedef struct window {
    uint32_t days; /* a bit for each, Monday first */
    int32_t from_s, until_s;
} window_t;

/* ---- reading ---- */

static slice_t
rest_of(slice_t text, size_t from)
{
    return (slice_t){text.data + from, text.size - from};
}

static void
skip_spaces(slice_t *text)
{
    while (text->size > 0 && text->data[0] == ' ') {
        *text = rest_of(*text, 1);
    }
}

static bool
take(slice_t *text, const char *word)
{
    size_t size = strlen(word);

    if (text->size < size || memcmp(text->data, word, size) != 0) {
        return false;
    }
    *text = rest_of(*text, size);
    return true;
}

/* "mon" and "Monday" are the same day. */
static bool
take_day(slice_t *text, int *ret_day)
{
    size_t size = 0;

    while (size < text->size &&
           ((text->data[size] | 0x20) >= 'a' && (text->data[size] | 0x20) <= 'z')) {
        size++;
    }
    for (int day = 0; day < DAYS; day++) {
        if ((size == 3 && strncasecmp(text->data, day_words[day], size) == 0) ||
            (size == strlen(day_names[day]) &&
             strncasecmp(text->data, day_names[day], size) == 0)) {
            *text = rest_of(*text, size);
            *ret_day = day;
            return true;
        }
    }
    return false;
}

/* A day, or from one to another, beyond Sunday as well. */
static bool
take_days(slice_t *text, uint32_t *days)
{
    int first = 0, last = 0;

    if (!take_day(text, &first)) {
        return false;
    }
    last = first;
    if ((take(text, "..") || take(text, "-")) && !take_day(text, &last)) {
        return false;
    }
    for (int day = first;; day = (day + 1) % DAYS) {
        *days |= 1u << day;
        if (day == last) {
            return true;
        }
    }
}

static bool
take_time(slice_t *text, int32_t *ret_s)
{
    int32_t part[2] = {0, 0};

    for (int i = 0; i < 2; i++) {
        size_t digits = 0;
        while (digits < text->size && digits < 2 && text->data[digits] >= '0' &&
               text->data[digits] <= '9') {
            part[i] = part[i] * 10 + (text->data[digits++] - '0');
        }
        *text = rest_of(*text, digits);
        if (digits == 0 || (i == 0 && !take(text, ":")) || (i == 1 && digits != 2)) {
            return false;
        }
    }
    *ret_s = part[0] * 3600 + part[1] * 60;
    return part[1] < 60 && *ret_s <= DAY_S;
}

/* [DAYS] HH:MM-HH:MM; without days it is of every day. */
static bool
read_window(slice_t text, window_t *ret)
{
    window_t window = {.days = 0};

    skip_spaces(&text);
    if (text.size > 0 && (text.data[0] < '0' || text.data[0] > '9')) {
        if (take(&text, "daily") || take(&text, "*")) {
            window.days = ALL_DAYS;
        } else if (!take_days(&text, &window.days)) {
            return false;
        }
        while (take(&text, ",")) {
            if (!take_days(&text, &window.days)) {
                return false;
            }
        }
        if (text.size == 0 || text.data[0] != ' ') {
            return false;
        }
        skip_spaces(&text);
    }
    window.days = window.days == 0 ? ALL_DAYS : window.days;
    if (!take_time(&text, &window.from_s) || !(take(&text, "..") || take(&text, "-")) ||
        !take_time(&text, &window.until_s)) {
        return false;
    }
    skip_spaces(&text);
    *ret = window;
    return text.size == 0 && window.from_s < DAY_S && window.from_s != window.until_s;
}

/* ---- the parts of a week ---- */

static void
add_part(calendar_t *calendar, int32_t from_s, int32_t until_s)
{
    if (from_s < until_s) {
        calendar->part[calendar->count++] = (week_part_t){from_s, until_s};
    }
}

bool
calendar_add(calendar_t *calendar, slice_t text)
{
    const uint32_t most = sizeof calendar->part / sizeof calendar->part[0];
    window_t window;

    if (!read_window(text, &window) || calendar->count + DAYS + 1 > most) {
        return false;
    }
    int32_t length = window.until_s - window.from_s;
    length += length < 0 ? DAY_S : 0;
    for (int day = 0; day < DAYS; day++) {
        int32_t from_s = day * DAY_S + window.from_s, until_s = from_s + length;
        if ((window.days & 1u << day) != 0) {
            add_part(calendar, from_s, until_s < WEEK_S ? until_s : WEEK_S);
            add_part(calendar, 0, until_s - WEEK_S);
        }
    }
    return true;
}

static int
by_begin(const void *a, const void *b)
{
    return ((const week_part_t *) a)->from_s - ((const week_part_t *) b)->from_s;
}

void
calendar_settle(calendar_t *calendar)
{
    uint32_t count = 0;

    qsort(calendar->part, calendar->count, sizeof calendar->part[0], by_begin);
    for (uint32_t i = 0; i < calendar->count; i++) {
        week_part_t next = calendar->part[i];
        week_part_t *last = count > 0 ? &calendar->part[count - 1] : NULL;
        if (last && next.from_s <= last->until_s) {
            last->until_s = next.until_s > last->until_s ? next.until_s : last->until_s;
        } else {
            calendar->part[count++] = next;
        }
    }
    calendar->count = count;
}

/* ---- a look ---- */

/* Whether a second of the week is in it, and how long that stays so, were the week to go on. */
static bool
look_in_week(const calendar_t *calendar, int32_t week_s, int32_t *ret_for_s)
{
    int32_t next_s = WEEK_S;

    for (uint32_t i = 0; i < calendar->count; i++) {
        const week_part_t *part = &calendar->part[i];
        if (part->from_s <= week_s && week_s < part->until_s) {
            *ret_for_s = part->until_s - week_s;
            return true;
        }
        next_s = part->from_s > week_s && part->from_s < next_s ? part->from_s : next_s;
    }
    *ret_for_s = next_s - week_s;
    return false;
}

/* 1970-01-01 was a Thursday. */
static int32_t
week_of(int64_t local_s)
{
    int64_t in_week = (local_s + 3 * DAY_S) % WEEK_S;
    return (int32_t) (in_week < 0 ? in_week + WEEK_S : in_week);
}

static bool
step(const calendar_t *calendar, const zone_t *zone, int64_t utc_s, int64_t *ret_next_s)
{
    zone_span_t span = zone_at(zone, utc_s);
    int32_t for_s = 0;
    bool open = look_in_week(calendar, week_of(utc_s + span.offset_s), &for_s);

    *ret_next_s = span.until_s < utc_s + for_s ? span.until_s : utc_s + for_s;
    return open;
}

calendar_now_t
calendar_at(const calendar_t *calendar, const zone_t *zone, int64_t utc_s)
{
    calendar_now_t now = {.until_s = utc_s};

    now.open = step(calendar, zone, utc_s, &now.until_s);
    for (uint32_t i = 0; i < STEPS_MAX; i++) {
        int64_t next_s = 0;
        if (step(calendar, zone, now.until_s, &next_s) != now.open) {
            return now;
        }
        now.until_s = next_s;
    }
    now.until_s = INT64_MAX; /* the whole week is one part */
    return now;
}

int64_t
calendar_after(const calendar_t *calendar, const zone_t *zone, int64_t utc_s, int64_t open_s)
{
    int64_t at_s = utc_s;

    for (uint32_t i = 0; i < WINDOWS_LOOKED_MAX; i++) {
        calendar_now_t now = calendar_at(calendar, zone, at_s);
        if (now.open && open_s <= now.until_s - at_s) {
            return at_s + open_s;
        }
        if (now.until_s == INT64_MAX) {
            break;
        }
        open_s -= now.open ? now.until_s - at_s : 0;
        at_s = now.until_s;
    }
    return INT64_MAX;
}

/* ---- texts ---- */

static bool
has_day(const window_t *window, int day)
{
    return (window->days & 1u << day) != 0;
}

/* Three days in a row, or more, are written from the first to the last. */
static void
put_days(const window_t *window, char *text, size_t size)
{
    size_t used = 0;

    text[0] = '\0';
    for (int day = 0; day < DAYS; day++) {
        int last = day;
        while (has_day(window, day) && last + 1 < DAYS && has_day(window, last + 1)) {
            last++;
        }
        last = last - day < 2 ? day : last;
        if (has_day(window, day)) {
            used += (size_t) snprintf(text + used, size - used, "%s%s%s%s", used > 0 ? "," : "",
                                      day_words[day], last > day ? "-" : "",
                                      last > day ? day_words[last] : "");
        }
        day = last;
    }
}

bool
window_text(slice_t text, char ret_text[WINDOW_TEXT_BYTES])
{
    char days[32] = "daily";
    window_t window;

    if (!read_window(text, &window)) {
        return false;
    }
    if (window.days != ALL_DAYS) {
        put_days(&window, days, sizeof days);
    }
    snprintf(ret_text, WINDOW_TEXT_BYTES, "%s %02d:%02d-%02d:%02d", days, window.from_s / 3600,
             window.from_s / 60 % 60, window.until_s / 3600, window.until_s / 60 % 60);
    return true;
}

void
zone_text(const zone_t *zone, int64_t utc_s, char ret_text[LOCAL_TIME_BYTES])
{
    int64_t local_s = utc_s + zone_at(zone, utc_s).offset_s;
    int64_t day = local_s / DAY_S - (local_s % DAY_S < 0), in_day = local_s - day * DAY_S;
    wire_date_t date = wire_date_of_days(day);

    snprintf(ret_text, LOCAL_TIME_BYTES, "%04d-%02d-%02d %02d:%02d", (int) date.year,
             (int) date.month, (int) date.day, (int) (in_day / 3600), (int) (in_day / 60 % 60));
}
