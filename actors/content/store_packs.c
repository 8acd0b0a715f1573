/* store_packs.c - all packs, and all entries of the index; what goes over the whole store begins
 * here. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "actors/content/fail.h"
#include "actors/content/listing.h"
#include "actors/content/store_inner.h"

static int
by_id(const void *a, const void *b)
{
    const pack_count_t *x = a;
    const pack_count_t *y = b;
    return x->id < y->id ? -1 : x->id > y->id;
}

static err_t
count_packs(store_t *store, const listing_t *names, pack_counts_t *counts, fault_t *fault)
{
    for (uint32_t i = 0; i < names->count; i++) {
        uint64_t id = 0;
        world_stat_t stat;
        if (!store_pack_id(names->name[i], &id)) {
            continue;
        }
        int result = world_stat_at(store->world, store->packs_fd, names->name[i], &stat);
        if (result < 0) {
            return store_fail(store, result, "stat", names->name[i], fault);
        }
        counts->pack[counts->count++] = (pack_count_t){.id = id, .size = stat.size};
    }
    return OK;
}

err_t
store_list_packs(store_t *store, pack_counts_t *ret_counts, fault_t *fault)
{
    listing_t names = {0};
    pack_counts_t counts = {0};
    TRY(listing_read(store->world, store->packs_fd, "store/packs", &names, fault));
    counts.pack = calloc(names.count + 1u, sizeof counts.pack[0]);
    err_t err = counts.pack == NULL ? NO_MEMORY(fault, "store/packs")
                                    : count_packs(store, &names, &counts, fault);
    listing_release(&names);
    if (err != OK) {
        free(counts.pack);
        return err;
    }
    qsort(counts.pack, counts.count, sizeof counts.pack[0], by_id);
    *ret_counts = counts;
    return OK;
}

pack_count_t *
pack_counts_find(const pack_counts_t *counts, uint64_t id)
{
    pack_count_t key = {.id = id};
    return bsearch(&key, counts->pack, counts->count, sizeof counts->pack[0], by_id);
}

err_t
store_each_entry(store_t *store, store_entry_fn *each, void *context, fault_t *fault)
{
    for (size_t run = 0; run < store->runs; run++) {
        for (uint32_t page = 0; page < store->run[run]->pages; page++) {
            run_entry_t entry[RUN_PAGE_ENTRIES];
            uint32_t count = 0;
            TRY(run_read_page(store->run[run], page, entry, &count, fault));
            for (uint32_t i = 0; i < count; i++) {
                uint64_t ordinal = (uint64_t) page * RUN_PAGE_ENTRIES + i;
                TRY(each(context, &entry[i], run, ordinal, fault));
            }
        }
    }
    return OK;
}

err_t
store_remove_pack(store_t *store, uint64_t id, fault_t *fault)
{
    char name[RUN_NAME_BYTES];
    store_pack_name(id, name);
    int result = world_remove(store->world, store->packs_fd, name);
    return result < 0 && result != -ENOENT ? store_fail(store, result, "remove", name, fault) : OK;
}

typedef struct named {
    uint64_t pack;
    bool is;
} named_t;

static err_t
look_for_pack(void *context, const run_entry_t *entry, size_t run, uint64_t ordinal, fault_t *fault)
{
    named_t *named = context;
    (void) run;
    (void) ordinal;
    (void) fault;
    named->is = named->is || entry->pack == named->pack;
    return OK;
}

err_t
store_remove_cut(store_t *store, const char *run_new, fault_t *fault)
{
    char name[RUN_NAME_BYTES];
    named_t named = {0};
    world_stat_t stat;
    snprintf(name, sizeof name, "%.16s.pack", run_new + 1);
    if (!store_pack_id(name, &named.pack)) {
        return OK;
    }
    int result = world_stat_at(store->world, store->packs_fd, name, &stat);
    if (result < 0) {
        return result == -ENOENT ? OK : store_fail(store, result, "stat", name, fault);
    }
    err_t err = store_each_entry(store, look_for_pack, &named, fault);
    if (err != OK || named.is) { /* what an index names that cannot be read is not known */
        return err == ERR_DAMAGED ? OK : err;
    }
    return store_remove_pack(store, named.pack, fault);
}
