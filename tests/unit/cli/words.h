/* words.h - arguments written down in a test.
 *
 * Shape    words_parse copies them (lists are taken apart in place) and parses.
 * Owner    the copies live until the next call.
 */
#pragma once

#include "tools/cli.h"

int words_parse(const char *const *words, cli_line_t *ret_line); /* NULL at the end */
