/* store_expand.c - chunks of the object that is being read, expanded before their turn.
 *
 * Bytes    see pack.h: records, which store_read.c holds against the object's digest.
 * A crash  changes nothing here: this reads only.
 */
#include <stdlib.h>
#include <string.h>
#include "actors/content/fail.h"
#include "actors/content/store_inner.h"

/* A chunk that was read, and is expanded by who has nothing else to do. */
struct early_chunk {
    world_work_t work; /* first */
    bool begun;
    uint32_t row; /* of the object's list */
    buffer_t stored, bytes;
    size_t stored_size, size;
    squeeze_t squeeze;
    err_t err;
};

static void
expand_early(world_work_t *work)
{
    early_chunk_t *early = (early_chunk_t *) work;
    early->err = expand(&early->squeeze, early->stored.bytes, early->stored_size,
                        early->bytes.bytes, early->size);
}

static void
end_early(store_t *store, early_chunk_t *early)
{
    if (early->begun) {
        world_await(store->world, &early->work);
        early->begun = false;
    }
}

/* What cannot be read, or is not packed, is read in its turn, and told then; so is what is lent. */
static void
begin_early(store_t *store, early_chunk_t *early, uint32_t row)
{
    list_row_t chunk = list_row_decode(store->object.list + (size_t) row * LIST_ROW_BYTES);
    store_place_t place;
    bool found = false;
    const uint8_t *stored = NULL;
    const run_entry_t *entry = &place.entry;
    if (store_is_lent(store, &chunk) ||
        store_find(store, &chunk.digest, false, &place, &found, NULL) != OK || !found ||
        entry->kind != PACK_BYTES || entry->packing != PACKED_ZSTD || entry->size != chunk.size ||
        buffer_reserve(&early->stored, entry->stored) != OK ||
        buffer_reserve(&early->bytes, chunk.size) != OK ||
        store_stored(store, entry, store->object.ahead, &stored, NULL) != OK) {
        return;
    }
    memcpy(early->stored.bytes, stored, entry->stored);
    early->stored_size = entry->stored;
    early->size = chunk.size;
    early->row = row;
    early->work.run = expand_early;
    early->begun = true;
    world_begin(store->world, &early->work);
}

void
store_expand_early(store_t *store)
{
    const object_t *object = &store->object;
    if (store->early == NULL) {
        store->early = calloc(STORE_EARLY_CHUNKS, sizeof store->early[0]);
    }
    for (uint32_t i = 0; store->early != NULL && i < STORE_EARLY_CHUNKS; i++) {
        uint32_t row = object->row + i;
        early_chunk_t *early = &store->early[row % STORE_EARLY_CHUNKS];
        if ((uint64_t) row * LIST_ROW_BYTES < object->entry.stored &&
            !(early->begun && early->row == row)) {
            end_early(store, early);
            begin_early(store, early, row);
        }
    }
}

bool
store_take_early(store_t *store, const uint8_t **ret_bytes)
{
    uint32_t row = store->object.row;
    early_chunk_t *early = store->early == NULL ? NULL : &store->early[row % STORE_EARLY_CHUNKS];
    if (early == NULL || !early->begun || early->row != row) {
        return false;
    }
    end_early(store, early);
    *ret_bytes = early->bytes.bytes;
    return early->err == OK;
}

void
store_drop_early(store_t *store)
{
    for (uint32_t i = 0; store->early != NULL && i < STORE_EARLY_CHUNKS; i++) {
        end_early(store, &store->early[i]);
    }
}

void
store_release_early(store_t *store)
{
    store_drop_early(store);
    for (uint32_t i = 0; store->early != NULL && i < STORE_EARLY_CHUNKS; i++) {
        buffer_release(&store->early[i].stored);
        buffer_release(&store->early[i].bytes);
        squeeze_release(&store->early[i].squeeze);
    }
    free(store->early);
    store->early = NULL;
}
