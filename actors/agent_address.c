/* agent_address.c - where the site is: two addresses, the one that it said last and the former.
 *
 * The newest is tried first. What does not answer makes way for the other one, so that neither a
 * wrong address nor one that is gone keeps an agent away. */
#include <string.h>

#include "actors/agent_inside.h"
#include "actors/agent_order.h"

#define MOVE_MS 60000u

THEN(agent_state_t, moved)

void
agent_know_addresses(agent_state_t *self)
{
    const agent_args_t *args = kept_record(self->args);

    if (!slice_copy(record_slice(args, args->address), self->address[0], sizeof self->address[0]) ||
        !slice_copy(record_slice(args, args->former), self->address[1], sizeof self->address[1])) {
        self->address[1][0] = '\0';
    }
    self->welcomed = true; /* it begins with the first */
}

slice_t
agent_next_address(agent_state_t *self)
{
    self->at = self->welcomed || !self->address[1][0] ? 0 : 1 - self->at;
    self->welcomed = false;
    return slice_of(self->address[self->at]);
}

static bool
holds(const agent_state_t *self, const agent_address_t *m)
{
    const agent_args_t *args = kept_record(self->args);
    slice_t address = record_slice(m, m->address);
    agent_order_said_t of = {
        .site = args->site, .point = args->dp_incarnation, .visit = self->visit};
    signed_version_t said;

    return agent_address_said(&of, address, &said) == OK &&
           sign_check(&args->site_signing, SIGN_ADDRESS, &said, record_slice(m, m->signature)) ==
               OK;
}

/* The former one is that which the site said before, not the one that answers: the new one was
 * heard by it. */
static void
take(agent_state_t *self, slice_t address)
{
    char former[sizeof self->address[1]];

    memcpy(former, self->address[0], sizeof former);
    if (!slice_equal(address, slice_of(former)) &&
        slice_copy(address, self->address[0], sizeof self->address[0])) {
        memcpy(self->address[1], former, sizeof former);
        self->at = 1; /* it speaks with the site by that one */
    }
}

actor_next_t
agent_take_address(actor_ctx_t *ctx, agent_state_t *self, const agent_address_t *m)
{
    slice_t address = record_slice(m, m->address);

    if (!holds(self, m) || self->moving || address.size == 0) {
        return ACTOR_CONTINUE;
    }
    move_order_t *order = DRAFT(ctx, move_order);
    order->data = agent_data_directory(ctx, self);
    order->address = actor_text(ctx, address);
    job_spec_t spec = {.name = "move",
                       .run = job_move,
                       .input_type = &move_order_type,
                       .input = order,
                       .deadline_ms = MOVE_MS,
                       .then = moved_then};
    self->moving = actor_job(ctx, &spec, NULL) == VERDICT_OK;
    return ACTOR_CONTINUE;
}

/* What could not be noted is not said: the site says it again after a while. */
static actor_next_t
moved(actor_ctx_t *ctx, agent_state_t *self, const actor_answer_t *answer)
{
    const claimed_t *m = ANSWER_AS(answer, claimed);

    self->moving = false;
    if (!m || m->err != OK) {
        return ACTOR_CONTINUE;
    }
    take(self, record_slice(m, m->root));
    agent_moved_t *said = DRAFT(ctx, agent_moved);
    said->address = actor_text(ctx, record_slice(m, m->root));
    agent_say(ctx, self, &agent_moved_type, said);
    return ACTOR_CONTINUE;
}
