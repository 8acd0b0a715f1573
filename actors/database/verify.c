/* verify.c - verify: what it is to look at, the damage that it found, the answer that it gave. */
#include <string.h>

#include "actors/database/due.h"
#include "actors/database/handlers.h"
#include "actors/database/keys.h"

/* What waited for its switch is promised no more. */
static void
place_again(tx_t *tx, target_t *target, slice_t text, uint32_t status_id)
{
    target_supersede(tx, target);
    if (target->state == TARGET_PROMISED) {
        target_unpromise(tx, target);
    }
    target->state = TARGET_PENDING;
    target->attempts = 0;
    target->integrity = 0;
    target->due = tx->now_ns;
    target_set_cause(target, ERR_DIGEST, text);
    target_save(tx, target, status_id);
}

/* Damage to what is staged leaves what clients read as it is. */
void
target_note_damage(tx_t *tx, target_t *target, slice_t text)
{
    if (target->state != TARGET_PROMISED) {
        target->have = 0;
        memset(&target->have_root, 0, sizeof target->have_root);
    }
    place_again(tx, target, text, STATUS_TARGET_DAMAGED);
}

void
target_note_kept_damage(tx_t *tx, target_t *target, slice_t text)
{
    place_again(tx, target, text, STATUS_KEPT_DAMAGED);
}

void
handle_target_damaged(tx_t *tx, const target_damaged_t *m)
{
    target_t target;
    if (!target_by_row(tx, m->target, &target) || target.revision != m->revision ||
        target.state != TARGET_INSTALLED) {
        tx_refuse(tx, ERR_SUPERSEDED, NULL, "cannot note damage: %s", err_sentence(ERR_SUPERSEDED));
        return;
    }
    target_note_damage(tx, &target, record_slice(m, m->text));
    tx_done(tx, true, NULL);
}

/* One that was said twice, across a restart, has one answer: that of the first to end. */
void
handle_verify_keep(tx_t *tx, const verify_keep_t *m)
{
    slice_t key = record_slice(m, m->key);
    if (m->verified.count != 1) {
        tx->err = ERR_BAD_VALUE;
        return;
    }
    if (key_answer(tx, key, MSG_verify)) {
        return;
    }
    verified_t *verified = ANSWER(tx, verified);
    err_t err =
        draft_copy(&tx->answer, &verified_type, verified, m, ROW(m, m->verified, 0, verified_t));
    tx->err = tx->err == OK ? err : tx->err;
    if (tx->err == OK && !tx->answer.full) {
        key_store(tx, key, MSG_verify);
    }
}

static bool
is_planned(const target_t *target, const point_t *point)
{
    return target->state == TARGET_INSTALLED && (point == NULL || target->point == point->row);
}

static uint32_t
plan(tx_t *tx, const package_t *package, const point_t *point, rows_t rows)
{
    target_t target = {.row = 0};
    uint32_t count = 0;
    while (tx->err == OK && target_next_of_package(tx, package->row, target.point, &target)) {
        due_row_t *row = draft_row(&tx->answer, rows, count, sizeof *row);
        if (row != NULL && is_planned(&target, point)) {
            due_fill(tx, &target, ACTION_VERIFY, row);
            count++;
        }
    }
    return count;
}

void
handle_verify_plan(tx_t *tx, const verify_plan_t *m)
{
    package_t package;
    point_t point;
    bool of_point = m->dp.size > 0;
    if (!package_need(tx, "verify", record_slice(m, m->id), &package) ||
        (of_point && !point_need(tx, "verify on", record_slice(m, m->dp), &point))) {
        return;
    }
    if (site_slots(tx) == 0) { /* it would wait for as long as that lasts, without a word */
        tx_refuse(tx, ERR_PAUSED, "despool component set despooler --slots N, then repeat it",
                  "cannot verify '%s': the despooler has no slots, it is disabled", package.id);
        return;
    }
    int64_t room = NUMBER(tx, SQL_PACKAGE_TARGETS_COUNT, 0, v_int(package.row));
    due_t *due = ANSWER(tx, due);
    due->next_ms = RECORD_NONE;
    due->targets = draft_rows(&tx->answer, (uint32_t) room, sizeof(due_row_t));
    due->targets.count = plan(tx, &package, of_point ? &point : NULL, due->targets);
    if (due->targets.count == 0) {
        tx_refuse(tx, ERR_NO_TARGETS, "despool status shows which version each of them has",
                  "cannot verify '%s': none of these points has come to the version it wants",
                  package.id);
    }
}
