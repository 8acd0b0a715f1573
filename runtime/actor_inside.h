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
    timer_node_t timer; /* backoff, or the deadline of its stop */
    actor_ref_t who;
    const actor_class_t *class;
    uint64_t tag;
    char name[ACTOR_NAME_BYTES_MAX + 1];
    child_state_t state;
    bool stopping;      /* its end is wanted */
    bool left;          /* it did not end by the deadline of its stop */
    int64_t *restarted; /* ring of times */
    uint32_t restarts;
} child_t;

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

struct actor {
    core_t *core;
    worker_t *worker;
    cell_t *cell;
    loaded_class_t *class;
    actor_ref_t self, parent;
    uint64_t spawn_tag;
    char name[ACTOR_NAME_BYTES_MAX + 1];
    void *state;
    envelope_t *args; /* as kept for restarts */
    stage_t stage;
    bool paused, is_ready;
    uint32_t calls_open;
    fifo_t lane[LANE_COUNT];
    actor_t *ready_next[LANE_COUNT];
    bool ready_listed[LANE_COUNT];
    bool touched;     /* in this quantum: its figures changed */
    bool spares;      /* it is on its worker's list of those that may have spare places */
    room_t spare[2];  /* places in its urgent and normal lane that its worker has taken ahead */
    uint64_t handled; /* its cell has what was told of it */
    actor_t *touched_next;
    open_ask_t **ask;
    uint32_t ask_capacity, asks_open, jobs_open, ask_free;
    uint64_t ask_sequence;
    accepted_t *accepted, *accepted_last; /* oldest first: mostly the next answered */
    keyed_timer_t **timer_bucket;
    uint32_t timer_buckets, timers;
    child_t *children, *children_last;
    child_t *stopping; /* the one whose end is awaited */
    monitor_t *monitors;
    uint32_t monitor_count, monitor_capacity;
    held_t *held;
    held_t *trying; /* the held message in hand */
    /* What watching was last told of its waiting: nothing, a call, a deferral. */
    uint32_t waits_shown;
    /* how it ends, while ENDING */
    actor_reason_t end_reason;
    bool end_final, end_counted;
    char why[128];
    int64_t described_ns;
};

#define STOP_WHY_BYTES 512

struct actor_ctx {
    worker_t *worker;
    actor_t *actor;
    envelope_t *in_hand;
    accepted_t *asked;   /* the ask in hand */
    accepted_t *served;  /* earlier ones that this handler goes on for */
    accepted_t *serving; /* the last of them: asks have no more time than it has */
    bool deferred;
    bool host_stop; /* wanted, when the handler returns well, and why */
    err_t host_err;
    char host_why[STOP_WHY_BYTES];
    fifo_t out;
    uint32_t out_kinds; /* a bit for each envelope_kind_t in it */
    draft_t draft;
    const record_type_t *draft_type;
    char claim[160];
    int64_t now_ns;
};
