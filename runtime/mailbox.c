/* mailbox.c - envelopes from thread to thread over inproc ZeroMQ sockets.
 *
 * A chunk is memory that one thread fills and another reads; ZeroMQ carries its address. Who
 * receives it has it from then on, else ZeroMQ says when to free it.
 */
#include "runtime/mailbox.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

typedef struct bell {
    alignas(64) _Atomic uint32_t rung;
} bell_t;

struct mail {
    void *context;
    uint32_t workers;
    _Atomic uint32_t sockets;
    bell_t bell[WORKERS_MAX];
};

struct mailbox {
    mail_t *mail;
    void *socket;
    bell_t *bell;
    uint32_t heard; /* chunks taken */
    bool roused;    /* the socket has something that the bell may not have counted yet */
};

struct outlet {
    mail_t *mail;
    uint32_t dirty_count, dirty[WORKERS_MAX]; /* workers with an open chunk */
    chunk_t *open[WORKERS_MAX];
    void *push[WORKERS_MAX];
};

/* ---- the context and its sockets ---- */

mail_t *
mail_new(uint32_t workers)
{
    mail_t *mail = aligned_alloc(alignof(mail_t), sizeof *mail);
    assert(mail != NULL && workers <= WORKERS_MAX && "memory for the mail");
    memset(mail, 0, sizeof *mail);
    mail->workers = workers;
    mail->context = zmq_ctx_new();
    assert(mail->context != NULL && "a context of ZeroMQ");
    zmq_ctx_set(mail->context, ZMQ_MAX_SOCKETS, (int) SOCKETS_MAX);
    return mail;
}

void *
mail_context(mail_t *mail)
{
    return mail->context;
}

uint32_t
mail_sockets(const mail_t *mail)
{
    return atomic_load(&mail->sockets);
}

void
mail_end(mail_t **mail_at)
{
    mail_t *mail = *mail_at;
    if (mail == NULL) {
        return;
    }
    while (zmq_ctx_term(mail->context) != 0 && errno == EINTR) {
    }
    free(mail);
    *mail_at = NULL;
}

static void
unbound(void *socket)
{
    int none = 0;
    zmq_setsockopt(socket, ZMQ_SNDHWM, &none, sizeof none);
    zmq_setsockopt(socket, ZMQ_RCVHWM, &none, sizeof none);
    zmq_setsockopt(socket, ZMQ_LINGER, &none, sizeof none);
}

static void *
socket_new(mail_t *mail, int type)
{
    void *socket = zmq_socket(mail->context, type);
    if (socket != NULL) {
        unbound(socket);
        atomic_fetch_add(&mail->sockets, 1);
    }
    return socket;
}

static void
socket_close(mail_t *mail, void *socket)
{
    zmq_close(socket);
    atomic_fetch_sub(&mail->sockets, 1);
}

static void
address_of(char *text, size_t size, uint32_t worker)
{
    snprintf(text, size, "inproc://worker-%u", worker);
}

/* The last holder of a chunk lets go: who has received it, and goes on with it, or ZeroMQ at the
 * end. */
static void
let_go(void *data, void *hint)
{
    chunk_t *chunk = data;

    (void) hint;
    if (!chunk->received) {
        chunk_free(chunk);
    }
}

/* ---- receiving ---- */

mailbox_t *
mailbox_open(mail_t *mail, uint32_t worker)
{
    char address[64];
    void *socket = socket_new(mail, ZMQ_PULL);
    if (socket == NULL) {
        return NULL;
    }
    address_of(address, sizeof address, worker);
    int failed = zmq_bind(socket, address);
    assert(failed == 0 && "the mailbox's name is ours alone");
    (void) failed;
    mailbox_t *mailbox = xalloc(1, sizeof *mailbox);
    *mailbox = (mailbox_t){.mail = mail, .socket = socket, .bell = &mail->bell[worker]};
    return mailbox;
}

/* Hands on one chunk; false: there was none. */
static bool
take_chunk(mailbox_t *mailbox, mailbox_take_fn *take, void *self)
{
    zmq_msg_t message;
    zmq_msg_init(&message);
    int size;
    do { /* an empty one only rouses */
        size = zmq_msg_recv(&message, mailbox->socket, ZMQ_DONTWAIT);
    } while (size == 0 || (size < 0 && errno == EINTR));
    if (size > 0) {
        chunk_t *chunk = zmq_msg_data(&message);
        SEEN_AFTER(chunk);
        chunk->received = take != NULL;
        zmq_msg_close(&message);
        if (take != NULL) {
            take(self, chunk);
        }
        return true;
    }
    assert(errno == EAGAIN && "a mailbox is open as long as its worker");
    zmq_msg_close(&message);
    return false;
}

const _Atomic uint32_t *
mailbox_bell(const mailbox_t *mailbox)
{
    return &mailbox->bell->rung;
}

uint32_t
mailbox_heard(const mailbox_t *mailbox)
{
    return mailbox->heard;
}

/* What the bell has counted is taken, and the socket is asked for no more: to ask an empty one
 * costs a system call. */
bool
mailbox_empty(mailbox_t *mailbox, mailbox_take_fn *take, void *self)
{
    uint32_t before = mailbox->heard;
    while (mailbox->roused || bell_rang(&mailbox->bell->rung, mailbox->heard)) {
        if (!take_chunk(mailbox, take, self)) {
            mailbox->roused = false;
            break;
        }
        mailbox->heard++;
    }
    return mailbox->heard != before;
}

void
mailbox_close(mailbox_t **mailbox_at)
{
    mailbox_t *mailbox = *mailbox_at;
    if (mailbox == NULL) {
        return;
    }
    mailbox->roused = true;
    (void) mailbox_empty(mailbox, NULL, NULL);
    socket_close(mailbox->mail, mailbox->socket);
    free(mailbox);
    *mailbox_at = NULL;
}

bool
mailbox_wait(mailbox_t *mailbox, void *other, int64_t ms)
{
    zmq_pollitem_t items[2] = {{.socket = mailbox->socket, .events = ZMQ_POLLIN},
                               {.socket = other, .events = ZMQ_POLLIN}};
    int found = zmq_poll(items, other == NULL ? 1 : 2, (long) ms);
    mailbox->roused = found > 0 && (items[0].revents & ZMQ_POLLIN) != 0;
    return found > 0 && other != NULL && (items[1].revents & ZMQ_POLLIN) != 0;
}

/* ---- sending ---- */

outlet_t *
outlet_new(mail_t *mail)
{
    outlet_t *outlet = xalloc(1, sizeof *outlet);
    outlet->mail = mail;
    return outlet;
}

static void *
push_to(outlet_t *outlet, uint32_t to)
{
    assert(to < outlet->mail->workers);
    if (outlet->push[to] == NULL) {
        char address[64];
        void *socket = socket_new(outlet->mail, ZMQ_PUSH);
        assert(socket != NULL && "sockets are counted before the start");
        address_of(address, sizeof address, to);
        int failed = zmq_connect(socket, address);
        assert(failed == 0 && "every mailbox is bound before anybody connects");
        (void) failed;
        outlet->push[to] = socket;
    }
    return outlet->push[to];
}

static void
post(outlet_t *outlet, uint32_t to)
{
    chunk_t *chunk = outlet->open[to];
    outlet->open[to] = NULL;
    zmq_msg_t message;
    int failed = zmq_msg_init_data(&message, chunk, sizeof *chunk + chunk->used, let_go, NULL);
    assert(failed == 0 && "memory for a message");
    (void) failed;
    SEEN_BEFORE(chunk);
    void *socket = push_to(outlet, to);
    while (zmq_msg_send(&message, socket, 0) < 0) {
        assert(errno == EINTR && "an unbounded inproc socket takes every message");
    }
    atomic_fetch_add_explicit(&outlet->mail->bell[to].rung, 1, memory_order_release);
}

/* Where none is open, or the one that is has no more room. */
static chunk_t *
open_chunk(outlet_t *outlet, uint32_t to)
{
    if (outlet->open[to] == NULL) {
        assert(to < outlet->mail->workers);
        outlet->dirty[outlet->dirty_count++] = to;
    } else {
        post(outlet, to);
    }
    return outlet->open[to] = chunk_new();
}

void
outlet_send(outlet_t *outlet, uint32_t to, envelope_t *take_envelope)
{
    size_t bytes = envelope_bytes(take_envelope);
    chunk_t *chunk = outlet->open[to];
    if (chunk == NULL || !chunk_fits(chunk, bytes)) {
        chunk = open_chunk(outlet, to);
    }
    chunk_put(chunk, take_envelope, bytes);
}

void
outlet_flush(outlet_t *outlet)
{
    for (uint32_t i = 0; i < outlet->dirty_count; i++) {
        post(outlet, outlet->dirty[i]);
    }
    outlet->dirty_count = 0;
}

void
outlet_rouse(outlet_t *outlet, uint32_t to)
{
    void *socket = push_to(outlet, to);
    while (zmq_send(socket, "", 0, 0) < 0) {
        assert(errno == EINTR && "an unbounded inproc socket takes every message");
    }
}

void
outlet_destroy(outlet_t **outlet_at)
{
    outlet_t *outlet = *outlet_at;
    if (outlet == NULL) {
        return;
    }
    outlet_flush(outlet);
    for (uint32_t i = 0; i < outlet->mail->workers; i++) {
        if (outlet->push[i] != NULL) {
            socket_close(outlet->mail, outlet->push[i]);
        }
    }
    free(outlet);
    *outlet_at = NULL;
}
