/* despooler_looks.c - looks at points pass to their point_workers, and what may be lost of them is
 * said. */
#include "actors/despooler_inside.h"

#define LOST_MS 30000u /* within which a look-out that may be lost is told again */

/* A look-out that no point_worker may have is told again: seldom, for it goes over all absent
 * points. */
void
looks_lost(actor_ctx_t *ctx)
{
    look_outs_lost_t *m = DRAFT(ctx, look_outs_lost);

    m->within_ms = LOST_MS;
    answer_unheard(tell_distribution_manager_look_outs_lost(ctx, m));
}

void
looks_pass_on(actor_ctx_t *ctx, despooler_t *self, const probe_point_t *m)
{
    actor_ref_t worker;
    slice_t dp = record_slice(m, m->dp);
    verdict_t verdict = m->ends
                            ? points_serve(self->points, dp, &worker) ? VERDICT_OK : VERDICT_DOWN
                        : m->once ? points_worker(ctx, self->points, dp, &worker)
                                  : points_look_out(ctx, self->points, dp, &worker);

    if (verdict == VERDICT_OK) {
        verdict = tell_point_worker_probe_point(ctx, worker, hand_draft_probe(ctx, self, m));
    }
    if (verdict != VERDICT_OK && !m->ends && !m->once) {
        looks_lost(ctx);
    }
}
