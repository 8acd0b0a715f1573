/* command_queue.h - commands that wait for the one in hand, in order.
 *
 * Shape    a ring of at most QUEUE_COMMANDS_MAX kept commands, each with the ask to answer.
 * Promises the first one stays until command_queue_done; order is that of coming.
 * Costs    O(1).
 * Errors   ERR_FULL.
 * Threads  one actor's state.
 * Owner    the actor; command_queue_drop frees what is left.
 */
#pragma once

#include "runtime/actor.h"

#define QUEUE_COMMANDS_MAX 100u /* of one package; a further one is refused (full) */

typedef struct queued_command {
    kept_t *kept;
    const record_type_t *type;
    request_t request;
} queued_command_t;

typedef struct command_queue {
    queued_command_t command[QUEUE_COMMANDS_MAX];
    uint32_t first, count;
} command_queue_t;

/* Defers the ask in hand and keeps its command. */
err_t command_queue_add(actor_ctx_t *ctx, command_queue_t *queue, const record_type_t *type,
                        const void *m, const char *waits_for) must_use;
/* The one in hand; the queue must not be empty. */
const queued_command_t *command_queue_first(const command_queue_t *queue);
void command_queue_done(command_queue_t *queue);
void command_queue_drop(command_queue_t *queue);
/* The id in a command on a package, as its client wrote it. */
slice_t command_queue_id(const queued_command_t *command);
