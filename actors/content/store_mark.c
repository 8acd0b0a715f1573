/* store_mark.c - see store_mark.h. */
#include "actors/content/store_mark.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "actors/content/fail.h"
#include "actors/content/walk.h"

err_t
marks_init(marks_t *marks, store_t *store, store_progress_fn *progress, void *context,
           fault_t *fault)
{
    *marks = (marks_t){.store = store, .progress = progress, .context = context, .fault = fault};
    marks->bits = calloc(store->runs + 1, sizeof marks->bits[0]);
    if (marks->bits == NULL) {
        return NO_MEMORY(fault, "the marks of the store");
    }
    for (; marks->runs < store->runs; marks->runs++) {
        marks->bits[marks->runs] = calloc(1, store->run[marks->runs]->entries / 8 + 1);
        if (marks->bits[marks->runs] == NULL) {
            return NO_MEMORY(fault, "the marks of the store");
        }
    }
    return OK;
}

void
marks_release(marks_t *marks)
{
    for (size_t i = 0; i < marks->runs; i++) {
        free(marks->bits[i]);
    }
    free(marks->bits);
}

bool
marks_has(const marks_t *marks, size_t run, uint64_t ordinal)
{
    return run < marks->runs && (marks->bits[run][ordinal / 8] >> ordinal % 8 & 1) != 0;
}

void
marks_clear(marks_t *marks)
{
    for (size_t i = 0; i < marks->runs; i++) {
        memset(marks->bits[i], 0, marks->store->run[i]->entries / 8 + 1);
    }
    marks->missing = 0;
}

static void
set(marks_t *marks, size_t run, uint64_t ordinal)
{
    marks->bits[run][ordinal / 8] |= (uint8_t) (1u << ordinal % 8);
}

/* Goes over the entries that say exactly this; in set mode marks them, else looks for a mark. */
static err_t
look_at_record(marks_t *marks, const run_entry_t *entry, bool sets, bool *ret_marked)
{
    store_t *store = marks->store;
    *ret_marked = false;
    for (size_t run = 0; run < marks->runs; run++) {
        bool found = false;
        TRY(run_may_have(store->run[run], &entry->digest, &found, marks->fault));
        run_search_begin(&store->search, store->run[run], &entry->digest);
        while (found) {
            const run_entry_t *there = NULL;
            uint64_t ordinal = 0;
            err_t err = run_search_next(&store->search, &there, &ordinal, &found, marks->fault);
            found = found && err == OK;
            if (err != OK && err != ERR_DAMAGED) {
                return err;
            }
            if (!found || run_entry_order(there, entry) != 0) {
                continue;
            }
            if (sets) {
                set(marks, run, ordinal);
            }
            *ret_marked = *ret_marked || marks_has(marks, run, ordinal);
        }
    }
    return OK;
}

err_t
marks_has_record(marks_t *marks, const run_entry_t *entry, bool *ret_marked)
{
    return look_at_record(marks, entry, false, ret_marked);
}

err_t
marks_record(marks_t *marks, const run_entry_t *entry)
{
    bool marked = false;
    return look_at_record(marks, entry, true, &marked);
}

/* An object of which some record proved damaged may be nowhere until it is put again. */
static bool
is_known_damaged(const store_t *store, const digest_t *digest)
{
    for (size_t i = 0; i < store->damages; i++) {
        if (digest_equal(&store->damage[i].digest, digest)) {
            return true;
        }
    }
    return false;
}

static err_t
mark(marks_t *marks, const digest_t *digest, run_entry_t *ret_entry, bool *ret_new)
{
    store_place_t place;
    bool found = false;
    *ret_new = false;
    TRY(store_find(marks->store, digest, false, &place, &found, marks->fault));
    if (!found) {
        marks->missing++;
        bool goes_on = marks->tolerant || is_known_damaged(marks->store, digest);
        return goes_on ? OK : store_not_stored(digest, marks->fault);
    }
    *ret_new = !marks_has(marks, place.run, place.ordinal);
    set(marks, place.run, place.ordinal);
    *ret_entry = place.entry;
    marks->bytes += *ret_new ? place.entry.stored : 0;
    marks->objects += *ret_new;
    marks->stored += *ret_new ? pack_record_bytes(place.entry.stored) : 0;
    if (marks->progress != NULL) {
        marks->progress(marks->context, marks->bytes);
    }
    return OK;
}

/* The chunks of a list that proves damaged are not marked: so it is read twice before it does. */
static err_t
mark_chunks(marks_t *marks, const run_entry_t *entry)
{
    const uint8_t *borrowed = NULL;
    err_t err = ERR_DIGEST;
    for (unsigned look = 0; look < 2 && err == ERR_DIGEST; look++) {
        err = store_stored(marks->store, entry, false, &borrowed, marks->fault);
    }
    if (err == ERR_DIGEST) {
        return store_note_damage(marks->store, entry, marks->fault);
    }
    TRY(err);
    uint8_t *list = malloc(entry->stored + 1u);
    if (list == NULL) {
        return NO_MEMORY(marks->fault, "a list of the store");
    }
    memcpy(list, borrowed, entry->stored);
    for (uint32_t at = 0; at < entry->stored && err == OK; at += LIST_ROW_BYTES) {
        digest_t digest = list_row_decode(list + at).digest;
        run_entry_t chunk;
        bool is_new = false;
        err = mark(marks, &digest, &chunk, &is_new);
    }
    free(list);
    return err;
}

/* Marks an object, and the chunks of one that is a list. */
static err_t
mark_object(marks_t *marks, const digest_t *digest, bool *ret_new)
{
    run_entry_t entry = {0};
    TRY(mark(marks, digest, &entry, ret_new));
    return *ret_new && entry.kind == PACK_LIST ? mark_chunks(marks, &entry) : OK;
}

/* Directories that another version has marked are not gone into again. */
static err_t
mark_entries(walk_t *walk, marks_t *marks)
{
    for (;;) {
        walk_event_t event;
        bool is_new = false;
        TRY(walk_next(walk, &event, marks->fault));
        if (event.step == WALK_END) {
            return OK;
        }
        if (event.step != WALK_LEAVE) {
            TRY(mark_object(marks, &event.entry.digest, &is_new));
        }
        if (event.step == WALK_ENTER && !is_new) {
            walk_skip(walk);
        }
    }
}

err_t
marks_root(marks_t *marks, const digest_t *root)
{
    bool is_new = false;
    walk_t *walk = NULL;
    TRY(walk_new(marks->store, root, &walk, marks->fault));
    err_t err = mark_object(marks, root, &is_new);
    err = err == OK ? mark_object(marks, &walk_version(walk)->node, &is_new) : err;
    err = err == OK ? mark_entries(walk, marks) : err;
    walk_destroy(&walk);
    return err;
}
