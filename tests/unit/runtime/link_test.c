/* link_test.c - claims about links: a real socket outside, an actor inside. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include "tests/unit/runtime/cast.h"

#define WAIT_MS 10000

typedef struct outside {
    char directory[64], endpoint[96], stream[96];
    void *context, *socket;
    host_t *host;
} outside_t;

static size_t
refuse(slice_t request, err_t err, uint8_t *ret_frame, size_t size)
{
    int wrote = snprintf((char *) ret_frame, size, "no: %s (%zu)", err_word(err), request.size);
    return (size_t) wrote < size ? (size_t) wrote : size;
}

/* ---- inside: a teller that publishes what its timer says ---- */

static actor_next_t
teller_timer(actor_ctx_t *ctx, void *self, uint64_t key)
{
    claim(ctx, self != NULL);
    link_publish_t *m = DRAFT(ctx, link_publish);
    m->topic = actor_text(ctx, slice_of("weather"));
    m->body = actor_text(ctx, slice_of("rain"));
    claim(ctx, actor_tell_role(ctx, 0, m) == VERDICT_OK);
    return actor_timer(ctx, key, 10) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
}

static bool with_worker;

static actor_next_t
teller_init(actor_ctx_t *ctx, void *self, const void *args)
{
    claim(ctx, self != NULL && args == NULL);
    if (with_worker) {
        cast_spawn(ctx, &cast_worker);
    }
    return actor_timer(ctx, 1, 10) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
}
static const actor_edge_t teller_edges[] = {{EDGE_TELL, "stream", &link_publish_type}};
static const actor_class_t teller_class = {.name = "teller",
                                           .state_bytes = 8,
                                           .init = teller_init,
                                           .on_timer = teller_timer,
                                           .edges = teller_edges,
                                           .edge_count = 1,
                                           .role = true};

static void
open_outside(outside_t *o, bool worker)
{
    static const actor_class_t *const classes[] = {&teller_class, &cast_worker, NULL};
    static const host_options_t options = {.classes = classes, .root = &teller_class};
    int wait = WAIT_MS;
    *o = (outside_t){.directory = "/tmp/link-test-XXXXXX"};
    cr_assert_not_null(mkdtemp(o->directory));
    snprintf(o->endpoint, sizeof o->endpoint, "ipc://%s/command.ipc", o->directory);
    snprintf(o->stream, sizeof o->stream, "ipc://%s/stream.ipc", o->directory);
    with_worker = worker;
    o->host = host_new(&options);
    cr_assert_eq(host_add_command_link(o->host, "door", o->endpoint, "worker", 0600, refuse), OK);
    cr_assert_eq(host_add_status_link(o->host, "stream", o->stream, 0600), OK);
    cr_assert_eq(host_start(o->host), OK, "%s", host_why(o->host));
    cr_assert(host_wait_ready(o->host, WAIT_MS));
    o->context = zmq_ctx_new();
    o->socket = zmq_socket(o->context, ZMQ_DEALER);
    zmq_setsockopt(o->socket, ZMQ_RCVTIMEO, &wait, sizeof wait);
    cr_assert_eq(zmq_connect(o->socket, o->endpoint), 0);
}

static void
close_outside(outside_t *o)
{
    char left[256] = "";
    int none = 0;
    zmq_setsockopt(o->socket, ZMQ_LINGER, &none, sizeof none);
    zmq_close(o->socket);
    zmq_ctx_term(o->context);
    cr_expect(host_stop(o->host, 5000, left, sizeof left), "expected nothing left, got: %s", left);
    host_destroy(&o->host);
    unlink(o->endpoint + 6);
    unlink(o->stream + 6);
    rmdir(o->directory);
}

static void
expect_frame(const outside_t *o, const char *expected)
{
    char frame[256] = "";
    int size = zmq_recv(o->socket, frame, sizeof frame - 1, 0);
    cr_assert(size >= 0, "expected '%s', got nothing: %s", expected, zmq_strerror(errno));
    frame[size < 255 ? size : 255] = '\0';
    cr_expect_str_eq(frame, expected);
}

Test(links, a_frame_is_answered_by_its_role_with_or_without_a_delimiter, .timeout = 60)
{
    outside_t o;
    open_outside(&o, true);
    zmq_send(o.socket, "one", 3, 0);
    expect_frame(&o, "one");
    zmq_send(o.socket, "", 0, ZMQ_SNDMORE);
    zmq_send(o.socket, "two", 3, 0);
    expect_frame(&o, "");
    expect_frame(&o, "two");
    close_outside(&o);
}

Test(links, a_thousand_frames_at_once_are_all_answered, .timeout = 60)
{
    outside_t o;
    char frame[64];
    uint32_t heard = 0;
    open_outside(&o, true);
    for (uint32_t i = 0; i < 3000; i++) {
        snprintf(frame, sizeof frame, "frame %u", i);
        zmq_send(o.socket, frame, strlen(frame), 0);
    }
    while (heard < 3000 && zmq_recv(o.socket, frame, sizeof frame, 0) > 0) {
        heard++;
    }
    cr_expect_eq(heard, 3000, "expected 3000 answers, got %u", heard);
    close_outside(&o);
}

Test(links, frames_too_many_or_too_large_are_refused_and_the_next_is_served, .timeout = 60)
{
    outside_t o;
    char *large = calloc(1, COMMAND_BYTES_MAX + 1);
    cr_assert_not_null(large);
    open_outside(&o, true);
    zmq_send(o.socket, "a", 1, ZMQ_SNDMORE);
    zmq_send(o.socket, "b", 1, 0);
    expect_frame(&o, "no: bad-request (0)");
    zmq_send(o.socket, large, COMMAND_BYTES_MAX + 1, 0);
    expect_frame(&o, "no: too-large (0)");
    zmq_send(o.socket, "next", 4, 0);
    expect_frame(&o, "next");
    close_outside(&o);
    free(large);
}

Test(links, a_request_to_a_role_that_is_not_there_is_refused, .timeout = 60)
{
    outside_t o;
    open_outside(&o, false);
    zmq_send(o.socket, "hello", 5, 0);
    expect_frame(&o, "no: down (5)");
    close_outside(&o);
}

Test(links, the_sockets_are_the_owners_alone, .timeout = 60)
{
    outside_t o;
    struct stat found;
    open_outside(&o, true);
    cr_assert_eq(stat(o.endpoint + 6, &found), 0);
    cr_expect_eq(found.st_mode & 0777, 0600, "expected mode 0600, got %o", found.st_mode & 0777);
    cr_assert_eq(stat(o.stream + 6, &found), 0);
    cr_expect_eq(found.st_mode & 0777, 0600, "expected mode 0600, got %o", found.st_mode & 0777);
    close_outside(&o);
}

Test(links, what_is_published_reaches_a_subscriber_of_its_topic, .timeout = 60)
{
    outside_t o;
    char text[16] = "";
    int wait = WAIT_MS;
    open_outside(&o, true);
    void *heard = zmq_socket(o.context, ZMQ_SUB);
    zmq_setsockopt(heard, ZMQ_RCVTIMEO, &wait, sizeof wait);
    zmq_setsockopt(heard, ZMQ_SUBSCRIBE, "weather", 7);
    cr_assert_eq(zmq_connect(heard, o.stream), 0);
    cr_expect_eq(zmq_recv(heard, text, sizeof text, 0), 7);
    cr_expect_eq(memcmp(text, "weather", 7), 0);
    cr_expect_eq(zmq_recv(heard, text, sizeof text, 0), 4);
    cr_expect_eq(memcmp(text, "rain", 4), 0);
    zmq_close(heard);
    close_outside(&o);
}

Test(links, an_endpoint_that_is_too_long_is_named_as_that)
{
    static const actor_class_t *const classes[] = {&cast_worker, NULL};
    static const host_options_t options = {.classes = classes, .root = &cast_worker};
    char endpoint[256];
    snprintf(endpoint, sizeof endpoint, "ipc:///tmp/%0150d", 0);
    host_t *host = host_new(&options);
    cr_assert_eq(host_add_command_link(host, "door", endpoint, "worker", 0600, refuse), OK);
    cr_expect_eq(host_start(host), ERR_NAME_TOO_LONG);
    cr_expect(strstr(host_why(host), "door") != NULL, "expected its name, got: %s", host_why(host));
    host_destroy(&host);
}
