/* store_check.c - every byte of packs and index is read and held against what it should be.
 *
 * Bytes    written only to repair: notes in damaged/, heads of packs, a new index.
 * A crash  leaves what was repaired so far; the next check finds the rest.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include "actors/content/fail.h"
#include "actors/content/store_mark.h"
#include "actors/content/store_scan.h"
#include "actors/content/sync_points.h"
#include "actors/content/write_all.h"

typedef struct check {
    store_t *store;
    bool repair;
    marks_t marks; /* entries whose records are right; then those that a root reaches */
    pack_counts_t packs;
    store_checked_t result;
    uint64_t *missing; /* of each root; NULL: nobody asks */
    fault_t *fault;
} check_t;

static err_t
write_head(check_t *check, uint64_t id)
{
    store_t *store = check->store;
    uint8_t head[PACK_HEAD_BYTES];
    char name[RUN_NAME_BYTES];
    store_pack_name(id, name);
    pack_head_encode(id, head);
    int fd =
        world_open(store->world, store->packs_fd, name, O_WRONLY | O_NOFOLLOW, 0, WORLD_BENEATH);
    int result = fd < 0 ? fd : write_all(store->world, fd, head, sizeof head, 0);
    result = result < 0 ? result : sync_point_data(store->world, SYNC_PACK_DATA, fd);
    if (fd >= 0) {
        world_close(store->world, fd);
    }
    return result < 0 ? store_fail(store, result, "repair", name, check->fault) : OK;
}

static err_t
check_record(check_t *check, store_scan_t *scan)
{
    bool right = false;
    TRY(store_scan_is_right(scan, &right, check->fault));
    marks_t *marks = &check->marks;
    marks->bytes += scan->record.stored;
    if (marks->progress != NULL) {
        marks->progress(marks->context, marks->bytes);
    }
    if (!right) {
        return OK;
    }
    run_entry_t entry = store_scan_entry(scan);
    check->result.objects++;
    check->result.bytes += pack_record_bytes(entry.stored);
    return marks_record(marks, &entry);
}

static err_t
check_pack(check_t *check, const pack_count_t *pack)
{
    store_scan_t scan;
    bool more = true;
    TRY(store_scan_begin(&scan, check->store, pack->id, pack->size, check->fault));
    check->result.packs++;
    check->result.heads_damaged += !scan.head_is_right;
    if (!scan.head_is_right && check->repair) {
        TRY(write_head(check, pack->id));
    }
    while (more) {
        TRY(store_scan_next(&scan, &more, check->fault));
        if (more) {
            TRY(check_record(check, &scan));
        }
    }
    return OK;
}

/* An entry whose record is not right, also when it is looked at alone; those of packs that are gone
 * mean nothing. */
static err_t
check_entry(check_t *check, const run_entry_t *entry, size_t run, uint64_t ordinal)
{
    if (marks_has(&check->marks, run, ordinal) ||
        pack_counts_find(&check->packs, entry->pack) == NULL) {
        return OK;
    }
    err_t err = store_look_again(check->store, entry, check->fault);
    if (err != ERR_DIGEST) {
        return err;
    }
    check->result.damaged++;
    return check->repair ? store_note_damage(check->store, entry, check->fault)
                         : store_remember_damage(check->store, entry, check->fault);
}

static err_t
check_page(check_t *check, size_t run, uint32_t page)
{
    run_entry_t entry[RUN_PAGE_ENTRIES];
    uint32_t count = 0;
    err_t err = run_read_page(check->store->run[run], page, entry, &count, check->fault);
    if (err != OK) {
        check->result.pages_damaged += err == ERR_DAMAGED;
        return err == ERR_DAMAGED ? OK : err;
    }
    for (uint32_t i = 0; i < count; i++) {
        TRY(check_entry(check, &entry[i], run, (uint64_t) page * RUN_PAGE_ENTRIES + i));
    }
    return OK;
}

static err_t
check_index(check_t *check)
{
    check->result.pages_damaged = check->store->runs_damaged;
    for (size_t run = 0; run < check->store->runs; run++) {
        TRY(run_read_sieve(check->store->run[run], check->fault));
        check->result.pages_damaged += check->store->run[run]->sieve_damaged;
        for (uint32_t page = 0; page < check->store->run[run]->pages; page++) {
            TRY(check_page(check, run, page));
        }
    }
    return OK;
}

/* A version of which a node cannot be had misses at least that. */
static err_t
check_root(check_t *check, const digest_t *roots, size_t root)
{
    marks_clear(&check->marks);
    check->marks.tolerant = true;
    err_t err = marks_root(&check->marks, &roots[root]);
    uint64_t missing = check->marks.missing;
    if (err == ERR_NOT_STORED || err == ERR_DIGEST || err == ERR_DAMAGED) {
        missing = missing == 0 ? 1 : missing;
        err = OK;
    }
    check->result.missing += missing;
    check->result.versions_damaged += missing > 0;
    if (check->missing) {
        check->missing[root] = missing;
    }
    return err;
}

/* How many runs are gone cannot be told. */
static err_t
check_lost(check_t *check)
{
    uint64_t objects = 0;
    if (check->result.pages_damaged > 0) {
        return OK;
    }
    TRY(store_find_lost(check->store, false, &objects, check->fault));
    check->result.pages_damaged = objects > 0;
    return OK;
}

static err_t
check_all(check_t *check, const digest_t *roots, size_t root_count)
{
    TRY(store_list_packs(check->store, &check->packs, check->fault));
    for (size_t i = 0; i < check->packs.count; i++) {
        TRY(check_pack(check, &check->packs.pack[i]));
    }
    TRY(check_index(check));
    for (size_t i = 0; i < root_count; i++) {
        TRY(check_root(check, roots, i));
    }
    return check_lost(check); /* which looks at the disk anew: the marks are of the runs before */
}

err_t
store_check_explained(store_t *store, const digest_t *roots, size_t root_count, bool repair,
                      store_progress_fn *progress, void *context, store_checked_t *ret_checked,
                      uint64_t *ret_missing, fault_t *fault)
{
    check_t check = {.store = store, .repair = repair, .missing = ret_missing, .fault = fault};
    uint64_t objects = 0;
    store_abandon(store);
    TRY(store_view_refresh(store, fault));
    store->holds_runs = true;
    err_t err = marks_init(&check.marks, store, progress, context, fault);
    err = err == OK ? check_all(&check, roots, root_count) : err;
    store->holds_runs = false;
    marks_release(&check.marks);
    free(check.packs.pack);
    TRY(err);
    *ret_checked = check.result;
    return repair && check.result.pages_damaged > 0
               ? store_rebuild(store, progress, context, &objects, fault)
               : OK;
}

err_t
store_check(store_t *store, const digest_t *roots, size_t root_count, bool repair,
            store_progress_fn *progress, void *context, store_checked_t *ret_checked,
            fault_t *fault)
{
    return store_check_explained(store, roots, root_count, repair, progress, context, ret_checked,
                                 NULL, fault);
}
