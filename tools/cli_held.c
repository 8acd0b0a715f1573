/* cli_held.c - who keeps work from being done: the components that are not as they should be. */
#include "tools/cli.h"

#include <stdio.h>

#include "tools/cli_print.h"

bool
cli_is_queued(const wire_value_t *target)
{
    wire_value_t cause;

    return wire_find(target, "cause", &cause) && cause.kind == WIRE_MAP &&
           slice_equal(cli_text(&cause, "code"), slice_of("queued"));
}

static bool
any_is_queued(const wire_value_t *package)
{
    wire_value_t targets = cli_list(package, "targets"), target;
    cli_items_t items = cli_items(&targets);

    while (cli_next(&items, &target)) {
        if (cli_is_queued(&target)) {
            return true;
        }
    }
    return false;
}

bool
cli_holds_queued(const wire_value_t *status)
{
    wire_value_t packages = cli_list(status, "packages"), package;
    cli_items_t items = cli_items(&packages);

    while (cli_next(&items, &package)) {
        if (any_is_queued(&package)) {
            return true;
        }
    }
    return any_is_queued(status);
}

void
cli_tell_component(FILE *file, slice_t name, slice_t state)
{
    bool paused = slice_equal(state, slice_of("paused"));
    bool stopped = slice_equal(state, slice_of("stopped"));

    if (slice_equal(state, slice_of("ready"))) {
        return;
    }
    cli_line(file, "the component %.*s is %.*s%s%.*s", (int) name.size, name.data, (int) state.size,
             state.data,
             paused    ? ": despool component resume "
             : stopped ? ": despool component start "
                       : "",
             paused || stopped ? (int) name.size : 0, name.data);
}

int
cli_tell_held(cli_client_t *client, FILE *file)
{
    wire_value_t result, row;
    int code = cli_ask_small(client, "component.list", NULL, NULL, 0, &result);

    if (code != EXIT_DONE) {
        return code;
    }
    wire_value_t components = cli_list(&result, "components");
    cli_items_t items = cli_items(&components);
    while (cli_next(&items, &row)) {
        cli_tell_component(file, cli_text(&row, "name"), cli_text(&row, "state"));
    }
    return code;
}
