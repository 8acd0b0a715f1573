/* scrub.c - what is placed is read again over time: where each point stands, and what was found.
 *
 * A point is read target by target, in portions; where the last one ended is a row, so that a
 * restart goes on there. What is placed anew meanwhile was read when it was placed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/database/handlers.h"
#include "actors/database/rows.h"

#define NS_PER_MS INT64_C(1000000)

typedef struct reading {
    int64_t began, whole; /* wall ns; 0: never */
    uint64_t target;    /* the last one that was read, or is being read; 0: none of this reading */
    digest_t root;      /* of it, as far as it was read */
    uint32_t path_size; /* 0: it was read to its end */
    char path[PATH_BYTES_MAX];
    bool failed; /* something could not be read: it is no whole reading */
} reading_t;

/* ---- how fast ---- */

static uint64_t
scrub_rate(tx_t *tx)
{
    char text[24] = "";
    cursor_t row = OPEN(tx, SQL_SETTING_GET, v_text(slice_of("scrub")));
    bool kept = cursor_next(&row) && slice_copy(cursor_bytes(&row, 0), text, sizeof text);
    cursor_close(&row);
    return kept ? strtoull(text, NULL, 10) : SCRUB_RATE_DEFAULT;
}

bool
site_set_scrub(tx_t *tx, uint64_t rate)
{
    char text[24];
    event_draft_t event;
    if (scrub_rate(tx) == rate) {
        return false;
    }
    snprintf(text, sizeof text, "%llu", (unsigned long long) rate);
    RUN(tx, SQL_SETTING_SET, v_text(slice_of("scrub")), v_text(slice_of(text)));
    event_begin(&event, "distribution_manager", STATUS_SCRUB_CHANGED);
    if (rate == 0) {
        event_text(&event, "nothing is read again from now on");
    } else {
        event_text(&event, "%llu bytes a second are read again at each point",
                   (unsigned long long) rate);
    }
    event_attr_number(&event, "rate", rate);
    event_write(tx, &event);
    return true;
}

/* ---- rows ---- */

static void
reading_of(tx_t *tx, int64_t point, reading_t *ret)
{
    *ret = (reading_t){.began = 0};
    cursor_t row = OPEN(tx, SQL_SCRUB_GET, v_int(point));
    if (cursor_next(&row)) {
        ret->began = cursor_int(&row, 0);
        ret->target = cursor_u64(&row, 1);
        cursor_copy(&row, 2, ret->root.byte, sizeof ret->root.byte);
        slice_t path = cursor_bytes(&row, 3);
        ret->path_size = path.size <= sizeof ret->path ? (uint32_t) path.size : 0;
        memcpy(ret->path, path.size > 0 ? path.data : "", ret->path_size);
        ret->failed = cursor_int(&row, 4) != 0;
        ret->whole = cursor_int(&row, 5);
        cursor_close(&row);
    }
}

static void
reading_save(tx_t *tx, int64_t point, const reading_t *reading)
{
    RUN(tx, SQL_SCRUB_SET, v_int(point), v_int(reading->began), v_u64(reading->target),
        v_digest(&reading->root),
        reading->path_size > 0 ? v_bytes(reading->path, reading->path_size) : v_null(),
        v_int(reading->failed), v_int(reading->whole));
}

int64_t
point_scrubbed(tx_t *tx, int64_t point)
{
    return NUMBER(tx, SQL_SCRUB_WHOLE, 0, v_int(point));
}

/* What clients read, and what they will read when its group switches: that is mended before. */
static bool
is_read_again(const target_t *target)
{
    return target->state == TARGET_INSTALLED ||
           (target->state == TARGET_PROMISED && target->turn == TURN_STAGES);
}

static bool
next_placed(tx_t *tx, int64_t point, uint64_t after, target_t *ret)
{
    ret->row = (int64_t) after;
    while (tx->err == OK && target_next_of_point(tx, point, ret->row, ret)) {
        if (is_read_again(ret)) {
            return true;
        }
    }
    return false;
}

/* The target in the midst of which the last portion ended, if that is still what is there. */
static bool
goes_on_in(tx_t *tx, const reading_t *reading, target_t *ret)
{
    return reading->path_size > 0 && target_by_row(tx, reading->target, ret) &&
           is_read_again(ret) && memcmp(&ret->root, &reading->root, sizeof ret->root) == 0;
}

static void
end_reading(tx_t *tx, int64_t point, reading_t *reading)
{
    reading->whole = reading->failed ? reading->whole : tx->now_ns;
    reading->target = 0;
    reading->path_size = 0;
    reading->failed = false;
    reading_save(tx, point, reading);
}

/* ---- what is next ---- */

static bool
rests(const tx_t *tx, const reading_t *reading, uint64_t rest_ms)
{
    return reading->target == 0 && reading->began != 0 && reading->began <= tx->now_ns &&
           tx->now_ns - reading->began < (int64_t) rest_ms * NS_PER_MS;
}

/* Whether something is to be read at the point; the path in the reading is where to go on. */
static bool
next_of_point(tx_t *tx, int64_t point, uint64_t rest_ms, reading_t *reading, target_t *ret)
{
    reading_of(tx, point, reading);
    if (rests(tx, reading, rest_ms)) {
        return false;
    }
    if (goes_on_in(tx, reading, ret)) {
        return true;
    }
    reading->path_size = 0;
    if (next_placed(tx, point, reading->target, ret)) {
        return true;
    }
    if (reading->target != 0) { /* what was left of it has gone */
        end_reading(tx, point, reading);
    }
    return false;
}

static void
fill(tx_t *tx, const target_t *t, const reading_t *reading, scrub_row_t *ret)
{
    ret->target = (uint64_t) t->row;
    ret->revision = t->revision;
    ret->package = tx_text(tx, slice_of(t->package_id));
    ret->package_incarnation = t->package_incarnation;
    ret->epoch = t->wanted;
    ret->root = t->root;
    ret->dp = tx_text(tx, slice_of(t->dp));
    ret->dp_incarnation = t->dp_incarnation;
    ret->dp_root = tx_text(tx, SLICE_OF(t, dp_root));
    ret->from = tx_text(tx, (slice_t){reading->path, reading->path_size});
    ret->staged = t->state == TARGET_PROMISED;
}

void
handle_scrub_next(tx_t *tx, const scrub_next_t *m)
{
    point_t point = {.row = 0};
    target_t target;
    reading_t reading;
    uint32_t limit = m->limit < SCRUB_POINTS_MAX ? m->limit : SCRUB_POINTS_MAX, count = 0;
    scrub_due_t *due = ANSWER(tx, scrub_due);
    due->rate = scrub_rate(tx);
    store_reading_fill(tx, m->rest_ms, due);
    rows_t rows = draft_rows(&tx->answer, limit, sizeof(scrub_row_t));
    slice_t after = record_slice(m, m->after);
    bool more = false;
    for (uint32_t looks = 0; due->rate > 0 && looks < SCRUB_LOOKS_MAX && count < limit &&
                             (more = point_next(tx, after, &point));
         looks++) {
        after = slice_of(point.name);
        if (point.absent_since == 0 && !point.paused && !point.removing &&
            next_of_point(tx, point.row, m->rest_ms, &reading, &target)) {
            scrub_row_t *row = draft_row(&tx->answer, rows, count++, sizeof *row);
            if (row != NULL) {
                fill(tx, &target, &reading, row);
            }
        }
    }
    due->last = more ? tx_text(tx, slice_of(point.name)) : (text_t){0, 0};
    due->targets = (rows_t){.at = count == 0 ? 0 : rows.at, .count = count};
}

/* ---- what was found ---- */

static void
note_unread(tx_t *tx, const target_t *target, const scrubbed_t *m)
{
    event_draft_t event;
    slice_t text = record_slice(m, m->text);
    event_begin(&event, "distribution_manager", STATUS_POINT_UNREAD);
    event.package = slice_of(target->package_id);
    event.dp = slice_of(target->dp);
    event_text(&event, "%s on %s could not be read again: %.*s", target->package_id, target->dp,
               (int) (text.size < 512 ? text.size : 512), text.size > 0 ? text.data : "");
    event_write(tx, &event);
}

static void
note_drift(tx_t *tx, target_t *target, const verify_row_t *found)
{
    char text[200];
    snprintf(text, sizeof text,
             "read again, it had drifted: %llu paths are missing, %llu changed, %llu extra",
             (unsigned long long) found->missing_count, (unsigned long long) found->changed_count,
             (unsigned long long) found->extra_count);
    target_note_damage(tx, target, slice_of(text));
}

/* An agent keeps objects of its own, of which some of this version are damaged, or were set aside:
 * it is placed again, for which they are fetched. */
static bool
is_kept_damage(const target_t *target, const scrubbed_t *m)
{
    return m->err == ERR_DIGEST && point_is_agent(SLICE_OF(target, dp_root));
}

/* What was found at it, and where its reading stands then. */
static void
take_portion(tx_t *tx, target_t *target, const scrubbed_t *m, reading_t *reading)
{
    slice_t path = record_slice(m, m->scrub_next);
    const verify_row_t *found =
        m->err == OK && m->verify.count == 1 ? ROW(m, m->verify, 0, verify_row_t) : NULL;
    bool drifted = found != NULL && !found->ok && found->cause.count == 0;
    if (reading->target == 0) {
        reading->began = tx->now_ns;
        reading->failed = false;
    }
    reading->target = m->target;
    reading->root = target->root;
    reading->path_size =
        found != NULL && !drifted && path.size <= sizeof reading->path ? (uint32_t) path.size : 0;
    memcpy(reading->path, reading->path_size > 0 ? path.data : "", reading->path_size);
    if (is_kept_damage(target, m)) {
        *reading = (reading_t){.whole = reading->whole,
                               .failed = true}; /* others of it may lack the same */
        target_note_kept_damage(tx, target, record_slice(m, m->text));
    } else if (found == NULL) {
        reading->failed = true;
        note_unread(tx, target, m);
    } else if (drifted) {
        note_drift(tx, target, found);
    }
}

/* Of work that took the target's place nothing is kept: what it places it reads by itself. */
void
handle_scrubbed(tx_t *tx, const scrubbed_t *m)
{
    target_t target, next;
    reading_t reading;
    if (!target_by_row(tx, m->target, &target) || target.revision != m->revision ||
        !is_read_again(&target)) {
        tx_refuse(tx, ERR_SUPERSEDED, NULL, "cannot note a reading: %s",
                  err_sentence(ERR_SUPERSEDED));
        return;
    }
    reading_of(tx, target.point, &reading);
    take_portion(tx, &target, m, &reading);
    if (reading.path_size == 0 && !next_placed(tx, target.point, reading.target, &next)) {
        end_reading(tx, target.point, &reading);
    } else {
        reading_save(tx, target.point, &reading);
    }
    tx_done(tx, true, NULL);
}
