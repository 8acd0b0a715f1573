/* rate.c - see rate.h. */
#include "actors/rate.h"

#include <assert.h>

#define SECOND_NS UINT64_C(1000000000)
#define BLOCK_MS  50u /* of the rate, in one message */

_Static_assert(RATE_BYTES_MAX <= UINT64_MAX / SECOND_NS, "a second of the rate can be counted");

static uint64_t
share_of(uint64_t rate, uint64_t ms, uint64_t least)
{
    uint64_t bytes = rate / 1000 * ms + rate % 1000 * ms / 1000;

    return bytes > least ? bytes : least;
}

static uint64_t
burst_of(const bucket_t *bucket)
{
    return share_of(bucket->rate, RATE_BURST_MS, RATE_BLOCK_BYTES_MIN);
}

uint64_t
bucket_block(const bucket_t *bucket)
{
    uint64_t block = share_of(bucket->rate, BLOCK_MS, RATE_BLOCK_BYTES_MIN);

    return bucket->rate > 0 && block < AGENT_DATA_BYTES_MAX ? block : AGENT_DATA_BYTES_MAX;
}

/* The time moves on by what the bytes took, rounded up: what is left of it counts in the next. A
 * burst is at most a second, or fills within some. */
static void
refill(bucket_t *bucket, int64_t now_ns)
{
    uint64_t burst = burst_of(bucket), past = (uint64_t) (now_ns - bucket->at_ns);
    uint64_t missing = burst - bucket->held;

    if (now_ns <= bucket->at_ns) {
        return;
    }
    if (past / SECOND_NS > missing / bucket->rate) { /* full, whatever the rest */
        bucket->held = burst;
        bucket->at_ns = now_ns;
        return;
    }
    uint64_t bytes = past / SECOND_NS * bucket->rate + past % SECOND_NS * bucket->rate / SECOND_NS;
    if (bytes >= missing) {
        bucket->held = burst;
        bucket->at_ns = now_ns;
        return;
    }
    uint64_t whole = bytes / bucket->rate, rest = bytes % bucket->rate;
    bucket->held += bytes;
    bucket->at_ns +=
        (int64_t) (whole * SECOND_NS + (rest * SECOND_NS + bucket->rate - 1) / bucket->rate);
}

void
bucket_set(bucket_t *bucket, uint64_t rate, int64_t now_ns)
{
    if (bucket->rate == rate) {
        return;
    }
    if (bucket->rate > 0) {
        refill(bucket, now_ns);
    } else {
        bucket->held = 0;
    }
    bucket->rate = rate < RATE_BYTES_MAX ? rate : RATE_BYTES_MAX;
    bucket->at_ns = now_ns;
    bucket->held = bucket->held < burst_of(bucket) ? bucket->held : burst_of(bucket);
}

uint64_t
bucket_room(bucket_t *bucket, int64_t now_ns)
{
    if (bucket->rate == 0) {
        return UINT64_MAX;
    }
    refill(bucket, now_ns);
    return bucket->held;
}

void
bucket_take(bucket_t *bucket, uint64_t bytes)
{
    if (bucket->rate > 0) {
        assert(bytes <= bucket->held && "no more is taken than there is");
        bucket->held -= bytes;
    }
}

void
bucket_give(bucket_t *bucket, uint64_t bytes)
{
    uint64_t missing = burst_of(bucket) - bucket->held;

    if (bucket->rate > 0) {
        bucket->held += bytes < missing ? bytes : missing;
    }
}

int64_t
bucket_wait_ns(bucket_t *bucket, uint64_t bytes, int64_t now_ns)
{
    uint64_t held = bucket_room(bucket, now_ns);

    if (held >= bytes) {
        return 0;
    }
    uint64_t missing = bytes - held, whole = missing / bucket->rate, rest = missing % bucket->rate;
    uint64_t from_at = whole * SECOND_NS + (rest * SECOND_NS + bucket->rate - 1) / bucket->rate;
    int64_t wait = bucket->at_ns + (int64_t) from_at - now_ns;
    return wait > 0 ? wait : 1;
}
