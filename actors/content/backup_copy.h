/* backup_copy.h - files of a backup, copied and hashed; for backup*.c only.
 *
 * Shape    a copier goes from one directory to another; each file that it copied is durable.
 * Threads  one job.
 */
#pragma once

#include "actors/content/backup.h"
#include "actors/content/hash.h"

#define BACKUP_PATH_BYTES 320u /* of a file, below the directory */
#define BACKUP_DIRECTORY  (O_RDONLY | O_DIRECTORY | O_NOFOLLOW)

/* The directories below a backup that hold files, parents first. */
extern const char *const backup_directories[];
extern const uint32_t backup_directory_count;

typedef struct copier {
    world_t *world;
    int from, to; /* directories */
    hash_t *hash;
    uint8_t *block;
    backup_progress_fn *progress;
    void *context;
    backup_result_t result;
    fault_t *fault;
} copier_t;

/* Opens both directories. */
err_t copier_open(copier_t *copier, const char *from, const char *to) must_use;
void copier_close(copier_t *copier);
/* Copies from/path to to/path and syncs it; the digest is that of the bytes that were written. */
err_t copier_file(copier_t *copier, const char *path, digest_t *ret_digest) must_use;
/* Hashes to/path, which is there already. */
err_t copier_hash(copier_t *copier, const char *path, digest_t *ret_digest) must_use;
err_t copier_make_directories(copier_t *copier) must_use;
/* Makes the names of all that was copied durable. */
err_t copier_sync_names(copier_t *copier) must_use;
/* The name of the directory open on fd, in the one above, is durable from now on. */
err_t backup_sync_above(world_t *world, int fd, const char *path, fault_t *fault) must_use;
/* Whether the directory open on fd holds nothing. */
err_t backup_is_empty(world_t *world, int fd, const char *path, bool *ret_empty,
                      fault_t *fault) must_use;
