/* rate_test.c - claims about rates, by a clock of their own. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "actors/rate.h"

#define SECOND INT64_C(1000000000)
#define MS     INT64_C(1000000)

static uint64_t
all_there(bucket_t *bucket, int64_t now)
{
    uint64_t bytes = bucket_room(bucket, now);

    bucket_take(bucket, bytes);
    return bytes;
}

static void
expect_between(uint64_t got, uint64_t least, uint64_t most)
{
    cr_expect(got >= least && got <= most, "expected %llu to %llu bytes, got %llu",
              (unsigned long long) least, (unsigned long long) most, (unsigned long long) got);
}

/* Takes whatever is there, at drawn moments. */
static uint64_t
greedy(bucket_t *bucket, int64_t *now, int64_t span, int64_t step)
{
    uint64_t bytes = 0;

    for (int64_t end = *now + span; *now < end;) {
        *now += rand() % step + 1;
        *now = *now < end ? *now : end;
        bytes += all_there(bucket, *now);
    }
    return bytes;
}

Test(rate, over_any_span_no_more_goes_than_the_rate_and_one_burst)
{
    static const uint64_t rates[] = {1, 999, 40000, 1000003, 40000000, RATE_BYTES_MAX};

    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        bucket_t bucket = {0};
        int64_t now = 7 * SECOND;
        uint64_t rate = rates[i],
                 burst = rate / 10 > RATE_BLOCK_BYTES_MIN ? rate / 10 : RATE_BLOCK_BYTES_MIN;
        bucket_set(&bucket, rate, now);
        for (int64_t step = 1000; step <= 90 * MS; step *= 30) { /* less often than bursts fill */
            int64_t span = step * 20000 < 3 * SECOND ? step * 20000 : 3 * SECOND;
            uint64_t whole = (uint64_t) ((double) rate * (double) span / 1e9);
            expect_between(greedy(&bucket, &now, span, step),
                           whole > whole / 1000 + burst ? whole - whole / 1000 - burst : 0,
                           whole + whole / 1000 + burst);
        }
    }
}

Test(rate, a_second_of_small_steps_lets_through_what_a_second_does)
{
    bucket_t bucket = {0};
    uint64_t bytes = 0;

    bucket_set(&bucket, 1000003, 0);
    for (int64_t now = 0; now <= SECOND; now += 777) {
        bytes += all_there(&bucket, now);
    }
    expect_between(bytes, 1000003 - 20, 1000003);
}

Test(rate, a_rest_saves_up_a_burst_and_no_more)
{
    bucket_t bucket = {0};

    bucket_set(&bucket, 40000000, 0);
    expect_between(all_there(&bucket, 3600 * SECOND), 4000000, 4000000);
    expect_between(all_there(&bucket, 3600 * SECOND), 0, 0);
    bucket_set(&bucket, 10, 3600 * SECOND); /* a burst of it takes minutes */
    expect_between(all_there(&bucket, 7200 * SECOND), RATE_BLOCK_BYTES_MIN, RATE_BLOCK_BYTES_MIN);
    expect_between(all_there(&bucket, 7260 * SECOND), 600, 600);
}

Test(rate, a_new_rate_counts_from_when_it_is_set)
{
    bucket_t bucket = {0};

    bucket_set(&bucket, 1000000, 0);
    bucket_set(&bucket, 100000, 50 * MS);
    expect_between(all_there(&bucket, 50 * MS), 10000,
                   10000); /* of 50,000 a burst of the new one */
    expect_between(all_there(&bucket, 60 * MS), 1000, 1000);
    bucket_set(&bucket, 10000000, 60 * MS);
    expect_between(all_there(&bucket, 60 * MS), 0, 0);
    expect_between(all_there(&bucket, 70 * MS), 100000, 100000);
    bucket_set(&bucket, 0, 70 * MS);
    cr_expect_eq(bucket_room(&bucket, 70 * MS), UINT64_MAX, "a limit that was lifted holds");
    bucket_set(&bucket, 1000000, 80 * MS);
    expect_between(all_there(&bucket, 80 * MS), 0, 0);
}

Test(rate, a_clock_that_stands_or_goes_back_fills_nothing)
{
    bucket_t bucket = {0};

    bucket_set(&bucket, 1000000, SECOND);
    expect_between(all_there(&bucket, SECOND), 0, 0);
    expect_between(all_there(&bucket, SECOND / 2), 0, 0);
    expect_between(all_there(&bucket, SECOND + MS), 1000, 1000);
}

Test(rate, who_waits_as_long_as_it_is_told_finds_a_block)
{
    for (uint64_t rate = 1; rate <= RATE_BYTES_MAX; rate = rate * 7 + 3) {
        bucket_t bucket = {0};
        bucket_set(&bucket, rate, 5);
        uint64_t block = bucket_block(&bucket);
        int64_t wait = bucket_wait_ns(&bucket, block, 5);
        cr_assert_gt(wait, 0);
        expect_between(bucket_room(&bucket, 5 + wait), block, UINT64_MAX);
        bucket_set(&bucket, 0, 5);
        bucket_set(&bucket, rate, 5);
        expect_between(bucket_room(&bucket, 5 + wait - 1), 0, block - 1);
    }
}

Test(rate, what_was_not_used_comes_back_within_a_burst)
{
    bucket_t bucket = {0};

    bucket_set(&bucket, 1000000, 0);
    bucket_take(&bucket, bucket_room(&bucket, SECOND));
    bucket_give(&bucket, 30000);
    expect_between(all_there(&bucket, SECOND), 30000, 30000);
    bucket_give(&bucket, 300000);
    expect_between(all_there(&bucket, SECOND), 100000, 100000);
}
