/* sim_places.h - a set of places where a power cut can fall, over one run or over many.
 *
 * Shape    each place is a number that is not 0 (sim.h says what it is made of).
 * Costs    16 bytes a place, at most SIM_PLACES_MAX of them; what comes after is not counted.
 * Threads  one.
 * Owner    sim_places_new -> caller, sim_places_destroy(&places).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(default) /* what a shared library of it exports */
#ifdef __cplusplus
extern "C" {
#endif

#define SIM_PLACES_MAX (1u << 20)

typedef struct sim_places sim_places_t;

sim_places_t *sim_places_new(void);
void sim_places_destroy(sim_places_t **places);
void sim_places_add(sim_places_t *places, uint64_t place);
uint64_t sim_places_count(const sim_places_t *places);
/* The i-th of count, in no order that means anything. */
uint64_t sim_places_at(const sim_places_t *places, uint64_t i);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop
