/* cli_help.c - what can be said, from the one table. */
#include "tools/cli.h"

#include <stdio.h>
#include <string.h>

static const char *
value_shown(const cli_slot_t *slot)
{
    if (strcmp(slot->word, "--wait") == 0) {
        return "[=SECONDS]";
    }
    if (slot->word[0] != '-' || slot->kind == CLI_FLAG) {
        return "";
    }
    switch (slot->kind) {
    case CLI_NUMBER:
        return " N";
    case CLI_RATE:
        return " RATE";
    case CLI_TIME:
        return " TIME";
    case CLI_LIST:
        return strcmp(slot->word, "--rings") == 0 ? " PERCENT[,PERCENT...]" : " NAME[,NAME...]";
    case CLI_PATH:
        return " PATH";
    default:
        return strcmp(slot->word, "--dp") == 0 ? " NAME" : " TEXT";
    }
}

static void
print_usage(const cli_command_t *command)
{
    printf("  despool %s", command->words);
    for (const cli_slot_t *slot = command->slot; slot->word; slot++) {
        bool more = slot->kind == CLI_REST || slot->kind == CLI_REPEAT;
        printf(slot->required ? " %s%s%s" : " [%s%s]%s", slot->word, value_shown(slot),
               more ? "..." : "");
    }
    printf("\n      %s\n", command->sentence);
}

void
cli_help(const cli_command_t *command)
{
    if (command) {
        print_usage(command);
        printf("\nwith every command: [--data DIR | --connect ENDPOINT] [--json] [--dry-run]\n");
        return;
    }
    printf("despool [--data DIR | --connect ENDPOINT] [--json] [--dry-run] COMMAND\n\n");
    for (command = cli_commands; command->words; command++) {
        print_usage(command);
    }
    printf("\nDIR is the data directory of despoold (default: /var/lib/despool as root, else\n"
           "$XDG_STATE_HOME/despool). Wherever points are named, @GROUP names all of a group.\n"
           "Exit codes: 0 done, 1 the site refused or the wait ended with failures, "
           "2 wrong usage, 3 no host.\n");
}
