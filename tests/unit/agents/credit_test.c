/* credit_test.c - claims about bytes under way to agents. */
#include <criterion/criterion.h>

#include "actors/agent_credit.h"

static void
expect_room(const credit_t *mine, const credit_t *all, uint64_t expected)
{
    uint64_t got = credit_room(mine, all);

    cr_expect_eq(got, expected, "expected room for %llu bytes, got %llu",
                 (unsigned long long) expected, (unsigned long long) got);
}

Test(credit, what_is_sent_uses_up_the_window_until_it_is_durable)
{
    credit_t mine = {100, 0}, all = {1000, 0};

    credit_send(&mine, &all, 60);
    expect_room(&mine, &all, 40);
    credit_send(&mine, &all, 40);
    expect_room(&mine, &all, 0);
    cr_expect(credit_return(&mine, &all, 60));
    expect_room(&mine, &all, 60);
}

Test(credit, all_agents_together_have_one_budget)
{
    credit_t one = {100, 0}, other = {100, 0}, all = {120, 0};

    credit_send(&one, &all, 100);
    expect_room(&other, &all, 20);
    credit_send(&other, &all, 20);
    expect_room(&other, &all, 0);
    cr_expect(credit_return(&one, &all, 100));
    expect_room(&other, &all, 80);
}

Test(credit, nobody_gives_back_more_than_it_was_sent)
{
    credit_t mine = {100, 0}, all = {1000, 500};

    credit_send(&mine, &all, 60);
    cr_expect_not(credit_return(&mine, &all, 61), "61 of 60 bytes were given back");
    expect_room(&mine, &all, 40);
}

Test(credit, who_is_gone_leaves_nothing_under_way)
{
    credit_t mine = {100, 0}, all = {1000, 500};

    credit_send(&mine, &all, 60);
    credit_end(&mine, &all);
    cr_expect_eq(all.under_way, 500, "expected 500 bytes of others, got %llu",
                 (unsigned long long) all.under_way);
    expect_room(&mine, &all, 0);
}
