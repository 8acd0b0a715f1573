/* cli_client.c - one connection to a host: asks, and listens to its status stream.
 *
 * Replies may be late: each request has an id of its own, and a reply with another id is dropped.
 * While an answer is awaited the host is pinged on a second socket; as long as it shows a sign of
 * life the answer may still come. */
#include "tools/cli.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

#include "tools/cli_print.h"
#include "tools/data_default.h"

#define RETRY_PAUSE_MS 100 /* between asks of a host that is away or starting */
#define LAST_LOOK_MS   200 /* for an answer, when its time is over */

struct cli_client {
    const cli_line_t *line;
    uint32_t answer_ms;
    void *context;
    void *commands, *pings, *stream;
    char *command_at, *status_at;
    zmq_msg_t reply, event;
    uint64_t next_id;
    bool met;         /* the host answered once */
    bool told;        /* who keeps the answer */
    int64_t until_ms; /* of all asks, monotonic: then they end; 0: they have their own times */
    uint8_t small[8192];
};

static char *
joined(const char *before, size_t size, const char *after)
{
    char *whole = NULL;
    int made = asprintf(&whole, "%.*s%s", (int) size, before, after);

    assert(made >= 0);
    return whole;
}

/* The status endpoint stands beside the command endpoint; one that is named otherwise has none. */
static void
endpoints(cli_client_t *client, const cli_line_t *line)
{
    static const char tail[] = "/command.ipc";
    char *data = line->data ? strdup(line->data) : data_default();

    assert(data);
    char *site = joined("ipc://", 6, data);
    client->command_at = line->connect ? strdup(line->connect) : joined(site, strlen(site), tail);
    size_t size = strlen(client->command_at), tail_size = sizeof tail - 1;
    if (size > tail_size && strcmp(client->command_at + size - tail_size, tail) == 0) {
        client->status_at = joined(client->command_at, size - tail_size, "/status.ipc");
    }
    free(site);
    free(data);
}

/* once: what was sent to a host is never brought to the next one that has its place: it goes with
 * the connection, and nothing is sent where there is none. */
static void *
connected(cli_client_t *client, int type, const char *endpoint, bool once)
{
    void *socket = zmq_socket(client->context, type);
    int none = 0, yes = 1;
    int64_t largest = CLI_REPLY_BYTES;

    if (!socket) {
        return NULL;
    }
    zmq_setsockopt(socket, ZMQ_LINGER, &none, sizeof none);
    zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &largest, sizeof largest);
    if (type == ZMQ_SUB) {
        zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "status", 6);
    }
    if (once) {
        zmq_setsockopt(socket, ZMQ_IMMEDIATE, &yes, sizeof yes);
        zmq_setsockopt(socket, ZMQ_HANDSHAKE_IVL, &none, sizeof none);
    }
    if (zmq_connect(socket, endpoint) != 0) {
        zmq_close(socket);
        return NULL;
    }
    return socket;
}

cli_client_t *
cli_client_new(const cli_line_t *line, uint32_t answer_ms)
{
    cli_client_t *client = calloc(1, sizeof *client);

    assert(client);
    client->line = line;
    client->answer_ms = answer_ms;
    client->next_id = CLI_REQUEST_ID + 1;
    endpoints(client, line);
    zmq_msg_init(&client->reply);
    zmq_msg_init(&client->event);
    client->context = zmq_ctx_new();
    assert(client->context);
    client->commands = connected(client, ZMQ_DEALER, client->command_at, true);
    client->pings = connected(client, ZMQ_DEALER, client->command_at, false);
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
    free((*client)->command_at);
    free((*client)->status_at);
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

void
cli_pause(uint32_t ms)
{
    zmq_poll(NULL, 0, (long) ms);
}

/* ---- one request and its reply ---- */

/* A map of v, id and cmd is begun; its args are still to be put. */
static void
begin_request(wire_writer_t *w, uint64_t id, const char *command)
{
    wire_put_map(w, 4);
    wire_put_str(w, slice_of("v"));
    wire_put_u64(w, 1);
    wire_put_str(w, slice_of("id"));
    wire_put_u64(w, id);
    wire_put_str(w, slice_of("cmd"));
    wire_put_str(w, slice_of(command));
    wire_put_str(w, slice_of("args"));
}

/* Its id is the time at which it was sent. */
static void
ping(cli_client_t *client)
{
    uint8_t bytes[128];
    wire_writer_t w;

    wire_writer_over(&w, bytes, sizeof bytes);
    begin_request(&w, (uint64_t) now_ms(), "ping");
    wire_put_map(&w, 0);
    assert(!w.full);
    zmq_send(client->pings, bytes, w.size, ZMQ_DONTWAIT);
}

/* Who waits for some time is told of a component that a person has paused, and which keeps what it
 * was asked: the answer comes when it goes on. */
static void
tell_keeper(cli_client_t *client, const wire_value_t *pong, int64_t began_ms)
{
    slice_t keeper = cli_text(pong, "held");

    if (keeper.size > 0 && !client->told && now_ms() >= began_ms + client->answer_ms / 4) {
        cli_tell_component(stderr, keeper, slice_of("paused"));
        client->told = true;
    }
}

/* Whether the host of a pong began after that time, and takes commands. It began no sooner than its
 * age before it was pinged, however late the pong is looked at. */
static bool
began_after(const wire_value_t *reply, const wire_value_t *pong, int64_t sent_ms)
{
    wire_value_t pinged, ready, up;

    return wire_find(pong, "ready", &ready) && ready.boolean && wire_find(pong, "up_ms", &up) &&
           up.kind == WIRE_UINT && wire_find(reply, "id", &pinged) && pinged.kind == WIRE_UINT &&
           (int64_t) pinged.uint - (int64_t) up.uint > sent_ms;
}

/* Takes a pong. Whether it is of a host that began after what is asked was sent. */
static bool
is_of_later_host(cli_client_t *client, int64_t began_ms, int64_t sent_ms)
{
    wire_value_t reply, result;
    zmq_msg_t pong;
    bool later = false;

    zmq_msg_init(&pong);
    if (zmq_msg_recv(&pong, client->pings, ZMQ_DONTWAIT) >= 0 &&
        wire_check(zmq_msg_data(&pong), zmq_msg_size(&pong), &reply) == OK &&
        reply.kind == WIRE_MAP && wire_find(&reply, "result", &result) && result.kind == WIRE_MAP) {
        tell_keeper(client, &result, began_ms);
        later = began_after(&reply, &result, sent_ms);
    }
    zmq_msg_close(&pong);
    return later;
}

/* Takes what came; true when the reply to id was there (or the site could not read an id). */
static bool
take_reply(cli_client_t *client, uint64_t id, wire_value_t *ret_reply)
{
    wire_value_t got;

    for (;;) {
        zmq_msg_close(&client->reply);
        zmq_msg_init(&client->reply);
        if (zmq_msg_recv(&client->reply, client->commands, ZMQ_DONTWAIT) < 0) {
            return false;
        }
        if (wire_check(zmq_msg_data(&client->reply), zmq_msg_size(&client->reply), ret_reply) ==
                OK &&
            ret_reply->kind == WIRE_MAP &&
            (!wire_find(ret_reply, "id", &got) || got.kind == WIRE_NIL ||
             (got.kind == WIRE_UINT && got.uint == id))) {
            return true;
        }
    }
}

#define UNSENT INT64_MAX

/* Sends it when there is a connection; when it was sent. */
static int64_t
send_to(void *socket, slice_t request)
{
    return zmq_send(socket, request.data, request.size, ZMQ_DONTWAIT) < 0 ? UNSENT : now_ms();
}

/* When there is a time for all asks, a host that has just shown a sign of life still has it. */
static bool
is_over(const cli_client_t *client, int64_t now, int64_t heard, int64_t began, bool long_work)
{
    bool late = client->until_ms > 0 && now >= client->until_ms;

    return now >= heard + client->answer_ms / (late ? 4 : 1) ||
           (!long_work && now >= began + CLI_SHORT_MS);
}

/* NULL, or why there was no reply. The time of a program that was stopped goes by while it does not
 * look: so the last look comes after the time is over, and leaves libzmq's thread time to read. A
 * host that began after the request was sent has never got it: it is sent again. */
static const char *
await_reply(cli_client_t *client, slice_t request, uint64_t id, bool long_work,
            wire_value_t *ret_reply)
{
    zmq_pollitem_t items[] = {{client->commands, 0, ZMQ_POLLIN, 0},
                              {client->pings, 0, ZMQ_POLLIN, 0}};
    int64_t now = now_ms(), heard = now, pinged = now, began = now, sent = UNSENT;
    bool over = false, lives = false, last;

    do {
        last = over;
        items[0].events = sent == UNSENT ? ZMQ_POLLIN | ZMQ_POLLOUT : ZMQ_POLLIN;
        zmq_poll(items, 2, last ? LAST_LOOK_MS : (long) client->answer_ms / 4 + 1);
        now = now_ms();
        if ((items[0].revents & ZMQ_POLLIN) && take_reply(client, id, ret_reply)) {
            client->met = true;
            return NULL;
        }
        if (items[0].revents & ZMQ_POLLOUT) {
            sent = send_to(client->commands, request);
            ping(client);
            pinged = now;
        }
        if (items[1].revents & ZMQ_POLLIN) {
            heard = now;
            lives = true;
            sent = is_of_later_host(client, began, sent) ? UNSENT : sent;
        }
        if (heard >= pinged && now >= pinged + client->answer_ms / 2) {
            ping(client);
            pinged = now;
        }
        over = is_over(client, now, heard, began, long_work);
    } while (!over || !last);
    lives = lives && now < heard + client->answer_ms;
    return lives ? "it lives, but does not answer" : "it does not answer";
}

static const char no_permission[] = "permission denied";

/* NULL, or why there was no reply; silent, so that it can be tried again. */
static const char *
try_ask(cli_client_t *client, slice_t request, uint64_t id, bool long_work, wire_value_t *ret_reply)
{
    bool named = strncmp(client->command_at, "ipc://", 6) == 0 && client->command_at[6] != '@';
    const char *path = named ? client->command_at + 6 : NULL; /* from here, or from / */

    if (!client->commands || !client->pings) {
        return "this is no endpoint that can be connected to";
    }
    if (path && access(path, W_OK) != 0) {
        return errno == EACCES || errno == EPERM ? no_permission : "there is no such socket";
    }
    return await_reply(client, request, id, long_work, ret_reply);
}

static int
no_host(const cli_client_t *client, const char *why)
{
    bool barred = why == no_permission;
    const char *hint =
        barred ? "run it as the user who runs despoold"
               : "start it with despoold, or name its data directory with --data, or its "
                 "endpoint with --connect";

    cli_fail(client->line, "no-host", hint, "cannot reach the host at '%s': %s", client->command_at,
             why);
    return EXIT_NO_HOST;
}

int
cli_ask(cli_client_t *client, slice_t request, uint64_t id, bool long_work, wire_value_t *ret_reply)
{
    const char *why = try_ask(client, request, id, long_work, ret_reply);

    return why ? no_host(client, why) : EXIT_DONE;
}

/* ---- small requests, again while the host is away ---- */

static bool
is_passing(const wire_value_t *error)
{
    static const char *const codes[] = {"starting", "restarting", "stopping", "down", "deadline"};
    slice_t code = cli_text(error, "code");

    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (slice_equal(code, slice_of(codes[i]))) {
            return true;
        }
    }
    return false;
}

static size_t
small_request(cli_client_t *client, uint64_t id, const char *command, const char *const *pairs,
              const char *number_name, uint64_t number)
{
    wire_writer_t w;
    uint32_t texts = 0;

    while (pairs && pairs[texts]) {
        texts++;
    }
    wire_writer_over(&w, client->small, sizeof client->small);
    begin_request(&w, id, command);
    wire_put_map(&w, texts / 2 + (number_name ? 1 : 0));
    for (uint32_t i = 0; i < texts; i++) {
        wire_put_str(&w, slice_of(pairs[i]));
    }
    if (number_name) {
        wire_put_str(&w, slice_of(number_name));
        wire_put_u64(&w, number);
    }
    assert(!w.full);
    return w.size;
}

void
cli_client_until(cli_client_t *client, int64_t ms)
{
    client->until_ms = ms;
}

int
cli_ask_small(cli_client_t *client, const char *command, const char *const *pairs,
              const char *number_name, uint64_t number, wire_value_t *ret_result)
{
    int64_t until = now_ms() + (client->met ? CLI_PATIENCE_MS : 0);
    if (client->until_ms > 0 && client->until_ms < until) {
        until = client->until_ms;
    }

    for (;;) {
        wire_value_t reply, error = {0};
        uint64_t id = client->next_id++;
        size_t size = small_request(client, id, command, pairs, number_name, number);
        slice_t request = {(const char *) client->small, size};
        const char *why = try_ask(client, request, id, false, &reply);
        if (!why && wire_find(&reply, "result", ret_result) && ret_result->kind == WIRE_MAP) {
            return EXIT_DONE;
        }
        bool refused = !why && wire_find(&reply, "error", &error);
        if (now_ms() >= until || (refused && !is_passing(&error))) {
            if (refused) {
                cli_show_error(client->line, &error);
                return EXIT_REFUSED;
            }
            return no_host(client, why ? why : "its reply has neither a result nor an error");
        }
        cli_pause(RETRY_PAUSE_MS);
    }
}

int
cli_hear(cli_client_t *client, int timeout_ms, wire_value_t *ret_event)
{
    if (!client->stream && client->status_at) {
        client->stream = connected(client, ZMQ_SUB, client->status_at, false);
    }
    if (!client->stream) {
        cli_pause((uint32_t) timeout_ms);
        return 0;
    }
    zmq_pollitem_t item = {client->stream, 0, ZMQ_POLLIN, 0};
    if (zmq_poll(&item, 1, timeout_ms) <= 0) {
        return 0;
    }
    do {
        zmq_msg_close(&client->event);
        zmq_msg_init(&client->event);
        if (zmq_msg_recv(&client->event, client->stream, 0) < 0) {
            return 0;
        }
    } while (zmq_msg_more(&client->event));
    return wire_check(zmq_msg_data(&client->event), zmq_msg_size(&client->event), ret_event) ==
               OK &&
           ret_event->kind == WIRE_MAP;
}
