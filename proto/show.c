/* show.c - bytes made readable; see show.h. */
#include "proto/show.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What a lead byte promises: how many bytes, and the range of the second one, which is where
 * overlong forms, surrogates and what lies above U+10FFFF are told apart. */
typedef struct utf8_row {
    uint8_t first, last;
    uint8_t length;
    uint8_t second_low, second_high;
} utf8_row_t;

static const utf8_row_t utf8_rows[] = {
    {0x00, 0x7f, 1, 0x00, 0x00}, {0xc2, 0xdf, 2, 0x80, 0xbf}, {0xe0, 0xe0, 3, 0xa0, 0xbf},
    {0xe1, 0xec, 3, 0x80, 0xbf}, {0xed, 0xed, 3, 0x80, 0x9f}, {0xee, 0xef, 3, 0x80, 0xbf},
    {0xf0, 0xf0, 4, 0x90, 0xbf}, {0xf1, 0xf3, 4, 0x80, 0xbf}, {0xf4, 0xf4, 4, 0x80, 0x8f},
};

static size_t
utf8_length_by(const utf8_row_t *row, const uint8_t *bytes, size_t size)
{
    if (row->length > size) {
        return 0;
    }
    if (row->length > 1 && (bytes[1] < row->second_low || bytes[1] > row->second_high)) {
        return 0;
    }
    for (size_t i = 2; i < row->length; i++) {
        if ((bytes[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return row->length;
}

size_t
utf8_length(const uint8_t *bytes, size_t size)
{
    if (size == 0) {
        return 0;
    }
    for (size_t i = 0; i < sizeof utf8_rows / sizeof utf8_rows[0]; i++) {
        if (bytes[0] >= utf8_rows[i].first && bytes[0] <= utf8_rows[i].last) {
            return utf8_length_by(&utf8_rows[i], bytes, size);
        }
    }
    return 0;
}

void
sheet_over(sheet_t *sheet, char *text, size_t size)
{
    assert(size > 0);
    *sheet = (sheet_t){.text = text, .size = size};
    text[0] = '\0';
}

void
sheet_put(sheet_t *sheet, const char *bytes, size_t size)
{
    if (sheet->full || size >= sheet->size - sheet->used) {
        sheet->full = true;
        return;
    }
    memcpy(sheet->text + sheet->used, bytes, size);
    sheet->used += size;
    sheet->text[sheet->used] = '\0';
}

void
sheet_puts(sheet_t *sheet, const char *text)
{
    sheet_put(sheet, text, strlen(text));
}

void
sheet_putf(sheet_t *sheet, const char *format, ...)
{
    char piece[128];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(piece, sizeof piece, format, arguments);
    va_end(arguments);
    assert(size >= 0 && (size_t) size < sizeof piece);
    sheet_put(sheet, piece, (size_t) size);
}

static bool
is_control(uint8_t byte)
{
    return byte < 0x20 || byte == 0x7f;
}

static void
show(sheet_t *sheet, const uint8_t *bytes, size_t size, bool one_line)
{
    for (size_t at = 0; at < size && !sheet->full;) {
        size_t length = utf8_length(bytes + at, size - at);
        if (length == 0 || (one_line && is_control(bytes[at]))) {
            sheet_putf(sheet, "\\x%02X", bytes[at]);
            at++;
        } else {
            sheet_put(sheet, (const char *) bytes + at, length);
            at += length;
        }
    }
}

void
sheet_show(sheet_t *sheet, const void *bytes, size_t size)
{
    show(sheet, bytes, size, false);
}

void
sheet_show_line(sheet_t *sheet, const void *bytes, size_t size)
{
    show(sheet, bytes, size, true);
}

static void
show_json_unit(sheet_t *sheet, const uint8_t *bytes, size_t length)
{
    if (length == 0) {
        sheet_putf(sheet, "\\\\x%02X", bytes[0]);
    } else if (bytes[0] == '"' || bytes[0] == '\\') {
        sheet_putf(sheet, "\\%c", bytes[0]);
    } else if (is_control(bytes[0])) {
        sheet_putf(sheet, "\\u%04x", bytes[0]);
    } else {
        sheet_put(sheet, (const char *) bytes, length);
    }
}

void
sheet_show_json(sheet_t *sheet, const void *bytes, size_t size)
{
    const uint8_t *byte = bytes;
    sheet_puts(sheet, "\"");
    for (size_t at = 0; at < size && !sheet->full;) {
        size_t length = utf8_length(byte + at, size - at);
        show_json_unit(sheet, byte + at, length);
        at += length == 0 ? 1 : length;
    }
    sheet_puts(sheet, "\"");
}
