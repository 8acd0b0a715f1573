/* agents_sim.c - a site and its agents through seeds of the simulator.
 *
 *   agents_sim [--seeds A..B] [--agents N] [--story]
 *
 * TAP on stdout, one claim for the range. Each seed draws how many agents there are (--agents: so
 * many), and a list of acts: power cuts of agents and of the site, lines that break, that are cut
 * in silence, or fall apart; frames that were changed, said twice, forged or replayed. Then all is
 * healed, and every agent must hold the site's version, whole, within virtual minutes (yard.h tells
 * what else must hold at any instant).
 * The same seed gives the same hash, in any process. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/sim/stage_inside.h"
#include "tests/sim/yard.h"

#define STARTS_MS   60000u
#define CONVERGE_MS 600000u
#define ACTS_MAX    10u
#define MOST        3u /* failures, and then no more seeds */

/* K(symbol, word) */
#define ACTS(K)                                                                                    \
    K(CUT, "cut")             /* the power of an agent goes now */                                 \
    K(CUT_AFTER, "cut-after") /* after so many changes of its disk */                              \
    K(CUT_SITE, "cut-site")                                                                        \
    K(DROP, "drop")     /* the connection breaks */                                                \
    K(DEAD, "dead")     /* it is cut, and neither end is told */                                   \
    K(APART, "apart")   /* nothing passes until later */                                           \
    K(TAMPER, "tamper") /* a frame is changed, or said twice */                                    \
    K(ERRORS, "errors") /* of the disk of an agent, by chance */                                   \
    K(UPDATE, "update")

typedef enum act_kind {
#define ACT_SYMBOL(symbol, word) ACT_##symbol,
    ACTS(ACT_SYMBOL)
#undef ACT_SYMBOL
        ACT_COUNT
} act_kind_t;

typedef struct settings {
    uint64_t first, last, agents;
    bool story;
} settings_t;

typedef struct tally {
    uint64_t seeds, failed, steps, frames, cuts, tampered, agents;
    uint64_t hash;
} tally_t;

typedef struct run {
    stage_t *stage;
    yard_t *yard;
    uint32_t version;
    bool changed;
    bool story;
} run_t;

/* Some of the frames that come next are not what was sent. */
static void
tamper(run_t *run)
{
    for (uint32_t i = 0; i < run->yard->count; i++) {
        if (yard_drawn(run->yard, 2) == 0) {
            run->yard->far[i].tamper = (tamper_t) yard_drawn(run->yard, TAMPER_COUNT);
        }
    }
}

static void
update(run_t *run)
{
    run->version++;
    stage_change_source(run->stage, run->version);
    yard_note_version(run->yard, run->version);
    tamper(run);
    /* Each second one switches all or none; not while another is not decided. */
    err_t err = run->version % 2 == 0
                    ? stage_do(run->stage, 120000, "package.update", "id=P1", "barrier!", NULL)
                    : ERR_BUSY;
    err = err == ERR_BUSY ? stage_do(run->stage, 120000, "package.update", "id=P1", NULL) : err;
    run->changed = err != OK;
}

static void
cut_site(run_t *run)
{
    stage_crash(run->stage);
    yard_site_was_cut(run->yard);
}

static void
strike_line(run_t *run, far_t *far, act_kind_t kind)
{
    if (kind == ACT_DROP && far->connection > 0) {
        lines_drop(far);
    } else if (kind == ACT_DEAD) {
        far->dead = true;
    } else if (kind == ACT_APART) {
        far->apart = !far->apart;
    } else if (kind == ACT_TAMPER) {
        far->tamper = (tamper_t) (1 + yard_drawn(run->yard, TAMPER_COUNT - 1));
    }
}

static void
strike(run_t *run)
{
    static const char *const words[] = {
#define ACT_WORD(symbol, word) word,
        ACTS(ACT_WORD)
#undef ACT_WORD
    };
    yard_t *yard = run->yard;
    act_kind_t kind = (act_kind_t) yard_drawn(yard, ACT_COUNT);
    far_t *far = &yard->far[yard_drawn(yard, yard->count)];
    uint64_t value = yard_drawn(yard, 40);

    if (run->story) {
        fprintf(stderr, "#   act: %s '%s' %lu\n", words[kind], far->name, (unsigned long) value);
    }
    switch (kind) {
    case ACT_CUT:
        far_cut(far);
        break;
    case ACT_CUT_AFTER:
        world_sim_cut_after(sim_world(far->sim), 1 + value);
        break;
    case ACT_CUT_SITE:
        cut_site(run);
        break;
    case ACT_ERRORS:
        world_sim_mix(sim_world(far->sim), value % 2 ? "/data" : "/point",
                      &(world_sim_mix_t){.io = 30000, .most = 1 + (uint32_t) value % 4});
        break;
    case ACT_UPDATE:
        update(run);
        break;
    default:
        strike_line(run, far, kind);
        break;
    }
}

static bool
is_installed(run_t *run)
{
    for (uint32_t i = 0; i < run->yard->count; i++) {
        if (strcmp(stage_target(run->stage, "P1", run->yard->far[i].name), "installed") != 0) {
            return false;
        }
    }
    return true;
}

static void
converge(run_t *run)
{
    char why[512];

    for (uint32_t waited = 0; waited < CONVERGE_MS && !stage_fault(run->stage); waited += 1000) {
        if (is_installed(run)) {
            break;
        }
        stage_run(run->stage, 1000);
    }
    for (uint32_t i = 0; i < run->yard->count; i++) {
        far_t *far = &run->yard->far[i];
        const char *word = stage_target(run->stage, "P1", far->name);
        if (strcmp(word, "installed") != 0) {
            stage_note_fault(run->stage, "after all was healed '%s' is '%s', not installed",
                             far->name, word);
        } else if (!far_is_whole(far, run->version, why, sizeof why)) {
            stage_note_fault(run->stage, "'%s' is installed and not whole: %s", far->name, why);
        }
    }
    yard_recount(run->yard);
}

static bool
set_up(run_t *run)
{
    bool well = stage_ready(run->stage, STARTS_MS) &&
                stage_do(run->stage, 60000, "package.add", "id=P1", "source=/source", NULL) == OK;

    for (uint32_t i = 0; well && i < run->yard->count; i++) {
        well = yard_join(run->yard, run->stage, i);
    }
    if (!well) {
        stage_note_fault(run->stage, "the site cannot be set up");
        return false;
    }
    yard_note_version(run->yard, 1);
    tamper(run);
    well = stage_do(run->stage, 60000, "distribute", "id=P1", "all!", NULL) == OK;
    if (!well) {
        stage_note_fault(run->stage, "distribute was refused");
    }
    return well;
}

/* Who was refused for good, because of what somebody had forged, a person lets try again. */
static void
live(run_t *run)
{
    uint32_t acts = (uint32_t) yard_drawn(run->yard, ACTS_MAX);

    for (uint32_t i = 0; i < acts && !stage_fault(run->stage); i++) {
        stage_run(run->stage,
                  (uint32_t) yard_drawn(run->yard, yard_drawn(run->yard, 4) ? 250 : 12000));
        strike(run);
        yard_recount(run->yard);
    }
    stage_run(run->stage, 3000);
    yard_heal(run->yard);
    if (run->changed || yard_drawn(run->yard, 2) == 0) {
        update(run);
    }
    if (run->changed) {
        stage_note_fault(run->stage, "package.update was refused after all was healed");
    }
    stage_run(run->stage, 20000);
    yard_heal(run->yard);
    oracle_forgets_attempts(run->stage);
    stage_do(run->stage, 60000, "retry", "id=P1", NULL);
    converge(run);
    for (uint32_t i = 0; i < run->yard->count && !stage_fault(run->stage); i++) {
        far_cut(&run->yard->far[i]);
    }
    converge(run);
}

static void
run_seed(const settings_t *settings, uint64_t seed, bool story, tally_t *tally)
{
    uint32_t agents = (uint32_t) (settings->agents ? settings->agents : 1 + seed % 3);
    yard_t *yard = yard_new(seed, agents);
    stage_options_t options = {.seed = seed,
                               .strategy = (sim_strategy_t) (seed % SIM_STRATEGY_COUNT),
                               .files = 4 + (uint32_t) (seed % 5),
                               .agents = yard_agents(yard),
                               .story = story};

    sqlite3_randomness(0, NULL); /* its generator is the process's: each run begins anew */
    run_t run = {.stage = stage_new(&options), .yard = yard, .version = 1, .story = story};
    yard->stage = run.stage;
    if (!stage_fault(run.stage) && set_up(&run)) {
        live(&run);
    }
    const char *fault = stage_fault(run.stage);
    tally->hash = tally->hash * 31 + yard_hash(yard);
    tally->seeds++;
    tally->agents += agents;
    tally->failed += fault != NULL;
    tally->steps += yard->steps;
    tally->frames += yard->frames;
    tally->cuts += yard->cuts + stage_power_cuts(run.stage);
    tally->tampered += yard->tampered;
    if (fault || story) {
        fprintf(stderr, "# seed %lu: %s\n#   replay: agents_sim --seeds %lu..%lu --story\n",
                (unsigned long) seed, fault ? fault : "well", (unsigned long) seed,
                (unsigned long) seed);
    }
    if (story) {
        stage_story(run.stage, 80);
    }
    yard_destroy(&yard);
    stage_destroy(&run.stage);
}

static bool
parse(int argc, char **argv, settings_t *settings)
{
    for (int i = 1; i < argc; i++) {
        bool last = i + 1 == argc, known = true;
        if (strcmp(argv[i], "--story") == 0) {
            settings->story = true;
        } else if (last) {
            known = false;
        } else if (strcmp(argv[i], "--seeds") == 0) {
            known = sscanf(argv[++i], "%lu..%lu", &settings->first, &settings->last) == 2;
        } else if (strcmp(argv[i], "--agents") == 0) {
            known =
                sscanf(argv[++i], "%lu", &settings->agents) == 1 && settings->agents <= FARS_MAX;
        } else {
            known = false;
        }
        if (!known) {
            fprintf(stderr, "usage: agents_sim [--seeds A..B] [--agents N] [--story]\n");
            return false;
        }
    }
    return true;
}

int
main(int argc, char **argv)
{
    settings_t settings = {.first = 1, .last = 100};
    tally_t tally = {0};

    if (!parse(argc, argv, &settings)) {
        return 2;
    }
    printf("TAP version 13\n1..1\n");
    for (uint64_t seed = settings.first; seed <= settings.last && tally.failed < MOST; seed++) {
        run_seed(&settings, seed, settings.story, &tally);
    }
    printf("# %lu seeds, %lu failed; %lu agents, %lu steps, %lu frames, %lu of them tampered with, "
           "%lu cuts, hash %016lx, %lu ms\n",
           (unsigned long) tally.seeds, (unsigned long) tally.failed, (unsigned long) tally.agents,
           (unsigned long) tally.steps, (unsigned long) tally.frames,
           (unsigned long) tally.tampered, (unsigned long) tally.cuts, (unsigned long) tally.hash,
           (unsigned long) (clock() / (CLOCKS_PER_SEC / 1000)));
    bool well = tally.failed == 0;
    printf("%sok 1 - agents_keep_their_invariants_under_faults_and_converge_when_healed\n",
           well ? "" : "not ");
    return well ? 0 : 1;
}
