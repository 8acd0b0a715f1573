/* notes.h - the messages that the runtime itself sends and hears, once.
 *
 * Shape    an X-macro table of records in the form of proto/record_table.h; numbers from
 *          NOTE_NUMBER_FIRST on, so that they never meet an application's own.
 * Promises actor_stalled, actor_trouble and actor_settled are told (normal lane; dropped and counted
 *          when it is full) to the role named in the host's options, when its class hears them;
 *          host_stopping is told to the program's root, when its class hears it;
 *          link_request is asked of the role that a command link serves, link_publish is told to a
 *          publishing link.
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
    M(link_publish, "one message for the subscribers of a topic")

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

#pragma GCC visibility push(default) /* what a shared library of it exports */
#define NOTE_STRUCT(note, sentence) RECORD_STRUCT(note, NOTE_##note)
NOTES(NOTE_STRUCT)
#undef NOTE_STRUCT
#pragma GCC visibility pop
