/* aside_test.c - targets whose work ended the host again and again: put aside, seen, tried again
 * (Q303462, Q152468; docs/decisions/0007). */
#include "site_under_test.h"

#include "proto/limits.h"

static bool
set_aside(site_t *site, const due_row_t *row)
{
    set_aside_t *m = MAKE(site, set_aside);
    m->target = row->target;
    m->why = site_text(site, "work on it ended the host 3 times (signal 11 in point_worker, work)");
    return ASK(site, set_aside, done)->changed;
}

static void
make_order(site_t *site, uint64_t target, bool drop)
{
    aside_order_t *m = MAKE(site, aside_order);
    HEAD(site, m);
    m->id = site_text(site, "1000000001");
    m->target = target;
    m->drop = drop;
}

static bool
ordered(site_t *site, uint64_t target, bool drop)
{
    make_order(site, target, drop);
    return ASK(site, aside_order, done)->changed;
}

static const quarantine_t *
listed(site_t *site)
{
    MAKE(site, aside_list);
    return ASK(site, aside_list, quarantine);
}

/* Whether this target is taken up by a run of its own. */
static bool
is_due(site_t *site, uint64_t target)
{
    bool found = false;
    site->run.byte[0]++;
    const due_t *m = due(site);
    for (uint32_t i = 0; i < m->targets.count; i++) {
        found |= ROW(m, m->targets, i, due_row_t)->target == target;
    }
    return found;
}

static void
pass_a_day(site_t *site)
{
    world_sim_advance(site->sim, INT64_C(86400000000000));
}

Test(aside, q303462_what_was_in_hand_is_failed_with_its_reason_and_never_due_again)
{
    site_t *site = two_points();
    due_row_t row = due_on(site, "DP1");
    begun(site, &row);
    cr_assert(set_aside(site, &row));
    cr_assert_eq(shown(site, "P1", "DP1").state, TARGET_FAILED);
    cr_assert_eq(shown(site, "P1", "DP1").cause, ERR_QUARANTINED);
    cr_assert_eq(events_of(site, STATUS_TARGET_FAILED), 1u);
    cr_assert_eq(outcome(site, &row, OK, TARGET_INSTALLED, 0, 0), ERR_SUPERSEDED, "it has ended");
    cr_assert_not(set_aside(site, &row), "once is enough");
    pass_a_day(site);
    cr_assert_not(is_due(site, row.target));
    site_reopen(site);
    cr_assert_not(is_due(site, row.target), "a restart tried it again");
    site->run.byte[0]++;
    installed(site, "DP2");
    cr_assert_eq(package_shown_state(site, "P1"), PACKAGE_FAILED, "and it counts as failed");
    site_end(site);
}

Test(aside, it_is_listed_with_its_number_its_place_and_its_reason)
{
    site_t *site = two_points();
    due_row_t row = due_on(site, "DP1");
    cr_assert_eq(listed(site)->messages.count, 0u);
    set_aside(site, &row);
    const quarantine_t *m = listed(site);
    cr_assert_eq(m->messages.count, 1u);
    const quarantine_row_t *only = ROW(m, m->messages, 0, quarantine_row_t);
    cr_assert_eq(only->number, ASIDE_NUMBER_FIRST + row.target);
    eq_text(m, only->actor, "P1 on DP1");
    eq_text(m, only->message, "install");
    eq_text(m, only->reason, "work on it ended the host 3 times (signal 11 in point_worker, work)");
    site_end(site);
}

Test(aside, tried_again_it_begins_anew_and_dropped_it_is_cancelled)
{
    site_t *site = two_points();
    due_row_t row = due_on(site, "DP1");
    set_aside(site, &row);
    site->dry_run = true;
    ordered(site, row.target, false);
    site->dry_run = false;
    cr_assert_eq(shown(site, "P1", "DP1").state, TARGET_FAILED, "a dry run changes nothing");
    cr_assert(ordered(site, row.target, false));
    cr_assert_eq(shown(site, "P1", "DP1").state, TARGET_PENDING);
    cr_assert_eq(shown(site, "P1", "DP1").cause, ERR_QUEUED, "it waits for its turn alone");
    cr_assert(is_due(site, row.target));
    make_order(site, row.target, false);
    cr_assert_eq(REFUSED(site, aside_order), ERR_NOT_FOUND, "it is not aside any more");
    set_aside(site, &row);
    cr_assert(ordered(site, row.target, true));
    cr_assert_eq(shown(site, "P1", "DP1").state, TARGET_CANCELLED);
    cr_assert_eq(listed(site)->messages.count, 0u);
    site_end(site);
}

Test(aside, a_later_version_is_tried)
{
    site_t *site = two_points();
    due_row_t row = due_on(site, "DP1");
    set_aside(site, &row);
    cr_assert(package_updated(site, "P1", 2));
    cr_assert_eq(shown(site, "P1", "DP1").state, TARGET_PENDING);
    cr_assert(is_due(site, row.target));
    site_end(site);
}

Test(aside, a_removal_stays_one_and_waits_for_a_person)
{
    site_t *site = two_points();
    installed(site, "DP1");
    withdrawn(site, "P1", "DP1");
    due_row_t row = due_on(site, "DP1");
    cr_assert(set_aside(site, &row));
    cr_assert_eq(shown(site, "P1", "DP1").state, TARGET_REMOVING);
    cr_assert_eq(shown(site, "P1", "DP1").cause, ERR_QUARANTINED);
    pass_a_day(site);
    cr_assert_not(is_due(site, row.target));
    eq_text(listed(site), ROW(listed(site), listed(site)->messages, 0, quarantine_row_t)->message,
            "remove");
    point_returned_t *back = MAKE(site, point_returned);
    back->dp = site_text(site, "DP1");
    back->dp_incarnation = row.dp_incarnation;
    ASK(site, point_returned, done);
    cr_assert_not(is_due(site, row.target), "the return of its point tried it again");
    cr_assert(ordered(site, row.target, false));
    cr_assert(is_due(site, row.target));
    cr_assert_eq(shown(site, "P1", "DP1").state, TARGET_REMOVING);
    cr_assert_eq(shown(site, "P1", "DP1").cause, ERR_QUEUED, "it waits for its turn alone");
    site_end(site);
}

Test(aside, an_installed_one_whose_superseded_versions_cannot_be_collected_is_failed)
{
    site_t *site = two_points();
    due_row_t row = due_on(site, "DP1");
    begun(site, &row);
    site->run.byte[0]++;
    installed(site, "DP1");
    cr_assert(set_aside(site, &row));
    cr_assert_eq(shown(site, "P1", "DP1").state, TARGET_FAILED);
    cr_assert_eq(shown(site, "P1", "DP1").have, 1u, "what it has is known");
    cr_assert(ordered(site, row.target, false));
    cr_assert(is_due(site, row.target));
    site_end(site);
}

Test(aside, one_that_is_gone_or_done_with_is_left_alone)
{
    site_t *site = two_points();
    due_row_t row = due_on(site, "DP1");
    cancelled(site, "P1", "DP1");
    cr_assert_not(set_aside(site, &row));
    cr_assert_eq(shown(site, "P1", "DP1").state, TARGET_CANCELLED);
    row.target = UINT64_MAX;
    cr_assert_not(set_aside(site, &row));
    site_end(site);
}
