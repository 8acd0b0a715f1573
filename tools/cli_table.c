/* cli_table.c - see cli_table.h. */
#include "tools/cli_table.h"

#include <assert.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define GAP 2 /* blanks between columns */

struct cli_table {
    uint32_t columns;
    size_t width[TABLE_COLUMNS_MAX];
    char **cell; /* rows x columns; the first row holds the heads */
    uint32_t cells, room;
};

static void
put(cli_table_t *table, char *take_text)
{
    assert(take_text);
    if (table->cells == table->room) {
        table->room = table->room ? 2 * table->room : 64;
        table->cell = realloc(table->cell, table->room * sizeof *table->cell);
        assert(table->cell);
    }
    size_t *width = &table->width[table->cells % table->columns];
    *width = strlen(take_text) > *width ? strlen(take_text) : *width;
    table->cell[table->cells++] = take_text;
}

cli_table_t *
table_new(const char *const *heads)
{
    cli_table_t *table = calloc(1, sizeof *table);

    assert(table);
    while (heads[table->columns]) {
        table->columns++;
    }
    assert(table->columns > 0 && table->columns <= TABLE_COLUMNS_MAX);
    for (uint32_t i = 0; i < table->columns; i++) {
        char *head = strdup(heads[i]);
        for (char *at = head; at && *at; at++) {
            *at = *at == '_' ? ' ' : (char) toupper((unsigned char) *at);
        }
        put(table, head);
    }
    return table;
}

void
table_row(cli_table_t *table)
{
    while (table->cells % table->columns != 0) {
        put(table, strdup(""));
    }
}

void
table_cell(cli_table_t *table, const char *text)
{
    put(table, strdup(text));
}

void
table_cellf(cli_table_t *table, const char *format, ...)
{
    char *text = NULL;
    va_list list;

    va_start(list, format);
    int size = vasprintf(&text, format, list);
    va_end(list);
    put(table, size < 0 ? strdup("") : text);
}

void
table_slice(cli_table_t *table, slice_t text)
{
    put(table, strndup(text.data, text.size));
}

void
table_value(cli_table_t *table, const wire_value_t *value)
{
    char text[1024];
    size_t size = 0;

    if (value->kind == WIRE_STR) {
        table_slice(table, value->bytes);
    } else if (wire_json(value, text, sizeof text, &size)) {
        put(table, strndup(text, size));
    } else {
        put(table, strdup("..."));
    }
}

/* Columns of the terminal; SIZE_MAX when the output goes elsewhere. */
static size_t
line_width(void)
{
    const char *columns = getenv("COLUMNS");
    struct winsize size;

    if (columns && atoi(columns) > 0) {
        return (size_t) atoi(columns);
    }
    if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        return size.ws_col;
    }
    return SIZE_MAX;
}

static void
print_row(const cli_table_t *table, uint32_t first, size_t width)
{
    size_t used = 0;

    for (uint32_t i = 0; i < table->columns; i++) {
        const char *text = table->cell[first + i];
        size_t size = strlen(text), left = width - used;
        bool last = i + 1 == table->columns;
        if (size > left) {
            printf("%.*s%s", (int) (left > 3 ? left - 3 : 0), text, left >= 3 ? "..." : "");
            break;
        }
        printf("%s", text);
        used += size;
        for (size_t gap = table->width[i] + GAP - size; !last && gap > 0 && used < width; gap--) {
            putchar(' ');
            used++;
        }
    }
    putchar('\n');
}

void
table_print(cli_table_t **table)
{
    size_t width = line_width();

    table_row(*table);
    for (uint32_t first = 0; (*table)->cells > (*table)->columns && first < (*table)->cells;
         first += (*table)->columns) {
        print_row(*table, first, width);
    }
    for (uint32_t i = 0; i < (*table)->cells; i++) {
        free((*table)->cell[i]);
    }
    free((*table)->cell);
    free(*table);
    *table = NULL;
}
