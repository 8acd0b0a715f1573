/* actor_inside.h - actors, touched by their worker only, and what a handler is given. */
#pragma once

#include "runtime/cell_inside.h"
#include "runtime/due.h"

typedef struct open_ask {
    timer_node_t timer;
    uint64_t id;
    actor_answer_fn *then;
    uint64_t tag;
    actor_ref_t to;
    const record_type_t *type; /* asked */
    job_t *job;                /* NULL: an ask */
    struct accepted *serves;   /* the answer that was put off until this one is there */
    uint32_t turn;             /* given with it */
    bool call;
} open_ask_t;

/* An ask that was delivered and is not answered. */
typedef struct accepted {
    struct accepted *next, *previous;
    request_t request;
    chain_t chain;
    open_ask_t *asked;       /* that it waits for; NULL: something else */
    struct accepted *served; /* by the handler in hand, too */
    char waits_for[48];
    bool answered, is_served; /* by the handler in hand; final when it returns well */
} accepted_t;

typedef struct keyed_timer {
    timer_node_t timer;
    struct keyed_timer *chain; /* of its bucket */
    uint64_t key;
    bool queued; /* its expiry waits in the lane */
} keyed_timer_t;

/* Waits: to be restarted. */
typedef enum child_state { CHILD_RUNS = 0, CHILD_WAITS, CHILD_CYCLES } child_state_t;
typedef struct child {
    struct child *next, *previous;
    actor_ref_t who;
    uint64_t tag;
    uint16_t class;    /* its number */
    uint8_t state;     /* a child_state_t */
    bool stopping : 1; /* its end is wanted */
    bool left : 1;     /* it did not end by the deadline of its stop */
    bool tended : 1;   /* there is a care_t of it */
    bool named : 1;    /* other than its class */
    char name[];
} child_t;

/* Of a child that was restarted, or is being stopped. */
typedef struct care {
    timer_node_t timer; /* backoff, or the deadline of its stop */
    struct care *next;
    child_t *child;
    int64_t *restarted; /* ring of times */
    uint32_t restarts;
} care_t;

typedef struct monitor {
    actor_ref_t who;
    uint64_t tag;
} monitor_t;

/* A message that failed, and what its sender sent after it in that lane. */
typedef struct held {
    timer_node_t timer;
    struct held *next;
    envelope_t *failed; /* NULL while it is being tried again */
    fifo_t later;
    actor_ref_t from;
    uint8_t lane;
} held_t;

typedef enum stage {
    STAGE_STARTING = 0, /* init has not returned */
    STAGE_OPEN,
    STAGE_ENDING,  /* its children are being stopped */
    STAGE_WAITING, /* ended; its supervisor decides */
} stage_t;

/* What few actors need, made when it is first written (life_rare). */
typedef struct rare {
    open_ask_t **ask;
    uint32_t ask_capacity;
    uint64_t ask_sequence;
    keyed_timer_t **timer_bucket;
    uint32_t timer_buckets, timers;
    child_t *children, *children_last;
    child_t *stopping; /* the one whose end is awaited */
    care_t *cares;
    monitor_t *monitors;
    uint32_t monitor_count, monitor_capacity;
    held_t *trying; /* the held message in hand */
    int64_t described_ns;
    char why[128];
} rare_t;
extern const rare_t rare_none; /* of all who have written nothing into theirs */

/* At most LEASE_MESSAGES_MAX and LEASE_BYTES_MAX, and the one that is being given back. */
typedef union spare {
    struct {
        uint16_t messages, bytes;
    };
    uint32_t both; /* as one word: bytes << 16 | messages */
} spare_t;

#define LANES_OPEN ((uint32_t) STAGE_OPEN)
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the stage is the low byte of `shut`");
/* Of `bearing`: its figures are on the list of those that changed; it may have spare places. */
#define BEARS_TOUCHED (1ull << 32)
#define BEARS_SPARES  (1ull << 40)
#define BEARS_LISTED  48u          /* and as many as the lane: it is in that lane's list */
#define BEARS_HOLDS   (1ull << 56) /* what is below it holds nothing */
/* Nothing shuts its lanes, nothing is held back, none of its lanes is in a list. */
#define BEARS_PLAIN (LANES_OPEN | BEARS_TOUCHED | BEARS_SPARES)

struct actor {
    core_t *core;
    worker_t *worker;
    cell_t *cell;
    loaded_class_t *class;
    actor_ref_t self;
    void *state;
    const rare_t *rare;                /* never NULL */
    envelope_t *lane_last[LANE_COUNT]; /* each lane is a ring: the next of the last is its first */
    uint32_t lane_depth[LANE_COUNT];
    union { /* what each of its messages has to look at, and all of it as one word */
        struct {
            union { /* what shuts its normal lane */
                struct {
                    uint8_t stage; /* a stage_t */
                    bool paused;
                    uint16_t calls_open;
                };
                uint32_t shut; /* LANES_OPEN: by nothing */
            };
            bool touched;   /* its figures changed since they were told */
            bool spares;    /* it is on its worker's list of those that may have spare places */
            uint8_t listed; /* a bit for each lane in whose list of its worker it is */
            bool holds;     /* held is not NULL */
        };
        uint64_t bearing;
    };
    uint16_t asks_open, jobs_open;
    bool is_ready : 1;
    bool end_final : 1, end_counted : 1; /* how it ends, while ENDING */
    uint8_t end_reason;                  /* the same: an actor_reason_t */
    uint8_t waits_shown; /* what watching was last told: nothing, a call, a deferral */
    uint32_t handled;    /* handlers that its cell does not count yet */
    /* Of its normal lane, only so many from the first on may be from other workers: what comes from
     * there is not handled in place before them. */
    uint32_t far;
    spare_t spare[2]; /* places in its urgent and normal lane that its worker has taken ahead */
    actor_t *touched_next;
    accepted_t *accepted; /* oldest first: mostly the next answered; its previous is the last */
    held_t *held;
    envelope_t *args; /* as kept for restarts; NULL: none */
};

#define STOP_WHY_BYTES 512

/* The handler did more than to put something into its tray: it serves an earlier ask, claimed what
 * does not hold, or wants the host to stop. */
#define OUT_MORE (1u << 31)
_Static_assert(ENV_KIND_COUNT <= 31, "each kind has a bit beside it");

struct actor_ctx {
    actor_drafting_t drafting; /* first: actor_draft_fixed finds it there */
    worker_t *worker;
    actor_t *actor;
    envelope_t *in_hand;
    accepted_t *asked;   /* the ask in hand, until it is answered */
    accepted_t at_once;  /* where it is; in its actor's list not before its answer is put off */
    bool is_at_once;     /* it is there, and its answer has not left */
    accepted_t *served;  /* earlier ones that this handler goes on for */
    accepted_t *serving; /* the last of them: asks have no more time than it has */
    bool deferred;
    bool host_stop; /* wanted, when the handler returns well, and why */
    err_t host_err;
    char host_why[STOP_WHY_BYTES];
    envelope_t *only;   /* all it told so far, to one here, in the normal lane: no place is taken */
    fifo_t out;         /* empty while there is such a one */
    uint32_t out_kinds; /* a bit for each envelope_kind_t in it but ENV_TELL, and OUT_MORE */
    char claim[160];
    int64_t now_ns;
    int64_t deadline_from_ns; /* of the handler's last asks */
    uint32_t deadlines;       /* asks of this handler so far */
};
_Static_assert(offsetof(struct actor_ctx, drafting) == 0, "it is the head of a context");
