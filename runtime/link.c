/* link.c - see link.h.
 *
 * A handler uses the socket, and the table of those that wait, inside of the runtime as
 * takeover_inside.h means it: nobody takes the worker over meanwhile. The program's own code
 * (refuse) runs outside, and when it comes back the link may be another thread's: then nothing more
 * is touched. That thread leaves the socket alone until the link's actor is its own, too.
 */
#include "runtime/link_inside.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zmq.h>

#define READ_AT_ONCE    64u       /* frames of one turn; then the mailbox is looked at again */
#define REQUEST_MS      86400000u /* of a command: what may take long answers within a day */
#define REFUSAL_BYTES   4096u
#define PUBLISH_HWM     100000 /* messages kept for a slow subscriber; what it misses it asks for */
#define ANSWERS_HWM     10000  /* answers that a client does not fetch; further ones are dropped */
#define LINGER_MS       200    /* for what was sent last, at the end */
#define FRAME_BYTES_MAX ((int64_t) 16 << 20) /* larger ends its connection, smaller is refused */

/* The class is a member of its link. */
link_t *
link_of_ctx(const actor_ctx_t *ctx)
{
    return (link_t *) ((uintptr_t) ctx->actor->class->class - offsetof(link_t, class));
}

/* ---- answers ---- */

static void
send_frame(link_t *link, const waiting_peer_t *peer, slice_t body)
{
    int more = ZMQ_SNDMORE | ZMQ_DONTWAIT;

    if (zmq_send(link->socket, peer->peer, peer->peer_size, more) < 0 ||
        (peer->delimited && zmq_send(link->socket, "", 0, more) < 0) ||
        zmq_send(link->socket, body.data, body.size, ZMQ_DONTWAIT) < 0) {
        link->gone++;
    }
}

/* worker: whose handler this is, NULL: none's. False: the link is another thread's by now. */
static bool
send_refusal(link_t *link, worker_t *worker, const waiting_peer_t *peer, slice_t request, err_t err)
{
    uint8_t frame[REFUSAL_BYTES];

    if (worker) {
        worker_leaves(worker);
    }
    size_t size = link->refuse(request, err, frame, sizeof frame);
    if (worker && worker_enters(worker)) {
        return false;
    }
    send_frame(link, peer, (slice_t){(const char *) frame, size});
    return true;
}

static void
peer_served(link_t *link, waiting_peer_t *peer)
{
    free(peer->request);
    *peer = (waiting_peer_t){.used = false};
    link->peers--;
}

/* Nobody hears the answers to what this incarnation has asked, or the one before. */
static bool
refuse_all(link_t *link, worker_t *worker, err_t err)
{
    for (uint32_t i = 0; i < ASKS_OPEN_MAX && link->peers > 0; i++) {
        waiting_peer_t *peer = &link->peer[i];
        if (peer->used) {
            slice_t request = {(const char *) peer->request, peer->request_size};
            if (!send_refusal(link, worker, peer, request, err)) {
                return false;
            }
            peer_served(link, peer);
        }
    }
    return true;
}

static actor_next_t
link_init(actor_ctx_t *ctx, void *state, const void *args)
{
    link_t *link = ((link_state_t *) state)->link = link_of_ctx(ctx);

    if (args || worker_enters(ctx->worker)) {
        return ACTOR_FAIL;
    }
    link->self = actor_self(ctx);
    link->core = ctx->worker->core;
    return refuse_all(link, ctx->worker, ERR_RESTARTING) ? ACTOR_CONTINUE : ACTOR_FAIL;
}

/* The order to stop may overtake the answers: who waits is told before the link goes. */
static void
link_drop(void *state)
{
    link_t *link = ((link_state_t *) state)->link;

    if (link && link->kind == LINK_COMMANDS && link->socket && core_stop_requested(link->core)) {
        refuse_all(link, NULL, ERR_STOPPING);
    }
}

/* Why there is no answer: a role that ended with its host is not stopped, the host is. */
static err_t
reason_of(const core_t *core, err_t err)
{
    return err == OK                                      ? ERR_INTERNAL
           : err == ERR_DOWN && core_stop_requested(core) ? ERR_STOPPING
                                                          : err;
}

static actor_next_t
link_answered(actor_ctx_t *ctx, void *state, const actor_answer_t *answer)
{
    link_t *link = ((link_state_t *) state)->link;
    const link_reply_t *reply = ANSWER_AS(answer, link_reply);

    if (worker_enters(ctx->worker)) {
        return ACTOR_FAIL;
    }
    claim(ctx, answer->tag < ASKS_OPEN_MAX && link->peer[answer->tag].used);
    waiting_peer_t *peer = &link->peer[answer->tag];
    slice_t request = {(const char *) peer->request, peer->request_size};
    if (reply) {
        send_frame(link, peer, record_slice(reply, reply->body));
    } else if (!send_refusal(link, ctx->worker, peer, request,
                             reason_of(ctx->worker->core, answer->err))) {
        return ACTOR_FAIL;
    }
    peer_served(link, peer);
    return ACTOR_CONTINUE;
}

/* ---- requests ---- */

static uint32_t
free_peer(const link_t *link)
{
    uint32_t which = 0;

    while (which < ASKS_OPEN_MAX && link->peer[which].used) {
        which++;
    }
    return which;
}

typedef struct asking {
    link_t *link;
    slice_t body;
    uint32_t which;
    verdict_t verdict;
} asking_t;

static actor_next_t
link_asks(actor_ctx_t *ctx, void *state, const void *argument)
{
    asking_t *asking = *(asking_t *const *) argument;
    link_request_t *m = DRAFT(ctx, link_request);

    assert(((link_state_t *) state)->link == asking->link);
    m->body = actor_text(ctx, asking->body);
    m->principal = actor_text(ctx, slice_of("local"));
    asking->verdict = actor_ask_role(ctx, 0, m, REQUEST_MS, link_answered, asking->which);
    return ACTOR_CONTINUE;
}

/* The request is kept for a refusal, which echoes its id. */
static void
peer_wait(link_t *link, uint32_t which, const waiting_peer_t *peer, slice_t body)
{
    waiting_peer_t *waiting = &link->peer[which];

    *waiting = *peer;
    waiting->used = true;
    waiting->request = malloc(body.size + 1);
    assert(waiting->request && "memory for a request");
    memcpy(waiting->request, body.data, body.size);
    waiting->request_size = (uint32_t) body.size;
    link->peers++;
}

static slice_t
body_of(zmq_msg_t *message)
{
    return (slice_t){zmq_msg_data(message), zmq_msg_size(message)};
}

/* NULL: it has not begun, or has ended. */
static actor_t *
actor_of(const link_t *link, core_t *core)
{
    return link->self.index && cell_holds(core, link->self)
               ? atomic_load(&cell_at(core, link->self.index)->actor)
               : NULL;
}

actor_t *
link_actor(const link_t *link, core_t *core)
{
    actor_t *actor = actor_of(link, core);

    return actor && actor->stage == STAGE_OPEN ? actor : NULL;
}

/* Its handler has not returned, and its worker went on without it. */
static bool
is_away(const link_t *link, const worker_t *worker)
{
    const actor_t *actor = actor_of(link, worker->core);

    return actor && actor->worker != worker;
}

/* Asks the role the frame that is kept. It stays kept when it found no room, and when the worker
 * was taken over meanwhile: then it was not asked, and what is kept is another thread's. */
static void
offer(link_t *link, worker_t *worker)
{
    const waiting_peer_t *peer = &link->kept_peer;
    asking_t asking = {link, body_of(&link->kept), free_peer(link), VERDICT_FULL};
    asking_t *argument = &asking;
    actor_t *actor = link_actor(link, worker->core);

    if (!actor) {
        send_refusal(link, NULL, peer, asking.body, ERR_STARTING);
        link->keeps = false;
        return;
    }
    if (asking.which < ASKS_OPEN_MAX) {
        core_run(actor, "link", link_asks, &argument);
    }
    if (worker_is_taken(worker) || asking.verdict == VERDICT_FULL) {
        return;
    }
    if (asking.verdict == VERDICT_OK) {
        peer_wait(link, asking.which, peer, asking.body);
    } else {
        err_t err = reason_of(worker->core, verdict_err(asking.verdict));
        send_refusal(link, NULL, peer, asking.body, err);
    }
    link->keeps = false;
}

/* One message: routing id, an empty delimiter or none, the body. False: there is none. */
static bool
receive(link_t *link, waiting_peer_t *ret_peer, zmq_msg_t *body, bool *ret_good)
{
    uint32_t frames = 0;

    *ret_good = true;
    do {
        zmq_msg_close(body);
        zmq_msg_init(body);
        if (zmq_msg_recv(body, link->socket, ZMQ_DONTWAIT) < 0) {
            return false;
        }
        size_t size = zmq_msg_size(body);
        bool more = zmq_msg_more(body);
        if (frames == 0) {
            *ret_peer = (waiting_peer_t){.peer_size = (uint8_t) size};
            memcpy(ret_peer->peer, zmq_msg_data(body), size);
        } else if (frames == 1 && more && size == 0) {
            ret_peer->delimited = true;
        } else if (more) {
            *ret_good = false;
        }
        frames++;
    } while (zmq_msg_more(body));
    *ret_good = *ret_good && frames >= 2;
    return true;
}

static void
read_commands(link_t *link, worker_t *worker)
{
    for (uint32_t i = 0; i < READ_AT_ONCE && !link->keeps; i++) {
        bool good = true;
        if (!receive(link, &link->kept_peer, &link->kept, &good)) {
            return;
        }
        if (!good || zmq_msg_size(&link->kept) > COMMAND_BYTES_MAX) {
            send_refusal(link, NULL, &link->kept_peer, slice_of(""),
                         good ? ERR_TOO_LARGE : ERR_BAD_REQUEST);
        } else {
            link->keeps = true;
            offer(link, worker);
        }
    }
}

void
link_read(link_t *link, worker_t *worker)
{
    switch (link->kind) {
    case LINK_DOOR:
        door_read(link, worker->core);
        break;
    case LINK_PEERS:
        peers_read(link, worker->core);
        break;
    default:
        read_commands(link, worker);
    }
}

void
link_retry(link_t *link, worker_t *worker)
{
    if (link->kind == LINK_PEERS) {
        peers_retry(link, worker->core);
    } else if (link_keeps(link, worker)) {
        offer(link, worker);
    }
}

void *
link_socket(const link_t *link, const worker_t *worker)
{
    bool reads = link->kind != LINK_STATUS && !link->keeps && !is_away(link, worker);

    return reads ? link->socket : NULL;
}

bool
link_keeps(const link_t *link, const worker_t *worker)
{
    return link->keeps && !is_away(link, worker);
}

bool
link_moves(const link_t *link)
{
    return link->kind == LINK_COMMANDS || link->kind == LINK_STATUS;
}

/* ---- publishing ---- */

HEARS(link_state_t, link_publish)
static actor_next_t
on_link_publish(actor_ctx_t *ctx, link_state_t *self, const link_publish_t *m)
{
    slice_t topic = record_slice(m, m->topic), body = record_slice(m, m->body);
    void *socket = self->link->socket;

    if (worker_enters(ctx->worker)) {
        return ACTOR_FAIL;
    }
    claim(ctx, socket != NULL);
    if (zmq_send(socket, topic.data, topic.size, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0 ||
        zmq_send(socket, body.data, body.size, ZMQ_DONTWAIT) < 0) {
        self->link->gone++;
    }
    return ACTOR_CONTINUE;
}
static const actor_hears_t publish_hears[] = {ON(link_publish)};

/* ---- the socket ---- */

static err_t
bind_at(link_t *link, void *socket)
{
    const char *path = strncmp(link->endpoint, "ipc://", 6) == 0 ? link->endpoint + 6 : NULL;

    if (zmq_bind(socket, link->endpoint) != 0) {
        return errno == ENAMETOOLONG ? ERR_NAME_TOO_LONG : err_of_errno(errno);
    }
    /* The directory is ours alone, so that nobody can connect before the mode is set. */
    return path && chmod(path, link->mode) != 0 ? err_of_errno(errno) : OK;
}

err_t
link_open(link_t *link, void *context)
{
    bool commands = link->kind != LINK_STATUS;
    int linger = LINGER_MS, hwm = commands ? ANSWERS_HWM : PUBLISH_HWM, yes = 1;
    int64_t bytes_max = FRAME_BYTES_MAX;

    if (link->kind == LINK_PEERS) {
        return peers_open(link, context);
    }
    void *socket = zmq_socket(context, commands ? ZMQ_ROUTER : ZMQ_PUB);
    if (!socket) {
        return ERR_FULL;
    }
    zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
    zmq_setsockopt(socket, ZMQ_SNDHWM, &hwm, sizeof hwm);
    zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &bytes_max, sizeof bytes_max);
    if (commands) {
        zmq_setsockopt(socket, ZMQ_ROUTER_MANDATORY, &yes, sizeof yes);
    }
    err_t err = bind_at(link, socket);
    if (err != OK) {
        zmq_close(socket);
        return err;
    }
    link->socket = socket;
    return OK;
}

void
link_close(link_t *link)
{
    if (link->socket) {
        guard_close(&link->peers_of.guard, link->socket);
        zmq_close(link->socket);
        link->socket = NULL;
    }
}

static void
class_of_kind(link_t *link)
{
    switch (link->kind) {
    case LINK_DOOR:
        door_class(link);
        break;
    case LINK_PEERS:
        peers_class(link);
        break;
    case LINK_COMMANDS:
        link->edge[0] = (actor_edge_t){EDGE_ASK, link->role, &link_request_type};
        link->class.edges = link->edge;
        link->class.edge_count = 1;
        break;
    default:
        link->class.hears = publish_hears;
        link->class.hears_count = 1;
    }
}

link_t *
link_new(const link_options_t *options)
{
    link_t *link = calloc(1, sizeof *link);

    assert(link && "memory for a link");
    link->kind = options->kind;
    snprintf(link->name, sizeof link->name, "%s", options->name);
    snprintf(link->endpoint, sizeof link->endpoint, "%s", options->endpoint);
    snprintf(link->role, sizeof link->role, "%s", options->role ? options->role : "");
    link->mode = options->mode;
    link->refuse = options->refuse;
    zmq_msg_init(&link->kept);
    link->class = (actor_class_t){.name = link->name,
                                  .state_bytes = sizeof(link_state_t),
                                  .init = link_init,
                                  .drop = link_drop,
                                  .placement = ACTOR_BESIDE_THE_POOL, /* its worker has a socket */
                                  .role = true};
    if (options->peers) {
        link->peers_of.dials = options->peers->dials;
        link->peers_of.plain = options->peers->plain;
        memcpy(link->peers_of.public_key, options->peers->public_key, 32);
        memcpy(link->peers_of.secret_key, options->peers->secret_key, 32);
        memcpy(link->peers_of.peer_key, options->peers->peer_key, 32);
    }
    class_of_kind(link);
    return link;
}

void
link_destroy(link_t **link)
{
    if (!*link) {
        return;
    }
    for (uint32_t i = 0; i < ASKS_OPEN_MAX; i++) {
        free((*link)->peer[i].request);
    }
    zmq_msg_close(&(*link)->kept);
    explicit_bzero((*link)->peers_of.secret_key, sizeof(*link)->peers_of.secret_key);
    free(*link);
    *link = NULL;
}

const actor_class_t *
link_class(const link_t *link)
{
    return &link->class;
}

bool
link_is_of(const link_t *link, const char *class_name)
{
    return strcmp(link->name, class_name) == 0;
}
