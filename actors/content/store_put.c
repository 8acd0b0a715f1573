/* store_put.c - writing objects into a pack of one's own.
 *
 * Bytes    packs/<id>.pack, appended to by one job at a time; .<id>.pack.new until its first
 *          commit.
 * A crash  leaves a ".new" pack, or dead bytes at the end of one.
 */
#include "actors/content/store.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "actors/content/check64.h"
#include "actors/content/fail.h"
#include "actors/content/store_inner.h"
#include "actors/content/sync_points.h"
#include "actors/content/write_all.h"

#define FILE_BUFFER (2 * CHUNK_BYTES_MAX) /* of a file that is cut: always one whole chunk */
#define LIST_ROWS   1024u                 /* by which the list of a file grows */
#define EARLY_BYTES (STORE_WINDOW / 2)    /* written at one time: the disk begins with them */

/* The place of a digest in the index of pending objects: its own, or the free one for it. */
static uint32_t *
pending_slot(const pack_writer_t *writer, const digest_t *digest)
{
    uint32_t at;
    memcpy(&at, digest->byte, sizeof at);
    for (at %= STORE_SLOTS;; at = (at + 1) % STORE_SLOTS) {
        uint32_t *slot = &writer->slot[at];
        if (*slot == 0 || digest_equal(&writer->entry[*slot - 1].digest, digest)) {
            return slot;
        }
    }
}

bool
store_is_pending(const store_t *store, const digest_t *digest)
{
    return store->writer.pending > 0 && *pending_slot(&store->writer, digest) != 0;
}

/* Whether the object is there or on its way; what is relied on is made durable by the commit. The
 * first release's objects do not count: who knows whether their names are durable. */
static err_t
is_known(store_t *store, const digest_t *digest, bool *ret_known, fault_t *fault)
{
    store_place_t place;
    if (store->dry) {
        *ret_known = true;
        return OK;
    }
    store->dirty = true;
    *ret_known = store_is_pending(store, digest) || store_is_queued(store, digest);
    return *ret_known ? OK : store_find(store, digest, false, &place, ret_known, fault);
}

err_t
store_ready_to_put(store_t *store, fault_t *fault)
{
    pack_writer_t *writer = &store->writer;
    if (writer->buffer == NULL) {
        writer->buffer = malloc(STORE_WINDOW);
        writer->entry = malloc(STORE_BATCH_MAX * sizeof writer->entry[0]);
        writer->slot = calloc(STORE_SLOTS, sizeof writer->slot[0]);
    }
    bool enough = writer->buffer != NULL && writer->entry != NULL && writer->slot != NULL;
    return enough ? OK : NO_MEMORY(fault, "a pack of the store");
}

static err_t
open_pack(store_t *store, fault_t *fault)
{
    pack_writer_t *writer = &store->writer;
    char name[RUN_NAME_BYTES];
    TRY(store_ready_to_put(store, fault));
    writer->id = store_new_id(store);
    writer->named = false;
    store_pack_name_new(writer->id, name);
    writer->fd = world_open(store->world, store->packs_fd, name,
                            O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600, WORLD_BENEATH);
    if (writer->fd < 0) {
        int result = writer->fd;
        writer->fd = -1;
        return store_fail(store, result, "create", name, fault);
    }
    pack_head_encode(writer->id, writer->buffer);
    writer->buffered = PACK_HEAD_BYTES;
    writer->length = PACK_HEAD_BYTES;
    writer->committed = 0;
    return OK;
}

/* A hint: what fails here fails the sync, which decides; but a job that is to stop stops. An update
 * of a browser at four agents of one disk took 4.9 to 5.5 s, and 4.8 to 5.0 with it. */
static int
write_out(store_t *store, uint64_t at)
{
    const pack_writer_t *writer = &store->writer;
    bool reaches = writer->buffered >= EARLY_BYTES;
    int result = reaches ? world_write_out(store->world, writer->fd, at, writer->buffered) : 0;
    return result == -ECANCELED ? result : 0;
}

err_t
store_flush(store_t *store, fault_t *fault)
{
    pack_writer_t *writer = &store->writer;
    uint64_t at = writer->length - writer->buffered;
    int result = write_all(store->world, writer->fd, writer->buffer, writer->buffered, at);
    result = result < 0 ? result : write_out(store, at);
    writer->buffered = 0;
    return result < 0 ? store_fail(store, result, "write", "a pack of the store", fault) : OK;
}

static err_t
write_bytes(store_t *store, const void *bytes, size_t size, fault_t *fault)
{
    pack_writer_t *writer = &store->writer;
    if (size > STORE_WINDOW - writer->buffered) {
        TRY(store_flush(store, fault));
    }
    if (size > STORE_WINDOW) {
        int result = write_all(store->world, writer->fd, bytes, size, writer->length);
        writer->length += size;
        return result < 0 ? store_fail(store, result, "write", "a pack of the store", fault) : OK;
    }
    memcpy(writer->buffer + writer->buffered, bytes, size);
    writer->buffered += size;
    writer->length += size;
    return OK;
}

static void
note_pending(pack_writer_t *writer, const pack_record_t *record, uint64_t offset)
{
    writer->entry[writer->pending] = (run_entry_t){.digest = record->digest,
                                                   .pack = writer->id,
                                                   .offset = offset,
                                                   .size = record->size,
                                                   .stored = record->stored,
                                                   .kind = record->kind,
                                                   .packing = record->packing};
    uint32_t *slot = pending_slot(writer, &record->digest);
    *slot = ++writer->pending;
}

static err_t
append(store_t *store, const pack_record_t *record, const void *stored, fault_t *fault)
{
    static const uint8_t zeros[RECORD_ALIGN];
    uint8_t head[RECORD_HEAD_BYTES];
    pack_writer_t *writer = &store->writer;
    if (writer->fd < 0) {
        TRY(open_pack(store, fault));
    }
    uint64_t offset = writer->length;
    pack_record_encode(record, head);
    TRY(write_bytes(store, head, sizeof head, fault));
    TRY(write_bytes(store, stored, record->stored, fault));
    size_t rest = pack_record_bytes(record->stored) - sizeof head - record->stored;
    TRY(write_bytes(store, zeros, rest, fault));
    note_pending(writer, record, offset);
    writer->appended += pack_record_bytes(record->stored);
    return OK;
}

/* A pack that has its size is committed and ended; the next record begins another one. */
err_t
store_append_next(store_t *store, const pack_record_t *record, const void *stored, fault_t *fault)
{
    pack_writer_t *writer = &store->writer;
    TRY(append(store, record, stored, fault));
    if (writer->length < store->pack_bytes && writer->pending < STORE_BATCH_MAX) {
        return OK;
    }
    bool full = writer->length >= store->pack_bytes;
    TRY(store_commit_appended(store, fault));
    if (full) {
        world_close(store->world, writer->fd);
        writer->fd = -1;
    }
    return OK;
}

err_t
store_append(store_t *store, const pack_record_t *record, const void *stored, fault_t *fault)
{
    store->dirty = true;
    TRY(store_settle(store, fault));
    return store_append_next(store, record, stored, fault);
}

/* Puts bytes that are in memory, whatever their digest is found to be. */
static err_t
put(store_t *store, const void *bytes, size_t size, digest_t *ret_digest, bool *ret_new,
    fault_t *fault)
{
    bool known = false;
    hash_bytes(store->hash, bytes, size, ret_digest);
    TRY(is_known(store, ret_digest, &known, fault));
    *ret_new = !known;
    if (known) {
        return OK;
    }
    return store_queue(store, ret_digest, bytes, size, fault);
}

uint64_t
store_appended(const store_t *store)
{
    return store->writer.appended;
}

err_t
store_put_object(store_t *store, const store_object_t *object, fault_t *fault)
{
    digest_t found;
    size_t size = object->bytes.size;
    bool known = false, is_packed = object->packed.size > 0 && object->packed.size < size;
    hash_bytes(store->hash, object->bytes.data, size, &found);
    if (!digest_equal(&found, &object->digest)) {
        return RAISE(fault, ERR_DIGEST, 0, "store", "an object");
    }
    if (!is_packed && !object->plain) {
        bool is_new = false;
        return put(store, object->bytes.data, size, &found, &is_new, fault);
    }
    TRY(is_known(store, &found, &known, fault));
    if (known) {
        return OK;
    }
    slice_t stored = is_packed ? object->packed : object->bytes;
    pack_record_t record = {.kind = PACK_BYTES,
                            .packing = is_packed ? PACKED_ZSTD : PACKED_PLAIN,
                            .stored = (uint32_t) stored.size,
                            .size = size,
                            .body_check = check64(stored.data, stored.size),
                            .digest = found};
    return store_append(store, &record, stored.data, fault);
}

err_t
store_put_bytes(store_t *store, const void *bytes, size_t size, store_put_t *ret_put,
                fault_t *fault)
{
    bool is_new = false;
    if (size > RECORD_BYTES_MAX) {
        return RAISE(fault, ERR_TOO_LARGE, 0, "store", "an object");
    }
    TRY(put(store, bytes, size, &ret_put->digest, &is_new, fault));
    ret_put->size = size;
    ret_put->new_bytes = is_new ? size : 0;
    ret_put->list = (digest_t){{0}};
    return OK;
}

/* A file that is read block by block, and what has come of it so far. */
typedef struct intake {
    store_t *store;
    int fd;
    const char *path;
    uint64_t read; /* bytes */
    size_t at;     /* where in the buffer the next chunk begins */
    size_t have;   /* bytes from there on */
    bool ended;
    uint8_t *list;
    size_t rows, room;
    store_put_t put;
    fault_t *fault;
} intake_t;

/* Sees to it that a whole chunk is in the buffer, or all that is left of the file. */
static err_t
fill(intake_t *intake)
{
    store_t *store = intake->store;
    if (intake->ended || intake->have >= CHUNK_BYTES_MAX) {
        return OK;
    }
    memmove(store->block.bytes, store->block.bytes + intake->at, intake->have);
    intake->at = 0;
    while (!intake->ended && intake->have < FILE_BUFFER) {
        int64_t got = world_read(store->world, intake->fd, store->block.bytes + intake->have,
                                 FILE_BUFFER - intake->have, intake->read);
        if (got < 0) {
            return FAIL(intake->fault, got, "read", intake->path);
        }
        intake->ended = got == 0;
        intake->read += (uint64_t) got;
        intake->have += (size_t) got;
    }
    return OK;
}

static err_t
add_row(intake_t *intake, const list_row_t *row)
{
    if (intake->rows == intake->room) {
        size_t room = intake->room + intake->room / 2 + LIST_ROWS;
        uint8_t *list = realloc(intake->list, room * LIST_ROW_BYTES);
        if (list == NULL) {
            return NO_MEMORY(intake->fault, intake->path);
        }
        intake->list = list;
        intake->room = room;
    }
    list_row_encode(row, intake->list + intake->rows++ * LIST_ROW_BYTES);
    return intake->rows <= RECORD_BYTES_MAX / LIST_ROW_BYTES
               ? OK
               : RAISE(intake->fault, ERR_TOO_LARGE, 0, "store", intake->path);
}

/* Puts the chunk at the begin of the buffer. */
static err_t
put_chunk(intake_t *intake)
{
    store_t *store = intake->store;
    const uint8_t *bytes = store->block.bytes + intake->at;
    size_t size = chunker_cut(&store->chunker, bytes, intake->have);
    list_row_t row = {.size = (uint32_t) size};
    bool is_new = false;
    hash_add(store->whole, bytes, size);
    TRY(put(store, bytes, size, &row.digest, &is_new, intake->fault));
    TRY(add_row(intake, &row));
    intake->put.new_bytes += is_new ? size : 0;
    intake->have -= size;
    intake->at += size;
    return OK;
}

/* The file is a list of its chunks, by the digest of its bytes. */
static err_t
put_list(intake_t *intake)
{
    store_t *store = intake->store;
    bool known = false;
    hash_end(store->whole, &intake->put.digest);
    hash_bytes(store->hash, intake->list, intake->rows * LIST_ROW_BYTES, &intake->put.list);
    intake->put.size = intake->read;
    TRY(is_known(store, &intake->put.digest, &known, intake->fault));
    if (known) {
        return OK;
    }
    pack_record_t record = {.kind = PACK_LIST,
                            .stored = (uint32_t) (intake->rows * LIST_ROW_BYTES),
                            .size = intake->read,
                            .digest = intake->put.digest};
    record.body_check = check64(intake->list, record.stored);
    return store_append(store, &record, intake->list, intake->fault);
}

static err_t
put_chunks(intake_t *intake)
{
    hash_begin(intake->store->whole);
    while (intake->have > 0) {
        TRY(put_chunk(intake));
        TRY(fill(intake));
    }
    return put_list(intake);
}

err_t
store_put_file(store_t *store, int fd, const char *path, store_put_t *ret_put, fault_t *fault)
{
    intake_t intake = {.store = store, .fd = fd, .path = path, .fault = fault};
    if (buffer_reserve(&store->block, FILE_BUFFER) != OK) {
        return NO_MEMORY(fault, path);
    }
    TRY(fill(&intake));
    if (intake.have <= CHUNK_BYTES_WHOLE) {
        return store_put_bytes(store, store->block.bytes, intake.have, ret_put, fault);
    }
    err_t err = put_chunks(&intake);
    free(intake.list);
    if (err == OK) {
        *ret_put = intake.put;
    }
    return err;
}

/* What is looked at of a list's chunks. */
typedef enum look { LOOK_THERE, LOOK_WHOLE, LOOK_EACH } look_t;

/* One chunk of a list: that it is there, or its bytes, or those held against its digest, too. */
static err_t
add_chunk(store_t *store, const list_row_t *row, look_t look, fault_t *fault)
{
    store_place_t place;
    bool found = false;
    const uint8_t *bytes = NULL;
    TRY(store_find(store, &row->digest, true, &place, &found, fault));
    if (!found) {
        return store_not_stored(&row->digest, fault);
    }
    if (place.entry.kind != PACK_BYTES || place.entry.size != row->size) {
        return RAISE(fault, ERR_BAD_VALUE, 0, "put", "a list of chunks");
    }
    if (look == LOOK_THERE) {
        return OK;
    }
    TRY(look == LOOK_EACH ? store_bytes(store, &place.entry, true, &bytes, fault)
                          : store_unchecked(store, &place.entry, &bytes, fault));
    hash_add(store->whole, bytes, row->size);
    return OK;
}

/* *ret_bad: the chunk that is not there, or not right. */
static err_t
add_chunks(store_t *store, slice_t list, look_t look, uint64_t *ret_size, digest_t *ret_bad,
           fault_t *fault)
{
    const uint8_t *rows = (const uint8_t *) list.data;
    *ret_size = 0;
    hash_begin(store->whole);
    for (size_t i = 0; i + LIST_ROW_BYTES <= list.size; i += LIST_ROW_BYTES) {
        list_row_t row = list_row_decode(rows + i);
        err_t err = add_chunk(store, &row, look, fault);
        *ret_bad = err == ERR_DIGEST || err == ERR_NOT_STORED ? row.digest : *ret_bad;
        TRY(err);
        *ret_size += row.size;
    }
    return OK;
}

/* Which chunk it is that does not agree, if any. */
static err_t
find_bad(store_t *store, slice_t list, digest_t *ret_bad, fault_t *fault)
{
    uint64_t size = 0;
    err_t err = add_chunks(store, list, LOOK_EACH, &size, ret_bad, fault);
    if (err == ERR_DIGEST) {
        TRY(store_set_aside(store, ret_bad, fault));
    }
    return err == OK || err == ERR_BAD_VALUE
               ? RAISE(fault, ERR_DIGEST, 0, "put", "a list of chunks")
               : err;
}

/* A list that is there and yet was to be fetched names a chunk that is gone, or lied: the new one
 * stands in its place. */
static err_t
drop_former(store_t *store, const digest_t *file, fault_t *fault)
{
    for (;;) {
        store_place_t place;
        bool found = false;
        TRY(store_find(store, file, false, &place, &found, fault));
        if (!found) {
            return OK;
        }
        TRY(store_note_damage(store, &place.entry, fault));
    }
}

/* Unread, as long as no list of this file has proved wrong: its chunks were held against their
 * digests when they came, and who hands the file out holds it against its own. Read, the whole
 * decides, and the chunks are hashed by themselves only when it says no. To read 297 MB here and
 * once more to place them took 1.35 CPU seconds; placed alone they take 0.8. */
err_t
store_put_list(store_t *store, const digest_t *file, slice_t list, digest_t *ret_bad,
               fault_t *fault)
{
    uint64_t size = 0;
    digest_t found;
    look_t look = store_was_set_aside(store, file) ? LOOK_WHOLE : LOOK_THERE;
    *ret_bad = (digest_t){{0}};
    err_t err = add_chunks(store, list, look, &size, ret_bad, fault);
    hash_end(store->whole, &found);
    bool lies = err == OK && look == LOOK_WHOLE && !digest_equal(&found, file);
    if (err == ERR_DIGEST || err == ERR_BAD_VALUE || lies) {
        *ret_bad = (digest_t){{0}};
        return find_bad(store, list, ret_bad, fault);
    }
    TRY(err);
    TRY(drop_former(store, file, fault));
    store->dirty = true;
    pack_record_t record = {.kind = PACK_LIST,
                            .stored = (uint32_t) list.size,
                            .size = size,
                            .digest = *file,
                            .body_check = check64(list.data, list.size)};
    return store_append(store, &record, list.data, fault);
}
