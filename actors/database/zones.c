/* zones.c - the time zones in use, kept for a while; see connection.h. */
#include <string.h>

#include "actors/database/connection.h"
#include "actors/database/zone.h"

/* Its place, or that of the one read longest ago. */
static zone_place_t *
place_of(connection_t *connection, slice_t name)
{
    zone_place_t *oldest = &connection->zones[0];

    for (uint32_t i = 0; i < ZONES_KEPT; i++) {
        zone_place_t *place = &connection->zones[i];
        if (place->zone != NULL && slice_equal(name, slice_of(place->name))) {
            return place;
        }
        if (place->zone == NULL || (oldest->zone != NULL && place->read_ns < oldest->read_ns)) {
            oldest = place->zone == NULL && oldest->zone == NULL ? oldest : place;
        }
    }
    return oldest;
}

/* One that cannot be read any more stays as it was. */
const struct zone *
zones_get(connection_t *connection, slice_t name)
{
    zone_place_t *place = place_of(connection, name);
    bool same = place->zone != NULL && slice_equal(name, slice_of(place->name));
    int64_t now_ns = world_monotonic_ns(connection->world);
    zone_t *zone = NULL;
    fault_t fault;

    if (same && now_ns - place->read_ns < (int64_t) ZONE_KEPT_MS * 1000000) {
        return place->zone;
    }
    if (zone_read(connection->world, name, &zone, &fault) == OK) {
        zone_destroy(&place->zone);
        place->zone = zone;
        (void) slice_copy(name, place->name, sizeof place->name);
        same = true;
    }
    place->read_ns = same ? now_ns : place->read_ns;
    return same ? place->zone : NULL;
}

void
zones_clear(connection_t *connection)
{
    for (uint32_t i = 0; i < ZONES_KEPT; i++) {
        zone_destroy(&connection->zones[i].zone);
    }
}
