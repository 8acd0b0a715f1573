/* store.c - the store's directory: opening, closing, what cut runs left.
 *
 * Bytes    packs/<id>.pack (pack.h), index/<id>.run (run.h), and of both ".<name>.new" while they
 *          are made; damaged/: names of records that proved damaged; of the first release
 *          objects/xx/<hex> and tmp/.
 * A crash  leaves runs that name whole records only; what is ".new" is nobody's, and what stands
 *          in a pack behind its last named record is dead.
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

#define DIRECTORY (O_RDONLY | O_DIRECTORY | O_NOFOLLOW)

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

err_t
store_not_stored(const digest_t *digest, fault_t *fault)
{
    char subject[80] = "object ";
    hex_of_bytes(digest->byte, sizeof digest->byte, subject + strlen(subject));
    return RAISE(fault, ERR_NOT_STORED, ENOENT, "read", subject);
}

uint64_t
store_new_id(store_t *store)
{
    uint64_t id;
    world_random(store->world, &id, sizeof id);
    return id;
}

err_t
buffer_reserve(buffer_t *buffer, size_t size)
{
    if (buffer->capacity >= size) {
        return OK;
    }
    free(buffer->bytes);
    buffer->bytes = malloc(size);
    buffer->capacity = buffer->bytes == NULL ? 0 : size;
    return buffer->bytes == NULL ? ERR_NO_MEMORY : OK;
}

void
buffer_release(buffer_t *buffer)
{
    free(buffer->bytes);
    *buffer = (buffer_t){0};
}

void
buffer_shrink(buffer_t *buffer)
{
    if (buffer->capacity > STORE_BUFFER_KEPT) {
        buffer_release(buffer);
    }
}

/* Makes dir/name when it is missing. */
static int
make(store_t *store, int dir, const char *name)
{
    int made = world_make_dir(store->world, dir, name, 0700);
    store->made |= made == 0;
    return made == -EEXIST ? 0 : made;
}

static int
open_or_make(store_t *store, int dir, const char *name)
{
    int made = make(store, dir, name);
    return made < 0 ? made : world_open(store->world, dir, name, O_RDONLY | O_DIRECTORY, 0, 0);
}

static int
open_inside(store_t *store)
{
    int made = make(store, store->fd, "damaged");
    if (made < 0) {
        return made;
    }
    store->packs_fd = open_or_make(store, store->fd, "packs");
    if (store->packs_fd < 0) {
        return store->packs_fd;
    }
    store->index_fd = open_or_make(store, store->fd, "index");
    if (store->index_fd < 0) {
        return store->index_fd;
    }
    store->old_fd = world_open(store->world, store->fd, "objects", DIRECTORY, 0, WORLD_BENEATH);
    return store->old_fd == -ENOENT ? 0 : store->old_fd;
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
    store->fd = open_or_make(store, store->parent_fd, slash + 1);
    int result = store->fd < 0 ? store->fd : open_inside(store);
    return result < 0 ? store_fail(store, result, "open", path, fault) : OK;
}

static err_t
allocate(store_t *store)
{
    TRY(buffer_reserve(&store->block, CONTENT_BLOCK_BYTES));
    TRY(hash_new(&store->hash));
    return hash_new(&store->whole);
}

static store_t *
new_store(world_t *world)
{
    store_t *store = calloc(1, sizeof *store);
    if (store != NULL) {
        store->world = world;
        store->fd = store->parent_fd = store->packs_fd = store->index_fd = store->old_fd = -1;
        store->writer.fd = store->object.old_fd = -1;
        store->pack_bytes = STORE_PACK_BYTES;
        chunker_init(&store->chunker);
    }
    return store;
}

static err_t
open_parts(store_t *store, const char *path, fault_t *fault)
{
    if (allocate(store) != OK) {
        return NO_MEMORY(fault, path);
    }
    TRY(open_layout(store, path, fault));
    return store_view_open(store, fault);
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

static void
close_all(store_t *store)
{
    int *fds[] = {&store->old_fd, &store->index_fd, &store->packs_fd, &store->fd,
                  &store->parent_fd};
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++) {
        if (*fds[i] >= 0) {
            world_close(store->world, *fds[i]);
        }
    }
}

void
store_close(store_t **store)
{
    store_t *old = *store;
    if (old == NULL) {
        return;
    }
    store_end(old);
    store_leave(old);
    store_abandon(old);
    store_view_close(old);
    close_all(old);
    hash_destroy(&old->hash);
    hash_destroy(&old->whole);
    squeeze_release(&old->squeeze);
    buffer_release(&old->block);
    buffer_release(&old->record);
    for (size_t i = 0; i < STORE_WINDOWS; i++) {
        free(old->window[i].bytes);
    }
    free(old->writer.buffer);
    free(old->writer.entry);
    free(old->writer.slot);
    store_queue_release(old);
    store_release_early(old);
    free(old);
    *store = NULL;
}

bool
store_has_damage(const store_t *store)
{
    return store->damages > 0;
}

world_t *
store_world(store_t *store)
{
    return store->world;
}

/* A file of which a chunk is not there is not there itself. The chunk was set aside, or was
 * collected before its list: by a collection that was cut, or one that kept the list's pack for
 * what else is in it. */
static err_t
has_chunks(store_t *store, const digest_t *digest, bool *ret_has, fault_t *fault)
{
    uint8_t *list = NULL;
    size_t size = 0;
    err_t err = store_list(store, digest, &list, &size, fault);
    if (err == ERR_DIGEST) {
        *ret_has = false;
        return OK;
    }
    for (size_t at = 0; err == OK && *ret_has && at < size; at += LIST_ROW_BYTES) {
        list_row_t row = list_row_decode(list + at);
        store_place_t place;
        err = store_find_in_view(store, &row.digest, &place, ret_has, fault);
    }
    free(list);
    return err;
}

err_t
store_has(store_t *store, const digest_t *digest, bool *ret_has, fault_t *fault)
{
    store_place_t place;
    TRY(store_find_in_view(store, digest, &place, ret_has, fault));
    if (*ret_has && place.entry.kind == PACK_LIST) {
        return has_chunks(store, digest, ret_has, fault);
    }
    if (!*ret_has) {
        int fd = store_old_open(store, digest);
        *ret_has = fd >= 0;
        if (fd >= 0) {
            world_close(store->world, fd);
        }
    }
    return OK;
}

/* Removes what is ".new" of a directory; of the index, with the pack that was cut with it. */
static err_t
remove_new(store_t *store, int dir, const char *path, uint64_t *ret_removed, fault_t *fault)
{
    listing_t names = {0};
    TRY(listing_read(store->world, dir, path, &names, fault));
    int result = 0;
    err_t err = OK;
    for (uint32_t i = 0; i < names.count && result >= 0 && err == OK; i++) {
        if (!run_name_is_new(names.name[i])) {
            continue;
        }
        err = dir == store->index_fd ? store_remove_cut(store, names.name[i], fault) : OK;
        result = err == OK ? world_remove(store->world, dir, names.name[i]) : 0;
        *ret_removed += err == OK && result == 0;
    }
    listing_release(&names);
    return result < 0 ? store_fail(store, result, "clear", path, fault) : err;
}

err_t
store_recover(store_t *store, uint64_t *ret_removed, fault_t *fault)
{
    uint64_t removed = 0;
    TRY(remove_new(store, store->packs_fd, "store/packs", &removed, fault));
    TRY(remove_new(store, store->index_fd, "store/index", &removed, fault));
    TRY(store_clear_rebuild(store, fault));
    *ret_removed = removed;
    return OK;
}
