/* cast.h - three roles on threads of their own and kids in the pool, for claims about real hosts.
 *
 * Shape    roles a, b and c, children of a root, each allowed to tell and ask the others; a test
 *          says what they do by hooks that it sets before the start.
 * Threads  hooks run on the workers' threads: they report by counters and semaphores, and the test
 *          waits for those. A test is a process of its own, so all of it is static.
 */
#pragma once

#include <criterion/criterion.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "proto/record_table.h"
#include "runtime/host.h"
#include "runtime/notes.h"

#define PARCEL(F, R) F(R, u64, number, 0, REQUIRED) F(R, u64, sender, 0, REQUIRED)
RECORD_STRUCT(parcel, PARCEL)
RECORD_STRUCT(receipt, PARCEL)

typedef enum who { A = 0, B, C, KID, WHO_COUNT } who_t;
/* Edges of each: EDGE_TELL_PARCEL + who, EDGE_ASK_PARCEL + who, and EDGE_PUBLISH. */
enum { EDGE_TELL_PARCEL = 0, EDGE_ASK_PARCEL = 3, EDGE_PUBLISH = 6 };

typedef struct part {
    who_t who;
    uint64_t next, count;
    uint64_t seen[WHO_COUNT];
} part_t;

typedef struct hooks {
    actor_next_t (*init)(actor_ctx_t *ctx, part_t *self);
    actor_next_t (*parcel)(actor_ctx_t *ctx, part_t *self, const parcel_t *m);
    actor_next_t (*request)(actor_ctx_t *ctx, part_t *self, const link_request_t *m);
    actor_next_t (*timer)(actor_ctx_t *ctx, part_t *self, uint64_t key);
} hooks_t;
extern hooks_t hook[WHO_COUNT];
extern actor_class_t part_class[WHO_COUNT]; /* may be changed before the start */
extern uint32_t kids;
extern host_options_t cast_options;  /* the same; classes, root and black_box are cast_new's */
extern _Atomic uint64_t heard, sent; /* counted by whoever likes */
extern sem_t done;                   /* what the test waits for */

#define WAIT_S 60

host_t *cast_new(const char *black_box);
host_t *cast_start(void);    /* and waits until it is ready */
void cast_end(host_t *host); /* in order, or the test fails */
void wait_done(void);        /* fails the test after WAIT_S */
verdict_t tell_parcel(actor_ctx_t *ctx, who_t to, uint64_t number, who_t sender);
int64_t clock_ms(void);
