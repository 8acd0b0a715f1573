/* pending.h - messages that wait for the next group, and who asked them.
 *
 * Shape    a queue: added at its end, copied from its front into a group_order, and taken off when
 *          they are answered.
 * Promises bounded: PENDING_MAX messages and PENDING_BYTES_MAX bytes; one more is refused (full).
 * Costs    one copy of a message and one allocation.
 * Owner    the queue holds its copies; pending_clear frees them.
 */
#pragma once

#include "actors/database/group.h"
#include "runtime/actor.h"

#define PENDING_MAX       20000u      /* messages waiting; one more is refused (full) */
#define PENDING_BYTES_MAX (64u << 20) /* bytes of them; one more is refused (full) */

typedef struct pending_message {
    struct pending_message *next;
    request_t request;
    bool asked; /* somebody waits for the answer */
    uint32_t number, size;
    uint64_t record[]; /* size bytes */
} pending_message_t;

typedef struct pending {
    pending_message_t *first, *last;
    uint32_t count;
    uint64_t bytes;
    uint8_t *scratch; /* GROUP_BYTES_MAX, made at first use */
} pending_t;

/* OK, ERR_FULL, ERR_TOO_LARGE or ERR_NO_MEMORY; nothing is kept then. */
err_t pending_add(pending_t *pending, const record_type_t *type, const void *message, bool asked,
                  request_t request) must_use;
/* Makes a group_order of the front in the draft given; returns how many messages it holds. */
uint32_t pending_group(const pending_t *pending, draft_t *draft, group_order_t *order);
/* Answers the front of the queue, in order, and takes it off. */
void pending_answer(actor_ctx_t *ctx, pending_t *pending, const group_answers_t *answers);
void pending_refuse(actor_ctx_t *ctx, pending_t *pending, err_t err); /* all of them */
void pending_clear(pending_t *pending);
