/* envelope_inside.h - one message on its way, or one order of the runtime; the lists they
 * wait in, and the small blocks they are made of. */
#pragma once

#include <stdalign.h>
#include "runtime/core.h"

/* envelope.c: small blocks, given back with the size they were taken with; a thread uses its own
 * again. Not zeroed; out of memory ends the process. */
void *memory_take(size_t size);
void memory_give(void *memory, size_t size);
void memory_thread_ends(void); /* frees what this thread keeps */

typedef enum envelope_kind {
    ENV_TELL = 0,
    ENV_ASK,
    ENV_REPLY,
    ENV_TIMER,
    ENV_DOWN,
    ENV_JOB,     /* out-tray only: a job to be submitted */
    ENV_INIT,    /* system lane, from here on */
    ENV_STOP,    /* end, for good */
    ENV_CYCLE,   /* end, and wait to be restarted */
    ENV_RESTART, /* after an end that waits: begin again */
    ENV_GIVE_UP, /* after an end that waits: end for good */
    ENV_PAUSE,
    ENV_RESUME,
    ENV_MONITOR,
    ENV_ENDED, /* to the supervisor: a child has ended or waits to be restarted */
    ENV_LATE,  /* to the supervisor: a child is not ready by its deadline */
    ENV_BACK,  /* to the worker: one whose handler was not waited for has returned from it */
    ENV_KIND_COUNT
} envelope_kind_t;

/* The open call that an ask serves: it is that call, or was asked by who deferred its answer. */
typedef struct chain {
    request_t head;    /* asker.index 0: it serves none */
    uint32_t sequence; /* of the call */
    uint32_t turn;     /* with it the call's word names who was given this */
    bool call;         /* it is the call itself */
} chain_t;

struct envelope {
    envelope_t *next;
    const record_type_t *type; /* of the record; NULL: none */
    actor_ref_t from, to;
    uint64_t ask;        /* ASK, REPLY: the asker's number */
    uint64_t tag;        /* TIMER: key; DOWN, MONITOR: tag */
    int64_t deadline_ns; /* ASK */
    chain_t chain;       /* ASK */
    int64_t sent_ns;
    void *resource; /* REPLY of a job */
    void (*drop)(void *resource);
    void *mine;           /* out-tray only: the job, or the accepted ask that this reply answers */
    uint64_t quarantined; /* out-tray only: its number there; 0: none */
    actor_ref_t about;    /* DOWN, ENDED: who; RESTARTED: its new incarnation is in `ask` */
    const char *class_name; /* DOWN */
    uint32_t size;          /* bytes of record */
    uint32_t hears;         /* TELL, ASK: row of the receiver's class */
    uint32_t attempt;
    err_t err; /* REPLY */
    uint8_t kind, lane, reason;
    bool reserved; /* holds a place in the receiver's lane */
    bool final;    /* ENDED: the child is gone; else it waits for RESTART or GIVE_UP */
    bool counted;  /* ENDED: counts toward restart intensity */
    bool taken;    /* the receiver has it: the socket's copy is not to be freed */
    alignas(16) uint8_t record[];
};

/* The same message at another address; its old bytes are spoilt. */
envelope_t *envelope_moved(envelope_t *take_envelope);
void envelope_spoil(void *bytes, size_t size);
envelope_t *envelope_new(envelope_kind_t kind, actor_ref_t from, actor_ref_t to,
                         const record_type_t *type, const void *record, uint32_t size);
void envelope_free(envelope_t *envelope);
/* Into memory of sizeof (envelope_t) + size bytes and out of it: one copy each. */
void envelope_pack(envelope_t *take_envelope, void *memory);
envelope_t *envelope_unpack(const envelope_t *packed);
void envelope_drop_packed(envelope_t *packed); /* gives up one that nobody unpacks */

typedef struct fifo {
    envelope_t *head, *tail;
    uint64_t count;
} fifo_t;
static inline void
fifo_push(fifo_t *fifo, envelope_t *envelope)
{
    envelope->next = NULL;
    *(fifo->tail != NULL ? &fifo->tail->next : &fifo->head) = envelope;
    fifo->tail = envelope;
    fifo->count++;
}
static inline envelope_t *
fifo_pop(fifo_t *fifo)
{
    envelope_t *envelope = fifo->head;
    if (envelope != NULL) {
        fifo->head = envelope->next;
        fifo->tail = fifo->head == NULL ? NULL : fifo->tail;
        envelope->next = NULL;
        fifo->count--;
    }
    return envelope;
}
void fifo_splice_front(fifo_t *fifo, fifo_t *front); /* empties front */
