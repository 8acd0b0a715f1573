/* address_test.c - claims about when an agent is told where it finds its site. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/unit/agents/shop.h"
#include "tests/unit/alone.h"

#define LOOK_MS   1000u
#define LOOKS     150u
#define STEPS_MAX 100000u

static uint32_t knows_after; /* looks; LOOKS: never */
static uint32_t told;        /* times, in one visit */

static actor_next_t
look_again(actor_ctx_t *ctx, uint64_t number)
{
    return actor_timer(ctx, number, LOOK_MS) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
}

static actor_next_t
gateway_init(actor_ctx_t *ctx, void *state, const void *args)
{
    agent_gateway_t *self = state;

    shop_begin(ctx, self);
    address_set(self, slice_of("tcp://192.0.2.1:7100"));
    address_tell(ctx, self, shop_of(self));
    actor_ready(ctx);
    return !args ? look_again(ctx, 1) : ACTOR_FAIL;
}

/* What is to be sent nobody asks for: it waits, and is counted. */
static actor_next_t
gateway_timer(actor_ctx_t *ctx, void *state, uint64_t number)
{
    agent_gateway_t *self = state;
    agent_t *agent = shop_of(self);

    if (number == knows_after) {
        memcpy(agent->knows, self->address, sizeof agent->knows);
    }
    address_look(ctx, self, agent);
    told = self->outbox.waiting;
    return number < LOOKS ? look_again(ctx, number + 1) : ACTOR_CONTINUE;
}

static const actor_class_t gateway_class = {.name = "agent_gateway",
                                            .state_bytes = sizeof(agent_gateway_t),
                                            .init = gateway_init,
                                            .on_timer = gateway_timer,
                                            .drop = gateway_drop,
                                            .role = true};
static const actor_class_t *const cast[] = {&gateway_class, NULL};

static uint32_t
told_when_it_knows_after(uint32_t looks)
{
    sim_t *sim = alone_new(cast);

    knows_after = looks;
    told = 0;
    sim_start(sim);
    sim_run_for(sim, INT64_C(2) * LOOKS * LOOK_MS * 1000000, STEPS_MAX);
    cr_assert_null(sim_fault(sim));
    sim_destroy(&sim);
    return told;
}

/* Its disk may have been full, and a visit may take months. */
Test(address, who_does_not_say_that_it_knows_is_told_again_in_the_same_visit)
{
    uint32_t times = told_when_it_knows_after(LOOKS);

    cr_expect(times == 2 || times == 3, "told %u times in %u s", times, LOOKS);
    cr_expect_eq(told_when_it_knows_after(2), 1, "who knows is told again");
}
