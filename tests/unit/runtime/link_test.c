/* link_test.c - command links and status links, spoken to by real ZeroMQ clients; mailboxes. */
#include "tests/unit/runtime/cast.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include "runtime/inside.h"
#include "runtime/mailbox.h"

#define RECEIVE_MS 20000

static char endpoint[64];
static void *context;

static size_t
refuse(slice_t request, err_t err, uint8_t *ret_frame, size_t size)
{
    return (size_t) snprintf((char *) ret_frame, size, "refused %.*s %s",
                             (int) (request.size < 16 ? request.size : 16), request.data,
                             err_word(err));
}

static actor_next_t
echo(actor_ctx_t *ctx, part_t *self, const link_request_t *m)
{
    slice_t body = record_slice(m, m->body);
    link_reply_t *reply = DRAFT(ctx, link_reply);

    claim(ctx, self->who == A);
    reply->body = actor_text(ctx, body);
    atomic_fetch_add(&heard, 1);
    return REPLY(ctx, link_reply, reply) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
}

static host_t *
start_commands(void)
{
    hook[A].request = echo;
    host_t *host = cast_new(NULL);
    snprintf(endpoint, sizeof endpoint, "ipc:///tmp/link-test-%d", (int) getpid());
    cr_assert_eq(host_add_command_link(host, "commands", endpoint, "a", 0600, refuse), OK);
    err_t err = host_start(host);
    cr_assert_eq(err, OK, "%s", host_why(host));
    cr_assert(host_wait_ready(host, WAIT_S * 1000));
    context = zmq_ctx_new();
    return host;
}

static void *
client(int kind)
{
    void *socket = zmq_socket(context, kind);
    int wait_ms = RECEIVE_MS, none = 0;

    zmq_setsockopt(socket, ZMQ_RCVTIMEO, &wait_ms, sizeof wait_ms);
    zmq_setsockopt(socket, ZMQ_LINGER, &none, sizeof none);
    zmq_setsockopt(socket, ZMQ_SNDHWM, &none, sizeof none);
    zmq_setsockopt(socket, ZMQ_RCVHWM, &none, sizeof none);
    cr_assert_eq(zmq_connect(socket, endpoint), 0);
    return socket;
}

static void
end_commands(host_t *host)
{
    zmq_ctx_term(context);
    cast_end(host);
}

static void
expect_frame(void *socket, const char *text, int more)
{
    char got[256] = "";
    int size = zmq_recv(socket, got, sizeof got - 1, 0), has_more = 0;
    size_t option = sizeof has_more;

    cr_assert_geq(size, 0, "expected '%s', nothing came", text);
    cr_assert_str_eq(got, text);
    zmq_getsockopt(socket, ZMQ_RCVMORE, &has_more, &option);
    cr_assert_eq(has_more, more, "after '%s'", text);
}

Test(link, a_frame_is_answered_with_and_without_a_delimiter)
{
    host_t *host = start_commands();
    void *dealer = client(ZMQ_DEALER), *req = client(ZMQ_REQ);

    zmq_send(dealer, "plain", 5, 0);
    expect_frame(dealer, "plain", 0);
    zmq_send(dealer, "", 0, ZMQ_SNDMORE);
    zmq_send(dealer, "delimited", 9, 0);
    expect_frame(dealer, "", 1);
    expect_frame(dealer, "delimited", 0);
    zmq_send(req, "asked", 5, 0);
    expect_frame(req, "asked", 0);
    zmq_close(dealer);
    zmq_close(req);
    end_commands(host);
}

Test(link, a_message_of_more_frames_is_refused_and_the_next_one_served)
{
    host_t *host = start_commands();
    void *dealer = client(ZMQ_DEALER);

    zmq_send(dealer, "one", 3, ZMQ_SNDMORE);
    zmq_send(dealer, "two", 3, 0);
    expect_frame(dealer, "refused  bad-request", 0);
    zmq_send(dealer, "", 0, ZMQ_SNDMORE);
    zmq_send(dealer, "two", 3, ZMQ_SNDMORE);
    zmq_send(dealer, "three", 5, 0);
    expect_frame(dealer, "", 1);
    expect_frame(dealer, "refused  bad-request", 0);
    zmq_send(dealer, "four", 4, 0);
    expect_frame(dealer, "four", 0);
    cr_assert_eq(heard, 1);
    zmq_close(dealer);
    end_commands(host);
}

Test(link, a_body_over_the_limit_is_refused)
{
    host_t *host = start_commands();
    void *dealer = client(ZMQ_DEALER);
    char *large = calloc(1, COMMAND_BYTES_MAX + 1);

    cr_assert_not_null(large);
    zmq_send(dealer, large, COMMAND_BYTES_MAX + 1, 0);
    expect_frame(dealer, "refused  too-large", 0);
    cr_assert_eq(heard, 0);
    free(large);
    zmq_close(dealer);
    end_commands(host);
}

#define MANY 5000u

Test(link, a_full_lane_stops_the_link_from_reading_and_nothing_is_dropped)
{
    part_class[A].lane_messages_max = 4;
    host_t *host = start_commands();
    void *dealer = client(ZMQ_DEALER);

    for (uint32_t i = 0; i < MANY; i++) {
        char text[16];
        int size = snprintf(text, sizeof text, "%u", i);
        cr_assert_eq(zmq_send(dealer, text, (size_t) size, 0), size);
    }
    for (uint32_t i = 0; i < MANY; i++) {
        char text[16];
        snprintf(text, sizeof text, "%u", i);
        expect_frame(dealer, text, 0);
    }
    cr_assert_eq(heard, MANY);
    zmq_close(dealer);
    end_commands(host);
}

Test(link, a_peer_that_left_harms_nobody)
{
    host_t *host = start_commands();

    for (int i = 0; i < 20; i++) {
        void *gone = client(ZMQ_DEALER);
        for (int m = 0; m < 50; m++) {
            zmq_send(gone, "bye", 3, 0);
        }
        zmq_close(gone);
    }
    void *dealer = client(ZMQ_DEALER);
    zmq_send(dealer, "still here", 10, 0);
    expect_frame(dealer, "still here", 0);
    zmq_close(dealer);
    end_commands(host);
}

Test(link, its_socket_is_its_owners_alone)
{
    struct stat found;
    host_t *host = start_commands();

    cr_assert_eq(stat(endpoint + strlen("ipc://"), &found), 0);
    cr_assert_eq(found.st_mode & 0777, 0600, "mode %o", found.st_mode & 0777);
    end_commands(host);
}

Test(link, a_path_that_is_too_long_is_refused_by_the_start)
{
    char path[300] = "ipc:///tmp/";
    host_t *host = cast_new(NULL);

    memset(path + strlen(path), 'x', sizeof path - strlen(path) - 1);
    cr_assert_eq(host_add_command_link(host, "commands", path, "a", 0600, refuse), OK);
    err_t err = host_start(host);
    cr_assert_eq(err, ERR_NAME_TOO_LONG, "got %s", err_word(err));
    host_destroy(&host);
}

/* ---- status ---- */

static actor_next_t
publish(actor_ctx_t *ctx, part_t *self, uint64_t key)
{
    link_publish_t *m = DRAFT(ctx, link_publish);

    m->topic = actor_text(ctx, slice_of("news"));
    m->body = actor_text(ctx, slice_of("it works"));
    claim(ctx, self->who == C && actor_tell_role(ctx, EDGE_PUBLISH, m) == VERDICT_OK);
    return actor_timer(ctx, key, 10) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
}

static actor_next_t
publish_later(actor_ctx_t *ctx, part_t *self)
{
    claim(ctx, self->who == C && actor_timer(ctx, 1, 10) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

Test(link, a_status_link_tells_its_subscribers)
{
    part_class[C].edge_count = 7;
    hook[C] = (hooks_t){.init = publish_later, .timer = publish};
    host_t *host = cast_new(NULL);
    snprintf(endpoint, sizeof endpoint, "ipc:///tmp/link-test-%d", (int) getpid());
    cr_assert_eq(host_add_status_link(host, "status", endpoint, 0600), OK);
    cr_assert_eq(host_start(host), OK, "%s", host_why(host));
    context = zmq_ctx_new();
    void *sub = client(ZMQ_SUB);
    zmq_setsockopt(sub, ZMQ_SUBSCRIBE, "news", 4);
    expect_frame(sub, "news", 1);
    expect_frame(sub, "it works", 0);
    zmq_close(sub);
    end_commands(host);
}

/* ---- mailboxes ---- */

/* Some are too large for a chunk. */
static envelope_t *
letter(uint64_t number)
{
    static const char record[CHUNK_BYTES] = "";
    uint32_t size = number % 16 == 7 ? CHUNK_BYTES : 1;
    envelope_t *envelope =
        envelope_new(ENV_TELL, (actor_ref_t){1, 1}, (actor_ref_t){2, 1}, NULL, record, size);
    envelope->number = number;
    return envelope;
}

static void
count_in_order(void *got, chunk_t *take_chunk)
{
    uint64_t *next = got;
    while (!chunk_is_empty(take_chunk)) {
        cr_assert_eq(chunk_next(take_chunk)->number, *next);
        (*next)++;
    }
    envelope_t *large = chunk_take_large(take_chunk);
    if (large) {
        cr_assert_eq(large->number, *next);
        cr_assert_eq(large->size, CHUNK_BYTES);
        (*next)++;
    }
    envelope_free(large);
    chunk_free(take_chunk);
}

Test(mailbox, envelopes_cross_an_inproc_socket_once_and_in_order)
{
    mail_t *mail = mail_new(2);
    mailbox_t *mailbox = mailbox_open(mail, 1);
    outlet_t *outlet = outlet_new(mail);
    uint64_t got = 0;

    for (uint64_t i = 0; i < MANY; i++) {
        outlet_send(outlet, 1, letter(i));
    }
    outlet_flush(outlet);
    cr_assert_neq(atomic_load(mailbox_bell(mailbox)), mailbox_heard(mailbox));
    cr_assert(mailbox_empty(mailbox, count_in_order, &got));
    cr_assert_eq(got, MANY);
    cr_assert_eq(atomic_load(mailbox_bell(mailbox)), mailbox_heard(mailbox));
    cr_assert(!mailbox_empty(mailbox, count_in_order, &got), "everything came once");
    cr_assert_eq(mail_sockets(mail), 2);
    outlet_destroy(&outlet);
    mailbox_close(&mailbox);
    mail_end(&mail);
}

/* What nobody has received is freed with the mail; a leak fails the run. */
Test(mailbox, envelopes_that_nobody_receives_are_freed)
{
    mail_t *mail = mail_new(2);
    mailbox_t *mailbox = mailbox_open(mail, 1);
    outlet_t *outlet = outlet_new(mail);

    for (uint64_t i = 0; i < MANY; i++) {
        outlet_send(outlet, 1, letter(i));
    }
    outlet_destroy(&outlet);
    mailbox_close(&mailbox);
    mail_end(&mail);
}

static actor_next_t
never_answer(actor_ctx_t *ctx, part_t *self, const link_request_t *m)
{
    claim(ctx, self->who == A && m != NULL);
    request_t request = actor_defer(ctx, "the outside");
    claim(ctx, request.ask != 0);
    sem_post(&done);
    return ACTOR_CONTINUE;
}

Test(link, who_waits_when_the_host_stops_is_told_that_it_stops, .timeout = 60)
{
    host_t *host = start_commands();
    hook[A].request = never_answer;
    void *socket = client(ZMQ_DEALER);

    zmq_send(socket, "hello", 5, 0);
    wait_done();
    host_request_stop(host);
    host_wait_stop(host);
    char left[256] = "";
    cr_expect(host_stop(host, 5000, left, sizeof left), "left: %s", left);
    expect_frame(socket, "refused hello stopping", 0);
    zmq_close(socket);
    zmq_ctx_term(context);
    host_destroy(&host);
}
