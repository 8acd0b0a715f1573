/* record_inside.h - what the files of record share: fields read and written by their descriptor.
 *
 * Shape    one load and one store per C type of a field; rows of any kind seen as rows of a part.
 * Promises a field is only touched at the offset that its descriptor tells.
 * Threads  caller's memory only.
 * Owner    for record*.c only.
 */
#pragma once

#include <string.h>

#include "proto/record.h"

#define RECORD_LOADER(name, c_type)                                                                \
    static inline c_type load_##name(const void *fixed, const record_field_t *field)               \
    {                                                                                              \
        c_type value;                                                                              \
        memcpy(&value, (const uint8_t *) fixed + field->offset, sizeof value);                     \
        return value;                                                                              \
    }                                                                                              \
    static inline void store_##name(void *fixed, const record_field_t *field, c_type value)        \
    {                                                                                              \
        memcpy((uint8_t *) fixed + field->offset, &value, sizeof value);                           \
    }
RECORD_LOADER(u8, uint8_t)
RECORD_LOADER(u32, uint32_t)
RECORD_LOADER(u64, uint64_t)
RECORD_LOADER(i64, int64_t)
RECORD_LOADER(text, text_t)
RECORD_LOADER(rows, rows_t)
RECORD_LOADER(digest, digest_t)
RECORD_LOADER(id128, id128_t)
#undef RECORD_LOADER

/* The record type of the rows of a texts or pairs field, so that lists of texts, pairs and parts
 * are checked, copied and compared by the same few lines. */
const record_type_t *record_row_type(const record_field_t *field);

static inline bool
record_has_rows(record_kind_t kind)
{
    return kind == RECORD_texts || kind == RECORD_rows || kind == RECORD_maybe ||
           kind == RECORD_pairs;
}

static inline bool
record_has_bytes(record_kind_t kind)
{
    return kind == RECORD_text || kind == RECORD_bytes || kind == RECORD_raw;
}

/* The word of a value, or NULL when the table does not have it. */
const char *record_word(const record_field_t *field, uint32_t value);
