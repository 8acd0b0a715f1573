/* cli_parse.c - from argv to a line, and from a line to a request. */
#include "tools/cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "proto/limits.h"

static int
usage(const char *what, const char *about)
{
    fprintf(stderr, "despool: %s '%s'; despool --help lists the commands\n", what, about);
    return EXIT_USAGE;
}

/* ---- help
 * ------------------------------------------------------------------------------------------ */

static void
print_slot(const cli_slot_t *slot)
{
    bool option = slot->word[0] == '-';
    const char *value = !option                    ? ""
                        : slot->kind == CLI_FLAG   ? ""
                        : slot->kind == CLI_NUMBER ? " N"
                        : slot->kind == CLI_LIST   ? " NAME[,NAME...]"
                                                   : " TEXT";
    const char *more = slot->kind == CLI_REST || slot->kind == CLI_REPEAT ? "..." : "";

    if (strcmp(slot->word, "--wait") == 0) {
        value = "[=SECONDS]";
    }
    printf(slot->required ? " %s%s%s" : " [%s%s]%s", slot->word, value, more);
}

static void
print_usage(const cli_command_t *command)
{
    printf("  despool %s", command->words);
    for (const cli_slot_t *slot = command->slot; slot->word; slot++) {
        print_slot(slot);
    }
    printf("\n      %s\n", command->sentence);
}

void
cli_help(const cli_command_t *command)
{
    if (command) {
        print_usage(command);
        return;
    }
    printf("despool [--data DIR | --connect ENDPOINT] [--json] [--dry-run] COMMAND\n\n");
    for (command = cli_commands; command->words; command++) {
        print_usage(command);
    }
    printf("\nWherever points are named, @GROUP names all of a group.\n"
           "Exit codes: 0 done, 1 the site refused or the wait ended with failures, "
           "2 wrong usage, 3 no host.\n");
}

/* ---- the line
 * ---------------------------------------------------------------------------------------- */

static const cli_command_t *
command_of(int argc, char **argv, int *ret_used)
{
    for (const cli_command_t *command = cli_commands; command->words; command++) {
        const char *second = strchr(command->words, ' ');
        size_t first = second ? (size_t) (second - command->words) : strlen(command->words);
        if (strlen(argv[0]) != first || strncmp(argv[0], command->words, first) != 0) {
            continue;
        }
        if (!second || (argc > 1 && strcmp(argv[1], second + 1) == 0)) {
            *ret_used = second ? 2 : 1;
            return command;
        }
    }
    return NULL;
}

static const cli_slot_t *
option_of(const cli_command_t *command, const char *word, size_t size)
{
    for (const cli_slot_t *slot = command->slot; slot->word; slot++) {
        if (slot->word[0] == '-' && strlen(slot->word) == size &&
            strncmp(slot->word, word, size) == 0) {
            return slot;
        }
    }
    return NULL;
}

static cli_argument_t *
argument_for(cli_line_t *line, const cli_slot_t *slot)
{
    for (uint32_t i = 0; i < line->count; i++) {
        if (line->argument[i].slot == slot) {
            return &line->argument[i];
        }
    }
    if (line->count == CLI_ARGUMENTS_MAX) {
        return NULL;
    }
    line->argument[line->count].slot = slot;
    return &line->argument[line->count++];
}

/* Against the working directory, without looking at the file system: the path is the site's. */
static char *
absolute(const char *path)
{
    char here[PATH_BYTES_MAX + 1], *whole = NULL;

    if (path[0] == '/') {
        return strdup(path);
    }
    if (!getcwd(here, sizeof here) ||
        asprintf(&whole, "%s/%s", strcmp(here, "/") == 0 ? "" : here, path) < 0) {
        return NULL;
    }
    size_t size = strlen(whole);
    while (size > 2 && strcmp(whole + size - 2, "/.") == 0) {
        whole[size -= 2] = 0;
    }
    return whole;
}

static bool
add_item(cli_argument_t *argument, const char *item)
{
    if (argument->count == CLI_ITEMS_MAX) {
        return false;
    }
    if ((argument->count & (argument->count - 1)) == 0) {
        uint32_t room = argument->count ? 2 * argument->count : 1;
        const char **items = realloc(argument->items, room * sizeof *items);
        if (!items) {
            return false;
        }
        argument->items = items;
    }
    argument->items[argument->count++] = item;
    return true;
}

static bool
add_list(cli_argument_t *argument, char *list)
{
    for (char *item = strtok(list, ","); item; item = strtok(NULL, ",")) {
        if (!add_item(argument, item)) {
            return false;
        }
    }
    return true;
}

static bool
number_of(const char *text, uint64_t *ret_number)
{
    char *end = NULL;

    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || errno) {
        return false;
    }
    *ret_number = number;
    return true;
}

/* Gives a slot its value; value is NULL for a flag. */
static int
fill(cli_line_t *line, const cli_slot_t *slot, char *value)
{
    cli_argument_t *argument = argument_for(line, slot);
    bool good = argument != NULL;

    if (!good) {
        return usage("too many arguments at", slot->word);
    }
    switch (slot->kind) {
    case CLI_TEXT:
        argument->value[0] = value;
        break;
    case CLI_PATH:
        free(argument->path);
        argument->path = absolute(value);
        good = argument->path != NULL;
        break;
    case CLI_LIST:
        good = add_list(argument, value);
        break;
    case CLI_REPEAT:
    case CLI_REST:
        good = add_item(argument, value);
        break;
    case CLI_NUMBER:
        good = number_of(value, &argument->number);
        break;
    case CLI_FLAG:
        break;
    }
    return good ? EXIT_DONE : usage("cannot use the value of", slot->word);
}

static int
read_wait(cli_line_t *line, const char *value)
{
    uint64_t seconds = 0;

    line->wait = true;
    if (value && (!number_of(value, &seconds) || seconds == 0 || seconds > UINT32_MAX)) {
        return usage("--wait takes a number of seconds, not", value);
    }
    line->wait_s = (uint32_t) seconds;
    return EXIT_DONE;
}

/* Options that every command has. -1: none of them. */
static int
read_common(cli_line_t *line, int argc, char **argv, int *at)
{
    const char *word = argv[*at];

    if (strcmp(word, "--json") == 0) {
        line->json = true;
    } else if (strcmp(word, "--dry-run") == 0) {
        line->dry_run = true;
    } else if (strcmp(word, "--help") == 0) {
        line->help = true;
    } else if (strcmp(word, "--data") == 0 || strcmp(word, "--connect") == 0) {
        if (*at + 1 == argc) {
            return usage("a value is missing after", word);
        }
        *(strcmp(word, "--data") == 0 ? &line->data : &line->connect) = argv[++*at];
    } else {
        return -1;
    }
    return EXIT_DONE;
}

static int
read_option(cli_line_t *line, int argc, char **argv, int *at)
{
    char *word = argv[*at];
    char *value = strchr(word, '=');
    size_t size = value ? (size_t) (value - word) : strlen(word);
    const cli_slot_t *slot = option_of(line->command, word, size);

    if (!slot) {
        return usage("unknown option", word);
    }
    if (strcmp(slot->word, "--wait") == 0) {
        return read_wait(line, value ? value + 1 : NULL);
    }
    if (slot->kind == CLI_FLAG) {
        return value ? usage("no value is taken by", word) : fill(line, slot, NULL);
    }
    if (!value && *at + 1 == argc) {
        return usage("a value is missing after", word);
    }
    return fill(line, slot, value ? value + 1 : argv[++*at]);
}

static const cli_slot_t *
next_positional(const cli_line_t *line)
{
    for (const cli_slot_t *slot = line->command->slot; slot->word; slot++) {
        if (slot->word[0] != '-' && (slot->kind == CLI_REST || !cli_argument(line, slot->word))) {
            return slot;
        }
    }
    return NULL;
}

static int
read_rest(cli_line_t *line, int argc, char **argv, int at)
{
    bool options = true;

    for (; at < argc; at++) {
        int code = options ? read_common(line, argc, argv, &at) : -1;
        if (code == -1 && options && strcmp(argv[at], "--") == 0) {
            options = false;
            continue;
        }
        if (code == -1 && options && strncmp(argv[at], "--", 2) == 0) {
            code = read_option(line, argc, argv, &at);
        } else if (code == -1) {
            const cli_slot_t *slot = next_positional(line);
            code = slot ? fill(line, slot, argv[at]) : usage("unexpected argument", argv[at]);
        }
        if (code != EXIT_DONE) {
            return code;
        }
    }
    return EXIT_DONE;
}

static int
check_required(const cli_line_t *line)
{
    for (const cli_slot_t *slot = line->command->slot; slot->word; slot++) {
        if (slot->required && !cli_argument(line, slot->word)) {
            return usage("missing argument", slot->word);
        }
    }
    return EXIT_DONE;
}

int
cli_parse(int argc, char **argv, cli_line_t *ret_line)
{
    int at = 1, used = 0;

    *ret_line = (cli_line_t){0};
    for (; at < argc && argv[at][0] == '-'; at++) {
        int code = read_common(ret_line, argc, argv, &at);
        if (code != EXIT_DONE) {
            return code == -1 ? usage("unknown option", argv[at]) : code;
        }
    }
    if (at == argc) {
        return ret_line->help ? EXIT_DONE : usage("a command is missing after", argv[0]);
    }
    ret_line->command = command_of(argc - at, argv + at, &used);
    if (!ret_line->command) {
        return usage("no such command:", argv[at]);
    }
    int code = read_rest(ret_line, argc, argv, at + used);
    return code != EXIT_DONE || ret_line->help ? code : check_required(ret_line);
}

void
cli_line_fini(cli_line_t *line)
{
    for (uint32_t i = 0; i < line->count; i++) {
        free(line->argument[i].items);
        free(line->argument[i].path);
    }
    line->count = 0;
}

const cli_argument_t *
cli_argument(const cli_line_t *line, const char *word)
{
    for (uint32_t i = 0; i < line->count; i++) {
        if (strcmp(line->argument[i].slot->word, word) == 0) {
            return &line->argument[i];
        }
    }
    return NULL;
}

/* ---- the request
 * ----------------------------------------------------------------------------------------- */

static void
put_argument(wire_writer_t *writer, const cli_argument_t *argument)
{
    wire_put_str(writer, slice_of(argument->slot->name));
    switch (argument->slot->kind) {
    case CLI_TEXT:
        wire_put_str(writer, slice_of(argument->value[0]));
        break;
    case CLI_PATH:
        /* A path may hold any byte; what is not UTF-8 travels as bin. */
        if (wire_is_utf8(slice_of(argument->path))) {
            wire_put_str(writer, slice_of(argument->path));
        } else {
            wire_put_bin(writer, slice_of(argument->path));
        }
        break;
    case CLI_LIST:
    case CLI_REPEAT:
    case CLI_REST:
        wire_put_array(writer, argument->count);
        for (uint32_t i = 0; i < argument->count; i++) {
            wire_put_str(writer, slice_of(argument->items[i]));
        }
        break;
    case CLI_NUMBER:
        wire_put_u64(writer, argument->number);
        break;
    case CLI_FLAG:
        wire_put_bool(writer, true);
        break;
    }
}

/* A repeat of the same request must not be done twice, so each changing one has a key of its own.
 */
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

bool
cli_encode(const cli_line_t *line, wire_writer_t *writer)
{
    const cli_argument_t *excludes = cli_argument(line, "--exclude");
    bool sets = excludes && strcmp(line->command->wire, "package.set") == 0 &&
                !cli_argument(line, "--no-exclude");

    wire_put_map(writer, line->command->changes ? 5 : 4);
    wire_put_str(writer, slice_of("v"));
    wire_put_u64(writer, 1);
    wire_put_str(writer, slice_of("id"));
    wire_put_u64(writer, 1);
    if (line->command->changes) {
        put_key(writer);
    }
    wire_put_str(writer, slice_of("cmd"));
    wire_put_str(writer, slice_of(line->command->wire));
    wire_put_str(writer, slice_of("args"));
    wire_put_map(writer, line->count + line->dry_run + sets);
    for (uint32_t i = 0; i < line->count; i++) {
        put_argument(writer, &line->argument[i]);
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
