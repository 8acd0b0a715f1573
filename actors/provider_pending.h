/* provider_pending.h - the commands that the provider has in hand.
 *
 * Shape    PENDING_MAX places, each with the id to echo, the request to answer and, while its key
 *          is recalled, the command itself; a place is named by its tag.
 * Promises a place is taken once until it is forgotten.
 * Costs    one step each, no allocation.
 * Errors   none: pending_take asserts a free place, which its caller looks for.
 * Threads  the provider's state.
 */
#pragma once

#include "actors/provider_wire.h"
#include "runtime/actor.h"

#define PENDING_MAX (ASKS_OPEN_MAX - 8u) /* commands in hand; a further one is refused (full) */

typedef struct pending {
    request_t request;
    const command_t *command;
    kept_t *kept;  /* the command, while its key is recalled */
    bool stops;    /* once it is answered, the host is to stop */
    bool restarts; /* once it is answered, the provider is */
    uint16_t id_size;
    uint8_t id[COMMAND_ID_BYTES_MAX];
} pending_t;

typedef struct pendings {
    uint32_t free_count;
    uint16_t free[PENDING_MAX];
    pending_t pending[PENDING_MAX];
} pendings_t;

void pendings_init(pendings_t *pendings);
void pendings_release(pendings_t *pendings);
pending_t *pending_take(pendings_t *pendings, const client_request_t *request);
/* Whether an answer that was given to its key goes out before anything is done: it is no change of
 * rows alone, whose transaction would find it. */
bool pending_must_recall(const client_request_t *request);
void pendings_describe(const pendings_t *pendings, bool opened, char *text, size_t size);
/* Notes what the command means for who answers it. */
void pending_mark(pending_t *pending, const void *command);
void pending_forget(pendings_t *pendings, pending_t *pending);
uint64_t pending_tag(const pendings_t *pendings, const pending_t *pending);
slice_t pending_id(const pending_t *pending);
