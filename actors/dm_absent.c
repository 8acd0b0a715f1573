/* dm_absent.c - who is believed absent is looked out for, until it is back. */
#include "actors/dm.h"

THEN(distribution_manager_t, absent_came)

void
dm_look_out(actor_ctx_t *ctx, const distribution_manager_t *self, const void *m, text_t dp,
            const id128_t *incarnation, text_t dp_root)
{
    probe_point_t *probe = DRAFT(ctx, probe_point);

    probe->dp = actor_text(ctx, record_slice(m, dp));
    probe->dp_incarnation = *incarnation;
    probe->dp_root = actor_text(ctx, record_slice(m, dp_root));
    probe->site = self->site;
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
