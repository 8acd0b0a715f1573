/* answer.h - how actors read the answers to their asks, and pass them on.
 *
 * Shape    an answer is a record, an error of the runtime, or a refusal; answer_err is the one word
 *          for all three.
 * Promises whoever waits is answered: with the record, the refusal, or a refusal made of the error.
 * Costs    one copy.
 * Threads  the handler in hand.
 */
#pragma once

#include "proto/messages.h"
#include "runtime/actor.h"

err_t answer_err(const actor_answer_t *answer);
/* Gives what came to who waits. The words are for a refusal made of an error of the runtime. */
void answer_pass_on(actor_ctx_t *ctx, request_t request, const actor_answer_t *answer,
                    const char *verb, slice_t subject);
/* Refuses an ask that was put off: cannot <verb> '<subject>': <sentence of err>. */
void answer_refuse(actor_ctx_t *ctx, request_t request, err_t err, const char *verb,
                   slice_t subject);
/* For what may be lost without harm: a hint that comes again, an answer nobody waits for any
 * more. */
void answer_unheard(verdict_t verdict);
