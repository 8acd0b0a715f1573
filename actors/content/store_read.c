/* store_read.c - records, and objects of them, held against their digests.
 *
 * Bytes    see pack.h. A record is believed when its head is as the index says and its bytes, when
 *          expanded, have the digest; a list when its check agrees, and in the end by its object's
 *          digest.
 * A crash  changes nothing here: this reads only.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "actors/content/check64.h"
#include "actors/content/fail.h"
#include "actors/content/store_inner.h"

static err_t
damaged(const digest_t *digest, fault_t *fault)
{
    char subject[80] = "object ";
    hex_of_bytes(digest->byte, sizeof digest->byte, subject + strlen(subject));
    return RAISE(fault, ERR_DIGEST, 0, "read from the store", subject);
}

static bool
is_of(const pack_record_t *record, const run_entry_t *entry)
{
    return record->kind == entry->kind && record->packing == entry->packing &&
           record->stored == entry->stored && record->size == entry->size &&
           digest_equal(&record->digest, &entry->digest);
}

err_t
store_stored(store_t *store, const run_entry_t *entry, bool ahead, const uint8_t **ret_bytes,
             fault_t *fault)
{
    const uint8_t *bytes = NULL;
    int64_t got = 0;
    if (entry->stored > RECORD_BYTES_MAX) {
        return damaged(&entry->digest, fault);
    }
    size_t size = (size_t) RECORD_HEAD_BYTES + entry->stored;
    TRY(ahead ? store_raw(store, entry->pack, entry->offset, size, &bytes, &got, fault)
              : store_raw_alone(store, entry->pack, entry->offset, size, &bytes, &got, fault));
    pack_record_t record;
    if (got < (int64_t) size || pack_record_decode(bytes, &record) != OK ||
        !is_of(&record, entry)) {
        return damaged(&entry->digest, fault);
    }
    if (entry->kind == PACK_LIST &&
        (check64(bytes + RECORD_HEAD_BYTES, entry->stored) != record.body_check ||
         list_check(bytes + RECORD_HEAD_BYTES, entry->stored, entry->size) != OK)) {
        return damaged(&entry->digest, fault);
    }
    *ret_bytes = bytes + RECORD_HEAD_BYTES;
    return OK;
}

static err_t
expand_bytes(store_t *store, const run_entry_t *entry, const uint8_t **bytes, fault_t *fault)
{
    if (entry->packing != PACKED_ZSTD) {
        return OK;
    }
    if (buffer_reserve(&store->block, entry->size) != OK) {
        return NO_MEMORY(fault, "an object of the store");
    }
    err_t err = expand(&store->squeeze, *bytes, entry->stored, store->block.bytes, entry->size);
    if (err != OK) {
        return err == ERR_DAMAGED ? damaged(&entry->digest, fault)
                                  : RAISE(fault, err, 0, "expand", "an object of the store");
    }
    *bytes = store->block.bytes;
    return OK;
}

err_t
store_unchecked(store_t *store, const run_entry_t *entry, const uint8_t **ret_bytes, fault_t *fault)
{
    TRY(store_stored(store, entry, true, ret_bytes, fault));
    return expand_bytes(store, entry, ret_bytes, fault);
}

err_t
store_check_bytes(store_t *store, const run_entry_t *entry, const uint8_t **bytes, fault_t *fault)
{
    digest_t digest;
    TRY(expand_bytes(store, entry, bytes, fault));
    hash_bytes(store->hash, *bytes, entry->size, &digest);
    return digest_equal(&digest, &entry->digest) ? OK : damaged(&entry->digest, fault);
}

err_t
store_bytes(store_t *store, const run_entry_t *entry, bool ahead, const uint8_t **ret_bytes,
            fault_t *fault)
{
    TRY(store_stored(store, entry, ahead, ret_bytes, fault));
    return store_check_bytes(store, entry, ret_bytes, fault);
}

err_t
store_look_again(store_t *store, const run_entry_t *entry, fault_t *fault)
{
    const uint8_t *bytes = NULL;
    return entry->kind == PACK_LIST ? store_stored(store, entry, false, &bytes, fault)
                                    : store_bytes(store, entry, false, &bytes, fault);
}

int
store_old_open(store_t *store, const digest_t *digest)
{
    char hex[65];
    char path[STORE_PATH_BYTES];
    if (store->old_fd < 0) {
        return -ENOENT;
    }
    hex_of_bytes(digest->byte, sizeof digest->byte, hex);
    snprintf(path, sizeof path, "%.2s/%s", hex, hex);
    return world_open(store->world, store->old_fd, path, O_RDONLY | O_NOFOLLOW, 0, WORLD_BENEATH);
}

void
store_end(store_t *store)
{
    object_t *object = &store->object;
    if (object->old_fd >= 0) {
        world_close(store->world, object->old_fd);
    }
    world_common_give(store->world);
    store_drop_early(store);
    free(object->list);
    *object = (object_t){.old_fd = -1};
    buffer_shrink(&store->block);
    buffer_shrink(&store->record);
}

static err_t
begin_list(store_t *store, fault_t *fault)
{
    object_t *object = &store->object;
    const uint8_t *list = NULL;
    TRY(store_stored(store, &object->entry, object->ahead, &list, fault));
    object->list = malloc(object->entry.stored + 1u);
    if (object->list == NULL) {
        return NO_MEMORY(fault, "a list of the store");
    }
    memcpy(object->list, list, object->entry.stored);
    hash_begin(store->whole);
    return OK;
}

static err_t
begin_old(store_t *store, const digest_t *digest, fault_t *fault)
{
    object_t *object = &store->object;
    world_stat_t stat;
    int fd = store_old_open(store, digest);
    if (fd < 0) {
        return fd == -ENOENT ? store_not_stored(digest, fault)
                             : store_fail(store, fd, "open", "store/objects", fault);
    }
    object->old_fd = fd;
    object->entry = (run_entry_t){.digest = *digest};
    int result = world_stat(store->world, fd, &stat);
    if (result < 0) {
        return store_fail(store, result, "stat", "store/objects", fault);
    }
    object->entry.size = stat.size;
    hash_begin(store->whole);
    return buffer_reserve(&store->block, CONTENT_BLOCK_BYTES) == OK
               ? OK
               : NO_MEMORY(fault, "an object of the store");
}

static err_t
begin(store_t *store, const digest_t *digest, fault_t *fault)
{
    object_t *object = &store->object;
    store_place_t place;
    bool found = false;
    TRY(store_find(store, digest, store->old_fd < 0, &place, &found, fault));
    if (!found) {
        return begin_old(store, digest, fault);
    }
    object->entry = place.entry;
    return place.entry.kind == PACK_LIST ? begin_list(store, fault) : OK;
}

static err_t
begin_either(store_t *store, const digest_t *digest, bool ahead, uint64_t *ret_size, fault_t *fault)
{
    store_end(store);
    store->object.open = true;
    store->object.ahead = ahead;
    err_t err = begin(store, digest, fault);
    if (err != OK) {
        store_end(store);
        return err;
    }
    *ret_size = store->object.entry.size;
    return OK;
}

err_t
store_begin(store_t *store, const digest_t *digest, uint64_t *ret_size, fault_t *fault)
{
    return begin_either(store, digest, true, ret_size, fault);
}

/* The end of a list or of an old file: now the digest of the whole is known. */
static err_t
end_whole(store_t *store, size_t *ret_size, fault_t *fault)
{
    digest_t digest;
    hash_end(store->whole, &digest);
    store->object.ended = true;
    *ret_size = 0;
    return digest_equal(&digest, &store->object.entry.digest)
               ? OK
               : damaged(&store->object.entry.digest, fault);
}

static err_t
next_old(store_t *store, const void **ret_bytes, size_t *ret_size, fault_t *fault)
{
    object_t *object = &store->object;
    int64_t got = world_read(store->world, object->old_fd, store->block.bytes, CONTENT_BLOCK_BYTES,
                             object->done);
    if (got < 0) {
        return store_fail(store, got, "read", "store/objects", fault);
    }
    if (got == 0) {
        return end_whole(store, ret_size, fault);
    }
    hash_add(store->whole, store->block.bytes, (size_t) got);
    object->done += (uint64_t) got;
    *ret_bytes = store->block.bytes;
    *ret_size = (size_t) got;
    return OK;
}

/* The bytes of a chunk as the store has them, in its turn. */
static err_t
read_chunk(store_t *store, const list_row_t *row, const uint8_t **ret_bytes, fault_t *fault)
{
    const object_t *object = &store->object;
    store_place_t place;
    bool found = false;
    TRY(store_find(store, &row->digest, true, &place, &found, fault));
    if (!found) {
        return store_not_stored(&row->digest, fault);
    }
    if (place.entry.kind != PACK_BYTES || place.entry.size != row->size) {
        return damaged(&object->entry.digest, fault);
    }
    TRY(store_stored(store, &place.entry, object->ahead, ret_bytes, fault));
    return expand_bytes(store, &place.entry, ret_bytes, fault);
}

void
store_lend(store_t *store, store_lender_t lender)
{
    store->object.lender = lender;
}

bool
store_is_lent(const store_t *store, const list_row_t *row)
{
    const store_lender_t *lender = &store->object.lender;
    return lender->has != NULL && lender->has(lender->context, &row->digest, row->size);
}

static bool
take_lent(store_t *store, const list_row_t *row, const uint8_t **ret_bytes)
{
    const store_lender_t *lender = &store->object.lender;
    if (!store_is_lent(store, row) || buffer_reserve(&store->block, row->size) != OK ||
        !lender->fill(lender->context, &row->digest, store->block.bytes, row->size)) {
        return false;
    }
    *ret_bytes = store->block.bytes;
    return true;
}

static err_t
make_chunk(store_t *store, const list_row_t *row, const void **ret_bytes, fault_t *fault)
{
    const uint8_t *bytes = NULL;
    TRY(take_lent(store, row, &bytes) || store_take_early(store, &bytes)
            ? OK
            : read_chunk(store, row, &bytes, fault));
    hash_add(store->whole, bytes, row->size);
    *ret_bytes = bytes;
    return OK;
}

/* Where nobody else makes it: this job hashes and writes while the next ones are expanded. 297 MB
 * to one directory took 0.60 s, and 0.42 now, of the same 0.7 CPU seconds. */
static err_t
make_alone(store_t *store, const list_row_t *row, const void **ret_bytes, fault_t *fault)
{
    store_expand_early(store);
    return make_chunk(store, row, ret_bytes, fault);
}

void
store_join(store_t *store, const digest_t *group)
{
    store_leave(store);
    store->shares = true;
    world_common_join(store->world, group->byte);
}

void
store_leave(store_t *store)
{
    if (store->shares) {
        world_common_leave(store->world);
        store->shares = false;
    }
}

static void
drop_note(void *note)
{
    hash_t *hash = note;
    hash_destroy(&hash);
}

/* Others get the bytes with the hash of all up to their end. */
static void
put_chunk(store_t *store, const void *bytes, size_t size)
{
    hash_t *note = hash_copy(store->whole);
    if (note == NULL) {
        world_common_give(store->world);
        return;
    }
    world_common_put(store->world, bytes, size, note, drop_note);
}

/* Placements that go on at the same time expand and hash a chunk once: 297 MB in one file, to four
 * points, took 1.6 CPU seconds in place of 3.5. The key has the digest of all that was handed out
 * before it: who takes it, with the hash up to its end, has handed out the bytes that its maker has
 * hashed, whoever made those; so the digest at the end is that of what this reader has handed out.
 */
static err_t
next_shared(store_t *store, const list_row_t *row, const void **ret_bytes, fault_t *fault)
{
    world_t *world = store->world;
    world_key_t key;
    world_block_t block;
    digest_t before;
    if (hash_so_far(store->whole, store->hash, &before) != OK) {
        return NO_MEMORY(fault, "a digest");
    }
    memcpy(key.whole, store->object.entry.digest.byte, sizeof key.whole);
    memcpy(key.before, before.byte, sizeof key.before);
    world_share_t share = world_common_take(world, &key, &block);
    if (share == WORLD_THERE && block.size == row->size) {
        *ret_bytes = block.bytes;
        return hash_follow(store->whole, block.note) == OK ? OK : NO_MEMORY(fault, "a digest");
    }
    err_t err = share == WORLD_STAYS_ALONE ? make_alone(store, row, ret_bytes, fault)
                                           : make_chunk(store, row, ret_bytes, fault);
    if (err == OK && share == WORLD_MAKE) {
        put_chunk(store, *ret_bytes, row->size);
    }
    return err;
}

/* A chunk that is not there is told as such, by its own digest. Its bytes are not held against
 * that: the digest of the whole decides at the end, and who sets the object aside looks at each. To
 * hash all twice took 0.7 of 2.7 CPU seconds when 297 MB in one file were placed four times. */
static err_t
next_chunk(store_t *store, const void **ret_bytes, size_t *ret_size, fault_t *fault)
{
    object_t *object = &store->object;
    if ((uint64_t) object->row * LIST_ROW_BYTES >= object->entry.stored) {
        return end_whole(store, ret_size, fault);
    }
    list_row_t row = list_row_decode(object->list + (size_t) object->row * LIST_ROW_BYTES);
    TRY(store->shares ? next_shared(store, &row, ret_bytes, fault)
                      : make_alone(store, &row, ret_bytes, fault));
    object->row++;
    *ret_size = row.size;
    return OK;
}

static err_t
next_whole(store_t *store, const void **ret_bytes, size_t *ret_size, fault_t *fault)
{
    object_t *object = &store->object;
    const uint8_t *bytes = NULL;
    *ret_size = 0;
    if (!object->ended) {
        TRY(store_bytes(store, &object->entry, object->ahead, &bytes, fault));
        object->ended = true;
        *ret_bytes = bytes;
        *ret_size = (size_t) object->entry.size;
    }
    return OK;
}

err_t
store_next(store_t *store, const void **ret_bytes, size_t *ret_size, fault_t *fault)
{
    const object_t *object = &store->object;
    assert(object->open);
    err_t err = object->old_fd >= 0    ? next_old(store, ret_bytes, ret_size, fault)
                : object->list != NULL ? next_chunk(store, ret_bytes, ret_size, fault)
                                       : next_whole(store, ret_bytes, ret_size, fault);
    if (err != OK || *ret_size == 0) {
        store_end(store);
    }
    return err;
}

static err_t
copy_object(store_t *store, uint8_t *bytes, uint64_t size, fault_t *fault)
{
    const void *block = NULL;
    size_t got = 1;
    uint64_t done = 0;
    while (got > 0) {
        TRY(store_next(store, &block, &got, fault));
        if (got > size - done) {
            store_end(store);
            return RAISE(fault, ERR_DIGEST, 0, "read", "an object of the store");
        }
        if (got > 0) {
            memcpy(bytes + done, block, got);
        }
        done += got;
    }
    return done == size ? OK : RAISE(fault, ERR_DIGEST, 0, "read", "an object of the store");
}

static err_t
read_whole(store_t *store, const digest_t *digest, size_t max, void **ret_bytes, size_t *ret_size,
           fault_t *fault)
{
    uint64_t size = 0;
    TRY(begin_either(store, digest, false, &size, fault));
    uint8_t *bytes = size <= max ? malloc(size + 1) : NULL;
    if (bytes == NULL) {
        store_end(store);
        return size > max ? RAISE(fault, ERR_TOO_LARGE, 0, "read", "an object of the store")
                          : NO_MEMORY(fault, "an object of the store");
    }
    err_t err = copy_object(store, bytes, size, fault);
    if (err != OK) {
        free(bytes);
        return err;
    }
    bytes[size] = '\0';
    *ret_bytes = bytes;
    *ret_size = size;
    return OK;
}

err_t
store_read(store_t *store, const digest_t *digest, size_t max, void **ret_bytes, size_t *ret_size,
           fault_t *fault)
{
    err_t err = read_whole(store, digest, max, ret_bytes, ret_size, fault);
    if (err == ERR_DIGEST) { /* so that the next snapshot puts it in its place again */
        err_t aside = store_set_aside(store, digest, NULL);
        return aside == ERR_CANCELLED ? aside : err;
    }
    return err;
}
