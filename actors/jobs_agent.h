/* jobs_agent.h - the jobs of an agent, beside those that work on its point (jobs_point.h).
 *
 * Shape    job_lack: lack_order -> lacking, lent a place_ahead_t or nothing; job_store: what is
 *          lent to it, an arrivals_t -> stored;
 *          job_tidy: work -> collected: the agent's store keeps what the point has, and what root
 *          is of the work, if any; job_bury: bury_order -> claimed;
 *          job_move: move_order -> claimed, whose root is the address;
 *          job_seed: seed_order -> agent_seeded; job_beacon: beacon_order -> claimed.
 * Promises each makes its answer whatever it meets. What stored counts is durable.
 * Costs    those of content/.
 * Errors   in the answers.
 * Threads  one job each, and one of the first three and job_seed at a time.
 */
#pragma once
#include "actors/content/place_ahead.h"
#include "runtime/actor.h"

#define STORE_MS     60000u /* of 8 MiB; a disk that takes longer is hung */
#define ARRIVALS_MAX 64u    /* messages of data that are made durable together */

typedef struct arrivals {
    kept_t *data[ARRIVALS_MAX]; /* agent_data */
    uint32_t count;
    uint64_t bytes;       /* of content, as they came */
    int64_t came_ns;      /* the last of them, by its actor's clock */
    place_ahead_t *ahead; /* of the version that they are of; or NULL */
    uint64_t ahead_of;    /* whose, by its actor's count */
} arrivals_t;

void arrivals_drop(void *arrivals);
job_fn job_lack, job_store, job_tidy, job_bury, job_move, job_seed, job_beacon;
