/* job_shares.h - what the jobs of a host share: blocks, hands and a memo.
 *
 * Shape    one of each; lent to a job with its world.
 * Threads  shares_lend from any thread; the others while no job runs.
 * Owner    shares_open -> the job pool, shares_close.
 */
#pragma once

#include "runtime/job_common.h"
#include "runtime/job_hands.h"
#include "runtime/job_memo.h"

typedef struct shares {
    common_t *common;
    hands_t *hands;
    memo_t *memo;
} shares_t;

static inline void
shares_open(shares_t *shares)
{
    shares->common = common_new(COMMON_PATIENCE_NS);
    shares->hands = hands_new(hands_useful());
    shares->memo = memo_new(MEMO_PATIENCE_NS);
}

static inline void
shares_close(shares_t *shares)
{
    common_destroy(&shares->common);
    hands_destroy(&shares->hands);
    memo_destroy(&shares->memo);
}

/* The seat is the job's own. */
static inline void
shares_lend(const shares_t *shares, common_seat_t *seat, world_t *world)
{
    world->common = common_seat(shares->common, seat);
    world->hands = hands_of(shares->hands);
    world->memo = memo_of(shares->memo);
}
