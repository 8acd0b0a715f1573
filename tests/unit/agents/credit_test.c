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

    credit_send(&one, &all, 60);
    expect_room(&one, &all, 0);
    expect_room(&other, &all, 30);
    credit_send(&other, &all, 30);
    expect_room(&other, &all, 0);
    cr_expect(credit_return(&one, &all, 60));
    expect_room(&other, &all, 30);
    expect_room(&one, &all, 45);
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

Test(credit, a_few_that_give_nothing_back_leave_something_to_who_comes)
{
    credit_t slow[20] = {{0}}, all = {64 << 20, 0};

    for (uint32_t i = 0; i < 20; i++) { /* each takes all that it gets, and keeps it */
        slow[i].window = 8 << 20;
        for (uint64_t room; (room = credit_room(&slow[i], &all)) > 0;) {
            credit_send(&slow[i], &all, room);
        }
        cr_expect(slow[i].under_way > 0, "nothing is left for the %u. of them", i + 1);
    }
}

Test(credit, many_that_take_and_give_have_equal_parts)
{
    credit_t one[15] = {{0}}, all = {64 << 20, 0};

    for (uint32_t round = 0; round < 1000; round++) {
        credit_t *mine = &one[(round * 7) % 15];
        mine->window = 8 << 20;
        cr_expect(credit_return(mine, &all, mine->under_way / 2));
        credit_send(mine, &all, credit_room(mine, &all));
    }
    for (uint32_t i = 0; i < 15; i++) { /* 4 MiB each, and one part free */
        cr_expect(one[i].under_way > 3 << 20 && one[i].under_way < 5 << 20,
                  "expected about 4 MiB under way to each, got %llu bytes to the %u.",
                  (unsigned long long) one[i].under_way, i + 1);
    }
}
