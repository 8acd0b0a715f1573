/* provider_pending.h - the commands that the provider has in hand.
 *
 * Shape    PENDING_MAX places, each with the id to echo, the request to answer and, while its key
 *          is recalled, the command itself; a place is named by its tag.
 * Promises a place is taken once until it is forgotten; the tag of one that was forgotten names
 *          nothing any more.
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
    bool used;
    bool looks;    /* it changes nothing, and waits for what may take long */
    uint32_t turn; /* how often its place was taken */
    bool parked;   /* the same key is in hand: this one is looked at when that one is answered */
    uint16_t key_size; /* of one whose answer is recalled first, else 0 */
    uint8_t key[KEY_BYTES_MAX];
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
/* Notes as well what the command means for who answers it. */
pending_t *pending_take(pendings_t *pendings, const client_request_t *request, const void *command);
/* Whether an answer that was given to its key goes out before anything is done: it is no change of
 * rows alone, whose transaction would find it. */
bool pending_must_recall(const client_request_t *request);
void pendings_describe(const pendings_t *pendings, bool opened, char *text, size_t size);
/* Notes the key; true: it is in hand already, and this one parked until that one is answered. */
bool pending_park(pendings_t *pendings, pending_t *pending, slice_t key);
/* One that was parked behind the key of this one, which is being forgotten; or NULL. */
pending_t *pending_unpark(pendings_t *pendings, const pending_t *pending);
slice_t pending_key(const pending_t *pending);
void pending_forget(pendings_t *pendings, pending_t *pending);
uint64_t pending_tag(const pendings_t *pendings, const pending_t *pending);
pending_t *pending_of(pendings_t *pendings, uint64_t tag); /* NULL: it was answered without this */
slice_t pending_id(const pending_t *pending);
