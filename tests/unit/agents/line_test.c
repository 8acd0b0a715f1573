/* line_test.c - claims about whose turn it is, and how fast, by a clock of their own. */
#include <criterion/criterion.h>
#include <string.h>

#include "actors/gateway.h"

#define AGENTS  4u
#define SECOND  INT64_C(1000000000)
#define RUN_NS  (20 * SECOND)
#define WAIT_NS INT64_C(1000000) /* timers are of whole milliseconds */

/* A gateway whose agents lack content for ever, and make it durable at once. */
typedef struct sending {
    agent_gateway_t gateway;
    agent_t agent[AGENTS];
    uint64_t site, link, own[AGENTS];
    uint64_t sent[AGENTS];
    int64_t now_ns;
} sending_t;

static sending_t s;

/* The rates as the database lists them: two of the agents share a link. */
static void
know_rates(void)
{
    static uint64_t memory[1024];
    draft_t draft;

    draft_over(&draft, memory, sizeof memory);
    agents_listed_t *listed = draft_begin(&draft, &agents_listed_type);
    listed->rate = s.site;
    listed->agents = draft_rows(&draft, AGENTS, sizeof(agent_row_t));
    rates_begin(&s.gateway);
    for (uint32_t i = 0; i < AGENTS; i++) {
        agent_row_t *row = draft_row(&draft, listed->agents, i, sizeof *row);
        cr_assert_not_null(row);
        row->rate = s.own[i];
        row->link = i < 2 ? draft_text(&draft, slice_of("wan")) : (text_t){0, 0};
        row->link_rate = i < 2 ? s.link : 0;
        rates_know(&s.gateway, &s.agent[i], listed, row, s.now_ns);
    }
    rates_end(&s.gateway);
}

static void
tear_down(void)
{
    zhashx_destroy(&s.gateway.link);
}

TestSuite(line, .fini = tear_down);

static void
set_up(uint64_t site, uint64_t link, const uint64_t own[AGENTS])
{
    tear_down();
    s = (sending_t){.site = site, .link = link, .now_ns = SECOND};
    rates_init(&s.gateway);
    memcpy(s.own, own, sizeof s.own);
    know_rates();
    for (uint32_t i = 0; i < AGENTS; i++) {
        line_in(&s.gateway, &s.agent[i]);
    }
}

/* One look of content_go_on: each in line gets what it may have, and goes to the end. */
static int64_t
one_look(void)
{
    int64_t wait_ns = SECOND;
    agent_t *last = s.gateway.last;

    for (agent_t *agent = s.gateway.first, *next; agent; agent = next) {
        next = agent == last ? NULL : agent->behind;
        uint64_t bytes = rates_room(&s.gateway, agent, s.now_ns, &wait_ns);
        bytes = bytes < AGENT_DATA_BYTES_MAX ? bytes : AGENT_DATA_BYTES_MAX;
        if (bytes > 0) {
            rates_take(&s.gateway, agent, bytes);
            s.sent[agent - s.agent] += bytes;
            line_out(&s.gateway, agent);
            line_in(&s.gateway, agent);
            wait_ns = WAIT_NS;
        }
    }
    return wait_ns;
}

static void
run_for(int64_t span_ns)
{
    for (int64_t end_ns = s.now_ns + span_ns; s.now_ns < end_ns;) {
        s.now_ns += (one_look() / WAIT_NS + 1) * WAIT_NS;
    }
}

static void
expect_rate(const char *of, uint64_t bytes, uint64_t rate, int64_t span_ns)
{
    uint64_t whole = rate * (uint64_t) (span_ns / SECOND);

    cr_expect(bytes <= whole + rate / 10 && bytes >= whole - whole / 50,
              "%s: expected %llu bytes to within a fiftieth, and one burst over it, got %llu", of,
              (unsigned long long) whole, (unsigned long long) bytes);
}

Test(line, all_that_share_a_rate_get_equal_parts)
{
    set_up(4000000, 0, (uint64_t[AGENTS]){0, 0, 0, 0});
    run_for(RUN_NS);
    for (uint32_t i = 0; i < AGENTS; i++) {
        expect_rate("one of four", s.sent[i], 1000000, RUN_NS);
    }
}

Test(line, the_rates_of_a_point_its_link_and_the_site_hold_together)
{
    set_up(2000000, 600000, (uint64_t[AGENTS]){0, 0, 200000, 0});
    run_for(RUN_NS);
    expect_rate("the site", s.sent[0] + s.sent[1] + s.sent[2] + s.sent[3], 2000000, RUN_NS);
    expect_rate("the link", s.sent[0] + s.sent[1], 600000, RUN_NS);
    expect_rate("the first on the link", s.sent[0], 300000, RUN_NS);
    expect_rate("the point", s.sent[2], 200000, RUN_NS);
    expect_rate("who has no limit of its own", s.sent[3], 1200000, RUN_NS);
}

Test(line, a_rate_changes_from_the_next_block_on)
{
    set_up(0, 0, (uint64_t[AGENTS]){40000, 40000, 40000, 40000});
    run_for(RUN_NS);
    expect_rate("before", s.sent[0], 40000, RUN_NS);
    s.sent[0] = 0;
    s.own[0] = 4000000;
    know_rates();
    run_for(RUN_NS);
    expect_rate("after", s.sent[0], 4000000, RUN_NS);
    s.sent[0] = 0;
    s.own[0] = 40000;
    know_rates();
    run_for(RUN_NS);
    expect_rate("again", s.sent[0], 40000, RUN_NS);
}

Test(line, a_link_that_nobody_is_on_any_more_is_forgotten)
{
    set_up(0, 600000, (uint64_t[AGENTS]){0, 0, 0, 0});
    cr_expect_eq(zhashx_size(s.gateway.link), 1u);
    rates_begin(&s.gateway);
    rates_end(&s.gateway);
    cr_expect_eq(zhashx_size(s.gateway.link), 0u);
}

Test(line, who_leaves_the_line_is_passed_over_wherever_it_stood)
{
    for (uint32_t leaves = 0; leaves < AGENTS; leaves++) {
        set_up(0, 0, (uint64_t[AGENTS]){0, 0, 0, 0});
        line_out(&s.gateway, &s.agent[leaves]);
        line_out(&s.gateway, &s.agent[leaves]);
        uint32_t count = 0;
        for (agent_t *agent = s.gateway.first; agent; agent = agent->behind) {
            cr_expect_neq(agent, &s.agent[leaves]);
            count++;
        }
        cr_expect_eq(count, AGENTS - 1);
        line_in(&s.gateway, &s.agent[leaves]);
        cr_expect_eq(s.gateway.last, &s.agent[leaves]);
    }
}

static void
expect_order(const char *numbers)
{
    const agent_t *at = s.gateway.first;

    for (; *numbers; numbers++, at = at->behind) {
        cr_assert_not_null(at, "somebody is missing");
        cr_expect_eq(at, &s.agent[*numbers - '0'], "expected %c, got %ld", *numbers,
                     (long) (at - s.agent));
    }
    cr_expect_null(at, "somebody is in line who sleeps, or was there already");
}

Test(line, who_sleeps_is_passed_over_and_keeps_its_place)
{
    set_up(0, 0, (uint64_t[AGENTS]){0, 0, 0, 0});
    line_sleep(&s.gateway, &s.agent[1]);
    line_sleep(&s.gateway, &s.agent[0]);
    line_sleep(&s.gateway, &s.agent[3]);
    expect_order("2");
    line_wake(&s.gateway, &s.agent[1]);
    line_wake(&s.gateway, &s.agent[1]);
    expect_order("12");
    line_in(&s.gateway, &s.agent[3]);
    line_in(&s.gateway, &s.agent[0]);
    expect_order("0123");
    line_sleep(&s.gateway, &s.agent[2]);
    line_out(&s.gateway, &s.agent[2]);
    line_wake(&s.gateway, &s.agent[2]);
    expect_order("013");
    line_in(&s.gateway, &s.agent[2]);
    expect_order("0132");
}
