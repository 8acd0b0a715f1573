/* calendar.h - hours of a week in which something may be done, by the clock of a time zone.
 *
 * Shape    windows as people write them ("mon-fri 22:00-06:00") become parts of one week, which
 *          neither overlap nor touch.
 * Promises it is open exactly when the clock on the wall there shows a time in one of the windows:
 *          an hour that comes twice is in them twice, one that never comes is not.
 * Costs    a look some hundred comparisons.
 * Threads  pure: the time is an argument.
 */
#pragma once

#include "actors/database/zone.h"
#include "proto/limits.h"

#define WEEK_S 604800

typedef struct week_part {
    int32_t from_s, until_s; /* of a local week, which begins on Monday at 00:00 */
} week_part_t;

typedef struct calendar {
    uint32_t count;
    week_part_t part[WINDOWS_MAX * 8]; /* one for each day, and one more where a week begins */
} calendar_t;

/* Until when it is as it is; INT64_MAX: for ever. */
typedef struct calendar_now {
    bool open;
    int64_t until_s;
} calendar_now_t;

/* Adds a window, of which there are at most WINDOWS_MAX; false: it is none. */
bool calendar_add(calendar_t *calendar, slice_t window);
/* Joins what overlaps or touches; once, when all are added. */
void calendar_settle(calendar_t *calendar);
calendar_now_t calendar_at(const calendar_t *calendar, const zone_t *zone, int64_t utc_s);
/* When so many seconds in which it is open have passed; INT64_MAX: that is not found. */
int64_t calendar_after(const calendar_t *calendar, const zone_t *zone, int64_t utc_s,
                       int64_t open_s);

#define WINDOW_TEXT_BYTES 64u
/* One window as it is kept and shown, "mon-fri 22:00-06:00"; false: it is none. */
bool window_text(slice_t window, char ret_text[WINDOW_TEXT_BYTES]);

#define LOCAL_TIME_BYTES 32u
/* "2026-03-29 22:00" as the clock there shows it. */
void zone_text(const zone_t *zone, int64_t utc_s, char ret_text[LOCAL_TIME_BYTES]);
