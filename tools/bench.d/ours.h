/* ours.h - what the files of despool's own bench program share.
 *
 * Shape    a workload is a list of classes and a root of them, which spawns the others, begins the
 *          measure when all are up, and ends it when the last message has arrived.
 * Promises only public headers, default class bounds, one configuration.
 * Threads  a root's handlers write ours_run before they stop the host; main reads it afterwards.
 */
#pragma once

#include <stdatomic.h>
#include "proto/record_table.h"
#include "runtime/host.h"
#include "tools/bench.d/bench.h"

/* What a root is told to do: its args. far: which of its cast sit on the other worker. */
typedef enum ours_far { FAR_NONE = 0, FAR_SECOND, FAR_ALL } ours_far_t;
#define FIELDS_ours_order(F, R)                                                                    \
    F(R, u64, count, 0, REQUIRED) F(R, u32, far, 0, REQUIRED) F(R, u32, detail, 0, REQUIRED)
#define FIELDS_ours_up(F, R)   F(R, u32, number, 0, REQUIRED)
#define FIELDS_ours_done(F, R) F(R, u64, arrived, 0, REQUIRED)
#define FIELDS_ours_peer(F, R)                                                                     \
    F(R, u32, index, 0, REQUIRED) F(R, u32, incarnation, 0, REQUIRED) F(R, u32, far, 0, REQUIRED)
RECORD_STRUCT(ours_order, FIELDS_ours_order)
RECORD_STRUCT(ours_up, FIELDS_ours_up)
RECORD_STRUCT(ours_done, FIELDS_ours_done)
RECORD_STRUCT(ours_peer, FIELDS_ours_peer)

typedef struct ours_run {
    meter_t meter;
    uint64_t ops, arrived;
    _Atomic uint32_t ended;
} ours_run_t;
extern ours_run_t ours_run;

typedef struct ours_cast {
    const actor_class_t *root;
    const actor_class_t *const *classes;
} ours_cast_t;
extern const ours_cast_t ours_ring, ours_stream, ours_spawn, ours_gather, ours_call, ours_full;
extern const ours_cast_t ours_own, ours_pool, ours_pace;

static inline bool
ours_is_far(ours_far_t far, uint32_t number)
{
    return far == FAR_ALL || (far == FAR_SECOND && number % 2 == 1);
}

static inline actor_ref_t
ours_ref(const ours_peer_t *m)
{
    return (actor_ref_t){m->index, m->incarnation};
}

/* Ends the measure and the host. */
static inline void
ours_end(actor_ctx_t *ctx, uint64_t ops, uint64_t arrived)
{
    meter_end(&ours_run.meter);
    ours_run.ops = ops;
    ours_run.arrived = arrived;
    atomic_store(&ours_run.ended, 1);
    actor_host_stop(ctx, "all has arrived");
}
