/* chunker.c - see chunker.h. */
#include "actors/content/chunker.h"

#define SEED     0x646573706f6f6c31u /* "despool1" */
#define BITS     18u                 /* of CHUNK_BYTES_NORMAL */
#define RARE     (~(uint64_t) 0 << (64 - (BITS + 2)))
#define FREQUENT (~(uint64_t) 0 << (64 - (BITS - 2)))

/* splitmix64 */
static uint64_t
next_number(uint64_t *state)
{
    *state += 0x9e3779b97f4a7c15u;
    uint64_t z = *state;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

void
chunker_init(chunker_t *chunker)
{
    uint64_t state = SEED;
    for (unsigned i = 0; i < 256; i++) {
        chunker->gear[i] = next_number(&state);
    }
}

/* The first place behind `at` at which the hash has none of the mask's bits, or `end`. The high
 * bits hold the last 64 bytes, the low ones fewer. */
static size_t
roll(const chunker_t *chunker, const uint8_t *bytes, size_t at, size_t end, uint64_t mask,
     uint64_t *hash)
{
    uint64_t h = *hash;
    while (at < end) {
        h = (h << 1) + chunker->gear[bytes[at++]];
        if ((h & mask) == 0) {
            break;
        }
    }
    *hash = h;
    return at;
}

size_t
chunker_cut(const chunker_t *chunker, const uint8_t *bytes, size_t size)
{
    if (size <= CHUNK_BYTES_MIN) {
        return size;
    }
    size_t end = size < CHUNK_BYTES_MAX ? size : CHUNK_BYTES_MAX;
    size_t normal = end < CHUNK_BYTES_NORMAL ? end : CHUNK_BYTES_NORMAL;
    uint64_t hash = 0;
    size_t at = roll(chunker, bytes, CHUNK_BYTES_MIN, normal, RARE, &hash);
    bool found = (hash & RARE) == 0 && at > CHUNK_BYTES_MIN;
    return found ? at : roll(chunker, bytes, at, end, FREQUENT, &hash);
}
