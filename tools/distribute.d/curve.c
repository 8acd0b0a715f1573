/* curve.c - what ZeroMQ itself does: moves BYTES to each of RECEIVERS over loopback TCP with CURVE,
 * in messages of 512 KiB, each acknowledged in windows of 8 MiB.
 *
 * Usage    curve BYTES RECEIVERS
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

#define MESSAGE_BYTES (512u << 10)
#define WINDOW        16u /* messages that were not acknowledged yet */

typedef struct pair {
    char public_key[41], secret_key[41];
} pair_t;

static void
need(int result, const char *what)
{
    if (result < 0) {
        fprintf(stderr, "curve: cannot %s: %s\n", what, zmq_strerror(zmq_errno()));
        exit(1);
    }
}

static void
receive(const char *address, const pair_t *site, const pair_t *own, unsigned long messages)
{
    void *context = zmq_ctx_new();
    void *socket = zmq_socket(context, ZMQ_DEALER);
    need(zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, site->public_key, 40), "set a key");
    need(zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, own->public_key, 40), "set a key");
    need(zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, own->secret_key, 40), "set a key");
    need(zmq_connect(socket, address), "connect");
    need(zmq_send(socket, "", 0, 0), "send");
    for (unsigned long i = 0; i < messages; i++) {
        zmq_msg_t message;
        zmq_msg_init(&message);
        need(zmq_msg_recv(&message, socket, 0), "receive");
        zmq_msg_close(&message);
        need(zmq_send(socket, "", 0, 0), "acknowledge");
    }
    zmq_close(socket);
    zmq_ctx_term(context);
}

/* Sends to whoever has acknowledged, until each has all. */
static void
serve(void *socket, unsigned receivers, unsigned long messages)
{
    struct {
        unsigned char name[256];
        size_t size;
        unsigned long sent, done;
    } peers[64] = {0};
    unsigned known = 0, through = 0;
    char *bytes = calloc(1, MESSAGE_BYTES);
    while (through < receivers) {
        unsigned char name[256], rest[8];
        int size = zmq_recv(socket, name, sizeof name, 0);
        need(size, "receive");
        need(zmq_recv(socket, rest, sizeof rest, 0), "receive");
        unsigned i = 0;
        while (i < known && (peers[i].size != (size_t) size ||
                             memcmp(peers[i].name, name, peers[i].size) != 0)) {
            i++;
        }
        if (i == known) {
            memcpy(peers[known].name, name, (size_t) size);
            peers[known++].size = (size_t) size;
        } else {
            through += ++peers[i].done == messages;
        }
        while (peers[i].sent < messages && peers[i].sent - peers[i].done < WINDOW) {
            need(zmq_send(socket, peers[i].name, peers[i].size, ZMQ_SNDMORE), "send");
            need(zmq_send(socket, bytes, MESSAGE_BYTES, 0), "send");
            peers[i].sent++;
        }
    }
    free(bytes);
}

int
main(int argc, char **argv)
{
    char address[64] = "";
    size_t size = sizeof address;
    pair_t site, own;
    int on = 1, failed = 0, status;
    if (argc != 3 || atoi(argv[2]) < 1 || atoi(argv[2]) > 64) {
        fprintf(stderr, "usage: curve BYTES RECEIVERS\n");
        return 2;
    }
    unsigned long messages = (strtoul(argv[1], NULL, 10) + MESSAGE_BYTES - 1) / MESSAGE_BYTES;
    unsigned receivers = (unsigned) atoi(argv[2]);
    need(zmq_curve_keypair(site.public_key, site.secret_key), "make a key");
    need(zmq_curve_keypair(own.public_key, own.secret_key), "make a key");
    /* The address is chosen before the children are made, and the context after: a context does
     * not survive a fork. */
    int ends[64][2];
    for (unsigned i = 0; i < receivers; i++) {
        if (pipe(ends[i]) != 0) {
            return 1;
        }
        if (fork() == 0) {
            close(ends[i][1]);
            if (read(ends[i][0], address, sizeof address) != (ssize_t) sizeof address) {
                _exit(1);
            }
            receive(address, &site, &own, messages);
            _exit(0);
        }
        close(ends[i][0]);
    }
    void *context = zmq_ctx_new();
    void *socket = zmq_socket(context, ZMQ_ROUTER);
    need(zmq_setsockopt(socket, ZMQ_CURVE_SERVER, &on, sizeof on), "serve CURVE");
    need(zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, site.secret_key, 40), "set a key");
    need(zmq_bind(socket, "tcp://127.0.0.1:*"), "bind");
    need(zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, address, &size), "ask for the address");
    for (unsigned i = 0; i < receivers; i++) {
        if (write(ends[i][1], address, sizeof address) != (ssize_t) sizeof address) {
            return 1;
        }
    }
    serve(socket, receivers, messages);
    for (unsigned i = 0; i < receivers; i++) {
        failed |= wait(&status) < 0 || status != 0;
    }
    zmq_close(socket);
    zmq_ctx_term(context);
    return failed;
}
