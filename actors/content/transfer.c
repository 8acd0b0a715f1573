/* transfer.c - see transfer.h. The one place where objects are read in parts. */
#include "actors/content/transfer.h"

#include "actors/content/fail.h"

err_t
transfer_read(store_t *store, const transfer_range_t *range, uint8_t *bytes, size_t max,
              size_t *ret_size, uint64_t *ret_total, fault_t *fault)
{
    uint64_t total = 0;
    size_t most = range->size > 0 && range->size < max ? (size_t) range->size : max;
    size_t size = 0;
    err_t err =
        store_read_part(store, &range->object, range->from, bytes, most, &size, &total, fault);
    if (err == ERR_DIGEST) { /* so that the next snapshot puts it in its place again */
        err_t aside = store_set_aside(store, &range->object, NULL);
        return aside == ERR_CANCELLED ? aside : err;
    }
    TRY(err);
    if (range->from > total) {
        return RAISE(fault, ERR_DIGEST, 0, "read", "an object of the store");
    }
    *ret_size = size;
    *ret_total = total;
    return OK;
}
