/* backup_copy.c - see backup_copy.h.
 *
 * Bytes    those of the file that is copied.
 * A crash  leaves any part of a copy, in a directory that nothing calls whole yet.
 */
#include "actors/content/backup_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "actors/content/fail.h"
#include "actors/content/listing.h"
#include "actors/content/sync_points.h"
#include "actors/content/write_all.h"

#define BLOCK_BYTES 262144u

const char *const backup_directories[] = {"keys", "store", "store/index", "store/packs",
                                          "store/damaged"};
const uint32_t backup_directory_count = sizeof backup_directories / sizeof backup_directories[0];

err_t
copier_open(copier_t *copier, const char *from, const char *to)
{
    copier->block = malloc(BLOCK_BYTES);
    copier->from = copier->to = -1;
    if (copier->block == NULL || hash_new(&copier->hash) != OK) {
        return NO_MEMORY(copier->fault, "a copy");
    }
    copier->from = world_open(copier->world, AT_FDCWD, from, BACKUP_DIRECTORY, 0, 0);
    if (copier->from < 0) {
        return PATH_FAIL(copier->fault, copier->from, "open", from);
    }
    copier->to = world_open(copier->world, AT_FDCWD, to, BACKUP_DIRECTORY, 0, 0);
    return copier->to < 0 ? PATH_FAIL(copier->fault, copier->to, "open", to) : OK;
}

void
copier_close(copier_t *copier)
{
    if (copier->from >= 0) {
        world_close(copier->world, copier->from);
    }
    if (copier->to >= 0) {
        world_close(copier->world, copier->to);
    }
    hash_destroy(&copier->hash);
    free(copier->block);
}

/* All bytes of `in`, hashed; written to `out` unless that is negative. */
static err_t
copy_bytes(copier_t *copier, int in, int out, const char *path)
{
    int64_t got = 0;
    uint64_t at = 0;
    while ((got = world_read(copier->world, in, copier->block, BLOCK_BYTES, at)) > 0) {
        hash_add(copier->hash, copier->block, (size_t) got);
        int put = out < 0 ? 0 : write_all(copier->world, out, copier->block, (size_t) got, at);
        if (put < 0) {
            return FAIL(copier->fault, put, "write", path);
        }
        at += (uint64_t) got;
        if (copier->progress != NULL) {
            copier->progress(copier->context, copier->result.bytes + at);
        }
    }
    copier->result.files++;
    copier->result.bytes += at;
    return got < 0 ? FAIL(copier->fault, got, "read", path) : OK;
}

static err_t
copy_opened(copier_t *copier, int in, const char *path)
{
    world_t *world = copier->world;
    int out = world_open(world, copier->to, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600,
                         WORLD_BENEATH);
    if (out < 0) {
        return FAIL(copier->fault, out, "create", path);
    }
    err_t err = copy_bytes(copier, in, out, path);
    int synced = err == OK ? sync_point_file(world, SYNC_BACKUP_DATA, out) : 0;
    int closed = world_close(world, out);
    synced = synced < 0 ? synced : closed;
    return err == OK && synced < 0 ? FAIL(copier->fault, synced, "sync", path) : err;
}

err_t
copier_file(copier_t *copier, const char *path, digest_t *ret_digest)
{
    int in = world_open(copier->world, copier->from, path, O_RDONLY | O_NOFOLLOW, 0, WORLD_BENEATH);
    if (in < 0) {
        return in == -ENOENT ? RAISE(copier->fault, ERR_NOT_FOUND, ENOENT, "open", path)
                             : FAIL(copier->fault, in, "open", path);
    }
    hash_begin(copier->hash);
    err_t err = copy_opened(copier, in, path);
    hash_end(copier->hash, ret_digest);
    world_close(copier->world, in);
    return err;
}

err_t
copier_hash(copier_t *copier, const char *path, digest_t *ret_digest)
{
    int in = world_open(copier->world, copier->to, path, O_RDONLY | O_NOFOLLOW, 0, WORLD_BENEATH);
    if (in < 0) {
        return FAIL(copier->fault, in, "open", path);
    }
    hash_begin(copier->hash);
    err_t err = copy_bytes(copier, in, -1, path);
    hash_end(copier->hash, ret_digest);
    world_close(copier->world, in);
    return err;
}

err_t
copier_make_directories(copier_t *copier)
{
    for (uint32_t i = 0; i < backup_directory_count; i++) {
        int made = world_make_dir(copier->world, copier->to, backup_directories[i], 0700);
        if (made < 0) {
            return FAIL(copier->fault, made, "make", backup_directories[i]);
        }
    }
    return OK;
}

err_t
copier_sync_names(copier_t *copier)
{
    world_t *world = copier->world;
    for (uint32_t i = 0; i < backup_directory_count; i++) {
        const char *name = backup_directories[i];
        int fd = world_open(world, copier->to, name, BACKUP_DIRECTORY, 0, WORLD_BENEATH);
        int synced = fd < 0 ? fd : sync_point_file(world, SYNC_BACKUP_NAMES, fd);
        if (fd >= 0) {
            world_close(world, fd);
        }
        if (synced < 0) {
            return FAIL(copier->fault, synced, "sync", name);
        }
    }
    int synced = sync_point_file(world, SYNC_BACKUP_NAMES, copier->to);
    return synced < 0 ? FAIL(copier->fault, synced, "sync", "the copy") : OK;
}

err_t
backup_sync_above(world_t *world, int fd, const char *path, fault_t *fault)
{
    int above = world_open(world, fd, "..", BACKUP_DIRECTORY, 0, 0);
    int synced = above < 0 ? above : sync_point_file(world, SYNC_BACKUP_NAMES, above);
    if (above >= 0) {
        world_close(world, above);
    }
    return synced < 0 ? FAIL(fault, synced, "sync", path) : OK;
}

err_t
backup_is_empty(world_t *world, int fd, const char *path, bool *ret_empty, fault_t *fault)
{
    listing_t names = {0};
    TRY(listing_read(world, fd, path, &names, fault));
    *ret_empty = names.count == 0;
    listing_release(&names);
    return OK;
}
