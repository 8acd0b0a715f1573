/* job_hands.h - threads that compute for jobs, so that one job can use every processor.
 *
 * Shape    a hands_t of a host, which is the `hands` of every job's world. A job begins works and
 *          awaits each of them; what no thread has begun by then, the job does itself, and while
 *          another thread is at it, the job does what else is waiting.
 * Promises a work is done once, before its await returns, and everything that it wrote is seen by
 *          who awaited it. With no thread at all everything is done by who awaits it, as in the
 *          simulator.
 * Costs    one thread for each processor but one, at most HANDS_MAX, from the first work on that
 *          finds none idle; one lock, taken twice a work.
 * Errors   none: a work tells in its own memory what came of it.
 * Threads  every function from any thread; a work belongs to the job that began it.
 * Owner    hands_new -> the job pool, hands_destroy(&hands) when no work is under way.
 */
#pragma once

#include "runtime/world.h"

#define HANDS_MAX 7u /* threads; further works wait, or are done by who awaits them */

typedef struct hands hands_t;

/* threads: at most so many; 0: none. */
hands_t *hands_new(uint32_t threads);
/* Ends and joins the threads. */
void hands_destroy(hands_t **hands);
world_hands_t *hands_of(hands_t *hands);
/* As many as this machine has processors for, beside the one of the job itself. */
uint32_t hands_useful(void);
