/* keys.h - the secrets of a site or an agent, as files below its data directory.
 *
 * Shape    DATA/keys/transport and DATA/keys/signing, sealed texts (seal.h) of one secret each, and
 *          DATA/keys.made, which says that they were made, and which they are.
 * Promises made at the first opening, durable before it returns; only their owner may read or
 *          write them: a file that others may touch is refused, not mended. Keys that were in use
 *          are never made anew: without them, or with others, it is refused.
 * Costs    a few calls, two of them syncs of directories.
 * Errors   ERR_KEY_MODE, ERR_KEYS_LOST, ERR_DAMAGED, those of the world.
 * Threads  one job, or the program before its host starts.
 * Owner    plain data; who read them wipes them.
 */
#pragma once

#include "actors/content/sign.h"
#include "runtime/world.h"

typedef struct keys {
    secret_t transport, signing;
    digest_t transport_key, signing_key; /* public halves */
} keys_t;

err_t keys_open(world_t *world, const char *data, keys_t *ret_keys, fault_t *fault) must_use;
/* Takes away keys that nobody has seen the public halves of. */
err_t keys_unmake(world_t *world, const char *data, fault_t *fault) must_use;
/* A new secret and its public half for CURVE. */
void keys_draw(world_t *world, secret_t *ret_secret, digest_t *ret_key);
