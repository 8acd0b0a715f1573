/* bounds.c - what the machine allows: a local run queue, a futex round trip, a batched queue.
 *
 * No actor could do less for the same work, so these are what ours and the peers are held against.
 */
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include "tools/bench.d/bench.h"

/* ---- a run queue: pop the next, run it, which pushes its successor ---- */

#define QUEUE_SLOTS 1024u

typedef struct seat {
    struct seat *next;
    uint64_t handled;
} seat_t;
typedef struct entry {
    seat_t *seat;
    uint64_t left;
} entry_t;
typedef struct run_queue {
    entry_t entry[QUEUE_SLOTS];
    uint32_t head, tail;
} run_queue_t;

static void
push(run_queue_t *queue, seat_t *seat, uint64_t left)
{
    queue->entry[queue->tail++ % QUEUE_SLOTS] = (entry_t){seat, left};
}

static void
handle(run_queue_t *queue, seat_t *seat, uint64_t left)
{
    seat->handled++;
    if (left > 1) {
        push(queue, seat->next, left - 1);
    }
}

static uint64_t
run_ring(meter_t *meter, uint32_t seats, uint64_t hops)
{
    static seat_t seat[W4_SEATS];
    static run_queue_t queue;
    static void (*const volatile handler)(run_queue_t *, seat_t *, uint64_t) = handle;
    uint64_t arrived = 0;
    for (uint32_t i = 0; i < seats; i++) {
        seat[i].next = &seat[(i + 1) % seats];
    }
    meter_begin(meter);
    push(&queue, &seat[0], hops);
    while (queue.head != queue.tail) {
        entry_t entry = queue.entry[queue.head++ % QUEUE_SLOTS];
        handler(&queue, entry.seat, entry.left);
    }
    meter_end(meter);
    for (uint32_t i = 0; i < seats; i++) {
        arrived += seat[i].handled;
    }
    return arrived;
}

/* ---- a futex round trip ---- */

typedef struct turn {
    _Atomic uint32_t whose;
    uint64_t count, served;
} turn_t;

static void
turn_wait(turn_t *turn, uint32_t mine)
{
    while (atomic_load(&turn->whose) != mine) {
        syscall(SYS_futex, &turn->whose, FUTEX_WAIT_PRIVATE, 1 - mine, NULL, NULL, 0);
    }
}

static void
turn_pass(turn_t *turn, uint32_t to)
{
    atomic_store(&turn->whose, to);
    syscall(SYS_futex, &turn->whose, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *
serve(void *context)
{
    turn_t *turn = context;
    for (uint64_t i = 0; i < turn->count; i++) {
        turn_wait(turn, 1);
        turn->served++;
        turn_pass(turn, 0);
    }
    return NULL;
}

static uint64_t
run_futex(meter_t *meter, uint64_t count)
{
    turn_t turn = {.count = count};
    pthread_t thread;
    uint64_t returned = 0;
    pthread_create(&thread, NULL, serve, &turn);
    meter_begin(meter);
    for (uint64_t i = 0; i < count; i++) {
        turn_pass(&turn, 1);
        turn_wait(&turn, 0);
        returned++;
    }
    meter_end(meter);
    pthread_join(thread, NULL);
    return turn.served + returned;
}

/* ---- a queue of many producers, in batches of 64 messages ---- */

#define BATCH        64u
#define BATCHES_EACH 16u
#define BYTES_MAX    64u
#define SPINS        200u

typedef struct batch {
    _Atomic(struct batch *) next;
    _Atomic bool busy;
    uint32_t count;
    uint8_t message[BATCH][BYTES_MAX];
} batch_t;
typedef struct queue {
    _Alignas(64) _Atomic(batch_t *) last; /* where producers add */
    _Alignas(64) batch_t *first;          /* the consumer's */
    batch_t stub;
} queue_t;
typedef struct producer {
    batch_t *batches; /* used in turn */
    uint64_t used, left;
} producer_t;
typedef struct stream {
    queue_t queue;
    producer_t producer[W3_PRODUCERS];
    uint32_t producers, bytes;
} stream_t;

static void
queue_add(queue_t *queue, batch_t *batch)
{
    atomic_store_explicit(&batch->next, NULL, memory_order_relaxed);
    batch_t *before = atomic_exchange(&queue->last, batch);
    atomic_store_explicit(&before->next, batch, memory_order_release);
}

/* Spins for a while, then lets others run: the other end may have no core. */
static void
wait_a_moment(uint32_t *spins)
{
    if (++*spins % SPINS == 0) {
        sched_yield();
    } else {
        __builtin_ia32_pause();
    }
}

static bool
fill(const stream_t *stream, producer_t *producer, uint32_t number)
{
    batch_t *batch = &producer->batches[producer->used % BATCHES_EACH];
    if (atomic_load_explicit(&batch->busy, memory_order_acquire)) {
        return false;
    }
    batch->count = producer->left < BATCH ? (uint32_t) producer->left : BATCH;
    for (uint32_t i = 0; i < batch->count; i++) {
        uint32_t words[BYTES_MAX / 4] = {number, i, 1};
        memcpy(batch->message[i], words, stream->bytes);
    }
    atomic_store_explicit(&batch->busy, true, memory_order_relaxed);
    producer->left -= batch->count;
    producer->used++;
    return true;
}

static void *
produce(void *context)
{
    stream_t *stream = context;
    uint32_t ended = 0, spins = 0;
    while (ended < stream->producers) {
        ended = 0;
        for (uint32_t i = 0; i < stream->producers; i++) {
            producer_t *producer = &stream->producer[i];
            if (producer->left == 0) {
                ended++;
            } else if (fill(stream, producer, i)) {
                queue_add(&stream->queue, &producer->batches[(producer->used - 1) % BATCHES_EACH]);
            } else {
                wait_a_moment(&spins);
            }
        }
    }
    return NULL;
}

/* A batch is given back when the next has come, for the queue hangs on it until then. */
static uint64_t
consume(stream_t *stream, uint64_t expected)
{
    batch_t *at = stream->queue.first;
    uint64_t arrived = 0;
    uint32_t spins = 0;
    while (arrived < expected) {
        batch_t *next = atomic_load_explicit(&at->next, memory_order_acquire);
        if (next == NULL) {
            wait_a_moment(&spins);
            continue;
        }
        for (uint32_t i = 0; i < next->count; i++) {
            uint32_t words[3];
            memcpy(words, next->message[i], sizeof words);
            arrived += words[2];
        }
        atomic_store_explicit(&at->busy, false, memory_order_release);
        at = next;
    }
    return arrived;
}

static uint64_t
run_stream(meter_t *meter, uint32_t producers, uint32_t bytes, uint64_t count)
{
    static stream_t stream;
    pthread_t thread;
    stream.producers = producers;
    stream.bytes = bytes;
    stream.queue.first = &stream.queue.stub;
    atomic_store(&stream.queue.last, &stream.queue.stub);
    for (uint32_t i = 0; i < producers; i++) {
        stream.producer[i] =
            (producer_t){calloc(BATCHES_EACH, sizeof(batch_t)), 0, count / producers};
        memset(stream.producer[i].batches, 0, BATCHES_EACH * sizeof(batch_t));
    }
    meter_begin(meter);
    pthread_create(&thread, NULL, produce, &stream);
    uint64_t arrived = consume(&stream, count);
    meter_end(meter);
    pthread_join(thread, NULL);
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
    uint64_t count = strtoull(argv[3], NULL, 10);
    count -= strcmp(argv[1], "W3") == 0 ? count % W3_PRODUCERS : 0; /* each sends as many */
    const char *variant = argv[2];
    if (strcmp(argv[1], "W1") == 0 && bench_has(variant, "same")) {
        arrived = run_ring(&meter, 2, count * 2);
    } else if (strcmp(argv[1], "W1") == 0) {
        arrived = run_futex(&meter, count);
    } else if (strcmp(argv[1], "W2") == 0) {
        arrived = run_stream(&meter, 1, bench_has(variant, "64B") ? 64 : 12, count);
    } else if (strcmp(argv[1], "W3") == 0) {
        arrived = run_stream(&meter, W3_PRODUCERS, 12, count);
    } else if (strcmp(argv[1], "W4") == 0 && bench_has(variant, "same")) {
        arrived = run_ring(&meter, W4_SEATS, count);
    } else if (strcmp(argv[1], "W4") == 0) {
        arrived = run_futex(&meter, count / 2);
        count = count / 2 * 2;
    } else {
        return bench_unknown(argv[1], variant);
    }
    meter_print(&meter, count, arrived, "");
    return EXIT_SUCCESS;
}
