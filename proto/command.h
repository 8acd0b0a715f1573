/* command.h - the frame around a command and around its reply.
 *
 * Shape    in: {v, id, cmd, args, key}; out: {v, id, ok, result} or {v, id, ok, error}.
 * Promises nothing of a frame is believed before it is checked; id is echoed as it came, also in
 *          the refusal of a frame that could not be read any further; nothing is allocated.
 * Costs    linear in the frame's bytes.
 * Errors   ERR_BAD_REQUEST, ERR_UNKNOWN_COMMAND, ERR_MISSING_ARGUMENT, ERR_UNKNOWN_ARGUMENT,
 *          ERR_WRONG_TYPE, ERR_BAD_VALUE, ERR_TOO_LARGE.
 * Threads  caller's memory only.
 */
#pragma once

#include "proto/messages.h"
#include "proto/wire.h"

#define COMMAND_VERSION 1 /* v of a frame; another one is refused (bad-value) */

typedef struct command_frame {
    slice_t id;               /* encoded, to be echoed; nil when the frame has none */
    const command_t *command; /* NULL when it could not be read */
    wire_value_t args;        /* a map */
    slice_t key;              /* empty: none */
} command_frame_t;

/* Opens a frame; what it returns points into body. On failure id and, where known, command are set,
 * and ret_field names the key at fault ("" when it is the frame itself). */
err_t command_open(const void *body, size_t size, command_frame_t *ret_frame,
                   const char **ret_field) must_use;
/* Decodes the arguments into the draft, with the frame's key and the principal in their fields. */
err_t command_decode(const command_frame_t *frame, slice_t principal, draft_t *draft,
                     const void **ret_record, const char **ret_field) must_use;
/* Makes the refusal of a frame: "cannot read 'package.add': a required argument is missing: id". */
const refusal_t *command_refusal(draft_t *draft, const command_frame_t *frame, err_t err,
                                 const char *field);
/* Writes a whole reply; a refusal becomes its error, any other record its result. */
err_t reply_encode(wire_writer_t *w, slice_t id, const record_type_t *type,
                   const void *record) must_use;
