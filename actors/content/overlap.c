/* overlap.c - whether two directories are equal or nested, asked of the system, not of their
 * names. */
#include "actors/content/point.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include "actors/content/fail.h"
#include "actors/content/mounts.h"

#define PLACE (O_PATH | O_DIRECTORY)

/* Steps: no directory is deeper than a path can be long. */
#define STEPS_MAX 100000u

static int
open_and_stat(world_t *world, int dir, const char *path, world_stat_t *ret_stat)
{
    int fd = world_open(world, dir, path, PLACE, 0, 0);
    int result = fd < 0 ? fd : world_stat(world, fd, ret_stat);
    if (result < 0 && fd >= 0) {
        world_close(world, fd);
    }
    return result < 0 ? result : fd;
}

static bool
is_same(const world_stat_t *a, const world_stat_t *b)
{
    return a->device == b->device && a->inode == b->inode;
}

typedef struct wanted {
    const world_stat_t *what; /* this directory, or */
    bool any;                 /* the root of any point, or */
    const id128_t *known;     /* of one of these */
    size_t count;
} wanted_t;

static bool
is_wanted(world_t *world, const wanted_t *wanted, int fd, const world_stat_t *at)
{
    point_identity_t identity;
    if (wanted->what != NULL) {
        return is_same(wanted->what, at);
    }
    if (point_identity_at(world, fd, &identity, NULL) != OK) {
        return false;
    }
    bool is = wanted->any;
    for (size_t i = 0; i < wanted->count && !is; i++) {
        is = memcmp(&wanted->known[i], &identity.incarnation, sizeof identity.incarnation) == 0;
    }
    return is;
}

/* Whether the directory at path or one of its parents is what is wanted: 1, 0 or -errno. */
static int
lies_above(world_t *world, const wanted_t *wanted, const char *path)
{
    world_stat_t at;
    int fd = open_and_stat(world, AT_FDCWD, path, &at);
    for (unsigned step = 0; fd >= 0 && step < STEPS_MAX; step++) {
        if (is_wanted(world, wanted, fd, &at)) {
            world_close(world, fd);
            return 1;
        }
        world_stat_t parent;
        int up = open_and_stat(world, fd, "..", &parent);
        world_close(world, fd);
        if (up >= 0 && is_same(&parent, &at)) {
            world_close(world, up);
            return 0;
        }
        fd = up;
        at = parent;
    }
    return fd < 0 ? fd : -ELOOP;
}

/* Also where a mount shows a part of one elsewhere, with nothing of it above. */
static bool
overlaps_by_mounts(world_t *world, const char *path_a, const char *path_b)
{
    mounts_t *mounts = mounts_read(world);
    bool overlaps =
        mounts_overlap(mounts, path_a, path_b) || mounts_overlap(mounts, path_b, path_a);
    mounts_destroy(&mounts);
    return overlaps;
}

/* 1, 0, -errno; -ENOENT when one of the two is not there. */
static int
overlaps_by_inode(world_t *world, const char *path_a, const char *path_b)
{
    world_stat_t a;
    world_stat_t b;
    int fd_a = open_and_stat(world, AT_FDCWD, path_a, &a);
    int fd_b = fd_a < 0 ? fd_a : open_and_stat(world, AT_FDCWD, path_b, &b);
    if (fd_a >= 0) {
        world_close(world, fd_a);
    }
    if (fd_b < 0) {
        return fd_b;
    }
    world_close(world, fd_b);
    int above = lies_above(world, &(wanted_t){.what = &a}, path_b);
    return above != 0 ? above : lies_above(world, &(wanted_t){.what = &b}, path_a);
}

err_t
point_overlaps(world_t *world, const char *path_a, const char *path_b, bool *ret_overlaps,
               fault_t *fault)
{
    if (mounts_text_lies_above(path_a, path_b) || mounts_text_lies_above(path_b, path_a) ||
        overlaps_by_mounts(world, path_a, path_b)) {
        *ret_overlaps = true;
        return OK;
    }
    int result = overlaps_by_inode(world, path_a, path_b);
    if (result < 0 && err_of_errno(-result) != ERR_ABSENT && result != -ENOTDIR) {
        return FAIL(fault, result, "compare", path_b);
    }
    *ret_overlaps = result == 1;
    return OK;
}

static err_t
look_above(world_t *world, const wanted_t *wanted, const char *path, bool *ret_lies, fault_t *fault)
{
    int result = lies_above(world, wanted, path);
    if (result < 0 && err_of_errno(-result) != ERR_ABSENT && result != -ENOTDIR) {
        return FAIL(fault, result, "look above", path);
    }
    *ret_lies = result == 1;
    return OK;
}

err_t
point_lies_above(world_t *world, const char *path, const id128_t *known, size_t count,
                 bool *ret_lies, fault_t *fault)
{
    return look_above(world, &(wanted_t){.known = known, .count = count}, path, ret_lies, fault);
}

err_t
point_lies_in_another(world_t *world, const char *root, bool *ret_lies, fault_t *fault)
{
    char above[POINT_ROOT_BYTES + 4];
    bool is_top = root[strspn(root, "/")] == '\0';
    if ((size_t) snprintf(above, sizeof above, "%s/..", root) >= sizeof above) {
        return RAISE(fault, ERR_NAME_TOO_LONG, 0, "look above", root);
    }
    *ret_lies = false;
    return is_top ? OK : look_above(world, &(wanted_t){.any = true}, above, ret_lies, fault);
}
