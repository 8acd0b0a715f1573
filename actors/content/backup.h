/* backup.h - a copy of a site in a directory, and a data directory from such a copy.
 *
 * Shape    DIR/site.db, keys/, store/ as in the data directory; DIR/files, a line for each file as
 *          sha256sum writes them (`cd DIR && sha256sum -c files`); DIR/backup, a sealed text with
 *          the digest of that list. A restored data directory has RESTORE_NAME, a sealed text: its
 *          state is begun until everything is there.
 * Promises DIR/backup is written last, when all else is durable: a directory without it is no
 *          backup, whatever is in it. What stands in DIR before is never touched. A restore holds
 *          every byte against the list; until it is done no host starts on what it has made. What
 *          came to the packs while they were copied is named by a restore.
 * Costs    each byte read, hashed and written once; one block of memory, and the list.
 * Errors   ERR_NOT_EMPTY, ERR_NOT_MOVED, ERR_NO_BACKUP, ERR_BAD_BACKUP, ERR_SPACE (need, have
 *          unknown), those of the world.
 * Threads  one job. While backup_fill runs nobody may take packs away; runs of the index may be
 *          merged, and packs may come.
 */
#pragma once

#include "proto/record.h"
#include "runtime/world.h"

#define RESTORE_NAME "restore"

typedef struct backup_about {
    id128_t site;
    uint64_t last_event; /* status messages up to this one are in it */
} backup_about_t;

typedef struct backup_result {
    uint64_t files, bytes;
} backup_result_t;

typedef void backup_progress_fn(void *context, uint64_t bytes);

/* Makes DIR, or takes one that is empty, and durable. dry_run: only looks. */
err_t backup_begin(world_t *world, const char *data, const char *dir, bool dry_run,
                   fault_t *fault) must_use;
/* Everything but the database, which is in DIR already; then what makes it a backup. */
err_t backup_fill(world_t *world, const char *data, const char *dir, const backup_about_t *about,
                  backup_progress_fn *progress, void *context, backup_result_t *ret_result,
                  fault_t *fault) must_use;
/* Takes away what a backup has left that failed, and nothing else; DIR stays. */
err_t backup_abandon(world_t *world, const char *dir, fault_t *fault) must_use;

/* A data directory, which must be empty or not there, from a backup. What is no backup is refused,
 * and leaves nothing; one that is found damaged on the way leaves what no host starts on. */
err_t backup_restore(world_t *world, const char *dir, const char *data, backup_result_t *ret_result,
                     fault_t *fault) must_use;
/* Whether the data directory comes from a backup: the restore's own id, none when it does not. One
 * that was not finished is ERR_HALF_RESTORED. */
err_t backup_restored(world_t *world, const char *data, id128_t *ret_restore,
                      fault_t *fault) must_use;
