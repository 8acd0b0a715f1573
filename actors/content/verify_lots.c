/* verify_lots.c - see verify_lots.h.
 *
 * Half of what verifying 16,848 files took was SHA-256, while the other processor did nothing. */
#include "actors/content/verify_lots.h"

#include <stdlib.h>
#include <string.h>
#include "actors/content/fail.h"
#include "actors/content/hash.h"

#define LOTS      4u
#define LOT_BYTES (262144u + VERIFY_SMALL_BYTES + 1u)
#define LOT_FILES 128u

typedef struct lot_file {
    digest_t digest;
    char *path;
    uint64_t wanted;
    size_t at, size; /* among the lot's bytes */
    bool equal;
} lot_file_t;

typedef struct lot {
    world_work_t work; /* first */
    hash_t *hash;
    uint8_t *bytes;
    size_t size;
    uint32_t count;
    lot_file_t file[LOT_FILES];
} lot_t;

struct verify_lots {
    world_t *world;
    verify_told_fn *told;
    void *context;
    uint64_t begun, ended; /* lots so far: those between them are in hand, lot `begun` is filled */
    lot_t lot[LOTS];
};

static void
hash_lot(world_work_t *work)
{
    lot_t *lot = (lot_t *) work;
    for (uint32_t i = 0; i < lot->count; i++) {
        lot_file_t *file = &lot->file[i];
        digest_t digest;
        if (file->size == file->wanted) {
            hash_bytes(lot->hash, lot->bytes + file->at, file->size, &digest);
            file->equal = digest_equal(&digest, &file->digest);
        }
    }
}

static void
clear_lot(lot_t *lot)
{
    for (uint32_t i = 0; i < lot->count; i++) {
        free(lot->file[i].path);
    }
    lot->count = 0;
    lot->size = 0;
}

/* The one that was begun first. */
static err_t
end_lot(verify_lots_t *lots)
{
    lot_t *lot = &lots->lot[lots->ended++ % LOTS];
    world_await(lots->world, &lot->work);
    err_t err = OK;
    for (uint32_t i = 0; err == OK && i < lot->count; i++) {
        const lot_file_t *file = &lot->file[i];
        err = lots->told(lots->context, file->path, file->wanted, file->equal);
    }
    clear_lot(lot);
    return err;
}

static err_t
begin_lot(verify_lots_t *lots)
{
    world_begin(lots->world, &lots->lot[lots->begun++ % LOTS].work);
    return lots->begun - lots->ended == LOTS ? end_lot(lots) : OK;
}

uint8_t *
verify_lots_room(verify_lots_t *lots)
{
    lot_t *lot = &lots->lot[lots->begun % LOTS];
    return lot->bytes + lot->size;
}

err_t
verify_lots_put(verify_lots_t *lots, const char *path, const digest_t *digest, uint64_t wanted,
                size_t size, fault_t *fault)
{
    lot_t *lot = &lots->lot[lots->begun % LOTS];
    lot_file_t *file = &lot->file[lot->count];
    *file = (lot_file_t){.digest = *digest, .wanted = wanted, .at = lot->size, .size = size};
    file->path = strdup(path);
    if (file->path == NULL) {
        return NO_MEMORY(fault, path);
    }
    lot->count++;
    lot->size += size;
    bool full = lot->count == LOT_FILES || LOT_BYTES - lot->size < VERIFY_SMALL_BYTES + 1u;
    return full ? begin_lot(lots) : OK;
}

err_t
verify_lots_settle(verify_lots_t *lots)
{
    err_t err = lots->lot[lots->begun % LOTS].count > 0 ? begin_lot(lots) : OK;
    while (err == OK && lots->ended < lots->begun) {
        err = end_lot(lots);
    }
    return err;
}

err_t
verify_lots_new(world_t *world, verify_told_fn *told, void *context, verify_lots_t **ret_lots)
{
    verify_lots_t *lots = calloc(1, sizeof *lots);
    bool enough = lots != NULL;
    for (uint32_t i = 0; enough && i < LOTS; i++) {
        lots->lot[i].work.run = hash_lot;
        lots->lot[i].bytes = malloc(LOT_BYTES);
        enough = lots->lot[i].bytes != NULL && hash_new(&lots->lot[i].hash) == OK;
    }
    if (!enough) {
        verify_lots_destroy(&lots);
        return ERR_NO_MEMORY;
    }
    lots->world = world;
    lots->told = told;
    lots->context = context;
    *ret_lots = lots;
    return OK;
}

void
verify_lots_destroy(verify_lots_t **lots)
{
    verify_lots_t *old = *lots;
    if (old == NULL) {
        return;
    }
    while (old->ended < old->begun) {
        world_await(old->world, &old->lot[old->ended++ % LOTS].work);
    }
    for (uint32_t i = 0; i < LOTS; i++) {
        clear_lot(&old->lot[i]);
        free(old->lot[i].bytes);
        hash_destroy(&old->lot[i].hash);
    }
    free(old);
    *lots = NULL;
}
