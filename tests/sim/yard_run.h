/* yard_run.h - one run of a site and its agents: set up, struck by a plan's acts, healed, at rest.
 *
 * Shape    yard_run does it all; what goes against an invariant is the stage's fault.
 * Threads  one.
 */
#pragma once

#include "tests/sim/yard_plan.h"

#define STARTS_MS   60000u
#define CONVERGE_MS 600000u

typedef struct yard_run {
    stage_t *stage;
    yard_t *yard;
    const yard_plan_t *plan;
    uint32_t version; /* of the source */
    bool changed;     /* and it was not stored */
} yard_run_t;

void yard_run(stage_t *stage, yard_t *yard, const yard_plan_t *plan);

/* yard_acts.c */
void yard_strike(yard_run_t *run, const yard_act_t *act);
/* What an agent reads of its store has a wrong bit, so many times. */
void yard_flip(far_t *far, uint32_t most);
/* Some of the frames that come next are not what was sent. */
void yard_tamper(yard_run_t *run);
/* Another version; each second one switches all or none, where another is not decided. */
void yard_update(yard_run_t *run);

/* yard_older.c: a bit of the manifest of what an agent has turns where it is kept. */
void yard_rot_manifest(yard_run_t *run, far_t *far);
/* Nothing but the current version is left there, at last. */
void yard_older_go(yard_run_t *run, far_t *far);

/* yard_rest.c: what is done when all is well, one after the other. */
void yard_rest(yard_run_t *run);
/* Every agent that is left must hold the site's version, whole, within virtual minutes. */
void yard_converge(yard_run_t *run, const char *when);
