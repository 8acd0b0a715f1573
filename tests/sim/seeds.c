/* seeds.c - see seeds.h. */
#include "tests/sim/seeds.h"

#include <stdio.h>
#include <string.h>

#ifdef DESPOOL_SYNC_MUTANTS
sync_point_t sync_mutant = SYNC_NONE;
#endif

static bool
set_sync(seeds_t *seeds, const char *name)
{
#ifdef DESPOOL_SYNC_MUTANTS
    static const struct {
        const char *name;
        sync_point_t point;
    } syncs[] = {
#define SYNC_NAMED(point) {#point, point},
        SYNC_POINTS(SYNC_NAMED) SYNC_POINTS_APART(SYNC_NAMED)
#undef SYNC_NAMED
    };
    for (size_t i = 0; i < sizeof syncs / sizeof syncs[0]; i++) {
        if (strcmp(syncs[i].name, name) == 0) {
            seeds->without = syncs[i].point;
            return true;
        }
    }
#endif
    seeds->without = SYNC_NONE;
    fprintf(stderr, "this build cannot leave out the sync '%s'\n", name);
    return false;
}

static bool
set_strategy(seeds_t *seeds, const char *word)
{
    sim_strategy_t strategy;

    seeds->strategy = word;
    if (sim_strategy_parse(word, &strategy)) {
        return true;
    }
    fprintf(stderr, "no strategy is called '%s'\n", word);
    return false;
}

static bool
set(seeds_t *seeds, const char *name, const char *value)
{
    if (strcmp(name, "--seeds") == 0) {
        return sscanf(value, "%lu..%lu", &seeds->first, &seeds->last) == 2;
    }
    if (strcmp(name, "--strategy") == 0) {
        return set_strategy(seeds, value);
    }
    if (strcmp(name, "--without") == 0) {
        return set_sync(seeds, value);
    }
    uint64_t *number = strcmp(name, "--most") == 0     ? &seeds->most
                       : strcmp(name, "--agents") == 0 ? &seeds->agents
                                                       : NULL;
    if (number) {
        return sscanf(value, "%lu", number) == 1;
    }
    const char **text = strcmp(name, "--acts") == 0     ? &seeds->acts
                        : strcmp(name, "--caught") == 0 ? &seeds->caught
                        : strcmp(name, "--places") == 0 ? &seeds->places
                                                        : NULL;
    if (text) {
        *text = value;
    }
    return text != NULL;
}

static bool
set_flag(seeds_t *seeds, const char *name)
{
    bool *flag = strcmp(name, "--story") == 0     ? &seeds->story
                 : strcmp(name, "--hashes") == 0  ? &seeds->hashes
                 : strcmp(name, "--sockets") == 0 ? &seeds->over_sockets
                                                  : NULL;
    if (flag) {
        *flag = true;
    }
    return flag != NULL;
}

bool
seeds_parse(int argc, char **argv, const char *program, seeds_t *seeds)
{
    for (int i = 1; i < argc; i++) {
        if (set_flag(seeds, argv[i])) {
            continue;
        }
        if (i + 1 == argc || !set(seeds, argv[i], argv[i + 1])) {
            fprintf(stderr,
                    "usage: %s [--seeds A..B] [--strategy S] [--story] [--acts LIST] "
                    "[--caught WORD] [--without SYNC] [--most FAILURES] [--places FILE] "
                    "[--agents N] [--hashes] [--sockets]\n",
                    program);
            return false;
        }
        i++;
    }
    return true;
}

sim_strategy_t
seeds_strategy(const seeds_t *seeds, uint64_t seed)
{
    sim_strategy_t strategy = (sim_strategy_t) (seed % SIM_STRATEGY_COUNT);

    if (seeds->strategy) {
        sim_strategy_parse(seeds->strategy, &strategy);
    }
    return strategy;
}

sim_rounds_t
seeds_rounds(uint64_t seed)
{
    return (sim_rounds_t) (seed / SIM_STRATEGY_COUNT % SIM_ROUNDS_COUNT);
}

void
seeds_tell_trace(const seeds_t *seeds, uint64_t seed, uint64_t hash, uint64_t steps)
{
    fprintf(stderr, "#   trace of %lu: %s %016lx, %lu steps\n", (unsigned long) seed,
            sim_strategy_name(seeds_strategy(seeds, seed)), (unsigned long) hash,
            (unsigned long) steps);
}

bool
seeds_keep_places(const seeds_t *seeds)
{
    FILE *file = seeds->places ? fopen(seeds->places, "wb") : NULL;
    bool kept = file != NULL;

    for (uint64_t i = 0; kept && i < sim_places_count(seeds->all_places); i++) {
        uint64_t place = sim_places_at(seeds->all_places, i);
        kept = fwrite(&place, sizeof place, 1, file) == 1;
    }
    kept = file && fclose(file) == 0 && kept;
    if (seeds->places && !kept) {
        fprintf(stderr, "cannot write '%s'\n", seeds->places);
    }
    return kept || !seeds->places;
}
