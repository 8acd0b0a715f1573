/* messages.h - every message of the site, once.
 *
 * Shape    three X-macro tables: PARTS (rows of other records), COMMANDS (what a client may say, with
 *          its wire word) and MESSAGES (answers, and what the actors say to one another). Fields are
 *          F(R, kind, name, bound or type, need); from them come structs, encode, decode, compare, print.
 * Promises a record's wire form is one map of these names; new fields are only added, as OPTIONAL.
 * Threads  constant data only.
 */
#pragma once

#include "proto/limits.h"
#include "proto/record_table.h"

/* ---- words ---------------------------------------------------------------------------------------- */

#define TARGET_STATES(W, P)                                                                        \
    W(P, PENDING, "pending")                                                                       \
    W(P, INSTALLING, "installing")                                                                 \
    W(P, INSTALLED, "installed")                                                                   \
    W(P, RETRYING, "retrying")                                                                     \
    W(P, WAITING, "waiting") /* for what its cause names: space, paused */                         \
    W(P, FAILED, "failed")                                                                         \
    W(P, CANCELLED, "cancelled")                                                                   \
    W(P, REMOVING, "removing")                                                                     \
    W(P, REMOVED, "removed")                                                                       \
    W(P, PROMISED, "promised") /* staged, verified and durable there; its turn to switch has not come */
RECORD_WORDS_ENUM(target_state, TARGET_STATES, TARGET)

#define PACKAGE_STATES(W, P) W(P, IDLE, "idle") W(P, ACTIVE, "active") W(P, COMPLETE, "complete") W(P, FAILED, "failed")
RECORD_WORDS_ENUM(package_state, PACKAGE_STATES, PACKAGE)

#define POINT_STATES(W, P)                                                                         \
    W(P, ACTIVE, "active") W(P, PAUSED, "paused") W(P, ABSENT, "absent")                          \
    W(P, REMOVING, "removing") W(P, REVOKED, "revoked")
RECORD_WORDS_ENUM(point_state, POINT_STATES, POINT)

#define ACTIONS(W, P)                                                                              \
    W(P, INSTALL, "install") W(P, REMOVE, "remove") W(P, VERIFY, "verify") W(P, PLAN, "plan")     \
    W(P, STAGE, "stage") /* as install, but for the switch and the receipt */
RECORD_WORDS_ENUM(action, ACTIONS, ACTION)
/* Whether it puts a version at a point: install, or stage. */
bool action_places(uint32_t action);
/* Whether it changes nothing there, and somebody waits for its answer: verify, or plan. */
bool action_looks(uint32_t action);

/* Of a target: which work at its point, and for slots, goes first. */
#define PRIORITIES(W, P)                                                                           \
    W(P, DEFAULT, "default") /* medium, or what it is already */                                   \
    W(P, HIGH, "high") W(P, MEDIUM, "medium") W(P, LOW, "low")
RECORD_WORDS_ENUM(priority, PRIORITIES, PRIORITY)

#define ROLLOUT_STATES(W, P)                                                                       \
    W(P, RUNS, "runs") W(P, STOPPED, "stopped") W(P, DONE, "done") W(P, CANCELLED, "cancelled")
RECORD_WORDS_ENUM(rollout_state, ROLLOUT_STATES, ROLLOUT)

/* Of a switchover: its points are staged; the decision is durable; all have switched, or have ended
 * otherwise; nobody switches. */
#define SWITCHOVER_STATES(W, P)                                                                    \
    W(P, STAGING, "staging") W(P, DECIDED, "decided") W(P, DONE, "done") W(P, CANCELLED, "cancelled")
RECORD_WORDS_ENUM(switchover_state, SWITCHOVER_STATES, SWITCHOVER)

#define SEVERITIES(W, P) W(P, INFO, "info") W(P, WARNING, "warning") W(P, ERROR, "error")
RECORD_WORDS_ENUM(severity, SEVERITIES, SEVERITY)

#define COMPONENT_STATES(W, P)                                                                     \
    W(P, STARTING, "starting") W(P, READY, "ready") W(P, DEGRADED, "degraded")                     \
    W(P, PAUSED, "paused") W(P, STOPPING, "stopping") W(P, STOPPED, "stopped")                     \
    W(P, BACKING_OFF, "backing-off") W(P, LATE, "late")
RECORD_WORDS_ENUM(component_state, COMPONENT_STATES, COMPONENT)

/* What an agent is asked for. */
#define AGENT_TASKS(W, P)                                                                          \
    W(P, MEASURE, "measure") W(P, WORK, "work") W(P, PROBE, "probe") W(P, COLLECT, "collect")      \
    W(P, SCRUB, "scrub")
RECORD_WORDS_ENUM(agent_task, AGENT_TASKS, AGENT_TASK)

/* How the on-activate program of an agent ended. */
#define ACTIVATION_RESULTS(W, P)                                                                   \
    W(P, OK, "ok") W(P, EXIT, "exit") W(P, SIGNAL, "signal") W(P, TIMEOUT, "timeout")              \
    W(P, NOT_BEGUN, "not-begun")
RECORD_WORDS_ENUM(activation_result, ACTIVATION_RESULTS, ACTIVATION_RESULT)

/* What a piece's bytes are: the object's own, or what zstd made of them, alone or against another. */
#define PACKINGS(W, P) W(P, PLAIN, "plain") W(P, ZSTD, "zstd") W(P, DELTA, "delta")
RECORD_WORDS_ENUM(packing, PACKINGS, PACKING)

/* By which connection an agent is sent content: the one that is encrypted, or a plain one beside it. */
#define BULKS(W, P)                                                                                \
    W(P, NONE, "none") /* it is no agent, or nothing is to be changed */                           \
    W(P, CURVE, "curve") W(P, PLAIN, "plain")
RECORD_WORDS_ENUM(bulk, BULKS, BULK)

/* Where the symbolic links of a package may lead. */
#define LINK_RULES(W, P)                                                                           \
    W(P, NONE, "none") /* nothing is to be changed */                                              \
    W(P, ANY, "any") W(P, INSIDE, "inside")
RECORD_WORDS_ENUM(link_rule, LINK_RULES, LINK_RULE)

#define CHOICES(W, P)                                                                              \
    W(P, NONE, "none") /* nothing is to be changed */                                              \
    W(P, YES, "yes") W(P, NO, "no")
RECORD_WORDS_ENUM(choice, CHOICES, CHOICE)

/* The root of a point that is another machine: this, and its own path there when it has joined. */
#define POINT_AGENT "agent:"
bool point_is_agent(slice_t root);
/* The sentence of err, as it is meant of a point with this root. */
const char *point_failure(slice_t root, err_t err);

/* The words of err_t and error_class_t, so that they travel as words. */
extern const record_words_t err_words;
extern const record_words_t error_class_words;

/* ---- parts ------------------------------------------------------------------------------------------ */

#define PARTS(M)                                                                                   \
    M(version_ref, "a version of a package")                                                       \
    M(cause, "why something is not as it should be")                                               \
    M(target_status, "one package on one distribution point, as an operator sees it")              \
    M(activation_row, "how an agent's own program ended after a version became current there")      \
    M(rollout_row, "how far a package is on its way through its rings")                            \
    M(switchover_row, "when the points of a package switch to what they have staged")              \
    M(package_row, "a package in a list")                                                          \
    M(package_status, "a package and its targets")                                                 \
    M(point_row, "a distribution point in a list")                                                 \
    M(group_row, "a group of distribution points")                                                 \
    M(link_row, "a link that distribution points share")                                           \
    M(event, "one status message")                                                                 \
    M(lost_range, "status messages that are no longer kept")                                       \
    M(component_row, "a component, live")                                                          \
    M(graph_edge, "that one class of actors speaks to another")                                    \
    M(graph_wait, "an actor that waits")                                                           \
    M(quarantine_row, "a message that was set aside")                                              \
    M(verify_row, "what verify found on one distribution point")                                   \
    M(plan_row, "what a distribution to one point would take")                                     \
    M(target_ref, "a target in an instruction")                                                    \
    M(due_row, "a target that is due")                                                             \
    M(window_row, "a window of a point, from when until when")                                     \
    M(stopped_row, "a target whose work is to end")                                                \
    M(point_ref, "a distribution point and its root")                                              \
    M(root_ref, "a version that the store must keep")                                              \
    M(kept_row, "what a version keeps in the store")                                               \
    M(lacking_row, "what a version misses in the store")                                           \
    M(agent_ref, "an agent, by the row of its point")                                              \
    M(agent_row, "an agent: whose point it serves, and by which keys it is known")                 \
    M(scrub_row, "an installed target, and how far it was read again")                             \
    M(range, "a part of an object: content by its digest")                                         \
    M(piece, "bytes of an object")                                                                 \
    M(group_message, "a message in a group")                                                       \
    M(group_answer, "the answer to one message of a group")

#define REC_version_ref(F, R)                                                                      \
    F(R, u64, epoch, 0, REQUIRED)                                                                  \
    F(R, text, label, LABEL_BYTES_MAX, OPTIONAL)                                                   \
    F(R, digest, root, 0, REQUIRED)
#define REC_cause(F, R)                                                                            \
    F(R, word, code, err, REQUIRED)                                                                \
    F(R, word, class, error_class, REQUIRED)                                                       \
    F(R, text, text, TEXT_BYTES_MAX, OPTIONAL)                                                     \
    F(R, text, hint, TEXT_BYTES_MAX, OPTIONAL)                                                     \
    F(R, count, need, 0, OPTIONAL) /* bytes or inodes; null where it is no matter of space */      \
    F(R, count, have, 0, OPTIONAL)
#define REC_target_status(F, R)                                                                    \
    F(R, text, dp, NAME_BYTES_MAX, REQUIRED)                                                       \
    F(R, word, state, target_state, REQUIRED)                                                      \
    F(R, maybe, wanted, version_ref, OPTIONAL)                                                     \
    F(R, maybe, have, version_ref, OPTIONAL)                                                       \
    F(R, u32, attempts, 0, REQUIRED) /* tries that reached the point, for this version */          \
    F(R, u32, of, 0, REQUIRED)                                                                     \
    F(R, time, due, 0, OPTIONAL)                                                                   \
    F(R, time, since, 0, OPTIONAL)                                                                 \
    F(R, maybe, cause, cause, OPTIONAL)                                                            \
    F(R, u64, bytes_done, 0, REQUIRED)                                                             \
    F(R, u64, bytes_total, 0, REQUIRED)                                                            \
    F(R, time, unknown_since, 0, OPTIONAL) /* what the point had is not known to be there since then */\
    F(R, word, priority, priority, OPTIONAL)                                                       \
    F(R, u32, ring, 0, OPTIONAL) /* of its package's rollout, from 1; 0: in none */                \
    F(R, maybe, activation, activation_row, OPTIONAL) /* of what the point has; null: none was told */ \
    F(R, time, closes, 0, OPTIONAL) /* of what goes to its point now: when the window closes */    \
    F(R, time, ends, 0, OPTIONAL)   /* when it would be there, through later windows; null: not known */ \
    F(R, flag, late, 0, OPTIONAL)   /* that is after this window */                                  \
    F(R, time, promised, 0, OPTIONAL) /* since when what it wants is staged there, and not switched to */
#define REC_activation_row(F, R)                                                                   \
    F(R, word, result, activation_result, REQUIRED)                                                \
    F(R, u32, code, 0, REQUIRED)    /* exit status, number of the signal, or errno */              \
    F(R, u32, attempt, 0, REQUIRED) /* from 1; above where a run was cut before its end */         \
    F(R, time, at, 0, OPTIONAL)     /* by the agent's clock */                                     \
    F(R, text, text, TEXT_BYTES_MAX, OPTIONAL) /* the last line that it said */
#define REC_switchover_row(F, R)                                                                   \
    F(R, word, state, switchover_state, REQUIRED)                                                  \
    F(R, time, since, 0, OPTIONAL)    /* of this state */                                          \
    F(R, flag, barrier, 0, REQUIRED)  /* nobody switches before all have promised */               \
    F(R, time, activate_at, 0, OPTIONAL) /* nobody switches before */                              \
    F(R, time, deadline, 0, OPTIONAL) /* it is cancelled then, when it is not decided */           \
    F(R, u32, points, 0, REQUIRED)    /* that it is about */                                       \
    F(R, u32, promised, 0, REQUIRED)  /* of them, that hold the version whole and durable */       \
    F(R, u32, switched, 0, REQUIRED)  /* of them, that have it */                                  \
    F(R, text, waits_for, NAME_BYTES_MAX, OPTIONAL) /* one that has not promised, or not switched */ \
    F(R, text, why, TEXT_BYTES_MAX, OPTIONAL)
#define REC_rollout_row(F, R)                                                                      \
    F(R, text, rings, TEXT_BYTES_MAX, REQUIRED) /* percents of the points, as they were given */   \
    F(R, u32, ring, 0, REQUIRED)                /* that it has come to, from 1 */                  \
    F(R, u32, of, 0, REQUIRED)                                                                     \
    F(R, word, state, rollout_state, REQUIRED)                                                     \
    F(R, time, since, 0, OPTIONAL)       /* of this ring, or of the stop */                        \
    F(R, u32, stop_at, 0, REQUIRED)      /* failures that stop it */                               \
    F(R, u32, failures, 0, REQUIRED)     /* that count, not above stop_at */                       \
    F(R, u64, waits_for, 0, REQUIRED)    /* points of this ring that are not done */               \
    F(R, text, why, TEXT_BYTES_MAX, OPTIONAL) /* it is stopped */
#define REC_package_row(F, R)                                                                      \
    F(R, text, id, NAME_BYTES_MAX, REQUIRED)                                                       \
    F(R, text, name, TEXT_BYTES_MAX, OPTIONAL)                                                     \
    F(R, text, source, PATH_BYTES_MAX, REQUIRED)                                                   \
    F(R, texts, exclude, GLOB_COUNT_MAX, OPTIONAL)                                                 \
    F(R, word, links, link_rule, OPTIONAL)                                                         \
    F(R, maybe, version, version_ref, OPTIONAL)                                                    \
    F(R, word, state, package_state, REQUIRED)                                                     \
    F(R, u64, targets, 0, REQUIRED)                                                                \
    F(R, u64, installed, 0, REQUIRED)                                                              \
    F(R, u64, retrying, 0, REQUIRED)                                                               \
    F(R, u64, failed, 0, REQUIRED)                                                                 \
    F(R, u64, files, 0, REQUIRED)                                                                  \
    F(R, u64, bytes, 0, REQUIRED)          /* of all files */                                      \
    F(R, count, unique_bytes, 0, OPTIONAL) /* that were in no version before; null: not counted */ \
    F(R, count, stored_bytes, 0, OPTIONAL) /* what those take in the store */
#define REC_package_status(F, R)                                                                   \
    F(R, text, id, NAME_BYTES_MAX, REQUIRED)                                                       \
    F(R, text, name, TEXT_BYTES_MAX, OPTIONAL)                                                     \
    F(R, maybe, version, version_ref, OPTIONAL)                                                    \
    F(R, word, state, package_state, REQUIRED)                                                     \
    F(R, rows, targets, target_status, REQUIRED)                                                   \
    F(R, maybe, rollout, rollout_row, OPTIONAL)                                                    \
    F(R, maybe, switchover, switchover_row, OPTIONAL)
#define REC_point_row(F, R)                                                                        \
    F(R, text, name, NAME_BYTES_MAX, REQUIRED)                                                     \
    F(R, text, root, PATH_BYTES_MAX, REQUIRED)                                                     \
    F(R, word, state, point_state, REQUIRED)                                                       \
    F(R, time, since, 0, OPTIONAL)                                                                 \
    F(R, id128, incarnation, 0, OPTIONAL)                                                          \
    F(R, u64, targets, 0, REQUIRED)                                                                \
    F(R, u64, installed, 0, REQUIRED)                                                              \
    F(R, count, rate, 0, OPTIONAL) /* bytes of content a second; null: no limit */                 \
    F(R, text, link, NAME_BYTES_MAX, OPTIONAL)                                                     \
    F(R, text, seed, AGENT_PATH_BYTES_MAX, OPTIONAL) /* a tree that is there already, on the agent's machine */ \
    F(R, time, scrubbed, 0, OPTIONAL) /* when all that it holds had been read again; null: not yet */ \
    F(R, texts, windows, WINDOWS_MAX, OPTIONAL) /* in which content may go there; none: always */  \
    F(R, text, zone, ZONE_NAME_BYTES_MAX, OPTIONAL) /* by whose clock */                                \
    F(R, time, opens, 0, OPTIONAL)             /* of windows that are closed now */                \
    F(R, time, closes, 0, OPTIONAL)            /* of the window that is open, or the next; null: never */ \
    F(R, word, bulk, bulk, OPTIONAL) /* by which connection an agent is sent content */            \
    F(R, flag, read_only, 0, OPTIONAL) /* versions are placed there less the right to write */     \
    F(R, count, beacon, 0, OPTIONAL) /* of the site, the last one that its agent has seen; null: none since the start */ \
    F(R, count, beacon_age_ms, 0, OPTIONAL) /* since the site heard that, by its own time */
#define REC_link_row(F, R)                                                                         \
    F(R, text, name, NAME_BYTES_MAX, REQUIRED)                                                     \
    F(R, count, rate, 0, OPTIONAL) /* bytes of content a second, of all its points; null: no limit */ \
    F(R, u64, points, 0, REQUIRED)
#define REC_group_row(F, R)                                                                        \
    F(R, text, name, NAME_BYTES_MAX, REQUIRED)                                                     \
    F(R, texts, dps, POINTS_PER_COMMAND_MAX, REQUIRED)
#define REC_event(F, R)                                                                            \
    F(R, u64, seq, 0, REQUIRED)                                                                    \
    F(R, time, time, 0, REQUIRED)                                                                  \
    F(R, text, site, NAME_BYTES_MAX, REQUIRED)                                                     \
    F(R, text, component, NAME_BYTES_MAX, REQUIRED)                                                \
    F(R, u32, id, 0, REQUIRED)                                                                     \
    F(R, word, severity, severity, REQUIRED)                                                       \
    F(R, text, package, NAME_BYTES_MAX, OPTIONAL)                                                  \
    F(R, text, dp, NAME_BYTES_MAX, OPTIONAL)                                                       \
    F(R, maybe, version, version_ref, OPTIONAL)                                                    \
    F(R, text, text, TEXT_BYTES_MAX, REQUIRED)                                                     \
    F(R, pairs, attrs, 32, OPTIONAL)
#define REC_lost_range(F, R) F(R, u64, from, 0, REQUIRED) F(R, u64, to, 0, REQUIRED)
#define REC_component_row(F, R)                                                                    \
    F(R, text, name, 96, REQUIRED)                                                                 \
    F(R, word, state, component_state, REQUIRED)                                                   \
    F(R, text, requested, 16, REQUIRED) /* run, pause or stop */                                   \
    F(R, text, worker, 32, OPTIONAL)                                                               \
    F(R, u64, waiting, 0, REQUIRED)     /* messages in all lanes */                                \
    F(R, u64, waiting_system, 0, REQUIRED)                                                         \
    F(R, u64, waiting_reply, 0, REQUIRED)                                                          \
    F(R, u64, waiting_urgent, 0, REQUIRED)                                                         \
    F(R, u64, waiting_normal, 0, REQUIRED)                                                         \
    F(R, u64, oldest_ms, 0, REQUIRED)                                                              \
    F(R, text, handling, 48, OPTIONAL)                                                             \
    F(R, u64, handling_ms, 0, REQUIRED)                                                            \
    F(R, u64, handled, 0, REQUIRED)                                                                \
    F(R, u64, asks_open, 0, REQUIRED)                                                              \
    F(R, u64, jobs_open, 0, REQUIRED)                                                              \
    F(R, u64, timers, 0, REQUIRED)                                                                 \
    F(R, u64, restarts, 0, REQUIRED)                                                               \
    F(R, text, waits_for, 96, OPTIONAL)                                                            \
    F(R, text, why, 128, OPTIONAL)                                                                 \
    F(R, text, describes, 256, OPTIONAL)
#define REC_graph_edge(F, R)                                                                       \
    F(R, text, from, 48, REQUIRED)                                                                 \
    F(R, text, how, 16, REQUIRED) /* tell, ask, call, call-dynamic (may be answered cycle), need */ \
    F(R, text, to, 48, REQUIRED)                                                                   \
    F(R, text, message, 48, REQUIRED)
#define REC_graph_wait(F, R)                                                                       \
    F(R, text, actor, 96, REQUIRED)                                                                \
    F(R, text, class, 48, REQUIRED)                                                                \
    F(R, text, waits_for, 96, REQUIRED) /* a class, or what else an answer was put off for */      \
    F(R, text, on, 96, OPTIONAL)        /* of an open call: the actor that has to act next */
#define REC_quarantine_row(F, R)                                                                   \
    F(R, u64, number, 0, REQUIRED)                                                                 \
    F(R, text, actor, 96, REQUIRED)                                                                \
    F(R, text, message, 48, REQUIRED)                                                              \
    F(R, text, reason, 128, REQUIRED)                                                              \
    F(R, u32, attempts, 0, REQUIRED)                                                               \
    F(R, time, since, 0, OPTIONAL)                                                                 \
    F(R, text, shown, TEXT_BYTES_MAX, OPTIONAL)
#define REC_verify_row(F, R)                                                                       \
    F(R, text, dp, NAME_BYTES_MAX, REQUIRED)                                                       \
    F(R, flag, ok, 0, REQUIRED)                                                                    \
    F(R, maybe, cause, cause, OPTIONAL) /* why it could not be looked at */                        \
    F(R, u64, files, 0, REQUIRED)                                                                  \
    F(R, u64, bytes, 0, REQUIRED)                                                                  \
    F(R, u64, missing_count, 0, REQUIRED)                                                          \
    F(R, u64, changed_count, 0, REQUIRED)                                                          \
    F(R, u64, extra_count, 0, REQUIRED)                                                            \
    F(R, texts, missing, VERIFY_PATHS_MAX, OPTIONAL)                                               \
    F(R, texts, changed, VERIFY_PATHS_MAX, OPTIONAL)                                               \
    F(R, texts, extra, VERIFY_PATHS_MAX, OPTIONAL)
#define REC_plan_row(F, R)                                                                         \
    F(R, text, dp, NAME_BYTES_MAX, REQUIRED)                                                       \
    F(R, maybe, cause, cause, OPTIONAL)      /* why it could not be measured, or would not fit */  \
    F(R, flag, already, 0, REQUIRED)         /* the version is there: nothing would be done */     \
    F(R, u64, bytes, 0, REQUIRED)            /* of content that would be sent or written, exactly */ \
    F(R, u64, need_bytes, 0, REQUIRED)       /* of space there, in whole blocks */                 \
    F(R, u64, need_inodes, 0, REQUIRED)                                                            \
    F(R, count, have_bytes, 0, OPTIONAL)     /* free beyond the reserve; null: not known */        \
    F(R, count, have_inodes, 0, OPTIONAL)                                                          \
    F(R, count, rate, 0, OPTIONAL)           /* bytes a second at most; null: no limit is known */ \
    F(R, count, least_ms, 0, OPTIONAL)       /* that the bytes take at that rate */                \
    F(R, u32, ring, 0, OPTIONAL)             /* in which it would come; 0: rings were not asked for */ \
    F(R, count, measured, 0, OPTIONAL)       /* bytes a second of the last transfer there; null: not known */ \
    F(R, text, zone, ZONE_NAME_BYTES_MAX, OPTIONAL) /* of its windows; null: it has none */             \
    F(R, time, opens, 0, OPTIONAL)           /* of windows that are closed now */                  \
    F(R, time, closes, 0, OPTIONAL)          /* of the window that is open, or the next */         \
    F(R, time, ends, 0, OPTIONAL)            /* when it would be there, begun now or when they open */ \
    F(R, flag, late, 0, OPTIONAL)            /* that is after this window */
#define REC_target_ref(F, R)                                                                       \
    F(R, u64, target, 0, REQUIRED)   /* row id */                                                  \
    F(R, u64, revision, 0, REQUIRED) /* of the row: what is older is refused as superseded */      \
    F(R, text, dp, NAME_BYTES_MAX, REQUIRED)                                                       \
    F(R, id128, dp_incarnation, 0, REQUIRED)                                                       \
    F(R, text, dp_root, PATH_BYTES_MAX, REQUIRED)                                                  \
    F(R, text, seed, AGENT_PATH_BYTES_MAX, OPTIONAL)                                               \
    F(R, flag, read_only, 0, OPTIONAL)                                                             \
    F(R, digest, have, 0, OPTIONAL) /* root of the version that it has by its receipt; null: none */
#define REC_due_row(F, R)                                                                          \
    F(R, u64, target, 0, REQUIRED)                                                                 \
    F(R, u64, revision, 0, REQUIRED)                                                               \
    F(R, word, action, action, REQUIRED)                                                           \
    F(R, text, package, NAME_BYTES_MAX, REQUIRED)                                                  \
    F(R, id128, package_incarnation, 0, REQUIRED)                                                  \
    F(R, u64, epoch, 0, REQUIRED)                                                                  \
    F(R, digest, root, 0, OPTIONAL)                                                                \
    F(R, text, label, LABEL_BYTES_MAX, OPTIONAL)                                                   \
    F(R, u64, bytes, 0, OPTIONAL)                                                                  \
    F(R, text, dp, NAME_BYTES_MAX, REQUIRED)                                                       \
    F(R, id128, dp_incarnation, 0, REQUIRED)                                                       \
    F(R, text, dp_root, PATH_BYTES_MAX, REQUIRED)                                                  \
    F(R, u32, attempt, 0, REQUIRED)  /* the number this try will have, if it reaches the point */  \
    F(R, u32, of, 0, REQUIRED)                                                                     \
    F(R, u32, integrity, 0, OPTIONAL) /* digest failures in a row so far */                        \
    F(R, time, due, 0, OPTIONAL)                                                                   \
    F(R, word, cause, err, OPTIONAL)                                                               \
    F(R, word, priority, priority, OPTIONAL)                                                       \
    F(R, u64, rate, 0, OPTIONAL) /* of a plan: bytes a second at most; 0: no limit */              \
    F(R, text, seed, AGENT_PATH_BYTES_MAX, OPTIONAL)                                               \
    F(R, flag, read_only, 0, OPTIONAL)                                                             \
    F(R, digest, have, 0, OPTIONAL)                                                                \
    F(R, u32, ring, 0, OPTIONAL) /* of a plan */                                                   \
    F(R, u64, measured, 0, OPTIONAL) /* of a plan: bytes a second of the last transfer; 0: not known */ \
    F(R, text, zone, ZONE_NAME_BYTES_MAX, OPTIONAL) /* of a plan: of the point's windows */             \
    F(R, rows, windows, window_row, OPTIONAL) /* of a plan: those that come, the first may be open */
#define REC_window_row(F, R)                                                                       \
    F(R, time, opens, 0, REQUIRED)                                                                 \
    F(R, time, closes, 0, OPTIONAL) /* null: it does not */
#define REC_stopped_row(F, R)                                                                      \
    F(R, u64, target, 0, REQUIRED)                                                                 \
    F(R, u64, revision, 0, REQUIRED) /* of the work that ends; later work goes on */               \
    F(R, text, dp, NAME_BYTES_MAX, REQUIRED)                                                       \
    F(R, text, package, NAME_BYTES_MAX, REQUIRED)
#define REC_point_ref(F, R)                                                                        \
    F(R, text, dp, NAME_BYTES_MAX, REQUIRED)                                                       \
    F(R, id128, dp_incarnation, 0, REQUIRED)                                                       \
    F(R, text, dp_root, PATH_BYTES_MAX, REQUIRED)                                                  \
    F(R, flag, emptied, 0, OPTIONAL) /* of a point that leaves: only its identity is still at the root */
#define REC_root_ref(F, R)                                                                         \
    F(R, digest, root, 0, REQUIRED)                                                                \
    F(R, text, id, NAME_BYTES_MAX, OPTIONAL) /* of its package, where that was asked for */        \
    F(R, count, epoch, 0, OPTIONAL)
#define REC_kept_row(F, R)                                                                         \
    F(R, text, id, NAME_BYTES_MAX, REQUIRED)                                                       \
    F(R, u64, epoch, 0, REQUIRED)                                                                  \
    F(R, u64, objects, 0, REQUIRED) /* that it needs, and none of the rows above */                \
    F(R, u64, bytes, 0, REQUIRED)   /* of them, as they are stored */
#define REC_lacking_row(F, R)                                                                      \
    F(R, text, id, NAME_BYTES_MAX, REQUIRED)                                                       \
    F(R, u64, epoch, 0, REQUIRED)                                                                  \
    F(R, u64, missing, 0, REQUIRED) /* objects that it needs and that cannot be had */
#define REC_agent_ref(F, R) F(R, u64, row, 0, REQUIRED)
#define REC_agent_row(F, R)                                                                        \
    F(R, text, dp, NAME_BYTES_MAX, REQUIRED)                                                       \
    F(R, id128, dp_incarnation, 0, REQUIRED)                                                       \
    F(R, digest, token, 0, OPTIONAL)   /* public half of the secret in its token */                \
    F(R, digest, key, 0, OPTIONAL)     /* of CURVE; null: it has not joined */                     \
    F(R, digest, signing, 0, OPTIONAL) /* of ed25519 */                                            \
    F(R, flag, revoked, 0, REQUIRED)                                                               \
    F(R, flag, removed, 0, OPTIONAL) /* its point is gone, and it does not know that yet */        \
    F(R, text, address, AGENT_ADDRESS_BYTES_MAX, OPTIONAL) /* of the site, that it knows */\
    F(R, u64, rate, 0, OPTIONAL) /* bytes a second; 0: no limit */                                 \
    F(R, text, link, NAME_BYTES_MAX, OPTIONAL)                                                     \
    F(R, u64, link_rate, 0, OPTIONAL)                                                              \
    F(R, flag, windowed, 0, OPTIONAL) /* what follows holds */                                     \
    F(R, time, window_known, 0, OPTIONAL) /* it is closed from here */                             \
    F(R, time, window_opens, 0, OPTIONAL) /* to here, */                                           \
    F(R, time, window_closes, 0, OPTIONAL) /* and open to here; what is beyond is to be asked for */ \
    F(R, flag, plain, 0, OPTIONAL) /* content may go there unencrypted */
#define REC_range(F, R)                                                                            \
    F(R, digest, object, 0, REQUIRED)                                                              \
    F(R, u64, from, 0, REQUIRED)                                                                   \
    F(R, u64, size, 0, REQUIRED) /* bytes; 0: to the end, wherever that is */                      \
    F(R, digest, base, 0, OPTIONAL) /* of a whole object: one of the version before that the agent has */ \
    F(R, flag, list, 0, OPTIONAL)   /* of the list of the object's chunks, not of its bytes */
#define REC_piece(F, R)                                                                            \
    F(R, digest, object, 0, REQUIRED)                                                              \
    F(R, u64, from, 0, REQUIRED)                                                                   \
    F(R, u64, total, 0, REQUIRED) /* bytes of the whole object */                                  \
    F(R, bytes, bytes, AGENT_DATA_BYTES_MAX, REQUIRED)                                             \
    F(R, word, packing, packing, OPTIONAL)                                                         \
    F(R, u64, size, 0, OPTIONAL)    /* bytes of the object, when they are packed */                \
    F(R, digest, base, 0, OPTIONAL) /* of a delta: what it is against */                           \
    F(R, flag, list, 0, OPTIONAL)   /* of the list of the object's chunks */
#define REC_group_message(F, R)                                                                    \
    F(R, u32, number, 0, REQUIRED) /* of the message */                                            \
    F(R, bytes, record, MESSAGE_BYTES_MAX, REQUIRED)
#define REC_group_answer(F, R)                                                                     \
    F(R, u32, index, 0, REQUIRED)  /* which message of the group it answers */                     \
    F(R, u32, number, 0, REQUIRED) /* of the answer's record */                                    \
    F(R, bytes, record, MESSAGE_BYTES_MAX, REQUIRED)

/* ---- commands: what a client may say ------------------------------------------------------------------ */

/*    message, wire word, changes the site, sentence */
#define COMMANDS(C)                                                                                \
    C(package_add, "package.add", 1, "stores a version of a source tree as a new package")         \
    C(package_update, "package.update", 1, "stores the source again; a changed one is a new version") \
    C(package_set, "package.set", 1, "changes a package's name, source, excludes or links")        \
    C(package_list, "package.list", 0, "lists the packages")                                       \
    C(package_show, "package.show", 0, "shows one package")                                        \
    C(package_remove, "package.remove", 1, "removes a package")                                    \
    C(dp_add, "dp.add", 1, "adds a distribution point and writes its identity")                    \
    C(dp_set, "dp.set", 1, "changes a distribution point's root, rate, link, seed, bulk, modes or windows")                     \
    C(dp_adopt, "dp.adopt", 1, "claims the root of a distribution point on purpose")               \
    C(dp_list, "dp.list", 0, "lists the distribution points")                                      \
    C(dp_show, "dp.show", 0, "shows one distribution point")                                       \
    C(dp_pause, "dp.pause", 1, "starts no more work on a distribution point")                      \
    C(dp_resume, "dp.resume", 1, "works on a paused distribution point again")                     \
    C(dp_remove, "dp.remove", 1, "removes a distribution point")                                   \
    C(group_add, "group.add", 1, "names a group of distribution points")                           \
    C(group_list, "group.list", 0, "lists the groups")                                             \
    C(group_remove, "group.remove", 1, "forgets a group; its points stay")                         \
    C(link_set, "link.set", 1, "names a link that points share, and limits its rate")              \
    C(link_list, "link.list", 0, "lists the links, and the site's own rate")                       \
    C(link_remove, "link.remove", 1, "forgets a link that no point shares")                        \
    C(site_set, "site.set", 1, "tells all agents another address of the site, limits its rate, or that of its scrub") \
    C(distribute, "distribute", 1, "wants a package on distribution points")                       \
    C(withdraw, "withdraw", 1, "wants a package off distribution points")                          \
    C(distribute_plan, "plan", 0, "what a distribution would take at each point, before anything is sent")    \
    C(status, "status", 0, "which version every point has, should have, and why not")              \
    C(rollback, "rollback", 1, "makes an older version the newest again: a new epoch, the old content") \
    C(retry, "retry", 1, "tries failed, retrying and cancelled targets now")                       \
    C(cancel, "cancel", 1, "ends the work on targets that are not installed")                      \
    C(prioritize, "prioritize", 1, "changes which work goes first, of what is not installed yet")  \
    C(rollout_pause, "rollout.pause", 1, "begins no more work of a package's rollout")             \
    C(rollout_resume, "rollout.resume", 1, "goes on with a stopped rollout; the failures until now count no more") \
    C(verify, "verify", 1, "reads every byte at the points and compares")                          \
    C(store_check, "store.check", 1, "reads every byte of the site's store and compares")          \
    C(store_rebuild, "store.rebuild", 1, "makes the index of the site's store anew from its packs") \
    C(store_collect, "store.collect", 1, "removes from the site's store what no version needs")    \
    C(package_export, "package.export", 1, "writes a version into one file, from which agents take it") \
    C(site_backup, "site.backup", 1, "copies the site into an empty directory, while work goes on") \
    C(status_since, "status.since", 0, "status messages after a sequence number")                  \
    C(component_list, "component.list", 0, "the components, live")                                 \
    C(component_show, "component.show", 0, "one component, live")                                  \
    C(component_start, "component.start", 1, "starts a stopped component")                         \
    C(component_stop, "component.stop", 1, "stops a component; the others go on")                  \
    C(component_pause, "component.pause", 1, "a component takes no new work")                      \
    C(component_resume, "component.resume", 1, "a paused component goes on")                       \
    C(component_restart, "component.restart", 1, "stops and starts a component")                   \
    C(component_set, "component.set", 1, "changes a component's setting, live and for good")       \
    C(quarantine_list, "quarantine.list", 0, "messages and work that were set aside")              \
    C(quarantine_show, "quarantine.show", 0, "one of them")                                        \
    C(quarantine_retry, "quarantine.retry", 1, "tries one again")                                  \
    C(quarantine_drop, "quarantine.drop", 1, "throws one away")                                    \
    C(blackbox, "blackbox", 0, "what the run before this one did last")                            \
    C(graph, "graph", 0, "who speaks to whom, and who waits for whom now")                         \
    C(ping, "ping", 0, "whether the site is there")                                                \
    C(stop, "stop", 1, "stops the host in order")

/* What every command carries beside its own arguments. */
#define COMMAND(F, R)                                                                              \
    F(R, text, key, KEY_BYTES_MAX, INTERNAL) /* a repeat with the same key has the same answer and no effect */ \
    F(R, text, principal, 96, INTERNAL)      /* who said it */                                     \
    F(R, flag, dry_run, 0, OPTIONAL)         /* answer what would be done, and do nothing */

#define REC_package_add(F, R)                                                                      \
    COMMAND(F, R)                                                                                  \
    F(R, text, id, NAME_BYTES_MAX, REQUIRED)                                                       \
    F(R, text, source, PATH_BYTES_MAX, REQUIRED)                                                   \
    F(R, text, name, TEXT_BYTES_MAX, OPTIONAL)                                                     \
    F(R, text, version, LABEL_BYTES_MAX, OPTIONAL)                                                 \
    F(R, texts, exclude, GLOB_COUNT_MAX, OPTIONAL)                                                 \
    F(R, word, links, link_rule, OPTIONAL) /* inside: symbolic links that lead out of the tree are refused */
#define REC_package_update(F, R)                                                                   \
    COMMAND(F, R)                                                                                  \
    F(R, text, id, NAME_BYTES_MAX, REQUIRED)                                                       \
    F(R, text, version, LABEL_BYTES_MAX, OPTIONAL)                                                 \
    F(R, time, activate_at, 0, OPTIONAL) /* as of distribute, for all of its points */             \
    F(R, flag, barrier, 0, OPTIONAL)                                                               \
    F(R, time, deadline, 0, OPTIONAL)
#define REC_package_set(F, R)                                                                      \
    COMMAND(F, R)                                                                                  \
    F(R, text, id, NAME_BYTES_MAX, REQUIRED)                                                       \
    F(R, text, name, TEXT_BYTES_MAX, OPTIONAL)                                                     \
    F(R, text, source, PATH_BYTES_MAX, OPTIONAL)                                                   \
    F(R, flag, set_exclude, 0, OPTIONAL) /* exclude replaces the list, also by an empty one */     \
    F(R, texts, exclude, GLOB_COUNT_MAX, OPTIONAL)                                                 \
    F(R, word, links, link_rule, OPTIONAL) /* from the next version on */
#define REC_package_list(F, R) COMMAND(F, R)
#define REC_package_show(F, R) COMMAND(F, R) F(R, text, id, NAME_BYTES_MAX, REQUIRED)
#define REC_package_remove(F, R)                                                                   \
    COMMAND(F, R)                                                                                  \
    F(R, text, id, NAME_BYTES_MAX, REQUIRED)                                                       \
    F(R, flag, withdraw, 0, OPTIONAL)
#define REC_dp_add(F, R)                                                                           \
    COMMAND(F, R)                                                                                  \
    F(R, text, name, NAME_BYTES_MAX, REQUIRED)                                                     \
    F(R, text, root, PATH_BYTES_MAX,                                                               \
      OPTIONAL)                       /* a directory here; of an agent its own business */         \
    F(R, flag, agent, 0, OPTIONAL)    /* the point is another machine, which joins by a token */   \
    F(R, u64, expires_s, 0, OPTIONAL) /* of the token; 0: TOKEN_LIFE_S */
#define REC_dp_set(F, R)                                                                           \
    COMMAND(F, R)                                                                                  \
    F(R, text, name, NAME_BYTES_MAX, REQUIRED)                                                     \
    F(R, text, root, PATH_BYTES_MAX, OPTIONAL)                                                     \
    F(R, flag, revoke, 0, OPTIONAL) /* the agent's key is good for nothing from now on */          \
    F(R, count, rate, 0, OPTIONAL)  /* of an agent: bytes of content a second; 0: no limit */      \
    F(R, text, link, NAME_BYTES_MAX, OPTIONAL) /* of an agent: the link that it shares; none: no such */ \
    F(R, text, seed, AGENT_PATH_BYTES_MAX,                                                         \
      OPTIONAL) /* of an agent: a tree on its machine, of which it takes what it lacks; none: no such */ \
    F(R, texts, windows, WINDOWS_MAX, OPTIONAL) /* DAYS HH:MM-HH:MM; none alone: content may go there at any time */ \
    F(R, text, zone, ZONE_NAME_BYTES_MAX, OPTIONAL)  /* of the IANA database: by whose clock; to begin with it has to be given */ \
    F(R, word, bulk, bulk, OPTIONAL) /* of an agent: whether content may go there unencrypted */   \
    F(R, word, read_only, choice, OPTIONAL) /* whether what is placed from now on may be written to by nobody */
#define REC_dp_adopt(F, R)  COMMAND(F, R) F(R, text, name, NAME_BYTES_MAX, REQUIRED)
#define REC_dp_list(F, R)   COMMAND(F, R)
#define REC_dp_show(F, R)   COMMAND(F, R) F(R, text, name, NAME_BYTES_MAX, REQUIRED)
#define REC_dp_pause(F, R)  COMMAND(F, R) F(R, text, name, NAME_BYTES_MAX, REQUIRED)
#define REC_dp_resume(F, R) COMMAND(F, R) F(R, text, name, NAME_BYTES_MAX, REQUIRED)
#define REC_dp_remove(F, R)                                                                        \
    COMMAND(F, R)                                                                                  \
    F(R, text, name, NAME_BYTES_MAX, REQUIRED)                                                     \
    F(R, flag, withdraw, 0, OPTIONAL) /* removes the content first, and waits for an absent point */ \
    F(R, flag, forget, 0, OPTIONAL)   /* leaves the content where it is */
#define REC_group_add(F, R)                                                                        \
    COMMAND(F, R)                                                                                  \
    F(R, text, name, NAME_BYTES_MAX, REQUIRED)                                                     \
    F(R, texts, dps, POINTS_PER_COMMAND_MAX, REQUIRED)
#define REC_group_list(F, R)   COMMAND(F, R)
#define REC_group_remove(F, R) COMMAND(F, R) F(R, text, name, NAME_BYTES_MAX, REQUIRED)
#define REC_link_set(F, R)                                                                         \
    COMMAND(F, R)                                                                                  \
    F(R, text, name, NAME_BYTES_MAX, REQUIRED)                                                     \
    F(R, count, rate, 0, OPTIONAL) /* bytes of content a second; 0: no limit */
#define REC_link_list(F, R)   COMMAND(F, R)
#define REC_link_remove(F, R) COMMAND(F, R) F(R, text, name, NAME_BYTES_MAX, REQUIRED)
#define REC_site_set(F, R)                                                                         \
    COMMAND(F, R)                                                                                  \
    F(R, text, address, AGENT_ADDRESS_BYTES_MAX, OPTIONAL) /* tcp://ADDRESS:PORT; they try it first from then on */ \
    F(R, count, rate, 0, OPTIONAL) /* to all agents: bytes of content a second; 0: no limit */     \
    F(R, count, scrub, 0, OPTIONAL) /* bytes a second that are read again at each point; 0: none */
#define REC_distribute(F, R)                                                                       \
    COMMAND(F, R)                                                                                  \
    F(R, text, id, NAME_BYTES_MAX, REQUIRED)                                                       \
    F(R, texts, to, POINTS_PER_COMMAND_MAX, OPTIONAL) /* names, and @group */                      \
    F(R, flag, all, 0, OPTIONAL)                                                                   \
    F(R, word, priority, priority, OPTIONAL) /* also of targets that want the version already */   \
    F(R, texts, rings, RINGS_MAX, OPTIONAL) /* percents of the points, rising, the last is 100 */  \
    F(R, u32, stop_at, 0, OPTIONAL)         /* of rings: failures that stop the rest; 0: 1 */      \
    F(R, time, activate_at, 0, OPTIONAL) /* staged at once, switched then, by the site's clock */  \
    F(R, flag, barrier, 0, OPTIONAL)     /* nobody switches before all have promised */            \
    F(R, time, deadline, 0, OPTIONAL)    /* of a barrier: cancels what is not decided by then */
#define REC_distribute_plan(F, R)                                                                  \
    COMMAND(F, R)                                                                                  \
    F(R, text, id, NAME_BYTES_MAX, REQUIRED)                                                       \
    F(R, texts, to, POINTS_PER_COMMAND_MAX, OPTIONAL) /* names, and @group */                      \
    F(R, flag, all, 0, OPTIONAL)                                                                   \
    F(R, texts, rings, RINGS_MAX, OPTIONAL) /* as of distribute */
#define REC_rollout_pause(F, R)  COMMAND(F, R) F(R, text, id, NAME_BYTES_MAX, REQUIRED)
#define REC_rollout_resume(F, R) COMMAND(F, R) F(R, text, id, NAME_BYTES_MAX, REQUIRED)
#define REC_withdraw(F, R)                                                                         \
    COMMAND(F, R)                                                                                  \
    F(R, text, id, NAME_BYTES_MAX, REQUIRED)                                                       \
    F(R, texts, from, POINTS_PER_COMMAND_MAX, OPTIONAL)                                            \
    F(R, flag, all, 0, OPTIONAL)
#define REC_status(F, R)                                                                           \
    COMMAND(F, R)                                                                                  \
    F(R, text, id, NAME_BYTES_MAX, OPTIONAL)                                                       \
    F(R, text, dp, NAME_BYTES_MAX, OPTIONAL)
#define REC_rollback(F, R)                                                                         \
    COMMAND(F, R)                                                                                  \
    F(R, text, id, NAME_BYTES_MAX, REQUIRED)                                                       \
    F(R, text, version, LABEL_BYTES_MAX, REQUIRED) /* its label, of several the newest; else its epoch */
#define REC_retry(F, R)                                                                            \
    COMMAND(F, R)                                                                                  \
    F(R, text, id, NAME_BYTES_MAX, REQUIRED)                                                       \
    F(R, text, dp, NAME_BYTES_MAX, OPTIONAL)
#define REC_cancel(F, R)                                                                           \
    COMMAND(F, R)                                                                                  \
    F(R, text, id, NAME_BYTES_MAX, REQUIRED)                                                       \
    F(R, text, dp, NAME_BYTES_MAX, OPTIONAL)
#define REC_prioritize(F, R)                                                                       \
    COMMAND(F, R)                                                                                  \
    F(R, text, id, NAME_BYTES_MAX, REQUIRED)                                                       \
    F(R, word, priority, priority, REQUIRED)                                                       \
    F(R, text, dp, NAME_BYTES_MAX, OPTIONAL)
#define REC_verify(F, R)                                                                           \
    COMMAND(F, R)                                                                                  \
    F(R, text, id, NAME_BYTES_MAX, REQUIRED)                                                       \
    F(R, text, dp, NAME_BYTES_MAX, OPTIONAL)
#define REC_store_check(F, R)                                                                      \
    COMMAND(F, R)                                                                                  \
    F(R, flag, repair, 0, OPTIONAL) /* sets aside what proved damaged, and mends the index */
#define REC_store_rebuild(F, R) COMMAND(F, R)
#define REC_store_collect(F, R) COMMAND(F, R)
#define REC_site_backup(F, R) COMMAND(F, R) F(R, text, dir, PATH_BYTES_MAX, REQUIRED)
#define REC_package_export(F, R)                                                                   \
    COMMAND(F, R)                                                                                  \
    F(R, text, id, NAME_BYTES_MAX, REQUIRED)                                                       \
    F(R, text, version, LABEL_BYTES_MAX, OPTIONAL) /* a label or epoch; absent: the newest */      \
    F(R, text, file, PATH_BYTES_MAX, REQUIRED)     /* on the site's machine; not there yet */
#define REC_status_since(F, R)                                                                     \
    COMMAND(F, R)                                                                                  \
    F(R, u64, since, 0, OPTIONAL)                                                                  \
    F(R, u32, count, 0, OPTIONAL) /* 0: EVENTS_PER_ANSWER_MAX */
#define REC_component_list(F, R)    COMMAND(F, R)
#define REC_component_show(F, R)    COMMAND(F, R) F(R, text, name, 95, REQUIRED)
#define REC_component_start(F, R)   COMMAND(F, R) F(R, text, name, 95, REQUIRED)
#define REC_component_stop(F, R)    COMMAND(F, R) F(R, text, name, 95, REQUIRED)
#define REC_component_pause(F, R)   COMMAND(F, R) F(R, text, name, 95, REQUIRED)
#define REC_component_resume(F, R)  COMMAND(F, R) F(R, text, name, 95, REQUIRED)
#define REC_component_restart(F, R) COMMAND(F, R) F(R, text, name, 95, REQUIRED)
#define REC_component_set(F, R)                                                                    \
    COMMAND(F, R)                                                                                  \
    F(R, text, name, 95, REQUIRED)                                                                 \
    F(R, count, slots, 0, OPTIONAL) /* despooler: despooling slots, 0 disables */
#define REC_quarantine_list(F, R)  COMMAND(F, R)
#define REC_quarantine_show(F, R)  COMMAND(F, R) F(R, u64, number, 0, REQUIRED)
#define REC_quarantine_retry(F, R) COMMAND(F, R) F(R, u64, number, 0, REQUIRED)
#define REC_quarantine_drop(F, R)  COMMAND(F, R) F(R, u64, number, 0, REQUIRED)
#define REC_blackbox(F, R) COMMAND(F, R)
#define REC_graph(F, R)    COMMAND(F, R)
#define REC_ping(F, R)     COMMAND(F, R)
#define REC_stop(F, R)     COMMAND(F, R)

/* ---- answers, and what the actors say to one another ---------------------------------------------------- */

#define MESSAGES(M)                                                                                \
    /* answers to commands */                                                                      \
    M(refusal, "the command was not done, and why")                                                \
    M(done, "the command was done")                                                                \
    M(package_done, "a version was stored, or the source was unchanged")                           \
    M(packages, "packages")                                                                        \
    M(package_shown, "one package in full")                                                        \
    M(status_of, "one package and its targets")                                                    \
    M(status_all, "all packages and their targets")                                                \
    M(points, "distribution points")                                                               \
    M(point_shown, "one distribution point and its targets")                                       \
    M(groups, "groups")                                                                            \
    M(links, "links, and the site's own rate")                                                     \
    M(targets_changed, "which targets the command touched")                                        \
    M(verified, "what verify found")                                                               \
    M(planned, "what a distribution would take")                                                   \
    M(store_report, "what was found in the site's store, or done to it; 0 where it is not asked for") \
    M(export_report, "what a parcel holds")                                                        \
    M(backup_report, "what a backup holds")                                                        \
    M(events, "status messages in order")                                                          \
    M(components, "components and the host")                                                       \
    M(component_shown, "one component")                                                            \
    M(quarantine, "messages set aside")                                                            \
    M(graph_shown, "who speaks to whom, and who waits for whom now")                               \
    M(black_box, "the rendered black box")                                                         \
    M(pong, "the site is there")                                                                   \
    /* provider, distribution_manager, package_worker -> site_database */                          \
    M(recall, "the answer that was given to a key, if any")                                        \
    M(recalled, "that answer: the encoded reply, or empty")                                        \
    M(site_open, "asked before ready: the identity of the site")                                   \
    M(site_opened, "the site, its settings and where its store is")                                \
    M(package_lookup, "what is known of a package before it is snapshot")                          \
    M(package_found, "that")                                                                       \
    M(version_commit, "a stored version becomes the package's, and every target wants it")         \
    M(points_known, "names, roots and incarnations of all points, and all sources")                \
    M(points_listed, "those")                                                                      \
    M(point_commit, "a claimed root becomes a point's")                                            \
    M(setting_set, "a setting for good")                                                           \
    M(note_event, "an event that is no change of a target")                                        \
    /* distribution */                                                                             \
    M(due_targets, "takes up what is due: asked by distribution_manager")                          \
    M(due, "the targets taken up, and when the next is due")                                       \
    M(instruction, "install or remove a version on these targets: the message of Q153576")         \
    M(accepted, "the instruction is in the inbox")                                                 \
    M(target_begin, "a target got a slot: it becomes installing, with a lease")                    \
    M(begun, "it has")                                                                             \
    M(lease_renew, "the work on a target goes on")                                                 \
    M(work, "one target, for its point_worker")                                                    \
    M(measure, "what a placement would need, and what the point has")                              \
    M(measured, "that")                                                                            \
    M(outcome, "what became of one try on one target")                                             \
    M(target_outcome, "an outcome and the state that follows from it")                             \
    M(work_changed, "targets changed: look for due work, and end what is listed")                  \
    M(stop_work, "end the work on these targets")                                                  \
    M(inbox_lost, "the despooler has begun anew: what it had accepted is to be sent again")        \
    M(absent_points, "which points are believed absent")                                           \
    M(probe_point, "look for this point until it is back")                                         \
    M(point_returned, "an absent point is back")                                                   \
    M(verify_plan, "which installed targets a verify is to look at")                               \
    M(plan_targets, "which points a plan is to measure, for which version")                        \
    M(target_damaged, "verify found damage: the target leaves installed and is repaired")          \
    M(verify_keep, "what a verify found, to be its answer whenever its key comes again")           \
    M(collect_point, "superseded versions at a point whose grace has ended")                       \
    M(live_roots, "which versions the store must keep")                                            \
    M(roots, "those")                                                                              \
    M(collected, "what a collection of the store freed")                                           \
    M(target_tidied, "a point holds no version of this package before this one any more")          \
    M(untidied, "which targets may hold versions that were superseded, in their order")            \
    M(progress, "bytes placed so far, latest only")                                                \
    /* status and alarms */                                                                        \
    M(events_committed, "status messages up to this one are durable")                              \
    M(events_after, "status messages to publish")                                                  \
    M(backlog_query, "what waits in the despooler")                                                \
    M(backlog, "that")                                                                             \
    M(slots_set, "the number of despooling slots")                                                 \
    M(alarm_query, "what the database knows that is alarming")                                     \
    M(alarm_facts, "that")                                                                         \
    M(component_order, "start, stop, pause, resume or restart a component")                        \
    /* work that ended the host */                                                                 \
    M(set_aside, "work on a target that ended the host again and again: not to be tried again")    \
    M(aside_list, "the targets that were set aside")                                               \
    M(aside_order, "one of them is to be tried again, or given up")                                \
    /* agents: what a site and the agent of a point say to each other */                           \
    M(agent_enrol, "agent: may I be this point's agent? by the secret of a token")                 \
    M(agent_enrolled, "site: you are; and by which key I sign")                                    \
    M(agent_hello, "agent: here I am, and so many bytes may be under way to me")                   \
    M(agent_welcome, "site: go on")                                                                \
    M(agent_beat, "both: a sign of life")                                                          \
    M(agent_order, "site: measure, place, remove, verify, look or collect; signed")                \
    M(agent_stop, "site: end the work on this order")                                              \
    M(agent_need, "agent: these ranges I lack for an order")                                       \
    M(agent_data, "site: bytes of them, or why there are none")                                    \
    M(agent_durable, "agent: so many of the bytes sent are durable here")                          \
    M(agent_progress, "agent: how far the order is")                                               \
    M(agent_done, "agent: what became of an order; a receipt is signed")                           \
    M(agent_seeded, "agent: what of the order's version its seed had, or why it was not used")     \
    M(agent_indexed, "agent: the index of its store was damaged or a part of it gone, and is made anew")                \
    M(agent_refused, "site: you are not, and why")                                                 \
    M(agent_removed, "site: your point was removed; signed")                                       \
    M(agent_buried, "agent: that is durable here; I serve nobody any more")                        \
    M(agent_address, "site: try this address first from now on; signed")                           \
    M(agent_moved, "agent: that address is durable here, beside the one before")                   \
    M(agent_activated, "agent: how my own program ended after a version became current here")      \
    M(agent_activation_known, "site: I have that durably; do not say it again")                    \
    M(agent_bulk, "site: bytes of data come by a plain connection too; say this ticket there")     \
    M(agent_ticket, "agent, on a plain connection: I am who was told this ticket")                 \
    /* agents: inside a site */                                                                    \
    M(agent_added, "the answer to dp.add of an agent: its token")                                  \
    M(agent_revoke, "an agent's key is good for nothing from now on")                              \
    M(agents_known, "who may come in: asked by agent_gateway")                                     \
    M(agents_listed, "those")                                                                      \
    M(agents_changed, "who may come in has changed")                                               \
    M(agent_shut, "an agent's key was revoked: answer when it opens nothing here any more")        \
    M(agent_is_shut, "it opens nothing")                                                           \
    M(agent_heard, "an agent knows an address of the site durably")                                \
    M(version_held, "whether a point may hold this version: asked by agent_gateway")               \
    M(agent_told, "the agent of a removed point knows it: its key is good for nothing from now on") \
    M(activation_note, "how an agent's own program ended: asked by agent_gateway")                 \
    M(activation_noted, "that is durable")                                                         \
    M(agent_call, "what an agent is asked for: point_worker asks agent_gateway")                   \
    M(make_way, "other work waits for an agent: let it have a turn")                               \
    M(agent_end, "end that work")                                                                  \
    M(token_order, "input of a job that makes a token")                                            \
    M(token_made, "its answer")                                                                    \
    M(keys_order, "input of a job that reads the keys below a data directory")                     \
    M(keys_read, "its answer")                                                                     \
    M(named_order, "input of a job that finds what a version's manifest names")                    \
    M(named, "how many those are")                                                                 \
    M(read_order, "input of a job that reads ranges of objects; the answer is agent_data")         \
    /* agents: inside an agent */                                                                  \
    M(agent_args, "the arguments of an agent")                                                     \
    M(move_order, "input of a job that notes another address of the site; the answer is claimed")  \
    M(bury_order, "input of a job that notes that the point was removed; the answer is claimed")   \
    M(lack_order, "input of jobs that find out what is lacking, or store it")                      \
    M(lacking, "its answer")                                                                       \
    M(seed_order, "input of a job that takes what is lacking from a seed; the answer is agent_seeded") \
    M(stored, "the answer of a job that makes data durable")                                       \
    M(activation_order, "input of the jobs of the on-activate program")                            \
    M(activated, "what became of it, or what the site has not heard yet")                          \
    /* arguments of actors and inputs of jobs */                                                   \
    M(site_args, "the arguments of a component: data directory and site name")                     \
    M(snapshot_order, "input of a snapshot job")                                                   \
    M(snapshot_taken, "its answer")                                                                \
    M(claim_order, "input of a job that claims, adopts or checks a root")                          \
    M(claimed, "its answer")                                                                       \
    M(collect_order, "input of a job that collects the store")                                     \
    M(store_order, "input of a job that checks, rebuilds or collects the store")                   \
    M(export_order, "input of the job that writes a parcel; the answer is export_report")          \
    M(backup_order, "input of the jobs of a backup")                                               \
    M(site_restored, "the data directory comes from a backup: the first message of its database")  \
    M(database_copy, "copy the database as it is after the last transaction into this directory")  \
    M(database_copied, "it is there, and durable")                                                 \
    M(group_order, "input of a database job: messages for one transaction")                        \
    M(group_answers, "its answer: what each of them is answered, and what it changed")             \
    M(package_worker_args, "the package a package_worker serialises")                              \
    M(point_worker_args, "the point a point_worker serves")                                        \
    /* points that have no work */                                                                 \
    M(patrol, "the next points to look at, by their names: asked by distribution_manager")         \
    M(looked, "what a look at a point that has no work has found")                                 \
    /* what is placed is read again over time */                                                   \
    M(scrub_next, "what is to be read again at the next points, by their names: asked by distribution_manager") \
    M(scrub_due, "that, and how fast")                                                             \
    M(scrub_point, "a portion of what a point holds is to be read again")                          \
    M(beacon_next, "the number of the next beacon: asked by agent_gateway")                        \
    M(beacon_made, "that; none is given twice")                                                    \
    M(beacon_order, "a beacon that an agent heard, or that it is stale, is to be kept")            \
    M(agent_beacon, "the site is there")                                                           \
    M(beacon_seen, "an agent has seen this beacon")                                                \
    M(scrubbed, "what became of a portion: told by point_worker, then asked of site_database")     \
    M(store_portion, "input of a job that reads a portion of the store's packs again")             \
    M(store_read_again, "what it found: its output, then asked of site_database")                  \
    /* points that leave */                                                                        \
    M(leaving_points, "removed points without content, which are there: asked by distribution_manager") \
    M(point_leave, "a step on a point's way out: input of the job that does it, then the database's")

#define REC_refusal(F, R)                                                                          \
    F(R, word, code, err, REQUIRED)                                                                \
    F(R, text, message, TEXT_BYTES_MAX, REQUIRED) /* cannot <verb> '<subject>': <reason> */        \
    F(R, text, hint, TEXT_BYTES_MAX, OPTIONAL)                                                     \
    F(R, count, need, 0, OPTIONAL)                                                                 \
    F(R, count, have, 0, OPTIONAL)
#define REC_done(F, R)                                                                             \
    F(R, flag, changed, 0, REQUIRED)                                                               \
    F(R, text, text, TEXT_BYTES_MAX, OPTIONAL)
#define REC_package_done(F, R)                                                                     \
    F(R, text, id, NAME_BYTES_MAX, REQUIRED)                                                       \
    F(R, flag, changed, 0, REQUIRED)                                                               \
    F(R, maybe, version, version_ref, OPTIONAL)                                                    \
    F(R, u64, files, 0, REQUIRED)                                                                  \
    F(R, u64, directories, 0, REQUIRED)                                                            \
    F(R, u64, links, 0, REQUIRED)                                                                  \
    F(R, u64, bytes, 0, REQUIRED)                                                                  \
    F(R, u64, not_carried, 0, REQUIRED) /* files with ACLs, xattrs or capabilities, which stay behind */ \
    F(R, u64, clashes, 0, REQUIRED) /* names that differ from another one beside them only in case */ \
    F(R, text, clash, FAULT_SUBJECT_BYTES, OPTIONAL) /* the path of the first of them */
#define REC_packages(F, R)     F(R, rows, packages, package_row, REQUIRED)
#define REC_package_shown(F, R) F(R, maybe, package, package_row, REQUIRED) F(R, rows, targets, target_status, REQUIRED)
#define REC_status_of(F, R)    REC_package_status(F, R)
#define REC_status_all(F, R)   F(R, rows, packages, package_status, REQUIRED)
#define REC_points(F, R)       F(R, rows, dps, point_row, REQUIRED)
#define REC_point_shown(F, R)                                                                      \
    F(R, maybe, dp, point_row, REQUIRED)                                                           \
    F(R, rows, packages, package_status, REQUIRED)
#define REC_groups(F, R)       F(R, rows, groups, group_row, REQUIRED)
#define REC_links(F, R)                                                                            \
    F(R, rows, links, link_row, REQUIRED)                                                          \
    F(R, count, site_rate, 0, OPTIONAL) /* bytes of content a second, to all agents; null: no limit */
#define REC_targets_changed(F, R)                                                                  \
    F(R, flag, changed, 0, REQUIRED)                                                               \
    F(R, texts, targets, POINTS_PER_COMMAND_MAX, REQUIRED) /* names of the points whose target changed */ \
    F(R, texts, absent, POINTS_PER_COMMAND_MAX, OPTIONAL) /* of a retry: those of them that are not there; work goes there when they are back */
#define REC_verified(F, R)                                                                         \
    F(R, text, id, NAME_BYTES_MAX, REQUIRED)                                                       \
    F(R, flag, ok, 0, REQUIRED)                                                                    \
    F(R, rows, points, verify_row, REQUIRED)
#define REC_planned(F, R)                                                                          \
    F(R, text, id, NAME_BYTES_MAX, REQUIRED)                                                       \
    F(R, maybe, version, version_ref, OPTIONAL)                                                    \
    F(R, flag, ok, 0, REQUIRED)   /* each point was measured, and has room */                      \
    F(R, u64, bytes, 0, REQUIRED) /* of all points */                                              \
    F(R, rows, points, plan_row, REQUIRED)
#define REC_store_report(F, R)                                                                     \
    F(R, word, err, err, INTERNAL)                                                                 \
    F(R, text, text, TEXT_BYTES_MAX, INTERNAL) /* of a failure */                                  \
    F(R, flag, ok, 0, REQUIRED)             /* nothing is damaged or missing */                    \
    F(R, u64, packs, 0, REQUIRED)                                                                  \
    F(R, u64, objects, 0, REQUIRED)         /* that are right; of a collection: that versions need */ \
    F(R, u64, bytes, 0, REQUIRED)           /* of them, as they are stored */                      \
    F(R, u64, damaged, 0, REQUIRED)         /* objects whose bytes are not right */                \
    F(R, u64, heads_damaged, 0, REQUIRED)   /* packs whose own head is not right; nothing is lost by it */ \
    F(R, u64, pages_damaged, 0, REQUIRED)   /* of the index; store.rebuild mends them */           \
    F(R, u64, missing, 0, REQUIRED)         /* objects that versions need and that cannot be had */ \
    F(R, u64, versions_damaged, 0, REQUIRED) /* versions that miss something; package.update stores it again */ \
    F(R, u64, removed_objects, 0, REQUIRED) /* in a dry run: that would be */                      \
    F(R, u64, removed_bytes, 0, REQUIRED)                                                          \
    F(R, u64, kept_objects, 0, REQUIRED)    /* that no version needs, in packs of which most is needed */ \
    F(R, u64, kept_bytes, 0, REQUIRED)                                                             \
    F(R, u64, held_objects, 0, REQUIRED)    /* of objects: chunks, perhaps, of a file whose list is damaged */ \
    F(R, u64, held_bytes, 0, REQUIRED)      /* until package.update stores that again */           \
    F(R, u64, packs_rewritten, 0, REQUIRED)                                                        \
    F(R, rows, kept_by, kept_row, REQUIRED) /* of a collection: who needs what stays */            \
    F(R, rows, lacking, lacking_row, OPTIONAL) /* of a check: which versions miss something, the first VERSIONS_TOLD_MAX */
#define REC_export_report(F, R)                                                                    \
    F(R, word, err, err, INTERNAL)                                                                 \
    F(R, text, text, TEXT_BYTES_MAX, INTERNAL) /* of a failure */                                  \
    F(R, text, file, PATH_BYTES_MAX, REQUIRED)                                                     \
    F(R, u64, epoch, 0, REQUIRED)                                                                  \
    F(R, u64, objects, 0, REQUIRED) /* of the store, that are in it */                             \
    F(R, u64, bytes, 0, REQUIRED)   /* of the file */
#define REC_backup_report(F, R)                                                                    \
    F(R, word, err, err, INTERNAL)                                                                 \
    F(R, text, text, TEXT_BYTES_MAX, INTERNAL) /* of a failure */                                  \
    F(R, text, dir, PATH_BYTES_MAX, REQUIRED)                                                      \
    F(R, u64, files, 0, REQUIRED)                                                                  \
    F(R, u64, bytes, 0, REQUIRED)                                                                  \
    F(R, u64, last_event, 0, REQUIRED) /* status messages up to this one are in it */
#define REC_events(F, R)                                                                           \
    F(R, rows, events, event, REQUIRED)                                                            \
    F(R, maybe, lost, lost_range, OPTIONAL)                                                        \
    F(R, u64, last, 0, REQUIRED) /* the last sequence number there is */
#define REC_components(F, R)                                                                       \
    F(R, rows, components, component_row, REQUIRED)                                                \
    F(R, pairs, host, 32, REQUIRED) /* threads, sockets, descriptors, actors, bounds */
#define REC_component_shown(F, R) F(R, maybe, component, component_row, REQUIRED)
#define REC_quarantine(F, R)      F(R, rows, messages, quarantine_row, REQUIRED)
#define REC_graph_shown(F, R)                                                                      \
    F(R, rows, edges, graph_edge, REQUIRED)                                                        \
    F(R, rows, waits, graph_wait, REQUIRED)                                                        \
    F(R, u64, waiting, 0, REQUIRED) /* actors that wait, also those beyond the limit of waits */
#define REC_black_box(F, R)       F(R, text, text, 1048576, REQUIRED)
#define REC_pong(F, R)                                                                             \
    F(R, text, site, NAME_BYTES_MAX, REQUIRED)                                                     \
    F(R, text, version, 32, REQUIRED)                                                              \
    F(R, u64, up_ms, 0, REQUIRED)                                                                  \
    F(R, flag, ready, 0, REQUIRED)                                                                 \
    F(R, text, held, NAME_BYTES_MAX, OPTIONAL) /* a component that is paused, and which a command in hand waits for */

#define REC_recall(F, R)                                                                           \
    F(R, text, key, KEY_BYTES_MAX, REQUIRED)                                                       \
    F(R, u32, command, 0, OPTIONAL) /* the number of the command that has this key now */
#define REC_recalled(F, R) F(R, bytes, answer, 1048576, OPTIONAL) F(R, u32, type, 0, OPTIONAL) /* a record of this number, as msgpack */
#define REC_site_open(F, R) F(R, text, asker, 95, OPTIONAL)
#define REC_site_opened(F, R)                                                                      \
    F(R, id128, site, 0, REQUIRED)                                                                 \
    F(R, text, name, NAME_BYTES_MAX, REQUIRED)                                                     \
    F(R, u32, slots, 0, REQUIRED)                                                                  \
    F(R, u64, last_event, 0, REQUIRED)                                                             \
    F(R, u64, published, 0, REQUIRED) /* status messages up to this one were published */
#define REC_package_lookup(F, R)                                                                   \
    F(R, text, id, NAME_BYTES_MAX, REQUIRED)                                                       \
    F(R, text, version, LABEL_BYTES_MAX, OPTIONAL) /* of which root and epoch are told, not the newest */
#define REC_package_found(F, R)                                                                    \
    F(R, flag, exists, 0, REQUIRED)                                                                \
    F(R, text, id, NAME_BYTES_MAX, REQUIRED) /* as it is written in the database */                \
    F(R, text, source, PATH_BYTES_MAX, OPTIONAL)                                                   \
    F(R, texts, exclude, GLOB_COUNT_MAX, OPTIONAL)                                                 \
    F(R, word, link_rule, link_rule, OPTIONAL)                                                     \
    F(R, digest, root, 0, OPTIONAL)                                                                \
    F(R, u64, epoch, 0, OPTIONAL)                                                                  \
    F(R, rows, points, point_ref, REQUIRED) /* all points, for the overlap check */
#define REC_version_commit(F, R)                                                                   \
    COMMAND(F, R)                                                                                  \
    F(R, flag, add, 0, REQUIRED) /* a new package, else an update */                               \
    F(R, text, id, NAME_BYTES_MAX, REQUIRED)                                                       \
    F(R, text, source, PATH_BYTES_MAX, OPTIONAL)                                                   \
    F(R, text, name, TEXT_BYTES_MAX, OPTIONAL)                                                     \
    F(R, text, label, LABEL_BYTES_MAX, OPTIONAL)                                                   \
    F(R, texts, exclude, GLOB_COUNT_MAX, OPTIONAL)                                                 \
    F(R, word, link_rule, link_rule, OPTIONAL)                                                     \
    F(R, digest, root, 0, REQUIRED)                                                                \
    F(R, u64, files, 0, REQUIRED)                                                                  \
    F(R, u64, directories, 0, REQUIRED)                                                            \
    F(R, u64, links, 0, REQUIRED)                                                                  \
    F(R, u64, bytes, 0, REQUIRED)                                                                  \
    F(R, u64, unique_bytes, 0, REQUIRED)                                                           \
    F(R, u64, stored_bytes, 0, REQUIRED)                                                           \
    F(R, u64, not_carried, 0, REQUIRED)                                                            \
    F(R, u64, clashes, 0, REQUIRED)                                                                \
    F(R, text, clash, FAULT_SUBJECT_BYTES, OPTIONAL)                                               \
    F(R, time, activate_at, 0, OPTIONAL) /* as of distribute, for all of its points */             \
    F(R, flag, barrier, 0, OPTIONAL)                                                               \
    F(R, time, deadline, 0, OPTIONAL)
#define REC_points_known(F, R)                                                                     \
    F(R, text, name, NAME_BYTES_MAX, OPTIONAL)                                                     \
    F(R, flag, alone, 0, OPTIONAL) /* that point alone, and no sources */
#define REC_points_listed(F, R)                                                                    \
    F(R, text, address, AGENT_ADDRESS_BYTES_MAX, OPTIONAL) /* that agents are told; absent: none was set */ \
    F(R, rows, points, point_ref, REQUIRED)                                                        \
    F(R, texts, sources, RECORD_ROWS_COUNT_MAX, REQUIRED)
#define REC_point_commit(F, R)                                                                     \
    COMMAND(F, R)                                                                                  \
    F(R, flag, add, 0, REQUIRED) /* a new point, else a changed root */                            \
    F(R, text, name, NAME_BYTES_MAX, REQUIRED)                                                     \
    F(R, text, root, PATH_BYTES_MAX, REQUIRED)                                                     \
    F(R, id128, incarnation, 0, REQUIRED)                                                          \
    F(R, flag, adopt, 0, OPTIONAL)   /* the root that it has, on purpose */                        \
    F(R, flag, written, 0, OPTIONAL) /* the root carried another identity before, or none */       \
    F(R, text, address, AGENT_ADDRESS_BYTES_MAX, OPTIONAL) /* of the site, in a token */           \
    F(R, digest, token, 0, OPTIONAL) /* of an agent: public half of the secret in its token */     \
    F(R, u64, expires_s, 0, OPTIONAL)                                                              \
    F(R, text, token_text, TEXT_BYTES_MAX, OPTIONAL) /* for the answer; it is kept with it alone */
#define REC_setting_set(F, R)                                                                      \
    COMMAND(F, R)                                                                                  \
    F(R, text, name, NAME_BYTES_MAX, REQUIRED)                                                     \
    F(R, text, value, TEXT_BYTES_MAX, REQUIRED)
#define REC_note_event(F, R)                                                                       \
    F(R, text, component, NAME_BYTES_MAX, REQUIRED)                                                \
    F(R, u32, id, 0, REQUIRED)                                                                     \
    F(R, word, severity, severity, REQUIRED)                                                       \
    F(R, text, package, NAME_BYTES_MAX, OPTIONAL)                                                  \
    F(R, text, dp, NAME_BYTES_MAX, OPTIONAL)                                                       \
    F(R, text, text, TEXT_BYTES_MAX, REQUIRED)                                                     \
    F(R, pairs, attrs, 32, OPTIONAL)

#define REC_due_targets(F, R)                                                                      \
    F(R, id128, run, 0, REQUIRED) /* what another run took up is due again */                      \
    F(R, u32, limit, 0, REQUIRED)
#define REC_due(F, R)                                                                              \
    F(R, rows, targets, due_row, REQUIRED)                                                         \
    F(R, flag, more, 0, REQUIRED)                                                                  \
    F(R, u64, next_ms, 0, REQUIRED) /* until the next is due; RECORD_NONE: none */                 \
    F(R, flag, leaving, 0, OPTIONAL) /* there are leaving_points */                                \
    F(R, time, now, 0, OPTIONAL)     /* of a plan: by the clock of its windows */
#define REC_instruction(F, R)                                                                      \
    F(R, u64, number, 0, REQUIRED) /* equal over the retries of one instruction */                 \
    F(R, word, action, action, REQUIRED)                                                           \
    F(R, text, package, NAME_BYTES_MAX, REQUIRED)                                                  \
    F(R, id128, package_incarnation, 0, REQUIRED)                                                  \
    F(R, u64, epoch, 0, REQUIRED)                                                                  \
    F(R, digest, root, 0, OPTIONAL)                                                                \
    F(R, text, label, LABEL_BYTES_MAX, OPTIONAL)                                                   \
    F(R, u64, bytes, 0, OPTIONAL)                                                                  \
    F(R, u32, attempt, 0, REQUIRED)                                                                \
    F(R, u32, of, 0, REQUIRED)                                                                     \
    F(R, u32, integrity, 0, OPTIONAL)                                                              \
    F(R, time, due, 0, OPTIONAL)                                                                   \
    F(R, word, cause, err, OPTIONAL) /* of the try before this one */                              \
    F(R, word, priority, priority, OPTIONAL)                                                       \
    F(R, rows, targets, target_ref, REQUIRED) /* never empty: an empty one is refused (no-targets) */
#define REC_accepted(F, R) F(R, u32, queued, 0, REQUIRED)
#define REC_target_begin(F, R)                                                                     \
    F(R, u64, target, 0, REQUIRED)                                                                 \
    F(R, u64, revision, 0, REQUIRED)                                                               \
    F(R, word, action, action, REQUIRED)                                                           \
    F(R, u32, slot, 0, REQUIRED)                                                                   \
    F(R, u32, lease_ms, 0, REQUIRED)
#define REC_begun(F, R) F(R, u64, revision, 0, REQUIRED)
#define REC_lease_renew(F, R)                                                                      \
    F(R, u64, target, 0, REQUIRED)                                                                 \
    F(R, u64, revision, 0, REQUIRED)                                                               \
    F(R, u32, lease_ms, 0, REQUIRED)
#define REC_work(F, R)                                                                             \
    F(R, u64, target, 0, REQUIRED)                                                                 \
    F(R, u64, revision, 0, REQUIRED)                                                               \
    F(R, word, action, action, REQUIRED)                                                           \
    F(R, text, package, NAME_BYTES_MAX, REQUIRED)                                                  \
    F(R, id128, package_incarnation, 0, REQUIRED)                                                  \
    F(R, u64, epoch, 0, REQUIRED)                                                                  \
    F(R, digest, root, 0, OPTIONAL)                                                                \
    F(R, text, label, LABEL_BYTES_MAX, OPTIONAL)                                                   \
    F(R, u32, attempt, 0, REQUIRED)                                                                \
    F(R, u32, of, 0, REQUIRED)                                                                     \
    F(R, u32, integrity, 0, OPTIONAL)                                                              \
    F(R, id128, site, 0, REQUIRED)                                                                 \
    F(R, text, store, PATH_BYTES_MAX, REQUIRED)                                                    \
    F(R, text, dp, NAME_BYTES_MAX, REQUIRED)                                                       \
    F(R, id128, dp_incarnation, 0, REQUIRED)                                                       \
    F(R, text, dp_root, PATH_BYTES_MAX, REQUIRED)                                                  \
    F(R, u64, reserved_bytes, 0, OPTIONAL)  /* what other work on the same file system has reserved */ \
    F(R, u64, reserved_inodes, 0, OPTIONAL)                                                        \
    F(R, u64, grace_ms, 0, OPTIONAL)                                                               \
    F(R, text, seed, AGENT_PATH_BYTES_MAX, OPTIONAL)                                               \
    F(R, digest, have, 0, OPTIONAL)                                                                \
    F(R, text, scrub_from, PATH_BYTES_MAX, OPTIONAL) /* the path at which the portion before ended */ \
    F(R, u64, scrub_bytes, 0, OPTIONAL)              /* that a portion is to read */               \
    F(R, flag, read_only, 0, OPTIONAL) /* it is placed less the right to write */
#define REC_measure(F, R) REC_work(F, R)
#define REC_measured(F, R)                                                                         \
    F(R, word, err, err, REQUIRED)                                                                 \
    F(R, text, text, TEXT_BYTES_MAX, OPTIONAL)                                                     \
    F(R, flag, already, 0, REQUIRED) /* the receipt is there: nothing to write */                  \
    F(R, flag, reached, 0, REQUIRED) /* the point itself was met */                                \
    F(R, u64, device, 0, REQUIRED)                                                                 \
    F(R, u64, need_bytes, 0, REQUIRED)                                                             \
    F(R, u64, need_inodes, 0, REQUIRED)                                                            \
    F(R, u64, have_bytes, 0, REQUIRED) /* free beyond the reserve */                               \
    F(R, u64, have_inodes, 0, REQUIRED)                                                            \
    F(R, u64, holds, 0, OPTIONAL) /* of superseded: the highest epoch that the point knows */\
    F(R, u64, bytes, 0, OPTIONAL) /* of content still to be sent or written, exactly */
#define REC_outcome(F, R)                                                                          \
    F(R, u64, target, 0, REQUIRED)                                                                 \
    F(R, u64, revision, 0, REQUIRED)                                                               \
    F(R, word, action, action, REQUIRED)                                                           \
    F(R, text, package, NAME_BYTES_MAX, REQUIRED)                                                  \
    F(R, id128, package_incarnation, 0, REQUIRED)                                                  \
    F(R, text, dp, NAME_BYTES_MAX, REQUIRED)                                                       \
    F(R, id128, dp_incarnation, 0, REQUIRED)                                                       \
    F(R, text, dp_root, PATH_BYTES_MAX, OPTIONAL)                                                  \
    F(R, u64, epoch, 0, REQUIRED)                                                                  \
    F(R, digest, root, 0, OPTIONAL) /* of the durable receipt */                                   \
    F(R, digest, lacks, 0, OPTIONAL) /* root of a version whose manifest could not be read */      \
    F(R, u32, attempt, 0, REQUIRED)                                                                \
    F(R, u32, of, 0, REQUIRED)                                                                     \
    F(R, u32, integrity, 0, OPTIONAL)                                                              \
    F(R, word, err, err, REQUIRED)  /* ok: a receipt is durable, or the content is gone */         \
    F(R, text, text, TEXT_BYTES_MAX, OPTIONAL)                                                     \
    F(R, count, need, 0, OPTIONAL)                                                                 \
    F(R, count, have, 0, OPTIONAL)                                                                 \
    F(R, flag, reached, 0, REQUIRED) /* the try reached the point: it counts as an attempt */      \
    F(R, flag, already, 0, REQUIRED) /* nothing had to be copied */                                \
    F(R, u64, files, 0, REQUIRED)                                                                  \
    F(R, u64, bytes, 0, REQUIRED)                                                                  \
    F(R, texts, foreign, 100, OPTIONAL) /* paths that are not ours and stayed */                   \
    F(R, maybe, verify, verify_row, OPTIONAL)                                                      \
    F(R, u64, holds, 0, OPTIONAL) /* of superseded: the highest epoch that the point knows */\
    F(R, maybe, plan, plan_row, OPTIONAL)                                                          \
    F(R, count, sent, 0, OPTIONAL) /* bytes of content that this try sent or wrote */              \
    F(R, text, scrub_next, PATH_BYTES_MAX, OPTIONAL) /* where a portion ended; empty: at the end */ \
    F(R, u64, scrub_bytes, 0, OPTIONAL)              /* that it read */                            \
    F(R, u64, indexed, 0, OPTIONAL) /* objects in an agent's index that was made anew; 0: it was not */
#define REC_target_outcome(F, R)                                                                   \
    REC_outcome(F, R)                                                                              \
    F(R, word, next, target_state, REQUIRED)                                                       \
    F(R, u32, attempts, 0, REQUIRED)                                                               \
    F(R, u32, integrity_next, 0, REQUIRED)                                                         \
    F(R, u64, due_ms, 0, REQUIRED) /* from now; RECORD_NONE: none */
#define REC_work_changed(F, R) F(R, rows, stopped, stopped_row, REQUIRED)
#define REC_stop_work(F, R)    F(R, rows, stopped, stopped_row, REQUIRED)
#define REC_inbox_lost(F, R)                                                                       \
    F(R, u32, slots, 0, REQUIRED)                                                                  \
    F(R, flag, all, 0, OPTIONAL) /* the despooler has begun anew; else one entry is lost */
#define REC_absent_points(F, R) F(R, flag, all, 0, OPTIONAL)
#define REC_probe_point(F, R)                                                                      \
    F(R, text, dp, NAME_BYTES_MAX, REQUIRED)                                                       \
    F(R, id128, dp_incarnation, 0, REQUIRED)                                                       \
    F(R, text, dp_root, PATH_BYTES_MAX, REQUIRED)                                                  \
    F(R, id128, site, 0, OPTIONAL)                                                                 \
    F(R, flag, once, 0, OPTIONAL) /* look once, and tell what was found */                         \
    F(R, flag, ends, 0, OPTIONAL) /* nobody looks out for it any more; dp may be written otherwise */
#define REC_point_returned(F, R)                                                                   \
    F(R, text, dp, NAME_BYTES_MAX, REQUIRED)                                                       \
    F(R, id128, dp_incarnation, 0, REQUIRED)
#define REC_patrol(F, R)                                                                           \
    F(R, text, after, NAME_BYTES_MAX, OPTIONAL)                                                    \
    F(R, u32, limit, 0, REQUIRED)
#define REC_looked(F, R)                                                                           \
    F(R, text, dp, NAME_BYTES_MAX, REQUIRED)                                                       \
    F(R, id128, dp_incarnation, 0, REQUIRED)                                                       \
    F(R, text, dp_root, PATH_BYTES_MAX, REQUIRED)                                                  \
    F(R, word, err, err, REQUIRED) /* ok, too, where nothing could be found out */
#define REC_scrub_next(F, R)                                                                       \
    F(R, text, after, NAME_BYTES_MAX, OPTIONAL)                                                    \
    F(R, u32, limit, 0, REQUIRED)                                                                  \
    F(R, u64, rest_ms, 0, REQUIRED) /* from the beginning of a whole reading of a point to the next */
#define REC_scrub_row(F, R)                                                                        \
    F(R, u64, target, 0, REQUIRED)                                                                 \
    F(R, u64, revision, 0, REQUIRED)                                                               \
    F(R, text, package, NAME_BYTES_MAX, REQUIRED)                                                  \
    F(R, id128, package_incarnation, 0, REQUIRED)                                                  \
    F(R, u64, epoch, 0, REQUIRED)                                                                  \
    F(R, digest, root, 0, OPTIONAL)                                                                \
    F(R, text, dp, NAME_BYTES_MAX, REQUIRED)                                                       \
    F(R, id128, dp_incarnation, 0, REQUIRED)                                                       \
    F(R, text, dp_root, PATH_BYTES_MAX, REQUIRED)                                                  \
    F(R, text, from, PATH_BYTES_MAX, OPTIONAL)                                                     \
    F(R, flag, staged, 0, OPTIONAL) /* it is promised, and nothing leads to it yet */
#define REC_scrub_due(F, R)                                                                        \
    F(R, u64, rate, 0, REQUIRED)             /* bytes a second; 0: nothing is read */              \
    F(R, text, last, NAME_BYTES_MAX, OPTIONAL) /* the last point that was looked at; empty: there are no more */ \
    F(R, rows, targets, scrub_row, REQUIRED)                                                       \
    F(R, u64, store_pack, 0, REQUIRED)  /* of the site's store, where its reading goes on; 0: at the first */ \
    F(R, flag, store_rests, 0, REQUIRED) /* it was read to its end, not long ago */
#define REC_store_portion(F, R)                                                                    \
    F(R, text, store, PATH_BYTES_MAX, REQUIRED)                                                    \
    F(R, u64, pack, 0, REQUIRED)                                                                   \
    F(R, u64, offset, 0, REQUIRED)                                                                 \
    F(R, u64, bytes, 0, REQUIRED) /* to be read */
#define REC_store_read_again(F, R)                                                                 \
    F(R, word, err, err, REQUIRED)                                                                 \
    F(R, text, text, TEXT_BYTES_MAX, OPTIONAL)                                                     \
    F(R, u64, pack, 0, REQUIRED)   /* where the next portion begins; 0: all was read */            \
    F(R, u64, offset, 0, REQUIRED)                                                                 \
    F(R, u64, bytes, 0, REQUIRED)  /* that were read */                                            \
    F(R, u64, damaged, 0, REQUIRED) /* records that the index names, and that are not right */    \
    F(R, u64, named, 0, OPTIONAL)  /* objects that a run named which is gone, and one does again */
#define REC_beacon_next(F, R)  F(R, flag, all, 0, OPTIONAL)
#define REC_beacon_made(F, R)  F(R, u64, sequence, 0, REQUIRED)
#define REC_beacon_order(F, R)                                                                     \
    F(R, text, data, PATH_BYTES_MAX, REQUIRED)                                                     \
    F(R, u64, sequence, 0, REQUIRED)                                                               \
    F(R, time, time, 0, OPTIONAL)                                                                  \
    F(R, flag, stale, 0, REQUIRED) /* the one that is kept stays, and the agent is stale */        \
    F(R, u64, replayed, 0, REQUIRED)
#define REC_agent_beacon(F, R)                                                                     \
    F(R, u64, sequence, 0, REQUIRED) /* rises from beacon to beacon, for ever */                   \
    F(R, time, time, 0, OPTIONAL)    /* of the site: shown, never compared */                      \
    F(R, u64, stale_ms, 0, REQUIRED) /* without a higher one the agent is stale then */            \
    F(R, bytes, signature, 64, REQUIRED)
#define REC_scrub_point(F, R) REC_work(F, R)
#define REC_scrubbed(F, R)    REC_outcome(F, R)
#define REC_leaving_points(F, R)                                                                   \
    F(R, u32, limit, 0, REQUIRED)                                                                  \
    F(R, text, after, NAME_BYTES_MAX, OPTIONAL) /* the last one that was listed, as it was then */ \
    F(R, flag, emptied, 0, OPTIONAL)
#define REC_point_leave(F, R)                                                                      \
    F(R, id128, site, 0, REQUIRED)                                                                 \
    F(R, text, dp, NAME_BYTES_MAX, REQUIRED)                                                       \
    F(R, id128, dp_incarnation, 0, REQUIRED)                                                       \
    F(R, text, dp_root, PATH_BYTES_MAX, REQUIRED)                                                  \
    F(R, flag, emptied, 0, REQUIRED) /* the step after: the identity goes, then the point */
#define REC_verify_plan(F, R)                                                                      \
    COMMAND(F, R)                                                                                  \
    F(R, text, id, NAME_BYTES_MAX, REQUIRED)                                                       \
    F(R, text, dp, NAME_BYTES_MAX, OPTIONAL)
#define REC_plan_targets(F, R)                                                                     \
    F(R, text, id, NAME_BYTES_MAX, REQUIRED)                                                       \
    F(R, texts, to, POINTS_PER_COMMAND_MAX, OPTIONAL)                                              \
    F(R, flag, all, 0, OPTIONAL)                                                                   \
    F(R, u64, first, 0, REQUIRED) /* the number of the first; no target has such a one */          \
    F(R, texts, rings, RINGS_MAX, OPTIONAL)
#define REC_verify_keep(F, R)                                                                      \
    F(R, text, key, KEY_BYTES_MAX, REQUIRED)                                                       \
    F(R, maybe, verified, verified, REQUIRED)
#define REC_target_damaged(F, R)                                                                   \
    F(R, u64, target, 0, REQUIRED)                                                                 \
    F(R, u64, revision, 0, REQUIRED)                                                               \
    F(R, text, text, TEXT_BYTES_MAX, REQUIRED)
#define REC_collect_point(F, R) REC_work(F, R)
#define REC_live_roots(F, R)                                                                       \
    F(R, flag, all, 0, OPTIONAL)                                                                   \
    F(R, flag, named, 0, OPTIONAL) /* each version, with its package */
#define REC_roots(F, R)      F(R, rows, roots, root_ref, REQUIRED)
#define REC_collected(F, R)                                                                        \
    F(R, word, err, err, REQUIRED)                                                                 \
    F(R, text, text, TEXT_BYTES_MAX, OPTIONAL)                                                     \
    F(R, u64, objects, 0, REQUIRED) /* or versions, of a point */                                  \
    F(R, u64, bytes, 0, REQUIRED)                                                                  \
    F(R, u64, waiting, 0, REQUIRED) /* versions of a point whose grace time is not over */         \
    F(R, count, held_objects, 0, OPTIONAL) /* that stay for a file whose list of chunks is damaged */ \
    F(R, count, held_bytes, 0, OPTIONAL)                                                           \
    F(R, digest, lacks, 0, OPTIONAL) /* root of a version whose manifest could not be read */      \
    F(R, text, lacks_id, NAME_BYTES_MAX, OPTIONAL) /* its package, of the site's store */
#define REC_target_tidied(F, R)                                                                    \
    F(R, u64, target, 0, REQUIRED)                                                                 \
    F(R, u64, epoch, 0, REQUIRED)
#define REC_untidied(F, R)                                                                         \
    F(R, u64, after, 0, REQUIRED) /* the target after which to begin */                            \
    F(R, u32, limit, 0, REQUIRED)
#define REC_progress(F, R)                                                                         \
    F(R, u64, target, 0, REQUIRED)                                                                 \
    F(R, text, package, NAME_BYTES_MAX, REQUIRED)                                                  \
    F(R, text, dp, NAME_BYTES_MAX, OPTIONAL)                                                       \
    F(R, u64, bytes_done, 0, REQUIRED)                                                             \
    F(R, u64, bytes_total, 0, REQUIRED)

#define REC_events_committed(F, R) F(R, u64, last, 0, REQUIRED)
#define REC_events_after(F, R)                                                                     \
    F(R, u64, since, 0, REQUIRED)                                                                  \
    F(R, u32, count, 0, REQUIRED)                                                                  \
    F(R, u64, published, 0, REQUIRED) /* the asker has published up to here */
#define REC_backlog_query(F, R) F(R, flag, all, 0, OPTIONAL)
#define REC_backlog(F, R)                                                                          \
    F(R, u32, slots, 0, REQUIRED)                                                                  \
    F(R, u32, busy, 0, REQUIRED)                                                                   \
    F(R, u64, waiting, 0, REQUIRED)                                                                \
    F(R, u64, oldest_ms, 0, REQUIRED)
#define REC_slots_set(F, R)   F(R, u32, slots, 0, REQUIRED)
#define REC_alarm_query(F, R) F(R, flag, all, 0, OPTIONAL)
#define REC_alarm_facts(F, R)                                                                      \
    F(R, texts, absent, ALARMS_MAX, REQUIRED) /* points, for longer than ABSENT_ALARM_MS; the longest first */ \
    F(R, texts, full, ALARMS_MAX, REQUIRED)  /* points where targets wait for space */             \
    F(R, u64, failed, 0, REQUIRED)           /* targets that wait for a person */                  \
    F(R, u64, site_free, 0, REQUIRED)        /* bytes free where the data directory is */          \
    F(R, i64, clock_skew_ms, 0, REQUIRED)    /* how far the wall clock jumped against the monotonic one */
#define REC_component_order(F, R)                                                                  \
    F(R, text, name, 95, REQUIRED)                                                                 \
    F(R, text, order, 16, REQUIRED)

#define REC_set_aside(F, R)                                                                        \
    F(R, u64, target, 0, REQUIRED)                                                                 \
    F(R, text, why, 100, REQUIRED)
#define REC_aside_list(F, R) F(R, flag, all, 0, OPTIONAL)
#define REC_aside_order(F, R)                                                                      \
    COMMAND(F, R)                                                                                  \
    F(R, text, id, 24, REQUIRED) /* its number, as text */                                         \
    F(R, u64, target, 0, REQUIRED)                                                                 \
    F(R, flag, drop, 0, REQUIRED)

#define REC_site_args(F, R)                                                                        \
    F(R, text, data, PATH_BYTES_MAX, REQUIRED)                                                     \
    F(R, text, site, NAME_BYTES_MAX, REQUIRED)                                                     \
    F(R, u64, grace_ms, 0, OPTIONAL)                                                               \
    F(R, u32, probe_ms, 0, OPTIONAL)                                                               \
    F(R, u32, backlog_alarm_ms, 0, OPTIONAL)                                                       \
    F(R, u32, scrub_ms, 0, OPTIONAL)                                                               \
    F(R, u32, beacon_ms, 0, OPTIONAL)                                                              \
    F(R, texts, allow_source, 64, OPTIONAL)                                                        \
    F(R, texts, allow_root, 64, OPTIONAL)                                                          \
    F(R, text, listen, AGENT_PATH_BYTES_MAX, OPTIONAL) /* for agents; absent: none can join */     \
    F(R, text, plain, AGENT_ADDRESS_BYTES_MAX, OPTIONAL) /* for bytes of data unencrypted; absent: none are */ \
    F(R, id128, restored, 0, OPTIONAL) /* of a data directory that comes from a backup */
#define REC_snapshot_order(F, R)                                                                   \
    F(R, text, store, PATH_BYTES_MAX, REQUIRED)                                                    \
    F(R, text, source, PATH_BYTES_MAX, REQUIRED)                                                   \
    F(R, texts, exclude, GLOB_COUNT_MAX, OPTIONAL)                                                 \
    F(R, word, link_rule, link_rule, OPTIONAL)                                                     \
    F(R, text, data, PATH_BYTES_MAX, REQUIRED)                                                     \
    F(R, rows, points, point_ref, REQUIRED)                                                        \
    F(R, flag, dry_run, 0, REQUIRED)
#define REC_snapshot_taken(F, R)                                                                   \
    F(R, word, err, err, REQUIRED)                                                                 \
    F(R, text, text, TEXT_BYTES_MAX, OPTIONAL)                                                     \
    F(R, count, need, 0, OPTIONAL)                                                                 \
    F(R, count, have, 0, OPTIONAL)                                                                 \
    F(R, digest, root, 0, OPTIONAL)                                                                \
    F(R, u64, files, 0, REQUIRED)                                                                  \
    F(R, u64, directories, 0, REQUIRED)                                                            \
    F(R, u64, links, 0, REQUIRED)                                                                  \
    F(R, u64, bytes, 0, REQUIRED)                                                                  \
    F(R, u64, unique_bytes, 0, REQUIRED)                                                           \
    F(R, u64, stored_bytes, 0, REQUIRED)                                                           \
    F(R, u64, not_carried, 0, REQUIRED)                                                            \
    F(R, u64, clashes, 0, REQUIRED)                                                                \
    F(R, text, clash, FAULT_SUBJECT_BYTES, OPTIONAL)
#define REC_claim_order(F, R)                                                                      \
    F(R, text, how, 8, REQUIRED) /* add, set, adopt */                                             \
    F(R, id128, site, 0, REQUIRED)                                                                 \
    F(R, text, dp, NAME_BYTES_MAX, REQUIRED)                                                       \
    F(R, id128, dp_incarnation, 0, REQUIRED)                                                       \
    F(R, text, dp_root, PATH_BYTES_MAX, REQUIRED)                                                  \
    F(R, text, data, PATH_BYTES_MAX, REQUIRED)                                                     \
    F(R, flag, dry_run, 0, REQUIRED)                                                               \
    F(R, rows, points, point_ref, REQUIRED)                                                        \
    F(R, texts, sources, RECORD_ROWS_COUNT_MAX, REQUIRED)
#define REC_claimed(F, R)                                                                          \
    F(R, word, err, err, REQUIRED)                                                                 \
    F(R, text, text, TEXT_BYTES_MAX, OPTIONAL)                                                     \
    F(R, text, root, PATH_BYTES_MAX, OPTIONAL)                                                     \
    F(R, id128, incarnation, 0, OPTIONAL)                                                          \
    F(R, flag, written, 0, OPTIONAL) /* of adopt: the root carried another identity, or none */
#define REC_collect_order(F, R)                                                                    \
    F(R, text, store, PATH_BYTES_MAX, REQUIRED)                                                    \
    F(R, rows, roots, root_ref, REQUIRED)
#define REC_store_order(F, R)                                                                      \
    F(R, text, store, PATH_BYTES_MAX, REQUIRED)                                                    \
    F(R, rows, roots, root_ref, REQUIRED)                                                          \
    F(R, flag, check, 0, REQUIRED)   /* or */                                                      \
    F(R, flag, rebuild, 0, REQUIRED) /* or neither: collect */                                     \
    F(R, flag, repair, 0, REQUIRED)                                                                \
    F(R, flag, dry_run, 0, REQUIRED)
#define REC_export_order(F, R)                                                                     \
    F(R, text, data, PATH_BYTES_MAX, REQUIRED)                                                     \
    F(R, text, file, PATH_BYTES_MAX, REQUIRED)                                                     \
    F(R, text, package, NAME_BYTES_MAX, REQUIRED)                                                  \
    F(R, id128, site, 0, REQUIRED)                                                                 \
    F(R, u64, epoch, 0, REQUIRED)                                                                  \
    F(R, digest, root, 0, REQUIRED)                                                                \
    F(R, flag, dry_run, 0, REQUIRED)
#define REC_backup_order(F, R)                                                                     \
    F(R, text, data, PATH_BYTES_MAX, REQUIRED)                                                     \
    F(R, text, dir, PATH_BYTES_MAX, REQUIRED)                                                      \
    F(R, id128, site, 0, REQUIRED)                                                                 \
    F(R, u64, last_event, 0, REQUIRED)                                                             \
    F(R, flag, dry_run, 0, REQUIRED)
#define REC_site_restored(F, R)   F(R, id128, restore, 0, REQUIRED)
#define REC_database_copy(F, R)   F(R, text, dir, PATH_BYTES_MAX, REQUIRED)
#define REC_database_copied(F, R) F(R, u64, last_event, 0, REQUIRED)
#define REC_group_order(F, R) F(R, rows, messages, group_message, REQUIRED)
#define REC_group_answers(F, R)                                                                    \
    F(R, rows, answers, group_answer, REQUIRED)                                                    \
    F(R, word, err, err, REQUIRED)        /* not ok: nothing was committed, and all were refused */ \
    F(R, u32, done, 0, REQUIRED)          /* messages answered; the rest did not fit: ask again */ \
    F(R, u64, last_event, 0, REQUIRED)    /* the last status message committed; 0: none was */     \
    F(R, flag, targets_changed, 0, REQUIRED)                                                       \
    F(R, flag, agents_changed, 0, OPTIONAL)                                                        \
    F(R, rows, agents, agent_ref, OPTIONAL) /* those that changed, when it is not said of all */   \
    F(R, rows, stopped, stopped_row, REQUIRED)
#define REC_package_worker_args(F, R)                                                              \
    F(R, text, id, NAME_BYTES_MAX, REQUIRED)                                                       \
    F(R, text, data, PATH_BYTES_MAX, REQUIRED)
#define REC_point_worker_args(F, R)                                                                \
    F(R, text, dp, NAME_BYTES_MAX, REQUIRED)                                                       \
    F(R, u32, probe_ms, 0, OPTIONAL)

#define REC_agent_enrol(F, R)                                                                      \
    F(R, u32, v, 0, REQUIRED)                                                                      \
    F(R, digest, key, 0, REQUIRED)                                                                 \
    F(R, digest, signing, 0, REQUIRED)                                                             \
    F(R, text, root, AGENT_PATH_BYTES_MAX, REQUIRED)                                               \
    F(R, id128, former, 0, OPTIONAL) /* the point of this site whose root it has been so far; null: nobody's, or its own */ \
    F(R, digest, token, 0, INTERNAL) /* of whom the site heard it */
#define REC_agent_enrolled(F, R)                                                                   \
    F(R, text, dp, NAME_BYTES_MAX, REQUIRED)                                                       \
    F(R, digest, site_signing, 0, OPTIONAL)
#define REC_agent_hello(F, R)                                                                      \
    F(R, u32, v, 0, REQUIRED)                                                                      \
    F(R, text, version, 32, REQUIRED)                                                              \
    F(R, u64, credit, 0, REQUIRED) /* bytes */                                                     \
    F(R, id128, visit, 0, REQUIRED) /* drawn for this connection: its orders are signed with it */
#define REC_agent_welcome(F, R) F(R, u32, v, 0, REQUIRED)
#define REC_agent_beat(F, R)                                                                       \
    F(R, u64, number, 0, REQUIRED)                                                                 \
    F(R, u64, beacon, 0, OPTIONAL) /* of an agent: the last one that it has seen; 0: none yet */
#define REC_agent_bulk(F, R)                                                                       \
    F(R, u64, number, 0, REQUIRED) /* of the ticket; a beat of it is the site's word on the plain connection */ \
    F(R, text, address, AGENT_ADDRESS_BYTES_MAX, OPTIONAL) /* absent: there is no plain connection; begin anew */ \
    F(R, digest, ticket, 0, OPTIONAL)
#define REC_agent_ticket(F, R) F(R, digest, ticket, 0, REQUIRED)
#define REC_beacon_seen(F, R)                                                                      \
    F(R, text, dp, NAME_BYTES_MAX, REQUIRED)                                                       \
    F(R, u64, sequence, 0, REQUIRED)
#define REC_agent_order(F, R)                                                                      \
    F(R, u64, order, 0, REQUIRED)                                                                  \
    F(R, word, task, agent_task, REQUIRED)                                                         \
    F(R, maybe, work, work, OPTIONAL)                                                              \
    F(R, bytes, signature, 64, OPTIONAL) /* of the site, over what agent_order.h says */
#define REC_agent_stop(F, R) F(R, u64, order, 0, REQUIRED)
#define REC_agent_need(F, R)                                                                       \
    F(R, u64, order, 0, REQUIRED)                                                                  \
    F(R, rows, ranges, range, REQUIRED)                                                            \
    F(R, u64, refused, 0, OPTIONAL) /* deltas that gave other bytes; no base is named any more */  \
    F(R, digest, version, 0, OPTIONAL) /* that is not the order's: its manifest, to take it away */
#define REC_agent_data(F, R)                                                                       \
    F(R, u64, order, 0, REQUIRED)                                                                  \
    F(R, word, err, err, REQUIRED)                                                                 \
    F(R, text, text, TEXT_BYTES_MAX, OPTIONAL)                                                     \
    F(R, rows, pieces, piece, REQUIRED)
#define REC_agent_durable(F, R)                                                                    \
    F(R, u64, order, 0, REQUIRED)                                                                  \
    F(R, u64, bytes, 0, REQUIRED)                                                                  \
    F(R, u64, stored_ms, 0, OPTIONAL) /* from when the last of them had come: what its disk took */
#define REC_agent_progress(F, R)                                                                   \
    F(R, u64, order, 0, REQUIRED)                                                                  \
    F(R, u64, bytes_done, 0, REQUIRED)                                                             \
    F(R, u64, bytes_total, 0, REQUIRED)
#define REC_agent_done(F, R)                                                                       \
    F(R, u64, order, 0, REQUIRED)                                                                  \
    F(R, maybe, measured, measured, OPTIONAL)                                                      \
    F(R, maybe, outcome, outcome, OPTIONAL)                                                        \
    F(R, maybe, claimed, claimed, OPTIONAL)                                                        \
    F(R, maybe, collected, collected, OPTIONAL)                                                    \
    F(R, bytes, signature, 64, OPTIONAL) /* of the agent, over its receipt */
#define REC_agent_seeded(F, R)                                                                     \
    F(R, u64, order, 0, REQUIRED)                                                                  \
    F(R, word, err, err, REQUIRED)                                                                 \
    F(R, text, text, TEXT_BYTES_MAX, OPTIONAL)                                                     \
    F(R, u64, files, 0, REQUIRED) /* that were lacking, and are there now */                       \
    F(R, u64, bytes, 0, REQUIRED)                                                                  \
    F(R, u64, skipped, 0, REQUIRED) /* names in it that were not read */
#define REC_agent_indexed(F, R)                                                                    \
    F(R, u64, order, 0, REQUIRED)                                                                  \
    F(R, u64, objects, 0, REQUIRED) /* that it has */
#define REC_agent_refused(F, R)                                                                    \
    F(R, word, err, err, REQUIRED)                                                                 \
    F(R, text, text, TEXT_BYTES_MAX, OPTIONAL)
#define REC_agent_removed(F, R)                                                                    \
    F(R, bytes, signature, 64, REQUIRED) /* of the site, for the visit of the hello */
#define REC_agent_buried(F, R) F(R, id128, visit, 0, REQUIRED)
#define REC_agent_address(F, R)                                                                    \
    F(R, text, address, AGENT_ADDRESS_BYTES_MAX, REQUIRED)                                         \
    F(R, bytes, signature, 64, REQUIRED) /* of the site, for the visit of the hello */
#define REC_agent_moved(F, R) F(R, text, address, AGENT_ADDRESS_BYTES_MAX, REQUIRED)
#define REC_agent_activated(F, R)                                                                  \
    F(R, text, package, NAME_BYTES_MAX, REQUIRED)                                                  \
    F(R, id128, package_incarnation, 0, REQUIRED)                                                  \
    F(R, u64, epoch, 0, REQUIRED)                                                                  \
    F(R, word, result, activation_result, REQUIRED)                                                \
    F(R, u32, code, 0, REQUIRED)                                                                   \
    F(R, u32, attempt, 0, REQUIRED)                                                                \
    F(R, time, at, 0, OPTIONAL)                                                                    \
    F(R, text, text, TEXT_BYTES_MAX, OPTIONAL)
#define REC_agent_activation_known(F, R)                                                           \
    F(R, text, package, NAME_BYTES_MAX, REQUIRED)                                                  \
    F(R, id128, package_incarnation, 0, REQUIRED)                                                  \
    F(R, u64, epoch, 0, REQUIRED)                                                                  \
    F(R, u32, attempt, 0, REQUIRED)
#define REC_activation_note(F, R)                                                                  \
    F(R, text, dp, NAME_BYTES_MAX, REQUIRED)                                                       \
    F(R, id128, dp_incarnation, 0, REQUIRED)                                                       \
    F(R, maybe, said, agent_activated, REQUIRED)
#define REC_activation_noted(F, R)                                                                 \
    F(R, text, dp, NAME_BYTES_MAX, REQUIRED)                                                       \
    F(R, text, package, NAME_BYTES_MAX, REQUIRED)                                                  \
    F(R, id128, package_incarnation, 0, REQUIRED)                                                  \
    F(R, u64, epoch, 0, REQUIRED)                                                                  \
    F(R, u32, attempt, 0, REQUIRED)
#define REC_agent_added(F, R)                                                                      \
    F(R, flag, changed, 0, REQUIRED)                                                               \
    F(R, text, token, TEXT_BYTES_MAX, OPTIONAL)
#define REC_agent_revoke(F, R) COMMAND(F, R) F(R, text, name, NAME_BYTES_MAX, REQUIRED)
#define REC_agents_known(F, R)                                                                     \
    F(R, u64, after, 0, REQUIRED) /* of the answer before; 0: from the first */                    \
    F(R, flag, alone, 0, OPTIONAL) /* that one, and no more */                                     \
    F(R, digest, key, 0, OPTIONAL) /* whose key this is, or token, and no more */                  \
    F(R, text, dp, NAME_BYTES_MAX, OPTIONAL) /* that point's, and no more */
#define REC_agents_listed(F, R)                                                                    \
    F(R, rows, agents, agent_row, REQUIRED)                                                        \
    F(R, text, address, AGENT_ADDRESS_BYTES_MAX, OPTIONAL) /* that agents are told; absent: none */ \
    F(R, u64, next, 0, REQUIRED) /* ask for those after it; 0: that was all */                     \
    F(R, id128, site, 0, REQUIRED)                                                                 \
    F(R, u64, rate, 0, OPTIONAL) /* of the site */
#define REC_agents_changed(F, R) F(R, rows, agents, agent_ref, OPTIONAL) /* none: any of them may have */
#define REC_agent_shut(F, R)     F(R, text, dp, NAME_BYTES_MAX, REQUIRED)
#define REC_agent_is_shut(F, R)  F(R, text, dp, NAME_BYTES_MAX, REQUIRED)
#define REC_agent_told(F, R)     F(R, digest, key, 0, REQUIRED)
#define REC_version_held(F, R)                                                                     \
    F(R, u64, target, 0, REQUIRED)                                                                 \
    F(R, digest, root, 0, REQUIRED)
#define REC_agent_heard(F, R)                                                                      \
    F(R, digest, key, 0, REQUIRED)                                                                 \
    F(R, text, address, AGENT_ADDRESS_BYTES_MAX, REQUIRED)
#define REC_agent_call(F, R)                                                                       \
    F(R, word, task, agent_task, REQUIRED)                                                         \
    F(R, maybe, work, work, REQUIRED) /* of a probe and a collection what they have of it */
#define REC_make_way(F, R)                                                                         \
    F(R, text, dp, NAME_BYTES_MAX, REQUIRED)                                                       \
    F(R, u64, target, 0, REQUIRED)   /* whose work has had its turn */                             \
    F(R, flag, at_once, 0, REQUIRED) /* what waits goes first; else after AGENT_TURN_BYTES */
#define REC_agent_end(F, R)                                                                        \
    F(R, text, dp, NAME_BYTES_MAX, REQUIRED)                                                       \
    F(R, u64, target, 0, REQUIRED)                                                                 \
    F(R, u64, revision, 0, REQUIRED)
#define REC_token_order(F, R)                                                                      \
    F(R, text, data, PATH_BYTES_MAX, REQUIRED)                                                     \
    F(R, text, listen, AGENT_PATH_BYTES_MAX, REQUIRED)                                             \
    F(R, text, dp, NAME_BYTES_MAX, REQUIRED)                                                       \
    F(R, id128, dp_incarnation, 0, REQUIRED)                                                       \
    F(R, id128, site, 0, REQUIRED)
#define REC_token_made(F, R)                                                                       \
    F(R, id128, dp_incarnation, 0, REQUIRED)                                                       \
    F(R, word, err, err, REQUIRED)                                                                 \
    F(R, text, text, TEXT_BYTES_MAX, OPTIONAL)                                                     \
    F(R, digest, token, 0, OPTIONAL)                                                               \
    F(R, text, token_text, TEXT_BYTES_MAX, OPTIONAL)                                               \
    F(R, text, address, AGENT_ADDRESS_BYTES_MAX, OPTIONAL) /* of the site, in it */
#define REC_keys_order(F, R) F(R, text, data, PATH_BYTES_MAX, REQUIRED)
#define REC_keys_read(F, R)                                                                        \
    F(R, word, err, err, REQUIRED)                                                                 \
    F(R, text, text, TEXT_BYTES_MAX, OPTIONAL)
#define REC_named_order(F, R)                                                                      \
    F(R, text, store, PATH_BYTES_MAX, REQUIRED)                                                    \
    F(R, digest, root, 0, REQUIRED)                                                                \
    F(R, digest, have, 0, OPTIONAL) /* the agent's version before, of which it has the objects */
#define REC_named(F, R)                                                                            \
    F(R, word, err, err, REQUIRED)                                                                 \
    F(R, text, text, TEXT_BYTES_MAX, OPTIONAL)                                                     \
    F(R, u64, names, 0, REQUIRED)
#define REC_read_order(F, R)                                                                       \
    F(R, u64, order, 0, REQUIRED)                                                                  \
    F(R, text, store, PATH_BYTES_MAX, REQUIRED)                                                    \
    F(R, rows, ranges, range, REQUIRED)                                                            \
    F(R, u64, bytes_max, 0, REQUIRED)
#define REC_agent_args(F, R)                                                                       \
    F(R, text, data, PATH_BYTES_MAX, REQUIRED)                                                     \
    F(R, text, dp, NAME_BYTES_MAX, REQUIRED)                                                       \
    F(R, text, root, AGENT_PATH_BYTES_MAX, REQUIRED)                                               \
    F(R, text, address, AGENT_PATH_BYTES_MAX, REQUIRED)                                            \
    F(R, text, former, AGENT_ADDRESS_BYTES_MAX, OPTIONAL) /* tried where the address does not answer */ \
    F(R, id128, site, 0, REQUIRED)                                                                 \
    F(R, id128, dp_incarnation, 0, REQUIRED)                                                       \
    F(R, digest, site_signing, 0, REQUIRED)                                                        \
    F(R, text, program, AGENT_PATH_BYTES_MAX, OPTIONAL) /* on-activate; none: nothing is run */    \
    F(R, u32, program_ms, 0, OPTIONAL)
#define REC_activation_order(F, R)                                                                 \
    F(R, text, data, PATH_BYTES_MAX, REQUIRED)                                                     \
    F(R, text, dp, NAME_BYTES_MAX, REQUIRED)                                                       \
    F(R, text, root, AGENT_PATH_BYTES_MAX, REQUIRED)                                               \
    F(R, id128, site, 0, REQUIRED)                                                                 \
    F(R, id128, dp_incarnation, 0, REQUIRED)                                                       \
    F(R, text, program, AGENT_PATH_BYTES_MAX, OPTIONAL)                                            \
    F(R, u32, program_ms, 0, OPTIONAL)                                                             \
    /* of the version that is to be placed, or whose end the site knows */                         \
    F(R, text, package, NAME_BYTES_MAX, OPTIONAL)                                                  \
    F(R, id128, package_incarnation, 0, OPTIONAL)                                                  \
    F(R, u64, epoch, 0, OPTIONAL)                                                                  \
    F(R, u32, attempt, 0, OPTIONAL)                                                                \
    F(R, flag, removes, 0, OPTIONAL)
#define REC_activated(F, R)                                                                        \
    F(R, word, err, err, REQUIRED)                                                                 \
    F(R, text, text, TEXT_BYTES_MAX, OPTIONAL)                                                     \
    F(R, rows, ended, agent_activated, REQUIRED) /* empty: nothing was to be run, or told */
#define REC_move_order(F, R)                                                                       \
    F(R, text, data, PATH_BYTES_MAX, REQUIRED)                                                     \
    F(R, text, address, AGENT_ADDRESS_BYTES_MAX, REQUIRED)
#define REC_bury_order(F, R)                                                                       \
    F(R, text, data, PATH_BYTES_MAX, REQUIRED)                                                     \
    F(R, id128, dp_incarnation, 0, REQUIRED)
#define REC_lack_order(F, R)                                                                       \
    F(R, text, data, PATH_BYTES_MAX, REQUIRED)                                                     \
    F(R, digest, root, 0, REQUIRED)                                                                \
    F(R, flag, nodes, 0, REQUIRED) /* the manifest alone, not the files */                         \
    F(R, u32, ranges_max, 0, REQUIRED) /* of the answer */                                         \
    F(R, digest, have, 0, OPTIONAL) /* the version before: its files are bases; null: none */      \
    F(R, u64, mark_node, 0, OPTIONAL) /* where the look before had come to; 0, 0: none */          \
    F(R, u64, mark_entry, 0, OPTIONAL)                                                             \
    F(R, u64, mark_rest, 0, OPTIONAL)                                                              \
    F(R, rows, came, range, REQUIRED) /* of a manifest: what the look before had listed */         \
    F(R, flag, laid_out, 0, OPTIONAL) /* the directories of the store were made durable */         \
    F(R, u64, pack, 0, OPTIONAL)      /* that the job before appended to, */                       \
    F(R, u64, pack_bytes, 0, OPTIONAL) /* and how long it was then; 0: none */
#define REC_seed_order(F, R)                                                                       \
    F(R, u64, order, 0, REQUIRED)                                                                  \
    F(R, text, data, PATH_BYTES_MAX, REQUIRED)                                                     \
    F(R, text, dp_root, AGENT_PATH_BYTES_MAX, REQUIRED)                                            \
    F(R, text, seed, AGENT_PATH_BYTES_MAX, REQUIRED)                                               \
    F(R, digest, root, 0, REQUIRED)
#define REC_lacking(F, R)                                                                          \
    F(R, word, err, err, REQUIRED)                                                                 \
    F(R, text, text, TEXT_BYTES_MAX, OPTIONAL)                                                     \
    F(R, rows, ranges, range, REQUIRED) /* empty: nothing is lacking */                            \
    F(R, u64, bytes, 0, REQUIRED)       /* of all that is lacking, as far as it is known */        \
    F(R, u64, bytes_total, 0, REQUIRED) /* of the version */                                       \
    F(R, u64, indexed, 0, OPTIONAL)   /* objects in the index, which was made anew; 0: it was not */ \
    F(R, u64, mark_node, 0, OPTIONAL) /* for the next look */                                      \
    F(R, u64, mark_entry, 0, OPTIONAL)                                                             \
    F(R, u64, mark_rest, 0, OPTIONAL)
#define REC_stored(F, R)                                                                           \
    F(R, word, err, err, REQUIRED)                                                                 \
    F(R, text, text, TEXT_BYTES_MAX, OPTIONAL)                                                     \
    F(R, u64, bytes, 0, REQUIRED) /* of content, durable now */                                    \
    F(R, u64, refused, 0, OPTIONAL) /* deltas that gave other bytes */                             \
    F(R, flag, laid_out, 0, OPTIONAL) /* the directories of the store are durable */               \
    F(R, u64, pack, 0, OPTIONAL) /* with which the next job may go on */                           \
    F(R, u64, pack_bytes, 0, OPTIONAL)

/* ---- the expansion ---------------------------------------------------------------------------------------- */

#define PROTO_STRUCT(record, sentence) RECORD_STRUCT(record, REC_##record)
PARTS(PROTO_STRUCT)
#define PROTO_COMMAND_STRUCT(record, word, changes, sentence) RECORD_STRUCT(record, REC_##record)
COMMANDS(PROTO_COMMAND_STRUCT)
MESSAGES(PROTO_STRUCT)
#undef PROTO_STRUCT
#undef PROTO_COMMAND_STRUCT

/* Numbers of commands and messages: MSG_<record>, from 1. */
typedef enum message_number {
    MSG_NONE = 0,
#define PROTO_NUMBER(record, ...) MSG_##record,
    COMMANDS(PROTO_NUMBER) MESSAGES(PROTO_NUMBER)
#undef PROTO_NUMBER
        MSG_COUNT
} message_number_t;

/* The type of a number, NULL when there is none. */
const record_type_t *message_type(uint32_t number);
/* The number of a type's name, which is kept over versions; MSG_NONE when there is none. */
uint32_t message_number_of(slice_t name);

typedef struct command {
    const char *word; /* "package.add" */
    const record_type_t *type;
    bool changes;
    const char *sentence;
} command_t;
extern const command_t commands[];
extern const uint32_t command_count;
/* The command of a wire word, NULL when there is none. */
const command_t *command_of_word(slice_t word);

/* Whether text is an allowed id or name (NAME_BYTES_MAX). */
bool name_is_valid(slice_t text);
/* Whether text is tcp://ADDRESS:PORT of what others can dial: not every address of a machine. */
bool address_is_valid(slice_t text);
