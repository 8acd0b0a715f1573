/* store_part.c - parts of objects, as they are sent to others.
 *
 * Bytes    see store_read.c.
 * A crash  changes nothing here: this reads only.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "actors/content/check64.h"
#include "actors/content/fail.h"
#include "actors/content/store_inner.h"

#define CHUNKS_JOINED 16u /* of a file that is sent in one piece: as many as it can have */

typedef struct part {
    store_t *store;
    const digest_t *digest;
    uint64_t from;
    uint8_t *bytes;
    size_t max, size; /* wanted, and had so far */
    fault_t *fault;
} part_t;

/* Takes what is wanted of a block that begins at `at` of the object. */
static void
take(part_t *part, uint64_t at, const uint8_t *block, size_t block_size)
{
    uint64_t next = part->from + part->size;
    if (next < at || next >= at + block_size) {
        return;
    }
    size_t skip = (size_t) (next - at);
    size_t room = part->max - part->size;
    size_t size = block_size - skip < room ? block_size - skip : room;
    memcpy(part->bytes + part->size, block + skip, size);
    part->size += size;
}

static err_t
take_chunk(part_t *part, uint64_t at, const list_row_t *row)
{
    store_place_t place;
    bool found = false;
    const uint8_t *bytes = NULL;
    TRY(store_find(part->store, &row->digest, true, &place, &found, part->fault));
    if (!found) {
        return store_not_stored(&row->digest, part->fault);
    }
    if (place.entry.kind != PACK_BYTES || place.entry.size != row->size) {
        return RAISE(part->fault, ERR_DIGEST, 0, "read", "an object of the store");
    }
    TRY(store_bytes(part->store, &place.entry, true, &bytes, part->fault));
    take(part, at, bytes, row->size);
    return OK;
}

err_t
store_list(store_t *store, const digest_t *digest, uint8_t **ret_list, size_t *ret_size,
           fault_t *fault)
{
    store_place_t place;
    bool found = false;
    const uint8_t *borrowed = NULL;
    *ret_list = NULL;
    *ret_size = 0;
    TRY(store_find(store, digest, store->old_fd < 0, &place, &found, fault));
    if (!found || place.entry.kind != PACK_LIST) {
        return OK;
    }
    TRY(store_stored(store, &place.entry, false, &borrowed, fault));
    *ret_list = malloc(place.entry.stored + 1u);
    if (*ret_list == NULL) {
        return NO_MEMORY(fault, "a list of the store");
    }
    memcpy(*ret_list, borrowed, place.entry.stored);
    *ret_size = place.entry.stored;
    return OK;
}

/* A record's bytes as they are stored, held against their check. */
static err_t
checked_record(store_t *store, const run_entry_t *entry, const uint8_t **ret_stored, fault_t *fault)
{
    pack_record_t record;
    TRY(store_stored(store, entry, true, ret_stored, fault));
    err_t err = pack_record_decode(*ret_stored - RECORD_HEAD_BYTES, &record);
    return err == OK && check64(*ret_stored, record.stored) == record.body_check
               ? OK
               : RAISE(fault, ERR_DIGEST, 0, "read", "an object of the store");
}

/* The frame of one chunk behind those before it; *ret_fits: it is there, and one. */
static err_t
join_frame(store_t *store, const list_row_t *row, size_t *size, bool *ret_fits, fault_t *fault)
{
    store_place_t place;
    const uint8_t *stored = NULL;
    TRY(store_find(store, &row->digest, true, &place, ret_fits, fault));
    const run_entry_t *entry = &place.entry;
    *ret_fits = *ret_fits && entry->kind == PACK_BYTES && entry->packing == PACKED_ZSTD &&
                entry->size == row->size && entry->stored < row->size;
    if (*ret_fits) {
        TRY(checked_record(store, entry, &stored, fault));
        memcpy(store->block.bytes + *size, stored, entry->stored);
        *size += entry->stored;
    }
    return OK;
}

/* What zstd made of each chunk, one behind the other, is what it makes of all of them. To expand,
 * hash and pack 51 files of a source tree anew took a seventh of what the site spent on sending
 * it. */
static err_t
join_frames(store_t *store, const run_entry_t *entry, stored_object_t *ret_stored, fault_t *fault)
{
    uint8_t rows[CHUNKS_JOINED * LIST_ROW_BYTES];
    const uint8_t *list = NULL;
    size_t size = 0;
    bool fits = entry->size <= CONTENT_BLOCK_BYTES && entry->stored <= sizeof rows;
    if (!fits) {
        return OK;
    }
    TRY(store_stored(store, entry, true, &list, fault));
    memcpy(rows, list, entry->stored);
    if (buffer_reserve(&store->block, (size_t) entry->size) != OK) {
        return NO_MEMORY(fault, "an object of the store");
    }
    for (size_t at = 0; fits && at < entry->stored; at += LIST_ROW_BYTES) {
        list_row_t row = list_row_decode(rows + at);
        TRY(join_frame(store, &row, &size, &fits, fault));
    }
    if (fits) {
        *ret_stored = (stored_object_t){.bytes = {(const char *) store->block.bytes, size},
                                        .packed = true,
                                        .size = entry->size};
    }
    return OK;
}

err_t
store_as_stored(store_t *store, const digest_t *digest, stored_object_t *ret_stored, fault_t *fault)
{
    store_place_t place;
    bool found = false;
    const uint8_t *stored = NULL;
    store_end(store);
    *ret_stored = (stored_object_t){.packed = false};
    TRY(store_find(store, digest, store->old_fd < 0, &place, &found, fault));
    if (!found || place.entry.kind != PACK_BYTES) {
        return found ? join_frames(store, &place.entry, ret_stored, fault) : OK;
    }
    TRY(checked_record(store, &place.entry, &stored, fault));
    *ret_stored = (stored_object_t){.bytes = {(const char *) stored, place.entry.stored},
                                    .packed = place.entry.packing == PACKED_ZSTD,
                                    .size = place.entry.size};
    return OK;
}

err_t
store_as_stored_unchecked(store_t *store, const digest_t *digest, stored_object_t *ret_stored,
                          fault_t *fault)
{
    store_place_t place;
    bool found = false;
    const uint8_t *stored = NULL;
    store_end(store);
    *ret_stored = (stored_object_t){.packed = false};
    TRY(store_find(store, digest, store->old_fd < 0, &place, &found, fault));
    if (!found || place.entry.kind != PACK_BYTES) {
        return OK;
    }
    TRY(store_stored(store, &place.entry, false, &stored, fault));
    *ret_stored = (stored_object_t){.bytes = {(const char *) stored, place.entry.stored},
                                    .packed = place.entry.packing == PACKED_ZSTD,
                                    .size = place.entry.size};
    return OK;
}

/* Expanded to where it is wanted. */
static err_t
copy_unchecked(store_t *store, const run_entry_t *entry, uint8_t *bytes, fault_t *fault)
{
    const uint8_t *stored = NULL;
    TRY(store_stored(store, entry, false, &stored, fault));
    if (entry->packing != PACKED_ZSTD) {
        memcpy(bytes, stored, entry->size);
        return OK;
    }
    err_t err = expand(&store->squeeze, stored, entry->stored, bytes, entry->size);
    return err == OK ? OK
                     : RAISE(fault, err == ERR_DAMAGED ? ERR_DIGEST : err, 0, "expand",
                             "an object of the store");
}

err_t
store_read_unchecked(store_t *store, const digest_t *digest, size_t max, void **ret_bytes,
                     size_t *ret_size, fault_t *fault)
{
    store_place_t place;
    bool found = false;
    store_end(store);
    TRY(store_find(store, digest, store->old_fd < 0, &place, &found, fault));
    if (!found || place.entry.kind != PACK_BYTES || place.entry.size > max) {
        return store_read(store, digest, max, ret_bytes, ret_size, fault);
    }
    uint8_t *bytes = malloc(place.entry.size + 1);
    if (bytes == NULL) {
        return NO_MEMORY(fault, "an object of the store");
    }
    err_t err = copy_unchecked(store, &place.entry, bytes, fault);
    if (err != OK) {
        free(bytes);
        return err;
    }
    *ret_bytes = bytes;
    *ret_size = (size_t) place.entry.size;
    return OK;
}

static err_t
take_chunks(part_t *part, const uint8_t *list, size_t list_size)
{
    uint64_t at = 0;
    for (size_t i = 0; i < list_size && part->size < part->max; i += LIST_ROW_BYTES) {
        list_row_t row = list_row_decode(list + i);
        if (at + row.size > part->from) {
            TRY(take_chunk(part, at, &row));
        }
        at += row.size;
    }
    return OK;
}

/* The list is copied: the chunks are read into where it is borrowed from. */
static err_t
part_of_list(part_t *part, const run_entry_t *entry)
{
    const uint8_t *borrowed = NULL;
    TRY(store_stored(part->store, entry, true, &borrowed, part->fault));
    uint8_t *list = malloc(entry->stored + 1u);
    if (list == NULL) {
        return NO_MEMORY(part->fault, "a list of the store");
    }
    memcpy(list, borrowed, entry->stored);
    err_t err = take_chunks(part, list, entry->stored);
    free(list);
    return err;
}

/* Of the first release: the bytes as they are. */
static err_t
part_of_old(part_t *part, uint64_t *ret_total)
{
    world_t *world = part->store->world;
    world_stat_t stat;
    int fd = store_old_open(part->store, part->digest);
    if (fd < 0) {
        return fd == -ENOENT ? store_not_stored(part->digest, part->fault)
                             : store_fail(part->store, fd, "open", "store/objects", part->fault);
    }
    int64_t got = world_stat(world, fd, &stat);
    while (got >= 0 && part->size < part->max) {
        got = world_read(world, fd, part->bytes + part->size, part->max - part->size,
                         part->from + part->size);
        if (got <= 0) {
            break;
        }
        part->size += (size_t) got;
    }
    world_close(world, fd);
    *ret_total = got < 0 ? 0 : stat.size;
    return got < 0 ? store_fail(part->store, got, "read", "store/objects", part->fault) : OK;
}

static err_t
part_of_any(part_t *part, uint64_t *ret_total)
{
    store_place_t place;
    bool found = false;
    const uint8_t *bytes = NULL;
    store_t *store = part->store;
    TRY(store_find(store, part->digest, store->old_fd < 0, &place, &found, part->fault));
    if (!found) {
        return part_of_old(part, ret_total);
    }
    *ret_total = place.entry.size;
    if (place.entry.kind == PACK_LIST) {
        return part_of_list(part, &place.entry);
    }
    TRY(store_bytes(store, &place.entry, true, &bytes, part->fault));
    take(part, 0, bytes, (size_t) place.entry.size);
    return OK;
}

err_t
store_read_part(store_t *store, const digest_t *digest, uint64_t from, uint8_t *bytes, size_t max,
                size_t *ret_size, uint64_t *ret_total, fault_t *fault)
{
    part_t part = {
        .store = store, .digest = digest, .from = from, .bytes = bytes, .max = max, .fault = fault};
    uint64_t total = 0;
    store_end(store);
    TRY(part_of_any(&part, &total));
    *ret_size = part.size;
    *ret_total = total;
    return OK;
}
