/* store_rebuild.c - the index, made anew from the packs.
 *
 * Bytes    rebuild/<id>.run: runs of the new index, in the end one of all.
 * A crash  leaves rebuild/, which is removed; or the new run beside the old ones, which does no
 *          harm: the old ones go when the new one has its place durably.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include "actors/content/fail.h"
#include "actors/content/listing.h"
#include "actors/content/store_scan.h"
#include "actors/content/sync_points.h"

#define DIRECTORY (O_RDONLY | O_DIRECTORY | O_NOFOLLOW)

typedef struct rebuild {
    store_t *store;
    int index_fd; /* the real one */
    store_progress_fn *progress;
    void *context;
    uint64_t objects, bytes;
    fault_t *fault;
} rebuild_t;

/* Removes all names of a directory. */
static err_t
empty_directory(store_t *store, int dir, const char *path, fault_t *fault)
{
    listing_t names = {0};
    TRY(listing_read(store->world, dir, path, &names, fault));
    int result = 0;
    for (uint32_t i = 0; i < names.count && result >= 0; i++) {
        result = world_remove(store->world, dir, names.name[i]);
    }
    listing_release(&names);
    return result < 0 ? store_fail(store, result, "clear", path, fault) : OK;
}

err_t
store_clear_rebuild(store_t *store, fault_t *fault)
{
    int dir = world_open(store->world, store->fd, "rebuild", DIRECTORY, 0, WORLD_BENEATH);
    if (dir < 0) {
        return dir == -ENOENT ? OK : store_fail(store, dir, "open", "store/rebuild", fault);
    }
    err_t err = empty_directory(store, dir, "store/rebuild", fault);
    world_close(store->world, dir);
    TRY(err);
    int result = world_remove_dir(store->world, store->fd, "rebuild");
    return result < 0 ? store_fail(store, result, "remove", "store/rebuild", fault) : OK;
}

static err_t
add_entry(rebuild_t *rebuild, const run_entry_t *entry)
{
    store_t *store = rebuild->store;
    store->writer.entry[store->writer.pending++] = *entry;
    rebuild->objects++;
    rebuild->bytes += entry->stored;
    if (rebuild->progress != NULL) {
        rebuild->progress(rebuild->context, rebuild->bytes);
    }
    return store->writer.pending == STORE_BATCH_MAX ? store_write_run(store, rebuild->fault) : OK;
}

static err_t
read_pack(rebuild_t *rebuild, const pack_count_t *pack)
{
    store_scan_t scan;
    bool more = true;
    TRY(store_scan_begin(&scan, rebuild->store, pack->id, pack->size, rebuild->fault));
    while (more) {
        bool right = false;
        TRY(store_scan_next(&scan, &more, rebuild->fault));
        if (more) {
            TRY(store_scan_is_right(&scan, &right, rebuild->fault));
        }
        if (right) {
            run_entry_t entry = store_scan_entry(&scan);
            TRY(add_entry(rebuild, &entry));
        }
    }
    return OK;
}

static err_t
read_packs(rebuild_t *rebuild)
{
    store_t *store = rebuild->store;
    pack_counts_t packs = {0};
    TRY(store_list_packs(store, &packs, rebuild->fault));
    err_t err = store_ready_to_put(store, rebuild->fault);
    for (size_t i = 0; i < packs.count && err == OK; i++) {
        err = read_pack(rebuild, &packs.pack[i]);
    }
    free(packs.pack);
    if (err == OK && store->writer.pending > 0) {
        err = store_write_run(store, rebuild->fault);
    }
    store->writer.pending = 0;
    return err == OK && store->runs > 1 ? store_merge(store, true, NULL, NULL, rebuild->fault)
                                        : err;
}

/* The old runs go when the new one is durable in its place. */
static err_t
put_in_place(rebuild_t *rebuild, const listing_t *old)
{
    store_t *store = rebuild->store;
    int result = 0;
    if (store->runs > 0) {
        const char *name = store->run[0]->name;
        result = world_rename(store->world, store->index_fd, name, rebuild->index_fd, name);
    }
    result = result < 0 ? result : sync_point_file(store->world, SYNC_RUN_NAMES, rebuild->index_fd);
    for (uint32_t i = 0; i < old->count && result >= 0; i++) {
        result = world_remove(store->world, rebuild->index_fd, old->name[i]);
    }
    return result < 0 ? store_fail(store, result, "replace", "store/index", rebuild->fault) : OK;
}

static err_t
make_index(rebuild_t *rebuild)
{
    listing_t old = {0};
    TRY(store_view_refresh(rebuild->store, rebuild->fault)); /* nothing: the directory is new */
    TRY(read_packs(rebuild));
    TRY(listing_read(rebuild->store->world, rebuild->index_fd, "store/index", &old,
                     rebuild->fault));
    err_t err = put_in_place(rebuild, &old);
    listing_release(&old);
    return err;
}

err_t
store_rebuild(store_t *store, store_progress_fn *progress, void *context, uint64_t *ret_objects,
              fault_t *fault)
{
    rebuild_t rebuild = {.store = store,
                         .index_fd = store->index_fd,
                         .progress = progress,
                         .context = context,
                         .fault = fault};
    store_abandon(store);
    TRY(store_clear_rebuild(store, fault));
    int result = world_make_dir(store->world, store->fd, "rebuild", 0700);
    int dir = result < 0
                  ? result
                  : world_open(store->world, store->fd, "rebuild", DIRECTORY, 0, WORLD_BENEATH);
    if (dir < 0) {
        return store_fail(store, dir, "make", "store/rebuild", fault);
    }
    store->index_fd = dir;
    err_t err = make_index(&rebuild);
    store->index_fd = rebuild.index_fd;
    world_close(store->world, dir);
    TRY(err);
    *ret_objects = rebuild.objects;
    TRY(store_clear_rebuild(store, fault));
    return store_view_refresh(store, fault);
}
