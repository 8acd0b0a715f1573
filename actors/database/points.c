/* points.c - distribution points and groups of them. */
#include "actors/database/handlers.h"
#include "actors/database/names.h"

#include <string.h>

/* ---- add, set, adopt: a claimed root becomes a point's ---- */

static void
add_point(tx_t *tx, const point_commit_t *m)
{
    slice_t name = record_slice(m, m->name);
    point_t point;
    if (!name_is_valid(name)) {
        tx_refuse(tx, ERR_BAD_NAME, NULL, "cannot add '%.*s': %s", SHOWN(name),
                  err_sentence(ERR_BAD_NAME));
        return;
    }
    if (point_by_name(tx, name, &point)) {
        tx_refuse(tx, ERR_EXISTS, NULL, "cannot add '%.*s': distribution point '%s' exists",
                  SHOWN(name), point.name);
        return;
    }
    RUN(tx, SQL_POINT_ADD, v_text(name), v_id(&m->incarnation), v_text(record_slice(m, m->root)),
        v_int(tx->now_ns));
    if (!digest_is_none(&m->token) && point_by_name(tx, name, &point)) {
        agent_expect(tx, &point, m);
    }
}

/* At another place a point is not known to hold anything: what came along is told by its receipts
 * at the next try, without a byte written. */
static void
move_targets(tx_t *tx, const point_t *point)
{
    target_t target = {.row = 0};
    package_t package;
    while (tx->err == OK && target_next_of_point(tx, point->row, target.row, &target)) {
        target.have = 0;
        memset(&target.have_root, 0, sizeof target.have_root);
        if (target.state == TARGET_INSTALLED && package_by_row(tx, target.package, &package)) {
            target_want(tx, &target, &package);
            target_save(tx, &target, STATUS_TARGET_PENDING);
        } else {
            target_supersede(tx, &target);
            target_unpromise(tx, &target);
            target_due_now(tx, &target);
            target_save(tx, &target, STATUS_NONE);
        }
    }
}

static void
move_point(tx_t *tx, const point_commit_t *m, const point_t *point)
{
    RUN(tx, SQL_POINT_MOVE, v_int(point->row), v_text(record_slice(m, m->root)),
        v_id(&m->incarnation));
    point_set_absent(tx, point->row, OK, "it has a new root");
    move_targets(tx, point);
}

static void
note_point(tx_t *tx, const point_t *point, uint32_t id, const char *what)
{
    event_draft_t event;
    event_of_point(&event, point, id);
    event_text(&event, "distribution point %s %s", point->name, what);
    event_attr(&event, "root", SLICE_OF(point, root));
    event_write(tx, &event);
}

/* An adopted root is the same point again: it has returned. */
static void
adopt_point(tx_t *tx, const point_commit_t *m)
{
    point_t point;
    if (!point_need(tx, "adopt", record_slice(m, m->name), &point)) {
        return;
    }
    if (memcmp(&point.incarnation, &m->incarnation, sizeof m->incarnation) != 0) {
        tx_refuse(tx, ERR_SUPERSEDED, NULL, "cannot adopt '%s': it was removed and added meanwhile",
                  point.name);
        return;
    }
    bool was_absent = point.absent_since != 0;
    bool woken = point_welcome(tx, &point);
    if (m->written) {
        note_point(tx, &point, STATUS_POINT_ADDED, "carries its identity again");
    }
    tx_done(tx, m->written || was_absent || woken, NULL);
}

void
handle_point_commit(tx_t *tx, const point_commit_t *m)
{
    point_t point;
    bool changed = m->add;
    if (m->adopt) {
        adopt_point(tx, m);
        return;
    }
    if (m->add) {
        add_point(tx, m);
    }
    if (!tx_ok(tx) || !point_need(tx, "set", record_slice(m, m->name), &point)) {
        return;
    }
    if (!m->add) {
        changed = !slice_equal(record_slice(m, m->root), SLICE_OF(&point, root)) ||
                  memcmp(&point.incarnation, &m->incarnation, sizeof m->incarnation) != 0;
        if (changed) {
            move_point(tx, m, &point);
        }
    }
    if (changed && point_by_row(tx, point.row, &point)) {
        note_point(tx, &point, STATUS_POINT_ADDED,
                   m->add ? "was added"
                          : "has a new root; what was placed at the former one stays there");
    }
    if (m->token_text.size > 0) {
        agent_added_t *added = ANSWER(tx, agent_added);
        added->changed = changed;
        added->token = tx_text(tx, record_slice(m, m->token_text));
        return;
    }
    tx_done(tx, changed, NULL);
}

/* ---- pause and resume ---- */

/* Work in hand goes on; what only waits for a slot is taken back. */
static void
pause_target(tx_t *tx, target_t *target)
{
    bool begun = target->taken && target->look != 0;
    if (state_is_final(target->state) || begun) {
        return;
    }
    if (target->taken) {
        target_supersede(tx, target);
    }
    target_save(tx, target, status_of_state(target->state));
}

static void
resume_target(tx_t *tx, target_t *target)
{
    if (target->cause == ERR_PAUSED) {
        target->state = target->state == TARGET_WAITING ? TARGET_PENDING : target->state;
        target->due = tx->now_ns;
        target_set_cause(target, OK, (slice_t){NULL, 0});
        target_save(tx, target, status_of_state(target->state));
    }
}

static void
set_paused(tx_t *tx, slice_t name, bool paused)
{
    point_t point;
    target_t target = {.row = 0};
    if (!point_need(tx, paused ? "pause" : "resume", name, &point)) {
        return;
    }
    if (point.paused == paused) {
        tx_done(tx, false, NULL);
        return;
    }
    RUN(tx, SQL_POINT_PAUSE, v_int(point.row), v_int(paused));
    note_point(tx, &point, STATUS_POINT_PAUSED, paused ? "is paused" : "is resumed");
    while (tx->err == OK && target_next_of_point(tx, point.row, target.row, &target)) {
        paused ? pause_target(tx, &target) : resume_target(tx, &target);
    }
    tx_done(tx, true, NULL);
}

void
handle_dp_pause(tx_t *tx, const dp_pause_t *m)
{
    set_paused(tx, record_slice(m, m->name), true);
}

void
handle_dp_resume(tx_t *tx, const dp_resume_t *m)
{
    set_paused(tx, record_slice(m, m->name), false);
}

/* ---- removal ---- */

static void
remove_content(tx_t *tx, const point_t *point)
{
    target_t target = {.row = 0};
    while (tx->err == OK && target_next_of_point(tx, point->row, target.row, &target)) {
        if (target.state != TARGET_REMOVING && target.state != TARGET_REMOVED) {
            target_remove(tx, &target);
            target_save(tx, &target, STATUS_TARGET_REMOVING);
        }
    }
}

/* The targets go with the point; their content stays where it is. */
static void
forget(tx_t *tx, const point_t *point)
{
    target_t target = {.row = 0};
    int64_t package = 0;
    while (tx->err == OK && target_next_of_point(tx, point->row, target.row, &target)) {
        tx_watch_package(tx, target.package);
        target_supersede(tx, &target);
    }
    tx->targets_changed = true;
    RUN(tx, SQL_TARGETS_OF_POINT_DELETE, v_int(point->row));
    for (uint32_t i = 0; i < tx->watched_count; i++) {
        package = tx->watched[i].package;
        package_finish(tx, package);
    }
}

void
handle_dp_remove(tx_t *tx, const dp_remove_t *m)
{
    point_t point;
    if (!point_need(tx, "remove", record_slice(m, m->name), &point)) {
        return;
    }
    int64_t holds = NUMBER(tx, SQL_POINT_HOLDS, 0, v_int(point.row));
    if (holds > 0 && !m->withdraw && !m->forget) {
        tx_refuse(tx, ERR_IN_USE, "withdraw first, or repeat with --withdraw or --forget",
                  "cannot remove '%s': packages that it holds: %lld", point.name,
                  (long long) holds);
        return;
    }
    if (point.removing && !m->forget) {
        tx_done(tx, false, "it is being removed");
        return;
    }
    if (m->forget) {
        forget(tx, &point);
        point_delete(tx, &point);
        tx_done(tx, true, "its root stays as it is, with its content and its identity in .despool");
        return;
    }
    if (holds == 0 && point_is_agent(SLICE_OF(&point, root))) {
        forget(tx, &point);
        point_delete(tx, &point);
        tx_done(tx, true, "its agent is told when it is in touch; its root stays as it is");
        return;
    }
    RUN(tx, SQL_POINT_REMOVING, v_int(point.row), v_int(POINT_LEAVES));
    if (holds > 0) {
        remove_content(tx, &point);
        tx_done(tx, true, "it goes when its content is removed");
        return;
    }
    RUN(tx, SQL_TARGETS_OF_POINT_DELETE, v_int(point.row));
    tx_done(tx, true, point.absent_since != 0 ? "it is absent, and goes when it is back" : NULL);
}

/* ---- what others need to know ---- */

/* Whose name is taken; what an agent has is nobody else's, so that no other point matters. */
static void
list_point(tx_t *tx, slice_t name, points_listed_t *listed)
{
    point_t point;
    bool known = point_by_name(tx, name, &point);
    listed->points = draft_rows(&tx->answer, known, sizeof(point_ref_t));
    point_ref_t *ref = known ? draft_row(&tx->answer, listed->points, 0, sizeof *ref) : NULL;
    if (ref != NULL) {
        point_fill_ref(tx, &point, ref);
    }
}

void
handle_points_known(tx_t *tx, const points_known_t *m)
{
    uint32_t i = 0;
    points_listed_t *listed = ANSWER(tx, points_listed);
    listed->address = site_address(tx);
    if (m->alone) {
        list_point(tx, record_slice(m, m->name), listed);
        return;
    }
    int64_t count = tx_number(tx, SQL_ALL_PACKAGES_COUNT, 0, NULL, 0);
    listed->points = point_refs(tx);
    listed->sources = draft_rows(&tx->answer, (uint32_t) count, sizeof(text_t));
    cursor_t row = tx_open(tx, SQL_ALL_SOURCES, NULL, 0);
    while (cursor_next(&row)) {
        text_t *source = draft_row(&tx->answer, listed->sources, i++, sizeof *source);
        if (source != NULL) {
            *source = tx_cursor_text(tx, &row, 0);
        }
    }
}

void
handle_absent_points(tx_t *tx, __attribute__((unused)) const absent_points_t *m)
{
    point_t point;
    uint32_t i = 0;
    value_t now = v_int(INT64_MAX), all = v_int(INT64_MAX);
    int64_t count = NUMBER(tx, SQL_POINTS_ABSENT_COUNT, 0, now, all);
    points_listed_t *listed = ANSWER(tx, points_listed);
    listed->points = draft_rows(&tx->answer, (uint32_t) count, sizeof(point_ref_t));
    cursor_t row = OPEN(tx, SQL_POINTS_ABSENT, now, all);
    while (cursor_next(&row)) {
        point_ref_t *ref = draft_row(&tx->answer, listed->points, i++, sizeof *ref);
        if (ref == NULL) {
            break;
        }
        point_read(&row, &point);
        point_fill_ref(tx, &point, ref);
    }
    cursor_close(&row);
}
