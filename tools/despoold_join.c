/* despoold_join.c - one question to a site, over CURVE: may I be this point's agent?
 *
 * The token's secret is a key of CURVE: it is proved, never sent. The door of the site lets in only
 * who has a token of it that was not forgotten; whether it is good the answer says. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <zmq.h>

#include "actors/agent_wire.h"
#include "actors/content/keys.h"
#include "runtime/world_os.h"
#include "tools/despoold_agent.h"

#define ANSWER_MS    15000 /* until a handshake is through, however many fail; then as long again */
#define HANDSHAKE_MS 5000

typedef struct talk {
    void *context, *socket, *monitor;
    bool heard; /* the question may be with a site that has not refused it */
    uint64_t memory[8192];
    uint8_t frame[8192];
} talk_t;

static void
close_talk(talk_t *talk)
{
    if (talk->socket) {
        zmq_socket_monitor(talk->socket, NULL, 0);
        zmq_close(talk->socket);
    }
    if (talk->monitor) {
        zmq_close(talk->monitor);
    }
    zmq_ctx_term(talk->context);
}

static bool
open_talk(talk_t *talk, const token_t *token)
{
    digest_t public_half;
    int none = 0, handshake = HANDSHAKE_MS;
    int events = ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                 ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_SUCCEEDED;

    sign_transport_key(&token->secret, &public_half);
    talk->context = zmq_ctx_new();
    talk->socket = zmq_socket(talk->context, ZMQ_DEALER);
    talk->monitor = zmq_socket(talk->context, ZMQ_PAIR);
    zmq_setsockopt(talk->socket, ZMQ_LINGER, &none, sizeof none);
    zmq_setsockopt(talk->monitor, ZMQ_LINGER, &none, sizeof none);
    zmq_setsockopt(talk->socket, ZMQ_HANDSHAKE_IVL, &handshake, sizeof handshake);
    zmq_setsockopt(talk->socket, ZMQ_CURVE_SERVERKEY, token->site_key.byte, 32);
    zmq_setsockopt(talk->socket, ZMQ_CURVE_PUBLICKEY, public_half.byte, 32);
    zmq_setsockopt(talk->socket, ZMQ_CURVE_SECRETKEY, token->secret.byte, 32);
    return zmq_socket_monitor(talk->socket, "inproc://join.monitor", events) == 0 &&
           zmq_connect(talk->monitor, "inproc://join.monitor") == 0 &&
           zmq_connect(talk->socket, token->address) == 0;
}

static err_t
refuse(const token_t *token, err_t err, const char *why)
{
    fprintf(stderr, "cannot join '%s' as '%s': %s\n  %s\n", token->address, token->name,
            why ? why : err_sentence(err), err_hint(err));
    return err;
}

static err_t
say(talk_t *talk, const token_t *token, const keys_t *keys, const char *root, const id128_t *former)
{
    draft_t draft;

    draft_over(&draft, talk->memory, sizeof talk->memory);
    agent_enrol_t *m = draft_begin(&draft, &agent_enrol_type);
    m->v = AGENT_WIRE_VERSION;
    m->key = keys->transport_key;
    m->signing = keys->signing_key;
    m->root = draft_text(&draft, slice_of(root));
    m->former = *former;
    size_t size = agent_frame_write(&agent_enrol_type, m, talk->frame, sizeof talk->frame);
    if (size == 0 || zmq_send(talk->socket, talk->frame, size, 0) < 0) {
        return refuse(token, ERR_IO, NULL);
    }
    return OK;
}

static err_t
hear(talk_t *talk, const token_t *token, digest_t *ret_signing)
{
    const record_type_t *type = NULL;
    const void *record = NULL;
    int size = zmq_recv(talk->socket, talk->frame, sizeof talk->frame, ZMQ_DONTWAIT);
    slice_t frame = {(const char *) talk->frame, size < 0 ? 0 : (size_t) size};

    talk->heard = true;
    if (size < 0 || frame.size > sizeof talk->frame ||
        agent_frame_read(frame, SITE_SAYS, talk->memory, sizeof talk->memory, &type, &record) !=
            OK) {
        return refuse(token, ERR_BAD_REQUEST, "it does not answer as a site does");
    }
    if (type == &agent_enrolled_type) {
        *ret_signing = ((const agent_enrolled_t *) record)->site_signing;
        return digest_is_none(ret_signing) ? refuse(token, ERR_BAD_REQUEST, NULL) : OK;
    }
    const agent_refused_t *refused = type == &agent_refused_type ? record : NULL;
    talk->heard = !refused;
    return refuse(token, refused ? (err_t) refused->err : ERR_BAD_REQUEST, NULL);
}

/* What became of a handshake. One that failed may be the site's last word: that it does not know
 * the token. One that ended without a word is tried again by ZeroMQ: the site may not know yet that
 * there is such a token, or have just begun. What waited goes out with one that succeeded. */
static uint16_t
take_event(talk_t *talk)
{
    uint8_t bytes[6];
    uint16_t event = 0;

    if (zmq_recv(talk->monitor, bytes, sizeof bytes, ZMQ_DONTWAIT) == (int) sizeof bytes) {
        memcpy(&event, bytes, sizeof event);
    }
    (void) zmq_recv(talk->monitor, NULL, 0, ZMQ_DONTWAIT); /* the address */
    talk->heard = talk->heard || event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED;
    return event;
}

static int64_t
now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Why nothing came. Whose handshakes end without a word may be anything that listens. */
static err_t
refuse_silence(const token_t *token, uint16_t last)
{
    return last == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH
               ? refuse(token, ERR_TOKEN, "the site does not know the token (any more)")
           : last != 0 && last != ZMQ_EVENT_HANDSHAKE_SUCCEEDED
               ? refuse(token, ERR_DEADLINE,
                        "what listens there is no site, not the one that made the token, or busy")
               : refuse(token, ERR_DEADLINE, "nobody answers there");
}

static err_t
wait_for_answer(talk_t *talk, const token_t *token, digest_t *ret_signing)
{
    zmq_pollitem_t item[] = {{talk->socket, 0, ZMQ_POLLIN, 0}, {talk->monitor, 0, ZMQ_POLLIN, 0}};
    int64_t until_ms = now_ms() + ANSWER_MS, left_ms = ANSWER_MS;
    uint16_t last = 0;
    bool through = false;

    while (left_ms > 0 && last != ZMQ_EVENT_HANDSHAKE_FAILED_AUTH) {
        int ready = zmq_poll(item, 2, (long) left_ms);
        if (ready > 0 && (item[0].revents & ZMQ_POLLIN)) {
            return hear(talk, token, ret_signing);
        }
        uint16_t event = ready > 0 && (item[1].revents & ZMQ_POLLIN) ? take_event(talk) : 0;
        last = event != 0 ? event : last;
        if (event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED && !through) {
            until_ms = now_ms() + ANSWER_MS;
            through = true;
        }
        left_ms = until_ms - now_ms();
    }
    return refuse_silence(token, last);
}

err_t
agent_enrol_at(const token_t *token, const char *data, const char *root, const id128_t *former,
               digest_t *ret_signing, bool *ret_taken)
{
    static talk_t talk;
    world_os_t os;
    fault_t fault = {0};
    keys_t keys;
    char text[1024];
    err_t err = keys_open(world_os_init(&os, NULL), data, &keys, &fault);

    if (err != OK) {
        fprintf(stderr, "%s\n  %s\n", fault_text(&fault, text, sizeof text), err_hint(err));
        return err;
    }
    talk = (talk_t){.context = NULL};
    if (!open_talk(&talk, token)) {
        err = refuse(token, ERR_IO, "it is no address that can be reached");
    }
    err = err == OK ? say(&talk, token, &keys, root, former) : err;
    err = err == OK ? wait_for_answer(&talk, token, ret_signing) : err;
    close_talk(&talk);
    *ret_taken = talk.heard;
    explicit_bzero(&keys, sizeof keys);
    return err;
}
