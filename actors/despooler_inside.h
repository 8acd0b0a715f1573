/* despooler_inside.h - what the files of the despooler share: its edges, its timers, its steps. */
#pragma once

#include "actors/answer.h"
#include "actors/despooler_hand.h"
#include "proto/limits.h"
#include "proto/status.h"

enum { TIMER_RENEW = 1, TIMER_WAITING, TIMER_TURNS, TIMER_LOOKS, TIMER_OUTCOME_FIRST = 1000 };

#define EDGES(E)                                                                                   \
    E(NEED, site_database, site_open)                                                              \
    E(ASK, site_database, site_open)                                                               \
    E(ASK, site_database, target_begin)                                                            \
    E(TELL, site_database, lease_renew)                                                            \
    E(TELL, site_database, note_event)                                                             \
    E(TELL, distribution_manager, inbox_lost)                                                      \
    E(TELL, agent_gateway, make_way)                                                               \
    E(TELL, distribution_manager, outcome)                                                         \
    E(ASK_TO, point_worker, measure)                                                               \
    E(ASK_TO, point_worker, work)                                                                  \
    E(TELL_TO, point_worker, stop_work)                                                            \
    E(TELL_TO, point_worker, probe_point)                                                          \
    E(TELL_TO, point_worker, scrub_point)                                                          \
    E(TELL_TO, point_worker, collect_point)
ACTOR_EDGES(EDGES)

/* While all slots are full of copying, the database's and the gateway's jobs have threads left. */
#define THREADS_SPARE 4u
_Static_assert(SLOTS_DEFAULT + THREADS_SPARE <= JOB_THREADS, "a slot has a thread");

/* Tells how instructions wait for slots. */
void steps_note(actor_ctx_t *ctx, status_id_t id, const char *what, const backlog_t *b);
/* Gives free slots to entries that wait, and says so once when some go on waiting. */
actor_next_t steps_take_next(actor_ctx_t *ctx, despooler_t *self);
/* While there are no slots: looks of a verify or plan that wait for one end, and are told so. */
actor_next_t steps_end_looks(actor_ctx_t *ctx, despooler_t *self);
/* Tells the gateway whose turn at an agent is to end, because others wait for theirs. */
void steps_make_way(actor_ctx_t *ctx, const despooler_t *self);
/* Tells what became of the entry and frees its slot; or keeps both until there is room. */
actor_next_t steps_tell_outcome(actor_ctx_t *ctx, despooler_t *self, queue_entry_t *entry,
                                const outcome_t *m);
