/* outcome.h - what became of a try, made from the work that was tried; and which work is to end.
 *
 * Shape    fills records begun in a draft, in a job or in a handler.
 * Promises an outcome names the same target, revision, version and attempt as its work.
 * Costs    linear in the texts.
 * Threads  caller's memory.
 */
#pragma once

#include "proto/messages.h"

/* Everything that a work and its outcome have in common. */
void outcome_fill(draft_t *draft, outcome_t *outcome, const work_t *work);
/* The same of a work that is a row of another record. */
void outcome_fill_of(draft_t *draft, outcome_t *outcome, const void *record, const work_t *work);
/* The outcome of a work that had none of its own: the point did not answer, or was not met. */
void outcome_fail(draft_t *draft, outcome_t *outcome, const work_t *work, err_t err, slice_t text);
/* Whether an order to end work means work of this target and revision: it may come behind the
 * answer with the target's next work, which goes on. */
bool outcome_is_stopped(const stopped_row_t *stopped, uint64_t target, uint64_t revision);
/* A cause as the one row of a `maybe`. */
rows_t outcome_cause(draft_t *draft, err_t err, const char *text);
/* Of an outcome that found nothing: whose it is, and why. */
void outcome_found_nothing(draft_t *draft, const outcome_t *outcome, text_t *ret_dp,
                           rows_t *ret_cause);
