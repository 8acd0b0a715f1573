/* switchovers_test.c - the rules of switching later, and of all or none, as an operator would state
 * them. */
#include "switchovers_under_test.h"

Test(switchovers, nobody_switches_before_all_have_promised_and_then_every_one_does)
{
    site_t *site = three_points();
    later(site, "a,b,c", BARRIER, 0, 0);
    promises(site, "a");
    promises(site, "b");
    state_is(site, "a", TARGET_PROMISED);
    cr_assert_not(is_due(site, "a"), "it is to do something before the decision");
    is_in(site, SWITCHOVER_STAGING);
    cr_assert_eq(shown(site, "P1", "a").have, 0u);
    cr_assert_eq(package_shown_state(site, "P1"), PACKAGE_ACTIVE);
    site_reopen(site);
    cr_assert_not(is_due(site, "b"), "a start of the site has let it go");
    promises(site, "c");
    is_in(site, SWITCHOVER_DECIDED);
    cr_assert_eq(switchover(site).promised, 3u);
    site_reopen(site);
    switches(site, "a");
    switches(site, "c");
    is_in(site, SWITCHOVER_DECIDED);
    switches(site, "b");
    is_in(site, SWITCHOVER_DONE);
    cr_assert_eq(events_of(site, STATUS_TARGET_PROMISED), 3u);
    cr_assert_eq(events_of(site, STATUS_SWITCHOVER_DECIDED), 1u);
    cr_assert_eq(events_of(site, STATUS_SWITCHOVER_ENDED), 1u);
    site_end(site);
}

Test(switchovers, a_point_that_was_cut_off_after_its_promise_keeps_it_until_it_is_back)
{
    site_t *site = three_points();
    later(site, "a,b", BARRIER, 0, 0);
    promises(site, "a");
    promises(site, "b");
    due_row_t row = next_on(site, "a");
    cr_assert_eq(outcome(site, &row, ERR_ABSENT, TARGET_RETRYING, 0, RETRY_MAX_MS), OK);
    state_is(site, "a", TARGET_PROMISED);
    cr_assert_eq(shown(site, "P1", "a").cause, ERR_ABSENT);
    switches(site, "b");
    is_in(site, SWITCHOVER_DECIDED);
    make_cancel(site, "P1", NULL);
    cr_assert_eq(REFUSED(site, cancel), ERR_BUSY, "what is decided was taken back");
    point_returned_t *m = MAKE(site, point_returned);
    m->dp = site_text(site, "a");
    memset(m->dp_incarnation.byte, 'a', sizeof m->dp_incarnation.byte);
    (void) ASK(site, point_returned, done);
    switches(site, "a");
    is_in(site, SWITCHOVER_DONE);
    site_end(site);
}

Test(switchovers, the_deadline_cancels_before_the_decision)
{
    site_t *site = three_points();
    later(site, "a,b", BARRIER, 0, 100);
    promises(site, "a");
    clock_is(site, 99);
    is_in(site, SWITCHOVER_STAGING);
    clock_is(site, 100);
    is_in(site, SWITCHOVER_CANCELLED);
    state_is(site, "a", TARGET_CANCELLED);
    state_is(site, "b", TARGET_CANCELLED);
    cr_assert_not(is_due(site, "a"));
    cr_assert_eq(events_of(site, STATUS_SWITCHOVER_CANCELLED), 1u);
    cr_assert_eq(events_of(site, STATUS_SWITCHOVER_DECIDED), 0u);
    site_end(site);
}

Test(switchovers, the_deadline_never_cancels_after_the_decision)
{
    site_t *site = three_points();
    later(site, "a,b", BARRIER, 0, 100);
    promises(site, "a");
    promises(site, "b");
    switches(site, "a");
    clock_is(site, 1000);
    site_reopen(site);
    is_in(site, SWITCHOVER_DECIDED);
    state_is(site, "b", TARGET_PROMISED);
    switches(site, "b");
    is_in(site, SWITCHOVER_DONE);
    cr_assert_eq(events_of(site, STATUS_SWITCHOVER_CANCELLED), 0u);
    site_end(site);
}

Test(switchovers, an_outcome_after_the_deadline_does_not_make_the_decision)
{
    site_t *site = three_points();
    later(site, "a", BARRIER, 0, 100);
    due_row_t row = next_on(site, "a");
    begun(site, &row);
    world_sim_set_wall(site->sim, WALL_START + 101 * S); /* nobody has looked yet */
    (void) outcome(site, &row, OK, TARGET_PROMISED, 1, RECORD_NONE);
    is_in(site, SWITCHOVER_CANCELLED);
    state_is(site, "a", TARGET_CANCELLED);
    site_end(site);
}

Test(switchovers, what_is_staged_switches_at_its_time_and_what_is_not_follows)
{
    site_t *site = three_points();
    later(site, "a,b", ALONE, 3600, 0);
    promises(site, "a");
    clock_is(site, 3599);
    is_in(site, SWITCHOVER_STAGING);
    state_is(site, "a", TARGET_PROMISED);
    clock_is(site, 3600);
    is_in(site, SWITCHOVER_DECIDED);
    switches(site, "a");
    is_in(site, SWITCHOVER_DECIDED);
    switches(site, "b");
    is_in(site, SWITCHOVER_DONE);
    site_end(site);
}

Test(switchovers, a_site_that_was_down_at_the_time_switches_at_its_next_start)
{
    site_t *site = three_points();
    later(site, "a", ALONE, 3600, 0);
    promises(site, "a");
    world_sim_set_wall(site->sim, WALL_START + 90000 * S);
    site_reopen(site);
    switches(site, "a");
    is_in(site, SWITCHOVER_DONE);
    site_end(site);
}

Test(switchovers, who_asks_for_work_is_told_when_the_clock_has_something_to_say)
{
    site_t *site = three_points();
    later(site, "a", ALONE, 3600, 0);
    promises(site, "a");
    site->run.byte[0]++;
    uint64_t next_ms = due(site)->next_ms;
    cr_assert(next_ms > 3500000 && next_ms <= 3600000, "it is told to ask again in %llu ms",
              (unsigned long long) next_ms);
    site_end(site);
}

Test(switchovers, a_clock_that_is_set_back_makes_them_wait_and_takes_no_decision_back)
{
    site_t *site = three_points();
    later(site, "a,b", ALONE, 3600, 0);
    promises(site, "a");
    clock_is(site, -86400);
    is_in(site, SWITCHOVER_STAGING);
    clock_is(site, 3600);
    is_in(site, SWITCHOVER_DECIDED);
    clock_is(site, -86400);
    is_in(site, SWITCHOVER_DECIDED);
    switches(site, "a");
    site_end(site);
}

Test(switchovers, a_barrier_with_a_time_waits_for_both)
{
    site_t *site = three_points();
    later(site, "a,b", BARRIER, 3600, 7200);
    promises(site, "a");
    promises(site, "b");
    is_in(site, SWITCHOVER_STAGING);
    clock_is(site, 3600);
    is_in(site, SWITCHOVER_DECIDED);
    site_end(site);
    site = three_points();
    later(site, "a,b", BARRIER, 3600, 7200);
    promises(site, "a");
    clock_is(site, 3600);
    is_in(site, SWITCHOVER_STAGING);
    promises(site, "b");
    is_in(site, SWITCHOVER_DECIDED);
    site_end(site);
}
