/* store_commit.c - what was put is named by a run when its bytes are durable, or dropped.
 *
 * Bytes    index/<id>.run, one for each commit; see store_put.c for the pack.
 * A crash  before the run has its name leaves bytes that nobody knows of; between the name and the
 *          sync of index/, whole objects that may lose their run.
 */
#include "actors/content/store.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include "actors/content/fail.h"
#include "actors/content/store_inner.h"
#include "actors/content/sync_points.h"

void
store_abandon(store_t *store)
{
    pack_writer_t *writer = &store->writer;
    store_queue_drop(store);
    if (writer->fd < 0) {
        return;
    }
    if (writer->committed == 0) {
        char name[RUN_NAME_BYTES];
        store_pack_name_new(writer->id, name);
        (void) world_remove(store->world, store->packs_fd, name);
        store_pack_name(writer->id, name);
        (void) world_remove(store->world, store->packs_fd, name);
    } else if (writer->length > writer->committed) {
        (void) world_truncate(store->world, writer->fd, writer->committed);
    }
    world_close(store->world, writer->fd);
    writer->fd = -1;
    writer->pending = 0;
    writer->buffered = 0;
    memset(writer->slot, 0, STORE_SLOTS * sizeof writer->slot[0]);
}

static int
compare_entries(const void *a, const void *b)
{
    return run_entry_order(a, b);
}

/* Gives a pack its name, with its first commit. */
static err_t
name_pack(store_t *store, fault_t *fault)
{
    pack_writer_t *writer = &store->writer;
    if (writer->fd < 0 || writer->named) {
        return OK;
    }
    char from[RUN_NAME_BYTES];
    char to[RUN_NAME_BYTES];
    store_pack_name_new(writer->id, from);
    store_pack_name(writer->id, to);
    int result = world_rename(store->world, store->packs_fd, from, store->packs_fd, to);
    result = result < 0 ? result : sync_point_file(store->world, SYNC_PACK_NAMES, store->packs_fd);
    writer->named = result >= 0;
    return result < 0 ? store_fail(store, result, "name", to, fault) : OK;
}

static err_t
fill_run(store_t *store, run_writer_t *run, fault_t *fault)
{
    const pack_writer_t *writer = &store->writer;
    for (uint32_t i = 0; i < writer->pending; i++) {
        TRY(run_writer_add(run, &writer->entry[i], fault));
    }
    return name_pack(store, fault);
}

/* Writes the pending entries as a run; its name in ret_name. Their pack gets its name when the run
 * is there under that of one to come: who meets a pack that no run names looks for such a one. The
 * first run of a pack has its id, so that what a kill leaves of the two is known by that. */
static err_t
write_run(store_t *store, char ret_name[RUN_NAME_BYTES], fault_t *fault)
{
    pack_writer_t *writer = &store->writer;
    run_writer_t run;
    bool first = writer->fd >= 0 && !writer->named;
    uint64_t id = first ? writer->id : store_new_id(store);
    qsort(writer->entry, writer->pending, sizeof writer->entry[0], compare_entries);
    TRY(run_writer_begin(&run, store->world, store->index_fd, id, writer->pending, fault));
    err_t err = fill_run(store, &run, fault);
    if (err != OK) {
        run_writer_drop(&run);
        return err;
    }
    memcpy(ret_name, run.name, RUN_NAME_BYTES);
    return run_writer_finish(&run, fault);
}

/* The bytes, then the run that names them. */
static err_t
write_pending(store_t *store, char ret_name[RUN_NAME_BYTES], fault_t *fault)
{
    pack_writer_t *writer = &store->writer;
    if (writer->pending == 0) {
        return OK;
    }
    TRY(store_flush(store, fault));
    int result = sync_point_data(store->world, SYNC_PACK_DATA, writer->fd);
    if (result < 0) {
        return store_fail(store, result, "sync", "a pack of the store", fault);
    }
    return write_run(store, ret_name, fault);
}

/* Names in index/; and once for each store_t the directories on the way to it, which this run or
 * one that was cut may have made, unless they are trusted. */
static err_t
sync_names(store_t *store, fault_t *fault)
{
    int result = sync_point_file(store->world, SYNC_RUN_NAMES, store->index_fd);
    if (result >= 0 && !store->laid_out) {
        result = sync_point_file(store->world, SYNC_STORE_LAYOUT, store->fd);
        result = result < 0 ? result
                            : sync_point_file(store->world, SYNC_STORE_LAYOUT, store->parent_fd);
        store->laid_out = result >= 0;
    }
    result = result < 0 ? result : world_point(store->world, "store.committed");
    return result < 0 ? store_fail(store, result, "commit", "store/index", fault) : OK;
}

bool
store_is_laid_out(const store_t *store)
{
    return store->laid_out;
}

store_left_t
store_left(const store_t *store)
{
    const pack_writer_t *writer = &store->writer;
    bool open = writer->fd >= 0;
    return (store_left_t){store->laid_out, open ? writer->id : 0, open ? writer->committed : 0};
}

static err_t
append_to(store_t *store, const store_left_t *left, const char *name, fault_t *fault)
{
    pack_writer_t *writer = &store->writer;
    TRY(store_ready_to_put(store, fault));
    int fd =
        world_open(store->world, store->packs_fd, name, O_WRONLY | O_NOFOLLOW, 0, WORLD_BENEATH);
    if (fd < 0) {
        return store_fail(store, fd, "open", name, fault);
    }
    writer->fd = fd;
    writer->id = left->pack;
    writer->named = true;
    writer->length = writer->committed = left->pack_bytes;
    return OK;
}

err_t
store_go_on(store_t *store, const store_left_t *left, fault_t *fault)
{
    char name[RUN_NAME_BYTES];
    world_stat_t stat;
    assert(store->writer.fd < 0);
    store->laid_out = left->laid_out && !store->made;
    if (left->pack_bytes == 0) {
        return OK;
    }
    store_pack_name(left->pack, name);
    int result = world_stat_at(store->world, store->packs_fd, name, &stat);
    if (result < 0 && result != -ENOENT) {
        return store_fail(store, result, "stat", name, fault);
    }
    bool same = result == 0 && stat.size == left->pack_bytes;
    return same ? append_to(store, left, name, fault) : OK;
}

static err_t
open_new_run(store_t *store, const char *name, fault_t *fault)
{
    bool missing = false;
    run_file_t **larger = realloc(store->run, (store->runs + 1) * sizeof larger[0]);
    if (larger == NULL) {
        return NO_MEMORY(fault, "store/index");
    }
    store->run = larger;
    TRY(run_open(store->world, store->index_fd, name, &store->run[store->runs], &missing, fault));
    store->runs += !missing; /* missing: somebody has merged it already */
    return missing ? store_view_refresh(store, fault) : OK;
}

err_t
store_write_run(store_t *store, fault_t *fault)
{
    char name[RUN_NAME_BYTES];
    TRY(write_run(store, name, fault));
    store->writer.pending = 0;
    TRY(open_new_run(store, name, fault));
    return store->runs > STORE_RUNS_MAX ? store_merge(store, false, NULL, NULL, fault) : OK;
}

/* Merging can wait: where a run went bad, for the index to be rebuilt. */
static err_t
merge_many(store_t *store, fault_t *fault)
{
    if (store->runs <= STORE_RUNS_MAX || store->holds_runs) {
        return OK;
    }
    err_t err = store_merge(store, false, NULL, NULL, fault);
    return err == ERR_DAMAGED ? OK : err;
}

static err_t
commit(store_t *store, fault_t *fault)
{
    pack_writer_t *writer = &store->writer;
    char name[RUN_NAME_BYTES] = "";
    err_t err = write_pending(store, name, fault);
    err = err == OK ? sync_names(store, fault) : err;
    if (err != OK) {
        if (name[0] != '\0') {
            (void) world_remove(store->world, store->index_fd, name);
        }
        return err;
    }
    store->dirty = writer->lots > 0;
    if (writer->pending > 0) {
        writer->committed = writer->length;
        writer->pending = 0;
        memset(writer->slot, 0, STORE_SLOTS * sizeof writer->slot[0]);
        TRY(open_new_run(store, name, fault));
    }
    return merge_many(store, fault);
}

err_t
store_commit_appended(store_t *store, fault_t *fault)
{
    err_t err = commit(store, fault);
    if (err != OK) {
        store_abandon(store);
    }
    return err;
}

err_t
store_commit(store_t *store, fault_t *fault)
{
    if (!store->dirty) {
        return OK;
    }
    err_t err = store_settle(store, fault);
    if (err != OK) {
        store_abandon(store);
        return err;
    }
    return store->dirty ? store_commit_appended(store, fault) : OK;
}
