/* chunker.h - where a file is cut, by its bytes: equal runs of bytes give equal chunks wherever
 * they stand.
 *
 * Shape    FastCDC with a gear hash: no cut before CHUNK_BYTES_MIN; up to CHUNK_BYTES_NORMAL a cut
 *          is four times as rare as once in that many bytes, behind it four times as frequent; at
 *          CHUNK_BYTES_MAX at the latest. The hash begins at the minimum. What is not longer than
 *          CHUNK_BYTES_WHOLE is one chunk.
 * Promises the same bytes are cut at the same places in every release: the gear's numbers and the
 *          sizes are part of the store's format (a test holds them).
 * Costs    0.5 ns a byte behind the minimum; 2 KiB for the gear.
 * Threads  a chunker is constant once made.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHUNK_BYTES_WHOLE  262144u  /* a file up to this is one chunk */
#define CHUNK_BYTES_MIN    65536u   /* but the last chunk of a file may be shorter */
#define CHUNK_BYTES_NORMAL 262144u  /* about the mean */
#define CHUNK_BYTES_MAX    1048576u /* of a chunk */

typedef struct chunker {
    uint64_t gear[256];
} chunker_t;

void chunker_init(chunker_t *chunker);
/* The length of the first chunk of size bytes, which are CHUNK_BYTES_MAX or more, or all that is
 * left of the file. */
size_t chunker_cut(const chunker_t *chunker, const uint8_t *bytes, size_t size);
