/* czmq.c - the bench's workloads on czmq's zactors: a thread and a pipe for each actor. */
#include <assert.h>
#include <czmq.h>
#include "tools/bench.d/bench.h"

/* ---- W1: main and a zactor that sends each frame back ---- */

static void
echo(zsock_t *pipe, void *argument)
{
    (void) argument;
    zsock_signal(pipe, 0);
    for (;;) {
        zframe_t *frame = zframe_recv(pipe);
        if (frame == NULL || zframe_streq(frame, "$TERM")) {
            zframe_destroy(&frame);
            return;
        }
        zframe_send(&frame, pipe, 0);
    }
}

static uint64_t
run_pair(meter_t *meter, uint64_t count)
{
    uint64_t arrived = 0;
    zactor_t *actor = zactor_new(echo, NULL);
    meter_begin(meter);
    for (uint64_t i = 0; i < count; i++) {
        zframe_t *frame = zframe_new(&i, sizeof i);
        zframe_send(&frame, actor, 0);
        frame = zframe_recv(actor);
        arrived += zframe_size(frame) == sizeof i ? 2 : 0;
        zframe_destroy(&frame);
    }
    meter_end(meter);
    zactor_destroy(&actor);
    return arrived;
}

/* ---- W2: main to a zactor, a frame of 3 ints or of 64 bytes ---- */

static void
send_words(void *to, uint32_t number, size_t bytes)
{
    uint32_t words[16] = {0, number, 1};
    zframe_t *frame = zframe_new(words, bytes);
    zframe_send(&frame, to, 0);
}

static uint64_t
receive_words(zsock_t *from)
{
    uint32_t words[3];
    zframe_t *frame = zframe_recv(from);
    memcpy(words, zframe_data(frame), sizeof words);
    zframe_destroy(&frame);
    return words[2];
}

typedef struct sink {
    uint64_t expected, arrived;
} sink_t;

static void
sink(zsock_t *pipe, void *argument)
{
    sink_t *self = argument;
    zsock_signal(pipe, 0);
    while (self->arrived < self->expected) {
        self->arrived += receive_words(pipe);
    }
    zsock_signal(pipe, 1);
    char *term = zstr_recv(pipe);
    zstr_free(&term);
}

static uint64_t
run_stream(meter_t *meter, size_t bytes, uint64_t count)
{
    sink_t self = {.expected = count};
    zactor_t *actor = zactor_new(sink, &self);
    meter_begin(meter);
    for (uint64_t i = 0; i < count; i++) {
        send_words(actor, (uint32_t) i, bytes);
    }
    zsock_wait(actor);
    meter_end(meter);
    zactor_destroy(&actor);
    return self.arrived;
}

/* ---- W3: 100 zactors push to main's PULL ---- */

static void
push_all(zsock_t *pipe, void *argument)
{
    const uint64_t *count = argument;
    zsock_t *out = zsock_new_push(">inproc://consumer");
    zsock_signal(pipe, 0);
    char *go = zstr_recv(pipe);
    for (uint64_t i = 0; i < *count; i++) {
        send_words(out, (uint32_t) i, 12);
    }
    zstr_free(&go);
    char *term = zstr_recv(pipe);
    zstr_free(&term);
    zsock_destroy(&out);
}

static uint64_t
run_many(meter_t *meter, uint64_t count)
{
    zactor_t *actor[W3_PRODUCERS];
    uint64_t each = count / W3_PRODUCERS, arrived = 0;
    zsock_t *in = zsock_new_pull("@inproc://consumer");
    for (uint32_t i = 0; i < W3_PRODUCERS; i++) {
        actor[i] = zactor_new(push_all, &each);
    }
    meter_begin(meter);
    for (uint32_t i = 0; i < W3_PRODUCERS; i++) {
        zstr_send(actor[i], "go");
    }
    while (arrived < each * W3_PRODUCERS) {
        arrived += receive_words(in);
    }
    meter_end(meter);
    for (uint32_t i = 0; i < W3_PRODUCERS; i++) {
        zactor_destroy(&actor[i]);
    }
    zsock_destroy(&in);
    return arrived;
}

/* ---- W4: a ring of zactors, each with a PULL of its own ---- */

typedef struct seat {
    uint32_t number;
    uint64_t arrived;
} seat_t;

static zsock_t *
seat_socket(const char *how, uint32_t number)
{
    return how[0] == '@' ? zsock_new_pull(zsys_sprintf("@inproc://seat-%u", number))
                         : zsock_new_push(zsys_sprintf(">inproc://seat-%u", number));
}

/* A ball of 0 goes round once more, so that all end. */
static void
sit(zsock_t *pipe, void *argument)
{
    seat_t *self = argument;
    uint64_t left = 1;
    zsock_t *in = seat_socket("@", self->number);
    zsock_t *out = seat_socket(">", (self->number + 1) % W4_SEATS);
    zsock_signal(pipe, 0);
    while (left > 0) {
        zsock_recv(in, "8", &left);
        self->arrived += left > 0;
        left -= left > 0;
        zsock_send(out, "8", left);
    }
    zsock_destroy(&out);
    zsock_signal(pipe, 1);
    char *term = zstr_recv(pipe);
    zstr_free(&term);
    zsock_destroy(&in);
}

static uint64_t
run_ring(meter_t *meter, uint64_t hops)
{
    static seat_t seat[W4_SEATS];
    static zactor_t *actor[W4_SEATS];
    uint64_t left = hops, arrived = 0;
    zsock_t *in = seat_socket("@", 0);
    zsock_t *out = seat_socket(">", 1);
    for (uint32_t i = 1; i < W4_SEATS; i++) {
        seat[i].number = i;
        actor[i] = zactor_new(sit, &seat[i]);
    }
    meter_begin(meter);
    while (left > 0) {
        zsock_send(out, "8", left);
        zsock_recv(in, "8", &left);
        arrived += left > 0;
        left -= left > 0;
    }
    meter_end(meter);
    zsock_send(out, "8", (uint64_t) 0);
    for (uint32_t i = 1; i < W4_SEATS; i++) {
        zsock_wait(actor[i]);
        arrived += seat[i].arrived;
        zactor_destroy(&actor[i]);
    }
    zsock_destroy(&in);
    zsock_destroy(&out);
    return arrived;
}

/* ---- W5: one at a time, for zactor_new and zactor_destroy wait for it ---- */

static void
live(zsock_t *pipe, void *argument)
{
    (void) argument;
    uint32_t first = 0;
    zsock_signal(pipe, 0);
    zsock_recv(pipe, "4", &first);
    zsock_send(pipe, "4", first);
}

static uint64_t
run_spawn(meter_t *meter, uint64_t count)
{
    uint64_t arrived = 0;
    meter_begin(meter);
    for (uint64_t i = 0; i < count; i++) {
        uint32_t first = 0;
        zactor_t *actor = zactor_new(live, NULL);
        zsock_send(actor, "4", (uint32_t) 1);
        zsock_recv(actor, "4", &first);
        arrived += first;
        zactor_destroy(&actor);
    }
    meter_end(meter);
    return arrived;
}

/* ---- W6: main asks 1,000 zactors through their pipes ---- */

static uint64_t
run_gather(meter_t *meter, uint64_t count)
{
    static zactor_t *actor[W6_ASKED];
    uint64_t arrived = 0;
    for (uint32_t i = 0; i < W6_ASKED; i++) {
        actor[i] = zactor_new(echo, NULL);
    }
    meter_begin(meter);
    for (uint64_t round = 0; round < count; round++) {
        for (uint32_t i = 0; i < W6_ASKED; i++) {
            zframe_t *frame = zframe_new(&round, sizeof round);
            zframe_send(&frame, actor[i], 0);
        }
        for (uint32_t i = 0; i < W6_ASKED; i++) {
            zframe_t *frame = zframe_recv(actor[i]);
            arrived += zframe_size(frame) == sizeof round;
            zframe_destroy(&frame);
        }
    }
    meter_end(meter);
    for (uint32_t i = 0; i < W6_ASKED; i++) {
        zactor_destroy(&actor[i]);
    }
    return arrived;
}

int
main(int argc, char **argv)
{
    meter_t meter;
    uint64_t arrived;
    if (argc != 4) {
        return bench_usage(argv[0]);
    }
    zsys_set_max_sockets(0);   /* as many as ZeroMQ allows */
    zsys_file_stable(argv[0]); /* makes the context before any thread wants it */
    uint64_t count = strtoull(argv[3], NULL, 10);
    count -= strcmp(argv[1], "W3") == 0 ? count % W3_PRODUCERS : 0; /* each sends as many */
    if (strcmp(argv[1], "W1") == 0) {
        arrived = run_pair(&meter, count);
    } else if (strcmp(argv[1], "W2") == 0) {
        arrived = run_stream(&meter, bench_has(argv[2], "64B") ? 64 : 12, count);
    } else if (strcmp(argv[1], "W3") == 0) {
        arrived = run_many(&meter, count);
    } else if (strcmp(argv[1], "W4") == 0) {
        arrived = run_ring(&meter, count);
    } else if (strcmp(argv[1], "W5") == 0) {
        arrived = run_spawn(&meter, count);
    } else if (strcmp(argv[1], "W6") == 0) {
        arrived = run_gather(&meter, count);
    } else {
        return bench_unknown(argv[1], argv[2]);
    }
    meter_print(&meter, count, arrived, "");
    return EXIT_SUCCESS;
}
