/* site_sim.c - a site through many seeds: faults, power cuts, then healing, then it must converge.
 *
 *   site_sim [--seeds A..B] [--story] [--caught WORD]     TAP on stdout, one claim for the range
 *
 * Each seed draws its own mix: how many points, which one is unplugged, hung, failing or full, how
 * often the power goes, whether the source changes or a component is restarted. After the faults
 * everything is healed and plugged in; then every target must be installed, whole, unaided, within
 * virtual minutes, no ask may be left open, and the host must stop in order.
 *
 * With --caught the claim is the other way round: of a build with a defect in it, some seed must be
 * found at fault, and the fault must have WORD in it. */
#include <assert.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/placement.h"
#include "tests/sim/stage.h"

#define CONVERGE_MS 600000u /* virtual time to converge in, after everything was healed */

typedef struct tally {
    const char *caught; /* NULL: no defect is expected */
    bool is_caught;
    uint64_t seeds, failed, steps, crash_points, cuts, instructions;
} tally_t;

static uint64_t
draw(uint64_t *state, uint64_t bound)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % bound;
}

static const char *const names[] = {"a", "b", "c", "d"};

/* ---- the story of a seed ---- */

static bool
set_up(stage_t *stage, uint32_t points)
{
    if (!stage_ready(stage, 60000)) {
        stage_note_fault(stage, "Q304381: the host is not ready after a virtual minute");
        return false;
    }
    err_t err = stage_do(stage, 60000, "package.add", "id=P1", "source=/source", NULL);
    for (uint32_t i = 0; err == OK && i < points; i++) {
        char name[32], root[32];
        snprintf(name, sizeof name, "name=%s", names[i]);
        snprintf(root, sizeof root, "root=/points/%s", names[i]);
        err = stage_do(stage, 60000, "dp.add", name, root, NULL);
    }
    if (err != OK) {
        stage_note_fault(stage, "setting up was refused: %s", err_word(err));
    }
    return err == OK;
}

/* One fault of the mix. */
static void
strike(stage_t *stage, uint64_t *chance, uint32_t points, tally_t *tally)
{
    char path[32];
    const char *point = names[draw(chance, points)];

    snprintf(path, sizeof path, "/points/%s", point);
    switch (draw(chance, 7)) {
    case 0:
        stage_plug(stage, point, false);
        break;
    case 1:
        world_sim_fail(stage_world(stage), path, EIO);
        break;
    case 2:
        world_sim_hang(stage_world(stage), path, true);
        break;
    case 3:
        world_sim_set_space(stage_world(stage), path, 4096, 100000);
        break;
    case 4:
        stage_do(stage, 10, "component.restart",
                 draw(chance, 2) ? "name=despooler" : "name=distribution_manager", NULL);
        break;
    default:
        stage_crash(stage);
        tally->cuts++;
        break;
    }
}

static void
heal(stage_t *stage, uint32_t points)
{
    world_sim_heal(stage_world(stage));
    for (uint32_t i = 0; i < points; i++) {
        char path[32];
        snprintf(path, sizeof path, "/points/%s", names[i]);
        stage_plug(stage, names[i], true);
        world_sim_set_space(stage_world(stage), path, UINT64_C(1) << 30, 100000);
    }
}

static bool
all_installed(stage_t *stage, uint32_t points)
{
    for (uint32_t i = 0; i < points; i++) {
        if (strcmp(stage_target(stage, "P1", names[i]), "installed") != 0) {
            return false;
        }
    }
    return true;
}

static void
converge(stage_t *stage, uint32_t points)
{
    char why[512];

    for (uint32_t waited = 0; waited < CONVERGE_MS && !all_installed(stage, points);
         waited += 1000) {
        stage_run(stage, 1000);
    }
    for (uint32_t i = 0; i < points; i++) {
        const char *word = stage_target(stage, "P1", names[i]);
        if (strcmp(word, "installed") != 0) {
            stage_note_fault(stage, "after all was healed '%s' is '%s', not installed", names[i],
                             word);
        } else if (!stage_tree_is_whole(stage, "P1", names[i], why, sizeof why)) {
            stage_note_fault(stage, "'%s' is installed and not whole: %s", names[i], why);
        }
    }
}

static void
end_well(stage_t *stage)
{
    char left[512] = "";

    stage_run(stage, 40000);
    if (sim_threads_lost(stage_sim(stage)) > 0) {
        stage_note_fault(stage, "a healed machine still has %u lost threads",
                         sim_threads_lost(stage_sim(stage)));
    }
    if (!sim_stop(stage_sim(stage), INT64_C(10000000000))) {
        sim_open_asks(stage_sim(stage), left, sizeof left);
        stage_note_fault(stage, "the host did not stop within 10 s: %s", left);
    }
}

static void
live(stage_t *stage, uint64_t seed, uint32_t points, tally_t *tally)
{
    uint64_t chance = seed ^ UINT64_C(0xd1b54a32d192ed03);
    uint32_t faults = (uint32_t) draw(&chance, 5);

    if (!set_up(stage, points)) {
        return;
    }
    if (draw(&chance, 2)) {
        stage_plug(stage, names[points - 1], false);
    }
    err_t err = stage_do(stage, 60000, "distribute", "id=P1", "all!", NULL);
    if (err != OK) {
        stage_note_fault(stage, "distribute was refused: %s", err_word(err));
        return;
    }
    for (uint32_t i = 0; i < faults; i++) {
        stage_run(stage, (uint32_t) draw(&chance, 120));
        strike(stage, &chance, points, tally);
    }
    if (draw(&chance, 4) == 0) {
        stage_change_source(stage, 2);
        err = stage_do(stage, 120000, "package.update", "id=P1", NULL);
        if (err != OK) {
            stage_note_fault(stage, "package.update was refused: %s", err_word(err));
        }
    }
    stage_run(stage, 3000);
    heal(stage, points);
    converge(stage, points);
    end_well(stage);
}

static void
run_seed(uint64_t seed, bool story, tally_t *tally)
{
    uint32_t points = 2 + (uint32_t) (seed % 2);
    stage_options_t options = {.seed = seed,
                               .strategy = (sim_strategy_t) (seed % SIM_STRATEGY_COUNT),
                               .points = points,
                               .files = 3 + (uint32_t) (seed % 7)};

    sqlite3_randomness(0, NULL); /* its generator is the process's: each run begins anew */
    stage_t *stage = stage_new(&options);
    if (!stage_fault(stage)) {
        live(stage, seed, points, tally);
    }
    tally->seeds++;
    if (stage_sim(stage)) {
        tally->steps += sim_steps(stage_sim(stage));
        tally->crash_points += sim_crash_points(stage_sim(stage));
    }
    for (uint32_t i = 0; i < points; i++) {
        tally->instructions += stage_instructions(stage, names[i]);
    }
    if (tally->caught && stage_fault(stage) && strstr(stage_fault(stage), tally->caught)) {
        tally->is_caught = true;
    } else if (stage_fault(stage) || story) {
        fprintf(stderr, "# seed %lu: %s\n", (unsigned long) seed,
                stage_fault(stage) ? stage_fault(stage) : "well");
        stage_story(stage, 60);
        fprintf(stderr, "#   replay: %stools/sim --seeds %lu..%lu --story\n",
                placement_wanted() == HOST_POOL ? "DESPOOL_PLACEMENT=pool " : "",
                (unsigned long) seed, (unsigned long) seed);
    }
    tally->failed += stage_fault(stage) != NULL;
    stage_destroy(&stage);
}

int
main(int argc, char **argv)
{
    uint64_t first = 1, last = 200;
    bool story = false;
    tally_t tally = {0};

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--story") == 0) {
            story = true;
        } else if (strcmp(argv[i], "--caught") == 0 && i + 1 < argc) {
            tally.caught = argv[++i];
        } else if (strcmp(argv[i], "--seeds") != 0 || i + 1 == argc ||
                   sscanf(argv[++i], "%lu..%lu", &first, &last) != 2) {
            fprintf(stderr, "usage: site_sim [--seeds A..B] [--story] [--caught WORD]\n");
            return 2;
        }
    }
    printf("TAP version 13\n1..1\n");
    for (uint64_t seed = first; seed <= last && tally.failed < 5 && !tally.is_caught; seed++) {
        run_seed(seed, story, &tally);
    }
    printf("# %lu seeds, %lu failed; %lu steps, %lu places a power cut could fall, %lu cuts, "
           "%lu targets instructed\n",
           (unsigned long) tally.seeds, (unsigned long) tally.failed, (unsigned long) tally.steps,
           (unsigned long) tally.crash_points, (unsigned long) tally.cuts,
           (unsigned long) tally.instructions);
    bool well = tally.caught ? tally.is_caught : tally.failed == 0;
    if (tally.caught) {
        printf("%sok 1 - a site with the old defect is caught: %s\n", well ? "" : "not ",
               tally.caught);
    } else {
        printf("%sok 1 - a site keeps its invariants under faults and converges when healed\n",
               well ? "" : "not ");
    }
    return well ? 0 : 1;
}
