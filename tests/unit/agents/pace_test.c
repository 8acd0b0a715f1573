/* pace_test.c - claims about how much is under way to an agent over a line of any speed.
 *
 * A line here carries so many bytes a second, and ends a visit when a window takes longer than
 * silence may last: as a connection does whose signs of life wait behind content. */
#include <criterion/criterion.h>

#include "actors/agent_pace.h"

#define NS_PER_MS INT64_C(1000000)

typedef struct line {
    uint64_t rate; /* bytes a second */
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
    line->now_ns += took_ns;
    line->durable += window;
    pace_return(pace, window, line->now_ns);
}

Test(pace, q278357_whatever_a_line_carries_its_windows_come_through_before_it_is_thought_gone)
{
    for (uint64_t rate = 600; rate < UINT64_C(20000000000); rate += rate / 3) {
        line_t line = {.rate = rate};
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
    pace_return(&pace, AGENT_WINDOW_BYTES, 0);
    cr_expect_eq(pace.window, AGENT_WINDOW_BYTES);
    for (uint32_t i = 0; i < 100; i++) {
        pace_lose(&pace);
    }
    cr_expect_eq(pace.window, AGENT_WINDOW_BYTES_MIN);
    for (uint32_t i = 0; i < 100; i++) {
        pace_begin(&pace, 0);
        pace_return(&pace, pace.window, AGENT_SILENCE_MS * NS_PER_MS);
    }
    cr_expect_eq(pace.window, AGENT_WINDOW_BYTES_MIN);
}
