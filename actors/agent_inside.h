/* agent_inside.h - what the files of the agent share: its state and what it has in hand.
 *
 * Shape    one order in hand, which goes lack -> fetch -> lack ... -> held -> run -> done; one that
 *          comes meanwhile waits for the end of its job. A probe is answered beside.
 * Promises what is durable is told; what was not told is found again by the next look at what is
 *          lacking. Nothing is staged for an order whose signature does not hold.
 * Threads  the agent's handlers.
 */
#pragma once

#include "actors/answer.h"
#include "actors/content/hash.h"
#include "actors/content/lack.h"
#include "actors/jobs_agent.h"
#include "actors/jobs_gateway.h"
#include "actors/jobs_kept.h"
#include "actors/outbox.h"
#include "runtime/notes.h"

#define AGENT_WORK_MS 14400000u /* of one placement */

enum {
    TIMER_BEAT = 1,
    TIMER_PROGRESS,
    TIMER_KEYS,
    TIMER_DIAL,
    TIMER_WATCH,
    TIMER_ACTIVATE,
    TIMER_STORE
};

typedef enum agent_phase {
    PHASE_IDLE,
    PHASE_LACK,  /* a job finds out what is lacking */
    PHASE_SEED,  /* a job goes through the seed */
    PHASE_FETCH, /* ranges were asked for, and come */
    PHASE_HELD,  /* waits for the agent's own program, or for the note of what it is to run for */
    PHASE_RUN    /* a job works on the point */
} agent_phase_t;

typedef struct beacon_state {
    int64_t since_ns;  /* the last one with a higher number was heard, or the start */
    uint64_t limit_ms; /* then it is stale */
    uint64_t replayed, forged;
    uint64_t seen, in_hand; /* the last one that counts; the one that is being noted */
    bool stale, noting;
} beacon_state_t;

#define GIVEN_UP_MAX 8u

/* A second connection, by which bytes of data come unencrypted. */
typedef struct agent_plain {
    outbox_t outbox;
    uint64_t number; /* of the ticket in hand; 0: there is no such connection */
    bool here;       /* the site has answered there */
    /* orders of this visit that ended before all had come that was asked for: the last of them */
    uint64_t given_up[GIVEN_UP_MAX];
    uint32_t given_ups;
} agent_plain_t;

typedef struct activating {
    bool busy;     /* a job is at the notes */
    bool due;      /* a version may be to run for */
    bool later;    /* one is, and could not be run: when the timer comes */
    bool tells;    /* the site is to be told what it has not heard */
    kept_t *known; /* agent_activation_known, to be noted; NULL: none */
} activating_t;

typedef struct agent_state {
    kept_t *args; /* agent_args */
    keys_t keys;
    bool has_keys;
    outbox_t outbox;
    void *memory; /* AGENT_MEMORY_BYTES: the frame in hand */
    /* the connection */
    bool here; /* the site has said welcome */
    int64_t heard_ns;
    uint64_t beats, dials;
    int64_t dialled_ns;
    char address[2]
                [AGENT_ADDRESS_BYTES_MAX + 1]; /* of the site: the one it said last, the former */
    uint32_t at;                               /* which of them is dialled */
    bool welcomed;                             /* it answered there */
    bool moving;                               /* another one is being noted */
    id128_t visit;                             /* drawn for this connection */
    uint64_t last_order;                       /* the highest number heard in it */
    beacon_state_t beacon;
    agent_plain_t plain;
    activating_t activation;
    bool removed; /* the site has said that the point is no more */
    bool buried;  /* that is durable, and was said */
    /* the order in hand */
    agent_phase_t phase;
    kept_t *probe;        /* agent_order */
    kept_t *order, *next; /* agent_order; next: waits for the end of a job */
    uint64_t job;
    bool job_open;  /* of the order in hand, or of one that has ended */
    bool hung;      /* that job gives no sign of life; nothing else is begun until it is back */
    uint32_t still; /* looks at it without one */
    uint64_t beats_seen; /* signs so far */
    bool whole;     /* of a measure: its manifest is there, now what else is lacking is counted */
    uint64_t lacks; /* bytes of content that a measured version lacks */
    kept_t *need;   /* lacking, while its ranges come */
    uint32_t ranges_max; /* of a need: what leaves in time; see agent_shorten_need */
    int64_t asked_ns;
    lack_mark_t mark;     /* of the last look of the order in hand */
    uint32_t came;        /* ranges of it that have come whole */
    uint64_t part;        /* bytes of the next one */
    uint64_t fetched;     /* bytes that have come for the need */
    arrivals_t *arrivals; /* not given to a job yet; NULL: none */
    bool gathering;       /* the timer says when they are */
    bool storing; /* store_job does; what it has of the tree is watched like the work there */
    uint64_t store_job;
    place_ahead_t *ahead; /* of the order in hand, unless a job has it; NULL: none */
    bool ahead_tried;     /* for the order in hand */
    uint64_t ahead_of; /* how many of them were made: what a job brings of an older one is let go */
    store_left_t left; /* by the last job that stored, to the next one */
    uint64_t refused;  /* deltas that gave other bytes, and that was not said yet */
    bool whole_files;  /* so no base is named for the order in hand */
    bool seed_tried;   /* in the order in hand */
    uint32_t mends;    /* in it, so many times what was lacking of a manifest was asked for: */
    digest_t mended;   /* of this version the last time */
    uint64_t seedings; /* jobs that go through a seed, so far */
    digest_t seeded_root; /* a version whose seed was gone through, and is in the store */
    char seeded[AGENT_PATH_BYTES_MAX + 1]; /* that seed */
    bool scrubs;              /* the job at the point, if any: it is lent another thing */
    kept_place_t *kept_place; /* where its store is read on; NULL: a job has it, or anywhere */
    digest_t fetched_root; /* of a version that is on its way: the store keeps what it has of it */
} agent_state_t;

const agent_order_t *agent_order_of(const kept_t *order);
const work_t *agent_work_of(const kept_t *order);
void agent_say(actor_ctx_t *ctx, agent_state_t *self, const record_type_t *type, const void *m);
/* Ends the connection and what is in hand, and dials anew. */
actor_next_t agent_dial(actor_ctx_t *ctx, agent_state_t *self);
/* Looks at the root, beside whatever is in hand; takes the order. */
actor_next_t agent_probe(actor_ctx_t *ctx, agent_state_t *self, kept_t *take_order);
/* Nothing is in hand any more; a job may still be at work for nobody. */
void agent_forget_order(actor_ctx_t *ctx, agent_state_t *self);

/* agent_steps.c */
actor_next_t agent_take_order(actor_ctx_t *ctx, agent_state_t *self, const agent_order_t *m);
actor_next_t agent_take_stop(actor_ctx_t *ctx, agent_state_t *self, const agent_stop_t *m);
actor_next_t agent_tell_progress(actor_ctx_t *ctx, agent_state_t *self);
/* The work on the point, of which nothing is lacking. */
actor_next_t agent_run(actor_ctx_t *ctx, agent_state_t *self);
actor_next_t agent_look_for_lacks(actor_ctx_t *ctx, agent_state_t *self);
/* The order that waited comes next, when nothing is in hand. */
actor_next_t agent_go_on(actor_ctx_t *ctx, agent_state_t *self);
actor_next_t agent_fail_order(actor_ctx_t *ctx, agent_state_t *self, err_t err, slice_t text);
bool agent_has_in_hand(const agent_state_t *self, uint64_t number, agent_phase_t phase);
text_t agent_data_directory(actor_ctx_t *ctx,
                            const agent_state_t *self); /* into the draft in hand */

/* agent_address.c */
void agent_know_addresses(agent_state_t *self);
/* The one to dial next: where it answered last the newest, else the other one. */
slice_t agent_next_address(agent_state_t *self);
actor_next_t agent_take_address(actor_ctx_t *ctx, agent_state_t *self, const agent_address_t *m);

/* agent_beacon.c */
void agent_beacon_begin(actor_ctx_t *ctx, agent_state_t *self);
actor_next_t agent_take_beacon(actor_ctx_t *ctx, agent_state_t *self, const agent_beacon_t *m);
actor_next_t agent_look_stale(actor_ctx_t *ctx, agent_state_t *self);

/* agent_plain.c */
actor_next_t agent_take_bulk(actor_ctx_t *ctx, agent_state_t *self, const agent_bulk_t *m);
actor_next_t agent_plain_came(actor_ctx_t *ctx, agent_state_t *self, const peer_came_t *m);
actor_next_t agent_plain_gone(actor_ctx_t *ctx, agent_state_t *self, const peer_gone_t *m);
/* The order in hand ends: what is on its way to it is let go. */
void agent_plain_give_up(agent_state_t *self);
void agent_plain_end(actor_ctx_t *ctx, agent_state_t *self); /* with the visit */

/* agent_activate.c */
/* Before agent_run, which it comes to when that may be. */
actor_next_t agent_activation_prepare(actor_ctx_t *ctx, agent_state_t *self);
/* Something may be to run for; the site is here; the timer. */
actor_next_t agent_activation_look(actor_ctx_t *ctx, agent_state_t *self);
actor_next_t agent_activation_tell(actor_ctx_t *ctx, agent_state_t *self);
actor_next_t agent_activation_later(actor_ctx_t *ctx, agent_state_t *self);
actor_next_t agent_activation_again(actor_ctx_t *ctx, agent_state_t *self);
actor_next_t agent_activation_go_on(actor_ctx_t *ctx, agent_state_t *self);
actor_next_t agent_take_activation_known(actor_ctx_t *ctx, agent_state_t *self,
                                         const agent_activation_known_t *m);

/* agent_watch.c */
actor_next_t agent_watch_from_now(actor_ctx_t *ctx, agent_state_t *self);
actor_next_t agent_watch(actor_ctx_t *ctx, agent_state_t *self);
void agent_describe(const void *state, char *text, size_t size);
/* The job came back. */
void agent_watch_end(actor_ctx_t *ctx, agent_state_t *self);

/* agent_removed.c */
/* The site says no: for good, or until it is dialled anew. */
actor_next_t agent_be_refused(actor_ctx_t *ctx, agent_state_t *self, const agent_refused_t *m);
actor_next_t agent_take_removed(actor_ctx_t *ctx, agent_state_t *self, const agent_removed_t *m);
/* It knows, and so does the site, or it is silent: the host stops in order. */
actor_next_t agent_end_removed(actor_ctx_t *ctx);

/* agent_seed.c */
bool agent_has_seed(const agent_state_t *self); /* and has not gone through it */
actor_next_t agent_seed(actor_ctx_t *ctx, agent_state_t *self);
/* It gives no sign of life: goes on without it. */
actor_next_t agent_leave_seed(actor_ctx_t *ctx, agent_state_t *self);

/* agent_ahead.c: what the order in hand has written into its tree */
void agent_ahead_begin(agent_state_t *self);
place_ahead_t *agent_ahead_lend(agent_state_t *self);
/* A job is back: of == self->ahead_of if it had that of the order in hand. */
void agent_ahead_back(agent_state_t *self, place_ahead_t *ahead, uint64_t of);
void agent_ahead_end(agent_state_t *self);

/* agent_fetch.c */
actor_next_t agent_fetch(actor_ctx_t *ctx, agent_state_t *self, const lacking_t *m);
/* The connection ends with what is in hand. */
void agent_shorten_need(agent_state_t *self);
actor_next_t agent_take_data(actor_ctx_t *ctx, agent_state_t *self, const agent_data_t *m);
/* The timer: what came is waited for no longer. */
actor_next_t agent_store_due(actor_ctx_t *ctx, agent_state_t *self);

/* agent_answers.c: what is said at the end of an order. */
void agent_fail(actor_ctx_t *ctx, agent_state_t *self, const kept_t *order, err_t err,
                slice_t text);
/* The index of its store was made anew, of so many objects; 0: it was not. */
void agent_tell_indexed(actor_ctx_t *ctx, agent_state_t *self, uint64_t objects);
void agent_finish(actor_ctx_t *ctx, agent_state_t *self, const kept_t *order,
                  const actor_answer_t *answer);
/* Whether an order is the site's, for this agent and this connection, and can be done. */
err_t agent_check_order(agent_state_t *self, const agent_order_t *m);
