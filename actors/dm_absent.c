/* dm_absent.c - who is absent is found, also when it has no work, and who is believed absent is
 * looked out for, until it is back. */
#include "actors/dm.h"

/* Of a portion of looks; then the round goes on without what was not answered. A look that hangs is
 * called so when its job thread is lost, in the round after this one. */
#define LOOKS_MS (3 * PROBE_DEADLINE_MS)

THEN(distribution_manager_t, absent_came)
THEN(distribution_manager_t, patrol_came)

static verdict_t
probe(actor_ctx_t *ctx, const distribution_manager_t *self, const void *m, const point_ref_t *point,
      bool once)
{
    probe_point_t *probe = DRAFT(ctx, probe_point);

    probe->dp = actor_text(ctx, record_slice(m, point->dp));
    probe->dp_incarnation = point->dp_incarnation;
    probe->dp_root = actor_text(ctx, record_slice(m, point->dp_root));
    probe->site = self->site;
    probe->once = once;
    return tell_despooler_probe_point(ctx, probe);
}

/* What finds no room is told again soon, with all the others; who is down asks for it when it
 * begins. */
static void
heard(actor_ctx_t *ctx, distribution_manager_t *self, verdict_t verdict)
{
    if (verdict != VERDICT_OK && verdict != VERDICT_DOWN) {
        dm_absent_in(ctx, self, DM_AGAIN_MS);
    }
}

static bool
is_agent(const void *m, const point_ref_t *point)
{
    return point_is_agent(record_slice(m, point->dp_root));
}

/* Of these the agents, which are waited for by the gateway. */
static void
miss_agents(actor_ctx_t *ctx, distribution_manager_t *self, const void *m, const point_ref_t *from,
            uint32_t count)
{
    uint32_t agents = 0, next = 0;

    for (uint32_t i = 0; i < count; i++) {
        agents += is_agent(m, &from[i]);
    }
    if (agents == 0) {
        return;
    }
    agents_missed_t *missed = DRAFT(ctx, agents_missed);
    draft_t *draft = actor_draft_open(ctx);
    missed->points = draft_rows(draft, agents, sizeof(point_ref_t));
    for (uint32_t i = 0; i < count; i++) {
        point_ref_t *row =
            is_agent(m, &from[i]) ? draft_row(draft, missed->points, next++, sizeof *row) : NULL;
        if (row) {
            draft->full |= draft_copy(draft, &point_ref_type, row, m, &from[i]) != OK;
        }
    }
    heard(ctx, self, tell_agent_gateway_agents_missed(ctx, missed));
}

static void
look_out(actor_ctx_t *ctx, distribution_manager_t *self, const void *m, const point_ref_t *from,
         uint32_t count)
{
    miss_agents(ctx, self, m, from, count);
    for (uint32_t i = 0; i < count; i++) {
        if (!is_agent(m, &from[i])) {
            heard(ctx, self, probe(ctx, self, m, &from[i], false));
        }
    }
}

void
dm_look_out(actor_ctx_t *ctx, distribution_manager_t *self, const void *m, const point_ref_t *point)
{
    look_out(ctx, self, m, point, 1);
}

/* Its root may be another matter: that is looked at as any other's. */
actor_next_t
dm_agent_came(actor_ctx_t *ctx, distribution_manager_t *self, const agent_came_t *m)
{
    probe_point_t *probe = DRAFT(ctx, probe_point);

    probe->dp = actor_text(ctx, record_slice(m, m->dp));
    probe->dp_incarnation = m->dp_incarnation;
    probe->dp_root = actor_text(ctx, slice_of(POINT_AGENT));
    probe->site = self->site;
    heard(ctx, self, tell_despooler_probe_point(ctx, probe));
    return ACTOR_CONTINUE;
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

    if (!listed) {
        dm_absent_in(ctx, self, DM_AGAIN_MS);
    } else if (listed->points.count > 0) {
        look_out(ctx, self, listed, ROW(listed, listed->points, 0, point_ref_t),
                 listed->points.count);
    }
    return ACTOR_CONTINUE;
}

/* The sooner of what was wanted counts. */
void
dm_absent_in(actor_ctx_t *ctx, distribution_manager_t *self, uint64_t ms)
{
    int64_t now = actor_now_ns(ctx), until = now + (int64_t) ms * 1000000;

    if (self->absent_ns > now && self->absent_ns <= until) {
        return;
    }
    self->absent_ns = actor_timer(ctx, DM_TIMER_ABSENT, ms) == VERDICT_OK ? until : 0;
}

/* Whoever looks out says when it may have forgotten that; all the same it is told again, seldom. */
void
dm_absent_due(actor_ctx_t *ctx, distribution_manager_t *self)
{
    absent_points_t *query = DRAFT(ctx, absent_points);

    query->all = true;
    answer_unheard(ask_site_database_absent_points(ctx, query, DM_ASK_MS, absent_came_then, 0));
    self->absent_ns = 0;
    dm_absent_in(ctx, self, RETRY_MAX_MS);
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
        answer_unheard(probe(ctx, self, listed, point, true));
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
