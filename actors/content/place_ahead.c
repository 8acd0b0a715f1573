/* place_ahead.c - see place_ahead.h.
 *
 * Bytes    those of place_tree.c, in the same tree.
 * A crash  leaves what a placement that was cut leaves: a tree whose bytes decide.
 */
#include "actors/content/place_ahead.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "actors/content/place_ahead_inner.h"
#include "actors/content/sync_points.h"
#include "actors/content/write_all.h"

#define ALL_MODES     07777u
#define RIGHT         0700u      /* of a directory under way, as place_tree.c makes it */
#define LARGE_RIGHT   0600u      /* of a large file until it is whole */
#define EARLY_BYTES   (8u << 20) /* of a large file, sent to the disk while the next ones come */
#define WRITTEN_FIRST 4096u

/* ---- what was written ---- */

static uint64_t
name_of(const digest_t *digest)
{
    uint64_t name;
    memcpy(&name, digest->byte, sizeof name);
    return name;
}

static ahead_written_t *
written_slot(const place_ahead_t *ahead, uint64_t inode)
{
    uint32_t at = (uint32_t) (inode * 0x9e3779b97f4a7c15u >> 32) % ahead->written_room;
    while (ahead->written[at].inode != 0 && ahead->written[at].inode != inode) {
        at = (at + 1) % ahead->written_room;
    }
    return &ahead->written[at];
}

static bool
grow_written(place_ahead_t *ahead)
{
    ahead_written_t *old = ahead->written;
    uint32_t room = ahead->written_room;
    if (ahead->written_count * 2 < room) {
        return true;
    }
    ahead_written_t *larger = calloc(room == 0 ? WRITTEN_FIRST : room * 2, sizeof larger[0]);
    if (larger == NULL) {
        return false;
    }
    ahead->written = larger;
    ahead->written_room = room == 0 ? WRITTEN_FIRST : room * 2;
    for (uint32_t i = 0; i < room; i++) {
        if (old[i].inode != 0) {
            *written_slot(ahead, old[i].inode) = old[i];
        }
    }
    free(old);
    return true;
}

/* One that is not noted is read by the placement. */
static void
note_written(place_ahead_t *ahead, const world_stat_t *stat, const digest_t *digest)
{
    if (stat->inode == 0 || ahead->written_count == AHEAD_FILES_MAX || !grow_written(ahead)) {
        return;
    }
    ahead_written_t *slot = written_slot(ahead, stat->inode);
    ahead->written_count += slot->inode == 0;
    *slot = (ahead_written_t){
        .inode = stat->inode, .name = name_of(digest), .ctime_ns = stat->ctime_ns};
}

ahead_has_t
place_ahead_has(const place_ahead_t *ahead, const world_stat_t *stat, const tree_entry_t *entry)
{
    if (ahead == NULL || ahead->written_count == 0) {
        return AHEAD_NOTHING;
    }
    const ahead_written_t *written = written_slot(ahead, stat->inode);
    bool same = stat->device == ahead->device && S_ISREG(stat->mode) &&
                (stat->mode & ALL_MODES) == entry->mode && stat->mtime_ns == entry->mtime_ns &&
                stat->size == entry->size && stat->links == 1;
    return same && written->inode == stat->inode && written->ctime_ns == stat->ctime_ns &&
                   written->name == name_of(&entry->digest)
               ? AHEAD_WHOLE
               : AHEAD_NOTHING;
}

/* ---- the tree ---- */

static void
tell(const place_ahead_t *ahead, uint64_t bytes)
{
    if (ahead->beat != NULL) {
        ahead->beat(ahead->beat_context, bytes);
    }
}

bool
place_ahead_is_of(const place_ahead_t *ahead, world_t *world, int fd)
{
    world_stat_t stat;
    return ahead->tree >= 0 && world_stat(world, fd, &stat) == 0 && stat.device == ahead->device &&
           stat.inode == ahead->inode;
}

bool
place_ahead_has_looked(const place_ahead_t *ahead)
{
    return ahead->tree >= 0;
}

int
place_ahead_tree(const place_ahead_t *ahead)
{
    return ahead->tree;
}

/* Where names may be one another's that differ in case none is written: not all are known yet. */
static bool
take_tree(place_ahead_t *ahead, world_t *world, point_t *point, const receipt_t *record)
{
    char name[PLACE_NAME_BYTES];
    int staging = -1;
    bool existed = false;
    world_stat_t stat;
    place_staging_name(record, name);
    if (place_folds(world, point->own_fd, "staging") ||
        place_open_staging(point, &staging, NULL) != OK) {
        return false;
    }
    ahead->tree = place_open_staged(world, staging, name, &existed);
    ahead->lasting = world_lasting(world);
    bool folds = place_folds(world, staging, name);
    world_close(world, staging);
    if (ahead->tree < 0 || folds || world_stat(world, ahead->tree, &stat) < 0) {
        return false;
    }
    ahead->device = stat.device;
    ahead->inode = stat.inode;
    return true;
}

/* Where a placement would write, and has room beside what is still to come into the store. Each
 * file by itself nobody syncs here. */
static bool
look_at_point(place_ahead_t *ahead, world_t *world, store_t *store, point_t *point)
{
    place_look_t look;
    place_plan_t plan;
    world_space_t space;
    if (place_look(point, &ahead->order, &look, NULL) != OK || look.already || look.in_place ||
        world_space(world, point->fd, &space) < 0 || !sync_type_is_tested(space.type) ||
        place_measure(store, point, &look, &plan, NULL) != OK) {
        return false;
    }
    plan.need_bytes += ahead->lacks;
    return place_check_space(&plan, point->root, NULL) == OK &&
           take_tree(ahead, world, point, &look.record);
}

void
place_ahead_watch(place_ahead_t *ahead, void (*beat)(void *context, uint64_t bytes), void *context)
{
    if (ahead != NULL) {
        ahead->beat = beat;
        ahead->beat_context = context;
        tell(ahead, 1);
    }
}

static bool
open_tree(place_ahead_t *ahead, store_t *store)
{
    point_t point;
    world_t *world = store_world(store);
    if (point_open(world, ahead->root, &ahead->site, &ahead->point, &point, NULL) != OK) {
        return false;
    }
    point.beat = ahead->beat;
    point.beat_context = ahead->beat_context;
    bool open = look_at_point(ahead, world, store, &point);
    point_close(&point);
    return open;
}

/* ---- directories ---- */

/* Opens a directory of the tree, making what is not there: mostly it alone, as its parent has come
 * before it. The path is as it was when this returns. */
static int
open_way(const place_ahead_t *ahead, world_t *world, char *path)
{
    int fd = world_open(world, ahead->tree, path, PLACE_DIRECTORY, 0, PLACE_HOW);
    if (fd != -ENOENT) {
        return fd;
    }
    char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    int parent = ahead->tree;
    if (slash != NULL) {
        *slash = '\0';
        parent = open_way(ahead, world, path);
        *slash = '/';
    }
    int result = parent < 0 ? parent : world_make_dir(world, parent, name, RIGHT);
    result = result == 0 || result == -EEXIST
                 ? world_open(world, parent, name, PLACE_DIRECTORY, 0, PLACE_HOW)
                 : result;
    if (parent >= 0 && parent != ahead->tree) {
        world_close(world, parent);
    }
    return result;
}

/* The directory of a file, kept open for those that follow. */
static int
directory_of(place_ahead_t *ahead, world_t *world, const ahead_file_t *file)
{
    char path[AHEAD_PATH_BYTES_MAX + 1];
    if (file->large) {
        memcpy(path, file->path, strlen(file->path) + 1);
    } else if (!ahead_path(ahead, file->directory, path)) {
        return -ENAMETOOLONG;
    }
    if (path[0] == '\0') {
        return ahead->tree;
    }
    if (ahead->dir >= 0 && strcmp(path, ahead->dir_path) == 0) {
        return ahead->dir;
    }
    place_ahead_rest(ahead, world);
    int fd = open_way(ahead, world, path);
    memcpy(ahead->dir_path, path, strlen(path) + 1);
    ahead->dir = fd < 0 ? -1 : fd;
    return fd;
}

void
place_ahead_rest(place_ahead_t *ahead, world_t *world)
{
    if (ahead != NULL && ahead->dir >= 0) {
        world_close(world, ahead->dir);
        ahead->dir = -1;
    }
}

/* ---- files ---- */

/* Its time, and its mode where the mask has kept something of it; ret_stat is what it has then. */
static int
finish(world_t *world, int dir, int fd, const char *name, const ahead_file_t *file,
       world_stat_t *ret_stat)
{
    int result = world_set_mtime(world, dir, name, file->mtime_ns);
    result = result < 0 ? result : world_stat(world, fd, ret_stat);
    if (result < 0 || (ret_stat->mode & ALL_MODES) == file->mode) {
        return result;
    }
    result = world_chmod(world, fd, file->mode);
    return result < 0 ? result : world_stat(world, fd, ret_stat);
}

static int
put_small(place_ahead_t *ahead, world_t *world, const ahead_file_t *file, slice_t bytes)
{
    const char *name = ahead->text + file->text;
    world_stat_t stat;
    int dir = directory_of(ahead, world, file);
    int fd = dir < 0 ? dir
                     : world_open(world, dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW,
                                  file->mode & 0777, PLACE_HOW);
    if (fd < 0) {
        return fd;
    }
    int result = place_is_hole(bytes.data, bytes.size)
                     ? world_truncate(world, fd, bytes.size)
                     : write_all(world, fd, bytes.data, bytes.size, 0);
    result = result < 0 ? result : finish(world, dir, fd, name, file, &stat);
    int closed = world_close(world, fd);
    result = result < 0 ? result : closed;
    if (result < 0) {
        (void) world_remove(world, dir, name);
        return result;
    }
    note_written(ahead, &stat, &file->digest);
    return 0;
}

/* A hint, at each boundary that a chunk reaches. */
static int
write_out(world_t *world, int fd, uint64_t at, size_t size)
{
    uint64_t from = at / EARLY_BYTES * EARLY_BYTES;
    bool reaches = (at + size) / EARLY_BYTES * EARLY_BYTES != from;
    return reaches ? world_write_out(world, fd, from, EARLY_BYTES) : 0;
}

static void
forget(ahead_file_t *file)
{
    hash_destroy(&file->hash);
    file->earlies = 0;
    file->known = false;
}

/* What was put before its turn, as the file has it now. */
static bool
hash_early(world_t *world, int fd, ahead_file_t *file, const ahead_extent_t *early)
{
    uint8_t *bytes = malloc(early->size);
    uint64_t done = 0;
    int64_t got = bytes != NULL;
    while (got > 0 && done < early->size) {
        got = world_read(world, fd, bytes + done, early->size - done, early->at + done);
        done += got > 0 ? (uint64_t) got : 0;
    }
    if (done == early->size) {
        hash_add(file->hash, bytes, early->size);
    }
    free(bytes);
    return done == early->size;
}

/* Takes out the one whose turn it is now. */
static bool
take_early(ahead_file_t *file, ahead_extent_t *ret_early)
{
    for (uint32_t i = 0; i < file->earlies; i++) {
        if (file->early[i].at == file->there) {
            *ret_early = file->early[i];
            file->early[i] = file->early[--file->earlies];
            return true;
        }
    }
    return false;
}

static bool
pass_earlies(world_t *world, int fd, ahead_file_t *file)
{
    ahead_extent_t early;
    bool known = true;
    while (known && take_early(file, &early)) {
        known = file->hash == NULL || hash_early(world, fd, file, &early);
        file->there += early.size;
    }
    return known;
}

/* A chunk mostly comes behind the one before it; one that the file has twice comes early. What is
 * written over what was passed ends it. Each chunk had its digest: where the version names the
 * list, nothing is left to be hashed. That took a sixth of an agent's time. */
static void
pass_chunk(world_t *world, int fd, ahead_file_t *file, uint64_t at, slice_t bytes)
{
    bool known = file->known;
    if (known && at == file->there) {
        if (file->hash != NULL) {
            hash_add(file->hash, bytes.data, bytes.size);
        }
        file->there += bytes.size;
        known = pass_earlies(world, fd, file);
    } else if (known && at > file->there && file->earlies < AHEAD_EARLY_MAX) {
        file->early[file->earlies++] = (ahead_extent_t){at, bytes.size};
    } else {
        known = false;
    }
    if (!known) {
        forget(file);
    }
}

/* What the list of its chunks came to is what the version names, or the list is. */
static bool
is_right(ahead_file_t *file)
{
    digest_t found = file->digest;
    bool known = file->known && file->there == file->size;
    if (file->hash != NULL) {
        hash_end(file->hash, &found);
    }
    forget(file);
    return known && digest_equal(&found, &file->digest);
}

static int
end_large(place_ahead_t *ahead, world_t *world, int dir, int fd, ahead_file_t *file)
{
    world_stat_t stat;
    int result = world_truncate(world, fd, file->size);
    result = result < 0 ? result : finish(world, dir, fd, file->name, file, &stat);
    file->over = true;
    if (result >= 0 && is_right(file)) {
        note_written(ahead, &stat, &file->digest);
    }
    return result;
}

static int
write_chunk(world_t *world, int fd, ahead_file_t *file, uint64_t at, slice_t bytes)
{
    bool fits = at <= file->size && bytes.size <= file->size - at;
    int result = !fits ? -EINVAL
                 : place_is_hole(bytes.data, bytes.size)
                     ? 0
                     : write_all(world, fd, bytes.data, bytes.size, at);
    result = result < 0 ? result : write_out(world, fd, at, bytes.size);
    if (result >= 0) {
        pass_chunk(world, fd, file, at, bytes);
    }
    file->done += bytes.size;
    return result;
}

static int
put_chunk(place_ahead_t *ahead, world_t *world, ahead_file_t *file, uint64_t at, slice_t bytes)
{
    int dir = directory_of(ahead, world, file);
    int flags = O_RDWR | O_NOFOLLOW | (file->begun ? 0 : O_CREAT | O_EXCL);
    int fd = dir < 0 ? dir : world_open(world, dir, file->name, flags, LARGE_RIGHT, PLACE_HOW);
    if (fd < 0) {
        file->over = true;
        return fd;
    }
    file->begun = true;
    int result = write_chunk(world, fd, file, at, bytes);
    if (result >= 0 && file->done == file->size) {
        result = end_large(ahead, world, dir, fd, file);
    }
    int closed = world_close(world, fd);
    result = result < 0 ? result : closed;
    if (result < 0) {
        file->over = true;
        (void) world_remove(world, dir, file->name);
    }
    return result;
}

/* Something is in the way of this one; anything else would be in the way of the next ones, too. */
static bool
is_in_the_way(int result)
{
    return result == -EEXIST || result == -EACCES || result == -ENOTDIR || result == -ELOOP ||
           result == -ENAMETOOLONG;
}

void
place_ahead_put(place_ahead_t *ahead, store_t *store, const digest_t *object, slice_t bytes)
{
    if (ahead == NULL || ahead->over) {
        return;
    }
    world_t *world = store_world(store);
    ahead_row_t *row = ahead_first(ahead, object);
    if (row != NULL && ahead->tree < 0) {
        tell(ahead, 0);
        ahead->over = !open_tree(ahead, store);
    }
    for (; row != NULL && !ahead->over; row = ahead_next(ahead, row)) {
        ahead_file_t *file = row->file;
        tell(ahead, 0);
        int result = file->over    ? 0
                     : file->large ? put_chunk(ahead, world, file, row->at, bytes)
                                   : put_small(ahead, world, file, bytes);
        ahead->over = result < 0 && !is_in_the_way(result);
    }
    tell(ahead, 1);
}

void
place_ahead_end(place_ahead_t *ahead, world_t *world)
{
    if (ahead == NULL) {
        return;
    }
    for (uint32_t i = 0; i < ahead->larges; i++) {
        ahead_file_t *file = ahead->large[i];
        if (file->begun && !file->over) {
            int dir = directory_of(ahead, world, file);
            file->over = true;
            (void) (dir < 0 ? dir : world_remove(world, dir, file->name));
        }
    }
    place_ahead_rest(ahead, world);
    ahead->over = true;
}
