/* inside.h - what the files of the core know of each other, and nobody else.
 *
 * Shape    a cell per actor slot, shared and made of atomics only; an actor_t behind it, touched by
 *          the thread of its worker alone (the spawner makes it, and gives it away with the
 *          envelope that starts it).
 * Threads  see each struct.
 */
#pragma once

#include <stdalign.h>
#include <stdatomic.h>
#include "proto/limits.h"
#include "runtime/black_box.h"
#include "runtime/core.h"
#include "runtime/notes.h"

#define NS_PER_MS 1000000

typedef struct actor actor_t;
typedef struct loaded_class loaded_class_t;

/* envelope.c: small blocks, given back with the size they were taken with; a thread uses its own
 * again. Not zeroed; out of memory ends the process. */
void *memory_take(size_t size);
void memory_give(void *memory, size_t size);
void memory_thread_ends(void); /* frees what this thread keeps */

/* ---- envelopes: one message on its way, or one order of the runtime -------------------------- */

typedef enum envelope_kind {
    ENV_TELL = 0,
    ENV_ASK,
    ENV_REPLY,
    ENV_TIMER,
    ENV_DOWN,
    ENV_JOB,     /* out-tray only: a job to be submitted */
    ENV_INIT,    /* system lane, from here on */
    ENV_STOP,    /* end, for good */
    ENV_CYCLE,   /* end, and wait to be restarted */
    ENV_RESTART, /* after an end that waits: begin again */
    ENV_GIVE_UP, /* after an end that waits: end for good */
    ENV_PAUSE,
    ENV_RESUME,
    ENV_MONITOR,
    ENV_ENDED, /* to the supervisor: a child has ended or waits to be restarted */
    ENV_LATE,  /* to the supervisor: a child is not ready by its deadline */
    ENV_KIND_COUNT
} envelope_kind_t;

/* The open call that an ask serves: it is that call, or was asked by who deferred its answer. */
typedef struct chain {
    request_t head; /* asker.index 0: it serves none */
    uint32_t sequence;
    bool call; /* it is the call itself */
} chain_t;

struct envelope {
    envelope_t *next;
    const record_type_t *type; /* of the record; NULL: none */
    actor_ref_t from, to;
    uint64_t ask;        /* ASK, REPLY: the asker's number */
    uint64_t tag;        /* TIMER: key; DOWN, MONITOR: tag */
    int64_t deadline_ns; /* ASK */
    chain_t chain;       /* ASK */
    int64_t sent_ns;
    void *resource; /* REPLY of a job */
    void (*drop)(void *resource);
    void *mine;           /* out-tray only: the job, or the accepted ask that this reply answers */
    uint64_t quarantined; /* out-tray only: its number there; 0: none */
    actor_ref_t about;    /* DOWN, ENDED: who; RESTARTED: its new incarnation is in `ask` */
    const char *class_name; /* DOWN */
    uint32_t size;          /* bytes of record */
    uint32_t hears;         /* TELL, ASK: row of the receiver's class */
    uint32_t attempt;
    err_t err; /* REPLY */
    uint8_t kind, lane, reason;
    bool reserved; /* holds a place in the receiver's lane */
    bool final;    /* ENDED: the child is gone; else it waits for RESTART or GIVE_UP */
    bool counted;  /* ENDED: counts toward restart intensity */
    bool taken;    /* the receiver has it: the socket's copy is not to be freed */
    alignas(16) uint8_t record[];
};

/* The same message at another address; its old bytes are spoilt. */
envelope_t *envelope_moved(envelope_t *take_envelope);
void envelope_spoil(void *bytes, size_t size);
envelope_t *envelope_new(envelope_kind_t kind, actor_ref_t from, actor_ref_t to,
                         const record_type_t *type, const void *record, uint32_t size);
void envelope_free(envelope_t *envelope);
/* Into memory of sizeof (envelope_t) + size bytes and out of it: one copy each. */
void envelope_pack(envelope_t *take_envelope, void *memory);
envelope_t *envelope_unpack(const envelope_t *packed);
void envelope_drop_packed(envelope_t *packed); /* gives up one that nobody unpacks */

typedef struct fifo {
    envelope_t *head, *tail;
    uint64_t count;
} fifo_t;
static inline void
fifo_push(fifo_t *fifo, envelope_t *envelope)
{
    envelope->next = NULL;
    *(fifo->tail != NULL ? &fifo->tail->next : &fifo->head) = envelope;
    fifo->tail = envelope;
    fifo->count++;
}
static inline envelope_t *
fifo_pop(fifo_t *fifo)
{
    envelope_t *envelope = fifo->head;
    if (envelope != NULL) {
        fifo->head = envelope->next;
        fifo->tail = fifo->head == NULL ? NULL : fifo->tail;
        envelope->next = NULL;
        fifo->count--;
    }
    return envelope;
}
void fifo_splice_front(fifo_t *fifo, fifo_t *front); /* empties front */

/* ---- timers: a heap per worker, of nodes that sit in what they time -------------------------- */

typedef struct timer timer_node_t;
typedef void timer_fire_fn(worker_t *worker, timer_node_t *timer);
struct timer {
    int64_t due_ns;
    uint64_t order;    /* ties go to the one set first */
    uint32_t position; /* in the heap, from 1; 0: not set */
    timer_fire_fn *fire;
    actor_t *actor;
};
typedef struct timer_heap {
    timer_node_t **node;
    uint32_t count, capacity;
    uint64_t order;
} timer_heap_t;
void timer_set(timer_heap_t *heap, timer_node_t *timer, int64_t due_ns);
void timer_unset(timer_heap_t *heap, timer_node_t *timer);
timer_node_t *timer_due(timer_heap_t *heap, int64_t now_ns); /* taken off the heap; NULL: none */
int64_t timer_next(const timer_heap_t *heap);

/* ---- cells: what all threads may look at ----------------------------------------------------- */

typedef struct shown {
    char class_name[48], name[96], why[128], waits_for[96], describes[256];
} shown_t;
#define SHOWN_WORDS (sizeof(shown_t) / sizeof(uint64_t))

typedef struct cell {
    _Atomic uint64_t life;    /* first incarnation << 32 | present incarnation; first 0: free */
    _Atomic uint64_t room[2]; /* urgent, normal: generation 16 | messages 20 | units of bytes 28 */
    _Atomic uint64_t waits;   /* an open call: sequence << 32 | index of who has to act next */
    _Atomic uint32_t worker;
    _Atomic uint32_t next_free;
    _Atomic(loaded_class_t *) class;
    _Atomic(actor_t *) actor;
    /* figures, written by the actor's worker */
    _Atomic uint64_t parent; /* incarnation << 32 | index */
    _Atomic uint32_t state;
    _Atomic(const char *) handling;
    _Atomic int64_t handling_since_ns, oldest_ns, started_ns;
    _Atomic uint64_t depth[2]; /* system, reply */
    _Atomic uint64_t handled, asks, jobs, timers, restarts, failures;
    _Atomic uint64_t stalled_order; /* handler that has been reported as stalled (handled + 1) */
    _Atomic bool reported_late;
    _Atomic uint32_t shown_sequence;
    _Atomic uint64_t shown[SHOWN_WORDS];
} cell_t;

/* ---- classes as loaded ----------------------------------------------------------------------- */

typedef struct loaded_edge {
    actor_edge_kind_t kind;
    loaded_class_t *target;
    const record_type_t *type;
    uint32_t hears; /* row of the target's class */
    lane_t lane;
} loaded_edge_t;
struct loaded_class {
    const actor_class_t *class;
    loaded_edge_t *edge;
    uint32_t index;
    uint32_t worker; /* its own; UINT32_MAX: pool or parent's */
    uint32_t messages_max, bytes_max;
    _Atomic uint64_t role; /* incarnation << 32 | index; 0: nobody */
};
err_t load_classes(core_t *core, const core_options_t *options, char *why, size_t why_size);
void load_free(core_t *core);
loaded_class_t *load_find(const core_t *core, const char *name);

/* ---- actors: touched by their worker only ---------------------------------------------------- */

typedef struct open_ask {
    timer_node_t timer;
    uint64_t id;
    actor_answer_fn *then;
    uint64_t tag;
    actor_ref_t to;
    const record_type_t *type; /* asked */
    job_t *job;                /* NULL: an ask */
    chain_t serves;            /* whose deferred answer waits for this one */
    bool call;
} open_ask_t;

/* An ask that was delivered and is not answered. */
typedef struct accepted {
    struct accepted *next, *previous;
    request_t request;
    chain_t chain;
    char waits_for[48];
    bool answered; /* by the handler in hand; becomes final when it returns well */
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
    bool touched, handled; /* in this quantum: its figures changed; it had a handler */
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
    accepted_t *asked; /* the ask in hand */
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

typedef struct ready_list {
    actor_t *head, *tail;
} ready_list_t;

#define LEASES         1024u /* lanes that a worker has leases of at once; others do without */
#define LEASE_MESSAGES 32u   /* places taken ahead at once */
#define LEASE_BYTES    64u   /* and bytes for each of them */
#define LEASE_LARGE    512u  /* a message of more bytes is not leased for */
#define LEASE_QUANTA   256u  /* a busy worker gives all back every so many quanta */
#define LEASE_FROM     2048u /* lanes with fewer places are not leased from */
typedef struct lease {
    uint32_t index, first; /* whose lane: cell and first incarnation */
    uint32_t lane;
    uint32_t messages, bytes;
    bool used; /* it is on the worker's list */
} lease_t;

struct worker {
    core_t *core;
    uint32_t index;
    char name[32];
    timer_heap_t timers;
    ready_list_t ready[LANE_COUNT];
    uint32_t ready_lanes; /* a bit for each lane whose list is not empty */
    actor_t *touched;     /* whose figures changed in this quantum */
    uint32_t leased_count, quanta;
    uint16_t leased[LEASES]; /* those that are used */
    lease_t lease[LEASES];
    actor_ctx_t ctx;
    void *draft_memory;
    struct black_box *black_box; /* NULL: nothing is noted */
    _Atomic uint64_t delivered;
};

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
    _Atomic uint32_t cells_used;
    _Atomic uint64_t free_head; /* count << 32 | index */
    _Atomic uint32_t actors;
    loaded_class_t *classes;
    uint32_t class_count;
    loaded_class_t *notes_class;
    worker_t *workers;
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
    int64_t started_ns;
    /* of core_look, by its thread only */
    bool settled_ready;
    int64_t looked_ns;
    char settled_why[512];
};

/* directory.c */
static inline cell_t *
cell_at(const core_t *core, uint32_t index)
{
    return &core->cells[index < ACTORS_MAX ? index : 0];
}
static inline loaded_class_t *
class_at(const core_t *core, actor_ref_t who)
{
    return atomic_load_explicit(&cell_at(core, who.index)->class, memory_order_acquire);
}
static inline uint64_t
ref_word(actor_ref_t ref)
{
    return (uint64_t) ref.incarnation << 32 | ref.index;
}
static inline actor_ref_t
ref_of_word(uint64_t word)
{
    return (actor_ref_t){(uint32_t) word, (uint32_t) (word >> 32)};
}
static inline bool
ref_equal(actor_ref_t a, actor_ref_t b)
{
    return a.index == b.index && a.incarnation == b.incarnation;
}
bool cell_claim(core_t *core, actor_ref_t *ret_ref);
void cell_give_back(core_t *core, uint32_t index);
/* ref names the actor that is there now: an earlier incarnation names the same one as long as it
 * has only been restarted since. */
static inline bool
cell_holds(const core_t *core, actor_ref_t ref)
{
    if (ref.index == 0 || ref.index >= ACTORS_MAX) {
        return false;
    }
    uint64_t life = atomic_load_explicit(&core->cells[ref.index].life, memory_order_acquire);
    uint32_t first = (uint32_t) (life >> 32);
    return first != 0 && ref.incarnation >= first && ref.incarnation <= (uint32_t) life;
}
/* A number that one thread alone counts up, and others read. */
static inline void
bump(_Atomic uint64_t *number)
{
    uint64_t now = atomic_load_explicit(number, memory_order_relaxed);
    atomic_store_explicit(number, now + 1, memory_order_relaxed);
}
actor_ref_t cell_next_incarnation(cell_t *cell, uint32_t index);
/* Places in a lane, and their bytes, a multiple of what they are counted in (room_bytes). */
typedef struct room {
    uint32_t messages, bytes;
} room_t;
uint32_t room_bytes(uint32_t bytes); /* rounded up to that */
verdict_t room_take(core_t *core, actor_ref_t to, lane_t lane, room_t wanted,
                    const loaded_class_t *class);
void room_give(core_t *core, actor_ref_t to, lane_t lane, room_t back);
uint64_t room_messages(const cell_t *cell, lane_t lane);

/* lease.c: one place for a message of these bytes, or back */
verdict_t lease_reserve(worker_t *worker, actor_ref_t to, lane_t lane, uint32_t bytes,
                        const loaded_class_t *class);
void lease_release(worker_t *worker, actor_ref_t to, lane_t lane, uint32_t bytes,
                   const loaded_class_t *class);
void lease_rest(worker_t *worker); /* all go back */

/* lane.c */
bool lane_is_open(const actor_t *actor, lane_t lane);
void lane_push(actor_t *actor, lane_t lane, envelope_t *take_envelope);
void lane_wake(actor_t *actor);                               /* a lane may have been opened */
envelope_t *lane_next(worker_t *worker, actor_t **ret_actor); /* NULL: nothing to run */
void lane_unlist(actor_t *actor);
bool lane_has(const actor_t *actor, lane_t lane, actor_ref_t from);
void lane_push_down(actor_t *actor, envelope_t *take_envelope);

/* core.c */
void core_route(worker_t *worker, envelope_t *take_envelope);
void core_refuse_envelope(worker_t *worker, envelope_t *take_envelope, err_t err);
typedef actor_next_t run_fn(actor_ctx_t *ctx, void *self, const void *argument);
/* Runs fn as a handler of the actor, out-tray and end included. */
void core_run(actor_t *actor, const char *what, run_fn *fn, const void *argument);
/* What a record is about, by the host's field; 0: not known. */
uint64_t core_about(const core_t *core, const record_type_t *type, const void *record);
void core_handler_begin(actor_t *actor, envelope_t *in_hand, const char *what);
bool core_handler_end(actor_t *actor, actor_next_t next); /* true: it kept the message in hand */
void core_note_trouble(worker_t *worker, const char *actor, const char *what, const char *why,
                       uint32_t attempts);

/* out_tray.c */
void tray_commit(actor_ctx_t *ctx);
void tray_abort(actor_ctx_t *ctx);
void tray_add(actor_ctx_t *ctx, envelope_t *take_envelope);
verdict_t record_source(const actor_ctx_t *ctx, const record_type_t *type, const void *m,
                        uint32_t *ret_size);

/* ask.c */
open_ask_t *ask_open(actor_t *actor, actor_answer_fn *then, uint64_t tag, int64_t due_ns);
open_ask_t *ask_find(const actor_t *actor, uint64_t id);
void ask_answer_self(actor_t *actor, uint64_t id, err_t err);
void ask_dispatch(actor_t *actor, envelope_t *reply); /* runs the continuation */
void ask_show(actor_t *actor);
void ask_end_all(actor_t *actor);
accepted_t *ask_accept(actor_t *actor, const envelope_t *ask);
void ask_accepted_free(actor_t *actor, accepted_t *accepted);
void ask_refuse_all(actor_t *actor, err_t err); /* all that is accepted or queued */
void ask_reply_error(worker_t *worker, actor_ref_t from, actor_ref_t asker, uint64_t ask,
                     err_t err);

/* wait.c */
void wait_commit(actor_ctx_t *ctx); /* before the tray is emptied */
/* The ask of this chain is answered, or given up by its asker (at: UINT32_MAX). at: who had it. */
void wait_over(core_t *core, const chain_t *chain, uint32_t at);

/* jobs.c */
void job_unref(job_t *job);
void job_ask_to_stop(worker_t *worker, job_t *job);
void job_commit(actor_ctx_t *ctx, envelope_t *take_envelope);
void job_throw_away(actor_ctx_t *ctx, envelope_t *take_envelope);

/* timer.c */
void timer_dispatch(actor_t *actor, envelope_t *expiry);
void timer_end_all(actor_t *actor);

/* life.c */
actor_t *life_new(core_t *core, loaded_class_t *class, actor_ref_t self, actor_ref_t parent,
                  slice_t name, worker_t *worker);
void life_init(actor_t *actor, envelope_t *take_envelope);
void life_end(actor_t *actor, actor_reason_t reason, bool final, bool counted, const char *why);
void life_children_ended(actor_t *actor);
void life_order(actor_t *actor, envelope_t *take_envelope);
void life_release(actor_t *actor); /* at teardown: no messages any more */
void life_set_state(actor_t *actor, actor_state_t state);

/* supervisor.c */
void supervisor_stop_next(actor_t *parent); /* the last child, or life_children_ended */
void supervisor_child_ended(actor_t *parent, envelope_t *ended);
void supervisor_child_late(actor_t *parent, envelope_t *late);
void supervisor_child_leaves(actor_t *parent, actor_ref_t who);
child_t *supervisor_find(actor_t *parent, uint32_t index);
void supervisor_add(actor_t *parent, actor_ref_t who, const actor_class_t *class, slice_t name,
                    uint64_t tag);
void supervisor_forget(actor_t *parent, actor_ref_t who); /* a child that never left the tray */
void supervisor_free(actor_t *parent);

/* poison.c */
void poison_hold(actor_t *actor, envelope_t *take_failed, const char *why);
bool poison_takes(actor_t *actor, envelope_t *envelope); /* a later one of a held sender */
void poison_passed(actor_t *actor);                      /* the message in hand was a held one */
void poison_free(actor_t *actor);
/* Back under its number: what retried it failed, or there was no room. */
void quarantine_put_back(core_t *core, envelope_t *take_envelope);
void quarantine_free(core_t *core);

/* watch.c */
void watch_show(actor_t *actor);
/* Figures are told once a quantum, of those actors whose figures changed. */
static inline void
watch_touch(actor_t *actor)
{
    if (!actor->touched) {
        actor->touched = true;
        actor->touched_next = actor->worker->touched;
        actor->worker->touched = actor;
    }
}
void watch_tell(worker_t *worker); /* at the end of a quantum */
void watch_forget(actor_t *actor); /* it goes */
envelope_t *core_note_new(core_t *core, const record_type_t *type, const draft_t *draft);

void *xalloc(size_t count, size_t size); /* zeroed; out of memory ends the process */
