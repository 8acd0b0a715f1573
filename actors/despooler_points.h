/* despooler_points.h - which point_worker serves which point.
 *
 * Shape    names to actors; a point_worker is spawned when it is first needed.
 * Promises at most one point_worker for each point at a time.
 * Costs    O(1) hashed.
 * Errors   those of spawn, as a verdict.
 * Threads  one actor's state.
 * Owner    points_new -> despooler, points_destroy(&points).
 */
#pragma once

#include "runtime/actor.h"

typedef struct point_table point_table_t;

point_table_t *points_new(uint32_t probe_ms);
void points_destroy(point_table_t **points);
verdict_t points_worker(actor_ctx_t *ctx, point_table_t *points, slice_t dp,
                        actor_ref_t *ret_worker) must_use;
/* The one that serves it now, however the name is written; false: none does. */
bool points_serve(point_table_t *points, slice_t dp, actor_ref_t *ret_worker);
/* A point_worker is no longer what it was. */
void points_down(point_table_t *points, const actor_down_t *down);
