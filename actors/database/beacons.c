/* beacons.c - the last beacon that the agent of each point has seen: lost without harm.
 *
 * Age is in this machine's own monotonic time, from when the site heard that it was seen. At most
 * one place for each point. */
#include <stdlib.h>
#include <string.h>

#include "actors/database/handlers.h"
#include "actors/database/rows.h"

#define NS_PER_MS    1000000
#define PLACES_FIRST 64u

/* The first place that is not before this point. */
static uint32_t
place_of(const connection_t *connection, int64_t point)
{
    uint32_t low = 0, high = connection->beacons;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (connection->beacon[middle].point < point) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool
is_at(const connection_t *connection, uint32_t at, int64_t point)
{
    return at < connection->beacons && connection->beacon[at].point == point;
}

/* False: no memory, and then it is not known. */
static bool
make_room(connection_t *connection)
{
    uint32_t room = connection->beacons_room > 0 ? connection->beacons_room * 2 : PLACES_FIRST;
    if (connection->beacons < connection->beacons_room) {
        return true;
    }
    beacon_place_t *more = realloc(connection->beacon, room * sizeof *more);
    if (more == NULL) {
        return false;
    }
    connection->beacon = more;
    connection->beacons_room = room;
    return true;
}

void
beacons_set(connection_t *connection, int64_t point, uint64_t sequence)
{
    uint32_t at = place_of(connection, point);
    if (!is_at(connection, at, point)) {
        if (!make_room(connection)) {
            return;
        }
        memmove(connection->beacon + at + 1, connection->beacon + at,
                (connection->beacons - at) * sizeof *connection->beacon);
        connection->beacons++;
    }
    connection->beacon[at] =
        (beacon_place_t){point, sequence, world_monotonic_ns(connection->world)};
}

const beacon_place_t *
beacons_of(const connection_t *connection, int64_t point)
{
    uint32_t at = place_of(connection, point);
    return is_at(connection, at, point) ? &connection->beacon[at] : NULL;
}

void
beacons_forget(connection_t *connection, int64_t point)
{
    uint32_t at = place_of(connection, point);
    if (is_at(connection, at, point)) {
        connection->beacons--;
        memmove(connection->beacon + at, connection->beacon + at + 1,
                (connection->beacons - at) * sizeof *connection->beacon);
    }
}

void
handle_beacon_seen(tx_t *tx, const beacon_seen_t *m)
{
    point_t point;
    if (point_by_name(tx, record_slice(m, m->dp), &point)) {
        beacons_set(tx->db, point.row, m->sequence);
    }
    tx_done(tx, false, NULL);
}

void
beacons_show(const tx_t *tx, const point_t *point, point_row_t *ret)
{
    const beacon_place_t *place = beacons_of(tx->db, point->row);
    ret->beacon = place ? place->sequence : RECORD_NONE;
    ret->beacon_age_ms =
        place ? (uint64_t) ((world_monotonic_ns(tx->db->world) - place->seen_ns) / NS_PER_MS)
              : RECORD_NONE;
}
