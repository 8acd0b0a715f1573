/* cli_print.h - text of a site on a terminal, without letting it steer the terminal.
 *
 * Shape    a text is shown: what a terminal would obey instead of showing (control characters,
 *          of C1 too, and marks that turn the direction or break the line) and what is not UTF-8
 *          stands as \xNN; a line is formatted, shown and closed by a newline.
 * Promises whatever a file name, label or reason holds, a line stays one line and the cursor where
 *          it belongs.
 * Owner    cli_shown's text is the caller's to free.
 */
#pragma once

#include <stdarg.h>
#include <stdio.h>

#include "proto/record.h"

char *cli_shown(slice_t text);
size_t cli_width(const char *text);                  /* characters of UTF-8 text */
size_t cli_cut(const char *text, size_t characters); /* bytes of the first so many characters */
/* The formatted text, to be freed. */
char *cli_formatted(const char *format, va_list list) __attribute__((format(printf, 1, 0)));
void cli_line(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
