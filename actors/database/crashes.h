/* crashes.h - what site_database does with work that has ended the host again and again.
 *
 * Shape    crashes_set_aside puts a set_aside for each target in front of the first group, so that
 *          it is put aside before anybody can take it up; crashes_forget ends their counts.
 * Promises a count ends only after the transaction that put its target aside: killed in between,
 *          it is put aside at the next start.
 * Threads  site_database's handlers.
 */
#pragma once

#include "actors/database/pending.h"

/* What to forget later, as bits. */
uint64_t crashes_set_aside(actor_ctx_t *ctx, pending_t *pending);
/* After a group: when it was committed, the counts of these are ended, and they are no more. */
void crashes_forget(const actor_ctx_t *ctx, const group_answers_t *answers, uint64_t *crashes);
