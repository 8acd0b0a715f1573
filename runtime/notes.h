/* notes.h - the messages that the runtime itself sends and hears, once.
 *
 * Shape    an X-macro table of records in the form of proto/record_table.h; numbers from
 *          NOTE_NUMBER_FIRST on, so that they never meet an application's own.
 * Promises actor_stalled, actor_trouble and actor_settled are told (normal lane; dropped and counted
 *          when it is full) to the role named in the host's options, when its class hears them;
 *          host_stopping is told to the program's root, when its class hears it;
 *          link_request is asked of the role that a command link serves, link_publish is told to a
 *          publishing link. A peer link tells its role peer_came and asks it peer_next, each of whose
 *          answers is one peer_send; its door asks door_knock at every handshake.
 */
#pragma once
#include "proto/record_table.h"

#define NOTE_NUMBER_FIRST 0xff00u

#define NOTES(M)                                                                                   \
    M(actor_stalled, "a handler runs longer than its limit, and still runs")                       \
    M(actor_trouble, "an actor failed, was restarted or given up, or a message was quarantined")   \
    M(actor_settled, "the host's readiness changed: all ready, or who is late or degraded")        \
    M(host_stopping, "the host was told from outside to stop; the root says actor_host_stop when it may") \
    M(link_request, "one command frame of a peer; the answer is a link_reply")                     \
    M(link_reply, "the frame to send back")                                                        \
    M(link_publish, "one message for the subscribers of a topic")                                  \
    M(peer_came, "one frame of a peer, with the key that it proved to have")                       \
    M(peer_next, "a peer link has room for something to send; the answer is a peer_send")          \
    M(peer_send, "one frame for a peer")                                                           \
    M(peer_gone, "a frame for this peer could not be sent: it is not connected, or takes nothing") \
    M(door_knock, "somebody who has this key wants in; the answer is a door_opens")                \
    M(door_opens, "whether it may come in")

#define NOTE_actor_stalled(F, R)                                                                   \
    F(R, text, actor, 96, REQUIRED)                                                                \
    F(R, text, message, 48, REQUIRED)                                                              \
    F(R, u64, running_ms, 0, REQUIRED)                                                             \
    F(R, flag, over, 0, REQUIRED) /* it has returned meanwhile */
#define NOTE_actor_trouble(F, R)                                                                   \
    F(R, text, actor, 96, REQUIRED)                                                                \
    /* what: failed, restarted, given-up, late, quarantined, job-lost, job-back, cycle */          \
    F(R, text, what, 32, REQUIRED)                                                                 \
    F(R, text, why, 256, OPTIONAL)                                                                 \
    F(R, u32, attempts, 0, REQUIRED)
#define NOTE_actor_settled(F, R)                                                                   \
    F(R, flag, ready, 0, REQUIRED)                                                                 \
    F(R, u64, after_ms, 0, REQUIRED)                                                               \
    F(R, text, waiting_for, 512, OPTIONAL)
#define NOTE_host_stopping(F, R) F(R, u64, within_ms, 0, REQUIRED) /* then it stops in any case */
#define NOTE_link_request(F, R)                                                                    \
    F(R, bytes, body, 1048576, REQUIRED)                                                           \
    F(R, text, principal, 96, OPTIONAL)
#define NOTE_link_reply(F, R) F(R, bytes, body, 16777216, REQUIRED)
#define NOTE_link_publish(F, R)                                                                    \
    F(R, text, topic, 64, REQUIRED)                                                                \
    F(R, bytes, body, 1048576, REQUIRED)
/* peer: an address of the link's own, good for answers while its connection lasts; empty at a link that
 * dials. user: the hex of the peer's public key; empty at a link that dials, which knows whom it dialled.
 * plain: of a link whose connections are not encrypted: who is there, nobody has proved. */
#define NOTE_peer_came(F, R)                                                                       \
    F(R, bytes, peer, 255, OPTIONAL)                                                               \
    F(R, text, user, 64, OPTIONAL)                                                                 \
    F(R, bytes, body, PEER_FRAME_BYTES_MAX, REQUIRED)                                              \
    F(R, flag, plain, 0, OPTIONAL)
#define NOTE_peer_next(F, R)                                                                       \
    F(R, u32, number, 0, REQUIRED) /* which of the asks that it has open */                        \
    F(R, flag, plain, 0, OPTIONAL)
#define NOTE_peer_send(F, R)                                                                       \
    F(R, bytes, peer, 255, OPTIONAL) /* with dial: where to; empty: where it was */                \
    F(R, flag, dial, 0, OPTIONAL) /* of a link that dials: ends its connection and dials anew, first */ \
    F(R, flag, ends, 0, OPTIONAL) /* the same, and does not dial; nothing is sent */               \
    F(R, bytes, body, PEER_FRAME_BYTES_MAX, OPTIONAL) /* empty: nothing is sent */
#define NOTE_peer_gone(F, R)                                                                       \
    F(R, bytes, peer, 255, OPTIONAL) /* empty: the link begins anew, without any */                \
    F(R, flag, plain, 0, OPTIONAL)
#define NOTE_door_knock(F, R)                                                                      \
    F(R, bytes, key, 32, OPTIONAL) /* empty: it came without one */                                \
    F(R, text, address, 64, OPTIONAL)
#define NOTE_door_opens(F, R) F(R, flag, open, 0, REQUIRED)

#pragma GCC visibility push(default) /* what a shared library of it exports */
#define NOTE_STRUCT(note, sentence) RECORD_STRUCT(note, NOTE_##note)
NOTES(NOTE_STRUCT)
#undef NOTE_STRUCT
#pragma GCC visibility pop
