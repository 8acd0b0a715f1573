/* store_index.c - an index that went bad is noticed, and made anew.
 *
 * Bytes    those of run.h.
 * A crash  see store_rebuild.c.
 */
#include "actors/content/store.h"

#include "actors/content/store_inner.h"

bool
store_index_is_damaged(const store_t *store)
{
    bool damaged = store->index_damaged || store->runs_damaged > 0;
    for (size_t i = 0; i < store->runs && !damaged; i++) {
        damaged = store->run[i]->sieve_damaged;
    }
    return damaged;
}

static err_t
read_run(store_t *store, run_file_t *run, fault_t *fault)
{
    run_entry_t entry[RUN_PAGE_ENTRIES];
    uint32_t count = 0;
    TRY(run_read_sieve(run, fault));
    for (uint32_t page = 0; page < run->pages; page++) {
        err_t err = run_read_page(run, page, entry, &count, fault);
        if (err == ERR_DAMAGED) {
            store->index_damaged = true;
            return OK;
        }
        TRY(err);
    }
    return OK;
}

err_t
store_mend_index(store_t *store, bool reads, uint64_t *ret_objects, fault_t *fault)
{
    *ret_objects = 0;
    for (size_t i = 0; reads && i < store->runs && !store_index_is_damaged(store); i++) {
        TRY(read_run(store, store->run[i], fault));
    }
    if (!store_index_is_damaged(store)) {
        return reads ? store_find_lost(store, true, ret_objects, fault) : OK;
    }
    TRY(store_rebuild(store, NULL, NULL, ret_objects, fault));
    store->index_damaged = false;
    return OK;
}
