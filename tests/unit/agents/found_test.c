/* found_test.c - claims about how many agents are looked at for one: counted, among a thousand. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/gateway.h"
#include "runtime/sim.h"

#define AGENTS       1000u
#define WINDOW_BYTES (1u << 15)

/* By way of --wrap: whose account is looked at, and that the names of every version are known. */
uint64_t __real_credit_room(const credit_t *mine, const credit_t *all);
uint64_t __wrap_credit_room(const credit_t *mine, const credit_t *all);
bool __wrap_named_known(const agent_t *agent);

static uint32_t looks;

uint64_t
__wrap_credit_room(const credit_t *mine, const credit_t *all)
{
    looks++;
    return __real_credit_room(mine, all);
}

bool
__wrap_named_known(const agent_t *agent)
{
    return agent->need != NULL;
}

static slice_t
peer_of(uint32_t number, char bytes[5])
{
    memset(bytes, 0, 5);
    memcpy(bytes + 1, &number, sizeof number);
    return (slice_t){bytes, 5};
}

static agent_t *agents[AGENTS];

static void
fill(agent_gateway_t *self)
{
    table_init(self);
    for (uint32_t i = 0; i < AGENTS; i++) {
        char name[16];
        snprintf(name, sizeof name, "a%04u", i);
        agents[i] = calloc(1, sizeof *agents[i]);
        cr_assert_not_null(agents[i]);
        zhashx_update(self->agent, name, agents[i]);
    }
}

Test(found, an_answer_or_the_end_of_a_connection_finds_its_agent_without_a_look_at_the_others)
{
    agent_gateway_t *self = calloc(1, sizeof *self);
    char bytes[5];

    cr_assert_not_null(self);
    fill(self);
    for (uint32_t i = 0; i < AGENTS; i++) {
        agent_t *agent = agents[i];
        find_await(self, agent, &agent->job, 7 + i);
        find_connect(self, agent, peer_of(i, bytes), false);
    }
    cr_assert_not_null(zhashx_first(self->agent));
    const void *at = zhashx_cursor(self->agent);
    for (uint32_t i = 0; i < AGENTS; i++) {
        agent_t *agent = agents[i];
        cr_assert_eq(find_by_number(self, 7 + i), agent);
        cr_assert_eq(find_by_peer(self, peer_of(i, bytes), false), agent);
        cr_assert_null(find_by_peer(self, peer_of(i, bytes), true), "a connection of another kind");
        find_await(self, agent, &agent->job, 0);
        cr_assert_null(find_by_number(self, 7 + i), "nobody waits for it any more");
        find_part(self, agents[(i + 1) % AGENTS], peer_of(i, bytes), false);
        cr_assert_eq(find_by_peer(self, peer_of(i, bytes), false), agent, "another one went");
        find_part(self, agent, peer_of(i, bytes), false);
        cr_assert_null(find_by_peer(self, peer_of(i, bytes), false));
    }
    cr_expect_eq(zhashx_cursor(self->agent), at, "it went on from agent to agent");
    table_drop(self);
    free(self);
}

Test(found, what_holds_for_all_agents_is_summed_up_once_after_they_were_told)
{
    agent_gateway_t *self = calloc(1, sizeof *self);

    cr_assert_not_null(self);
    fill(self);
    agents[3]->rate.rate = 5000;
    agents[4]->window = (window_t){.is = true, .known_ns = 10, .closes_ns = 90};
    agents[5]->window = (window_t){.is = true, .known_ns = 20, .closes_ns = 95};
    self->retold = true;
    table_sum_up(self);
    cr_expect_eq(self->slowest, 5000u);
    cr_expect(self->windows.is && self->windows.known_ns == 20 && self->windows.closes_ns == 90);
    cr_assert_not_null(zhashx_first(self->agent));
    const void *at = zhashx_cursor(self->agent);
    table_sum_up(self);
    cr_expect_eq(zhashx_cursor(self->agent), at, "it went on from agent to agent");
    table_drop(self);
    free(self);
}

/* ---- turns ---- */

static uint32_t looks_of_all, looks_of_rest, looks_of_each;

static void
lack(actor_ctx_t *ctx, agent_t *agent)
{
    agent_need_t *need = DRAFT(ctx, agent_need);

    need->ranges = draft_rows(actor_draft_open(ctx), 1, sizeof(range_t));
    range_t *range = draft_row(actor_draft_open(ctx), need->ranges, 0, sizeof *range);
    cr_assert_not_null(range);
    range->size = 1u << 30;
    agent->need = actor_keep(ctx, &agent_need_type, need);
}

static actor_next_t
gateway_init(actor_ctx_t *ctx, void *state, const void *args)
{
    agent_gateway_t *self = state;
    agent_durable_t durable = {.bytes = WINDOW_BYTES};

    cr_assert_null(args);
    fill(self);
    self->all.window = UINT64_C(1) << 40;
    for (uint32_t i = 0; i < AGENTS; i++) {
        agent_t *agent = agents[i];
        pace_init(&agent->pace);
        agent->offered = agent->credit.window = WINDOW_BYTES;
        credit_send(&agent->credit, &self->all, WINDOW_BYTES);
        lack(ctx, agent);
        line_in(self, agent);
    }
    looks = 0;
    content_go_on(ctx, self);
    looks_of_all = looks;
    content_go_on(ctx, self);
    looks_of_rest = looks - looks_of_all;
    looks = 0;
    for (uint32_t i = 0; i < AGENTS; i++) {
        cr_assert(content_durable(ctx, self, agents[i], &durable));
    }
    looks_of_each = looks;
    actor_ready(ctx);
    return ACTOR_CONTINUE;
}

static void
gateway_drop(void *state)
{
    table_drop(state);
}

static const actor_class_t gateway_class = {.name = "agent_gateway",
                                            .state_bytes = sizeof(agent_gateway_t),
                                            .init = gateway_init,
                                            .drop = gateway_drop,
                                            .role = true};
static const actor_class_t *const cast[] = {&gateway_class, NULL};

Test(found, what_comes_back_from_one_agent_is_no_look_at_all_that_are_sent_something)
{
    const host_options_t host = {.classes = cast, .root = &gateway_class};
    sim_options_t options = {.seed = 1, .host = &host, .alone = true};
    err_t err = OK;
    char why[200] = "";
    sim_t *sim = sim_new(&options, &err, why, sizeof why);

    cr_assert_not_null(sim, "%s: %s", err_word(err), why);
    sim_start(sim);
    sim_run_for(sim, INT64_C(1000000000), 1000000u);
    cr_expect_eq(looks_of_all, AGENTS);
    cr_expect_eq(looks_of_rest, 0u, "who has used up its account was looked at %u times",
                 looks_of_rest);
    cr_expect_eq(looks_of_each, AGENTS, "%u looks for %u that had something come back",
                 looks_of_each, AGENTS);
    cr_assert(sim_stop(sim, INT64_C(10000000000)));
    sim_destroy(&sim);
}
