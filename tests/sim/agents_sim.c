/* agents_sim.c - a site and its agents through seeds of the simulator; tools/sim --cast agents runs
 * it on all cores.
 *
 *   agents_sim [--seeds A..B] [--agents N] [--strategy S] [--story] [--acts LIST] [--without SYNC]
 *              [--most FAILURES] [--places FILE] [--hashes] [--sockets]
 *
 * TAP on stdout, one claim for the range. Each seed draws how many agents there are (--agents: so
 * many), and a list of acts (yard_plan.h): power cuts of agents and of the site, lines that break,
 * that are cut in silence, or fall apart; frames that were changed, said twice, forged or replayed.
 * Then all is healed, and every agent must hold the site's version, whole, within virtual minutes
 * (yard.h tells what else must hold at any instant, yard_rest.c what is done at rest).
 * --without leaves out a sync of actors/content at the agents, and not at their site.
 * The same seed gives the same hash, in any process. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/sim/seeds.h"
#include "tests/sim/stage_inside.h"
#include "tests/sim/yard_run.h"

typedef struct tally {
    uint64_t seeds, failed, steps, frames, cuts, tampered, agents, deltas, lists;
    uint64_t instructions, recounts, commits, seeded, clear;
    uint64_t hash;
} tally_t;

typedef struct place {
    stage_t *stage;
    yard_t *yard;
} place_t;

static place_t
run_plan(const seeds_t *seeds, const yard_plan_t *plan, bool story)
{
    place_t place = {.yard = yard_new(plan->seed, plan->agents)};
    stage_options_t options = {.seed = plan->seed,
                               .strategy = seeds_strategy(seeds, plan->seed),
                               .rounds = seeds_rounds(plan->seed),
                               .files = plan->files,
                               .edited = true,
                               .large = plan->large,
                               .agents = yard_agents(place.yard),
                               .places = seeds->all_places,
                               .over_sockets = seeds->over_sockets,
                               .story = story};

    sqlite3_randomness(0, NULL); /* its generator is the process's: each run begins anew */
    place.yard->without = seeds->without;
    place.yard->places = seeds->all_places;
    place.yard->rounds = options.rounds;
    place.yard->over_sockets = seeds->over_sockets;
    place.stage = stage_new(&options);
    yard_run(place.stage, place.yard, plan);
    return place;
}

static void
leave(place_t *place)
{
    yard_destroy(&place->yard);
    stage_destroy(&place->stage);
}

static void
tell_again(const seeds_t *seeds, const yard_plan_t *plan)
{
    place_t place = run_plan(seeds, plan, true);
    const char *fault = stage_fault(place.stage);

    fprintf(stderr, "# seed %lu: %s\n", (unsigned long) plan->seed, fault ? fault : "well");
    seeds_tell_trace(seeds, plan->seed, yard_hash(place.yard), place.yard->steps);
    yard_plan_print(plan);
    stage_story(place.stage, getenv("STORY") ? 250 : 60);
    stage_diagram(place.stage, 40);
    fprintf(stderr, "#   replay: tools/sim --cast agents --seeds %lu..%lu --strategy %s --story",
            (unsigned long) plan->seed, (unsigned long) plan->seed,
            sim_strategy_name(seeds_strategy(seeds, plan->seed)));
    if (seeds->agents) {
        fprintf(stderr, " --agents %lu", (unsigned long) seeds->agents);
    }
    fprintf(stderr, "%s%s\n", seeds->acts ? " --acts " : "", seeds->acts ? seeds->acts : "");
    leave(&place);
}

static void
count(const place_t *place, tally_t *tally)
{
    const yard_t *yard = place->yard;

    tally->hash = tally->hash * 31 + yard_hash(yard);
    tally->seeds++;
    tally->agents += yard->count;
    tally->failed += stage_fault(place->stage) != NULL;
    tally->steps += yard->steps;
    tally->frames += yard->frames;
    tally->cuts += yard->cuts + stage_power_cuts(place->stage);
    tally->tampered += yard->tampered;
    tally->seeded += yard->seeded;
    tally->clear += yard->clear;
    tally->recounts += stage_recounts(place->stage);
    tally->commits += stage_commits(place->stage);
    for (uint32_t i = 0; i < yard->count; i++) {
        tally->deltas += yard->far[i].deltas;
        tally->lists += yard->far[i].lists;
        tally->instructions += stage_instructions(place->stage, yard->far[i].name);
    }
}

static bool
run_seed(const seeds_t *seeds, uint64_t seed, tally_t *tally)
{
    yard_plan_t plan;

    yard_plan_draw(&plan, seed, (uint32_t) seeds->agents);
    if (seeds->acts && !yard_plan_keep(&plan, seeds->acts)) {
        fprintf(stderr, "agents_sim: seed %lu has no acts '%s'\n", (unsigned long) seed,
                seeds->acts);
        return false;
    }
    place_t place = run_plan(seeds, &plan, false);
    bool told = stage_fault(place.stage) || seeds->story;
    count(&place, tally);
    if (seeds->hashes) {
        seeds_tell_trace(seeds, seed, yard_hash(place.yard), place.yard->steps);
    }
    leave(&place);
    if (told) {
        tell_again(seeds, &plan);
    }
    return true;
}

static void
print(const seeds_t *seeds, const tally_t *t)
{
    printf("# %lu seeds, %lu failed; %lu steps, %lu distinct places a power cut could fall, "
           "%lu cuts, %lu targets instructed, %lu recounts, %lu commits looked at, %lu ms\n",
           (unsigned long) t->seeds, (unsigned long) t->failed, (unsigned long) t->steps,
           (unsigned long) sim_places_count(seeds->all_places), (unsigned long) t->cuts,
           (unsigned long) t->instructions, (unsigned long) t->recounts, (unsigned long) t->commits,
           (unsigned long) (clock() / (CLOCKS_PER_SEC / 1000)));
    printf("# %lu agents, %lu frames, %lu of them tampered with, %lu deltas, %lu lists of chunks, "
           "%lu files of seeds, %lu messages in the clear, hash %016lx\n",
           (unsigned long) t->agents, (unsigned long) t->frames, (unsigned long) t->tampered,
           (unsigned long) t->deltas, (unsigned long) t->lists, (unsigned long) t->seeded,
           (unsigned long) t->clear, (unsigned long) t->hash);
}

int
main(int argc, char **argv)
{
    seeds_t seeds = {.first = 1, .last = 100, .most = 3};
    tally_t tally = {0};

    if (!seeds_parse(argc, argv, "agents_sim", &seeds) || seeds.agents > FARS_MAX) {
        return 2;
    }
    seeds.all_places = sim_places_new();
    printf("TAP version 13\n1..1\n");
    for (uint64_t seed = seeds.first; seed <= seeds.last && tally.failed < seeds.most; seed++) {
        if (!run_seed(&seeds, seed, &tally)) {
            return 2;
        }
    }
    print(&seeds, &tally);
    bool kept = seeds_keep_places(&seeds), well = tally.failed == 0;
    sim_places_destroy(&seeds.all_places);
    printf("%sok 1 - agents_keep_their_invariants_under_faults_and_converge_when_healed\n",
           well ? "" : "not ");
    return !kept ? 2 : well ? 0 : 1;
}
