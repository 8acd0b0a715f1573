/* target_rows.c - targets as structs; see rows.h. */
#include <stdio.h>
#include <string.h>

#include "actors/database/rows.h"

static void
read_own(const cursor_t *row, target_t *ret)
{
    ret->row = cursor_int(row, 0);
    ret->package = cursor_int(row, 1);
    ret->point = cursor_int(row, 2);
    ret->state = cursor_u32(row, 3);
    ret->wanted = cursor_u64(row, 4);
    ret->have = cursor_u64(row, 5);
    cursor_copy(row, 6, ret->have_root.byte, sizeof ret->have_root.byte);
    ret->attempts = cursor_u32(row, 7);
    ret->of = cursor_u32(row, 8);
    ret->integrity = cursor_u32(row, 9);
    ret->due = cursor_int(row, 10);
    ret->since = cursor_int(row, 11);
    ret->look = cursor_int(row, 12);
    slice_t cause = cursor_bytes(row, 13);
    ret->cause = cause.size == 0 ? OK : err_of_word(cause.data, cause.size);
    ret->cause_text_size = cursor_text(row, 14, ret->cause_text, sizeof ret->cause_text);
    ret->need = cursor_count(row, 15);
    ret->space = cursor_count(row, 16);
    ret->revision = cursor_u64(row, 17);
    ret->taken = cursor_int(row, 18) != 0;
    ret->slot = cursor_u32(row, 19);
}

static void
read_joined(const cursor_t *row, target_t *ret)
{
    cursor_name(row, 20, ret->package_id);
    cursor_copy(row, 21, ret->package_incarnation.byte, sizeof(id128_t));
    cursor_name(row, 22, ret->dp);
    cursor_copy(row, 23, ret->dp_incarnation.byte, sizeof(id128_t));
    ret->dp_root_size = cursor_text(row, 24, ret->dp_root, sizeof ret->dp_root);
    ret->paused = cursor_int(row, 25) != 0;
    cursor_copy(row, 26, ret->root.byte, sizeof ret->root.byte);
    ret->label_size = cursor_text(row, 27, ret->label, sizeof ret->label);
    ret->bytes = cursor_u64(row, 28);
    ret->have_label_size = cursor_text(row, 29, ret->have_label, sizeof ret->have_label);
    ret->absent_since = cursor_int(row, 30);
    ret->seed_size = cursor_text(row, 32, ret->seed, sizeof ret->seed);
    ret->priority = cursor_u32(row, 31) < PRIORITY_COUNT ? cursor_u32(row, 31) : PRIORITY_MEDIUM;
    ret->ring = cursor_u32(row, 33);
    ret->held = cursor_int(row, 34) != 0;
    ret->told = cursor_int(row, 35);
    ret->windowed = !cursor_is_null(row, 36);
    ret->turn = cursor_u32(row, 37) <= TURN_GOES ? cursor_u32(row, 37) : TURN_STAGES;
    ret->promised = cursor_int(row, 38);
    ret->promised_epoch = cursor_u64(row, 39);
    ret->read_only = cursor_int(row, 40) != 0;
}

void
target_read(const cursor_t *row, target_t *ret)
{
    read_own(row, ret);
    read_joined(row, ret);
    ret->state = ret->state < TARGET_COUNT ? ret->state : TARGET_FAILED;
    ret->sent = RECORD_NONE;
    ret->old_state = ret->state;
    ret->old_attempts = ret->attempts;
    ret->old_cause = ret->cause;
}

static bool
read_one(cursor_t row, target_t *ret)
{
    return CURSOR_ONE(row, target_read, ret);
}

bool
target_by_row(tx_t *tx, uint64_t row, target_t *ret)
{
    return row <= INT64_MAX && read_one(OPEN(tx, SQL_TARGET_BY_ROW, v_u64(row)), ret);
}

bool
target_of(tx_t *tx, int64_t package, int64_t point, target_t *ret)
{
    return read_one(OPEN(tx, SQL_TARGET_OF, v_int(package), v_int(point)), ret);
}

bool
target_next_of_package(tx_t *tx, int64_t package, int64_t after_point, target_t *ret)
{
    return read_one(OPEN(tx, SQL_TARGET_NEXT_OF_PACKAGE, v_int(package), v_int(after_point)), ret);
}

bool
target_next_of_point(tx_t *tx, int64_t point, int64_t after, target_t *ret)
{
    return read_one(OPEN(tx, SQL_TARGET_NEXT_OF_POINT, v_int(point), v_int(after)), ret);
}

bool
target_next_of_ring(tx_t *tx, int64_t package, uint32_t ring, int64_t after, target_t *ret)
{
    return read_one(OPEN(tx, SQL_TARGET_NEXT_OF_RING, v_int(package), v_int(ring), v_int(after)),
                    ret);
}

bool
target_next_of_turn(tx_t *tx, int64_t package, turn_t turn, int64_t after, target_t *ret)
{
    return read_one(OPEN(tx, SQL_TARGET_NEXT_OF_TURN, v_int(package), v_int(turn), v_int(after)),
                    ret);
}

bool
target_next_untidied(tx_t *tx, int64_t after, target_t *ret)
{
    return read_one(OPEN(tx, SQL_TARGET_NEXT_UNTIDIED, v_int(after)), ret);
}

bool
target_next_aside(tx_t *tx, int64_t after, target_t *ret)
{
    return read_one(OPEN(tx, SQL_TARGET_NEXT_ASIDE, v_int(after)), ret);
}

bool
target_next_due(tx_t *tx, int64_t now_ns, target_t *ret)
{
    return read_one(OPEN(tx, SQL_TARGET_DUE, v_int(now_ns)), ret);
}

void
target_new(tx_t *tx, const package_t *package, const point_t *point, target_t *ret)
{
    *ret = (target_t){.package = package->row,
                      .point = point->row,
                      .state = TARGET_PENDING,
                      .of = ATTEMPTS_MAX,
                      .since = tx->now_ns,
                      .need = RECORD_NONE,
                      .space = RECORD_NONE,
                      .sent = RECORD_NONE,
                      .priority = PRIORITY_MEDIUM,
                      .windowed = point_has_windows(tx, point->row),
                      .package_incarnation = package->incarnation,
                      .dp_incarnation = point->incarnation,
                      .dp_root_size = point->root_size,
                      .seed_size = point->seed_size,
                      .paused = point->paused,
                      .read_only = point->read_only,
                      .absent_since = point->absent_since,
                      .old_state = TARGET_PENDING};
    memcpy(ret->package_id, package->id, sizeof ret->package_id);
    memcpy(ret->dp, point->name, sizeof ret->dp);
    memcpy(ret->dp_root, point->root, point->root_size);
    memcpy(ret->seed, point->seed, point->seed_size);
}

/* ---- rules ---- */

bool
state_is_final(uint32_t state)
{
    return state == TARGET_INSTALLED || state == TARGET_FAILED || state == TARGET_CANCELLED ||
           state == TARGET_REMOVED;
}

uint32_t
status_of_state(uint32_t state)
{
    static const uint32_t ids[TARGET_COUNT] = {
        [TARGET_PENDING] = STATUS_TARGET_PENDING,
        [TARGET_INSTALLING] = STATUS_TARGET_INSTALLING,
        [TARGET_INSTALLED] = STATUS_TARGET_INSTALLED,
        [TARGET_RETRYING] = STATUS_TARGET_RETRYING,
        [TARGET_WAITING] = STATUS_TARGET_WAITING,
        [TARGET_FAILED] = STATUS_TARGET_FAILED,
        [TARGET_CANCELLED] = STATUS_TARGET_CANCELLED,
        [TARGET_REMOVING] = STATUS_TARGET_REMOVING,
        [TARGET_REMOVED] = STATUS_TARGET_REMOVED,
        [TARGET_PROMISED] = STATUS_TARGET_PROMISED,
    };
    return ids[state];
}

void
target_set_cause(target_t *target, err_t cause, slice_t text)
{
    target->cause = cause;
    target->cause_text_size = (uint32_t) (text.size < TEXT_BYTES_MAX ? text.size : TEXT_BYTES_MAX);
    if (target->cause_text_size > 0) {
        memcpy(target->cause_text, text.data, target->cause_text_size);
    }
    target->need = RECORD_NONE;
    target->space = RECORD_NONE;
}

void
target_supersede(tx_t *tx, target_t *target)
{
    if (target->taken) {
        tx_stop_work(tx, (uint64_t) target->row, target->revision, target->dp, target->package_id);
    }
    progress_forget(tx->db, (uint64_t) target->row);
    target->taken = false;
    target->slot = 0;
    target->revision++;
}

/* The version that it wants, for its events and answers. */
static void
take_version(target_t *target, const package_t *package)
{
    target->wanted = package->epoch;
    target->root = package->root;
    target->bytes = package->bytes;
    target->label_size = package->label_size;
    memcpy(target->label, package->label, package->label_size);
}

static void
keep_turn(tx_t *tx, const target_t *target)
{
    if (target->row == 0) {
        return;
    }
    RUN(tx, SQL_TARGET_TURN, v_int(target->row), v_int(target->turn), v_some(target->promised),
        v_some((int64_t) target->promised_epoch));
}

void
target_unpromise(tx_t *tx, target_t *target)
{
    if (target->promised != 0) {
        target->promised = 0;
        keep_turn(tx, target);
        target->state = target->state == TARGET_PROMISED ? TARGET_PENDING : target->state;
    }
}

static void
begin_anew(tx_t *tx, target_t *target, uint32_t state)
{
    target_supersede(tx, target);
    target_unpromise(tx, target);
    target->state = state;
    target->attempts = 0;
    target->integrity = 0;
    target->due = tx->now_ns;
    target_set_cause(target, OK, (slice_t){NULL, 0});
}

void
target_want(tx_t *tx, target_t *target, const package_t *package)
{
    take_version(target, package);
    begin_anew(tx, target, TARGET_PENDING);
}

bool
target_follows(const target_t *target)
{
    return target->state != TARGET_REMOVING && target->state != TARGET_REMOVED &&
           target->state != TARGET_CANCELLED;
}

void
target_turn(tx_t *tx, target_t *target, turn_t turn)
{
    if (target->turn != turn) {
        target->turn = turn;
        target->promised = turn == TURN_NONE ? 0 : target->promised;
        keep_turn(tx, target);
    }
}

void
target_promise(tx_t *tx, target_t *target)
{
    target->promised = tx->now_ns;
    target->promised_epoch = target->wanted;
    keep_turn(tx, target);
}

bool
target_is_promised(const target_t *target)
{
    return target->turn != TURN_NONE && target->promised != 0 &&
           target->promised_epoch == target->wanted;
}

void
target_remove(tx_t *tx, target_t *target)
{
    target_turn(tx, target, TURN_NONE);
    begin_anew(tx, target, TARGET_REMOVING);
}

bool
target_prioritize(tx_t *tx, target_t *target, uint32_t priority)
{
    if (priority == PRIORITY_DEFAULT || priority == target->priority) {
        return false;
    }
    target->priority = priority;
    if (target->row != 0) {
        RUN(tx, SQL_TARGET_PRIORITY, v_int(target->row), v_int(priority));
    }
    if (target->taken) {
        target_supersede(tx, target);
        target->state = target->state == TARGET_INSTALLING ? TARGET_PENDING : target->state;
        target_due_now(tx, target);
    }
    return true;
}

void
target_due_now(tx_t *tx, target_t *target)
{
    if (!target->taken && !state_is_final(target->state)) {
        target->due = tx->now_ns;
    }
}

/* A paused point starts no more work, nor does a ring that is not begun: such targets have a cause
 * instead of a due time. */
static void
hold(target_t *target, err_t cause)
{
    if (target->state != TARGET_REMOVING) {
        target->state = TARGET_WAITING;
    }
    target->due = 0;
    target->look = 0;
    target_set_cause(target, cause, (slice_t){NULL, 0});
}

/* What is promised waits for the decision, and for no time of its own. */
static void
hold_promised(target_t *target)
{
    target->state = TARGET_PROMISED;
    target->due = 0;
    target->look = 0;
    target_set_cause(target, OK, (slice_t){NULL, 0});
}

static bool
keeps_promise(const target_t *target)
{
    return target->turn == TURN_STAGES && target_is_promised(target) &&
           target->state != TARGET_REMOVING;
}

/* Due time, and when it is looked at, as its state has them. */
static void
settle(tx_t *tx, target_t *target)
{
    window_now_t window;

    if (state_is_final(target->state)) {
        target->due = 0;
        target->look = 0;
        target->taken = false;
        target->slot = 0;
    } else if (!target->taken && target->cause == ERR_QUARANTINED) { /* waits for a person */
        target->due = 0;
        target->look = 0;
    } else if (!target->taken && target->paused) {
        hold(target, ERR_PAUSED);
    } else if (!target->taken && target->held && target->state != TARGET_REMOVING) {
        hold(target, ERR_RING);
    } else if (!target->taken && keeps_promise(target)) {
        hold_promised(target);
    } else if (!target->taken && target_is_shut(tx, target, &window)) {
        hold(target, ERR_WINDOW);
        target_wait_for_window(tx, target, &window);
    } else if (!target->taken) {
        target->due = target->due == 0 ? tx->now_ns : target->due;
        target->look = target->due;
    }
}

/* ---- writing ---- */

/* A row that was inserted and then changed cost half as much again as one that is whole at once. */
static void
make_row(tx_t *tx, target_t *t, value_t cause)
{
    RUN(tx, SQL_TARGET_ADD, v_int(t->package), v_int(t->point), v_int(t->state), v_u64(t->wanted),
        v_int(t->of), v_some(t->due), v_int(t->since), v_some(t->look), cause,
        v_maybe(SLICE_OF(t, cause_text)), v_u64(t->revision), v_int(t->priority), v_int(t->ring),
        v_int(t->held), v_int(t->turn));
    t->row = sqlite3_last_insert_rowid(tx->db->sql);
}

static void
write_row(tx_t *tx, target_t *t)
{
    value_t cause = t->cause == OK ? v_null() : v_text(slice_of(err_word(t->cause)));
    if (t->row == 0) {
        make_row(tx, t, cause);
        return;
    }
    RUN(tx, SQL_TARGET_SAVE, v_int(t->row), v_int(t->state), v_u64(t->wanted),
        v_some((int64_t) t->have), v_digest(&t->have_root), v_int(t->attempts), v_int(t->integrity),
        v_some(t->due), v_int(t->since), v_some(t->look), cause, v_maybe(SLICE_OF(t, cause_text)),
        v_count(t->need), v_count(t->space), v_u64(t->revision), v_int(t->taken), v_int(t->slot));
}

static void
event_attrs(event_draft_t *event, const target_t *t)
{
    event_attr(event, "state", slice_of(target_state_words.word[t->state]));
    event_attr_number(event, "attempts", t->attempts);
    event_attr_number(event, "of", t->of);
    event_attr_number(event, "wanted", t->wanted);
    event_attr_number(event, "have", t->have);
    if (t->cause != OK) {
        event_attr(event, "cause", slice_of(err_word(t->cause)));
        event_attr(event, "reason", SLICE_OF(t, cause_text));
    }
    if (t->need != RECORD_NONE) {
        event_attr_number(event, "need", t->need);
        event_attr_number(event, "free", t->space);
    }
    if (t->sent != RECORD_NONE) {
        event_attr_number(event, "sent", t->sent);
    }
    if (t->state == TARGET_INSTALLING || (t->state == TARGET_REMOVING && t->slot > 0)) {
        event_attr_number(event, "slot", t->slot);
    }
}

#define CAUSE_SHOWN_BYTES 300

static void
event_of_target(tx_t *tx, const target_t *t, uint32_t id)
{
    event_draft_t event;
    event_begin(&event, "distribution_manager", id);
    event.package = slice_of(t->package_id);
    event.dp = slice_of(t->dp);
    event.epoch = t->wanted;
    event.label = SLICE_OF(t, label);
    event.root = t->root;
    bool caused = t->cause != OK;
    int shown =
        (int) (t->cause_text_size < CAUSE_SHOWN_BYTES ? t->cause_text_size : CAUSE_SHOWN_BYTES);
    event_text(&event, "%s on %s: %s, version %llu '%.*s'%s%s%s%.*s", t->package_id, t->dp,
               target_state_words.word[t->state], (unsigned long long) t->wanted,
               SHOWN(event.label), caused ? "; " : "", caused ? err_sentence(t->cause) : "",
               caused && shown > 0 ? ": " : "", caused ? shown : 0, t->cause_text);
    event_attrs(&event, t);
    event_write(tx, &event);
}

void
target_save(tx_t *tx, target_t *target, uint32_t status_id)
{
    tx_watch_package(tx, target->package);
    settle(tx, target);
    if (target->state != target->old_state) { /* which is always told: the stream is the truth */
        bool silent = status_id == STATUS_NONE || target->state == TARGET_WAITING;
        target->since = tx->now_ns;
        status_id = silent ? status_of_state(target->state) : status_id;
    }
    if (status_id != STATUS_NONE && target->cause == ERR_WINDOW) { /* as it was settled */
        status_id = STATUS_TARGET_WINDOW;
    }
    write_row(tx, target);
    if (!state_is_final(target->state)) {
        tx_is_active(tx, target->package);
    }
    if (status_id != STATUS_NONE) {
        event_of_target(tx, target, status_id);
    }
    tx->targets_changed = true;
}
