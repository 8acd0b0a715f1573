/* tidied.c - superseded versions at points: what is still there, and what has gone. */
#include "actors/database/due.h"
#include "actors/database/handlers.h"

/* A superseded version stays in the store until its last point has taken it away: only its manifest
 * says which files there are ours. */
void
handle_target_tidied(tx_t *tx, const target_tidied_t *m)
{
    bool ids = m->target <= INT64_MAX && m->epoch <= INT64_MAX;
    bool changed = ids && RUN(tx, SQL_TARGET_HOLDS_FROM, v_u64(m->target), v_u64(m->epoch)) > 0;
    tx_done(tx, changed, NULL);
}

/* What an agent may be sent of a version that is not the one it was ordered: of this package, and
 * perhaps still at its point. */
void
handle_version_held(tx_t *tx, const version_held_t *m)
{
    bool id = m->target <= INT64_MAX;
    if (!id || NUMBER(tx, SQL_TARGET_HELD, 0, v_u64(m->target), v_digest(&m->root)) == 0) {
        tx_refuse(tx, ERR_NOT_STORED, NULL, "the site keeps no such version for this point");
        return;
    }
    tx_done(tx, false, NULL);
}

void
handle_untidied(tx_t *tx, const untidied_t *m)
{
    target_t target = {.row = m->after <= INT64_MAX ? (int64_t) m->after : INT64_MAX};
    uint32_t limit = m->limit < DUE_TARGETS_MAX ? m->limit : DUE_TARGETS_MAX, count = 0;
    due_t *due = ANSWER(tx, due);
    rows_t rows = draft_rows(&tx->answer, limit, sizeof(due_row_t));
    while (count < limit && target_next_untidied(tx, target.row, &target)) {
        due_row_t *row = draft_row(&tx->answer, rows, count, sizeof *row);
        if (row == NULL) {
            break;
        }
        due_fill(tx, &target, ACTION_INSTALL, row);
        count++;
    }
    due->targets = (rows_t){.at = count == 0 ? 0 : rows.at, .count = count};
    due->more = count == limit;
    due->next_ms = RECORD_NONE;
}
