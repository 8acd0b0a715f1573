/* dm_held.c - a verify or a plan, and a despooler that is paused or stopped: whoever waits is told
 * at once, and not when some time is over.
 *
 * A paused despooler keeps what it has not taken for as long as that lasts; what it has taken comes
 * to its end. One that was stopped, or has begun anew, has forgotten both. One that has no slots
 * ends what waits for one, and says so. */
#include "actors/dm.h"
#include "actors/refuse.h"

#define LOOK_MS 500u

static actor_state_t
state_of_despooler(const actor_ctx_t *ctx)
{
    return actor_role_state(ctx, ACTOR_EDGE_ASK_despooler_instruction);
}

static bool
is_held(actor_state_t state)
{
    return state == ACTOR_PAUSED || state == ACTOR_STOPPED;
}

static const refusal_t *
draft_refusal(actor_ctx_t *ctx, actor_state_t state, const char *verb, slice_t id)
{
    bool paused = state == ACTOR_PAUSED;

    return refuse_draft(ctx, paused ? ERR_PAUSED : ERR_DOWN,
                        paused ? "despool component resume despooler, then repeat it"
                               : "despool component start despooler, then repeat it",
                        verb, id,
                        paused ? "the component despooler is paused"
                               : "the component despooler is stopped");
}

bool
dm_held_works(actor_ctx_t *ctx, const char *verb, slice_t id)
{
    actor_state_t state = state_of_despooler(ctx);

    if (!is_held(state)) {
        return true;
    }
    answer_unheard(REPLY(ctx, refusal, draft_refusal(ctx, state, verb, id)));
    return false;
}

static const char *
verb_of(const dm_op_t *op)
{
    return op->type == &distribute_plan_type ? "plan" : "verify";
}

static slice_t
id_of(const dm_op_t *op)
{
    const void *command = kept_record(op->command);

    return op->type == &distribute_plan_type
               ? record_slice(command, ((const distribute_plan_t *) command)->id)
               : record_slice(command, ((const verify_t *) command)->id);
}

static void
refuse_op(actor_ctx_t *ctx, dm_op_t *op, actor_state_t state)
{
    const refusal_t *refusal = draft_refusal(ctx, state, verb_of(op), id_of(op));

    answer_unheard(REPLY_TO(ctx, op->request, refusal, refusal));
    dm_op_free(op);
}

void
dm_held_without_slots(actor_ctx_t *ctx, dm_op_t *op)
{
    const refusal_t *refusal =
        refuse_draft(ctx, ERR_PAUSED, "despool component set despooler --slots N, then repeat it",
                     verb_of(op), id_of(op), "the despooler has no slots, it is disabled");

    answer_unheard(REPLY_TO(ctx, op->request, refusal, refusal));
    dm_op_free(op);
}

bool
dm_held_works_for(actor_ctx_t *ctx, dm_op_t *op)
{
    actor_state_t state = state_of_despooler(ctx);

    if (!is_held(state)) {
        return true;
    }
    refuse_op(ctx, op, state);
    return false;
}

actor_next_t
dm_held_look_in(actor_ctx_t *ctx, distribution_manager_t *self)
{
    if (self->looks) {
        return ACTOR_CONTINUE;
    }
    self->looks = true;
    return actor_timer(ctx, DM_TIMER_HELD, LOOK_MS) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
}

/* When all outcomes are in, the answer may still be on its way into the database. */
static bool
is_gathered(const dm_op_t *op)
{
    return op->used && op->number != 0 && op->waiting > 0;
}

actor_next_t
dm_held_look(actor_ctx_t *ctx, distribution_manager_t *self)
{
    actor_state_t state = state_of_despooler(ctx);
    bool more = false;
    self->looks = false;

    for (uint32_t i = 0; i < DM_OPS_MAX; i++) {
        dm_op_t *op = &self->op[i];
        if (!is_gathered(op)) {
            continue;
        }
        if (state == ACTOR_STOPPED || (state == ACTOR_PAUSED && op->untaken > 0)) {
            refuse_op(ctx, op, state);
        } else {
            more = true;
        }
    }
    return more ? dm_held_look_in(ctx, self) : ACTOR_CONTINUE;
}

void
dm_held_lost(actor_ctx_t *ctx, distribution_manager_t *self)
{
    for (uint32_t i = 0; i < DM_OPS_MAX; i++) {
        if (is_gathered(&self->op[i])) {
            dm_op_refuse(ctx, &self->op[i], ERR_RESTARTING, slice_of(""));
        }
    }
}
