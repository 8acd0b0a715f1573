/* site_vfs.h - SQLite's files, on the world that a job was given.
 *
 * Shape    one SQLite VFS for one connection, registered under a name of its own. The connection
 *          outlives jobs and the world does not: each job sets its world before it uses SQLite.
 * Promises SQLite reaches time, chance and disk through the world only. A file that SQLite makes or
 *          removes is made or removed durably (its directory is synced). A database that another
 *          holds is SQLITE_BUSY. Every file is locked whole and for as long as it is open, and
 *          there is no shared memory, so the connection must say
 *            PRAGMA locking_mode = EXCLUSIVE, before the first use of WAL;
 *            PRAGMA temp_store = MEMORY, as files without a name are refused.
 *          Pages are never mapped.
 * Costs    one world call for a read, write or sync; a few for making or removing a file.
 * Errors   SQLite's own: SQLITE_FULL for a full disk or quota, SQLITE_BUSY for a lock, else
 *          SQLITE_IOERR_x or SQLITE_CANTOPEN; site_vfs_last_os_error tells the errno, ECANCELED
 *          among them.
 * Threads  one job at a time. Registering takes SQLite's own lock.
 * Owner    site_vfs_new -> site_vfs_destroy, after the connection is closed. The world is borrowed.
 */
#pragma once

#include "runtime/world.h"

typedef struct site_vfs site_vfs_t;

/* serial makes the name; no two at a time may have the same. NULL when out of memory. */
site_vfs_t *site_vfs_new(uint64_t serial);
void site_vfs_destroy(site_vfs_t **vfs);
/* For sqlite3_open_v2; paths are absolute. */
const char *site_vfs_name(const site_vfs_t *vfs);
/* Until the next call of this. NULL: SQLite must not be used until a world is set again. */
void site_vfs_set_world(site_vfs_t *vfs, world_t *borrow_world);
/* errno of the last call that failed, 0 when none has failed since the world was set. */
int site_vfs_last_os_error(const site_vfs_t *vfs);
