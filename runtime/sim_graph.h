/* sim_graph.h - the whole truth about who waits for whom, from the actors themselves.
 *
 * Shape    a node for each open ask: who asked, and where it is now.
 * Costs    looks at every actor; the search for hope is quadratic in the number of open asks.
 * Threads  one: everything stands still.
 * Owner    sim_graph_new -> the sim.
 */
#pragma once

#include "runtime/inside.h"
#include "runtime/sim_inside.h"

typedef enum place_kind {
    PLACE_ANSWERED, /* its asker is about to hear */
    PLACE_LANE,     /* on its way to whom it was asked of, or in a lane there */
    PLACE_HELD,     /* behind a message that failed and is tried again */
    PLACE_ACCEPTED, /* put off */
    PLACE_LOST
} place_kind_t;

typedef struct place {
    place_kind_t kind;
    actor_t *at;
    const accepted_t *accepted;
} place_t;

typedef struct waiting {
    actor_t *asker;
    const open_ask_t *ask;
    place_t place;
    bool hope;          /* something is left that can answer it */
    bool met, followed; /* in the search for a circle */
} waiting_t;

struct sim_graph {
    waiting_t *node;
    uint32_t count, room;
};

actor_t *sim_actor_at(const sim_t *sim, uint32_t index); /* NULL: nobody is there */
const open_ask_t *sim_call_of(const actor_t *actor);     /* its open call; NULL: none */
void sim_graph_fill(sim_t *sim, sim_graph_t *graph);
/* The call of this actor is in a circle, and is no tail that leads into one. Fills the graph. */
bool sim_graph_has_circle(sim_t *sim, const actor_t *caller);
/* Sets hope; returns how many have none. */
uint32_t sim_graph_judge(const sim_t *sim, sim_graph_t *graph);
