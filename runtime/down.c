/* down.c - an actor hears that one which it monitors, or its child, has ended. */
#include "runtime/inside.h"

#include <stdio.h>

static actor_next_t
run_down(actor_ctx_t *ctx, void *self, const void *argument)
{
    return ctx->actor->class->class->on_down(ctx, self, argument);
}

/* A supervisor that has no on_down cannot do without a child that was given up: it fails itself. */
static actor_next_t
run_given_up(actor_ctx_t *ctx, void *self, const void *argument)
{
    (void) self;
    const actor_down_t *down = argument;
    snprintf(ctx->claim, sizeof ctx->claim, "its child %s was given up", down->name);
    return ACTOR_FAIL;
}

void
down_dispatch(actor_t *actor, const envelope_t *message)
{
    const envelope_more_t *more = envelope_more_of(message);
    actor_down_t down = {
        .who = message->from,
        .next = ref_of_word(more->down.next),
        .reason = (actor_reason_t) message->reason,
        .class_name = more->down.class_name,
        .name = (const char *) message->record,
        .tag = message->number,
    };
    bool mine = ref_equal(message->to, actor->self); /* not of an earlier incarnation's monitor */
    if (actor->stage != STAGE_OPEN || !mine) {
        return;
    }
    if (actor->class->class->on_down != NULL) {
        core_run(actor, "down", run_down, &down);
    } else if (down.reason == ACTOR_GIVEN_UP) {
        core_run(actor, "down", run_given_up, &down);
    }
}
