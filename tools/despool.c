/* despool.c - the command line. */
#include "tools/cli.h"

int
main(int argc, char **argv)
{
    cli_line_t line;
    int code = cli_parse(argc, argv, &line);

    if (code == EXIT_DONE && line.help) {
        cli_help(line.command);
    } else if (code == EXIT_DONE) {
        cli_client_t *client = cli_client_new(&line, CLI_ANSWER_MS);
        code = line.command->wire ? cli_say(client, &line) : cli_watch(client, &line);
        cli_client_destroy(&client);
    }
    cli_line_fini(&line);
    return code;
}
