/* views.h - parts of answers that show packages, targets and points.
 *
 * Shape    each puts rows into the answer in hand and returns them.
 * Promises what does not fit sets the draft full, which the group sees.
 * Threads  one job.
 */
#pragma once

#include "actors/database/rows.h"

rows_t view_version(tx_t *tx, uint64_t epoch, slice_t label, const digest_t *root); /* 0: none */
texts_t view_excludes(tx_t *tx, int64_t package);
rows_t view_cause(tx_t *tx, const target_t *target);
/* How its agent's own program ended for what it has; activations.c. */
rows_t view_activation(tx_t *tx, const target_t *target);
