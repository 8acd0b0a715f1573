/* cli_why.c - why a target is not as it should be, or what else is to be said of it. */
#include <inttypes.h>
#include <time.h>

#include "tools/cli.h"
#include "tools/cli_print.h"
#include "tools/cli_table.h"

/* What a point had when it was last heard of is not known to be there now. */
static void
put_unknown(cli_table_t *table, const wire_value_t *target)
{
    char since[64];

    cli_relative(cli_text(target, "unknown_since"), time(NULL), since, sizeof since);
    table_cellf(table, "%s%s", since[0] ? "unknown since " : "", since);
}

/* How the agent's own program ended, when that was not well. */
static bool
put_activation(cli_table_t *table, const wire_value_t *target)
{
    wire_value_t ended;

    if (!wire_find(target, "activation", &ended) || ended.kind != WIRE_MAP ||
        slice_equal(cli_text(&ended, "result"), slice_of("ok"))) {
        return false;
    }
    slice_t result = cli_text(&ended, "result"), text = cli_text(&ended, "text");
    table_cellf(table, "on-activate failed, %.*s %" PRIu64 "%s%.*s", (int) result.size, result.data,
                cli_number(&ended, "code"), text.size > 0 ? ": " : "", (int) text.size, text.data);
    return true;
}

/* Since when what it wants is there, and not switched to. */
static void
put_promised(cli_table_t *table, const wire_value_t *target, slice_t code, slice_t text)
{
    slice_t since = cli_text(target, "promised");

    table_cellf(table, "promised since %.*s%s%.*s%s%.*s", (int) since.size, since.data,
                code.size > 0 ? "; " : "", (int) code.size, code.data, text.size > 0 ? ": " : "",
                (int) text.size, text.data);
}

void
cli_put_why(cli_table_t *table, const wire_value_t *target)
{
    uint64_t done = cli_number(target, "bytes_done"), total = cli_number(target, "bytes_total");
    bool promised = cli_text(target, "promised").size > 0;
    wire_value_t cause;

    if (wire_find(target, "cause", &cause) && cause.kind == WIRE_MAP) {
        slice_t code = cli_text(&cause, "code"), text = cli_text(&cause, "text");
        if (promised) {
            put_promised(table, target, code, text);
        } else if (cli_number(&cause, "need") > 0) {
            table_cellf(table, "%.*s: needs %" PRIu64 ", has %" PRIu64, (int) code.size, code.data,
                        cli_number(&cause, "need"), cli_number(&cause, "have"));
        } else {
            table_cellf(table, "%.*s: %.*s", (int) code.size, code.data, (int) text.size,
                        text.data);
        }
    } else if (promised) {
        put_promised(table, target, slice_of(""), slice_of(""));
    } else if (slice_equal(cli_text(target, "state"), slice_of("installing")) && total > 0) {
        char ends[64], closes[64];
        cli_relative(cli_text(target, "ends"), time(NULL), ends, sizeof ends);
        cli_relative(cli_text(target, "closes"), time(NULL), closes, sizeof closes);
        bool late = cli_flag(target, "late");
        table_cellf(table, "%" PRIu64 " of %" PRIu64 " bytes%s%s%s%s", done, total,
                    late ? "; its window closes " : "", late ? closes : "",
                    late ? ", before it ends " : "", late ? ends : "");
    } else if (!put_activation(table, target)) {
        put_unknown(table, target);
    }
}
