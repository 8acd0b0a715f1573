/* link_inside.h - what the files of the links share.
 *
 * Shape    struct link is a link of any kind; link.c has what all have, link_door.c and
 *          link_peers.c what is of one kind alone.
 * Threads  that of the link's worker.
 */
#pragma once

#include <zmq.h>

#include "runtime/inside.h"
#include "runtime/link.h"
#include "runtime/notes.h"

#define PEER_BYTES_MAX 255u /* of a routing id, by ZeroMQ */
#define LINK_EDGES_MAX 3u

#define USER_BYTES 129u /* of what a door calls a peer: the hex of a key */

/* The connections of a link that listens; see link_guard.c. */
typedef struct guarded guarded_t;
#define GUARD_PORTS_MAX 4u /* at which a link listens */
typedef struct guard {
    void *events;    /* of its socket; NULL: nobody is guarded */
    guarded_t *peer; /* by descriptor */
    uint32_t room, open, silent, most;
    uint16_t port[GUARD_PORTS_MAX]; /* 0: none */
} guard_t;

/* What a peer link has beside a link's own. */
typedef struct peers {
    bool dials, plain;
    uint8_t public_key[32], secret_key[32], peer_key[32];
    void *context;         /* of sockets, to dial anew */
    uint64_t odd;          /* frames that were no message of a peer */
    char user[USER_BYTES]; /* of the frame that is kept */
    guard_t guard;
} peers_t;

/* Where an answer goes: the peer, and whether it sent a delimiter. */
typedef struct waiting_peer {
    uint8_t peer[PEER_BYTES_MAX];
    uint8_t peer_size;
    bool delimited, used;
    uint8_t *request; /* kept for a refusal, which echoes the request's id */
    uint32_t request_size;
} waiting_peer_t;

struct link {
    link_kind_t kind;
    actor_class_t class;
    core_t *core; /* once its actor has begun */
    actor_edge_t edge[LINK_EDGES_MAX];
    char name[48], endpoint[512], role[48];
    uint32_t mode;
    link_refuse_fn *refuse;
    void *socket;
    actor_ref_t self;
    waiting_peer_t peer[ASKS_OPEN_MAX];
    uint32_t peers; /* in use */
    zmq_msg_t kept; /* the body that found no room */
    waiting_peer_t kept_peer;
    bool keeps;
    char failed[640]; /* the endpoint that could not be had, and why; "": none */
    uint64_t gone;    /* answers whose peer had left */
    peers_t peers_of; /* of LINK_PEERS */
};

typedef struct link_state {
    link_t *link;
} link_state_t;

link_t *link_of_ctx(const actor_ctx_t *ctx);
/* The link's actor while it takes messages, else NULL. */
actor_t *link_actor(const link_t *link, core_t *core);
/* link_frames.c */
/* Reads one message into frames of the caller; false: there is none. frames beyond max are read and
 * counted only. */
bool link_frames(link_t *link, zmq_msg_t *frame, uint32_t max, uint32_t *ret_count);

/* link_guard.c */
/* Before the socket is bound; false: no room for another socket. part: of the descriptors that the
 * process may have, one in so many is for connections at most. */
bool guard_open(guard_t *guard, void *context, void *socket, uint32_t part) must_use;
void guard_bound(guard_t *guard, void *socket);
void guard_close(guard_t *guard, void *socket);
/* Takes note of who came and went, and ends who has to go. */
void guard_look(guard_t *guard, int64_t now_ns);
/* A frame came by this descriptor, from whom the door knows by this name. */
void guard_heard(guard_t *guard, int fd, const char *user, int64_t now_ns);
/* The one word of a plain connection; false: it has said it before, or may say none. */
bool guard_word(guard_t *guard, int fd, slice_t peer, int64_t now_ns) must_use;
/* The role has said something to that connection: it stays. */
void guard_answered(guard_t *guard, slice_t peer);

/* link_door.c */
void door_read(link_t *link, core_t *core);
void door_class(link_t *link);

/* link_peers.c */
void peers_read(link_t *link, core_t *core);
void peers_retry(link_t *link, core_t *core);
void peers_class(link_t *link);
err_t peers_open(link_t *link, void *context) must_use;
