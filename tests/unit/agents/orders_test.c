/* orders_test.c - claims about orders of an agent that is there and answers nothing. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/unit/agents/shop.h"
#include "tests/unit/alone.h"

#define ORDERS      (3u * AGENT_ORDERS_MAX)
#define DEADLINE_MS 5000u /* of each order */
#define LOOK_MS     1000u
#define STEPS_MAX   1000000u

static uint32_t timed_out, refused; /* orders, as their asker heard */
static uint32_t stops;              /* that the agent was told */

/* ---- the gateway: its table and its orders, with one agent ---- */

HEARS(agent_gateway_t, agent_call)
static actor_next_t
on_agent_call(actor_ctx_t *ctx, agent_gateway_t *self, const agent_call_t *m)
{
    return orders_call(ctx, self, m);
}

static actor_next_t
gateway_init(actor_ctx_t *ctx, void *state, const void *args)
{
    shop_begin(ctx, state);
    actor_ready(ctx);
    return !args && actor_timer(ctx, 1, LOOK_MS) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
}

static actor_next_t
gateway_timer(actor_ctx_t *ctx, void *state, uint64_t key)
{
    agent_gateway_t *self = state;
    agent_t *agent = shop_of(self);
    uint32_t waiting = self->outbox.waiting;

    orders_look(ctx, self, agent);
    stops += self->outbox.waiting - waiting;
    return actor_timer(ctx, key, LOOK_MS) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
}

static const actor_hears_t gateway_hears[] = {ON(agent_call)};
static const actor_class_t gateway_class = {.name = "agent_gateway",
                                            .state_bytes = sizeof(agent_gateway_t),
                                            .init = gateway_init,
                                            .on_timer = gateway_timer,
                                            .drop = gateway_drop,
                                            .hears = gateway_hears,
                                            .hears_count = 1,
                                            .role = true};

/* ---- who orders, one after the other ---- */

static actor_next_t answered(actor_ctx_t *ctx, void *state, const actor_answer_t *answer);

static actor_next_t
order(actor_ctx_t *ctx, uint64_t number)
{
    agent_call_t *m = DRAFT(ctx, agent_call);
    draft_t *draft = actor_draft_open(ctx);

    m->task = AGENT_TASK_WORK;
    m->work = draft_rows(draft, 1, sizeof(work_t));
    work_t *work = draft_row(draft, m->work, 0, sizeof *work);
    work->dp = draft_text(draft, slice_of("shop"));
    work->package = draft_text(draft, slice_of("P1"));
    work->store = work->dp_root = draft_text(draft, slice_of("/"));
    return actor_ask_role(ctx, 0, m, DEADLINE_MS, answered, number) == VERDICT_OK ? ACTOR_CONTINUE
                                                                                  : ACTOR_FAIL;
}

static actor_next_t
answered(actor_ctx_t *ctx, void *state, const actor_answer_t *answer)
{
    cr_assert_not_null(state);
    timed_out += answer->err == ERR_DEADLINE;
    refused += answer->err == ERR_BUSY;
    return answer->tag < ORDERS ? order(ctx, answer->tag + 1) : ACTOR_CONTINUE;
}

static actor_next_t
asker_init(actor_ctx_t *ctx, void *state, const void *args)
{
    actor_ref_t gateway;

    cr_assert_not_null(state);
    return !args &&
                   actor_spawn(ctx, &gateway_class, slice_of("agent_gateway"), NULL, NULL, 1,
                               &gateway) == VERDICT_OK &&
                   actor_timer(ctx, 1, LOOK_MS) == VERDICT_OK
               ? ACTOR_CONTINUE
               : ACTOR_FAIL;
}

static actor_next_t
asker_timer(actor_ctx_t *ctx, void *state, uint64_t key)
{
    cr_assert_not_null(state);
    return order(ctx, key);
}

static const actor_edge_t asker_edges[] = {{EDGE_ASK, "agent_gateway", &agent_call_type}};
static const actor_class_t asker_class = {.name = "asker",
                                          .state_bytes = 8,
                                          .init = asker_init,
                                          .on_timer = asker_timer,
                                          .on_down = ended,
                                          .edges = asker_edges,
                                          .edge_count = 1};
static const actor_class_t *const cast[] = {&asker_class, &gateway_class, NULL};

Test(orders, one_that_timed_out_keeps_no_place_and_its_agent_is_told_to_stop)
{
    sim_t *sim = alone_new(cast);

    timed_out = refused = stops = 0;
    sim_start(sim);
    sim_run_for(sim, INT64_C(2) * ORDERS * DEADLINE_MS * 1000000, STEPS_MAX);
    cr_expect_eq(refused, 0, "%u of %u orders were refused (busy)", refused, ORDERS);
    cr_expect_eq(timed_out, ORDERS, "expected %u that timed out, got %u", ORDERS, timed_out);
    cr_expect_eq(stops, ORDERS, "expected %u stops, the agent was told %u", ORDERS, stops);
    cr_assert(sim_stop(sim, INT64_C(10000000000)));
    sim_destroy(&sim);
}
