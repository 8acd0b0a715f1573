/* store_mark.c - see store_mark.h. */
#include "actors/content/store_mark.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "actors/content/fail.h"
#include "actors/content/walk.h"

/* Of each run there are two planes of bits: what is reached, then what was gone into. */
static size_t
plane_bytes(const marks_t *marks, size_t run)
{
    return marks->store->run[run]->entries / 8 + 1;
}

err_t
marks_init(marks_t *marks, store_t *store, store_progress_fn *progress, void *context,
           fault_t *fault)
{
    *marks = (marks_t){.store = store, .progress = progress, .context = context, .fault = fault};
    for (size_t i = 0; i < store->damages; i++) {
        store->damage[i].needed = false;
    }
    marks->bits = calloc(store->runs + 1, sizeof marks->bits[0]);
    if (marks->bits == NULL) {
        return NO_MEMORY(fault, "the marks of the store");
    }
    for (; marks->runs < store->runs; marks->runs++) {
        marks->bits[marks->runs] = calloc(2, plane_bytes(marks, marks->runs));
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
        memset(marks->bits[i], 0, 2 * plane_bytes(marks, i));
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

/* An object of which some record proved damaged may be nowhere until it is put again. What is known
 * of it is needed until then. */
static bool
needs_what_is_damaged(store_t *store, const digest_t *digest)
{
    bool known = false;
    for (damage_t *note = store_damage_of(store, digest, NULL); note != NULL;
         note = store_damage_of(store, digest, note)) {
        note->needed = true;
        known = true;
    }
    return known;
}

bool
marks_place(marks_t *marks, const store_place_t *place)
{
    if (marks_has(marks, place->run, place->ordinal)) {
        return false;
    }
    set(marks, place->run, place->ordinal);
    marks->bytes += place->entry.stored;
    marks->objects++;
    marks->stored += pack_record_bytes(place->entry.stored);
    if (marks->progress != NULL) {
        marks->progress(marks->context, marks->bytes);
    }
    return true;
}

static err_t
find(marks_t *marks, const digest_t *digest, store_place_t *ret_place, bool *ret_found)
{
    TRY(store_find(marks->store, digest, false, ret_place, ret_found, marks->fault));
    if (*ret_found) {
        return OK;
    }
    marks->missing++;
    bool known = needs_what_is_damaged(marks->store, digest);
    return known || marks->tolerant ? OK : store_not_stored(digest, marks->fault);
}

/* A copy of the list, which the caller frees; NULL where it is none. What proves damaged is read
 * twice before it does. */
static err_t
read_list(marks_t *marks, const run_entry_t *entry, uint8_t **ret_list)
{
    const uint8_t *borrowed = NULL;
    err_t err = entry->kind == PACK_LIST ? ERR_DIGEST : OK;
    for (unsigned look = 0; look < 2 && err == ERR_DIGEST; look++) {
        err = store_stored(marks->store, entry, false, &borrowed, marks->fault);
    }
    if (err != OK || borrowed == NULL) {
        return err;
    }
    *ret_list = malloc(entry->stored + 1u);
    if (*ret_list == NULL) {
        return NO_MEMORY(marks->fault, "a list of the store");
    }
    memcpy(*ret_list, borrowed, entry->stored);
    return OK;
}

static err_t
mark_chunks(marks_t *marks, const uint8_t *list, uint32_t size)
{
    for (uint32_t at = 0; at < size; at += LIST_ROW_BYTES) {
        digest_t digest = list_row_decode(list + at).digest;
        store_place_t chunk;
        bool found = false;
        TRY(find(marks, &digest, &chunk, &found));
        if (found) {
            (void) marks_place(marks, &chunk);
        }
    }
    return OK;
}

/* The first record of an object that can be used, with its list where it is one; a list that proves
 * damaged is set aside. */
static err_t
find_readable(marks_t *marks, const digest_t *digest, store_place_t *ret_place, bool *ret_found,
              uint8_t **ret_list)
{
    for (;;) {
        TRY(find(marks, digest, ret_place, ret_found));
        if (!*ret_found || marks_has(marks, ret_place->run, ret_place->ordinal)) {
            return OK;
        }
        err_t err = read_list(marks, &ret_place->entry, ret_list);
        if (err != ERR_DIGEST) {
            return err;
        }
        TRY(store_note_damage(marks->store, &ret_place->entry, marks->fault));
    }
}

/* Marks an object, and the chunks of one that is a list. file_bytes: of one that is a file. */
static err_t
mark_object(marks_t *marks, const digest_t *digest, uint64_t file_bytes, store_place_t *ret_place,
            bool *ret_found)
{
    uint8_t *list = NULL;
    TRY(find_readable(marks, digest, ret_place, ret_found, &list));
    if (*ret_found) {
        (void) marks_place(marks, ret_place);
    }
    err_t err = list != NULL ? mark_chunks(marks, list, ret_place->entry.stored) : OK;
    free(list);
    return err == OK && !*ret_found ? marks_doubt(marks, digest, file_bytes) : err;
}

/* Marks a directory's node; *ret_enters: nobody has gone into it yet. That it has a mark does not
 * tell: some file may have the same bytes. Of one that is nowhere nobody knows what it led to, so
 * that it ends the marking also where it is known to be damaged. */
static err_t
mark_node(marks_t *marks, const digest_t *node, bool *ret_enters)
{
    store_place_t place;
    bool found = false;
    *ret_enters = false;
    TRY(mark_object(marks, node, 0, &place, &found));
    if (!found) {
        return marks->tolerant ? OK : store_not_stored(node, marks->fault);
    }
    uint8_t *entered = marks->bits[place.run] + plane_bytes(marks, place.run);
    uint8_t bit = (uint8_t) (1u << place.ordinal % 8);
    *ret_enters = (entered[place.ordinal / 8] & bit) == 0;
    entered[place.ordinal / 8] |= bit;
    return OK;
}

/* Directories that another version has led into are not gone into again. */
static err_t
mark_entries(walk_t *walk, marks_t *marks)
{
    for (;;) {
        walk_event_t event;
        store_place_t place;
        bool found = false, enters = false;
        TRY(walk_next(walk, &event, marks->fault));
        const tree_entry_t *entry = &event.entry;
        switch (event.step) {
        case WALK_END:
            return OK;
        case WALK_ENTRY:
            TRY(mark_object(marks, &entry->digest, entry->kind == TREE_FILE ? entry->size : 0,
                            &place, &found));
            break;
        case WALK_ENTER:
            TRY(mark_node(marks, &entry->digest, &enters));
            if (!enters) {
                walk_skip(walk);
            }
            break;
        case WALK_LEAVE:
            break;
        }
    }
}

err_t
marks_root(marks_t *marks, const digest_t *root)
{
    store_place_t place;
    bool found = false, enters = false;
    walk_t *walk = NULL;
    TRY(walk_new(marks->store, root, &walk, marks->fault));
    err_t err = mark_object(marks, root, 0, &place, &found);
    err = err == OK ? mark_node(marks, &walk_version(walk)->node, &enters) : err;
    err = err == OK ? mark_entries(walk, marks) : err;
    walk_destroy(&walk);
    return err;
}
