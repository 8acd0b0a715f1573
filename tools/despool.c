/* despool.c - the command line. */
#include "tools/cli.h"

#include <stdio.h>

static int
run(const cli_line_t *line)
{
    if (cli_argument(line, "BACKUP")) {
        return cli_restore(line);
    }
    cli_client_t *client = cli_client_new(line, CLI_ANSWER_MS);
    int code = line->command->wire ? cli_say(client, line) : cli_watch(client, line);
    cli_client_destroy(&client);
    return code;
}

int
main(int argc, char **argv)
{
    cli_line_t line;
    int code = cli_parse(argc, argv, &line);

    if (code == EXIT_DONE && line.version) {
        printf(line.json ? "{\"version\":\"%s\"}\n" : "despool %s\n", DESPOOL_VERSION);
    } else if (code == EXIT_DONE && line.noun) {
        cli_help_noun(line.noun);
    } else if (code == EXIT_DONE && line.help) {
        cli_help(line.command);
    } else if (code == EXIT_DONE) {
        code = run(&line);
    }
    code = cli_written(code);
    cli_line_fini(&line);
    return code;
}
