/* beacon_test.c - claims about how a beacon goes out to many agents. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/agents/shop.h"
#include "tests/unit/alone.h"

#define AGENTS      2000u
#define PORTION_MAX 500u /* a beacon is never told to more in one handler */
#define STEPS_MAX   100000u

static bool leaves;  /* who is next when the second portion goes out */
static bool returns; /* the first, when it was told */
static uint32_t handlers, largest, told;

static void
come(agent_gateway_t *self, uint32_t number)
{
    char name[16];
    agent_t *agent = calloc(1, sizeof *agent);

    cr_assert_not_null(agent);
    snprintf(name, sizeof name, "s%u", number);
    memcpy(agent->peer, &number, sizeof number);
    agent->peer_size = sizeof number;
    zhashx_update(self->agent, name, agent);
    here_in(self, agent);
}

/* Nobody asks for what is to be sent: all of it waits. */
static actor_next_t
go_on(actor_ctx_t *ctx, agent_gateway_t *self)
{
    uint32_t before = self->outbox.waiting;
    actor_next_t next = beacon_go_on(ctx, self);
    uint32_t portion = self->outbox.waiting - before;

    handlers++;
    largest = portion > largest ? portion : largest;
    told = self->outbox.waiting;
    return next;
}

static actor_next_t
gateway_init(actor_ctx_t *ctx, void *state, const void *args)
{
    agent_gateway_t *self = state;
    static uint8_t signature[64];

    table_init(self);
    for (uint32_t i = 0; i < AGENTS; i++) {
        come(self, i);
    }
    agent_beacon_t *m = DRAFT(ctx, agent_beacon);
    m->sequence = 1;
    m->signature = actor_text(ctx, (slice_t){(const char *) signature, sizeof signature});
    self->beacon_said = actor_keep(ctx, &agent_beacon_type, m);
    self->beacon_next = self->here_first;
    return !args ? go_on(ctx, self) : ACTOR_FAIL;
}

static actor_next_t
gateway_timer(actor_ctx_t *ctx, void *state, uint64_t key)
{
    agent_gateway_t *self = state;

    cr_assert_eq(key, (uint64_t) TIMER_BEACON_NEXT);
    if (leaves && handlers == 1) {
        agent_t *one = self->beacon_next;
        here_out(self, one);
        cr_assert_neq(self->beacon_next, one, "who has left is told next");
        come(self, AGENTS);
    }
    if (returns && handlers == 1) {
        agent_t *one = self->here_first;
        here_out(self, one);
        here_in(self, one);
    }
    return go_on(ctx, self);
}

static const actor_class_t gateway_class = {.name = "agent_gateway",
                                            .state_bytes = sizeof(agent_gateway_t),
                                            .init = gateway_init,
                                            .on_timer = gateway_timer,
                                            .drop = gateway_drop,
                                            .role = true};
static const actor_class_t *const cast[] = {&gateway_class, NULL};

static void
run(bool one_leaves, bool one_returns)
{
    sim_t *sim = alone_new(cast);

    leaves = one_leaves;
    returns = one_returns;
    handlers = largest = told = 0;
    sim_start(sim);
    sim_run_for(sim, INT64_C(5000000000), STEPS_MAX);
    cr_assert(sim_stop(sim, INT64_C(10000000000)));
    sim_destroy(&sim);
}

Test(beacon, a_beacon_goes_out_in_portions)
{
    run(false, false);
    cr_expect_eq(told, AGENTS, "%u of %u were told", told, AGENTS);
    cr_expect_leq(largest, PORTION_MAX, "%u were told in one handler", largest);
}

/* And one comes, behind all that are here. */
Test(beacon, who_leaves_meanwhile_is_passed_over_and_who_comes_hears_it)
{
    run(true, false);
    cr_expect_eq(told, AGENTS, "%u of %u were told", told, AGENTS);
}

/* It would take it for one that somebody has recorded, and says again. */
Test(beacon, who_was_told_and_comes_again_meanwhile_hears_no_beacon_twice)
{
    run(false, true);
    cr_expect_eq(told, AGENTS, "%u words for %u agents", told, AGENTS);
}
