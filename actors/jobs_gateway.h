/* jobs_gateway.h - the jobs of a site that has agents.
 *
 * Shape    job_token: token_order -> token_made; job_keys: keys_order -> keys_read, the keys into
 *          the keys_t that is lent; job_read: read_order -> agent_data; job_named: named_order ->
 *          named, what a version and the one before it name into the named_pair_t that is lent.
 * Promises each makes its answer whatever it meets. No secret is in a record but the token.
 * Costs    those of content/; job_read: one copy of at most AGENT_DATA_BYTES_MAX; job_named:
 *          the version's nodes are read, 8 bytes for each name.
 * Errors   in the answers.
 * Threads  one job each.
 */
#pragma once
#include "actors/content/keys.h"
#include "actors/content/kin.h"
#include "runtime/actor.h"

job_fn job_token, job_keys, job_read, job_named;
/* Starts job_keys; its answer brings the keys. */
actor_next_t keys_ask(actor_ctx_t *ctx, slice_t data, actor_answer_fn *then);
void keys_take(const actor_answer_t *answer, keys_t *ret_keys);

/* What a version's manifest names, itself among it: the first 8 bytes of each digest, rising. Who
 * wants something else cannot choose its digest, and would have to be lucky. */
typedef struct names {
    uint64_t *name;
    uint64_t count, room;
} names_t;
/* Those of a version with the chunks of its large files, and of the one before that an agent has;
 * which chunks of that the new ones are sent against. */
typedef struct named_pair {
    names_t now, before;
    kin_t kin;
} named_pair_t;
bool names_have(const names_t *names, const digest_t *object);
void names_drop(void *names);
