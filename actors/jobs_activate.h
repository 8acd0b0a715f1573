/* jobs_activate.h - the jobs of an agent's on-activate program; see content/activation.h.
 *
 * Shape    each takes an activation_order. job_activation_intend -> claimed: a version is to be
 *          placed, or removed; job_activate -> activated: runs for one that is due, if any;
 *          job_activation_told -> claimed: the site has an end; job_activation_untold -> activated:
 *          what it has not heard.
 * Promises each makes its answer whatever it meets.
 * Costs    job_activate waits for the program; the others a few calls.
 * Errors   in the answers.
 * Threads  one of them at a time.
 */
#pragma once
#include "runtime/actor.h"

job_fn job_activation_intend, job_activate, job_activation_told, job_activation_untold;
