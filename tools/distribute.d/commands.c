/* commands.c - durable commands in a second: `distribute` of each of PACKAGES packages to each of
 * POINTS points, which makes a new target each, on one connection with FLIGHT in flight.
 *
 * Usage    commands ENDPOINT PACKAGES POINTS FLIGHT: packages are P0..., points p0... Prints JSON:
 *          the number of commands, and the seconds from the first sent to the last answered.
 */
#include <msgpack.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

static void
fail(const char *what)
{
    fprintf(stderr, "commands: %s\n", what);
    exit(1);
}

static void
text(msgpack_packer *packer, const char *value)
{
    msgpack_pack_str(packer, strlen(value));
    msgpack_pack_str_body(packer, value, strlen(value));
}

static void
send_command(void *socket, msgpack_sbuffer *buffer, unsigned long number, unsigned long points)
{
    char package[24], point[24], name[48];
    msgpack_packer packer;
    snprintf(package, sizeof package, "P%lu", number / points);
    snprintf(point, sizeof point, "p%lu", number % points);
    /* Keys are of this run: a second one on the same site would be answered as the first was. */
    snprintf(name, sizeof name, "bench-%ld-%lu", (long) getpid(), number);
    msgpack_sbuffer_clear(buffer);
    msgpack_packer_init(&packer, buffer, msgpack_sbuffer_write);
    msgpack_pack_map(&packer, 5);
    text(&packer, "v");
    msgpack_pack_int(&packer, 1);
    text(&packer, "id");
    text(&packer, name);
    text(&packer, "key");
    text(&packer, name);
    text(&packer, "cmd");
    text(&packer, "distribute");
    text(&packer, "args");
    msgpack_pack_map(&packer, 2);
    text(&packer, "id");
    text(&packer, package);
    text(&packer, "to");
    msgpack_pack_array(&packer, 1);
    text(&packer, point);
    if (zmq_send(socket, buffer->data, buffer->size, 0) < 0) {
        fail("a command cannot be sent");
    }
}

static bool
is_ok(const msgpack_object *reply)
{
    for (uint32_t i = 0; reply->type == MSGPACK_OBJECT_MAP && i < reply->via.map.size; i++) {
        const msgpack_object_kv *pair = &reply->via.map.ptr[i];
        if (pair->key.type == MSGPACK_OBJECT_STR && pair->key.via.str.size == 2 &&
            memcmp(pair->key.via.str.ptr, "ok", 2) == 0) {
            return pair->val.type == MSGPACK_OBJECT_BOOLEAN && pair->val.via.boolean;
        }
    }
    return false;
}

static void
take_answer(void *socket)
{
    zmq_msg_t message;
    msgpack_unpacked reply;
    size_t at = 0;
    zmq_msg_init(&message);
    if (zmq_msg_recv(&message, socket, 0) < 0) {
        fail("no answer came within a minute");
    }
    msgpack_unpacked_init(&reply);
    if (msgpack_unpack_next(&reply, zmq_msg_data(&message), zmq_msg_size(&message), &at) !=
            MSGPACK_UNPACK_SUCCESS ||
        !is_ok(&reply.data)) {
        msgpack_object_print(stderr, reply.data);
        fail(" was answered");
    }
    msgpack_unpacked_destroy(&reply);
    zmq_msg_close(&message);
}

static double
now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double) time.tv_sec + (double) time.tv_nsec / 1e9;
}

int
main(int argc, char **argv)
{
    int wait_ms = 60000;
    if (argc != 5) {
        fprintf(stderr, "usage: commands ENDPOINT PACKAGES POINTS FLIGHT\n");
        return 2;
    }
    unsigned long points = strtoul(argv[3], NULL, 10);
    unsigned long all = strtoul(argv[2], NULL, 10) * points, flight = strtoul(argv[4], NULL, 10);
    void *context = zmq_ctx_new(), *socket = zmq_socket(context, ZMQ_DEALER);
    zmq_setsockopt(socket, ZMQ_RCVTIMEO, &wait_ms, sizeof wait_ms);
    if (zmq_connect(socket, argv[1]) != 0) {
        fail("cannot connect");
    }
    msgpack_sbuffer buffer;
    msgpack_sbuffer_init(&buffer);
    double begun = now();
    for (unsigned long sent = 0, done = 0; done < all; done++) {
        while (sent < all && sent - done < flight) {
            send_command(socket, &buffer, sent++, points);
        }
        take_answer(socket);
    }
    printf("{\"commands\": %lu, \"seconds\": %.6f}\n", all, now() - begun);
    msgpack_sbuffer_destroy(&buffer);
    zmq_close(socket);
    zmq_ctx_term(context);
    return 0;
}
