/* package_rows.c - packages and points as structs, and the one function of a package's state; see
 * rows.h. */
#include <stdio.h>

#include "actors/database/rollouts.h"
#include "actors/database/switchovers.h"

/* ---- packages ---- */

static void
package_read(const cursor_t *row, package_t *ret)
{
    ret->row = cursor_int(row, 0);
    cursor_name(row, 1, ret->id);
    cursor_copy(row, 2, ret->incarnation.byte, sizeof ret->incarnation.byte);
    ret->name_size = cursor_text(row, 3, ret->name, sizeof ret->name);
    ret->source_size = cursor_text(row, 4, ret->source, sizeof ret->source);
    ret->epoch = cursor_u64(row, 5);
    ret->next_epoch = cursor_u64(row, 6);
    ret->removing = cursor_int(row, 7) != 0;
    cursor_copy(row, 8, ret->root.byte, sizeof ret->root.byte);
    ret->label_size = cursor_text(row, 9, ret->label, sizeof ret->label);
    ret->files = cursor_u64(row, 10);
    ret->directories = cursor_u64(row, 11);
    ret->links = cursor_u64(row, 12);
    ret->bytes = cursor_u64(row, 13);
    ret->not_carried = cursor_u64(row, 14);
    ret->unique_bytes = cursor_count(row, 15);
    ret->stored_bytes = cursor_count(row, 16);
    ret->links_inside = cursor_int(row, 17) != 0;
}

static bool
package_one(cursor_t row, package_t *ret)
{
    return CURSOR_ONE(row, package_read, ret);
}

bool
package_by_id(tx_t *tx, slice_t id, package_t *ret)
{
    return package_one(OPEN(tx, SQL_PACKAGE_BY_ID, v_text(id)), ret);
}

bool
package_by_row(tx_t *tx, int64_t row, package_t *ret)
{
    return package_one(OPEN(tx, SQL_PACKAGE_BY_ROW, v_int(row)), ret);
}

bool
package_next(tx_t *tx, slice_t after, package_t *ret)
{
    return package_one(OPEN(tx, SQL_PACKAGE_NEXT, v_text(after)), ret);
}

bool
package_need(tx_t *tx, const char *verb, slice_t id, package_t *ret)
{
    if (package_by_id(tx, id, ret)) {
        return true;
    }
    tx_refuse(tx, ERR_NOT_FOUND, "despool package list shows the packages",
              "cannot %s '%.*s': no package of this id is known", verb, SHOWN(id));
    return false;
}

uint32_t
package_state(tx_t *tx, int64_t row)
{
    return (uint32_t) NUMBER(tx, SQL_PACKAGE_STATE, PACKAGE_IDLE, v_int(row));
}

void
event_of_package(event_draft_t *event, const package_t *package, uint32_t id)
{
    event_begin(event, "distribution_manager", id);
    event->package = slice_of(package->id);
    event->epoch = package->epoch;
    event->label = SLICE_OF(package, label);
    event->root = package->root;
}

void
package_finish(tx_t *tx, int64_t row)
{
    package_t package;
    event_draft_t event;
    if (!package_by_row(tx, row, &package) || !package.removing ||
        NUMBER(tx, SQL_PACKAGE_LEFT, 0, v_int(row)) != 0) {
        return;
    }
    RUN(tx, SQL_TARGETS_OF_PACKAGE_DELETE, v_int(row));
    RUN(tx, SQL_PACKAGE_DELETE, v_int(row));
    event_of_package(&event, &package, STATUS_PACKAGE_REMOVED);
    event_text(&event, "package %s is removed", package.id);
    event_write(tx, &event);
}

static void
announce(tx_t *tx, const package_t *package, uint32_t state)
{
    static const uint32_t ids[PACKAGE_COUNT] = {
        [PACKAGE_IDLE] = STATUS_NONE,
        [PACKAGE_ACTIVE] = STATUS_PACKAGE_PROCESSING,
        [PACKAGE_COMPLETE] = STATUS_PACKAGE_DONE,
        [PACKAGE_FAILED] = STATUS_PACKAGE_FAILED,
    };
    event_draft_t event;
    if (ids[state] != STATUS_NONE) {
        event_of_package(&event, package, ids[state]);
        event_text(&event, "package %s: %s", package->id, status_sentence(ids[state]));
        event_attr(&event, "package_state", slice_of(package_state_words.word[state]));
        event_write(tx, &event);
    }
}

void
packages_announce(tx_t *tx)
{
    package_t package;
    for (uint32_t i = 0; i < tx->watched_count && tx->err == OK; i++) {
        rollout_advance(tx, tx->watched[i].package);
        switchover_advance(tx, tx->watched[i].package);
        uint32_t state =
            tx->watched[i].active ? PACKAGE_ACTIVE : package_state(tx, tx->watched[i].package);
        tx_know_state(tx, tx->watched[i].package, state);
        if (state < PACKAGE_COUNT && state != tx->watched[i].before &&
            package_by_row(tx, tx->watched[i].package, &package)) {
            announce(tx, &package, state);
        }
    }
    tx->watched_count = 0;
}

/* ---- points ---- */

void
point_read(const cursor_t *row, point_t *ret)
{
    ret->row = cursor_int(row, 0);
    cursor_name(row, 1, ret->name);
    cursor_copy(row, 2, ret->incarnation.byte, sizeof ret->incarnation.byte);
    ret->root_size = cursor_text(row, 3, ret->root, sizeof ret->root);
    ret->paused = cursor_int(row, 4) != 0;
    ret->removing = cursor_int(row, 5) != POINT_KEPT;
    ret->emptied = cursor_int(row, 5) == POINT_EMPTIED;
    ret->absent_since = cursor_int(row, 6);
    ret->added = cursor_int(row, 7);
    ret->rate = cursor_u64(row, 8);
    cursor_name(row, 9, ret->link);
    ret->seed_size = cursor_text(row, 10, ret->seed, sizeof ret->seed);
    ret->measured = cursor_u64(row, 11);
    ret->plain = cursor_int(row, 12) != 0;
    ret->read_only = cursor_int(row, 13) != 0;
}

static bool
point_one(cursor_t row, point_t *ret)
{
    return CURSOR_ONE(row, point_read, ret);
}

bool
point_by_name(tx_t *tx, slice_t name, point_t *ret)
{
    return point_one(OPEN(tx, SQL_POINT_BY_NAME, v_text(name)), ret);
}

bool
point_by_row(tx_t *tx, int64_t row, point_t *ret)
{
    return point_one(OPEN(tx, SQL_POINT_BY_ROW, v_int(row)), ret);
}

bool
point_next(tx_t *tx, slice_t after, point_t *ret)
{
    return point_one(OPEN(tx, SQL_POINT_NEXT, v_text(after)), ret);
}

bool
point_need(tx_t *tx, const char *verb, slice_t name, point_t *ret)
{
    if (point_by_name(tx, name, ret)) {
        return true;
    }
    tx_refuse(tx, ERR_NOT_FOUND, "despool dp list shows the distribution points",
              "cannot %s '%.*s': no distribution point of this name is known", verb, SHOWN(name));
    return false;
}

void
event_of_point(event_draft_t *event, const point_t *point, uint32_t id)
{
    event_begin(event, "distribution_manager", id);
    event->dp = slice_of(point->name);
}

void
point_delete(tx_t *tx, const point_t *point)
{
    event_draft_t event;
    tx->agents_changed |= NUMBER(tx, SQL_AGENT_HAS, 0, v_int(point->row)) != 0;
    agent_bury(tx, point);
    RUN(tx, SQL_TARGETS_OF_POINT_DELETE, v_int(point->row));
    RUN(tx, SQL_POINT_DELETE, v_int(point->row));
    event_of_point(&event, point, STATUS_POINT_REMOVED);
    event_text(&event, "distribution point %s is removed", point->name);
    event_write(tx, &event);
    beacons_forget(tx->db, point->row);
}

void
point_set_absent(tx_t *tx, int64_t row, err_t absence, const char *why)
{
    point_t point;
    event_draft_t event;
    bool absent = absence != OK;
    if (!point_by_row(tx, row, &point) || (point.absent_since != 0) == absent) {
        return;
    }
    RUN(tx, SQL_POINT_ABSENT, v_int(row), absent ? v_int(tx->now_ns) : v_null());
    event_of_point(&event, &point, absent ? STATUS_POINT_ABSENT : STATUS_POINT_RETURNED);
    why = absent ? point_failure(SLICE_OF(&point, root), absence) : why;
    event_text(&event, "distribution point %s %s%s%s", point.name, absent ? "is absent" : "is back",
               why == NULL ? "" : ": ", why == NULL ? "" : why);
    event_write(tx, &event);
}

void
point_fill_ref(tx_t *tx, const point_t *point, point_ref_t *ret)
{
    ret->dp = tx_text(tx, slice_of(point->name));
    ret->dp_incarnation = point->incarnation;
    ret->dp_root = tx_text(tx, SLICE_OF(point, root));
}

rows_t
point_refs(tx_t *tx)
{
    point_t point = {.row = 0};
    int64_t count = tx_number(tx, SQL_ALL_POINTS_COUNT, 0, NULL, 0);
    rows_t refs = draft_rows(&tx->answer, (uint32_t) count, sizeof(point_ref_t));
    for (uint32_t i = 0; i < refs.count && point_next(tx, slice_of(point.name), &point); i++) {
        point_ref_t *ref = draft_row(&tx->answer, refs, i, sizeof *ref);
        if (ref == NULL) {
            break;
        }
        point_fill_ref(tx, &point, ref);
    }
    return refs;
}
