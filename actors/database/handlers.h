/* handlers.h - what the database hears, once: the message, how it is done, and its function.
 *
 * Shape    HANDLED(H) lists H(message, how); the functions are handle_<message>.
 * Promises a handler answers exactly once, by tx_answer, tx_refuse or tx_done; it changes nothing
 *          outside of its transaction, but for progress and beacons, which are memory.
 * Threads  one job.
 */
#pragma once

#include "actors/database/transaction.h"

typedef enum how {
    HOW_READS = 0,
    HOW_WRITES = 1,  /* it may change rows */
    HOW_COMMAND = 2, /* it begins with the arguments of every command: key, principal, dry_run */
    HOW_VITAL = 4,   /* it is done on a full disk too, from the reserve */
    HOW_KEYED = 8,   /* its answer is kept under its key */
    HOW_COUNTS = 16  /* it counts in memory, which is not taken back: its group is run once */
} how_t;

#define HOW_CHANGE (HOW_WRITES | HOW_COMMAND | HOW_KEYED)

#define HANDLED(H)                                                                                 \
    H(package_set, HOW_CHANGE)                                                                     \
    H(package_list, HOW_READS)                                                                     \
    H(package_show, HOW_READS)                                                                     \
    H(package_remove, HOW_CHANGE)                                                                  \
    H(dp_list, HOW_READS)                                                                          \
    H(dp_show, HOW_READS)                                                                          \
    H(dp_pause, HOW_CHANGE)                                                                        \
    H(dp_resume, HOW_CHANGE)                                                                       \
    H(dp_remove, HOW_CHANGE)                                                                       \
    H(group_add, HOW_CHANGE)                                                                       \
    H(group_list, HOW_READS)                                                                       \
    H(group_remove, HOW_CHANGE)                                                                    \
    H(dp_set, HOW_CHANGE)                                                                          \
    H(link_set, HOW_CHANGE)                                                                        \
    H(link_list, HOW_READS)                                                                        \
    H(link_remove, HOW_CHANGE)                                                                     \
    H(site_set, HOW_CHANGE)                                                                        \
    H(distribute, HOW_CHANGE)                                                                      \
    H(withdraw, HOW_CHANGE)                                                                        \
    H(rollback, HOW_CHANGE)                                                                        \
    H(retry, HOW_CHANGE)                                                                           \
    H(cancel, HOW_CHANGE | HOW_VITAL)                                                              \
    H(prioritize, HOW_CHANGE)                                                                      \
    H(rollout_pause, HOW_CHANGE)                                                                   \
    H(rollout_resume, HOW_CHANGE)                                                                  \
    H(status, HOW_READS)                                                                           \
    H(status_since, HOW_READS)                                                                     \
    H(recall, HOW_READS)                                                                           \
    H(site_open, HOW_READS)                                                                        \
    H(package_lookup, HOW_READS)                                                                   \
    H(version_commit, HOW_CHANGE)                                                                  \
    H(points_known, HOW_READS)                                                                     \
    H(point_commit, HOW_CHANGE)                                                                    \
    H(agent_enrol, HOW_WRITES)                                                                     \
    H(agent_revoke, HOW_CHANGE)                                                                    \
    H(agents_known, HOW_READS)                                                                     \
    H(agent_told, HOW_WRITES)                                                                      \
    H(agent_heard, HOW_WRITES)                                                                     \
    H(version_held, HOW_READS)                                                                     \
    H(activation_note, HOW_WRITES)                                                                 \
    H(site_restored, HOW_WRITES)                                                                   \
    H(setting_set, HOW_CHANGE)                                                                     \
    H(note_event, HOW_WRITES | HOW_COUNTS)                                                         \
    H(due_targets, HOW_WRITES)                                                                     \
    H(target_begin, HOW_WRITES)                                                                    \
    H(lease_renew, HOW_WRITES | HOW_VITAL)                                                         \
    H(target_outcome, HOW_WRITES | HOW_VITAL)                                                      \
    H(absent_points, HOW_READS)                                                                    \
    H(point_returned, HOW_WRITES | HOW_VITAL)                                                      \
    H(patrol, HOW_READS)                                                                           \
    H(looked, HOW_WRITES | HOW_VITAL)                                                              \
    H(beacon_next, HOW_WRITES | HOW_VITAL)                                                         \
    H(scrub_next, HOW_WRITES)                                                                      \
    H(scrubbed, HOW_WRITES)                                                                        \
    H(store_read_again, HOW_WRITES)                                                                \
    H(leaving_points, HOW_READS)                                                                   \
    H(point_leave, HOW_WRITES | HOW_VITAL)                                                         \
    H(verify_plan, HOW_WRITES | HOW_COMMAND)                                                       \
    H(plan_targets, HOW_READS)                                                                     \
    H(target_damaged, HOW_WRITES | HOW_VITAL)                                                      \
    H(verify_keep, HOW_WRITES)                                                                     \
    H(target_tidied, HOW_WRITES | HOW_VITAL)                                                       \
    H(untidied, HOW_READS)                                                                         \
    H(set_aside, HOW_WRITES | HOW_VITAL)                                                           \
    H(aside_list, HOW_READS)                                                                       \
    H(aside_order, HOW_CHANGE)                                                                     \
    H(live_roots, HOW_WRITES)                                                                      \
    H(events_after, HOW_WRITES | HOW_VITAL)                                                        \
    H(alarm_query, HOW_READS)                                                                      \
    H(beacon_seen, HOW_READS)                                                                      \
    H(progress, HOW_WRITES | HOW_VITAL | HOW_COUNTS)

#define HANDLER_DECLARE(message, how) void handle_##message(tx_t *tx, const message##_t *m);
HANDLED(HANDLER_DECLARE)
#undef HANDLER_DECLARE

typedef struct handler {
    const record_type_t *type;
    unsigned how;
    void (*run)(tx_t *tx, const void *message);
} handler_t;
/* NULL when the database does not hear messages of this number. */
const handler_t *handler_of(uint32_t number);
