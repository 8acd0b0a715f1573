/* sieve.h - a set of digests that takes 12 bits for each: it says no, or perhaps.
 *
 * Shape    words of 64 bits; a digest has four bits in one of them, which its first 8 bytes choose.
 *          Which, is part of the store's format (a test holds it).
 * Promises what was added is never said not to be there; of what was not, about one in forty is
 *          said to be there perhaps.
 * Costs    one word looked at; 12 bits of memory for each digest.
 * Errors   none.
 * Threads  pure.
 */
#pragma once

#include <stdint.h>
#include "proto/record.h"

/* How many words a set of so many digests has: at least one. */
uint32_t sieve_words(uint64_t digests);
void sieve_add(uint64_t *word, uint32_t words, const digest_t *digest);
bool sieve_may_have(const uint64_t *word, uint32_t words, const digest_t *digest);
