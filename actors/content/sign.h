/* sign.h - keys and signatures: what a site orders and what an agent has are signed (ed25519).
 *
 * Shape    a secret is 32 random bytes; its public half is derived from it, for CURVE (transport)
 *          and for ed25519 (signing). What is signed is one canonical run of bytes:
 *              "despool/order/1", "despool/receipt/1", "despool/removed/1",
 *              "despool/address/1", "despool/beacon/1", "despool/ticket/1" or
 *              "despool/parcel/1", NUL, site 16,
 *              point incarnation 16,
 *              action u32, package incarnation 16, epoch u64, root 32, package name u16 and bytes
 *          with all numbers big-endian. That a point was removed is signed with the visit in the
 *          place of the package's incarnation, and nothing else of a package; an address in the
 *          same way, with its SHA-256 as the root; a beacon of no point, with its sequence as the
 *          epoch and the SHA-256 of its time and limit (both u64) as the root; a ticket as an
 *          address, with its number as the epoch, and the ticket is the signature's SHA-256; a
 *          parcel of no point and no incarnation.
 * Promises a signature of one site, point, package, version or purpose is never one of another.
 * Costs    about 50 us each.
 * Errors   ERR_SIGNATURE.
 * Threads  pure.
 */
#pragma once

#include "proto/record.h"

#define SIGN_BYTES 64u

typedef struct secret {
    uint8_t byte[32];
} secret_t;

typedef enum sign_purpose {
    SIGN_ORDER,
    SIGN_RECEIPT,
    SIGN_REMOVED,
    SIGN_ADDRESS,
    SIGN_BEACON,
    SIGN_TICKET,
    SIGN_PARCEL
} sign_purpose_t;

typedef struct signed_version {
    id128_t site, point, package_incarnation;
    uint32_t action;
    uint64_t epoch;
    digest_t root;
    slice_t package; /* at most NAME_BYTES_MAX */
} signed_version_t;

void sign_transport_key(const secret_t *secret, digest_t *ret_public);
void sign_signing_key(const secret_t *secret, digest_t *ret_public);
void sign_version(const secret_t *signing, sign_purpose_t purpose, const signed_version_t *version,
                  uint8_t ret_signature[SIGN_BYTES]);
err_t sign_check(const digest_t *signing_key, sign_purpose_t purpose,
                 const signed_version_t *version, slice_t signature) must_use;
