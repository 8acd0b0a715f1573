/* despooler_hand.h - the despooler's state, and the messages it makes of an entry in hand.
 *
 * Shape    a hand is the load of a queue entry: the work that its instruction makes for one target.
 * Promises what is made of a hand names its target, version and attempt as its instruction did.
 * Costs    one draft each.
 * Threads  the despooler's handlers.
 * Owner    hand_destroy(&hand); hands in the queue are the queue's.
 */
#pragma once

#include "actors/despooler_ledger.h"
#include "actors/despooler_points.h"
#include "actors/despooler_queue.h"
#include "proto/messages.h"
#include "runtime/actor.h"

typedef struct hand {
    kept_t *work;    /* work, without site and store */
    kept_t *outcome; /* found no room yet; NULL: none */
    actor_ref_t worker;
    uint64_t mark;     /* of the ledger, when it was measured */
    uint64_t revision; /* since it has begun; 0: it has not */
    uint64_t sent;     /* bytes of content, in the turns before this one */
} hand_t;

typedef struct despooler {
    kept_t *args; /* site_args */
    queue_t *queue;
    point_table_t *points;
    ledger_t ledger;
    id128_t site;
    int64_t now_ns; /* of the last look, for the age that is described */
    bool opened;
    bool waiting_told; /* that instructions wait for a slot */
} despooler_t;

void hand_destroy(hand_t **hand);
void hand_drop(void *hand);
const work_t *hand_work(const hand_t *hand);
/* The entry of this kind of work for this target. */
static inline uint64_t
hand_key(uint64_t target, uint32_t action)
{
    return target * ACTION_COUNT + action;
}
/* Puts one target of an instruction into the inbox. */
err_t hand_add(actor_ctx_t *ctx, despooler_t *self, const instruction_t *m,
               const target_ref_t *target) must_use;
/* Takes a target's waiting entries out, but for looks, whose asker waits; returns the one in hand,
 * NULL when there is none. */
queue_entry_t *hand_stop(despooler_t *self, const stopped_row_t *stopped);
ledger_verdict_t hand_admit(despooler_t *self, const queue_entry_t *entry, const measured_t *m);
/* As work or measure: both have the same fields. */
const work_t *hand_draft_work(actor_ctx_t *ctx, const despooler_t *self, const queue_entry_t *entry,
                              const record_type_t *type);
const outcome_t *hand_draft_space(actor_ctx_t *ctx, const queue_entry_t *entry,
                                  const measured_t *m);
/* With what the turns before have sent. */
const outcome_t *hand_draft_whole(actor_ctx_t *ctx, const hand_t *hand, const outcome_t *m);
const outcome_t *hand_draft_plan(actor_ctx_t *ctx, const queue_entry_t *entry, const measured_t *m);
const probe_point_t *hand_draft_probe(actor_ctx_t *ctx, const despooler_t *self,
                                      const probe_point_t *m);
const scrub_point_t *hand_draft_scrub(actor_ctx_t *ctx, const despooler_t *self,
                                      const scrub_point_t *m);
const collect_point_t *hand_draft_collect(actor_ctx_t *ctx, const despooler_t *self,
                                          const collect_point_t *m);
const backlog_t *hand_draft_backlog(actor_ctx_t *ctx, const despooler_t *self);
