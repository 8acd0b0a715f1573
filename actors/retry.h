/* retry.h - what follows from one try on one target: its next state, its count, its next date.
 *
 * Shape    one pure function of an outcome and a random number.
 * Promises absence (absent, hung, another point's root) uses up no attempt and waits for the
 *          point; want of space uses up none and waits for space; a try that did not reach the
 *          point is not counted; a counted try adds exactly one. A removal never fails for good.
 * Costs    none.
 * Threads  pure.
 */
#pragma once

#include "proto/messages.h"

typedef struct retry_next {
    target_state_t next;
    uint32_t attempts;  /* tries that reached the point, this one included where it counts */
    uint32_t integrity; /* digest failures in a row, this one included */
    uint64_t due_ms;    /* from now; RECORD_NONE: no further try is planned */
    bool look_out;      /* the point is to be looked for until it is back */
} retry_next_t;

retry_next_t retry_decide(const outcome_t *outcome, uint64_t random);
/* Before the try after this many: doubling from RETRY_FIRST_MS to RETRY_MAX_MS, less up to a
 * quarter. */
uint64_t retry_backoff_ms(uint32_t attempts, uint64_t random);
