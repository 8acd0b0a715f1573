/* despoold_lines.h - the lines of a configuration file, for errors that name them.
 *
 * Shape    zconfig keeps no line numbers: its items, in order, are the lines that are neither empty
 *          nor comments.
 * Promises what zconfig would only complain about on its own is refused, with its line.
 * Errors   ERR_CONFIG, with a sentence in ret_why.
 * Threads  one.
 */
#pragma once

#include <stddef.h>

#include "proto/errors.h"

typedef struct lines {
    char *text;
    size_t size;
} lines_t;

/* The number, from 1, of the item-th significant line, from 0. */
unsigned lines_of_item(const lines_t *lines, unsigned item);
err_t lines_refuse(char *ret_why, size_t why_size, const char *file, unsigned line, const char *key,
                   const char *reason) must_use;
err_t lines_check(const lines_t *lines, const char *file, char *ret_why, size_t why_size) must_use;
