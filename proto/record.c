/* record.c - slices, the check of a record, and drafts; see record.h. */
#include "proto/record.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "proto/limits.h"
#include "proto/record_inside.h"
#include "proto/wire.h"

/* ---- slices, hex ---- */

bool
slice_equal(slice_t a, slice_t b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

slice_t
slice_of(const char *text)
{
    return (slice_t){text, text == NULL ? 0 : strlen(text)};
}

bool
slice_copy(slice_t slice, char *text, size_t size)
{
    assert(size > 0);
    text[0] = '\0';
    if (slice.size >= size || (slice.size > 0 && memchr(slice.data, '\0', slice.size) != NULL)) {
        return false;
    }
    if (slice.size > 0) {
        memcpy(text, slice.data, slice.size);
    }
    text[slice.size] = '\0';
    return true;
}

static bool
is_zero(const uint8_t *bytes, size_t count)
{
    uint8_t any = 0;
    for (size_t i = 0; i < count; i++) {
        any |= bytes[i];
    }
    return any == 0;
}

bool
digest_is_none(const digest_t *digest)
{
    return is_zero(digest->byte, sizeof digest->byte);
}

bool
id128_is_none(const id128_t *id)
{
    return is_zero(id->byte, sizeof id->byte);
}

void
hex_of_bytes(const uint8_t *bytes, size_t count, char *ret_hex)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < count; i++) {
        ret_hex[2 * i] = digits[bytes[i] >> 4];
        ret_hex[2 * i + 1] = digits[bytes[i] & 0x0f];
    }
    ret_hex[2 * count] = '\0';
}

static int
hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    if (digit >= 'a' && digit <= 'f') {
        return digit - 'a' + 10;
    }
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

bool
bytes_of_hex(slice_t hex, uint8_t *ret_bytes, size_t count)
{
    if (hex.size != 2 * count) {
        return false;
    }
    for (size_t i = 0; i < hex.size; i++) {
        if (hex_digit(hex.data[i]) < 0) {
            return false;
        }
    }
    for (size_t i = 0; i < count; i++) {
        ret_bytes[i] = (uint8_t) (hex_digit(hex.data[2 * i]) << 4 | hex_digit(hex.data[2 * i + 1]));
    }
    return true;
}

/* ---- what the files of record share ---- */

static const record_field_t text_row_fields[] = {
    {"text", RECORD_text, 0, UINT32_MAX, NULL, NULL, OPTIONAL},
};
static const record_type_t text_row_type = {"text",           0, sizeof(text_t),
                                            _Alignof(text_t), 1, text_row_fields};

static const record_field_t pair_row_fields[] = {
    {"name", RECORD_text, offsetof(pair_t, name), UINT32_MAX, NULL, NULL, OPTIONAL},
    {"value", RECORD_text, offsetof(pair_t, value), UINT32_MAX, NULL, NULL, OPTIONAL},
};
static const record_type_t pair_row_type = {"pair",           0, sizeof(pair_t),
                                            _Alignof(pair_t), 2, pair_row_fields};

const record_type_t *
record_row_type(const record_field_t *field)
{
    if (field->kind == RECORD_texts) {
        return &text_row_type;
    }
    return field->kind == RECORD_pairs ? &pair_row_type : field->type;
}

const char *
record_word(const record_field_t *field, uint32_t value)
{
    return value < field->words->count ? field->words->word[value] : NULL;
}

/* ---- checking ---- */

/* left is what makes the check linear: rows and encoded values, which cost more than a look, are
 * paid for by their bytes, so a record whose rows share their tail cannot make it walk the same
 * bytes again and again. A draft never shares them. */
typedef struct checking {
    const uint8_t *base;
    size_t size;    /* bytes of the record */
    size_t tail_at; /* offset of the tail */
    size_t left;    /* bytes of rows and encoded values that may still be looked at */
} checking_t;

static err_t check_fields(checking_t *in, const record_type_t *type, const uint8_t *fixed);

static bool
pay(checking_t *in, uint64_t bytes)
{
    if (bytes > in->left) {
        return false;
    }
    in->left -= (size_t) bytes;
    return true;
}

static err_t
check_bytes(const checking_t *in, text_t text, uint32_t bound)
{
    if (text.at == 0) {
        return text.size == 0 ? OK : ERR_BAD_REQUEST;
    }
    if (text.at < in->tail_at || text.at > in->size || text.size > in->size - text.at) {
        return ERR_BAD_REQUEST;
    }
    return text.size <= bound ? OK : ERR_TOO_LARGE;
}

static err_t
check_raw(checking_t *in, text_t raw, uint32_t bound)
{
    TRY(check_bytes(in, raw, bound));
    wire_value_t value;
    if (raw.at == 0) {
        return OK;
    }
    return pay(in, raw.size) ? wire_check(in->base + raw.at, raw.size, &value) : ERR_BAD_REQUEST;
}

static err_t
check_rows(checking_t *in, const record_field_t *field, rows_t rows)
{
    const record_type_t *type = record_row_type(field);
    uint64_t bytes = (uint64_t) rows.count * type->fixed_bytes;
    if (rows.count == 0) {
        return rows.at == 0 ? OK : ERR_BAD_REQUEST;
    }
    if (rows.at < in->tail_at || rows.at > in->size || bytes > in->size - rows.at ||
        rows.at % 8 != 0 || !pay(in, bytes)) {
        return ERR_BAD_REQUEST;
    }
    if (rows.count > field->bound) {
        return ERR_TOO_LARGE;
    }
    for (uint32_t row = 0; row < rows.count; row++) {
        TRY(check_fields(in, type, in->base + rows.at + (size_t) row * type->fixed_bytes));
    }
    return OK;
}

static err_t
check_field(checking_t *in, const record_field_t *field, const uint8_t *fixed)
{
    switch (field->kind) {
    case RECORD_flag:
        return load_u8(fixed, field) <= 1 ? OK : ERR_BAD_REQUEST;
    case RECORD_word:
        return record_word(field, load_u32(fixed, field)) != NULL ? OK : ERR_BAD_REQUEST;
    case RECORD_text:
    case RECORD_bytes:
        return check_bytes(in, load_text(fixed, field), field->bound);
    case RECORD_raw:
        return check_raw(in, load_text(fixed, field), field->bound);
    case RECORD_texts:
    case RECORD_rows:
    case RECORD_maybe:
    case RECORD_pairs:
        return check_rows(in, field, load_rows(fixed, field));
    default: /* numbers, times, digests and ids may have any value */
        return OK;
    }
}

static err_t
check_fields(checking_t *in, const record_type_t *type, const uint8_t *fixed)
{
    for (uint32_t i = 0; i < type->field_count; i++) {
        TRY(check_field(in, &type->field[i], fixed));
    }
    return OK;
}

err_t
record_check(const record_type_t *type, const void *record, size_t size)
{
    if (size < type->fixed_bytes || (uintptr_t) record % 8 != 0) {
        return ERR_BAD_REQUEST;
    }
    checking_t in = {.base = record,
                     .size = size,
                     .tail_at = type->fixed_bytes,
                     .left = size - type->fixed_bytes};
    return check_fields(&in, type, record);
}

/* ---- drafts ---- */

void
draft_over(draft_t *draft, void *memory, uint32_t capacity)
{
    assert((uintptr_t) memory % 8 == 0);
    *draft = (draft_t){.base = memory, .capacity = capacity};
}

/* size bytes of tail at a multiple of align, or 0 when they do not fit. Skipped bytes are zeroed,
 * because records are compared and digested as bytes. */
static uint32_t
draft_take(draft_t *draft, uint64_t size, uint32_t align)
{
    uint64_t at = ((uint64_t) draft->size + align - 1) / align * align;
    if (draft->full || at + size > draft->capacity) {
        draft->full = true;
        return 0;
    }
    memset(draft->base + draft->size, 0, (size_t) (at - draft->size));
    draft->size = (uint32_t) (at + size);
    return (uint32_t) at;
}

text_t
draft_text(draft_t *draft, slice_t text)
{
    if (text.data == NULL) {
        return (text_t){0, 0};
    }
    uint32_t at = draft_take(draft, text.size, 1);
    if (at == 0) {
        return (text_t){0, 0};
    }
    memcpy(draft->base + at, text.data, text.size);
    return (text_t){at, (uint32_t) text.size};
}

text_t
draft_copy_text(draft_t *draft, const void *from_record, text_t text)
{
    return text.at == 0 ? text : draft_text(draft, record_slice(from_record, text));
}

text_t
draft_textf(draft_t *draft, const char *format, ...)
{
    uint32_t room = draft->capacity - draft->size; /* the closing NUL needs a byte of it */
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf((char *) draft->base + draft->size, room, format, arguments);
    va_end(arguments);
    if (draft->full || size < 0 || (uint32_t) size >= room) {
        draft->full = true;
        return (text_t){0, 0};
    }
    uint32_t at = draft_take(draft, (uint64_t) size, 1);
    return (text_t){at, (uint32_t) size};
}

rows_t
draft_rows(draft_t *draft, uint32_t count, size_t row_bytes)
{
    if (count == 0) {
        return (rows_t){0, 0};
    }
    if (row_bytes > MESSAGE_BYTES_MAX) {
        draft->full = true;
        return (rows_t){0, 0};
    }
    uint64_t bytes = (uint64_t) count * row_bytes;
    uint32_t at = draft_take(draft, bytes, 8);
    if (at == 0) {
        return (rows_t){0, 0};
    }
    memset(draft->base + at, 0, (size_t) bytes);
    return (rows_t){at, count};
}

void *
draft_row(draft_t *draft, rows_t rows, uint32_t row, size_t row_bytes)
{
    if (draft->full || row >= rows.count) {
        return NULL;
    }
    return draft->base + rows.at + (size_t) row * row_bytes;
}
