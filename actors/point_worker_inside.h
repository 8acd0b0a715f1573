/* point_worker_inside.h - what the files of the point_worker share: its state, edges and timers. */
#pragma once

#include "actors/answer.h"
#include "actors/jobs_point.h"
#include "actors/roster.h"
#include "proto/messages.h"

#define LOOK_MS 1000u /* between looks at the job in hand */

enum { TIMER_LOOK = 1, TIMER_PROBE, TIMER_COLLECT, TIMER_IDLE };

#define EDGES(E)                                                                                   \
    E(TELL, distribution_manager, point_returned)                                                  \
    E(TELL, site_database, progress)                                                               \
    E(TELL, status_manager, progress)
ACTOR_EDGES(EDGES)

typedef struct point_worker {
    kept_t *work; /* of the request in hand; NULL: none */
    request_t request;
    bool is_measure;
    uint64_t job;
    bool job_open;   /* a job thread is at work, perhaps for nobody any more */
    uint64_t seen;   /* bytes of the job in hand when last looked at */
    uint32_t still;  /* looks since then */
    kept_t *probe;   /* the look-out; NULL: none */
    kept_t *collect; /* superseded versions wait for the end of their grace time */
    uint32_t probe_ms;
} point_worker_t;

/* Ends the actor some time after it has nothing to do. */
actor_next_t point_rest(actor_ctx_t *ctx, const point_worker_t *self);
bool point_is_idle(const point_worker_t *self);

/* point_probe.c: an absent point is looked at until it is back. */
actor_next_t point_look_out(actor_ctx_t *ctx, point_worker_t *self, const probe_point_t *m);
actor_next_t point_probe(actor_ctx_t *ctx, point_worker_t *self);
/* point_collect.c: superseded versions go when their grace time has ended. */
actor_next_t point_collect_from(actor_ctx_t *ctx, point_worker_t *self, const collect_point_t *m);
actor_next_t point_collect(actor_ctx_t *ctx, point_worker_t *self);
