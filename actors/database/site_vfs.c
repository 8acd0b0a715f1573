/* site_vfs.c - SQLite's files, on the world that a job was given.
 *
 * Bytes    those that SQLite writes: the database, its journal or write-ahead log.
 * Valid    by SQLite's own rules, which rest on three promises kept here: xSync returns when the
 *          bytes are durable, a file that was made or removed stays so, short reads are filled
 *          with zeros and say that they were short. What is written to the log is gathered in
 *          memory until it is synced, read or too much: every commit syncs it.
 * Crash    leaves what SQLite recovers from by itself at the next open.
 */
#include "actors/database/site_vfs.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_BYTES   4096
#define SECTOR_BYTES 4096
#define FILE_MODE    0600
/* Of the log, gathered: a page with its head. A commit of several pages is several calls still, so
 * that kill tests fall into it. */
#define LOG_BYTES (4096u + 24u)
/* Milliseconds from the Julian epoch that SQLite counts from to 1970. */
#define JULIAN_1970_MS INT64_C(210866760000000)

struct site_vfs {
    sqlite3_vfs vfs;
    char name[32];
    world_t *world; /* of the job at work */
    int os_error;
};

/* SQLite allocates szOsFile bytes for it. */
typedef struct site_file {
    sqlite3_file base;
    site_vfs_t *vfs;
    int fd;
    bool locked;
    char *log; /* LOG_BYTES, of a write-ahead log; NULL: of another file */
    size_t gathered;
    uint64_t gathered_at; /* its place in the file */
} site_file_t;

/* Notes what the world said; SQLite's code for it, or_else when it has none of its own. */
static int
failed(site_vfs_t *vfs, int64_t result, int or_else)
{
    assert(result < 0);
    vfs->os_error = (int) -result;
    return result == -ENOSPC || result == -EDQUOT ? SQLITE_FULL : or_else;
}

static world_t *
world_of(const site_vfs_t *vfs)
{
    assert(vfs->world != NULL); /* SQLite is used inside jobs only */
    return vfs->world;
}

static int
put(const site_file_t *file, const char *bytes, size_t size, uint64_t offset)
{
    size_t put = 0;
    while (put < size) {
        int64_t result =
            world_write(world_of(file->vfs), file->fd, bytes + put, size - put, offset + put);
        if (result <= 0) {
            return failed(file->vfs, result == 0 ? -ENOSPC : result, SQLITE_IOERR_WRITE);
        }
        put += (size_t) result;
    }
    return SQLITE_OK;
}

/* SQLite writes each page of its log by two calls, a head and the page, one behind the other: 2 us
 * of a command's 40. What cannot be written is of no commit: SQLite is told, and takes all of it
 * back. */
static int
put_gathered(site_file_t *file)
{
    size_t size = file->gathered;
    file->gathered = 0;
    return size == 0 ? SQLITE_OK : put(file, file->log, size, file->gathered_at);
}

/* What is gathered and was never synced is of no commit. */
static int
file_close(sqlite3_file *base)
{
    site_file_t *file = (site_file_t *) base;
    free(file->log);
    file->log = NULL;
    int result = world_close(world_of(file->vfs), file->fd);
    return result < 0 ? failed(file->vfs, result, SQLITE_IOERR_CLOSE) : SQLITE_OK;
}

static int
file_read(sqlite3_file *base, void *bytes, int size, sqlite3_int64 offset)
{
    site_file_t *file = (site_file_t *) base;
    size_t got = 0;
    int written = put_gathered(file);
    if (written != SQLITE_OK) {
        return written;
    }
    while (got < (size_t) size) {
        int64_t result = world_read(world_of(file->vfs), file->fd, (char *) bytes + got,
                                    (size_t) size - got, (uint64_t) offset + got);
        if (result < 0) {
            return failed(file->vfs, result, SQLITE_IOERR_READ);
        }
        if (result == 0) {
            memset((char *) bytes + got, 0, (size_t) size - got);
            return SQLITE_IOERR_SHORT_READ;
        }
        got += (size_t) result;
    }
    return SQLITE_OK;
}

static int
file_write(sqlite3_file *base, const void *bytes, int size, sqlite3_int64 offset)
{
    site_file_t *file = (site_file_t *) base;
    size_t more = (size_t) size;
    bool follows = (uint64_t) offset == file->gathered_at + file->gathered;
    if (!follows || file->gathered + more > LOG_BYTES) {
        int written = put_gathered(file);
        if (written != SQLITE_OK) {
            return written;
        }
    }
    if (file->log == NULL || more > LOG_BYTES) {
        return put(file, bytes, more, (uint64_t) offset);
    }
    if (file->gathered == 0) {
        file->gathered_at = (uint64_t) offset;
    }
    memcpy(file->log + file->gathered, bytes, more);
    file->gathered += more;
    return SQLITE_OK;
}

static int
file_truncate(sqlite3_file *base, sqlite3_int64 size)
{
    site_file_t *file = (site_file_t *) base;
    int written = put_gathered(file);
    if (written != SQLITE_OK) {
        return written;
    }
    int result = world_truncate(world_of(file->vfs), file->fd, (uint64_t) size);
    return result < 0 ? failed(file->vfs, result, SQLITE_IOERR_TRUNCATE) : SQLITE_OK;
}

static int
file_sync(sqlite3_file *base, int flags)
{
    site_file_t *file = (site_file_t *) base;
    world_t *world = world_of(file->vfs);
    int written = put_gathered(file);
    if (written != SQLITE_OK) {
        return written;
    }
    bool data_only = (flags & SQLITE_SYNC_DATAONLY) != 0;
    int result = data_only ? world_sync_data(world, file->fd) : world_sync(world, file->fd);
    return result < 0 ? failed(file->vfs, result, SQLITE_IOERR_FSYNC) : SQLITE_OK;
}

static int
file_size(sqlite3_file *base, sqlite3_int64 *ret_size)
{
    site_file_t *file = (site_file_t *) base;
    world_stat_t stat;
    int written = put_gathered(file);
    if (written != SQLITE_OK) {
        return written;
    }
    int result = world_stat(world_of(file->vfs), file->fd, &stat);
    if (result < 0) {
        return failed(file->vfs, result, SQLITE_IOERR_FSTAT);
    }
    *ret_size = (sqlite3_int64) stat.size;
    return SQLITE_OK;
}

/* One lock for all of SQLite's levels, held until the file is closed: nobody shares the file. */
static int
file_lock(sqlite3_file *base, int level)
{
    site_file_t *file = (site_file_t *) base;
    if (level == SQLITE_LOCK_NONE || file->locked) {
        return SQLITE_OK;
    }
    int result = world_lock(world_of(file->vfs), file->fd);
    if (result < 0) {
        int code = failed(file->vfs, result, SQLITE_IOERR_LOCK);
        return result == -EWOULDBLOCK ? SQLITE_BUSY : code;
    }
    file->locked = true;
    return SQLITE_OK;
}

static int
file_unlock(sqlite3_file *base, int level)
{
    (void) base;
    (void) level;
    return SQLITE_OK;
}

static int
file_check_reserved(sqlite3_file *base, int *ret_reserved)
{
    (void) base;
    *ret_reserved = 0;
    return SQLITE_OK;
}

static int
file_control(sqlite3_file *base, int operation, void *argument)
{
    (void) base;
    (void) operation;
    (void) argument;
    return SQLITE_NOTFOUND;
}

static int
file_sector_size(sqlite3_file *base)
{
    (void) base;
    return SECTOR_BYTES;
}

/* A write that is cut short by a power cut leaves the bytes beside it alone. */
static int
file_characteristics(sqlite3_file *base)
{
    (void) base;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

/* Version 1: no shared memory, no mapped pages. */
static const sqlite3_io_methods file_methods = {
    .iVersion = 1,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_check_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector_size,
    .xDeviceCharacteristics = file_characteristics,
};

/* Makes the name of the file durable: its being there, or its being gone. */
static int
sync_directory_of(world_t *world, const char *path)
{
    char directory[PATH_BYTES];
    const char *slash = strrchr(path, '/');
    assert(slash != NULL && (size_t) (slash - path) < sizeof directory);
    size_t length = slash == path ? 1 : (size_t) (slash - path);
    memcpy(directory, path, length);
    directory[length] = '\0';
    int fd = world_open(world, AT_FDCWD, directory, O_RDONLY | O_DIRECTORY, 0, 0);
    if (fd < 0) {
        return fd;
    }
    int synced = world_sync(world, fd);
    int closed = world_close(world, fd);
    return synced < 0 ? synced : closed;
}

static int
make_file(world_t *world, const char *path, int access)
{
    int fd = world_open(world, AT_FDCWD, path, access | O_CREAT | O_EXCL, FILE_MODE, 0);
    if (fd < 0) {
        return fd;
    }
    int synced = sync_directory_of(world, path);
    if (synced < 0) {
        world_close(world, fd);
        return synced;
    }
    return fd;
}

/* The file as it is, or a new one where SQLite allows it. */
static int
open_or_make(world_t *world, const char *path, int flags)
{
    int access = (flags & SQLITE_OPEN_READWRITE) != 0 ? O_RDWR : O_RDONLY;
    bool exclusive = (flags & SQLITE_OPEN_EXCLUSIVE) != 0;
    int fd = exclusive ? -ENOENT : world_open(world, AT_FDCWD, path, access | O_NOFOLLOW, 0, 0);
    if (fd == -ENOENT && (flags & SQLITE_OPEN_CREATE) != 0) {
        return make_file(world, path, access);
    }
    return fd;
}

static int
vfs_open(sqlite3_vfs *base, sqlite3_filename path, sqlite3_file *made, int flags, int *ret_flags)
{
    site_vfs_t *vfs = base->pAppData;
    site_file_t *file = (site_file_t *) made;
    *file = (site_file_t){.vfs = vfs};
    if (path == NULL || path[0] != '/' || (flags & SQLITE_OPEN_DELETEONCLOSE) != 0) {
        return SQLITE_CANTOPEN; /* temporary files are for memory */
    }
    file->fd = open_or_make(world_of(vfs), path, flags);
    if (file->fd < 0) {
        return failed(vfs, file->fd, SQLITE_CANTOPEN);
    }
    file->log = (flags & SQLITE_OPEN_WAL) != 0 ? malloc(LOG_BYTES) : NULL;
    file->base.pMethods = &file_methods;
    if (ret_flags != NULL) {
        *ret_flags = flags;
    }
    return SQLITE_OK;
}

static int
vfs_delete(sqlite3_vfs *base, const char *path, int sync_directory)
{
    site_vfs_t *vfs = base->pAppData;
    int result = world_remove(world_of(vfs), AT_FDCWD, path);
    if (result == -ENOENT) {
        return SQLITE_IOERR_DELETE_NOENT;
    }
    if (result < 0) {
        return failed(vfs, result, SQLITE_IOERR_DELETE);
    }
    result = sync_directory == 0 ? 0 : sync_directory_of(world_of(vfs), path);
    return result < 0 ? failed(vfs, result, SQLITE_IOERR_DIR_FSYNC) : SQLITE_OK;
}

/* An empty file counts as none when SQLite looks for a journal: it has nothing to say. */
static int
vfs_access(sqlite3_vfs *base, const char *path, int wanted, int *ret_there)
{
    site_vfs_t *vfs = base->pAppData;
    world_stat_t stat;
    int result = world_stat_at(world_of(vfs), AT_FDCWD, path, &stat);
    if (result < 0 && result != -ENOENT) {
        return failed(vfs, result, SQLITE_IOERR_ACCESS);
    }
    bool empty = result == 0 && S_ISREG(stat.mode) && stat.size == 0;
    *ret_there = result == 0 && !(wanted == SQLITE_ACCESS_EXISTS && empty);
    return SQLITE_OK;
}

static int
vfs_full_path(sqlite3_vfs *base, const char *path, int size, char *full)
{
    (void) base;
    size_t length = strlen(path);
    if (path[0] != '/' || length >= (size_t) size) {
        return SQLITE_CANTOPEN;
    }
    memcpy(full, path, length + 1);
    return SQLITE_OK;
}

static int
vfs_randomness(sqlite3_vfs *base, int size, char *bytes)
{
    const site_vfs_t *vfs = base->pAppData;
    world_random(world_of(vfs), bytes, (size_t) size);
    return size;
}

/* A job does not sleep: what waits for a lock is told that it is busy. */
static int
vfs_sleep(sqlite3_vfs *base, int microseconds)
{
    (void) base;
    return microseconds;
}

static int
vfs_time(sqlite3_vfs *base, sqlite3_int64 *ret_ms)
{
    const site_vfs_t *vfs = base->pAppData;
    *ret_ms = JULIAN_1970_MS + world_wall_ns(world_of(vfs)) / 1000000;
    return SQLITE_OK;
}

static int
vfs_days(sqlite3_vfs *base, double *ret_days)
{
    sqlite3_int64 ms = 0;
    int result = vfs_time(base, &ms);
    *ret_days = (double) ms / 86400000.0;
    return result;
}

static int
vfs_last_error(sqlite3_vfs *base, int size, char *text)
{
    (void) size;
    (void) text;
    return site_vfs_last_os_error(base->pAppData);
}

site_vfs_t *
site_vfs_new(uint64_t serial)
{
    site_vfs_t *vfs = calloc(1, sizeof *vfs);
    if (vfs == NULL) {
        return NULL;
    }
    snprintf(vfs->name, sizeof vfs->name, "despool-%llu", (unsigned long long) serial);
    vfs->vfs = (sqlite3_vfs){
        .iVersion = 2,
        .szOsFile = sizeof(site_file_t),
        .mxPathname = PATH_BYTES - 1,
        .zName = vfs->name,
        .pAppData = vfs,
        .xOpen = vfs_open,
        .xDelete = vfs_delete,
        .xAccess = vfs_access,
        .xFullPathname = vfs_full_path,
        .xRandomness = vfs_randomness,
        .xSleep = vfs_sleep,
        .xCurrentTime = vfs_days,
        .xGetLastError = vfs_last_error,
        .xCurrentTimeInt64 = vfs_time,
    };
    if (sqlite3_vfs_register(&vfs->vfs, 0) != SQLITE_OK) {
        free(vfs);
        return NULL;
    }
    return vfs;
}

void
site_vfs_destroy(site_vfs_t **vfs)
{
    if (*vfs != NULL) {
        sqlite3_vfs_unregister(&(*vfs)->vfs);
        free(*vfs);
        *vfs = NULL;
    }
}

const char *
site_vfs_name(const site_vfs_t *vfs)
{
    return vfs->name;
}

void
site_vfs_set_world(site_vfs_t *vfs, world_t *borrow_world)
{
    vfs->world = borrow_world;
    vfs->os_error = 0;
}

int
site_vfs_last_os_error(const site_vfs_t *vfs)
{
    return vfs->os_error;
}
