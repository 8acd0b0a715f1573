/* door_test.c - a link to peers and its door, knocked at by real clients with CURVE. */
#include <criterion/criterion.h>
#include <malloc.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

#include "runtime/host.h"
#include "runtime/notes.h"

#define CLIENTS 32u
#define WAIT_S  60
#define LOOK_MS 20u
/* Of a client's way to the door: two queues with room for 256 messages of 64 bytes. */
#define WAY_BYTES (2u * 256 * 64)
/* Of its connection, at either end: as much again, and what it reads and writes by. */
#define CONNECTION_BYTES (WAY_BYTES + 34 * 1024u)

static sem_t knock, word, fell;
static _Atomic size_t most; /* bytes in use, for which the claim waits; 0: not yet */

static size_t
bytes_in_use(void)
{
    struct mallinfo2 about = mallinfo2();

    return about.uordblks + about.hblkhd;
}

/* ---- the role: it opens for everybody, counts what it hears and sends nothing ---- */

HANDLE(void, door_knock)
{
    door_opens_t *opens = DRAFT(ctx, door_opens);
    opens->open = m->key.size == 32;
    sem_post(&knock);
    return REPLY(ctx, door_opens, opens) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
}

HANDLE(void, peer_came)
{
    claim(ctx, m->user.size == 64);
    sem_post(&word);
    return ACTOR_CONTINUE;
}

HANDLE(void, peer_gone)
{
    return ctx && m ? ACTOR_CONTINUE : ACTOR_FAIL;
}

/* Asked again after a while. */
HANDLE(void, peer_next)
{
    actor_refuse(ctx, m->plain ? ERR_INTERNAL : ERR_BUSY);
    return ACTOR_CONTINUE;
}

HANDLE_TIMER(void, look)
{
    if (bytes_in_use() <= atomic_load(&most)) {
        sem_post(&fell);
        return ACTOR_CONTINUE;
    }
    return actor_timer(ctx, key, LOOK_MS) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
}

HANDLE_INIT(void, begin)
{
    return actor_timer(ctx, 0, LOOK_MS) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
}

static const actor_class_t role = {
    .name = "role",
    .role = true,
    .init = begin,
    .on_timer = look,
    ACTOR_HEARS(ON(door_knock), ON(peer_came), ON(peer_gone), ON(peer_next))};
static const actor_class_t *const classes[] = {&role, NULL};
static const host_options_t options = {.classes = classes, .root = &role};

/* ---- clients ---- */

typedef struct yard {
    host_t *host;
    void *context, *client[CLIENTS];
    char endpoint[64];
    char site_public[41], site_secret[41];
} yard_t;
static yard_t yard;

static void
setup(void)
{
    host_peers_t peers = {.name = "link", .role = "role", .endpoint = yard.endpoint};

    snprintf(yard.endpoint, sizeof yard.endpoint, "ipc:///tmp/door-test-%d", (int) getpid());
    zmq_curve_keypair(yard.site_public, yard.site_secret);
    zmq_z85_decode(peers.secret_key, yard.site_secret);
    zmq_z85_decode(peers.public_key, yard.site_public);
    sem_init(&knock, 0, 0);
    sem_init(&word, 0, 0);
    sem_init(&fell, 0, 0);
    yard.host = host_new(&options);
    cr_assert_eq(host_add_peer_link(yard.host, &peers), OK);
    cr_assert_eq(host_start(yard.host), OK, "%s", host_why(yard.host));
    cr_assert(host_wait_ready(yard.host, WAIT_S * 1000));
    yard.context = zmq_ctx_new();
}

static void
teardown(void)
{
    char left[256] = "";

    cr_assert(host_stop(yard.host, WAIT_S * 1000, left, sizeof left), "left: %s", left);
    host_destroy(&yard.host);
    zmq_ctx_term(yard.context);
    unlink(yard.endpoint + strlen("ipc://"));
}

/* Connects with a key of its own, and says a word. */
static void *
client_new(void)
{
    void *socket = zmq_socket(yard.context, ZMQ_DEALER);
    char public[41], secret[41];
    int none = 0;

    zmq_curve_keypair(public, secret);
    zmq_setsockopt(socket, ZMQ_LINGER, &none, sizeof none);
    zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, yard.site_public, sizeof yard.site_public);
    zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, public, sizeof public);
    zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, secret, sizeof secret);
    cr_assert_eq(zmq_connect(socket, yard.endpoint), 0);
    cr_assert_eq(zmq_send(socket, "word", 4, 0), 4);
    return socket;
}

static void
wait_for(sem_t *what, uint32_t times)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_S;
    for (uint32_t i = 0; i < times; i++) {
        cr_assert_eq(sem_timedwait(what, &until), 0, "%u of %u; %zu bytes of %zu", i, times,
                     bytes_in_use(), atomic_load(&most));
    }
}

/* ---- claims ---- */

/* A client takes as much as its site does, and each has such queues for the connection itself. */
Test(door, what_a_handshake_took_is_given_back_when_it_is_quiet_and_the_door_still_opens,
     .init = setup, .fini = teardown)
{
    size_t before = bytes_in_use();

    if (before == 0) {
        cr_skip_test("a sanitizer has taken malloc's place");
    }
    for (uint32_t i = 0; i < CLIENTS; i++) {
        yard.client[i] = client_new();
    }
    wait_for(&word, CLIENTS);
    atomic_store(&most, before + CLIENTS * (2 * CONNECTION_BYTES + WAY_BYTES / 4 * 3));
    wait_for(&fell, 1);
    for (uint32_t i = 0; i < CLIENTS; i++) {
        cr_assert_eq(zmq_send(yard.client[i], "more", 4, 0), 4);
    }
    wait_for(&word, CLIENTS);
    void *late = client_new();
    wait_for(&word, 1);
    wait_for(&knock, CLIENTS + 1);
    zmq_close(late);
    for (uint32_t i = 0; i < CLIENTS; i++) {
        zmq_close(yard.client[i]);
    }
}
