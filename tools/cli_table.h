/* cli_table.h - columns as wide as what is in them, in a width that fits the terminal.
 *
 * Shape    heads, then rows of cells, then one print that lays all of it out and frees it.
 * Promises no line is wider than the terminal (or $COLUMNS; unlimited when the output is no
 *          terminal): what does not fit is cut, with "..." in its place. Widths are counted in
 *          characters. No cell reaches the terminal but as cli_shown shows it.
 * Owner    table_new -> table_print (&table).
 */
#pragma once

#include "proto/wire.h"

#define TABLE_COLUMNS_MAX 12u

typedef struct cli_table cli_table_t;
cli_table_t *table_new(const char *const *heads); /* NULL at the end; shown in capitals */
void table_row(cli_table_t *table);
void table_cell(cli_table_t *table, const char *text);
void table_cellf(cli_table_t *table, const char *format, ...) __attribute__((format(printf, 2, 3)));
void table_slice(cli_table_t *table, slice_t text);
void table_value(cli_table_t *table, const wire_value_t *value); /* names with commas, else JSON */
/* Why a target is as it is, as a cell; cli_why.c. */
void cli_put_why(cli_table_t *table, const wire_value_t *target);
bool table_print(cli_table_t **table); /* false, and nothing printed, when it has no rows */
