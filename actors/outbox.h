/* outbox.h - frames on their way to a peer link, which asks for each (peer_next).
 *
 * Shape    the link's open asks, and frames that wait for one, in their order.
 * Promises what is put leaves in its order, or is there until the outbox is dropped. What waits
 *          is bounded by who puts it: content by credit, the rest by OUTBOX_FRAMES_MAX.
 * Costs    one copy while the link has room, one more else.
 * Threads  the handlers of one actor.
 * Owner    outbox_drop, by the actor's drop.
 */
#pragma once

#include "actors/agent_wire.h"
#include "runtime/actor.h"

#define OUTBOX_ASKS_MAX   64u
#define OUTBOX_FRAMES_MAX 20000u /* that wait; then outbox_put says so, and the peer is given up */

typedef struct outbox_frame outbox_frame_t;
typedef struct outbox {
    request_t ask[OUTBOX_ASKS_MAX];
    uint32_t number[OUTBOX_ASKS_MAX]; /* of each ask, given by the link */
    uint32_t asks, waiting;
    outbox_frame_t *first, *last;
    uint8_t *scratch; /* PEER_FRAME_BYTES_MAX */
} outbox_t;

void outbox_init(outbox_t *outbox);
void outbox_drop(outbox_t *outbox);
/* Throws away what waits: nobody is there to hear it. */
void outbox_clear(outbox_t *outbox);
/* The ask in hand, of the link. One of the same number that is still open has ended there: nobody
 * would hear its answer, so it is forgotten. */
void outbox_asked(actor_ctx_t *ctx, outbox_t *outbox, uint32_t number);
/* Keeps a record that came in a frame: its memory is for the next one. */
kept_t *outbox_keep_heard(actor_ctx_t *ctx, const record_type_t *type, const void *record);
/* Ends the connection of a link that dials, behind what waits. */
void outbox_hang_up(actor_ctx_t *ctx, outbox_t *outbox);
/* peer: empty at a link that dials. dial: the link dials anew first. type NULL: nothing else.
 * False: too many wait, or it is larger than a frame. */
bool outbox_put(actor_ctx_t *ctx, outbox_t *outbox, slice_t peer, bool dial,
                const record_type_t *type, const void *record);
