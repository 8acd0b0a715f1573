/* clear.c - takes trees down from their leaves, with a stack of listings instead of recursion. */
#include "actors/content/clear.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "actors/content/descent.h"
#include "actors/content/fail.h"
#include "actors/content/listing.h"

#define HOW   (WORLD_BENEATH | WORLD_NO_XDEV)
#define RIGHT 0700u /* what we need of a directory to empty it */

typedef struct level {
    listing_t names;
    uint32_t next;
} level_t;

typedef struct clear {
    world_t *world;
    descent_t way;
    level_t *level;
    size_t depth, capacity;
    fault_t *fault;
} clear_t;

static err_t
push(clear_t *clear)
{
    if (clear->depth == clear->capacity) {
        size_t capacity = clear->capacity * 2 + 8;
        level_t *level = realloc(clear->level, capacity * sizeof level[0]);
        if (level == NULL) {
            return NO_MEMORY(clear->fault, "a listing");
        }
        clear->level = level;
        clear->capacity = capacity;
    }
    level_t *level = &clear->level[clear->depth++];
    *level = (level_t){0};
    return listing_read(clear->world, descent_fd(&clear->way), descent_path(&clear->way, NULL),
                        &level->names, clear->fault);
}

static err_t
fail_at(clear_t *clear, int result, const char *name)
{
    return FAIL(clear->fault, result, "remove", descent_path(&clear->way, name));
}

static err_t
enter(clear_t *clear, const char *name, uint32_t mode)
{
    if ((mode & RIGHT) != RIGHT) {
        int result = world_chmod_at(clear->world, descent_fd(&clear->way), name, RIGHT);
        if (result < 0) {
            return fail_at(clear, result, name);
        }
    }
    TRY(descent_enter(&clear->way, name, clear->fault));
    return push(clear);
}

static err_t
remove_one(clear_t *clear, const char *name)
{
    int dir = descent_fd(&clear->way);
    world_stat_t stat;
    int result = world_stat_at(clear->world, dir, name, &stat);
    if (result == 0 && S_ISDIR(stat.mode)) {
        return enter(clear, name, stat.mode);
    }
    result = result < 0 ? result : world_remove(clear->world, dir, name);
    return result < 0 && result != -ENOENT ? fail_at(clear, result, name) : OK;
}

/* Goes up; the directory that was left is empty now. */
static err_t
pop(clear_t *clear)
{
    listing_release(&clear->level[--clear->depth].names);
    if (clear->depth == 0) {
        return OK;
    }
    TRY(descent_leave(&clear->way, clear->fault));
    level_t *level = &clear->level[clear->depth - 1];
    const char *name = level->names.name[level->next - 1];
    int result = world_remove_dir(clear->world, descent_fd(&clear->way), name);
    return result < 0 && result != -ENOENT ? fail_at(clear, result, name) : OK;
}

static err_t
empty(clear_t *clear)
{
    TRY(push(clear));
    while (clear->depth > 0) {
        level_t *level = &clear->level[clear->depth - 1];
        TRY(level->next < level->names.count ? remove_one(clear, level->names.name[level->next++])
                                             : pop(clear));
    }
    return OK;
}

/* Empties the directory open on fd. */
static err_t
clear_fd(world_t *world, int fd, fault_t *fault)
{
    clear_t clear = {.world = world, .fault = fault};
    TRY(descent_init(&clear.way, world, fd, HOW, ERR_IO, fault));
    err_t err = empty(&clear);
    for (size_t i = 0; i < clear.depth; i++) {
        listing_release(&clear.level[i].names);
    }
    free(clear.level);
    descent_release(&clear.way);
    return err;
}

err_t
clear_inside(world_t *world, int dir, const char *name, fault_t *fault)
{
    int fd = world_open(world, dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, HOW);
    if (fd == -ENOENT) {
        return OK;
    }
    if (fd < 0) {
        return FAIL(fault, fd, "open", name);
    }
    err_t err = clear_fd(world, fd, fault);
    world_close(world, fd);
    return err;
}

err_t
clear_name(world_t *world, int dir, const char *name, fault_t *fault)
{
    world_stat_t stat;
    int result = world_stat_at(world, dir, name, &stat);
    if (result == -ENOENT) {
        return OK;
    }
    bool is_directory = result == 0 && S_ISDIR(stat.mode);
    if (is_directory && (stat.mode & RIGHT) != RIGHT) {
        result = world_chmod_at(world, dir, name, RIGHT);
    }
    if (result >= 0 && is_directory) {
        TRY(clear_inside(world, dir, name, fault));
        result = world_remove_dir(world, dir, name);
    } else if (result >= 0) {
        result = world_remove(world, dir, name);
    }
    return result < 0 ? FAIL(fault, result, "remove", name) : OK;
}
