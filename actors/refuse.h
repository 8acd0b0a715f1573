/* refuse.h - one way to say no, for the actors that answer commands.
 *
 * Shape    refuse_draft makes a refusal the draft in hand; it is then given to REPLY or REPLY_TO.
 * Promises the message has the form: cannot <verb> '<subject>': <reason>; a hint is always there.
 * Costs    one draft.
 * Threads  the handler in hand.
 */
#pragma once

#include "proto/messages.h"
#include "runtime/actor.h"

/* hint NULL: that of the error. */
const refusal_t *refuse_draft(actor_ctx_t *ctx, err_t err, const char *hint, const char *verb,
                              slice_t subject, const char *reason);
