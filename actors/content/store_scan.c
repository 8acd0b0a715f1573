/* store_scan.c - see store_scan.h. */
#include "actors/content/store_scan.h"

#include "actors/content/check64.h"
#include "actors/content/fail.h"

err_t
store_scan_begin(store_scan_t *scan, store_t *store, uint64_t pack, uint64_t size, fault_t *fault)
{
    *scan = (store_scan_t){.store = store, .pack = pack, .size = size, .at = PACK_HEAD_BYTES};
    const uint8_t *bytes = NULL;
    int64_t got = 0;
    uint64_t id = 0;
    store_forget_ahead(store);
    TRY(store_raw(store, pack, 0, PACK_HEAD_BYTES, &bytes, &got, fault));
    scan->head_is_right =
        got >= (int64_t) PACK_HEAD_BYTES && pack_head_decode(bytes, &id) == OK && id == pack;
    return OK;
}

/* Reads the record at `at`, if there is one. */
static err_t
look_at(store_scan_t *scan, bool *ret_found, fault_t *fault)
{
    const uint8_t *bytes = NULL;
    int64_t got = 0;
    TRY(store_raw(scan->store, scan->pack, scan->at, RECORD_HEAD_BYTES, &bytes, &got, fault));
    *ret_found =
        got >= (int64_t) RECORD_HEAD_BYTES && pack_record_decode(bytes, &scan->record) == OK;
    if (!*ret_found) {
        return OK;
    }
    size_t size = (size_t) RECORD_HEAD_BYTES + scan->record.stored;
    TRY(store_raw(scan->store, scan->pack, scan->at, size, &bytes, &got, fault));
    scan->stored = got >= (int64_t) size ? bytes + RECORD_HEAD_BYTES : NULL;
    scan->offset = scan->at;
    scan->at += pack_record_bytes(scan->record.stored);
    scan->again = false;
    return OK;
}

err_t
store_scan_next(store_scan_t *scan, bool *ret_more, fault_t *fault)
{
    *ret_more = false;
    while (!*ret_more && scan->at + RECORD_HEAD_BYTES <= scan->size) {
        TRY(look_at(scan, ret_more, fault));
        if (!*ret_more && !scan->again) { /* no record: it may be wrong on the way only */
            store_forget_ahead(scan->store);
            scan->again = true;
            TRY(look_at(scan, ret_more, fault));
        }
        if (!*ret_more) {
            scan->at += RECORD_ALIGN;
            scan->lost += RECORD_ALIGN;
        }
    }
    return OK;
}

run_entry_t
store_scan_entry(const store_scan_t *scan)
{
    return (run_entry_t){.digest = scan->record.digest,
                         .pack = scan->pack,
                         .offset = scan->offset,
                         .size = scan->record.size,
                         .stored = scan->record.stored,
                         .kind = scan->record.kind,
                         .packing = scan->record.packing};
}

static err_t
is_right(store_scan_t *scan, bool *ret_right, fault_t *fault)
{
    const pack_record_t *record = &scan->record;
    *ret_right =
        scan->stored != NULL && check64(scan->stored, record->stored) == record->body_check;
    if (!*ret_right) {
        return OK;
    }
    if (record->kind == PACK_LIST) {
        *ret_right = list_check(scan->stored, record->stored, record->size) == OK;
        return OK;
    }
    run_entry_t entry = store_scan_entry(scan);
    const uint8_t *bytes = scan->stored;
    err_t err = store_check_bytes(scan->store, &entry, &bytes, fault);
    *ret_right = err == OK;
    return err == ERR_DIGEST ? OK : err;
}

err_t
store_scan_is_right(store_scan_t *scan, bool *ret_right, fault_t *fault)
{
    TRY(is_right(scan, ret_right, fault));
    if (*ret_right) {
        return OK;
    }
    run_entry_t entry = store_scan_entry(scan);
    err_t err = store_stored(scan->store, &entry, false, &scan->stored, fault);
    if (err != OK) {
        return err == ERR_DIGEST ? OK : err;
    }
    return is_right(scan, ret_right, fault);
}
