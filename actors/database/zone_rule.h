/* zone_rule.h - the rule in the footer of a zone file: standard time, and summer time of each year.
 *
 * Shape    "CET-1CEST,M3.5.0,M10.5.0/3" (POSIX TZ, with the hours that RFC 8536 allows).
 * Promises what is not such a text whole is refused.
 * Threads  pure.
 */
#pragma once

#include "actors/database/zone.h"

typedef struct zone_day {
    char kind; /* 'M': month, week, weekday; 'J': day of a year without leap days; 'N': from 0 */
    int32_t month, week, day;
    int32_t time_s; /* local, from its midnight; may be before it, or days behind */
} zone_day_t;

typedef struct zone_rule {
    bool has_summer;
    int32_t standard_s, summer_s; /* less UTC */
    zone_day_t begins, ends;      /* of summer time */
} zone_rule_t;

bool zone_rule_read(slice_t text, zone_rule_t *ret_rule);
zone_span_t zone_rule_at(const zone_rule_t *rule, int64_t utc_s);
