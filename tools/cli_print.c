/* cli_print.c - see cli_print.h. */
#include "tools/cli_print.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "proto/show.h"

/* Whether a terminal would obey this character (of so many bytes) instead of showing it. */
static bool
is_obeyed(const uint8_t *c, size_t length)
{
    bool control = length == 1 && (c[0] < 0x20 || c[0] == 0x7f);
    bool control_of_c1 = length == 2 && c[0] == 0xc2 && c[1] < 0xa0;
    bool general = length == 3 && c[0] == 0xe2;
    bool mark = general && c[1] == 0x80 && (c[2] == 0x8e || c[2] == 0x8f);
    bool separator_or_embedding = general && c[1] == 0x80 && c[2] >= 0xa8 && c[2] <= 0xae;
    bool isolate = general && c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9;

    return control || control_of_c1 || mark || separator_or_embedding || isolate;
}

char *
cli_shown(slice_t text)
{
    char *shown = malloc(4 * text.size + 1), *to = shown;

    assert(shown);
    for (size_t at = 0; at < text.size;) {
        const uint8_t *c = (const uint8_t *) text.data + at;
        size_t length = utf8_length(c, text.size - at);
        size_t step = length ? length : 1;
        if (length > 0 && !is_obeyed(c, length)) {
            memcpy(to, c, length);
            to += length;
        } else {
            for (size_t i = 0; i < step; i++, to += 4) {
                static const char hex[] = "0123456789ABCDEF";
                const char escape[4] = {'\\', 'x', hex[c[i] >> 4], hex[c[i] & 15]};
                memcpy(to, escape, sizeof escape);
            }
        }
        at += step;
    }
    *to = 0;
    return shown;
}

size_t
cli_width(const char *text)
{
    size_t width = 0;

    for (; *text; text++) {
        width += ((unsigned char) *text & 0xc0) != 0x80;
    }
    return width;
}

size_t
cli_cut(const char *text, size_t characters)
{
    size_t size = 0;

    while (text[size] && (characters > 0 || ((unsigned char) text[size] & 0xc0) == 0x80)) {
        characters -= ((unsigned char) text[size] & 0xc0) != 0x80;
        size++;
    }
    return size;
}

char *
cli_formatted(const char *format, va_list list)
{
    char *text = NULL;
    int size = vasprintf(&text, format, list);

    assert(size >= 0);
    return text;
}

void
cli_line(FILE *out, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    char *text = cli_formatted(format, list);
    va_end(list);
    char *shown = cli_shown(slice_of(text));
    fprintf(out, "%s\n", shown);
    free(shown);
    free(text);
}
