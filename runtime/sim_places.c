/* sim_places.c - a list of places, and an open table of where each stands in it. */
#include "runtime/sim_places.h"

#include <assert.h>
#include <stdlib.h>

#define FIRST_ROOM 1024u

struct sim_places {
    uint64_t *place;
    uint32_t *slot; /* 2 x room of them: number in the list from 1; 0: free */
    uint32_t count, room;
};

static void
put(sim_places_t *places, uint32_t number)
{
    uint32_t slots = 2 * places->room;
    uint32_t at = (uint32_t) (places->place[number] % slots);

    while (places->slot[at] != 0) {
        at = (at + 1) % slots;
    }
    places->slot[at] = number + 1;
}

static void
grow(sim_places_t *places)
{
    places->room = places->room ? 2 * places->room : FIRST_ROOM;
    places->place = realloc(places->place, places->room * sizeof *places->place);
    free(places->slot);
    places->slot = calloc(2 * (size_t) places->room, sizeof *places->slot);
    assert(places->place && places->slot);
    for (uint32_t i = 0; i < places->count; i++) {
        put(places, i);
    }
}

sim_places_t *
sim_places_new(void)
{
    sim_places_t *places = calloc(1, sizeof *places);

    assert(places);
    grow(places);
    return places;
}

void
sim_places_destroy(sim_places_t **places)
{
    if (*places) {
        free((*places)->place);
        free((*places)->slot);
        free(*places);
        *places = NULL;
    }
}

void
sim_places_add(sim_places_t *places, uint64_t place)
{
    uint32_t slots = 2 * places->room;

    assert(place != 0);
    for (uint32_t at = (uint32_t) (place % slots); places->slot[at] != 0; at = (at + 1) % slots) {
        if (places->place[places->slot[at] - 1] == place) {
            return;
        }
    }
    if (places->count == SIM_PLACES_MAX) {
        return;
    }
    if (places->count == places->room) {
        grow(places);
    }
    places->place[places->count] = place;
    put(places, places->count++);
}

uint64_t
sim_places_count(const sim_places_t *places)
{
    return places->count;
}

uint64_t
sim_places_at(const sim_places_t *places, uint64_t i)
{
    assert(i < places->count);
    return places->place[i];
}
