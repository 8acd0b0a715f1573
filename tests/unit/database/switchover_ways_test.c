/* switchover_ways_test.c - what comes in the way of a switchover: failures, pauses, moves, other
 * versions, commands that make no sense, power cuts. */
#include "switchovers_under_test.h"
#include "windows_under_test.h"

Test(switchover_ways, a_failure_is_waited_for_until_it_is_mended_or_taken_out)
{
    for (int way = 0; way < 3; way++) {
        site_t *site = three_points();
        later(site, "a,b", BARRIER, 0, 0);
        promises(site, "a");
        due_row_t row = next_on(site, "b");
        begun(site, &row);
        cr_assert_eq(outcome(site, &row, ERR_NOT_OURS, TARGET_FAILED, 1, 0), OK);
        is_in(site, SWITCHOVER_STAGING);
        cr_assert_not(is_due(site, "a"));
        if (way == 0) {
            cr_assert(retried(site, "P1", "b"));
            promises(site, "b");
        } else if (way == 1) {
            cr_assert(cancelled(site, "P1", "b"));
        } else {
            cr_assert(withdrawn(site, "P1", "b"));
        }
        is_in(site, SWITCHOVER_DECIDED);
        switches(site, "a");
        site_end(site);
    }
}

Test(switchover_ways, it_is_told_after_a_while_whom_it_waits_for_and_then_once_a_day)
{
    site_t *site = three_points();
    later(site, "a,b", BARRIER, 0, 0);
    promises(site, "a");
    clock_is(site, RING_WAITS_MS / 1000 - 1);
    cr_assert_eq(events_of(site, STATUS_SWITCHOVER_WAITS), 0u);
    clock_is(site, RING_WAITS_MS / 1000 + 1);
    clock_is(site, RING_WAITS_MS / 1000 + 4000);
    cr_assert_eq(events_of(site, STATUS_SWITCHOVER_WAITS), 1u);
    clock_is(site, RING_WAITS_MS / 1000 + 86402);
    cr_assert_eq(events_of(site, STATUS_SWITCHOVER_WAITS), 2u);
    site_end(site);
}

Test(switchover_ways, another_version_is_staged_by_all_before_anybody_switches)
{
    site_t *site = three_points();
    later(site, "a,b", BARRIER, 0, 0);
    promises(site, "a");
    cr_assert(package_updated(site, "P1", 2));
    promises(site, "b");
    is_in(site, SWITCHOVER_STAGING);
    promises(site, "a");
    is_in(site, SWITCHOVER_DECIDED);
    cr_assert_eq(next_on(site, "a").epoch, 2u);
    site_end(site);
}

Test(switchover_ways, a_group_that_has_switched_goes_the_same_way_with_the_next_version)
{
    site_t *site = three_points();
    later(site, "a,b", BARRIER, 0, 100);
    promises(site, "a");
    promises(site, "b");
    switches(site, "a");
    switches(site, "b");
    cr_assert(package_updated(site, "P1", 2));
    promises(site, "b");
    is_in(site, SWITCHOVER_STAGING);
    clock_is(site, 1000);
    is_in(site, SWITCHOVER_STAGING);
    cr_assert_eq(shown(site, "P1", "b").have, 1u);
    promises(site, "a");
    is_in(site, SWITCHOVER_DECIDED);
    switches(site, "a");
    cr_assert_eq(shown(site, "P1", "a").have, 2u);
    site_end(site);
}

Test(switchover_ways, an_update_is_staged_by_all_who_have_the_package_when_it_is_asked_for_so)
{
    site_t *site = three_points();
    cr_assert(distributed(site, "P1", "a,b"));
    switches(site, "a");
    switches(site, "b");
    make_version(site, false, "P1", 2);
    version_commit_t *m = (version_commit_t *) site->message.base;
    m->activate_at = WALL_START + 100 * S;
    cr_assert(ASK(site, version_commit, package_done)->changed);
    promises(site, "a");
    cr_assert_eq(shown(site, "P1", "a").have, 1u);
    clock_is(site, 100);
    switches(site, "a");
    switches(site, "b");
    is_in(site, SWITCHOVER_DONE);
    make_version(site, false, "P1", 3);
    ((version_commit_t *) site->message.base)->activate_at = WALL_START - S;
    cr_assert_eq(REFUSED(site, version_commit), ERR_BAD_VALUE);
    state_is(site, "a", TARGET_INSTALLED);
    site_end(site);
}

Test(switchover_ways, a_rollback_goes_to_all_at_once)
{
    site_t *site = three_points();
    cr_assert(distributed(site, "P1", "a,b"));
    switches(site, "a");
    switches(site, "b");
    cr_assert(package_updated(site, "P1", 2));
    cr_assert(cancelled(site, "P1", NULL));
    later(site, "a,b", BARRIER, 0, 0);
    promises(site, "a");
    make_rollback(site, "P1", "1");
    cr_assert(ASK(site, rollback, package_done)->changed);
    is_in(site, SWITCHOVER_CANCELLED);
    switches(site, "a");
    switches(site, "b");
    site_end(site);
}

Test(switchover_ways, a_cancel_before_the_decision_ends_it_and_a_new_one_may_begin)
{
    site_t *site = three_points();
    later(site, "a,b", BARRIER, 0, 0);
    promises(site, "a");
    cr_assert(cancelled(site, "P1", NULL));
    is_in(site, SWITCHOVER_CANCELLED);
    state_is(site, "a", TARGET_CANCELLED);
    later(site, "a,b", BARRIER, 0, 0);
    promises(site, "a");
    promises(site, "b");
    is_in(site, SWITCHOVER_DECIDED);
    site_end(site);
}

Test(switchover_ways, a_paused_point_holds_the_barrier_and_a_held_promise_outlives_the_pause)
{
    site_t *site = three_points();
    later(site, "a,b", BARRIER, 0, 0);
    promises(site, "a");
    for (int resumes = 0; resumes < 2; resumes++) {
        if (resumes == 0) {
            dp_pause_t *m = MAKE(site, dp_pause);
            HEAD(site, m);
            m->name = site_text(site, "a");
            (void) ASK(site, dp_pause, done);
            promises(site, "b");
            is_in(site, SWITCHOVER_STAGING);
        } else {
            dp_resume_t *m = MAKE(site, dp_resume);
            HEAD(site, m);
            m->name = site_text(site, "a");
            (void) ASK(site, dp_resume, done);
        }
    }
    is_in(site, SWITCHOVER_DECIDED);
    switches(site, "a");
    site_end(site);
}

/* Who was staged in its window lacks no content, and switches with the others. */
Test(switchover_ways, what_has_promised_switches_outside_of_its_window)
{
    site_t *site = three_points();
    put_zone(site, "Europe/Berlin");
    cr_assert(windows_are(site, "a", NIGHTS, "Europe/Berlin"));
    clock_is(site, (OPENS - WALL_START) / S + 1);
    later(site, "a,b", BARRIER, 0, 0);
    promises(site, "a");
    clock_is(site, (CLOSES - WALL_START) / S + 1);
    promises(site, "b");
    is_in(site, SWITCHOVER_DECIDED);
    switches(site, "a");
    site_end(site);
}

Test(switchover_ways, what_has_the_version_already_has_nothing_to_stage)
{
    site_t *site = three_points();
    cr_assert(distributed(site, "P1", "a"));
    switches(site, "a");
    later(site, "a,b", BARRIER, 0, 0);
    state_is(site, "a", TARGET_INSTALLED);
    cr_assert_eq(switchover(site).points, 1u);
    promises(site, "b");
    switches(site, "b");
    make_later(site, "a,b", BARRIER, 0, 0);
    cr_assert_not(ASK(site, distribute, targets_changed)->changed);
    is_in(site, SWITCHOVER_DONE);
    site_end(site);
}

Test(switchover_ways, what_is_decided_is_not_staged_again_before_it_is_over)
{
    site_t *site = three_points();
    later(site, "a,b", BARRIER, 0, 0);
    promises(site, "a");
    promises(site, "b");
    switches(site, "a");
    make_later(site, "a,b", BARRIER, 0, 0);
    cr_assert_eq(REFUSED(site, distribute), ERR_BUSY);
    make_distribute(site, "P1", "a,b");
    texts_t rings = site_texts(site, "10,100");
    ((distribute_t *) site->message.base)->rings = rings;
    cr_assert_eq(REFUSED(site, distribute), ERR_BUSY);
    state_is(site, "b", TARGET_PROMISED);
    switches(site, "b");
    is_in(site, SWITCHOVER_DONE);
    site_end(site);
}

Test(switchover_ways, a_promise_does_not_move_with_its_point)
{
    site_t *site = three_points();
    later(site, "a,b", BARRIER, 0, 0);
    promises(site, "a");
    make_point(site, false, "a", 'a');
    text_t root = site_text(site, "/elsewhere");
    ((point_commit_t *) site->message.base)->root = root;
    ((point_commit_t *) site->message.base)->written = true;
    (void) ASK(site, point_commit, done);
    promises(site, "b");
    is_in(site, SWITCHOVER_STAGING);
    promises(site, "a");
    is_in(site, SWITCHOVER_DECIDED);
    site_end(site);
}

Test(switchover_ways, a_point_that_is_forgotten_is_waited_for_no_more)
{
    site_t *site = three_points();
    later(site, "a,b", BARRIER, 0, 0);
    promises(site, "a");
    dp_remove_t *m = MAKE(site, dp_remove);
    HEAD(site, m);
    m->name = site_text(site, "b");
    m->forget = true;
    (void) ASK(site, dp_remove, done);
    is_in(site, SWITCHOVER_DECIDED);
    switches(site, "a");
    is_in(site, SWITCHOVER_DONE);
    site_end(site);
}

Test(switchover_ways, what_makes_no_sense_is_refused_and_changes_nothing)
{
    static const struct {
        bool barrier;
        int64_t at, deadline;
    } bad[] = {{ALONE, -1, 0},      {BARRIER, -1, 0},        {ALONE, 0, 100},
               {BARRIER, 0, -100},  {BARRIER, 200, 100},     {ALONE, 100, 200},
               {BARRIER, 100, 100}, {ALONE, 500 * 86400, 0}, {BARRIER, 0, 500 * 86400}};
    site_t *site = three_points();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        make_later(site, "a", bad[i].barrier, bad[i].at, bad[i].deadline);
        cr_assert_eq(REFUSED(site, distribute), ERR_BAD_VALUE, "of case %zu", i);
        cr_assert_not(shown(site, "P1", "a").there);
    }
    make_later(site, "a", BARRIER, 0, 0);
    texts_t rings = site_texts(site, "10,100");
    ((distribute_t *) site->message.base)->rings = rings;
    cr_assert_eq(REFUSED(site, distribute), ERR_BAD_VALUE);
    later(site, "a,b", BARRIER, 0, 0);
    make_later(site, "c", BARRIER, 0, 0);
    cr_assert_eq(REFUSED(site, distribute), ERR_BUSY);
    make_distribute(site, "P1", "a");
    cr_assert_eq(REFUSED(site, distribute), ERR_BUSY, "a point of it was taken out unseen");
    make_distribute(site, "P1", "c");
    rings = site_texts(site, "10,100");
    ((distribute_t *) site->message.base)->rings = rings;
    cr_assert_eq(REFUSED(site, distribute), ERR_BUSY);
    cr_assert(distributed(site, "P1", "c"), "a point that is not of it cannot have the version");
    switches(site, "c");
    site_end(site);
}

/* ---- power cuts ---- */

/* A site of its own fate; a has promised, and b has work in hand whose end is the decision. */
static site_t *
one_promise_short(uint64_t seed, due_row_t *ret_last)
{
    fault_t fault;
    world_sim_options_t options = {.seed = seed, .wall_start_ns = WALL_START};
    site_t *site = site_on(world_sim_new(&options));
    cr_assert_eq(site_open(site, &fault), OK);
    package_is(site, "P1", 1);
    point_is(site, "a");
    point_is(site, "b");
    later(site, "a,b", BARRIER, 0, 100);
    promises(site, "a");
    *ret_last = next_on(site, "b");
    begun(site, ret_last);
    return site;
}

/* Whether anybody was told to switch. */
static bool
an_instruction_left(site_t *site)
{
    bool left = false;
    due_targets_t *m = MAKE(site, due_targets);
    m->run = site->run;
    m->run.byte[0]++;
    add(site, &due_targets_type);
    const group_answers_t *answers = run(site);
    if (ROW(answers, answers->answers, 0, group_answer_t)->number != MSG_due) {
        return false;
    }
    const due_t *taken = ANSWERED(site, 0, due);
    for (uint32_t i = 0; i < taken->targets.count; i++) {
        left = left || ROW(taken, taken->targets, i, due_row_t)->action == ACTION_INSTALL;
    }
    return left;
}

static void
judge_decision(site_t *site, uint64_t cut, bool told)
{
    uint32_t state = switchover(site).state;
    cr_assert(!told || state == SWITCHOVER_DECIDED,
              "cut %d: it was told that it is decided, and it is %s", (int) cut,
              switchover_state_words.word[state]);
    cr_assert_eq(events_of(site, STATUS_SWITCHOVER_DECIDED), state == SWITCHOVER_DECIDED ? 1u : 0u);
    if (state == SWITCHOVER_DECIDED) {
        clock_is(site, 200);
        is_in(site, SWITCHOVER_DECIDED);
    } else {
        cr_assert_not(is_due(site, "a"), "cut %d: half of a decision", (int) cut);
        promises(site, "b");
    }
    switches(site, "a");
    switches(site, "b");
    is_in(site, SWITCHOVER_DONE);
    cr_assert_eq(events_of(site, STATUS_SWITCHOVER_DECIDED), 1u);
}

/* False when it came to its end. */
static bool
decision_cut(uint64_t cut)
{
    due_row_t last;
    site_t *site = one_promise_short(5000 + cut, &last);
    world_sim_cut_after(site->sim, cut);
    bool told = outcome(site, &last, OK, TARGET_PROMISED, 1, RECORD_NONE) == OK;
    told = an_instruction_left(site) || told;
    bool was_cut = world_sim_is_cut(site->sim);
    world_sim_crash(site->sim);
    world_sim_cut_after(site->sim, 0);
    site_reopen(site);
    judge_decision(site, cut, told);
    site_end(site);
    return was_cut;
}

Test(switchover_ways, the_decision_is_made_or_not_and_never_half_cut_at_every_operation)
{
    uint64_t cut = 1;
    while (decision_cut(cut)) {
        cut++;
    }
    cr_assert_gt(cut, 4u, "only %d cuts were made", (int) cut);
}
