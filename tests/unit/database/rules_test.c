/* rules_test.c - the rules of targets and versions, as an operator would state them. */
#include "site_under_test.h"

Test(targets, distributed_ones_are_pending_and_due_at_once)
{
    site_t *site = two_points();
    shown_t target = shown(site, "P1", "DP1");
    cr_assert_eq(target.state, TARGET_PENDING);
    cr_assert_eq(target.wanted, 1u);
    cr_assert_eq(target.have, 0u);
    cr_assert_eq(package_shown_state(site, "P1"), PACKAGE_ACTIVE);
    cr_assert_eq(due(site)->targets.count, 2u);
    cr_assert_eq(due(site)->targets.count, 0u, "what was taken up is not due again");
    site_end(site);
}

Test(targets, only_a_receipt_of_the_wanted_version_makes_one_installed)
{
    site_t *site = two_points();
    due_row_t row = due_on(site, "DP1");
    begun(site, &row);
    cr_assert_eq(shown(site, "P1", "DP1").state, TARGET_INSTALLING);
    due_row_t without = row;
    without.root = (digest_t){{0}};
    cr_assert_eq(outcome(site, &without, OK, TARGET_INSTALLED, 1, RECORD_NONE), ERR_SUPERSEDED);
    cr_assert_eq(shown(site, "P1", "DP1").state, TARGET_INSTALLING);
    cr_assert_eq(outcome(site, &row, OK, TARGET_INSTALLED, 1, RECORD_NONE), OK);
    cr_assert_eq(shown(site, "P1", "DP1").state, TARGET_INSTALLED);
    cr_assert_eq(shown(site, "P1", "DP1").have, 1u);
    cr_assert_eq(package_shown_state(site, "P1"), PACKAGE_ACTIVE, "DP2 is not done");
    site_end(site);
}

Test(packages, one_is_complete_when_every_target_is_installed_and_failed_when_one_failed)
{
    site_t *site = site_start();
    package_is(site, "P1", 1);
    cr_assert_eq(package_shown_state(site, "P1"), PACKAGE_IDLE);
    point_is(site, "DP1");
    point_is(site, "DP2");
    distributed(site, "P1", "DP1");
    installed(site, "DP1");
    cr_assert_eq(package_shown_state(site, "P1"), PACKAGE_COMPLETE);
    distributed(site, "P1", "DP2");
    cr_assert_eq(package_shown_state(site, "P1"), PACKAGE_ACTIVE);
    due_row_t row = due_on(site, "DP2");
    cr_assert_eq(outcome(site, &row, ERR_NOT_OURS, TARGET_FAILED, 1, RECORD_NONE), OK);
    cr_assert_eq(package_shown_state(site, "P1"), PACKAGE_FAILED);
    cr_assert(cancelled(site, "P1", "DP2"));
    cr_assert_eq(package_shown_state(site, "P1"), PACKAGE_COMPLETE);
    cr_assert_eq(events_of(site, STATUS_PACKAGE_DONE), 2u);
    cr_assert_eq(events_of(site, STATUS_PACKAGE_FAILED), 1u);
    site_end(site);
}

Test(targets, d44_distributing_again_makes_no_work_and_no_event_of_a_target)
{
    site_t *site = two_points();
    installed(site, "DP1");
    uint64_t pending = events_of(site, STATUS_TARGET_PENDING);
    cr_assert(!distributed(site, "P1", "DP1,DP2"));
    cr_assert_eq(events_of(site, STATUS_TARGET_PENDING), pending);
    make_distribute(site, "P1", "DP1");
    add(site, &distribute_type);
    cr_assert(!run(site)->targets_changed);
    site_end(site);
}

Test(targets, unknown_names_are_refused_by_name_and_none_at_all_is_no_targets)
{
    site_t *site = two_points();
    make_distribute(site, "P9", "DP1");
    cr_assert_eq(REFUSED(site, distribute), ERR_NOT_FOUND);
    eq_text(ANSWERED(site, 0, refusal), ANSWERED(site, 0, refusal)->message,
            "cannot distribute 'P9': no package of this id is known");
    make_distribute(site, "P1", "DP1,DP9");
    cr_assert_eq(REFUSED(site, distribute), ERR_NOT_FOUND);
    eq_text(ANSWERED(site, 0, refusal), ANSWERED(site, 0, refusal)->message,
            "cannot distribute 'DP9': no distribution point of this name is known");
    make_distribute(site, "P1", "");
    cr_assert_eq(REFUSED(site, distribute), ERR_NO_TARGETS);
    site_end(site);
}

Test(packages, the_same_root_again_is_no_new_version_and_no_work)
{
    site_t *site = two_points();
    installed(site, "DP1");
    cr_assert(!package_updated(site, "P1", 1));
    cr_assert_eq(shown(site, "P1", "DP1").state, TARGET_INSTALLED);
    cr_assert_eq(shown(site, "P1", "DP1").wanted, 1u);
    site_end(site);
}

Test(packages, a_new_version_moves_every_target_and_supersedes_the_work_in_hand)
{
    site_t *site = two_points();
    installed(site, "DP1");
    /* due_on has taken DP2 up as well: ask for it anew */
    site->run.byte[0]++;
    due_row_t row = due_on(site, "DP2");
    begun(site, &row);
    make_version(site, false, "P1", 2);
    add(site, &version_commit_type);
    const group_answers_t *answers = run(site);
    cr_assert(answers->targets_changed);
    cr_assert_eq(answers->stopped.count, 1u);
    eq_text(answers, ROW(answers, answers->stopped, 0, stopped_row_t)->dp, "DP2");
    cr_assert_eq(shown(site, "P1", "DP1").state, TARGET_PENDING);
    cr_assert_eq(shown(site, "P1", "DP1").have, 1u, "the old version is still there");
    cr_assert_eq(shown(site, "P1", "DP2").wanted, 2u);
    cr_assert_eq(outcome(site, &row, OK, TARGET_INSTALLED, 1, RECORD_NONE), ERR_SUPERSEDED);
    cr_assert_eq(shown(site, "P1", "DP2").state, TARGET_PENDING);
    cr_assert_eq(shown(site, "P1", "DP2").have, 1u, "but its receipt is durable");
    installed(site, "DP2");
    cr_assert_eq(shown(site, "P1", "DP2").have, 2u);
    site_end(site);
}

Test(packages, epochs_increase_and_are_not_given_again)
{
    site_t *site = two_points();
    cr_assert(package_updated(site, "P1", 2));
    cr_assert(package_updated(site, "P1", 1));
    cr_assert_eq(shown(site, "P1", "DP1").wanted, 3u);
    site_end(site);
}

Test(packages, ids_are_one_whatever_their_case)
{
    site_t *site = two_points();
    make_version(site, true, "p1", 5);
    cr_assert_eq(REFUSED(site, version_commit), ERR_EXISTS);
    make_point(site, true, "dp1", 9);
    cr_assert_eq(REFUSED(site, point_commit), ERR_EXISTS);
    cr_assert(!distributed(site, "p1", "dP1"), "the same target");
    site_end(site);
}

Test(targets, q153576_a_failure_touches_only_the_point_that_failed)
{
    site_t *site = two_points();
    due_row_t first = due_on(site, "DP1");
    site->run.byte[0]++;
    due_row_t second = due_on(site, "DP2");
    begun(site, &first);
    begun(site, &second);
    cr_assert_eq(outcome(site, &first, ERR_ABSENT, TARGET_RETRYING, 0, 60000), OK);
    cr_assert_eq(outcome(site, &second, OK, TARGET_INSTALLED, 1, RECORD_NONE), OK);
    shown_t failed = shown(site, "P1", "DP1");
    cr_assert_eq(failed.state, TARGET_RETRYING);
    cr_assert_eq(failed.cause, ERR_ABSENT);
    cr_assert_eq(failed.due, world_sim_now_ns(site->sim) + WALL_START + INT64_C(60000000000));
    cr_assert_eq(package_shown_state(site, "P1"), PACKAGE_ACTIVE);
    cr_assert_eq(due(site)->targets.count, 0u);
    world_sim_advance(site->sim, INT64_C(60000000000));
    const due_t *again = due(site);
    cr_assert_eq(again->targets.count, 1u, "exactly the failed one");
    eq_text(again, ROW(again, again->targets, 0, due_row_t)->dp, "DP1");
    cr_assert_eq(ROW(again, again->targets, 0, due_row_t)->cause, ERR_ABSENT);
    site_end(site);
}

Test(targets, d15_attempts_and_due_times_survive_a_restart)
{
    site_t *site = two_points();
    due_row_t row = due_on(site, "DP1");
    begun(site, &row);
    cr_assert_eq(outcome(site, &row, ERR_IO, TARGET_RETRYING, 1, 5000), OK);
    int64_t due_at = shown(site, "P1", "DP1").due;
    site_reopen(site);
    cr_assert_eq(shown(site, "P1", "DP1").attempts, 1u);
    cr_assert_eq(shown(site, "P1", "DP1").due, due_at);
    world_sim_advance(site->sim, INT64_C(5000000000));
    cr_assert_eq(due_on(site, "DP1").attempt, 2u);
    site_reopen(site);
    site->run.byte[0]++; /* work in hand at the end of a run is no reason to count anew */
    cr_assert_eq(due_on(site, "DP1").attempt, 2u);
    site_end(site);
}

Test(targets, what_another_run_had_taken_up_is_due_again)
{
    site_t *site = two_points();
    due_row_t row = due_on(site, "DP1");
    begun(site, &row);
    cr_assert_eq(due(site)->targets.count, 0u);
    site_reopen(site);
    cr_assert_eq(due(site)->targets.count, 0u, "the same run has them still");
    site->run.byte[0]++;
    cr_assert_eq(due(site)->targets.count, 2u);
    site_end(site);
}

Test(targets, d15_who_was_told_of_work_twice_does_not_begin_it_after_its_outcome)
{
    site_t *site = two_points();
    due_row_t row = due_on(site, "DP1");
    begun(site, &row);
    site->run.byte[0]++; /* while the outcome of the run before is still on its way */
    due_row_t again = due_on(site, "DP1");
    cr_assert_eq(again.revision, row.revision);
    cr_assert_eq(outcome(site, &row, ERR_IO, TARGET_RETRYING, 1, 5000), OK);
    target_begin_t *m = MAKE(site, target_begin);
    m->target = again.target;
    m->revision = again.revision;
    cr_assert_eq(REFUSED(site, target_begin), ERR_SUPERSEDED, "it is tried without its pause");
    world_sim_advance(site->sim, INT64_C(5000000000));
    row = due_on(site, "DP1");
    cr_assert_eq(row.attempt, 2u);
    begun(site, &row);
    site_end(site);
}

Test(targets, d17_a_lease_that_ended_is_due_again)
{
    site_t *site = two_points();
    due_row_t row = due_on(site, "DP1");
    begun(site, &row);
    world_sim_advance(site->sim, (int64_t) LEASE_MS * 1000000);
    cr_assert_eq(due_on(site, "DP1").target, row.target);
    site_end(site);
}

Test(targets, a_renewed_lease_is_not_due)
{
    site_t *site = two_points();
    due_row_t row = due_on(site, "DP1");
    begun(site, &row);
    world_sim_advance(site->sim, (int64_t) LEASE_MS * 500000);
    lease_renew_t *m = MAKE(site, lease_renew);
    *m = (lease_renew_t){row.target, row.revision, LEASE_MS};
    cr_assert_eq(REFUSED(site, lease_renew), OK);
    world_sim_advance(site->sim, (int64_t) LEASE_MS * 500000 + 1);
    cr_assert_eq(due(site)->targets.count, 0u);
    m = MAKE(site, lease_renew);
    *m = (lease_renew_t){row.target, row.revision + 1, LEASE_MS};
    cr_assert_eq(REFUSED(site, lease_renew), ERR_SUPERSEDED);
    site_end(site);
}

Test(clock, d20_d57_a_due_time_far_in_the_future_is_clamped_to_the_longest_interval)
{
    site_t *site = two_points();
    due_row_t row = due_on(site, "DP1");
    begun(site, &row);
    cr_assert_eq(outcome(site, &row, ERR_IO, TARGET_RETRYING, 1, 60000), OK);
    world_sim_set_wall(site->sim, WALL_START - INT64_C(31536000000000000));
    cr_assert_leq(due(site)->next_ms, RETRY_MAX_MS);
    world_sim_advance(site->sim, (int64_t) RETRY_MAX_MS * 1000000);
    cr_assert_eq(due_on(site, "DP1").target, row.target);
    site_end(site);
}

Test(targets, d37_cancel_ends_from_every_state_but_installed)
{
    site_t *site = two_points();
    installed(site, "DP1");
    cr_assert(cancelled(site, "P1", NULL));
    cr_assert_eq(shown(site, "P1", "DP1").state, TARGET_INSTALLED);
    cr_assert_eq(shown(site, "P1", "DP2").state, TARGET_CANCELLED);
    cr_assert(!cancelled(site, "P1", NULL));
    static const struct {
        err_t err;
        target_state_t next;
    } ends[] = {
        {ERR_IO, TARGET_RETRYING}, {ERR_SPACE, TARGET_WAITING}, {ERR_NOT_OURS, TARGET_FAILED}};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        cr_assert(retried(site, "P1", "DP2"));
        due_row_t row = due_on(site, "DP2");
        begun(site, &row);
        cr_assert_eq(outcome(site, &row, ends[i].err, ends[i].next, 1, 1000), OK);
        cr_assert(cancelled(site, "P1", "DP2"));
        cr_assert_eq(shown(site, "P1", "DP2").state, TARGET_CANCELLED);
    }
    cr_assert_eq(due(site)->targets.count, 0u);
    site_end(site);
}

Test(targets, work_in_hand_on_a_cancelled_target_is_stopped_and_then_refused)
{
    site_t *site = two_points();
    due_row_t row = due_on(site, "DP1");
    begun(site, &row);
    make_cancel(site, "P1", "DP1");
    add(site, &cancel_type);
    cr_assert_eq(run(site)->stopped.count, 1u);
    cr_assert_eq(outcome(site, &row, ERR_CANCELLED, TARGET_FAILED, 1, 0), ERR_SUPERSEDED);
    cr_assert_eq(shown(site, "P1", "DP1").state, TARGET_CANCELLED);
    site_end(site);
}

Test(targets, an_order_to_end_work_names_its_revision_and_never_that_of_what_follows)
{
    site_t *site = two_points();
    due_row_t row = due_on(site, "DP1");
    begun(site, &row);
    make_cancel(site, "P1", "DP1");
    add(site, &cancel_type);
    const group_answers_t *answers = run(site);
    stopped_row_t stopped = *ROW(answers, answers->stopped, 0, stopped_row_t);
    cr_assert(row.revision <= stopped.revision, "its work goes on");
    cr_assert(retried(site, "P1", "DP1"));
    site->run.byte[0]++;
    due_row_t next = due_on(site, "DP1");
    cr_assert_eq(next.target, row.target);
    cr_assert(next.revision > stopped.revision,
              "the next work (revision %llu) is ended by the order for the last (%llu)",
              (unsigned long long) next.revision, (unsigned long long) stopped.revision);
    site_end(site);
}

Test(targets, an_outcome_of_work_that_was_cancelled_says_nothing_of_its_retry)
{
    site_t *site = two_points();
    due_row_t row = due_on(site, "DP1");
    begun(site, &row);
    cr_assert(cancelled(site, "P1", "DP1"));
    cr_assert(retried(site, "P1", "DP1"));
    cr_assert_eq(outcome(site, &row, ERR_IO, TARGET_RETRYING, 9, 1000), ERR_SUPERSEDED);
    cr_assert_eq(shown(site, "P1", "DP1").state, TARGET_PENDING);
    cr_assert_eq(shown(site, "P1", "DP1").attempts, 0u);
    target_begin_t *m = MAKE(site, target_begin);
    m->target = row.target;
    m->revision = row.revision;
    cr_assert_eq(REFUSED(site, target_begin), ERR_SUPERSEDED);
    site_end(site);
}

Test(targets, d17_work_that_ended_with_nonsense_is_due_again)
{
    site_t *site = two_points();
    due_row_t row = due_on(site, "DP1"); /* taken up, and never begun: it has no lease */
    row.root = root_of(9);
    cr_assert_eq(outcome(site, &row, OK, TARGET_INSTALLED, 1, RECORD_NONE), ERR_SUPERSEDED);
    cr_assert_eq(shown(site, "P1", "DP1").state, TARGET_PENDING);
    cr_assert_eq(shown(site, "P1", "DP1").have, 0u, "no version of ours has that root");
    world_sim_advance(site->sim, (int64_t) SPACE_PERIOD_MS * 1000000);
    cr_assert_eq(due_on(site, "DP1").target, row.target);
    site_end(site);
}

static uint32_t
full_points(site_t *site)
{
    MAKE(site, alarm_query);
    return ASK(site, alarm_query, alarm_facts)->full.count;
}

Test(targets, waiting_for_space_shows_need_and_have)
{
    site_t *site = two_points();
    due_row_t row = due_on(site, "DP1");
    cr_assert_eq(outcome(site, &row, ERR_SPACE, TARGET_WAITING, 0, SPACE_PERIOD_MS), OK);
    shown_t target = shown(site, "P1", "DP1");
    cr_assert_eq(target.state, TARGET_WAITING);
    cr_assert_eq(target.need, 500u);
    cr_assert_eq(target.free, 100u);
    uint64_t events = last_event(site);
    world_sim_advance(site->sim, (int64_t) SPACE_PERIOD_MS * 1000000);
    row = due_on(site, "DP1");
    cr_assert_eq(outcome(site, &row, ERR_SPACE, TARGET_WAITING, 0, SPACE_PERIOD_MS), OK);
    cr_assert_eq(last_event(site), events, "the same again is no event");
    cr_assert_eq(full_points(site), 1u);
    world_sim_advance(site->sim, (int64_t) SPACE_PERIOD_MS * 1000000);
    row = due_on(site, "DP1");
    begun(site, &row);
    cr_assert_eq(outcome(site, &row, OK, TARGET_INSTALLED, 1, RECORD_NONE), OK);
    cr_assert_eq(full_points(site), 0u);
    site_end(site);
}

Test(targets, retry_makes_failed_and_retrying_ones_due_now)
{
    site_t *site = two_points();
    due_row_t row = due_on(site, "DP1");
    cr_assert_eq(outcome(site, &row, ERR_NOT_OURS, TARGET_FAILED, 7, 0), OK);
    cr_assert_eq(due(site)->targets.count, 0u);
    cr_assert(retried(site, "P1", "DP1"));
    cr_assert_eq(shown(site, "P1", "DP1").attempts, 0u);
    row = due_on(site, "DP1");
    cr_assert_eq(outcome(site, &row, ERR_IO, TARGET_RETRYING, 1, RETRY_MAX_MS), OK);
    cr_assert_eq(due(site)->targets.count, 0u);
    cr_assert(retried(site, "P1", "DP1"));
    cr_assert_eq(due_on(site, "DP1").attempt, 2u, "a retry is no new first try");
    site_end(site);
}
