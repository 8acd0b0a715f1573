/* link_door.c - who may come in at a peer link: ZAP requests, each asked of the role as door_knock.
 *
 * Bytes    by ZAP 1.0: an empty delimiter, version, request id, domain, address, identity,
 *          mechanism, credentials; the answer has version, request id, status code, text, user id,
 *          metadata. The user id is the hex of the key, so that each frame of the peer carries it.
 * Valid    only CURVE and a key of 32 bytes; anything else is answered 400 without being asked.
 *
 * While the role is not there or has no room the answer is 300: the peer knocks again later. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/link_inside.h"

#define KNOCKS_AT_ONCE 64u
#define ZAP_FRAMES     9u /* with the address of who asks and the delimiter, the last the key */
#define KEY_BYTES      32u
#define KNOCK_MS       5000u /* then it is answered 300; the handshake itself has as long */
#define KEY_HEX_BYTES  (2 * KEY_BYTES + 1)

enum { FRAME_PEER, FRAME_DELIMITER, FRAME_VERSION, FRAME_REQUEST, FRAME_DOMAIN, FRAME_ADDRESS };
enum { FRAME_MECHANISM = 7, FRAME_KEY = 8 };

static slice_t
slice_in(zmq_msg_t *frame)
{
    return (slice_t){zmq_msg_data(frame), zmq_msg_size(frame)};
}

/* ---- answers ---- */

static void
put_frame(link_t *link, slice_t bytes, bool more)
{
    if (zmq_send(link->socket, bytes.data, bytes.size, ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0)) <
        0) {
        link->gone++;
    }
}

static void
answer_knock(link_t *link, const waiting_peer_t *peer, slice_t request, const char *code,
             const char *user)
{
    put_frame(link, (slice_t){(const char *) peer->peer, peer->peer_size}, true);
    put_frame(link, slice_of(""), true);
    put_frame(link, slice_of("1.0"), true);
    put_frame(link, request, true);
    put_frame(link, slice_of(code), true);
    put_frame(link, slice_of(*user ? "OK" : "not known here"), true);
    put_frame(link, slice_of(user), true);
    put_frame(link, slice_of(""), false);
}

/* What is kept of a knock: the key, then the request id. */
static slice_t
request_of(const waiting_peer_t *peer)
{
    return (slice_t){(const char *) peer->request + KEY_BYTES, peer->request_size - KEY_BYTES};
}

static void
answer_waiting(link_t *link, waiting_peer_t *peer, const char *code, bool opens)
{
    char user[KEY_HEX_BYTES] = "";

    if (opens) {
        hex_of_bytes(peer->request, KEY_BYTES, user);
    }
    answer_knock(link, peer, request_of(peer), code, user);
    free(peer->request);
    *peer = (waiting_peer_t){.used = false};
    link->peers--;
}

static actor_next_t
door_answered(actor_ctx_t *ctx, void *state, const actor_answer_t *answer)
{
    link_t *link = ((link_state_t *) state)->link;
    const door_opens_t *m = ANSWER_AS(answer, door_opens);

    claim(ctx, answer->tag < ASKS_OPEN_MAX && link->peer[answer->tag].used);
    answer_waiting(link, &link->peer[answer->tag],
                   !m        ? "300"
                   : m->open ? "200"
                             : "400",
                   m && m->open);
    return ACTOR_CONTINUE;
}

/* ---- knocks ---- */

typedef struct knock {
    uint32_t which;
    slice_t key, address;
    verdict_t verdict;
} knock_t;

static actor_next_t
door_asks(actor_ctx_t *ctx, void *state, const void *argument)
{
    knock_t *knock = *(knock_t *const *) argument;
    door_knock_t *m = DRAFT(ctx, door_knock);

    assert(((link_state_t *) state)->link->kind == LINK_DOOR);
    m->key = actor_text(ctx, knock->key);
    m->address = actor_text(ctx, knock->address);
    knock->verdict = actor_ask_role(ctx, 0, m, KNOCK_MS, door_answered, knock->which);
    return ACTOR_CONTINUE;
}

static uint32_t
free_place(const link_t *link)
{
    uint32_t which = 0;

    while (which < ASKS_OPEN_MAX && link->peer[which].used) {
        which++;
    }
    return which;
}

static void
keep_knock(link_t *link, uint32_t which, const waiting_peer_t *peer, slice_t key, slice_t request)
{
    waiting_peer_t *waiting = &link->peer[which];

    *waiting = *peer;
    waiting->used = true;
    waiting->request = malloc(KEY_BYTES + request.size + 1);
    assert(waiting->request && "memory for a knock");
    memcpy(waiting->request, key.data, KEY_BYTES);
    memcpy(waiting->request + KEY_BYTES, request.data, request.size);
    waiting->request_size = (uint32_t) (KEY_BYTES + request.size);
    link->peers++;
}

static void
knock_with(link_t *link, core_t *core, const waiting_peer_t *peer, zmq_msg_t *frame)
{
    slice_t request = slice_in(&frame[FRAME_REQUEST]), address = slice_in(&frame[FRAME_ADDRESS]);
    knock_t knock = {free_place(link), slice_in(&frame[FRAME_KEY]), address, VERDICT_FULL};
    knock_t *argument = &knock;
    actor_t *actor = link_actor(link, core);

    knock.address.size = address.size > 64 ? 64 : address.size;
    if (actor && knock.which < ASKS_OPEN_MAX) {
        core_run(actor, "door", door_asks, &argument);
    }
    if (actor && knock.verdict == VERDICT_OK) {
        keep_knock(link, knock.which, peer, knock.key, request);
    } else {
        answer_knock(link, peer, request, "300", "");
    }
}

static void
take_knock(link_t *link, core_t *core, zmq_msg_t *frame, uint32_t count)
{
    waiting_peer_t peer = {.peer_size = (uint8_t) zmq_msg_size(&frame[FRAME_PEER])};

    if (count < FRAME_REQUEST + 1 || zmq_msg_size(&frame[FRAME_DELIMITER]) != 0) {
        link->peers_of.odd++;
        return;
    }
    memcpy(peer.peer, zmq_msg_data(&frame[FRAME_PEER]), peer.peer_size);
    if (count != ZAP_FRAMES || zmq_msg_size(&frame[FRAME_KEY]) != KEY_BYTES ||
        !slice_equal(slice_in(&frame[FRAME_VERSION]), slice_of("1.0")) ||
        !slice_equal(slice_in(&frame[FRAME_MECHANISM]), slice_of("CURVE"))) {
        answer_knock(link, &peer, slice_in(&frame[FRAME_REQUEST]), "400", "");
        return;
    }
    knock_with(link, core, &peer, frame);
}

void
door_read(link_t *link, core_t *core)
{
    zmq_msg_t frame[ZAP_FRAMES];
    uint32_t count = 0;

    for (uint32_t i = 0; i < ZAP_FRAMES; i++) {
        zmq_msg_init(&frame[i]);
    }
    for (uint32_t i = 0; i < KNOCKS_AT_ONCE && link_frames(link, frame, ZAP_FRAMES, &count); i++) {
        take_knock(link, core, frame, count);
    }
    for (uint32_t i = 0; i < ZAP_FRAMES; i++) {
        zmq_msg_close(&frame[i]);
    }
}

/* ---- the actor ---- */

/* Nobody hears the answers to what the incarnation before has asked. */
static actor_next_t
door_init(actor_ctx_t *ctx, void *state, const void *args)
{
    link_t *link = link_of_ctx(ctx);

    ((link_state_t *) state)->link = link;
    link->self = actor_self(ctx);
    link->core = ctx->worker->core;
    for (uint32_t i = 0; i < ASKS_OPEN_MAX && link->peers > 0; i++) {
        if (link->peer[i].used) {
            answer_waiting(link, &link->peer[i], "300", false);
        }
    }
    return args ? ACTOR_FAIL : ACTOR_CONTINUE;
}

void
door_class(link_t *link)
{
    link->edge[0] = (actor_edge_t){EDGE_ASK, link->role, &door_knock_type};
    link->class.init = door_init;
    link->class.edges = link->edge;
    link->class.edge_count = 1;
}
