/* windows_test.c - the rules of windows, as an operator would state them. */
#include "windows_under_test.h"

static err_t
windows_refused(site_t *site, const char *windows, const char *zone)
{
    make_windows(site, "DP1", windows, zone);
    return REFUSED(site, dp_set);
}

/* P1 is wanted on DP1, which has nights, and on DP2, which has none. */
static site_t *
by_night(void)
{
    site_t *site = two_points();
    put_zone(site, "Europe/Berlin");
    cr_assert(windows_are(site, "DP1", NIGHTS, "Europe/Berlin"));
    return site;
}

static void
clock_shows(site_t *site, int64_t wall_ns)
{
    world_sim_set_wall(site->sim, wall_ns);
}

static bool
is_due(site_t *site, const char *dp)
{
    const due_t *taken = due(site);
    for (uint32_t i = 0; i < taken->targets.count; i++) {
        if (slice_equal(record_slice(taken, ROW(taken, taken->targets, i, due_row_t)->dp),
                        slice_of(dp))) {
            return true;
        }
    }
    return false;
}

static void
waits_until(site_t *site, int64_t opens)
{
    shown_t now = shown(site, "P1", "DP1");
    cr_assert(now.state == TARGET_WAITING && now.cause == ERR_WINDOW && now.due == opens &&
                  now.attempts == 0,
              "it is in state %d, cause %s, until %lld (expected %lld), attempts %u", now.state,
              err_word(now.cause), (long long) now.due, (long long) opens, now.attempts);
}

static point_row_t
point_shown(site_t *site, const char *dp)
{
    dp_show_t *m = MAKE(site, dp_show);
    HEAD(site, m);
    m->name = site_text(site, dp);
    const point_shown_t *answer = ASK(site, dp_show, point_shown);
    return *ROW(answer, answer->dp, 0, point_row_t);
}

Test(windows, work_waits_for_its_window_says_until_when_and_begins_when_it_opens)
{
    site_t *site = by_night();
    waits_until(site, OPENS);
    cr_assert(!is_due(site, "DP1"), "work outside its window is due");
    cr_assert_eq(events_of(site, STATUS_TARGET_WINDOW), 1u);
    clock_shows(site, OPENS - 1);
    cr_assert(!is_due(site, "DP1"), "it is due before it opens");
    clock_shows(site, OPENS);
    installed(site, "DP1");
    cr_assert_eq(shown(site, "P1", "DP1").attempts, 1u);
    cr_assert_eq(events_of(site, STATUS_TARGET_WINDOW), 1u, "it was told again");
    site_end(site);
}

Test(windows, who_asks_what_is_due_hears_when_the_next_window_opens_or_closes)
{
    site_t *site = by_night();
    due_row_t other = due_on(site, "DP2");
    begun(site, &other);
    cr_assert_eq(outcome(site, &other, OK, TARGET_INSTALLED, 1, RECORD_NONE), OK);
    cr_assert_eq(due(site)->next_ms, (uint64_t) (OPENS - WALL_START) / 1000000);
    clock_shows(site, OPENS);
    installed(site, "DP1");
    cr_assert_eq(due(site)->next_ms, (uint64_t) (8 * HOUR) / 1000000);
    site_end(site);
}

Test(windows, q317893_a_copy_into_a_directory_ends_when_its_window_closes_and_is_no_try)
{
    site_t *site = by_night();
    clock_shows(site, CLOSES - 60 * SECOND); /* its lease goes on beyond */
    due_row_t row = due_on(site, "DP1");
    begun(site, &row);
    clock_shows(site, CLOSES);
    due_targets_t *m = MAKE(site, due_targets);
    m->run = site->run;
    add(site, &due_targets_type);
    const group_answers_t *answers = run(site);
    cr_assert_eq(answers->stopped.count, 1u, "the copy in hand goes on");
    waits_until(site, OPENS + 24 * HOUR);
    cr_assert_eq(outcome(site, &row, ERR_CANCELLED, TARGET_RETRYING, 0, 5000), ERR_SUPERSEDED);
    waits_until(site, OPENS + 24 * HOUR);
    clock_shows(site, OPENS + 24 * HOUR);
    installed(site, "DP1");
    site_end(site);
}

Test(windows, what_an_agent_is_sent_ends_by_its_gateway_and_waits_then)
{
    site_t *site = site_start();
    put_zone(site, "Europe/Berlin");
    package_is(site, "P1", 1);
    make_point(site, true, "DP1", 1);
    text_t root = site_text(site, POINT_AGENT);
    ((point_commit_t *) site->message.base)->root = root;
    cr_assert(ASK(site, point_commit, done)->changed);
    cr_assert(distributed(site, "P1", "DP1"));
    cr_assert(windows_are(site, "DP1", NIGHTS, "Europe/Berlin"));
    clock_shows(site, CLOSES - 60 * SECOND);
    due_row_t row = due_on(site, "DP1");
    begun(site, &row);
    clock_shows(site, CLOSES);
    (void) due(site);
    cr_assert_eq(shown(site, "P1", "DP1").state, TARGET_INSTALLING, "it was cut");
    cr_assert_eq(outcome(site, &row, ERR_WINDOW, TARGET_WAITING, 0, SPACE_PERIOD_MS), OK);
    waits_until(site, OPENS + 24 * HOUR);
    site_end(site);
}

/* The slot is there when the window is not any more. */
static void
begins_too_late(site_t *site, const due_row_t *row)
{
    clock_shows(site, CLOSES);
    target_begin_t *m = MAKE(site, target_begin);
    *m = (target_begin_t){.target = row->target,
                          .revision = row->revision,
                          .action = row->action,
                          .slot = 1,
                          .lease_ms = LEASE_MS};
    cr_assert_eq(REFUSED(site, target_begin), ERR_SUPERSEDED);
}

Test(windows, what_waits_for_a_slot_when_its_window_closes_begins_no_more)
{
    site_t *site = by_night();
    clock_shows(site, OPENS);
    due_row_t row = due_on(site, "DP1");
    begins_too_late(site, &row);
    waits_until(site, OPENS + 24 * HOUR);
    site_end(site);
}

Test(windows, what_is_staged_begins_no_more_either)
{
    site_t *site = by_night();
    point_is(site, "DP3");
    cr_assert(windows_are(site, "DP3", NIGHTS, "Europe/Berlin"));
    make_distribute(site, "P1", "DP3");
    ((distribute_t *) site->message.base)->activate_at = OPENS + 48 * HOUR;
    cr_assert(ASK(site, distribute, targets_changed)->changed);
    clock_shows(site, OPENS);
    due_row_t row = due_on(site, "DP3");
    cr_assert_eq(row.action, ACTION_STAGE);
    begins_too_late(site, &row);
    shown_t now = shown(site, "P1", "DP3");
    cr_assert(now.state == TARGET_WAITING && now.due == OPENS + 24 * HOUR);
    site_end(site);
}

Test(windows, a_clock_that_jumps_is_believed_at_the_next_look)
{
    site_t *site = by_night();
    clock_shows(site, OPENS + 3 * 24 * HOUR + HOUR); /* on Thursday night */
    cr_assert(is_due(site, "DP1"), "it does not begin in its window");
    clock_shows(site, WALL_START + HOUR); /* back to Monday afternoon */
    cr_assert(!is_due(site, "DP1"));
    waits_until(site, OPENS);
    clock_shows(site, OPENS - 24 * HOUR * 2); /* on Saturday night, which is closed */
    cr_assert(!is_due(site, "DP1"));
    waits_until(site, OPENS);
    clock_shows(site, OPENS - 24 * HOUR * 3 + HOUR); /* on Friday night */
    cr_assert(is_due(site, "DP1"), "it waits in its window for one that the clock showed before");
    site_end(site);
}

Test(windows, a_change_holds_at_once_and_none_takes_them_away)
{
    site_t *site = by_night();
    cr_assert(!windows_are(site, "DP1", "Mon..Fri 22:00-6:00", NULL),
              "the same again is no change");
    cr_assert(windows_are(site, "DP1", "mon 16:00-17:00", NULL));
    due_row_t row = due_on(site, "DP1");
    begun(site, &row);
    make_windows(site, "DP1", "tue 16:00-17:00", NULL);
    add(site, &dp_set_type);
    cr_assert_eq(run(site)->stopped.count, 1u, "what is in hand goes on");
    waits_until(site, OPENS + 18 * HOUR);
    cr_assert(windows_are(site, "DP1", NULL, "UTC"));
    waits_until(site, OPENS + 20 * HOUR);
    cr_assert(windows_are(site, "DP1", "none", NULL));
    cr_assert(!windows_are(site, "DP1", "none", NULL));
    installed(site, "DP1");
    cr_assert_eq(events_of(site, STATUS_WINDOW_CHANGED), 5u);
    site_end(site);
}

Test(windows, what_is_wanted_later_waits_as_well_and_what_is_taken_away_does_not)
{
    site_t *site = by_night();
    clock_shows(site, OPENS);
    installed(site, "DP1");
    clock_shows(site, CLOSES + HOUR);
    cr_assert(package_updated(site, "P1", 2));
    waits_until(site, OPENS + 24 * HOUR);
    cr_assert(withdrawn(site, "P1", "DP1"));
    removed(site, "DP1");
    site_end(site);
}

Test(windows, a_pause_goes_before_a_window_and_a_resume_does_not_open_it)
{
    site_t *site = by_night();
    dp_pause_t *pause = MAKE(site, dp_pause);
    HEAD(site, pause);
    pause->name = site_text(site, "DP1");
    cr_assert(ASK(site, dp_pause, done)->changed);
    clock_shows(site, OPENS);
    cr_assert(!is_due(site, "DP1"));
    cr_assert_eq(shown(site, "P1", "DP1").cause, ERR_PAUSED);
    clock_shows(site, CLOSES);
    (void) due(site);
    dp_resume_t *resume = MAKE(site, dp_resume);
    HEAD(site, resume);
    resume->name = site_text(site, "DP1");
    cr_assert(ASK(site, dp_resume, done)->changed);
    waits_until(site, OPENS + 24 * HOUR);
    cr_assert(retried(site, "P1", "DP1") || true);
    waits_until(site, OPENS + 24 * HOUR);
    site_end(site);
}

Test(windows, they_are_there_after_a_restart_and_are_shown_with_when_they_open)
{
    site_t *site = by_night();
    site_reopen(site);
    waits_until(site, OPENS);
    point_row_t row = point_shown(site, "DP1");
    cr_assert(row.windows.count == 1 && row.opens == OPENS && row.closes == CLOSES);
    clock_shows(site, OPENS + HOUR);
    site_reopen(site);
    row = point_shown(site, "DP1");
    cr_assert(row.opens == 0 && row.closes == CLOSES, "it opens at %lld, closes at %lld",
              (long long) row.opens, (long long) row.closes);
    cr_assert(is_due(site, "DP1"));
    cr_assert_eq(point_shown(site, "DP2").windows.count, 0u);
    site_end(site);
}

Test(windows, what_is_no_window_or_no_zone_is_refused_and_changes_nothing)
{
    site_t *site = two_points();
    put_zone(site, "Europe/Berlin");
    cr_assert_eq(windows_refused(site, "22:00-22:00", "Europe/Berlin"), ERR_BAD_VALUE);
    cr_assert_eq(windows_refused(site, NIGHTS, "Europe/Nowhere"), ERR_BAD_VALUE);
    cr_assert_eq(windows_refused(site, NIGHTS, "../../data/site.db"), ERR_BAD_VALUE);
    cr_assert_eq(windows_refused(site, NIGHTS, NULL), ERR_BAD_VALUE, "by no clock at all");
    cr_assert_eq(windows_refused(site, NULL, "Europe/Berlin"), ERR_BAD_VALUE, "of no windows");
    cr_assert_eq(windows_refused(site, "none", "Europe/Berlin"), ERR_BAD_VALUE);
    cr_assert_eq(windows_refused(site, NIGHTS ",nothing", "UTC"), ERR_BAD_VALUE);
    cr_assert_eq(point_shown(site, "DP1").windows.count, 0u);
    cr_assert(is_due(site, "DP1"));
    cr_assert(windows_are(site, "DP1", NIGHTS, "UTC"), "UTC needs no file");
    site_end(site);
}

/* Whoever has no clock to go by does nothing: too early would be worse than too late. */
Test(windows, a_zone_that_cannot_be_read_any_more_keeps_its_windows_closed_until_it_can)
{
    site_t *site = by_night();
    cr_assert_eq(world_remove(site->world, AT_FDCWD, ZONE_DIRECTORY "/Europe/Berlin"), 0);
    clock_shows(site, OPENS);
    cr_assert(is_due(site, "DP1"), "a zone that was read is good while the site runs");
    clock_shows(site, WALL_START);
    site_reopen(site);
    clock_shows(site, OPENS + HOUR);
    site->run.byte[0]++;
    cr_assert(!is_due(site, "DP1"), "it went by no clock at all");
    waits_until(site, OPENS + HOUR + 60 * SECOND);
    for (int minute = 1; minute <= 3; minute++) {
        clock_shows(site, OPENS + HOUR + minute * 61 * SECOND);
        cr_assert(!is_due(site, "DP1"));
        cr_assert_eq(events_of(site, STATUS_ZONE_LOST), 1u, "it was told %llu times",
                     (unsigned long long) events_of(site, STATUS_ZONE_LOST));
    }
    put_zone(site, "Europe/Berlin");
    clock_shows(site, OPENS + 2 * HOUR);
    cr_assert(is_due(site, "DP1"), "it is not looked for again");
    site_end(site);
}

/* ---- estimates ---- */

static void
progress_is(site_t *site, uint64_t target, uint64_t done)
{
    progress_t *m = MAKE(site, progress);
    m->target = target;
    m->package = site_text(site, "P1");
    m->bytes_done = done;
    m->bytes_total = 100000000;
    cr_assert_not(ASK(site, progress, done)->changed);
}

static target_status_t
status_shown(site_t *site)
{
    status_t *m = MAKE(site, status);
    HEAD(site, m);
    m->id = site_text(site, "P1");
    m->dp = site_text(site, "DP1");
    const status_of_t *answer = ASK(site, status, status_of);
    return *ROW(answer, answer->targets, 0, target_status_t);
}

Test(windows, a_transfer_that_will_not_be_done_in_its_window_is_told_once_for_each_window)
{
    site_t *site = by_night();
    clock_shows(site, CLOSES - 60 * SECOND);
    due_row_t row = due_on(site, "DP1");
    begun(site, &row);
    progress_is(site, row.target, 0);
    for (uint64_t second = 1; second <= 30; second++) { /* 100 seconds of it are left, and 60 */
        world_sim_advance(site->sim, SECOND);
        progress_is(site, row.target, second * 1000000);
    }
    cr_assert_eq(events_of(site, STATUS_WINDOW_SHORT), 1u, "expected one, got %llu",
                 (unsigned long long) events_of(site, STATUS_WINDOW_SHORT));
    target_status_t status = status_shown(site);
    cr_assert(status.late && status.closes == CLOSES);
    cr_assert_eq(status.ends, OPENS + 24 * HOUR + 40 * SECOND, "it ends at %lld",
                 (long long) status.ends);
    site_reopen(site);
    progress_is(site, row.target, 31000000);
    for (uint64_t second = 32; second <= 42; second++) {
        world_sim_advance(site->sim, SECOND);
        progress_is(site, row.target, second * 1000000);
    }
    cr_assert_eq(events_of(site, STATUS_WINDOW_SHORT), 1u, "it was told again after a restart");
    site_end(site);
}

Test(windows, a_transfer_that_will_be_done_in_time_is_not_told)
{
    site_t *site = by_night();
    clock_shows(site, OPENS);
    due_row_t row = due_on(site, "DP1");
    begun(site, &row);
    progress_is(site, row.target, 0);
    for (uint64_t second = 1; second <= 30; second++) {
        world_sim_advance(site->sim, SECOND);
        progress_is(site, row.target, second * 1000000);
    }
    cr_assert_eq(events_of(site, STATUS_WINDOW_SHORT), 0u);
    target_status_t status = status_shown(site);
    cr_assert(!status.late && status.closes == CLOSES && status.ends == OPENS + 100 * SECOND,
              "it ends at %lld", (long long) status.ends);
    site_end(site);
}

Test(windows, how_fast_a_point_is_is_what_its_last_transfer_told_by_a_clock_that_does_not_jump)
{
    site_t *site = by_night();
    clock_shows(site, OPENS);
    due_row_t row = due_on(site, "DP1");
    begun(site, &row);
    for (uint64_t second = 0; second <= 20; second++) {
        progress_is(site, row.target, second * 3000000);
        world_sim_advance(site->sim, SECOND);
    }
    clock_shows(site, OPENS + 7 * HOUR);
    cr_assert_eq(outcome(site, &row, OK, TARGET_INSTALLED, 1, RECORD_NONE), OK);
    plan_targets_t *m = MAKE(site, plan_targets);
    m->id = site_text(site, "P1");
    m->first = 1000;
    texts_t to = site_texts(site, "DP1,DP2");
    ((plan_targets_t *) site->message.base)->to = to;
    const due_t *plan = ASK(site, plan_targets, due);
    const due_row_t *near = ROW(plan, plan->targets, 0, due_row_t);
    const due_row_t *far = ROW(plan, plan->targets, 1, due_row_t);
    cr_assert_eq(near->measured, 3000000u, "expected 3000000, got %llu",
                 (unsigned long long) near->measured);
    cr_assert(near->windows.count > 0 && far->measured == 0 && far->windows.count == 0);
    const window_row_t *first = ROW(plan, near->windows, 0, window_row_t);
    cr_assert(first->opens == OPENS + 7 * HOUR && first->closes == CLOSES);
    const window_row_t *second = ROW(plan, near->windows, 1, window_row_t);
    cr_assert(second->opens == OPENS + 24 * HOUR && second->closes == CLOSES + 24 * HOUR);
    site_end(site);
}
