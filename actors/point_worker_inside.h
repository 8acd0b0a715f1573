/* point_worker_inside.h - what the files of the point_worker share: its state, edges and timers. */
#pragma once

#include "actors/answer.h"
#include "actors/jobs_point.h"
#include "actors/roster.h"
#include "proto/messages.h"

#define POINT_WORK_MS 14400000u /* of one placement: four hours; what is staged by then is kept */
#define LOOK_MS       1000u     /* between looks at the job in hand */

enum { TIMER_LOOK = 1, TIMER_PROBE, TIMER_COLLECT, TIMER_IDLE };

#define EDGES(E)                                                                                   \
    E(ASK, agent_gateway, agent_call)                                                              \
    E(TELL, agent_gateway, agent_end)                                                              \
    E(TELL, distribution_manager, point_returned)                                                  \
    E(TELL, distribution_manager, scrubbed)                                                        \
    E(TELL, distribution_manager, looked)                                                          \
    E(TELL, site_database, target_tidied)                                                          \
    E(TELL, site_database, note_event)                                                             \
    E(TELL, site_database, progress)                                                               \
    E(TELL, status_manager, progress)
ACTOR_EDGES(EDGES)

#define POINT_TIDIES_MAX                                                                           \
    1000u /* packages whose collection waits; a further one waits for its next */

/* Superseded versions of one package, that wait for the end of their grace time. */
typedef struct tidy {
    struct tidy *next;
    kept_t *order; /* collect_point */
    int64_t due_ns;
    bool told; /* that it fails */
    bool ends; /* the point was forgotten while it was in hand */
} tidy_t;

typedef struct point_worker {
    kept_t *work; /* of the request in hand; NULL: none */
    request_t request;
    bool is_measure;
    uint64_t job;
    bool job_open;   /* a job thread is at work, perhaps for nobody any more */
    uint64_t seen;   /* bytes of the job in hand when last looked at */
    uint64_t beats;  /* signs of life until then */
    uint32_t still;  /* looks since the last one */
    kept_t *probe;   /* the look-out; NULL: none */
    kept_t *look;    /* one look in hand, of a point without work; NULL: none */
    tidy_t *tidies;  /* in no order */
    tidy_t *tidying; /* whose job is the one at work; NULL: the request's is, or none */
    kept_t *scrub;   /* the portion in hand: the job at work is its; NULL: none */
    uint32_t tidy_count;
    uint32_t probe_ms;
} point_worker_t;

/* Ends the actor some time after it has nothing to do. */
actor_next_t point_rest(actor_ctx_t *ctx, const point_worker_t *self);
/* Answers the request in hand with an error. */
void point_answer_failed(actor_ctx_t *ctx, point_worker_t *self, err_t err);
actor_next_t point_start_work(actor_ctx_t *ctx, point_worker_t *self);
bool point_is_idle(const point_worker_t *self);

/* point_agent.c: a point that is another machine. */
bool point_is_far(const work_t *work);
verdict_t point_agent_ask(actor_ctx_t *ctx, agent_task_t task, const work_t *work,
                          uint32_t deadline_ms, actor_answer_fn *then) must_use;
verdict_t point_agent_probe(actor_ctx_t *ctx, const probe_point_t *probe,
                            actor_answer_fn *then) must_use;
actor_next_t point_agent_start(actor_ctx_t *ctx, point_worker_t *self);
/* What is asked of the agent for this work, or for older work of its target, is to end. */
void point_agent_stop(actor_ctx_t *ctx, const kept_t *kept);
/* point_watch.c: the job in hand. */
actor_next_t point_watch_job(actor_ctx_t *ctx, point_worker_t *self);
/* point_probe.c: an absent point is looked at until it is back. */
actor_next_t point_look_out(actor_ctx_t *ctx, point_worker_t *self, const probe_point_t *m);
actor_next_t point_look_out_ends(actor_ctx_t *ctx, point_worker_t *self);
actor_next_t point_probe(actor_ctx_t *ctx, point_worker_t *self);
actor_next_t point_look_once(actor_ctx_t *ctx, point_worker_t *self, const probe_point_t *m);
/* point_scrub.c: a portion of what is there is read again, while there is no request. */
actor_next_t point_scrub(actor_ctx_t *ctx, point_worker_t *self, const scrub_point_t *m);
/* A portion or a collection in hand ends for work. */
void point_make_way(actor_ctx_t *ctx, const point_worker_t *self);
/* point_collect.c: superseded versions go when their grace time has ended, between requests. */
actor_next_t point_collect_from(actor_ctx_t *ctx, point_worker_t *self, const collect_point_t *m);
actor_next_t point_collect(actor_ctx_t *ctx, point_worker_t *self);
void point_collect_drop(point_worker_t *self);
/* The point was forgotten: what lies there is left alone. */
void point_collect_ends(point_worker_t *self);
