/* due.h - a target as a row of work.
 *
 * Shape    due_fill writes one into the answer in hand.
 * Promises it carries all that an instruction tells: identity, version, revision and attempt.
 * Threads  one job.
 */
#pragma once

#include "actors/database/rows.h"

void due_fill(tx_t *tx, const target_t *target, uint32_t action, due_row_t *ret);
