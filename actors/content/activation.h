/* activation.h - what an agent keeps of its on-activate program: for which version it is to run,
 * and what became of it.
 *
 * Shape    DATA/activations/<package>, a sealed text (seal.h): the version, attempt, state, and
 *          how the program ended. DATA/activation-output/<package>: the last of its output.
 * Promises a version is noted before it is placed, so that a crash after it is current does not
 *          lose its run; an attempt is counted, durably, before its program begins; an end that
 *          was told is durable. A version that was placed before anybody noted it is not run for.
 * Costs    a few calls, two of them syncs, for each change.
 * Errors   ERR_DAMAGED, ERR_NOT_FOUND (no note), those of the world.
 * Threads  one job at a time.
 */
#pragma once

#include "actors/content/point.h"

#define ACTIVATION_PACKAGE_BYTES 65u
#define ACTIVATION_TEXT_BYTES    256u
#define ACTIVATION_OUTPUT_BYTES  65536u /* of one run, in its log; the last are kept */

typedef enum activation_state {
    ACTIVATION_DUE = 1, /* when its version is current */
    ACTIVATION_RUNS,    /* or it was cut: it runs again */
    ACTIVATION_ENDED,
    ACTIVATION_TOLD /* and its site has that durably */
} activation_state_t;

typedef struct activation {
    char package[ACTIVATION_PACKAGE_BYTES];
    id128_t incarnation; /* of the package */
    uint64_t epoch;
    uint64_t state;    /* activation_state_t */
    uint64_t attempt;  /* from 1 */
    uint64_t how;      /* world_end_t, and beyond it ACTIVATION_NOT_BEGUN; of an ended one */
    uint64_t code;     /* exit status, signal, or errno */
    uint64_t ended_ns; /* wall clock; shown, never a reason */
    char text[ACTIVATION_TEXT_BYTES]; /* the last line that it said */
} activation_t;

#define ACTIVATION_NOT_BEGUN 3u

/* What is to run, in a world; strings are borrowed. */
typedef struct activation_run {
    const char *program;             /* absolute */
    const char *data, *root, *point; /* of the agent; its point's root and name */
    uint32_t time_ms;
} activation_run_t;

/* Before a version is placed. One that is current already, and has no note, gets none. */
err_t activation_intend(world_t *world, const char *data, point_t *point, const char *package,
                        const id128_t *incarnation, uint64_t epoch, fault_t *fault) must_use;
/* Before what is there is removed: there is nothing to run for any more. */
err_t activation_forget(world_t *world, const char *data, const char *package,
                        fault_t *fault) must_use;
/* Runs the program for the first version that is current and due; ret_ran: there was one, and its
 * run has ended. A run that was cancelled is due still. */
err_t activation_run(world_t *world, point_t *point, const activation_run_t *order,
                     activation_t *ret, bool *ret_ran, fault_t *fault) must_use;
/* The site has it: of this version and attempt only. */
err_t activation_told(world_t *world, const char *data, const activation_t *told,
                      fault_t *fault) must_use;
/* Ends that the site does not have, at most max. */
err_t activation_untold(world_t *world, const char *data, activation_t *ret, uint32_t max,
                        uint32_t *ret_count, fault_t *fault) must_use;
