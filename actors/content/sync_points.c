/* sync_points.c - the one place of this room that makes the disk durable. */
#include "actors/content/sync_points.h"

#define TYPE_EXT4  0xef53u
#define TYPE_XFS   0x58465342u
#define TYPE_BTRFS 0x9123683eu
#define TYPE_TMPFS 0x01021994u

static bool
is_skipped(sync_point_t point)
{
#if defined(DESPOOL_SYNC_MUTANTS)
    return point == sync_mutant;
#elif defined(DESPOOL_SYNC_MUTANT)
    return point == DESPOOL_SYNC_MUTANT;
#else
    return point == SYNC_NONE;
#endif
}

int
sync_point_file(world_t *world, sync_point_t point, int fd)
{
    return is_skipped(point) ? 0 : world_sync(world, fd);
}

int
sync_point_data(world_t *world, sync_point_t point, int fd)
{
    return is_skipped(point) ? 0 : world_sync_data(world, fd);
}

int
sync_point_all(world_t *world, sync_point_t point, int fd)
{
    return is_skipped(point) ? 0 : world_sync_all(world, fd);
}

bool
sync_type_is_tested(uint32_t f_type)
{
    return f_type == TYPE_EXT4 || f_type == TYPE_XFS || f_type == TYPE_BTRFS ||
           f_type == TYPE_TMPFS;
}
