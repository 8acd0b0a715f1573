/* sieve.c - see sieve.h. */
#include "actors/content/sieve.h"

#include "actors/content/big_endian.h"

#define FACTOR    0x9e3779b97f4a7c15u /* digests of one run stand close by: spread over all words */
#define BITS_EACH 12u

uint32_t
sieve_words(uint64_t digests)
{
    uint64_t words = digests * BITS_EACH / 64 + 1;
    return words < UINT32_MAX ? (uint32_t) words : UINT32_MAX;
}

/* The word that a digest has its bits in, and those. */
static uint32_t
place_of(const digest_t *digest, uint32_t words, uint64_t *ret_bits)
{
    uint64_t spread = get_u64(digest->byte) * FACTOR;
    *ret_bits = (uint64_t) 1 << (spread & 63) | (uint64_t) 1 << (spread >> 6 & 63) |
                (uint64_t) 1 << (spread >> 12 & 63) | (uint64_t) 1 << (spread >> 18 & 63);
    return (uint32_t) ((spread >> 32) * words >> 32);
}

void
sieve_add(uint64_t *word, uint32_t words, const digest_t *digest)
{
    uint64_t bits;
    uint32_t at = place_of(digest, words, &bits);
    word[at] |= bits;
}

bool
sieve_may_have(const uint64_t *word, uint32_t words, const digest_t *digest)
{
    uint64_t bits;
    uint32_t at = place_of(digest, words, &bits);
    return (word[at] & bits) == bits;
}
