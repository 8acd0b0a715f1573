/* leaving.c - removed points that hold nothing any more: which there are, and their last steps.
 *
 * First the root is emptied of all that is ours but the identity, and that is noted here; then the
 * identity goes, then the row. So a root without our identity is, until the note, one whose file
 * system is missing, which is waited for; after it, one that was given free before a crash. */
#include "actors/database/handlers.h"
#include "actors/database/rows.h"

#include <string.h>

bool
points_leave(tx_t *tx)
{
    return NUMBER(tx, SQL_POINTS_LEAVING, 0, v_int(1), v_int(0), v_int(0)) != 0;
}

/* Behind the point that was listed last; one that has gone was the last of all. */
static cursor_t
open_leaving(tx_t *tx, const leaving_points_t *m, uint32_t limit)
{
    point_t last = {.row = 0};
    bool begins = m->after.size == 0;
    if (!begins && !point_by_name(tx, record_slice(m, m->after), &last)) {
        last.row = INT64_MAX;
    }
    int64_t step = begins ? POINT_KEPT : m->emptied ? POINT_EMPTIED : POINT_LEAVES;
    return OPEN(tx, SQL_POINTS_LEAVING, v_int(limit), v_int(step), v_int(last.row));
}

void
handle_leaving_points(tx_t *tx, const leaving_points_t *m)
{
    point_t point;
    uint32_t limit = m->limit < LEAVING_POINTS_MAX ? m->limit : LEAVING_POINTS_MAX, count = 0;
    points_listed_t *listed = ANSWER(tx, points_listed);
    rows_t rows = draft_rows(&tx->answer, limit, sizeof(point_ref_t));
    cursor_t row = open_leaving(tx, m, limit);
    while (count < limit && cursor_next(&row)) {
        point_ref_t *ref = draft_row(&tx->answer, rows, count++, sizeof *ref);
        if (ref != NULL) {
            point_read(&row, &point);
            point_fill_ref(tx, &point, ref);
            ref->emptied = point.emptied;
        }
    }
    cursor_close(&row);
    listed->points = (rows_t){.at = count == 0 ? 0 : rows.at, .count = count};
}

/* The step may be one of a point that was moved or is another one by now. */
static bool
takes_step(tx_t *tx, const point_leave_t *m, const point_t *point)
{
    return point->removing && point->emptied == (m->emptied != 0) &&
           memcmp(&point->incarnation, &m->dp_incarnation, sizeof point->incarnation) == 0 &&
           slice_equal(SLICE_OF(point, root), record_slice(m, m->dp_root)) &&
           NUMBER(tx, SQL_POINT_LEFT, 0, v_int(point->row)) == 0;
}

void
handle_point_leave(tx_t *tx, const point_leave_t *m)
{
    point_t point;
    if (!point_by_name(tx, record_slice(m, m->dp), &point) || !takes_step(tx, m, &point)) {
        tx_refuse(tx, ERR_SUPERSEDED, NULL, "cannot let the point go: %s",
                  err_sentence(ERR_SUPERSEDED));
        return;
    }
    if (m->emptied) {
        point_delete(tx, &point);
    } else {
        RUN(tx, SQL_POINT_REMOVING, v_int(point.row), v_int(POINT_EMPTIED));
    }
    tx_done(tx, true, NULL);
}
