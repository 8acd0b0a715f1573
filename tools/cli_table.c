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

#include "tools/cli_print.h"

#define GAP 2 /* blanks between columns */

struct cli_table {
    uint32_t columns;
    size_t width[TABLE_COLUMNS_MAX];
    char **cell; /* rows x columns; the first row holds the heads */
    uint32_t cells, room;
};

/* Every cell comes this way, so none reaches the terminal as it is. */
static void
put(cli_table_t *table, slice_t text)
{
    char *shown = cli_shown(text);
    size_t width = cli_width(shown);

    if (table->cells == table->room) {
        table->room = table->room ? 2 * table->room : 64;
        table->cell = realloc(table->cell, table->room * sizeof *table->cell);
        assert(table->cell);
    }
    size_t *widest = &table->width[table->cells % table->columns];
    *widest = width > *widest ? width : *widest;
    table->cell[table->cells++] = shown;
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
        char head[32];
        snprintf(head, sizeof head, "%s", heads[i]);
        for (char *at = head; *at; at++) {
            *at = *at == '_' ? ' ' : (char) toupper((unsigned char) *at);
        }
        put(table, slice_of(head));
    }
    return table;
}

void
table_row(cli_table_t *table)
{
    while (table->cells % table->columns != 0) {
        put(table, slice_of(""));
    }
}

void
table_cell(cli_table_t *table, const char *text)
{
    put(table, slice_of(text));
}

void
table_cellf(cli_table_t *table, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    char *text = cli_formatted(format, list);
    va_end(list);
    put(table, slice_of(text));
    free(text);
}

void
table_slice(cli_table_t *table, slice_t text)
{
    put(table, text);
}

/* "a, b, c", as far as it is of use. */
static void
put_names(cli_table_t *table, const wire_value_t *names)
{
    char text[512];
    size_t size = 0;
    const uint8_t *at = names->body;

    for (uint32_t i = 0; i < names->count && size < sizeof text; i++) {
        wire_value_t name;
        wire_next(names, &at, &name);
        int more = snprintf(text + size, sizeof text - size, "%s%.*s", i ? ", " : "",
                            (int) name.bytes.size, name.bytes.data);
        size += more > 0 ? (size_t) more : 0;
    }
    if (size < sizeof text) {
        put(table, (slice_t){text, size});
    } else {
        table_cellf(table, "%u of them", names->count);
    }
}

static bool
is_names(const wire_value_t *value)
{
    const uint8_t *at = value->body;
    bool names = value->kind == WIRE_ARRAY;

    for (uint32_t i = 0; names && i < value->count; i++) {
        wire_value_t item;
        wire_next(value, &at, &item);
        names = item.kind == WIRE_STR;
    }
    return names;
}

void
table_value(cli_table_t *table, const wire_value_t *value)
{
    char text[1024];
    size_t size = 0;

    if (value->kind == WIRE_STR) {
        put(table, value->bytes);
    } else if (is_names(value)) {
        put_names(table, value);
    } else if (wire_json(value, text, sizeof text, &size)) {
        put(table, (slice_t){text, size});
    } else {
        put(table, slice_of("..."));
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
    size_t used = 0, gap = 0;

    for (uint32_t i = 0; i < table->columns; i++) {
        const char *text = table->cell[first + i];
        size_t size = cli_width(text);
        if (size == 0) {
            gap += table->width[i] + GAP;
            continue;
        }
        if (size > width - used || gap > width - used - size) {
            size_t left = gap < width - used ? width - used - gap : 0;
            size_t kept = left > 3 ? left - 3 : 0;
            if (left >= 3) {
                printf("%*s%.*s...", (int) gap, "", (int) cli_cut(text, kept), text);
            }
            break;
        }
        printf("%*s%s", (int) gap, "", text);
        used += gap + size;
        gap = table->width[i] + GAP - size;
    }
    putchar('\n');
}

bool
table_print(cli_table_t **table)
{
    size_t width = line_width();

    table_row(*table);
    bool some = (*table)->cells > (*table)->columns;
    for (uint32_t first = 0; some && first < (*table)->cells; first += (*table)->columns) {
        print_row(*table, first, width);
    }
    for (uint32_t i = 0; i < (*table)->cells; i++) {
        free((*table)->cell[i]);
    }
    free((*table)->cell);
    free(*table);
    *table = NULL;
    return some;
}
