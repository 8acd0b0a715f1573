/* store_migrate.c - the store of the first release becomes packs.
 *
 * Bytes    objects/xx/<hex>: one object as it is; tmp/: what was being written.
 * A crash  leaves objects in objects/, in packs, or in both: a file is removed only when what it
 *          holds has been committed. The next run goes on with what is left.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include "actors/content/fail.h"
#include "actors/content/listing.h"
#include "actors/content/store_inner.h"

#define DIRECTORY (O_RDONLY | O_DIRECTORY | O_NOFOLLOW)

typedef struct migration {
    store_t *store;
    int dir; /* of objects/xx */
    store_progress_fn *progress;
    void *context;
    uint64_t moved, bytes;
    fault_t *fault;
} migration_t;

static err_t
put_file(migration_t *migration, const char *name, store_put_t *ret_put)
{
    store_t *store = migration->store;
    int fd =
        world_open(store->world, migration->dir, name, O_RDONLY | O_NOFOLLOW, 0, WORLD_BENEATH);
    if (fd < 0) {
        return store_fail(store, fd, "open", name, migration->fault);
    }
    err_t err = store_put_file(store, fd, name, ret_put, migration->fault);
    world_close(store->world, fd);
    return err;
}

/* Puts one object, which goes from its old place then: what seems to have another digest is read
 * once more. Bytes that have another one are put as well, and are nobody's. */
static err_t
put_object(migration_t *migration, const char *name, const digest_t *digest)
{
    store_put_t put;
    TRY(put_file(migration, name, &put));
    if (!digest_equal(&put.digest, digest)) {
        TRY(put_file(migration, name, &put));
    }
    migration->moved += digest_equal(&put.digest, digest);
    migration->bytes += put.size;
    if (migration->progress != NULL) {
        migration->progress(migration->context, migration->bytes);
    }
    return OK;
}

static err_t
remove_names(migration_t *migration, const listing_t *names)
{
    store_t *store = migration->store;
    for (uint32_t i = 0; i < names->count; i++) {
        int result = world_remove(store->world, migration->dir, names->name[i]);
        if (result < 0) {
            return store_fail(store, result, "remove", names->name[i], migration->fault);
        }
    }
    return OK;
}

/* All of one directory, then its files go, then itself. */
static err_t
move_names(migration_t *migration, const listing_t *names)
{
    for (uint32_t i = 0; i < names->count; i++) {
        digest_t digest;
        if (bytes_of_hex(slice_of(names->name[i]), digest.byte, sizeof digest.byte)) {
            TRY(put_object(migration, names->name[i], &digest));
        }
    }
    TRY(store_commit(migration->store, migration->fault));
    return remove_names(migration, names);
}

static err_t
move_directory(migration_t *migration, int above, const char *name)
{
    store_t *store = migration->store;
    listing_t names = {0};
    migration->dir = world_open(store->world, above, name, DIRECTORY, 0, WORLD_BENEATH);
    if (migration->dir < 0) {
        return store_fail(store, migration->dir, "open", name, migration->fault);
    }
    err_t err = listing_read(store->world, migration->dir, name, &names, migration->fault);
    err = err == OK ? move_names(migration, &names) : err;
    listing_release(&names);
    world_close(store->world, migration->dir);
    TRY(err);
    int result = world_remove_dir(store->world, above, name);
    return result < 0 ? store_fail(store, result, "remove", name, migration->fault) : OK;
}

static err_t
move_all(migration_t *migration)
{
    store_t *store = migration->store;
    listing_t names = {0};
    TRY(listing_read(store->world, store->old_fd, "store/objects", &names, migration->fault));
    err_t err = OK;
    for (uint32_t i = 0; i < names.count && err == OK; i++) {
        err = move_directory(migration, store->old_fd, names.name[i]);
    }
    listing_release(&names);
    return err;
}

/* What was being written there is worth nothing. */
static err_t
remove_old_tmp(migration_t *migration)
{
    store_t *store = migration->store;
    listing_t names = {0};
    migration->dir = world_open(store->world, store->fd, "tmp", DIRECTORY, 0, WORLD_BENEATH);
    if (migration->dir < 0) {
        return migration->dir == -ENOENT
                   ? OK
                   : store_fail(store, migration->dir, "open", "store/tmp", migration->fault);
    }
    err_t err = listing_read(store->world, migration->dir, "store/tmp", &names, migration->fault);
    err = err == OK ? remove_names(migration, &names) : err;
    listing_release(&names);
    world_close(store->world, migration->dir);
    TRY(err);
    int result = world_remove_dir(store->world, store->fd, "tmp");
    return result < 0 ? store_fail(store, result, "remove", "store/tmp", migration->fault) : OK;
}

err_t
store_migrate(store_t *store, store_progress_fn *progress, void *context, uint64_t *ret_moved,
              fault_t *fault)
{
    migration_t migration = {
        .store = store, .progress = progress, .context = context, .fault = fault};
    *ret_moved = 0;
    TRY(remove_old_tmp(&migration));
    if (store->old_fd < 0) {
        return OK;
    }
    TRY(move_all(&migration));
    world_close(store->world, store->old_fd);
    store->old_fd = -1;
    int result = world_remove_dir(store->world, store->fd, "objects");
    *ret_moved = migration.moved;
    return result < 0 ? store_fail(store, result, "remove", "store/objects", fault) : OK;
}
