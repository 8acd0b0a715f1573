/* takeover_link.c - a link whose program's refuse does not return is taken over like any other
 * actor: its socket is another thread's, nobody reads it meanwhile, and no client loses an answer.
 *
 *   takeover_link [all]     TAP on stdout; all: also one that never returns, whose host is left */
#include <sched.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include "runtime/host.h"
#include "runtime/notes.h"
#include "tests/tsan/tap.h"

#define TAKEOVER 100u /* milliseconds, here */

/* The sanitizer does not see what libzmq's threads agree on, so what they read is not looked at. */
const char *__tsan_default_options(void);
const char *
__tsan_default_options(void)
{
    return "ignore_noninstrumented_modules=1";
}

static sem_t stuck;
static int pipe_of[2];
static char endpoint[64];

/* Does not return for `stick` until the test writes to the pipe, but when the link starts again. */
static size_t
refuse(slice_t request, err_t err, uint8_t *ret_frame, size_t size)
{
    char byte = 0;

    if (err == ERR_NOT_FOUND && request.size == 5 && memcmp(request.data, "stick", 5) == 0) {
        sem_post(&stuck);
        while (read(pipe_of[0], &byte, 1) != 1) {
        }
    }
    int used = snprintf((char *) ret_frame, size, "%.*s: %s", (int) request.size, request.data,
                        err_word(err));
    return (size_t) used;
}

HANDLE(void, link_request)
{
    slice_t body = record_slice(m, m->body);

    if (memcmp(body.data, "stick", 5) == 0) {
        actor_refuse(ctx, ERR_NOT_FOUND);
        return ACTOR_CONTINUE;
    }
    link_reply_t *reply = DRAFT(ctx, link_reply);
    reply->body = actor_text(ctx, body);
    claim(ctx, self == NULL || REPLY(ctx, link_reply, reply) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
static const actor_class_t desk_class = {
    .name = "desk", .role = true, ACTOR_HEARS(ON(link_request))};

static host_t *
start(void)
{
    static const actor_class_t *const classes[] = {&desk_class, NULL};
    static const host_options_t options = {
        .classes = classes, .root = &desk_class, .takeover_ms = TAKEOVER};

    need(sem_init(&stuck, 0, 0) == 0 && pipe(pipe_of) == 0, "a semaphore and a pipe");
    host_t *host = host_new(&options);
    snprintf(endpoint, sizeof endpoint, "ipc:///tmp/takeover-link-%d", (int) getpid());
    need(host_add_command_link(host, "commands", endpoint, "desk", 0600, refuse) == OK, "a link");
    need(host_start(host) == OK && host_wait_ready(host, WAIT_S * 1000), "the host to start");
    return host;
}

static void
ask(void *client, const char *text)
{
    need(zmq_send(client, text, strlen(text), 0) >= 0, "the client sends");
}

static const char *
answer(void *client)
{
    static char text[64];
    int size = zmq_recv(client, text, sizeof text - 1, 0);

    text[size < 0 ? 0 : size] = '\0';
    return text;
}

static void *
new_client(void *context)
{
    void *client = zmq_socket(context, ZMQ_DEALER);
    int wait_ms = WAIT_S * 1000, none = 0;

    zmq_setsockopt(client, ZMQ_RCVTIMEO, &wait_ms, sizeof wait_ms);
    zmq_setsockopt(client, ZMQ_LINGER, &none, sizeof none);
    need(zmq_connect(client, endpoint) == 0, "the client connects");
    return client;
}

/* The handler blocks, and its worker has another thread. */
static void
until_taken_over(host_t *host, void *client)
{
    host_figures_t before, now;
    time_t until = time(NULL) + WAIT_S;

    host_figures(host, &before);
    ask(client, "stick");
    wait_for(&stuck, "the link does not return");
    do {
        sched_yield();
        host_figures(host, &now);
    } while (now.threads == before.threads && time(NULL) < until);
    claim_that(now.threads == before.threads + 1, "a link that does not return is taken over",
               "no further thread");
}

static void
one_that_returns(void *context)
{
    char left[256] = "";
    host_t *host = start();
    void *client = new_client(context);

    until_taken_over(host, client);
    ask(client, "later");
    need(write(pipe_of[1], "x", 1) == 1, "the pipe takes a byte");
    char one[64], said[256];
    const char *other;
    snprintf(one, sizeof one, "%s", answer(client));
    other = answer(client);
    snprintf(said, sizeof said, "'%s', '%s'", one, other);
    /* The link may be read before it starts again, and after. */
    bool late_first = strncmp(one, "later", 5) == 0;
    claim_that(strcmp(late_first ? other : one, "stick: restarting") == 0,
               "what it would have said is not said, and the link starts again", said);
    claim_that(strncmp(late_first ? one : other, "later", 5) == 0,
               "who asked meanwhile has an answer", said);
    ask(client, "again");
    other = answer(client);
    claim_that(strcmp(other, "again") == 0, "each has one, and the link goes on", other);
    zmq_close(client);
    claim_that(host_stop(host, WAIT_S * 1000, left, sizeof left), "the host ends in order", left);
    host_destroy(&host);
}

static void
one_that_never_returns(void *context)
{
    char left[256] = "";
    host_t *host = start();
    void *client = new_client(context);

    until_taken_over(host, client);
    bool ended = host_stop(host, 3000, left, sizeof left);
    claim_that(!ended && strstr(left, "thread commands, left by commands in not-found") != NULL,
               "a link that never returns is named at the stop, with its message", left);
    zmq_close(client);
    host_destroy(&host);
    unlink(endpoint + strlen("ipc://"));
}

int
main(int argc, char **argv)
{
    bool all = argc > 1 && strcmp(argv[1], "all") == 0;
    void *context = zmq_ctx_new();

    one_that_returns(context);
    if (all) {
        one_that_never_returns(context);
    }
    int code = claims_end();
    zmq_ctx_term(context);
    if (all) { /* a thread of the host that was left is still there */
        _exit(code);
    }
    return code;
}
