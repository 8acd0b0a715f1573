/* alarms.c - see alarms.h. */
#include "actors/alarms.h"

#include <stdio.h>
#include <string.h>

static alarm_t *
find(alarms_t *alarms, alarm_source_t source, const char *name)
{
    for (uint32_t i = 0; i < ALARMS_MAX; i++) {
        alarm_t *alarm = &alarms->alarm[i];
        if (alarm->used && alarm->source == source && strcmp(alarm->name, name) == 0) {
            return alarm;
        }
    }
    return NULL;
}

static alarm_t *
place(alarms_t *alarms)
{
    for (uint32_t i = 0; i < ALARMS_MAX; i++) {
        if (!alarms->alarm[i].used) {
            return &alarms->alarm[i];
        }
    }
    return NULL;
}

/* Raised again before its end was told: nobody needs to hear of it. */
static void
set_raised(alarm_t *alarm, bool raised)
{
    if (alarm->raised != raised) {
        alarm->raised = raised;
        alarm->told = !alarm->told;
    }
    if (!alarm->raised && alarm->told) {
        alarm->used = false;
    }
}

void
alarms_raise(alarms_t *alarms, alarm_source_t source, const char *name, const char *text)
{
    alarm_t *alarm = find(alarms, source, name);
    if (alarm != NULL) {
        alarm->seen = true;
        set_raised(alarm, true);
        return;
    }
    alarm = place(alarms);
    if (alarm != NULL) {
        *alarm = (alarm_t){.source = source, .used = true, .raised = true, .seen = true};
        snprintf(alarm->name, sizeof alarm->name, "%s", name);
        snprintf(alarm->text, sizeof alarm->text, "%s", text);
    }
}

void
alarms_clear(alarms_t *alarms, alarm_source_t source, const char *name)
{
    alarm_t *alarm = find(alarms, source, name);
    if (alarm != NULL) {
        set_raised(alarm, false);
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
            set_raised(alarm, false);
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
alarms_told(alarm_t *alarm)
{
    alarm->told = true;
    alarm->used = alarm->raised;
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
