/* fiber.h - a stack of its own for a function that is to be suspended and resumed.
 *
 * Shape    fiber_resume runs the function until it calls fiber_pause or returns; both switch
 *          stacks.
 * Promises the sanitizers are told of each switch; a guard page below the stack turns an overflow
 *          into a fault instead of a silent overwrite.
 * Costs    FIBER_STACK_BYTES of address space, touched when used; a switch is some 100 ns.
 * Errors   none: fiber_new asserts that the stack could be mapped.
 * Threads  a fiber is resumed by the thread that made it.
 * Owner    fiber_new -> caller, fiber_destroy(&fiber); a fiber is destroyed after it has
 *          returned.
 */
#pragma once

#include <stdbool.h>

#define FIBER_STACK_BYTES (512u << 10) /* of one fiber; more faults at the guard page */

typedef struct fiber fiber_t;
typedef void fiber_fn(fiber_t *fiber, void *context);

fiber_t *fiber_new(fiber_fn *run, void *context);
void fiber_destroy(fiber_t **fiber);
/* One that has returned runs another function on its stack: to map and unmap one costs more than
 * most jobs do (a quarter of the time of whole sites). */
void fiber_again(fiber_t *fiber, fiber_fn *run, void *context);
/* Runs it on, from its start or its last pause; true when it has returned. */
bool fiber_resume(fiber_t *fiber);
/* In the fiber: gives control back to who resumed it. */
void fiber_pause(fiber_t *fiber);
