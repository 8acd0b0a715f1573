/* cli_checked.c - what reading every byte has found: at points, and in the site's store. */
#include "tools/cli.h"

#include <inttypes.h>
#include <stdio.h>

#include "tools/cli_print.h"

static void
show_paths(const wire_value_t *point, const char *what)
{
    wire_value_t paths = cli_list(point, what);
    slice_t dp = cli_text(point, "dp");
    cli_items_t path_items = cli_items(&paths);
    wire_value_t path;

    while (cli_next(&path_items, &path)) {
        cli_line(stdout, "%.*s %s %.*s", (int) dp.size, dp.data, what, (int) path.bytes.size,
                 path.bytes.data);
    }
}

static void
show_verified_point(const wire_value_t *point)
{
    wire_value_t cause;
    slice_t dp = cli_text(point, "dp");

    if (wire_find(point, "cause", &cause) && cause.kind == WIRE_MAP) {
        slice_t code = cli_text(&cause, "code"), why = cli_text(&cause, "text");
        cli_line(stdout, "%.*s: not looked at: %.*s: %.*s", (int) dp.size, dp.data, (int) code.size,
                 code.data, (int) why.size, why.data);
        return;
    }
    cli_line(stdout,
             "%.*s: %s (%" PRIu64 " files, %" PRIu64 " bytes read; %" PRIu64 " missing, %" PRIu64
             " changed, %" PRIu64 " extra)",
             (int) dp.size, dp.data, cli_flag(point, "ok") ? "whole" : "damaged",
             cli_number(point, "files"), cli_number(point, "bytes"),
             cli_number(point, "missing_count"), cli_number(point, "changed_count"),
             cli_number(point, "extra_count"));
    show_paths(point, "missing");
    show_paths(point, "changed");
    show_paths(point, "extra");
}

void
cli_show_verified(const wire_value_t *result)
{
    wire_value_t points = cli_list(result, "points");

    if (points.count == 0) {
        printf("nothing is installed that could be verified\n");
    }
    cli_items_t point_items = cli_items(&points);
    wire_value_t point;

    while (cli_next(&point_items, &point)) {
        show_verified_point(&point);
    }
}

/* What each version keeps, beyond those above it. */
static void
show_kept(const wire_value_t *result)
{
    static const char *const columns[] = {"id", "epoch", "objects", "bytes", NULL};
    wire_value_t rows = cli_list(result, "kept_by");

    (void) cli_show_list(&rows, columns);
}

/* Each of them has to be stored again, or to go. */
static void
show_lacking(const cli_line_t *line, const wire_value_t *result)
{
    static const char *const columns[] = {"id", "epoch", "missing", NULL};
    uint64_t versions = cli_number(result, "versions_damaged");
    wire_value_t rows = cli_list(result, "lacking");

    cli_line(stdout, "%" PRIu64 " versions miss %" PRIu64 " objects", versions,
             cli_number(result, "missing"));
    (void) cli_show_list(&rows, columns);
    if (versions > rows.count) {
        cli_line(stdout, "and %" PRIu64 " more", versions - rows.count);
    }
    if (versions > 0) {
        cli_line(stdout, "%sdespool package update stores the newest version of a package again",
                 cli_argument(line, "--repair") ? "" : "despool store check --repair, then ");
    }
}

void
cli_show_store(const cli_line_t *line, const wire_value_t *result)
{
    const char *wire = line->command->wire;

    if (strcmp(wire, "store.check") == 0) {
        cli_line(stdout,
                 "%s: %" PRIu64 " objects of %" PRIu64 " bytes in %" PRIu64
                 " packs are right; %" PRIu64 " damaged, %" PRIu64 " packs with a damaged head, "
                 "%" PRIu64 " damaged pages of the index",
                 cli_flag(result, "ok") ? "whole" : "damaged", cli_number(result, "objects"),
                 cli_number(result, "bytes"), cli_number(result, "packs"),
                 cli_number(result, "damaged"), cli_number(result, "heads_damaged"),
                 cli_number(result, "pages_damaged"));
        show_lacking(line, result);
    } else if (strcmp(wire, "store.rebuild") == 0) {
        if (line->dry_run) {
            cli_line(stdout, "the index would be made anew from the packs");
        } else {
            cli_line(stdout, "the index names %" PRIu64 " objects", cli_number(result, "objects"));
        }
    } else {
        cli_line(stdout,
                 "%" PRIu64 " objects of %" PRIu64 " bytes %s; %" PRIu64 " of %" PRIu64
                 " bytes stay beside what is needed; versions need %" PRIu64 " of %" PRIu64
                 " bytes",
                 cli_number(result, "removed_objects"), cli_number(result, "removed_bytes"),
                 line->dry_run ? "would be removed" : "were removed",
                 cli_number(result, "kept_objects"), cli_number(result, "kept_bytes"),
                 cli_number(result, "objects"), cli_number(result, "bytes"));
        if (cli_number(result, "held_objects") > 0) {
            cli_line(stdout,
                     "%" PRIu64 " of them, of %" PRIu64
                     " bytes, are kept because a list of chunks is damaged and may need them; "
                     "despool package update stores it again",
                     cli_number(result, "held_objects"), cli_number(result, "held_bytes"));
        }
        show_kept(result);
    }
}
