/* hash.h - SHA-256 over what passes by.
 *
 * Shape    a hash is begun, added to, ended, any number of times.
 * Promises the digest of the bytes added since the last begin.
 * Costs    one allocation for its life; about 0.7 ns a byte with the SHA instructions.
 * Errors   ERR_NO_MEMORY when made; afterwards none: the library has what it needs.
 * Threads  one.
 * Owner    hash_new / hash_destroy.
 */
#pragma once

#include <stddef.h>
#include "proto/record.h"

typedef struct hash hash_t;

err_t hash_new(hash_t **ret_hash) must_use;
void hash_destroy(hash_t **hash);
void hash_begin(hash_t *hash);
void hash_add(hash_t *hash, const void *bytes, size_t size);
void hash_end(hash_t *hash, digest_t *ret_digest);
/* A copy that goes on from where this one is; NULL: no memory. */
hash_t *hash_copy(const hash_t *hash) must_use;
/* Goes on from where the other one is. */
err_t hash_follow(hash_t *hash, const hash_t *other) must_use;
/* The digest of what was added so far; the hash goes on. */
err_t hash_so_far(const hash_t *hash, hash_t *scratch, digest_t *ret_digest) must_use;
/* Begin, add and end in one. */
void hash_bytes(hash_t *hash, const void *bytes, size_t size, digest_t *ret_digest);
/* Whether the two are the same 32 bytes. */
bool digest_equal(const digest_t *a, const digest_t *b);
