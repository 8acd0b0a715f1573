/* kin.c - see kin.h. */
#include "actors/content/kin.h"

#include <stdlib.h>
#include <string.h>

#include "actors/content/fail.h"
#include "actors/content/kin_marks.h"
#include "actors/content/pack.h"
#include "proto/limits.h"

typedef struct chunks {
    kin_chunk_t *row;
    size_t count, room;
    uint32_t *by; /* their places, rising by digest */
} chunks_t;

typedef struct search {
    store_t *store;
    chunks_t now, before;
    kin_t kin;
    size_t room;
    kin_marks_t *marks;
    fault_t *fault;
} search_t;

static err_t
no_memory(search_t *search)
{
    return NO_MEMORY(search->fault, "what chunks have in common");
}

/* ---- the chunks of both versions ---- */

static err_t
add_rows(search_t *search, chunks_t *rows, uint32_t file, const uint8_t *list, size_t size)
{
    size_t more = size / LIST_ROW_BYTES;
    if (rows->count + more > rows->room) {
        size_t room = (rows->count + more) * 2;
        kin_chunk_t *longer = realloc(rows->row, room * sizeof *longer);
        if (longer == NULL) {
            return no_memory(search);
        }
        rows->row = longer;
        rows->room = room;
    }
    for (size_t i = 0; i < more; i++) {
        list_row_t row = list_row_decode(list + i * LIST_ROW_BYTES);
        rows->row[rows->count++] = (kin_chunk_t){row.digest, row.size, file};
    }
    return OK;
}

static err_t
add_files(search_t *search, chunks_t *rows, kin_files_t files)
{
    for (size_t i = 0; i < files.count; i++) {
        uint8_t *list = NULL;
        size_t size = 0;
        err_t err = store_list(search->store, &files.file[i], &list, &size, NULL);
        if (err == ERR_CANCELLED || err == ERR_NO_MEMORY) {
            return RAISE(search->fault, err, 0, "read", "a list of the store");
        }
        if (err == OK) {
            err = add_rows(search, rows, (uint32_t) i, list, size);
            free(list);
            TRY(err);
        }
    }
    return OK;
}

static int
by_chunk(const void *a, const void *b, void *context)
{
    const chunks_t *rows = context;
    return memcmp(&rows->row[*(const uint32_t *) a].chunk, &rows->row[*(const uint32_t *) b].chunk,
                  sizeof(digest_t));
}

static err_t
sort_rows(search_t *search, chunks_t *rows)
{
    rows->by = malloc((rows->count + 1) * sizeof rows->by[0]);
    if (rows->by == NULL) {
        return no_memory(search);
    }
    for (size_t i = 0; i < rows->count; i++) {
        rows->by[i] = (uint32_t) i;
    }
    qsort_r(rows->by, rows->count, sizeof rows->by[0], by_chunk, rows);
    return OK;
}

/* The place of a chunk among some; NULL: it is not there. */
static const kin_chunk_t *
find(const chunks_t *rows, const digest_t *chunk)
{
    size_t from = 0, to = rows->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        const kin_chunk_t *row = &rows->row[rows->by[middle]];
        int order = memcmp(&row->chunk, chunk, sizeof *chunk);
        if (order == 0) {
            return row;
        }
        *(order < 0 ? &from : &to) = order < 0 ? middle + 1 : middle;
    }
    return NULL;
}

static err_t
pair(search_t *search, const digest_t *chunk, const digest_t *base)
{
    kin_t *kin = &search->kin;
    if (kin->count == search->room) {
        size_t room = search->room == 0 ? 256 : search->room * 2;
        kin_pair_t *longer = realloc(kin->pair, room * sizeof *longer);
        if (longer == NULL) {
            return no_memory(search);
        }
        kin->pair = longer;
        search->room = room;
    }
    kin->pair[kin->count++] = (kin_pair_t){*chunk, *base};
    return OK;
}

/* The row beside one, in the same file. */
static const kin_chunk_t *
beside(const chunks_t *rows, const kin_chunk_t *row, bool behind)
{
    size_t at = (size_t) (row - rows->row);
    bool is_there = behind ? at + 1 < rows->count : at > 0;
    const kin_chunk_t *next = is_there ? (behind ? row + 1 : row - 1) : NULL;
    return next != NULL && next->file == row->file ? next : NULL;
}

/* An edit changes a chunk between two that stay. */
static const kin_chunk_t *
neighbour(const search_t *search, const kin_chunk_t *row)
{
    for (int behind = 0; behind < 2; behind++) {
        const kin_chunk_t *next = beside(&search->now, row, behind == 1);
        const kin_chunk_t *same = next == NULL ? NULL : find(&search->before, &next->chunk);
        const kin_chunk_t *old = same == NULL ? NULL : beside(&search->before, same, behind == 0);
        if (old != NULL && find(&search->now, &old->chunk) == NULL) {
            return old;
        }
    }
    return NULL;
}

/* ---- all of them ---- */

/* Of several that are equal, one. */
static bool
is_the_one(const chunks_t *rows, const kin_chunk_t *row)
{
    return find(rows, &row->chunk) == row;
}

static uint64_t
bytes_of(const chunks_t *rows)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < rows->count; i++) {
        bytes += rows->row[i].size;
    }
    return bytes;
}

/* Of the version before, what the new one does not have. */
static err_t
note_old(search_t *search)
{
    const chunks_t *before = &search->before;
    size_t count = 0;
    uint32_t *at = malloc((before->count + 1) * sizeof *at);
    if (at == NULL) {
        return no_memory(search);
    }
    for (size_t i = 0; i < before->count; i++) {
        const kin_chunk_t *row = &before->row[i];
        if (is_the_one(before, row) && find(&search->now, &row->chunk) == NULL) {
            at[count++] = (uint32_t) i;
        }
    }
    err_t err = kin_marks_note(search->marks, &(kin_some_t){before->row, at, count}, search->fault);
    free(at);
    return err;
}

static err_t
pair_like(void *context, uint32_t at, uint32_t old)
{
    search_t *search = context;
    return pair(search, &search->now.row[at].chunk, &search->before.row[old].chunk);
}

/* What has no neighbour in common, as far as the bound goes. */
static err_t
pair_rest(search_t *search, const uint32_t *rest, size_t count)
{
    const chunks_t *before = &search->before;
    TRY(kin_marks_new(search->store, before->count, bytes_of(before), &search->marks,
                      search->fault));
    TRY(note_old(search));
    return kin_marks_vote(search->marks, &(kin_some_t){search->now.row, rest, count}, pair_like,
                          search, search->fault);
}

static err_t
pair_all(search_t *search)
{
    const chunks_t *now = &search->now;
    size_t count = 0;
    uint32_t *rest = malloc((now->count + 1) * sizeof *rest);
    err_t err = rest == NULL ? no_memory(search) : OK;
    for (size_t i = 0; err == OK && i < now->count; i++) {
        const kin_chunk_t *row = &now->row[i];
        if (!is_the_one(now, row) || find(&search->before, &row->chunk) != NULL) {
            continue;
        }
        const kin_chunk_t *old = neighbour(search, row);
        if (old != NULL) {
            err = pair(search, &row->chunk, &old->chunk);
        } else {
            rest[count++] = (uint32_t) i;
        }
    }
    err = err == OK && count > 0 ? pair_rest(search, rest, count) : err;
    free(rest);
    return err;
}

static int
by_pair(const void *a, const void *b)
{
    return memcmp(&((const kin_pair_t *) a)->chunk, &((const kin_pair_t *) b)->chunk,
                  sizeof(digest_t));
}

static void
release(search_t *search)
{
    free(search->now.row);
    free(search->now.by);
    free(search->before.row);
    free(search->before.by);
    kin_marks_destroy(&search->marks);
}

err_t
kin_find(store_t *store, kin_files_t now, kin_files_t before, kin_t *ret_kin, fault_t *fault)
{
    search_t search = {.store = store, .fault = fault};
    err_t err = add_files(&search, &search.now, now);
    err = err == OK ? add_files(&search, &search.before, before) : err;
    err = err == OK ? sort_rows(&search, &search.now) : err;
    err = err == OK ? sort_rows(&search, &search.before) : err;
    err = err == OK && search.before.count > 0 ? pair_all(&search) : err;
    release(&search);
    if (err != OK) {
        kin_release(&search.kin);
        return err;
    }
    if (search.kin.count > 0) {
        qsort(search.kin.pair, search.kin.count, sizeof search.kin.pair[0], by_pair);
    }
    *ret_kin = search.kin;
    return OK;
}

const digest_t *
kin_base(const kin_t *kin, const digest_t *chunk)
{
    kin_pair_t wanted = {.chunk = *chunk};
    const kin_pair_t *found =
        kin->count == 0 ? NULL : bsearch(&wanted, kin->pair, kin->count, sizeof wanted, by_pair);
    return found == NULL ? NULL : &found->base;
}

void
kin_release(kin_t *kin)
{
    free(kin->pair);
    *kin = (kin_t){.pair = NULL};
}
