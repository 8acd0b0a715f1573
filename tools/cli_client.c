/* cli_client.c - one connection to a host: asks, and listens to its status stream. */
#include "tools/cli.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

#include "tools/data_default.h"

struct cli_client {
    void *context;
    void *commands, *pings, *stream;
    char command_at[512], status_at[512];
    zmq_msg_t reply, event;
    uint8_t small[8192];
};

/* The status endpoint stands beside the command endpoint unless the data directory says both. */
static void
endpoints(cli_client_t *client, const cli_line_t *line)
{
    char *data = line->data ? strdup(line->data) : data_default();

    snprintf(client->command_at, sizeof client->command_at, "ipc://%s/command.ipc",
             data ? data : "");
    snprintf(client->status_at, sizeof client->status_at, "ipc://%s/status.ipc", data ? data : "");
    free(data);
    if (!line->connect) {
        return;
    }
    snprintf(client->command_at, sizeof client->command_at, "%s", line->connect);
    snprintf(client->status_at, sizeof client->status_at, "%s", line->connect);
    char *tail = strstr(client->status_at, "command.ipc");
    if (tail) {
        snprintf(tail, sizeof client->status_at - (size_t) (tail - client->status_at),
                 "status.ipc");
    }
}

static void *
connected(cli_client_t *client, int type, const char *endpoint)
{
    void *socket = zmq_socket(client->context, type);
    int none = 0;

    if (!socket) {
        return NULL;
    }
    zmq_setsockopt(socket, ZMQ_LINGER, &none, sizeof none);
    if (type == ZMQ_SUB) {
        zmq_setsockopt(socket, ZMQ_RCVHWM, &none, sizeof none);
        zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "status", 6);
    }
    if (zmq_connect(socket, endpoint) != 0) {
        zmq_close(socket);
        return NULL;
    }
    return socket;
}

cli_client_t *
cli_client_new(const cli_line_t *line)
{
    cli_client_t *client = calloc(1, sizeof *client);

    assert(client);
    endpoints(client, line);
    zmq_msg_init(&client->reply);
    zmq_msg_init(&client->event);
    client->context = zmq_ctx_new();
    assert(client->context);
    client->commands = connected(client, ZMQ_DEALER, client->command_at);
    client->pings = connected(client, ZMQ_DEALER, client->command_at);
    return client;
}

void
cli_client_destroy(cli_client_t **client)
{
    void *const sockets[] = {(*client)->commands, (*client)->pings, (*client)->stream};

    for (size_t i = 0; i < sizeof sockets / sizeof sockets[0]; i++) {
        if (sockets[i]) {
            zmq_close(sockets[i]);
        }
    }
    zmq_msg_close(&(*client)->reply);
    zmq_msg_close(&(*client)->event);
    zmq_ctx_term((*client)->context);
    free(*client);
    *client = NULL;
}

static int64_t
now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int
no_host(const cli_client_t *client)
{
    fprintf(stderr,
            "cannot reach the host at '%s': no answer in %d s\n"
            "  start it with despoold, or name its data directory with --data\n",
            client->command_at, CLI_ANSWER_MS / 1000);
    return EXIT_NO_HOST;
}

/* Whether the host shows a sign of life within the time given. */
static bool
answers_ping(cli_client_t *client)
{
    wire_writer_t w;
    zmq_pollitem_t item = {client->pings, 0, ZMQ_POLLIN, 0};
    zmq_msg_t pong;

    wire_writer_over(&w, client->small, sizeof client->small);
    wire_put_map(&w, 4);
    wire_put_str(&w, slice_of("v"));
    wire_put_u64(&w, 1);
    wire_put_str(&w, slice_of("id"));
    wire_put_nil(&w);
    wire_put_str(&w, slice_of("cmd"));
    wire_put_str(&w, slice_of("ping"));
    wire_put_str(&w, slice_of("args"));
    wire_put_map(&w, 0);
    if (zmq_send(client->pings, client->small, w.size, ZMQ_DONTWAIT) < 0 ||
        zmq_poll(&item, 1, CLI_ANSWER_MS) <= 0) {
        return false;
    }
    zmq_msg_init(&pong);
    int got = zmq_msg_recv(&pong, client->pings, 0);
    zmq_msg_close(&pong);
    return got >= 0;
}

/* Waits for the reply; as long as the host shows signs of life when the work may be long. */
static bool
await_reply(cli_client_t *client, bool long_work)
{
    zmq_pollitem_t item = {client->commands, 0, ZMQ_POLLIN, 0};
    int64_t until = now_ms() + CLI_ANSWER_MS;

    for (;;) {
        int64_t left = until - now_ms();
        if (zmq_poll(&item, 1, left > 0 ? (long) left : 0) > 0) {
            return true;
        }
        if (now_ms() < until) {
            continue;
        }
        if (!answers_ping(client)) {
            return false;
        }
        until = now_ms() + (long_work ? 2 : 1) * CLI_ANSWER_MS;
    }
}

int
cli_ask(cli_client_t *client, slice_t request, bool long_work, wire_value_t *ret_reply)
{
    const char *path =
        strncmp(client->command_at, "ipc://", 6) == 0 ? client->command_at + 6 : NULL;

    if (!client->commands || !client->pings || (path && access(path, F_OK) != 0) ||
        zmq_send(client->commands, request.data, request.size, 0) < 0 ||
        !await_reply(client, long_work)) {
        return no_host(client);
    }
    zmq_msg_close(&client->reply);
    zmq_msg_init(&client->reply);
    if (zmq_msg_recv(&client->reply, client->commands, 0) < 0 ||
        wire_check(zmq_msg_data(&client->reply), zmq_msg_size(&client->reply), ret_reply) != OK) {
        fprintf(stderr, "cannot read the reply of '%s': it is not msgpack\n", client->command_at);
        return EXIT_NO_HOST;
    }
    return EXIT_DONE;
}

int
cli_ask_small(cli_client_t *client, const char *command, const char *const *pairs,
              const char *number_name, uint64_t number, wire_value_t *ret_result)
{
    wire_writer_t w;
    wire_value_t reply;
    uint32_t count = number_name ? 1 : 0;

    for (uint32_t i = 0; pairs && pairs[i]; i += 2) {
        count++;
    }
    wire_writer_over(&w, client->small, sizeof client->small);
    wire_put_map(&w, 4);
    wire_put_str(&w, slice_of("v"));
    wire_put_u64(&w, 1);
    wire_put_str(&w, slice_of("id"));
    wire_put_u64(&w, 2);
    wire_put_str(&w, slice_of("cmd"));
    wire_put_str(&w, slice_of(command));
    wire_put_str(&w, slice_of("args"));
    wire_put_map(&w, count);
    for (uint32_t i = 0; pairs && pairs[i]; i++) {
        wire_put_str(&w, slice_of(pairs[i]));
    }
    if (number_name) {
        wire_put_str(&w, slice_of(number_name));
        wire_put_u64(&w, number);
    }
    int code = cli_ask(client, (slice_t){(const char *) client->small, w.size}, false, &reply);
    if (code != EXIT_DONE) {
        return code;
    }
    return wire_find(&reply, "result", ret_result) && ret_result->kind == WIRE_MAP ? EXIT_DONE
                                                                                   : EXIT_REFUSED;
}

int
cli_hear(cli_client_t *client, int timeout_ms, wire_value_t *ret_event)
{
    if (!client->stream) {
        client->stream = connected(client, ZMQ_SUB, client->status_at);
    }
    zmq_pollitem_t item = {client->stream, 0, ZMQ_POLLIN, 0};
    if (!client->stream || zmq_poll(&item, 1, timeout_ms) <= 0) {
        return 0;
    }
    do {
        zmq_msg_close(&client->event);
        zmq_msg_init(&client->event);
        if (zmq_msg_recv(&client->event, client->stream, 0) < 0) {
            return 0;
        }
    } while (zmq_msg_more(&client->event));
    return wire_check(zmq_msg_data(&client->event), zmq_msg_size(&client->event), ret_event) == OK;
}
