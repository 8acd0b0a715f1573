/* envelope_inside.h - one message on its way, or one order of the runtime; the lists they
 * wait in, and the small blocks they are made of. */
#pragma once

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include "runtime/core.h"

typedef struct actor actor_t;

/* ---- who: as a word -------------------------------------------------------------------------- */

static inline uint64_t
ref_word(actor_ref_t ref)
{
    return (uint64_t) ref.incarnation << 32 | ref.index;
}
static inline actor_ref_t
ref_of_word(uint64_t word)
{
    return (actor_ref_t){(uint32_t) word, (uint32_t) (word >> 32)};
}
static inline bool
ref_equal(actor_ref_t a, actor_ref_t b)
{
    return a.index == b.index && a.incarnation == b.incarnation;
}

/* ---- memory: small blocks, given back with the size they were taken with --------------------- */

#if defined(__SANITIZE_ADDRESS__)
#define BLOCKS_SHUT 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BLOCKS_SHUT 1
#endif
#endif
#ifndef BLOCKS_SHUT
#define BLOCKS_SHUT 0 /* 1: a sanitizer is told which bytes of a block are in use */
#endif
#if BLOCKS_SHUT
#include <sanitizer/asan_interface.h>
#endif
#define BLOCK_BYTES_KEPT                                                                           \
    262144u /* of freed blocks of one size, by a thread; a further one is freed */
/* Sizes are rounded up to 24, 40 and so on up to 1,016 bytes, larger ones are not kept: with the 8
 * bytes that malloc puts before each, not one is left over. */
#define BLOCK_STEP  16u
#define BLOCK_SIZES 64u

/* What a thread has freed it uses again, without a lock or a system call. Each says how many are
 * there up to it, so that to take one writes one word only. */
typedef struct block {
    struct block *next;
    uint32_t depth;
} block_t;
typedef struct block_cache {
    block_t *first[BLOCK_SIZES];
} block_cache_t;
/* Found at no call, in the shared library as well: it is there before any thread is. */
extern _Thread_local block_cache_t block_cache __attribute__((tls_model("initial-exec")));
void *memory_new(size_t size);
void memory_thread_ends(void); /* frees what this thread keeps */

static inline size_t
block_size(size_t size) /* its number */
{
    return size <= BLOCK_STEP ? 1 : (size + BLOCK_STEP / 2 - 1) / BLOCK_STEP;
}
static inline uint32_t
block_bytes(size_t which)
{
    return (uint32_t) which * BLOCK_STEP + BLOCK_STEP / 2;
}

/* Open to its user up to `size`, so that a byte beyond it is seen as beyond the block. */
static inline void *
block_open(void *block, size_t size)
{
#if BLOCKS_SHUT
    ASAN_POISON_MEMORY_REGION(block, block_bytes(block_size(size)));
    ASAN_UNPOISON_MEMORY_REGION(block, size);
#endif
    (void) size;
    return block;
}
/* But for what its list needs: there the leak sanitizer looks for the next one. */
static inline void
block_shut(block_t *block, size_t which)
{
#if BLOCKS_SHUT
    ASAN_POISON_MEMORY_REGION(block + 1, block_bytes(which) - sizeof *block);
    ASAN_UNPOISON_MEMORY_REGION(block, sizeof *block);
#endif
    (void) block;
    (void) which;
}

/* Not zeroed; out of memory ends the process. */
static inline void *
memory_take(size_t size)
{
    size_t which = block_size(size);
    block_t *block = which < BLOCK_SIZES ? block_cache.first[which] : NULL;
    if (block == NULL) {
        return memory_new(size);
    }
    block_cache.first[which] = block->next;
    return block_open(block, size);
}
static inline void
memory_give(void *memory, size_t size)
{
    size_t which = block_size(size);
    block_t *first = which < BLOCK_SIZES ? block_cache.first[which] : NULL;
    uint32_t depth = first == NULL ? 1 : first->depth + 1;
    if (which >= BLOCK_SIZES || depth * block_bytes(which) > BLOCK_BYTES_KEPT) {
        free(memory);
        return;
    }
    block_t *block = memory;
    block_shut(block, which);
    block->next = first;
    block->depth = depth;
    block_cache.first[which] = block;
}

/* Whether one of that size is at hand; it stays there until it is taken. */
static inline bool
memory_is_at_hand(size_t size)
{
    size_t which = block_size(size);
    return which < BLOCK_SIZES && block_cache.first[which] != NULL;
}
static inline void *
memory_take_at_hand(size_t size)
{
    block_t **first = &block_cache.first[block_size(size)];
    block_t *block = *first;
    *first = block->next;
    return block_open(block, size);
}

/* ---- envelopes ------------------------------------------------------------------------------ */

/* Word by word, as a handler has just written them: a wider load would wait until those stores have
 * left the processor (W1: 4 parts of 100). Both sides have room for the last word whole. */
static inline void
words_copy(void *to, const void *from, uint32_t size)
{
    if (size == sizeof(uint32_t)) { /* nor is there a word, where only a half was written */
        uint32_t half;
        memcpy(&half, from, sizeof half);
        memcpy(to, &half, sizeof half);
        return;
    }
    for (uint32_t at = 0; at < size; at += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, (const uint8_t *) from + at, sizeof word);
        __asm__("" : "+r"(word)); /* or it is made a call of memcpy */
        memcpy((uint8_t *) to + at, &word, sizeof word);
    }
}

typedef enum envelope_kind {
    ENV_TELL = 0,
    ENV_ASK,
    ENV_REPLY,
    ENV_DONE, /* a reply: of a job, with its resource */
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
    ENV_TAKES, /* to the supervisor: the children of a child that ends may take so long (ns) */
    ENV_BACK,  /* to the worker: one whose handler was not waited for has returned from it */
    ENV_BATCH, /* between workers only: tells under one head (batch_inside.h) */
    ENV_KIND_COUNT
} envelope_kind_t;

/* The open call that an ask serves: it is that call, or was asked by who deferred its answer. */
typedef struct chain {
    request_t head;    /* asker.index 0: it serves none, and nothing else in here need be filled */
    uint32_t sequence; /* of the call */
    uint32_t turn;     /* with it the call's word names who was given this */
    bool call;         /* it is the call itself */
} chain_t;

/* A cache line, and then the record: what only some kinds need comes behind it. */
struct envelope {
    envelope_t *next;
    const record_type_t *type; /* of the record; NULL: none */
    actor_ref_t from, to;      /* DOWN, ENDED, LATE: from is who it is about */
    union {
        uint64_t number; /* ASK, REPLY, DONE: the asker's; TIMER: key; DOWN, MONITOR: tag */
        actor_t *here;   /* in the out-tray, TELL: its receiver, when that is on this worker */
    };
    union {
        int64_t sent_ns; /* once it has left the out-tray; 0: not known */
        void *mine; /* in it: the job, or the accepted ask that this reply answers; NULL: at_once */
        actor_t *asks;        /* in it, ASK: as `here` */
        actor_t *asker;       /* on hand, REPLY: its receiver */
        uint64_t quarantined; /* in it, TELL: its number in quarantine; 0: none */
    };
    uint32_t size;  /* bytes of record */
    uint16_t hears; /* TELL, ASK: row of the receiver's class */
    uint16_t attempt;
    union {
        uint16_t err;  /* REPLY, DONE: an err_t */
        uint16_t each; /* BATCH: bytes of one of its records */
    };
    uint8_t kind, lane, reason;
    bool reserved : 1; /* holds a place in the receiver's lane */
    bool final : 1;    /* ENDED: the child is gone; else it waits for RESTART or GIVE_UP */
    bool counted : 1;  /* ENDED: counts toward restart intensity */
    alignas(16) uint8_t record[];
};
_Static_assert(sizeof(envelope_t) == 64, "the head of a message is one cache line");

typedef union envelope_more {
    struct {
        int64_t deadline_ns;
        chain_t chain;
    } ask;
    struct {
        void *resource;
        void (*drop)(void *resource);
    } done;
    struct {
        uint64_t next; /* its new incarnation, when it was restarted */
        const char *class_name;
    } down;
} envelope_more_t;

static inline bool
envelope_has_more(const envelope_t *envelope)
{
    return (1u << envelope->kind & (1u << ENV_ASK | 1u << ENV_DONE | 1u << ENV_DOWN)) != 0;
}
static inline uint32_t
envelope_more_at(uint32_t record_bytes)
{
    return (record_bytes + 15) & ~15u;
}
static inline envelope_more_t *
envelope_more_behind(envelope_t *envelope, uint32_t size)
{
    return (envelope_more_t *) (void *) (envelope->record + envelope_more_at(size));
}
/* Of an ask, a down or the answer of a job. */
static inline envelope_more_t *
envelope_more(envelope_t *envelope)
{
    return envelope_more_behind(envelope, envelope->size);
}
static inline const envelope_more_t *
envelope_more_of(const envelope_t *envelope)
{
    return (const envelope_more_t *) (const void *) (envelope->record +
                                                     envelope_more_at(envelope->size));
}
static inline bool
envelope_calls(const envelope_t *ask)
{
    const chain_t *chain = &envelope_more_of(ask)->ask.chain;
    return chain->head.asker.index != 0 && chain->call;
}
static inline size_t
envelope_bytes(const envelope_t *envelope)
{
    return envelope_has_more(envelope)
               ? sizeof *envelope + envelope_more_at(envelope->size) + sizeof(envelope_more_t)
               : sizeof *envelope + envelope->size;
}

#define ENVELOPE_STEP  64u /* bytes that its block is a multiple of */
#define ENVELOPE_SHORT (2 * ENVELOPE_STEP)
/* Most have a head and a short record: for those the block's size is known to the compiler. */
static inline bool
envelope_is_short(size_t bytes)
{
    return bytes - (ENVELOPE_STEP + 1) < ENVELOPE_STEP;
}
static inline size_t
envelope_block(size_t bytes)
{
    return (bytes + ENVELOPE_STEP - 1) / ENVELOPE_STEP * ENVELOPE_STEP;
}
static inline envelope_t *
envelope_take(size_t bytes)
{
    if (envelope_is_short(bytes)) {
        return memory_take(ENVELOPE_SHORT);
    }
    return memory_take(envelope_block(bytes));
}
static inline void
envelope_give(envelope_t *take_envelope, size_t bytes)
{
    if (envelope_is_short(bytes)) {
        memory_give(take_envelope, ENVELOPE_SHORT);
        return;
    }
    memory_give(take_envelope, envelope_block(bytes));
}

/* Of a kind that has no more than its head and record; the record is to be put into it. */
static inline envelope_t *
envelope_head(envelope_kind_t kind, actor_ref_t from, actor_ref_t to, const record_type_t *type,
              uint32_t size)
{
    envelope_t *envelope = envelope_take(sizeof *envelope + size);
    memset(envelope, 0, sizeof *envelope);
    envelope->type = type;
    memcpy(&envelope->from, &from, sizeof from); /* as a word each: by parts it takes four times */
    memcpy(&envelope->to, &to, sizeof to);
    envelope->size = size;
    envelope->attempt = 1;
    envelope->kind = (uint8_t) kind;
    return envelope;
}

/* The last two words of a head, from its size on, as far as an edge knows them beforehand. They
 * are written as words: who reads a wider one than was written waits until it has left the
 * processor. */
#define ENVELOPE_TAIL offsetof(envelope_t, size)
typedef struct envelope_tail {
    uint64_t word[2];
} envelope_tail_t;
_Static_assert(ENVELOPE_TAIL + sizeof(envelope_tail_t) == sizeof(envelope_t), "they are the last");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "its size is the low half of the first");

/* The same, where no place was taken in the receiver's lane. */
static inline envelope_tail_t
tail_without_place(const envelope_tail_t *tail)
{
    static const envelope_t placed = {.reserved = true};
    envelope_tail_t place;
    memcpy(&place, (const uint8_t *) &placed + ENVELOPE_TAIL, sizeof place);
    return (envelope_tail_t){{tail->word[0], tail->word[1] & ~place.word[1]}};
}

/* Of the normal lane. */
static inline bool
tail_is_normal(const envelope_tail_t *tail)
{
    uint32_t at = 8 * (offsetof(envelope_t, lane) - ENVELOPE_TAIL - sizeof tail->word[0]);
    return (uint8_t) (tail->word[1] >> at) == LANE_NORMAL;
}

/* A head, written over whatever was there. */
static inline void
envelope_fill(envelope_t *envelope, const envelope_tail_t *tail, uint64_t from, uint64_t to,
              actor_t *here, const record_type_t *type, uint32_t size)
{
    envelope_tail_t its = {{tail->word[0] | size, tail->word[1]}};
    envelope->type = type;
    memcpy(&envelope->from, &from, sizeof from);
    memcpy(&envelope->to, &to, sizeof to);
    envelope->here = here;
    envelope->sent_ns = 0;
    memcpy((uint8_t *) envelope + ENVELOPE_TAIL, &its, sizeof its);
}
/* As envelope_head; room: for the record, and for what comes behind it. */
static inline envelope_t *
envelope_through(const envelope_tail_t *tail, uint64_t from, uint64_t to, const record_type_t *type,
                 uint32_t size, uint32_t room)
{
    envelope_t *envelope = envelope_take(sizeof *envelope + room);
    envelope_fill(envelope, tail, from, to, NULL, type, size);
    return envelope;
}
static inline envelope_t *
envelope_plain(envelope_kind_t kind, actor_ref_t from, actor_ref_t to, const record_type_t *type,
               const void *record, uint32_t size)
{
    envelope_t *envelope = envelope_head(kind, from, to, type, size);
    if (size > 0) {
        memcpy(envelope->record, record, size);
    }
    return envelope;
}
envelope_t *envelope_new(envelope_kind_t kind, actor_ref_t from, actor_ref_t to,
                         const record_type_t *type, const void *record, uint32_t size);
/* Of one with envelope_more, beside its record. */
static inline uint32_t
envelope_room(uint32_t size)
{
    return envelope_more_at(size) + (uint32_t) sizeof(envelope_more_t);
}
void envelope_free_more(envelope_t *envelope);
static inline void
envelope_free(envelope_t *envelope)
{
    if (envelope == NULL || envelope->kind == ENV_DONE) {
        envelope_free_more(envelope);
    } else {
        envelope_give(envelope, envelope_bytes(envelope));
    }
}
/* One that was told, which is most of them, or an answer. */
static inline void
envelope_free_told(envelope_t *take_told)
{
    envelope_give(take_told, sizeof *take_told + take_told->size);
}
static inline void
envelope_free_asked(envelope_t *take_asked)
{
    envelope_give(take_asked, sizeof *take_asked + envelope_room(take_asked->size));
}
/* Copies a whole message to or from a chunk. The short ones are copied at one length, which costs
 * no call; both sides have that much (ENVELOPE_STEP, mailbox.c). */
static inline void
envelope_copy(void *to, const void *from, size_t bytes)
{
    if (envelope_is_short(bytes)) {
        memcpy(to, from, ENVELOPE_SHORT);
    } else {
        memcpy(to, from, bytes);
    }
}
/* The same message at another address; its old bytes are spoilt. */
envelope_t *envelope_moved(envelope_t *take_envelope);
void envelope_spoil(void *bytes, size_t size);
/* Into memory of envelope_bytes, or ENVELOPE_SHORT if that is more, and out of it: one copy
 * each. */
static inline void
envelope_pack(envelope_t *take_envelope, void *memory, size_t bytes)
{
    envelope_copy(memory, take_envelope, bytes);
    envelope_give(take_envelope, bytes);
}
static inline envelope_t *
envelope_unpack(const envelope_t *packed)
{
    size_t bytes = envelope_bytes(packed);
    envelope_t *envelope = envelope_take(bytes);
    envelope_copy(envelope, packed, bytes);
    return envelope;
}
void envelope_drop_packed(envelope_t *packed); /* gives up one that nobody unpacks */

/* ---- queues of them ------------------------------------------------------------------------- */

typedef struct fifo {
    envelope_t *head, *tail; /* tail: while head is not NULL */
} fifo_t;
static inline void
fifo_push(fifo_t *fifo, envelope_t *envelope)
{
    envelope->next = NULL;
    if (fifo->head == NULL) {
        fifo->head = envelope;
    } else {
        fifo->tail->next = envelope;
    }
    fifo->tail = envelope;
}
static inline envelope_t *
fifo_pop(fifo_t *fifo)
{
    envelope_t *envelope = fifo->head;
    if (envelope != NULL) {
        fifo->head = envelope->next;
        envelope->next = NULL;
    }
    return envelope;
}
/* By walking it: few ask. */
static inline uint32_t
fifo_count(const fifo_t *fifo)
{
    uint32_t count = 0;
    for (const envelope_t *e = fifo->head; e != NULL; e = e->next) {
        count++;
    }
    return count;
}
