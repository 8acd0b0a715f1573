/* alarms_look.c - which alarms follow from what was looked at; see alarms.h. */
#include <inttypes.h>
#include <stdio.h>

#include "actors/alarms.h"

static void
absent_points(alarms_t *alarms, const alarm_facts_t *facts)
{
    char name[ALARM_NAME_BYTES], text[ALARM_TEXT_BYTES];
    for (uint32_t i = 0; i < facts->absent.count; i++) {
        slice_t dp = record_slice(facts, *ROW(facts, facts->absent, i, text_t));
        snprintf(name, sizeof name, "absent:%.*s", (int) dp.size, dp.data);
        snprintf(text, sizeof text, "the distribution point '%.*s' has been absent for over %u h",
                 (int) dp.size, dp.data, ABSENT_ALARM_MS / 3600000u);
        alarms_raise(alarms, ALARM_OF_SITE, name, text);
    }
}

static void
full_points(alarms_t *alarms, const alarm_facts_t *facts)
{
    char name[ALARM_NAME_BYTES], text[ALARM_TEXT_BYTES];
    for (uint32_t i = 0; i < facts->full.count; i++) {
        slice_t dp = record_slice(facts, *ROW(facts, facts->full, i, text_t));
        snprintf(name, sizeof name, "space:%.*s", (int) dp.size, dp.data);
        snprintf(text, sizeof text, "targets wait for space at the distribution point '%.*s'",
                 (int) dp.size, dp.data);
        alarms_raise(alarms, ALARM_OF_SITE, name, text);
    }
}

void
alarms_of_site(alarms_t *alarms, const alarm_facts_t *facts)
{
    char text[ALARM_TEXT_BYTES];
    alarms_look(alarms, ALARM_OF_SITE);
    absent_points(alarms, facts);
    full_points(alarms, facts);
    if (facts->failed > 0) {
        snprintf(text, sizeof text, "targets have failed and wait for a person: %" PRIu64,
                 facts->failed);
        alarms_raise(alarms, ALARM_OF_SITE, "exhausted", text);
    }
    if (facts->site_free < SITE_FREE_BYTES_MIN) {
        snprintf(text, sizeof text, "the site's disk has %" PRIu64 " MiB left",
                 facts->site_free >> 20);
        alarms_raise(alarms, ALARM_OF_SITE, "space", text);
    }
    if (facts->clock_skew_ms > SKEW_MS_MAX || facts->clock_skew_ms < -SKEW_MS_MAX) {
        snprintf(text, sizeof text, "the wall clock jumped by %" PRId64 " s",
                 facts->clock_skew_ms / 1000);
        alarms_raise(alarms, ALARM_OF_SITE, "clock", text);
    }
    alarms_looked(alarms, ALARM_OF_SITE);
}

void
alarms_of_backlog(alarms_t *alarms, const backlog_t *backlog, uint32_t threshold_ms)
{
    char text[ALARM_TEXT_BYTES];
    alarms_look(alarms, ALARM_OF_BACKLOG);
    if (backlog->waiting > 0 && backlog->oldest_ms > threshold_ms) {
        snprintf(text, sizeof text,
                 "instructions wait for a despooling slot: %" PRIu64 ", the oldest for %" PRIu64
                 " s",
                 backlog->waiting, backlog->oldest_ms / 1000u);
        alarms_raise(alarms, ALARM_OF_BACKLOG, "backlog", text);
    }
    if (backlog->waiting > 0 && backlog->slots == 0) {
        alarms_raise(alarms, ALARM_OF_BACKLOG, "disabled",
                     "the despooler has 0 slots while instructions wait");
    }
    alarms_looked(alarms, ALARM_OF_BACKLOG);
}
