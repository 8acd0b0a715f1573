/* rings_test.c - the rules of rings, as an operator would state them. */
#include "site_under_test.h"

#include <sqlite3.h>
#include <stdio.h>

static void
make_rings(site_t *site, const char *to, const char *rings, uint32_t stop_at)
{
    make_distribute(site, "P1", to);
    distribute_t *m = (distribute_t *) site->message.base;
    m->stop_at = stop_at;
    texts_t texts = site_texts(site, rings);
    ((distribute_t *) site->message.base)->rings = texts;
}

static void
spread(site_t *site, const char *to, const char *rings, uint32_t stop_at)
{
    make_rings(site, to, rings, stop_at);
    cr_assert(ASK(site, distribute, targets_changed)->changed);
}

static bool
resumed(site_t *site)
{
    rollout_resume_t *m = MAKE(site, rollout_resume);
    HEAD(site, m);
    m->id = site_text(site, "P1");
    return ASK(site, rollout_resume, done)->changed;
}

static bool
rollout_paused(site_t *site)
{
    rollout_pause_t *m = MAKE(site, rollout_pause);
    HEAD(site, m);
    m->id = site_text(site, "P1");
    return ASK(site, rollout_pause, done)->changed;
}

static rollout_row_t
rollout(site_t *site)
{
    status_t *m = MAKE(site, status);
    HEAD(site, m);
    m->id = site_text(site, "P1");
    const status_of_t *answer = ASK(site, status, status_of);
    cr_assert_eq(answer->rollout.count, 1u);
    return *ROW(answer, answer->rollout, 0, rollout_row_t);
}

#define is_in(site, r, s)                                                                          \
    do {                                                                                           \
        rollout_row_t now_ = rollout(site);                                                        \
        cr_assert(now_.ring == (r) && now_.state == (s), "it is in ring %u, state %u", now_.ring,  \
                  now_.state);                                                                     \
    } while (0)

/* Of all that is due, this: a run of before has forgotten what it took up. */
static due_row_t
next_on(site_t *site, const char *dp)
{
    site->run.byte[0]++;
    return due_on(site, dp);
}

static void
put(site_t *site, const char *dp)
{
    site->run.byte[0]++;
    installed(site, dp);
}

static void
fails(site_t *site, const char *dp)
{
    due_row_t row = next_on(site, dp);
    begun(site, &row);
    cr_assert_eq(outcome(site, &row, ERR_NOT_OURS, TARGET_FAILED, 1, 0), OK);
}

/* P1, and points a to d on which it is wanted nowhere. */
static site_t *
four_points(void)
{
    site_t *site = site_start();
    package_is(site, "P1", 1);
    for (const char *name = "abcd"; *name; name++) {
        point_is(site, (char[]){*name, 0});
    }
    return site;
}

static void
held(site_t *site, const char *dp)
{
    shown_t now = shown(site, "P1", dp);
    cr_assert(now.state == TARGET_WAITING && now.cause == ERR_RING && now.due == 0,
              "%s is in state %d with cause %s", dp, now.state, err_word(now.cause));
}

Test(rings, the_next_begins_when_all_points_of_the_one_before_are_installed)
{
    site_t *site = four_points();
    spread(site, "a,b,c,d", "25,75,100", 1);
    is_in(site, 1u, ROLLOUT_RUNS);
    held(site, "b"), held(site, "c"), held(site, "d");
    put(site, "a");
    is_in(site, 2u, ROLLOUT_RUNS);
    held(site, "d");
    put(site, "b");
    is_in(site, 2u, ROLLOUT_RUNS);
    held(site, "d");
    site_reopen(site);
    put(site, "c");
    is_in(site, 3u, ROLLOUT_RUNS);
    put(site, "d");
    is_in(site, 3u, ROLLOUT_DONE);
    cr_assert_eq(events_of(site, STATUS_RING_BEGUN), 3u);
    cr_assert_eq(events_of(site, STATUS_ROLLOUT_ENDED), 1u);
    site_end(site);
}

Test(rings, points_that_are_named_singly_come_first_and_percents_are_rounded_up)
{
    site_t *site = four_points();
    spread(site, "d,b,a,c", "1,26,100", 1);
    held(site, "a"), held(site, "b"), held(site, "c");
    put(site, "d");
    held(site, "a"), held(site, "c");
    put(site, "b");
    put(site, "a");
    put(site, "c");
    is_in(site, 3u, ROLLOUT_DONE);
    site_end(site);
}

Test(rings, failures_stop_the_rest_also_of_their_own_ring_and_an_operator_goes_on)
{
    site_t *site = four_points();
    spread(site, "a,b,c,d", "75,100", 2);
    fails(site, "a");
    is_in(site, 1u, ROLLOUT_RUNS);
    fails(site, "b");
    is_in(site, 1u, ROLLOUT_STOPPED);
    cr_assert_eq(events_of(site, STATUS_ROLLOUT_STOPPED), 1u);
    held(site, "c"), held(site, "d");
    cr_assert_eq(due(site)->targets.count, 0u, "a stopped rollout has work that is due");
    site_reopen(site);
    held(site, "c"), held(site, "d");
    cr_assert(retried(site, "P1", "a"));
    cr_assert_eq(shown(site, "P1", "a").state, TARGET_PENDING, "a point that was mended waits");
    cr_assert(resumed(site));
    cr_assert_not(resumed(site), "what goes on already is no change");
    put(site, "a");
    put(site, "c");
    is_in(site, 2u, ROLLOUT_RUNS);
    put(site, "d");
    is_in(site, 2u, ROLLOUT_DONE);
    site_end(site);
}

Test(rings, a_failure_below_the_stop_does_not_hold_up_the_next_ring)
{
    site_t *site = four_points();
    spread(site, "a,b,c,d", "50,100", 2);
    fails(site, "a");
    put(site, "b");
    is_in(site, 2u, ROLLOUT_RUNS);
    fails(site, "c");
    is_in(site, 2u, ROLLOUT_STOPPED);
    site_end(site);
}

Test(rings, a_point_that_was_tried_often_counts_as_a_failure_while_it_is_tried_on)
{
    site_t *site = four_points();
    spread(site, "a,b,c,d", "25,100", 1);
    for (uint32_t i = 1; i <= RING_TRIES; i++) {
        is_in(site, 1u, ROLLOUT_RUNS);
        due_row_t row = next_on(site, "a");
        begun(site, &row);
        cr_assert_eq(outcome(site, &row, ERR_IO, TARGET_RETRYING, i, 0), OK);
    }
    is_in(site, 1u, ROLLOUT_STOPPED);
    put(site, "a");
    cr_assert(resumed(site));
    is_in(site, 2u, ROLLOUT_RUNS);
    site_end(site);
}

Test(rings, an_absent_point_holds_its_ring_and_that_is_told_once_a_day)
{
    site_t *site = four_points();
    spread(site, "a,b,c,d", "25,100", 1);
    due_row_t row = next_on(site, "a");
    begun(site, &row);
    cr_assert_eq(outcome(site, &row, ERR_ABSENT, TARGET_RETRYING, 0, 2000), OK);
    (void) due(site);
    cr_assert_eq(events_of(site, STATUS_RING_WAITS), 0u);
    world_sim_set_wall(site->sim,
                       world_wall_ns(site->world) + (int64_t) (RING_WAITS_MS + 1000) * 1000000);
    (void) due(site);
    (void) due(site);
    cr_assert_eq(events_of(site, STATUS_RING_WAITS), 1u);
    is_in(site, 1u, ROLLOUT_RUNS);
    cr_assert(cancelled(site, "P1", "a"));
    is_in(site, 2u, ROLLOUT_RUNS);
    site_end(site);
}

Test(rings, a_point_that_is_forgotten_is_waited_for_no_more)
{
    site_t *site = four_points();
    spread(site, "a,b,c,d", "25,100", 1);
    dp_remove_t *m = MAKE(site, dp_remove);
    HEAD(site, m);
    m->name = site_text(site, "a");
    m->forget = true;
    cr_assert(ASK(site, dp_remove, done)->changed);
    is_in(site, 2u, ROLLOUT_RUNS);
    site_end(site);
}

Test(rings, a_new_version_goes_through_them_again_and_an_old_one_to_all_at_once)
{
    site_t *site = four_points();
    spread(site, "a,b,c,d", "25,100", 1);
    for (const char *name = "abcd"; *name; name++) {
        put(site, (char[]){*name, 0});
    }
    is_in(site, 2u, ROLLOUT_DONE);
    cr_assert(package_updated(site, "P1", 2));
    is_in(site, 1u, ROLLOUT_RUNS);
    held(site, "b");
    put(site, "a");
    is_in(site, 2u, ROLLOUT_RUNS);
    cr_assert(package_updated(site, "P1", 3));
    held(site, "b");
    make_rollback(site, "P1", "1");
    (void) ASK(site, rollback, package_done);
    is_in(site, 2u, ROLLOUT_DONE);
    for (const char *name = "abcd"; *name; name++) {
        put(site, (char[]){*name, 0});
    }
    site_end(site);
}

Test(rings, the_operator_stops_them_and_what_is_cancelled_ends_them)
{
    site_t *site = four_points();
    spread(site, "a,b,c,d", "50,100", 1);
    cr_assert(rollout_paused(site));
    held(site, "a"), held(site, "b");
    make_rings(site, "a,b", "100", 1);
    cr_assert_eq(REFUSED(site, distribute), ERR_BUSY);
    cr_assert(cancelled(site, "P1", ""));
    is_in(site, 1u, ROLLOUT_CANCELLED);
    cr_assert(distributed(site, "P1", "c"));
    cr_assert_eq(shown(site, "P1", "c").state, TARGET_PENDING);
    site_end(site);
}

Test(rings, percents_that_do_not_rise_to_a_hundred_are_refused)
{
    static const char *const wrong[] = {"1,10", "10,1,100", "0,100", "101", "50,50,100", "x,100"};
    site_t *site = four_points();
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        make_rings(site, "a", wrong[i], 1);
        cr_assert_eq(REFUSED(site, distribute), ERR_BAD_VALUE, "%s is taken", wrong[i]);
    }
    cr_assert_not(shown(site, "P1", "a").there);
    site_end(site);
}

/* ---- the articles ---- */

/* Both wrote one file of requests. Here only the transaction of what ended moves a rollout: the
 * same outcome told twice begins a ring once, and one of before moves nothing. */
Test(d32, a_request_has_one_writer_and_what_is_told_twice_moves_it_once)
{
    site_t *site = four_points();
    spread(site, "a,b,c,d", "25,50,100", 1);
    due_row_t row = next_on(site, "a");
    begun(site, &row);
    cr_assert_eq(outcome(site, &row, OK, TARGET_INSTALLED, 1, 0), OK);
    is_in(site, 2u, ROLLOUT_RUNS);
    uint64_t events = events_of(site, STATUS_RING_BEGUN);
    (void) outcome(site, &row, OK, TARGET_INSTALLED, 1, 0);
    (void) outcome(site, &row, ERR_NOT_OURS, TARGET_FAILED, 1, 0);
    is_in(site, 2u, ROLLOUT_RUNS);
    cr_assert_eq(events_of(site, STATUS_RING_BEGUN), events);
    row = next_on(site, "b");
    begun(site, &row);
    cr_assert(withdrawn(site, "P1", "b"));
    is_in(site, 3u, ROLLOUT_RUNS);
    cr_assert_eq(outcome(site, &row, OK, TARGET_INSTALLED, 1, 0), ERR_SUPERSEDED);
    cr_assert_eq(shown(site, "P1", "b").state, TARGET_REMOVING, "a deleted request is made anew");
    site_end(site);
}

static uint64_t
steps_until_now(site_t *site)
{
    uint64_t steps = 0;
    for (uint32_t i = 0; i < SQL_COUNT; i++) {
        sqlite3_stmt *statement = site->db->statement[i];
        steps +=
            statement ? (uint64_t) sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_VM_STEP, 0) : 0;
    }
    return steps;
}

/* Steps of the database for one outcome in a ring of so many points. */
static uint64_t
steps_of_one(uint32_t points)
{
    char name[32];
    site_t *site = site_start();
    package_is(site, "P1", 1);
    for (uint32_t i = 0; i < points; i++) {
        snprintf(name, sizeof name, "dp%u", i);
        point_is(site, name);
    }
    make_rings(site, NULL, "100", points);
    (void) ASK(site, distribute, targets_changed);
    due_row_t row = next_on(site, "dp0");
    begun(site, &row);
    uint64_t before = steps_until_now(site);
    cr_assert_eq(outcome(site, &row, ERR_NOT_OURS, TARGET_FAILED, 1, 0), OK);
    uint64_t steps = steps_until_now(site) - before;
    site_end(site);
    return steps;
}

/* It took a second for each target. Counted in steps, which no machine makes slower. */
Test(d38, the_work_for_a_target_is_the_same_among_many_as_among_few)
{
    uint64_t few = steps_of_one(10), many = steps_of_one(250);
    cr_assert(many <= few + few / 2, "%lu steps among 250 points, %lu among 10",
              (unsigned long) many, (unsigned long) few);
}
