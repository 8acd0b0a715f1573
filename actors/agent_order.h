/* agent_order.h - what a site signs when it orders something of an agent.
 *
 * Shape    a signed version (sign.h) whose root is the SHA-256 of all that the order says:
 *              visit 16, number u64, task u32 (both big-endian), the work as it is on the wire
 *          The visit is drawn by the agent for each connection and said in its hello.
 * Promises an order of one point, connection, number, task or work is never one of another: what
 *          was recorded is worth nothing later, or elsewhere. No clock is compared.
 * Costs    one encoding of the work, a hash and a signature.
 * Errors   ERR_SIGNATURE, ERR_TOO_LARGE (work that fits no order).
 * Threads  pure.
 */
#pragma once

#include "actors/content/sign.h"
#include "proto/messages.h"

typedef struct agent_order_said {
    id128_t site, point, visit;
    uint64_t number;
    uint32_t task;
    const void *record; /* in which the work is */
    const work_t *work;
} agent_order_said_t;

err_t agent_order_sign(const secret_t *signing, const agent_order_said_t *said,
                       uint8_t ret_signature[SIGN_BYTES]) must_use;
err_t agent_order_check(const digest_t *signing_key, const agent_order_said_t *said,
                        slice_t signature) must_use;

/* What is signed of a beacon. */
err_t agent_beacon_said(const id128_t *site, const agent_beacon_t *beacon,
                        signed_version_t *ret_version) must_use;
/* What is signed of an address of the site: said.record, work, number and task mean nothing. */
err_t agent_address_said(const agent_order_said_t *said, slice_t address,
                         signed_version_t *ret_version) must_use;
