/* fake_host.h - a ROUTER and a PUB in a thread that answer as a test says.
 *
 * Shape    fake_host_begin binds both in a directory of its own, fake_host_end joins and removes.
 * Threads  answer is called in the host's thread, one request at a time.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include <zmq.h>

#include "proto/wire.h"

typedef enum fake_answer { FAKE_SILENT, FAKE_RESULT, FAKE_ERROR } fake_answer_t;

typedef struct fake_host fake_host_t;
struct fake_host {
    /* Puts the result or the error; FAKE_SILENT: no reply. */
    fake_answer_t (*answer)(fake_host_t *host, slice_t command, const wire_value_t *args,
                            wire_writer_t *body);
    unsigned heard;    /* requests that are no pings */
    unsigned requests; /* of them, answered or not to be */
    unsigned pings;
    bool ignores_pings;
    const char *held;    /* a component that is paused, of which pongs tell; NULL: none */
    unsigned late_pings; /* a request is answered when so many pings came after it */
    bool tells_age;      /* in each pong, and that it is ready */
    bool begins_anew;    /* with each ping */
    int64_t began_ms;
    unsigned loses;      /* requests that it has not got: those of the host before it */
    bool answers_twice;  /* a stale reply, with another id, before each right one */
    uint64_t publish[8]; /* sequence numbers to publish after a reply, 0 at the end */
    char directory[32];  /* set: that of a host before it */
    char endpoint[64];
    void *context, *commands, *stream;
    zmq_msg_t late_who, late_body;
    bool waits; /* a late request */
    pthread_t thread;
    atomic_bool ends;
};

void fake_host_begin(fake_host_t *host);
void fake_host_end(fake_host_t *host);
void fake_put_event(wire_writer_t *w, uint64_t seq);
