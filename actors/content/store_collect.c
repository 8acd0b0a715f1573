/* store_collect.c - marks what live versions reach, and may need, then writes packs that hold much
 * else anew without it.
 *
 * Order    mark; count; remove packs of which nothing is alive; copy what is alive of the other
 *          victims and commit it; write the index without the victims; remove them.
 * A crash  leaves objects in two packs, packs without a living entry, or entries of packs that are
 *          gone, which are passed over; the next collection takes them. What is live is always in
 *          a pack that a durable run names.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include "actors/content/fail.h"
#include "actors/content/listing.h"
#include "actors/content/store_mark.h"
#include "actors/content/store_scan.h"

#define DEAD_SHARE  4u       /* a pack of which one in so many bytes is dead is written anew */
#define SMALL_BYTES 8388608u /* of a pack: with anything dead in it, it is written anew */
#define SMALL_PACKS 16u      /* more of SMALL_BYTES are written into one */

typedef struct collect {
    store_t *store;
    marks_t marks;
    pack_counts_t packs;
    store_collected_t result;
    store_kept_t *kept; /* of each root; NULL: nobody asked */
    fault_t *fault;
} collect_t;

static err_t
count_entry(void *context, const run_entry_t *entry, size_t run, uint64_t ordinal, fault_t *fault)
{
    collect_t *collect = context;
    (void) fault;
    pack_count_t *pack = pack_counts_find(&collect->packs, entry->pack);
    if (pack == NULL) {
        return OK; /* its pack was collected */
    }
    pack->entries++;
    if (marks_has(&collect->marks, run, ordinal)) {
        pack->live++;
        pack->live_bytes += pack_record_bytes(entry->stored);
        collect->result.live_objects++;
        collect->result.live_bytes += pack_record_bytes(entry->stored);
    }
    return OK;
}

static uint64_t
dead_bytes(const pack_count_t *pack)
{
    uint64_t others = PACK_HEAD_BYTES + pack->live_bytes;
    return pack->size > others ? pack->size - others : 0;
}

/* Who needs what proved damaged would not know of it when its pack has gone with the note, and the
 * next collection would end for want of it. */
static void
hold_damaged(collect_t *collect)
{
    const store_t *store = collect->store;
    for (size_t i = 0; i < store->damages; i++) {
        pack_count_t *pack = pack_counts_find(&collect->packs, store->damage[i].pack);
        if (pack != NULL) {
            pack->holds |= store->damage[i].needed;
        }
    }
}

static void
choose(collect_t *collect)
{
    store_collected_t *result = &collect->result;
    size_t small = 0;
    for (size_t i = 0; i < collect->packs.count; i++) {
        small += collect->packs.pack[i].size < SMALL_BYTES;
    }
    for (size_t i = 0; i < collect->packs.count; i++) {
        pack_count_t *pack = &collect->packs.pack[i];
        uint64_t dead = dead_bytes(pack);
        bool is_small = pack->size < SMALL_BYTES;
        bool pays = pack->live == 0 || (is_small && (dead > 0 || small > SMALL_PACKS)) ||
                    dead >= pack->size / DEAD_SHARE;
        pack->victim = pays && !pack->holds;
        uint64_t objects = pack->entries - pack->live;
        result->packs_rewritten += pack->victim;
        result->removed_objects += pack->victim ? objects : 0;
        result->removed_bytes += pack->victim ? dead : 0;
        result->kept_objects += pack->victim ? 0 : objects;
        result->kept_bytes += pack->victim ? 0 : dead;
    }
    result->packs = collect->packs.count;
}

/* Copies a record as it is stored, when it is the one that counts and is right. */
static err_t
copy_record(collect_t *collect, store_scan_t *scan, pack_count_t *pack)
{
    run_entry_t entry = store_scan_entry(scan);
    bool marked = false;
    bool right = false;
    TRY(marks_has_record(&collect->marks, &entry, &marked));
    if (!marked) {
        return OK;
    }
    TRY(store_scan_is_right(scan, &right, collect->fault));
    if (!right) {
        return store_note_damage(collect->store, &entry, collect->fault);
    }
    TRY(store_append(collect->store, &scan->record, scan->stored, collect->fault));
    pack->copied++;
    marks_t *marks = &collect->marks;
    marks->bytes += entry.stored;
    if (marks->progress != NULL) {
        marks->progress(marks->context, marks->bytes);
    }
    return OK;
}

/* A pack that is not whole keeps what it has: somebody may still make use of it. */
static err_t
copy_pack(collect_t *collect, pack_count_t *pack)
{
    store_scan_t scan;
    bool more = true;
    TRY(store_scan_begin(&scan, collect->store, pack->id, pack->size, collect->fault));
    while (more && pack->copied < pack->live) {
        TRY(store_scan_next(&scan, &more, collect->fault));
        if (more) {
            TRY(copy_record(collect, &scan, pack));
        }
    }
    return OK;
}

static err_t
copy_victims(collect_t *collect)
{
    for (size_t i = 0; i < collect->packs.count; i++) {
        pack_count_t *pack = &collect->packs.pack[i];
        if (pack->victim && pack->live > 0) {
            TRY(copy_pack(collect, pack));
            pack->victim = pack->copied == pack->live;
        }
    }
    return store_commit(collect->store, collect->fault);
}

static bool
is_kept(void *context, const run_entry_t *entry)
{
    const collect_t *collect = context;
    const pack_count_t *pack = pack_counts_find(&collect->packs, entry->pack);
    /* One that was not there when the packs were counted was written since: by ourselves. */
    return pack == NULL ? store_pack_fd(collect->store, entry->pack) >= 0 : !pack->victim;
}

static err_t
remove_victims(collect_t *collect, bool dead_only)
{
    for (size_t i = 0; i < collect->packs.count; i++) {
        const pack_count_t *pack = &collect->packs.pack[i];
        if (pack->victim && (pack->live == 0 || !dead_only)) {
            TRY(store_remove_pack(collect->store, pack->id, collect->fault));
        }
    }
    return OK;
}

static bool
any_victim(const collect_t *collect)
{
    for (size_t i = 0; i < collect->packs.count; i++) {
        if (collect->packs.pack[i].victim) {
            return true;
        }
    }
    return false;
}

/* Packs of which nothing is alive need no copy: they go first, so that a full disk has room. */
static err_t
carry_out(collect_t *collect)
{
    if (!any_victim(collect)) {
        return OK;
    }
    TRY(remove_victims(collect, true));
    TRY(copy_victims(collect));
    TRY(store_merge(collect->store, true, is_kept, collect, collect->fault));
    TRY(remove_victims(collect, false));
    return store_forget_damage(collect->store, collect->fault);
}

static err_t
mark_root(collect_t *collect, const digest_t *root, size_t number)
{
    err_t err = marks_root(&collect->marks, root);
    bool unreadable = err == ERR_DIGEST || err == ERR_DAMAGED || err == ERR_NOT_STORED;
    collect->store->lacking = unreadable ? number + 1 : 0;
    return err;
}

bool
store_collect_lacked(const store_t *store, size_t *ret_root)
{
    if (store->lacking > 0) {
        *ret_root = store->lacking - 1;
    }
    return store->lacking > 0;
}

static err_t
collect_marked(collect_t *collect, const digest_t *roots, size_t root_count, bool dry_run)
{
    for (size_t i = 0; i < root_count; i++) {
        const marks_t *marks = &collect->marks;
        store_kept_t before = {marks->objects, marks->stored};
        collect->marks.root = i;
        TRY(mark_root(collect, &roots[i], i));
        if (collect->kept != NULL) {
            collect->kept[i] =
                (store_kept_t){marks->objects - before.objects, marks->stored - before.bytes};
        }
    }
    store_kept_t held = {0};
    TRY(marks_doubtful(&collect->marks, collect->kept, &held));
    collect->result.held_objects = held.objects;
    collect->result.held_bytes = held.bytes;
    TRY(store_list_packs(collect->store, &collect->packs, collect->fault));
    TRY(store_each_entry(collect->store, count_entry, collect, collect->fault));
    hold_damaged(collect);
    choose(collect);
    return dry_run ? OK : carry_out(collect);
}

err_t
store_collect_explained(store_t *store, const digest_t *roots, size_t root_count, bool dry_run,
                        store_progress_fn *progress, void *context,
                        store_collected_t *ret_collected, store_kept_t *ret_kept, fault_t *fault)
{
    collect_t collect = {.store = store, .kept = ret_kept, .fault = fault};
    if (store->old_fd >= 0) {
        return RAISE(fault, ERR_BUSY, 0, "collect", "store/objects");
    }
    store_abandon(store); /* what is copied goes into a new pack */
    store->lacking = 0;
    TRY(store_view_refresh(store, fault));
    store->holds_runs = true;
    err_t err = marks_init(&collect.marks, store, progress, context, fault);
    err = err == OK ? collect_marked(&collect, roots, root_count, dry_run) : err;
    store->holds_runs = false;
    marks_release(&collect.marks);
    free(collect.packs.pack);
    if (err == OK) {
        *ret_collected = collect.result;
    }
    return err;
}

err_t
store_collect(store_t *store, const digest_t *roots, size_t root_count, bool dry_run,
              store_progress_fn *progress, void *context, store_collected_t *ret_collected,
              fault_t *fault)
{
    return store_collect_explained(store, roots, root_count, dry_run, progress, context,
                                   ret_collected, NULL, fault);
}
