/* store_doubt.c - what may be a chunk of a file whose list of chunks proved damaged; see
 * store_mark.h.
 *
 * A row of such a list that still leads to a chunk is believed: to keep one too many does no harm.
 * What the others named is told by its size alone. It is what the file has beyond the chunks that
 * are known where one row leads nowhere, and between the bounds of a chunk where several do. So a
 * bit that turned keeps next to nothing, and a list that is gone keeps all that can be a chunk.
 *
 * Bytes    read only.
 * A crash  changes nothing here.
 */
#include <stdlib.h>
#include <string.h>
#include "actors/content/fail.h"
#include "actors/content/store_mark.h"

#define RECORDS_MAX 8u /* of one list that are damaged; more count as if nothing of it was known */

/* What a list's rows do not lead to. */
typedef struct rest {
    uint64_t rows, bytes;
    bool last; /* the list's last row is among them: its chunk may be short */
} rest_t;

/* ---- the records of a list ---- */

static err_t
find_in_run(marks_t *marks, size_t run, const digest_t *file, run_entry_t *records, size_t *count)
{
    store_t *store = marks->store;
    bool more = false;
    TRY(run_may_have(store->run[run], file, &more, marks->fault));
    run_search_begin(&store->search, store->run[run], file);
    while (more) {
        const run_entry_t *entry = NULL;
        uint64_t ordinal = 0;
        err_t err = run_search_next(&store->search, &entry, &ordinal, &more, marks->fault);
        if (err != OK || !more) {
            return err == ERR_DAMAGED ? OK : err;
        }
        if (store_pack_fd(store, entry->pack) >= 0) {
            records[*count < RECORDS_MAX ? *count : RECORDS_MAX - 1] = *entry;
            (*count)++;
        }
    }
    return OK;
}

/* As many of the list's bytes as can be read, which the caller frees. */
static err_t
read_rows(marks_t *marks, const run_entry_t *list, uint8_t **ret_rows, size_t *ret_size)
{
    const uint8_t *bytes = NULL;
    int64_t got = 0;
    err_t err = list->stored > RECORD_BYTES_MAX
                    ? OK
                    : store_raw_alone(marks->store, list->pack, list->offset + RECORD_HEAD_BYTES,
                                      list->stored, &bytes, &got, marks->fault);
    *ret_size = err == OK ? (size_t) got : 0;
    if (err != OK && err != ERR_IO) {
        return err;
    }
    *ret_rows = malloc(*ret_size + 1);
    if (*ret_rows == NULL) {
        return NO_MEMORY(marks->fault, "a list of the store");
    }
    if (*ret_size > 0) {
        memcpy(*ret_rows, bytes, *ret_size);
    }
    return OK;
}

static err_t
mark_row(marks_t *marks, const uint8_t row[LIST_ROW_BYTES], rest_t *rest)
{
    store_place_t place;
    bool found = false;
    digest_t digest = list_row_decode(row).digest;
    TRY(store_find(marks->store, &digest, false, &place, &found, marks->fault));
    rest->last = !found || place.entry.kind != PACK_BYTES;
    if (rest->last) {
        rest->rows++;
        return OK;
    }
    rest->bytes -= place.entry.size < rest->bytes ? place.entry.size : rest->bytes;
    (void) marks_place(marks, &place);
    return OK;
}

static err_t
mark_rows(marks_t *marks, const run_entry_t *list, rest_t *rest)
{
    uint8_t *rows = NULL;
    size_t size = 0;
    TRY(read_rows(marks, list, &rows, &size));
    err_t err = OK;
    for (size_t at = 0; at + LIST_ROW_BYTES <= list->stored && err == OK; at += LIST_ROW_BYTES) {
        if (at + LIST_ROW_BYTES <= size) {
            err = mark_row(marks, rows + at, rest);
        } else {
            rest->rows++;
            rest->last = true;
        }
    }
    free(rows);
    return err;
}

/* ---- what is in doubt ---- */

static void
widen(doubt_t *doubt, uint64_t least, uint64_t most)
{
    doubt->least = least < doubt->least ? least : doubt->least;
    doubt->most = most > doubt->most ? most : doubt->most;
}

static void
widen_by_rest(doubt_t *doubt, const rest_t *rest)
{
    uint64_t most = rest->bytes < CHUNK_BYTES_MAX ? rest->bytes : CHUNK_BYTES_MAX;
    if (rest->rows == 1 && rest->bytes <= CHUNK_BYTES_MAX) {
        widen(doubt, rest->bytes, rest->bytes);
    } else if (rest->rows > 0) {
        widen(doubt, rest->last ? 1 : CHUNK_BYTES_MIN, most);
    }
}

/* A file that proved damaged and was kept in one record has no chunks. */
static err_t
look_at_records(marks_t *marks, uint64_t bytes, doubt_t *doubt)
{
    run_entry_t record[RECORDS_MAX];
    size_t count = 0;
    for (size_t run = 0; run < marks->runs; run++) {
        TRY(find_in_run(marks, run, &doubt->file, record, &count));
    }
    for (size_t i = 0; i < count && i < RECORDS_MAX; i++) {
        rest_t rest = {.bytes = bytes};
        if (record[i].kind == PACK_LIST) {
            TRY(mark_rows(marks, &record[i], &rest));
            widen_by_rest(doubt, &rest);
        }
    }
    if (count == 0 || count > RECORDS_MAX) {
        widen(doubt, 1, bytes < CHUNK_BYTES_MAX ? bytes : CHUNK_BYTES_MAX);
    }
    return OK;
}

static bool
is_noted(const marks_t *marks, const digest_t *file)
{
    for (size_t i = 0; i < marks->doubts; i++) {
        if (digest_equal(&marks->doubt[i].file, file)) {
            return true;
        }
    }
    return false;
}

err_t
marks_doubt(marks_t *marks, const digest_t *file, uint64_t bytes)
{
    doubt_t doubt = {.file = *file, .root = marks->root, .least = UINT64_MAX};
    if (marks->tolerant || bytes <= CHUNK_BYTES_WHOLE || is_noted(marks, file)) {
        return OK;
    }
    TRY(look_at_records(marks, bytes, &doubt));
    if (marks->doubts < MARKS_DOUBTS_MAX) {
        marks->doubt[marks->doubts++] = doubt;
    } else {
        widen(&marks->doubt[MARKS_DOUBTS_MAX - 1], doubt.least, doubt.most);
    }
    return OK;
}

/* ---- what is held for it ---- */

typedef struct holding {
    marks_t *marks;
    store_kept_t *kept, *held;
} holding_t;

/* Who needs it, if anybody may. */
static const doubt_t *
doubt_about(const marks_t *marks, const run_entry_t *entry)
{
    for (size_t i = 0; i < marks->doubts && entry->kind == PACK_BYTES; i++) {
        const doubt_t *doubt = &marks->doubt[i];
        if (entry->size >= doubt->least && entry->size <= doubt->most) {
            return doubt;
        }
    }
    return NULL;
}

/* Of several records of an object the one that counts. */
static err_t
hold_entry(void *context, const run_entry_t *entry, size_t run, uint64_t ordinal, fault_t *fault)
{
    holding_t *holding = context;
    const doubt_t *doubt = doubt_about(holding->marks, entry);
    store_place_t place;
    bool found = false;
    if (doubt == NULL || marks_has(holding->marks, run, ordinal)) {
        return OK;
    }
    TRY(store_find(holding->marks->store, &entry->digest, false, &place, &found, fault));
    if (!found || !marks_place(holding->marks, &place)) {
        return OK;
    }
    uint64_t bytes = pack_record_bytes(place.entry.stored);
    holding->held->objects++;
    holding->held->bytes += bytes;
    if (holding->kept != NULL) {
        holding->kept[doubt->root].objects++;
        holding->kept[doubt->root].bytes += bytes;
    }
    return OK;
}

err_t
marks_doubtful(marks_t *marks, store_kept_t *kept, store_kept_t *ret_held)
{
    holding_t holding = {marks, kept, ret_held};
    *ret_held = (store_kept_t){0};
    return marks->doubts > 0 ? store_each_entry(marks->store, hold_entry, &holding, marks->fault)
                             : OK;
}
