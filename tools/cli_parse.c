/* cli_parse.c - from argv to a line. */
#include "tools/cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/limits.h"
#include "proto/show.h"
#include "tools/cli_print.h"

#define SHOWN_MAX 200 /* bytes of what is wrong: it may be a list of thousands */

/* Of these only one can be meant. */
static const struct {
    const char *one, *other, *both;
} either[] = {
    {"--to", "--all", "--to, --all"},
    {"--from", "--all", "--from, --all"},
    {"--withdraw", "--forget", "--withdraw, --forget"},
    {"--exclude", "--no-exclude", "--exclude, --no-exclude"},
};

static int
usage(const cli_line_t *line, const char *what, const char *about)
{
    const char *words = line->command ? line->command->words : NULL;

    cli_fail(line, "usage", NULL, "despool: %s '%.*s%s'; despool %s%s--help tells more", what,
             SHOWN_MAX, about, strlen(about) > SHOWN_MAX ? "..." : "", words ? words : "",
             words ? " " : "");
    return EXIT_USAGE;
}

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

static int
not_taken(const cli_line_t *line, const cli_slot_t *slot, const char *value)
{
    char wanted[80], what[128];

    cli_wanted(slot->kind, wanted, sizeof wanted);
    snprintf(what, sizeof what, "%s takes %s, not", slot->word, wanted);
    return usage(line, what, value);
}

/* Gives a slot its value; value is NULL for a flag. */
static int
fill(cli_line_t *line, const cli_slot_t *slot, char *value)
{
    bool again = cli_argument(line, slot->word) != NULL;
    bool once = slot->kind == CLI_TEXT || slot->kind == CLI_PATH || slot->kind == CLI_NUMBER ||
                slot->kind == CLI_RATE || slot->kind == CLI_TIME;

    if (again && once) {
        return usage(line, "given twice:", slot->word);
    }
    cli_argument_t *argument = argument_for(line, slot);
    if (!argument) {
        return usage(line, "too many arguments at", slot->word);
    }
    return cli_take(argument, value) ? EXIT_DONE : not_taken(line, slot, value);
}

static int
read_wait(cli_line_t *line, const char *value)
{
    uint64_t seconds = 0;

    line->wait = true;
    if (value && (!cli_whole_number(value, &seconds) || seconds == 0 || seconds > UINT32_MAX)) {
        return usage(line, "--wait takes a number of seconds, not", value);
    }
    line->wait_s = (uint32_t) seconds;
    return EXIT_DONE;
}

/* The value of an option: after '=', or the next word. */
static char *
value_of(int argc, char **argv, int *at)
{
    char *value = strchr(argv[*at], '=');

    if (value) {
        return value + 1;
    }
    return *at + 1 < argc ? argv[++*at] : NULL;
}

static bool
is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* Options that every command has. -1: none of them. */
static int
read_common(cli_line_t *line, int argc, char **argv, int *at)
{
    char *word = argv[*at];
    size_t size = strcspn(word, "=");

    if (strcmp(word, "--json") == 0) {
        line->json = true;
    } else if (strcmp(word, "--dry-run") == 0) {
        line->dry_run = true;
    } else if (is_help(word)) {
        line->help = true;
    } else if ((size == 6 && strncmp(word, "--data", size) == 0) ||
               (size == 9 && strncmp(word, "--connect", size) == 0)) {
        const char **place = size == 6 ? &line->data : &line->connect;
        const char *value = value_of(argc, argv, at);
        if (!value || !*value) {
            return usage(line, "a value is missing after", word);
        }
        if (*place) {
            return usage(line, "given twice:", size == 6 ? "--data" : "--connect");
        }
        *place = value;
    } else {
        return -1;
    }
    return EXIT_DONE;
}

static int
read_option(cli_line_t *line, int argc, char **argv, int *at)
{
    char *word = argv[*at];
    const char *given = strchr(word, '=');
    const cli_slot_t *slot = option_of(line->command, word, strcspn(word, "="));

    if (!slot) {
        return usage(line, "unknown option", word);
    }
    if (strcmp(slot->word, "--wait") == 0) {
        return read_wait(line, given ? given + 1 : NULL);
    }
    if (slot->kind == CLI_FLAG) {
        return given ? usage(line, "no value is taken by", slot->word) : fill(line, slot, NULL);
    }
    char *value = value_of(argc, argv, at);
    return value ? fill(line, slot, value) : usage(line, "a value is missing after", word);
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
read_positional(cli_line_t *line, char *word)
{
    const cli_slot_t *slot = next_positional(line);

    return slot ? fill(line, slot, word) : usage(line, "unexpected argument", word);
}

static int
read_rest(cli_line_t *line, int argc, char **argv, int at)
{
    bool options = true;
    int code = EXIT_DONE;

    for (; at < argc && code == EXIT_DONE; at++) {
        if (options && strcmp(argv[at], "--") == 0) {
            options = false;
        } else if (!options || argv[at][0] != '-' || !argv[at][1]) {
            code = read_positional(line, argv[at]);
        } else {
            code = read_common(line, argc, argv, &at);
            code = code == -1 ? read_option(line, argc, argv, &at) : code;
        }
    }
    return code;
}

/* A point is a directory here, or another machine. */
static bool
is_excused(const cli_line_t *line, const cli_slot_t *slot)
{
    return strcmp(slot->word, "ROOT") == 0 && cli_argument(line, "--agent");
}

/* A command that sets wants something to set. */
static bool
sets_nothing(const cli_line_t *line)
{
    static const char *const setters[] = {"package set", "dp set", "site set", "component set"};

    for (uint32_t i = 0; i < line->count; i++) {
        if (line->argument[i].slot->word[0] == '-') {
            return false;
        }
    }
    for (size_t i = 0; i < sizeof setters / sizeof setters[0]; i++) {
        if (strcmp(line->command->words, setters[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Lists name points, but for rings: each command that takes one wants it, or --all. */
static int
check_slot(const cli_line_t *line, const cli_slot_t *slot)
{
    bool given = cli_argument(line, slot->word) != NULL;

    if (slot->required && !given && !is_excused(line, slot)) {
        return usage(line, "missing argument", slot->word);
    }
    bool points = slot->kind == CLI_LIST && strcmp(slot->word, "--rings") != 0;
    if (points && !given && !cli_argument(line, "--all")) {
        return usage(line, "wants --all or", slot->word);
    }
    return EXIT_DONE;
}

static int
check_line(const cli_line_t *line)
{
    int code = EXIT_DONE;

    for (const cli_slot_t *slot = line->command->slot; slot->word && code == EXIT_DONE; slot++) {
        code = check_slot(line, slot);
    }
    if (code == EXIT_DONE && sets_nothing(line)) {
        code = usage(line, "nothing is set by", line->command->words);
    }
    for (size_t i = 0; i < sizeof either / sizeof either[0] && code == EXIT_DONE; i++) {
        if (cli_argument(line, either[i].one) && cli_argument(line, either[i].other)) {
            code = usage(line, "only one can be meant of these:", either[i].both);
        }
    }
    if (code == EXIT_DONE && line->data && line->connect) {
        code = usage(line, "only one can be meant of these:", "--data, --connect");
    }
    return code;
}

bool
cli_is_of_noun(const cli_command_t *command, const char *noun)
{
    size_t size = strlen(noun);

    return strncmp(command->words, noun, size) == 0 && command->words[size] == ' ';
}

/* A noun without a verb of its own is told from a word that is no command at all. Who asks for help
 * on it is shown its commands. */
static int
no_such(cli_line_t *line, int argc, char **argv)
{
    char verbs[256];
    size_t noun = strlen(argv[0]);
    sheet_t sheet;

    sheet_over(&sheet, verbs, sizeof verbs);
    for (const cli_command_t *command = cli_commands; command->words; command++) {
        if (cli_is_of_noun(command, argv[0])) {
            sheet_puts(&sheet, *verbs ? ", " : "");
            sheet_puts(&sheet, command->words + noun + 1);
        }
    }
    if (!*verbs) {
        return usage(line, "no such command:", argv[0]);
    }
    if (argc == (line->help ? 1 : 2) && (line->help || is_help(argv[1]))) {
        line->help = true;
        line->noun = argv[0];
        return EXIT_DONE;
    }
    cli_fail(line, "usage", NULL, "despool: '%s' wants one of %s%s%s%s; despool --help tells more",
             argv[0], verbs, argc > 1 ? ", not '" : "", argc > 1 ? argv[1] : "",
             argc > 1 ? "'" : "");
    return EXIT_USAGE;
}

int
cli_parse(int argc, char **argv, cli_line_t *ret_line)
{
    int at = 1, used = 0;

    *ret_line = (cli_line_t){0};
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        ret_line->json = ret_line->json || strcmp(argv[i], "--json") == 0; /* of errors, too */
    }
    for (; at < argc && argv[at][0] == '-'; at++) {
        ret_line->version = strcmp(argv[at], "--version") == 0; /* behind a command: a label */
        int code = ret_line->version ? EXIT_DONE : read_common(ret_line, argc, argv, &at);
        if (code != EXIT_DONE || ret_line->version) {
            return code == -1 ? usage(ret_line, "unknown option", argv[at]) : code;
        }
    }
    if (at < argc && strcmp(argv[at], "help") == 0) {
        ret_line->help = true;
        at++;
    }
    if (at == argc) {
        return ret_line->help ? EXIT_DONE
                              : usage(ret_line, "a command is missing after", "despool");
    }
    ret_line->command = command_of(argc - at, argv + at, &used);
    if (!ret_line->command) {
        return no_such(ret_line, argc - at, argv + at);
    }
    int code = read_rest(ret_line, argc, argv, at + used);
    return code != EXIT_DONE || ret_line->help ? code : check_line(ret_line);
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
