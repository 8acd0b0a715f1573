/* backup.c - a backup is made: database, keys, index, packs; then what says that it is one.
 *
 * Bytes    see backup.h. `files` is of lines "<64 hex>  <path>"; `backup` has its digest.
 * Valid    when `backup` is there, its seal holds, `files` has that digest, and each file its own.
 * A crash  leaves a directory without `backup`, or a whole backup.
 */
#include "actors/content/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/content/backup_copy.h"
#include "actors/content/clear.h"
#include "actors/content/fail.h"
#include "actors/content/listing.h"
#include "actors/content/seal.h"
#include "actors/content/sync_points.h"
#include "actors/content/write_all.h"

#define LINE_BYTES (64u + 2u + BACKUP_PATH_BYTES + 1u)
#define LOOKS_MAX  100u /* at the index, which is merged meanwhile */

typedef struct filling {
    copier_t copier;
    int list; /* DIR/files */
    uint64_t list_size;
} filling_t;

/* ---- before ---- */

static bool
is_inside(const char *path, const char *dir)
{
    size_t size = strlen(dir);
    return strncmp(path, dir, size) == 0 && (path[size] == 0 || path[size] == '/');
}

static err_t
open_made(world_t *world, const char *dir, bool dry_run, int *ret_fd, fault_t *fault)
{
    int fd = world_open(world, AT_FDCWD, dir, BACKUP_DIRECTORY, 0, 0);
    if (fd == -ENOENT && !dry_run) {
        int made = world_make_dir(world, AT_FDCWD, dir, 0700);
        fd = made < 0 ? made : world_open(world, AT_FDCWD, dir, BACKUP_DIRECTORY, 0, 0);
    }
    *ret_fd = fd;
    if (fd == -ENOENT && dry_run) {
        return OK;
    }
    return fd < 0 ? PATH_FAIL(fault, fd, fd == -ENOENT ? "make" : "open", dir) : OK;
}

/* The first release's objects lie in directories of their own until a collection has moved them
 * into packs, and would not be in the copy. */
static err_t
check_store(world_t *world, const char *data, fault_t *fault)
{
    int dir = world_open(world, AT_FDCWD, data, BACKUP_DIRECTORY, 0, 0);
    if (dir < 0) {
        return FAIL(fault, dir, "open", data);
    }
    int old = world_open(world, dir, "store/objects", BACKUP_DIRECTORY, 0, WORLD_BENEATH);
    bool empty = true;
    err_t err = old == -ENOENT ? OK
                : old < 0      ? FAIL(fault, old, "open", "store/objects")
                               : backup_is_empty(world, old, "store/objects", &empty, fault);
    if (old >= 0) {
        world_close(world, old);
    }
    world_close(world, dir);
    return err == OK && !empty ? RAISE(fault, ERR_NOT_MOVED, 0, "back up", data) : err;
}

err_t
backup_begin(world_t *world, const char *data, const char *dir, bool dry_run, fault_t *fault)
{
    int fd = -1;
    bool empty = true;
    if (is_inside(dir, data)) {
        return RAISE(fault, ERR_OVERLAP, 0, "back up to", dir);
    }
    TRY(check_store(world, data, fault));
    TRY(open_made(world, dir, dry_run, &fd, fault));
    if (fd < 0) {
        return OK;
    }
    err_t err = backup_is_empty(world, fd, dir, &empty, fault);
    err = err == OK && !empty ? RAISE(fault, ERR_NOT_EMPTY, 0, "back up to", dir) : err;
    err = err == OK && !dry_run ? backup_sync_above(world, fd, dir, fault) : err;
    world_close(world, fd);
    return err;
}

/* What else is there by now is somebody else's. */
err_t
backup_abandon(world_t *world, const char *dir, fault_t *fault)
{
    static const char *const names[] = {"backup", "files", "site.db", "keys", "store"};
    int fd = world_open(world, AT_FDCWD, dir, BACKUP_DIRECTORY, 0, 0);
    if (fd < 0) {
        return FAIL(fault, fd, "open", dir);
    }
    err_t err = OK;
    for (size_t i = 0; i < sizeof names / sizeof names[0] && err == OK; i++) {
        err = clear_name(world, fd, names[i], fault);
    }
    world_close(world, fd);
    return err;
}

/* ---- files and their lines ---- */

static err_t
write_line(filling_t *filling, const char *path, const digest_t *digest)
{
    char line[LINE_BYTES + 1], hex[65];
    hex_of_bytes(digest->byte, sizeof digest->byte, hex);
    int size = snprintf(line, sizeof line, "%s  %s\n", hex, path);
    int put =
        write_all(filling->copier.world, filling->list, line, (size_t) size, filling->list_size);
    filling->list_size += (uint64_t) size;
    return put < 0 ? FAIL(filling->copier.fault, put, "write", "files") : OK;
}

static err_t
copy_one(filling_t *filling, const char *path)
{
    digest_t digest;
    TRY(copier_file(&filling->copier, path, &digest));
    return write_line(filling, path, &digest);
}

/* Whether to/path was copied by an earlier look. */
static bool
is_copied(const filling_t *filling, const char *path)
{
    world_stat_t stat;
    return world_stat_at(filling->copier.world, filling->copier.to, path, &stat) == 0;
}

/* One look: *ret_again when a name was gone before it was copied, for then another has what it
 * had. */
static err_t
copy_listed(filling_t *filling, const char *directory, const listing_t *names, bool *ret_again)
{
    for (uint32_t i = 0; i < names->count; i++) {
        char path[BACKUP_PATH_BYTES];
        int size = snprintf(path, sizeof path, "%s/%s", directory, names->name[i]);
        if (size < 0 || (size_t) size >= sizeof path) {
            return RAISE(filling->copier.fault, ERR_NAME_TOO_LONG, 0, "copy", names->name[i]);
        }
        world_stat_t stat;
        int there = world_stat_at(filling->copier.world, filling->copier.from, path, &stat);
        if (names->name[i][0] == '.' || is_copied(filling, path) ||
            (there == 0 && (stat.mode & S_IFMT) != S_IFREG)) {
            continue;
        }
        err_t err = there == -ENOENT ? ERR_NOT_FOUND : copy_one(filling, path);
        *ret_again = *ret_again || err == ERR_NOT_FOUND;
        if (err != OK && err != ERR_NOT_FOUND) {
            return err;
        }
    }
    return OK;
}

static err_t
copy_directory(filling_t *filling, const char *directory)
{
    copier_t *copier = &filling->copier;
    bool again = true;
    for (uint32_t look = 0; again && look < LOOKS_MAX; look++) {
        int fd =
            world_open(copier->world, copier->from, directory, BACKUP_DIRECTORY, 0, WORLD_BENEATH);
        if (fd == -ENOENT) {
            return OK;
        }
        if (fd < 0) {
            return FAIL(copier->fault, fd, "open", directory);
        }
        listing_t names = {0};
        again = false;
        err_t err = listing_read(copier->world, fd, directory, &names, copier->fault);
        world_close(copier->world, fd);
        err = err == OK ? copy_listed(filling, directory, &names, &again) : err;
        listing_release(&names);
        TRY(err);
    }
    return again ? RAISE(copier->fault, ERR_BUSY, 0, "copy", directory) : OK;
}

/* ---- what says that it is whole ---- */

static err_t
write_seal(filling_t *filling, const backup_about_t *about, const digest_t *list)
{
    copier_t *copier = &filling->copier;
    seal_t seal;
    seal_begin(&seal, "backup");
    seal_put_hex(&seal, "site", about->site.byte, sizeof about->site.byte);
    seal_put_number(&seal, "event", about->last_event);
    seal_put_number(&seal, "when", (uint64_t) world_wall_ns(copier->world));
    seal_put_number(&seal, "files", copier->result.files);
    seal_put_number(&seal, "bytes", copier->result.bytes);
    seal_put_hex(&seal, "list", list->byte, sizeof list->byte);
    TRY(seal_close(&seal));
    return seal_write(copier->world, copier->to, "backup", &seal, SYNC_BACKUP_DATA,
                      SYNC_BACKUP_NAMES, copier->fault);
}

/* The index first: each pack that a copied run names is there for as long as nobody collects. */
static err_t
fill(filling_t *filling, const backup_about_t *about)
{
    copier_t *copier = &filling->copier;
    digest_t digest;
    TRY(copier_make_directories(copier));
    TRY(copier_hash(copier, "site.db", &digest));
    TRY(write_line(filling, "site.db", &digest));
    for (uint32_t i = 0; i < backup_directory_count; i++) {
        TRY(copy_directory(filling, backup_directories[i]));
    }
    int synced = sync_point_file(copier->world, SYNC_BACKUP_DATA, filling->list);
    if (synced < 0) {
        return FAIL(copier->fault, synced, "sync", "files");
    }
    TRY(copier_sync_names(copier));
    TRY(world_point(copier->world, "backup.filled") < 0 ? ERR_IO : OK);
    backup_result_t told = copier->result;
    TRY(copier_hash(copier, "files", &digest));
    copier->result = told;
    return write_seal(filling, about, &digest);
}

err_t
backup_fill(world_t *world, const char *data, const char *dir, const backup_about_t *about,
            backup_progress_fn *progress, void *context, backup_result_t *ret_result,
            fault_t *fault)
{
    filling_t filling = {
        .copier = {.world = world, .progress = progress, .context = context, .fault = fault},
        .list = -1};
    copier_t *copier = &filling.copier;
    err_t err = copier_open(copier, data, dir);
    if (err == OK) {
        filling.list = world_open(world, copier->to, "files",
                                  O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600, WORLD_BENEATH);
        err =
            filling.list < 0 ? FAIL(fault, filling.list, "create", "files") : fill(&filling, about);
    }
    if (filling.list >= 0) {
        world_close(world, filling.list);
    }
    copier_close(copier);
    *ret_result = copier->result;
    return err;
}
