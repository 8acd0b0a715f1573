/* plan.c - plan: which points are to be measured, and for which version. */
#include "actors/database/handlers.h"
#include "actors/database/rollouts.h"

static bool
may_plan(tx_t *tx, const package_t *package)
{
    if (package->removing) {
        tx_refuse(tx, ERR_BUSY, "wait until package list no longer shows it",
                  "cannot plan '%s': the package is being removed", package->id);
    } else if (site_slots(tx) == 0) { /* it would wait for as long as that lasts */
        tx_refuse(tx, ERR_PAUSED, "despool component set despooler --slots N, then repeat it",
                  "cannot plan '%s': the despooler has no slots, it is disabled", package->id);
    }
    return tx_ok(tx);
}

static bool
may_measure(tx_t *tx, const package_t *package, const point_t *point)
{
    if (point->removing) {
        tx_refuse(tx, ERR_BUSY, "wait until dp list no longer shows it",
                  "cannot plan '%s' to '%s': the distribution point is being removed", package->id,
                  point->name);
    }
    return tx_ok(tx);
}

static void
fill(tx_t *tx, const package_t *package, const point_t *point, due_row_t *ret)
{
    ret->action = ACTION_PLAN;
    ret->package = tx_text(tx, slice_of(package->id));
    ret->package_incarnation = package->incarnation;
    ret->epoch = package->epoch;
    ret->root = package->root;
    ret->label = tx_text(tx, SLICE_OF(package, label));
    ret->bytes = package->bytes;
    ret->dp = tx_text(tx, slice_of(point->name));
    ret->dp_incarnation = point->incarnation;
    ret->dp_root = tx_text(tx, SLICE_OF(point, root));
    ret->priority = PRIORITY_HIGH; /* it only measures */
    ret->rate = rate_of_point(tx, point);
    ret->seed = point->seed_size > 0 ? tx_text(tx, SLICE_OF(point, seed)) : (text_t){0, 0};
    ret->read_only = point->read_only;
    ret->measured = point->measured;
    window_now_t window = window_at(tx, point->row, tx->now_ns);
    if (window.has) {
        ret->zone = tx_text(tx, slice_of(window.zone));
        ret->windows = window_rows(tx, point->row);
    }
    ret->attempt = 1;
    ret->of = ATTEMPTS_MAX;
}

/* Numbered as who asks wants it: a point need not be a target yet. */
static void
list(tx_t *tx, const plan_targets_t *m, const package_t *package, point_list_t *points)
{
    spread_t spread;
    if (!spread_read(tx, "plan", m, m->rings, &spread)) {
        return;
    }
    if (spread.count > 0) {
        spread_order(tx, m, m->to, points);
    }
    due_t *due = ANSWER(tx, due);
    due->next_ms = RECORD_NONE;
    due->now = tx->now_ns;
    due->targets = draft_rows(&tx->answer, points->count, sizeof(due_row_t));
    for (uint32_t i = 0; i < points->count && tx_ok(tx); i++) {
        point_t point;
        due_row_t *row = draft_row(&tx->answer, due->targets, i, sizeof *row);
        if (row == NULL || !point_by_row(tx, points->row[i], &point) ||
            !may_measure(tx, package, &point)) {
            return;
        }
        fill(tx, package, &point, row);
        row->target = m->first + i;
        row->ring = spread_ring(&spread, i, points->count);
    }
}

void
handle_plan_targets(tx_t *tx, const plan_targets_t *m)
{
    package_t package;
    point_list_t points = {NULL, 0, 0};
    bool go =
        package_need(tx, "plan", record_slice(m, m->id), &package) && may_plan(tx, &package) &&
        (m->all ? names_all_points(tx, &points) : names_resolve(tx, "plan", m, m->to, &points));
    if (go && points.count > DUE_TARGETS_MAX) {
        tx_refuse(tx, ERR_TOO_LARGE, "plan for fewer points at a time",
                  "cannot plan '%s': %u distribution points are named, and at most %u may be",
                  package.id, points.count, DUE_TARGETS_MAX);
    } else if (go) {
        list(tx, m, &package, &points);
    }
    point_list_free(&points);
}
