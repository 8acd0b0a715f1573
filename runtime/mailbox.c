/* mailbox.c - envelopes from thread to thread over inproc ZeroMQ sockets.
 *
 * The envelope itself is the message's memory, so nothing is copied; who receives it marks it as
 * taken, and the message that is then closed leaves it alone.
 */
#include "runtime/mailbox.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <zmq.h>
#include "runtime/inside.h"

#if defined(__SANITIZE_THREAD__)
#define MAILBOX_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define MAILBOX_TSAN 1
#endif
#endif
#ifdef MAILBOX_TSAN
/* The sanitizer does not see into libzmq: these two say what its queue guarantees. */
void __tsan_acquire(void *address);
void __tsan_release(void *address);
#define SEEN_BEFORE(p) __tsan_release(p)
#define SEEN_AFTER(p)  __tsan_acquire(p)
#else
#define SEEN_BEFORE(p) ((void) (p))
#define SEEN_AFTER(p)  ((void) (p))
#endif

struct outlet {
    void *context;
    uint64_t host;
    uint32_t workers;
    _Atomic uint32_t sockets;
    void *push[WORKERS_MAX];
};

void *
mailbox_context_new(uint32_t sockets_max)
{
    void *context = zmq_ctx_new();
    assert(context != NULL && "a context of ZeroMQ");
    zmq_ctx_set(context, ZMQ_MAX_SOCKETS, (int) sockets_max);
    return context;
}

void
mailbox_context_end(void *context)
{
    while (zmq_ctx_term(context) != 0 && errno == EINTR) {
    }
}

static void
unbound(void *socket)
{
    int none = 0;
    zmq_setsockopt(socket, ZMQ_SNDHWM, &none, sizeof none);
    zmq_setsockopt(socket, ZMQ_RCVHWM, &none, sizeof none);
    zmq_setsockopt(socket, ZMQ_LINGER, &none, sizeof none);
}

static void
address_of(char *text, size_t size, uint64_t host, uint32_t worker)
{
    snprintf(text, size, "inproc://worker-%llu-%u", (unsigned long long) host, worker);
}

void *
mailbox_open(void *context, uint64_t host, uint32_t worker, uint32_t *count)
{
    char address[64];
    void *socket = zmq_socket(context, ZMQ_PULL);
    if (socket == NULL) {
        return NULL;
    }
    unbound(socket);
    address_of(address, sizeof address, host, worker);
    int failed = zmq_bind(socket, address);
    assert(failed == 0 && "the mailbox's name is ours alone");
    (void) failed;
    (*count)++;
    return socket;
}

void
mailbox_close(void **mailbox, uint32_t *count)
{
    if (*mailbox != NULL) {
        for (envelope_t *e; (e = mailbox_take(*mailbox)) != NULL;) {
            envelope_free(e);
        }
        zmq_close(*mailbox);
        *mailbox = NULL;
        (*count)--;
    }
}

envelope_t *
mailbox_take(void *mailbox)
{
    zmq_msg_t message;
    zmq_msg_init(&message);
    int size;
    do { /* an empty one only rouses */
        size = zmq_msg_recv(&message, mailbox, ZMQ_DONTWAIT);
    } while (size == 0 || (size < 0 && errno == EINTR));
    if (size < 0) {
        assert(errno == EAGAIN && "a mailbox is open as long as its worker");
        zmq_msg_close(&message);
        return NULL;
    }
    envelope_t *envelope = zmq_msg_data(&message);
    SEEN_AFTER(envelope);
    envelope->taken = true;
    zmq_msg_close(&message);
    envelope->taken = false;
    return envelope;
}

bool
mailbox_wait(void *mailbox, void *other, int64_t ms)
{
    zmq_pollitem_t items[2] = {{.socket = mailbox, .events = ZMQ_POLLIN},
                               {.socket = other, .events = ZMQ_POLLIN}};
    int found = zmq_poll(items, other == NULL ? 1 : 2, (long) ms);
    return found > 0 && other != NULL && (items[1].revents & ZMQ_POLLIN) != 0;
}

/* ---- sending ---- */

/* The last holder of a message lets go: the receiver, which has taken it, or ZeroMQ at the end. */
static void
let_go(void *data, void *hint)
{
    (void) hint;
    envelope_t *envelope = data;
    if (!envelope->taken) {
        envelope_free(envelope);
    }
}

outlet_t *
outlet_new(void *context, uint64_t host, uint32_t workers)
{
    outlet_t *outlet = xalloc(1, sizeof *outlet);
    outlet->context = context;
    outlet->host = host;
    outlet->workers = workers;
    return outlet;
}

static void *
push_to(outlet_t *outlet, uint32_t to)
{
    assert(to < outlet->workers);
    if (outlet->push[to] == NULL) {
        char address[64];
        void *socket = zmq_socket(outlet->context, ZMQ_PUSH);
        assert(socket != NULL && "sockets are counted before the start");
        unbound(socket);
        address_of(address, sizeof address, outlet->host, to);
        int failed = zmq_connect(socket, address);
        assert(failed == 0 && "every mailbox is bound before anybody connects");
        (void) failed;
        outlet->push[to] = socket;
        atomic_fetch_add(&outlet->sockets, 1);
    }
    return outlet->push[to];
}

void
outlet_send(outlet_t *outlet, uint32_t to, envelope_t *take_envelope)
{
    void *socket = push_to(outlet, to);
    zmq_msg_t message;
    int failed = zmq_msg_init_data(&message, take_envelope,
                                   sizeof *take_envelope + take_envelope->size, let_go, NULL);
    assert(failed == 0 && "memory for a message");
    (void) failed;
    SEEN_BEFORE(take_envelope);
    while (zmq_msg_send(&message, socket, 0) < 0) {
        assert(errno == EINTR && "an unbounded inproc socket takes every message");
    }
}

void
outlet_rouse(outlet_t *outlet, uint32_t to)
{
    void *socket = push_to(outlet, to);
    while (zmq_send(socket, "", 0, 0) < 0) {
        assert(errno == EINTR && "an unbounded inproc socket takes every message");
    }
}

uint32_t
outlet_sockets(const outlet_t *outlet)
{
    return atomic_load(&outlet->sockets);
}

void
outlet_destroy(outlet_t **outlet)
{
    if (*outlet == NULL) {
        return;
    }
    for (uint32_t i = 0; i < (*outlet)->workers; i++) {
        if ((*outlet)->push[i] != NULL) {
            zmq_close((*outlet)->push[i]);
        }
    }
    free(*outlet);
    *outlet = NULL;
}

/* ---- what the process has of them ---- */

uint64_t
descriptors_open(void)
{
    DIR *dir = opendir("/proc/self/fd");
    uint64_t count = 0;

    while (dir && readdir(dir)) {
        count++;
    }
    if (dir) {
        closedir(dir);
    }
    return count > 3 ? count - 3 : 0; /* ., .. and the listing itself */
}

uint64_t
descriptors_max(void)
{
    struct rlimit limit = {0};

    return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 0;
}
