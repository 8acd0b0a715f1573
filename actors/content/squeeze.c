/* squeeze.c - see squeeze.h. */
#include "actors/content/squeeze.h"

#include <stdbool.h>
#include <stdlib.h>
#include <zstd.h>

#define LEVEL 1
#define LESS  8u /* it pays when an eighth is saved */

void
squeeze_release(squeeze_t *squeeze)
{
    ZSTD_freeCCtx(squeeze->in);
    ZSTD_freeDCtx(squeeze->out);
    free(squeeze->bytes);
    *squeeze = (squeeze_t){0};
}

static err_t
make_ready(squeeze_t *squeeze, size_t size)
{
    if (squeeze->in == NULL) {
        squeeze->in = ZSTD_createCCtx();
    }
    size_t capacity = ZSTD_compressBound(size);
    if (squeeze->capacity < capacity) {
        free(squeeze->bytes);
        squeeze->bytes = malloc(capacity);
        squeeze->capacity = squeeze->bytes == NULL ? 0 : capacity;
    }
    return squeeze->in != NULL && squeeze->bytes != NULL ? OK : ERR_NO_MEMORY;
}

/* The length of the squeezed bytes, or 0 when too little was saved. */
static size_t
attempt(squeeze_t *squeeze, const uint8_t *bytes, size_t size)
{
    size_t result =
        ZSTD_compressCCtx(squeeze->in, squeeze->bytes, squeeze->capacity, bytes, size, LEVEL);
    return !ZSTD_isError(result) && result <= size - size / LESS ? result : 0;
}

err_t
squeeze(squeeze_t *squeeze, const void *bytes, size_t size, const uint8_t **ret_bytes,
        size_t *ret_squeezed)
{
    *ret_squeezed = 0;
    if (size < SQUEEZE_BYTES_MIN) {
        return OK;
    }
    err_t err = make_ready(squeeze, size);
    if (err != OK) {
        return err;
    }
    const uint8_t *middle = (const uint8_t *) bytes + size / 2 - SQUEEZE_PROBE_BYTES / 2;
    bool pays =
        size <= 2 * SQUEEZE_PROBE_BYTES || attempt(squeeze, middle, SQUEEZE_PROBE_BYTES) > 0;
    *ret_squeezed = pays ? attempt(squeeze, bytes, size) : 0;
    *ret_bytes = squeeze->bytes;
    return OK;
}

err_t
expand(squeeze_t *squeeze, const void *squeezed, size_t squeezed_size, void *bytes, size_t size)
{
    if (squeeze->out == NULL) {
        squeeze->out = ZSTD_createDCtx();
    }
    if (squeeze->out == NULL) {
        return ERR_NO_MEMORY;
    }
    size_t result = ZSTD_decompressDCtx(squeeze->out, bytes, size, squeezed, squeezed_size);
    return result == size ? OK : ERR_DAMAGED;
}
