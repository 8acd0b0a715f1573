/* alarms.c - see alarms.h. */
#include "actors/alarms.h"

#include <stdio.h>
#include <string.h>

/* ---- by their names ---- */

/* Places are counted from 1 in it; 0: none. */
static uint16_t *
bucket_of(alarms_t *alarms, const char *name)
{
    uint32_t hash = 2166136261u; /* FNV-1a */

    for (; *name; name++) {
        hash = (hash ^ (uint8_t) *name) * 16777619u;
    }
    return &alarms->bucket[hash % ALARM_BUCKETS];
}

static alarm_t *
find(alarms_t *alarms, alarm_source_t source, const char *name)
{
    for (uint32_t at = *bucket_of(alarms, name); at != 0; at = alarms->alarm[at - 1].next) {
        alarm_t *alarm = &alarms->alarm[at - 1];
        if (alarm->source == source && strcmp(alarm->name, name) == 0) {
            return alarm;
        }
    }
    return NULL;
}

/* The first place that is free. */
static alarm_t *
place(alarms_t *alarms)
{
    while (alarms->full < ALARMS_MAX && alarms->alarm[alarms->full].used) {
        alarms->full++;
    }
    return alarms->full < ALARMS_MAX ? &alarms->alarm[alarms->full] : NULL;
}

static void
forget(alarms_t *alarms, alarm_t *alarm)
{
    uint32_t number = (uint32_t) (alarm - alarms->alarm);
    uint16_t *at = bucket_of(alarms, alarm->name);

    while (*at != number + 1) {
        at = &alarms->alarm[*at - 1].next;
    }
    *at = alarm->next;
    alarm->used = false;
    alarms->full = number < alarms->full ? number : alarms->full;
}

/* ---- raised and ended ---- */

/* Raised again before its end was told: nobody needs to hear of it. */
static void
set_raised(alarms_t *alarms, alarm_t *alarm, bool raised)
{
    if (alarm->raised != raised) {
        alarm->raised = raised;
        alarm->told = !alarm->told;
    }
    if (!alarm->raised && alarm->told) {
        forget(alarms, alarm);
    }
}

void
alarms_raise(alarms_t *alarms, alarm_source_t source, const char *name, const char *text)
{
    alarm_t *alarm = find(alarms, source, name);
    if (alarm != NULL) {
        alarm->seen = true;
        set_raised(alarms, alarm, true);
        return;
    }
    alarm = place(alarms);
    if (alarm != NULL) {
        *alarm = (alarm_t){.source = source, .used = true, .raised = true, .seen = true};
        snprintf(alarm->name, sizeof alarm->name, "%s", name);
        snprintf(alarm->text, sizeof alarm->text, "%s", text);
        uint16_t *bucket = bucket_of(alarms, alarm->name);
        alarm->next = *bucket;
        *bucket = (uint16_t) (alarm - alarms->alarm + 1);
    }
}

void
alarms_clear(alarms_t *alarms, alarm_source_t source, const char *name)
{
    alarm_t *alarm = find(alarms, source, name);
    if (alarm != NULL) {
        set_raised(alarms, alarm, false);
    }
}

void
alarms_look(alarms_t *alarms, alarm_source_t source)
{
    for (uint32_t i = 0; i < ALARMS_MAX; i++) {
        if (alarms->alarm[i].source == source) {
            alarms->alarm[i].seen = false;
        }
    }
}

void
alarms_looked(alarms_t *alarms, alarm_source_t source)
{
    for (uint32_t i = 0; i < ALARMS_MAX; i++) {
        alarm_t *alarm = &alarms->alarm[i];
        if (alarm->used && alarm->source == source && !alarm->seen) {
            set_raised(alarms, alarm, false);
        }
    }
}

alarm_t *
alarms_untold(alarms_t *alarms, const alarm_t *after)
{
    uint32_t from = after == NULL ? 0 : (uint32_t) (after - alarms->alarm) + 1u;
    for (uint32_t i = from; i < ALARMS_MAX; i++) {
        if (alarms->alarm[i].used && !alarms->alarm[i].told) {
            return &alarms->alarm[i];
        }
    }
    return NULL;
}

void
alarms_told(alarms_t *alarms, alarm_t *alarm)
{
    alarm->told = true;
    if (!alarm->raised) {
        forget(alarms, alarm);
    }
}

uint32_t
alarms_raised(const alarms_t *alarms)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < ALARMS_MAX; i++) {
        count += alarms->alarm[i].used && alarms->alarm[i].raised;
    }
    return count;
}
