/* two_agents_test.c - a simulated site and two agents, and something of one that chance would bring
 * too seldom: its disk is slow, or who is between strikes once. */
#include <criterion/criterion.h>
#include <sqlite3.h>
#include <string.h>

#include "tests/sim/stage_inside.h"
#include "tests/sim/yard.h"

#define FILES       200u
#define SLOW_NS     200000000u /* a call of the slow disk takes up to so long */
#define SLOW_MS     200u
#define CONVERGE_MS 600000u
#define SOON_MS     20000u /* less than a site waits for an agent that says nothing of its order */

static bool
is_installed(stage_t *stage, const char *name)
{
    return strcmp(stage_target(stage, "P1", name), "installed") == 0;
}

static void
begin(yard_t *yard, uint64_t seed)
{
    stage_options_t options = {.seed = seed,
                               .strategy = (sim_strategy_t) (seed % SIM_STRATEGY_COUNT),
                               .files = FILES,
                               .agents = yard_agents(yard)};

    sqlite3_randomness(0, NULL);
    yard->stage = stage_new(&options);
    cr_assert(stage_ready(yard->stage, 60000));
    cr_assert_eq(stage_do(yard->stage, 60000, "package.add", "id=P1", "source=/source", NULL), OK);
    cr_assert(yard_join(yard, yard->stage, 0) && yard_join(yard, yard->stage, 1));
    yard_note_version(yard, 1);
}

static void
distribute(yard_t *yard, uint32_t within_ms)
{
    stage_t *stage = yard->stage;

    cr_assert_eq(stage_do(stage, 60000, "distribute", "id=P1", "all!", NULL), OK);
    for (uint32_t ms = 0; ms < within_ms && !stage_fault(stage) &&
                          !(is_installed(stage, "s00") && is_installed(stage, "s01"));
         ms += 1000) {
        stage_run(stage, 1000);
    }
    cr_assert_null(stage_fault(stage), "%s", stage_fault(stage));
    cr_assert(is_installed(stage, "s00") && is_installed(stage, "s01"), "seed %llu",
              (unsigned long long) stage->options.seed);
}

static void
end(yard_t *yard)
{
    stage_t *stage = yard->stage;

    yard_destroy(&yard);
    stage_destroy(&stage);
}

/* Of s00 each byte is waited for, of s01 the disk. */
Test(two_agents_sim, what_an_agent_says_its_disk_took_is_its_disks_and_not_its_lines,
     .timeout = 300)
{
    for (uint64_t seed = 1; seed <= 8; seed++) {
        yard_t *yard = yard_new(seed, 2);
        begin(yard, seed);
        cr_assert_eq(stage_do(yard->stage, 60000, "dp.set", "name=s00", "rate:1000", NULL), OK);
        world_sim_mix(sim_world(yard->far[1].sim), "/data", &(world_sim_mix_t){.slow_ns = SLOW_NS});
        distribute(yard, CONVERGE_MS);
        cr_expect(yard->far[0].stored_ms < SLOW_MS, "seed %llu: %llu ms, and its disk is fast",
                  (unsigned long long) seed, (unsigned long long) yard->far[0].stored_ms);
        cr_expect(yard->far[1].stored_ms >= SLOW_MS, "seed %llu: %llu ms, and its disk is slow",
                  (unsigned long long) seed, (unsigned long long) yard->far[1].stored_ms);
        end(yard);
    }
}

/* The agent let it go as of an order that has ended, and the one that had asked waited. */
Test(two_agents_sim, content_in_the_clear_whose_order_number_was_changed_is_soon_sent_again,
     .timeout = 300)
{
    for (uint64_t seed = 1; seed <= 8; seed++) {
        yard_t *yard = yard_new(seed, 2);
        begin(yard, seed);
        yard_set_bulk(&yard->far[1], true);
        yard->far[1].tamper = TAMPER_NUMBER;
        distribute(yard, SOON_MS);
        cr_expect_eq(yard->tampered, 1, "seed %llu: nothing was changed",
                     (unsigned long long) seed);
        end(yard);
    }
}
