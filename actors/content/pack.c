/* pack.c - see pack.h. */
#include "actors/content/pack.h"

#include "actors/content/big_endian.h"
#include "actors/content/check64.h"
#include "actors/content/chunker.h"

#define FORMAT 1u

static const uint8_t pack_mark[6] = {'D', 'S', 'P', 'A', 'C', 'K'};
static const uint8_t record_mark[4] = {'D', 'S', 'P', 'R'};

void
pack_head_encode(uint64_t id, uint8_t ret_bytes[PACK_HEAD_BYTES])
{
    memset(ret_bytes, 0, PACK_HEAD_BYTES);
    memcpy(ret_bytes, pack_mark, sizeof pack_mark);
    put_u16(ret_bytes + 6, FORMAT);
    put_u64(ret_bytes + 8, id);
    put_u64(ret_bytes + 24, check64(ret_bytes, 24));
}

err_t
pack_head_decode(const uint8_t bytes[PACK_HEAD_BYTES], uint64_t *ret_id)
{
    if (memcmp(bytes, pack_mark, sizeof pack_mark) != 0 ||
        get_u64(bytes + 24) != check64(bytes, 24) || get_u64(bytes + 16) != 0) {
        return ERR_DAMAGED;
    }
    if (get_u16(bytes + 6) != FORMAT) {
        return ERR_UNSUPPORTED;
    }
    *ret_id = get_u64(bytes + 8);
    return OK;
}

void
pack_record_encode(const pack_record_t *record, uint8_t ret_bytes[RECORD_HEAD_BYTES])
{
    memset(ret_bytes, 0, RECORD_HEAD_BYTES);
    memcpy(ret_bytes, record_mark, sizeof record_mark);
    ret_bytes[4] = (uint8_t) record->kind;
    ret_bytes[5] = (uint8_t) record->packing;
    put_u32(ret_bytes + 8, record->stored);
    put_u64(ret_bytes + 16, record->size);
    memcpy(ret_bytes + 24, record->digest.byte, sizeof record->digest.byte);
    put_u64(ret_bytes + 56, record->body_check);
    put_u64(ret_bytes + 64, check64(ret_bytes, 64));
}

/* Sizes that cannot be are refused here, so that no reader allocates by them. */
static bool
is_sound(const pack_record_t *record)
{
    if (record->stored > RECORD_BYTES_MAX) {
        return false;
    }
    if (record->kind == PACK_LIST) {
        return record->packing == PACKED_PLAIN && record->stored % LIST_ROW_BYTES == 0;
    }
    return record->kind == PACK_BYTES && record->size <= RECORD_BYTES_MAX &&
           (record->packing == PACKED_ZSTD
                ? record->stored < record->size
                : record->packing == PACKED_PLAIN && record->stored == record->size);
}

err_t
pack_record_decode(const uint8_t bytes[RECORD_HEAD_BYTES], pack_record_t *ret_record)
{
    if (memcmp(bytes, record_mark, sizeof record_mark) != 0 ||
        get_u64(bytes + 64) != check64(bytes, 64) || get_u16(bytes + 6) != 0 ||
        get_u32(bytes + 12) != 0) {
        return ERR_DAMAGED;
    }
    pack_record_t record = {.kind = bytes[4],
                            .packing = bytes[5],
                            .stored = get_u32(bytes + 8),
                            .size = get_u64(bytes + 16),
                            .body_check = get_u64(bytes + 56)};
    memcpy(record.digest.byte, bytes + 24, sizeof record.digest.byte);
    if (!is_sound(&record)) {
        return ERR_DAMAGED;
    }
    *ret_record = record;
    return OK;
}

uint64_t
pack_record_bytes(uint32_t stored)
{
    uint64_t bytes = (uint64_t) RECORD_HEAD_BYTES + stored;
    return (bytes + RECORD_ALIGN - 1) / RECORD_ALIGN * RECORD_ALIGN;
}

void
list_row_encode(const list_row_t *row, uint8_t ret_bytes[LIST_ROW_BYTES])
{
    memcpy(ret_bytes, row->digest.byte, sizeof row->digest.byte);
    put_u32(ret_bytes + sizeof row->digest.byte, row->size);
}

list_row_t
list_row_decode(const uint8_t bytes[LIST_ROW_BYTES])
{
    list_row_t row = {.size = get_u32(bytes + sizeof row.digest.byte)};
    memcpy(row.digest.byte, bytes, sizeof row.digest.byte);
    return row;
}

err_t
list_check(const void *bytes, size_t bytes_size, uint64_t size)
{
    const uint8_t *at = bytes;
    uint64_t sum = 0;
    for (size_t i = 0; i + LIST_ROW_BYTES <= bytes_size; i += LIST_ROW_BYTES) {
        uint32_t chunk = list_row_decode(at + i).size;
        if (chunk == 0 || chunk > CHUNK_BYTES_MAX) {
            return ERR_DAMAGED;
        }
        sum += chunk;
    }
    return bytes_size % LIST_ROW_BYTES == 0 && sum == size ? OK : ERR_DAMAGED;
}
