/* cli_show.c - results as a person wants to see them. */
#include "tools/cli.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "tools/cli_print.h"
#include "tools/cli_table.h"

/* ---- targets ---- */

static void
put_target(cli_table_t *table, slice_t package, const wire_value_t *target)
{
    char text[160];
    int64_t now = time(NULL);

    table_row(table);
    table_slice(table, package);
    table_slice(table, cli_text(target, "dp"));
    table_slice(table, cli_text(target, "state"));
    cli_version(target, "have", text, sizeof text);
    table_cell(table, text);
    cli_version(target, "wanted", text, sizeof text);
    table_cell(table, text);
    table_cellf(table, "%" PRIu64 "/%" PRIu64, cli_number(target, "attempts"),
                cli_number(target, "of"));
    cli_relative(cli_text(target, "since"), now, text, sizeof text);
    table_cell(table, text);
    cli_relative(cli_text(target, "due"), now, text, sizeof text);
    table_cell(table, text);
    cli_put_why(table, target);
}

static cli_table_t *
target_table(void)
{
    static const char *const heads[] = {"PACKAGE", "DP",    "STATE",    "HAS", "WANTS",
                                        "TRIES",   "SINCE", "NEXT TRY", "WHY", NULL};
    return table_new(heads);
}

static void
put_targets(cli_table_t *table, slice_t package, const wire_value_t *from)
{
    wire_value_t targets = cli_list(from, "targets");
    cli_items_t target_items = cli_items(&targets);
    wire_value_t target;

    while (cli_next(&target_items, &target)) {
        put_target(table, package, &target);
    }
}

static void
print_targets(cli_table_t *table)
{
    if (!table_print(&table)) {
        printf("no targets\n");
    }
}

/* ---- status ---- */

static void
show_package_state(const wire_value_t *package)
{
    char version[160];
    slice_t id = cli_text(package, "id"), state = cli_text(package, "state");

    cli_version(package, "version", version, sizeof version);
    cli_line(stdout, "%.*s version %s is %.*s", (int) id.size, id.data, version, (int) state.size,
             state.data);
    cli_show_rollout(package);
    cli_show_switchover(package);
}

static void
show_packages_status(const wire_value_t *packages)
{
    cli_table_t *table = target_table();

    if (packages->count == 0) {
        printf("no packages\n");
    }
    cli_items_t package_items = cli_items(packages);
    wire_value_t package;

    while (cli_next(&package_items, &package)) {
        show_package_state(&package);
        put_targets(table, cli_text(&package, "id"), &package);
    }
    table_print(&table);
}

static void
show_status(const wire_value_t *result)
{
    wire_value_t packages;

    if (wire_find(result, "packages", &packages) && packages.kind == WIRE_ARRAY) {
        show_packages_status(&packages);
        return;
    }
    cli_table_t *table = target_table();
    show_package_state(result);
    put_targets(table, cli_text(result, "id"), result);
    print_targets(table);
}

/* ---- lists and single things ---- */

/* A table of any list of maps: the columns named, in order. */
bool
cli_show_list(const wire_value_t *rows, const char *const *columns)
{
    cli_table_t *table = table_new(columns);
    cli_items_t row_items = cli_items(rows);
    wire_value_t row;

    while (cli_next(&row_items, &row)) {
        table_row(table);
        for (uint32_t c = 0; columns[c]; c++) {
            wire_value_t value;
            char text[160];
            if (!wire_find(&row, columns[c], &value) || value.kind == WIRE_NIL) {
                table_cell(table, "");
            } else if (strcmp(columns[c], "version") == 0) {
                cli_version(&row, "version", text, sizeof text);
                table_cell(table, text);
            } else if (strcmp(columns[c], "rate") == 0 && value.kind == WIRE_UINT) {
                cli_rate_text(value.uint, text, sizeof text);
                table_cell(table, text);
            } else {
                table_value(table, &value);
            }
        }
    }
    return table_print(&table);
}

/* One map, a field a line; what is null is left out. */
static void
show_map(const wire_value_t *map)
{
    const uint8_t *at = map->body;

    for (uint32_t i = 0; i < map->count; i++) {
        wire_value_t key, value;
        char text[4096];
        size_t size = 0;
        wire_next(map, &at, &key);
        wire_next(map, &at, &value);
        int width = key.bytes.size < 64 ? (int) key.bytes.size : 64;
        if (value.kind == WIRE_STR) {
            cli_line(stdout, "%-14.*s %.*s", width, key.bytes.data, (int) value.bytes.size,
                     value.bytes.data);
        } else if (slice_equal(key.bytes, slice_of("version")) && value.kind == WIRE_MAP) {
            cli_version(map, "version", text, sizeof text);
            cli_line(stdout, "%-14.*s %s", width, key.bytes.data, text);
        } else if (slice_equal(key.bytes, slice_of("rate")) && value.kind == WIRE_UINT) {
            cli_rate_text(value.uint, text, sizeof text);
            cli_line(stdout, "%-14.*s %s", width, key.bytes.data, text);
        } else if (value.kind != WIRE_NIL) {
            bool fits = wire_json(&value, text, sizeof text, &size);
            cli_line(stdout, "%-14.*s %.*s", width, key.bytes.data, fits ? (int) size : 3,
                     fits ? text : "...");
        }
    }
}

/* What is told below a list: figures of the host, and what all agents may be sent together. */
static void
show_below(const wire_value_t *result)
{
    wire_value_t host;
    uint64_t rate = cli_number(result, "site_rate");
    char text[64];

    if (wire_find(result, "host", &host) && host.kind == WIRE_MAP) {
        printf("\n");
        show_map(&host);
    }
    if (rate > 0) {
        cli_rate_text(rate, text, sizeof text);
        cli_line(stdout, "to all agents together: at most %s", text);
    }
}

/* Lists by the name of their one array, and the columns that are shown of it. */
static bool
show_known_list(const wire_value_t *result)
{
    static const struct {
        const char *name, *none;
        const char *columns[TABLE_COLUMNS_MAX + 1];
    } lists[] = {
        {"packages",
         "no packages",
         {"id", "state", "version", "targets", "installed", "retrying", "failed", "bytes",
          "source"}},
        {"dps",
         "no distribution points",
         {"name", "state", "targets", "installed", "rate", "link", "windows", "zone", "root"}},
        {"links", "no links", {"name", "rate", "points"}},
        {"groups", "no groups", {"name", "dps"}},
        {"messages",
         "nothing is in quarantine",
         {"number", "actor", "message", "attempts", "reason"}},
        {"components",
         "no components",
         {"name", "state", "requested", "waiting", "oldest_ms", "handled", "handling", "asks_open",
          "restarts", "waits_for", "why", "describes"}},
    };

    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        wire_value_t rows;
        if (wire_find(result, lists[i].name, &rows) && rows.kind == WIRE_ARRAY) {
            if (!cli_show_list(&rows, lists[i].columns)) {
                printf("%s\n", lists[i].none);
            }
            show_below(result);
            return true;
        }
    }
    return false;
}

static void
show_package(const wire_value_t *result, const wire_value_t *package)
{
    cli_table_t *table = target_table();

    show_map(package);
    put_targets(table, cli_text(package, "id"), result);
    print_targets(table);
}

static void
show_one(const wire_value_t *result)
{
    wire_value_t map;

    if (wire_find(result, "package", &map) && map.kind == WIRE_MAP) {
        show_package(result, &map);
    } else if (wire_find(result, "dp", &map) && map.kind == WIRE_MAP) {
        show_map(&map);
        show_status(result);
    } else if (wire_find(result, "component", &map) && map.kind == WIRE_MAP) {
        show_map(&map);
    } else {
        show_map(result);
    }
}

static void
show_quarantined(const wire_value_t *result)
{
    wire_value_t messages = cli_list(result, "messages");
    cli_items_t message_items = cli_items(&messages);
    wire_value_t message;

    while (cli_next(&message_items, &message)) {
        show_map(&message);
    }
}

/* A text of many lines. */
static void
show_text(slice_t text)
{
    while (text.size > 0) {
        const char *end = memchr(text.data, '\n', text.size);
        size_t size = end ? (size_t) (end - text.data) : text.size;
        cli_line(stdout, "%.*s", (int) size, text.data);
        size += end != NULL;
        text = (slice_t){text.data + size, text.size - size};
    }
}

/* ---- what was done ---- */

static void
show_package_done(const cli_line_t *line, const wire_value_t *result)
{
    slice_t id = cli_text(result, "id");
    char version[160];

    cli_version(result, "version", version, sizeof version);
    cli_line(stdout,
             "%s%.*s %s version %s: %" PRIu64 " files, %" PRIu64 " directories, %" PRIu64
             " links, %" PRIu64 " bytes",
             line->dry_run ? "would: " : "", (int) id.size, id.data,
             cli_flag(result, "changed") ? "has" : "is unchanged,", version,
             cli_number(result, "files"), cli_number(result, "directories"),
             cli_number(result, "links"), cli_number(result, "bytes"));
    if (cli_number(result, "not_carried") > 0) {
        cli_line(stdout,
                 "%" PRIu64 " files have ACLs, extended attributes or capabilities, which are not "
                 "carried",
                 cli_number(result, "not_carried"));
    }
    if (cli_number(result, "clashes") > 0) {
        slice_t clash = cli_text(result, "clash");
        cli_line(stdout,
                 "warning: %" PRIu64 " names differ from another one beside them only in case, the "
                 "first is '%.*s': a point whose root tells no difference refuses this version",
                 cli_number(result, "clashes"), (int) clash.size, clash.data);
    }
}

static void
show_backup(const cli_line_t *line, const wire_value_t *result)
{
    slice_t dir = cli_text(result, "dir");

    if (line->dry_run) {
        cli_line(stdout, "would: back up to %.*s", (int) dir.size, dir.data);
        return;
    }
    cli_line(stdout,
             "%" PRIu64 " files, %" PRIu64 " bytes, status messages up to %" PRIu64 ", in %.*s",
             cli_number(result, "files"), cli_number(result, "bytes"),
             cli_number(result, "last_event"), (int) dir.size, dir.data);
}

static void
show_export(const cli_line_t *line, const wire_value_t *result)
{
    slice_t file = cli_text(result, "file");

    cli_line(stdout, "%sversion %" PRIu64 ": %" PRIu64 " objects, %" PRIu64 " bytes, in %.*s",
             line->dry_run ? "would: " : "", cli_number(result, "epoch"),
             cli_number(result, "objects"), cli_number(result, "bytes"), (int) file.size,
             file.data);
}

/* Those absent are in the order of all. */
static void
show_names(const wire_value_t *names, const wire_value_t *absent, const char *what)
{
    cli_items_t items = cli_items(names), absent_items = cli_items(absent);
    wire_value_t name, away;
    bool more = cli_next(&absent_items, &away);

    while (cli_next(&items, &name)) {
        bool is_away = more && slice_equal(away.bytes, name.bytes);
        cli_line(stdout, "%s: %.*s%s", what, (int) name.bytes.size, name.bytes.data,
                 is_away ? ", which is absent: work begins when it is back" : "");
        more = is_away ? cli_next(&absent_items, &away) : more;
    }
}

static void
show_changed(const cli_line_t *line, const wire_value_t *result)
{
    wire_value_t targets = cli_list(result, "targets"), absent = cli_list(result, "absent");
    slice_t text = cli_text(result, "text");
    char what[32];

    snprintf(what, sizeof what, "%s%s", line->dry_run ? "would: " : "",
             cli_flag(result, "changed") ? "changed" : "nothing to change");
    if (text.size > 0) {
        cli_line(stdout, "%s: %.*s", what, (int) text.size, text.data);
    } else if (targets.count == 0) {
        cli_line(stdout, "%s", what);
    }
    show_names(&targets, &absent, what);
}

/* ---- the door ---- */

/* One line that is run as it is, on the machine that is to be the point. */
static void
show_token(slice_t token)
{
    cli_line(stdout, "despoold join %.*s --data DIR --root ROOT", (int) token.size, token.data);
}

static void
show_answer(const cli_line_t *line, const wire_value_t *result)
{
    const char *wire = line->command->wire;

    if (strcmp(wire, "verify") == 0) {
        cli_show_verified(result);
    } else if (strcmp(wire, "plan") == 0) {
        cli_show_plan(result);
    } else if (strncmp(wire, "store.", 6) == 0) {
        cli_show_store(line, result);
    } else if (strcmp(wire, "package.add") == 0 || strcmp(wire, "package.update") == 0 ||
               strcmp(wire, "rollback") == 0) {
        show_package_done(line, result);
    } else if (cli_text(result, "token").size > 0) {
        show_token(cli_text(result, "token"));
    } else if (strcmp(wire, "package.export") == 0) {
        show_export(line, result);
    } else if (strcmp(wire, "site.backup") == 0) {
        show_backup(line, result);
    } else if (line->command->changes) {
        show_changed(line, result);
    } else if (strcmp(wire, "status") == 0) {
        show_status(result);
    } else if (strcmp(wire, "graph") == 0) {
        cli_show_graph(line, result);
    } else if (strcmp(wire, "blackbox") == 0) {
        show_text(cli_text(result, "text"));
    } else if (strcmp(wire, "quarantine.show") == 0) {
        show_quarantined(result);
    } else if (wire_find(result, "dp", &(wire_value_t){0}) || !show_known_list(result)) {
        show_one(result);
    }
}

bool
cli_show(const cli_line_t *line, const wire_value_t *result)
{
    if (line->json) {
        cli_show_json(result);
    } else {
        show_answer(line, result);
    }
    const char *wire = line->command->wire;

    return (strcmp(wire, "verify") == 0 || strcmp(wire, "plan") == 0 ||
            strcmp(wire, "store.check") == 0) &&
           !cli_flag(result, "ok");
}
