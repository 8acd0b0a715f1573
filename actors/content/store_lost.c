/* store_lost.c - objects that are in the packs, and were named by a run that is gone.
 *
 * Bytes    a further run, as of a commit.
 * A crash  leaves that run, or none; it names records that were there, and are synced before.
 *
 * A pack is appended to commit by commit. So a record without a name that stands before one that
 * has one, or in a pack that has its own name and no other, was named once. What stands behind the
 * last one is another matter: somebody is writing it, or was killed before he named it; so is a
 * pack that no run names while one is being written, and store_recover removes both where a kill
 * has cut that. A record that stands in two runs hides as much of what is lost, until those are
 * merged. */
#include <stdlib.h>

#include "actors/content/fail.h"
#include "actors/content/listing.h"
#include "actors/content/store_scan.h"
#include "actors/content/sync_points.h"

typedef struct lost {
    store_t *store;
    bool names;
    pack_counts_t packs;
    uint64_t objects, of_pack; /* without a name: in all, and in the pack that is read */
    bool commits;              /* somebody does: a pack may have its name, and its run not yet */
    fault_t *fault;
} lost_t;

static err_t
count_entry(void *context, const run_entry_t *entry, size_t run, uint64_t ordinal, fault_t *fault)
{
    pack_count_t *pack = pack_counts_find(&((lost_t *) context)->packs, entry->pack);
    (void) run;
    (void) ordinal;
    (void) fault;
    if (pack != NULL) {
        uint64_t bytes = pack_record_bytes(entry->stored);
        pack->entries++;
        pack->live_bytes += bytes;
        pack->end = entry->offset + bytes > pack->end ? entry->offset + bytes : pack->end;
    }
    return OK;
}

/* The disk is looked at again for the first one: a commit may be under way just now. */
static err_t
look_at_record(lost_t *lost, const run_entry_t *entry)
{
    store_t *store = lost->store;
    store_place_t place;
    bool found = false;
    TRY(store_find(store, &entry->digest, lost->of_pack == 0, &place, &found, lost->fault));
    if (found || store_is_damaged(store, entry)) {
        return OK;
    }
    lost->of_pack++;
    lost->objects++;
    if (!lost->names) {
        return OK;
    }
    store->writer.entry[store->writer.pending++] = *entry;
    return store->writer.pending == STORE_BATCH_MAX ? store_write_run(store, lost->fault) : OK;
}

static err_t
read_pack(lost_t *lost, const pack_count_t *pack, uint64_t end)
{
    store_scan_t scan;
    bool more = true, right = false;
    int fd = store_pack_fd(lost->store, pack->id);
    int result = fd < 0        ? fd
                 : lost->names ? sync_point_data(lost->store->world, SYNC_PACK_DATA, fd)
                               : 0;
    if (result < 0) {
        return store_fail(lost->store, result, "sync", "a pack of the store", lost->fault);
    }
    lost->of_pack = 0;
    TRY(store_scan_begin(&scan, lost->store, pack->id, end, lost->fault));
    while (more) {
        TRY(store_scan_next(&scan, &more, lost->fault));
        if (more) {
            TRY(store_scan_is_right(&scan, &right, lost->fault));
        }
        if (more && right) {
            run_entry_t entry = store_scan_entry(&scan);
            TRY(look_at_record(lost, &entry));
        }
    }
    return OK;
}

/* What others have named by now, after the packs were listed: a pack that had its name then has its
 * run as one to come still, or in view. */
static err_t
look_at_runs(lost_t *lost)
{
    store_t *store = lost->store;
    listing_t names = {0};
    if (store->holds_runs) { /* nobody else puts */
        return OK;
    }
    TRY(listing_read(store->world, store->index_fd, "store/index", &names, lost->fault));
    for (uint32_t i = 0; i < names.count; i++) {
        lost->commits = lost->commits || run_name_is_new(names.name[i]);
    }
    listing_release(&names);
    return store_view_refresh(store, lost->fault);
}

static err_t
read_packs(lost_t *lost)
{
    TRY(look_at_runs(lost));
    TRY(store_each_entry(lost->store, count_entry, lost, lost->fault));
    for (size_t i = 0; i < lost->packs.count; i++) {
        const pack_count_t *pack = &lost->packs.pack[i];
        uint64_t end = pack->entries > 0 || lost->commits ? pack->end : pack->size;
        if (PACK_HEAD_BYTES + pack->live_bytes < end) {
            TRY(read_pack(lost, pack, end));
        }
    }
    return OK;
}

static err_t
name_all(lost_t *lost)
{
    store_t *store = lost->store;
    if (store->writer.pending > 0) {
        TRY(store_write_run(store, lost->fault));
    }
    int result =
        lost->objects == 0 ? 0 : sync_point_file(store->world, SYNC_RUN_NAMES, store->index_fd);
    return result < 0 ? store_fail(store, result, "sync", "store/index", lost->fault) : OK;
}

err_t
store_find_lost(store_t *store, bool names, uint64_t *ret_objects, fault_t *fault)
{
    lost_t lost = {.store = store, .names = names, .fault = fault};
    store_abandon(store);
    TRY(store_list_packs(store, &lost.packs, fault));
    err_t err = names ? store_ready_to_put(store, fault) : OK;
    err = err == OK ? read_packs(&lost) : err;
    err = err == OK && names ? name_all(&lost) : err;
    store->writer.pending = 0;
    free(lost.packs.pack);
    *ret_objects = err == OK ? lost.objects : 0;
    return err;
}
