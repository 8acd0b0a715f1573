/* agent_pace.c - see agent_pace.h. */
#include "actors/agent_pace.h"

#include <stdbool.h>

#define NS_PER_MS INT64_C(1000000)

static uint64_t
within(uint64_t window)
{
    return window < AGENT_WINDOW_BYTES_MIN ? AGENT_WINDOW_BYTES_MIN
           : window > AGENT_WINDOW_BYTES   ? AGENT_WINDOW_BYTES
                                           : window;
}

void
pace_init(pace_t *pace)
{
    *pace = (pace_t){.window = AGENT_WINDOW_BYTES};
}

void
pace_begin(pace_t *pace, int64_t now_ns)
{
    pace->returned = 0;
    pace->since_ns = now_ns;
}

/* An agent that says more than can be has none of the time left: it is sent the whole window, which
 * it could have had by being fast. */
static int64_t
line_took_ns(const pace_t *pace, uint64_t stored_ms, int64_t now_ns)
{
    int64_t took_ns = now_ns - pace->since_ns;
    bool part = stored_ms < (uint64_t) (took_ns / NS_PER_MS);

    return part ? took_ns - (int64_t) stored_ms * NS_PER_MS : 0;
}

void
pace_return(pace_t *pace, uint64_t bytes, uint64_t stored_ms, int64_t now_ns)
{
    pace->returned += bytes;
    if (pace->returned < pace->window) {
        return;
    }
    int64_t took_ns = line_took_ns(pace, stored_ms, now_ns);
    if (took_ns <= PACE_FAST_MS * NS_PER_MS) {
        pace->window = within(pace->window * 2);
    } else if (took_ns > PACE_SLOW_MS * NS_PER_MS) {
        pace->window = within(pace->window / 2);
    }
    pace_begin(pace, now_ns);
}

void
pace_lose(pace_t *pace)
{
    pace->window = within(pace->window / 4);
}
