/* quiet_test.c - whole sites over virtual days: who is idle is silent, who fails alone works alone,
 * and neither an update at a bad moment nor a clock that jumps leaves anything behind. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/limits.h"
#include "proto/status.h"
#include "tests/sim/machine.h"
#include "tests/sim/rot.h"
#include "tests/sim/stage.h"
#include "tests/sim/stage_inside.h"

#define HOUR_MS 3600000u
#define SECOND  INT64_C(1000000000)

static const char *const names[] = {"a", "b", "c"};
#define POINTS 3u

/* of the disk, for one reading of a small point: a page of the log and its sync, twice at most */
#define CHANGES_OF_A_SCRUB 4u

static stage_t *
site_with(uint64_t seed, bool large)
{
    stage_options_t options = {.seed = seed,
                               .strategy = (sim_strategy_t) (seed % SIM_STRATEGY_COUNT),
                               .points = POINTS,
                               .edited = large,
                               .large = large,
                               .files = 4};
    sqlite3_randomness(0, NULL);
    stage_t *stage = stage_new(&options);
    cr_assert(stage_ready(stage, 60000), "seed %d: the site is not ready", (int) seed);
    cr_assert_eq(stage_do(stage, 60000, "package.add", "id=P1", "source=/source", NULL), OK);
    for (uint32_t i = 0; i < POINTS; i++) {
        char name[32], root[32];
        snprintf(name, sizeof name, "name=%s", names[i]);
        snprintf(root, sizeof root, "root=/points/%s", names[i]);
        cr_assert_eq(stage_do(stage, 60000, "dp.add", name, root, NULL), OK);
    }
    return stage;
}

static stage_t *
site_of(uint64_t seed)
{
    return site_with(seed, false);
}

static void
distributed(stage_t *stage)
{
    cr_assert_eq(stage_do(stage, 60000, "distribute", "id=P1", "all!", NULL), OK);
}

static void
hours(stage_t *stage, uint32_t count)
{
    int64_t before = world_sim_now_ns(stage_world(stage));
    for (uint32_t i = 0; i < count; i++) {
        stage_run(stage, HOUR_MS);
    }
    int64_t passed = (world_sim_now_ns(stage_world(stage)) - before) / SECOND;
    cr_assert_geq(passed, (int64_t) count * 3600 - 1, "only %d s have passed", (int) passed);
}

static void
becomes(stage_t *stage, const char *point, const char *state, uint32_t ms)
{
    const char *word = stage_target(stage, "P1", point);
    for (uint32_t waited = 0; waited < ms && strcmp(word, state) != 0; waited += 500) {
        stage_run(stage, 500);
        word = stage_target(stage, "P1", point);
    }
    cr_assert_str_eq(word, state, "'%s' is '%s', expected '%s'", point, word, state);
}

static void
all_whole(stage_t *stage, uint32_t ms)
{
    char why[512];
    for (uint32_t i = 0; i < POINTS; i++) {
        becomes(stage, names[i], "installed", ms);
        cr_assert(stage_tree_is_whole(stage, "P1", names[i], why, sizeof why), "%s", why);
    }
}

static void
well(stage_t *stage)
{
    cr_assert_null(stage_fault(stage), "%s", stage_fault(stage));
    stage_destroy(&stage);
}

/* Where the reading of a point stands is kept: that is all, and once for a small point. */
Test(quiet, a_day_of_a_scrub_that_finds_nothing_says_nothing_and_keeps_where_it_is, .timeout = 400)
{
    stage_t *stage = site_of(1);
    distributed(stage);
    all_whole(stage, 60000);
    hours(stage, 1);
    uint64_t said = stage->last_seq, written = world_sim_operation_count(stage_world(stage));
    hours(stage, 24);
    cr_expect_eq(stage->last_seq, said, "%d status messages", (int) (stage->last_seq - said));
    uint64_t wrote = world_sim_operation_count(stage_world(stage)) - written;
    cr_expect(wrote > 0 && wrote <= CHANGES_OF_A_SCRUB * POINTS, "%d changes of the disk",
              (int) wrote);
    well(stage);
}

Test(quiet, q246651_q242498_a_day_without_orders_instructs_nobody_and_writes_nothing,
     .timeout = 400)
{
    stage_t *stage = site_of(1);
    distributed(stage);
    all_whole(stage, 60000);
    cr_assert_eq(stage_do(stage, 60000, "site.set", "scrub:0", NULL), OK);
    hours(stage, 1); /* the grace time of what may be collected ends */
    uint64_t said = stage->last_seq, written = world_sim_operation_count(stage_world(stage));
    hours(stage, 24);
    cr_expect_eq(stage->last_seq, said, "%d status messages", (int) (stage->last_seq - said));
    uint64_t wrote = world_sim_operation_count(stage_world(stage)) - written;
    cr_expect_eq(wrote, 0u, "%d changes of the disk", (int) wrote);
    for (uint32_t i = 0; i < POINTS; i++) {
        cr_expect_eq(stage_instructions(stage, names[i]), 1u, "'%s' was instructed %u times",
                     names[i], stage_instructions(stage, names[i]));
    }
    well(stage);
}

/* How often the stream tells this of a point; the oracles see only what goes from one worker to
 * another, and under another placement that is less. */
static uint32_t
told_of(stage_t *stage, uint64_t id, const char *point)
{
    wire_value_t events, event, told, dp;
    uint32_t count = 0;
    cr_assert_eq(stage_do(stage, 60000, "status.since", NULL), OK);
    cr_assert(wire_find(stage_answer(stage), "events", &events));
    const uint8_t *at = events.body;
    for (uint32_t i = 0; i < events.count; i++) {
        wire_next(&events, &at, &event);
        count +=
            wire_find(&event, "id", &told) && told.uint == id &&
            (!point || (wire_find(&event, "dp", &dp) && slice_equal(dp.bytes, slice_of(point))));
    }
    return count;
}

Test(quiet, q319207_a_point_that_is_absent_for_hours_makes_no_work_for_the_others, .timeout = 400)
{
    stage_t *stage = site_of(2);
    stage_plug(stage, "c", false);
    distributed(stage);
    becomes(stage, "c", "retrying", 60000);
    hours(stage, 8);
    for (uint32_t i = 0; i < 2; i++) {
        cr_expect_eq(stage_instructions(stage, names[i]), 1u, "'%s' was instructed %u times",
                     names[i], stage_instructions(stage, names[i]));
        uint32_t works = told_of(stage, STATUS_TARGET_INSTALLING, names[i]);
        cr_expect_eq(works, 1u, "'%s' had %u works", names[i], works);
    }
    stage_plug(stage, "c", true);
    all_whole(stage, 10000);
    well(stage);
}

/* Waits until the point is shown so; returns how long that took. */
static uint32_t
shown_within(stage_t *stage, const char *point, const char *state, uint32_t ms)
{
    char name[32];
    wire_value_t dp, value = {0};
    snprintf(name, sizeof name, "name=%s", point);
    for (uint32_t waited = 0;; waited += 500) {
        cr_assert_eq(stage_do(stage, 60000, "dp.show", name, NULL), OK);
        cr_assert(wire_find(stage_answer(stage), "dp", &dp) && wire_find(&dp, "state", &value));
        if (slice_equal(value.bytes, slice_of(state)) || waited >= ms) {
            cr_expect(slice_equal(value.bytes, slice_of(state)), "'%s' is '%.*s', expected '%s'",
                      point, (int) value.bytes.size, value.bytes.data, state);
            return waited;
        }
        stage_run(stage, 500);
    }
}

#define ROUND_MS (PROBE_PERIOD_MS * PATROL_PROBES)

Test(quiet, a_point_without_work_that_vanishes_or_hangs_is_missed_and_welcomed_and_makes_no_work,
     .timeout = 400)
{
    stage_t *stage = site_of(6);
    distributed(stage);
    all_whole(stage, 60000);
    hours(stage, 1);
    stage_plug(stage, "b", false);
    shown_within(stage, "b", "absent", ROUND_MS + 5000);
    stage_plug(stage, "b", true);
    shown_within(stage, "b", "active", PROBE_PERIOD_MS + 5000);
    world_sim_hang(stage_world(stage), "/points/c", true);
    shown_within(stage, "c", "absent", 3 * ROUND_MS);
    shown_within(stage, "a", "active", 0);
    world_sim_hang(stage_world(stage), "/points/c", false);
    shown_within(stage, "c", "active", PROBE_DEADLINE_MS + 5000);
    uint64_t said = stage->last_seq;
    hours(stage, 1);
    cr_expect_eq(stage->last_seq, said, "%d status messages", (int) (stage->last_seq - said));
    for (uint32_t i = 0; i < POINTS; i++) {
        cr_expect_eq(stage_instructions(stage, names[i]), 1u, "'%s' was instructed %u times",
                     names[i], stage_instructions(stage, names[i]));
    }
    well(stage);
}

Test(quiet, q297870_what_goes_on_failing_in_the_same_way_is_told_once_and_not_each_time,
     .timeout = 400)
{
    stage_t *stage = site_of(3);
    stage_plug(stage, "b", false);
    world_sim_set_space(stage_world(stage), "/points/c", 4096, 100000);
    distributed(stage);
    becomes(stage, "c", "waiting", 60000);
    becomes(stage, "b", "retrying", 60000);
    hours(stage, 1);
    uint64_t said = stage->last_seq;
    hours(stage, 2);
    cr_expect_leq(stage->last_seq - said, 0u, "%d status messages in 2 hours",
                  (int) (stage->last_seq - said));
    well(stage);
}

static uint64_t
actors_of(stage_t *stage)
{
    wire_value_t host, actors;
    cr_assert_eq(stage_do(stage, 60000, "component.list", NULL), OK);
    cr_assert(wire_find(stage_answer(stage), "host", &host) && wire_find(&host, "actors", &actors));
    char number[24];
    cr_assert(slice_copy(actors.bytes, number, sizeof number), "the count of actors is a text");
    return strtoull(number, NULL, 10);
}

Test(quiet, nobody_looks_out_for_an_absent_point_that_was_forgotten, .timeout = 400)
{
    stage_t *stage = site_of(7);
    distributed(stage);
    all_whole(stage, 60000);
    stage_run(stage, HOUR_MS / 2);
    stage_plug(stage, "c", false);
    shown_within(stage, "c", "absent", ROUND_MS + 5000);
    stage_run(stage, HOUR_MS / 2);
    uint64_t looking = actors_of(stage);
    cr_assert_eq(stage_do(stage, 60000, "dp.remove", "name=C", "forget!", NULL), OK);
    stage_run(stage, HOUR_MS / 2);
    cr_expect_eq(actors_of(stage), looking - 1, "%d actors, %d before it was forgotten",
                 (int) actors_of(stage), (int) looking);
    well(stage);
}

/* ---- the store ---- */

/* A snapshot of one is begun, whose source hangs; that of the other one goes on to its end. */
static void
takes_over(stage_t *stage, const char *package, const char *source, const char *other)
{
    const char *const arguments[] = {package, NULL};
    world_sim_hang(stage_world(stage), source, true);
    stage_say(stage, "package.update", arguments);
    stage_run(stage, 1000);
    world_sim_hang(stage_world(stage), other, false);
    stage_run(stage, 1000);
}

static bool
has_version(stage_t *stage, const char *version)
{
    char path[64];
    world_stat_t stat;
    world_t *look = world_sim_look_new(stage_world(stage));
    snprintf(path, sizeof path, "/points/a/P1/%s", version);
    bool there = world_stat_at(look, AT_FDCWD, path, &stat) == 0;
    world_sim_job_destroy(&look);
    return there;
}

static void
updated(stage_t *stage)
{
    stage_change_source(stage, 2);
    cr_assert_eq(stage_do(stage, 120000, "package.update", "id=P1", NULL), OK);
    for (uint32_t i = 0; i < 1000 && !has_version(stage, "v2"); i++) {
        stage_run(stage, 10);
    }
    becomes(stage, "a", "installed", 60000);
}

Test(quiet, a_superseded_version_that_cannot_be_taken_away_is_told_once, .timeout = 400)
{
    stage_t *stage = site_of(9);
    digest_t root;
    distributed(stage);
    all_whole(stage, 60000);
    cr_assert_eq(stage_do(stage, 60000, "site.set", "scrub:0", NULL), OK);
    cr_assert(rot_root_of(stage_world(stage), "/points/a/.despool/packages/P1/v1", &root));
    cr_assert(rot_version(stage_world(stage), "/data/store", &root, false));
    updated(stage);
    hours(stage, 3);
    for (uint32_t i = 0; i < POINTS; i++) {
        cr_expect_eq(told_of(stage, STATUS_VERSIONS_STAY, names[i]), 1u, "of '%s' it is told %u",
                     names[i], told_of(stage, STATUS_VERSIONS_STAY, names[i]));
    }
    cr_assert(has_version(stage, "v1"), "who cannot know what is ours has removed something");
    well(stage);
}

Test(quiet, what_waits_for_its_grace_at_a_point_that_was_forgotten_is_left_alone, .timeout = 400)
{
    stage_t *stage = site_of(10);
    distributed(stage);
    all_whole(stage, 60000);
    updated(stage);
    cr_assert(has_version(stage, "v1"), "its grace is over already");
    cr_assert_eq(stage_do(stage, 60000, "dp.remove", "name=a", "forget!", NULL), OK);
    hours(stage, 1);
    cr_expect(has_version(stage, "v1"), "something was removed at a point that is not ours");
    well(stage);
}

Test(store, is_collected_although_snapshots_follow_each_other_without_an_end, .timeout = 400)
{
    stage_t *stage = site_of(8);
    world_t *world = world_sim_job_new(stage_world(stage), NULL, NULL);
    machine_make_tree(world, "/other", 4, 1);
    world_sim_job_destroy(&world);
    cr_assert_eq(stage_do(stage, 60000, "package.add", "id=P2", "source=/other", NULL), OK);
    stage_change_source(stage, 2);
    cr_assert_eq(stage_do(stage, 60000, "package.update", "id=P1", NULL), OK);
    for (uint32_t i = 0; i < 200; i++) { /* 800 s: two looks at the store, and more */
        takes_over(stage, "id=P1", "/source", "/other");
        takes_over(stage, "id=P2", "/other", "/source");
    }
    cr_expect(told_of(stage, STATUS_STORE_COLLECTED, NULL) > 0,
              "what nobody wants is still stored");
    world_sim_hang(stage_world(stage), "/other", false);
    stage_run(stage, 60000);
    cr_expect_eq(stage_do(stage, 60000, "package.update", "id=P2", NULL), OK);
    well(stage);
}

/* A collection each five minutes, which says so once. */
Test(store, keeps_the_chunks_of_a_damaged_list_and_tells_it_once_until_it_is_stored_again,
     .timeout = 400)
{
    stage_t *stage = site_with(11, true);
    cr_assert_eq(stage_do(stage, 60000, "site.set", "scrub:0", NULL), OK);
    for (uint32_t times = 1; times <= 2; times++) {
        cr_assert(rot_kept(stage_world(stage), "/data/store", "/source/large"));
        hours(stage, 1);
        cr_expect_eq(told_of(stage, STATUS_STORE_HOLDS, NULL), times);
        cr_assert_eq(stage_do(stage, 60000, "package.update", "id=P1", NULL), OK);
        hours(stage, 1);
        cr_expect_eq(told_of(stage, STATUS_STORE_HOLDS, NULL), times, "what is mended is held");
    }
    distributed(stage);
    all_whole(stage, 60000);
    well(stage);
}

Test(race, q245579_an_update_at_any_instant_of_the_work_ends_at_the_new_version, .timeout = 400)
{
    for (uint64_t seed = 1; seed <= 60; seed++) {
        stage_t *stage = site_of(seed);
        distributed(stage);
        stage_run(stage, (uint32_t) (seed * 7 % 97));
        stage_change_source(stage, 2);
        cr_assert_eq(stage_do(stage, 60000, "package.update", "id=P1", NULL), OK);
        stage_run(stage, (uint32_t) (seed * 11 % 53));
        stage_change_source(stage, 3);
        cr_assert_eq(stage_do(stage, 60000, "package.update", "id=P1", NULL), OK);
        all_whole(stage, 120000); /* equal to the source, which is at version 3 */
        well(stage);
    }
}

Test(race, what_was_in_hand_at_a_power_cut_is_instructed_once_at_the_start, .timeout = 400)
{
    for (uint64_t seed = 1; seed <= 40; seed++) {
        uint32_t before[POINTS];
        stage_t *stage = site_of(seed);
        distributed(stage);
        stage_crash(stage);
        for (uint32_t i = 0; i < POINTS; i++) {
            before[i] = stage_instructions(stage, names[i]);
        }
        cr_assert(stage_ready(stage, 60000), "seed %d: the site is not ready", (int) seed);
        all_whole(stage, 60000);
        for (uint32_t i = 0; i < POINTS; i++) {
            uint32_t count = stage_instructions(stage, names[i]) - before[i];
            cr_expect_eq(count, 1u, "seed %d: '%s' was instructed %u times", (int) seed, names[i],
                         count);
        }
        well(stage);
    }
}

/* ---- clocks ---- */

static void
installed_on(stage_t *stage, const char *point, const char *day)
{
    wire_value_t targets, target, value;
    becomes(stage, point, "installed", 10000); /* whose answer is looked at */
    cr_assert(wire_find(stage_answer(stage), "targets", &targets));
    const uint8_t *at = targets.body;
    for (uint32_t i = 0; i < targets.count; i++) {
        wire_next(&targets, &at, &target);
        if (wire_find(&target, "dp", &value) && slice_equal(value.bytes, slice_of(point))) {
            cr_assert(wire_find(&target, "since", &value));
            cr_assert(slice_equal((slice_t){value.bytes.data, 10}, slice_of(day)),
                      "installed on %.*s, expected %s", (int) value.bytes.size, value.bytes.data,
                      day);
        }
    }
}

Test(clock, q202003_a_site_goes_on_over_the_end_of_32_bits, .timeout = 400)
{
    stage_t *stage = site_of(4);
    stage_plug(stage, "c", false);
    world_sim_set_wall(stage_world(stage), (INT64_C(2147483647) - 20) * SECOND);
    distributed(stage);
    becomes(stage, "c", "retrying", 60000);
    hours(stage, 21);
    stage_plug(stage, "c", true);
    all_whole(stage, 10000);
    installed_on(stage, "c", "2038-01-20");
    well(stage);
}

Test(clock, q213279_a_clock_that_jumps_by_a_year_delays_no_retry, .timeout = 400)
{
    static const int64_t jumps[] = {-365, 365, -20000, 20000};
    for (size_t i = 0; i < sizeof jumps / sizeof jumps[0]; i++) {
        stage_t *stage = site_of(5 + i);
        world_sim_fail(stage_world(stage), "/points/c", EIO);
        distributed(stage);
        becomes(stage, "c", "retrying", 60000);
        world_t *world = world_sim_job_new(stage_world(stage), NULL, NULL);
        int64_t wall = world_wall_ns(world);
        world_sim_job_destroy(&world);
        world_sim_set_wall(stage_world(stage), wall + jumps[i] * 86400 * SECOND);
        world_sim_fail(stage_world(stage), "/points/c", 0);
        all_whole(stage, RETRY_MAX_MS + 60000); /* the longest interval, and a look for due work */
        well(stage);
    }
}
