/* provider_wire.h - a command frame read, checked and turned into its record; an answer turned
 * back.
 *
 * Shape    request_read takes the frame apart, request_decode makes the record of its command,
 *          reply_put_* write the frame of the answer.
 * Promises nothing of a frame is believed before it was checked; a refusal names the argument at
 *          fault; the peer's id is echoed byte for byte, also when the rest is refused.
 * Costs    linear in the frame; no allocation.
 * Errors   in request_fault_t: the code, a message of the form cannot <verb> '<subject>': <reason>,
 *          a hint.
 * Threads  caller's memory only.
 */
#pragma once

#include "actors/provider_rules.h"

typedef struct client_request {
    const command_t *command;
    slice_t id;  /* encoded, inside the frame; size 0: the frame had none */
    slice_t key; /* size 0: none */
    wire_value_t args;
} client_request_t;

/* ret_request->id is set whenever it could be read, also when the rest is refused. */
err_t request_read(slice_t frame, client_request_t *ret_request, request_fault_t *fault) must_use;
/* Fills the fault of a command that cannot run: cannot run '<command>': the error's sentence. */
void request_cannot(request_fault_t *fault, const command_t *command, err_t err);
/* Decodes and validates the arguments into the draft. site: prefixes that bind paths, may be NULL.
 */
err_t request_decode(const client_request_t *request, const site_args_t *site, draft_t *draft,
                     request_fault_t *fault) must_use;
/* Sets what every command carries beside its arguments in the record that the draft holds. */
err_t request_sign(const client_request_t *request, slice_t principal, draft_t *draft) must_use;

/* The whole reply map. A refusal goes out as an error. */
err_t reply_put_result(wire_writer_t *writer, slice_t id, const record_type_t *type,
                       const void *record) must_use;
/* As reply_put_result, of an answer that is encoded already; refused: it is a refusal. */
void reply_put_recalled(wire_writer_t *writer, slice_t id, bool refused, slice_t encoded);
/* The whole reply to a frame that nobody could answer: why it cannot be read, else err. */
void reply_put_unanswered(wire_writer_t *writer, slice_t frame, err_t err);
void reply_put_error(wire_writer_t *writer, slice_t id, err_t err, slice_t message, slice_t hint,
                     uint64_t need, uint64_t have);
