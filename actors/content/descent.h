/* descent.h - a way down a directory tree, one descriptor a level, of any depth.
 *
 * Shape    a stack of directories below one top; names are used relative to the current one, so no
 *          path is ever too long for the system.
 * Promises links are never followed; a directory that is opened again on the way up is the same
 *          one (device and inode), else the descent's `moved` error.
 * Costs    at most DESCENT_TOP_OPEN + DESCENT_LOW_OPEN descriptors: the upper levels and the
 *          deepest; levels between are closed and opened again when the way leads back.
 * Errors   ERR_NAME_TOO_LONG (deeper than DESCENT_MAX), ERR_NO_MEMORY, those of the world.
 * Threads  one.
 */
#pragma once

#include "actors/content/tree.h"

#define DESCENT_TOP_OPEN 24u
#define DESCENT_LOW_OPEN 16u
#define DESCENT_NOWHERE  (-2) /* a top that is not there: only by name, as descent_pretend */
#define DESCENT_MAX      (TREE_DEPTH_MAX + 1) /* a tree of full depth and what it stands in */

typedef struct descent_level {
    int fd; /* -1: closed on the way down; -2: entered by name only */
    uint64_t device, inode;
    size_t path_size; /* bytes of the path that lead here */
} descent_level_t;

typedef struct descent {
    world_t *world;
    unsigned how; /* WORLD_BENEATH | WORLD_NO_XDEV */
    err_t moved;
    descent_level_t *level; /* level[0] is the top; its fd is borrowed */
    size_t depth, capacity; /* depth: index of the current level */
    char *path;
    size_t path_capacity;
} descent_t;

/* top is borrowed until the release. moved: the error for a directory that is not the same. */
err_t descent_init(descent_t *descent, world_t *world, int top, unsigned how, err_t moved,
                   fault_t *fault) must_use;
void descent_release(descent_t *descent);
int descent_fd(const descent_t *descent);
err_t descent_enter(descent_t *descent, const char *name, fault_t *fault) must_use;
/* Goes down by name only, for a directory that is not there: descent_path works below it, the
 * descriptor does not. */
err_t descent_pretend(descent_t *descent, const char *name, fault_t *fault) must_use;
err_t descent_leave(descent_t *descent, fault_t *fault) must_use;
/* The path of a name in the current directory, relative to the top, for faults, lists and globs;
 * valid until the next call. name NULL: of the directory itself, "." for the top. */
const char *descent_path(descent_t *descent, const char *name);
