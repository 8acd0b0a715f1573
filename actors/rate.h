/* rate.h - a bucket of bytes that fills at a rate: what may be sent by now.
 *
 * Shape    a bucket for each of a site, a link and a point; who sends takes from all that apply.
 * Promises over any span of time no more is taken than the rate lets in, and one burst:
 *          RATE_BURST_MS of it, at least RATE_BLOCK_BYTES_MIN. A new rate counts from when it is
 *          set. Time that goes back fills nothing.
 * Costs    some arithmetic.
 * Threads  pure: the time is an argument.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "proto/limits.h"

typedef struct bucket {
    uint64_t rate; /* bytes a second, at most RATE_BYTES_MAX; 0: no limit, and nothing is counted */
    uint64_t held; /* bytes that may be taken, as of at_ns */
    int64_t at_ns;
} bucket_t;

/* A bucket that was without a limit begins empty. */
void bucket_set(bucket_t *bucket, uint64_t rate, int64_t now_ns);
/* What may be taken now; UINT64_MAX: there is no limit. */
uint64_t bucket_room(bucket_t *bucket, int64_t now_ns);
void bucket_take(bucket_t *bucket, uint64_t bytes);
/* Of what was taken, not used after all. */
void bucket_give(bucket_t *bucket, uint64_t bytes);
/* Less than this is not worth a message of its own: 50 ms of the rate, within bounds. */
uint64_t bucket_block(const bucket_t *bucket);
/* Until this much is there; it is at most a block. */
int64_t bucket_wait_ns(bucket_t *bucket, uint64_t bytes, int64_t now_ns);
