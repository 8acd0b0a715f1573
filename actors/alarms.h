/* alarms.h - the set of alarms that are raised, and whether anybody was told.
 *
 * Shape    an alarm has a name ("absent:berlin") and a source, which is looked at as a whole: what
 *          was not seen again in a look at its source has ended.
 * Promises each alarm is told once when it is raised and once when it ends; what could not be told
 *          stays untold and is told by the next look.
 * Costs    ALARMS_MAX places, found by name; a look goes once through all of them.
 * Errors   none: an alarm past ALARMS_MAX is dropped.
 * Threads  caller's memory only.
 */
#pragma once

#include "proto/messages.h"

#define ALARM_NAME_BYTES    128u
#define SITE_FREE_BYTES_MIN (64u << 20) /* less free space below the data directory is an alarm */
#define SKEW_MS_MAX         60000       /* a larger jump of the wall clock is an alarm */
#define ALARM_TEXT_BYTES    256u
#define ALARM_BUCKETS       1024u

typedef enum alarm_source {
    ALARM_OF_BACKLOG = 0,
    ALARM_OF_SITE,
    ALARM_OF_STALLED,
    ALARM_OF_LATE,
    ALARM_OF_LOST
} alarm_source_t;

typedef struct alarm {
    char name[ALARM_NAME_BYTES];
    char text[ALARM_TEXT_BYTES];
    alarm_source_t source;
    bool used, raised, told, seen;
    uint16_t next; /* in its bucket */
} alarm_t;

typedef struct alarms {
    alarm_t alarm[ALARMS_MAX];
    uint16_t bucket[ALARM_BUCKETS];
    uint32_t full; /* places from the first on that are taken */
} alarms_t;

void alarms_raise(alarms_t *alarms, alarm_source_t source, const char *name, const char *text);
void alarms_clear(alarms_t *alarms, alarm_source_t source, const char *name);
/* Begins a look at a source: what alarms_raise does not name until alarms_looked has ended. */
void alarms_look(alarms_t *alarms, alarm_source_t source);
void alarms_looked(alarms_t *alarms, alarm_source_t source);
/* The next alarm whose raising or ending is untold, NULL when there is none; start with NULL. */
alarm_t *alarms_untold(alarms_t *alarms, const alarm_t *after);
/* It has been told: an alarm that has ended is forgotten. */
void alarms_told(alarms_t *alarms, alarm_t *alarm);
uint32_t alarms_raised(const alarms_t *alarms);

/* One look at a source: what follows from these facts is raised, the rest of the source ends. */
void alarms_of_backlog(alarms_t *alarms, const backlog_t *backlog, uint32_t threshold_ms);
void alarms_of_site(alarms_t *alarms, const alarm_facts_t *facts);
