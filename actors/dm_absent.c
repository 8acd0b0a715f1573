/* dm_absent.c - who is absent is found, also when it has no work, and who is believed absent is
 * looked out for, until it is back. */
#include "actors/dm.h"

/* Of a portion of looks; then the round goes on without what was not answered. A look that hangs is
 * called so when its job thread is lost, in the round after this one. */
#define LOOKS_MS (3 * PROBE_DEADLINE_MS)

THEN(distribution_manager_t, absent_came)
THEN(distribution_manager_t, patrol_came)

static void
probe(actor_ctx_t *ctx, const distribution_manager_t *self, const void *m, text_t dp,
      const id128_t *incarnation, text_t dp_root, bool once)
{
    probe_point_t *probe = DRAFT(ctx, probe_point);

    probe->dp = actor_text(ctx, record_slice(m, dp));
    probe->dp_incarnation = *incarnation;
    probe->dp_root = actor_text(ctx, record_slice(m, dp_root));
    probe->site = self->site;
    probe->once = once;
    answer_unheard(tell_despooler_probe_point(ctx, probe));
}

void
dm_look_out(actor_ctx_t *ctx, const distribution_manager_t *self, const void *m, text_t dp,
            const id128_t *incarnation, text_t dp_root)
{
    probe(ctx, self, m, dp, incarnation, dp_root, false);
}

void
dm_end_look_out(actor_ctx_t *ctx, slice_t dp)
{
    probe_point_t *probe = DRAFT(ctx, probe_point);

    probe->dp = actor_text(ctx, dp);
    probe->dp_root = actor_text(ctx, slice_of("/"));
    probe->ends = true;
    answer_unheard(tell_despooler_probe_point(ctx, probe));
}

static actor_next_t
absent_came(actor_ctx_t *ctx, distribution_manager_t *self, const actor_answer_t *answer)
{
    const points_listed_t *listed = ANSWER_AS(answer, points_listed);

    for (uint32_t i = 0; listed && i < listed->points.count; i++) {
        const point_ref_t *point = ROW(listed, listed->points, i, point_ref_t);
        dm_look_out(ctx, self, listed, point->dp, &point->dp_incarnation, point->dp_root);
    }
    return ACTOR_CONTINUE;
}

/* Who is believed absent is looked out for; asked again now and then, for a look-out may be
 * lost. */
void
dm_ask_absent(actor_ctx_t *ctx)
{
    absent_points_t *query = DRAFT(ctx, absent_points);

    query->all = true;
    answer_unheard(ask_site_database_absent_points(ctx, query, DM_ASK_MS, absent_came_then, 0));
}

/* ---- points without work ---- */

static uint64_t
until_next_round_ms(actor_ctx_t *ctx, const distribution_manager_t *self)
{
    const site_args_t *args = kept_record(self->args);
    uint64_t period =
        (uint64_t) (args->probe_ms ? args->probe_ms : PROBE_PERIOD_MS) * PATROL_PROBES;
    uint64_t passed = (uint64_t) (actor_now_ns(ctx) - self->patrol.since_ns) / 1000000;

    return passed + PATROL_STEP_MS < period ? period - passed : PATROL_STEP_MS;
}

static actor_next_t
patrol_in(actor_ctx_t *ctx, uint64_t ms)
{
    return actor_timer(ctx, DM_TIMER_PATROL, ms) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
}

static actor_next_t
next_portion(actor_ctx_t *ctx, distribution_manager_t *self)
{
    return patrol_in(ctx, self->patrol.ends ? until_next_round_ms(ctx, self) : PATROL_STEP_MS);
}

actor_next_t
dm_patrol(actor_ctx_t *ctx, distribution_manager_t *self)
{
    patrol_state_t *patrol = &self->patrol;
    host_figures_t host;

    actor_host_figures(ctx, &host);
    if (host.job_threads_lost >= PATROL_LOST_MAX) { /* what is left of them is for work */
        return patrol_in(ctx, LOOKS_MS);
    }
    if (patrol->ends || patrol->last[0] == '\0') {
        *patrol = (patrol_state_t){.since_ns = actor_now_ns(ctx)};
    }
    patrol->looks = 0;
    patrol_t *m = DRAFT(ctx, patrol);
    m->after = actor_text(ctx, slice_of(patrol->last));
    m->limit = PATROL_LOOKS_MAX;
    answer_unheard(ask_site_database_patrol(ctx, m, DM_ASK_MS, patrol_came_then, 0));
    return patrol_in(ctx, LOOKS_MS);
}

static actor_next_t
patrol_came(actor_ctx_t *ctx, distribution_manager_t *self, const actor_answer_t *answer)
{
    const points_listed_t *listed = ANSWER_AS(answer, points_listed);
    patrol_state_t *patrol = &self->patrol;

    if (!listed) {
        return ACTOR_CONTINUE; /* the timer asks again */
    }
    for (uint32_t i = 0; i < listed->points.count; i++) {
        const point_ref_t *point = ROW(listed, listed->points, i, point_ref_t);
        claim(ctx, slice_copy(record_slice(listed, point->dp), patrol->last, sizeof patrol->last));
        probe(ctx, self, listed, point->dp, &point->dp_incarnation, point->dp_root, true);
        patrol->looks++;
    }
    patrol->ends = listed->points.count < PATROL_LOOKS_MAX;
    return patrol->looks == 0 ? next_portion(ctx, self) : ACTOR_CONTINUE;
}

bool
dm_miss(actor_ctx_t *ctx, const void *m, text_t dp, const id128_t *incarnation, text_t dp_root,
        uint32_t err)
{
    if (!err_is_absence((err_t) err)) {
        return false;
    }
    looked_t *looked = DRAFT(ctx, looked);
    looked->dp = actor_text(ctx, record_slice(m, dp));
    looked->dp_incarnation = *incarnation;
    looked->dp_root = actor_text(ctx, record_slice(m, dp_root));
    looked->err = err;
    answer_unheard(ask_site_database_looked(ctx, looked, DM_ASK_MS, absent_came_then, 0));
    return true;
}

actor_next_t
dm_looked(actor_ctx_t *ctx, distribution_manager_t *self, const looked_t *m)
{
    (void) dm_miss(ctx, m, m->dp, &m->dp_incarnation, m->dp_root, m->err);
    if (self->patrol.looks == 0 || --self->patrol.looks > 0) {
        return ACTOR_CONTINUE;
    }
    return next_portion(ctx, self);
}
