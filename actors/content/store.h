/* store.h - the site's own copy of every version: whole files and manifest nodes by digest.
 *
 * Shape    DATA/store/objects/xx/<64 hex>, xx the digest's first byte; DATA/store/tmp/ for what is
 *          being written. A store_t is one job's view of it: its descriptors, its batch of objects
 *          that are written but not yet named.
 * Promises an object has its name only after its bytes are durable (written under tmp/, synced,
 *          renamed, directory synced), so a name means whole bytes. What store_commit returned OK
 *          for survives a power cut; before it, nothing was promised. Reading re-checks the digest.
 * Costs    memory of one block and of 32 bytes for each pending object (at most STORE_BATCH_MAX,
 *          then the batch commits itself); two syncs of the file system for a batch where its type
 *          is on the tested list (ext4, xfs, btrfs, tmpfs), else one for each file and directory.
 * Errors   ERR_SITE_FULL with need and have, ERR_DIGEST, ERR_NOT_STORED, ERR_IO, ERR_CANCELLED ...
 * Threads  one store_t for each job; several may be open at once on one directory.
 *          store_recover and store_collect need all others closed: the caller sees to that.
 * Owner    who opened it closes it; closing drops what was not committed.
 */
#pragma once

#include "proto/record.h"
#include "runtime/world.h"

#define STORE_BATCH_MAX 16384u /* objects written but not yet named */

typedef struct store store_t;

/* Opens path (DATA/store), making it and its directories where they are missing; the first commit
 * makes them durable. */
err_t store_open(world_t *world, const char *path, store_t **ret_store, fault_t *fault) must_use;
/* A store without files, for dry runs: what is put is hashed, is never new and goes nowhere;
 * nothing can be read from it. */
err_t store_open_dry(world_t *world, store_t **ret_store, fault_t *fault) must_use;
void store_close(store_t **store);
/* Removes what earlier runs left in tmp/. Once, at the site's start, before any other use. */
err_t store_recover(store_t *store, uint64_t *ret_removed, fault_t *fault) must_use;

/* Puts the file open on fd. *ret_digest and *ret_size tell what was read; *ret_new whether it was
 * not there yet. The bytes are promised by the next store_commit only. path is for faults. */
typedef struct store_put {
    digest_t digest;
    uint64_t size; /* bytes read */
    bool is_new;   /* was not in the store */
} store_put_t;
err_t store_put_file(store_t *store, int fd, const char *path, store_put_t *ret_put,
                     fault_t *fault) must_use;
err_t store_put_bytes(store_t *store, const void *bytes, size_t size, store_put_t *ret_put,
                      fault_t *fault) must_use;
/* Makes all that was put, or was found to be there already, durable. */
err_t store_commit(store_t *store, fault_t *fault) must_use;

/* Whether the object is there by name (its bytes are not read). */
err_t store_has(store_t *store, const digest_t *digest, bool *ret_has, fault_t *fault) must_use;
/* Reads a whole object of at most max bytes into memory that the caller frees with free(). One that
 * proves damaged is set aside. */
err_t store_read(store_t *store, const digest_t *digest, size_t max, void **ret_bytes,
                 size_t *ret_size, fault_t *fault) must_use;
/* An object's descriptor for reading, the caller's to close with world_close. Its bytes are to be
 * hashed while used: nothing in the store is trusted by name alone. */
err_t store_open_object(store_t *store, const digest_t *digest, int *ret_fd,
                        fault_t *fault) must_use;
/* Sets an object that proved damaged aside (to DATA/store/damaged/), so that it can be put again.
 */
err_t store_set_aside(store_t *store, const digest_t *digest, fault_t *fault) must_use;
world_t *store_world(store_t *store);

typedef struct store_collected {
    uint64_t live_objects, live_bytes;
    uint64_t removed_objects, removed_bytes; /* in a dry run: that would be removed */
} store_collected_t;
/* Removes every object that no live root reaches. A root that cannot be read ends it with nothing
 * removed. Memory: 32 bytes for each live object. */
err_t store_collect(store_t *store, const digest_t *roots, size_t root_count, bool dry_run,
                    store_collected_t *ret_collected, fault_t *fault) must_use;
