/* staging.c - see staging.h.
 *
 * Bytes    DATA/incoming/<64 hex>: the first bytes of the object of this digest, nothing else.
 *          DATA/incoming/<64 hex>.list: rows of pack.h, their check u64; empty: there is no list.
 * Valid    when the whole has the digest; a part is believed until then, as nobody else uses it. A
 *          list when its check agrees; without one it is begun anew.
 * A crash  leaves what was synced, perhaps more; a whole object may be there and in the store.
 */
#include "actors/content/staging.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "actors/content/big_endian.h"
#include "actors/content/check64.h"
#include "actors/content/fail.h"
#include "actors/content/listing.h"
#include "actors/content/sync_points.h"
#include "actors/content/write_all.h"
#include "proto/limits.h"

#define DIRECTORY       (O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
#define HOW             WORLD_BENEATH
#define NAME_BYTES      65u
#define LIST_NAME_BYTES 70u
#define CHECK_BYTES     8u
#define WHOLE_MAX       16384u /* objects that became whole since a commit; then it commits */

struct staging {
    world_t *world;
    store_t *store;
    int parent, dir; /* DATA and DATA/incoming */
    bool made;       /* the directory was not there */
    bool named;      /* its name is durable */
    bool parted;     /* a part was put since the last commit */
    bool looked;     /* into the directory, for what follows */
    bool parts;      /* there may be objects that are not whole */
    digest_t *whole; /* staged and in the store: to be removed after the commit */
    uint32_t whole_count;
};

static void
name_of(const digest_t *object, char name[NAME_BYTES])
{
    hex_of_bytes(object->byte, sizeof object->byte, name);
}

/* What is made here becomes durable with the first commit of a part. */
static int
open_directories(staging_t *staging, const char *data)
{
    world_t *world = staging->world;
    staging->parent = world_open(world, AT_FDCWD, data, O_RDONLY | O_DIRECTORY, 0, 0);
    if (staging->parent < 0) {
        return staging->parent;
    }
    int made = world_make_dir(world, staging->parent, "incoming", 0700);
    if (made < 0 && made != -EEXIST) {
        return made;
    }
    staging->made = made == 0;
    staging->dir = world_open(world, staging->parent, "incoming", DIRECTORY, 0, WORLD_BENEATH);
    return staging->dir;
}

err_t
staging_open(world_t *world, const char *data, store_t *store, staging_t **ret_staging,
             fault_t *fault)
{
    staging_t *staging = calloc(1, sizeof *staging);
    digest_t *whole = calloc(WHOLE_MAX, sizeof *whole);
    if (staging == NULL || whole == NULL) {
        free(staging);
        free(whole);
        return NO_MEMORY(fault, "incoming");
    }
    staging->world = world;
    staging->store = store;
    staging->whole = whole;
    staging->parent = staging->dir = -1;
    int result = open_directories(staging, data);
    if (result < 0) {
        staging_close(&staging);
        return FAIL(fault, result, "open", "incoming");
    }
    *ret_staging = staging;
    return OK;
}

void
staging_close(staging_t **staging)
{
    staging_t *old = *staging;
    if (old == NULL) {
        return;
    }
    if (old->dir >= 0) {
        world_close(old->world, old->dir);
    }
    if (old->parent >= 0) {
        world_close(old->world, old->parent);
    }
    free(old->whole);
    free(old);
    *staging = NULL;
}

/* Nobody else makes any while this is open. */
static err_t
look_for_parts(staging_t *staging, fault_t *fault)
{
    listing_t names = {0};
    if (staging->looked) {
        return OK;
    }
    TRY(listing_read(staging->world, staging->dir, "incoming", &names, fault));
    for (uint32_t i = 0; i < names.count; i++) {
        staging->parts |= strchr(names.name[i], '.') == NULL;
    }
    listing_release(&names);
    staging->looked = true;
    return OK;
}

/* Mostly there is none: to ask for each name of 16,851 files took 7 % of what they cost an agent.
 */
err_t
staging_size(staging_t *staging, const digest_t *object, uint64_t *ret_size, fault_t *fault)
{
    char name[NAME_BYTES];
    world_stat_t stat;
    *ret_size = 0;
    TRY(look_for_parts(staging, fault));
    if (!staging->parts) {
        return OK;
    }
    name_of(object, name);
    int result = world_stat_at(staging->world, staging->dir, name, &stat);
    if (result < 0 && result != -ENOENT) {
        return FAIL(fault, result, "stat", name);
    }
    *ret_size = result < 0 ? 0 : stat.size;
    return OK;
}

/* ---- lists ---- */

static void
list_name_of(const digest_t *object, char name[LIST_NAME_BYTES])
{
    name_of(object, name);
    memcpy(name + NAME_BYTES - 1, ".list", sizeof ".list");
}

static err_t
read_list(staging_t *staging, int fd, const char *name, uint64_t size, uint8_t **ret_bytes,
          fault_t *fault)
{
    uint8_t *bytes = malloc(size + 1);
    if (bytes == NULL) {
        return NO_MEMORY(fault, "a list of chunks");
    }
    uint64_t done = 0;
    int64_t got = 1;
    while (done < size && got > 0) {
        got = world_read(staging->world, fd, bytes + done, size - done, done);
        done += got > 0 ? (uint64_t) got : 0;
    }
    if (got < 0 || done < size) {
        free(bytes);
        return FAIL(fault, got < 0 ? got : -EIO, "read", name);
    }
    *ret_bytes = bytes;
    return OK;
}

static err_t
look_at_list(staging_t *staging, int fd, const char *name, staging_list_t *ret, fault_t *fault)
{
    world_stat_t stat;
    uint8_t *bytes = NULL;
    int result = world_stat(staging->world, fd, &stat);
    if (result < 0) {
        return FAIL(fault, result, "stat", name);
    }
    ret->known = stat.size == 0;
    if (stat.size < CHECK_BYTES || stat.size > AGENT_LIST_BYTES_MAX + CHECK_BYTES) {
        return OK;
    }
    size_t size = (size_t) stat.size - CHECK_BYTES;
    TRY(read_list(staging, fd, name, stat.size, &bytes, fault));
    if (check64(bytes, size) != get_u64(bytes + size)) {
        free(bytes);
        return OK;
    }
    *ret = (staging_list_t){true, bytes, size};
    return OK;
}

err_t
staging_list(staging_t *staging, const digest_t *object, staging_list_t *ret_list, fault_t *fault)
{
    char name[LIST_NAME_BYTES];
    *ret_list = (staging_list_t){.known = false};
    list_name_of(object, name);
    int fd = world_open(staging->world, staging->dir, name, O_RDONLY | O_NOFOLLOW, 0, HOW);
    if (fd < 0) {
        return fd == -ENOENT ? OK : FAIL(fault, fd, "open", name);
    }
    err_t err = look_at_list(staging, fd, name, ret_list, fault);
    world_close(staging->world, fd);
    return err;
}

/* With its last part the check of all of it is written. */
static err_t
append_list(staging_t *staging, int fd, const char *name, const staging_part_t *part,
            fault_t *fault)
{
    world_t *world = staging->world;
    uint8_t check[CHECK_BYTES], *bytes = NULL;
    int result = part->from == 0 ? world_truncate(world, fd, 0) : 0;
    result =
        result < 0 ? result : write_all(world, fd, part->bytes.data, part->bytes.size, part->from);
    if (result >= 0 && part->total > 0 && part->from + part->bytes.size == part->total) {
        TRY(read_list(staging, fd, name, part->total, &bytes, fault));
        put_u64(check, check64(bytes, (size_t) part->total));
        free(bytes);
        result = write_all(world, fd, check, sizeof check, part->total);
    }
    result = result < 0 ? result : sync_point_file(world, SYNC_STAGED_DATA, fd);
    if (result < 0) {
        (void) world_remove(world, staging->dir, name);
        return FAIL(fault, result, "write", name);
    }
    return OK;
}

/* One that is too long to be kept is none. */
err_t
staging_put_list(staging_t *staging, const staging_part_t *part, fault_t *fault)
{
    char name[LIST_NAME_BYTES];
    world_stat_t stat = {.size = 0};
    if (part->total > AGENT_LIST_BYTES_MAX) {
        return staging_refuse_list(staging, &part->object, fault);
    }
    list_name_of(&part->object, name);
    int fd =
        world_open(staging->world, staging->dir, name, O_RDWR | O_CREAT | O_NOFOLLOW, 0600, HOW);
    if (fd < 0) {
        return FAIL(fault, fd, "open", name);
    }
    staging->parted = true;
    int result = world_stat(staging->world, fd, &stat);
    bool gap = part->from > stat.size || part->bytes.size > part->total ||
               part->from > part->total - part->bytes.size;
    err_t err = result < 0 ? FAIL(fault, result, "stat", name)
                : gap      ? RAISE(fault, ERR_BAD_VALUE, 0, "append to", name)
                           : append_list(staging, fd, name, part, fault);
    world_close(staging->world, fd);
    return err;
}

err_t
staging_refuse_list(staging_t *staging, const digest_t *object, fault_t *fault)
{
    staging_part_t none = {.object = *object};
    return staging_put_list(staging, &none, fault);
}

err_t
staging_end_list(staging_t *staging, const digest_t *object, fault_t *fault)
{
    char name[LIST_NAME_BYTES];
    list_name_of(object, name);
    int result = world_remove(staging->world, staging->dir, name);
    return result < 0 && result != -ENOENT ? FAIL(fault, result, "remove", name) : OK;
}

/* ---- parts ---- */

static err_t
check_digest(const digest_t *found, const digest_t *object, fault_t *fault)
{
    char name[NAME_BYTES];
    name_of(object, name);
    return digest_equal(found, object) ? OK : RAISE(fault, ERR_DIGEST, 0, "receive", name);
}

/* The most common case: it came in one piece. */
static err_t
put_whole(staging_t *staging, const staging_part_t *part, fault_t *fault)
{
    char name[NAME_BYTES];
    store_object_t object = {part->object, part->bytes, part->packed, part->delta};
    err_t err = store_put_object(staging->store, &object, fault);
    name_of(&part->object, name);
    return err == ERR_DIGEST ? RAISE(fault, err, 0, "receive", name) : err;
}

/* After a sync that failed nobody knows what of the file is on the disk, and the next sync would
 * not tell: all of it comes again. */
static int
append(staging_t *staging, int fd, const char *name, const staging_part_t *part)
{
    world_t *world = staging->world;
    int result = write_all(world, fd, part->bytes.data, part->bytes.size, part->from);
    if (result < 0) {
        return result;
    }
    result = sync_point_file(world, SYNC_STAGED_DATA, fd);
    if (result < 0) {
        (void) world_remove(world, staging->dir, name);
    }
    return result;
}

/* What turns out to be another object is thrown away: all of it comes again. */
static err_t
finish(staging_t *staging, int fd, const char *name, const digest_t *object, fault_t *fault)
{
    store_put_t put;
    TRY(store_put_file(staging->store, fd, name, &put, fault));
    err_t err = check_digest(&put.digest, object, fault);
    if (err != OK) {
        (void) world_remove(staging->world, staging->dir, name);
        return err;
    }
    staging->whole[staging->whole_count++] = *object;
    return staging->whole_count == WHOLE_MAX ? staging_commit(staging, fault) : OK;
}

static err_t
put_part(staging_t *staging, const staging_part_t *part, fault_t *fault)
{
    char name[NAME_BYTES];
    uint64_t there = 0;
    name_of(&part->object, name);
    TRY(staging_size(staging, &part->object, &there, fault));
    if (part->from > there || part->bytes.size > part->total ||
        part->from > part->total - part->bytes.size) {
        return RAISE(fault, ERR_BAD_VALUE, 0, "append to", name);
    }
    int fd =
        world_open(staging->world, staging->dir, name, O_RDWR | O_CREAT | O_NOFOLLOW, 0600, HOW);
    if (fd < 0) {
        return FAIL(fault, fd, "open", name);
    }
    staging->parted = staging->parts = true;
    int result = append(staging, fd, name, part);
    err_t err = result < 0 ? FAIL(fault, result, "write", name) : OK;
    if (err == OK && part->from + part->bytes.size == part->total) {
        err = finish(staging, fd, name, &part->object, fault);
    }
    world_close(staging->world, fd);
    return err;
}

err_t
staging_put(staging_t *staging, const staging_part_t *part, fault_t *fault)
{
    bool whole = part->from == 0 && part->bytes.size == part->total;
    return whole ? put_whole(staging, part, fault) : put_part(staging, part, fault);
}

/* Whatever makes the store's directories durable has synced DATA, in which this one stood unless it
 * was made since. */
static bool
is_named(const staging_t *staging)
{
    return staging->named || (!staging->made && store_is_laid_out(staging->store));
}

/* Also names that were there: who made them may have been killed before they were synced. */
static err_t
sync_names(staging_t *staging, fault_t *fault)
{
    int result = sync_point_file(staging->world, SYNC_STAGED_NAMES, staging->dir);
    if (result >= 0 && !is_named(staging)) {
        result = sync_point_file(staging->world, SYNC_STAGED_NAMES, staging->parent);
        staging->named = result >= 0;
    }
    staging->parted = result < 0;
    return result < 0 ? FAIL(fault, result, "sync", "incoming") : OK;
}

err_t
staging_commit(staging_t *staging, fault_t *fault)
{
    TRY(staging->parted ? sync_names(staging, fault) : OK);
    TRY(store_commit(staging->store, fault));
    for (; staging->whole_count > 0; staging->whole_count--) {
        char name[NAME_BYTES];
        name_of(&staging->whole[staging->whole_count - 1], name);
        int result = world_remove(staging->world, staging->dir, name);
        if (result < 0 && result != -ENOENT) {
            return FAIL(fault, result, "remove", name);
        }
    }
    return OK;
}
