/* zone_rule.c - see zone_rule.h. */
#include "actors/database/zone_rule.h"

#include "proto/wire_time.h"

#define DAY_S 86400

/* 0: Sunday. */
static int64_t
weekday_of(int64_t days)
{
    return ((days + 4) % 7 + 7) % 7;
}

/* ---- reading ---- */

static bool
take(slice_t *text, char character)
{
    if (text->size == 0 || text->data[0] != character) {
        return false;
    }
    *text = (slice_t){text->data + 1, text->size - 1};
    return true;
}

static bool
is_digit(slice_t text)
{
    return text.size > 0 && text.data[0] >= '0' && text.data[0] <= '9';
}

static bool
take_number(slice_t *text, int32_t most, int32_t *ret_number)
{
    int32_t number = 0;

    if (!is_digit(*text)) {
        return false;
    }
    while (is_digit(*text)) {
        number = number * 10 + (text->data[0] - '0');
        if (number > most) {
            return false;
        }
        *text = (slice_t){text->data + 1, text->size - 1};
    }
    *ret_number = number;
    return true;
}

/* [+-]hh[:mm[:ss]] */
static bool
take_time(slice_t *text, int32_t hours_max, int32_t *ret_s)
{
    int32_t hours = 0, minutes = 0, seconds = 0;
    bool negative = take(text, '-');

    if (!negative) {
        (void) take(text, '+');
    }
    bool read = take_number(text, hours_max, &hours);
    if (read && take(text, ':')) {
        read = take_number(text, 59, &minutes);
        if (read && take(text, ':')) {
            read = take_number(text, 59, &seconds);
        }
    }
    int32_t all = hours * 3600 + minutes * 60 + seconds;
    *ret_s = negative ? -all : all;
    return read;
}

/* Three letters or more; in angles digits and signs as well. */
static bool
take_name(slice_t *text)
{
    size_t size = 0;
    bool angled = take(text, '<');

    for (;; size++) {
        char c = size < text->size ? text->data[size] : '\0';
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !(angled && ((c >= '0' && c <= '9') || c == '+' || c == '-'))) {
            break;
        }
    }
    *text = (slice_t){text->data + size, text->size - size};
    return size >= 3 && (!angled || take(text, '>'));
}

static bool
take_day(slice_t *text, zone_day_t *ret)
{
    bool read = false;

    ret->time_s = 2 * 3600;
    if (take(text, 'M')) {
        ret->kind = 'M';
        read = take_number(text, 12, &ret->month) && ret->month >= 1 && take(text, '.') &&
               take_number(text, 5, &ret->week) && ret->week >= 1 && take(text, '.') &&
               take_number(text, 6, &ret->day);
    } else if (take(text, 'J')) {
        ret->kind = 'J';
        read = take_number(text, 365, &ret->day) && ret->day >= 1;
    } else {
        ret->kind = 'N';
        read = take_number(text, 365, &ret->day);
    }
    return read && (!take(text, '/') || take_time(text, 167, &ret->time_s));
}

/* Its offsets are those of UTC less local time. */
bool
zone_rule_read(slice_t text, zone_rule_t *ret_rule)
{
    zone_rule_t rule = {.has_summer = false};

    if (!take_name(&text) || !take_time(&text, 24, &rule.standard_s)) {
        return false;
    }
    rule.standard_s = -rule.standard_s;
    if (text.size > 0) {
        rule.has_summer = true;
        rule.summer_s = rule.standard_s + 3600;
        if (!take_name(&text)) {
            return false;
        }
        if (text.size > 0 && text.data[0] != ',') {
            if (!take_time(&text, 24, &rule.summer_s)) {
                return false;
            }
            rule.summer_s = -rule.summer_s;
        }
        if (!take(&text, ',') || !take_day(&text, &rule.begins) || !take(&text, ',') ||
            !take_day(&text, &rule.ends)) {
            return false;
        }
    }
    *ret_rule = rule;
    return text.size == 0;
}

/* ---- the rule of a year ---- */

static bool
is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Week 5 is the last one of its month. */
static int64_t
days_of_rule(const zone_day_t *day, int64_t year)
{
    if (day->kind == 'N') {
        return wire_days_of_date(year, 1, 1) + day->day;
    }
    if (day->kind == 'J') {
        return wire_days_of_date(year, 1, 1) + day->day - 1 + (day->day >= 60 && is_leap(year));
    }
    int64_t first = wire_days_of_date(year, day->month, 1);
    int64_t next = day->month == 12 ? wire_days_of_date(year + 1, 1, 1)
                                    : wire_days_of_date(year, day->month + 1, 1);
    int64_t found = first + (day->day - weekday_of(first) + 7) % 7 + (day->week - 1) * 7;
    return found >= next ? found - 7 : found;
}

static int64_t
begins_of(const zone_rule_t *rule, int64_t year)
{
    return days_of_rule(&rule->begins, year) * DAY_S + rule->begins.time_s - rule->standard_s;
}

static int64_t
ends_of(const zone_rule_t *rule, int64_t year)
{
    return days_of_rule(&rule->ends, year) * DAY_S + rule->ends.time_s - rule->summer_s;
}

/* One change of the rule: narrows the span around the time. */
static void
see_change(zone_span_t *span, int64_t utc_s, int64_t change_s, int32_t after_s)
{
    if (change_s <= utc_s && change_s >= span->from_s) {
        span->from_s = change_s;
        span->offset_s = after_s;
    } else if (change_s > utc_s && change_s < span->until_s) {
        span->until_s = change_s;
    }
}

/* Changes of the years around it: one of the year before holds still in January. Where summer time
 * ends as it begins, it lasts all year: who begins is seen last. */
zone_span_t
zone_rule_at(const zone_rule_t *rule, int64_t utc_s)
{
    zone_span_t span = {rule->standard_s, INT64_MIN, INT64_MAX};
    if (!rule->has_summer) {
        return span;
    }
    int64_t year = wire_date_of_days(utc_s / DAY_S - (utc_s % DAY_S < 0)).year;
    for (int64_t y = year - 1; y <= year + 1; y++) {
        see_change(&span, utc_s, ends_of(rule, y), rule->standard_s);
        see_change(&span, utc_s, begins_of(rule, y), rule->summer_s);
    }
    return span;
}
