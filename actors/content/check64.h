/* check64.h - a number that tells bytes that were torn or went bad from those that were written.
 *
 * Shape    64 bits over any bytes; the second form goes on from what came before.
 * Promises any change within one 8-byte word changes it, so a flipped bit is always seen; any other
 *          change is missed once in 2^64. It is no defence against somebody who wants to deceive:
 *          that is what digests are for.
 * Costs    about 0.25 ns a byte.
 * Threads  pure.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

uint64_t check64(const void *bytes, size_t size);
uint64_t check64_more(uint64_t before, const void *bytes, size_t size);
