/* aside.c - targets whose work ended the host again and again: put aside until a person says
 * `quarantine retry`, or what is wanted of them changes. See docs/decisions/0007. */
#include <stdio.h>

#include "actors/database/handlers.h"
#include "actors/database/rows.h"

/* An installed target, too: then it is the collection of its superseded versions that ends the
 * host. A removal stays one, so that to try it again is to remove. */
void
handle_set_aside(tx_t *tx, const set_aside_t *m)
{
    target_t target;
    bool there = target_by_row(tx, m->target, &target);
    if (!there || target.state == TARGET_FAILED || target.state == TARGET_CANCELLED ||
        target.state == TARGET_REMOVED) {
        tx_done(tx, false, NULL);
        return;
    }
    target_supersede(tx, &target);
    bool removing = target.state == TARGET_REMOVING;
    target.state = removing ? TARGET_REMOVING : TARGET_FAILED;
    target_set_cause(&target, ERR_QUARANTINED, record_slice(m, m->why));
    target_save(tx, &target, removing ? STATUS_QUARANTINED : STATUS_TARGET_FAILED);
    tx_done(tx, true, NULL);
}

static void
fill_row(tx_t *tx, const target_t *t, quarantine_row_t *ret)
{
    char text[2 * NAME_BYTES_MAX + LABEL_BYTES_MAX + 64];
    ret->number = ASIDE_NUMBER_FIRST + (uint64_t) t->row;
    snprintf(text, sizeof text, "%.40s on %.40s", t->package_id, t->dp);
    ret->actor = tx_text(tx, slice_of(text));
    ret->message = tx_text(tx, slice_of(t->state == TARGET_REMOVING ? "remove" : "install"));
    ret->reason = tx_text(tx, SLICE_OF(t, cause_text));
    ret->attempts = CRASH_ATTEMPTS_MAX;
    ret->since = t->since;
    snprintf(text, sizeof text, "%s on %s, version %llu '%.*s'", t->package_id, t->dp,
             (unsigned long long) t->wanted, SHOWN(SLICE_OF(t, label)));
    ret->shown = tx_text(tx, slice_of(text));
}

void
handle_aside_list(tx_t *tx, __attribute__((unused)) const aside_list_t *m)
{
    target_t target = {.row = 0};
    uint32_t count = (uint32_t) tx_number(tx, SQL_TARGETS_ASIDE_COUNT, 0, NULL, 0);
    quarantine_t *list = ANSWER(tx, quarantine);
    count = count < QUARANTINE_MAX ? count : QUARANTINE_MAX;
    list->messages = draft_rows(&tx->answer, count, sizeof(quarantine_row_t));
    for (uint32_t i = 0; i < count && target_next_aside(tx, target.row, &target); i++) {
        quarantine_row_t *row = draft_row(&tx->answer, list->messages, i, sizeof *row);
        if (row != NULL) {
            fill_row(tx, &target, row);
        }
    }
}
