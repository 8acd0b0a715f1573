/* staging.c - see staging.h.
 *
 * Bytes    DATA/incoming/<64 hex>: the first bytes of the object of this digest, nothing else.
 * Valid    when the whole has the digest; a part is believed until then, as nobody else uses it.
 * A crash  leaves what was synced, perhaps more; a whole object may be there and in the store.
 */
#include "actors/content/staging.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "actors/content/fail.h"
#include "actors/content/sync_points.h"
#include "actors/content/write_all.h"

#define DIRECTORY  (O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
#define HOW        WORLD_BENEATH
#define NAME_BYTES 65u
#define WHOLE_MAX  16384u /* objects that became whole since the last commit; then it commits */

struct staging {
    world_t *world;
    store_t *store;
    hash_t *hash;
    int dir;
    bool named;      /* a name was made since the last commit */
    digest_t *whole; /* staged and in the store: to be removed after the commit */
    uint32_t whole_count;
};

static void
name_of(const digest_t *object, char name[NAME_BYTES])
{
    hex_of_bytes(object->byte, sizeof object->byte, name);
}

static int
open_directory(world_t *world, const char *data)
{
    int parent = world_open(world, AT_FDCWD, data, O_RDONLY | O_DIRECTORY, 0, 0);
    if (parent < 0) {
        return parent;
    }
    int made = world_make_dir(world, parent, "incoming", 0700);
    int result = made == 0 ? sync_point_file(world, SYNC_STAGED_NAMES, parent) : made;
    int dir = result == 0 || result == -EEXIST
                  ? world_open(world, parent, "incoming", DIRECTORY, 0, WORLD_BENEATH)
                  : result;
    world_close(world, parent);
    return dir;
}

err_t
staging_open(world_t *world, const char *data, store_t *store, staging_t **ret_staging,
             fault_t *fault)
{
    staging_t *staging = calloc(1, sizeof *staging);
    digest_t *whole = calloc(WHOLE_MAX, sizeof *whole);
    if (staging == NULL || whole == NULL || hash_new(&staging->hash) != OK) {
        free(staging);
        free(whole);
        return NO_MEMORY(fault, "incoming");
    }
    staging->world = world;
    staging->store = store;
    staging->whole = whole;
    staging->dir = open_directory(world, data);
    if (staging->dir < 0) {
        int result = staging->dir;
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
    hash_destroy(&old->hash);
    free(old->whole);
    free(old);
    *staging = NULL;
}

err_t
staging_size(staging_t *staging, const digest_t *object, uint64_t *ret_size, fault_t *fault)
{
    char name[NAME_BYTES];
    world_stat_t stat;
    name_of(object, name);
    int result = world_stat_at(staging->world, staging->dir, name, &stat);
    if (result < 0 && result != -ENOENT) {
        return FAIL(fault, result, "stat", name);
    }
    *ret_size = result < 0 ? 0 : stat.size;
    return OK;
}

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
    digest_t found;
    store_put_t put;
    hash_bytes(staging->hash, part->bytes.data, part->bytes.size, &found);
    TRY(check_digest(&found, &part->object, fault));
    return store_put_bytes(staging->store, part->bytes.data, part->bytes.size, &put, fault);
}

static int
append(staging_t *staging, int fd, const staging_part_t *part)
{
    world_t *world = staging->world;
    int result = write_all(world, fd, part->bytes.data, part->bytes.size, part->from);
    return result < 0 ? result : sync_point_file(world, SYNC_STAGED_DATA, fd);
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
    staging->named |= there == 0;
    int result = append(staging, fd, part);
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

err_t
staging_commit(staging_t *staging, fault_t *fault)
{
    if (staging->named) {
        int result = sync_point_file(staging->world, SYNC_STAGED_NAMES, staging->dir);
        if (result < 0) {
            return FAIL(fault, result, "sync", "incoming");
        }
        staging->named = false;
    }
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
