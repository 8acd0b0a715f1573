/* libzmq.c - the bench's workloads on raw inproc ZeroMQ sockets: a thread each, blocking.
 *
 * Variant: `pushpull` or `pair` (where two only speak to each other), with `3ints` or `64B` of W2.
 */
#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <zmq.h>
#include "tools/bench.d/bench.h"

static void *context;

static void *
open_socket(int type, const char *address, bool bind)
{
    void *socket = zmq_socket(context, type);
    assert(socket != NULL && "a socket");
    int failed = bind ? zmq_bind(socket, address) : zmq_connect(socket, address);
    assert(failed == 0 && "an address of our own");
    (void) failed;
    return socket;
}

static void *
open_numbered(int type, const char *what, uint32_t number, bool bind)
{
    char address[64];
    snprintf(address, sizeof address, "inproc://%s-%u", what, number);
    return open_socket(type, address, bind);
}

static void
put(void *socket, const void *data, size_t size)
{
    int sent = zmq_send(socket, data, size, 0);
    assert(sent == (int) size && "a blocking send");
    (void) sent;
}

static void
get(void *socket, void *data, size_t size)
{
    int received = zmq_recv(socket, data, size, 0);
    assert(received == (int) size && "a blocking receive");
    (void) received;
}

/* A small stack, so that a thousand threads are no question of memory. */
static pthread_t
start(void *(*run)(void *), void *argument)
{
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 128 * 1024);
    int failed = pthread_create(&thread, &attributes, run, argument);
    assert(failed == 0 && "a thread");
    (void) failed;
    pthread_attr_destroy(&attributes);
    return thread;
}

/* ---- W1 and W4: a ring of threads; of two seats with PAIR one socket each is enough ---- */

typedef struct seat {
    void *in, *out;
    pthread_t thread;
    uint64_t arrived;
} seat_t;

/* A ball of 0 goes round once more, so that all end. */
static void *
sit(void *argument)
{
    seat_t *seat = argument;
    uint64_t left;
    do {
        get(seat->in, &left, sizeof left);
        seat->arrived += left > 0;
        left -= left > 0;
        put(seat->out, &left, sizeof left);
    } while (left > 0);
    return NULL;
}

static uint64_t
run_ring(meter_t *meter, uint32_t seats, bool pair, uint64_t hops)
{
    static seat_t seat[W4_SEATS];
    uint64_t arrived = 0;
    for (uint32_t i = 0; i < seats; i++) {
        seat[i].in = open_numbered(pair ? ZMQ_PAIR : ZMQ_PULL, "seat", i, !pair || i == 0);
    }
    if (pair) {
        zmq_close(seat[1].in);
        seat[1].in = seat[1].out = open_numbered(ZMQ_PAIR, "seat", 0, false);
        seat[0].out = seat[0].in;
    }
    for (uint32_t i = 0; i < seats && !pair; i++) {
        seat[i].out = open_numbered(ZMQ_PUSH, "seat", (i + 1) % seats, false);
    }
    for (uint32_t i = 1; i < seats; i++) {
        seat[i].thread = start(sit, &seat[i]);
    }
    uint64_t left = hops;
    meter_begin(meter);
    while (left > 0) { /* seat 0 */
        put(seat[0].out, &left, sizeof left);
        get(seat[0].in, &left, sizeof left);
        seat[0].arrived += left > 0;
        left -= left > 0;
    }
    meter_end(meter);
    left = 0;
    put(seat[0].out, &left, sizeof left);
    for (uint32_t i = 1; i < seats; i++) {
        pthread_join(seat[i].thread, NULL);
    }
    for (uint32_t i = 0; i < seats; i++) {
        arrived += seat[i].arrived;
    }
    return arrived;
}

/* ---- W2 and W3: producers to one ---- */

typedef struct producer {
    void *out;
    uint32_t number;
    uint64_t count;
    size_t bytes;
    pthread_barrier_t *go;
    pthread_t thread;
} producer_t;

static void *
produce(void *argument)
{
    const producer_t *producer = argument;
    uint32_t words[16] = {producer->number, 0, 1};
    pthread_barrier_wait(producer->go);
    for (uint64_t i = 0; i < producer->count; i++) {
        words[1] = (uint32_t) i;
        put(producer->out, words, producer->bytes);
    }
    return NULL;
}

static uint64_t
run_stream(meter_t *meter, uint32_t producers, bool pair, size_t bytes, uint64_t count)
{
    static producer_t producer[W3_PRODUCERS];
    uint64_t arrived = 0;
    pthread_barrier_t go;
    pthread_barrier_init(&go, NULL, producers + 1);
    void *in = open_socket(pair ? ZMQ_PAIR : ZMQ_PULL, "inproc://consumer", true);
    for (uint32_t i = 0; i < producers; i++) {
        producer[i] =
            (producer_t){.number = i, .count = count / producers, .bytes = bytes, .go = &go};
        producer[i].out = open_socket(pair ? ZMQ_PAIR : ZMQ_PUSH, "inproc://consumer", false);
        producer[i].thread = start(produce, &producer[i]);
    }
    meter_begin(meter);
    pthread_barrier_wait(&go);
    while (arrived < count) {
        uint32_t words[16];
        get(in, words, bytes);
        arrived += words[2];
    }
    meter_end(meter);
    for (uint32_t i = 0; i < producers; i++) {
        pthread_join(producer[i].thread, NULL);
    }
    pthread_barrier_destroy(&go);
    return arrived;
}

/* ---- W5: a thread and a socket for each; W6: a thread that answers for each ---- */

typedef struct child {
    void *here;
    uint32_t number;
    pthread_t thread;
} child_t;

static void *
live(void *argument)
{
    const child_t *child = argument;
    uint32_t first;
    void *out = open_socket(ZMQ_PUSH, "inproc://ends", false);
    void *in = open_numbered(ZMQ_PAIR, "child", child->number, false);
    get(in, &first, sizeof first);
    put(out, &first, sizeof first);
    zmq_close(in);
    zmq_close(out);
    return NULL;
}

static uint64_t
run_spawn(meter_t *meter, uint64_t count)
{
    static child_t child[W5_WAVE];
    uint64_t arrived = 0;
    void *ends = open_socket(ZMQ_PULL, "inproc://ends", true);
    meter_begin(meter);
    while (arrived < count) {
        uint32_t wave = count - arrived < W5_WAVE ? (uint32_t) (count - arrived) : W5_WAVE;
        for (uint32_t i = 0; i < wave; i++) {
            child[i].number = i;
            child[i].here = open_numbered(ZMQ_PAIR, "child", i, true);
            child[i].thread = start(live, &child[i]);
            put(child[i].here, &i, sizeof i);
        }
        for (uint32_t i = 0; i < wave; i++) {
            uint32_t number;
            get(ends, &number, sizeof number);
            arrived++;
        }
        for (uint32_t i = 0; i < wave; i++) {
            pthread_join(child[i].thread, NULL);
            char address[64];
            snprintf(address, sizeof address, "inproc://child-%u", i);
            zmq_unbind(child[i].here, address);
            zmq_close(child[i].here);
        }
    }
    meter_end(meter);
    return arrived;
}

static void *
answer(void *argument)
{
    const child_t *child = argument;
    void *in = open_numbered(ZMQ_PULL, "asked", child->number, true);
    void *out = open_socket(ZMQ_PUSH, "inproc://answers", false);
    uint32_t question = UINT32_MAX;
    put(out, &question, sizeof question);
    for (;;) {
        get(in, &question, sizeof question);
        put(out, &question, sizeof question);
        if (question == UINT32_MAX) {
            return NULL;
        }
    }
}

static uint64_t
gather(void *const *asked, void *answers, uint32_t question)
{
    uint64_t arrived = 0;
    for (uint32_t i = 0; asked != NULL && i < W6_ASKED; i++) {
        put(asked[i], &question, sizeof question);
    }
    for (uint32_t i = 0; i < W6_ASKED; i++) {
        uint32_t got;
        get(answers, &got, sizeof got);
        arrived += got == question;
    }
    return arrived;
}

static uint64_t
run_gather(meter_t *meter, uint64_t count)
{
    static child_t child[W6_ASKED];
    static void *asked[W6_ASKED];
    uint64_t arrived = 0;
    void *answers = open_socket(ZMQ_PULL, "inproc://answers", true);
    for (uint32_t i = 0; i < W6_ASKED; i++) {
        child[i].number = i;
        child[i].thread = start(answer, &child[i]);
    }
    gather(NULL, answers, UINT32_MAX); /* all are there */
    for (uint32_t i = 0; i < W6_ASKED; i++) {
        asked[i] = open_numbered(ZMQ_PUSH, "asked", i, false);
    }
    meter_begin(meter);
    for (uint64_t i = 0; i < count; i++) {
        arrived += gather(asked, answers, (uint32_t) i);
    }
    meter_end(meter);
    gather(asked, answers, UINT32_MAX);
    for (uint32_t i = 0; i < W6_ASKED; i++) {
        pthread_join(child[i].thread, NULL);
    }
    return arrived;
}

int
main(int argc, char **argv)
{
    meter_t meter;
    uint64_t arrived;
    struct rlimit files;
    if (argc != 4) {
        return bench_usage(argv[0]);
    }
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    context = zmq_ctx_new();
    zmq_ctx_set(context, ZMQ_MAX_SOCKETS, 10000);
    uint64_t count = strtoull(argv[3], NULL, 10);
    count -= strcmp(argv[1], "W3") == 0 ? count % W3_PRODUCERS : 0; /* each sends as many */
    const char *workload = argv[1];
    bool pair = bench_has(argv[2], "pair");
    if (strcmp(workload, "W1") == 0) {
        arrived = run_ring(&meter, 2, pair, count * 2);
    } else if (strcmp(workload, "W2") == 0) {
        arrived = run_stream(&meter, 1, pair, bench_has(argv[2], "64B") ? 64 : 12, count);
    } else if (strcmp(workload, "W3") == 0 && !pair) {
        arrived = run_stream(&meter, W3_PRODUCERS, false, 12, count);
    } else if (strcmp(workload, "W4") == 0 && !pair) {
        arrived = run_ring(&meter, W4_SEATS, false, count);
    } else if (strcmp(workload, "W5") == 0 && !pair) {
        arrived = run_spawn(&meter, count);
    } else if (strcmp(workload, "W6") == 0 && !pair) {
        arrived = run_gather(&meter, count);
    } else {
        return bench_unknown(workload, argv[2]);
    }
    meter_print(&meter, count, arrived, "");
    return EXIT_SUCCESS;
}
