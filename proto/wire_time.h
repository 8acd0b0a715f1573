/* wire_time.h - the text form of a time of day on the wire.
 *
 * Shape    "2026-03-01T12:00:00.000Z" from and to nanoseconds since 1970 UTC.
 * Promises every int64_t has a text (the years 1677 to 2262), and that text reads back as the same
 *          millisecond; nothing else is accepted.
 * Costs    a fixed number of divisions, no allocation, no time zone data.
 * Threads  caller's memory only.
 */
#pragma once

#include "proto/record.h"

/* Accepts YYYY-MM-DDThh:mm:ss, then nothing or a point and 1 to 9 digits, then Z. */
bool wire_time_of_text(slice_t text, int64_t *ret_wall_ns);

/* A day of the Gregorian calendar, of the years that have times; days count from 1970-01-01. */
typedef struct wire_date {
    int64_t year, month, day; /* month and day from 1 */
} wire_date_t;
int64_t wire_days_of_date(int64_t year, int64_t month, int64_t day);
wire_date_t wire_date_of_days(int64_t days);
