/* transfer.c - see transfer.h. The one place where objects are read in parts. */
#include "actors/content/transfer.h"

#include "actors/content/fail.h"

/* What proved damaged is set aside, so that the next snapshot puts it in its place again. */
static err_t
aside_if_damaged(store_t *store, const digest_t *object, err_t err)
{
    if (err == ERR_DIGEST && store_set_aside(store, object, NULL) == ERR_CANCELLED) {
        return ERR_CANCELLED;
    }
    return err;
}

err_t
transfer_stored(store_t *store, const digest_t *object, stored_object_t *ret_stored, fault_t *fault)
{
    return aside_if_damaged(store, object, store_as_stored(store, object, ret_stored, fault));
}

err_t
transfer_read(store_t *store, const transfer_range_t *range, uint8_t *bytes, size_t max,
              size_t *ret_size, uint64_t *ret_total, fault_t *fault)
{
    uint64_t total = 0;
    size_t most = range->size > 0 && range->size < max ? (size_t) range->size : max;
    size_t size = 0;
    err_t err =
        store_read_part(store, &range->object, range->from, bytes, most, &size, &total, fault);
    TRY(aside_if_damaged(store, &range->object, err));
    if (range->from > total) {
        return RAISE(fault, ERR_DIGEST, 0, "read", "an object of the store");
    }
    *ret_size = size;
    *ret_total = total;
    return OK;
}
