/* parcel_take.c - takes a parcel: looks whether it is whole, then puts what is in it.
 *
 * Bytes    see parcel.h; DATA/parcels/<hex of the root>: a sealed text.
 * A crash  leaves objects in the store that nothing names: taken again, they are there.
 */
#include "actors/content/parcel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "actors/content/check64.h"
#include "actors/content/fail.h"
#include "actors/content/hash.h"
#include "actors/content/pack.h"
#include "actors/content/parcel_inner.h"
#include "actors/content/squeeze.h"
#include "actors/content/tree.h"

typedef struct taking {
    world_t *world;
    store_t *store;
    const char *path;
    int fd;
    uint64_t at;
    parcel_result_t result;  /* as its end has it */
    bool named;              /* what came before the lists has been committed */
    uint8_t *stored, *bytes; /* of the record in hand */
    size_t stored_room, bytes_room;
    squeeze_t squeeze;
    fault_t *fault;
} taking_t;

static err_t
is_none(const taking_t *taking)
{
    return RAISE(taking->fault, ERR_NO_PARCEL, 0, "take", taking->path);
}

/* So many bytes at this place, or it was cut. */
static err_t
read_at(taking_t *taking, void *bytes, size_t size, uint64_t at)
{
    for (size_t done = 0; done < size;) {
        int64_t got =
            world_read(taking->world, taking->fd, (char *) bytes + done, size - done, at + done);
        if (got <= 0) {
            return got < 0 ? FAIL(taking->fault, got, "read", taking->path) : is_none(taking);
        }
        done += (size_t) got;
    }
    return OK;
}

/* ---- whether it is whole ---- */

static err_t
hash_all(taking_t *taking, hash_t *hash, uint64_t end, digest_t *ret_digest)
{
    uint8_t *block = malloc(CONTENT_BLOCK_BYTES);
    err_t err = block != NULL ? OK : NO_MEMORY(taking->fault, "a parcel");
    hash_begin(hash);
    for (uint64_t at = 0; err == OK && at < end;) {
        uint64_t left = end - at;
        size_t size = left < CONTENT_BLOCK_BYTES ? (size_t) left : CONTENT_BLOCK_BYTES;
        err = read_at(taking, block, size, at);
        hash_add(hash, block, err == OK ? size : 0);
        at += size;
    }
    hash_end(hash, ret_digest);
    free(block);
    return err;
}

static err_t
check_whole(taking_t *taking)
{
    world_stat_t stat;
    uint8_t end[PARCEL_END_BYTES];
    digest_t found, said;
    hash_t *hash = NULL;
    int result = world_stat(taking->world, taking->fd, &stat);
    if (result < 0) {
        return FAIL(taking->fault, result, "read", taking->path);
    }
    if (stat.size < PARCEL_HEAD_BYTES + PARCEL_END_BYTES) {
        return is_none(taking);
    }
    TRY(read_at(taking, end, sizeof end, stat.size - sizeof end));
    if (parcel_end_decode(end, &taking->result) != OK ||
        taking->result.bytes != stat.size - sizeof end) {
        return is_none(taking);
    }
    memcpy(said.byte, end + sizeof end - sizeof said.byte, sizeof said.byte);
    TRY(hash_new(&hash));
    err_t err = hash_all(taking, hash, stat.size - sizeof said.byte, &found);
    hash_destroy(&hash);
    return err != OK || digest_equal(&found, &said) ? err : is_none(taking);
}

/* ---- its records ---- */

static err_t
make_room(taking_t *taking, uint8_t **bytes, size_t *room, size_t size)
{
    if (size > *room) {
        free(*bytes);
        *bytes = malloc(size);
        *room = *bytes == NULL ? 0 : size;
    }
    return size <= *room ? OK : NO_MEMORY(taking->fault, "a record");
}

static err_t
put_list(taking_t *taking, const pack_record_t *record, slice_t stored)
{
    digest_t bad;
    if (list_check(stored.data, stored.size, record->size) != OK) {
        return is_none(taking);
    }
    bool has = false;
    TRY(taking->named ? OK : store_commit(taking->store, taking->fault));
    taking->named = true;
    TRY(store_has(taking->store, &record->digest, &has, taking->fault));
    if (has) {
        return OK;
    }
    return store_put_list(taking->store, &record->digest, stored, &bad, taking->fault);
}

static err_t
put_bytes(taking_t *taking, const pack_record_t *record, slice_t stored)
{
    store_object_t object = {.digest = record->digest, .bytes = stored, .plain = true};
    if (record->packing == PACKED_ZSTD) {
        TRY(make_room(taking, &taking->bytes, &taking->bytes_room, (size_t) record->size));
        if (expand(&taking->squeeze, stored.data, stored.size, taking->bytes,
                   (size_t) record->size) != OK) {
            return is_none(taking);
        }
        object.bytes = (slice_t){(const char *) taking->bytes, (size_t) record->size};
        object.packed = stored;
        object.plain = false;
    }
    return store_put_object(taking->store, &object, taking->fault);
}

/* What its digest does not hold is none, whoever has signed the parcel. */
static err_t
put_record(taking_t *taking)
{
    uint8_t head[RECORD_HEAD_BYTES];
    pack_record_t record;
    TRY(read_at(taking, head, sizeof head, taking->at));
    if (pack_record_decode(head, &record) != OK || record.stored > RECORD_BYTES_MAX ||
        (record.kind == PACK_BYTES && record.size > RECORD_BYTES_MAX) ||
        pack_record_bytes(record.stored) > taking->result.bytes - taking->at) {
        return is_none(taking);
    }
    TRY(make_room(taking, &taking->stored, &taking->stored_room, record.stored + 1u));
    TRY(read_at(taking, taking->stored, record.stored, taking->at + sizeof head));
    if (check64(taking->stored, record.stored) != record.body_check) {
        return is_none(taking);
    }
    slice_t stored = {(const char *) taking->stored, record.stored};
    err_t err = record.kind == PACK_LIST ? put_list(taking, &record, stored)
                                         : put_bytes(taking, &record, stored);
    taking->at += pack_record_bytes(record.stored);
    return err;
}

static err_t
put_records(taking_t *taking)
{
    taking->at = PARCEL_HEAD_BYTES;
    for (uint64_t i = 0; i < taking->result.objects; i++) {
        TRY(put_record(taking));
    }
    return taking->at == taking->result.bytes ? store_commit(taking->store, taking->fault)
                                              : is_none(taking);
}

static err_t
take(taking_t *taking, const id128_t *site, const digest_t *key, parcel_about_t *ret_about)
{
    uint8_t head[PARCEL_HEAD_BYTES];
    TRY(check_whole(taking));
    TRY(read_at(taking, head, sizeof head, 0));
    err_t err = parcel_head_decode(head, site, key, ret_about);
    return err == OK ? put_records(taking) : RAISE(taking->fault, err, 0, "take", taking->path);
}

err_t
parcel_take(world_t *world, store_t *store, const char *path, const id128_t *site,
            const digest_t *signing_key, parcel_about_t *ret_about, parcel_result_t *ret_result,
            fault_t *fault)
{
    taking_t taking = {.world = world, .store = store, .path = path, .fault = fault};
    taking.fd = world_open(world, AT_FDCWD, path, O_RDONLY | O_NONBLOCK, 0, 0);
    if (taking.fd < 0) {
        return PATH_FAIL(fault, taking.fd, "open", path);
    }
    err_t err = take(&taking, site, signing_key, ret_about);
    world_close(world, taking.fd);
    squeeze_release(&taking.squeeze);
    free(taking.stored);
    free(taking.bytes);
    *ret_result = taking.result;
    return err;
}
