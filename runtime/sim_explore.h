/* sim_explore.h - a small cast in every order of its deliveries and handlers.
 *
 * Shape    sim_explore runs a cast from its beginning, again and again, each time in another order,
 *          until there is none left. A step is one delivery or one handler, as in sim.h.
 * Promises every order is run, but for those that nobody could tell from one that was. Steps of
 *          different workers commute, unless one of them made or ended an actor, changed who has
 *          a role or who waits for whom: that is seen by all. Deliveries to one actor commute when
 *          they go to different lanes, and a delivery commutes with a handler that would not have
 *          run later for it. (Source sets and sleep sets: Abdulla, Aronis, Jonsson, Sagonas:
 *          Optimal Dynamic Partial Order Reduction, POPL 2014.) That a lane is full is not looked
 *          at: no cast of this size fills one.
 *          Envelopes arrive without delay; time passes, and jobs go on one after the other, only
 *          when nothing else can be done, so their orders are not among those that are run.
 * Costs    a run is a host made and destroyed, some 100 us, and its steps; the orders of n messages
 *          to one actor are n!, so some ten messages are a lot.
 * Errors   ret->why: what judge said of the first order that it did not like, and that order, step
 *          by step; complete: every order was run.
 * Threads  one.
 * Owner    sim_explore -> caller, sim_explored_free (&ret).
 */
#pragma once

#include "runtime/sim.h"

#pragma GCC visibility push(default) /* what a shared library of it exports */
#ifdef __cplusplus
extern "C" {
#endif

#define SIM_EXPLORE_STEPS 512u /* of one run; a longer one is not complete */

/* Judges the end of a run; false: it is wrong, and why. */
typedef bool sim_judge_fn(void *context, sim_t *sim, char *ret_why, size_t why_size);

typedef struct sim_explore_options {
    sim_options_t sim; /* strategy and delay_ns_max are not looked at */
    int64_t until_ns;  /* a run ends when nothing is left to do before this much time has passed */
    uint64_t runs_max; /* 0: no bound */
    bool all;          /* also those orders that nobody can tell from one another */
    sim_judge_fn *judge;
    void *context;
} sim_explore_options_t;

typedef struct sim_explored {
    uint64_t runs; /* to their end */
    uint64_t cut;  /* left off, since all that was left of them had been run */
    uint64_t steps;
    uint64_t orders; /* that differ in what some worker saw */
    uint64_t *order; /* what tells one from another, ascending */
    bool complete;
    char why[8192]; /* "": every run was judged well */
} sim_explored_t;

void sim_explore(const sim_explore_options_t *options, sim_explored_t *ret);
void sim_explored_free(sim_explored_t *explored);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop
