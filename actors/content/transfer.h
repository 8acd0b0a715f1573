/* transfer.h - ranges of the site's objects, as they are sent to agents.
 *
 * Shape    an object is read from an offset, at most so many bytes; its size comes along. Or all of
 *          it is had as it is stored.
 * Promises the chunks that a range touches were held against their digests, what is had as it is
 *          stored against its check; who receives the whole object checks its own.
 * Costs    those of store_read_part; as it is stored, one read and a check of 64 bits.
 * Errors   those of store_read_part; ERR_DIGEST: it is shorter than the range begins.
 * Threads  one job.
 */
#pragma once

#include "actors/content/store.h"

typedef struct transfer_range {
    digest_t object;
    uint64_t from;
    uint64_t size; /* bytes; 0: to the end */
    digest_t base; /* of a whole object: one that it may be sent against; none: as it is */
    bool list;     /* of the list of its chunks, not of its bytes */
} transfer_range_t;

/* Reads at most max bytes of the range into bytes; *ret_total is the object's size. */
err_t transfer_read(store_t *store, const transfer_range_t *range, uint8_t *bytes, size_t max,
                    size_t *ret_size, uint64_t *ret_total, fault_t *fault) must_use;
/* The whole object as it is stored, borrowed until the next call on the store; none: it has to be
 * read. */
err_t transfer_stored(store_t *store, const digest_t *object, stored_object_t *ret_stored,
                      fault_t *fault) must_use;
