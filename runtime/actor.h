/* actor.h - all that the author of an actor needs, and all that an actor may call.
 *
 * Shape    an actor is a class (data) and a state (a struct). Its handlers run one at a time, each
 *          to its end, on one message; a handler never waits: it tells, asks, sets timers, starts
 *          jobs, and returns.
 *
 *          handler of yours            may call                        returns
 *          init (args)                 everything below                ACTOR_CONTINUE: ready, or still
 *                                                                      starting until actor_ready
 *          on_<message> (message)      everything below                ACTOR_CONTINUE
 *          <name> (answer)             everything below                ACTOR_STOP: end well
 *          on_timer (key)              everything below                ACTOR_FAIL: end badly, the
 *          on_down (who, why)          everything below                supervisor decides
 *          drop (state)                free() only                     -
 *
 * Promises what a handler told, asked, spawned or started takes effect only when it returned
 *          ACTOR_CONTINUE or ACTOR_STOP. Order is kept per sender, receiver and lane. A place in the
 *          receiver's lane is reserved when tell or ask is called, so a verdict of VERDICT_OK is
 *          never taken back by a full mailbox. Every ask that got VERDICT_OK resolves exactly once.
 * Costs    tell: one copy of the record; ask: that and one slot; timer: O(log n).
 * Errors   verdicts, there and then; failures of asks in their answer.
 * Threads  a context belongs to the handler in hand; nothing here locks, sleeps or shares memory.
 * Owner    messages are borrowed until the handler returns; keep one by actor_keep.
 */
#pragma once

#include "proto/record.h"
#include "runtime/world.h"

#pragma GCC visibility push(default) /* what a shared library of it exports */
#ifdef __cplusplus
extern "C" {
#endif

typedef struct actor_ctx actor_ctx_t;
typedef struct actor_class actor_class_t;

/* Who: a place in the host and the incarnation that sat there; index 0 is nobody. */
typedef struct actor_ref {
    uint32_t index;
    uint32_t incarnation;
} actor_ref_t;

typedef enum actor_next { ACTOR_CONTINUE = 0, ACTOR_STOP, ACTOR_FAIL } actor_next_t;

/* What became of a tell, ask, spawn or job at the moment it was called. */
typedef enum verdict {
    VERDICT_OK = 0,
    VERDICT_FULL,       /* the receiver's lane, or our own list of open asks or timers, is full */
    VERDICT_DOWN,       /* nobody is there */
    VERDICT_UNDECLARED, /* the class does not list this edge */
    VERDICT_TOO_LARGE   /* the draft did not fit MESSAGE_BYTES_MAX */
} verdict_t;
err_t verdict_err(verdict_t verdict); /* OK, ERR_FULL, ERR_DOWN, ERR_UNDECLARED, ERR_TOO_LARGE */

typedef enum lane { LANE_SYSTEM = 0, LANE_REPLY, LANE_URGENT, LANE_NORMAL, LANE_COUNT } lane_t;

/* ---- the class -------------------------------------------------------------------------------- */

typedef enum actor_restart { ACTOR_PERMANENT = 0, ACTOR_TRANSIENT, ACTOR_TEMPORARY } actor_restart_t;
typedef enum actor_strategy {
    ACTOR_ONE_FOR_ONE = 0, ACTOR_ONE_FOR_ALL, ACTOR_REST_FOR_ONE
} actor_strategy_t;
/* Which worker it is on: unless the class says otherwise a role has one of its own (a thread and a
 * mailbox socket), and any other is on its parent's. A host may put all on the pool: then own means
 * pool, but for what stands beside it under every placement. */
typedef enum actor_placement {
    ACTOR_BY_ROLE = 0, ACTOR_OWN_WORKER, ACTOR_POOL, ACTOR_WITH_PARENT, ACTOR_BESIDE_THE_POOL
} actor_placement_t;

typedef actor_next_t actor_handler_fn(actor_ctx_t *ctx, void *self, const void *message);
typedef struct actor_hears {
    const record_type_t *type;
    lane_t lane; /* URGENT or NORMAL */
    actor_handler_fn *handler;
} actor_hears_t;

typedef enum actor_edge_kind {
    EDGE_TELL, EDGE_ASK, EDGE_CALL, EDGE_DYNAMIC, EDGE_NEED
} actor_edge_kind_t;
typedef struct actor_edge {
    actor_edge_kind_t kind;
    const char *target; /* class name */
    const record_type_t *type;
} actor_edge_t;

/* Why a child or monitored actor is no longer what it was. */
typedef enum actor_reason {
    ACTOR_ENDED,     /* stopped well */
    ACTOR_FAILED,    /* a claim or ACTOR_FAIL */
    ACTOR_RESTARTED, /* failed, and a new incarnation is being started */
    ACTOR_GIVEN_UP,  /* restart intensity exceeded */
    ACTOR_LATE       /* not ready by its deadline; still starting */
} actor_reason_t;
typedef struct actor_down {
    actor_ref_t who;
    actor_ref_t next; /* the new incarnation when reason is ACTOR_RESTARTED */
    actor_reason_t reason;
    const char *class_name;
    const char *name;
    uint64_t tag;     /* of the monitor or spawn */
} actor_down_t;

typedef struct actor_answer actor_answer_t;
typedef actor_next_t actor_answer_fn(actor_ctx_t *ctx, void *self, const actor_answer_t *answer);

struct actor_class {
    const char *name;
    size_t state_bytes;
    actor_next_t (*init)(actor_ctx_t *ctx, void *self, const void *args); /* args may be NULL */
    actor_next_t (*on_timer)(actor_ctx_t *ctx, void *self, uint64_t key);
    actor_next_t (*on_down)(actor_ctx_t *ctx, void *self, const actor_down_t *down);
    void (*drop)(void *self);                                     /* releases what the state holds */
    void (*describe)(const void *self, char *text, size_t size); /* for watching and crash notes; reads the state only */
    const actor_hears_t *hears;
    uint32_t hears_count;
    const actor_edge_t *edges;
    uint32_t edge_count;
    actor_restart_t restart;
    actor_placement_t placement;
    actor_strategy_t strategy; /* over its own children */
    bool role;            /* registered under its class name: others reach it by their edges */
    bool starts_later;    /* init's return does not make it ready: it calls actor_ready itself */
    uint32_t lane_messages_max;  /* per urgent and normal lane; 0: LANE_MESSAGES_MAX */
    uint32_t lane_bytes_max;     /* 0: LANE_BYTES_MAX */
    uint32_t init_deadline_ms;   /* 0: INIT_DEADLINE_MS */
    uint32_t handler_limit_ms;   /* 0: HANDLER_LIMIT_MS; longer raises actor_stalled */
    uint32_t restart_intensity;  /* of its children: restarts per period; 0: RESTART_INTENSITY */
    uint32_t restart_period_ms;  /* 0: RESTART_PERIOD_MS */
};

/* HEARS declares the typed handler on_<message> and its thunk; ON lists it. A message that is
 * listed and not handled does not build. <message>_t and <message>_type come from proto. */
#define HEARS(self_t, message)                                                                     \
    static actor_next_t on_##message(actor_ctx_t *ctx, self_t *self, const message##_t *m);        \
    static actor_next_t on_##message##_thunk(actor_ctx_t *ctx, void *self, const void *m)          \
    {                                                                                              \
        return on_##message(ctx, (self_t *) self, (const message##_t *) m);                        \
    }
#define ON(message)        {&message##_type, LANE_NORMAL, on_##message##_thunk}
#define ON_URGENT(message) {&message##_type, LANE_URGENT, on_##message##_thunk}
#define ACTOR_LIST(list)   .list = actor_##list, .list##_count = sizeof actor_##list / sizeof actor_##list[0]

/* HANDLE and its like open a handler and have its thunk made, for less to write: the body follows. At hand
 * are ctx, self and what the macro names last; the arguments may stay unused.
 *     HANDLE(self_t, message) {... m ...}               heard by ON (message)
 *     HANDLE_ANSWER(self_t, name) {... answer ...}      handed to an ask, call or job as name_then
 *     HANDLE_REPLY(self_t, name, message) {... m ...}   the same; any answer but this reply fails the actor
 *     HANDLE_INIT(self_t, name) {... args ...}          .init = name
 *     HANDLE_TIMER(self_t, name) {... key ...}          .on_timer = name
 *     HANDLE_DOWN(self_t, name) {... down ...}          .on_down = name */
#define ACTOR_UNUSED __attribute__((unused))
#define HANDLE(self_t, message)                                                                    \
    HEARS(self_t, message)                                                                         \
    static actor_next_t on_##message(ACTOR_UNUSED actor_ctx_t *ctx, ACTOR_UNUSED self_t *self,     \
                                     ACTOR_UNUSED const message##_t *m)
#define HANDLE_ANSWER(self_t, name)                                                                \
    THEN(self_t, name)                                                                             \
    static actor_next_t name(ACTOR_UNUSED actor_ctx_t *ctx, ACTOR_UNUSED self_t *self,             \
                             ACTOR_UNUSED const actor_answer_t *answer)
#define HANDLE_REPLY(self_t, name, message)                                                        \
    static actor_next_t name(actor_ctx_t *ctx, self_t *self, const message##_t *m);                \
    static actor_next_t name##_then(actor_ctx_t *ctx, void *self, const actor_answer_t *answer)    \
    {                                                                                              \
        const message##_t *m = ANSWER_AS(answer, message);                                         \
        claim(ctx, m != NULL);                                                                     \
        return name(ctx, (self_t *) self, m);                                                      \
    }                                                                                              \
    static actor_next_t name(ACTOR_UNUSED actor_ctx_t *ctx, ACTOR_UNUSED self_t *self,             \
                             ACTOR_UNUSED const message##_t *m)
#define HANDLE_INIT(self_t, name)  ACTOR_HANDLE(self_t, name, const void *, args)
#define HANDLE_TIMER(self_t, name) ACTOR_HANDLE(self_t, name, uint64_t, key)
#define HANDLE_DOWN(self_t, name)  ACTOR_HANDLE(self_t, name, const actor_down_t *, down)
#define ACTOR_HANDLE(self_t, name, argument_t, argument)                                           \
    static actor_next_t name##_typed(actor_ctx_t *ctx, self_t *self, argument_t argument);         \
    static actor_next_t name(actor_ctx_t *ctx, void *self, argument_t argument)                    \
    {                                                                                              \
        return name##_typed(ctx, (self_t *) self, argument);                                       \
    }                                                                                              \
    static actor_next_t name##_typed(ACTOR_UNUSED actor_ctx_t *ctx, ACTOR_UNUSED self_t *self,     \
                                     ACTOR_UNUSED argument_t argument)
/* In a class: what it hears, in place; and the edges that ACTOR_EDGES_OF (owner, ...) has listed. */
#define ACTOR_HEARS(...)                                                                           \
    .hears = (const actor_hears_t[]){__VA_ARGS__},                                                 \
    .hears_count = sizeof((const actor_hears_t[]){__VA_ARGS__}) / sizeof(actor_hears_t)
#define ACTOR_SPEAKS(owner) .edges = owner##_edges, .edge_count = owner##_EDGE_COUNT

/* An actor's file says once whom it tells, asks, calls and needs:
 *     #define EDGES(E) E(TELL, despooler, instruction) E(ASK, site_database, due_targets)
 *     ACTOR_EDGES(EDGES)
 * which makes the table for the class and, for each row, the one typed function that sends it:
 *     verdict_t tell_despooler_instruction(ctx, const instruction_t *m);            target is a role
 *     verdict_t ask_site_database_due_targets(ctx, m, deadline_ms, then, tag);
 * TELL_TO, ASK_TO and CALL_TO take the receiver as an argument, for classes with many instances:
 *     verdict_t tell_point_worker_work(ctx, actor_ref_t to, m);
 * DYNAMIC_TO is a CALL_TO that may close a circle of classes: at run time it may be answered ERR_CYCLE.
 * NEED names what is asked before ready; it makes no function.
 * A file with several actors says ACTOR_EDGES_OF (owner, list) for each. */
#define ACTOR_EDGES_OF(owner, list)                                                                \
    enum { list(ACTOR_EDGE_NUMBER) owner##_EDGE_COUNT };                                           \
    static const actor_edge_t owner##_edges[] __attribute__((unused)) = {list(ACTOR_EDGE_ROW)};    \
    list(ACTOR_EDGE_FUNCTION)
#define ACTOR_EDGES(list)                                                                          \
    ACTOR_EDGES_OF(actor, list)                                                                    \
    enum { ACTOR_EDGE_COUNT = actor_EDGE_COUNT };
#define ACTOR_EDGE_NUMBER(kind, target, message)   ACTOR_EDGE_##kind##_##target##_##message,
#define ACTOR_EDGE_ROW(kind, target, message)      {ACTOR_EDGE_KIND_##kind, #target, &message##_type},
#define ACTOR_EDGE_FUNCTION(kind, target, message) ACTOR_EDGE_FN_##kind(target, message)
#define ACTOR_EDGE_KIND_TELL    EDGE_TELL
#define ACTOR_EDGE_KIND_TELL_TO EDGE_TELL
#define ACTOR_EDGE_KIND_ASK     EDGE_ASK
#define ACTOR_EDGE_KIND_ASK_TO  EDGE_ASK
#define ACTOR_EDGE_KIND_CALL    EDGE_CALL
#define ACTOR_EDGE_KIND_CALL_TO EDGE_CALL
#define ACTOR_EDGE_KIND_DYNAMIC_TO EDGE_DYNAMIC
#define ACTOR_EDGE_KIND_NEED    EDGE_NEED
#define ACTOR_EDGE_FN_TELL(target, message)                                                        \
    static inline must_use verdict_t tell_##target##_##message(actor_ctx_t *ctx, const message##_t *m) \
    { return actor_tell_role(ctx, ACTOR_EDGE_TELL_##target##_##message, m); }
#define ACTOR_EDGE_FN_TELL_TO(target, message)                                                     \
    static inline must_use verdict_t tell_##target##_##message(actor_ctx_t *ctx, actor_ref_t to, const message##_t *m) \
    { return actor_tell(ctx, ACTOR_EDGE_TELL_TO_##target##_##message, to, m); }
#define ACTOR_EDGE_FN_ASK(target, message)                                                         \
    static inline must_use verdict_t ask_##target##_##message(actor_ctx_t *ctx, const message##_t *m, uint32_t deadline_ms, actor_answer_fn *then, uint64_t tag) \
    { return actor_ask_role(ctx, ACTOR_EDGE_ASK_##target##_##message, m, deadline_ms, then, tag); }
#define ACTOR_EDGE_FN_ASK_TO(target, message)                                                      \
    static inline must_use verdict_t ask_##target##_##message(actor_ctx_t *ctx, actor_ref_t to, const message##_t *m, uint32_t deadline_ms, actor_answer_fn *then, uint64_t tag) \
    { return actor_ask(ctx, ACTOR_EDGE_ASK_TO_##target##_##message, to, m, deadline_ms, then, tag); }
#define ACTOR_EDGE_FN_CALL(target, message)                                                        \
    static inline must_use verdict_t call_##target##_##message(actor_ctx_t *ctx, const message##_t *m, uint32_t deadline_ms, actor_answer_fn *then, uint64_t tag) \
    { return actor_ask_role(ctx, ACTOR_EDGE_CALL_##target##_##message, m, deadline_ms, then, tag); }
#define ACTOR_EDGE_FN_CALL_TO(target, message)                                                     \
    static inline must_use verdict_t call_##target##_##message(actor_ctx_t *ctx, actor_ref_t to, const message##_t *m, uint32_t deadline_ms, actor_answer_fn *then, uint64_t tag) \
    { return actor_ask(ctx, ACTOR_EDGE_CALL_TO_##target##_##message, to, m, deadline_ms, then, tag); }
#define ACTOR_EDGE_FN_DYNAMIC_TO(target, message)                                                  \
    static inline must_use verdict_t call_##target##_##message(actor_ctx_t *ctx, actor_ref_t to, const message##_t *m, uint32_t deadline_ms, actor_answer_fn *then, uint64_t tag) \
    { return actor_ask(ctx, ACTOR_EDGE_DYNAMIC_TO_##target##_##message, to, m, deadline_ms, then, tag); }
#define ACTOR_EDGE_FN_NEED(target, message)

/* ---- drafts: making a message ------------------------------------------------------------------ */

/* Begins the handler's next message; the one before must have been sent. Zeroed; never NULL. */
void *actor_draft(actor_ctx_t *ctx, const record_type_t *type);
#define DRAFT(ctx, message) ((message##_t *) actor_draft_fixed((ctx), &message##_type, sizeof(message##_t)))

/* The head of a context. It is here for actor_draft_fixed alone, which begins most messages at no
 * call (W4: 21.3 to 19.8 ns a hop, W1: 18.9 to 17.9 a message). */
typedef struct actor_drafting {
    draft_t draft;
    const record_type_t *type; /* NULL: none is begun */
} actor_drafting_t;
static inline void *
actor_draft_fixed(actor_ctx_t *ctx, const record_type_t *type, uint32_t fixed)
{
    actor_drafting_t *drafting = (actor_drafting_t *) (void *) ctx;
    if (fixed > DRAFT_SHORT) {
        return actor_draft(ctx, type);
    }
    drafting->type = type;
    return draft_begin_zeroed(&drafting->draft, fixed, fixed);
}
draft_t *actor_draft_open(actor_ctx_t *ctx); /* the draft in hand, for draft_rows and the like */
text_t actor_text(actor_ctx_t *ctx, slice_t text); /* into the draft in hand */
text_t actor_textf(actor_ctx_t *ctx, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- tell, ask, call, reply -------------------------------------------------------------------- */
/* m is the draft in hand, the message in hand, or a record kept by actor_keep. */

verdict_t actor_tell_role(actor_ctx_t *ctx, uint32_t edge, const void *m) must_use;
verdict_t actor_tell(actor_ctx_t *ctx, uint32_t edge, actor_ref_t to, const void *m) must_use;
verdict_t actor_ask_role(actor_ctx_t *ctx, uint32_t edge, const void *m, uint32_t deadline_ms,
                         actor_answer_fn *then, uint64_t tag) must_use;
/* VERDICT_OK: then is called exactly once, with the reply or the reason why there is none. Any other
 * verdict: then is not called. The deadline is cut to what the ask in hand, if any, has left. */
verdict_t actor_ask(actor_ctx_t *ctx, uint32_t edge, actor_ref_t to, const void *m,
                    uint32_t deadline_ms, actor_answer_fn *then, uint64_t tag) must_use;

struct actor_answer {
    err_t err; /* OK: type and record hold the reply; else ERR_DEADLINE, ERR_DOWN, ERR_FULL (refused),
                  ERR_RESTARTING, ERR_CYCLE, ERR_CANCELLED (job), ERR_HUNG (its thread is lost), ERR_INTERNAL */
    const record_type_t *type;
    const void *record;
    uint64_t tag;
    void *resource; /* of a job: given back here; NULL when lost */
};
/* The answer's record as <message>_t, or NULL when it is no such reply. */
#define ANSWER_AS(answer, message)                                                                 \
    ((answer)->err == OK && (answer)->type == &message##_type ? (const message##_t *) (answer)->record : NULL)
/* THEN declares a typed continuation <name> and the thunk <name>_then to hand to ask and job. */
#define THEN(self_t, name)                                                                         \
    static actor_next_t name(actor_ctx_t *ctx, self_t *self, const actor_answer_t *answer);        \
    static actor_next_t name##_then(actor_ctx_t *ctx, void *self, const actor_answer_t *answer)    \
    {                                                                                              \
        return name(ctx, (self_t *) self, answer);                                                 \
    }

/* An ask that was accepted and not answered yet; kept in state by value to answer later. */
typedef struct request {
    actor_ref_t asker;
    uint64_t ask;
    int64_t deadline_ns; /* monotonic */
} request_t;
bool actor_is_asked(const actor_ctx_t *ctx); /* whether the message in hand is an ask */
/* Answers the message in hand. A tell is answered into the void: VERDICT_OK. */
verdict_t actor_reply(actor_ctx_t *ctx, const record_type_t *type, const void *m) must_use;
#define REPLY(ctx, message, m) actor_reply((ctx), &message##_type, (m))
/* Promises an answer later, and says whom it waits for, shown by watching: the class that this handler
 * also asks or calls for it; its own class (a timer or tell of its own); or anything else: a job, the
 * outside. Calls that would wait in a circle through it fail at once. An ask that is neither answered
 * nor deferred when its handler returns is answered ERR_INTERNAL. */
request_t actor_defer(actor_ctx_t *ctx, const char *waits_for);
/* In a later handler, before it asks: goes on for an answer that was put off. It waits for this from now
 * on (named as above; while an ask made for it is open, for that one still), and what this handler asks
 * has no more time than it has left. */
void actor_serve(actor_ctx_t *ctx, request_t request, const char *waits_for);
verdict_t actor_reply_to(actor_ctx_t *ctx, request_t request, const record_type_t *type, const void *m) must_use;
#define REPLY_TO(ctx, request, message, m) actor_reply_to((ctx), (request), &message##_type, (m))
/* Answers with an error instead of a record: the asker's answer has this err. */
void actor_refuse(actor_ctx_t *ctx, err_t err);
void actor_refuse_to(actor_ctx_t *ctx, request_t request, err_t err);

actor_ref_t actor_self(const actor_ctx_t *ctx);
actor_ref_t actor_sender(const actor_ctx_t *ctx);
const char *actor_name(const actor_ctx_t *ctx);
uint32_t actor_attempt(const actor_ctx_t *ctx); /* 1 for the first delivery of the message in hand */

/* A copy of a message, to keep in state: freed with kept_destroy (in drop at the latest). */
typedef struct kept kept_t;
kept_t *actor_keep(actor_ctx_t *ctx, const record_type_t *type, const void *m);
const void *kept_record(const kept_t *kept);
void kept_destroy(kept_t **kept);

/* ---- time, chance, readiness --------------------------------------------------------------------- */

int64_t actor_now_ns(const actor_ctx_t *ctx);  /* monotonic */
int64_t actor_wall_ns(const actor_ctx_t *ctx); /* shown and stored, never compared with another machine's */
uint64_t actor_random(actor_ctx_t *ctx);
/* (Re)arms the timer of this key: on_timer (key) after delay; at most one expiry is queued per key. */
verdict_t actor_timer(actor_ctx_t *ctx, uint64_t key, uint64_t delay_ms) must_use;
void actor_timer_cancel(actor_ctx_t *ctx, uint64_t key);
void actor_ready(actor_ctx_t *ctx);
void actor_degraded(actor_ctx_t *ctx, const char *why); /* ready, but not whole; shown by watching */
/* Ends this actor as failed when the claim does not hold; nothing it told in this handler leaves. */
#define claim(ctx, truth) do { if (!(truth)) { actor_claim_failed((ctx), #truth, __FILE__, __LINE__); return ACTOR_FAIL; } } while (0)
void actor_claim_failed(actor_ctx_t *ctx, const char *truth, const char *file, int line);

/* ---- children ------------------------------------------------------------------------------------ */

/* Starts a child of this actor; returns at once. on_down tells of its end with this tag. name is
 * copied (at most ACTOR_NAME_BYTES_MAX) and shown by watching; args (a record kept, in hand or
 * drafted; NULL: none) is kept for restarts. VERDICT_FULL: ACTORS_MAX, or somebody has the role. */
verdict_t actor_spawn(actor_ctx_t *ctx, const actor_class_t *of, slice_t name,
                      const record_type_t *args_type, const void *args, uint64_t tag,
                      actor_ref_t *ret_child) must_use;
void actor_stop(actor_ctx_t *ctx, actor_ref_t child);    /* ends it in order; on_down: ACTOR_ENDED */
void actor_pause(actor_ctx_t *ctx, actor_ref_t child);   /* closes its urgent and normal lanes; they queue */
void actor_resume(actor_ctx_t *ctx, actor_ref_t child);
void actor_restart_child(actor_ctx_t *ctx, actor_ref_t child); /* stops it and starts it anew; queued tells stay */
void actor_monitor(actor_ctx_t *ctx, actor_ref_t who, uint64_t tag);
void actor_host_stop(actor_ctx_t *ctx, const char *why); /* asks the host to stop in order */
/* The same, and the program is told that it did not end well: host_failed, and why. */
void actor_host_fail(actor_ctx_t *ctx, err_t err, const char *why);

/* ---- jobs: slow work, off the actor ---------------------------------------------------------------- */

typedef struct job job_t;
/* Runs on a job thread with a world of its own; input is the record given; makes its answer by
 * job_output (exactly once) and returns. May run for long; meets cancellation at each world call. */
typedef void job_fn(job_t *job, world_t *world, const void *input, void *resource);

typedef struct job_spec {
    const char *name;        /* shown by watching */
    job_fn *run;
    const record_type_t *input_type;
    const void *input;       /* draft in hand, message in hand, or kept; copied */
    slice_t subject;         /* what it works for (a point's name, say): no second job for it while a thread is lost */
    uint32_t deadline_ms;    /* then the answer is ERR_DEADLINE at once; 0: JOB_DEADLINE_MS */
    void *resource;          /* lent to the job, back with the answer; lost with a lost thread */
    void (*drop)(void *resource); /* frees it when nobody is there to take it back */
    actor_answer_fn *then;
    uint64_t tag;
} job_spec_t;
verdict_t actor_job(actor_ctx_t *ctx, const job_spec_t *spec, uint64_t *ret_job) must_use;
void actor_job_cancel(actor_ctx_t *ctx, uint64_t job);
bool actor_job_progress(const actor_ctx_t *ctx, uint64_t job, uint64_t *ret_done, uint64_t *ret_total);
/* Signs of life so far, and how much longer than usual the job said that the next may take. */
bool actor_job_pulse(const actor_ctx_t *ctx, uint64_t job, uint64_t *ret_beats, uint64_t *ret_patience_ms);

/* In a job: begins the answer's record (again: throws the first away); fill it through job_draft. */
void *job_output(job_t *job, const record_type_t *type);
#define JOB_OUTPUT(job, message) ((message##_t *) job_output((job), &message##_type))
draft_t *job_draft(job_t *job);
void job_progress(job_t *job, uint64_t done, uint64_t total); /* a sign of life as well */
void job_beat(job_t *job, uint64_t patience_ms); /* a sign of life; the next may take so much longer than usual */

/* ---- watching ------------------------------------------------------------------------------------- */

typedef enum actor_state {
    ACTOR_STARTING = 0, ACTOR_READY, ACTOR_DEGRADED, ACTOR_PAUSED, ACTOR_STOPPING, ACTOR_STOPPED, ACTOR_BACKING_OFF
} actor_state_t;
typedef struct actor_figures {
    actor_ref_t who, parent;
    char class_name[48], name[96], worker[32];
    char handling[48];   /* the message in hand, empty when idle */
    char waits_for[96];  /* open call or deferred reply */
    char why[128];       /* degraded, last failure */
    char describes[256]; /* the class's describe, as of its last handler */
    actor_ref_t waits_on; /* who has to act next for its open call; index 0: no call, or the outside */
    actor_state_t state;
    uint64_t depth[LANE_COUNT];        /* messages waiting; at a busy worker, with places taken ahead */
    int64_t oldest_age_ns;             /* of the oldest waiting message, 0: none */
    int64_t handling_since_ns;         /* how long the handler in hand has run, 0: idle */
    uint64_t handled, asks_open, jobs_open, timers, restarts, failures;
} actor_figures_t;
/* Copies the figures of up to count actors from slot `from` on; returns how many and the next slot. */
uint32_t actor_watch(const actor_ctx_t *ctx, uint32_t from, actor_figures_t *ret, uint32_t count,
                     uint32_t *ret_next);
/* How the role is that an edge leads to: one that is ACTOR_PAUSED keeps what it is asked until it is
 * resumed. ACTOR_STOPPED: there is none. */
actor_state_t actor_role_state(const actor_ctx_t *ctx, uint32_t edge);
/* The loaded classes, from 0 on, with the edges that each lists; NULL past the last one. */
const actor_class_t *actor_class_at(const actor_ctx_t *ctx, uint32_t number);
typedef struct host_figures {
    uint64_t actors, workers, threads, job_threads, job_threads_lost, jobs_queued, sockets, descriptors;
    uint64_t actors_max, threads_max, sockets_max, descriptors_max, job_threads_max;
    /* delivered: handlers begun. An init and a request from another host count; a late reply, or an expiry
     * that nobody waits for, have none. */
    uint64_t quarantined, late_replies, delivered;
    int64_t up_ns;
    int64_t longest_ns; /* none was seen to run for longer; of short handlers, 32 together */
} host_figures_t;
void actor_host_figures(const actor_ctx_t *ctx, host_figures_t *ret);

/* Messages set aside after repeated failures. number is stable until dropped or retried. */
typedef struct quarantined {
    uint64_t number;
    char actor[96], message[48], reason[128];
    uint32_t attempts;
    int64_t wall_ns;
    char shown[1024]; /* record_print of it */
} quarantined_t;
uint32_t actor_quarantine_list(const actor_ctx_t *ctx, uint64_t after, quarantined_t *ret, uint32_t count);
err_t actor_quarantine_retry(actor_ctx_t *ctx, uint64_t number) must_use;
err_t actor_quarantine_drop(actor_ctx_t *ctx, uint64_t number) must_use;
/* The black box of the run before this one, rendered; returns the bytes written to text. */
size_t actor_black_box(const actor_ctx_t *ctx, char *text, size_t size);

/* Work that has ended the process CRASH_ATTEMPTS_MAX times, so that somebody puts it aside before it is
 * tried again: told at every start until it is forgotten, or the host ends in order. */
typedef struct actor_crash {
    uint32_t number;                     /* to forget it by */
    char class_name[32], message[24];    /* who had it in hand, and in which message or job */
    uint64_t about;                      /* 0: not known; then the class is to blame */
    uint32_t times;
    int signal;
    int64_t wall_ns;
} actor_crash_t;
uint32_t actor_crashes(const actor_ctx_t *ctx, actor_crash_t *ret, uint32_t count);
void actor_crash_forget(const actor_ctx_t *ctx, uint32_t number);
/* In a handler or job: what it does from here on is about this. A message that has the field which the
 * host's options name is about that field's value from the start. */
void actor_about(uint64_t about);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop
