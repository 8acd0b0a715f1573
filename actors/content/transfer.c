/* transfer.c - see transfer.h. The one place where objects are read in parts. */
#include "actors/content/transfer.h"

#include "actors/content/fail.h"

static err_t
read_part(store_t *store, int fd, const transfer_range_t *range, uint8_t *bytes, size_t size,
          fault_t *fault)
{
    for (size_t done = 0; done < size;) {
        int64_t got =
            world_read(store_world(store), fd, bytes + done, size - done, range->from + done);
        if (got < 0) {
            return FAIL(fault, got, "read", "an object of the store");
        }
        if (got == 0) {
            return RAISE(fault, ERR_DIGEST, 0, "read", "an object of the store");
        }
        done += (size_t) got;
    }
    return OK;
}

err_t
transfer_read(store_t *store, const transfer_range_t *range, uint8_t *bytes, size_t max,
              size_t *ret_size, uint64_t *ret_total, fault_t *fault)
{
    int fd = -1;
    world_stat_t stat;
    TRY(store_open_object(store, &range->object, &fd, fault));
    int result = world_stat(store_world(store), fd, &stat);
    err_t err = result < 0 ? FAIL(fault, result, "stat", "an object of the store") : OK;
    if (err == OK && range->from > stat.size) {
        err = RAISE(fault, ERR_DIGEST, 0, "read", "an object of the store");
    }
    uint64_t left = err == OK ? stat.size - range->from : 0;
    left = range->size > 0 && range->size < left ? range->size : left;
    size_t size = left < max ? (size_t) left : max;
    err = err == OK ? read_part(store, fd, range, bytes, size, fault) : err;
    world_close(store_world(store), fd);
    if (err == OK) {
        *ret_size = size;
        *ret_total = stat.size;
    }
    return err;
}
