/* wire_time.c - the text form of a time of day; see wire_time.h and wire.h. */
#include "proto/wire_time.h"

#include <stdio.h>
#include <string.h>

#include "proto/wire.h"

#define NS_PER_SECOND   1000000000LL
#define NS_PER_MS       1000000LL
#define SECONDS_PER_DAY 86400LL
#define TIME_TEXT_BYTES 25 /* with the closing NUL */

/* Days since 1970-01-01 of a day of the Gregorian calendar. The year is taken to begin in March,
 * so that the leap day is its last; 400 years have 146,097 days. */
int64_t
wire_days_of_date(int64_t year, int64_t month, int64_t day)
{
    int64_t from_march = (month + 9) % 12;
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t day_of_year = (153 * from_march + 2) / 5 + day - 1;
    int64_t days = y * 365 + y / 4 - y / 100 + y / 400 + day_of_year;
    return days - 719468; /* 0000-03-01 to 1970-01-01; y is positive for all times told here */
}

wire_date_t
wire_date_of_days(int64_t days)
{
    int64_t from_0000 = days + 719468;
    int64_t cycle = from_0000 / 146097;
    int64_t rest = from_0000 % 146097;
    int64_t year = (rest - rest / 1460 + rest / 36524 - rest / 146096) / 365;
    int64_t day_of_year = rest - (365 * year + year / 4 - year / 100);
    int64_t from_march = (5 * day_of_year + 2) / 153;
    int64_t month = from_march < 10 ? from_march + 3 : from_march - 9;
    return (wire_date_t){.year = year + cycle * 400 + (month <= 2),
                         .month = month,
                         .day = day_of_year - (153 * from_march + 2) / 5 + 1};
}

static int64_t
floor_div(int64_t number, int64_t by)
{
    return number / by - (number % by < 0);
}

void
wire_time_text(int64_t wall_ns, char *ret_text)
{
    int64_t ms = floor_div(wall_ns, NS_PER_MS);
    int64_t seconds = floor_div(ms, 1000);
    int64_t days = floor_div(seconds, SECONDS_PER_DAY);
    unsigned of_day = (unsigned) (seconds - days * SECONDS_PER_DAY);
    wire_date_t date = wire_date_of_days(days);
    char text[64];
    snprintf(text, sizeof text, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", (unsigned) date.year,
             (unsigned) date.month, (unsigned) date.day, of_day / 3600, of_day / 60 % 60,
             of_day % 60, (unsigned) (ms - seconds * 1000));
    memcpy(ret_text, text, TIME_TEXT_BYTES);
}

void
wire_put_time(wire_writer_t *w, int64_t wall_ns)
{
    if (wall_ns == 0) {
        wire_put_nil(w);
        return;
    }
    char text[TIME_TEXT_BYTES];
    wire_time_text(wall_ns, text);
    wire_put_str(w, slice_of(text));
}

/* A number of exactly count digits at *at, which moves past it. */
static bool
take_digits(slice_t text, size_t *at, size_t count, int64_t *ret_number)
{
    int64_t number = 0;
    if (count > text.size - *at) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        char digit = text.data[*at + i];
        if (digit < '0' || digit > '9') {
            return false;
        }
        number = number * 10 + (digit - '0');
    }
    *at += count;
    *ret_number = number;
    return true;
}

static bool
take_mark(slice_t text, size_t *at, char mark)
{
    if (*at >= text.size || text.data[*at] != mark) {
        return false;
    }
    (*at)++;
    return true;
}

/* The digits after the point, as nanoseconds; none where there is no point. */
static bool
take_fraction(slice_t text, size_t *at, int64_t *ret_ns)
{
    *ret_ns = 0;
    if (!take_mark(text, at, '.')) {
        return true;
    }
    size_t count = 0;
    while (*at + count < text.size && count < 9 && text.data[*at + count] != 'Z') {
        count++;
    }
    if (count == 0 || !take_digits(text, at, count, ret_ns)) {
        return false;
    }
    for (; count < 9; count++) {
        *ret_ns *= 10;
    }
    return true;
}

static bool
date_exists(wire_date_t date)
{
    wire_date_t back = wire_date_of_days(wire_days_of_date(date.year, date.month, date.day));
    return back.year == date.year && back.month == date.month && back.day == date.day;
}

static bool
take_date(slice_t text, size_t *at, int64_t *ret_days)
{
    wire_date_t date;
    if (!take_digits(text, at, 4, &date.year) || !take_mark(text, at, '-') ||
        !take_digits(text, at, 2, &date.month) || !take_mark(text, at, '-') ||
        !take_digits(text, at, 2, &date.day)) {
        return false;
    }
    if (date.year < 1 || date.month < 1 || date.month > 12 || !date_exists(date)) {
        return false;
    }
    *ret_days = wire_days_of_date(date.year, date.month, date.day);
    return true;
}

static bool
take_clock(slice_t text, size_t *at, int64_t *ret_seconds)
{
    int64_t hours, minutes, seconds;
    if (!take_digits(text, at, 2, &hours) || !take_mark(text, at, ':') ||
        !take_digits(text, at, 2, &minutes) || !take_mark(text, at, ':') ||
        !take_digits(text, at, 2, &seconds)) {
        return false;
    }
    *ret_seconds = hours * 3600 + minutes * 60 + seconds;
    return hours < 24 && minutes < 60 && seconds < 60;
}

bool
wire_time_of_text(slice_t text, int64_t *ret_wall_ns)
{
    size_t at = 0;
    int64_t days, seconds, fraction, wall_ns;
    if (!take_date(text, &at, &days) || !take_mark(text, &at, 'T') ||
        !take_clock(text, &at, &seconds) || !take_fraction(text, &at, &fraction) ||
        !take_mark(text, &at, 'Z') || at != text.size) {
        return false;
    }
    /* The sum may reach below the first second of int64_t before the fraction brings it back. */
    __int128 whole = (__int128) (days * SECONDS_PER_DAY + seconds) * NS_PER_SECOND + fraction;
    if (whole < INT64_MIN || whole > INT64_MAX) {
        return false;
    }
    wall_ns = (int64_t) whole;
    *ret_wall_ns = wall_ns;
    return true;
}
