/* switchovers.h - points stage a version first, and switch to it later: at a time, or all or none.
 *
 * Shape    a switchover is a row of its package; each of its targets has a turn: it stages, or it
 *          goes. switchover_advance is called after every message that changed targets of the
 *          package, in its transaction, and when the clock has come to a time of the row.
 * Promises a target that stages is never instructed to switch. The decision is the row and the
 *          turns of all its targets, in one transaction, before any instruction of it leaves; it is
 *          made once, and never taken back. With a barrier it is made only when every target has
 *          promised; a deadline cancels before it and never after.
 * Costs    looking: some rows of an index. Beginning, deciding, cancelling: one step for each of
 *          its targets.
 * Threads  one job.
 */
#pragma once

#include "actors/database/names.h"

/* What a distribute, or an update, asks for. */
typedef struct switch_wish {
    bool barrier;
    int64_t activate_at, deadline; /* wall ns; 0: none */
} switch_wish_t;

bool switch_is_asked(const switch_wish_t *wish);
/* False: refused. rings: asked for, too. Nothing is begun. */
bool switchover_may(tx_t *tx, const package_t *package, bool rings, const switch_wish_t *wish);
/* Every target that is to have the package stages the version that it is about to want. */
void switchover_of_all(tx_t *tx, const package_t *package, const switch_wish_t *wish);
/* After its first target has its turn. */
void switchover_begin(tx_t *tx, const package_t *package, const switch_wish_t *wish);
/* Whether this target waits for its turn, and is not to be touched by another distribute. */
bool switchover_holds(tx_t *tx, const target_t *target);
/* Whether this target has promised and the decision is made: it cannot be cancelled. */
bool switchover_binds(tx_t *tx, const target_t *target);
/* Whether a switchover that is not decided stands in the way of a rollout; refused then. */
bool switchover_is_open(tx_t *tx, int64_t package);
/* Another version goes the same way: the points of a barrier stage it, and wait for one another.
 * Before its targets want it. */
void switchover_anew(tx_t *tx, const package_t *package);
/* A version that was there before goes to all points at once. */
void switchover_overtaken(tx_t *tx, const package_t *package);
void switchover_advance(tx_t *tx, int64_t package);
/* What the clock decides or cancels, and whom those that take long wait for. */
void switchovers_look(tx_t *tx);
rows_t view_switchover(tx_t *tx, int64_t package);
