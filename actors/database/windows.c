/* windows.c - in which hours content may go to a distribution point, and whether it may now.
 *
 * A row of calendar has the windows as they are shown, between line ends, and the name of their
 * time zone. What is open and until when is worked out when it is asked for: a clock that jumps, or
 * a zone whose rules change, needs no repair. */
#include <stdio.h>
#include <string.h>

#include "actors/database/calendar.h"
#include "actors/database/handlers.h"
#include "actors/database/rows.h"

#define NO_WINDOWS "none" /* in the place of windows */
#define SECOND_NS  INT64_C(1000000000)
#define LOST_NS    (60 * SECOND_NS) /* between looks for a zone that cannot be read */
#define ROW_BYTES  (WINDOWS_MAX * WINDOW_TEXT_BYTES)

/* A row of calendar. */
typedef struct windows {
    uint32_t text_size;
    char text[ROW_BYTES];
    char zone[NAME_BYTES_MAX + 1]; /* "": there is no such row */
} windows_t;

static void
read_row(const cursor_t *row, windows_t *ret)
{
    ret->text_size = cursor_text(row, 0, ret->text, sizeof ret->text);
    cursor_name(row, 1, ret->zone);
}

static bool
windows_of(tx_t *tx, int64_t point, windows_t *ret)
{
    cursor_t row = OPEN(tx, SQL_CALENDAR_OF, v_int(point));
    ret->text_size = 0;
    ret->zone[0] = '\0';
    return CURSOR_ONE(row, read_row, ret);
}

/* Cuts the first window off; false: there is none left. */
static bool
next_window(slice_t *text, slice_t *ret_window)
{
    if (text->size == 0) {
        return false;
    }
    const char *end = memchr(text->data, '\n', text->size);
    size_t size = end != NULL ? (size_t) (end - text->data) : text->size;
    size_t passed = end != NULL ? size + 1 : size;
    *ret_window = (slice_t){text->data, size};
    *text = (slice_t){text->data + passed, text->size - passed};
    return true;
}

/* ---- what is open ---- */

static int64_t
floor_s(int64_t wall_ns)
{
    return wall_ns / SECOND_NS - (wall_ns % SECOND_NS < 0);
}

static int64_t
ns_of(int64_t seconds)
{
    return seconds > INT64_MAX / SECOND_NS ? INT64_MAX : seconds * SECOND_NS;
}

static void
read_calendar(const windows_t *windows, calendar_t *ret)
{
    slice_t text = SLICE_OF(windows, text), window;
    ret->count = 0;
    while (next_window(&text, &window)) {
        (void) calendar_add(ret, window); /* it was read when it was set */
    }
    calendar_settle(ret);
}

window_now_t
window_at(tx_t *tx, int64_t point, int64_t wall_ns)
{
    windows_t windows;
    calendar_t calendar;
    window_now_t now = {.open = true, .until_ns = INT64_MAX};
    now.has = windows_of(tx, point, &windows);
    if (!now.has) {
        return now;
    }
    memcpy(now.zone, windows.zone, sizeof now.zone);
    const zone_t *zone = zones_get(tx->db, slice_of(windows.zone));
    if (zone == NULL) {
        now.open = false;
        now.lost = true;
        now.until_ns = wall_ns + LOST_NS;
        return now;
    }
    read_calendar(&windows, &calendar);
    calendar_now_t found = calendar_at(&calendar, zone, floor_s(wall_ns));
    now.open = found.open;
    now.until_ns = ns_of(found.until_s);
    return now;
}

void
window_text_of(tx_t *tx, const window_now_t *now, int64_t wall_ns, char *text, size_t size)
{
    char local[LOCAL_TIME_BYTES] = "?";
    const zone_t *zone = zones_get(tx->db, slice_of(now->zone));
    if (zone != NULL) {
        zone_text(zone, floor_s(wall_ns), local);
    }
    snprintf(text, size, "%s %s", local, now->zone);
}

int64_t
window_after(tx_t *tx, int64_t point, int64_t wall_ns, int64_t open_ns)
{
    windows_t windows;
    calendar_t calendar;
    if (!windows_of(tx, point, &windows)) {
        return wall_ns + open_ns;
    }
    const zone_t *zone = zones_get(tx->db, slice_of(windows.zone));
    if (zone == NULL) {
        return INT64_MAX;
    }
    read_calendar(&windows, &calendar);
    int64_t seconds = open_ns / SECOND_NS + (open_ns % SECOND_NS != 0);
    return ns_of(calendar_after(&calendar, zone, floor_s(wall_ns), seconds));
}

bool
point_has_windows(tx_t *tx, int64_t point)
{
    return NUMBER(tx, SQL_CALENDAR_LOST, -1, v_int(point)) >= 0;
}

/* ---- targets ---- */

/* What is taken away needs no content, and what is staged at its point has it. */
bool
target_is_shut(tx_t *tx, const target_t *target, window_now_t *ret_now)
{
    if (!target->windowed || target->state == TARGET_REMOVING || target_is_promised(target)) {
        return false;
    }
    *ret_now = window_at(tx, target->point, tx->now_ns);
    return !ret_now->open;
}

/* The rules of its zone may not be those any more by which the next look was set. */
void
target_wait_for_window(tx_t *tx, target_t *target, const window_now_t *now)
{
    char text[160], when[112];
    if (now->lost) {
        snprintf(text, sizeof text, "its time zone %s cannot be read", now->zone);
    } else {
        window_text_of(tx, now, now->until_ns, when, sizeof when);
        snprintf(text, sizeof text, "opens at %s", when);
    }
    target->due = now->until_ns;
    RUN(tx, SQL_CALENDAR_SOONER, v_int(target->point), v_int(now->until_ns));
    target_set_cause(target, ERR_WINDOW, slice_of(text));
}

/* ---- setting ---- */

#define WINDOW_HINT                                                                                \
    "write DAYS HH:MM-HH:MM, as mon-fri 22:00-06:00, or sat,sun 00:00-24:00, or 01:30-05:00"
#define ZONE_HINT                                                                                  \
    "give a name of the IANA database with --zone, as Europe/Berlin, or UTC; the package tzdata "  \
    "has them"

/* As they are kept; false: refused. */
static bool
write_windows(tx_t *tx, const point_t *point, const dp_set_t *m, windows_t *windows)
{
    windows->text_size = 0;
    for (uint32_t i = 0; i < m->windows.count && i < WINDOWS_MAX; i++) {
        char text[WINDOW_TEXT_BYTES];
        slice_t window = record_slice(m, *ROW(m, m->windows, i, text_t));
        if (!window_text(window, text)) {
            tx_refuse(tx, ERR_BAD_VALUE, WINDOW_HINT, "cannot set '%s': '%.*s' is no window",
                      point->name, SHOWN(window));
            return false;
        }
        windows->text_size += (uint32_t) snprintf(windows->text + windows->text_size,
                                                  sizeof windows->text - windows->text_size, "%s%s",
                                                  windows->text_size > 0 ? "\n" : "", text);
    }
    return true;
}

static bool
write_zone(tx_t *tx, const point_t *point, slice_t name, windows_t *windows)
{
    zone_t *zone = NULL;
    fault_t fault;
    if (name.size == 0 && windows->zone[0] == '\0') {
        tx_refuse(tx, ERR_BAD_VALUE, ZONE_HINT,
                  "cannot set the windows of '%s': by whose clock is not said", point->name);
        return false;
    }
    if (name.size == 0) {
        return true;
    }
    err_t err = zone_read(tx->db->world, name, &zone, &fault);
    zone_destroy(&zone);
    if (err != OK || !slice_copy(name, windows->zone, sizeof windows->zone)) {
        tx_refuse(tx, ERR_BAD_VALUE, ZONE_HINT, "cannot use the time zone '%.*s': %s", SHOWN(name),
                  err == ERR_UNSUPPORTED ? "it counts leap seconds"
                                         : "no zone of this name can be read here");
        return false;
    }
    return true;
}

static void
note(tx_t *tx, const point_t *point, const windows_t *windows)
{
    char line[ROW_BYTES];
    event_draft_t event;
    event_of_point(&event, point, STATUS_WINDOW_CHANGED);
    for (uint32_t i = 0; i < windows->text_size; i++) {
        line[i] = windows->text[i] == '\n' ? ';' : windows->text[i];
    }
    slice_t shown =
        windows->text_size > 0 ? (slice_t){line, windows->text_size} : slice_of(NO_WINDOWS);
    event_text(&event, "windows of %s: %.*s%s%s", point->name, SHOWN(shown),
               windows->text_size > 0 ? " by the clock of " : "",
               windows->text_size > 0 ? windows->zone : "");
    event_attr(&event, "windows", shown);
    event_attr(&event, "zone", slice_of(windows->zone));
    event_write(tx, &event);
}

static void
keep(tx_t *tx, const point_t *point, const windows_t *windows)
{
    if (windows->text_size == 0) {
        RUN(tx, SQL_CALENDAR_CLEAR, v_int(point->row));
    } else {
        RUN(tx, SQL_CALENDAR_SET, v_int(point->row), v_text(SLICE_OF(windows, text)),
            v_text(slice_of(windows->zone)), v_int(tx->now_ns));
    }
    note(tx, point, windows);
    window_turn(tx, point->row);
    tx->agents_changed |= point_is_agent(SLICE_OF(point, root));
}

static bool
says_none(const dp_set_t *m)
{
    return m->windows.count == 1 &&
           slice_equal(record_slice(m, *ROW(m, m->windows, 0, text_t)), slice_of(NO_WINDOWS));
}

/* What they are to be from now on; false: refused. */
static bool
choose(tx_t *tx, const point_t *point, const dp_set_t *m, windows_t *after)
{
    slice_t zone = record_slice(m, m->zone);
    if (says_none(m)) {
        *after = (windows_t){.text_size = 0};
        if (zone.size > 0) {
            tx_refuse(tx, ERR_BAD_VALUE, "without windows there is no need of a time zone",
                      "cannot set '%s': both no windows and a zone are given", point->name);
        }
        return tx_ok(tx);
    }
    if (m->windows.count == 0 && after->text_size == 0) {
        tx_refuse(tx, ERR_BAD_VALUE, WINDOW_HINT, "cannot set the zone of '%s': it has no windows",
                  point->name);
        return false;
    }
    return (m->windows.count == 0 || write_windows(tx, point, m, after)) &&
           write_zone(tx, point, zone, after);
}

bool
windows_set(tx_t *tx, const point_t *point, const dp_set_t *m)
{
    windows_t before, after;
    if (m->windows.count == 0 && m->zone.size == 0) {
        return false;
    }
    (void) windows_of(tx, point->row, &before);
    after = before;
    if (!choose(tx, point, m, &after)) {
        return false;
    }
    bool changed = !slice_equal(SLICE_OF(&before, text), SLICE_OF(&after, text)) ||
                   strcmp(before.zone, after.zone) != 0;
    if (changed) {
        keep(tx, point, &after);
    }
    return changed;
}

/* ---- what others see ---- */

static texts_t
view_texts(tx_t *tx, const windows_t *windows)
{
    slice_t text = SLICE_OF(windows, text), window;
    uint32_t count = 0;
    for (slice_t left = text; next_window(&left, &window);) {
        count++;
    }
    texts_t texts = draft_rows(&tx->answer, count, sizeof(text_t));
    for (uint32_t i = 0; next_window(&text, &window); i++) {
        text_t shown = tx_text(tx, window);
        text_t *row = draft_row(&tx->answer, texts, i, sizeof *row);
        if (row != NULL) {
            *row = shown;
        }
    }
    return texts;
}

/* When the window closes that is open, or opens next; 0: it does not. */
static int64_t
closes_of(tx_t *tx, int64_t point, const window_now_t *now)
{
    int64_t closes = now->open ? now->until_ns : window_at(tx, point, now->until_ns).until_ns;
    return now->lost || closes == INT64_MAX ? 0 : closes;
}

void
view_windows(tx_t *tx, const point_t *point, point_row_t *ret)
{
    windows_t windows;
    if (!windows_of(tx, point->row, &windows)) {
        return;
    }
    window_now_t now = window_at(tx, point->row, tx->now_ns);
    ret->windows = view_texts(tx, &windows);
    ret->zone = tx_text(tx, slice_of(windows.zone));
    ret->opens = now.open || now.lost ? 0 : now.until_ns;
    ret->closes = closes_of(tx, point->row, &now);
}

/* One window ahead is told: the gateway asks again when it is over, or the clock is not within. */
void
list_window(tx_t *tx, int64_t point, agent_row_t *ret)
{
    window_now_t now = window_at(tx, point, tx->now_ns);
    if (!now.has) {
        return;
    }
    ret->windowed = true;
    ret->window_known = tx->now_ns;
    ret->window_opens = now.open ? tx->now_ns : now.until_ns;
    ret->window_closes = now.open   ? now.until_ns
                         : now.lost ? now.until_ns
                                    : window_at(tx, point, now.until_ns).until_ns;
}
