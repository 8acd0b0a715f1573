/* hints.h - what the database tells after a commit: look, something has changed.
 *
 * Shape    hints_tell after each group, hints_again when its timer (HINTS_TIMER) is over.
 * Promises a hint that found no room is told again; one that is lost costs a delay, never work.
 * Threads  the handlers of site_database.
 */
#pragma once

#include "proto/messages.h"
#include "runtime/actor.h"

#define EDGES(E)                                                                                   \
    E(TELL, distribution_manager, work_changed)                                                    \
    E(TELL, agent_gateway, agents_changed)                                                         \
    E(TELL, status_manager, events_committed)
ACTOR_EDGES(EDGES)

#define HINTS_TIMER 1u

typedef struct hints {
    bool work, events, agents; /* found no room */
    uint64_t last_event;
} hints_t;

void hints_tell(actor_ctx_t *ctx, hints_t *hints, const group_answers_t *answers);
void hints_again(actor_ctx_t *ctx, hints_t *hints);
