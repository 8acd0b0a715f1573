/* ours_gather.c - W6: one asks 1,000 and awaits 1,000 answers. */
#include "tools/bench.d/ours.h"

#define FIELDS_question(F, R) F(R, u32, value, 0, REQUIRED)
#define FIELDS_answer(F, R)   F(R, u32, value, 0, REQUIRED)
RECORD_STRUCT(question, FIELDS_question)
RECORD_STRUCT(answer, FIELDS_answer)
RECORD_DEFINE(question, 40, FIELDS_question)
RECORD_DEFINE(answer, 41, FIELDS_answer)

#define EDGES(E)                                                                                   \
    E(ASK_TO, answerer, question)                                                                  \
    E(ASK_TO, far_answerer, question)                                                              \
    E(TELL, gatherer, ours_up)
ACTOR_EDGES(EDGES)

typedef struct answerer {
    uint32_t asked;
} answerer_t;

static actor_next_t
answerer_init(actor_ctx_t *ctx, void *self, const void *args)
{
    claim(ctx, self != NULL && args == NULL);
    claim(ctx, tell_gatherer_ours_up(ctx, DRAFT(ctx, ours_up)) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

HEARS(answerer_t, question)
static actor_next_t
on_question(actor_ctx_t *ctx, answerer_t *self, const question_t *m)
{
    self->asked++;
    answer_t *answer = DRAFT(ctx, answer);
    answer->value = m->value;
    claim(ctx, REPLY(ctx, answer, answer) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

static const actor_hears_t answerer_hears[] = {ON(question)};
#define ANSWERER(answerer_name, answerer_placement)                                                \
    {                                                                                              \
        .name = answerer_name, .state_bytes = sizeof(answerer_t), .init = answerer_init,           \
        .hears = answerer_hears, .hears_count = 1, .edges = actor_edges,                           \
        .edge_count = ACTOR_EDGE_COUNT, .placement = answerer_placement                            \
    }
static const actor_class_t answerer_class = ANSWERER("answerer", ACTOR_WITH_PARENT);
static const actor_class_t far_answerer_class = ANSWERER("far_answerer", ACTOR_OWN_WORKER);

/* ---- the root ---- */

typedef struct gatherer {
    uint64_t count, round, arrived;
    uint32_t up, answers;
    ours_far_t far;
    actor_ref_t answerer[W6_ASKED];
} gatherer_t;

static actor_next_t
gatherer_init(actor_ctx_t *ctx, void *state, const void *args)
{
    gatherer_t *self = state;
    const ours_order_t *order = args;
    self->count = order->count;
    self->far = (ours_far_t) order->far;
    for (uint32_t i = 0; i < W6_ASKED; i++) {
        const actor_class_t *class =
            ours_is_far(self->far, i) ? &far_answerer_class : &answerer_class;
        claim(ctx, actor_spawn(ctx, class, slice_of(class->name), NULL, NULL, i,
                               &self->answerer[i]) == VERDICT_OK);
    }
    return ACTOR_CONTINUE;
}

static actor_next_t ask_all(actor_ctx_t *ctx, gatherer_t *self);

THEN(gatherer_t, answered)
static actor_next_t
answered(actor_ctx_t *ctx, gatherer_t *self, const actor_answer_t *answer)
{
    const answer_t *m = ANSWER_AS(answer, answer);
    claim(ctx, m != NULL && m->value == (uint32_t) self->round);
    self->arrived++;
    if (++self->answers < W6_ASKED) {
        return ACTOR_CONTINUE;
    }
    if (++self->round == self->count) {
        ours_end(ctx, self->count, self->arrived);
        return ACTOR_CONTINUE;
    }
    return ask_all(ctx, self);
}

static actor_next_t
ask_all(actor_ctx_t *ctx, gatherer_t *self)
{
    self->answers = 0;
    for (uint32_t i = 0; i < W6_ASKED; i++) {
        question_t *m = DRAFT(ctx, question);
        m->value = (uint32_t) self->round;
        actor_ref_t to = self->answerer[i];
        verdict_t verdict = ours_is_far(self->far, i)
                                ? ask_far_answerer_question(ctx, to, m, 0, answered_then, i)
                                : ask_answerer_question(ctx, to, m, 0, answered_then, i);
        claim(ctx, verdict == VERDICT_OK);
    }
    return ACTOR_CONTINUE;
}

HEARS(gatherer_t, ours_up)
static actor_next_t
on_ours_up(actor_ctx_t *ctx, gatherer_t *self, const ours_up_t *m)
{
    (void) m;
    if (++self->up < W6_ASKED) {
        return ACTOR_CONTINUE;
    }
    meter_begin(&ours_run.meter);
    return ask_all(ctx, self);
}

static const actor_hears_t gatherer_hears[] = {ON(ours_up)};
static const actor_class_t gatherer_class = {.name = "gatherer",
                                             .state_bytes = sizeof(gatherer_t),
                                             .init = gatherer_init,
                                             .hears = gatherer_hears,
                                             .hears_count = 1,
                                             .edges = actor_edges,
                                             .edge_count = ACTOR_EDGE_COUNT,
                                             .role = true};
static const actor_class_t *const classes[] = {&gatherer_class, &answerer_class,
                                               &far_answerer_class, NULL};
const ours_cast_t ours_gather = {&gatherer_class, classes};
