/* parcel.c - the bytes of a parcel, and how it is written.
 *
 * Bytes    see parcel.h; while it is written its name ends with ".part".
 * A crash  leaves such a part, which the next run with the same name writes over.
 */
#include "actors/content/parcel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/content/big_endian.h"
#include "actors/content/check64.h"
#include "actors/content/fail.h"
#include "actors/content/parcel_inner.h"
#include "actors/content/store_mark.h"
#include "actors/content/sync_points.h"
#include "actors/content/write_all.h"

#define HEAD_MARK "DSPARCEL"
#define END_MARK  "DSPAREND"
#define FORMAT    1u

enum {
    AT_FORMAT = 8,
    AT_NAME_SIZE = 10,
    AT_SITE = 16,
    AT_EPOCH = 32,
    AT_ROOT = 40,
    AT_NAME = 72,
    AT_SIGNATURE = 136
};

static signed_version_t
said_of(const parcel_about_t *about)
{
    return (signed_version_t){.site = about->site,
                              .epoch = about->epoch,
                              .root = about->root,
                              .package = slice_of(about->package)};
}

void
parcel_head_encode(const parcel_about_t *about, const secret_t *signing,
                   uint8_t ret_bytes[PARCEL_HEAD_BYTES])
{
    signed_version_t said = said_of(about);
    memset(ret_bytes, 0, PARCEL_HEAD_BYTES);
    memcpy(ret_bytes, HEAD_MARK, AT_FORMAT);
    put_u16(ret_bytes + AT_FORMAT, FORMAT);
    put_u16(ret_bytes + AT_NAME_SIZE, (uint16_t) strlen(about->package));
    memcpy(ret_bytes + AT_SITE, about->site.byte, sizeof about->site.byte);
    put_u64(ret_bytes + AT_EPOCH, about->epoch);
    memcpy(ret_bytes + AT_ROOT, about->root.byte, sizeof about->root.byte);
    memcpy(ret_bytes + AT_NAME, about->package, strlen(about->package));
    sign_version(signing, SIGN_PARCEL, &said, ret_bytes + AT_SIGNATURE);
}

err_t
parcel_head_decode(const uint8_t bytes[PARCEL_HEAD_BYTES], const id128_t *site,
                   const digest_t *signing_key, parcel_about_t *ret_about)
{
    size_t name = get_u16(bytes + AT_NAME_SIZE);
    if (memcmp(bytes, HEAD_MARK, AT_FORMAT) != 0 || get_u16(bytes + AT_FORMAT) != FORMAT ||
        name == 0 || name > NAME_BYTES_MAX) {
        return ERR_NO_PARCEL;
    }
    *ret_about = (parcel_about_t){.epoch = get_u64(bytes + AT_EPOCH)};
    memcpy(ret_about->site.byte, bytes + AT_SITE, sizeof ret_about->site.byte);
    memcpy(ret_about->root.byte, bytes + AT_ROOT, sizeof ret_about->root.byte);
    memcpy(ret_about->package, bytes + AT_NAME, name);
    signed_version_t said = said_of(ret_about);
    slice_t signature = {(const char *) bytes + AT_SIGNATURE, SIGN_BYTES};
    bool ours = memcmp(&ret_about->site, site, sizeof *site) == 0;
    return ours ? sign_check(signing_key, SIGN_PARCEL, &said, signature) : ERR_SIGNATURE;
}

void
parcel_end_encode(const parcel_result_t *result, uint8_t ret_bytes[PARCEL_END_BYTES])
{
    memset(ret_bytes, 0, PARCEL_END_BYTES);
    memcpy(ret_bytes, END_MARK, 8);
    put_u64(ret_bytes + 8, result->objects);
    put_u64(ret_bytes + 16, result->bytes);
}

err_t
parcel_end_decode(const uint8_t bytes[PARCEL_END_BYTES], parcel_result_t *ret_result)
{
    ret_result->objects = get_u64(bytes + 8);
    ret_result->bytes = get_u64(bytes + 16);
    return memcmp(bytes, END_MARK, 8) == 0 ? OK : ERR_NO_PARCEL;
}

/* ---- writing ---- */

typedef struct writing {
    world_t *world;
    store_t *store;
    const char *path;
    int fd; /* -1: nothing is written */
    pack_kind_t kind;
    marks_t marks;
    hash_t *hash;
    parcel_result_t result;
    store_progress_fn *progress;
    void *context;
} writing_t;

static err_t
put(writing_t *writing, const void *bytes, size_t size, fault_t *fault)
{
    hash_add(writing->hash, bytes, size);
    int result = writing->fd < 0
                     ? 0
                     : write_all(writing->world, writing->fd, bytes, size, writing->result.bytes);
    writing->result.bytes += size;
    if (writing->progress != NULL) {
        writing->progress(writing->context, writing->result.bytes);
    }
    return result < 0 ? FAIL(fault, result, "write", writing->path) : OK;
}

/* A record whose bytes do not agree with its check any more is in no parcel. */
static err_t
put_entry(void *context, const run_entry_t *entry, size_t run, uint64_t ordinal, fault_t *fault)
{
    static const uint8_t zeros[RECORD_ALIGN];
    writing_t *writing = context;
    const uint8_t *stored = NULL;
    uint8_t head[RECORD_HEAD_BYTES];
    if (entry->kind != writing->kind || !marks_has(&writing->marks, run, ordinal)) {
        return OK;
    }
    TRY(store_look_again(writing->store, entry, fault));
    TRY(store_stored(writing->store, entry, false, &stored, fault));
    pack_record_t record = {.kind = entry->kind,
                            .packing = entry->packing,
                            .stored = entry->stored,
                            .size = entry->size,
                            .digest = entry->digest,
                            .body_check = check64(stored, entry->stored)};
    pack_record_encode(&record, head);
    writing->result.objects++;
    TRY(put(writing, head, sizeof head, fault));
    TRY(put(writing, stored, entry->stored, fault));
    return put(writing, zeros, pack_record_bytes(entry->stored) - RECORD_HEAD_BYTES - entry->stored,
               fault);
}

static err_t
put_records(writing_t *writing, const digest_t *root, fault_t *fault)
{
    store_t *store = writing->store;
    TRY(marks_init(&writing->marks, store, writing->progress, writing->context, fault));
    TRY(marks_root(&writing->marks, root));
    if (writing->marks.missing > 0) {
        return RAISE(fault, ERR_DIGEST, 0, "read from the store", "all that the version needs");
    }
    for (writing->kind = PACK_BYTES; writing->kind <= PACK_LIST; writing->kind++) {
        TRY(store_each_entry(store, put_entry, writing, fault));
    }
    return OK;
}

static err_t
put_end(writing_t *writing, fault_t *fault)
{
    uint8_t end[PARCEL_END_BYTES];
    digest_t digest;
    parcel_end_encode(&writing->result, end);
    TRY(put(writing, end, sizeof end - sizeof digest.byte, fault));
    hash_end(writing->hash, &digest);
    return put(writing, digest.byte, sizeof digest.byte, fault);
}

static err_t
put_all(writing_t *writing, const parcel_about_t *about, const secret_t *signing, fault_t *fault)
{
    uint8_t head[PARCEL_HEAD_BYTES];
    hash_begin(writing->hash);
    parcel_head_encode(about, signing, head);
    TRY(put(writing, head, sizeof head, fault));
    TRY(store_view_refresh(writing->store, fault));
    writing->store->holds_runs = true;
    err_t err = put_records(writing, &about->root, fault);
    writing->store->holds_runs = false;
    marks_release(&writing->marks);
    return err == OK ? put_end(writing, fault) : err;
}

static int
sync_above(world_t *world, const char *path)
{
    char above[PATH_BYTES_MAX + 1];
    const char *slash = strrchr(path, '/');
    snprintf(above, sizeof above, "%.*s", slash == path ? 1 : (int) (slash - path), path);
    int fd = world_open(world, AT_FDCWD, above, O_RDONLY | O_DIRECTORY, 0, 0);
    int result = fd < 0 ? fd : sync_point_file(world, SYNC_BACKUP_NAMES, fd);
    if (fd >= 0) {
        world_close(world, fd);
    }
    return result;
}

/* One that is there is not written over; a part that a cut run has left is. */
static err_t
write_file(writing_t *writing, const parcel_about_t *about, const secret_t *signing, fault_t *fault)
{
    world_t *world = writing->world;
    char part[PATH_BYTES_MAX + 8];
    world_stat_t stat;
    int found = world_stat_at(world, AT_FDCWD, writing->path, &stat);
    if (found != -ENOENT) {
        return PATH_FAIL(fault, found < 0 ? found : -EEXIST, "write", writing->path);
    }
    snprintf(part, sizeof part, "%s.part", writing->path);
    writing->fd =
        world_open(world, AT_FDCWD, part, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600, 0);
    if (writing->fd < 0) {
        return PATH_FAIL(fault, writing->fd, "create", part);
    }
    err_t err = put_all(writing, about, signing, fault);
    int result = err == OK ? sync_point_file(world, SYNC_BACKUP_DATA, writing->fd) : 0;
    int closed = world_close(world, writing->fd);
    result = result < 0 ? result : closed;
    if (err == OK && result >= 0) {
        result = world_rename(world, AT_FDCWD, part, AT_FDCWD, writing->path);
        result = result < 0 ? result : sync_above(world, writing->path);
    } else {
        (void) world_remove(world, AT_FDCWD, part);
    }
    return err == OK && result < 0 ? FAIL(fault, result, "write", writing->path) : err;
}

err_t
parcel_write(world_t *world, store_t *store, const parcel_about_t *about, const secret_t *signing,
             const char *path, store_progress_fn *progress, void *context,
             parcel_result_t *ret_result, fault_t *fault)
{
    writing_t writing = {.world = world,
                         .store = store,
                         .path = path,
                         .fd = -1,
                         .progress = progress,
                         .context = context};
    err_t err = hash_new(&writing.hash);
    if (err != OK) {
        return NO_MEMORY(fault, "a parcel");
    }
    err = path == NULL ? put_all(&writing, about, signing, fault)
                       : write_file(&writing, about, signing, fault);
    hash_destroy(&writing.hash);
    *ret_result = writing.result;
    return err;
}
