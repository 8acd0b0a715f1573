/* crowd.h - thousands of agents, none of which has a disk: what they say is all there is of them.
 *
 * Shape    a crowd stands on the other end of a stage's peer link. Each member joins by a token, as
 *          an agent does, says hello and signs of life, answers orders, and signs its receipts, all
 *          with the same key. What it has of a package is a byte.
 * Promises everything follows from the order of what the site says. What an order may not be is the
 *          stage's fault: for another point, a second one to place what the point has said it has,
 *          one more than the tries that failed.
 *          Some fail, by their number (crowd_kind): each package twice; for good for some packages;
 *          some are away for a while, some lose their connection once.
 * Costs    per member 256 bytes, per target 2; a frame is decoded and encoded as by an agent.
 * Threads  one.
 * Owner    crowd_new -> caller, crowd_destroy(&crowd), before its stage.
 */
#pragma once

#include "proto/messages.h"
#include "tests/sim/stage.h"

typedef enum crowd_kind {
    CROWD_WELL,
    CROWD_FAILS_TWICE, /* a try of each package, with an error that is tried again */
    CROWD_REFUSES,     /* each third package: what is there is somebody else's */
    CROWD_GOES,        /* is away from crowd_leave to crowd_arrive */
    CROWD_DROPS        /* its connection is lost once, with an order in hand */
} crowd_kind_t;
#define CROWD_TRIES 2u /* that fail, of who fails twice */

typedef struct crowd crowd_t;

typedef struct crowd_counts {
    uint64_t frames_down, frames_up, receipts, works, failed, collected, probes, drops;
    uint64_t flights_most; /* frames of agents on their way at one time */
} crowd_counts_t;

crowd_t *crowd_new(uint32_t members, uint32_t packages);
void crowd_destroy(crowd_t **crowd);
stage_agents_t crowd_agents(crowd_t *crowd);
/* Before any time passes. */
void crowd_meet(crowd_t *crowd, stage_t *stage);
/* Member by member: dp.add, the token, hello. False: the stage's fault says why. */
bool crowd_join(crowd_t *crowd);
void crowd_leave(crowd_t *crowd);
void crowd_arrive(crowd_t *crowd);
crowd_kind_t crowd_kind(uint32_t member);
/* Whether it refuses this package, counted from 1, for good. */
bool crowd_refuses(uint32_t member, uint32_t package);
/* "M00000" and so on. */
void crowd_name(uint32_t member, char ret_name[16]);
/* Whether it has signed a receipt for it. */
bool crowd_has(const crowd_t *crowd, uint32_t member, uint32_t package);
crowd_counts_t crowd_counts(const crowd_t *crowd);
