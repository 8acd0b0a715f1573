/* pace_test.c - claims about how much is under way to an agent over a line of any speed.
 *
 * A line here carries so many bytes a second, and ends a visit when a window takes longer than
 * silence may last: as a connection does whose signs of life wait behind content. Behind it is a
 * disk that stores what has come, and is waited for without end. */
#include <criterion/criterion.h>

#include "actors/agent_pace.h"

#define NS_PER_MS INT64_C(1000000)

typedef struct line {
    uint64_t rate; /* bytes a second */
    uint64_t disk; /* the same, of what is behind it; 0: it takes no time */
    int64_t now_ns;
    uint64_t sent, durable; /* bytes */
    uint32_t lost;          /* visits */
} line_t;

/* One window, and what became of it. */
static void
carry(line_t *line, pace_t *pace)
{
    uint64_t window = pace->window;
    int64_t took_ns = (int64_t) (window * 1000 / line->rate + 1) * NS_PER_MS;

    pace_begin(pace, line->now_ns);
    line->sent += window;
    if (took_ns > AGENT_SILENCE_MS * NS_PER_MS) {
        line->sent -= window - line->rate * AGENT_SILENCE_MS / 1000;
        line->now_ns += AGENT_SILENCE_MS * NS_PER_MS;
        line->lost++;
        pace_lose(pace);
        return;
    }
    uint64_t stored_ms = line->disk > 0 ? window * 1000 / line->disk : 0;
    line->now_ns += took_ns + (int64_t) stored_ms * NS_PER_MS;
    line->durable += window;
    pace_return(pace, window, stored_ms, line->now_ns);
}

static void
expect_all_comes_through(uint64_t rate, uint64_t disk)
{
    line_t line = {.rate = rate, .disk = disk};
    pace_t pace;

    pace_init(&pace);
    for (uint32_t i = 0; i < 200; i++) {
        carry(&line, &pace);
    }
    cr_expect_leq(line.lost, 6, "%lu bytes a second: %u visits were lost of 200 windows",
                  (unsigned long) rate, line.lost);
    cr_expect_leq(line.sent - line.durable, AGENT_WINDOW_BYTES,
                  "%lu bytes a second: %lu bytes were sent in vain", (unsigned long) rate,
                  (unsigned long) (line.sent - line.durable));
}

Test(pace, q278357_whatever_a_line_carries_its_windows_come_through_before_it_is_thought_gone)
{
    static const uint64_t disks[] = {0, 300, 100000, UINT64_C(50000000)};

    for (uint64_t rate = 600; rate < UINT64_C(20000000000); rate += rate / 3) {
        for (uint32_t i = 0; i < sizeof disks / sizeof disks[0]; i++) {
            expect_all_comes_through(rate, disks[i]);
        }
    }
}

Test(pace, a_slow_disk_is_not_taken_for_a_slow_line)
{
    for (uint64_t disk = 1000; disk < UINT64_C(1000000000); disk *= 3) {
        line_t line = {.rate = UINT64_C(100000000), .disk = disk};
        pace_t pace;

        pace_init(&pace);
        for (uint32_t i = 0; i < 50; i++) {
            carry(&line, &pace);
        }
        cr_expect_eq(pace.window, AGENT_WINDOW_BYTES,
                     "%lu bytes a second are stored, and %lu may be under way",
                     (unsigned long) disk, (unsigned long) pace.window);
    }
}

Test(pace, an_agent_that_says_more_than_can_be_has_no_more_than_a_window)
{
    pace_t pace;

    pace_init(&pace);
    for (uint32_t i = 0; i < 100; i++) {
        pace_begin(&pace, 0);
        pace_return(&pace, pace.window, i % 2 == 0 ? UINT64_MAX : UINT64_MAX / 1000000, 1000);
        cr_expect_eq(pace.window, AGENT_WINDOW_BYTES);
    }
}

Test(pace, a_line_that_was_pulled_and_is_fast_has_the_whole_window_again)
{
    line_t line = {.rate = UINT64_C(100000000)};
    pace_t pace;

    pace_init(&pace);
    for (uint32_t i = 0; i < 5; i++) {
        pace_lose(&pace);
    }
    cr_expect_lt(pace.window, AGENT_WINDOW_BYTES);
    for (uint32_t i = 0; i < 10; i++) {
        carry(&line, &pace);
    }
    cr_expect_eq(pace.window, AGENT_WINDOW_BYTES, "expected %u, got %lu", AGENT_WINDOW_BYTES,
                 (unsigned long) pace.window);
}

Test(pace, it_is_never_nothing_and_never_more_than_may_be_sent_twice)
{
    pace_t pace;

    pace_init(&pace);
    pace_return(&pace, AGENT_WINDOW_BYTES, 0, 0);
    cr_expect_eq(pace.window, AGENT_WINDOW_BYTES);
    for (uint32_t i = 0; i < 100; i++) {
        pace_lose(&pace);
    }
    cr_expect_eq(pace.window, AGENT_WINDOW_BYTES_MIN);
    for (uint32_t i = 0; i < 100; i++) {
        pace_begin(&pace, 0);
        pace_return(&pace, pace.window, 0, AGENT_SILENCE_MS * NS_PER_MS);
    }
    cr_expect_eq(pace.window, AGENT_WINDOW_BYTES_MIN);
}
