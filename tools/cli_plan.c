/* cli_plan.c - what a distribution would take, as a table. */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "tools/cli.h"
#include "tools/cli_print.h"
#include "tools/cli_table.h"

static void
put_figures(cli_table_t *table, const wire_value_t *point)
{
    static const char *const names[] = {"bytes", "need_bytes", "have_bytes", "need_inodes"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        table_cellf(table, "%" PRIu64, cli_number(point, names[i]));
    }
}

/* At the rate that holds for it now; another one may be lower by then. */
static void
put_time(cli_table_t *table, const wire_value_t *point)
{
    wire_value_t least;

    if (wire_find(point, "least_ms", &least) && least.kind == WIRE_UINT) {
        table_cellf(table, "%" PRIu64 " s", (least.uint + 999) / 1000);
    } else {
        table_cell(table, "-");
    }
}

/* Of a point that has windows: whether one is open, and whether it would be there in time. */
static void
put_windows(cli_table_t *table, const wire_value_t *point)
{
    static const char *const names[] = {"opens", "closes", "ends"};
    char when[3][64], text[256] = "";
    size_t used = 0;

    for (size_t i = 0; i < 3; i++) {
        cli_relative(cli_text(point, names[i]), time(NULL), when[i], sizeof when[i]);
        bool shown = when[i][0] && (i < 2 || cli_flag(point, "late"));
        used += shown ? (size_t) snprintf(text + used, sizeof text - used, "%s%s %s",
                                          used > 0 ? ", " : "", names[i], when[i])
                      : 0;
    }
    snprintf(text + used, sizeof text - used, "%s", cli_flag(point, "late") ? ": too late" : "");
    table_cell(table, text);
}

/* A point that was not measured has a cause alone; one that has no room has its figures too. */
static void
put_point(cli_table_t *table, const wire_value_t *point)
{
    wire_value_t cause;
    bool caused = wire_find(point, "cause", &cause) && cause.kind == WIRE_MAP;

    table_row(table);
    table_slice(table, cli_text(point, "dp"));
    if (caused && cli_number(&cause, "need") == 0) {
        for (int column = 0; column < 5; column++) {
            table_cell(table, "-");
        }
    } else {
        put_figures(table, point);
        put_time(table, point);
    }
    if (cli_number(point, "ring") > 0) {
        table_cellf(table, "ring %" PRIu64, cli_number(point, "ring"));
    } else {
        table_cell(table, "-");
    }
    put_windows(table, point);
    if (caused) {
        slice_t code = cli_text(&cause, "code"), text = cli_text(&cause, "text");
        table_cellf(table, "%.*s: %.*s", (int) code.size, code.data, (int) text.size, text.data);
    } else if (cli_flag(point, "already")) {
        table_cell(table, "it is there");
    }
}

void
cli_show_plan(const wire_value_t *result)
{
    static const char *const heads[] = {"DP",       "SENDS", "TAKES",  "FREE", "INODES",
                                        "AT LEAST", "RING",  "WINDOW", "WHY",  NULL};
    cli_table_t *table = table_new(heads);
    wire_value_t points = cli_list(result, "points"), point;
    cli_items_t items = cli_items(&points);
    slice_t id = cli_text(result, "id");
    char version[160];

    cli_version(result, "version", version, sizeof version);
    cli_line(stdout, "%.*s version %s would send %" PRIu64 " bytes", (int) id.size, id.data,
             version, cli_number(result, "bytes"));
    while (cli_next(&items, &point)) {
        put_point(table, &point);
    }
    table_print(&table);
}
