/* seeds.h - what a program that runs whole sites through seeds is told, and what it keeps of them.
 *
 * Shape    [--seeds A..B] [--strategy S] [--story] [--acts LIST] [--caught WORD] [--without SYNC]
 *          [--most FAILURES] [--places FILE] [--agents N] [--hashes] [--sockets]
 * Threads  one.
 */
#pragma once

#include "actors/content/sync_points.h"
#include "runtime/sim.h"

typedef struct seeds {
    uint64_t first, last;
    const char *strategy; /* NULL: each seed has one */
    const char *acts;     /* NULL: all */
    const char *caught;   /* NULL: no defect is expected */
    sync_point_t without; /* the sync of actors/content that is left out */
    uint64_t agents;      /* so many; 0: each seed has its own number */
    bool story;
    bool hashes;        /* tell that of each seed */
    bool over_sockets;  /* as that of sim_options_t, of every host */
    uint64_t most;      /* failures, and then no more seeds */
    const char *places; /* file for the crash points, 8 bytes each; NULL: they are counted only */
    sim_places_t *all_places;
} seeds_t;

/* False: not understood, and told on stderr. */
bool seeds_parse(int argc, char **argv, const char *program, seeds_t *seeds);
sim_strategy_t seeds_strategy(const seeds_t *seeds, uint64_t seed);
sim_rounds_t seeds_rounds(uint64_t seed);
/* One line of what a seed did, on stderr: any two of the same seed are equal. */
void seeds_tell_trace(const seeds_t *seeds, uint64_t seed, uint64_t hash, uint64_t steps);
/* Writes all_places for who adds them up over many processes. */
bool seeds_keep_places(const seeds_t *seeds);
