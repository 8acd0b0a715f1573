/* record_copy.c - copying, comparing and hashing records by their descriptors; see record.h. */
#include "proto/record_inside.h"

/* ---- copying ---- */

/* All that a field of the old record points to, copied into the tail of the new one. The rows of a
 * full draft cannot be reached any more, so the walk ends there. */
static err_t
copy_rows(draft_t *draft, const record_field_t *field, void *to_fixed, const void *from_record,
          rows_t rows)
{
    const record_type_t *type = record_row_type(field);
    rows_t copies = draft_rows(draft, rows.count, type->fixed_bytes);
    for (uint32_t row = 0; row < rows.count; row++) {
        void *copy = draft_row(draft, copies, row, type->fixed_bytes);
        if (copy == NULL) {
            return ERR_TOO_LARGE;
        }
        TRY(draft_copy(draft, type, copy, from_record,
                       record_row(from_record, rows, row, type->fixed_bytes)));
    }
    store_rows(to_fixed, field, copies);
    return OK;
}

err_t
draft_copy(draft_t *draft, const record_type_t *type, void *ret_fixed, const void *from_record,
           const void *from_fixed)
{
    memcpy(ret_fixed, from_fixed, type->fixed_bytes);
    for (uint32_t i = 0; i < type->field_count; i++) {
        const record_field_t *field = &type->field[i];
        if (record_has_bytes(field->kind)) {
            text_t text = load_text(from_fixed, field);
            store_text(ret_fixed, field, draft_copy_text(draft, from_record, text));
        } else if (record_has_rows(field->kind)) {
            rows_t rows = load_rows(from_fixed, field);
            TRY(copy_rows(draft, field, ret_fixed, from_record, rows));
        }
    }
    return draft->full ? ERR_TOO_LARGE : OK;
}

/* ---- comparing ---- */

typedef struct comparing {
    const void *a, *b; /* the two records */
} comparing_t;

static bool equal_fields(const comparing_t *of, const record_type_t *type, const void *a_fixed,
                         const void *b_fixed);

static bool
equal_texts(const comparing_t *of, text_t a, text_t b)
{
    bool both_absent = a.at == 0 && b.at == 0;
    bool both_there = a.at != 0 && b.at != 0;
    return both_absent ||
           (both_there && slice_equal(record_slice(of->a, a), record_slice(of->b, b)));
}

static bool
equal_rows(const comparing_t *of, const record_field_t *field, rows_t a, rows_t b)
{
    const record_type_t *type = record_row_type(field);
    if (a.count != b.count) {
        return false;
    }
    for (uint32_t row = 0; row < a.count; row++) {
        if (!equal_fields(of, type, record_row(of->a, a, row, type->fixed_bytes),
                          record_row(of->b, b, row, type->fixed_bytes))) {
            return false;
        }
    }
    return true;
}

static size_t
plain_size(record_kind_t kind)
{
    switch (kind) {
    case RECORD_flag:
        return sizeof(uint8_t);
    case RECORD_u32:
    case RECORD_word:
        return sizeof(uint32_t);
    case RECORD_digest:
        return sizeof(digest_t);
    case RECORD_id128:
        return sizeof(id128_t);
    default:
        return sizeof(uint64_t);
    }
}

static bool
equal_field(const comparing_t *of, const record_field_t *field, const void *a_fixed,
            const void *b_fixed)
{
    if (record_has_bytes(field->kind)) {
        return equal_texts(of, load_text(a_fixed, field), load_text(b_fixed, field));
    }
    if (record_has_rows(field->kind)) {
        return equal_rows(of, field, load_rows(a_fixed, field), load_rows(b_fixed, field));
    }
    return memcmp((const uint8_t *) a_fixed + field->offset,
                  (const uint8_t *) b_fixed + field->offset, plain_size(field->kind)) == 0;
}

static bool
equal_fields(const comparing_t *of, const record_type_t *type, const void *a_fixed,
             const void *b_fixed)
{
    for (uint32_t i = 0; i < type->field_count; i++) {
        if (!equal_field(of, &type->field[i], a_fixed, b_fixed)) {
            return false;
        }
    }
    return true;
}

bool
record_equal(const record_type_t *type, const void *a, const void *b)
{
    return equal_fields(&(comparing_t){a, b}, type, a, b);
}

/* ---- hashing ---- */

static uint64_t
mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

static uint64_t
mix_bytes(uint64_t hash, const void *bytes, size_t size)
{
    for (size_t at = 0; at < size; at += sizeof(uint64_t)) {
        uint64_t word = 0;
        memcpy(&word, (const uint8_t *) bytes + at,
               size - at < sizeof word ? size - at : sizeof word);
        hash = mix(hash, word);
    }
    return hash;
}

static uint64_t hash_fields(uint64_t hash, const void *record, const record_type_t *type,
                            const void *fixed);

static uint64_t
hash_field(uint64_t hash, const void *record, const record_field_t *field, const void *fixed)
{
    if (record_has_bytes(field->kind)) {
        text_t text = load_text(fixed, field);
        hash = mix(hash, text.at == 0 ? UINT64_MAX : text.size);
        return mix_bytes(hash, record_slice(record, text).data, text.at == 0 ? 0 : text.size);
    }
    if (!record_has_rows(field->kind)) {
        return mix_bytes(hash, (const uint8_t *) fixed + field->offset, plain_size(field->kind));
    }
    const record_type_t *type = record_row_type(field);
    rows_t rows = load_rows(fixed, field);
    hash = mix(hash, rows.count);
    for (uint32_t row = 0; row < rows.count; row++) {
        hash = hash_fields(hash, record, type, record_row(record, rows, row, type->fixed_bytes));
    }
    return hash;
}

static uint64_t
hash_fields(uint64_t hash, const void *record, const record_type_t *type, const void *fixed)
{
    for (uint32_t i = 0; i < type->field_count; i++) {
        hash = hash_field(hash, record, &type->field[i], fixed);
    }
    return hash;
}

uint64_t
record_hash(const record_type_t *type, const void *record, uint64_t seed)
{
    return hash_fields(seed, record, type, record);
}
