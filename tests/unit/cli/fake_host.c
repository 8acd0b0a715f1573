/* fake_host.c - see fake_host.h. */
#include "tests/unit/cli/fake_host.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

#include "tools/cli.h"

#define LIFE_MS 20000 /* of a host that nobody ends */

void
fake_put_event(wire_writer_t *w, uint64_t seq)
{
    wire_put_map(w, 2);
    wire_put_str(w, slice_of("seq"));
    wire_put_u64(w, seq);
    wire_put_str(w, slice_of("text"));
    wire_put_str(w, slice_of("something"));
}

static int64_t
now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
publish(fake_host_t *host)
{
    for (unsigned i = 0; host->publish[i]; i++) {
        uint8_t memory[256];
        wire_writer_t w;
        wire_writer_over(&w, memory, sizeof memory);
        fake_put_event(&w, host->publish[i]);
        zmq_send(host->stream, "status", 6, ZMQ_SNDMORE);
        zmq_send(host->stream, memory, w.size, 0);
        host->publish[i] = 0;
    }
}

static void
send_reply(fake_host_t *host, zmq_msg_t *who, const wire_value_t *id, bool ok, slice_t body)
{
    uint8_t memory[8192];
    wire_writer_t w;

    wire_writer_over(&w, memory, sizeof memory);
    wire_put_map(&w, 4);
    wire_put_str(&w, slice_of("v"));
    wire_put_u64(&w, 1);
    wire_put_str(&w, slice_of("id"));
    if (id) {
        wire_put_raw(&w, (slice_t){(const char *) id->from, (size_t) (id->after - id->from)});
    } else {
        wire_put_u64(&w, 999999);
    }
    wire_put_str(&w, slice_of("ok"));
    wire_put_bool(&w, ok);
    wire_put_str(&w, slice_of(ok ? "result" : "error"));
    wire_put_raw(&w, body);
    assert(!w.full);
    zmq_send(host->commands, zmq_msg_data(who), zmq_msg_size(who), ZMQ_SNDMORE);
    zmq_send(host->commands, memory, w.size, 0);
}

static void
reply(fake_host_t *host, zmq_msg_t *who, const wire_value_t *request)
{
    uint8_t memory[4096];
    wire_writer_t body;
    wire_value_t id, args;
    slice_t command = cli_text(request, "cmd");
    bool is_ping = wire_find(request, "id", &id) && slice_equal(command, slice_of("ping"));

    wire_writer_over(&body, memory, sizeof memory);
    host->pings += is_ping;
    host->requests += !is_ping;
    fake_answer_t answer = FAKE_SILENT;
    if (is_ping && !host->ignores_pings) {
        wire_put_map(&body, (host->held ? 1u : 0u) + (host->tells_age ? 2u : 0u));
        if (host->tells_age) {
            wire_put_str(&body, slice_of("ready"));
            wire_put_bool(&body, true);
            wire_put_str(&body, slice_of("up_ms"));
            wire_put_u64(&body, host->begins_anew ? 0 : (uint64_t) (now_ms() - host->began_ms));
        }
        if (host->held) {
            wire_put_str(&body, slice_of("held"));
            wire_put_str(&body, slice_of(host->held));
        }
        answer = FAKE_RESULT;
    } else if (!is_ping && wire_find(request, "args", &args)) {
        answer = host->answer(host, command, &args, &body);
    }
    slice_t bytes = {(const char *) memory, body.size};
    if (answer != FAKE_SILENT && host->answers_twice && !is_ping) {
        send_reply(host, who, NULL, true, (slice_t){"\x80", 1});
    }
    if (answer != FAKE_SILENT) {
        send_reply(host, who, &id, answer == FAKE_RESULT, bytes);
    }
    publish(host);
}

/* A request that is to be answered late waits for its pings, which are answered meanwhile. They
 * come by another connection: the first may have come before it. */
static void
take(fake_host_t *host, zmq_msg_t *who, zmq_msg_t *body)
{
    wire_value_t request;

    if (wire_check(zmq_msg_data(body), zmq_msg_size(body), &request) != OK) {
        return;
    }
    bool is_ping = slice_equal(cli_text(&request, "cmd"), slice_of("ping"));
    host->heard += !is_ping;
    if (!is_ping && host->loses > 0) {
        host->loses--;
        return;
    }
    if (!is_ping && host->late_pings > 0) {
        zmq_msg_copy(&host->late_who, who);
        zmq_msg_copy(&host->late_body, body);
        host->waits = true;
    } else {
        reply(host, who, &request);
    }
    if (host->waits && host->pings >= host->late_pings) {
        host->waits = false;
        err_t err =
            wire_check(zmq_msg_data(&host->late_body), zmq_msg_size(&host->late_body), &request);
        assert(err == OK);
        reply(host, &host->late_who, &request);
    }
}

static void *
serve(void *at)
{
    fake_host_t *host = at;

    for (int lived = 0; lived < LIFE_MS && !atomic_load(&host->ends); lived += 10) {
        zmq_pollitem_t item = {host->commands, 0, ZMQ_POLLIN, 0};
        if (zmq_poll(&item, 1, 10) <= 0) {
            continue;
        }
        zmq_msg_t who, body;
        zmq_msg_init(&who);
        zmq_msg_init(&body);
        zmq_msg_recv(&who, host->commands, 0);
        zmq_msg_recv(&body, host->commands, 0);
        take(host, &who, &body);
        zmq_msg_close(&who);
        zmq_msg_close(&body);
    }
    return NULL;
}

void
fake_host_begin(fake_host_t *host)
{
    char status[64];
    int none = 0;

    if (!host->directory[0]) {
        snprintf(host->directory, sizeof host->directory, "fake-host-XXXXXX");
        char *made = mkdtemp(host->directory);
        assert(made);
    }
    snprintf(host->endpoint, sizeof host->endpoint, "ipc://%s/command.ipc", host->directory);
    snprintf(status, sizeof status, "ipc://%s/status.ipc", host->directory);
    zmq_msg_init(&host->late_who);
    zmq_msg_init(&host->late_body);
    host->began_ms = now_ms();
    host->context = zmq_ctx_new();
    host->commands = zmq_socket(host->context, ZMQ_ROUTER);
    host->stream = zmq_socket(host->context, ZMQ_PUB);
    zmq_setsockopt(host->commands, ZMQ_LINGER, &none, sizeof none);
    zmq_setsockopt(host->stream, ZMQ_LINGER, &none, sizeof none);
    int bound = zmq_bind(host->commands, host->endpoint) | zmq_bind(host->stream, status);
    assert(bound == 0);
    int started = pthread_create(&host->thread, NULL, serve, host);
    assert(started == 0);
}

void
fake_host_end(fake_host_t *host)
{
    char path[64];

    atomic_store(&host->ends, true);
    pthread_join(host->thread, NULL);
    zmq_msg_close(&host->late_who);
    zmq_msg_close(&host->late_body);
    zmq_close(host->commands);
    zmq_close(host->stream);
    zmq_ctx_term(host->context);
    snprintf(path, sizeof path, "%s/command.ipc", host->directory);
    unlink(path);
    snprintf(path, sizeof path, "%s/status.ipc", host->directory);
    unlink(path);
    rmdir(host->directory);
}
