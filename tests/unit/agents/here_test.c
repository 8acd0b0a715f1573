/* here_test.c - claims about finding an agent that is here, and about leaving those who are away
 * alone. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "actors/gateway.h"

#define AGENTS 3u

static agent_gateway_t *self;
static agent_t *agent[AGENTS];

static void
begin(void)
{
    char name[8];

    self = calloc(1, sizeof *self);
    cr_assert_not_null(self);
    table_init(self);
    for (uint32_t i = 0; i < AGENTS; i++) {
        agent[i] = calloc(1, sizeof *agent[i]);
        cr_assert_not_null(agent[i]);
        agent[i]->rate.rate = 100 + i;
        snprintf(name, sizeof name, "s%u", i);
        zhashx_update(self->agent, name, agent[i]);
    }
}

static void
end(void)
{
    table_drop(self);
    free(self);
}

TestSuite(here, .init = begin, .fini = end);

/* What is in a peer's name is ZeroMQ's: the first byte is 0. */
static slice_t
peer(uint32_t number)
{
    static const char *const names[] = {"\0one\1", "\0one\2", "\0one\3"};

    return (slice_t){names[number], 5};
}

static void
comes(uint32_t number, uint32_t by)
{
    memcpy(agent[number]->peer, peer(by).data, 5);
    agent[number]->peer_size = 5;
    here_in(self, agent[number]);
}

static void
expect_here(const char *numbers)
{
    uint32_t count = 0;

    for (const agent_t *at = self->here_first; at; at = at->later) {
        cr_assert_lt(count, strlen(numbers), "more are here than '%s'", numbers);
        cr_expect_eq(at, agent[numbers[count] - '0'], "expected '%s'", numbers);
        count++;
    }
    cr_expect_eq(count, strlen(numbers));
    cr_expect_eq(self->here, count);
}

Test(here, who_is_here_is_found_by_its_connection_until_its_visit_ends)
{
    for (uint32_t i = 0; i < AGENTS; i++) {
        comes(i, i);
    }
    expect_here("012");
    cr_expect_eq(here_by_peer(self, peer(1)), agent[1]);
    here_out(self, agent[1]);
    here_out(self, agent[1]);
    expect_here("02");
    cr_expect_null(here_by_peer(self, peer(1)), "it is found when its visit has ended");
    comes(1, 0);
    here_out(self, agent[0]);
    cr_expect_eq(here_by_peer(self, peer(0)), agent[1], "the end of another's visit has hidden it");
    expect_here("21");
    here_out(self, agent[2]);
    here_out(self, agent[1]);
    expect_here("");
}

Test(here, a_job_finds_whom_it_reads_for_until_that_visit_ends)
{
    comes(0, 0);
    here_read_begins(self, agent[0], 7);
    cr_expect_eq(here_by_job(self, 7), agent[0]);
    cr_expect_null(here_by_job(self, 8));
    here_out(self, agent[0]);
    cr_expect_null(here_by_job(self, 7),
                   "what was read for a visit that ended is given to the next");
    comes(0, 1);
    here_read_begins(self, agent[0], 8);
    here_read_ends(self, agent[0]);
    cr_expect_null(here_by_job(self, 8));
    cr_expect_eq(agent[0]->job, 0u);
}

Test(here, who_is_away_is_not_looked_at_between_two_lists)
{
    here_sum_up(self);
    cr_expect_eq(self->slowest, 100u);
    const void *first = zhashx_first(self->agent), *at = zhashx_cursor(self->agent);
    here_sum_up(self);
    cr_expect(first && zhashx_cursor(self->agent) == at, "it went on from agent to agent");
    agent[0]->rate.rate = 50;
    self->is_stale = true;
    here_sum_up(self);
    cr_expect_eq(self->slowest, 50u);
}
