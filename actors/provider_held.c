/* provider_held.c - a command that is asked of a component which a person has paused, and which
 * would keep it for as long as that lasts: whoever waits is told, also when it was paused after it
 * was asked. Then it ends what changes nothing alone: what changes something may be done already,
 * and its client hears by a ping who keeps it. */
#include "actors/provider_inside.h"

#define LOOK_MS 500u

actor_next_t
hold_answer(actor_ctx_t *ctx, provider_t *self, pending_t *pending, actor_state_t state)
{
    const char *whom = route_of(pending->command)->whom;
    return pending_end(ctx, self, pending,
                       reply_held(ctx, pending_id(pending), pending->command, whom, state));
}

actor_next_t
hold_look_in(actor_ctx_t *ctx, provider_t *self)
{
    if (self->watched) {
        return ACTOR_CONTINUE;
    }
    self->watched = true;
    return actor_timer(ctx, TIMER_HELD, LOOK_MS) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
}

/* Whoever waits for an answer that changes nothing is told when its giver was paused meanwhile. */
actor_next_t
hold_look(actor_ctx_t *ctx, provider_t *self)
{
    bool more = false;
    self->watched = false;
    for (uint32_t i = 0; i < PENDING_MAX; i++) {
        pending_t *pending = &self->pendings.pending[i];
        actor_state_t state;
        bool looks = pending->used && pending->looks && !pending->parked;
        if (looks && route_is_held(ctx, route_of(pending->command), &state)) {
            claim(ctx, hold_answer(ctx, self, pending, state) == ACTOR_CONTINUE);
        } else {
            more = more || looks;
        }
    }
    return more ? hold_look_in(ctx, self) : ACTOR_CONTINUE;
}

const char *
hold_keeper(const actor_ctx_t *ctx, const provider_t *self)
{
    for (uint32_t i = 0; i < PENDING_MAX && self->pendings.free_count < PENDING_MAX; i++) {
        const pending_t *pending = &self->pendings.pending[i];
        actor_state_t state;
        if (pending->used && !pending->parked &&
            route_is_held(ctx, route_of(pending->command), &state) && state == ACTOR_PAUSED) {
            return route_of(pending->command)->whom;
        }
    }
    return NULL;
}
