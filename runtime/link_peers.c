/* link_peers.c - a socket between sites and their far ends: ROUTER that listens, DEALER that dials.
 *
 * Bytes    a message is one frame, beside the address that ROUTER puts before it; anything else is
 *          counted and let go. CURVE: a listening link has a door that its peers passed. A plain
 *          one has none, and hears one short word of each connection.
 *
 * The link has some asks open at its role (peer_next), and each answer is one frame to send: so the
 * role needs no edge to a link, and nothing is told that the link could not take. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/link_inside.h"

#define READ_AT_ONCE  16u
#define NEXT_OPEN     32u       /* asks for what to send */
#define NEXT_MS       86400000u /* of one of them; then it is asked anew */
#define AGAIN_MS      100u      /* after the role was not there */
#define HANDSHAKE_MS  5000      /* of a peer; then its connection is ended */
#define FRAMES_HWM    10000     /* far more than credit lets be under way */
#define HEARTBEAT_MS  2000      /* ends a connection whose other side has vanished */
#define HEARTBEATS_MS 6000

#define GUARD_MS    100u      /* between looks at who is connected */
#define TIMER_GUARD NEXT_OPEN /* the first ones are those of its asks */

enum { EDGE_CAME, EDGE_GONE, EDGE_NEXT };

/* ---- the socket ---- */

static void
set_number(void *socket, int option, int value)
{
    int failed = zmq_setsockopt(socket, option, &value, sizeof value);
    assert(failed == 0 && "libzmq knows this option");
}

static void
set_key(void *socket, int option, const uint8_t key[32])
{
    int failed = zmq_setsockopt(socket, option, key, 32);
    assert(failed == 0 && "libzmq was built with CURVE");
}

static void
set_curve(const peers_t *peers, void *socket)
{
    set_key(socket, ZMQ_CURVE_SECRETKEY, peers->secret_key);
    if (peers->dials) {
        set_key(socket, ZMQ_CURVE_PUBLICKEY, peers->public_key);
        set_key(socket, ZMQ_CURVE_SERVERKEY, peers->peer_key);
        return;
    }
    set_number(socket, ZMQ_CURVE_SERVER, 1);
    zmq_setsockopt(socket, ZMQ_ZAP_DOMAIN, "peers", 5);
}

/* A plain connection lives once: what was said in it is good for no other one. */
static void
set_options(const link_t *link, void *socket)
{
    const peers_t *peers = &link->peers_of;
    bool hears_words = peers->plain && !peers->dials;
    int64_t bytes_max = hears_words ? PEER_WORD_BYTES_MAX : PEER_FRAME_BYTES_MAX;

    set_number(socket, ZMQ_LINGER, 0);
    set_number(socket, ZMQ_SNDHWM, FRAMES_HWM);
    set_number(socket, ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS);
    set_number(socket, ZMQ_HEARTBEAT_IVL, HEARTBEAT_MS);
    set_number(socket, ZMQ_HEARTBEAT_TIMEOUT, HEARTBEATS_MS);
    zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &bytes_max, sizeof bytes_max);
    if (!peers->plain) {
        set_curve(peers, socket);
    }
    if (peers->dials) {
        set_number(socket, ZMQ_RECONNECT_IVL, peers->plain ? -1 : 500);
    } else {
        set_number(socket, ZMQ_ROUTER_MANDATORY, 1);
    }
}

static err_t
fail_at(link_t *link, const char *endpoint, int os_error)
{
    bool taken = os_error == EADDRINUSE || os_error == EADDRNOTAVAIL || os_error == ENODEV;

    snprintf(link->failed, sizeof link->failed, "'%s': %s", endpoint, zmq_strerror(os_error));
    return taken ? ERR_NO_ADDRESS : err_of_errno(os_error);
}

const char *
link_failed(const link_t *link)
{
    return link->failed;
}

/* Endpoints with a blank between them. */
static err_t
bind_all(link_t *link, void *socket)
{
    const char *endpoints = link->endpoint;
    char endpoint[sizeof link->endpoint];

    for (size_t size = 0; *endpoints; endpoints += size + (endpoints[size] == ' ')) {
        size = strcspn(endpoints, " ");
        snprintf(endpoint, sizeof endpoint, "%.*s", (int) size, endpoints);
        if (zmq_bind(socket, endpoint) != 0) {
            return fail_at(link, endpoint, errno);
        }
        guard_bound(&link->peers_of.guard, socket);
    }
    return OK;
}

static err_t
listen_at(link_t *link, void *context, void *socket)
{
    guard_t *guard = &link->peers_of.guard;

    if (!guard_open(guard, context, socket, link->peers_of.plain ? 4 : 2)) {
        return ERR_FULL;
    }
    err_t err = bind_all(link, socket);
    if (err != OK) {
        guard_close(guard, socket);
    }
    return err;
}

err_t
peers_open(link_t *link, void *context)
{
    bool dials = link->peers_of.dials;

    link->peers_of.context = context;
    if (!link->endpoint[0]) {
        return OK; /* it is not told yet */
    }
    void *socket = zmq_socket(context, dials ? ZMQ_DEALER : ZMQ_ROUTER);
    if (!socket) {
        return ERR_FULL;
    }
    set_options(link, socket);
    err_t err = !dials                                     ? listen_at(link, context, socket)
                : zmq_connect(socket, link->endpoint) == 0 ? OK
                                                           : err_of_errno(errno);
    if (err != OK) {
        zmq_close(socket);
        return err;
    }
    link->socket = socket;
    return OK;
}

static void
hang_up(link_t *link)
{
    if (link->socket) {
        zmq_close(link->socket);
    }
    link->socket = NULL;
}

/* A connection may be refused for good, or its other side be gone without a word. */
static bool
dial_anew(link_t *link, slice_t endpoint)
{
    if (endpoint.size > 0 && !slice_copy(endpoint, link->endpoint, sizeof link->endpoint)) {
        return false;
    }
    hang_up(link);
    return peers_open(link, link->peers_of.context) == OK;
}

/* ---- sending ---- */

static slice_t
body_of(zmq_msg_t *message)
{
    return (slice_t){zmq_msg_data(message), zmq_msg_size(message)};
}

static bool
send_body(link_t *link, slice_t peer, slice_t body)
{
    if (!link->peers_of.dials &&
        zmq_send(link->socket, peer.data, peer.size, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0) {
        return false;
    }
    return zmq_send(link->socket, body.data, body.size, ZMQ_DONTWAIT) >= 0;
}

static actor_next_t next_came(actor_ctx_t *ctx, void *state, const actor_answer_t *answer);

static actor_next_t
ask_next(actor_ctx_t *ctx, uint64_t which)
{
    peer_next_t *m = DRAFT(ctx, peer_next);

    m->number = (uint32_t) which;
    m->plain = link_of_ctx(ctx)->peers_of.plain;
    if (actor_ask_role(ctx, EDGE_NEXT, m, NEXT_MS, next_came, which) == VERDICT_OK) {
        return ACTOR_CONTINUE;
    }
    return actor_timer(ctx, which, AGAIN_MS) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
}

static void
send_out(actor_ctx_t *ctx, link_t *link, const peer_send_t *m)
{
    slice_t peer = record_slice(m, m->peer), body = record_slice(m, m->body);
    bool sent = !m->dial || dial_anew(link, peer);

    if (sent && body.size > 0) {
        sent = link->socket && send_body(link, peer, body);
    }
    if (sent && link->peers_of.plain) {
        guard_answered(&link->peers_of.guard, peer);
    }
    if (!sent) {
        peer_gone_t *gone = DRAFT(ctx, peer_gone);
        gone->peer = actor_text(ctx, peer);
        gone->plain = link->peers_of.plain;
        link->gone += actor_tell_role(ctx, EDGE_GONE, gone) != VERDICT_OK;
    }
}

static actor_next_t
next_came(actor_ctx_t *ctx, void *state, const actor_answer_t *answer)
{
    link_t *link = ((link_state_t *) state)->link;
    const peer_send_t *m = ANSWER_AS(answer, peer_send);

    if (m && m->ends) {
        hang_up(link);
        return ask_next(ctx, answer->tag);
    }
    if (m) {
        claim(ctx, link->socket || m->dial || link->peers_of.plain);
        send_out(ctx, link, m);
        return ask_next(ctx, answer->tag);
    }
    return actor_timer(ctx, answer->tag, AGAIN_MS) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
}

/* ---- reading ---- */

typedef struct arrival {
    const waiting_peer_t *peer;
    const char *user;
    slice_t body;
    verdict_t verdict;
} arrival_t;

static actor_next_t
tell_arrival(actor_ctx_t *ctx, void *state, const void *argument)
{
    arrival_t *arrival = *(arrival_t *const *) argument;
    peer_came_t *m = DRAFT(ctx, peer_came);

    assert(((link_state_t *) state)->link->kind == LINK_PEERS);
    m->peer =
        actor_text(ctx, (slice_t){(const char *) arrival->peer->peer, arrival->peer->peer_size});
    m->user = actor_text(ctx, slice_of(arrival->user));
    m->body = actor_text(ctx, arrival->body);
    m->plain = ((link_state_t *) state)->link->peers_of.plain;
    arrival->verdict = actor_tell_role(ctx, EDGE_CAME, m);
    return ACTOR_CONTINUE;
}

/* False: the role has no room, and the frame waits. A role that is not there hears nothing: its
 * peers begin anew with it. */
static bool
tell(link_t *link, core_t *core)
{
    arrival_t arrival = {&link->kept_peer,
                         link->peers_of.user,
                         {zmq_msg_data(&link->kept), zmq_msg_size(&link->kept)},
                         VERDICT_DOWN};
    arrival_t *argument = &arrival;
    actor_t *actor = link_actor(link, core);

    if (actor) {
        core_run(actor, "peers", tell_arrival, &argument);
    }
    link->gone += arrival.verdict != VERDICT_OK && arrival.verdict != VERDICT_FULL;
    return arrival.verdict != VERDICT_FULL;
}

/* Whether a frame is heard that came to a link that listens; *ret_user: the key that was proved. */
static bool
is_heard(link_t *link, zmq_msg_t *frame, int64_t now_ns, const char **ret_user)
{
    guard_t *guard = &link->peers_of.guard;
    int fd = zmq_msg_get(&frame[1], ZMQ_SRCFD);

    if (link->peers_of.plain) {
        *ret_user = "";
        return guard_word(guard, fd, body_of(&frame[0]), now_ns);
    }
    *ret_user = zmq_msg_gets(&frame[1], "User-Id");
    if (!*ret_user || strlen(*ret_user) != 64) {
        return false;
    }
    guard_heard(guard, fd, *ret_user, now_ns);
    return true;
}

static bool
take_message(link_t *link, zmq_msg_t *frame, uint32_t count, int64_t now_ns)
{
    uint32_t body = link->peers_of.dials ? 0 : 1;
    const char *user = "";

    if (count != body + 1 || (body == 1 && !is_heard(link, frame, now_ns, &user))) {
        link->peers_of.odd++;
        return false;
    }
    link->kept_peer = (waiting_peer_t){.used = false};
    if (body == 1) {
        link->kept_peer.peer_size = (uint8_t) zmq_msg_size(&frame[0]);
        memcpy(link->kept_peer.peer, zmq_msg_data(&frame[0]), link->kept_peer.peer_size);
    }
    snprintf(link->peers_of.user, sizeof link->peers_of.user, "%s", user);
    zmq_msg_move(&link->kept, &frame[body]);
    return true;
}

void
peers_read(link_t *link, core_t *core)
{
    zmq_msg_t frame[2];
    uint32_t count = 0;

    int64_t now_ns = core->executor.now_ns(core->executor.self);

    zmq_msg_init(&frame[0]);
    zmq_msg_init(&frame[1]);
    guard_look(&link->peers_of.guard, now_ns);
    for (uint32_t i = 0; i < READ_AT_ONCE && !link->keeps; i++) {
        if (!link_frames(link, frame, 2, &count)) {
            break;
        }
        link->keeps = take_message(link, frame, count, now_ns) && !tell(link, core);
    }
    zmq_msg_close(&frame[0]);
    zmq_msg_close(&frame[1]);
}

void
peers_retry(link_t *link, core_t *core)
{
    if (link->keeps && tell(link, core)) {
        link->keeps = false;
    }
}

/* ---- the actor ---- */

static actor_next_t
peers_init(actor_ctx_t *ctx, void *state, const void *args)
{
    link_t *link = link_of_ctx(ctx);

    ((link_state_t *) state)->link = link;
    link->self = actor_self(ctx);
    link->core = ctx->worker->core;
    peer_gone_t *all = DRAFT(ctx, peer_gone); /* what was asked before is answered to nobody */
    all->plain = link->peers_of.plain;
    link->gone += actor_tell_role(ctx, EDGE_GONE, all) == VERDICT_FULL;
    for (uint64_t i = 0; i < NEXT_OPEN; i++) {
        claim(ctx, ask_next(ctx, i) == ACTOR_CONTINUE);
    }
    if (!link->peers_of.dials) {
        claim(ctx, actor_timer(ctx, TIMER_GUARD, GUARD_MS) == VERDICT_OK);
    }
    return args ? ACTOR_FAIL : ACTOR_CONTINUE;
}

static actor_next_t
guard_again(actor_ctx_t *ctx, link_t *link)
{
    guard_look(&link->peers_of.guard, actor_now_ns(ctx));
    return actor_timer(ctx, TIMER_GUARD, GUARD_MS) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
}

static actor_next_t
peers_timer(actor_ctx_t *ctx, void *state, uint64_t key)
{
    return key == TIMER_GUARD ? guard_again(ctx, ((link_state_t *) state)->link)
                              : ask_next(ctx, key);
}

void
peers_class(link_t *link)
{
    link->edge[EDGE_CAME] = (actor_edge_t){EDGE_TELL, link->role, &peer_came_type};
    link->edge[EDGE_GONE] = (actor_edge_t){EDGE_TELL, link->role, &peer_gone_type};
    link->edge[EDGE_NEXT] = (actor_edge_t){EDGE_ASK, link->role, &peer_next_type};
    link->class.init = peers_init;
    link->class.on_timer = peers_timer;
    link->class.edges = link->edge;
    link->class.edge_count = 3;
}
