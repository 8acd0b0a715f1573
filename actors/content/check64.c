/* check64.c - each step is a bijection of the state and of the word, so no single word can change
 * unseen. */
#include "actors/content/check64.h"

#include "actors/content/big_endian.h"

#define FIRST  0x9e3779b97f4a7c15u
#define FACTOR 0xd6e8feb86659fd93u /* odd: multiplying by it loses nothing */

static uint64_t
step(uint64_t state, uint64_t word)
{
    state = (state ^ word) * FACTOR;
    return state ^ state >> 32;
}

uint64_t
check64_more(uint64_t before, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    uint64_t state = step(before, size);
    for (; size >= 8; size -= 8, at += 8) {
        state = step(state, get_u64(at));
    }
    if (size > 0) {
        uint8_t last[8] = {0};
        memcpy(last, at, size);
        state = step(state, get_u64(last));
    }
    return step(state, FIRST);
}

uint64_t
check64(const void *bytes, size_t size)
{
    return check64_more(FIRST, bytes, size);
}
