/* record_encode.c - a record as one msgpack map; see record.h. */
#include <assert.h>
#include <stdio.h>

#include "proto/record_inside.h"
#include "proto/show.h"
#include "proto/wire.h"

/* How the texts of a field are written: shown under its name, or as they are under <name>_raw. */
typedef enum manner { SHOWN, AS_BYTES } manner_t;

static void encode_fields(wire_writer_t *w, const record_type_t *type, const void *record,
                          const void *fixed);

static void
put_text(wire_writer_t *w, const void *record, text_t text, manner_t manner)
{
    if (text.at == 0) {
        wire_put_nil(w);
    } else if (manner == SHOWN) {
        wire_put_shown(w, record_slice(record, text));
    } else {
        wire_put_bin(w, record_slice(record, text));
    }
}

static void
put_texts(wire_writer_t *w, const void *record, rows_t rows, manner_t manner)
{
    wire_put_array(w, rows.count);
    for (uint32_t row = 0; row < rows.count && !w->full; row++) {
        put_text(w, record, *ROW(record, rows, row, text_t), manner);
    }
}

/* An absent name or value of a pair is written as an empty text: a key cannot be nil. */
static void
put_pairs(wire_writer_t *w, const void *record, rows_t rows, manner_t manner)
{
    wire_put_map(w, rows.count);
    for (uint32_t row = 0; row < rows.count && !w->full; row++) {
        const pair_t *pair = ROW(record, rows, row, pair_t);
        slice_t half[2] = {record_slice(record, pair->name), record_slice(record, pair->value)};
        for (int i = 0; i < 2; i++) {
            if (manner == SHOWN) {
                wire_put_shown(w, half[i]);
            } else {
                wire_put_bin(w, half[i]);
            }
        }
    }
}

static void
put_rows(wire_writer_t *w, const record_field_t *field, const void *record, rows_t rows)
{
    wire_put_array(w, rows.count);
    for (uint32_t row = 0; row < rows.count && !w->full; row++) {
        encode_fields(w, field->type, record,
                      record_row(record, rows, row, field->type->fixed_bytes));
    }
}

static void
put_maybe(wire_writer_t *w, const record_field_t *field, const void *record, rows_t rows)
{
    if (rows.count == 0) {
        wire_put_nil(w);
    } else {
        encode_fields(w, field->type, record, (const uint8_t *) record + rows.at);
    }
}

static void
put_count(wire_writer_t *w, uint64_t count)
{
    if (count == RECORD_NONE) {
        wire_put_nil(w);
    } else {
        wire_put_u64(w, count);
    }
}

static void
put_hex(wire_writer_t *w, const uint8_t *bytes, size_t count, bool none)
{
    char hex[2 * sizeof(digest_t) + 1];
    if (none) {
        wire_put_nil(w);
        return;
    }
    hex_of_bytes(bytes, count, hex);
    wire_put_str(w, slice_of(hex));
}

static void
put_word(wire_writer_t *w, const record_field_t *field, uint32_t value)
{
    const char *word = record_word(field, value);
    assert(word != NULL);
    wire_put_str(w, slice_of(word));
}

static void
put_raw(wire_writer_t *w, const void *record, text_t raw)
{
    if (raw.at == 0) {
        wire_put_nil(w);
    } else {
        wire_put_raw(w, record_slice(record, raw));
    }
}

/* What is a number, a word or an id in the record. */
static void
encode_plain(wire_writer_t *w, const record_field_t *field, const void *fixed)
{
    digest_t digest;
    id128_t id;
    switch (field->kind) {
    case RECORD_flag:
        wire_put_bool(w, load_u8(fixed, field) != 0);
        return;
    case RECORD_u32:
        wire_put_u64(w, load_u32(fixed, field));
        return;
    case RECORD_u64:
        wire_put_u64(w, load_u64(fixed, field));
        return;
    case RECORD_i64:
        wire_put_i64(w, load_i64(fixed, field));
        return;
    case RECORD_count:
        put_count(w, load_u64(fixed, field));
        return;
    case RECORD_time:
        wire_put_time(w, load_i64(fixed, field));
        return;
    case RECORD_word:
        put_word(w, field, load_u32(fixed, field));
        return;
    case RECORD_digest:
        digest = load_digest(fixed, field);
        put_hex(w, digest.byte, sizeof digest.byte, digest_is_none(&digest));
        return;
    default:
        assert(field->kind == RECORD_id128);
        id = load_id128(fixed, field);
        put_hex(w, id.byte, sizeof id.byte, id128_is_none(&id));
        return;
    }
}

static void
encode_field(wire_writer_t *w, const record_field_t *field, const void *record, const void *fixed,
             manner_t manner)
{
    switch (field->kind) {
    case RECORD_text:
        put_text(w, record, load_text(fixed, field), manner);
        return;
    case RECORD_bytes:
        put_text(w, record, load_text(fixed, field), AS_BYTES);
        return;
    case RECORD_raw:
        put_raw(w, record, load_text(fixed, field));
        return;
    case RECORD_texts:
        put_texts(w, record, load_rows(fixed, field), manner);
        return;
    case RECORD_pairs:
        put_pairs(w, record, load_rows(fixed, field), manner);
        return;
    case RECORD_rows:
        put_rows(w, field, record, load_rows(fixed, field));
        return;
    case RECORD_maybe:
        put_maybe(w, field, record, load_rows(fixed, field));
        return;
    default:
        encode_plain(w, field, fixed);
        return;
    }
}

static bool
is_shown_whole(const void *record, text_t text)
{
    return wire_is_utf8(record_slice(record, text));
}

/* Whether a text of the field is not UTF-8, so that it must be carried raw too. */
static bool
needs_raw(const record_field_t *field, const void *record, const void *fixed)
{
    if (field->kind == RECORD_text) {
        return !is_shown_whole(record, load_text(fixed, field));
    }
    if (field->kind != RECORD_texts && field->kind != RECORD_pairs) {
        return false;
    }
    rows_t rows = load_rows(fixed, field);
    uint32_t texts = field->kind == RECORD_pairs ? 2 * rows.count : rows.count;
    for (uint32_t i = 0; i < texts; i++) { /* a pair_t is two text_t */
        if (!is_shown_whole(record, *ROW(record, rows, i, text_t))) {
            return true;
        }
    }
    return false;
}

static void
encode_raw(wire_writer_t *w, const record_field_t *field, const void *record, const void *fixed)
{
    char name[128];
    int size = snprintf(name, sizeof name, "%s_raw", field->name);
    assert(size > 0 && (size_t) size < sizeof name);
    wire_put_str(w, (slice_t){name, (size_t) size});
    encode_field(w, field, record, fixed, AS_BYTES);
}

/* The keys that the map will have: one per field on the wire, one more where it is carried raw. */
static uint32_t
key_count(const record_type_t *type, const void *record, const void *fixed)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < type->field_count; i++) {
        const record_field_t *field = &type->field[i];
        if (field->need != INTERNAL) {
            count += needs_raw(field, record, fixed) ? 2 : 1;
        }
    }
    return count;
}

static void
encode_fields(wire_writer_t *w, const record_type_t *type, const void *record, const void *fixed)
{
    wire_put_map(w, key_count(type, record, fixed));
    for (uint32_t i = 0; i < type->field_count && !w->full; i++) {
        const record_field_t *field = &type->field[i];
        if (field->need == INTERNAL) {
            continue;
        }
        wire_put_str(w, slice_of(field->name));
        encode_field(w, field, record, fixed, SHOWN);
        if (needs_raw(field, record, fixed)) {
            encode_raw(w, field, record, fixed);
        }
    }
}

err_t
record_encode(const record_type_t *type, const void *record, wire_writer_t *writer)
{
    encode_fields(writer, type, record, record);
    return writer->full ? ERR_TOO_LARGE : OK;
}

err_t
record_encode_part(const record_type_t *type, const void *record, const void *row,
                   wire_writer_t *writer)
{
    encode_fields(writer, type, record, row);
    return writer->full ? ERR_TOO_LARGE : OK;
}
