/* connection.c - opening, lending and closing the one connection; see connection.h.
 *
 * Bytes    DATA/lock (empty), DATA/site.db (+ -wal), DATA/reserve (SITE_RESERVE_BYTES, its bytes
 * mean nothing). Valid    site.db: see schema.c. A missing or empty site.db means a new site only
 * when neither its log, nor the store, nor the reserve is there. Crash    before the first
 * transaction is durable: nothing was promised, and the next start makes the database anew. Later:
 * SQLite's log gives the last commit.
 */
#include "actors/database/connection.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/database/schema.h"
#include "proto/limits.h"

connection_t *
connection_new(uint64_t serial)
{
    connection_t *connection = calloc(1, sizeof *connection);
    if (connection == NULL) {
        return NULL;
    }
    connection->data_fd = -1;
    connection->lock_fd = -1;
    connection->mark_fd = -1;
    connection->history_max = HISTORY_MESSAGES_MAX;
    connection->scratch = malloc(MESSAGE_BYTES_MAX);
    connection->encoded = malloc(KEY_ANSWER_BYTES_MAX);
    connection->vfs = site_vfs_new(serial);
    if (connection->vfs == NULL || connection->scratch == NULL || connection->encoded == NULL) {
        connection_destroy(&connection);
    }
    return connection;
}

void
connection_lend(connection_t *connection, world_t *world)
{
    connection->world = world;
    connection->lasting = world_lasting(world);
    site_vfs_set_world(connection->vfs, world);
}

void
connection_return(connection_t *connection)
{
    connection->world = NULL;
    site_vfs_set_world(connection->vfs, NULL);
}

static void
close_file(connection_t *connection, int *fd)
{
    if (*fd >= 0) {
        world_close(connection->lasting, *fd);
    }
    *fd = -1;
}

void
connection_close(connection_t *connection)
{
    if (connection->lasting == NULL) {
        return; /* it never had a world, so nothing is open */
    }
    site_vfs_set_world(connection->vfs, connection->lasting);
    for (uint32_t i = 0; i < SQL_COUNT; i++) {
        sqlite3_finalize(connection->statement[i]);
        connection->statement[i] = NULL;
    }
    int result = sqlite3_close(connection->sql);
    assert(result == SQLITE_OK); /* every statement was finalised */
    (void) result;
    connection->sql = NULL;
    close_file(connection, &connection->mark_fd);
    close_file(connection, &connection->lock_fd);
    close_file(connection, &connection->data_fd);
    connection_return(connection);
}

void
connection_destroy(connection_t **connection)
{
    connection_t *self = *connection;
    if (self != NULL) {
        if (self->vfs != NULL) {
            connection_close(self);
            site_vfs_destroy(&self->vfs);
        }
        zones_clear(self);
        free(self->beacon);
        free(self->scratch);
        free(self->encoded);
        free(self);
        *connection = NULL;
    }
}

/* ---- errors and plain statements ---- */

err_t
connection_err(const connection_t *connection, int result)
{
    switch (result & 0xff) {
    case SQLITE_OK:
    case SQLITE_DONE:
    case SQLITE_ROW:
        return OK;
    case SQLITE_FULL:
        return ERR_SITE_FULL;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return ERR_DAMAGED;
    case SQLITE_NOMEM:
        return ERR_NO_MEMORY;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY: {
        int os_error = site_vfs_last_os_error(connection->vfs);
        return os_error == ENOSPC || os_error == EDQUOT ? ERR_SITE_FULL : ERR_IO;
    }
    default:
        return ERR_INTERNAL;
    }
}

static err_t
raise_result(connection_t *connection, int result, const char *verb, fault_t *fault)
{
    err_t err = connection_err(connection, result);
    int os_error = site_vfs_last_os_error(connection->vfs);
    /* Who may not have its own file looks at no disk. */
    bool barred = os_error == EACCES || os_error == EPERM || os_error == EROFS;
    err = err == ERR_IO && barred ? err_of_errno(os_error) : err;
    return RAISE(fault, err, os_error, verb, "site.db");
}

err_t
connection_execute(connection_t *connection, const char *text, fault_t *fault)
{
    int result = sqlite3_exec(connection->sql, text, NULL, NULL, NULL);
    return result == SQLITE_OK ? OK : raise_result(connection, result, "change", fault);
}

err_t
connection_pragma(connection_t *connection, const char *text, int64_t *ret_number, fault_t *fault)
{
    sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(connection->sql, text, -1, &statement, NULL);
    if (result == SQLITE_OK) {
        result = sqlite3_step(statement);
    }
    if (result == SQLITE_ROW) {
        *ret_number = sqlite3_column_int64(statement, 0);
    }
    sqlite3_finalize(statement);
    return result == SQLITE_ROW ? OK : raise_result(connection, result, "read", fault);
}

/* ---- opening ---- */

static bool
is_there(connection_t *connection, const char *name, uint64_t *ret_size)
{
    world_stat_t stat;
    if (world_stat_at(connection->world, connection->data_fd, name, &stat) < 0) {
        return false;
    }
    *ret_size = stat.size;
    return true;
}

/* Its name in the directory above is synced each time: who made it may not have come that far. */
static int
sync_above(connection_t *connection)
{
    world_t *world = connection->world;
    int above = world_open(world, connection->data_fd, "..", O_RDONLY | O_DIRECTORY, 0, 0);
    if (above < 0) {
        return above;
    }
    int synced = world_sync(world, above);
    world_close(world, above);
    return synced;
}

static err_t
open_directory(connection_t *connection, const char *data, fault_t *fault)
{
    world_t *world = connection->world;
    int fd = world_open(world, AT_FDCWD, data, O_RDONLY | O_DIRECTORY, 0, 0);
    bool made = fd == -ENOENT && world_make_dir(world, AT_FDCWD, data, 0700) == 0;
    if (made) {
        fd = world_open(world, AT_FDCWD, data, O_RDONLY | O_DIRECTORY, 0, 0);
    }
    if (fd < 0) {
        return RAISE(fault, err_of_errno(-fd), -fd, "open", data);
    }
    connection->data_fd = fd;
    int synced = sync_above(connection);
    return synced < 0 && made ? RAISE(fault, ERR_IO, -synced, "sync", "the data directory") : OK;
}

static err_t
take_lock(connection_t *connection, const char *data, fault_t *fault)
{
    world_t *world = connection->world;
    int fd = world_open(world, connection->data_fd, "lock", O_RDWR | O_CREAT, 0600, 0);
    if (fd < 0) {
        return RAISE(fault, err_of_errno(-fd), -fd, "open", "lock");
    }
    connection->lock_fd = fd;
    int locked = world_lock(world, fd);
    if (locked == -EWOULDBLOCK) {
        return RAISE(fault, ERR_LOCKED, -locked, "lock", data);
    }
    return locked == 0 ? OK : RAISE(fault, err_of_errno(-locked), -locked, "lock", data);
}

/* Whether there was a site here before, so that a missing or empty database is damage. */
static bool
was_site(connection_t *connection)
{
    uint64_t size = 0;
    return is_there(connection, "store", &size) || is_there(connection, "reserve", &size) ||
           (is_there(connection, "site.mark", &size) && size > 0);
}

/* Before SQLite sees the file: it takes a missing one for an empty one, and throws away a log that
 * has no file. */
static err_t
look_for_loss(connection_t *connection, fault_t *fault)
{
    uint64_t size = 0;
    uint64_t log_size = 0;
    bool empty = !is_there(connection, "site.db", &size) || size == 0;
    bool has_log = is_there(connection, "site.db-wal", &log_size) && log_size > 0;
    if (empty && (has_log || was_site(connection))) {
        return RAISE(fault, ERR_DAMAGED, 0, "open", "site.db");
    }
    return OK;
}

static err_t
open_file(connection_t *connection, const char *data, fault_t *fault)
{
    char path[PATH_BYTES_MAX + 16];
    snprintf(path, sizeof path, "%s/site.db", data);
    int result = sqlite3_open_v2(path, &connection->sql,
                                 SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                                 site_vfs_name(connection->vfs));
    if (result != SQLITE_OK) {
        return raise_result(connection, result, "open", fault);
    }
    sqlite3_extended_result_codes(connection->sql, 1);
    sqlite3_db_config(connection->sql, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    char settings[512];
    snprintf(settings, sizeof settings,
             "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
             "PRAGMA foreign_keys=ON; PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY;"
             "PRAGMA cache_size=-%d; PRAGMA journal_size_limit=67108864; PRAGMA trusted_schema=OFF",
             CONNECTION_CACHE_KIB);
    return connection_execute(connection, settings, fault);
}

static err_t
check_pages(connection_t *connection, fault_t *fault)
{
    sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(connection->sql, "PRAGMA quick_check(1)", -1, &statement, NULL);
    if (result == SQLITE_OK) {
        result = sqlite3_step(statement);
    }
    const char *text =
        result == SQLITE_ROW ? (const char *) sqlite3_column_text(statement, 0) : NULL;
    bool whole = text != NULL && strcmp(text, "ok") == 0;
    sqlite3_finalize(statement);
    if (whole) {
        return OK;
    }
    return result == SQLITE_ROW ? RAISE(fault, ERR_DAMAGED, 0, "check", "site.db")
                                : raise_result(connection, result, "check", fault);
}

/* ---- the site's identity ---- */

static int
meta_put(connection_t *connection, const char *name, const void *bytes, size_t size, bool text)
{
    sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(connection->sql, sql_text(SQL_META_SET), -1, &statement, NULL);
    if (result == SQLITE_OK) {
        sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
        if (text) {
            sqlite3_bind_text(statement, 2, bytes, (int) size, SQLITE_STATIC);
        } else {
            sqlite3_bind_blob(statement, 2, bytes, (int) size, SQLITE_STATIC);
        }
        result = sqlite3_step(statement);
    }
    sqlite3_finalize(statement);
    return result == SQLITE_DONE ? SQLITE_OK : result;
}

err_t
connection_name_site(connection_t *connection, fault_t *fault)
{
    world_random(connection->world, connection->site.byte, sizeof connection->site.byte);
    int result =
        meta_put(connection, "site", connection->site.byte, sizeof connection->site, false);
    return result == SQLITE_OK ? OK : raise_result(connection, result, "name", fault);
}

/* The id is the site; the name is only what it is called now. */
static err_t
read_site(connection_t *connection, slice_t name, fault_t *fault)
{
    sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(connection->sql, "SELECT value FROM meta WHERE name = 'site'",
                                    -1, &statement, NULL);
    if (result == SQLITE_OK) {
        result = sqlite3_step(statement);
    }
    bool found = result == SQLITE_ROW && sqlite3_column_bytes(statement, 0) == sizeof(id128_t);
    if (found) {
        memcpy(&connection->site, sqlite3_column_blob(statement, 0), sizeof(id128_t));
    }
    sqlite3_finalize(statement);
    if (!found) {
        return RAISE(fault, ERR_DAMAGED, 0, "read", "site.db");
    }
    return slice_copy(name, connection->name, sizeof connection->name)
               ? OK
               : RAISE(fault, ERR_BAD_NAME, 0, "name", "the site");
}

static err_t
open_database(connection_t *connection, const char *data, slice_t site, fault_t *fault)
{
    int64_t version = 0;
    TRY(look_for_loss(connection, fault));
    TRY(open_file(connection, data, fault));
    TRY(check_pages(connection, fault));
    TRY(schema_version(connection, &version, fault));
    if (version == 0 && was_site(connection)) {
        return RAISE(fault, ERR_DAMAGED, 0, "open", "site.db");
    }
    TRY(schema_migrate(connection, &schema_steps, fault));
    TRY(read_site(connection, site, fault));
    TRY(mark_check(connection, fault));
    int synced = world_sync(connection->world, connection->data_fd);
    return synced == 0 ? OK : RAISE(fault, ERR_IO, -synced, "sync", data);
}

err_t
connection_open(connection_t *connection, world_t *world, slice_t data, slice_t site,
                fault_t *fault)
{
    char path[PATH_BYTES_MAX + 1];
    connection_lend(connection, world);
    if (!slice_copy(data, path, sizeof path)) {
        return RAISE(fault, ERR_NAME_TOO_LONG, 0, "open", "the data directory");
    }
    TRY(open_directory(connection, path, fault));
    TRY(take_lock(connection, path, fault));
    TRY(open_database(connection, path, site, fault));
    connection->full = !reserve_make(connection);
    connection->clock_offset_ns = world_wall_ns(world) - world_monotonic_ns(world);
    return OK;
}
