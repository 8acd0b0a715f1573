/* kin.c - see kin.h. */
#include "actors/content/kin.h"

#include <stdlib.h>
#include <string.h>

#include "actors/content/chunker.h"
#include "actors/content/fail.h"
#include "actors/content/pack.h"
#include "proto/limits.h"

#define MARK_BITS_LEAST 9u /* one place in 512: as good as one in 64, measured */
#define MARK_BITS_MOST  24u
/* A hash is of 32 bytes: more of those survive a recompilation than of 64. */
#define MARK_SHIFT  2u
#define MARK_FIRST  32u /* bytes before the hash has seen enough */
#define MARK_FACTOR 0x9e3779b97f4a7c15u
#define LOOKED_AT   (256u << 10) /* of a new chunk: two blocks of zstd */
#define SLOTS       (2u * KIN_MARKS_MAX)
#define VOTES_LEAST 4u
#define SHARED      UINT32_MAX /* a mark that several old chunks have says nothing */

typedef struct chunk {
    digest_t chunk;
    uint32_t size, file;
} chunk_t;

typedef struct chunks {
    chunk_t *row;
    size_t count, room;
    uint32_t *by; /* their places, rising by digest */
} chunks_t;

typedef struct mark {
    uint32_t tag, chunk; /* chunk 0: a free slot; else its place + 1 */
} mark_t;

typedef struct search {
    store_t *store;
    chunks_t now, before;
    kin_t kin;
    size_t room;
    chunker_t gear;
    mark_t *mark;
    size_t marks;
    uint64_t mask;
    uint32_t *votes;
    uint8_t *bytes; /* CHUNK_BYTES_MAX */
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
        chunk_t *longer = realloc(rows->row, room * sizeof *longer);
        if (longer == NULL) {
            return no_memory(search);
        }
        rows->row = longer;
        rows->room = room;
    }
    for (size_t i = 0; i < more; i++) {
        list_row_t row = list_row_decode(list + i * LIST_ROW_BYTES);
        rows->row[rows->count++] = (chunk_t){row.digest, row.size, file};
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
static const chunk_t *
find(const chunks_t *rows, const digest_t *chunk)
{
    size_t from = 0, to = rows->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        const chunk_t *row = &rows->row[rows->by[middle]];
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
static const chunk_t *
beside(const chunks_t *rows, const chunk_t *row, bool behind)
{
    size_t at = (size_t) (row - rows->row);
    bool is_there = behind ? at + 1 < rows->count : at > 0;
    const chunk_t *next = is_there ? (behind ? row + 1 : row - 1) : NULL;
    return next != NULL && next->file == row->file ? next : NULL;
}

/* An edit changes a chunk between two that stay. */
static const chunk_t *
neighbour(const search_t *search, const chunk_t *row)
{
    for (int behind = 0; behind < 2; behind++) {
        const chunk_t *next = beside(&search->now, row, behind == 1);
        const chunk_t *same = next == NULL ? NULL : find(&search->before, &next->chunk);
        const chunk_t *old = same == NULL ? NULL : beside(&search->before, same, behind == 0);
        if (old != NULL && find(&search->now, &old->chunk) == NULL) {
            return old;
        }
    }
    return NULL;
}

/* ---- marks ---- */

typedef void mark_fn(search_t *search, uint64_t hash, uint32_t chunk);

/* Two places at a time, as each hash waits for the one before it: the search over a browser's two
 * versions took 0.71 s in place of 0.89 (128 KiB of each new chunk). */
static void
each_mark(search_t *search, const uint8_t *bytes, size_t size, mark_fn *each, uint32_t chunk)
{
    const uint64_t *gear = search->gear.gear, mask = search->mask;
    const uint8_t *behind = bytes + size / 2;
    uint64_t hash = 0, other = 0;
    for (size_t i = 0; i < size / 2; i++) {
        hash = (hash << MARK_SHIFT) + gear[bytes[i]];
        other = (other << MARK_SHIFT) + gear[behind[i]];
        if (((hash & mask) == 0 || (other & mask) == 0) && i >= MARK_FIRST) {
            if ((hash & mask) == 0) {
                each(search, hash * MARK_FACTOR, chunk);
            }
            if ((other & mask) == 0) {
                each(search, other * MARK_FACTOR, chunk);
            }
        }
    }
}

static mark_t *
slot_of(const search_t *search, uint64_t hash)
{
    uint32_t tag = (uint32_t) hash;
    size_t at = (size_t) (hash >> 32) % SLOTS;
    while (search->mark[at].chunk != 0 && search->mark[at].tag != tag) {
        at = (at + 1) % SLOTS;
    }
    return &search->mark[at];
}

static void
note(search_t *search, uint64_t hash, uint32_t chunk)
{
    mark_t *slot = slot_of(search, hash);
    if (slot->chunk == 0 && search->marks < KIN_MARKS_MAX) {
        *slot = (mark_t){(uint32_t) hash, chunk + 1};
        search->marks++;
    } else if (slot->chunk != 0 && slot->chunk != chunk + 1) {
        slot->chunk = SHARED;
    }
}

static void
vote(search_t *search, uint64_t hash, uint32_t chunk)
{
    const mark_t *slot = slot_of(search, hash);
    (void) chunk;
    if (slot->chunk != 0 && slot->chunk != SHARED) {
        search->votes[slot->chunk - 1]++;
    }
}

/* A chunk that cannot be read has no marks. It is not held against its digest: where it is damaged
 * it is paired with another, and who packs it looks. To hash both versions took 0.3 of 1.3 CPU
 * seconds, for which nothing is sent yet. */
static err_t
mark_chunk(search_t *search, const chunk_t *row, size_t most, mark_fn *each, uint32_t chunk)
{
    size_t size = 0;
    err_t err = store_read_first(search->store, &row->chunk, search->bytes, most, &size, NULL);
    if (err == ERR_CANCELLED || err == ERR_NO_MEMORY) {
        return RAISE(search->fault, err, 0, "read", "a chunk of the store");
    }
    each_mark(search, search->bytes, err == OK ? size : 0, each, chunk);
    return OK;
}

/* ---- all of them ---- */

/* Of several that are equal, one. */
static bool
is_the_one(const chunks_t *rows, const chunk_t *row)
{
    return find(rows, &row->chunk) == row;
}

static err_t
note_old(search_t *search)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < search->before.count && bytes < KIN_BYTES_MAX; i++) {
        const chunk_t *row = &search->before.row[i];
        if (is_the_one(&search->before, row) && find(&search->now, &row->chunk) == NULL) {
            bytes += row->size;
            TRY(mark_chunk(search, row, CHUNK_BYTES_MAX, note, (uint32_t) i));
        }
    }
    return OK;
}

static err_t
pair_like(search_t *search, const chunk_t *row)
{
    size_t best = 0;
    memset(search->votes, 0, search->before.count * sizeof search->votes[0]);
    TRY(mark_chunk(search, row, LOOKED_AT, vote, 0));
    for (size_t i = 1; i < search->before.count; i++) {
        best = search->votes[i] > search->votes[best] ? i : best;
    }
    return search->votes[best] >= VOTES_LEAST
               ? pair(search, &row->chunk, &search->before.row[best].chunk)
               : OK;
}

static uint64_t
mask_for(const chunks_t *rows)
{
    uint64_t bytes = 0;
    unsigned bits = MARK_BITS_LEAST;
    for (size_t i = 0; i < rows->count; i++) {
        bytes += rows->row[i].size;
    }
    bytes = bytes < KIN_BYTES_MAX ? bytes : KIN_BYTES_MAX;
    while (bytes >> bits > KIN_MARKS_MAX / 2 && bits < MARK_BITS_MOST) {
        bits++;
    }
    return ~(uint64_t) 0 << (64 - bits);
}

/* What has no neighbour in common, as far as the bound goes. */
static err_t
pair_rest(search_t *search, const uint32_t *rest, size_t count)
{
    uint64_t bytes = 0;
    search->mark = calloc(SLOTS, sizeof search->mark[0]);
    search->votes = calloc(search->before.count, sizeof search->votes[0]);
    search->bytes = malloc(CHUNK_BYTES_MAX);
    if (search->mark == NULL || search->votes == NULL || search->bytes == NULL) {
        return no_memory(search);
    }
    chunker_init(&search->gear);
    search->mask = mask_for(&search->before);
    TRY(note_old(search));
    for (size_t i = 0; i < count && bytes < KIN_BYTES_MAX; i++) {
        const chunk_t *row = &search->now.row[rest[i]];
        bytes += row->size;
        TRY(pair_like(search, row));
    }
    return OK;
}

static err_t
pair_all(search_t *search)
{
    const chunks_t *now = &search->now;
    size_t count = 0;
    uint32_t *rest = malloc((now->count + 1) * sizeof *rest);
    err_t err = rest == NULL ? no_memory(search) : OK;
    for (size_t i = 0; err == OK && i < now->count; i++) {
        const chunk_t *row = &now->row[i];
        if (!is_the_one(now, row) || find(&search->before, &row->chunk) != NULL) {
            continue;
        }
        const chunk_t *old = neighbour(search, row);
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
    free(search->mark);
    free(search->votes);
    free(search->bytes);
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
