/* site_run.h - one plan carried out on a site: faults, then healing, then it must converge within
 * virtual minutes, unaided, and what it then tells must survive a power cut.
 *
 * Errors   what went wrong is the stage's fault (stage_fault).
 * Threads  one.
 */
#pragma once
#include "tests/sim/plan.h"

void site_run(stage_t *stage, const plan_t *plan);
