/* cli_say.c - one request, its answer, an exit code. */
#include "tools/cli.h"

#include "tools/cli_print.h"

static int
answered(cli_client_t *client, const cli_line_t *line, const wire_value_t *reply)
{
    wire_value_t ok, result, error;

    if (!wire_find(reply, "ok", &ok) || !ok.boolean) {
        if (!wire_find(reply, "error", &error)) {
            cli_fail(line, "no-host", "is it despoold that listens there?",
                     "cannot read the reply: it has neither a result nor an error");
            return EXIT_NO_HOST;
        }
        cli_show_error(line, &error);
        return EXIT_REFUSED;
    }
    if (!wire_find(reply, "result", &result) || result.kind != WIRE_MAP) {
        cli_fail(line, "no-host", "is it despoold that listens there?",
                 "cannot read the reply: it has no result");
        return EXIT_NO_HOST;
    }
    bool bad = cli_show(line, &result);
    if (line->wait && !line->dry_run) {
        fflush(stdout);
        return cli_wait(client, line);
    }
    bool held = !line->json && cli_holds_queued(&result);
    return bad ? EXIT_REFUSED : held ? cli_tell_held(client, stdout) : EXIT_DONE;
}

int
cli_say(cli_client_t *client, const cli_line_t *line)
{
    static uint8_t memory[CLI_REQUEST_BYTES];
    wire_writer_t request;
    wire_value_t reply;

    wire_writer_over(&request, memory, sizeof memory);
    if (!cli_encode(line, &request)) {
        cli_fail(line, "usage", "name fewer things at once",
                 "cannot say '%s': it is larger than %u bytes", line->command->words,
                 CLI_REQUEST_BYTES);
        return EXIT_USAGE;
    }
    int code = cli_ask(client, (slice_t){(const char *) memory, request.size}, CLI_REQUEST_ID,
                       line->command->long_work, &reply);
    return code == EXIT_DONE ? answered(client, line, &reply) : code;
}
