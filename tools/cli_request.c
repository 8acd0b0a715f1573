/* cli_request.c - from a line to a request. */
#include "tools/cli.h"

#include <string.h>
#include <sys/random.h>

/* A path, name or label may hold any byte; what is not UTF-8 travels as bin. */
static void
put_text(wire_writer_t *writer, const char *text)
{
    slice_t slice = slice_of(text);

    if (wire_is_utf8(slice)) {
        wire_put_str(writer, slice);
    } else {
        wire_put_bin(writer, slice);
    }
}

static void
put_argument(wire_writer_t *writer, const cli_argument_t *argument)
{
    wire_put_str(writer, slice_of(argument->slot->name));
    switch (argument->slot->kind) {
    case CLI_TEXT:
        put_text(writer, argument->text);
        break;
    case CLI_PATH:
    case CLI_TIME:
        put_text(writer, argument->path);
        break;
    case CLI_LIST:
    case CLI_REPEAT:
    case CLI_REST:
        wire_put_array(writer, argument->count);
        for (uint32_t i = 0; i < argument->count; i++) {
            put_text(writer, argument->items[i]);
        }
        break;
    case CLI_NUMBER:
    case CLI_RATE:
        wire_put_u64(writer, argument->number);
        break;
    case CLI_FLAG:
        wire_put_bool(writer, true);
        break;
    }
}

/* A repeat of the same request must not be done twice, so each changing one has a key. */
static void
put_key(wire_writer_t *writer)
{
    uint8_t bytes[16];
    char text[33];

    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t) sizeof bytes) {
        writer->full = true;
        return;
    }
    hex_of_bytes(bytes, sizeof bytes, text);
    wire_put_str(writer, slice_of("key"));
    wire_put_str(writer, slice_of(text));
}

/* Arguments that are the command line's own have no name on the wire. */
static uint32_t
arguments_on_wire(const cli_line_t *line)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < line->count; i++) {
        count += line->argument[i].slot->name != NULL;
    }
    return count;
}

bool
cli_encode(const cli_line_t *line, wire_writer_t *writer)
{
    const cli_argument_t *excludes = cli_argument(line, "--exclude");
    bool sets = excludes && strcmp(line->command->wire, "package.set") == 0;

    wire_put_map(writer, line->command->changes ? 5 : 4);
    wire_put_str(writer, slice_of("v"));
    wire_put_u64(writer, 1);
    wire_put_str(writer, slice_of("id"));
    wire_put_u64(writer, CLI_REQUEST_ID);
    if (line->command->changes) {
        put_key(writer);
    }
    wire_put_str(writer, slice_of("cmd"));
    wire_put_str(writer, slice_of(line->command->wire));
    wire_put_str(writer, slice_of("args"));
    wire_put_map(writer, arguments_on_wire(line) + line->dry_run + sets);
    for (uint32_t i = 0; i < line->count; i++) {
        if (line->argument[i].slot->name) {
            put_argument(writer, &line->argument[i]);
        }
    }
    if (line->dry_run) {
        wire_put_str(writer, slice_of("dry_run"));
        wire_put_bool(writer, true);
    }
    if (sets) {
        wire_put_str(writer, slice_of("set_exclude"));
        wire_put_bool(writer, true);
    }
    return !writer->full;
}
