/* watched.c - see watched.h. */
#include "watched.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static watched_t *
seen(world_t *world, const char *call)
{
    watched_t *watched = (watched_t *) (void *) world;
    if (watched->look != NULL) {
        watched->look(watched, call);
    }
    return watched;
}

static int64_t
watched_read(world_t *world, int fd, void *bytes, size_t size, uint64_t offset)
{
    watched_t *watched = seen(world, "read");
    watched->reads++;
    return world_read(watched->real, fd, bytes, size, offset);
}

static int64_t
watched_write(world_t *world, int fd, const void *bytes, size_t size, uint64_t offset)
{
    watched_t *watched = seen(world, "write");
    watched->writes++;
    return watched->write_fails != 0 ? -watched->write_fails
                                     : world_write(watched->real, fd, bytes, size, offset);
}

static int
watched_write_out(world_t *world, int fd, uint64_t offset, uint64_t size)
{
    watched_t *watched = seen(world, "write_out");
    watched->outs++;
    return watched->outs_fail != 0 ? -watched->outs_fail
                                   : world_write_out(watched->real, fd, offset, size);
}

static int
watched_sync(world_t *world, int fd)
{
    return world_sync(seen(world, "sync")->real, fd);
}

static int
watched_make_dir(world_t *world, int dir, const char *path, uint32_t mode)
{
    return world_make_dir(seen(world, "make_dir")->real, dir, path, mode);
}

static int
watched_make_link(world_t *world, const char *target, int dir, const char *path)
{
    return world_make_link(seen(world, "make_link")->real, target, dir, path);
}

static int
watched_rename(world_t *world, int from_dir, const char *from, int to_dir, const char *to)
{
    return world_rename(seen(world, "rename")->real, from_dir, from, to_dir, to);
}

static int
watched_remove(world_t *world, int dir, const char *path)
{
    return world_remove(seen(world, "remove")->real, dir, path);
}

static int
watched_remove_dir(world_t *world, int dir, const char *path)
{
    return world_remove_dir(seen(world, "remove_dir")->real, dir, path);
}

static int
watched_set_mtime(world_t *world, int dir, const char *path, int64_t mtime_ns)
{
    watched_t *watched = (watched_t *) (void *) world;
    int64_t rest = watched->coarse_ns == 0 ? 0 : mtime_ns % watched->coarse_ns;
    return world_set_mtime(watched->real, dir, path, mtime_ns - rest);
}

static int
watched_chmod(world_t *world, int fd, uint32_t mode)
{
    watched_t *watched = (watched_t *) (void *) world;
    return world_chmod(watched->real, fd, mode & ~watched->mode_mask);
}

static bool
does_fold(const watched_t *watched, int dir)
{
    char link[32], path[512] = "";
    snprintf(link, sizeof link, "/proc/self/fd/%d", dir);
    ssize_t size = watched->folds == NULL ? -1 : readlink(link, path, sizeof path - 1);
    size_t end = watched->folds == NULL ? 0 : strlen(watched->folds);
    return size >= (ssize_t) end && strcmp(path + (size_t) size - end, watched->folds) == 0;
}

/* The name that a directory has in another case. */
static bool
find_name(int dir, const char *name, char found[256])
{
    DIR *list = fdopendir(openat(dir, ".", O_RDONLY | O_DIRECTORY));
    const struct dirent *entry = NULL;
    bool same = false;
    while (list != NULL && !same && (entry = readdir(list)) != NULL) {
        same = strcasecmp(entry->d_name, name) == 0;
        snprintf(found, 256, "%s", entry->d_name);
    }
    if (list != NULL) {
        closedir(list);
    }
    return same;
}

static int
watched_stat_at(world_t *world, int dir, const char *path, world_stat_t *ret)
{
    watched_t *watched = (watched_t *) (void *) world;
    char found[256];
    int result = world_stat_at(watched->real, dir, path, ret);
    return result == -ENOENT && does_fold(watched, dir) && find_name(dir, path, found)
               ? world_stat_at(watched->real, dir, found, ret)
               : result;
}

static int
watched_space(world_t *world, int fd, world_space_t *ret)
{
    watched_t *watched = (watched_t *) (void *) world;
    int result = world_space(watched->real, fd, ret);
    if (result == 0 && watched->free_bytes != 0) {
        ret->bytes_free = watched->free_bytes;
    }
    return result;
}

void
watch(watched_t *watched, yard_t *yard)
{
    *watched = (watched_t){.real = yard->world, .yard = yard, .calls = *yard->world->call};
    watched->calls.read = watched_read;
    watched->calls.write = watched_write;
    watched->calls.write_out = watched_write_out;
    watched->calls.sync = watched_sync;
    watched->calls.make_dir = watched_make_dir;
    watched->calls.make_link = watched_make_link;
    watched->calls.rename = watched_rename;
    watched->calls.remove = watched_remove;
    watched->calls.remove_dir = watched_remove_dir;
    watched->calls.set_mtime = watched_set_mtime;
    watched->calls.chmod = watched_chmod;
    watched->calls.stat_at = watched_stat_at;
    watched->calls.space = watched_space;
    watched->world = (world_t){.call = &watched->calls, .self = yard->world->self};
    yard->world = &watched->world;
    yard->point.world = &watched->world;
    store_close(&yard->store);
    EXPECT_OK(yard,
              store_open(yard->world, yard_path(yard, "data/store"), &yard->store, &yard->fault));
}
