/* ours_stream.c - W2 and W3: producers tell one consumer as fast as they may.
 *
 * Lanes are bounded, so a producer sends what it was given credit for, and the consumer gives new
 * credit for each batch that has arrived: nobody meets a full lane, nobody polls.
 */
#include "tools/bench.d/ours.h"

#define ALONE_BATCH   250u /* of W2: four batches are on their way at most */
#define ALONE_BATCHES 4u
#define MANY_BATCH    40u /* of W3: 100 producers, two batches each, stay below the lane's bound */
#define MANY_BATCHES  2u

#define FIELDS_ints(F, R)                                                                          \
    F(R, u32, a, 0, REQUIRED) F(R, u32, b, 0, REQUIRED) F(R, u32, c, 0, REQUIRED)
#define FIELDS_block(F, R)                                                                         \
    F(R, u64, a, 0, REQUIRED)                                                                      \
    F(R, u64, b, 0, REQUIRED)                                                                      \
    F(R, u64, c, 0, REQUIRED)                                                                      \
    F(R, u64, d, 0, REQUIRED)                                                                      \
    F(R, u64, e, 0, REQUIRED)                                                                      \
    F(R, u64, f, 0, REQUIRED) F(R, u64, g, 0, REQUIRED) F(R, u64, h, 0, REQUIRED)
#define FIELDS_credit(F, R) F(R, u32, count, 0, REQUIRED)
/* What a producer is to send, and what the consumer is to expect of it. */
#define FIELDS_lot(F, R)                                                                           \
    F(R, u64, count, 0, REQUIRED) F(R, u32, number, 0, REQUIRED) F(R, u32, blocks, 0, REQUIRED)
#define FIELDS_source(F, R)                                                                        \
    F(R, u64, count, 0, REQUIRED)                                                                  \
    F(R, u32, number, 0, REQUIRED)                                                                 \
    F(R, u32, batch, 0, REQUIRED)                                                                  \
    F(R, u32, index, 0, REQUIRED) F(R, u32, incarnation, 0, REQUIRED) F(R, u32, far, 0, REQUIRED)
RECORD_STRUCT(ints, FIELDS_ints)
RECORD_STRUCT(block, FIELDS_block)
RECORD_STRUCT(credit, FIELDS_credit)
RECORD_STRUCT(lot, FIELDS_lot)
RECORD_STRUCT(source, FIELDS_source)
RECORD_DEFINE(ints, 20, FIELDS_ints)
RECORD_DEFINE(block, 21, FIELDS_block)
RECORD_DEFINE(credit, 22, FIELDS_credit)
RECORD_DEFINE(lot, 23, FIELDS_lot)
RECORD_DEFINE(source, 24, FIELDS_source)
_Static_assert(sizeof(ints_t) == 12 && sizeof(block_t) == 64, "3 ints, and 64 bytes");

#define EDGES(E)                                                                                   \
    E(TELL_TO, producer, credit)                                                                   \
    E(TELL_TO, far_producer, credit)                                                               \
    E(TELL_TO, producer, lot)                                                                      \
    E(TELL_TO, far_producer, lot)                                                                  \
    E(TELL, consumer, ints)                                                                        \
    E(TELL, consumer, block)                                                                       \
    E(TELL, consumer, source)                                                                      \
    E(TELL, stream, ours_up)                                                                       \
    E(TELL, stream, ours_done)
ACTOR_EDGES(EDGES)

/* ---- a producer ---- */

typedef struct producer {
    uint32_t number, sent;
    uint64_t left;
    bool blocks;
} producer_t;

HEARS(producer_t, lot)
static actor_next_t
on_lot(actor_ctx_t *ctx, producer_t *self, const lot_t *m)
{
    self->number = m->number;
    self->left = m->count;
    self->blocks = m->blocks != 0;
    claim(ctx, tell_stream_ours_up(ctx, DRAFT(ctx, ours_up)) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

static verdict_t
send_ints(actor_ctx_t *ctx, producer_t *self)
{
    ints_t *m = DRAFT(ctx, ints);
    m->a = self->number;
    m->b = self->sent++;
    m->c = 1;
    return tell_consumer_ints(ctx, m);
}

static verdict_t
send_block(actor_ctx_t *ctx, producer_t *self)
{
    block_t *m = DRAFT(ctx, block);
    m->a = self->number;
    m->b = self->sent++;
    m->h = 1;
    return tell_consumer_block(ctx, m);
}

HEARS(producer_t, credit)
static actor_next_t
on_credit(actor_ctx_t *ctx, producer_t *self, const credit_t *m)
{
    for (uint32_t i = 0; i < m->count && self->left > 0; i++, self->left--) {
        verdict_t verdict = self->blocks ? send_block(ctx, self) : send_ints(ctx, self);
        claim(ctx, verdict == VERDICT_OK);
    }
    return ACTOR_CONTINUE;
}

static const actor_hears_t producer_hears[] = {ON(credit), ON(lot)};
#define PRODUCER(producer_name, producer_placement)                                                \
    {                                                                                              \
        .name = producer_name, .state_bytes = sizeof(producer_t), .hears = producer_hears,         \
        .hears_count = 2, .edges = actor_edges, .edge_count = ACTOR_EDGE_COUNT,                    \
        .placement = producer_placement                                                            \
    }
static const actor_class_t producer_class = PRODUCER("producer", ACTOR_WITH_PARENT);
static const actor_class_t far_producer_class = PRODUCER("far_producer", ACTOR_OWN_WORKER);

/* ---- the consumer ---- */

typedef struct credited {
    actor_ref_t who;
    bool far;
    uint32_t uncredited;
} credited_t;

typedef struct consumer {
    uint64_t expected, arrived;
    uint32_t batch;
    credited_t producer[W3_PRODUCERS];
} consumer_t;

HEARS(consumer_t, source)
static actor_next_t
on_source(actor_ctx_t *ctx, consumer_t *self, const source_t *m)
{
    self->producer[m->number] = (credited_t){.who = {m->index, m->incarnation}, .far = m->far != 0};
    self->expected += m->count;
    self->batch = m->batch;
    claim(ctx, tell_stream_ours_up(ctx, DRAFT(ctx, ours_up)) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

static actor_next_t
arrived(actor_ctx_t *ctx, consumer_t *self, uint32_t number, uint64_t count)
{
    credited_t *from = &self->producer[number];
    self->arrived += count;
    if (++from->uncredited == self->batch) {
        from->uncredited = 0;
        credit_t *credit = DRAFT(ctx, credit);
        credit->count = self->batch;
        verdict_t verdict = from->far ? tell_far_producer_credit(ctx, from->who, credit)
                                      : tell_producer_credit(ctx, from->who, credit);
        claim(ctx, verdict == VERDICT_OK);
    }
    if (self->arrived == self->expected) {
        ours_done_t *done = DRAFT(ctx, ours_done);
        done->arrived = self->arrived;
        claim(ctx, tell_stream_ours_done(ctx, done) == VERDICT_OK);
    }
    return ACTOR_CONTINUE;
}

HEARS(consumer_t, ints)
static actor_next_t
on_ints(actor_ctx_t *ctx, consumer_t *self, const ints_t *m)
{
    return arrived(ctx, self, m->a, m->c);
}

HEARS(consumer_t, block)
static actor_next_t
on_block(actor_ctx_t *ctx, consumer_t *self, const block_t *m)
{
    return arrived(ctx, self, (uint32_t) m->a, m->h);
}

static const actor_hears_t consumer_hears[] = {ON(ints), ON(block), ON(source)};
static const actor_class_t consumer_class = {.name = "consumer",
                                             .state_bytes = sizeof(consumer_t),
                                             .hears = consumer_hears,
                                             .hears_count = 3,
                                             .edges = actor_edges,
                                             .edge_count = ACTOR_EDGE_COUNT,
                                             .placement = ACTOR_WITH_PARENT,
                                             .role = true};

/* ---- the root ---- */

typedef struct stream {
    uint64_t count;
    uint32_t producers, up;
    ours_far_t far;
    bool blocks;
    actor_ref_t producer[W3_PRODUCERS];
} stream_t;

static actor_next_t
introduce(actor_ctx_t *ctx, const stream_t *self, uint32_t number)
{
    bool far = ours_is_far(self->far, number);
    actor_ref_t who = self->producer[number];
    lot_t *lot = DRAFT(ctx, lot);
    lot->number = number;
    lot->count = self->count / self->producers;
    lot->blocks = self->blocks;
    claim(ctx, (far ? tell_far_producer_lot(ctx, who, lot) : tell_producer_lot(ctx, who, lot)) ==
                   VERDICT_OK);
    source_t *source = DRAFT(ctx, source);
    source->number = number;
    source->count = self->count / self->producers;
    source->batch = self->producers == 1 ? ALONE_BATCH : MANY_BATCH;
    source->index = who.index;
    source->incarnation = who.incarnation;
    source->far = far;
    claim(ctx, tell_consumer_source(ctx, source) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

/* detail: the number of producers; plus 1000 when they send blocks. */
static actor_next_t
stream_init(actor_ctx_t *ctx, void *state, const void *args)
{
    stream_t *self = state;
    const ours_order_t *order = args;
    self->count = order->count;
    self->far = (ours_far_t) order->far;
    self->producers = order->detail % 1000;
    self->blocks = order->detail >= 1000;
    claim(ctx, actor_spawn(ctx, &consumer_class, slice_of("consumer"), NULL, NULL, 0, NULL) ==
                   VERDICT_OK);
    for (uint32_t i = 0; i < self->producers; i++) {
        bool far = ours_is_far(self->far, i);
        const actor_class_t *class = far ? &far_producer_class : &producer_class;
        claim(ctx, actor_spawn(ctx, class, slice_of(class->name), NULL, NULL, i,
                               &self->producer[i]) == VERDICT_OK);
    }
    claim(ctx, actor_timer(ctx, 0, 0) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

/* The consumer's role is known when init has returned. */
static actor_next_t
stream_timer(actor_ctx_t *ctx, void *state, uint64_t key)
{
    stream_t *self = state;
    (void) key;
    for (uint32_t i = 0; i < self->producers; i++) {
        if (introduce(ctx, self, i) != ACTOR_CONTINUE) {
            return ACTOR_FAIL;
        }
    }
    return ACTOR_CONTINUE;
}

HEARS(stream_t, ours_up)
static actor_next_t
on_ours_up(actor_ctx_t *ctx, stream_t *self, const ours_up_t *m)
{
    (void) m;
    if (++self->up < 2 * self->producers) {
        return ACTOR_CONTINUE;
    }
    bool alone = self->producers == 1;
    meter_begin(&ours_run.meter);
    for (uint32_t b = 0; b < (alone ? ALONE_BATCHES : MANY_BATCHES); b++) {
        for (uint32_t i = 0; i < self->producers; i++) {
            credit_t *credit = DRAFT(ctx, credit);
            credit->count = alone ? ALONE_BATCH : MANY_BATCH;
            verdict_t verdict = ours_is_far(self->far, i)
                                    ? tell_far_producer_credit(ctx, self->producer[i], credit)
                                    : tell_producer_credit(ctx, self->producer[i], credit);
            claim(ctx, verdict == VERDICT_OK);
        }
    }
    return ACTOR_CONTINUE;
}

HEARS(stream_t, ours_done)
static actor_next_t
on_ours_done(actor_ctx_t *ctx, stream_t *self, const ours_done_t *m)
{
    ours_end(ctx, self->count / self->producers * self->producers, m->arrived);
    return ACTOR_CONTINUE;
}

static const actor_hears_t stream_hears[] = {ON(ours_up), ON(ours_done)};
static const actor_class_t stream_class = {.name = "stream",
                                           .state_bytes = sizeof(stream_t),
                                           .init = stream_init,
                                           .on_timer = stream_timer,
                                           .hears = stream_hears,
                                           .hears_count = 2,
                                           .edges = actor_edges,
                                           .edge_count = ACTOR_EDGE_COUNT,
                                           .role = true};
static const actor_class_t *const classes[] = {&stream_class, &consumer_class, &producer_class,
                                               &far_producer_class, NULL};
const ours_cast_t ours_stream = {&stream_class, classes};
