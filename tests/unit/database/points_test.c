/* points_test.c - withdrawal, removal, pausing, absence, groups and verify: the rules around
 * points. */
#include "site_under_test.h"

Test(withdraw, it_is_done_when_the_point_says_the_content_is_gone)
{
    site_t *site = two_points();
    installed(site, "DP1");
    cr_assert(withdrawn(site, "P1", "DP1,DP2"));
    cr_assert_eq(shown(site, "P1", "DP1").state, TARGET_REMOVING);
    cr_assert_eq(shown(site, "P1", "DP2").state, TARGET_REMOVING, "something may be staged");
    cr_assert_eq(package_shown_state(site, "P1"), PACKAGE_ACTIVE, "removing is not final");
    due_row_t row = due_on(site, "DP1");
    cr_assert_eq(row.action, ACTION_REMOVE);
    cr_assert_eq(outcome(site, &row, ERR_ABSENT, TARGET_REMOVING, 0, 1000), OK);
    cr_assert_eq(shown(site, "P1", "DP1").state, TARGET_REMOVING, "a tombstone until it is back");
    cr_assert_eq(shown(site, "P1", "DP1").cause, ERR_ABSENT);
    world_sim_advance(site->sim, INT64_C(1000000000));
    removed(site, "DP1");
    cr_assert_eq(shown(site, "P1", "DP1").state, TARGET_REMOVED);
    cr_assert_eq(shown(site, "P1", "DP1").have, 0u);
    cr_assert(distributed(site, "P1", "DP1"), "and it can be wanted again");
    cr_assert_eq(shown(site, "P1", "DP1").state, TARGET_PENDING);
    site_end(site);
}

Test(packages, one_that_holds_content_is_not_removed_without_withdraw)
{
    site_t *site = two_points();
    installed(site, "DP1");
    package_remove_t *m = MAKE(site, package_remove);
    HEAD(site, m);
    m->id = site_text(site, "P1");
    cr_assert_eq(REFUSED(site, package_remove), ERR_IN_USE);
    eq_text(ANSWERED(site, 0, refusal), ANSWERED(site, 0, refusal)->message,
            "cannot remove 'P1': 2 distribution points hold it");
    m = MAKE(site, package_remove);
    HEAD(site, m);
    m->id = site_text(site, "P1");
    m->withdraw = true;
    cr_assert(ASK(site, package_remove, done)->changed);
    make_distribute(site, "P1", "DP1");
    cr_assert_eq(REFUSED(site, distribute), ERR_BUSY);
    removed(site, "DP1");
    site->run.byte[0]++;
    removed(site, "DP2");
    MAKE(site, package_list);
    cr_assert_eq(ASK(site, package_list, packages)->packages.count, 0u);
    cr_assert_eq(events_of(site, STATUS_PACKAGE_REMOVED), 1u);
    package_is(site, "P1", 1);
    site_end(site);
}

static void
make_dp_remove(site_t *site, const char *name, bool withdraw, bool forget)
{
    dp_remove_t *m = MAKE(site, dp_remove);
    HEAD(site, m);
    m->name = site_text(site, name);
    m->withdraw = withdraw;
    m->forget = forget;
}

static uint32_t
points_count(site_t *site)
{
    MAKE(site, dp_list);
    return ASK(site, dp_list, points)->dps.count;
}

/* The answer to a step of a point on its way out. */
static err_t
step(site_t *site, const char *name, int incarnation, bool emptied)
{
    point_leave_t *m = MAKE(site, point_leave);
    m->dp = site_text(site, name);
    m->dp_root = site_text(site, strcmp(name, "DP1") == 0 ? "/dp/DP1" : "/dp/DP2");
    memset(m->dp_incarnation.byte, incarnation, sizeof m->dp_incarnation.byte);
    m->emptied = emptied;
    return REFUSED(site, point_leave);
}

/* Who is to be given free now: 0 nobody, 1 one to be emptied, 2 one that was. */
static int
leaving(site_t *site)
{
    leaving_points_t *m = MAKE(site, leaving_points);
    m->limit = 4;
    const points_listed_t *listed = ASK(site, leaving_points, points_listed);
    cr_assert_leq(listed->points.count, 1u);
    return listed->points.count == 0 ? 0 : 1 + ROW(listed, listed->points, 0, point_ref_t)->emptied;
}

Test(points, one_that_leaves_does_so_in_steps_that_a_restart_does_not_forget)
{
    site_t *site = two_points();
    installed(site, "DP1");
    make_dp_remove(site, "DP1", true, false);
    cr_assert_eq(REFUSED(site, dp_remove), OK);
    cr_assert_eq(leaving(site), 0, "it holds content");
    cr_assert_eq(step(site, "DP1", '1', false), ERR_SUPERSEDED);
    removed(site, "DP1");
    cr_assert_eq(leaving(site), 1);
    cr_assert_eq(step(site, "DP1", '1', true), ERR_SUPERSEDED, "it was not emptied");
    cr_assert_eq(step(site, "DP1", '2', false), ERR_SUPERSEDED, "another incarnation");
    cr_assert_eq(step(site, "DP1", '1', false), OK);
    site_reopen(site);
    cr_assert_eq(leaving(site), 2, "its identity may be gone already");
    cr_assert_eq(step(site, "DP2", '2', false), ERR_SUPERSEDED, "nobody removes it");
    cr_assert_eq(step(site, "DP1", '1', true), OK);
    cr_assert_eq(leaving(site), 0);
    cr_assert_eq(events_of(site, STATUS_POINT_REMOVED), 1u);
    cr_assert_eq(step(site, "DP1", '1', true), ERR_SUPERSEDED);
    site_end(site);
}

Test(points, one_that_leaves_and_is_absent_is_waited_for_and_emptied_anew_at_another_root)
{
    site_t *site = two_points();
    make_dp_remove(site, "DP1", true, false);
    cr_assert_eq(REFUSED(site, dp_remove), OK);
    removed(site, "DP1");
    cr_assert_eq(step(site, "DP1", '1', false), OK);
    looked_t *m = MAKE(site, looked);
    m->dp = site_text(site, "DP1");
    m->dp_root = site_text(site, "/dp/DP1");
    memset(m->dp_incarnation.byte, '1', sizeof m->dp_incarnation.byte);
    m->err = ERR_ABSENT;
    cr_assert_eq(ASK(site, looked, points_listed)->points.count, 1u);
    cr_assert_eq(leaving(site), 0);
    make_point(site, false, "DP1", 7); /* another root */
    cr_assert_eq(REFUSED(site, point_commit), OK);
    cr_assert_eq(leaving(site), 1, "it is back, with an identity at its new root");
    site_end(site);
}

Test(points, one_that_holds_content_is_not_removed_without_withdraw_or_forget)
{
    site_t *site = two_points();
    installed(site, "DP1");
    make_dp_remove(site, "DP1", false, false);
    cr_assert_eq(REFUSED(site, dp_remove), ERR_IN_USE);
    make_dp_remove(site, "DP1", true, false);
    cr_assert_eq(REFUSED(site, dp_remove), OK);
    cr_assert_eq(points_count(site), 2u, "it stays until its content is gone");
    removed(site, "DP1");
    cr_assert_eq(points_count(site), 2u, "and until its root is given free");
    cr_assert_eq(step(site, "DP1", '1', false), OK);
    cr_assert_eq(step(site, "DP1", '1', true), OK);
    cr_assert_eq(points_count(site), 1u);
    make_dp_remove(site, "DP2", false, true);
    cr_assert_eq(REFUSED(site, dp_remove), OK);
    cr_assert_eq(points_count(site), 0u);
    cr_assert_eq(package_shown_state(site, "P1"), PACKAGE_IDLE);
    site_end(site);
}

Test(points, one_where_cancelled_work_may_have_left_files_is_not_removed_without_withdraw_or_forget)
{
    site_t *site = two_points();
    due_row_t row = due_on(site, "DP1");
    begun(site, &row);
    cr_assert(cancelled(site, "P1", "DP1"));
    cr_assert(cancelled(site, "P1", "DP2"));
    make_dp_remove(site, "DP2", false, false);
    cr_assert_eq(REFUSED(site, dp_remove), OK, "nothing came to it");
    cr_assert_eq(step(site, "DP2", '2', false), OK);
    cr_assert_eq(step(site, "DP2", '2', true), OK);
    make_dp_remove(site, "DP1", false, false);
    cr_assert_eq(REFUSED(site, dp_remove), ERR_IN_USE);
    make_dp_remove(site, "DP1", true, false);
    cr_assert_eq(REFUSED(site, dp_remove), OK);
    removed(site, "DP1");
    cr_assert_eq(leaving(site), 1);
    site_end(site);
}

Test(packages, one_being_removed_goes_when_the_last_point_that_held_it_is_forgotten)
{
    site_t *site = two_points();
    package_remove_t *m = MAKE(site, package_remove);
    HEAD(site, m);
    m->id = site_text(site, "P1");
    m->withdraw = true;
    cr_assert(ASK(site, package_remove, done)->changed);
    removed(site, "DP1");
    make_dp_remove(site, "DP2", false, true);
    cr_assert_eq(REFUSED(site, dp_remove), OK);
    MAKE(site, package_list);
    cr_assert_eq(ASK(site, package_list, packages)->packages.count, 0u);
    site_end(site);
}

Test(packages, a_cancelled_removal_leaves_the_package_where_it_is)
{
    site_t *site = two_points();
    installed(site, "DP1");
    package_remove_t *m = MAKE(site, package_remove);
    HEAD(site, m);
    m->id = site_text(site, "P1");
    m->withdraw = true;
    cr_assert(ASK(site, package_remove, done)->changed);
    cr_assert(cancelled(site, "P1", NULL));
    cr_assert_eq(shown(site, "P1", "DP1").state, TARGET_CANCELLED);
    cr_assert_eq(shown(site, "P1", "DP1").have, 1u, "its content is where it was");
    cr_assert(distributed(site, "P1", "DP1"), "and it can be wanted again");
    site_end(site);
}

Test(points, a_paused_one_starts_no_work_and_a_resumed_one_does)
{
    site_t *site = two_points();
    dp_pause_t *m = MAKE(site, dp_pause);
    HEAD(site, m);
    m->name = site_text(site, "DP1");
    cr_assert(ASK(site, dp_pause, done)->changed);
    cr_assert_eq(shown(site, "P1", "DP1").state, TARGET_WAITING);
    cr_assert_eq(shown(site, "P1", "DP1").cause, ERR_PAUSED);
    cr_assert_eq(due(site)->targets.count, 1u);
    package_updated(site, "P1", 2);
    cr_assert_eq(shown(site, "P1", "DP1").state, TARGET_WAITING);
    dp_resume_t *resume = MAKE(site, dp_resume);
    HEAD(site, resume);
    resume->name = site_text(site, "DP1");
    cr_assert(ASK(site, dp_resume, done)->changed);
    cr_assert_eq(shown(site, "P1", "DP1").state, TARGET_PENDING);
    installed(site, "DP1");
    site_end(site);
}

Test(points, pausing_takes_back_what_waits_for_a_slot_and_lets_work_in_hand_end)
{
    site_t *site = two_points();
    package_is(site, "P2", 2);
    distributed(site, "P2", "DP1");
    due_row_t row = due_on(site, "DP1"); /* of P1, the first */
    begun(site, &row);
    dp_pause_t *m = MAKE(site, dp_pause);
    HEAD(site, m);
    m->name = site_text(site, "DP1");
    add(site, &dp_pause_type);
    cr_assert_eq(run(site)->stopped.count, 1u);
    cr_assert_eq(shown(site, "P2", "DP1").state, TARGET_WAITING);
    cr_assert_eq(shown(site, "P1", "DP1").state, TARGET_INSTALLING);
    cr_assert_eq(outcome(site, &row, OK, TARGET_INSTALLED, 1, RECORD_NONE), OK);
    cr_assert_eq(shown(site, "P1", "DP1").state, TARGET_INSTALLED);
    site_end(site);
}

static void
returned(site_t *site, const char *dp)
{
    point_returned_t *m = MAKE(site, point_returned);
    m->dp = site_text(site, dp);
    for (size_t i = 0; i < sizeof m->dp_incarnation.byte; i++) {
        m->dp_incarnation.byte[i] = (uint8_t) dp[2];
    }
    cr_assert_eq(REFUSED(site, point_returned), OK);
}

Test(points, the_targets_of_one_that_is_back_are_due_now)
{
    site_t *site = two_points();
    due_row_t row = due_on(site, "DP1");
    cr_assert_eq(outcome(site, &row, ERR_ABSENT, TARGET_RETRYING, 0, RETRY_MAX_MS), OK);
    cr_assert_eq(events_of(site, STATUS_POINT_ABSENT), 1u);
    MAKE(site, absent_points);
    cr_assert_eq(ASK(site, absent_points, points_listed)->points.count, 1u);
    cr_assert_eq(due(site)->targets.count, 0u);
    returned(site, "DP1");
    cr_assert_eq(events_of(site, STATUS_POINT_RETURNED), 1u);
    cr_assert_eq(due_on(site, "DP1").target, row.target);
    MAKE(site, absent_points);
    cr_assert_eq(ASK(site, absent_points, points_listed)->points.count, 0u);
    site_end(site);
}

Test(points, one_that_is_back_reopens_what_failed_by_exhaustion_and_not_what_failed_for_good)
{
    site_t *site = two_points();
    package_is(site, "P2", 2);
    distributed(site, "P2", "DP1");
    due_row_t exhausted = due_on(site, "DP1");
    cr_assert_eq(outcome(site, &exhausted, ERR_IO, TARGET_FAILED, ATTEMPTS_MAX, 0), OK);
    site->run.byte[0]++;
    due_row_t refused = due_on(site, "DP1");
    cr_assert_eq(outcome(site, &refused, ERR_NOT_OURS, TARGET_FAILED, 1, 0), OK);
    returned(site, "DP1");
    cr_assert_eq(shown(site, "P1", "DP1").state, TARGET_PENDING);
    cr_assert_eq(shown(site, "P1", "DP1").attempts, 0u);
    cr_assert_eq(shown(site, "P2", "DP1").state, TARGET_FAILED);
    site_end(site);
}

Test(points, under_a_new_identity_one_is_not_known_to_hold_anything)
{
    site_t *site = two_points();
    installed(site, "DP1");
    make_point(site, false, "DP1", 99);
    cr_assert(ASK(site, point_commit, done)->changed);
    cr_assert_eq(shown(site, "P1", "DP1").state, TARGET_PENDING);
    cr_assert_eq(shown(site, "P1", "DP1").have, 0u);
    make_point(site, false, "DP1", 99);
    cr_assert(!ASK(site, point_commit, done)->changed);
    site_end(site);
}

/* The same identity in an empty directory: only a receipt may say installed again. */
Test(points, at_another_root_one_is_not_known_to_hold_anything)
{
    site_t *site = two_points();
    installed(site, "DP1");
    make_point(site, false, "DP1", '1');
    ((point_commit_t *) site->message.base)->root = site_text(site, "/elsewhere");
    cr_assert(ASK(site, point_commit, done)->changed);
    cr_assert_eq(shown(site, "P1", "DP1").state, TARGET_PENDING);
    cr_assert_eq(shown(site, "P1", "DP1").have, 0u);
    site_end(site);
}

Test(groups, one_stands_for_its_points)
{
    site_t *site = site_start();
    package_is(site, "P1", 1);
    point_is(site, "DP1");
    point_is(site, "DP2");
    group_add_t *m = MAKE(site, group_add);
    HEAD(site, m);
    m->name = site_text(site, "east");
    m->dps = site_texts(site, "DP1,DP2");
    cr_assert(ASK(site, group_add, done)->changed);
    make_distribute(site, "P1", "@East,DP1");
    const targets_changed_t *changed = ASK(site, distribute, targets_changed);
    cr_assert_eq(changed->targets.count, 2u, "each once");
    make_distribute(site, "P1", "@west");
    cr_assert_eq(REFUSED(site, distribute), ERR_NOT_FOUND);
    MAKE(site, group_list);
    const groups_t *groups = ASK(site, group_list, groups);
    cr_assert_eq(groups->groups.count, 1u);
    cr_assert_eq(ROW(groups, groups->groups, 0, group_row_t)->dps.count, 2u);
    site_end(site);
}

Test(verify, the_plan_names_what_is_installed_and_damage_is_repaired_by_an_install)
{
    site_t *site = two_points();
    installed(site, "DP1");
    verify_plan_t *m = MAKE(site, verify_plan);
    HEAD(site, m);
    m->id = site_text(site, "P1");
    const due_t *plan = ASK(site, verify_plan, due);
    cr_assert_eq(plan->targets.count, 1u);
    due_row_t row = *ROW(plan, plan->targets, 0, due_row_t);
    cr_assert_eq(row.action, ACTION_VERIFY);
    begun(site, &row);
    cr_assert_eq(shown(site, "P1", "DP1").state, TARGET_INSTALLED);
    target_damaged_t *damage = MAKE(site, target_damaged);
    damage->target = row.target;
    damage->revision = row.revision;
    damage->text = site_text(site, "2 files changed");
    cr_assert_eq(REFUSED(site, target_damaged), OK);
    cr_assert_eq(shown(site, "P1", "DP1").state, TARGET_PENDING);
    cr_assert_eq(events_of(site, STATUS_TARGET_DAMAGED), 1u);
    installed(site, "DP1");
    site_end(site);
}

Test(store, live_roots_are_those_that_a_package_or_target_wants_or_has)
{
    site_t *site = two_points();
    installed(site, "DP1");
    package_updated(site, "P1", 2);
    package_updated(site, "P1", 3);
    MAKE(site, live_roots);
    const roots_t *roots = ASK(site, live_roots, roots);
    cr_assert_eq(roots->roots.count, 2u, "1 is at DP1, 3 is wanted, 2 is nowhere");
    cr_assert_eq(ROW(roots, roots->roots, 0, root_ref_t)->root.byte[0], 1u);
    cr_assert_eq(ROW(roots, roots->roots, 1, root_ref_t)->root.byte[0], 3u);
    package_is(site, "P0", 3);
    MAKE(site, live_roots)->named = true;
    roots = ASK(site, live_roots, roots);
    cr_assert_eq(roots->roots.count, 3u, "the same root of another package, too");
    const root_ref_t *first = ROW(roots, roots->roots, 0, root_ref_t);
    cr_assert(slice_equal(record_slice(roots, first->id), slice_of("P0")));
    cr_assert_eq(first->epoch, 1u);
    site_end(site);
}

static uint32_t
live_roots_of(site_t *site)
{
    MAKE(site, live_roots);
    return ASK(site, live_roots, roots)->roots.count;
}

Test(store, a_superseded_version_stays_until_its_point_has_taken_it_away)
{
    site_t *site = two_points();
    installed(site, "DP1");
    package_updated(site, "P1", 2);
    due_row_t row = due_on(site, "DP1");
    begun(site, &row);
    cr_assert_eq(outcome(site, &row, OK, TARGET_INSTALLED, 1, RECORD_NONE), OK);
    cr_assert_eq(live_roots_of(site), 2u, "the files of 1 are at DP1 still");
    for (uint64_t epoch = 1; epoch <= 2; epoch++) {
        target_tidied_t *m = MAKE(site, target_tidied);
        m->target = row.target;
        m->epoch = epoch;
        cr_assert_eq(REFUSED(site, target_tidied), OK);
        cr_assert_eq(live_roots_of(site), epoch == 1 ? 2u : 1u);
    }
    site_end(site);
}

static const due_t *
untidied_after(site_t *site, uint64_t after)
{
    untidied_t *m = MAKE(site, untidied);
    m->after = after;
    m->limit = 1;
    return ASK(site, untidied, due);
}

static void
all_due_installed(site_t *site)
{
    due_row_t row[2];
    const due_t *taken = due(site);
    cr_assert_eq(taken->targets.count, 2u);
    for (uint32_t i = 0; i < 2; i++) {
        row[i] = *ROW(taken, taken->targets, i, due_row_t);
    }
    for (uint32_t i = 0; i < 2; i++) {
        begun(site, &row[i]);
        cr_assert_eq(outcome(site, &row[i], OK, TARGET_INSTALLED, 1, RECORD_NONE), OK);
    }
}

Test(store, points_that_may_hold_superseded_versions_are_named_until_they_have_collected)
{
    site_t *site = two_points();
    all_due_installed(site);
    cr_assert_eq(untidied_after(site, 0)->targets.count, 0u, "nothing was superseded");
    package_updated(site, "P1", 2);
    cr_assert_eq(untidied_after(site, 0)->targets.count, 0u,
                 "the old version is still wanted there");
    all_due_installed(site);
    const due_t *due = untidied_after(site, 0);
    cr_assert(due->targets.count == 1 && due->more);
    due_row_t row = *ROW(due, due->targets, 0, due_row_t);
    eq_text(due, row.dp, "DP1");
    cr_assert_eq(row.epoch, 2u);
    due = untidied_after(site, row.target);
    eq_text(due, ROW(due, due->targets, 0, due_row_t)->dp, "DP2");
    target_tidied_t *m = MAKE(site, target_tidied);
    m->target = row.target;
    m->epoch = row.epoch;
    cr_assert_eq(REFUSED(site, target_tidied), OK);
    due = untidied_after(site, 0);
    eq_text(due, ROW(due, due->targets, 0, due_row_t)->dp, "DP2");
    site_end(site);
}

Test(store, a_version_that_was_begun_and_superseded_stays_and_goes_with_the_removal)
{
    site_t *site = two_points();
    due_row_t row = due_on(site, "DP1");
    begun(site, &row);
    package_updated(site, "P1", 2);
    row = due_on(site, "DP1");
    begun(site, &row);
    package_updated(site, "P1", 3);
    installed(site, "DP1");
    cr_assert_eq(live_roots_of(site), 3u, "of 1 and 2 something may be at DP1");
    cr_assert(withdrawn(site, "P1", "DP1"));
    cr_assert_eq(shown(site, "P1", "DP1").wanted, 0u, "it should have nothing");
    removed(site, "DP1");
    cr_assert_eq(live_roots_of(site), 1u, "the package's own stays");
    site_end(site);
}

Test(status, it_shows_progress_of_work_in_hand)
{
    site_t *site = two_points();
    due_row_t row = due_on(site, "DP1");
    begun(site, &row);
    progress_t *m = MAKE(site, progress);
    m->target = row.target;
    m->package = site_text(site, "P1");
    m->bytes_done = 400;
    add(site, &progress_type);
    run(site);
    cr_assert_eq(shown(site, "P1", "DP1").bytes_done, 400u);
    cr_assert_eq(outcome(site, &row, OK, TARGET_INSTALLED, 1, RECORD_NONE), OK);
    cr_assert_eq(shown(site, "P1", "DP1").bytes_done, 1000u);
    site_end(site);
}
