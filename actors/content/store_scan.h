/* store_scan.h - goes over the records of a pack as they stand there, whatever the index says.
 *
 * Shape    one record after the other; where bytes are no record, on to the next that are.
 * Promises every record whose head is whole is met; its stored bytes are borrowed until the next.
 *          Whether they are right, store_scan_is_right says.
 * Costs    one read of the pack.
 * Errors   those of the world.
 * Threads  one; a store reads nothing else ahead meanwhile.
 */
#pragma once

#include "actors/content/store_inner.h"

typedef struct store_scan {
    store_t *store;
    uint64_t pack, size; /* of its file */
    uint64_t at;         /* of the next record */
    bool head_is_right;  /* the pack's own */
    pack_record_t record;
    uint64_t offset;       /* of the record */
    const uint8_t *stored; /* NULL: the pack ends before the record does */
    uint64_t lost;         /* bytes that are no record */
    bool again;            /* these are looked at for the second time */
} store_scan_t;

err_t store_scan_begin(store_scan_t *scan, store_t *store, uint64_t pack, uint64_t size,
                       fault_t *fault) must_use;
/* *ret_more: there was one more. */
err_t store_scan_next(store_scan_t *scan, bool *ret_more, fault_t *fault) must_use;
/* The entry that the index should have of the record. */
run_entry_t store_scan_entry(const store_scan_t *scan);
/* Whether the stored bytes are those that were written, and have the digest (which a list's own
 * bytes do not have). What is wrong is read twice: it may have been so on the way only. */
err_t store_scan_is_right(store_scan_t *scan, bool *ret_right, fault_t *fault) must_use;
