/* job_memo.h - what one job has found out, for others that need the same soon after.
 *
 * Shape    a memo_t of a host, the `memo` of every job's world: bytes by a key that says what they
 *          were made of, so that they are right for as long as they are kept.
 * Promises the first who asks for a key is told to make it; who asks meanwhile waits for it, at
 *          most the patience, and then makes it in its place. What is made is put or given up.
 * Costs    at most MEMO_BYTES_MAX and MEMO_KEYS_MAX, the one that was used least lately goes first;
 *          one lock, held for a look at all keys and for the copying of one.
 * Errors   none: without room or memory a job makes what it needs for itself.
 * Threads  every function from any thread.
 * Owner    memo_new -> the job pool, memo_destroy(&memo).
 */
#pragma once

#include "runtime/world.h"

#define MEMO_BYTES_MAX   33554432u /* 32 MiB; the least lately used goes */
#define MEMO_KEYS_MAX    512u      /* the same */
#define MEMO_PATIENCE_NS 1000000000

typedef struct memo memo_t;

/* patience_ns: 0 never waits. */
memo_t *memo_new(int64_t patience_ns);
void memo_destroy(memo_t **memo);
world_memo_t *memo_of(memo_t *memo);
