/* kin_marks.c - see kin_marks.h. */
#include "actors/content/kin_marks.h"

#include <stdlib.h>
#include <string.h>

#include "actors/content/chunker.h"
#include "actors/content/fail.h"
#include "actors/content/squeeze.h"
#include "proto/limits.h"

#define MARK_BITS_LEAST 9u /* one place in 512: as good as one in 64, measured */
#define MARK_BITS_MOST  24u
/* A hash is of 32 bytes: more of those survive a recompilation than of 64. */
#define MARK_SHIFT  2u
#define MARK_FIRST  32u /* bytes before the hash has seen enough */
#define MARK_FACTOR 0x9e3779b97f4a7c15u
#define LOOKED_AT   (256u << 10) /* of a new chunk: two blocks of zstd */
#define MARKS_MOST  8192u /* of one chunk, further ones are passed over: of 1 MiB 2,048 are usual */
#define PIECES      4u    /* chunks that are expanded and marked at one time */
#define SLOTS       (2u * KIN_MARKS_MAX)
#define VOTES_LEAST 4u
#define SHARED      UINT32_MAX /* a mark that several old chunks have says nothing */

typedef struct mark {
    uint32_t tag, chunk; /* chunk 0: a free slot; else its place + 1 */
} mark_t;

/* A chunk in hand: its first bytes are expanded, and their marks taken, by who has nothing else to
 * do. */
typedef struct piece {
    world_work_t work; /* first */
    const chunker_t *gear;
    uint64_t mask;
    uint32_t chunk; /* its place */
    bool packed;
    size_t stored_size, size;
    uint8_t *stored, *bytes; /* CHUNK_BYTES_MAX each, of one block */
    squeeze_t squeeze;
    uint32_t marks;
    uint64_t mark[MARKS_MOST];
} piece_t;

struct kin_marks {
    store_t *store;
    chunker_t gear;
    mark_t *mark; /* SLOTS */
    size_t count;
    uint64_t mask;
    uint32_t *votes; /* by the place of an old chunk */
    size_t olds;
    piece_t *piece; /* PIECES, a ring */
};

static uint64_t
mask_for(uint64_t bytes)
{
    unsigned bits = MARK_BITS_LEAST;
    bytes = bytes < KIN_BYTES_MAX ? bytes : KIN_BYTES_MAX;
    while (bytes >> bits > KIN_MARKS_MAX / 2 && bits < MARK_BITS_MOST) {
        bits++;
    }
    return ~(uint64_t) 0 << (64 - bits);
}

/* ---- a chunk in hand ---- */

static void
add_mark(piece_t *piece, uint64_t hash)
{
    if (piece->marks < MARKS_MOST) {
        piece->mark[piece->marks++] = hash * MARK_FACTOR;
    }
}

/* Two places at a time, as each hash waits for the one before it: the search over a browser's two
 * versions took 0.71 s in place of 0.89 (128 KiB of each new chunk). */
static void
take_marks(piece_t *piece, const uint8_t *bytes, size_t size)
{
    const uint64_t *gear = piece->gear->gear, mask = piece->mask;
    const uint8_t *behind = bytes + size / 2;
    uint64_t hash = 0, other = 0;
    for (size_t i = 0; i < size / 2; i++) {
        hash = (hash << MARK_SHIFT) + gear[bytes[i]];
        other = (other << MARK_SHIFT) + gear[behind[i]];
        if (((hash & mask) == 0 || (other & mask) == 0) && i >= MARK_FIRST) {
            if ((hash & mask) == 0) {
                add_mark(piece, hash);
            }
            if ((other & mask) == 0) {
                add_mark(piece, other);
            }
        }
    }
}

/* One that cannot be expanded has no marks. */
static void
mark_piece(world_work_t *work)
{
    piece_t *piece = (piece_t *) work;
    const uint8_t *bytes = piece->packed ? piece->bytes : piece->stored;
    err_t err = piece->packed ? expand_first(&piece->squeeze, piece->stored, piece->stored_size,
                                             piece->bytes, piece->size)
                              : OK;
    piece->marks = 0;
    take_marks(piece, bytes, err == OK ? piece->size : 0);
}

/* It is not held against its digest: where it is damaged it is paired with another, and who packs
 * it looks. To hash both versions took 0.3 of 1.3 CPU seconds, for which nothing is sent yet. */
static err_t
begin_piece(kin_marks_t *marks, piece_t *piece, const digest_t *chunk, size_t most, fault_t *fault)
{
    stored_object_t its;
    err_t err = store_as_stored_unchecked(marks->store, chunk, &its, NULL);
    if (err == ERR_CANCELLED || err == ERR_NO_MEMORY) {
        return RAISE(fault, err, 0, "read", "a chunk of the store");
    }
    bool fits = err == OK && its.size <= CHUNK_BYTES_MAX && its.bytes.size <= CHUNK_BYTES_MAX &&
                (its.packed || its.bytes.size == its.size);
    piece->packed = its.packed;
    piece->stored_size = fits ? its.bytes.size : 0;
    piece->size = !fits ? 0 : its.size < most ? (size_t) its.size : most;
    memcpy(piece->stored, fits ? its.bytes.data : "", piece->stored_size);
    world_begin(store_world(marks->store), &piece->work);
    return OK;
}

/* ---- marks ---- */

static mark_t *
slot_of(const kin_marks_t *marks, uint64_t hash)
{
    uint32_t tag = (uint32_t) hash;
    size_t at = (size_t) (hash >> 32) % SLOTS;
    while (marks->mark[at].chunk != 0 && marks->mark[at].tag != tag) {
        at = (at + 1) % SLOTS;
    }
    return &marks->mark[at];
}

static void
note(kin_marks_t *marks, uint64_t hash, uint32_t chunk)
{
    mark_t *slot = slot_of(marks, hash);
    if (slot->chunk == 0 && marks->count < KIN_MARKS_MAX) {
        *slot = (mark_t){(uint32_t) hash, chunk + 1};
        marks->count++;
    } else if (slot->chunk != 0 && slot->chunk != chunk + 1) {
        slot->chunk = SHARED;
    }
}

static void
vote(kin_marks_t *marks, uint64_t hash)
{
    const mark_t *slot = slot_of(marks, hash);
    if (slot->chunk != 0 && slot->chunk != SHARED) {
        marks->votes[slot->chunk - 1]++;
    }
}

typedef struct pass pass_t;
struct pass {
    const kin_some_t *some;
    size_t most; /* bytes that are looked at of each */
    err_t (*end)(kin_marks_t *marks, const pass_t *pass, const piece_t *piece);
    kin_like_fn *like;
    void *context;
    fault_t *fault;
};

static err_t
note_piece(kin_marks_t *marks, const pass_t *pass, const piece_t *piece)
{
    (void) pass;
    for (uint32_t i = 0; i < piece->marks; i++) {
        note(marks, piece->mark[i], piece->chunk);
    }
    return OK;
}

static err_t
vote_piece(kin_marks_t *marks, const pass_t *pass, const piece_t *piece)
{
    size_t best = 0;
    memset(marks->votes, 0, marks->olds * sizeof marks->votes[0]);
    for (uint32_t i = 0; i < piece->marks; i++) {
        vote(marks, piece->mark[i]);
    }
    for (size_t i = 1; i < marks->olds; i++) {
        best = marks->votes[i] > marks->votes[best] ? i : best;
    }
    return marks->votes[best] >= VOTES_LEAST
               ? pass->like(pass->context, piece->chunk, (uint32_t) best)
               : OK;
}

static size_t
within_bound(const kin_some_t *some)
{
    uint64_t bytes = 0;
    size_t i = 0;
    for (; i < some->count && bytes < KIN_BYTES_MAX; i++) {
        bytes += some->row[some->at[i]].size;
    }
    return i;
}

/* While one is expanded the next ones are read; each that was begun is awaited. */
static err_t
go_over(kin_marks_t *marks, const pass_t *pass)
{
    const kin_some_t *some = pass->some;
    size_t begun = 0, ended = 0, count = within_bound(some);
    err_t err = OK;
    while (ended < begun || (err == OK && begun < count)) {
        if (err == OK && begun < count && begun - ended < PIECES) {
            piece_t *piece = &marks->piece[begun % PIECES];
            piece->chunk = some->at[begun];
            err =
                begin_piece(marks, piece, &some->row[piece->chunk].chunk, pass->most, pass->fault);
            begun += err == OK;
        } else {
            piece_t *piece = &marks->piece[ended++ % PIECES];
            world_await(store_world(marks->store), &piece->work);
            err = err == OK ? pass->end(marks, pass, piece) : err;
        }
    }
    return err;
}

err_t
kin_marks_note(kin_marks_t *marks, const kin_some_t *old, fault_t *fault)
{
    pass_t pass = {.some = old, .most = CHUNK_BYTES_MAX, .end = note_piece, .fault = fault};
    return go_over(marks, &pass);
}

err_t
kin_marks_vote(kin_marks_t *marks, const kin_some_t *now, kin_like_fn *like, void *context,
               fault_t *fault)
{
    pass_t pass = {now, LOOKED_AT, vote_piece, like, context, fault};
    return go_over(marks, &pass);
}

/* ---- all of them ---- */

static bool
make_pieces(kin_marks_t *marks)
{
    for (uint32_t i = 0; marks->piece != NULL && i < PIECES; i++) {
        piece_t *piece = &marks->piece[i];
        piece->work.run = mark_piece;
        piece->gear = &marks->gear;
        piece->mask = marks->mask;
        piece->stored = malloc(2 * (size_t) CHUNK_BYTES_MAX);
        if (piece->stored == NULL) {
            return false;
        }
        piece->bytes = piece->stored + CHUNK_BYTES_MAX;
    }
    return marks->piece != NULL;
}

err_t
kin_marks_new(store_t *store, size_t olds, uint64_t old_bytes, kin_marks_t **ret_marks,
              fault_t *fault)
{
    kin_marks_t *marks = calloc(1, sizeof *marks);
    if (marks == NULL) {
        return NO_MEMORY(fault, "what chunks have in common");
    }
    marks->store = store;
    marks->olds = olds;
    marks->mask = mask_for(old_bytes);
    chunker_init(&marks->gear);
    marks->mark = calloc(SLOTS, sizeof marks->mark[0]);
    marks->votes = calloc(olds + 1, sizeof marks->votes[0]);
    marks->piece = calloc(PIECES, sizeof marks->piece[0]);
    if (marks->mark == NULL || marks->votes == NULL || !make_pieces(marks)) {
        kin_marks_destroy(&marks);
        return NO_MEMORY(fault, "what chunks have in common");
    }
    *ret_marks = marks;
    return OK;
}

void
kin_marks_destroy(kin_marks_t **marks)
{
    kin_marks_t *old = *marks;
    if (old == NULL) {
        return;
    }
    for (uint32_t i = 0; old->piece != NULL && i < PIECES; i++) {
        squeeze_release(&old->piece[i].squeeze);
        free(old->piece[i].stored);
    }
    free(old->piece);
    free(old->votes);
    free(old->mark);
    free(old);
    *marks = NULL;
}
