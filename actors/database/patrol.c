/* patrol.c - points that have no work: which are looked at next, and what a look has found. */
#include <string.h>

#include "actors/database/handlers.h"
#include "actors/database/rows.h"

/* Who is believed absent is looked out for already. */
void
handle_patrol(tx_t *tx, const patrol_t *m)
{
    point_t point;
    uint32_t limit = m->limit < PATROL_LOOKS_MAX ? m->limit : PATROL_LOOKS_MAX, count = 0;
    points_listed_t *listed = ANSWER(tx, points_listed);
    rows_t rows = draft_rows(&tx->answer, limit, sizeof(point_ref_t));
    cursor_t row = OPEN(tx, SQL_POINTS_PRESENT, v_text(record_slice(m, m->after)), v_int(limit));
    while (count < limit && cursor_next(&row)) {
        point_ref_t *ref = draft_row(&tx->answer, rows, count++, sizeof *ref);
        if (ref != NULL) {
            point_read(&row, &point);
            point_fill_ref(tx, &point, ref);
        }
    }
    cursor_close(&row);
    listed->points = (rows_t){.at = count == 0 ? 0 : rows.at, .count = count};
}

/* Answers with the point when it is to be looked out for; what a look found that began before the
 * point was moved, adopted or removed is of another one. */
void
handle_looked(tx_t *tx, const looked_t *m)
{
    point_t point;
    bool same = point_by_name(tx, record_slice(m, m->dp), &point) &&
                memcmp(&point.incarnation, &m->dp_incarnation, sizeof point.incarnation) == 0 &&
                slice_equal(SLICE_OF(&point, root), record_slice(m, m->dp_root));
    points_listed_t *listed = ANSWER(tx, points_listed);
    listed->points = draft_rows(&tx->answer, same ? 1 : 0, sizeof(point_ref_t));
    point_ref_t *ref = draft_row(&tx->answer, listed->points, 0, sizeof *ref);
    if (ref != NULL) {
        point_set_absent(tx, point.row, m->err, NULL);
        point_fill_ref(tx, &point, ref);
    }
}
