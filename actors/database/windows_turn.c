/* windows_turn.c - windows that open and close: what their points' targets do then.
 *
 * A row of calendar says when it is to be looked at next, and when it was last: a clock that was
 * set back is before that, and what it shows then is worked out anew. */
#include "actors/database/handlers.h"
#include "actors/database/rows.h"

#define TURNS_MAX 256u /* points of one look; the rest follow at once */

static void
go_on(tx_t *tx, target_t *target)
{
    if (target->cause != ERR_WINDOW) {
        return;
    }
    target->state = target->state == TARGET_WAITING ? TARGET_PENDING : target->state;
    target->due = tx->now_ns;
    target_set_cause(target, OK, (slice_t){NULL, 0});
    target_save(tx, target, status_of_state(target->state));
}

/* What an agent is sent the gateway ends, when all that is under way is durable there. A copy into
 * a directory ends at its next write; what is there stays for the next window. */
static void
wait(tx_t *tx, target_t *target)
{
    bool begun = target->taken && target->look != 0;
    bool news = target->cause != ERR_WINDOW;
    if (state_is_final(target->state) || target->state == TARGET_REMOVING ||
        (begun && point_is_agent(SLICE_OF(target, dp_root)))) {
        return;
    }
    if (target->taken) {
        target_supersede(tx, target);
    }
    target_save(tx, target, news ? STATUS_TARGET_WINDOW : STATUS_NONE);
}

static void
note_zone(tx_t *tx, int64_t row, const window_now_t *now)
{
    point_t point;
    event_draft_t event;
    if (!now->lost || NUMBER(tx, SQL_CALENDAR_LOST, 0, v_int(row)) != 0 ||
        !point_by_row(tx, row, &point)) {
        return;
    }
    event_of_point(&event, &point, STATUS_ZONE_LOST);
    event_text(&event, "the windows of %s are closed: their time zone %s cannot be read",
               point.name, now->zone);
    event_attr(&event, "zone", slice_of(now->zone));
    event_write(tx, &event);
}

void
window_turn(tx_t *tx, int64_t point)
{
    target_t target = {.row = 0};
    window_now_t now = window_at(tx, point, tx->now_ns);
    if (now.has) {
        note_zone(tx, point, &now);
        RUN(tx, SQL_CALENDAR_LOOKED, v_int(point), v_int(tx->now_ns), v_int(now.until_ns),
            v_int(now.lost));
    }
    while (tx->err == OK && target_next_of_point(tx, point, target.row, &target)) {
        now.open ? go_on(tx, &target) : wait(tx, &target);
    }
}

void
windows_turn(tx_t *tx)
{
    for (uint32_t i = 0; i < TURNS_MAX && tx->err == OK; i++) {
        int64_t point = NUMBER(tx, SQL_CALENDAR_DUE, 0, v_int(tx->now_ns));
        point = point != 0 ? point : NUMBER(tx, SQL_CALENDAR_AHEAD, 0, v_int(tx->now_ns));
        if (point == 0) {
            return;
        }
        window_turn(tx, point);
    }
}

int64_t
windows_next(tx_t *tx)
{
    return tx_number(tx, SQL_CALENDAR_NEXT, INT64_MAX, NULL, 0);
}
