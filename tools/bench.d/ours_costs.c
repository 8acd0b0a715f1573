/* ours_costs.c - what single parts cost: a call against an ask, a walk along those who wait, the
 * verdict of a full lane.
 */
#include "tools/bench.d/ours.h"

#define FIELDS_query(F, R) F(R, u64, left, 0, REQUIRED)
#define FIELDS_go(F, R)    F(R, u32, value, 0, REQUIRED)
RECORD_STRUCT(query, FIELDS_query)
RECORD_STRUCT(go, FIELDS_go)
RECORD_DEFINE(query, 50, FIELDS_query)
RECORD_DEFINE(go, 51, FIELDS_go)

/* ---- one that answers, and one that never hears ---- */

typedef struct oracle {
    uint64_t asked;
} oracle_t;

HEARS(oracle_t, query)
static actor_next_t
on_query(actor_ctx_t *ctx, oracle_t *self, const query_t *m)
{
    self->asked++;
    query_t *answer = DRAFT(ctx, query);
    answer->left = m->left;
    claim(ctx, REPLY(ctx, query, answer) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

static const actor_hears_t oracle_hears[] = {ON(query)};
static const actor_class_t oracle_class = {.name = "oracle",
                                           .state_bytes = sizeof(oracle_t),
                                           .hears = oracle_hears,
                                           .hears_count = 1,
                                           .placement = ACTOR_WITH_PARENT};

/* ---- those who call: each the one that has called before it, or all of them the oracle ---- */

enum { WAITER_CALLS_ORACLE, WAITER_CALLS_WAITER, WAITER_TELLS_CALLER };
static const actor_edge_t waiter_edges[] = {
    {EDGE_DYNAMIC, "oracle", &query_type},
    {EDGE_DYNAMIC, "waiter", &query_type},
    {EDGE_TELL, "caller", &ours_up_type},
};

typedef struct waiter {
    uint32_t unused;
} waiter_t;

static actor_next_t
waiter_answered(actor_ctx_t *ctx, void *self, const actor_answer_t *answer)
{
    (void) ctx, (void) self, (void) answer; /* the host ends before any of them is answered */
    return ACTOR_CONTINUE;
}

HEARS(waiter_t, ours_peer)
static actor_next_t
on_ours_peer(actor_ctx_t *ctx, waiter_t *self, const ours_peer_t *m)
{
    (void) self;
    uint32_t edge = m->far != 0 ? WAITER_CALLS_WAITER : WAITER_CALLS_ORACLE;
    query_t *query = DRAFT(ctx, query);
    claim(ctx, actor_ask(ctx, edge, ours_ref(m), query, 0, waiter_answered, 0) == VERDICT_OK);
    claim(ctx, actor_tell_role(ctx, WAITER_TELLS_CALLER, DRAFT(ctx, ours_up)) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

static actor_next_t
waiter_query(actor_ctx_t *ctx, void *self, const void *m)
{
    (void) self, (void) m;
    actor_refuse(ctx, ERR_FULL);
    return ACTOR_CONTINUE;
}

static const actor_hears_t waiter_hears[] = {ON(ours_peer),
                                             {&query_type, LANE_NORMAL, waiter_query}};
static const actor_class_t waiter_class = {.name = "waiter",
                                           .state_bytes = sizeof(waiter_t),
                                           .hears = waiter_hears,
                                           .hears_count = 2,
                                           .edges = waiter_edges,
                                           .edge_count = 3,
                                           .placement = ACTOR_WITH_PARENT};

/* ---- the root of asks, calls and chains ---- */

#define CHAIN_MAX 4000u

typedef enum cost { COST_ASK = 0, COST_CALL, COST_FAN, COST_CHAIN } cost_t;
typedef struct caller {
    uint64_t count, arrived, told;
    cost_t cost;
    actor_ref_t oracle;
    actor_ref_t waiter[CHAIN_MAX];
} caller_t;

enum { CALLER_ASKS, CALLER_CALLS, CALLER_TELLS };
static const actor_edge_t caller_edges[] = {
    {EDGE_ASK, "oracle", &query_type},
    {EDGE_CALL, "oracle", &query_type},
    {EDGE_TELL, "waiter", &ours_peer_type},
};

static actor_next_t
caller_init(actor_ctx_t *ctx, void *state, const void *args)
{
    caller_t *self = state;
    const ours_order_t *order = args;
    self->count = order->count;
    self->cost = (cost_t) order->detail;
    claim(ctx, actor_spawn(ctx, &oracle_class, slice_of("oracle"), NULL, NULL, 0, &self->oracle) ==
                   VERDICT_OK);
    if (self->cost >= COST_FAN) {
        claim(ctx, self->count <= CHAIN_MAX);
        for (uint64_t i = 0; i < self->count; i++) {
            claim(ctx, actor_spawn(ctx, &waiter_class, slice_of("waiter"), NULL, NULL, 0,
                                   &self->waiter[i]) == VERDICT_OK);
        }
        actor_pause(ctx, self->oracle); /* so that nobody's waiting ends */
    }
    claim(ctx, actor_timer(ctx, 0, 0) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

static actor_next_t caller_asks(actor_ctx_t *ctx, caller_t *self);

THEN(caller_t, answered)
static actor_next_t
answered(actor_ctx_t *ctx, caller_t *self, const actor_answer_t *answer)
{
    claim(ctx, ANSWER_AS(answer, query) != NULL);
    if (++self->arrived == self->count) {
        ours_end(ctx, self->count, self->arrived);
        return ACTOR_CONTINUE;
    }
    return caller_asks(ctx, self);
}

static actor_next_t
caller_asks(actor_ctx_t *ctx, caller_t *self)
{
    uint32_t edge = self->cost == COST_CALL ? CALLER_CALLS : CALLER_ASKS;
    query_t *query = DRAFT(ctx, query);
    query->left = self->count - self->arrived;
    claim(ctx, actor_ask(ctx, edge, self->oracle, query, 0, answered_then, 0) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

/* The waiters are told one after the other: the n-th walks along n when they are a chain. */
static actor_next_t
tell_next(actor_ctx_t *ctx, caller_t *self)
{
    bool chain = self->cost == COST_CHAIN && self->told > 0;
    actor_ref_t to = chain ? self->waiter[self->told - 1] : self->oracle;
    ours_peer_t *m = DRAFT(ctx, ours_peer);
    m->far = chain;
    m->index = to.index;
    m->incarnation = to.incarnation;
    claim(ctx, actor_tell(ctx, CALLER_TELLS, self->waiter[self->told++], m) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

static actor_next_t
caller_timer(actor_ctx_t *ctx, void *state, uint64_t key)
{
    caller_t *self = state;
    (void) key;
    meter_begin(&ours_run.meter);
    return self->cost >= COST_FAN ? tell_next(ctx, self) : caller_asks(ctx, self);
}

HEARS(caller_t, ours_up)
static actor_next_t
on_ours_up(actor_ctx_t *ctx, caller_t *self, const ours_up_t *m)
{
    (void) m;
    if (++self->arrived == self->count) {
        ours_end(ctx, self->count, self->arrived);
        return ACTOR_CONTINUE;
    }
    return tell_next(ctx, self);
}

static const actor_hears_t caller_hears[] = {ON(ours_up)};
static const actor_class_t caller_class = {.name = "caller",
                                           .state_bytes = sizeof(caller_t),
                                           .init = caller_init,
                                           .on_timer = caller_timer,
                                           .hears = caller_hears,
                                           .hears_count = 1,
                                           .edges = caller_edges,
                                           .edge_count = 3,
                                           .role = true};
static const actor_class_t *const call_classes[] = {&caller_class, &oracle_class, &waiter_class,
                                                    NULL};
const ours_cast_t ours_call = {&caller_class, call_classes};

/* ---- the root of full lanes: its oracle is paused, and its lane is filled ---- */

#define FULL_BATCH 10000u

typedef struct stuffer {
    uint64_t count, refused;
    actor_ref_t oracle;
} stuffer_t;

enum { STUFFER_TELLS, STUFFER_GOES };
static const actor_edge_t stuffer_edges[] = {
    {EDGE_TELL, "oracle", &query_type},
    {EDGE_TELL, "stuffer", &go_type},
};

static actor_next_t
stuffer_init(actor_ctx_t *ctx, void *state, const void *args)
{
    stuffer_t *self = state;
    const ours_order_t *order = args;
    self->count = order->count;
    claim(ctx, actor_spawn(ctx, &oracle_class, slice_of("oracle"), NULL, NULL, 0, &self->oracle) ==
                   VERDICT_OK);
    actor_pause(ctx, self->oracle);
    claim(ctx, actor_timer(ctx, 0, 0) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

static actor_next_t
stuffer_timer(actor_ctx_t *ctx, void *state, uint64_t key)
{
    const stuffer_t *self = state;
    (void) key;
    while (actor_tell(ctx, STUFFER_TELLS, self->oracle, DRAFT(ctx, query)) == VERDICT_OK) {
    }
    claim(ctx, actor_tell_role(ctx, STUFFER_GOES, DRAFT(ctx, go)) == VERDICT_OK);
    meter_begin(&ours_run.meter);
    return ACTOR_CONTINUE;
}

HEARS(stuffer_t, go)
static actor_next_t
on_go(actor_ctx_t *ctx, stuffer_t *self, const go_t *m)
{
    (void) m;
    for (uint32_t i = 0; i < FULL_BATCH && self->refused < self->count; i++) {
        verdict_t verdict = actor_tell(ctx, STUFFER_TELLS, self->oracle, DRAFT(ctx, query));
        claim(ctx, verdict == VERDICT_FULL);
        self->refused++;
    }
    if (self->refused == self->count) {
        ours_end(ctx, self->count, self->refused);
        return ACTOR_CONTINUE;
    }
    claim(ctx, actor_tell_role(ctx, STUFFER_GOES, DRAFT(ctx, go)) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

static const actor_hears_t stuffer_hears[] = {ON(go)};
static const actor_class_t stuffer_class = {.name = "stuffer",
                                            .state_bytes = sizeof(stuffer_t),
                                            .init = stuffer_init,
                                            .on_timer = stuffer_timer,
                                            .hears = stuffer_hears,
                                            .hears_count = 1,
                                            .edges = stuffer_edges,
                                            .edge_count = 2,
                                            .role = true};
static const actor_class_t *const full_classes[] = {&stuffer_class, &oracle_class, NULL};
const ours_cast_t ours_full = {&stuffer_class, full_classes};
