/* store_inner.h - what the files of the store share; nobody else includes it. */
#pragma once

#include "actors/content/hash.h"
#include "actors/content/store.h"
#include "actors/content/tree.h"

#define STORE_SLOTS      (STORE_BATCH_MAX * 2) /* of the pending index; a power of two */
#define STORE_PATH_BYTES 80u                   /* "objects/xx/" and 64 digits */

struct store {
    world_t *world;
    int fd, parent_fd; /* of DATA/store and of DATA */
    bool syncs_whole;  /* syncfs of this file system type is on the tested list */
    bool dirty;        /* put or relied on since the last commit */
    bool dry;          /* it has no files: what is put is hashed and forgotten */
    hash_t *hash;
    uint8_t *block;    /* CONTENT_BLOCK_BYTES */
    char prefix[17];   /* of our names in tmp/ */
    uint32_t pending;  /* objects written but not yet named: tmp/<prefix>-<index> */
    digest_t *digest;  /* of each pending object */
    uint32_t *slot;    /* index of pending objects by digest, +1 */
    bool touched[256]; /* directories objects/xx that the next commit makes durable */
};

/* "objects/xx/<hex>" */
void store_object_path(const digest_t *digest, char path[STORE_PATH_BYTES]);
/* The fault of a world call in the store: a full disk is the site's. */
err_t store_fail(store_t *store, int64_t result, const char *verb, const char *subject,
                 fault_t *fault) must_use;
