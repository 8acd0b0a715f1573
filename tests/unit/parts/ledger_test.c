/* ledger_test.c - claims about space reserved on file systems. */
#include <criterion/criterion.h>

#include "actors/despooler_ledger.h"

static ledger_t ledger;

static ledger_wish_t
wish(uint64_t who, uint64_t device, uint64_t need, uint64_t have)
{
    return (ledger_wish_t){.who = who,
                           .device = device,
                           .need = {need, 1},
                           .have = {have, 1000000},
                           .mark = ledger_mark(&ledger)};
}

static void
expect_verdict(const ledger_wish_t *of, ledger_verdict_t expected)
{
    static const char *const words[] = {"admitted", "no room", "stale"};
    ledger_verdict_t got = ledger_admit(&ledger, of);
    cr_expect_eq(got, expected, "expected %s, got %s", words[expected], words[got]);
}

Test(ledger, two_works_on_one_device_are_not_both_admitted_when_only_one_fits)
{
    ledger_wish_t first = wish(1, 7, 60, 100), second = wish(2, 7, 60, 100);
    expect_verdict(&first, LEDGER_ADMITTED);
    expect_verdict(&second, LEDGER_NO_ROOM);
}

Test(ledger, two_that_fit_together_to_the_last_byte_are_both_admitted)
{
    ledger_wish_t first = wish(1, 7, 60, 100), second = wish(2, 7, 40, 100);
    expect_verdict(&first, LEDGER_ADMITTED);
    expect_verdict(&second, LEDGER_ADMITTED);
    ledger_wish_t third = wish(3, 7, 1, 100);
    expect_verdict(&third, LEDGER_NO_ROOM);
}

Test(ledger, devices_do_not_count_against_one_another)
{
    ledger_wish_t first = wish(1, 7, 60, 100), second = wish(2, 8, 60, 100);
    expect_verdict(&first, LEDGER_ADMITTED);
    expect_verdict(&second, LEDGER_ADMITTED);
}

Test(ledger, inodes_are_counted_as_bytes_are)
{
    ledger_wish_t first = wish(1, 7, 1, 100), second = wish(2, 7, 1, 100);
    first.need.inodes = second.need.inodes = 600000;
    expect_verdict(&first, LEDGER_ADMITTED);
    expect_verdict(&second, LEDGER_NO_ROOM);
}

Test(ledger, a_file_system_that_counts_no_inodes_is_no_hindrance)
{
    ledger_wish_t first = wish(1, 7, 1, 100);
    first.need.inodes = UINT64_MAX - 1;
    first.have.inodes = UINT64_MAX;
    expect_verdict(&first, LEDGER_ADMITTED);
}

Test(ledger, the_end_of_a_work_gives_its_space_back)
{
    ledger_wish_t first = wish(1, 7, 60, 100);
    expect_verdict(&first, LEDGER_ADMITTED);
    ledger_release(&ledger, 1);
    cr_expect_eq(ledger_reserved(&ledger, 7, 0).bytes, 0);
    ledger_wish_t second = wish(2, 7, 60, 100);
    expect_verdict(&second, LEDGER_ADMITTED);
}

Test(ledger, a_measure_from_before_the_end_of_another_work_is_stale_on_its_device_alone)
{
    ledger_wish_t first = wish(1, 7, 60, 100);
    expect_verdict(&first, LEDGER_ADMITTED);
    ledger_wish_t same = wish(2, 7, 60, 100), other = wish(3, 8, 60, 100);
    ledger_release(&ledger, 1);
    expect_verdict(&same, LEDGER_STALE);
    expect_verdict(&other, LEDGER_ADMITTED);
    ledger_wish_t again = wish(2, 7, 30, 40);
    expect_verdict(&again, LEDGER_ADMITTED);
}

Test(ledger, a_work_that_asks_again_does_not_count_against_itself)
{
    ledger_wish_t first = wish(1, 7, 60, 100);
    expect_verdict(&first, LEDGER_ADMITTED);
    expect_verdict(&first, LEDGER_ADMITTED);
    cr_expect_eq(ledger_reserved(&ledger, 7, 0).bytes, 60);
    cr_expect_eq(ledger_reserved(&ledger, 7, 1).bytes, 0);
}

Test(ledger, work_that_needs_nothing_goes_on_where_all_is_full)
{
    ledger_wish_t first = wish(1, 7, 100, 100);
    expect_verdict(&first, LEDGER_ADMITTED);
    ledger_wish_t nothing = wish(2, 7, 0, 0);
    nothing.need.inodes = 0;
    expect_verdict(&nothing, LEDGER_ADMITTED);
}

Test(ledger, needs_beyond_all_numbers_do_not_wrap_around)
{
    ledger_wish_t first = wish(1, 7, 60, 100), huge = wish(2, 7, UINT64_MAX - 10, 100);
    expect_verdict(&first, LEDGER_ADMITTED);
    expect_verdict(&huge, LEDGER_NO_ROOM);
}

Test(ledger, more_devices_than_places_make_measures_stale_and_never_too_much_room)
{
    ledger_wish_t old = wish(1, 9999, 60, 100);
    for (uint64_t device = 1; device <= 3 * SLOTS_MAX; device++) {
        ledger_wish_t one = wish(2, device, 1, 100);
        expect_verdict(&one, LEDGER_ADMITTED);
        ledger_release(&ledger, 2);
    }
    expect_verdict(&old, LEDGER_STALE);
    ledger_wish_t fresh = wish(1, 9999, 60, 100);
    expect_verdict(&fresh, LEDGER_ADMITTED);
}

Test(ledger, a_release_of_what_was_never_admitted_changes_nothing)
{
    ledger_wish_t first = wish(1, 7, 60, 100);
    expect_verdict(&first, LEDGER_ADMITTED);
    uint64_t mark = ledger_mark(&ledger);
    ledger_release(&ledger, 42);
    cr_expect_eq(ledger_mark(&ledger), mark);
    cr_expect_eq(ledger_reserved(&ledger, 7, 0).bytes, 60);
}
