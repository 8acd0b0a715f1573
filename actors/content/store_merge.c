/* store_merge.c - many runs become one, so that few have to be looked into.
 *
 * Bytes    index/<id>.run; the new one holds what the old ones held.
 * A crash  leaves the old ones, or all, or the new one and some of the old: an entry that stands
 *          twice does no harm.
 */
#include <errno.h>
#include <stdlib.h>
#include "actors/content/fail.h"
#include "actors/content/store_inner.h"
#include "actors/content/sync_points.h"

#define SHARE 4u /* a run that is so many times as large as all smaller ones is left alone */

/* One run that is read from its begin to its end. */
typedef struct source {
    run_file_t *run;
    uint32_t page, next, count;
    run_entry_t entry[RUN_PAGE_ENTRIES];
} source_t;

typedef struct merge {
    store_t *store;
    source_t *source;
    size_t sources;
    run_writer_t writer;
    store_keep_fn *keep;
    void *context;
    fault_t *fault;
} merge_t;

static int
larger_first(const void *a, const void *b)
{
    const run_file_t *x = *(run_file_t *const *) a;
    const run_file_t *y = *(run_file_t *const *) b;
    return x->entries > y->entries ? -1 : x->entries < y->entries;
}

/* The first of the runs, which stand larger ones first, from which on they are merged. */
static size_t
first_to_merge(const store_t *store)
{
    uint64_t smaller = 0;
    size_t first = store->runs;
    while (first > 0 &&
           (first + 2 > store->runs || store->run[first - 1]->entries < smaller * SHARE)) {
        smaller += store->run[--first]->entries;
    }
    return first;
}

static err_t
advance(source_t *source, fault_t *fault)
{
    source->next++;
    if (source->next < source->count || source->page == source->run->pages) {
        return OK;
    }
    source->next = 0;
    return run_read_page(source->run, source->page++, source->entry, &source->count, fault);
}

/* The source whose entry comes next, or NULL. There are few of them. */
static source_t *
least(const merge_t *merge)
{
    source_t *least = NULL;
    for (size_t i = 0; i < merge->sources; i++) {
        source_t *source = &merge->source[i];
        if (source->next < source->count &&
            (least == NULL ||
             run_entry_order(&source->entry[source->next], &least->entry[least->next]) < 0)) {
            least = source;
        }
    }
    return least;
}

static err_t
copy_entries(merge_t *merge)
{
    for (size_t i = 0; i < merge->sources; i++) {
        TRY(advance(&merge->source[i], merge->fault));
    }
    for (source_t *source = least(merge); source != NULL; source = least(merge)) {
        const run_entry_t *entry = &source->entry[source->next];
        if (merge->keep == NULL || merge->keep(merge->context, entry)) {
            TRY(run_writer_add(&merge->writer, entry, merge->fault));
        }
        TRY(advance(source, merge->fault));
    }
    return OK;
}

static err_t
write_merged(merge_t *merge)
{
    store_t *store = merge->store;
    uint64_t most = 0;
    for (size_t i = 0; i < merge->sources; i++) {
        most += merge->source[i].run->entries;
    }
    TRY(run_writer_begin(&merge->writer, store->world, store->index_fd, store_new_id(store), most,
                         merge->fault));
    err_t err = copy_entries(merge);
    if (err != OK) {
        run_writer_drop(&merge->writer);
        return err;
    }
    TRY(run_writer_finish(&merge->writer, merge->fault));
    int result = sync_point_file(store->world, SYNC_RUN_NAMES, store->index_fd);
    return result < 0 ? store_fail(store, result, "sync", "store/index", merge->fault) : OK;
}

/* Only now, when the new run is durable. */
static err_t
remove_merged(merge_t *merge)
{
    store_t *store = merge->store;
    for (size_t i = 0; i < merge->sources; i++) {
        const char *name = merge->source[i].run->name;
        int result = world_remove(store->world, store->index_fd, name);
        if (result < 0 && result != -ENOENT) {
            return store_fail(store, result, "remove", name, merge->fault);
        }
    }
    return OK;
}

static err_t
merge_from(merge_t *merge, size_t first)
{
    store_t *store = merge->store;
    merge->sources = store->runs - first;
    merge->source = calloc(merge->sources + 1, sizeof merge->source[0]);
    if (merge->source == NULL) {
        return NO_MEMORY(merge->fault, "a run of the store");
    }
    for (size_t i = 0; i < merge->sources; i++) {
        merge->source[i].run = store->run[first + i];
    }
    err_t err = write_merged(merge);
    err = err == OK ? remove_merged(merge) : err;
    free(merge->source);
    return err;
}

err_t
store_merge(store_t *store, bool all, store_keep_fn *keep, void *context, fault_t *fault)
{
    merge_t merge = {.store = store, .keep = keep, .context = context, .fault = fault};
    qsort(store->run, store->runs, sizeof store->run[0], larger_first);
    TRY(merge_from(&merge, all ? 0 : first_to_merge(store)));
    return store_view_refresh(store, fault);
}
