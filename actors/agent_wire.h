/* agent_wire.h - what a site and an agent say to each other, as frames of a peer link.
 *
 * Shape    a frame is one msgpack map: v (1), say (a name of the table below), is (the record).
 * Promises a frame is checked whole before anything of it is believed, decodes into memory of the
 *          caller alone, and says only what its sender may say.
 * Costs    one copy.
 * Errors   ERR_BAD_REQUEST, ERR_TOO_LARGE and those of record_decode.
 * Threads  caller's memory.
 */
#pragma once

#include "proto/messages.h"

#define AGENT_WIRE_VERSION 1u
#define AGENT_MEMORY_BYTES (6u << 20) /* that any frame decodes into */

/* IN_PLAIN: on a plain connection, where a stranger may say it as well. */
typedef enum agent_side {
    AGENT_SAYS = 1,
    SITE_SAYS = 2,
    AGENT_SAYS_IN_PLAIN = 4,
    SITE_SAYS_IN_PLAIN = 8
} agent_side_t;

#define AGENT_WORDS(W)                                                                             \
    W(agent_enrol, AGENT_SAYS)                                                                     \
    W(agent_enrolled, SITE_SAYS)                                                                   \
    W(agent_refused, SITE_SAYS)                                                                    \
    W(agent_removed, SITE_SAYS)                                                                    \
    W(agent_buried, AGENT_SAYS)                                                                    \
    W(agent_address, SITE_SAYS)                                                                    \
    W(agent_beacon, SITE_SAYS)                                                                     \
    W(agent_moved, AGENT_SAYS)                                                                     \
    W(agent_hello, AGENT_SAYS)                                                                     \
    W(agent_welcome, SITE_SAYS)                                                                    \
    W(agent_beat, AGENT_SAYS | SITE_SAYS | SITE_SAYS_IN_PLAIN)                                     \
    W(agent_order, SITE_SAYS)                                                                      \
    W(agent_stop, SITE_SAYS)                                                                       \
    W(agent_need, AGENT_SAYS)                                                                      \
    W(agent_data, SITE_SAYS | SITE_SAYS_IN_PLAIN)                                                  \
    W(agent_bulk, SITE_SAYS)                                                                       \
    W(agent_ticket, AGENT_SAYS_IN_PLAIN)                                                           \
    W(agent_durable, AGENT_SAYS)                                                                   \
    W(agent_progress, AGENT_SAYS)                                                                  \
    W(agent_done, AGENT_SAYS)                                                                      \
    W(agent_indexed, AGENT_SAYS)                                                                   \
    W(agent_seeded, AGENT_SAYS)                                                                    \
    W(agent_activated, AGENT_SAYS)                                                                 \
    W(agent_activation_known, SITE_SAYS)

/* Bytes of the object that a piece stands for, packed or not. */
uint64_t agent_piece_content(const piece_t *piece);
/* Bytes written; 0: it does not fit. */
size_t agent_frame_write(const record_type_t *type, const void *record, uint8_t *bytes,
                         size_t room) must_use;
/* memory: 8-aligned; the record is in it. */
err_t agent_frame_read(slice_t frame, agent_side_t from, void *memory, uint32_t capacity,
                       const record_type_t **ret_type, const void **ret_record) must_use;
