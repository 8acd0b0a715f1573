/* cli_show.c - results as a person wants to see them. */
#include "tools/cli.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tools/cli_table.h"

#define JSON_BYTES_MAX (64u << 20) /* of one document; a larger one is told on stderr */

slice_t
cli_text(const wire_value_t *map, const char *name)
{
    wire_value_t value;

    if (map->kind != WIRE_MAP || !wire_find(map, name, &value) || value.kind != WIRE_STR) {
        return slice_of("");
    }
    return value.bytes;
}

uint64_t
cli_number(const wire_value_t *map, const char *name)
{
    wire_value_t value;

    if (map->kind != WIRE_MAP || !wire_find(map, name, &value) || value.kind != WIRE_UINT) {
        return 0;
    }
    return value.uint;
}

bool
cli_flag(const wire_value_t *map, const char *name)
{
    wire_value_t value;

    return map->kind == WIRE_MAP && wire_find(map, name, &value) && value.kind == WIRE_BOOL &&
           value.boolean;
}

void
cli_show_json(const wire_value_t *value)
{
    size_t capacity = 8 * (size_t) (value->after - value->from) + 256, size = 0;
    char *text = capacity <= JSON_BYTES_MAX ? malloc(capacity) : NULL;

    if (!text || !wire_json(value, text, capacity, &size)) {
        fprintf(stderr, "cannot print the answer as JSON: it is larger than %u bytes\n",
                JSON_BYTES_MAX);
    } else {
        printf("%.*s\n", (int) size, text);
    }
    free(text);
}

void
cli_show_error(const cli_line_t *line, const wire_value_t *error)
{
    slice_t message = cli_text(error, "message"), hint = cli_text(error, "hint");

    if (line->json) {
        printf("{\"error\":");
        cli_show_json(error);
        printf("}\n");
    }
    fprintf(stderr, "%.*s\n", (int) message.size, message.data);
    if (hint.size > 0) {
        fprintf(stderr, "  %.*s\n", (int) hint.size, hint.data);
    }
}

/* ---- pieces of cells
 * ------------------------------------------------------------------------------ */

/* "in 12 s", "3 min ago"; "" for no time. */
static void
relative(slice_t iso, char *text, size_t size)
{
    struct tm tm = {0};
    char copy[32];
    time_t now = time(NULL);

    text[0] = 0;
    if (!slice_copy(iso, copy, sizeof copy) || !strptime(copy, "%Y-%m-%dT%H:%M:%S", &tm)) {
        return;
    }
    long away = (long) (timegm(&tm) - now), span = away < 0 ? -away : away;
    const char *unit = span < 120 ? "s" : span < 7200 ? "min" : span < 172800 ? "h" : "d";
    long count = span < 120      ? span
                 : span < 7200   ? span / 60
                 : span < 172800 ? span / 3600
                                 : span / 86400;
    snprintf(text, size, away < 0 ? "%ld %s ago" : "in %ld %s", count, unit);
}

static void
version_of(const wire_value_t *map, const char *name, char *text, size_t size)
{
    wire_value_t version;

    if (!wire_find(map, name, &version) || version.kind != WIRE_MAP) {
        snprintf(text, size, "-");
        return;
    }
    slice_t label = cli_text(&version, "label");
    uint64_t epoch = cli_number(&version, "epoch");
    char plain[32];
    snprintf(plain, sizeof plain, "%" PRIu64, epoch);
    if (label.size > 0 && !slice_equal(label, slice_of(plain))) {
        snprintf(text, size, "%" PRIu64 " (%.*s)", epoch, (int) label.size, label.data);
    } else {
        snprintf(text, size, "%" PRIu64, epoch);
    }
}

static void
put_why(cli_table_t *table, const wire_value_t *target)
{
    wire_value_t cause;

    if (!wire_find(target, "cause", &cause) || cause.kind != WIRE_MAP) {
        table_cell(table, "");
        return;
    }
    slice_t code = cli_text(&cause, "code"), text = cli_text(&cause, "text");
    if (cli_number(&cause, "need") > 0) {
        table_cellf(table, "%.*s: needs %" PRIu64 ", has %" PRIu64, (int) code.size, code.data,
                    cli_number(&cause, "need"), cli_number(&cause, "have"));
    } else {
        table_cellf(table, "%.*s: %.*s", (int) code.size, code.data, (int) text.size, text.data);
    }
}

/* ---- tables
 * --------------------------------------------------------------------------------------- */

static void
put_target(cli_table_t *table, slice_t package, const wire_value_t *target)
{
    char text[160];
    slice_t state = cli_text(target, "state");
    bool done = slice_equal(state, slice_of("installed"));

    table_row(table);
    table_slice(table, package);
    table_slice(table, cli_text(target, "dp"));
    table_slice(table, state);
    version_of(target, "have", text, sizeof text);
    table_cell(table, text);
    version_of(target, "wanted", text, sizeof text);
    table_cell(table, text);
    table_cellf(table, "%" PRIu64 "/%" PRIu64, cli_number(target, "attempts"),
                cli_number(target, "of"));
    relative(cli_text(target, "since"), text, sizeof text);
    table_cell(table, text);
    relative(done ? slice_of("") : cli_text(target, "due"), text, sizeof text);
    table_cell(table, text);
    put_why(table, target);
}

static void
put_package_targets(cli_table_t *table, const wire_value_t *package)
{
    wire_value_t targets;

    if (!wire_find(package, "targets", &targets) || targets.kind != WIRE_ARRAY) {
        return;
    }
    const uint8_t *at = targets.body;
    for (uint32_t i = 0; i < targets.count; i++) {
        wire_value_t target;
        wire_next(&targets, &at, &target);
        put_target(table, cli_text(package, "id"), &target);
    }
}

static cli_table_t *
target_table(void)
{
    static const char *const heads[] = {"PACKAGE", "DP",    "STATE",    "HAS", "WANTS",
                                        "TRIES",   "SINCE", "NEXT TRY", "WHY", NULL};
    return table_new(heads);
}

static void
show_packages_status(const wire_value_t *packages)
{
    cli_table_t *table = target_table();
    const uint8_t *at = packages->body;

    for (uint32_t i = 0; i < packages->count; i++) {
        wire_value_t package;
        wire_next(packages, &at, &package);
        slice_t id = cli_text(&package, "id"), state = cli_text(&package, "state");
        printf("%.*s is %.*s\n", (int) id.size, id.data, (int) state.size, state.data);
        put_package_targets(table, &package);
    }
    table_print(&table);
}

static void
show_status(const wire_value_t *result)
{
    wire_value_t packages;

    if (wire_find(result, "packages", &packages)) {
        show_packages_status(&packages);
        return;
    }
    char version[160];
    slice_t id = cli_text(result, "id"), state = cli_text(result, "state");
    version_of(result, "version", version, sizeof version);
    printf("%.*s version %s is %.*s\n", (int) id.size, id.data, version, (int) state.size,
           state.data);
    cli_table_t *table = target_table();
    put_package_targets(table, result);
    table_print(&table);
}

/* A table of any list of maps: the columns named, in order. */
static void
show_list(const wire_value_t *rows, const char *const *columns)
{
    cli_table_t *table = table_new(columns);
    const uint8_t *at = rows->body;

    for (uint32_t i = 0; i < rows->count; i++) {
        wire_value_t row, value;
        wire_next(rows, &at, &row);
        table_row(table);
        for (uint32_t c = 0; columns[c]; c++) {
            char text[160];
            if (!wire_find(&row, columns[c], &value) || value.kind == WIRE_NIL) {
                table_cell(table, "");
            } else if (strcmp(columns[c], "version") == 0) {
                version_of(&row, "version", text, sizeof text);
                table_cell(table, text);
            } else {
                table_value(table, &value);
            }
        }
    }
    table_print(&table);
}

/* One map, a field a line. */
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
        if (value.kind == WIRE_STR) {
            printf("%-14.*s %.*s\n", (int) key.bytes.size, key.bytes.data, (int) value.bytes.size,
                   value.bytes.data);
        } else if (value.kind != WIRE_NIL && wire_json(&value, text, sizeof text, &size)) {
            printf("%-14.*s %.*s\n", (int) key.bytes.size, key.bytes.data, (int) size, text);
        }
    }
}

static void
show_paths(const wire_value_t *point, const char *what)
{
    wire_value_t paths;
    slice_t dp = cli_text(point, "dp");

    if (!wire_find(point, what, &paths) || paths.kind != WIRE_ARRAY) {
        return;
    }
    const uint8_t *at = paths.body;
    for (uint32_t i = 0; i < paths.count; i++) {
        wire_value_t path;
        wire_next(&paths, &at, &path);
        printf("%.*s %s %.*s\n", (int) dp.size, dp.data, what, (int) path.bytes.size,
               path.bytes.data);
    }
}

static bool
show_verified(const wire_value_t *result)
{
    wire_value_t points;

    if (!wire_find(result, "points", &points)) {
        return false;
    }
    const uint8_t *at = points.body;
    for (uint32_t i = 0; i < points.count; i++) {
        wire_value_t point, cause;
        wire_next(&points, &at, &point);
        slice_t dp = cli_text(&point, "dp");
        bool seen = !wire_find(&point, "cause", &cause) || cause.kind != WIRE_MAP;
        slice_t why = seen ? slice_of("") : cli_text(&cause, "text");
        printf("%.*s: %s%.*s (%" PRIu64 " files, %" PRIu64 " bytes read; %" PRIu64
               " missing, %" PRIu64 " changed, %" PRIu64 " extra)\n",
               (int) dp.size, dp.data,
               cli_flag(&point, "ok") ? "whole"
               : seen                 ? "damaged"
                                      : "not looked at: ",
               (int) why.size, why.data, cli_number(&point, "files"), cli_number(&point, "bytes"),
               cli_number(&point, "missing_count"), cli_number(&point, "changed_count"),
               cli_number(&point, "extra_count"));
        show_paths(&point, "missing");
        show_paths(&point, "changed");
        show_paths(&point, "extra");
    }
    return !cli_flag(result, "ok");
}

static void
show_package_done(const cli_line_t *line, const wire_value_t *result)
{
    slice_t id = cli_text(result, "id");
    char version[160];

    version_of(result, "version", version, sizeof version);
    printf("%s%.*s %s version %s: %" PRIu64 " files, %" PRIu64 " directories, %" PRIu64
           " links, %" PRIu64 " bytes\n",
           line->dry_run ? "would: " : "", (int) id.size, id.data,
           cli_flag(result, "changed") ? "has" : "is unchanged,", version,
           cli_number(result, "files"), cli_number(result, "directories"),
           cli_number(result, "links"), cli_number(result, "bytes"));
    if (cli_number(result, "not_carried") > 0) {
        printf("%" PRIu64 " files have ACLs, extended attributes or capabilities, which are not "
               "carried\n",
               cli_number(result, "not_carried"));
    }
}

static void
show_changed(const cli_line_t *line, const wire_value_t *result)
{
    wire_value_t targets;
    slice_t text = cli_text(result, "text");

    printf("%s%s", line->dry_run ? "would: " : "",
           cli_flag(result, "changed") ? "changed" : "nothing to change");
    if (wire_find(result, "targets", &targets) && targets.kind == WIRE_ARRAY) {
        const uint8_t *at = targets.body;
        for (uint32_t i = 0; i < targets.count; i++) {
            wire_value_t name;
            wire_next(&targets, &at, &name);
            printf("%s%.*s", i ? ", " : ": ", (int) name.bytes.size, name.bytes.data);
        }
    }
    if (text.size > 0) {
        printf(" (%.*s)", (int) text.size, text.data);
    }
    printf("\n");
}

/* Lists by the name of their one array, and the columns that are shown of it. */
static bool
show_known_list(const wire_value_t *result)
{
    static const struct {
        const char *name;
        const char *columns[12];
    } lists[] = {
        {"packages",
         {"id", "state", "version", "targets", "installed", "retrying", "failed", "bytes",
          "source"}},
        {"dps", {"name", "state", "targets", "installed", "root"}},
        {"groups", {"name", "dps"}},
        {"messages", {"number", "actor", "message", "attempts", "reason"}},
        {"components",
         {"name", "state", "requested", "waiting", "oldest_ms", "handled", "handling", "asks_open",
          "restarts", "why"}},
    };

    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        wire_value_t rows, host;
        if (wire_find(result, lists[i].name, &rows) && rows.kind == WIRE_ARRAY) {
            show_list(&rows, lists[i].columns);
            if (wire_find(result, "host", &host) && host.kind == WIRE_MAP) {
                show_map(&host);
            }
            return true;
        }
    }
    return false;
}

static void
show_one(const wire_value_t *result)
{
    static const char *const parts[] = {"package", "dp", "component", NULL};

    for (const char *const *part = parts; *part; part++) {
        wire_value_t map;
        if (wire_find(result, *part, &map) && map.kind == WIRE_MAP) {
            show_map(&map);
            show_status(result);
            return;
        }
    }
    show_map(result);
}

bool
cli_show(const cli_line_t *line, const wire_value_t *result)
{
    const char *wire = line->command->wire;
    bool verify = strcmp(wire, "verify") == 0;

    if (line->json) {
        cli_show_json(result);
        return verify && !cli_flag(result, "ok");
    }
    if (verify) {
        return show_verified(result);
    }
    if (strcmp(wire, "package.add") == 0 || strcmp(wire, "package.update") == 0) {
        show_package_done(line, result);
    } else if (line->command->changes) {
        show_changed(line, result);
    } else if (strcmp(wire, "status") == 0) {
        show_status(result);
    } else if (strcmp(wire, "blackbox") == 0) {
        slice_t text = cli_text(result, "text");
        printf("%.*s", (int) text.size, text.data);
    } else if (!show_known_list(result)) {
        show_one(result);
    }
    return false;
}

void
cli_show_event(const wire_value_t *event)
{
    slice_t time = cli_text(event, "time"), severity = cli_text(event, "severity");
    slice_t package = cli_text(event, "package"), dp = cli_text(event, "dp");
    slice_t text = cli_text(event, "text"), component = cli_text(event, "component");

    printf("%-6" PRIu64 " %.*s %-7.*s %5" PRIu64 " %.*s", cli_number(event, "seq"), (int) time.size,
           time.data, (int) severity.size, severity.data, cli_number(event, "id"),
           (int) component.size, component.data);
    if (package.size > 0) {
        printf(" %.*s", (int) package.size, package.data);
    }
    if (dp.size > 0) {
        printf("@%.*s", (int) dp.size, dp.data);
    }
    printf(": %.*s\n", (int) text.size, text.data);
}
