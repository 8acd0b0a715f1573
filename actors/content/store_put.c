/* store_put.c - writing objects, in batches that are named only when their bytes are durable.
 *
 * Bytes    tmp/<16 hex of chance>-<number>: an object under way.
 * A crash  before the commit's first sync leaves files in tmp/ only; between the two syncs, whole
 *          objects of which any may have lost its name.
 */
#include "actors/content/store.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include "actors/content/fail.h"
#include "actors/content/store_inner.h"
#include "actors/content/sync_points.h"
#include "actors/content/write_all.h"

static void
pending_path(const store_t *store, uint32_t index, char path[STORE_PATH_BYTES])
{
    snprintf(path, STORE_PATH_BYTES, "tmp/%s-%u", store->prefix, index);
}

/* The place of a digest in the index of pending objects: its own, or the free one for it. */
static uint32_t *
pending_slot(store_t *store, const digest_t *digest)
{
    uint32_t at;
    memcpy(&at, digest->byte, sizeof at);
    for (at %= STORE_SLOTS;; at = (at + 1) % STORE_SLOTS) {
        uint32_t *slot = &store->slot[at];
        if (*slot == 0 || digest_equal(&store->digest[*slot - 1], digest)) {
            return slot;
        }
    }
}

/* Whether the object is there or on its way; what is relied on is made durable by the commit. */
static err_t
is_known(store_t *store, const digest_t *digest, bool *ret_known, fault_t *fault)
{
    if (store->dry) {
        *ret_known = true;
        return OK;
    }
    store->dirty = true;
    store->touched[digest->byte[0]] = true;
    if (*pending_slot(store, digest) != 0) {
        *ret_known = true;
        return OK;
    }
    return store_has(store, digest, ret_known, fault);
}

static err_t
open_pending(store_t *store, char path[STORE_PATH_BYTES], int *ret_fd, fault_t *fault)
{
    if (store->pending == STORE_BATCH_MAX) {
        TRY(store_commit(store, fault));
    }
    store->dirty = true;
    pending_path(store, store->pending, path);
    int fd = world_open(store->world, store->fd, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW,
                        0600, WORLD_BENEATH);
    if (fd < 0) {
        return store_fail(store, fd, "create", path, fault);
    }
    *ret_fd = fd;
    return OK;
}

/* Ends the writing of the next pending object; a failed one is removed again. */
static err_t
close_pending(store_t *store, int fd, int result, const char *path, const digest_t *digest,
              fault_t *fault)
{
    if (result >= 0 && !store->syncs_whole) {
        result = sync_point_file(store->world, SYNC_STORE_DATA, fd);
    }
    int closed = world_close(store->world, fd);
    result = result < 0 ? result : closed;
    if (result < 0) {
        err_t err = store_fail(store, result, "write", path, fault);
        (void) world_remove(store->world, store->fd, path);
        return err;
    }
    uint32_t *slot = pending_slot(store, digest);
    store->digest[store->pending] = *digest;
    *slot = ++store->pending;
    return OK;
}

static err_t
put_new_bytes(store_t *store, const void *bytes, size_t size, const digest_t *digest,
              fault_t *fault)
{
    char path[STORE_PATH_BYTES];
    int fd = -1;
    TRY(open_pending(store, path, &fd, fault));
    store->touched[digest->byte[0]] = true;
    int result = write_all(store->world, fd, bytes, size, 0);
    return close_pending(store, fd, result, path, digest, fault);
}

err_t
store_put_bytes(store_t *store, const void *bytes, size_t size, store_put_t *ret_put,
                fault_t *fault)
{
    store_put_t put = {.size = size};
    hash_bytes(store->hash, bytes, size, &put.digest);
    bool known = false;
    TRY(is_known(store, &put.digest, &known, fault));
    if (!known) {
        TRY(put_new_bytes(store, bytes, size, &put.digest, fault));
    }
    put.is_new = !known;
    *ret_put = put;
    return OK;
}

/* Reads until the block is full or the file ends. */
static int64_t
read_block(store_t *store, int fd, uint64_t offset)
{
    size_t done = 0;
    while (done < CONTENT_BLOCK_BYTES) {
        int64_t got = world_read(store->world, fd, store->block + done, CONTENT_BLOCK_BYTES - done,
                                 offset + done);
        if (got < 0) {
            return got;
        }
        if (got == 0) {
            break;
        }
        done += (size_t) got;
    }
    return (int64_t) done;
}

/* Goes once over the file, hashing, and writing to the descriptor when it is not negative. A
 * failure of the writing side is told apart by *ret_written. */
static int64_t
pass(store_t *store, int fd, int to, digest_t *ret_digest, int *ret_written)
{
    uint64_t size = 0;
    int64_t got = 1;
    hash_begin(store->hash);
    while (got > 0 && *ret_written >= 0) {
        got = read_block(store, fd, size);
        if (got > 0) {
            hash_add(store->hash, store->block, (size_t) got);
            *ret_written =
                to < 0 ? 0 : write_all(store->world, to, store->block, (size_t) got, size);
            size += (uint64_t) got;
        }
    }
    hash_end(store->hash, ret_digest);
    return got < 0 ? got : (int64_t) size;
}

/* The second pass over a large file: copied and hashed again; other bytes than the first time
 * mean that somebody writes to it. */
static err_t
copy_file(store_t *store, int fd, const char *path, const store_put_t *put, fault_t *fault)
{
    char tmp[STORE_PATH_BYTES];
    int to = -1;
    TRY(open_pending(store, tmp, &to, fault));
    store->touched[put->digest.byte[0]] = true;
    digest_t digest;
    int written = 0;
    int64_t size = pass(store, fd, to, &digest, &written);
    if (written >= 0 && (size < 0 || !digest_equal(&digest, &put->digest))) {
        world_close(store->world, to);
        (void) world_remove(store->world, store->fd, tmp);
        return size < 0 ? FAIL(fault, size, "read", path)
                        : RAISE(fault, ERR_SOURCE_CHANGED, 0, "read", path);
    }
    return close_pending(store, to, written, tmp, &put->digest, fault);
}

static err_t
put_large_file(store_t *store, int fd, const char *path, store_put_t *ret_put, fault_t *fault)
{
    store_put_t put = {0};
    int written = 0;
    int64_t size = pass(store, fd, -1, &put.digest, &written);
    if (size < 0) {
        return FAIL(fault, size, "read", path);
    }
    put.size = (uint64_t) size;
    bool known = false;
    TRY(is_known(store, &put.digest, &known, fault));
    if (!known) {
        TRY(copy_file(store, fd, path, &put, fault));
    }
    put.is_new = !known;
    *ret_put = put;
    return OK;
}

err_t
store_put_file(store_t *store, int fd, const char *path, store_put_t *ret_put, fault_t *fault)
{
    int64_t got = read_block(store, fd, 0);
    if (got < 0) {
        return FAIL(fault, got, "read", path);
    }
    if (got < (int64_t) CONTENT_BLOCK_BYTES) {
        return store_put_bytes(store, store->block, (size_t) got, ret_put, fault);
    }
    return put_large_file(store, fd, path, ret_put, fault);
}

/* Gives a pending object its name; its directory is made when it is the first one there. */
static int
name_object(store_t *store, uint32_t index)
{
    char from[STORE_PATH_BYTES];
    char to[STORE_PATH_BYTES];
    pending_path(store, index, from);
    store_object_path(&store->digest[index], to);
    int result = world_rename(store->world, store->fd, from, store->fd, to);
    if (result == -ENOENT) {
        char directory[] = "objects/xx";
        memcpy(directory, to, sizeof directory - 1);
        result = world_make_dir(store->world, store->fd, directory, 0700);
        if (result < 0 && result != -EEXIST) {
            return result;
        }
        result = world_rename(store->world, store->fd, from, store->fd, to);
    }
    return result;
}

static int
sync_directory(store_t *store, const char *path)
{
    int fd = world_open(store->world, store->fd, path, O_RDONLY | O_DIRECTORY, 0, WORLD_BENEATH);
    if (fd < 0) {
        return fd;
    }
    int result = sync_point_file(store->world, SYNC_STORE_NAMES, fd);
    int closed = world_close(store->world, fd);
    return result < 0 ? result : closed;
}

static int
sync_names(store_t *store)
{
    if (store->syncs_whole) {
        return sync_point_all(store->world, SYNC_STORE_NAMES, store->fd);
    }
    int result = 0;
    for (unsigned i = 0; i < 256 && result >= 0; i++) {
        char path[16];
        snprintf(path, sizeof path, "objects/%02x", i);
        result = store->touched[i] ? sync_directory(store, path) : 0;
    }
    result = result < 0 ? result : sync_directory(store, "objects");
    result = result < 0 ? result : sync_point_file(store->world, SYNC_STORE_LAYOUT, store->fd);
    return result < 0 ? result : sync_point_file(store->world, SYNC_STORE_LAYOUT, store->parent_fd);
}

err_t
store_commit(store_t *store, fault_t *fault)
{
    if (!store->dirty) {
        return OK;
    }
    int result = 0;
    if (store->pending > 0 && store->syncs_whole) {
        result = sync_point_all(store->world, SYNC_STORE_DATA, store->fd);
    }
    for (uint32_t i = 0; i < store->pending && result >= 0; i++) {
        result = name_object(store, i);
    }
    result = result < 0 ? result : sync_names(store);
    result = result < 0 ? result : world_point(store->world, "store.committed");
    if (result < 0) {
        return store_fail(store, result, "commit", "store/objects", fault);
    }
    store->pending = 0;
    store->dirty = false;
    memset(store->slot, 0, STORE_SLOTS * sizeof store->slot[0]);
    memset(store->touched, 0, sizeof store->touched);
    return OK;
}
