/* despooler_points.c - see despooler_points.h. */
#include "actors/despooler_points.h"

#include <assert.h>
#include <czmq.h>

#include "actors/roster.h"
#include "proto/messages.h"

struct point_table {
    zhashx_t *worker; /* name -> actor_ref_t */
    uint32_t probe_ms;
};

static void
ref_destroy(void **item)
{
    free(*item);
    *item = NULL;
}

point_table_t *
points_new(uint32_t probe_ms)
{
    point_table_t *points = calloc(1, sizeof *points);

    assert(points);
    points->worker = zhashx_new();
    assert(points->worker);
    zhashx_set_destructor(points->worker, ref_destroy);
    points->probe_ms = probe_ms;
    return points;
}

void
points_destroy(point_table_t **points)
{
    if (*points) {
        zhashx_destroy(&(*points)->worker);
        free(*points);
        *points = NULL;
    }
}

static verdict_t
spawn(actor_ctx_t *ctx, const point_table_t *points, slice_t dp, actor_ref_t *ret_worker)
{
    point_worker_args_t *args = DRAFT(ctx, point_worker_args);
    char name[ACTOR_NAME_BYTES_MAX];
    int size = snprintf(name, sizeof name, "point_worker %.*s", (int) dp.size, dp.data);

    args->dp = actor_text(ctx, dp);
    args->probe_ms = points->probe_ms;
    return actor_spawn(ctx, &point_worker_class, (slice_t){name, (size_t) size},
                       &point_worker_args_type, args, 0, ret_worker);
}

verdict_t
points_worker(actor_ctx_t *ctx, point_table_t *points, slice_t dp, actor_ref_t *ret_worker)
{
    char name[NAME_BYTES_MAX + 1];
    actor_ref_t *known;

    if (!slice_copy(dp, name, sizeof name)) {
        return VERDICT_TOO_LARGE;
    }
    known = zhashx_lookup(points->worker, name);
    if (known) {
        *ret_worker = *known;
        return VERDICT_OK;
    }
    known = calloc(1, sizeof *known);
    assert(known);
    verdict_t verdict = spawn(ctx, points, dp, known);
    if (verdict != VERDICT_OK) {
        free(known);
        return verdict;
    }
    *ret_worker = *known;
    zhashx_update(points->worker, name, known);
    return VERDICT_OK;
}

bool
points_serve(point_table_t *points, slice_t dp, actor_ref_t *ret_worker)
{
    for (const actor_ref_t *known = zhashx_first(points->worker); known;
         known = zhashx_next(points->worker)) {
        const char *name = zhashx_cursor(points->worker);
        if (strlen(name) == dp.size && strncasecmp(name, dp.data, dp.size) == 0) {
            *ret_worker = *known;
            return true;
        }
    }
    return false;
}

void
points_down(point_table_t *points, const actor_down_t *down)
{
    const char *dp = strchr(down->name, ' ');
    actor_ref_t *known = dp ? zhashx_lookup(points->worker, dp + 1) : NULL;

    if (!known || known->index != down->who.index) {
        return;
    }
    if (down->reason == ACTOR_RESTARTED) {
        *known = down->next;
    } else if (down->reason == ACTOR_ENDED || down->reason == ACTOR_GIVEN_UP) {
        zhashx_delete(points->worker, dp + 1);
    }
}
