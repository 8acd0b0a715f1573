/* windows_test.c - windows in whole simulated sites: what leaves the site, and when.
 *
 * The simulated day is Monday, 2026-09-21, 14:13:20 UTC at its start. */
#include <criterion/criterion.h>
#include <sqlite3.h>
#include <string.h>

#include "tests/sim/yard.h"

#define SECOND  INT64_C(1000000000)
#define MIDDAY  INT64_C(1789992000) /* 12:00, in seconds */
#define FILES   200u
#define WINDOWS "windows[]=mon 14:14-14:16,mon 14:20-14:22,mon 14:30-15:59"

/* Minutes after midday, and the second in which what had been read may still leave. */
static const int open_from[] = {134, 140, 150}, open_until[] = {136, 142, 239};

static int64_t jumped_ns; /* until then it is not judged: the clock was moved */

static bool
is_shut(const far_t *far, int64_t wall_ns)
{
    int64_t second = wall_ns / SECOND - MIDDAY;

    if (strcmp(far->name, "s00") != 0 || sim_now_ns(stage_sim(far->yard->stage)) < jumped_ns) {
        return false;
    }
    for (size_t i = 0; i < sizeof open_from / sizeof open_from[0]; i++) {
        if (second >= open_from[i] * 60 && second <= open_until[i] * 60) {
            return false;
        }
    }
    return true;
}

typedef struct place {
    stage_t *stage;
    yard_t *yard;
} place_t;

/* s00 has windows and a rate that needs several; s01 has none. */
static place_t
two_agents(uint64_t seed)
{
    place_t place = {.yard = yard_new(seed, 2)};
    stage_options_t options = {.seed = seed,
                               .strategy = (sim_strategy_t) (seed % SIM_STRATEGY_COUNT),
                               .files = FILES,
                               .agents = yard_agents(place.yard)};

    jumped_ns = 0;
    sqlite3_randomness(0, NULL);
    place.stage = stage_new(&options);
    place.yard->stage = place.stage;
    place.yard->shut = is_shut;
    cr_assert(stage_ready(place.stage, 60000));
    cr_assert_eq(stage_do(place.stage, 60000, "package.add", "id=P1", "source=/source", NULL), OK);
    cr_assert(yard_join(place.yard, place.stage, 0) && yard_join(place.yard, place.stage, 1));
    yard_note_version(place.yard, 1);
    cr_assert_eq(
        stage_do(place.stage, 60000, "dp.set", "name=s00", "rate:100", WINDOWS, "zone=UTC", NULL),
        OK);
    return place;
}

static int64_t
wall_s(const place_t *place)
{
    world_t *look = world_sim_look_new(stage_world(place->stage));
    int64_t wall_ns = world_wall_ns(look);

    world_sim_job_destroy(&look);
    return wall_ns / SECOND - MIDDAY;
}

static const char *
state_of(const place_t *place, const char *name)
{
    return stage_target(place->stage, "P1", name);
}

static void
becomes(const place_t *place, const char *name, const char *state, uint32_t seconds)
{
    while (seconds-- > 0 && strcmp(state_of(place, name), state) != 0 &&
           !stage_fault(place->stage)) {
        stage_run(place->stage, 1000);
    }
    cr_assert_null(stage_fault(place->stage), "%s", stage_fault(place->stage));
    cr_assert_str_eq(state_of(place, name), state, "%s is %s at %lld", name, state_of(place, name),
                     (long long) wall_s(place));
}

static void
ends(place_t *place)
{
    char why[512];

    for (uint32_t i = 0; i < 2; i++) {
        cr_assert(far_is_whole(&place->yard->far[i], 1, why, sizeof why), "%s", why);
    }
    yard_recount(place->yard);
    cr_assert_null(stage_fault(place->stage), "%s", stage_fault(place->stage));
    yard_destroy(&place->yard);
    stage_destroy(&place->stage);
}

Test(windows_sim, content_leaves_in_windows_alone_and_goes_on_where_it_was, .timeout = 300)
{
    for (uint64_t seed = 1; seed <= 12; seed++) {
        place_t place = two_agents(seed);
        cr_assert_eq(stage_do(place.stage, 60000, "distribute", "id=P1", "all!", NULL), OK);
        cr_assert_str_eq(state_of(&place, "s00"), "waiting");
        becomes(&place, "s01", "installed", 60); /* nobody waits for who waits */
        becomes(&place, "s00", "installing", 120);
        becomes(&place, "s00", "waiting", 200);
        cr_assert(wall_s(&place) >= 136 * 60, "it waits before its window has closed");
        cr_assert(place.yard->far[0].content > 0 &&
                      place.yard->far[0].content < place.yard->far[1].content,
                  "the first window was to be too short");
        becomes(&place, "s00", "installed", 3600);
        cr_assert(wall_s(&place) >= 140 * 60);
        cr_assert_eq(place.yard->far[0].content, place.yard->far[1].content,
                     "seed %llu: %llu bytes were sent, and %llu to who has no windows",
                     (unsigned long long) seed, (unsigned long long) place.yard->far[0].content,
                     (unsigned long long) place.yard->far[1].content);
        ends(&place);
    }
}

/* In the middle of a window, into a closed time and back into an open one. */
Test(windows_sim, a_clock_that_jumps_sends_nothing_outside_of_what_it_shows, .timeout = 300)
{
    static const int64_t jumps[] = {-3600, 3 * 60, 86400 * 3, -86400 * 365};

    for (uint64_t seed = 1; seed <= 8; seed++) {
        place_t place = two_agents(seed);
        cr_assert_eq(stage_do(place.stage, 60000, "distribute", "id=P1", "all!", NULL), OK);
        becomes(&place, "s00", "installing", 120);
        stage_run(place.stage, 20000 + (uint32_t) seed * 3000);
        int64_t shown = (wall_s(&place) + MIDDAY + jumps[seed % 4]) * SECOND;
        world_sim_set_wall(stage_world(place.stage), shown);
        jumped_ns = sim_now_ns(stage_sim(place.stage)) + SECOND;
        becomes(&place, "s00", "waiting", 120);
        uint64_t sent = place.yard->far[0].content;
        stage_run(place.stage, 300000);
        bool still = wall_s(&place) < 0 || wall_s(&place) > 4 * 3600;
        cr_assert(!still || place.yard->far[0].content == sent);
        world_sim_set_wall(stage_world(place.stage), (MIDDAY + 151 * 60) * SECOND);
        jumped_ns = sim_now_ns(stage_sim(place.stage)) + SECOND;
        becomes(&place, "s00", "installed", 3600);
        cr_assert_eq(place.yard->far[0].content, place.yard->far[1].content);
        ends(&place);
    }
}

/* The store hangs in the last minute of a window, and the block that was asked for comes after. */
Test(windows_sim, a_block_that_was_read_while_the_window_closed_does_not_leave, .timeout = 300)
{
    for (uint64_t seed = 1; seed <= 4; seed++) {
        place_t place = two_agents(seed);
        cr_assert_eq(stage_do(place.stage, 60000, "distribute", "id=P1", "to[]=s00", NULL), OK);
        becomes(&place, "s00", "installing", 120);
        while (wall_s(&place) < 135 * 60) {
            stage_run(place.stage, 1000);
        }
        world_sim_hang(stage_world(place.stage), "/data/store", true);
        while (wall_s(&place) < 136 * 60 + 10) {
            stage_run(place.stage, 1000);
        }
        cr_assert_str_eq(state_of(&place, "s00"), "installing", "no block was being read");
        world_sim_hang(stage_world(place.stage), "/data/store", false);
        becomes(&place, "s00", "waiting", 120);
        cr_assert_eq(stage_do(place.stage, 60000, "distribute", "id=P1", "to[]=s01", NULL), OK);
        becomes(&place, "s01", "installed", 60);
        becomes(&place, "s00", "installed", 3600);
        cr_assert_eq(place.yard->far[0].content, place.yard->far[1].content);
        ends(&place);
    }
}

/* What the gateway was told of the time after a window says nothing of the time in it. */
Test(windows_sim, a_clock_that_is_set_back_into_a_window_opens_it_again, .timeout = 300)
{
    for (uint64_t seed = 1; seed <= 4; seed++) {
        place_t place = two_agents(seed);
        cr_assert_eq(stage_do(place.stage, 60000, "distribute", "id=P1", "all!", NULL), OK);
        becomes(&place, "s00", "installing", 120);
        becomes(&place, "s00", "waiting", 200);
        stage_run(place.stage, 10000);
        uint64_t sent = place.yard->far[0].content;
        world_sim_set_wall(stage_world(place.stage), (MIDDAY + 134 * 60 + 5) * SECOND);
        while (wall_s(&place) < 136 * 60 && place.yard->far[0].content == sent) {
            stage_run(place.stage, 1000);
        }
        cr_assert(place.yard->far[0].content > sent, "seed %llu: nothing is sent in the window",
                  (unsigned long long) seed);
        becomes(&place, "s00", "installed", 3600);
        ends(&place);
    }
}

static void
component(const place_t *place, const char *command)
{
    cr_assert_eq(stage_do(place->stage, 60000, command, "name=site_database", NULL), OK);
}

/* The database says nothing over the end of a window, and not when the next one is. */
Test(windows_sim, nothing_leaves_while_nobody_can_say_whether_a_window_is_open, .timeout = 300)
{
    for (uint64_t seed = 1; seed <= 4; seed++) {
        place_t place = two_agents(seed);
        cr_assert_eq(stage_do(place.stage, 60000, "distribute", "id=P1", "to[]=s00", NULL), OK);
        becomes(&place, "s00", "installing", 120);
        while (wall_s(&place) < 135 * 60 + 40) {
            stage_run(place.stage, 1000);
        }
        component(&place, "component.pause");
        while (wall_s(&place) < 138 * 60) {
            stage_run(place.stage, 1000);
        }
        component(&place, "component.resume");
        becomes(&place, "s00", "waiting", 120);
        becomes(&place, "s00", "installed", 3600);
        cr_assert_null(stage_fault(place.stage), "%s", stage_fault(place.stage));
        yard_destroy(&place.yard);
        stage_destroy(&place.stage);
    }
}
