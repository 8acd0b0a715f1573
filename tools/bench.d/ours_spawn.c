/* ours_spawn.c - W5: actors are spawned, hear their first message, and end; or stay, idle. */
#include "tools/bench.d/ours.h"

#define FIELDS_first(F, R) F(R, u32, value, 0, REQUIRED)
#define FIELDS_wave(F, R)  F(R, u32, value, 0, REQUIRED)
RECORD_STRUCT(first, FIELDS_first)
RECORD_STRUCT(wave, FIELDS_wave)
RECORD_DEFINE(first, 30, FIELDS_first)
RECORD_DEFINE(wave, 31, FIELDS_wave)

#define EDGES(E) E(TELL_TO, mayfly, first) E(TELL_TO, far_mayfly, first) E(TELL, spawner, wave)
ACTOR_EDGES(EDGES)

typedef struct mayfly {
    uint32_t value;
} mayfly_t;

HEARS(mayfly_t, first)
static actor_next_t
on_first(actor_ctx_t *ctx, mayfly_t *self, const first_t *m)
{
    (void) ctx;
    self->value = m->value;
    return ACTOR_STOP;
}

static const actor_hears_t mayfly_hears[] = {ON(first)};
#define MAYFLY(mayfly_name, mayfly_placement)                                                      \
    {                                                                                              \
        .name = mayfly_name, .state_bytes = sizeof(mayfly_t), .hears = mayfly_hears,               \
        .hears_count = 1, .restart = ACTOR_TEMPORARY, .placement = mayfly_placement                \
    }
static const actor_class_t mayfly_class = MAYFLY("mayfly", ACTOR_WITH_PARENT);
static const actor_class_t far_mayfly_class = MAYFLY("far_mayfly", ACTOR_OWN_WORKER);

/* ---- the root ---- */

typedef struct spawner {
    uint64_t count, spawned, ended, rss;
    ours_far_t far;
    bool idle;
} spawner_t;

static actor_next_t
spawner_init(actor_ctx_t *ctx, void *state, const void *args)
{
    spawner_t *self = state;
    const ours_order_t *order = args;
    self->count = order->count;
    self->far = (ours_far_t) order->far;
    self->idle = order->detail != 0;
    claim(ctx, actor_timer(ctx, 0, 0) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

static verdict_t
spawn_one(actor_ctx_t *ctx, spawner_t *self)
{
    bool far = ours_is_far(self->far, (uint32_t) self->spawned);
    actor_ref_t who;
    const actor_class_t *class = far ? &far_mayfly_class : &mayfly_class;
    verdict_t verdict = actor_spawn(ctx, class, slice_of("mayfly"), NULL, NULL, 0, &who);
    if (verdict != VERDICT_OK) {
        return verdict;
    }
    self->spawned++;
    if (self->idle) {
        return VERDICT_OK;
    }
    first_t *m = DRAFT(ctx, first);
    m->value = (uint32_t) self->spawned;
    return far ? tell_far_mayfly_first(ctx, who, m) : tell_mayfly_first(ctx, who, m);
}

static actor_next_t
spawn_wave(actor_ctx_t *ctx, spawner_t *self)
{
    for (uint32_t i = 0; i < W5_WAVE && self->spawned < self->count; i++) {
        verdict_t verdict = spawn_one(ctx, self);
        if (self->idle && verdict == VERDICT_FULL) {
            self->count = self->spawned; /* no more fit into a host: so many are measured */
            break;
        }
        claim(ctx, verdict == VERDICT_OK);
    }
    return ACTOR_CONTINUE;
}

static actor_next_t
spawner_timer(actor_ctx_t *ctx, void *state, uint64_t key)
{
    spawner_t *self = state;
    (void) key;
    self->rss = meter_rss();
    meter_begin(&ours_run.meter);
    if (self->idle) {
        claim(ctx, tell_spawner_wave(ctx, DRAFT(ctx, wave)) == VERDICT_OK);
        return ACTOR_CONTINUE;
    }
    return spawn_wave(ctx, self);
}

/* A wave of the idle: those of the wave before it run their init before this is heard. */
HEARS(spawner_t, wave)
static actor_next_t
on_wave(actor_ctx_t *ctx, spawner_t *self, const wave_t *m)
{
    (void) m;
    if (self->spawned == self->count) {
        ours_end(ctx, self->count, self->spawned);
        ours_run.meter.rss -= self->rss;
        return ACTOR_CONTINUE;
    }
    claim(ctx, tell_spawner_wave(ctx, DRAFT(ctx, wave)) == VERDICT_OK);
    return spawn_wave(ctx, self);
}

static actor_next_t
spawner_down(actor_ctx_t *ctx, void *state, const actor_down_t *down)
{
    spawner_t *self = state;
    claim(ctx, down->reason == ACTOR_ENDED);
    if (++self->ended == self->count) {
        ours_end(ctx, self->count, self->ended);
        return ACTOR_CONTINUE;
    }
    return self->ended == self->spawned ? spawn_wave(ctx, self) : ACTOR_CONTINUE;
}

static const actor_hears_t spawner_hears[] = {ON(wave)};
static const actor_class_t spawner_class = {.name = "spawner",
                                            .state_bytes = sizeof(spawner_t),
                                            .init = spawner_init,
                                            .on_timer = spawner_timer,
                                            .on_down = spawner_down,
                                            .hears = spawner_hears,
                                            .hears_count = 1,
                                            .edges = actor_edges,
                                            .edge_count = ACTOR_EDGE_COUNT,
                                            .role = true};
static const actor_class_t *const classes[] = {&spawner_class, &mayfly_class, &far_mayfly_class,
                                               NULL};
const ours_cast_t ours_spawn = {&spawner_class, classes};
