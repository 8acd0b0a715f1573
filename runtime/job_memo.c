/* job_memo.c - see job_memo.h. */
#include "runtime/job_memo.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/job_cond.h"

typedef enum memo_state { MEMO_FREE, MEMO_MADE_NOW, MEMO_THERE } memo_state_t;

typedef struct memo_row {
    memo_state_t state;
    world_key_t key;
    uint8_t *bytes; /* NULL: none, or nothing came of it */
    size_t size;
    uint64_t used; /* when, by the memo's count */
} memo_row_t;

struct memo {
    world_memo_t memo; /* first: the world's */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int64_t patience_ns;
    uint64_t count;
    size_t bytes;
    memo_row_t row[MEMO_KEYS_MAX];
};

static memo_t *
memo_self(world_memo_t *memo)
{
    return (memo_t *) memo;
}

/* ---- rows, with the lock held ---- */

static void
row_empty(memo_t *memo, memo_row_t *row)
{
    memo->bytes -= row->size;
    free(row->bytes);
    *row = (memo_row_t){0};
}

static memo_row_t *
row_find(memo_t *memo, const world_key_t *key)
{
    for (uint32_t i = 0; i < MEMO_KEYS_MAX; i++) {
        memo_row_t *row = &memo->row[i];
        if (row->state != MEMO_FREE && memcmp(&row->key, key, sizeof *key) == 0) {
            return row;
        }
    }
    return NULL;
}

/* NULL: all are being made. */
static memo_row_t *
row_oldest(memo_t *memo)
{
    memo_row_t *found = NULL;

    for (uint32_t i = 0; i < MEMO_KEYS_MAX; i++) {
        memo_row_t *row = &memo->row[i];
        if (row->state == MEMO_THERE && (!found || row->used < found->used)) {
            found = row;
        }
    }
    return found;
}

static memo_row_t *
row_free(memo_t *memo)
{
    for (uint32_t i = 0; i < MEMO_KEYS_MAX; i++) {
        if (memo->row[i].state == MEMO_FREE) {
            return &memo->row[i];
        }
    }
    memo_row_t *oldest = row_oldest(memo);
    if (oldest) {
        row_empty(memo, oldest);
    }
    return oldest;
}

/* False: the patience is over, or somebody has given it up. */
static bool
wait_for(memo_t *memo, const world_key_t *key)
{
    struct timespec until = cond_at(cond_now_ns() + memo->patience_ns);
    int late = memo->patience_ns == 0;

    for (;;) {
        const memo_row_t *row = row_find(memo, key);
        if (!row || row->state == MEMO_THERE) {
            return row != NULL;
        }
        if (late) {
            return false;
        }
        late = pthread_cond_timedwait(&memo->changed, &memo->lock, &until);
    }
}

/* Who is told to make it, also in place of one who was late. */
static world_share_t
to_be_made(memo_t *memo, const world_key_t *key)
{
    memo_row_t *row = row_find(memo, key);

    row = row ? row : row_free(memo);
    if (!row) {
        return WORLD_ALONE;
    }
    row->state = MEMO_MADE_NOW;
    row->key = *key;
    return WORLD_MAKE;
}

/* ---- what a job calls ---- */

static world_share_t
memo_take(world_memo_t *self, const world_key_t *key, void *bytes, size_t room, size_t *ret_size)
{
    memo_t *memo = memo_self(self);
    world_share_t share = WORLD_THERE;

    pthread_mutex_lock(&memo->lock);
    memo_row_t *row = wait_for(memo, key) ? row_find(memo, key) : NULL;
    if (!row) {
        share = to_be_made(memo, key);
    } else if (row->size > room) {
        share = WORLD_ALONE;
    } else {
        if (row->size > 0) {
            memcpy(bytes, row->bytes, row->size);
        }
        *ret_size = row->size;
        row->used = ++memo->count;
    }
    pthread_mutex_unlock(&memo->lock);
    return share;
}

static void
make_room(memo_t *memo, size_t size)
{
    memo_row_t *oldest;

    while (memo->bytes + size > MEMO_BYTES_MAX && (oldest = row_oldest(memo)) != NULL) {
        row_empty(memo, oldest);
    }
}

static void
memo_put(world_memo_t *self, const world_key_t *key, const void *bytes, size_t size)
{
    memo_t *memo = memo_self(self);
    uint8_t *copy = size > 0 && size <= MEMO_BYTES_MAX ? malloc(size) : NULL;

    if (copy) {
        memcpy(copy, bytes, size);
    }
    pthread_mutex_lock(&memo->lock);
    memo_row_t *row = row_find(memo, key);
    bool kept = row && row->state == MEMO_MADE_NOW && (copy || size == 0);
    if (kept) {
        make_room(memo, size);
        row->state = MEMO_THERE;
        row->bytes = copy;
        row->size = size;
        row->used = ++memo->count;
        memo->bytes += size;
    } else if (row && row->state == MEMO_MADE_NOW) {
        row_empty(memo, row);
    }
    pthread_cond_broadcast(&memo->changed);
    pthread_mutex_unlock(&memo->lock);
    if (!kept) {
        free(copy);
    }
}

static void
memo_give_up(world_memo_t *self, const world_key_t *key)
{
    memo_t *memo = memo_self(self);

    pthread_mutex_lock(&memo->lock);
    memo_row_t *row = row_find(memo, key);
    if (row && row->state == MEMO_MADE_NOW) {
        row_empty(memo, row);
    }
    pthread_cond_broadcast(&memo->changed);
    pthread_mutex_unlock(&memo->lock);
}

static const world_memo_calls_t memo_calls = {
    .take = memo_take, .put = memo_put, .give_up = memo_give_up};

/* ---- life ---- */

memo_t *
memo_new(int64_t patience_ns)
{
    memo_t *memo = calloc(1, sizeof *memo);

    assert(memo && "memory for a host's memo");
    memo->memo.call = &memo_calls;
    memo->patience_ns = patience_ns;
    pthread_mutex_init(&memo->lock, NULL);
    cond_init_monotonic(&memo->changed);
    return memo;
}

world_memo_t *
memo_of(memo_t *memo)
{
    return &memo->memo;
}

void
memo_destroy(memo_t **memo)
{
    memo_t *old = *memo;

    if (!old) {
        return;
    }
    for (uint32_t i = 0; i < MEMO_KEYS_MAX; i++) {
        free(old->row[i].bytes);
    }
    pthread_cond_destroy(&old->changed);
    pthread_mutex_destroy(&old->lock);
    free(old);
    *memo = NULL;
}
