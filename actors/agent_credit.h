/* agent_credit.h - bytes that are under way to an agent and not durable there yet.
 *
 * Shape    one account for each agent and one over all; what is sent is in both, until the agent
 *          says that it is durable, or is gone.
 * Promises under_way is never more than the window: what may have to be sent twice. Nobody uses up
 *          the window over all.
 * Threads  pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef struct credit {
    uint64_t window, under_way; /* bytes */
} credit_t;

/* What may be sent now: of the window over all nobody has more than what is left free in it. Many
 * have equal parts of it then, and a few that are slow leave something to who comes. */
uint64_t credit_room(const credit_t *mine, const credit_t *all);
void credit_send(credit_t *mine, credit_t *all, uint64_t bytes);
/* False: it gives back more than it was sent. */
bool credit_return(credit_t *mine, credit_t *all, uint64_t bytes);
/* Nothing of it will be heard of any more. */
void credit_end(credit_t *mine, credit_t *all);
