/* views.c - status, lists and shows: what an operator sees. */
#include "actors/database/views.h"

#include "actors/database/handlers.h"
#include "actors/database/rollouts.h"
#include "actors/database/switchovers.h"

rows_t
view_version(tx_t *tx, uint64_t epoch, slice_t label, const digest_t *root)
{
    rows_t maybe = draft_rows(&tx->answer, epoch == 0 ? 0 : 1, sizeof(version_ref_t));
    version_ref_t *version = draft_row(&tx->answer, maybe, 0, sizeof *version);
    if (version != NULL) {
        version->epoch = epoch;
        version->label = tx_text(tx, label);
        version->root = *root;
    }
    return maybe;
}

texts_t
view_excludes(tx_t *tx, int64_t package)
{
    uint32_t i = 0;
    int64_t count = NUMBER(tx, SQL_EXCLUDE_COUNT, 0, v_int(package));
    texts_t globs = draft_rows(&tx->answer, (uint32_t) count, sizeof(text_t));
    cursor_t row = OPEN(tx, SQL_EXCLUDES, v_int(package));
    while (cursor_next(&row)) {
        text_t *glob = draft_row(&tx->answer, globs, i++, sizeof *glob);
        if (glob != NULL) {
            *glob = tx_cursor_text(tx, &row, 0);
        }
    }
    return globs;
}

/* What a target waits for that has no cause of its own and is in no slot yet. */
static const char *
turn_of(tx_t *tx, const target_t *target)
{
    bool leaves = target->state == TARGET_REMOVING && target->slot == 0;
    if (target->cause != OK || (target->state != TARGET_PENDING && !leaves)) {
        return NULL;
    }
    if (!target->taken) {
        return "not yet taken up by the distribution_manager";
    }
    return site_slots(tx) == 0
               ? "in the despooler's inbox, which has no slots: it is disabled"
               : "in the despooler's inbox: waits for a slot, or for other work of its point";
}

static rows_t
view_turn(tx_t *tx, const char *turn)
{
    rows_t maybe = draft_rows(&tx->answer, 1, sizeof(cause_t));
    cause_t *cause = draft_row(&tx->answer, maybe, 0, sizeof *cause);
    if (cause != NULL) {
        *cause = (cause_t){.code = ERR_QUEUED,
                           .class = err_class(ERR_QUEUED),
                           .text = tx_text(tx, slice_of(turn)),
                           .hint = tx_text(tx, slice_of(err_hint(ERR_QUEUED))),
                           .need = RECORD_NONE,
                           .have = RECORD_NONE};
    }
    return maybe;
}

rows_t
view_cause(tx_t *tx, const target_t *target)
{
    const char *turn = turn_of(tx, target);
    if (turn != NULL) {
        return view_turn(tx, turn);
    }
    rows_t maybe = draft_rows(&tx->answer, target->cause == OK ? 0 : 1, sizeof(cause_t));
    cause_t *cause = draft_row(&tx->answer, maybe, 0, sizeof *cause);
    if (cause != NULL) {
        slice_t text = SLICE_OF(target, cause_text);
        cause->code = target->cause;
        cause->class = err_class(target->cause);
        cause->text = tx_text(tx, text.size > 0 ? text : slice_of(err_sentence(target->cause)));
        cause->hint = tx_text(tx, slice_of(err_hint(target->cause)));
        cause->need = target->need;
        cause->have = target->space;
    }
    return maybe;
}

/* ---- targets ---- */

static void
fill_target(tx_t *tx, const target_t *t, target_status_t *ret)
{
    ret->dp = tx_text(tx, slice_of(t->dp));
    ret->state = t->state;
    bool leaves = t->state == TARGET_REMOVING || t->state == TARGET_REMOVED;
    ret->wanted = view_version(tx, leaves ? 0 : t->wanted, SLICE_OF(t, label), &t->root);
    ret->have = view_version(tx, t->have, SLICE_OF(t, have_label), &t->have_root);
    ret->attempts = t->attempts;
    ret->of = t->of;
    ret->due = t->due;
    ret->since = t->since;
    ret->unknown_since = t->have != 0 ? t->absent_since : 0;
    ret->cause = view_cause(tx, t);
    ret->priority = t->priority;
    ret->ring = t->ring;
    ret->promised = t->state != TARGET_INSTALLED && target_is_promised(t) ? t->promised : 0;
    ret->activation = view_activation(tx, t);
    view_estimate(tx, t, ret);
    ret->bytes_total = t->bytes;
    ret->bytes_done =
        t->state == TARGET_INSTALLED ? t->bytes : progress_done(tx->db, (uint64_t) t->row);
}

static rows_t
view_one_target(tx_t *tx, const target_t *target)
{
    rows_t rows = draft_rows(&tx->answer, 1, sizeof(target_status_t));
    target_status_t *status = draft_row(&tx->answer, rows, 0, sizeof *status);
    if (status != NULL) {
        fill_target(tx, target, status);
    }
    return rows;
}

static rows_t
view_targets(tx_t *tx, int64_t package)
{
    uint32_t i = 0;
    target_t target;
    int64_t count = NUMBER(tx, SQL_PACKAGE_TARGETS_COUNT, 0, v_int(package));
    rows_t rows = draft_rows(&tx->answer, (uint32_t) count, sizeof(target_status_t));
    cursor_t row = OPEN(tx, SQL_TARGETS_OF_PACKAGE, v_int(package));
    while (cursor_next(&row)) {
        target_status_t *status = draft_row(&tx->answer, rows, i++, sizeof *status);
        if (status == NULL) {
            cursor_close(&row);
            break;
        }
        target_read(&row, &target);
        fill_target(tx, &target, status);
    }
    return rows;
}

/* ---- packages ---- */

static void
fill_status(tx_t *tx, const package_t *package, package_status_t *ret)
{
    ret->id = tx_text(tx, slice_of(package->id));
    ret->name = package->name_size == 0 ? (text_t){0, 0} : tx_text(tx, SLICE_OF(package, name));
    ret->version = view_version(tx, package->epoch, SLICE_OF(package, label), &package->root);
    ret->state = package_state(tx, package->row);
    ret->rollout = view_rollout(tx, package->row);
    ret->switchover = view_switchover(tx, package->row);
}

static void
count_states(tx_t *tx, int64_t package, package_row_t *ret)
{
    cursor_t row = OPEN(tx, SQL_PACKAGE_TARGETS_BY_STATE, v_int(package));
    while (cursor_next(&row)) {
        uint32_t state = cursor_u32(&row, 0);
        uint64_t count = cursor_u64(&row, 1);
        ret->targets += state == TARGET_REMOVED ? 0 : count;
        ret->installed += state == TARGET_INSTALLED ? count : 0;
        ret->retrying += state == TARGET_RETRYING ? count : 0;
        ret->failed += state == TARGET_FAILED ? count : 0;
    }
}

static void
fill_package(tx_t *tx, const package_t *package, package_row_t *ret)
{
    ret->id = tx_text(tx, slice_of(package->id));
    ret->name = package->name_size == 0 ? (text_t){0, 0} : tx_text(tx, SLICE_OF(package, name));
    ret->source = tx_text(tx, SLICE_OF(package, source));
    ret->exclude = view_excludes(tx, package->row);
    ret->links = package->links_inside ? LINK_RULE_INSIDE : LINK_RULE_ANY;
    ret->version = view_version(tx, package->epoch, SLICE_OF(package, label), &package->root);
    ret->state = package_state(tx, package->row);
    ret->files = package->files;
    ret->bytes = package->bytes;
    ret->unique_bytes = package->unique_bytes;
    ret->stored_bytes = package->stored_bytes;
    count_states(tx, package->row, ret);
}

void
handle_package_list(tx_t *tx, __attribute__((unused)) const package_list_t *m)
{
    package_t package = {.row = 0};
    int64_t count = tx_number(tx, SQL_ALL_PACKAGES_COUNT, 0, NULL, 0);
    packages_t *answer = ANSWER(tx, packages);
    answer->packages = draft_rows(&tx->answer, (uint32_t) count, sizeof(package_row_t));
    for (uint32_t i = 0; i < answer->packages.count; i++) {
        package_row_t *row = draft_row(&tx->answer, answer->packages, i, sizeof *row);
        if (row == NULL || !package_next(tx, slice_of(package.id), &package)) {
            break;
        }
        fill_package(tx, &package, row);
    }
}

void
handle_package_show(tx_t *tx, const package_show_t *m)
{
    package_t package;
    if (!package_need(tx, "show", record_slice(m, m->id), &package)) {
        return;
    }
    package_shown_t *answer = ANSWER(tx, package_shown);
    answer->package = draft_rows(&tx->answer, 1, sizeof(package_row_t));
    package_row_t *row = draft_row(&tx->answer, answer->package, 0, sizeof *row);
    if (row != NULL) {
        fill_package(tx, &package, row);
        answer->targets = view_targets(tx, package.row);
    }
}

/* ---- status ---- */

static void
status_of_one(tx_t *tx, const package_t *package, const point_t *point)
{
    target_t target;
    bool there = point != NULL && target_of(tx, package->row, point->row, &target);
    status_of_t *answer = ANSWER(tx, status_of);
    package_status_t status = {.state = PACKAGE_IDLE};
    fill_status(tx, package, &status);
    answer->id = status.id;
    answer->name = status.name;
    answer->version = status.version;
    answer->state = status.state;
    answer->rollout = status.rollout;
    answer->switchover = status.switchover;
    if (point == NULL) {
        answer->targets = view_targets(tx, package->row);
    } else if (there) {
        answer->targets = view_one_target(tx, &target);
    }
}

static void
status_of_all(tx_t *tx)
{
    package_t package = {.row = 0};
    int64_t count = tx_number(tx, SQL_ALL_PACKAGES_COUNT, 0, NULL, 0);
    status_all_t *answer = ANSWER(tx, status_all);
    answer->packages = draft_rows(&tx->answer, (uint32_t) count, sizeof(package_status_t));
    for (uint32_t i = 0; i < answer->packages.count; i++) {
        package_status_t *row = draft_row(&tx->answer, answer->packages, i, sizeof *row);
        if (row == NULL || !package_next(tx, slice_of(package.id), &package)) {
            break;
        }
        fill_status(tx, &package, row);
        row->targets = view_targets(tx, package.row);
    }
}

/* The packages of one point, each with its one target. */
static rows_t
view_packages_at(tx_t *tx, const point_t *point)
{
    package_t package;
    target_t target = {.row = 0};
    uint32_t count = 0;
    while (tx->err == OK && target_next_of_point(tx, point->row, target.row, &target)) {
        count++;
    }
    rows_t rows = draft_rows(&tx->answer, count, sizeof(package_status_t));
    target.row = 0;
    for (uint32_t i = 0; i < rows.count; i++) {
        package_status_t *row = draft_row(&tx->answer, rows, i, sizeof *row);
        if (row == NULL || !target_next_of_point(tx, point->row, target.row, &target) ||
            !package_by_row(tx, target.package, &package)) {
            break;
        }
        fill_status(tx, &package, row);
        row->targets = view_one_target(tx, &target);
    }
    return rows;
}

void
handle_status(tx_t *tx, const status_t *m)
{
    package_t package;
    point_t point;
    bool of_point = m->dp.size > 0;
    if (of_point && !point_need(tx, "show the status of", record_slice(m, m->dp), &point)) {
        return;
    }
    if (m->id.size > 0) {
        if (package_need(tx, "show the status of", record_slice(m, m->id), &package)) {
            status_of_one(tx, &package, of_point ? &point : NULL);
        }
    } else if (of_point) {
        status_all_t *answer = ANSWER(tx, status_all);
        answer->packages = view_packages_at(tx, &point);
    } else {
        status_of_all(tx);
    }
}

/* ---- points ---- */

/* Of a revoked key no agent comes back: it is not merely absent. */
static bool
is_revoked(tx_t *tx, const point_t *point)
{
    return point_is_agent(SLICE_OF(point, root)) &&
           NUMBER(tx, SQL_AGENT_IS_REVOKED, 0, v_int(point->row)) != 0;
}

static uint32_t
point_state(tx_t *tx, const point_t *point)
{
    return point->removing            ? POINT_REMOVING
           : is_revoked(tx, point)    ? POINT_REVOKED
           : point->paused            ? POINT_PAUSED
           : point->absent_since != 0 ? POINT_ABSENT
                                      : POINT_ACTIVE;
}

static void
fill_point(tx_t *tx, const point_t *point, point_row_t *ret)
{
    ret->name = tx_text(tx, slice_of(point->name));
    ret->root = tx_text(tx, SLICE_OF(point, root));
    ret->state = point_state(tx, point);
    ret->since = point->absent_since != 0 ? point->absent_since : point->added;
    ret->incarnation = point->incarnation;
    ret->rate = point->rate == 0 ? RECORD_NONE : point->rate;
    ret->link = point->link[0] ? tx_text(tx, slice_of(point->link)) : (text_t){0, 0};
    ret->seed = point->seed_size > 0 ? tx_text(tx, SLICE_OF(point, seed)) : (text_t){0, 0};
    ret->scrubbed = point_scrubbed(tx, point->row);
    ret->bulk = !point_is_agent(SLICE_OF(point, root)) ? BULK_NONE
                : point->plain                         ? BULK_PLAIN
                                                       : BULK_CURVE;
    ret->read_only = point->read_only;
    beacons_show(tx, point, ret);
    view_windows(tx, point, ret);
    cursor_t row = OPEN(tx, SQL_POINT_COUNTS, v_int(point->row));
    if (cursor_next(&row)) {
        ret->targets = cursor_u64(&row, 0);
        ret->installed = cursor_u64(&row, 1);
        cursor_close(&row);
    }
}

void
handle_dp_list(tx_t *tx, __attribute__((unused)) const dp_list_t *m)
{
    point_t point = {.row = 0};
    int64_t count = tx_number(tx, SQL_ALL_POINTS_COUNT, 0, NULL, 0);
    points_t *answer = ANSWER(tx, points);
    answer->dps = draft_rows(&tx->answer, (uint32_t) count, sizeof(point_row_t));
    for (uint32_t i = 0; i < answer->dps.count; i++) {
        point_row_t *row = draft_row(&tx->answer, answer->dps, i, sizeof *row);
        if (row == NULL || !point_next(tx, slice_of(point.name), &point)) {
            break;
        }
        fill_point(tx, &point, row);
    }
}

void
handle_dp_show(tx_t *tx, const dp_show_t *m)
{
    point_t point;
    if (!point_need(tx, "show", record_slice(m, m->name), &point)) {
        return;
    }
    point_shown_t *answer = ANSWER(tx, point_shown);
    answer->dp = draft_rows(&tx->answer, 1, sizeof(point_row_t));
    point_row_t *row = draft_row(&tx->answer, answer->dp, 0, sizeof *row);
    if (row != NULL) {
        fill_point(tx, &point, row);
        answer->packages = view_packages_at(tx, &point);
    }
}

/* ---- what the alarm_manager looks at ---- */

/* No more than there can be alarms: who has been absent for longer has its own already. */
static texts_t
view_absent(tx_t *tx, int64_t before_ns)
{
    point_t point;
    value_t before = v_int(before_ns), most = v_int(ALARMS_MAX);
    int64_t count = NUMBER(tx, SQL_POINTS_ABSENT_COUNT, 0, before, most);
    texts_t names = draft_rows(&tx->answer, (uint32_t) count, sizeof(text_t));
    cursor_t row = OPEN(tx, SQL_POINTS_ABSENT, before, most);
    for (uint32_t i = 0; cursor_next(&row); i++) {
        text_t *name = draft_row(&tx->answer, names, i, sizeof *name);
        if (name != NULL) {
            point_read(&row, &point);
            *name = tx_text(tx, slice_of(point.name));
        }
    }
    cursor_close(&row);
    return names;
}

static texts_t
view_full(tx_t *tx)
{
    point_t point;
    int64_t count = NUMBER(tx, SQL_TARGETS_FULL_POINTS_COUNT, 0, v_int(ALARMS_MAX));
    texts_t names = draft_rows(&tx->answer, (uint32_t) count, sizeof(text_t));
    cursor_t row = OPEN(tx, SQL_TARGETS_FULL_POINTS, v_int(ALARMS_MAX));
    for (uint32_t i = 0; cursor_next(&row); i++) {
        text_t *name = draft_row(&tx->answer, names, i, sizeof *name);
        if (name != NULL && point_by_row(tx, cursor_int(&row, 0), &point)) {
            *name = tx_text(tx, slice_of(point.name));
        }
    }
    cursor_close(&row);
    return names;
}

#define NS_PER_MS 1000000
#define DAY_NS    INT64_C(86400000000000)

/* The largest jump within a day: of a clock that jumps all the time one warning a day is enough. */
static int64_t
clock_skew_ms(connection_t *db)
{
    int64_t now = world_monotonic_ns(db->world);
    int64_t offset = world_wall_ns(db->world) - now;
    int64_t jump = offset - db->clock_offset_ns;
    bool larger = (jump < 0 ? -jump : jump) > (db->jump_ns < 0 ? -db->jump_ns : db->jump_ns);
    if (larger || now - db->jumped_at >= DAY_NS) {
        db->jump_ns = jump;
        db->jumped_at = now;
    }
    db->clock_offset_ns = offset;
    return db->jump_ns / NS_PER_MS;
}

void
handle_alarm_query(tx_t *tx, __attribute__((unused)) const alarm_query_t *m)
{
    connection_t *db = tx->db;
    alarm_facts_t *facts = ANSWER(tx, alarm_facts);
    facts->absent = view_absent(tx, tx->now_ns - (int64_t) ABSENT_ALARM_MS * NS_PER_MS);
    facts->full = view_full(tx);
    facts->failed = (uint64_t) tx_number(tx, SQL_TARGETS_FAILED, 0, NULL, 0);
    facts->site_free = connection_free_bytes(db);
    facts->clock_skew_ms = clock_skew_ms(db);
}
