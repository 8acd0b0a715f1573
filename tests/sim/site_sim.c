/* site_sim.c - whole sites through seeds of the simulator; tools/sim runs it on all cores.
 *
 *   site_sim [--seeds A..B] [--strategy S] [--story] [--acts LIST] [--caught WORD] [--without SYNC]
 *            [--most FAILURES] [--places FILE] [--hashes] [--sockets]
 *
 * TAP on stdout, one claim for the range. Each seed draws its own mix of faults (plan.h) and must
 * converge when all is healed (site_run.h). A seed that failed is run again with its story: the
 * acts of its plan, the last messages, and a sequence diagram. --acts leaves in only those acts of
 * the plan, so that they can be shrunk. --without leaves out a sync of actors/content. --places
 * writes the distinct places where a power cut could fall, as numbers of 8 bytes.
 *
 * With --caught the claim is the other way round: of a build with a defect in it, some seed must be
 * found at fault, and the fault must have WORD in it. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/placement.h"
#include "tests/sim/seeds.h"
#include "tests/sim/site_run.h"

typedef struct tally {
    bool is_caught;
    uint64_t seeds, failed, steps, cuts, instructions, recounts, commits;
} tally_t;

static stage_t *
stage_of(const seeds_t *settings, const plan_t *plan, bool story)
{
    stage_options_t options = {.seed = plan->seed,
                               .strategy = seeds_strategy(settings, plan->seed),
                               .rounds = seeds_rounds(plan->seed),
                               .points = plan->points + 1,
                               .files = plan->files,
                               .link = plan->link,
                               .fresh_data = plan->fresh_data,
                               .plain_disks = plan->plain_disks,
                               .places = settings->all_places,
                               .over_sockets = settings->over_sockets,
                               .story = story};

    sqlite3_randomness(0, NULL); /* its generator is the process's: each run begins anew */
    return stage_new(&options);
}

static void
tell_trace(const seeds_t *settings, const plan_t *plan, stage_t *stage)
{
    sim_t *sim = stage_sim(stage);

    seeds_tell_trace(settings, plan->seed, sim ? sim_hash(sim) : 0, sim ? sim_steps(sim) : 0);
}

static void
tell(const seeds_t *settings, const plan_t *plan, stage_t *stage)
{
    char text[128];

    fprintf(stderr, "# seed %lu: %s\n", (unsigned long) plan->seed,
            stage_fault(stage) ? stage_fault(stage) : "well");
    tell_trace(settings, plan, stage);
    for (uint32_t i = 0; i < plan->acts; i++) {
        plan_print_act(&plan->act[i], text, sizeof text);
        fprintf(stderr, "#   act %u: %s\n", i, text);
    }
    fprintf(
        stderr,
        "#   first-unplugged %d, late %d, withdraws %d, cut-at-end %d, updates %d, "
        "verifies %d, fresh-data %d, plain-disks %d, cut-first %u, link %u/%u/%u, cut-start %u, "
        "cut-name %u, cut-retry %u, cut-point %u, rots %u, poison %d\n",
        plan->first_unplugged, plan->late, plan->withdraws, plan->cut_at_end, plan->updates,
        plan->verifies, plan->fresh_data, plan->plain_disks, plan->cut_first, plan->link.lose,
        plan->link.twice, plan->link.half, plan->cut_start, plan->cut_name, plan->cut_retry,
        plan->cut_point, plan->rots, plan->poison);
    stage_story(stage, getenv("STORY") ? 250 : 60);
    stage_diagram(stage, 40);
    fprintf(stderr, "#   replay: %stools/sim --seeds %lu..%lu --strategy %s --story%s%s\n",
            placement_wanted() == HOST_POOL ? "DESPOOL_PLACEMENT=pool " : "",
            (unsigned long) plan->seed, (unsigned long) plan->seed,
            sim_strategy_name(seeds_strategy(settings, plan->seed)),
            settings->acts ? " --acts " : "", settings->acts ? settings->acts : "");
}

static void
tell_again(const seeds_t *settings, const plan_t *plan)
{
    stage_t *stage = stage_of(settings, plan, true);

    site_run(stage, plan);
    tell(settings, plan, stage);
    stage_destroy(&stage);
}

static void
count(const plan_t *plan, stage_t *stage, tally_t *tally)
{
    static const char *const names[] = {"a", "b", "c", "d"};

    tally->seeds++;
    tally->failed += stage_fault(stage) != NULL;
    tally->cuts += stage_power_cuts(stage);
    tally->recounts += stage_recounts(stage);
    tally->commits += stage_commits(stage);
    if (stage_sim(stage)) {
        tally->steps += sim_steps(stage_sim(stage));
    }
    for (uint32_t i = 0; i < plan->points; i++) {
        tally->instructions += stage_instructions(stage, names[i]);
    }
}

static bool
run_seed(const seeds_t *settings, uint64_t seed, tally_t *tally)
{
    plan_t plan;

    plan_draw(&plan, seed);
    if (settings->acts && !plan_keep(&plan, settings->acts)) {
        fprintf(stderr, "site_sim: seed %lu has no acts '%s'\n", (unsigned long) seed,
                settings->acts);
        return false;
    }
    stage_t *stage = stage_of(settings, &plan, false);
    site_run(stage, &plan);
    count(&plan, stage, tally);
    if (settings->hashes) {
        tell_trace(settings, &plan, stage);
    }
    const char *fault = stage_fault(stage);
    bool caught = settings->caught && fault && strstr(fault, settings->caught);
    tally->is_caught = tally->is_caught || caught;
    bool told = (fault && !caught) || settings->story;
    stage_destroy(&stage);
    if (told) {
        tell_again(settings, &plan);
    }
    return true;
}

int
main(int argc, char **argv)
{
    seeds_t settings = {.first = 1, .last = 200, .most = 5};
    tally_t tally = {0};

    if (!seeds_parse(argc, argv, "site_sim", &settings)) {
        return 2;
    }
#ifdef DESPOOL_SYNC_MUTANTS
    sync_mutant = settings.without;
#endif
    settings.all_places = sim_places_new();
    printf("TAP version 13\n1..1\n");
    for (uint64_t seed = settings.first;
         seed <= settings.last && tally.failed < settings.most && !tally.is_caught; seed++) {
        if (!run_seed(&settings, seed, &tally)) {
            return 2;
        }
    }
    printf("# %lu seeds, %lu failed; %lu steps, %lu distinct places a power cut could fall, "
           "%lu cuts, %lu targets instructed, %lu recounts, %lu commits looked at, %lu ms\n",
           (unsigned long) tally.seeds, (unsigned long) tally.failed, (unsigned long) tally.steps,
           (unsigned long) sim_places_count(settings.all_places), (unsigned long) tally.cuts,
           (unsigned long) tally.instructions, (unsigned long) tally.recounts,
           (unsigned long) tally.commits, (unsigned long) (clock() / (CLOCKS_PER_SEC / 1000)));
    bool kept = seeds_keep_places(&settings);
    sim_places_destroy(&settings.all_places);
    bool well = settings.caught ? tally.is_caught : tally.failed == 0;
    if (settings.caught) {
        printf("%sok 1 - a site with the old defect is caught: %s\n", well ? "" : "not ",
               settings.caught);
    } else {
        printf("%sok 1 - a site keeps its invariants under faults and converges when healed\n",
               well ? "" : "not ");
    }
    return !kept ? 2 : well ? 0 : 1;
}
