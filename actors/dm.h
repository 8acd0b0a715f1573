/* dm.h - what the files of the distribution manager share.
 *
 * Shape    the state, the edges, and one entry for each kind of command in hand (an op).
 * Promises the database says what is due: nothing here would be lost with the state.
 * Threads  the distribution manager's handlers.
 */
#pragma once

#include <czmq.h>

#include "actors/answer.h"
#include "actors/roster.h"
#include "proto/status.h"

#define DM_OPS_MAX 512u      /* commands in hand; a further one is refused (full) */
#define DM_SLOW_MS 86400000u /* what reads or claims content takes as long as it takes */
#define DM_ASK_MS  60000u
/* Keys of timers. */
#define DM_AGAIN_MS      1000u /* after the database had no room, or one of them was down */
#define DM_TIMER_LOOK    1u
#define DM_TIMER_COLLECT 2u
#define DM_TIMER_PATROL  3u
#define DM_TIMER_HOLD    4u
#define DM_TIMER_SCRUB   5u
#define DM_TIMER_HELD    6u
#define DM_TIDY_MAX      64u /* orders to collect in one look; the next look has the next */

#define DM_EDGES(E)                                                                                \
    E(NEED, site_database, site_open)                                                              \
    E(ASK, site_database, site_open)                                                               \
    E(ASK, site_database, due_targets)                                                             \
    E(ASK, site_database, target_outcome)                                                          \
    E(ASK, site_database, absent_points)                                                           \
    E(ASK, site_database, patrol)                                                                  \
    E(ASK, site_database, scrub_next)                                                              \
    E(ASK, site_database, scrubbed)                                                                \
    E(ASK, site_database, store_read_again)                                                        \
    E(ASK, site_database, looked)                                                                  \
    E(ASK, site_database, leaving_points)                                                          \
    E(ASK, site_database, point_leave)                                                             \
    E(ASK, site_database, point_returned)                                                          \
    E(ASK, site_database, points_known)                                                            \
    E(ASK, site_database, point_commit)                                                            \
    E(ASK, site_database, dp_set)                                                                  \
    E(ASK, site_database, agent_revoke)                                                            \
    E(ASK, site_database, dp_remove)                                                               \
    E(ASK, site_database, package_lookup)                                                          \
    E(ASK, site_database, package_set)                                                             \
    E(ASK, site_database, verify_plan)                                                             \
    E(ASK, site_database, plan_targets)                                                            \
    E(ASK, site_database, target_damaged)                                                          \
    E(ASK, site_database, verify_keep)                                                             \
    E(ASK, site_database, live_roots)                                                              \
    E(ASK, site_database, database_copy)                                                           \
    E(ASK, site_database, untidied)                                                                \
    E(TELL, site_database, note_event)                                                             \
    E(ASK, agent_gateway, agent_shut)                                                              \
    E(ASK, despooler, instruction)                                                                 \
    E(TELL, despooler, stop_work)                                                                  \
    E(TELL, despooler, probe_point)                                                                \
    E(TELL, despooler, scrub_point)                                                                \
    E(TELL, despooler, collect_point)                                                              \
    E(ASK_TO, package_worker, package_add)                                                         \
    E(ASK_TO, package_worker, package_update)                                                      \
    E(ASK_TO, package_worker, package_remove)
ACTOR_EDGES(DM_EDGES)

/* A command in hand. */
typedef struct dm_op {
    bool used;
    bool snapshot; /* it may be storing content: the store is not collected meanwhile */
    const record_type_t *type;
    kept_t *command;
    request_t request;
    uint32_t tries; /* at a package_worker that was just ending */
    /* dp.remove */
    kept_t *answer; /* of the database, until the point's root is free; NULL: not in yet */
    bool asked;     /* after that answer a round began; and its point was */
    bool listed;    /* among those that leave */
    /* dp.set that revokes */
    kept_t *revoked; /* answer of the database, until the gateway shuts the agent out */
    /* verify and plan */
    kept_t *plan;     /* due rows */
    kept_t **found;   /* an outcome for each row, NULL: not in yet */
    uint32_t waiting; /* rows whose outcome is not in */
    uint64_t number;  /* of its instructions; 0: none yet */
    uint32_t untaken; /* instructions that the despooler has not taken */
} dm_op_t;

/* The looks at points without work: one round after the other, by the points' names. */
typedef struct patrol_state {
    char last[NAME_BYTES_MAX + 1]; /* looked at; empty: the round begins */
    uint32_t looks;                /* in hand */
    bool ends;                     /* they are the last ones of their round */
    int64_t since_ns;              /* when the round began */
} patrol_state_t;

/* What is placed is read again: one round after the other, by the points' names. */
typedef struct scrub_state {
    char last[NAME_BYTES_MAX + 1];     /* of the portions so far; empty: the round begins */
    uint32_t open;                     /* portions in hand */
    uint64_t rate;                     /* bytes a second; 0: nothing is read */
    uint64_t read;                     /* bytes so far, of all rounds */
    uint64_t largest;                  /* bytes of the largest portion of the round */
    int64_t since_ns;                  /* when the round began */
    bool store_open;                   /* a portion of the site's store is in hand, */
    bool store_reads;                  /* and is being read just now */
    uint64_t store_pack, store_offset; /* where its next one begins */
    uint64_t store_read;               /* bytes so far */
} scrub_state_t;

/* Points on their way out: rounds over all of them, in portions, one after the other. */
typedef struct leave_state {
    kept_t *step[LEAVING_POINTS_MAX]; /* point_leave of those in hand */
    uint32_t open;                    /* they, or the question who leaves */
    bool again;                       /* a further portion is to follow */
    char last[NAME_BYTES_MAX + 1];    /* of the portions so far; empty: the round begins */
    bool last_emptied;
    bool moved, failed; /* a step of this round was done; a root could not be given free */
    int64_t rest_ns;    /* until when to let it be: nothing but failures */
    zhashx_t *told;     /* points of which a failure was told, until they move on */
} leave_state_t;

typedef struct distribution_manager {
    kept_t *args; /* site_args */
    id128_t site, run;
    bool opened, asking, again; /* due_targets is asked; and is to be asked again */
    bool stale;     /* it was asked for a run that is over: all of it is due again, and told once */
    kept_t *handed; /* due: its instructions are not accepted yet, all of them; NULL: none */
    uint32_t handing;                /* of these and of former ones, so many are not answered */
    bool refused, more;              /* one was, for want of room; more is due behind it */
    int64_t room_ns;                 /* when what was refused may be handed again */
    uint32_t uncollected;            /* why the last collection removed nothing; OK: it did */
    digest_t lacking;                /* the version for which it did not; none: that was not why */
    uint64_t held_bytes;             /* by the last collection, for lists that are damaged */
    bool collecting, collect_wanted; /* the store; wanted: postponed by snapshots in hand, or by a
                                        portion of it that is being read again */
    bool store_held, backup_waits;   /* by a backup or parcel: nothing is collected; it waits for a
                                        collection in hand */
    bool collect_holds; /* postponed again: new snapshots wait until those in hand are done */
    uint64_t gathers;   /* verifies and plans whose points were named, so far */
    bool looks;         /* the next look at a held despooler has its timer */
    uint64_t plans;     /* the last number that was given to a point of a plan; 0: none yet */
    uint64_t tidied;    /* the target up to which points were told to collect */
    patrol_state_t patrol;
    scrub_state_t scrub;
    leave_state_t leave;
    dm_op_t op[DM_OPS_MAX];
    zhashx_t *package_worker; /* lower-case id -> actor_ref_t */
} distribution_manager_t;

/* dm_look.c: what is due is taken up; not now when something is in hand. */
actor_next_t dm_look(actor_ctx_t *ctx, distribution_manager_t *self);
/* Everything that was taken up is due again: whoever had it has forgotten it. */
actor_next_t dm_new_run(actor_ctx_t *ctx, distribution_manager_t *self);

/* dm_ops.c */
/* Takes the ask in hand as an op; NULL: it was refused (full). */
dm_op_t *dm_op_take(actor_ctx_t *ctx, distribution_manager_t *self, const record_type_t *type,
                    const void *m, const char *waits_for);
uint64_t dm_op_tag(const distribution_manager_t *self, const dm_op_t *op);
dm_op_t *dm_op_of(distribution_manager_t *self, uint64_t tag);
void dm_op_free(dm_op_t *op);
void dm_ops_drop(distribution_manager_t *self);
/* Answers and frees. */
void dm_op_pass_on(actor_ctx_t *ctx, dm_op_t *op, const actor_answer_t *answer);
void dm_op_refuse(actor_ctx_t *ctx, dm_op_t *op, err_t err, slice_t text);
void dm_op_refuse_so(actor_ctx_t *ctx, dm_op_t *op, err_t err, slice_t text, const char *hint);
uint32_t dm_ops_snapshots(const distribution_manager_t *self);

/* dm_packages.c, dm_points.c, dm_leave.c, dm_verify.c: from a command to its answer */
void dm_package_init(distribution_manager_t *self);
actor_next_t dm_package(actor_ctx_t *ctx, distribution_manager_t *self, const record_type_t *type,
                        const void *m);
actor_next_t dm_package_set(actor_ctx_t *ctx, distribution_manager_t *self, const package_set_t *m);
void dm_package_down(distribution_manager_t *self, const actor_down_t *down);
/* Snapshots that were held back while the store was collected. */
void dm_package_go_on(actor_ctx_t *ctx, distribution_manager_t *self);
actor_next_t dm_point(actor_ctx_t *ctx, distribution_manager_t *self, const record_type_t *type,
                      const void *m);
id128_t dm_new_incarnation(actor_ctx_t *ctx);
/* dm_agents.c: a point that is another machine. */
/* address: of the site, that agents are told; empty: where it listens first. */
actor_next_t dm_agent_add(actor_ctx_t *ctx, distribution_manager_t *self, dm_op_t *op,
                          slice_t address);
actor_next_t dm_agent_pace(actor_ctx_t *ctx, distribution_manager_t *self, dm_op_t *op);
actor_next_t dm_agent_revoke(actor_ctx_t *ctx, distribution_manager_t *self, dm_op_t *op);
actor_next_t dm_point_remove(actor_ctx_t *ctx, distribution_manager_t *self, const dp_remove_t *m);
void dm_leave_init(distribution_manager_t *self);
/* The next steps of points that leave: their roots are given free, then they go. */
void dm_leave(actor_ctx_t *ctx, distribution_manager_t *self);
void dm_leave_drop(distribution_manager_t *self);
actor_next_t dm_verify(actor_ctx_t *ctx, distribution_manager_t *self, const verify_t *m);
/* What is gathered of points, of a verify or a plan: the answer of the database that names them. */
actor_answer_fn dm_gather_planned;
/* An outcome of a verify or plan finds its command; false: it is of other work. */
bool dm_gather_outcome(actor_ctx_t *ctx, distribution_manager_t *self, const outcome_t *m);
/* dm_held.c: whether the despooler works at all; else the ask in hand is refused, or the op. */
bool dm_held_works(actor_ctx_t *ctx, const char *verb, slice_t id);
bool dm_held_works_for(actor_ctx_t *ctx, dm_op_t *op);
/* The next look, while something is gathered, at what waits for a despooler that is held. */
actor_next_t dm_held_look_in(actor_ctx_t *ctx, distribution_manager_t *self);
actor_next_t dm_held_look(actor_ctx_t *ctx, distribution_manager_t *self);
/* The despooler has no slots: a look that the op waits for was ended there. */
void dm_held_without_slots(actor_ctx_t *ctx, dm_op_t *op);
/* The despooler has begun anew: it knows of none. */
void dm_held_lost(actor_ctx_t *ctx, distribution_manager_t *self);
/* dm_plan.c: from a plan to its answer. */
actor_next_t dm_plan(actor_ctx_t *ctx, distribution_manager_t *self, const distribute_plan_t *m);
void dm_plan_end(actor_ctx_t *ctx, dm_op_t *op);
/* dm_verified.c: answers a verify whose outcomes are all in. */
void dm_verify_end(actor_ctx_t *ctx, const distribution_manager_t *self, dm_op_t *op);
/* dm_store.c: store.check, store.rebuild, store.collect. */
actor_next_t dm_store(actor_ctx_t *ctx, distribution_manager_t *self, const record_type_t *type,
                      const void *m);
/* dm_export.c: package.export, while nobody collects or backs up. */
actor_next_t dm_export(actor_ctx_t *ctx, distribution_manager_t *self, const package_export_t *m);
/* dm_backup.c: site.backup, while nobody collects. */
actor_next_t dm_backup(actor_ctx_t *ctx, distribution_manager_t *self, const site_backup_t *m);
void dm_backup_go_on(actor_ctx_t *ctx, distribution_manager_t *self);
/* Collects the store as soon as no snapshot is in hand, nor a portion of it. */
void dm_collect(actor_ctx_t *ctx, distribution_manager_t *self);
/* The timers of collections, at the store and at the points, and of snapshots that wait for one. */
actor_next_t dm_collect_in(actor_ctx_t *ctx, uint64_t ms) must_use;
actor_next_t dm_collect_due(actor_ctx_t *ctx, distribution_manager_t *self);
actor_next_t dm_collect_hold_ends(actor_ctx_t *ctx, distribution_manager_t *self);
/* Instructions for due rows, asked of the despooler; then gets each answer, with the tag. *count
 * goes up by the instructions that are asked. */
verdict_t dm_instruct(actor_ctx_t *ctx, const due_t *due, actor_answer_fn *then, uint64_t tag,
                      uint32_t *count) must_use;
/* dm_outcomes.c: saves an outcome with what comes next; then gets the database's answer. */
verdict_t dm_outcome(actor_ctx_t *ctx, const distribution_manager_t *self, const outcome_t *m,
                     actor_answer_fn *then) must_use;
/* dm_absent.c: has a point looked out for; the texts are m's. */
void dm_look_out(actor_ctx_t *ctx, const distribution_manager_t *self, const void *m, text_t dp,
                 const id128_t *incarnation, text_t dp_root);
/* Notes that a point was missed and has it looked out for; false: err is no absence. */
bool dm_miss(actor_ctx_t *ctx, const void *m, text_t dp, const id128_t *incarnation, text_t dp_root,
             uint32_t err);
/* Nobody looks out for the point of this name any more. */
void dm_end_look_out(actor_ctx_t *ctx, slice_t dp);
/* Has all looked out for that the database believes absent. */
void dm_ask_absent(actor_ctx_t *ctx);
/* The next portion of a round over all points, for one without work is missed by nobody else. */
actor_next_t dm_patrol(actor_ctx_t *ctx, distribution_manager_t *self);
/* dm_scrub.c: the next portions of a round over all that is placed. */
actor_next_t dm_scrub(actor_ctx_t *ctx, distribution_manager_t *self);
/* dm_scrub_store.c: the next portion of the site's own store, when it is due. */
void dm_scrub_store(actor_ctx_t *ctx, distribution_manager_t *self, const scrub_due_t *due,
                    uint64_t bytes);
void dm_scrub_describe(const void *state, char *text, size_t size);
actor_next_t dm_scrubbed(actor_ctx_t *ctx, distribution_manager_t *self, const scrubbed_t *m);
actor_next_t dm_looked(actor_ctx_t *ctx, distribution_manager_t *self, const looked_t *m);
