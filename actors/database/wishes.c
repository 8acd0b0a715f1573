/* wishes.c - distribute, withdraw, retry and cancel: what is wanted of targets. */
#include "actors/database/handlers.h"
#include "actors/database/rollouts.h"
#include "actors/database/switchovers.h"

/* ---- distribute ---- */

static bool
wants_again(uint32_t state)
{
    return state == TARGET_FAILED || state == TARGET_CANCELLED || state == TARGET_REMOVED ||
           state == TARGET_REMOVING;
}

typedef struct wish {
    uint32_t priority, ring;
    switch_wish_t later; /* it is staged now, and switched to then */
    uint32_t staged;     /* targets that are */
    changed_t changed;
} wish_t;

static void
prioritize(tx_t *tx, target_t *target, uint32_t priority, changed_t *changed)
{
    if (!state_is_final(target->state) && target_prioritize(tx, target, priority)) {
        target_save(tx, target, STATUS_NONE);
        changed_add(tx, changed, target->dp);
    }
}

/* It wants this version already: its place in the order is what may change. */
static void
place_again(tx_t *tx, target_t *target, wish_t *wish)
{
    if (rollout_place(tx, target, wish->ring, wish->ring > 1)) {
        target_save(tx, target, STATUS_NONE);
        changed_add(tx, &wish->changed, target->dp);
    }
    prioritize(tx, target, wish->priority, &wish->changed);
}

/* What has it already has nothing to stage. */
static bool
wants_it(const target_t *target, const package_t *package, const wish_t *wish)
{
    return !wants_again(target->state) && target->wanted == package->epoch &&
           (!switch_is_asked(&wish->later) || target->state == TARGET_INSTALLED);
}

static void
want(tx_t *tx, target_t *target, const package_t *package, wish_t *wish)
{
    (void) target_prioritize(tx, target, wish->priority);
    (void) rollout_place(tx, target, wish->ring, wish->ring > 1);
    target_turn(tx, target, switch_is_asked(&wish->later) ? TURN_STAGES : TURN_NONE);
    wish->staged += switch_is_asked(&wish->later);
    target_want(tx, target, package);
    target_save(tx, target, STATUS_TARGET_PENDING);
    changed_add(tx, &wish->changed, target->dp);
}

static void
want_on(tx_t *tx, const package_t *package, const point_t *point, wish_t *wish)
{
    target_t target;
    bool there = target_of(tx, package->row, point->row, &target);
    if (there && switchover_holds(tx, &target)) {
        tx_refuse(tx, ERR_BUSY, "despool status ID shows it; despool cancel ID ends it",
                  "cannot distribute '%s' to '%s': its switchover is not decided yet", package->id,
                  point->name);
        return;
    }
    if (there && wants_it(&target, package, wish)) {
        place_again(tx, &target, wish);
        return;
    }
    if (!there) {
        target_new(tx, package, point, &target);
    }
    if (tx->err == OK) {
        want(tx, &target, package, wish);
    }
}

static bool
may_change(tx_t *tx, const char *verb, const package_t *package)
{
    if (package->removing) {
        tx_refuse(tx, ERR_BUSY, "wait until package list no longer shows it",
                  "cannot %s '%s': the package is being removed", verb, package->id);
    }
    return tx_ok(tx);
}

static void
want_on_row(tx_t *tx, const package_t *package, int64_t row, wish_t *wish)
{
    point_t point;
    if (!point_by_row(tx, row, &point)) {
        return;
    }
    if (point.removing) {
        tx_refuse(tx, ERR_BUSY, "wait until dp list no longer shows it",
                  "cannot distribute '%s' to '%s': the distribution point is being removed",
                  package->id, point.name);
        return;
    }
    want_on(tx, package, &point, wish);
}

void
handle_distribute(tx_t *tx, const distribute_t *m)
{
    package_t package;
    wish_t wish = {.priority = m->priority, .later = {m->barrier, m->activate_at, m->deadline}};
    point_list_t points = {NULL, 0, 0};
    bool go = package_need(tx, "distribute", record_slice(m, m->id), &package) &&
              may_change(tx, "distribute", &package) &&
              (m->all ? names_all_points(tx, &points)
                      : names_resolve(tx, "distribute", m, m->to, &points)) &&
              switchover_may(tx, &package, m->rings.count > 0, &wish.later);
    spread_t spread = {.count = 0};
    if (go && m->rings.count > 0) {
        go = spread_read(tx, "distribute", m, m->rings, &spread) &&
             rollout_begin(tx, &package, &spread, m->stop_at);
        spread_order(tx, m, m->to, &points);
    }
    if (go && m->rings.count == 0 && m->stop_at > 0) {
        go = false;
        tx_refuse(tx, ERR_BAD_VALUE, "--rings 1,10,100 --stop-at N, or neither of them",
                  "cannot distribute '%s': failures end a rollout, and no rings are given",
                  package.id);
    }
    for (uint32_t i = 0; go && i < points.count && tx_ok(tx); i++) {
        wish.ring = spread_ring(&spread, i, points.count);
        want_on_row(tx, &package, points.row[i], &wish);
    }
    if (wish.staged > 0 && tx_ok(tx)) {
        switchover_begin(tx, &package, &wish.later);
    }
    point_list_free(&points);
    changed_answer(tx, &wish.changed);
}

/* ---- withdraw ---- */

static void
unwant(tx_t *tx, target_t *target, changed_t *changed)
{
    if (target->state != TARGET_REMOVING && target->state != TARGET_REMOVED) {
        target_remove(tx, target);
        target_save(tx, target, STATUS_TARGET_REMOVING);
        changed_add(tx, changed, target->dp);
    }
}

static void
unwant_on(tx_t *tx, const package_t *package, int64_t row, changed_t *changed)
{
    target_t target;
    point_t point;
    if (target_of(tx, package->row, row, &target)) {
        unwant(tx, &target, changed);
    } else if (point_by_row(tx, row, &point)) {
        tx_refuse(tx, ERR_NOT_FOUND, "despool status shows where it is",
                  "cannot withdraw '%s' from '%s': it was not distributed to it", package->id,
                  point.name);
    }
}

static void
unwant_everywhere(tx_t *tx, const package_t *package, changed_t *changed)
{
    target_t target = {.row = 0};
    while (tx_ok(tx) && target_next_of_package(tx, package->row, target.point, &target)) {
        unwant(tx, &target, changed);
    }
}

void
handle_withdraw(tx_t *tx, const withdraw_t *m)
{
    package_t package;
    changed_t changed = {NULL, 0, 0};
    point_list_t points = {NULL, 0, 0};
    bool go = package_need(tx, "withdraw", record_slice(m, m->id), &package);
    if (go && m->all) {
        unwant_everywhere(tx, &package, &changed);
    } else if (go && names_resolve(tx, "withdraw", m, m->from, &points)) {
        for (uint32_t i = 0; i < points.count && tx_ok(tx); i++) {
            unwant_on(tx, &package, points.row[i], &changed);
        }
    }
    point_list_free(&points);
    changed_answer(tx, &changed);
}

/* ---- retry and cancel: of all targets of a package, or of one ---- */

typedef void target_change_fn(tx_t *tx, target_t *target, const package_t *package,
                              changed_t *changed);

static void
change_targets(tx_t *tx, const char *verb, slice_t id, slice_t dp, target_change_fn *change)
{
    package_t package;
    point_t point;
    target_t target = {.row = 0};
    changed_t changed = {NULL, 0, 0};
    bool go = package_need(tx, verb, id, &package);
    if (go && dp.size == 0) {
        while (tx_ok(tx) && target_next_of_package(tx, package.row, target.point, &target)) {
            change(tx, &target, &package, &changed);
        }
    } else if (go && point_need(tx, verb, dp, &point)) {
        if (target_of(tx, package.row, point.row, &target)) {
            change(tx, &target, &package, &changed);
        } else {
            tx_refuse(tx, ERR_NOT_FOUND, "despool status shows where it is",
                      "cannot %s '%s' on '%s': it was not distributed to it", verb, package.id,
                      point.name);
        }
    }
    changed_answer(tx, &changed);
}

static void
retry_one(tx_t *tx, target_t *target, const package_t *package, changed_t *changed)
{
    uint32_t id = STATUS_NONE;
    if (target->cause == ERR_QUARANTINED) {
        target_set_cause(target, OK, (slice_t){NULL, 0});
    }
    if (target->state == TARGET_FAILED || target->state == TARGET_CANCELLED) {
        target_want(tx, target, package);
        id = STATUS_TARGET_PENDING;
    } else if (!target->taken && !target->paused && !target->held &&
               (target->state == TARGET_RETRYING ||
                (target->state == TARGET_PROMISED && target->turn == TURN_GOES) ||
                target->state == TARGET_WAITING || target->state == TARGET_REMOVING)) {
        target_due_now(tx, target);
    } else {
        return;
    }
    target_save(tx, target, id);
    changed_add_tried(tx, changed, target->dp, target->absent_since != 0);
}

void
handle_retry(tx_t *tx, const retry_t *m)
{
    change_targets(tx, "retry", record_slice(m, m->id), record_slice(m, m->dp), retry_one);
}

static void
cancel_one(tx_t *tx, target_t *target, const package_t *package, changed_t *changed)
{
    if (target->state == TARGET_INSTALLED || target->state == TARGET_CANCELLED ||
        target->state == TARGET_REMOVED) {
        return;
    }
    if (switchover_binds(tx, target)) {
        tx_refuse(
            tx, ERR_BUSY,
            "despool rollback ID --to VERSION takes all to another one; despool withdraw takes "
            "it off",
            "cannot cancel '%s' on '%s': it has promised to switch, and that is decided",
            package->id, target->dp);
        return;
    }
    if (target->state == TARGET_REMOVING) {
        RUN(tx, SQL_PACKAGE_REMOVING, v_int(package->row), v_int(0));
        RUN(tx, SQL_POINT_REMOVING, v_int(target->point), v_int(0));
    }
    target_supersede(tx, target);
    target_turn(tx, target, TURN_NONE);
    target->state = TARGET_CANCELLED;
    target_set_cause(target, ERR_CANCELLED, (slice_t){NULL, 0});
    target_save(tx, target, STATUS_TARGET_CANCELLED);
    changed_add(tx, changed, target->dp);
}

/* A removal that is cancelled leaves its content where it is; a package or point that waits for it
 * is then no longer being removed. */
void
handle_cancel(tx_t *tx, const cancel_t *m)
{
    package_t package;
    change_targets(tx, "cancel", record_slice(m, m->id), record_slice(m, m->dp), cancel_one);
    if (tx_ok(tx) && m->dp.size == 0 && package_by_id(tx, record_slice(m, m->id), &package)) {
        rollout_cancelled(tx, &package);
    }
}

/* ---- the same, of a target that was put aside ---- */

void
handle_aside_order(tx_t *tx, const aside_order_t *m)
{
    package_t package;
    target_t target;
    changed_t changed = {NULL, 0, 0};
    if (!target_by_row(tx, m->target, &target) || target.cause != ERR_QUARANTINED ||
        !package_by_row(tx, target.package, &package)) {
        tx_refuse(tx, ERR_NOT_FOUND, "despool quarantine list", "cannot %s '%.*s': %s",
                  m->drop ? "drop" : "retry", SHOWN(record_slice(m, m->id)),
                  err_sentence(ERR_NOT_FOUND));
        return;
    }
    (m->drop ? cancel_one : retry_one)(tx, &target, &package, &changed);
    changed_answer(tx, &changed);
    tx_done(tx, true, NULL);
}

/* ---- prioritize ---- */

void
handle_prioritize(tx_t *tx, const prioritize_t *m)
{
    package_t package;
    point_t point;
    target_t target = {.row = 0};
    changed_t changed = {NULL, 0, 0};
    slice_t dp = record_slice(m, m->dp);
    bool go = package_need(tx, "prioritize", record_slice(m, m->id), &package) &&
              (dp.size == 0 || point_need(tx, "prioritize on", dp, &point));
    while (go && tx_ok(tx) && target_next_of_package(tx, package.row, target.point, &target)) {
        if (dp.size == 0 || target.point == point.row) {
            prioritize(tx, &target, m->priority, &changed);
        }
    }
    changed_answer(tx, &changed);
}
