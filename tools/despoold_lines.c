/* despoold_lines.c - see despoold_lines.h. */
#include "tools/despoold_lines.h"

#include <stdio.h>
#include <string.h>

#define DEPTH_MAX 2 /* levels of keys: section and key */

static bool
is_significant(const char *line)
{
    line += strspn(line, " \t\r");
    return *line && *line != '#' && *line != '\n';
}

/* The line after this one; NULL after the last. */
static const char *
next_line(const char *line)
{
    const char *end = strchr(line, '\n');

    return end && end[1] ? end + 1 : NULL;
}

/* The number, from 1, of the item-th significant line, from 0. */
unsigned
lines_of_item(const lines_t *lines, unsigned item)
{
    unsigned number = 0;

    for (const char *at = lines->text; at; at = next_line(at)) {
        number++;
        if (is_significant(at) && item-- == 0) {
            return number;
        }
    }
    return number;
}

err_t
lines_refuse(char *ret_why, size_t why_size, const char *file, unsigned line, const char *key,
             const char *reason)
{
    snprintf(ret_why, why_size, "cannot read '%.512s': line %u, '%s': %s", file, line, key, reason);
    return ERR_CONFIG;
}

/* What stands behind '='. */
static const char *
fault_of_value(const char *value, bool is_key)
{
    value += strspn(value, " \t");
    char quote = *value == '"' || *value == '\'' ? *value : 0;

    if (!is_key) {
        return "a section takes no value";
    }
    if (quote) {
        const char *end = strchr(value + 1, quote);
        return end && end < value + strcspn(value, "\n") ? NULL : "its quote is not closed";
    }
    return NULL;
}

/* What zconfig would only complain about on its own: blanks that are no level, names that are none.
 */
static const char *
fault_of_line(const char *line, char *ret_key, size_t key_size)
{
    size_t blanks = strspn(line, " ");
    const char *name = line + blanks;
    size_t size = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_/");
    const char *after = name + size + strspn(name + size, " \t");

    snprintf(ret_key, key_size, "%.*s", (int) (size ? size : strcspn(name, "\n")), name);
    if (blanks % 4 != 0) {
        return "indentation is by four blanks";
    }
    if (blanks / 4 >= DEPTH_MAX) {
        return "there are no keys at this depth";
    }
    if (size == 0) {
        return "a line is 'name' or 'name = value'";
    }
    if (*after == '=') {
        return fault_of_value(after + 1, blanks > 0);
    }
    return *after == 0 || *after == '\n' || *after == '\r' || *after == '#'
               ? NULL
               : "a line is 'name' or 'name = value'";
}

err_t
lines_check(const lines_t *lines, const char *file, char *ret_why, size_t why_size)
{
    unsigned number = 0;
    bool in_section = false;

    for (const char *at = lines->text; at; at = next_line(at)) {
        char key[64];
        number++;
        if (!is_significant(at)) {
            continue;
        }
        const char *fault = fault_of_line(at, key, sizeof key);
        if (!fault && *at == ' ' && !in_section) {
            fault = "it belongs to no section";
        }
        in_section = true;
        if (fault) {
            return lines_refuse(ret_why, why_size, file, number, key, fault);
        }
    }
    return OK;
}
