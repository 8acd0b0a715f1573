/* provider_reply.h - the frames that the provider answers with.
 *
 * Shape    each function makes a link_reply the draft in hand.
 * Promises a reply always goes out: an answer that does not fit one is refused in its place.
 * Costs    one draft; reply_pong also one look at the actors.
 * Threads  the handler in hand.
 */
#pragma once

#include "actors/provider_wire.h"
#include "proto/messages.h"
#include "runtime/actor.h"
#include "runtime/notes.h"

const link_reply_t *reply_make(actor_ctx_t *ctx, slice_t id, const record_type_t *type,
                               const void *record);
const link_reply_t *reply_refusal(actor_ctx_t *ctx, slice_t id, err_t err, const char *message,
                                  const char *hint);
/* cannot run '<command>': the error's sentence. */
const link_reply_t *reply_fault(actor_ctx_t *ctx, slice_t id, const request_fault_t *fault);
const link_reply_t *reply_error(actor_ctx_t *ctx, slice_t id, const command_t *command, err_t err);
/* cannot run '<command>': the component <whom> is paused, or stopped. */
const link_reply_t *reply_held(actor_ctx_t *ctx, slice_t id, const command_t *command,
                               const char *whom, actor_state_t state);
/* The answer that was given to a key before. */
const link_reply_t *reply_recalled(actor_ctx_t *ctx, slice_t id, const recalled_t *recalled);
/* opened: the database has answered. */
/* held: who is paused and keeps a command in hand; NULL: nobody. */
const link_reply_t *reply_pong(actor_ctx_t *ctx, slice_t id, const site_args_t *site, bool opened,
                               const char *held);
