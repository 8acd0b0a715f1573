/* wire_json.c - one value of a checked document as JSON text; see wire.h. */
#include <inttypes.h>
#include <math.h>

#include "proto/show.h"
#include "proto/wire.h"

static void
put_hex(sheet_t *sheet, slice_t bytes)
{
    for (size_t i = 0; i < bytes.size && !sheet->full; i++) {
        sheet_putf(sheet, "%02x", (uint8_t) bytes.data[i]);
    }
}

static void
put_real(sheet_t *sheet, double real)
{
    if (isfinite(real)) {
        sheet_putf(sheet, "%.17g", real);
    } else {
        sheet_puts(sheet, "null"); /* JSON has no word for it */
    }
}

/* A value that holds no others, without quotes around what is neither str nor bytes. */
static void
put_scalar(sheet_t *sheet, const wire_value_t *value)
{
    switch (value->kind) {
    case WIRE_BOOL:
        sheet_puts(sheet, value->boolean ? "true" : "false");
        return;
    case WIRE_UINT:
        sheet_putf(sheet, "%" PRIu64, value->uint);
        return;
    case WIRE_INT:
        sheet_putf(sheet, "%" PRId64, value->sint);
        return;
    case WIRE_FLOAT:
        put_real(sheet, value->real);
        return;
    case WIRE_STR:
        sheet_show_json(sheet, value->bytes.data, value->bytes.size);
        return;
    case WIRE_BIN:
    case WIRE_EXT:
        sheet_puts(sheet, "\"");
        put_hex(sheet, value->bytes);
        sheet_puts(sheet, "\"");
        return;
    default:
        sheet_puts(sheet, "null");
        return;
    }
}

/* A key of a JSON object is a string: numbers and the like are put in quotes, and a list or a map
 * as a key, which JSON cannot say, is null. */
static void
put_key(sheet_t *sheet, const wire_value_t *key)
{
    bool quoted = key->kind == WIRE_STR || key->kind == WIRE_BIN || key->kind == WIRE_EXT;
    sheet_puts(sheet, quoted ? "" : "\"");
    put_scalar(sheet, key);
    sheet_puts(sheet, quoted ? ":" : "\":");
}

/* Recursion is as deep as the document, which wire_check has bounded. */
static void
put_value(sheet_t *sheet, const wire_value_t *value)
{
    if (value->kind != WIRE_ARRAY && value->kind != WIRE_MAP) {
        put_scalar(sheet, value);
        return;
    }
    bool is_map = value->kind == WIRE_MAP;
    const uint8_t *at = value->body;
    sheet_puts(sheet, is_map ? "{" : "[");
    for (uint32_t i = 0; i < value->count && !sheet->full; i++) {
        wire_value_t item;
        sheet_puts(sheet, i == 0 ? "" : ",");
        wire_next(value, &at, &item);
        if (is_map) {
            put_key(sheet, &item);
            wire_next(value, &at, &item);
        }
        put_value(sheet, &item);
    }
    sheet_puts(sheet, is_map ? "}" : "]");
}

bool
wire_json(const wire_value_t *value, char *text, size_t size, size_t *ret_size)
{
    sheet_t sheet;
    sheet_over(&sheet, text, size);
    put_value(&sheet, value);
    if (sheet.full) {
        return false;
    }
    *ret_size = sheet.used;
    return true;
}
