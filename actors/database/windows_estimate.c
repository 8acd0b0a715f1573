/* windows_estimate.c - whether what is on its way to a point will be there before its window ends.
 *
 * How fast is what has come so far, or else the last transfer to that point, or the rate that holds
 * for it: whichever is less. What is left is what the work said itself. */
#include "actors/database/handlers.h"
#include "actors/database/rows.h"

#define NS_PER_MS INT64_C(1000000)
#define SECOND_NS INT64_C(1000000000)

typedef struct estimate {
    window_now_t window;
    uint64_t left, rate;
    int64_t ends_ns; /* INT64_MAX: not known */
    bool late;
} estimate_t;

static uint64_t
per_second(uint64_t bytes, int64_t span_ns)
{
    uint64_t ms = (uint64_t) (span_ns / NS_PER_MS);
    return ms == 0 ? 0 : bytes / ms * 1000 + bytes % ms * 1000 / ms;
}

static uint64_t
rate_of(tx_t *tx, const target_t *target, const progress_place_t *place)
{
    point_t point;
    if (place->last_ns - place->first_ns >= (int64_t) ESTIMATE_FIRST_MS * NS_PER_MS) {
        return per_second(place->done - place->first, place->last_ns - place->first_ns);
    }
    if (!point_by_row(tx, target->point, &point)) {
        return 0;
    }
    uint64_t limit = rate_of_point(tx, &point);
    bool slower = limit == 0 || (point.measured > 0 && point.measured < limit);
    return slower ? point.measured : limit;
}

static int64_t
span_of(uint64_t bytes, uint64_t rate)
{
    uint64_t seconds = bytes / rate + (bytes % rate != 0);
    return seconds > INT64_MAX / 4 / SECOND_NS ? INT64_MAX / 4 : (int64_t) seconds * SECOND_NS;
}

/* False: it has no windows, or it is not known how fast it is. */
static bool
estimate(tx_t *tx, const target_t *target, estimate_t *ret)
{
    const progress_place_t *place = progress_of(tx->db, (uint64_t) target->row);
    if (!target->windowed || target->state != TARGET_INSTALLING) {
        return false;
    }
    ret->window = window_at(tx, target->point, tx->now_ns);
    ret->ends_ns = INT64_MAX;
    ret->late = false;
    if (place == NULL || place->done > place->total || !ret->window.open) {
        return ret->window.open;
    }
    ret->left = place->total - place->done;
    ret->rate = rate_of(tx, target, place);
    if (ret->rate > 0) {
        ret->ends_ns = window_after(tx, target->point, tx->now_ns, span_of(ret->left, ret->rate));
        ret->late = ret->ends_ns > ret->window.until_ns;
    }
    return true;
}

void
view_estimate(tx_t *tx, const target_t *target, target_status_t *ret)
{
    estimate_t found;
    if (estimate(tx, target, &found)) {
        ret->closes = found.window.until_ns == INT64_MAX ? 0 : found.window.until_ns;
        ret->ends = found.ends_ns == INT64_MAX ? 0 : found.ends_ns;
        ret->late = found.late;
    }
}

static void
tell(tx_t *tx, const target_t *target, const estimate_t *found)
{
    char closes[112], ends[112] = "in none of the next windows";
    event_draft_t event;
    window_text_of(tx, &found->window, found->window.until_ns, closes, sizeof closes);
    if (found->ends_ns != INT64_MAX) {
        window_text_of(tx, &found->window, found->ends_ns, ends, sizeof ends);
    }
    event_begin(&event, "distribution_manager", STATUS_WINDOW_SHORT);
    event.package = slice_of(target->package_id);
    event.dp = slice_of(target->dp);
    event.epoch = target->wanted;
    event.label = SLICE_OF(target, label);
    event.root = target->root;
    event_text(&event,
               "%s on %s will not be finished when its window closes at %s: %llu bytes are left, "
               "at %llu a second; it would end %s%s",
               target->package_id, target->dp, closes, (unsigned long long) found->left,
               (unsigned long long) found->rate, found->ends_ns != INT64_MAX ? "at " : "", ends);
    event_attr_number(&event, "left", found->left);
    event_attr_number(&event, "rate", found->rate);
    event_write(tx, &event);
}

void
estimate_tell(tx_t *tx, uint64_t row)
{
    progress_place_t *place = progress_of(tx->db, row);
    target_t target;
    estimate_t found;
    if (place == NULL ||
        place->last_ns - place->judged_ns < (int64_t) ESTIMATE_FIRST_MS * NS_PER_MS) {
        return;
    }
    place->judged_ns = place->last_ns;
    if (!target_by_row(tx, row, &target) || !estimate(tx, &target, &found) || !found.late ||
        target.told == found.window.until_ns) {
        return;
    }
    RUN(tx, SQL_TARGET_TOLD, v_int(target.row), v_int(found.window.until_ns));
    tell(tx, &target, &found);
}

/* By a clock that does not jump. */
void
estimate_measure(tx_t *tx, const target_t *target)
{
    const progress_place_t *place = progress_of(tx->db, (uint64_t) target->row);
    if (place == NULL || target->state != TARGET_INSTALLING) {
        return;
    }
    uint64_t bytes = place->done - place->first;
    int64_t span_ns = place->last_ns - place->first_ns;
    if (bytes >= MEASURED_BYTES_MIN && span_ns >= SECOND_NS) {
        RUN(tx, SQL_POINT_MEASURED, v_int(target->point), v_u64(per_second(bytes, span_ns)));
    }
}

rows_t
window_rows(tx_t *tx, int64_t point)
{
    int64_t at_ns = tx->now_ns;
    uint32_t count = 0;
    rows_t rows = draft_rows(&tx->answer, WINDOWS_AHEAD_MAX, sizeof(window_row_t));
    while (count < WINDOWS_AHEAD_MAX && at_ns != INT64_MAX && tx->err == OK) {
        window_now_t now = window_at(tx, point, at_ns);
        if (now.lost) {
            break;
        }
        window_row_t *row = now.open ? draft_row(&tx->answer, rows, count, sizeof *row) : NULL;
        if (row != NULL) {
            row->opens = at_ns;
            row->closes = now.until_ns == INT64_MAX ? 0 : now.until_ns;
        }
        count += now.open;
        at_ns = now.until_ns;
    }
    return (rows_t){.at = count == 0 ? 0 : rows.at, .count = count};
}
