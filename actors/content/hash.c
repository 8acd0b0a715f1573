/* hash.c - SHA-256 by libcrypto's EVP, fetched once for each hash. */
#include "actors/content/hash.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

struct hash {
    EVP_MD *kind;
    EVP_MD_CTX *state;
};

err_t
hash_new(hash_t **ret_hash)
{
    hash_t *hash = calloc(1, sizeof *hash);
    if (hash == NULL) {
        return ERR_NO_MEMORY;
    }
    hash->kind = EVP_MD_fetch(NULL, "SHA256", NULL);
    hash->state = EVP_MD_CTX_new();
    if (hash->kind == NULL || hash->state == NULL ||
        EVP_DigestInit_ex2(hash->state, hash->kind, NULL) != 1) {
        hash_destroy(&hash);
        return ERR_NO_MEMORY;
    }
    *ret_hash = hash;
    return OK;
}

void
hash_destroy(hash_t **hash)
{
    if (*hash != NULL) {
        EVP_MD_CTX_free((*hash)->state);
        EVP_MD_free((*hash)->kind);
        free(*hash);
        *hash = NULL;
    }
}

/* With its method already in place, none of the three can fail. */
void
hash_begin(hash_t *hash)
{
    int done = EVP_DigestInit_ex2(hash->state, NULL, NULL);
    assert(done == 1);
    (void) done;
}

void
hash_add(hash_t *hash, const void *bytes, size_t size)
{
    int done = EVP_DigestUpdate(hash->state, bytes, size);
    assert(done == 1);
    (void) done;
}

void
hash_end(hash_t *hash, digest_t *ret_digest)
{
    unsigned size = sizeof ret_digest->byte;
    int done = EVP_DigestFinal_ex(hash->state, ret_digest->byte, &size);
    assert(done == 1 && size == sizeof ret_digest->byte);
    (void) done;
}

err_t
hash_follow(hash_t *hash, const hash_t *other)
{
    return EVP_MD_CTX_copy_ex(hash->state, other->state) == 1 ? OK : ERR_NO_MEMORY;
}

hash_t *
hash_copy(const hash_t *hash)
{
    hash_t *copy = NULL;
    if (hash_new(&copy) == OK && hash_follow(copy, hash) != OK) {
        hash_destroy(&copy);
    }
    return copy;
}

err_t
hash_so_far(const hash_t *hash, hash_t *scratch, digest_t *ret_digest)
{
    err_t err = hash_follow(scratch, hash);
    if (err == OK) {
        hash_end(scratch, ret_digest);
    }
    return err;
}

void
hash_bytes(hash_t *hash, const void *bytes, size_t size, digest_t *ret_digest)
{
    hash_begin(hash);
    hash_add(hash, bytes, size);
    hash_end(hash, ret_digest);
}

bool
digest_equal(const digest_t *a, const digest_t *b)
{
    return memcmp(a->byte, b->byte, sizeof a->byte) == 0;
}
