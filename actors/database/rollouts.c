/* rollouts.c - rings; see rollouts.h. */
#include "actors/database/rollouts.h"

#include <stdio.h>
#include <string.h>

#include "actors/database/handlers.h"

#define NS_PER_MS   INT64_C(1000000)
#define DAY_NS      INT64_C(86400000000000)
#define TOLD_MAX    16u     /* rollouts that are told of in one look */
#define COUNTED_MAX 100000u /* targets that are counted for an answer */

typedef struct rollout {
    int64_t package;
    char rings[RINGS_MAX * 4 + 1];
    uint32_t ring, of, state, stop_at, forgiven;
    int64_t since;
    uint32_t why_size;
    char why[256];
} rollout_t;

/* ---- rows ---- */

static bool
rollout_read(cursor_t row, rollout_t *ret)
{
    if (!cursor_next(&row)) {
        return false;
    }
    ret->package = cursor_int(&row, 0);
    ret->rings[cursor_text(&row, 1, ret->rings, sizeof ret->rings - 1)] = '\0';
    ret->ring = cursor_u32(&row, 2);
    ret->of = cursor_u32(&row, 3);
    ret->state = cursor_u32(&row, 4) < ROLLOUT_COUNT ? cursor_u32(&row, 4) : ROLLOUT_STOPPED;
    ret->stop_at = cursor_u32(&row, 5);
    ret->forgiven = cursor_u32(&row, 6);
    ret->since = cursor_int(&row, 7);
    ret->why_size = cursor_text(&row, 8, ret->why, sizeof ret->why);
    cursor_close(&row);
    return true;
}

static bool
rollout_of(tx_t *tx, int64_t package, rollout_t *ret)
{
    return rollout_read(OPEN(tx, SQL_ROLLOUT_OF, v_int(package)), ret);
}

static void
save(tx_t *tx, const rollout_t *r)
{
    bool runs = r->state == ROLLOUT_RUNS;
    RUN(tx, SQL_ROLLOUT_SAVE, v_int(r->package), v_text(slice_of(r->rings)), v_int(r->ring),
        v_int(r->of), v_int(r->state), v_int(r->stop_at), v_int(r->forgiven), v_int(r->since),
        v_maybe(SLICE_OF(r, why)),
        runs ? v_int(tx->now_ns + (int64_t) RING_WAITS_MS * NS_PER_MS) : v_null());
}

static void
set_why(rollout_t *r, const char *why)
{
    size_t size = strlen(why);
    r->why_size = (uint32_t) (size < sizeof r->why ? size : sizeof r->why);
    memcpy(r->why, why, r->why_size);
}

bool
rollout_is(tx_t *tx, int64_t package)
{
    rollout_t r;
    return rollout_of(tx, package, &r);
}

bool
rollout_is_open(tx_t *tx, int64_t package)
{
    rollout_t r;
    return rollout_of(tx, package, &r) && (r.state == ROLLOUT_RUNS || r.state == ROLLOUT_STOPPED);
}

/* ---- figures: an index answers each, and walks no further than the limit ---- */

static uint32_t
failures_of(tx_t *tx, const rollout_t *r, uint32_t limit)
{
    uint32_t count = 0;
    for (uint32_t ring = 1; ring <= r->ring && count < limit; ring++) {
        value_t package = v_int(r->package), rest = v_int(limit);
        count += (uint32_t) NUMBER(tx, SQL_RING_FAILED, 0, package, v_int(ring), rest);
        count +=
            (uint32_t) NUMBER(tx, SQL_RING_TRIED, 0, package, v_int(ring), v_int(RING_TRIES), rest);
    }
    return count < limit ? count : limit;
}

static uint32_t
failures_that_count(tx_t *tx, const rollout_t *r)
{
    uint32_t count = failures_of(tx, r, r->forgiven + r->stop_at);
    return count > r->forgiven ? count - r->forgiven : 0;
}

static uint64_t
waits_for(tx_t *tx, const rollout_t *r, uint32_t limit)
{
    return (uint64_t) NUMBER(tx, SQL_RING_UNDONE, 0, v_int(r->package), v_int(r->ring),
                             v_int(RING_TRIES), v_int(limit));
}

/* ---- telling ---- */

static void
tell(tx_t *tx, const rollout_t *r, uint32_t id, const char *what)
{
    package_t package;
    event_draft_t event;
    if (!package_by_row(tx, r->package, &package)) {
        return;
    }
    event_of_package(&event, &package, id);
    event_text(&event, "package %s, ring %u of %u: %s", package.id, r->ring, r->of, what);
    event_attr_number(&event, "ring", r->ring);
    event_attr_number(&event, "of", r->of);
    event_attr(&event, "rollout", slice_of(rollout_state_words.word[r->state]));
    event_write(tx, &event);
}

static void
tell_waits(tx_t *tx, const rollout_t *r)
{
    char text[320], dp[NAME_BYTES_MAX + 1] = "";
    uint32_t state = TARGET_PENDING;
    uint64_t count = waits_for(tx, r, COUNTED_MAX);
    cursor_t row =
        OPEN(tx, SQL_RING_FIRST_UNDONE, v_int(r->package), v_int(r->ring), v_int(RING_TRIES));
    bool absent = false, there = cursor_next(&row);
    if (there) {
        cursor_name(&row, 0, dp);
        state = cursor_u32(&row, 1) < TARGET_COUNT ? cursor_u32(&row, 1) : TARGET_PENDING;
        absent = !cursor_is_null(&row, 2);
    }
    cursor_close(&row);
    if (there) {
        snprintf(
            text, sizeof text,
            "it waits for %llu points; one is %s, %s%s; despool cancel ID --dp NAME lets it go "
            "on without one",
            (unsigned long long) count, dp, target_state_words.word[state],
            absent ? " and absent" : "");
        tell(tx, r, STATUS_RING_WAITS, text);
    }
}

/* A time that a jump of the clock left in the future is none to wait for. */
void
rollouts_tell(tx_t *tx)
{
    rollout_t r;
    value_t now = v_int(tx->now_ns), latest = v_int(tx->now_ns + DAY_NS);
    for (uint32_t i = 0;
         i < TOLD_MAX && tx->err == OK && rollout_read(OPEN(tx, SQL_ROLLOUT_LATE, now, latest), &r);
         i++) {
        tell_waits(tx, &r);
        RUN(tx, SQL_ROLLOUT_LOOK, v_int(r.package), latest);
    }
}

/* ---- a target and its ring ---- */

static void
let_go(tx_t *tx, target_t *target)
{
    if (target->cause == ERR_RING) {
        target->state = target->state == TARGET_WAITING ? TARGET_PENDING : target->state;
        target_set_cause(target, OK, (slice_t){NULL, 0});
        target_due_now(tx, target);
    }
}

bool
rollout_place(tx_t *tx, target_t *target, uint32_t ring, bool held)
{
    if (target->ring == ring && target->held == held) {
        return false;
    }
    if (target->row != 0) {
        RUN(tx, SQL_TARGET_RING, v_int(target->row), v_int(ring), v_int(held));
    }
    target->ring = ring;
    target->held = held;
    if (held && !state_is_final(target->state) && target->state != TARGET_REMOVING) {
        target_supersede(tx, target);
        target->state = TARGET_WAITING;
    } else if (!held) {
        let_go(tx, target);
    }
    return true;
}

/* The targets of a ring that are held begin; or those of it that have not begun are held. */
static void
hold_ring(tx_t *tx, int64_t package, uint32_t ring, bool held)
{
    target_t target = {.row = 0};
    while (tx->err == OK && target_next_of_ring(tx, package, ring, target.row, &target)) {
        bool changes = held ? target.state == TARGET_PENDING : target.held;
        if (changes && rollout_place(tx, &target, ring, held)) {
            target_save(tx, &target, status_of_state(target.state));
        }
    }
}

/* ---- how the points are spread ---- */

static bool
percent_of(slice_t text, uint32_t *ret)
{
    uint32_t percent = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || percent > 100) {
            return false;
        }
        percent = percent * 10 + (uint32_t) (text.data[i] - '0');
    }
    *ret = percent;
    return text.size > 0 && percent >= 1 && percent <= 100;
}

bool
spread_read(tx_t *tx, const char *verb, const void *record, texts_t rings, spread_t *ret)
{
    size_t used = 0;
    *ret = (spread_t){.count = rings.count < RINGS_MAX ? rings.count : RINGS_MAX};
    uint32_t before = 0;
    for (uint32_t i = 0; i < ret->count; i++) {
        slice_t text = record_slice(record, *ROW(record, rings, i, text_t));
        uint32_t *percent = &ret->percent[i];
        if (!percent_of(text, percent) || *percent <= before ||
            (i + 1 == ret->count && *percent != 100)) {
            tx_refuse(tx, ERR_BAD_VALUE, "percents of the points, rising to 100: --rings 1,10,100",
                      "cannot %s to a ring of '%.*s': rings are whole percents, each above the one "
                      "before, the last is 100",
                      verb, SHOWN(text));
            return false;
        }
        before = *percent;
        used += (size_t) snprintf(ret->text + used, sizeof ret->text - used, "%s%u",
                                  i == 0 ? "" : ",", *percent);
    }
    return true;
}

uint32_t
spread_ring(const spread_t *spread, uint32_t place, uint32_t points)
{
    for (uint32_t i = 0; i < spread->count; i++) {
        uint64_t in = ((uint64_t) points * spread->percent[i] + 99) / 100;
        if (place < in) {
            return i + 1;
        }
    }
    return spread->count;
}

static void
move_to(point_list_t *points, uint32_t place, int64_t row)
{
    for (uint32_t i = place; i < points->count; i++) {
        if (points->row[i] == row) {
            memmove(points->row + place + 1, points->row + place, (i - place) * sizeof row);
            points->row[place] = row;
            return;
        }
    }
}

void
spread_order(tx_t *tx, const void *record, texts_t to, point_list_t *points)
{
    uint32_t place = 0;
    for (uint32_t i = 0; i < to.count; i++) {
        point_t point;
        slice_t name = record_slice(record, *ROW(record, to, i, text_t));
        if (name.size > 0 && name.data[0] != '@' && point_by_name(tx, name, &point)) {
            move_to(points, place, point.row);
            place += place < points->count && points->row[place] == point.row;
        }
    }
}

/* ---- begin, go on, end ---- */

bool
rollout_begin(tx_t *tx, const package_t *package, const spread_t *spread, uint32_t stop_at)
{
    rollout_t r;
    bool known = rollout_of(tx, package->row, &r);
    if (known && (r.state == ROLLOUT_RUNS || r.state == ROLLOUT_STOPPED)) {
        tx_refuse(tx, ERR_BUSY, "despool status ID shows it; despool cancel ID ends it",
                  "cannot distribute '%s' in rings: its rollout is in ring %u of %u", package->id,
                  r.ring, r.of);
        return false;
    }
    RUN(tx, SQL_RINGS_CLEAR, v_int(package->row));
    r = (rollout_t){.package = package->row,
                    .ring = 1,
                    .of = spread->count,
                    .stop_at = stop_at == 0 ? 1 : stop_at,
                    .since = tx->now_ns};
    memcpy(r.rings, spread->text, sizeof r.rings);
    tx_watch_package(tx, package->row);
    save(tx, &r);
    tell(tx, &r, STATUS_RING_BEGUN, "it begins");
    return true;
}

void
rollout_anew(tx_t *tx, const package_t *package, bool at_once)
{
    rollout_t r;
    if (!rollout_of(tx, package->row, &r)) {
        return;
    }
    r.ring = at_once ? r.of : 1;
    r.state = at_once ? ROLLOUT_DONE : ROLLOUT_RUNS;
    r.forgiven = 0;
    r.why_size = 0;
    r.since = tx->now_ns;
    RUN(tx, SQL_RINGS_HOLD, v_int(package->row), v_int(r.ring));
    save(tx, &r);
    tell(tx, &r, at_once ? STATUS_ROLLOUT_ENDED : STATUS_RING_BEGUN,
         at_once ? "a version that was there before goes to all points at once" : "it begins");
}

void
rollout_cancelled(tx_t *tx, const package_t *package)
{
    rollout_t r;
    if (rollout_of(tx, package->row, &r) &&
        (r.state == ROLLOUT_RUNS || r.state == ROLLOUT_STOPPED)) {
        r.state = ROLLOUT_CANCELLED;
        r.why_size = 0;
        r.since = tx->now_ns;
        save(tx, &r);
        RUN(tx, SQL_RINGS_HOLD, v_int(package->row), v_int(r.of));
        tell(tx, &r, STATUS_ROLLOUT_ENDED, "the rest was cancelled");
    }
}

static void
stop(tx_t *tx, rollout_t *r, const char *why)
{
    r->state = ROLLOUT_STOPPED;
    r->since = tx->now_ns;
    set_why(r, why);
    save(tx, r);
    tell(tx, r, STATUS_ROLLOUT_STOPPED, why);
    hold_ring(tx, r->package, r->ring, true);
}

static void
go_on(tx_t *tx, rollout_t *r)
{
    r->since = tx->now_ns;
    if (r->ring == r->of) {
        r->state = ROLLOUT_DONE;
        save(tx, r);
        tell(tx, r, STATUS_ROLLOUT_ENDED, "all rings are done");
        return;
    }
    r->ring++;
    save(tx, r);
    tell(tx, r, STATUS_RING_BEGUN, "it begins");
    hold_ring(tx, r->package, r->ring, false);
}

/* A ring may be empty, or be done already: each is one step. */
void
rollout_advance(tx_t *tx, int64_t package)
{
    rollout_t r;
    char why[128];
    if (!rollout_of(tx, package, &r)) {
        return;
    }
    while (tx->err == OK && r.state == ROLLOUT_RUNS) {
        uint32_t failures = failures_that_count(tx, &r);
        if (failures >= r.stop_at) {
            snprintf(why, sizeof why, "%u of its points failed, and the rest is stopped", failures);
            stop(tx, &r, why);
        } else if (waits_for(tx, &r, 1) > 0) {
            return;
        } else {
            go_on(tx, &r);
        }
    }
}

/* ---- commands ---- */

static bool
rollout_need(tx_t *tx, const char *verb, slice_t id, package_t *package, rollout_t *ret)
{
    if (!package_need(tx, verb, id, package)) {
        return false;
    }
    if (!rollout_of(tx, package->row, ret)) {
        tx_refuse(tx, ERR_NOT_FOUND, "despool distribute ID --to ... --rings 1,10,100 begins one",
                  "cannot %s '%s': it has no rollout", verb, package->id);
    }
    return tx_ok(tx);
}

void
handle_rollout_pause(tx_t *tx, const rollout_pause_t *m)
{
    package_t package;
    rollout_t r;
    if (!rollout_need(tx, "pause the rollout of", record_slice(m, m->id), &package, &r)) {
        return;
    }
    bool changed = r.state == ROLLOUT_RUNS;
    if (changed) {
        tx_watch_package(tx, r.package);
        stop(tx, &r, "an operator stopped it");
    }
    tx_done(tx, changed, NULL);
}

/* What has failed until now was seen, and counts no more. */
void
handle_rollout_resume(tx_t *tx, const rollout_resume_t *m)
{
    package_t package;
    rollout_t r;
    if (!rollout_need(tx, "resume the rollout of", record_slice(m, m->id), &package, &r)) {
        return;
    }
    bool changed = r.state == ROLLOUT_STOPPED;
    if (changed) {
        tx_watch_package(tx, r.package);
        r.forgiven = failures_of(tx, &r, COUNTED_MAX);
        r.state = ROLLOUT_RUNS;
        r.since = tx->now_ns;
        r.why_size = 0;
        save(tx, &r);
        tell(tx, &r, STATUS_ROLLOUT_RESUMED, "it goes on");
        hold_ring(tx, r.package, r.ring, false);
    }
    tx_done(tx, changed, NULL);
}

/* ---- what an operator sees ---- */

rows_t
view_rollout(tx_t *tx, int64_t package)
{
    rollout_t r;
    if (!rollout_of(tx, package, &r)) {
        return (rows_t){0, 0};
    }
    rollout_row_t row = {.rings = tx_text(tx, slice_of(r.rings)),
                         .ring = r.ring,
                         .of = r.of,
                         .state = r.state,
                         .since = r.since,
                         .stop_at = r.stop_at,
                         .failures = failures_that_count(tx, &r),
                         .waits_for = r.state == ROLLOUT_RUNS || r.state == ROLLOUT_STOPPED
                                          ? waits_for(tx, &r, COUNTED_MAX)
                                          : 0,
                         .why = r.why_size > 0 ? tx_text(tx, SLICE_OF(&r, why)) : (text_t){0, 0}};
    rows_t maybe = draft_rows(&tx->answer, 1, sizeof row);
    rollout_row_t *into = draft_row(&tx->answer, maybe, 0, sizeof row);
    if (into != NULL) {
        *into = row;
    }
    return maybe;
}
