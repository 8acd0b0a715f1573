/* ours_pace.c - spin: bursts of round trips between two workers, at a pace, for some time. */
#include "tools/bench.d/ours.h"

#define EVERY_MS 10u /* between the beginnings of bursts */

#define FIELDS_throw(F, R) F(R, u64, left, 0, REQUIRED)
RECORD(throw, 40, FIELDS_throw)
RECORD(back, 41, FIELDS_throw)

#define PACER_EDGES(E) E(TELL, wall, throw)
#define WALL_EDGES(E)  E(TELL, pacer, back)
ACTOR_EDGES_OF(pacer, PACER_EDGES)
ACTOR_EDGES_OF(wall, WALL_EDGES)

HANDLE(void, throw)
{
    back_t *back = DRAFT(ctx, back);
    back->left = m->left;
    claim(ctx, tell_pacer_back(ctx, back) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
static const actor_class_t wall_class = {
    .name = "wall", .role = true, ACTOR_HEARS(ON(throw)), ACTOR_SPEAKS(wall)};

typedef struct pacer {
    uint64_t thrown, back, burst;
} pacer_t;
enum { TIMER_BURST = 1, TIMER_END };

static verdict_t
throw_one(actor_ctx_t *ctx, pacer_t *self, uint64_t left)
{
    throw_t *throw = DRAFT(ctx, throw);
    throw->left = left;
    self->thrown++;
    return tell_wall_throw(ctx, throw);
}

HANDLE_TIMER(pacer_t, pacer_timer)
{
    if (key == TIMER_END) {
        ours_end(ctx, self->back, self->thrown); /* one may still be in the air */
        return ACTOR_CONTINUE;
    }
    claim(ctx, actor_timer(ctx, TIMER_BURST, EVERY_MS) == VERDICT_OK);
    claim(ctx, self->thrown > self->back || throw_one(ctx, self, self->burst) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

HANDLE(pacer_t, back)
{
    self->back++;
    claim(ctx, m->left <= 1 || throw_one(ctx, self, m->left - 1) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

/* count: for how many milliseconds; detail: round trips in a burst, 0: none at all. */
HANDLE_INIT(pacer_t, pacer_init)
{
    const ours_order_t *order = args;
    self->burst = order->detail;
    claim(ctx, actor_spawn(ctx, &wall_class, slice_of("wall"), NULL, NULL, 0, NULL) == VERDICT_OK);
    claim(ctx, actor_timer(ctx, TIMER_END, order->count) == VERDICT_OK);
    claim(ctx, order->detail == 0 || actor_timer(ctx, TIMER_BURST, EVERY_MS) == VERDICT_OK);
    meter_begin(&ours_run.meter);
    return ACTOR_CONTINUE;
}
static const actor_class_t pacer_class = {.name = "pacer",
                                          .state_bytes = sizeof(pacer_t),
                                          .init = pacer_init,
                                          .on_timer = pacer_timer,
                                          .role = true,
                                          ACTOR_HEARS(ON(back)),
                                          ACTOR_SPEAKS(pacer)};
static const actor_class_t *const classes[] = {&pacer_class, &wall_class, NULL};
const ours_cast_t ours_pace = {&pacer_class, classes};
