/* core_inside.h - workers, each touched by its thread only, and the core that all share. */
#pragma once

#include "runtime/actor_inside.h"
#include "runtime/batch_inside.h"

/* Actors that have something to run in a lane, in the order in which they got it: a ring that
 * grows, in which each of the worker's actors is once at most. */
typedef struct ready_list {
    actor_t **at;
    uint32_t first, count, capacity; /* a power of two */
} ready_list_t;

/* Of ready_lanes: there are chunks, which have their turns with the normal lane. */
#define READY_BROUGHT (1u << LANE_COUNT)

#define LEASES 1024u /* lanes that a worker has leases of at once; others do without */
/* Places in one lane of an actor that is on another worker, taken ahead (lease.c). */
typedef struct lease {
    uint64_t whose; /* first incarnation << 32 | cell; the lane is that of its slot */
    uint32_t messages, bytes;
    bool used; /* it is on the worker's list */
} lease_t;

/* Of core_look, by its thread only: the handler that it saw, and since when. */
typedef struct seen {
    uint64_t order;
    int64_t since_ns;
    /* When it was over its limit first, and how its thread had fared by then; 0: it is not. */
    int64_t slow_ns;
    thread_times_t slow;
    /* It was told as stuck, until it is told that it is over. */
    bool stalled;
    char name[ACTOR_NAME_BYTES_MAX + 1];
} seen_t;

struct worker {
    core_t *core;
    const cell_t *cells; /* the core's */
    uint32_t index;
    char made_name[32]; /* of the number that it was made with: never changed */
    const char *name;   /* of the one it has */
    due_t timers;
    ready_list_t ready[LANE_COUNT];
    uint32_t ready_lanes; /* a bit for each lane whose list is not empty, and READY_BROUGHT */
    chunk_t *brought, *brought_last; /* what it was brought and has not handled, oldest first */
    uint32_t brought_count;
    bool brought_turn;      /* the last turn was theirs, where a lane had something to run, too */
    chunk_t *hand_chunk;    /* in which the message in hand lies; NULL: it is an envelope */
    told_by_hand_t by_hand; /* of a batch that was brought: the message in hand, or the last one */
    envelope_t *on_hand, *answer_on_hand; /* runs next, out of no lane: one of them at most */
    actor_t *touched;                     /* whose figures changed since they were told */
    int64_t told_ns;
    uint32_t leased_count, quanta;
    uint16_t leased[LEASES]; /* those that are used */
    lease_t lease[LEASES];
    uint32_t sparing_count;
    uint64_t sparing[LEASES]; /* its own actors that have spare places, as lease_t.whose */
    actor_ctx_t ctx;
    void *draft_memory;
    struct black_box *black_box; /* NULL: nothing is noted */
    /* The handler in hand, for those who watch: its number here, its actor's cell (0: none is in
     * hand), what it is on. By the worker's thread. */
    _Atomic uint64_t handlers;
    _Atomic uint32_t hand;
    _Atomic(const char *const *) handling; /* where it says so: the type's name, or `said` */
    _Atomic int64_t clock_ns; /* ctx.now_ns, for them: the handler in hand began then */
    uint64_t looked;          /* handlers, when the clock was looked at */
    /* No handler was seen to run for longer: the longest time between two looks at the clock in
     * which some ran, by the worker's thread; or, of one that does not return, by who watches. */
    _Atomic int64_t longest_ns;
    _Atomic int64_t longest_seen_ns;
    seen_t seen;
    /* see takeover_inside.h */
    _Atomic bool inside;     /* its thread is in the runtime, not in a handler's own code */
    _Atomic uint32_t taking; /* TAKING_NONE, TAKING_ASKED, TAKING_DONE */
    _Atomic bool spare;
    _Atomic(actor_t *) away;    /* whose handler has not returned, when the worker was taken over */
    fifo_t kept;                /* what came for it meanwhile: of the worker that goes on */
    due_t parked;               /* its timers, when its handler has returned */
    _Atomic(const char *) said; /* see handling */
};

/* Between two handlers. */
static inline void
worker_set_clock(worker_t *worker, int64_t now_ns)
{
    worker->ctx.now_ns = now_ns;
    atomic_store_explicit(&worker->clock_ns, now_ns, memory_order_relaxed);
}

/* What the handler in hand is on, for who looks. */
static inline const char *
hand_what(const worker_t *worker)
{
    const char *const *what = atomic_load(&worker->handling);
    return what == (const char *const *) (const void *) &worker->said ? atomic_load(&worker->said)
                                                                      : *what;
}

#define QUARANTINE_FREE 0u
#define QUARANTINE_BUSY 1u
#define QUARANTINE_SET  2u
typedef struct quarantine_entry {
    _Atomic uint32_t state;
    quarantined_t shown;
    envelope_t *envelope;
    loaded_class_t *class; /* of its receiver */
} quarantine_entry_t;

struct core {
    executor_t executor;
    cell_t *cells;
    own_name_t *names; /* of the cells with SHOWS_NAME */
    told_cell_t *told; /* and SHOWS_TOLD */
    _Atomic uint32_t cells_used;
    _Atomic uint64_t free_head; /* count << 32 | index */
    _Atomic uint32_t actors;
    loaded_class_t *classes;
    uint32_t class_count;
    loaded_class_t *notes_class;
    worker_t *workers;              /* those of the start, then the spare ones */
    _Atomic(worker_t *) *worker_at; /* by number */
    uint32_t worker_count, pool_first, pool_count;
    _Atomic uint32_t pool_next;
    envelope_t *root_args;
    loaded_class_t *root_class;
    actor_ref_t root;
    _Atomic bool stop_requested, ended, failed;
    /* why an actor wants the stop: of the first that did, whole when stop_told */
    _Atomic bool stop_claimed, stop_told;
    err_t stop_err;
    char stop_why[STOP_WHY_BYTES];
    _Atomic uint64_t late_replies, dead_letters, notes_dropped;
    _Atomic uint64_t wait_sequence;
    quarantine_entry_t *quarantine;
    _Atomic uint64_t quarantine_next;
    _Atomic uint64_t quarantine_count;
    struct black_box_file *black_box;
    const char *about_field; /* see host_options_t; NULL: none */
    bool fresh_messages;
    uint32_t takeover_ms;
    /* Told of each answer `cycle` before it leaves, with the caller's index; NULL: nobody is. */
    void (*judge)(void *context, uint32_t caller);
    void *judge_context;
    /* Between the two walks of a search for a circle, for who has something happen just then; NULL:
     * nobody. */
    void (*walked)(core_t *core);
    int64_t started_ns;
    /* of core_look, by its thread only */
    const worker_t *overdue; /* whose handler has run over takeover_ms; NULL: nobody's */
    bool settled_ready;
    int64_t looked_ns;
    char settled_why[512];
};
