/* parcel.h - one version in one file, for machines that a wire does not reach, or not in time.
 *
 * Shape    numbers are big-endian.
 *          head, 224 bytes: "DSPARCEL", format u16 = 1, name size u16, 0 u32, site 16, epoch u64,
 *              root 32, package's name 64, signature 64 (sign.h), zeros
 *          records of pack.h, as they are in the store, each filled up to 8 bytes: of bytes first,
 *              then lists, whose chunks so come before them
 *          end, 64 bytes: "DSPAREND", records u64, bytes of the file before the end u64, 0 u64,
 *              SHA-256 of all before this digest
 * Promises a parcel has its name when it is whole and durable. One that was cut, changed, is longer
 *          than it should be, or is of another site is refused before anything is put, and the
 *          store is as it was. What is put is held against its digests all the same. To take one
 *          twice is harmless. Afterwards a distribution of the version finds all of it there.
 * Costs    writing: a look at the store for each name of the version, twice one for each object of
 *          the store, a read of what it needs. Taking: the file is read twice, its bytes are
 *          written once. Memory: that of the store, and of its largest record.
 * Errors   ERR_NO_PARCEL (cut, changed, or none), ERR_SIGNATURE (of another site), ERR_EXISTS (the
 *          file), ERR_NOT_STORED, ERR_DIGEST, those of the store and of the world.
 * Threads  one job; who takes one is alone with the store.
 */
#pragma once

#include "actors/content/sign.h"
#include "actors/content/store.h"
#include "proto/limits.h"

typedef struct parcel_about {
    id128_t site;
    uint64_t epoch;
    digest_t root;
    char package[NAME_BYTES_MAX + 1];
} parcel_about_t;

typedef struct parcel_result {
    uint64_t objects, bytes; /* of the file */
} parcel_result_t;

/* path NULL: nothing is written, and the counts tell what would be. */
err_t parcel_write(world_t *world, store_t *store, const parcel_about_t *about,
                   const secret_t *signing, const char *path, store_progress_fn *progress,
                   void *context, parcel_result_t *ret_result, fault_t *fault) must_use;
/* Of the site, and signed by its key. Durable when it returns. */
err_t parcel_take(world_t *world, store_t *store, const char *path, const id128_t *site,
                  const digest_t *signing_key, parcel_about_t *ret_about,
                  parcel_result_t *ret_result, fault_t *fault) must_use;

/* DATA/parcels/ names what was taken and is at no point yet, so that it is kept: PARCELS_MAX, then
 * the one taken first is forgotten, and goes when the store is next collected. */
err_t parcel_keep(world_t *world, const char *data, const parcel_about_t *about,
                  fault_t *fault) must_use;
/* Adds what is kept to the roots (allocated by malloc) of versions; what is among them already is
 * forgotten here. */
err_t parcel_add_kept(world_t *world, const char *data, digest_t **roots, size_t *count,
                      fault_t *fault) must_use;
