/* ours_start.c - the start of 100 components, each with a worker of its own or on the pool. */
#include "tools/bench.d/ours.h"

#define COMPONENTS 100u

typedef struct component {
    uint32_t unused;
} component_t;

static char names[2][COMPONENTS][24];
static actor_class_t component_class[2][COMPONENTS];
static const actor_class_t *classes[2][COMPONENTS + 2];

static actor_next_t
spawn_all(actor_ctx_t *ctx, uint32_t pool)
{
    for (uint32_t i = 0; i < COMPONENTS; i++) {
        const actor_class_t *class = &component_class[pool][i];
        claim(ctx,
              actor_spawn(ctx, class, slice_of(class->name), NULL, NULL, 0, NULL) == VERDICT_OK);
    }
    return ACTOR_CONTINUE;
}

static actor_next_t
own_init(actor_ctx_t *ctx, void *self, const void *args)
{
    (void) self, (void) args;
    return spawn_all(ctx, 0);
}

static actor_next_t
pool_init(actor_ctx_t *ctx, void *self, const void *args)
{
    (void) self, (void) args;
    return spawn_all(ctx, 1);
}

static const actor_class_t own_class = {.name = "own_root", .init = own_init, .role = true};
static const actor_class_t pool_class = {.name = "pool_root", .init = pool_init, .role = true};
const ours_cast_t ours_own = {&own_class, classes[0]};
const ours_cast_t ours_pool = {&pool_class, classes[1]};

__attribute__((constructor)) static void
make_classes(void)
{
    for (uint32_t pool = 0; pool < 2; pool++) {
        classes[pool][0] = pool != 0 ? &pool_class : &own_class;
        for (uint32_t i = 0; i < COMPONENTS; i++) {
            snprintf(names[pool][i], sizeof names[pool][i], "component_%u", i);
            component_class[pool][i] = (actor_class_t){
                .name = names[pool][i],
                .state_bytes = sizeof(component_t),
                .role = true,
                .placement = pool != 0 ? ACTOR_POOL : ACTOR_OWN_WORKER,
            };
            classes[pool][i + 1] = &component_class[pool][i];
        }
    }
}
