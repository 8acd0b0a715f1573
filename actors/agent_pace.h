/* agent_pace.h - how much may be under way to an agent, so that it comes through in time.
 *
 * Shape    one pace for each agent; it outlives its visits. At first AGENT_WINDOW_BYTES are taken
 *          to come through. A visit that ends with bytes under way leaves a quarter of that, a
 *          window that took longer than PACE_SLOW_MS a half; one that was back within PACE_FAST_MS
 *          is doubled. What the agent's disk took does not count: of a window that was sent when
 *          the one before it was back, the time until its last byte had come is the line's, and
 *          the rest is the time of its storing, by the word of the agent.
 * Promises whatever the line carries, down to AGENT_WINDOW_BYTES_MIN in AGENT_SILENCE_MS: after
 *          some tries no frame keeps a sign of life waiting for so long that the other side is
 *          thought gone, and what is sent again is no more than those tries.
 * Threads  pure.
 */
#pragma once

#include <stdint.h>

#include "proto/limits.h"

#define PACE_FAST_MS (AGENT_SILENCE_MS / 8)
#define PACE_SLOW_MS (AGENT_SILENCE_MS / 4)

typedef struct pace {
    uint64_t window;   /* bytes */
    uint64_t returned; /* of a window, since */
    int64_t since_ns;
} pace_t;

void pace_init(pace_t *pace);
/* Something is sent, and nothing was under way before. */
void pace_begin(pace_t *pace, int64_t now_ns);
/* So much is durable, and had come over the line stored_ms ago. */
void pace_return(pace_t *pace, uint64_t bytes, uint64_t stored_ms, int64_t now_ns);
/* A visit ended with bytes under way. */
void pace_lose(pace_t *pace);
