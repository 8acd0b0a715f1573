/* backup_restore.c - a data directory from a backup.
 *
 * Bytes    DATA/restore: "despool restore 1", id, state (begun, done), the digest line of a seal.
 * Valid    as a data directory when the state is done.
 * A crash  leaves state begun, which no host starts on, or a whole data directory.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/content/backup_copy.h"
#include "actors/content/fail.h"
#include "actors/content/seal.h"
#include "actors/content/store.h"
#include "actors/content/sync_points.h"
#include "proto/limits.h"

#define LIST_BYTES_MAX (256u << 20) /* of `files`; a longer one is refused (too-large) */

typedef struct restoring {
    copier_t copier;
    id128_t id;
    uint64_t files; /* by the backup's own count */
    digest_t list_digest;
    char *list;
    size_t list_size;
    bool begun; /* the mark is written, or may be */
} restoring_t;

/* ---- the mark of a restore ---- */

static err_t
write_mark(restoring_t *restoring, const char *state)
{
    seal_t seal;
    seal_begin(&seal, "restore");
    seal_put_hex(&seal, "id", restoring->id.byte, sizeof restoring->id.byte);
    seal_put(&seal, "state", state);
    TRY(seal_close(&seal));
    return seal_write(restoring->copier.world, restoring->copier.to, RESTORE_NAME, &seal,
                      SYNC_BACKUP_DATA, SYNC_BACKUP_NAMES, restoring->copier.fault);
}

static err_t
read_mark(world_t *world, int dir, id128_t *ret_restore, fault_t *fault)
{
    seal_t seal;
    char state[8];
    err_t err = seal_read(world, dir, RESTORE_NAME, "restore", &seal, fault);
    if (err != OK) {
        return err == ERR_NOT_FOUND ? OK : err;
    }
    bool whole = seal_get(&seal, "state", state, sizeof state) &&
                 seal_get_hex(&seal, "id", ret_restore->byte, sizeof ret_restore->byte);
    if (!whole) {
        return RAISE(fault, ERR_DAMAGED, 0, "read", RESTORE_NAME);
    }
    return strcmp(state, "done") == 0 ? OK
                                      : RAISE(fault, ERR_HALF_RESTORED, 0, "use", RESTORE_NAME);
}

err_t
backup_restored(world_t *world, const char *data, id128_t *ret_restore, fault_t *fault)
{
    *ret_restore = (id128_t){{0}};
    int dir = world_open(world, AT_FDCWD, data, BACKUP_DIRECTORY, 0, 0);
    if (dir < 0) {
        return dir == -ENOENT ? OK : FAIL(fault, dir, "open", data);
    }
    err_t err = read_mark(world, dir, ret_restore, fault);
    world_close(world, dir);
    return err;
}

/* ---- what the backup says of itself ---- */

static err_t
read_seal(restoring_t *restoring, const char *path)
{
    copier_t *copier = &restoring->copier;
    seal_t seal;
    err_t err = seal_read(copier->world, copier->from, "backup", "backup", &seal, copier->fault);
    if (err == ERR_NOT_FOUND) {
        return RAISE(copier->fault, ERR_NO_BACKUP, 0, "restore", path);
    }
    TRY(err);
    bool whole = seal_get_number(&seal, "files", &restoring->files) &&
                 seal_get_hex(&seal, "list", restoring->list_digest.byte,
                              sizeof restoring->list_digest.byte);
    return whole ? OK : RAISE(copier->fault, ERR_BAD_BACKUP, 0, "read", "backup");
}

static err_t
read_all(restoring_t *restoring, int fd, uint64_t size)
{
    copier_t *copier = &restoring->copier;
    restoring->list = malloc((size_t) size + 1);
    if (restoring->list == NULL) {
        return NO_MEMORY(copier->fault, "files");
    }
    while (restoring->list_size < size) {
        int64_t got = world_read(copier->world, fd, restoring->list + restoring->list_size,
                                 (size_t) (size - restoring->list_size), restoring->list_size);
        if (got <= 0) {
            return got < 0 ? FAIL(copier->fault, got, "read", "files")
                           : RAISE(copier->fault, ERR_BAD_BACKUP, 0, "read", "files");
        }
        restoring->list_size += (size_t) got;
    }
    restoring->list[size] = 0;
    return OK;
}

static err_t
read_list(restoring_t *restoring)
{
    copier_t *copier = &restoring->copier;
    world_stat_t stat;
    digest_t digest;
    int fd =
        world_open(copier->world, copier->from, "files", O_RDONLY | O_NOFOLLOW, 0, WORLD_BENEATH);
    if (fd < 0) {
        return FAIL(copier->fault, fd, "open", "files");
    }
    int result = world_stat(copier->world, fd, &stat);
    err_t err = result < 0 ? FAIL(copier->fault, result, "stat", "files")
                : stat.size > LIST_BYTES_MAX
                    ? RAISE(copier->fault, ERR_TOO_LARGE, 0, "read", "files")
                    : read_all(restoring, fd, stat.size);
    world_close(copier->world, fd);
    TRY(err);
    hash_bytes(copier->hash, restoring->list, restoring->list_size, &digest);
    return digest_equal(&digest, &restoring->list_digest)
               ? OK
               : RAISE(copier->fault, ERR_BAD_BACKUP, 0, "read", "files");
}

/* ---- files ---- */

/* A name that leads out of the directory is refused by the world (WORLD_BENEATH). */
static err_t
copy_line(restoring_t *restoring, const char *line)
{
    copier_t *copier = &restoring->copier;
    digest_t listed, copied;
    bool whole = strlen(line) > 66 && line[64] == ' ' && line[65] == ' ' &&
                 bytes_of_hex((slice_t){line, 64}, listed.byte, sizeof listed.byte);
    if (!whole) {
        return RAISE(copier->fault, ERR_BAD_BACKUP, 0, "read", "files");
    }
    err_t err = copier_file(copier, line + 66, &copied);
    if (err == ERR_NOT_FOUND || (err == OK && !digest_equal(&listed, &copied))) {
        return RAISE(copier->fault, ERR_BAD_BACKUP, 0, "restore", line + 66);
    }
    return err;
}

static err_t
copy_lines(restoring_t *restoring)
{
    uint64_t count = 0;
    for (char *line = restoring->list, *end = NULL; *line != 0; line = end + 1) {
        end = strchr(line, '\n');
        if (end == NULL) {
            return RAISE(restoring->copier.fault, ERR_BAD_BACKUP, 0, "read", "files");
        }
        *end = 0;
        TRY(copy_line(restoring, line));
        count++;
    }
    return count == restoring->files
               ? OK
               : RAISE(restoring->copier.fault, ERR_BAD_BACKUP, 0, "count", "files");
}

/* The index was copied before the packs, and more came to these meanwhile: where the copied runs
 * lack it, it would look like a run that is gone. What went bad at the site stays so, and a check
 * tells. */
static err_t
name_what_came(const copier_t *copier, const char *data)
{
    char path[PATH_BYTES_MAX + 1];
    store_t *store = NULL;
    uint64_t objects = 0;
    int size = snprintf(path, sizeof path, "%s/store", data);
    if (size < 0 || (size_t) size >= sizeof path) {
        return RAISE(copier->fault, ERR_NAME_TOO_LONG, 0, "restore to", data);
    }
    TRY(store_open(copier->world, path, &store, copier->fault));
    err_t err = store_find_lost(store, true, &objects, copier->fault);
    store_close(&store);
    return err == ERR_DAMAGED ? OK : err;
}

static err_t
restore(restoring_t *restoring, const char *dir, const char *data)
{
    TRY(read_seal(restoring, dir));
    TRY(read_list(restoring));
    restoring->begun = true;
    TRY(write_mark(restoring, "begun"));
    TRY(copier_make_directories(&restoring->copier));
    TRY(copy_lines(restoring));
    TRY(copier_sync_names(&restoring->copier));
    TRY(name_what_came(&restoring->copier, data));
    return write_mark(restoring, "done");
}

/* Empty, or not there and made. */
static err_t
make_room(world_t *world, const char *data, bool *ret_made, fault_t *fault)
{
    bool empty = false;
    int made = world_make_dir(world, AT_FDCWD, data, 0700);
    if (made < 0 && made != -EEXIST) {
        return PATH_FAIL(fault, made, "make", data);
    }
    *ret_made = made == 0;
    int fd = world_open(world, AT_FDCWD, data, BACKUP_DIRECTORY, 0, 0);
    if (fd < 0) {
        return PATH_FAIL(fault, fd, "open", data);
    }
    err_t err = backup_is_empty(world, fd, data, &empty, fault);
    err = err == OK && !empty ? RAISE(fault, ERR_NOT_EMPTY, 0, "restore to", data) : err;
    err = err == OK ? backup_sync_above(world, fd, data, fault) : err;
    world_close(world, fd);
    return err;
}

err_t
backup_restore(world_t *world, const char *dir, const char *data, backup_result_t *ret_result,
               fault_t *fault)
{
    restoring_t restoring = {.copier = {.world = world, .fault = fault}};
    world_stat_t stat;
    if (world_stat_at(world, AT_FDCWD, dir, &stat) == -ENOENT) {
        return RAISE(fault, ERR_NO_BACKUP, ENOENT, "restore", dir);
    }
    bool made = false;
    TRY(make_room(world, data, &made, fault));
    world_random(world, restoring.id.byte, sizeof restoring.id.byte);
    err_t err = copier_open(&restoring.copier, dir, data);
    err = err == OK ? restore(&restoring, dir, data) : err;
    copier_close(&restoring.copier);
    free(restoring.list);
    if (err != OK && made && !restoring.begun) {
        (void) world_remove_dir(world, AT_FDCWD, data); /* as it was: nothing is in it */
    }
    *ret_result = restoring.copier.result;
    return err;
}
