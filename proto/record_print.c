/* record_print.c - a record as one line of text; see record.h. */
#include <inttypes.h>

#include "proto/record_inside.h"
#include "proto/show.h"
#include "proto/wire.h"

static void print_fields(sheet_t *sheet, const record_type_t *type, const void *record,
                         const void *fixed);

static void
print_text(sheet_t *sheet, const void *record, text_t text)
{
    if (text.at == 0) {
        sheet_puts(sheet, "nil");
        return;
    }
    slice_t slice = record_slice(record, text);
    sheet_puts(sheet, "\"");
    sheet_show_line(sheet, slice.data, slice.size);
    sheet_puts(sheet, "\"");
}

static void
print_hex(sheet_t *sheet, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count && !sheet->full; i++) {
        sheet_putf(sheet, "%02x", bytes[i]);
    }
}

static void
print_raw(sheet_t *sheet, const void *record, text_t raw)
{
    slice_t slice = record_slice(record, raw);
    sheet_putf(sheet, "%zu:", slice.size);
    print_hex(sheet, (const uint8_t *) slice.data, slice.size);
}

static void
print_count(sheet_t *sheet, uint64_t count)
{
    if (count == RECORD_NONE) {
        sheet_puts(sheet, "nil");
    } else {
        sheet_putf(sheet, "%" PRIu64, count);
    }
}

/* A value without a word is shown too: a line in a failure report may be of a wrong record. */
static void
print_word(sheet_t *sheet, const record_field_t *field, uint32_t value)
{
    const char *word = record_word(field, value);
    if (word == NULL) {
        sheet_putf(sheet, "?%" PRIu32, value);
    } else {
        sheet_puts(sheet, word);
    }
}

/* A time keeps its nanoseconds here: traces are compared. */
static void
print_time(sheet_t *sheet, int64_t wall_ns)
{
    if (wall_ns == 0) {
        sheet_puts(sheet, "nil");
    } else {
        sheet_putf(sheet, "%" PRId64 "ns", wall_ns);
    }
}

static void
print_rows(sheet_t *sheet, const record_field_t *field, const void *record, rows_t rows)
{
    const record_type_t *type = record_row_type(field);
    sheet_puts(sheet, "[");
    for (uint32_t row = 0; row < rows.count && !sheet->full; row++) {
        const void *fixed = record_row(record, rows, row, type->fixed_bytes);
        sheet_puts(sheet, row == 0 ? "" : " ");
        if (field->kind == RECORD_texts) {
            print_text(sheet, record, *(const text_t *) fixed);
        } else {
            print_fields(sheet, type, record, fixed);
        }
    }
    sheet_puts(sheet, "]");
}

static void
print_field(sheet_t *sheet, const record_field_t *field, const void *record, const void *fixed)
{
    switch (field->kind) {
    case RECORD_flag:
        sheet_puts(sheet, load_u8(fixed, field) ? "true" : "false");
        return;
    case RECORD_u32:
        sheet_putf(sheet, "%" PRIu32, load_u32(fixed, field));
        return;
    case RECORD_u64:
        sheet_putf(sheet, "%" PRIu64, load_u64(fixed, field));
        return;
    case RECORD_i64:
        sheet_putf(sheet, "%" PRId64, load_i64(fixed, field));
        return;
    case RECORD_count:
        print_count(sheet, load_u64(fixed, field));
        return;
    case RECORD_time:
        print_time(sheet, load_i64(fixed, field));
        return;
    case RECORD_word:
        print_word(sheet, field, load_u32(fixed, field));
        return;
    case RECORD_text:
        print_text(sheet, record, load_text(fixed, field));
        return;
    case RECORD_bytes:
    case RECORD_raw:
        print_raw(sheet, record, load_text(fixed, field));
        return;
    case RECORD_digest:
        print_hex(sheet, load_digest(fixed, field).byte, sizeof(digest_t));
        return;
    case RECORD_id128:
        print_hex(sheet, load_id128(fixed, field).byte, sizeof(id128_t));
        return;
    default:
        print_rows(sheet, field, record, load_rows(fixed, field));
        return;
    }
}

static void
print_fields(sheet_t *sheet, const record_type_t *type, const void *record, const void *fixed)
{
    sheet_puts(sheet, type->name);
    sheet_puts(sheet, "{");
    for (uint32_t i = 0; i < type->field_count && !sheet->full; i++) {
        sheet_puts(sheet, i == 0 ? "" : " ");
        sheet_puts(sheet, type->field[i].name);
        sheet_puts(sheet, "=");
        print_field(sheet, &type->field[i], record, fixed);
    }
    sheet_puts(sheet, "}");
}

const char *
record_print(const record_type_t *type, const void *record, char *text, size_t size)
{
    sheet_t sheet;
    sheet_over(&sheet, text, size);
    print_fields(&sheet, type, record, record);
    return text;
}
