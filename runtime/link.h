/* link.h - outside sockets, as actors on workers of their own.
 *
 * Shape    a link is a class made for it, one actor of that class, and a socket that the thread of
 *          its worker opens, waits on beside the mailbox, and closes. A command link (ROUTER) asks
 *          each frame of a role as link_request; a status link (PUB) hears link_publish. A peer
 *          link (ROUTER that listens, DEALER that dials; CURVE always) tells its role each frame
 *          as peer_came, and asks it peer_next for what to send. A door (ROUTER, ZAP) asks the
 *          role door_knock at each handshake.
 * Promises a frame that finds no room (the role's lane, or ASKS_OPEN_MAX open asks) is kept, and no
 *          further one is read until it has found some: nothing is dropped, the client waits. Every
 *          frame is answered once. A message of other frames than an optional empty delimiter and a
 *          body is refused. The body is the last frame, at most COMMAND_BYTES_MAX. What a peer
 *          link could not send is told (peer_gone), never dropped in silence; whom a door was not
 *          opened for is answered nothing, and so are all while the role is not there. When the
 *          worker of a command link is taken over (its program's refuse does not return), the link
 *          goes with it; nothing is read until its actor is back, and started again.
 * Costs    one copy of each body.
 * Errors   link_open: ERR_NO_ADDRESS, ERR_IO, ERR_PERMISSION, ERR_NAME_TOO_LONG ...
 * Threads  link_read .. link_retry by the thread that has its worker, all else by the host's.
 * Owner    link_new -> host, link_destroy(&link).
 */
#pragma once

#include "runtime/core.h"
#include "runtime/host.h"

#define DOOR_ENDPOINT "inproc://zeromq.zap.01" /* by ZAP (rfc.zeromq.org/spec/27) */

typedef struct link link_t;
typedef enum link_kind { LINK_COMMANDS, LINK_STATUS, LINK_DOOR, LINK_PEERS } link_kind_t;

/* Writes the frame that answers a request which its role could not; returns its bytes (at most
 * size). The program gives it, because the runtime knows no wire. */
typedef size_t link_refuse_fn(slice_t request, err_t err, uint8_t *ret_frame, size_t size);

typedef struct link_options {
    link_kind_t kind;
    const char *name; /* class and role name */
    const char *endpoint;
    const char *role; /* asked; NULL: a status link */
    uint32_t mode;    /* permission bits of an ipc socket */
    link_refuse_fn *refuse;
    const host_peers_t *peers; /* of LINK_PEERS */
} link_options_t;

link_t *link_new(const link_options_t *options);
void link_destroy(link_t **link);
const actor_class_t *link_class(const link_t *link);
/* The link whose actor's worker is this one by name, NULL: none. */
bool link_is_of(const link_t *link, const char *class_name);
err_t link_open(link_t *link, void *context) must_use;
/* After link_open has failed: where it could not listen, and why; "": that was not it. */
const char *link_failed(const link_t *link);
void link_close(link_t *link);
/* The socket to wait on now, NULL while the link does not read; worker: that it rides on. */
void *link_socket(const link_t *link, const worker_t *worker);
/* Something came: reads what there is, at most some frames. The worker may be taken over then. */
void link_read(link_t *link, worker_t *worker);
/* A frame found no room and is kept. */
bool link_keeps(const link_t *link, const worker_t *worker);
/* Tries a kept frame again; call it now and then while there is one. */
void link_retry(link_t *link, worker_t *worker);
/* Whether another thread may have it with its worker, when that is taken over. Door and peer links
 * run no code but their own in their handlers: what hangs there is not helped by it. */
bool link_moves(const link_t *link);
