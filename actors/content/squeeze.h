/* squeeze.h - zstd, where it pays.
 *
 * Shape    one context for each direction, made when it is first needed.
 * Promises squeeze either makes the bytes at least an eighth smaller or says that it does not pay;
 *          of more than SQUEEZE_PROBE_BYTES it tries so many from the middle first. expand gives
 *          exactly the size that was asked for, whatever the bytes are, and nothing beyond it.
 * Costs    level 1: 400 MB/s in, 1.2 GB/s out; about 1.5 MiB of memory for each direction.
 * Errors   ERR_NO_MEMORY, ERR_DAMAGED (not what was squeezed).
 * Threads  one.
 * Owner    squeeze_release; a squeeze that is all zero is ready.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include "proto/record.h"

#define SQUEEZE_PROBE_BYTES 4096u
#define SQUEEZE_BYTES_MIN   64u /* less is stored as it is */

typedef struct squeeze {
    void *in, *out; /* contexts of zstd */
    uint8_t *bytes; /* what was squeezed last */
    size_t capacity;
} squeeze_t;

void squeeze_release(squeeze_t *squeeze);
/* *ret_squeezed is 0 when it does not pay; else so many bytes at *ret_bytes, borrowed until the
 * next call. */
err_t squeeze(squeeze_t *squeeze, const void *bytes, size_t size, const uint8_t **ret_bytes,
              size_t *ret_squeezed) must_use;
/* The same against bytes that the other side has (a reference prefix). */
err_t squeeze_against(squeeze_t *squeeze, slice_t base, const void *bytes, size_t size,
                      const uint8_t **ret_bytes, size_t *ret_squeezed) must_use;
err_t expand_against(squeeze_t *squeeze, slice_t base, slice_t squeezed, void *bytes,
                     size_t size) must_use;
err_t expand(squeeze_t *squeeze, const void *squeezed, size_t squeezed_size, void *bytes,
             size_t size) must_use;
/* The first bytes of more, as many as are asked for: of the rest no more is expanded than to the
 * end of a block of 128 KiB. */
err_t expand_first(squeeze_t *squeeze, const void *squeezed, size_t squeezed_size, void *bytes,
                   size_t size) must_use;
