/* slow_disk_test.c - what agents of a simulated site say that their disks took. */
#include <criterion/criterion.h>
#include <sqlite3.h>
#include <string.h>

#include "tests/sim/yard.h"

#define FILES       200u
#define SLOW_NS     200000000u /* a call of the slow disk takes up to so long */
#define SLOW_MS     200u
#define CONVERGE_MS 600000u

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

/* Of s00 each byte is waited for, of s01 the disk. */
static void
distribute(yard_t *yard)
{
    stage_t *stage = yard->stage;

    cr_assert_eq(stage_do(stage, 60000, "dp.set", "name=s00", "rate:1000", NULL), OK);
    world_sim_mix(sim_world(yard->far[1].sim), "/data", &(world_sim_mix_t){.slow_ns = SLOW_NS});
    cr_assert_eq(stage_do(stage, 60000, "distribute", "id=P1", "all!", NULL), OK);
    for (uint32_t ms = 0; ms < CONVERGE_MS && !stage_fault(stage) &&
                          !(is_installed(stage, "s00") && is_installed(stage, "s01"));
         ms += 1000) {
        stage_run(stage, 1000);
    }
    cr_assert_null(stage_fault(stage), "%s", stage_fault(stage));
    cr_assert(is_installed(stage, "s00") && is_installed(stage, "s01"));
}

Test(slow_disk_sim, what_an_agent_says_its_disk_took_is_its_disks_and_not_its_lines, .timeout = 300)
{
    for (uint64_t seed = 1; seed <= 8; seed++) {
        yard_t *yard = yard_new(seed, 2);
        begin(yard, seed);
        distribute(yard);
        cr_expect(yard->far[0].stored_ms < SLOW_MS, "seed %llu: %llu ms, and its disk is fast",
                  (unsigned long long) seed, (unsigned long long) yard->far[0].stored_ms);
        cr_expect(yard->far[1].stored_ms >= SLOW_MS, "seed %llu: %llu ms, and its disk is slow",
                  (unsigned long long) seed, (unsigned long long) yard->far[1].stored_ms);
        stage_t *stage = yard->stage;
        yard_destroy(&yard);
        stage_destroy(&stage);
    }
}
