/* copy.c - the database as a file of its own, as it is after the last transaction.
 *
 * Bytes    those of site.db after its log was written back into it.
 * Valid    as site.db is: nobody changes it while the job that copies has the connection.
 * Crash    leaves half a copy; who asked for it does not call it one before it was told.
 */
#include "actors/database/connection.h"

#include <fcntl.h>

#include "proto/limits.h"

#define COPY_BYTES 65536u

static err_t
copy_bytes(world_t *world, int from, int to, fault_t *fault)
{
    uint8_t bytes[COPY_BYTES];
    uint64_t at = 0;
    int64_t got = 0;
    while ((got = world_read(world, from, bytes, sizeof bytes, at)) > 0) {
        int64_t put = world_write(world, to, bytes, (size_t) got, at);
        if (put < 0) {
            return RAISE(fault, err_of_errno((int) -put), (int) -put, "write", "site.db copy");
        }
        at += (uint64_t) put;
    }
    if (got < 0) {
        return RAISE(fault, err_of_errno((int) -got), (int) -got, "read", "site.db");
    }
    int synced = world_truncate(world, to, at);
    synced = synced < 0 ? synced : world_sync(world, to);
    return synced == 0 ? OK : RAISE(fault, err_of_errno(-synced), -synced, "sync", "site.db copy");
}

/* What is still in the log would not be in the copy. */
static err_t
write_log_back(connection_t *connection, fault_t *fault)
{
    world_stat_t stat;
    TRY(connection_execute(connection, "PRAGMA wal_checkpoint(TRUNCATE)", fault));
    bool left = world_stat_at(connection->world, connection->data_fd, "site.db-wal", &stat) == 0 &&
                stat.size > 0;
    return left ? RAISE(fault, ERR_BUSY, 0, "write back", "site.db-wal") : OK;
}

err_t
connection_copy(connection_t *connection, int dir, const char *name, int flags, fault_t *fault)
{
    world_t *world = connection->world;
    TRY(write_log_back(connection, fault));
    int from = world_open(world, connection->data_fd, "site.db", O_RDONLY, 0, 0);
    if (from < 0) {
        return RAISE(fault, err_of_errno(-from), -from, "open", "site.db");
    }
    int to = world_open(world, dir, name, flags, 0600, 0);
    err_t err = to < 0 ? RAISE(fault, err_of_errno(-to), -to, "create", name)
                       : copy_bytes(world, from, to, fault);
    if (to >= 0) {
        world_close(world, to);
    }
    world_close(world, from);
    return err;
}

err_t
connection_copy_to(connection_t *connection, slice_t directory, int64_t *ret_last, fault_t *fault)
{
    world_t *world = connection->world;
    char path[PATH_BYTES_MAX + 1];
    if (!slice_copy(directory, path, sizeof path)) {
        return RAISE(fault, ERR_NAME_TOO_LONG, 0, "copy to", "the directory");
    }
    int dir = world_open(world, AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0, 0);
    if (dir < 0) {
        return RAISE(fault, err_of_errno(-dir), -dir, "open", path);
    }
    err_t err = connection_pragma(connection, CONNECTION_LAST_EVENT, ret_last, fault);
    err = err == OK ? connection_copy(connection, dir, "site.db", O_RDWR | O_CREAT | O_EXCL, fault)
                    : err;
    if (err != OK && err != ERR_EXISTS) {
        (void) world_remove(world, dir, "site.db");
    }
    world_close(world, dir);
    return err;
}
