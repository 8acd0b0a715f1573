/* descent.c - the stack of directories, with its middle closed when it grows deep. */
#include "actors/content/descent.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include "actors/content/fail.h"

#define OPEN_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
#define CLOSED     (-1)
#define PRETENDED  DESCENT_NOWHERE

err_t
descent_init(descent_t *descent, world_t *world, int top, unsigned how, err_t moved, fault_t *fault)
{
    *descent = (descent_t){.world = world, .how = how, .moved = moved};
    descent->capacity = 16;
    descent->path_capacity = 4096;
    descent->level = calloc(descent->capacity, sizeof descent->level[0]);
    descent->path = calloc(1, descent->path_capacity);
    if (descent->level == NULL || descent->path == NULL) {
        descent_release(descent);
        return NO_MEMORY(fault, "the way down a tree");
    }
    descent->level[0].fd = top;
    return OK;
}

void
descent_release(descent_t *descent)
{
    for (size_t i = 1; descent->level != NULL && i <= descent->depth; i++) {
        if (descent->level[i].fd >= 0) {
            world_close(descent->world, descent->level[i].fd);
        }
    }
    free(descent->level);
    free(descent->path);
    *descent = (descent_t){0};
}

int
descent_fd(const descent_t *descent)
{
    return descent->level[descent->depth].fd;
}

/* Room for one more level and for one more name behind it, so that descent_path cannot fail. */
static err_t
reserve(descent_t *descent, fault_t *fault)
{
    if (descent->depth + 2 > descent->capacity) {
        size_t capacity = descent->capacity * 2;
        descent_level_t *level = realloc(descent->level, capacity * sizeof level[0]);
        if (level == NULL) {
            return NO_MEMORY(fault, "the way down a tree");
        }
        descent->level = level;
        descent->capacity = capacity;
    }
    size_t need = descent->level[descent->depth].path_size + 2 * (TREE_NAME_BYTES_MAX + 2);
    if (need > descent->path_capacity) {
        char *path = realloc(descent->path, need * 2);
        if (path == NULL) {
            return NO_MEMORY(fault, "the way down a tree");
        }
        descent->path = path;
        descent->path_capacity = need * 2;
    }
    return OK;
}

const char *
descent_path(descent_t *descent, const char *name)
{
    size_t size = descent->level[descent->depth].path_size;
    if (name == NULL) {
        descent->path[size] = '\0';
        return size == 0 ? "." : descent->path;
    }
    size_t name_size = strlen(name);
    assert(name_size <= TREE_NAME_BYTES_MAX);
    if (size > 0) {
        descent->path[size++] = '/';
    }
    memcpy(descent->path + size, name, name_size + 1);
    return descent->path;
}

static err_t
open_level(descent_t *descent, int dir, const char *name, descent_level_t *ret_level,
           fault_t *fault)
{
    world_t *world = descent->world;
    int fd = world_open(world, dir, name, OPEN_FLAGS, 0, descent->how);
    if (fd < 0) {
        return FAIL(fault, fd, "open", descent_path(descent, name));
    }
    world_stat_t stat;
    int result = world_stat(world, fd, &stat);
    if (result < 0) {
        world_close(world, fd);
        return FAIL(fault, result, "stat", descent_path(descent, name));
    }
    *ret_level = (descent_level_t){.fd = fd, .device = stat.device, .inode = stat.inode};
    return OK;
}

static void
close_level(descent_t *descent, size_t index)
{
    if (index > 0 && descent->level[index].fd >= 0) {
        world_close(descent->world, descent->level[index].fd);
        descent->level[index].fd = CLOSED;
    }
}

static err_t
check_depth(descent_t *descent, const char *name, fault_t *fault)
{
    if (descent->depth == DESCENT_MAX) {
        return RAISE(fault, ERR_NAME_TOO_LONG, 0, "enter", descent_path(descent, name));
    }
    return reserve(descent, fault);
}

err_t
descent_enter(descent_t *descent, const char *name, fault_t *fault)
{
    TRY(check_depth(descent, name, fault));
    descent_level_t level;
    TRY(open_level(descent, descent_fd(descent), name, &level, fault));
    level.path_size = strlen(descent_path(descent, name));
    descent->level[++descent->depth] = level;
    if (descent->depth >= DESCENT_TOP_OPEN + DESCENT_LOW_OPEN) {
        close_level(descent, descent->depth - DESCENT_LOW_OPEN);
    }
    return OK;
}

err_t
descent_pretend(descent_t *descent, const char *name, fault_t *fault)
{
    TRY(check_depth(descent, name, fault));
    descent_level_t level = {.fd = PRETENDED};
    level.path_size = strlen(descent_path(descent, name));
    descent->level[++descent->depth] = level;
    return OK;
}

/* The name by which a level was entered, out of the path. */
static void
name_of(const descent_t *descent, size_t index, char name[TREE_NAME_BYTES_MAX + 1])
{
    size_t from = descent->level[index - 1].path_size;
    from += from > 0;
    size_t size = descent->level[index].path_size - from;
    memcpy(name, descent->path + from, size);
    name[size] = '\0';
}

/* Opens a closed level from the one above it, and sees that it is the directory it was. */
static err_t
reopen_level(descent_t *descent, size_t index, fault_t *fault)
{
    char name[TREE_NAME_BYTES_MAX + 1];
    name_of(descent, index, name);
    descent_level_t *level = &descent->level[index];
    int fd = world_open(descent->world, level[-1].fd, name, OPEN_FLAGS, 0, descent->how);
    if (fd < 0) {
        return RAISE(fault, descent->moved, -fd, "reopen", name);
    }
    level->fd = fd;
    world_stat_t stat;
    int result = world_stat(descent->world, fd, &stat);
    if (result < 0) {
        return FAIL(fault, result, "stat", name);
    }
    if (stat.device != level->device || stat.inode != level->inode) {
        return RAISE(fault, descent->moved, 0, "reopen", name);
    }
    return OK;
}

err_t
descent_leave(descent_t *descent, fault_t *fault)
{
    assert(descent->depth > 0);
    close_level(descent, descent->depth);
    size_t target = --descent->depth;
    if (descent->level[target].fd == PRETENDED) {
        return OK;
    }
    size_t from = target;
    while (descent->level[from].fd < 0) {
        from--;
    }
    for (size_t i = from + 1; i <= target; i++) {
        TRY(reopen_level(descent, i, fault));
        if (i - 1 >= DESCENT_TOP_OPEN && i - 1 + DESCENT_LOW_OPEN <= target) {
            close_level(descent, i - 1);
        }
    }
    return OK;
}
