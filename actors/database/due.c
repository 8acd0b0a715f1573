/* due.c - work: what is due, what begins, what became of it. */
#include "actors/database/due.h"

#include <string.h>

#include "actors/database/handlers.h"
#include "actors/database/rollouts.h"
#include "actors/database/switchovers.h"
#include "runtime/actor.h"

#define NS_PER_MS INT64_C(1000000)
/* No wait is longer; a stored time beyond it is one that a jump of the clock left behind. */
#define INTERVAL_MAX_MS ((int64_t) (RETRY_MAX_MS > LEASE_MS ? RETRY_MAX_MS : LEASE_MS))

static uint32_t
action_of(const target_t *target)
{
    return target->state == TARGET_REMOVING ? ACTION_REMOVE
           : target->turn == TURN_STAGES    ? ACTION_STAGE
                                            : ACTION_INSTALL;
}

void
due_fill(tx_t *tx, const target_t *t, uint32_t action, due_row_t *ret)
{
    ret->target = (uint64_t) t->row;
    ret->revision = t->revision;
    ret->action = action;
    ret->package = tx_text(tx, slice_of(t->package_id));
    ret->package_incarnation = t->package_incarnation;
    ret->epoch = t->wanted;
    ret->root = t->root;
    ret->label = tx_text(tx, SLICE_OF(t, label));
    ret->bytes = t->bytes;
    ret->dp = tx_text(tx, slice_of(t->dp));
    ret->dp_incarnation = t->dp_incarnation;
    ret->dp_root = tx_text(tx, SLICE_OF(t, dp_root));
    ret->attempt = t->attempts + 1;
    ret->of = t->of;
    ret->integrity = t->integrity;
    ret->due = t->due;
    ret->cause = t->cause;
    ret->priority = t->priority;
    ret->have = t->have_root;
    ret->seed = t->seed_size > 0 ? tx_text(tx, SLICE_OF(t, seed)) : (text_t){0, 0};
    ret->read_only = t->read_only;
}

/* ---- taking up what is due ---- */

/* What another run had taken up is due again: its instructions died with it. */
static void
begin_run(tx_t *tx, const id128_t *run)
{
    cursor_t row = OPEN(tx, SQL_META_GET, v_text(slice_of("run")));
    bool same = cursor_next(&row) && slice_equal(cursor_bytes(&row, 0),
                                                 (slice_t){(const char *) run->byte, sizeof *run});
    cursor_close(&row);
    if (!same) {
        RUN(tx, SQL_META_SET, v_text(slice_of("run")), v_id(run));
        RUN(tx, SQL_TARGET_RELEASE_TAKEN, v_int(tx->now_ns));
    }
}

/* Work that was cut, or lost its lease, is in no slot any more: it is not being installed before it
 * is in one again. */
static void
take_up(tx_t *tx, target_t *target)
{
    if (target->state == TARGET_INSTALLING) {
        target->state = TARGET_PENDING;
    }
    target->taken = true;
    target->look = 0;
    target->slot = 0;
    target_save(tx, target, STATUS_NONE);
}

static uint64_t
until_next_ms(tx_t *tx)
{
    int64_t look = tx_number(tx, SQL_TARGET_NEXT_LOOK, INT64_MAX, NULL, 0);
    int64_t clock = tx_number(tx, SQL_SWITCHOVER_NEXT, INT64_MAX, NULL, 0);
    int64_t window = windows_next(tx);
    look = clock < look ? clock : look;
    look = window < look ? window : look;
    if (look == INT64_MAX) {
        return RECORD_NONE;
    }
    return look <= tx->now_ns ? 0 : (uint64_t) ((look - tx->now_ns + NS_PER_MS - 1) / NS_PER_MS);
}

static uint32_t
take_up_due(tx_t *tx, rows_t rows)
{
    target_t target;
    uint32_t count = 0;
    while (count < rows.count && tx->err == OK && target_next_due(tx, tx->now_ns, &target)) {
        actor_about((uint64_t) target.row);
        window_now_t window;
        if (target.paused || target.held || target_is_shut(tx, &target, &window)) {
            /* its work ended while the point was paused */
            target_supersede(tx, &target);
            target_save(tx, &target, status_of_state(target.state));
            continue;
        }
        due_row_t *row = draft_row(&tx->answer, rows, count, sizeof *row);
        if (row == NULL) {
            break;
        }
        due_fill(tx, &target, action_of(&target), row);
        take_up(tx, &target);
        count++;
    }
    return count;
}

/* What a clock that was set back left in the future: no wait is longer than the longest, and what
 * began has begun by now, or the alarm of a long absence would be late by the jump. */
static void
clamp_times(tx_t *tx)
{
    int64_t latest = tx->now_ns + INTERVAL_MAX_MS * NS_PER_MS;
    RUN(tx, SQL_TARGET_CLAMP, v_int(latest + NS_PER_MS), v_int(latest));
    RUN(tx, SQL_POINT_CLAMP, v_int(tx->now_ns));
}

void
handle_due_targets(tx_t *tx, const due_targets_t *m)
{
    uint32_t limit = m->limit == 0 || m->limit > DUE_TARGETS_MAX ? DUE_TARGETS_MAX : m->limit;
    bool told = tx->targets_changed;
    begin_run(tx, &m->run);
    clamp_times(tx);
    rollouts_tell(tx);
    windows_turn(tx);
    switchovers_look(tx);
    due_t *due = ANSWER(tx, due);
    due->targets = draft_rows(&tx->answer, limit, sizeof(due_row_t));
    due->targets.count = take_up_due(tx, due->targets);
    due->targets.at = due->targets.count == 0 ? 0 : due->targets.at;
    due->next_ms = until_next_ms(tx);
    due->more = due->next_ms == 0;
    due->leaving = points_leave(tx);
    tx->targets_changed = told; /* who asks knows */
}

/* ---- begin and lease ---- */

static void
refuse_superseded(tx_t *tx, const char *verb)
{
    tx_refuse(tx, ERR_SUPERSEDED, NULL, "cannot %s: %s", verb, err_sentence(ERR_SUPERSEDED));
}

static bool
may_begin(const target_t *target, uint32_t action)
{
    if (action == ACTION_VERIFY) {
        return target->state == TARGET_INSTALLED;
    }
    return !state_is_final(target->state) && action == action_of(target) &&
           target->cause != ERR_PAUSED;
}

static void
begin(tx_t *tx, target_t *target, const target_begin_t *m)
{
    int64_t lease_ms = m->lease_ms == 0 || m->lease_ms > LEASE_MS ? LEASE_MS : m->lease_ms;
    bool told = tx->targets_changed;
    bool again = target->state == TARGET_INSTALLING;
    if (action_places(m->action)) {
        RUN(tx, SQL_TARGET_HOLDS, v_int(target->row), v_u64(target->wanted));
        target->state = TARGET_INSTALLING;
        target_set_cause(target, OK, slice_of("")); /* of the try before: this one has none yet */
    }
    target->taken = true;
    target->slot = m->slot;
    target->due = 0;
    target->look = tx->now_ns + lease_ms * NS_PER_MS;
    target_save(tx, target,
                action_places(m->action) && !again ? STATUS_TARGET_INSTALLING : STATUS_NONE);
    tx->targets_changed = told;
}

/* Its window has closed while it waited for its slot. */
static bool
begins_too_late(tx_t *tx, target_t *target, const target_begin_t *m)
{
    window_now_t window;
    if (!action_places(m->action) || !target_is_shut(tx, target, &window)) {
        return false;
    }
    target_supersede(tx, target);
    target_save(tx, target, STATUS_TARGET_WINDOW);
    refuse_superseded(tx, "begin");
    tx->keep = true;
    return true;
}

void
handle_target_begin(tx_t *tx, const target_begin_t *m)
{
    target_t target;
    if (!target_by_row(tx, m->target, &target) || target.revision != m->revision ||
        !may_begin(&target, m->action)) {
        refuse_superseded(tx, "begin");
        return;
    }
    if (begins_too_late(tx, &target, m)) {
        return;
    }
    if (m->action != ACTION_VERIFY) {
        begin(tx, &target, m);
    }
    begun_t *begun = ANSWER(tx, begun);
    begun->revision = target.revision;
}

void
handle_lease_renew(tx_t *tx, const lease_renew_t *m)
{
    int64_t lease_ms = m->lease_ms == 0 || m->lease_ms > LEASE_MS ? LEASE_MS : m->lease_ms;
    bool ids = m->target <= INT64_MAX && m->revision <= INT64_MAX;
    if (!ids || RUN(tx, SQL_TARGET_LEASE, v_u64(m->target), v_u64(m->revision),
                    v_int(tx->now_ns + lease_ms * NS_PER_MS)) == 0) {
        refuse_superseded(tx, "renew a lease");
        return;
    }
    tx_done(tx, true, NULL);
}

/* ---- outcomes ---- */

/* Whether a receipt can be of a version of this package, and not older than what is known. */
static bool
is_receipt(const target_t *target, const target_outcome_t *m)
{
    bool whole = m->epoch != target->wanted || memcmp(&m->root, &target->root, sizeof m->root) == 0;
    return m->action == ACTION_INSTALL && !digest_is_none(&m->root) && whole &&
           m->epoch >= target->have && m->epoch <= target->wanted;
}

/* What the point holds, told by a durable receipt or a finished removal, whoever asked for it. */
static bool
note_content(target_t *target, const target_outcome_t *m)
{
    if (m->err != OK) {
        return false;
    }
    if (is_receipt(target, m)) {
        target->have = m->epoch;
        target->have_root = m->root;
        return true;
    }
    if (m->action == ACTION_REMOVE && target->have != 0 && target->state != TARGET_INSTALLED) {
        target->have = 0;
        memset(&target->have_root, 0, sizeof target->have_root);
        return true;
    }
    return false;
}

/* Whether this state may follow from this outcome. */
static bool
may_follow(const target_t *target, const target_outcome_t *m)
{
    if (m->action != action_of(target)) {
        return false;
    }
    if (target->state == TARGET_REMOVING) {
        return m->next == TARGET_REMOVING || (m->next == TARGET_REMOVED && m->err == OK);
    }
    if (m->next == TARGET_INSTALLED) {
        return m->err == OK && m->epoch == target->wanted && target->have == target->wanted &&
               memcmp(&m->root, &target->root, sizeof m->root) == 0;
    }
    if (m->next == TARGET_PROMISED) {
        return m->err == OK && m->action == ACTION_STAGE && m->epoch == target->wanted &&
               memcmp(&m->root, &target->root, sizeof m->root) == 0;
    }
    return m->next == TARGET_RETRYING || m->next == TARGET_WAITING || m->next == TARGET_FAILED;
}

/* Content is gone, too, where somebody else's files stay: they are the cause why the directory is
 * still there. */
static void
set_cause(target_t *target, const target_outcome_t *m)
{
    bool left = m->err == OK && m->action == ACTION_REMOVE && m->foreign.count > 0;
    target_set_cause(target, left ? ERR_NOT_OURS : (err_t) m->err, record_slice(m, m->text));
    if (m->err != OK) {
        target->need = m->need;
        target->space = m->have;
    }
}

/* Work in hand has ended with this revision: who was told of it twice, by two runs, begins it once,
 * and what comes next is another work. */
static void
end_work(tx_t *tx, target_t *target, int64_t wait_ms)
{
    target->taken = false;
    target->slot = 0;
    target->revision += state_is_final(target->state) ? 0 : 1;
    target->due = tx->now_ns + wait_ms * NS_PER_MS;
}

/* A point that was cut off after its promise has what it needs, and switches when it is back. */
static bool
waits_to_switch(const target_t *target, const target_outcome_t *m)
{
    return target_is_promised(target) && err_is_absence((err_t) m->err);
}

/* A try that changed nothing that an operator sees is no event. */
static uint32_t
status_of_outcome(const target_t *target)
{
    bool news = target->state != target->old_state || target->attempts != target->old_attempts ||
                target->cause != target->old_cause;
    return news ? status_of_state(target->state) : (uint32_t) STATUS_NONE;
}

static void
apply_outcome(tx_t *tx, target_t *target, const target_outcome_t *m)
{
    int64_t wait_ms =
        m->due_ms > (uint64_t) INTERVAL_MAX_MS ? INTERVAL_MAX_MS : (int64_t) m->due_ms;
    bool told = tx->targets_changed;
    set_cause(target, m);
    estimate_measure(tx, target);
    if (m->next == TARGET_REMOVED) {
        RUN(tx, SQL_TARGET_HOLDS_NOTHING, v_int(target->row));
        RUN(tx, SQL_ACTIVATION_CLEAR, v_int(target->row));
    }
    if (m->next == TARGET_PROMISED) {
        target_promise(tx, target);
    }
    target->state =
        m->next == TARGET_RETRYING && waits_to_switch(target, m) ? TARGET_PROMISED : m->next;
    target->sent = m->next == TARGET_INSTALLED ? m->sent : RECORD_NONE;
    target->attempts = m->attempts;
    target->integrity = m->integrity_next;
    end_work(tx, target, wait_ms);
    target_save(tx, target, status_of_outcome(target));
    tx->targets_changed = told; /* who tells outcomes looks for due work after them */
    progress_forget(tx->db, m->target);
    package_finish(tx, target->package);
}

static void
note_presence(tx_t *tx, const target_t *target, const target_outcome_t *m)
{
    if (err_is_absence((err_t) m->err)) {
        point_set_absent(tx, target->point, m->err, NULL);
    } else if (m->reached) {
        point_set_absent(tx, target->point, OK, NULL);
    }
}

/* Content is noted whoever asked for it, and told when it is news. Work in hand whose outcome
 * makes no sense has ended all
 * the same: it is due again, or it would wait for ever. */
static void
refuse_outcome(tx_t *tx, target_t *target, const target_outcome_t *m, bool content, bool news)
{
    bool told = tx->targets_changed;
    bool ended = target->revision == m->revision && !state_is_final(target->state);
    if (ended) {
        target->taken = false;
        target->due = tx->now_ns + (int64_t) SPACE_PERIOD_MS * NS_PER_MS;
    }
    if (ended || content) {
        target_save(tx, target, news ? status_of_state(target->state) : (uint32_t) STATUS_NONE);
    }
    tx->targets_changed = told;
    refuse_superseded(tx, "take an outcome");
    tx->keep = true;
}

void
handle_target_outcome(tx_t *tx, const target_outcome_t *m)
{
    target_t target;
    if (!target_by_row(tx, m->target, &target) ||
        memcmp(&target.dp_incarnation, &m->dp_incarnation, sizeof m->dp_incarnation) != 0) {
        refuse_superseded(tx, "take an outcome");
        return;
    }
    uint64_t had = target.have;
    bool content = note_content(&target, m);
    note_presence(tx, &target, m);
    if (target.revision == m->revision && state_is_final(target.state) && target.state == m->next) {
        tx_done(tx, false, NULL);
    } else if (target.revision != m->revision || state_is_final(target.state) ||
               !may_follow(&target, m)) {
        refuse_outcome(tx, &target, m, content, target.have != had);
    } else if (target_is_ahead(tx, &target, m)) {
        target_go_above(tx, &target, m->holds);
        tx_done(tx, true, NULL);
    } else {
        apply_outcome(tx, &target, m);
        tx_done(tx, true, NULL);
    }
}

/* ---- points that come back ---- */

static bool
wake(tx_t *tx, target_t *target)
{
    package_t package;
    bool exhausted = target->state == TARGET_FAILED && target->attempts >= target->of;
    if (exhausted && package_by_row(tx, target->package, &package)) {
        target_want(tx, target, &package);
        target_save(tx, target, STATUS_TARGET_PENDING);
    } else if (!state_is_final(target->state) && !target->taken && !target->paused &&
               !target->held) {
        target_due_now(tx, target);
        target_save(tx, target, STATUS_NONE);
    }
    return exhausted;
}

bool
point_welcome(tx_t *tx, const point_t *point)
{
    target_t target = {.row = 0};
    bool woken = false;
    point_set_absent(tx, point->row, OK, NULL);
    while (tx->err == OK && target_next_of_point(tx, point->row, target.row, &target)) {
        woken = wake(tx, &target) || woken;
    }
    return woken;
}

void
handle_point_returned(tx_t *tx, const point_returned_t *m)
{
    point_t point;
    if (!point_by_name(tx, record_slice(m, m->dp), &point) ||
        memcmp(&point.incarnation, &m->dp_incarnation, sizeof point.incarnation) != 0) {
        refuse_superseded(tx, "welcome a distribution point");
        return;
    }
    (void) point_welcome(tx, &point);
    tx_done(tx, true, NULL);
}

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
