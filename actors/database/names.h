/* names.h - the distribution points that a command names, and those that it changed.
 *
 * Shape    names_resolve makes rows of points of names and @groups; changed_t collects names and
 *          becomes the answer.
 * Promises each point once; an unknown name or group is refused and named; none at all is
 *          no-targets.
 * Threads  one job.
 */
#pragma once

#include "actors/database/rows.h"

typedef struct point_list {
    int64_t *row;
    uint32_t count, room;
} point_list_t;

/* False: refused or failed. Free it in any case. */
bool names_resolve(tx_t *tx, const char *verb, const void *record, texts_t names,
                   point_list_t *ret_list);
bool names_all_points(tx_t *tx, point_list_t *ret_list);
void point_list_free(point_list_t *list);

typedef struct changed_point {
    char name[NAME_BYTES_MAX + 1];
    bool absent;
} changed_point_t;
typedef struct changed {
    changed_point_t *point;
    uint32_t count, room;
} changed_t;
void changed_add(tx_t *tx, changed_t *changed, const char *name);
/* One for which work is wanted now; absent: it is told that this waits for the point. */
void changed_add_tried(tx_t *tx, changed_t *changed, const char *name, bool absent);
/* Answers targets_changed (at most POINTS_PER_COMMAND_MAX names) and frees the list. */
void changed_answer(tx_t *tx, changed_t *changed);
