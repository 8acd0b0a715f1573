/* dm_scrub.c - what is placed is read again over time, at so many bytes a second for each point.
 *
 * Rounds over all points, by their names, a portion of each. A round takes as long as its largest
 * portion costs at the rate, so that no point is read faster; one that has other work, or is not
 * there, is left to the next round. Where each stands the database keeps. */
#include "actors/dm.h"

#define PORTION_MS (3 * 60000u) /* then the round goes on without those that did not answer */

THEN(distribution_manager_t, scrub_came)
THEN(distribution_manager_t, portion_saved)

static actor_next_t
scrub_in(actor_ctx_t *ctx, uint64_t ms)
{
    return actor_timer(ctx, DM_TIMER_SCRUB, ms) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
}

static uint64_t
round_ms(const distribution_manager_t *self)
{
    const site_args_t *args = kept_record(self->args);

    return args->scrub_ms ? args->scrub_ms : SCRUB_ROUND_MS;
}

/* Until the largest portion of the round has cost its time at the rate. */
static uint64_t
until_next_round_ms(actor_ctx_t *ctx, const distribution_manager_t *self)
{
    const scrub_state_t *scrub = &self->scrub;
    uint64_t cost_ms = scrub->rate > 0 ? scrub->largest * 1000 / scrub->rate : 0;
    uint64_t passed = (uint64_t) (actor_now_ns(ctx) - scrub->since_ns) / 1000000;
    uint64_t due = cost_ms > round_ms(self) ? cost_ms : round_ms(self);

    return passed < due ? due - passed : 1;
}

/* All portions that were asked for are in: the next points, or the next round. */
static actor_next_t
go_on(actor_ctx_t *ctx, distribution_manager_t *self)
{
    return self->scrub.last[0] != 0 ? dm_scrub(ctx, self)
                                    : scrub_in(ctx, until_next_round_ms(ctx, self));
}

actor_next_t
dm_scrub(actor_ctx_t *ctx, distribution_manager_t *self)
{
    scrub_state_t *scrub = &self->scrub;
    const site_args_t *args = kept_record(self->args);
    scrub_next_t *m = DRAFT(ctx, scrub_next);

    if (scrub->last[0] == 0) {
        scrub->largest = 0;
        scrub->since_ns = actor_now_ns(ctx);
    }
    scrub->open = 0;
    m->after = actor_text(ctx, slice_of(scrub->last));
    m->limit = SCRUB_POINTS_MAX;
    m->rest_ms = args->scrub_ms ? args->scrub_ms : SCRUB_REST_MS;
    answer_unheard(ask_site_database_scrub_next(ctx, m, DM_ASK_MS, scrub_came_then, 0));
    return scrub_in(ctx, PORTION_MS);
}

static uint64_t
portion_bytes(const distribution_manager_t *self, const scrub_due_t *due)
{
    uint64_t bytes = due->rate * round_ms(self) / 1000;

    return bytes > 0 ? bytes : 1;
}

static void
order_portion(actor_ctx_t *ctx, const distribution_manager_t *self, const scrub_due_t *due,
              const scrub_row_t *row)
{
    scrub_point_t *m = DRAFT(ctx, scrub_point);

    m->target = row->target;
    m->revision = row->revision;
    m->action = row->staged ? ACTION_STAGE : ACTION_VERIFY;
    m->package = actor_text(ctx, record_slice(due, row->package));
    m->package_incarnation = row->package_incarnation;
    m->epoch = row->epoch;
    m->root = row->root;
    m->dp = actor_text(ctx, record_slice(due, row->dp));
    m->dp_incarnation = row->dp_incarnation;
    m->dp_root = actor_text(ctx, record_slice(due, row->dp_root));
    m->scrub_from = actor_text(ctx, record_slice(due, row->from));
    m->scrub_bytes = portion_bytes(self, due);
    answer_unheard(tell_despooler_scrub_point(ctx, m));
}

static actor_next_t
scrub_came(actor_ctx_t *ctx, distribution_manager_t *self, const actor_answer_t *answer)
{
    const scrub_due_t *due = ANSWER_AS(answer, scrub_due);
    scrub_state_t *scrub = &self->scrub;

    if (!due) {
        return ACTOR_CONTINUE; /* the timer asks again */
    }
    scrub->rate = due->rate;
    if (scrub->last[0] == 0) {
        dm_scrub_store(ctx, self, due, portion_bytes(self, due));
    }
    claim(ctx, slice_copy(record_slice(due, due->last), scrub->last, sizeof scrub->last));
    for (uint32_t i = 0; i < due->targets.count; i++) {
        order_portion(ctx, self, due, ROW(due, due->targets, i, scrub_row_t));
        scrub->open++;
    }
    return scrub->open == 0 ? go_on(ctx, self) : ACTOR_CONTINUE;
}

/* What made way for work, or could not be begun, is read in a later round. */
static bool
tells_something(err_t err)
{
    return err != ERR_CANCELLED && err != ERR_BUSY && err != ERR_HUNG && err != ERR_DEADLINE &&
           err != ERR_FULL && !err_is_absence(err);
}

actor_next_t
dm_scrubbed(actor_ctx_t *ctx, distribution_manager_t *self, const scrubbed_t *m)
{
    scrub_state_t *scrub = &self->scrub;

    scrub->read += m->scrub_bytes;
    scrub->largest = m->scrub_bytes > scrub->largest ? m->scrub_bytes : scrub->largest;
    if (!dm_miss(ctx, m, m->dp, &m->dp_incarnation, m->dp_root, m->err) &&
        tells_something((err_t) m->err)) {
        answer_unheard(ask_site_database_scrubbed(ctx, m, DM_ASK_MS, portion_saved_then, 0));
    }
    if (scrub->open == 0 || --scrub->open > 0) {
        return ACTOR_CONTINUE;
    }
    return go_on(ctx, self);
}

/* Refused: another command took the target's place. A portion that was not kept is read again. */
static actor_next_t
portion_saved(actor_ctx_t *ctx, distribution_manager_t *self, const actor_answer_t *answer)
{
    claim(ctx, self->opened && answer != NULL);
    return ACTOR_CONTINUE;
}

void
dm_scrub_describe(const void *state, char *text, size_t size)
{
    const scrub_state_t *scrub = &((const distribution_manager_t *) state)->scrub;

    snprintf(text, size, "scrub: %llu bytes a second, read again: %llu, of the store: %llu",
             (unsigned long long) scrub->rate, (unsigned long long) scrub->read,
             (unsigned long long) scrub->store_read);
}
