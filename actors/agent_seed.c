/* agent_seed.c - what an agent takes of a tree that is there already, before it asks its site.
 *
 * Once for each order at most, and not again for a version whose seed was gone through. A seed that
 * gives no sign of life is left: what it has is sent. */
#include <string.h>

#include "actors/agent_inside.h"

THEN(agent_state_t, seeded_came)

static slice_t
seed_of(const agent_state_t *self)
{
    const work_t *work = agent_work_of(self->order);

    return record_slice(kept_record(self->order), work->seed);
}

bool
agent_has_seed(const agent_state_t *self)
{
    slice_t seed = seed_of(self);
    const digest_t *root = &agent_work_of(self->order)->root;

    return seed.size > 0 && !self->seed_tried &&
           !(digest_equal(root, &self->seeded_root) && slice_equal(seed, slice_of(self->seeded)));
}

actor_next_t
agent_seed(actor_ctx_t *ctx, agent_state_t *self)
{
    const agent_args_t *args = kept_record(self->args);
    seed_order_t *m = DRAFT(ctx, seed_order);

    m->order = agent_order_of(self->order)->order;
    m->data = agent_data_directory(ctx, self);
    m->dp_root = actor_text(ctx, record_slice(args, args->root));
    m->seed = actor_text(ctx, seed_of(self));
    m->root = agent_work_of(self->order)->root;
    job_spec_t spec = {.name = "seed",
                       .run = job_seed,
                       .input_type = &seed_order_type,
                       .input = m,
                       .subject = slice_of("seed"),
                       .deadline_ms = AGENT_WORK_MS,
                       .then = seeded_came_then,
                       .tag = ++self->seedings};
    self->seed_tried = true;
    self->fetched_root = m->root;
    verdict_t verdict = actor_job(ctx, &spec, &self->job);
    if (verdict != VERDICT_OK) {
        return agent_look_for_lacks(ctx, self);
    }
    self->job_open = true;
    self->phase = PHASE_SEED;
    return agent_watch_from_now(ctx, self);
}

static void
tell(actor_ctx_t *ctx, agent_state_t *self, const agent_seeded_t *said, err_t err)
{
    agent_seeded_t *m = DRAFT(ctx, agent_seeded);

    m->order = agent_order_of(self->order)->order;
    m->err = err;
    if (said) {
        m->text = actor_text(ctx, record_slice(said, said->text));
        m->files = said->files;
        m->bytes = said->bytes;
        m->skipped = said->skipped;
    }
    agent_say(ctx, self, &agent_seeded_type, m);
}

static void
remember(agent_state_t *self)
{
    if (slice_copy(seed_of(self), self->seeded, sizeof self->seeded)) {
        self->seeded_root = agent_work_of(self->order)->root;
    }
}

static actor_next_t
seeded_came(actor_ctx_t *ctx, agent_state_t *self, const actor_answer_t *answer)
{
    const agent_seeded_t *m = ANSWER_AS(answer, agent_seeded);
    err_t err = m ? (err_t) m->err : answer->err;

    if (answer->tag != self->seedings) {
        return ACTOR_CONTINUE; /* it was left, and something else is in hand */
    }
    self->job_open = false;
    agent_watch_end(ctx, self);
    if (!self->order || self->phase != PHASE_SEED) {
        return agent_go_on(ctx, self);
    }
    if (err == OK) {
        remember(self);
    }
    tell(ctx, self, m, err);
    return agent_look_for_lacks(ctx, self);
}

/* Its job meets its end at the next call to the world, whenever that returns. */
actor_next_t
agent_leave_seed(actor_ctx_t *ctx, agent_state_t *self)
{
    actor_job_cancel(ctx, self->job);
    self->seedings++;
    self->job_open = false;
    tell(ctx, self, NULL, ERR_HUNG);
    return agent_look_for_lacks(ctx, self);
}
