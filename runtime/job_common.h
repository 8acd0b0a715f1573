/* job_common.h - blocks that jobs of one host have in common while several of them make the same.
 *
 * Shape    a common_t of a host; a seat in it for each job that runs, which is the `common` of the
 *          job's world. Jobs that have joined the same group make a block once: the first that asks
 *          for it is told to make it, the others wait for it and borrow it. A key says what a block
 *          is a part of and what comes before it, so who takes it knows what it continues.
 * Promises nobody waits longer than the patience for a block that another makes: then it makes it
 *          itself. One that does not come for its blocks (its disk hangs), or comes late again and
 *          again (it is slow), is left behind when others have waited for it for a patience in
 *          all: nothing is kept for it any more; it goes on with those that were left behind with
 *          it, and when it is late there, alone. Blocks that all have taken are kept for who may
 *          still come, while there is room: who joins in time finds all that the others have made.
 *          Once one has gone, who joins goes on with those who join then.
 *          What is in a block never changes while somebody has it in hand.
 * Costs    at most COMMON_BLOCKS_MAX blocks of any size that is put, kept for the next ones until
 *          the last job has left; one lock, held for a look at all blocks.
 * Errors   none: without room or memory a job is told to make its block alone.
 * Threads  every function from any thread; a seat belongs to one job.
 * Owner    common_new -> the job pool or the simulated machine, common_destroy(&common) when no
 *          seat has joined.
 */
#pragma once

#include "runtime/world.h"

#define COMMON_BLOCKS_MAX 32u /* blocks; a placement's have at most 1 MiB */
#define COMMON_SEATS_MAX  64u /* jobs that have joined; a further one is alone */

#define COMMON_PATIENCE_NS 1000000000

typedef struct common common_t;

typedef struct common_seat {
    world_common_t common; /* first: the world's */
    common_t *of;
    uint64_t bit;   /* of this seat among those that have joined; 0: it has not */
    uint32_t taken; /* block in hand + 1, 0: none */
    uint32_t made;  /* block that is to be made + 1 */
} common_seat_t;

/* patience_ns: 0 never waits, as in the simulator. */
common_t *common_new(int64_t patience_ns);
void common_destroy(common_t **common);
/* Fills a seat and returns it as a world's; it is left by world_common_leave. */
world_common_t *common_seat(common_t *common, common_seat_t *seat);
