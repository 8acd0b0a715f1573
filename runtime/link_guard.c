/* link_guard.c - who is connected at a peer link that listens, and who has to go.
 *
 * A connection is known by its descriptor: ZeroMQ tells which were taken and which have ended,
 * and each frame says by which one it came. One that has to go is shut down, and ZeroMQ closes it,
 * with all that waits there to be sent. Ended are
 *   - of those that have said nothing yet the oldest, when there are more than PEERS_SILENT_MAX,
 *     and each after PEERS_SILENT_MS: a flood of strangers makes room for itself alone;
 *   - of those of one key all but the newest: nobody has content sent twice into memory of ours;
 *   - the newest, when there are more than PEERS_MAX, or than half of the descriptors that the
 *     process may have (at a plain link a quarter): the rest is for its work.
 * At a plain link nobody has a key. A connection there is one that says nothing until the role has
 * answered it; it has one word, and with another one it ends. */
#include <assert.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "runtime/link_inside.h"

typedef enum guarded_is { GONE, SILENT, SPEAKS } guarded_is_t;

struct guarded {
    guarded_is_t is;
    int64_t since_ns; /* it was taken */
    char user[USER_BYTES];
};

/* ---- the socket's events ---- */

static uint32_t
most(uint32_t part)
{
    struct rlimit limit = {0};
    bool known = getrlimit(RLIMIT_NOFILE, &limit) == 0;

    return known && limit.rlim_cur / part < PEERS_MAX ? (uint32_t) (limit.rlim_cur / part)
                                                      : PEERS_MAX;
}

bool
guard_open(guard_t *guard, void *context, void *socket, uint32_t part)
{
    char name[64];
    int hwm = 0; /* a full one would stop the network's thread */

    snprintf(name, sizeof name, "inproc://guard.%p", socket);
    guard->most = most(part);
    guard->events = zmq_socket(context, ZMQ_PAIR);
    if (!guard->events) {
        return false;
    }
    zmq_setsockopt(guard->events, ZMQ_RCVHWM, &hwm, sizeof hwm);
    if (zmq_socket_monitor(socket, name, ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED) == 0 &&
        zmq_connect(guard->events, name) == 0) {
        return true;
    }
    guard_close(guard, socket);
    return false;
}

void
guard_bound(guard_t *guard, void *socket)
{
    char endpoint[300] = "";
    size_t size = sizeof endpoint - 1;

    zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint, &size);
    const char *port = strrchr(endpoint, ':');
    uint32_t place = 0;
    while (place < GUARD_PORTS_MAX && guard->port[place] != 0) {
        place++;
    }
    if (port && place < GUARD_PORTS_MAX) {
        guard->port[place] = (uint16_t) strtoul(port + 1, NULL, 10);
    }
}

/* The network's thread waits for whoever hears its events: so it is told first that nobody will. */
void
guard_close(guard_t *guard, void *socket)
{
    if (guard->events) {
        zmq_socket_monitor(socket, NULL, 0);
        zmq_close(guard->events);
    }
    free(guard->peer);
    *guard = (guard_t){.events = NULL};
}

static guarded_t *
peer_at(guard_t *guard, int fd)
{
    if (fd < 0) {
        return NULL;
    }
    if ((uint32_t) fd >= guard->room) {
        uint32_t room = (uint32_t) fd + 64;
        guarded_t *more = realloc(guard->peer, room * sizeof *more);
        assert(more && "memory for connections");
        memset(more + guard->room, 0, (room - guard->room) * sizeof *more);
        guard->peer = more;
        guard->room = room;
    }
    return &guard->peer[fd];
}

static void
become(guard_t *guard, guarded_t *peer, guarded_is_t is)
{
    guard->open = guard->open + (is != GONE) - (peer->is != GONE);
    guard->silent = guard->silent + (is == SILENT) - (peer->is == SILENT);
    peer->is = is;
}

static bool
is_ours(const guard_t *guard, uint16_t port)
{
    bool ours = false;

    for (uint32_t i = 0; i < GUARD_PORTS_MAX; i++) {
        ours |= guard->port[i] == port;
    }
    return ours;
}

/* The descriptor may be another's by now: only a connection of our ports is ended. */
static void
end(guard_t *guard, int fd)
{
    struct sockaddr_storage at = {0};
    socklen_t size = sizeof at;

    become(guard, &guard->peer[fd], GONE);
    if (getsockname(fd, (struct sockaddr *) &at, &size) != 0) {
        return;
    }
    uint16_t port = at.ss_family == AF_INET    ? ((struct sockaddr_in *) &at)->sin_port
                    : at.ss_family == AF_INET6 ? ((struct sockaddr_in6 *) &at)->sin6_port
                                               : 0;
    if (port != 0 && is_ours(guard, ntohs(port))) {
        shutdown(fd, SHUT_RDWR);
    }
}

/* False: nothing more has happened. */
static bool
take_event(guard_t *guard, int64_t now_ns)
{
    uint8_t bytes[6];
    uint16_t event = 0;
    int32_t value = 0;

    if (zmq_recv(guard->events, bytes, sizeof bytes, ZMQ_DONTWAIT) != (int) sizeof bytes) {
        return false;
    }
    memcpy(&event, bytes, sizeof event);
    memcpy(&value, bytes + 2, sizeof value);
    (void) zmq_recv(guard->events, NULL, 0, ZMQ_DONTWAIT); /* the address */
    guarded_t *peer = peer_at(guard, value);
    if (peer) {
        become(guard, peer, event == ZMQ_EVENT_ACCEPTED ? SILENT : GONE);
        peer->since_ns = now_ns;
        peer->user[0] = '\0';
    }
    return true;
}

/* ---- who has to go ---- */

static int
oldest_silent(const guard_t *guard)
{
    int oldest = -1;

    for (uint32_t i = 0; i < guard->room; i++) {
        if (guard->peer[i].is == SILENT &&
            (oldest < 0 || guard->peer[i].since_ns < guard->peer[oldest].since_ns)) {
            oldest = (int) i;
        }
    }
    return oldest;
}

static void
end_silent(guard_t *guard, int64_t now_ns)
{
    int64_t since = now_ns - (int64_t) PEERS_SILENT_MS * 1000000;

    while (guard->silent > 0) {
        int oldest = oldest_silent(guard);
        if (guard->silent <= PEERS_SILENT_MAX && guard->open <= guard->most &&
            guard->peer[oldest].since_ns > since) {
            break;
        }
        end(guard, oldest);
    }
}

void
guard_look(guard_t *guard, int64_t now_ns)
{
    while (guard->events && take_event(guard, now_ns)) {
    }
    end_silent(guard, now_ns);
}

void
guard_heard(guard_t *guard, int fd, const char *user, int64_t now_ns)
{
    guarded_t *speaker = peer_at(guard, fd);

    if (!speaker || speaker->is == SPEAKS) {
        return;
    }
    become(guard, speaker, SPEAKS);
    speaker->since_ns = now_ns;
    snprintf(speaker->user, sizeof speaker->user, "%s", user);
    for (uint32_t i = 0; i < guard->room; i++) {
        if (i != (uint32_t) fd && guard->peer[i].is == SPEAKS &&
            strcmp(guard->peer[i].user, user) == 0) {
            end(guard, (int) i);
        }
    }
    if (guard->open > guard->most) {
        end(guard, fd);
    }
}

/* ---- plain connections ---- */

#define ROUTING_BYTES 5u /* of an address that ROUTER gives out; another one its peer has chosen */

bool
guard_word(guard_t *guard, int fd, slice_t peer, int64_t now_ns)
{
    guard_look(guard, now_ns); /* that it was taken has been told before its word */
    guarded_t *speaker = peer_at(guard, fd);
    bool may = speaker && speaker->is == SILENT && !speaker->user[0] && peer.size == ROUTING_BYTES;

    if (may) {
        hex_of_bytes((const uint8_t *) peer.data, peer.size, speaker->user);
    } else if (speaker && speaker->is != GONE) {
        end(guard, fd);
    }
    return may;
}

void
guard_answered(guard_t *guard, slice_t peer)
{
    char user[2 * ROUTING_BYTES + 1] = "";

    if (guard->silent == 0 || peer.size != ROUTING_BYTES) {
        return;
    }
    hex_of_bytes((const uint8_t *) peer.data, peer.size, user);
    for (uint32_t i = 0; i < guard->room; i++) {
        if (guard->peer[i].is == SILENT && strcmp(guard->peer[i].user, user) == 0) {
            become(guard, &guard->peer[i], SPEAKS);
        }
    }
}
