/* dm_look.c - work that is due is taken up, and given to the despooler as far as that has room. */
#include "actors/dm.h"

#define LOOK_MS 30000u /* between looks for due work when nobody says that there is some */
#define ROOM_MS 200u   /* after the despooler had no room */

THEN(distribution_manager_t, due_came)
THEN(distribution_manager_t, instructed)

static actor_next_t
look_in(actor_ctx_t *ctx, uint64_t ms)
{
    return actor_timer(ctx, DM_TIMER_LOOK, ms) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
}

/* Everything that was taken up is due again: whoever had it has forgotten it. */
actor_next_t
dm_new_run(actor_ctx_t *ctx, distribution_manager_t *self)
{
    self->run = dm_new_incarnation(ctx);
    self->stale = self->asking;
    kept_destroy(&self->handed);
    return look_in(ctx, DM_AGAIN_MS);
}

/* What is taken up is given to the despooler, and nothing more is taken up before that has all of
 * it: what it has no room for waits here. */
static actor_next_t
hand(actor_ctx_t *ctx, distribution_manager_t *self)
{
    verdict_t verdict =
        dm_instruct(ctx, kept_record(self->handed), instructed_then, 0, &self->handing);

    if (verdict != VERDICT_OK && verdict != VERDICT_FULL) {
        return dm_new_run(ctx, self); /* what it took up may be known to nobody now */
    }
    self->refused = verdict != VERDICT_OK;
    self->room_ns = actor_now_ns(ctx) + (int64_t) ROOM_MS * 1000000;
    return self->handing > 0 ? ACTOR_CONTINUE : look_in(ctx, ROOM_MS);
}

static actor_next_t
hand_again(actor_ctx_t *ctx, distribution_manager_t *self)
{
    bool waits = self->handed && self->handing == 0;

    return waits && actor_now_ns(ctx) >= self->room_ns ? hand(ctx, self) : ACTOR_CONTINUE;
}

actor_next_t
dm_look(actor_ctx_t *ctx, distribution_manager_t *self)
{
    if (!self->opened || self->asking || self->handed || self->handing > 0) {
        self->again = true;
        return hand_again(ctx, self);
    }
    due_targets_t *m = DRAFT(ctx, due_targets);
    m->run = self->run;
    m->limit = DUE_TARGETS_MAX;
    self->asking = ask_site_database_due_targets(ctx, m, DM_ASK_MS, due_came_then, 0) == VERDICT_OK;
    self->again = false;
    self->stale = false;
    return look_in(ctx, self->asking ? LOOK_MS : DM_AGAIN_MS);
}

static actor_next_t
due_came(actor_ctx_t *ctx, distribution_manager_t *self, const actor_answer_t *answer)
{
    const due_t *due = ANSWER_AS(answer, due);

    self->asking = false;
    bool instructs = due && due->targets.count > 0 && !self->stale;
    if (!due) {
        return dm_new_run(ctx, self); /* what it took up may be known to nobody now */
    }
    if (due->leaving) {
        dm_leave(ctx, self);
    }
    self->more = due->more || self->again || self->stale;
    uint64_t next_ms = due->more || due->next_ms > LOOK_MS ? LOOK_MS : due->next_ms;
    claim(ctx, look_in(ctx, next_ms) == ACTOR_CONTINUE);
    if (instructs) {
        self->handed = actor_keep(ctx, &due_type, due);
        return hand(ctx, self);
    }
    return self->more ? dm_look(ctx, self) : ACTOR_CONTINUE;
}

static actor_next_t
handed_all(actor_ctx_t *ctx, distribution_manager_t *self)
{
    if (self->handed && self->refused) {
        return look_in(ctx, ROOM_MS);
    }
    kept_destroy(&self->handed);
    return self->more || self->again ? dm_look(ctx, self) : ACTOR_CONTINUE;
}

/* An instruction that nobody has is taken up again by a new run; for one that there is no room for
 * some must be found first, or all that has its place would be taken up again with it. */
static actor_next_t
instructed(actor_ctx_t *ctx, distribution_manager_t *self, const actor_answer_t *answer)
{
    err_t err = answer_err(answer);

    self->handing--;
    self->refused |= err == ERR_FULL;
    if (err != OK && err != ERR_FULL) {
        return dm_new_run(ctx, self);
    }
    return self->handing == 0 ? handed_all(ctx, self) : ACTOR_CONTINUE;
}
