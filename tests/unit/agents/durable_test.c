/* durable_test.c - claims about a window that comes back: what the gateway gives out next. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/unit/agents/shop.h"
#include "tests/unit/alone.h"

#define TOOK_MS   (6u * PACE_SLOW_MS / 2u) /* from the sending until it is durable */
#define WINDOWS   3u
#define STEPS_MAX 100000u

static uint64_t stored_ms; /* of TOOK_MS, as the agent says */
static uint64_t window;    /* what it is given after them */

static actor_next_t
send_window(actor_ctx_t *ctx, agent_gateway_t *self, uint64_t number)
{
    agent_t *agent = shop_of(self);

    content_take(ctx, self, agent, agent->credit.window);
    return actor_timer(ctx, number, TOOK_MS) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
}

static actor_next_t
gateway_init(actor_ctx_t *ctx, void *state, const void *args)
{
    shop_begin(ctx, state);
    actor_ready(ctx);
    return !args ? send_window(ctx, state, 1) : ACTOR_FAIL;
}

static actor_next_t
gateway_timer(actor_ctx_t *ctx, void *state, uint64_t number)
{
    agent_gateway_t *self = state;
    agent_t *agent = shop_of(self);
    agent_durable_t m = {.bytes = agent->credit.under_way, .stored_ms = stored_ms};

    cr_assert(content_durable(ctx, self, agent, &m));
    window = agent->credit.window;
    return number < WINDOWS ? send_window(ctx, self, number + 1) : ACTOR_CONTINUE;
}

static const actor_class_t gateway_class = {.name = "agent_gateway",
                                            .state_bytes = sizeof(agent_gateway_t),
                                            .init = gateway_init,
                                            .on_timer = gateway_timer,
                                            .drop = gateway_drop,
                                            .role = true};
static const actor_class_t *const cast[] = {&gateway_class, NULL};

static uint64_t
window_after(uint64_t stored)
{
    sim_t *sim = alone_new(cast);

    stored_ms = stored;
    window = 0;
    sim_start(sim);
    sim_run_for(sim, INT64_C(2) * WINDOWS * TOOK_MS * 1000000, STEPS_MAX);
    cr_assert_null(sim_fault(sim));
    sim_destroy(&sim);
    return window;
}

Test(durable, what_its_disk_took_leaves_an_agent_its_window_and_what_its_line_took_does_not)
{
    cr_expect_eq(window_after(TOOK_MS - 100), AGENT_WINDOW_BYTES,
                 "a slow disk has cost the window");
    cr_expect_eq(window_after(0), AGENT_WINDOW_BYTES >> WINDOWS, "a slow line has not");
}
