/* pack.h - the bytes of a pack: its head, and records one behind the other.
 *
 * Shape    all numbers are big-endian.
 *          head, 32 bytes: "DSPACK", format u16 = 1, id u64, 0 u64, check of the 24 bytes before
 *          record: head of 72 bytes, `stored` bytes, zeros up to a multiple of 8:
 *              "DSPR", kind u8, packing u8, 0 u16, stored u32, 0 u32, size u64, digest 32,
 *              check of the stored bytes u64, check of the 64 bytes before u64
 *          PACK_BYTES: the digest is that of the object's `size` bytes, which are stored plain or
 *          by zstd. PACK_LIST: the digest is that of the object's `size` bytes, which are those of
 *          the chunks listed; stored are 36 bytes a chunk, plain: its digest and its size u32.
 * Promises a head that is accepted says what was written, and so do stored bytes whose check
 *          agrees; the decoders are total and bounded. Whether an object is right, its digest says.
 * Costs    none to speak of.
 * Errors   ERR_DAMAGED, ERR_UNSUPPORTED (a newer format).
 * Threads  pure.
 */
#pragma once

#include "actors/content/hash.h"
#include "actors/content/manifest.h"

#define PACK_HEAD_BYTES   32u
#define RECORD_HEAD_BYTES 72u
#define RECORD_ALIGN      8u
#define LIST_ROW_BYTES    36u /* of a chunk in a list */
/* Of one record's stored bytes; an object larger than this is a list. */
#define RECORD_BYTES_MAX MANIFEST_NODE_BYTES_MAX

typedef enum pack_kind { PACK_BYTES = 1, PACK_LIST = 2 } pack_kind_t;
typedef enum pack_packing { PACKED_PLAIN = 0, PACKED_ZSTD = 1 } pack_packing_t;

typedef struct pack_record {
    pack_kind_t kind;
    pack_packing_t packing;
    uint32_t stored;     /* bytes behind the head */
    uint64_t size;       /* bytes of the object */
    digest_t digest;     /* of the object's bytes */
    uint64_t body_check; /* of the stored bytes */
} pack_record_t;

void pack_head_encode(uint64_t id, uint8_t ret_bytes[PACK_HEAD_BYTES]);
err_t pack_head_decode(const uint8_t bytes[PACK_HEAD_BYTES], uint64_t *ret_id) must_use;
void pack_record_encode(const pack_record_t *record, uint8_t ret_bytes[RECORD_HEAD_BYTES]);
err_t pack_record_decode(const uint8_t bytes[RECORD_HEAD_BYTES],
                         pack_record_t *ret_record) must_use;
/* Bytes that a record with so many stored bytes takes in its pack. */
uint64_t pack_record_bytes(uint32_t stored);

typedef struct list_row {
    digest_t digest;
    uint32_t size; /* bytes, at least 1 */
} list_row_t;
void list_row_encode(const list_row_t *row, uint8_t ret_bytes[LIST_ROW_BYTES]);
list_row_t list_row_decode(const uint8_t bytes[LIST_ROW_BYTES]);
/* Whether the chunks of a list are sound and come to size bytes together. */
err_t list_check(const void *bytes, size_t bytes_size, uint64_t size) must_use;
