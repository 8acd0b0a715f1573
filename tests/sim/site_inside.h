/* site_inside.h - what the files that carry out a plan know of each other. */
#pragma once

#include "tests/sim/site_run.h"

#define CONVERGE_MS 600000u  /* virtual time to converge in, after all was healed */
#define JUMPED_MS   2400000u /* after the clock went back: a due time is at most 30 minutes away */
#define STARTS_MS   60000u   /* virtual time to start in */

typedef struct run {
    stage_t *stage;
    const plan_t *plan;
    uint32_t points;  /* that are to hold the package now */
    uint32_t version; /* of the source */
    bool changed;     /* since it was last stored for sure */
    bool paused[STAGE_POINTS_MAX];
    uint32_t flips;
    bool flips_store; /* they are met by who reads the store */
    uint32_t mends;   /* times that a person has stored again what proved damaged after that */
    uint32_t converge_ms;
    bool leapt; /* the wall clock went so far ahead that keys are too old */
} run_t;

extern const char *const site_names[STAGE_POINTS_MAX], *const site_paths[STAGE_POINTS_MAX];

world_sim_t *site_machine(run_t *run);
/* Whether this went well and nothing was at fault so far; else that is the fault. */
bool site_must(run_t *run, const char *what, err_t err);
bool site_add_point(run_t *run, uint32_t point);

/* site_acts.c: one act of a plan; one more version of the source, stored; and the end of it all. */
void site_strike(run_t *run, const plan_act_t *act);
void site_update(run_t *run);
void site_roll_back(run_t *run);
void site_heal(run_t *run);

/* site_rest.c: what must be so when all is well. */
bool site_converge(run_t *run, const char *when);
bool site_is_installed(run_t *run);
void site_rest(run_t *run);

/* site_poison.c: one message that fails its handler, when all is well. */
bool site_bears_poison(run_t *run);

/* site_rot.c: bits that turn at rest, where the site can have them right again. */
bool site_finds_rot(run_t *run);
void site_rot_store(run_t *run);
void site_mends_store(run_t *run);
void site_mends_store_again(run_t *run);
