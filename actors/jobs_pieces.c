/* jobs_pieces.c - see jobs_pieces.h. */
#include "actors/jobs_pieces.h"

#include <stdlib.h>

#include "actors/agent_wire.h"
#include "actors/content/hash.h"
#include "actors/content/squeeze.h"

typedef struct unpacking {
    shelf_t *shelf;
    squeeze_t squeeze;
    hash_t *hash;
    uint8_t *bytes; /* AGENT_DATA_BYTES_MAX; NULL: nothing was packed yet */
} unpacking_t;

static err_t
fail(unpacking_t *unpacking, err_t err)
{
    return RAISE(&unpacking->shelf->fault, err, 0, "unpack", "what the site sent");
}

static err_t
make_ready(unpacking_t *unpacking)
{
    if (unpacking->bytes == NULL) {
        unpacking->bytes = malloc(AGENT_DATA_BYTES_MAX);
    }
    return unpacking->bytes == NULL || (unpacking->hash == NULL && hash_new(&unpacking->hash) != OK)
               ? fail(unpacking, ERR_NO_MEMORY)
               : OK;
}

/* Whether the delta gives the object. */
static bool
apply(unpacking_t *unpacking, const piece_t *piece, slice_t packed)
{
    void *base = NULL;
    size_t size = 0;
    digest_t digest;

    if (store_read(unpacking->shelf->store, &piece->base, DELTA_BYTES_MAX, &base, &size, NULL) !=
        OK) {
        return false;
    }
    err_t err = expand_against(&unpacking->squeeze, (slice_t){base, size}, packed, unpacking->bytes,
                               piece->size);
    free(base);
    if (err != OK) {
        return false;
    }
    hash_bytes(unpacking->hash, unpacking->bytes, piece->size, &digest);
    return digest_equal(&digest, &piece->object);
}

/* *ret_bytes without data: a delta that was refused. */
static err_t
unpack(unpacking_t *unpacking, const piece_t *piece, slice_t packed, slice_t *ret_bytes)
{
    *ret_bytes = packed;
    if (piece->packing == PACKING_PLAIN) {
        return OK;
    }
    TRY(make_ready(unpacking));
    *ret_bytes = (slice_t){(const char *) unpacking->bytes, piece->size};
    if (piece->packing == PACKING_DELTA) {
        *ret_bytes = apply(unpacking, piece, packed) ? *ret_bytes : (slice_t){NULL, 0};
        return OK;
    }
    err_t err =
        expand(&unpacking->squeeze, packed.data, packed.size, unpacking->bytes, piece->size);
    return err == OK ? OK : fail(unpacking, err == ERR_DAMAGED ? ERR_DIGEST : err);
}

static err_t
put_all(unpacking_t *unpacking, const agent_data_t *m, uint64_t *bytes, uint64_t *refused)
{
    shelf_t *shelf = unpacking->shelf;

    for (uint32_t i = 0; i < m->pieces.count; i++) {
        const piece_t *piece = ROW(m, m->pieces, i, piece_t);
        staging_part_t part = {piece->object, piece->from, piece->total, {NULL, 0}};
        TRY(unpack(unpacking, piece, record_slice(m, piece->bytes), &part.bytes));
        if (part.bytes.data == NULL) {
            ++*refused;
            continue;
        }
        TRY(staging_put(shelf->staging, &part, &shelf->fault));
        *bytes += part.bytes.size;
    }
    return OK;
}

err_t
pieces_put(shelf_t *shelf, const agent_data_t *m, uint64_t *ret_bytes, uint64_t *ret_refused)
{
    unpacking_t unpacking = {.shelf = shelf};
    err_t err = put_all(&unpacking, m, ret_bytes, ret_refused);

    squeeze_release(&unpacking.squeeze);
    hash_destroy(&unpacking.hash);
    free(unpacking.bytes);
    return err;
}
