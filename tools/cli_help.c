/* cli_help.c - what can be said, from the one table. */
#include "tools/cli.h"

#include <stdio.h>
#include <string.h>

#define COLUMNS      100
#define WORD_COLUMNS 24 /* of --help, for an argument and its value */

/* As it is said: --to NAME[,NAME...], or --wait[=SECONDS]. */
static void
show_slot(const cli_slot_t *slot, char *text, size_t size)
{
    const char *space = slot->value[0] == '\0' || slot->value[0] == '[' ? "" : " ";

    snprintf(text, size, "%s%s%s", slot->word, space, slot->value);
}

/* In lines of at most so many columns; a slot is not broken. */
static void
print_usage(const cli_command_t *command)
{
    int column = printf("  despool %s", command->words);

    for (const cli_slot_t *slot = command->slot; slot->word; slot++) {
        bool more = slot->kind == CLI_REST || slot->kind == CLI_REPEAT;
        char text[80], shown[96];
        show_slot(slot, text, sizeof text);
        int size = snprintf(shown, sizeof shown, slot->required ? "%s%s" : "[%s]%s", text,
                            more ? "..." : "");
        if (column + 1 + size > COLUMNS) {
            column = printf("\n         ") - 1;
        }
        column += printf(" %s", shown);
    }
    printf("\n      %s\n", command->sentence);
}

static void
print_slots(const cli_command_t *command)
{
    if (command->slot[0].word) {
        printf("\n");
    }
    for (const cli_slot_t *slot = command->slot; slot->word; slot++) {
        char text[80];
        show_slot(slot, text, sizeof text);
        printf("  %-*s  %s\n", WORD_COLUMNS, text, slot->help);
    }
}

static void
print_common(void)
{
    printf("\nwith every command: [--data DIR | --connect ENDPOINT] [--json] [--dry-run]\n");
}

void
cli_help_noun(const char *noun)
{
    for (const cli_command_t *command = cli_commands; command->words; command++) {
        if (cli_is_of_noun(command, noun)) {
            print_usage(command);
        }
    }
    print_common();
    printf("despool %s COMMAND --help tells what the arguments of one are\n", noun);
}

void
cli_help(const cli_command_t *command)
{
    if (command) {
        print_usage(command);
        print_slots(command);
        print_common();
        return;
    }
    printf("despool [--data DIR | --connect ENDPOINT] [--json] [--dry-run] COMMAND\n\n");
    for (command = cli_commands; command->words; command++) {
        print_usage(command);
    }
    printf("\nDIR is the data directory of despoold (default: /var/lib/despool as root, else\n"
           "$XDG_STATE_HOME/despool). Wherever points are named, @GROUP names all of a group.\n"
           "--version tells which despool this is; despool ping, which the host is.\n"
           "despool COMMAND --help tells what the arguments of one command are.\n"
           "Exit codes: 0 done; 1 the site refused, what was looked at is not as it should be, a "
           "wait\nended with failures, or the output could not be written; 2 wrong usage; 3 no "
           "host.\n");
}
