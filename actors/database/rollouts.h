/* rollouts.h - rings: a package goes to its points in parts, and stops when too many fail.
 *
 * Shape    a rollout is a row of its package; each of its targets has the number of its ring and is
 *          held while that ring has not begun. rollout_advance is called after every message that
 *          changed targets of the package, in its transaction: that is all that moves a rollout.
 * Promises a ring begins when every target of the rings before it is installed, or counts as one of
 *          fewer than stop_at failures; a rollout that is stopped begins no work. A target is held
 *          with the cause `ring`, and by nothing else. What a ring waits for is told.
 * Costs    looking: some rows of an index for each ring, whatever the number of targets. Beginning
 *          or stopping: one step for each target of that ring.
 * Threads  one job.
 */
#pragma once

#include "actors/database/names.h"

/* How the points of a command are spread; ring 0 of all when it asks for none. */
typedef struct spread {
    uint32_t percent[RINGS_MAX];
    uint32_t count;
    char text[RINGS_MAX * 4 + 1]; /* as they were given */
} spread_t;

/* False: refused. The points that are named singly come first in the list, as they are named. */
bool spread_read(tx_t *tx, const char *verb, const void *record, texts_t rings, spread_t *ret);
void spread_order(tx_t *tx, const void *record, texts_t to, point_list_t *points);
uint32_t spread_ring(const spread_t *spread, uint32_t place, uint32_t points);

/* Begins a rollout in its first ring; refused while another is under way. */
bool rollout_begin(tx_t *tx, const package_t *package, const spread_t *spread, uint32_t stop_at);
/* The target is in this ring (0: none), and held or not. Whether that is a change; save it then. */
bool rollout_place(tx_t *tx, target_t *target, uint32_t ring, bool held);
/* Another version goes the same way, from the first ring on; or, at once, to everybody. */
void rollout_anew(tx_t *tx, const package_t *package, bool at_once);
/* Everything of it that was not installed is cancelled. */
void rollout_cancelled(tx_t *tx, const package_t *package);
void rollout_advance(tx_t *tx, int64_t package);
bool rollout_is(tx_t *tx, int64_t package);
bool rollout_is_open(tx_t *tx, int64_t package); /* it runs, or is stopped */
/* Tells of rings that take long for whom they wait. */
void rollouts_tell(tx_t *tx);
rows_t view_rollout(tx_t *tx, int64_t package);
