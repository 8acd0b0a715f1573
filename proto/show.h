/* show.h - bytes made readable, into memory of fixed size.
 *
 * Shape    a sheet is text under way in the caller's memory; utf8_length judges one sequence.
 * Promises a sheet is always closed by a NUL, never written past its size and never cut inside a
 *          UTF-8 sequence or an escape; every one of the 256 byte values can be shown.
 * Costs    linear in the bytes shown, no allocation.
 * Errors   what does not fit sets full; the text so far stays readable.
 * Threads  caller's memory only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct sheet {
    char *text;
    size_t size; /* bytes of text, the closing NUL among them; at least 1 */
    size_t used; /* bytes written so far, without the NUL */
    bool full;   /* something did not fit */
} sheet_t;

void sheet_over(sheet_t *sheet, char *text, size_t size);       /* size must be at least 1 */
void sheet_put(sheet_t *sheet, const char *bytes, size_t size); /* whole or not at all */
void sheet_puts(sheet_t *sheet, const char *text);
void sheet_putf(sheet_t *sheet, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Bytes that are not UTF-8 are shown as \xNN. */
void sheet_show(sheet_t *sheet, const void *bytes, size_t size);
/* As sheet_show, and control characters are shown too, so that the result is one line. */
void sheet_show_line(sheet_t *sheet, const void *bytes, size_t size);
/* As a JSON string, quotes included; bytes that are not UTF-8 are shown as \xNN. */
void sheet_show_json(sheet_t *sheet, const void *bytes, size_t size);

/* The length in bytes of the UTF-8 sequence that bytes begin with; 0 when they begin with none
 * (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF). */
size_t utf8_length(const uint8_t *bytes, size_t size);
