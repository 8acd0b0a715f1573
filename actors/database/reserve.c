/* reserve.c - space kept for what must work on a full disk, and progress kept in memory.
 *
 * Bytes    DATA/reserve, SITE_RESERVE_BYTES of allocated blocks; what they hold means nothing.
 * Valid    when its size is whole.
 * Crash    leaves it whole, short or empty: the next start makes it again.
 */
#include <fcntl.h>

#include "actors/database/connection.h"
#include "proto/limits.h"

bool
reserve_make(connection_t *connection)
{
    world_t *world = connection->world;
    int fd = world_open(world, connection->data_fd, "reserve", O_RDWR | O_CREAT, 0600, 0);
    if (fd < 0) {
        return false;
    }
    world_stat_t stat;
    int result = world_stat(world, fd, &stat);
    if (result == 0 && stat.size != SITE_RESERVE_BYTES) {
        result = world_allocate(world, fd, SITE_RESERVE_BYTES);
        if (result < 0) {
            world_truncate(world, fd, 0); /* half a reserve would only take the space away */
        }
    }
    world_close(world, fd);
    return result == 0;
}

void
reserve_release(connection_t *connection)
{
    world_t *world = connection->world;
    int fd = world_open(world, connection->data_fd, "reserve", O_RDWR, 0600, 0);
    if (fd >= 0) {
        connection->full = world_truncate(world, fd, 0) == 0 || connection->full;
        world_close(world, fd);
    }
}

uint64_t
connection_free_bytes(connection_t *connection)
{
    world_space_t space;
    return world_space(connection->world, connection->data_fd, &space) < 0 ? RECORD_NONE
                                                                           : space.bytes_free;
}

/* ---- progress: latest only, lost without harm ---- */

static progress_place_t *
place_of(connection_t *connection, uint64_t target)
{
    return &connection->progress[target % PROGRESS_PLACES];
}

void
progress_set(connection_t *connection, uint64_t target, uint64_t done, uint64_t total)
{
    progress_place_t *place = place_of(connection, target);
    int64_t now_ns = world_monotonic_ns(connection->world);
    if (place->target != target || done < place->done) {
        *place = (progress_place_t){
            .target = target, .first = done, .first_ns = now_ns, .judged_ns = now_ns};
    }
    place->done = done;
    place->total = total;
    place->last_ns = now_ns;
}

progress_place_t *
progress_of(connection_t *connection, uint64_t target)
{
    progress_place_t *place = place_of(connection, target);
    return place->target == target ? place : NULL;
}

uint64_t
progress_done(const connection_t *connection, uint64_t target)
{
    const progress_place_t *place = &connection->progress[target % PROGRESS_PLACES];
    return place->target == target ? place->done : 0;
}

void
progress_forget(connection_t *connection, uint64_t target)
{
    progress_place_t *place = place_of(connection, target);
    if (place->target == target) {
        *place = (progress_place_t){.target = 0};
    }
}
