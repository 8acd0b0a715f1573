/* ours_ring.c - W1 and W4: a ball goes round a ring of seats; two seats are a ping-pong. */
#include "tools/bench.d/ours.h"

#define FIELDS_ball(F, R) F(R, u64, left, 0, REQUIRED) F(R, u64, arrived, 0, REQUIRED)
RECORD_STRUCT(ball, FIELDS_ball)
RECORD_DEFINE(ball, 10, FIELDS_ball)

#define EDGES(E)                                                                                   \
    E(TELL_TO, seat, ball)                                                                         \
    E(TELL_TO, far_seat, ball)                                                                     \
    E(TELL_TO, seat, ours_peer)                                                                    \
    E(TELL_TO, far_seat, ours_peer)                                                                \
    E(TELL, ring, ours_up)                                                                         \
    E(TELL, ring, ours_done)
ACTOR_EDGES(EDGES)

/* ---- a seat ---- */

typedef struct seat {
    actor_ref_t next;
    bool next_is_far;
} seat_t;

HEARS(seat_t, ours_peer)
static actor_next_t
on_ours_peer(actor_ctx_t *ctx, seat_t *self, const ours_peer_t *m)
{
    self->next = ours_ref(m);
    self->next_is_far = m->far != 0;
    claim(ctx, tell_ring_ours_up(ctx, DRAFT(ctx, ours_up)) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

static verdict_t
pass(actor_ctx_t *ctx, const seat_t *self, const ball_t *ball)
{
    return self->next_is_far ? tell_far_seat_ball(ctx, self->next, ball)
                             : tell_seat_ball(ctx, self->next, ball);
}

HEARS(seat_t, ball)
static actor_next_t
on_ball(actor_ctx_t *ctx, seat_t *self, const ball_t *m)
{
    if (m->left == 0) {
        ours_done_t *done = DRAFT(ctx, ours_done);
        done->arrived = m->arrived;
        claim(ctx, tell_ring_ours_done(ctx, done) == VERDICT_OK);
        return ACTOR_CONTINUE;
    }
    ball_t *ball = DRAFT(ctx, ball);
    ball->left = m->left - 1;
    ball->arrived = m->arrived + 1;
    claim(ctx, pass(ctx, self, ball) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

static const actor_hears_t seat_hears[] = {ON(ball), ON(ours_peer)};
#define SEAT(seat_name, seat_placement)                                                            \
    {                                                                                              \
        .name = seat_name, .state_bytes = sizeof(seat_t), .hears = seat_hears, .hears_count = 2,   \
        .edges = actor_edges, .edge_count = ACTOR_EDGE_COUNT, .placement = seat_placement          \
    }
static const actor_class_t seat_class = SEAT("seat", ACTOR_WITH_PARENT);
static const actor_class_t far_seat_class = SEAT("far_seat", ACTOR_OWN_WORKER);

/* ---- the root ---- */

typedef struct ring {
    uint64_t count;
    uint32_t seats, up;
    ours_far_t far;
    actor_ref_t seat[W4_SEATS];
} ring_t;

/* The ball's hops in one operation: of two seats it is there and back, of many one hop. */
static uint64_t
hops_of(uint32_t seats)
{
    return seats == 2 ? 2 : 1;
}

static actor_next_t
ring_init(actor_ctx_t *ctx, void *state, const void *args)
{
    ring_t *self = state;
    const ours_order_t *order = args;
    self->far = (ours_far_t) order->far;
    self->seats = order->detail;
    self->count = order->count * hops_of(self->seats);
    for (uint32_t i = 0; i < self->seats; i++) {
        const actor_class_t *class = ours_is_far(self->far, i) ? &far_seat_class : &seat_class;
        claim(ctx, actor_spawn(ctx, class, slice_of(class->name), NULL, NULL, i, &self->seat[i]) ==
                       VERDICT_OK);
    }
    for (uint32_t i = 0; i < self->seats; i++) {
        uint32_t next = (i + 1) % self->seats;
        ours_peer_t *m = DRAFT(ctx, ours_peer);
        m->index = self->seat[next].index;
        m->incarnation = self->seat[next].incarnation;
        m->far = ours_is_far(self->far, next);
        verdict_t verdict = ours_is_far(self->far, i)
                                ? tell_far_seat_ours_peer(ctx, self->seat[i], m)
                                : tell_seat_ours_peer(ctx, self->seat[i], m);
        claim(ctx, verdict == VERDICT_OK);
    }
    return ACTOR_CONTINUE;
}

HEARS(ring_t, ours_up)
static actor_next_t
on_ours_up(actor_ctx_t *ctx, ring_t *self, const ours_up_t *m)
{
    (void) m;
    if (++self->up == self->seats) {
        ball_t *ball = DRAFT(ctx, ball);
        ball->left = self->count;
        meter_begin(&ours_run.meter);
        claim(ctx, tell_seat_ball(ctx, self->seat[0], ball) == VERDICT_OK);
    }
    return ACTOR_CONTINUE;
}

HEARS(ring_t, ours_done)
static actor_next_t
on_ours_done(actor_ctx_t *ctx, ring_t *self, const ours_done_t *m)
{
    ours_end(ctx, self->count / hops_of(self->seats), m->arrived);
    return ACTOR_CONTINUE;
}

static const actor_hears_t ring_hears[] = {ON(ours_up), ON(ours_done)};
static const actor_class_t ring_class = {.name = "ring",
                                         .state_bytes = sizeof(ring_t),
                                         .init = ring_init,
                                         .hears = ring_hears,
                                         .hears_count = 2,
                                         .edges = actor_edges,
                                         .edge_count = ACTOR_EDGE_COUNT,
                                         .role = true};
static const actor_class_t *const classes[] = {&ring_class, &seat_class, &far_seat_class, NULL};
const ours_cast_t ours_ring = {&ring_class, classes};
