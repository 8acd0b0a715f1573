/* outage.h - a simulated machine with a source, a data directory and a root, for power cuts.
 *
 * Shape    a run is one machine through all its crashes; boot gives it a job's world, shut ends it.
 * Threads  one.
 */
#pragma once

#include "actors/content/place.h"
#include "actors/content/sync_points.h"
#include "runtime/world_sim.h"

/* What the run was told is done, when the power went. */
typedef struct promised {
    bool claimed, removed;
    bool kept;                      /* what was placed is not being removed */
    uint64_t roots, placed, staged; /* versions stored, placed, promised */
    digest_t root[2];
} promised_t;

typedef struct run {
    world_sim_t *sim;
    world_t *job;        /* of the simulator */
    world_t world;       /* the same, or with a file system that is not on the tested list */
    world_calls_t calls; /* of that */
    uint64_t calls_left; /* after so many calls the process is killed; 0: never */
    bool each;           /* each file is synced for itself */
    store_t *store;
    point_t point;
    place_order_t order;
    point_identity_t identity;
    promised_t promised;
    char violation[300];
} run_t;

void run_init(run_t *run, uint64_t seed, bool each);
void boot(run_t *run);
void shut(run_t *run);
void put_file(run_t *run, const char *path, const char *text);
/* The source and the empty places, durable before anything is cut. */
void furnish(run_t *run);

/* Notes the first thing that is wrong. */
void blame(run_t *run, const char *what, err_t err);
/* What a run of the index names is whole, promised or not. */
void check_objects(run_t *run);
void check_open(run_t *run);

typedef struct tally {
    uint64_t cuts;
    bool lost;
    char what[400];
} tally_t;

/* One run, cut after so many operations; *ret_ended: it came to its end before that. */
typedef void cut_run_fn(run_t *run, uint64_t operations, sync_point_t mutant, bool *ret_ended);
/* One prefix of so many, another one with each seed. Above 1 where a sanitizer looks on, which
 * takes thirty times as long; that each sync is needed shows in the plain build alone, because some
 * are missed in one of thousands of cuts. */
#ifndef CUT_EACH
#define CUT_EACH 1u
#endif
/* Every prefix, and again with other fates, until something is lost. */
void cut_everywhere(cut_run_fn *cut, sync_point_t mutant, bool each, uint64_t seeds,
                    tally_t *tally);
