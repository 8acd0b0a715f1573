/* cli_graph.c - who speaks to whom, and who waits for whom: as tables, and as text for Graphviz. */
#include "tools/cli.h"

#include <inttypes.h>
#include <string.h>

#include "tools/cli_print.h"
#include "tools/cli_table.h"

#define MESSAGES_BYTES 1024 /* of one cell; what is longer is cut */

static bool
same_way(const wire_value_t *a, const wire_value_t *b)
{
    return slice_equal(cli_text(a, "from"), cli_text(b, "from")) &&
           slice_equal(cli_text(a, "how"), cli_text(b, "how")) &&
           slice_equal(cli_text(a, "to"), cli_text(b, "to"));
}

/* The messages of all edges that go the way of this one, with a separator between; false when an
 * edge before it goes that way. */
static bool
messages_of(const wire_value_t *edges, const wire_value_t *edge, const char *between, char *text,
            size_t size)
{
    cli_items_t items = cli_items(edges);
    wire_value_t other;
    size_t used = 0;

    text[0] = 0;
    while (cli_next(&items, &other)) {
        slice_t message = cli_text(&other, "message");
        if (!same_way(&other, edge) || used >= size) {
            continue;
        }
        if (used == 0 && other.from != edge->from) {
            return false;
        }
        used += (size_t) snprintf(text + used, size - used, "%s%.*s", used == 0 ? "" : between,
                                  (int) message.size, message.data);
    }
    return true;
}

static void
show_edges(const wire_value_t *edges)
{
    static const char *const heads[] = {"from", "how", "to", "messages", NULL};
    cli_table_t *table = table_new(heads);
    cli_items_t items = cli_items(edges);
    wire_value_t edge;
    char messages[MESSAGES_BYTES];

    while (cli_next(&items, &edge)) {
        if (messages_of(edges, &edge, ", ", messages, sizeof messages)) {
            table_row(table);
            table_slice(table, cli_text(&edge, "from"));
            table_slice(table, cli_text(&edge, "how"));
            table_slice(table, cli_text(&edge, "to"));
            table_cell(table, messages);
        }
    }
    table_print(&table);
}

static void
show_waits(const wire_value_t *result, const wire_value_t *waits)
{
    static const char *const heads[] = {"waits now", "for", "next to act", NULL};
    cli_table_t *table = table_new(heads);
    cli_items_t items = cli_items(waits);
    wire_value_t wait;

    while (cli_next(&items, &wait)) {
        table_row(table);
        table_slice(table, cli_text(&wait, "actor"));
        table_slice(table, cli_text(&wait, "waits_for"));
        table_slice(table, cli_text(&wait, "on"));
    }
    printf("\n");
    if (!table_print(&table)) {
        printf("nobody waits\n");
    }
    if (cli_number(result, "waiting") > waits->count) {
        printf("%" PRIu64 " wait, %" PRIu32 " of them are shown\n", cli_number(result, "waiting"),
               waits->count);
    }
}

/* A name as Graphviz takes it, quotes included. */
static void
put_name(slice_t name)
{
    putchar('"');
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        bool odd = c == '"' || c == '\\' || (unsigned char) c < 0x20;
        putchar(odd ? '_' : c);
    }
    putchar('"');
}

static void
dot_edges(const wire_value_t *edges)
{
    cli_items_t items = cli_items(edges);
    wire_value_t edge;
    char messages[MESSAGES_BYTES];

    while (cli_next(&items, &edge)) {
        if (messages_of(edges, &edge, "\\n", messages, sizeof messages)) {
            slice_t how = cli_text(&edge, "how");
            printf("  ");
            put_name(cli_text(&edge, "from"));
            printf(" -> ");
            put_name(cli_text(&edge, "to"));
            printf(" [label=\"%.*s\\n%s\"%s];\n", (int) how.size, how.data, messages,
                   slice_equal(how, slice_of("tell")) ? ", style=dashed" : "");
        }
    }
}

/* An actor that waits stands beside its class, unless it is the only one and has its name. */
static void
dot_waits(const wire_value_t *waits)
{
    cli_items_t items = cli_items(waits);
    wire_value_t wait;

    while (cli_next(&items, &wait)) {
        slice_t on = cli_text(&wait, "on");
        printf("  ");
        put_name(cli_text(&wait, "actor"));
        printf(" -> ");
        put_name(on.size > 0 ? on : cli_text(&wait, "waits_for"));
        printf(" [color=red, penwidth=2, label=\"waits\"];\n");
    }
}

void
cli_show_graph(const cli_line_t *line, const wire_value_t *result)
{
    wire_value_t edges = cli_list(result, "edges"), waits = cli_list(result, "waits");

    if (cli_argument(line, "--dot")) {
        printf("digraph despool {\n  rankdir=LR;\n  node [shape=box];\n");
        dot_edges(&edges);
        dot_waits(&waits);
        printf("}\n");
        return;
    }
    show_edges(&edges);
    show_waits(result, &waits);
}
