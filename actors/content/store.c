/* store.c - objects by digest: opening, asking, reading.
 *
 * Bytes    objects/xx/<hex of SHA-256>: a file's bytes, a link's text or a manifest node, nothing
 *          else. Valid when they have the digest of their name; every reader checks.
 * A crash  leaves names only of objects whose bytes were synced before; tmp/ may hold anything.
 */
#include "actors/content/store.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "actors/content/fail.h"
#include "actors/content/listing.h"
#include "actors/content/store_inner.h"
#include "actors/content/sync_points.h"

#define DIRECTORY (O_RDONLY | O_DIRECTORY | O_NOFOLLOW)

void
store_object_path(const digest_t *digest, char path[STORE_PATH_BYTES])
{
    char hex[65];
    hex_of_bytes(digest->byte, sizeof digest->byte, hex);
    snprintf(path, STORE_PATH_BYTES, "objects/%.2s/%s", hex, hex);
}

err_t
store_fail(store_t *store, int64_t result, const char *verb, const char *subject, fault_t *fault)
{
    err_t err = err_of_errno((int) -result);
    if (err != ERR_SPACE) {
        return RAISE(fault, err, (int) -result, verb, subject);
    }
    err = RAISE(fault, ERR_SITE_FULL, (int) -result, verb, subject);
    world_space_t space;
    if (fault != NULL && world_space(store->world, store->fd, &space) == 0) {
        fault->inodes = space.inodes_free == 0;
        fault->have = fault->inodes ? 0 : space.bytes_free;
        fault->need = fault->inodes ? 1 : (uint64_t) CONTENT_BLOCK_BYTES;
    }
    return err;
}

/* Opens dir/name, making it when it is missing. */
static int
open_or_make(world_t *world, int dir, const char *name)
{
    int made = world_make_dir(world, dir, name, 0700);
    if (made < 0 && made != -EEXIST) {
        return made;
    }
    return world_open(world, dir, name, O_RDONLY | O_DIRECTORY, 0, 0);
}

static int
make_inside(world_t *world, int fd)
{
    static const char *const names[] = {"objects", "tmp", "damaged"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        int made = world_make_dir(world, fd, names[i], 0700);
        if (made < 0 && made != -EEXIST) {
            return made;
        }
    }
    return 0;
}

/* Opens path through its parent, which is kept: what was made here, now or by a run that was cut,
 * becomes durable with the first commit. */
static err_t
open_layout(store_t *store, const char *path, fault_t *fault)
{
    const char *slash = strrchr(path, '/');
    assert(slash != NULL && slash[1] != '\0');
    char *parent = strndup(path, slash == path ? 1 : (size_t) (slash - path));
    if (parent == NULL) {
        return NO_MEMORY(fault, path);
    }
    world_t *world = store->world;
    store->parent_fd = world_open(world, AT_FDCWD, parent, O_RDONLY | O_DIRECTORY, 0, 0);
    free(parent);
    if (store->parent_fd < 0) {
        return store_fail(store, store->parent_fd, "open", path, fault);
    }
    store->fd = open_or_make(world, store->parent_fd, slash + 1);
    int result = store->fd < 0 ? store->fd : make_inside(world, store->fd);
    return result < 0 ? store_fail(store, result, "open", path, fault) : OK;
}

static err_t
allocate(store_t *store)
{
    store->block = malloc(CONTENT_BLOCK_BYTES);
    store->digest = malloc(STORE_BATCH_MAX * sizeof store->digest[0]);
    store->slot = calloc(STORE_SLOTS, sizeof store->slot[0]);
    bool enough = store->block != NULL && store->digest != NULL && store->slot != NULL;
    return enough ? hash_new(&store->hash) : ERR_NO_MEMORY;
}

static err_t
open_parts(store_t *store, const char *path, fault_t *fault)
{
    if (allocate(store) != OK) {
        return NO_MEMORY(fault, path);
    }
    uint8_t chance[8];
    world_random(store->world, chance, sizeof chance);
    hex_of_bytes(chance, sizeof chance, store->prefix);
    TRY(open_layout(store, path, fault));
    world_space_t space;
    int result = world_space(store->world, store->fd, &space);
    if (result < 0) {
        return store_fail(store, result, "measure", path, fault);
    }
    store->syncs_whole = sync_type_is_tested(space.type);
    return OK;
}

static store_t *
new_store(world_t *world)
{
    store_t *store = calloc(1, sizeof *store);
    if (store != NULL) {
        store->world = world;
        store->fd = store->parent_fd = -1;
    }
    return store;
}

err_t
store_open(world_t *world, const char *path, store_t **ret_store, fault_t *fault)
{
    store_t *store = new_store(world);
    err_t err = store != NULL ? open_parts(store, path, fault) : NO_MEMORY(fault, path);
    if (err != OK) {
        store_close(&store);
        return err;
    }
    *ret_store = store;
    return OK;
}

err_t
store_open_dry(world_t *world, store_t **ret_store, fault_t *fault)
{
    store_t *store = new_store(world);
    if (store == NULL || allocate(store) != OK) {
        store_close(&store);
        return NO_MEMORY(fault, "store");
    }
    store->dry = true;
    *ret_store = store;
    return OK;
}

/* What was not committed goes; what cannot be removed now is removed by store_recover. */
static void
drop_pending(store_t *store)
{
    for (uint32_t i = 0; i < store->pending; i++) {
        char path[STORE_PATH_BYTES];
        snprintf(path, sizeof path, "tmp/%s-%u", store->prefix, i);
        (void) world_remove(store->world, store->fd, path);
    }
}

void
store_close(store_t **store)
{
    store_t *old = *store;
    if (old == NULL) {
        return;
    }
    drop_pending(old);
    if (old->fd >= 0) {
        world_close(old->world, old->fd);
    }
    if (old->parent_fd >= 0) {
        world_close(old->world, old->parent_fd);
    }
    hash_destroy(&old->hash);
    free(old->block);
    free(old->digest);
    free(old->slot);
    free(old);
    *store = NULL;
}

world_t *
store_world(store_t *store)
{
    return store->world;
}

static err_t
remove_listed(store_t *store, int tmp, uint64_t *ret_removed, fault_t *fault)
{
    listing_t names;
    TRY(listing_read(store->world, tmp, "store/tmp", &names, fault));
    int result = 0;
    for (uint32_t i = 0; i < names.count && result >= 0; i++) {
        result = world_remove(store->world, tmp, names.name[i]);
        *ret_removed += result == 0;
    }
    listing_release(&names);
    return result < 0 ? store_fail(store, result, "clear", "store/tmp", fault) : OK;
}

err_t
store_recover(store_t *store, uint64_t *ret_removed, fault_t *fault)
{
    int tmp = world_open(store->world, store->fd, "tmp", DIRECTORY, 0, WORLD_BENEATH);
    if (tmp < 0) {
        return store_fail(store, tmp, "open", "store/tmp", fault);
    }
    uint64_t removed = 0;
    err_t err = remove_listed(store, tmp, &removed, fault);
    world_close(store->world, tmp);
    if (err == OK) {
        *ret_removed = removed;
    }
    return err;
}

err_t
store_has(store_t *store, const digest_t *digest, bool *ret_has, fault_t *fault)
{
    char path[STORE_PATH_BYTES];
    store_object_path(digest, path);
    world_stat_t stat;
    int result = world_stat_at(store->world, store->fd, path, &stat);
    if (result < 0 && result != -ENOENT) {
        return store_fail(store, result, "stat", path, fault);
    }
    *ret_has = result == 0;
    return OK;
}

err_t
store_open_object(store_t *store, const digest_t *digest, int *ret_fd, fault_t *fault)
{
    char path[STORE_PATH_BYTES];
    store_object_path(digest, path);
    int fd = world_open(store->world, store->fd, path, O_RDONLY | O_NOFOLLOW, 0, WORLD_BENEATH);
    if (fd == -ENOENT) {
        return RAISE(fault, ERR_NOT_STORED, -fd, "open", path);
    }
    if (fd < 0) {
        return store_fail(store, fd, "open", path, fault);
    }
    *ret_fd = fd;
    return OK;
}

/* Reads size bytes from the begin; a file that ends before is damaged. */
static err_t
read_all(store_t *store, int fd, uint8_t *bytes, size_t size, const char *path, fault_t *fault)
{
    for (size_t done = 0; done < size;) {
        int64_t got = world_read(store->world, fd, bytes + done, size - done, done);
        if (got < 0) {
            return store_fail(store, got, "read", path, fault);
        }
        if (got == 0) {
            return RAISE(fault, ERR_DIGEST, 0, "read", path);
        }
        done += (size_t) got;
    }
    return OK;
}

static err_t
read_object(store_t *store, int fd, const digest_t *digest, size_t max, uint8_t **ret_bytes,
            size_t *ret_size, fault_t *fault)
{
    char path[STORE_PATH_BYTES];
    store_object_path(digest, path);
    world_stat_t stat;
    int result = world_stat(store->world, fd, &stat);
    if (result < 0) {
        return store_fail(store, result, "stat", path, fault);
    }
    if (stat.size > max) {
        return RAISE(fault, ERR_TOO_LARGE, 0, "read", path);
    }
    uint8_t *bytes = malloc(stat.size + 1);
    if (bytes == NULL) {
        return NO_MEMORY(fault, path);
    }
    err_t err = read_all(store, fd, bytes, stat.size, path, fault);
    digest_t found;
    hash_bytes(store->hash, bytes, err == OK ? stat.size : 0, &found);
    if (err == OK && !digest_equal(&found, digest)) {
        err = RAISE(fault, ERR_DIGEST, 0, "read", path);
    }
    if (err != OK) {
        free(bytes);
        return err;
    }
    bytes[stat.size] = '\0';
    *ret_bytes = bytes;
    *ret_size = stat.size;
    return OK;
}

/* The digest of all that can be read of an object. */
static err_t
hash_object(store_t *store, const digest_t *digest, digest_t *ret_found, fault_t *fault)
{
    int fd = -1;
    TRY(store_open_object(store, digest, &fd, fault));
    hash_begin(store->hash);
    int64_t got = 1;
    for (uint64_t at = 0; got > 0; at += (uint64_t) got) {
        got = world_read(store->world, fd, store->block, CONTENT_BLOCK_BYTES, at);
        hash_add(store->hash, store->block, got > 0 ? (size_t) got : 0);
    }
    hash_end(store->hash, ret_found);
    world_close(store->world, fd);
    return got < 0 ? store_fail(store, got, "read", "an object of the store", fault) : OK;
}

err_t
store_set_aside(store_t *store, const digest_t *digest, fault_t *fault)
{
    digest_t found;
    TRY(hash_object(store, digest, &found, fault));
    if (digest_equal(&found, digest)) {
        return OK;
    }
    char from[STORE_PATH_BYTES];
    char to[STORE_PATH_BYTES];
    store_object_path(digest, from);
    snprintf(to, sizeof to, "damaged/%s", from + strlen("objects/xx/"));
    int result = world_rename(store->world, store->fd, from, store->fd, to);
    return result < 0 ? store_fail(store, result, "set aside", from, fault) : OK;
}

err_t
store_read(store_t *store, const digest_t *digest, size_t max, void **ret_bytes, size_t *ret_size,
           fault_t *fault)
{
    int fd = -1;
    TRY(store_open_object(store, digest, &fd, fault));
    uint8_t *bytes = NULL;
    err_t err = read_object(store, fd, digest, max, &bytes, ret_size, fault);
    world_close(store->world, fd);
    if (err == OK) {
        *ret_bytes = bytes;
    }
    if (err == ERR_DIGEST) { /* so that the next snapshot puts it in its place again */
        err_t aside = store_set_aside(store, digest, NULL);
        return aside == ERR_CANCELLED ? aside : err;
    }
    return err;
}
