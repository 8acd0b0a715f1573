/* despool.c - the command line: one request, its answer, an exit code. */
#include "tools/cli.h"

#include <stdio.h>
#include <string.h>

static int
answered(cli_client_t *client, const cli_line_t *line, const wire_value_t *reply)
{
    wire_value_t ok, result, error;

    if (!wire_find(reply, "ok", &ok) || !ok.boolean) {
        if (!wire_find(reply, "error", &error)) {
            fprintf(stderr, "cannot read the reply: it has neither a result nor an error\n");
            return EXIT_NO_HOST;
        }
        cli_show_error(line, &error);
        return EXIT_REFUSED;
    }
    if (!wire_find(reply, "result", &result)) {
        fprintf(stderr, "cannot read the reply: it has no result\n");
        return EXIT_NO_HOST;
    }
    bool bad = cli_show(line, &result);
    if (line->wait && !line->dry_run) {
        fflush(stdout);
        return cli_wait(client, line);
    }
    return bad ? EXIT_REFUSED : EXIT_DONE;
}

static int
say(cli_client_t *client, const cli_line_t *line)
{
    static uint8_t memory[CLI_REQUEST_BYTES];
    wire_writer_t request;
    wire_value_t reply;

    wire_writer_over(&request, memory, sizeof memory);
    if (!cli_encode(line, &request)) {
        fprintf(stderr, "cannot say '%s': it is larger than %u bytes\n", line->command->words,
                CLI_REQUEST_BYTES);
        return EXIT_USAGE;
    }
    int code = cli_ask(client, (slice_t){(const char *) memory, request.size},
                       line->command->long_work, &reply);
    return code == EXIT_DONE ? answered(client, line, &reply) : code;
}

int
main(int argc, char **argv)
{
    cli_line_t line;
    int code = cli_parse(argc, argv, &line);

    if (code == EXIT_DONE && line.help) {
        cli_help(line.command);
    } else if (code == EXIT_DONE) {
        cli_client_t *client = cli_client_new(&line);
        code = line.command->wire ? say(client, &line) : cli_watch(client, &line);
        cli_client_destroy(&client);
    }
    cli_line_fini(&line);
    return code;
}
