/* store_queue.c - objects that were put, and whose records are made while the next ones come.
 *
 * Bytes    see pack.h: a record for each object, in the order in which they were put.
 * A crash  loses what waits here, which nobody has promised.
 */
#include <stdlib.h>
#include <string.h>
#include "actors/content/check64.h"
#include "actors/content/fail.h"
#include "actors/content/store_inner.h"

/* Small objects are squeezed by the lot: to hand each over by itself took longer than to squeeze it
 * (16,851 files: 1.6 s in place of 1.3). */
#define LOT_BYTES CHUNK_BYTES_WHOLE

static lot_t *
lot_at(const pack_writer_t *writer, uint32_t which)
{
    return &writer->lot[(writer->lot_first + which) % STORE_LOTS_MAX];
}

bool
store_is_queued(const store_t *store, const digest_t *digest)
{
    const pack_writer_t *writer = &store->writer;
    for (uint32_t i = 0; i < writer->lots; i++) {
        const lot_t *lot = lot_at(writer, i);
        for (uint32_t k = 0; k < lot->count; k++) {
            if (digest_equal(&lot->object[k].digest, digest)) {
                return true;
            }
        }
    }
    return false;
}

/* ---- a lot ---- */

/* What was squeezed lies where the object's bytes did, which it is shorter than. */
static err_t
squeeze_one(lot_t *lot, lot_object_t *object)
{
    const uint8_t *squeezed = NULL;
    size_t size = 0;
    uint8_t *bytes = lot->bytes.bytes + object->at;
    TRY(squeeze(&lot->squeeze, bytes, object->size, &squeezed, &size));
    object->squeezed = (uint32_t) size;
    if (size > 0) {
        memcpy(bytes, squeezed, size);
    }
    return OK;
}

static void
squeeze_lot(world_work_t *work)
{
    lot_t *lot = (lot_t *) work;
    for (uint32_t i = 0; lot->err == OK && i < lot->count; i++) {
        lot->err = squeeze_one(lot, &lot->object[i]);
    }
}

static void
begin_lot(store_t *store, lot_t *lot)
{
    if (!lot->begun) {
        lot->begun = true;
        world_begin(store->world, &lot->work);
    }
}

static err_t
append_object(store_t *store, const lot_t *lot, const lot_object_t *object, fault_t *fault)
{
    bool packed = object->squeezed > 0;
    const uint8_t *stored = lot->bytes.bytes + object->at;
    pack_record_t record = {.kind = PACK_BYTES,
                            .packing = packed ? PACKED_ZSTD : PACKED_PLAIN,
                            .stored = packed ? object->squeezed : object->size,
                            .size = object->size,
                            .digest = object->digest};
    record.body_check = check64(stored, record.stored);
    return store_append_next(store, &record, stored, fault);
}

/* ---- out of the queue ---- */

/* The lot stays in the queue until all of it is appended: a commit in between is not the last. */
static err_t
append_first(store_t *store, fault_t *fault)
{
    pack_writer_t *writer = &store->writer;
    lot_t *lot = lot_at(writer, 0);
    begin_lot(store, lot);
    world_await(store->world, &lot->work);
    err_t err = lot->err == OK ? OK : NO_MEMORY(fault, "objects of the store");
    for (uint32_t i = 0; err == OK && i < lot->count; i++) {
        err = append_object(store, lot, &lot->object[i], fault);
    }
    if (err == OK) {
        writer->lot_first = (writer->lot_first + 1) % STORE_LOTS_MAX;
        writer->lots--;
    }
    return err;
}

err_t
store_settle(store_t *store, fault_t *fault)
{
    while (store->writer.lots > 0) {
        TRY(append_first(store, fault));
    }
    return OK;
}

void
store_queue_drop(store_t *store)
{
    pack_writer_t *writer = &store->writer;
    for (; writer->lots > 0; writer->lots--) {
        world_await(store->world, &lot_at(writer, writer->lots - 1)->work);
    }
}

/* ---- into it ---- */

/* The lot that has room for so many bytes, the last of the queue. */
static err_t
lot_for(store_t *store, size_t size, lot_t **ret_lot, fault_t *fault)
{
    pack_writer_t *writer = &store->writer;
    lot_t *last = writer->lots > 0 ? lot_at(writer, writer->lots - 1) : NULL;
    if (last != NULL && !last->begun && last->size + size <= LOT_BYTES) {
        *ret_lot = last;
        return OK;
    }
    if (last != NULL) {
        begin_lot(store, last);
    }
    TRY(writer->lots == STORE_LOTS_MAX ? append_first(store, fault) : OK);
    lot_t *lot = lot_at(writer, writer->lots);
    size_t room = size < LOT_BYTES ? LOT_BYTES : size;
    if (lot->bytes.capacity < room && buffer_reserve(&lot->bytes, room) != OK) {
        return NO_MEMORY(fault, "objects of the store");
    }
    lot->work = (world_work_t){.run = squeeze_lot};
    lot->size = lot->count = 0;
    lot->begun = false;
    lot->err = OK;
    writer->lots++;
    *ret_lot = lot;
    return OK;
}

/* To squeeze is three fifths of what it takes to store a tree, and needs nothing of what comes
 * after it: 297 MB in one file took 1.37 s, and with two processors 0.77. */
err_t
store_queue(store_t *store, const digest_t *digest, const void *bytes, size_t size, fault_t *fault)
{
    pack_writer_t *writer = &store->writer;
    lot_t *lot = NULL;
    if (writer->lot == NULL &&
        (writer->lot = calloc(STORE_LOTS_MAX, sizeof *writer->lot)) == NULL) {
        return NO_MEMORY(fault, "objects of the store");
    }
    TRY(lot_for(store, size, &lot, fault));
    if (size > 0) {
        memcpy(lot->bytes.bytes + lot->size, bytes, size);
    }
    lot->object[lot->count++] =
        (lot_object_t){.digest = *digest, .at = (uint32_t) lot->size, .size = (uint32_t) size};
    lot->size += size;
    if (lot->count == LOT_OBJECTS_MAX || lot->size >= LOT_BYTES) {
        begin_lot(store, lot);
    }
    return OK;
}

void
store_queue_release(store_t *store)
{
    pack_writer_t *writer = &store->writer;
    for (uint32_t i = 0; writer->lot != NULL && i < STORE_LOTS_MAX; i++) {
        buffer_release(&writer->lot[i].bytes);
        squeeze_release(&writer->lot[i].squeeze);
    }
    free(writer->lot);
    writer->lot = NULL;
}
