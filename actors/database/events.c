/* events.c - status messages as rows; see events.h. */
#include "actors/database/events.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "actors/database/handlers.h"
#include "proto/limits.h"

#define TRIM_SLICE 1000 /* rows taken away per transaction */

void
event_begin(event_draft_t *event, const char *component, uint32_t id)
{
    memset(event, 0, offsetof(event_draft_t, attrs));
    event->component = component;
    event->id = id;
    event->severity = status_severity(id);
}

void
event_text(event_draft_t *event, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(event->text, sizeof event->text, format, arguments);
    va_end(arguments);
}

static void
put_part(event_draft_t *event, slice_t part)
{
    uint8_t *at = &event->attrs[event->attr_bytes];
    at[0] = (uint8_t) part.size;
    at[1] = (uint8_t) (part.size >> 8);
    if (part.size > 0) {
        memcpy(at + 2, part.data, part.size);
    }
    event->attr_bytes += 2 + (uint32_t) part.size;
}

void
event_attr_bytes(event_draft_t *event, slice_t name, slice_t value)
{
    if (event->attr_bytes + name.size + value.size + 4 <= EVENT_ATTRS_BYTES) {
        put_part(event, name);
        put_part(event, value);
    }
}

void
event_attr(event_draft_t *event, const char *name, slice_t value)
{
    event_attr_bytes(event, slice_of(name), value);
}

void
event_attr_number(event_draft_t *event, const char *name, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long) value);
    event_attr(event, name, slice_of(text));
}

void
event_write(tx_t *tx, const event_draft_t *event)
{
    value_t attrs = event->attr_bytes == 0 ? v_null() : v_bytes(event->attrs, event->attr_bytes);
    RUN(tx, SQL_EVENT_ADD, v_int(tx->now_ns), v_text(slice_of(event->component)), v_int(event->id),
        v_int(event->severity), v_maybe(event->package), v_maybe(event->dp),
        v_some((int64_t) event->epoch), v_maybe(event->label), v_digest(&event->root),
        v_text(slice_of(event->text)), attrs);
    if (tx->err == OK) {
        tx->last_event = sqlite3_last_insert_rowid(tx->db->sql);
    }
}

void
event_command(tx_t *tx, const char *word, slice_t subject)
{
    event_draft_t event;
    event_begin(&event, "provider", STATUS_COMMAND_ACCEPTED);
    event_text(&event, "%s '%.*s' by '%.*s'", word, SHOWN(subject), SHOWN(tx->principal));
    event_attr(&event, "command", slice_of(word));
    event_attr(&event, "subject", subject);
    event_attr(&event, "principal", tx->principal);
    event_write(tx, &event);
}

/* ---- reading ---- */

uint64_t
events_last(tx_t *tx)
{
    return (uint64_t) tx_number(tx, SQL_EVENT_LAST, 0, NULL, 0);
}

/* The next size and its bytes; false at the end, or where the bytes are not as we write them. */
static bool
next_part(slice_t *rest, slice_t *ret_part)
{
    const uint8_t *at = (const uint8_t *) rest->data;
    if (rest->size < 2) {
        return false;
    }
    size_t size = at[0] | (size_t) at[1] << 8;
    if (size > rest->size - 2) {
        return false;
    }
    *ret_part = (slice_t){rest->data + 2, size};
    *rest = (slice_t){rest->data + 2 + size, rest->size - 2 - size};
    return true;
}

static uint32_t
count_pairs(slice_t attrs)
{
    slice_t part;
    uint32_t parts = 0;
    while (parts < 2 * EVENT_ATTRS_MAX && next_part(&attrs, &part)) {
        parts++;
    }
    return parts / 2;
}

static rows_t
answer_attrs(tx_t *tx, slice_t attrs)
{
    slice_t part = {NULL, 0};
    rows_t pairs = draft_rows(&tx->answer, count_pairs(attrs), sizeof(pair_t));
    for (uint32_t i = 0; i < pairs.count && next_part(&attrs, &part); i++) {
        text_t name = tx_text(tx, part);
        text_t value = next_part(&attrs, &part) ? tx_text(tx, part) : name;
        pair_t *pair = draft_row(&tx->answer, pairs, i, sizeof(pair_t));
        if (pair != NULL) {
            *pair = (pair_t){name, value};
        }
    }
    return pairs;
}

static rows_t
answer_version(tx_t *tx, const cursor_t *row)
{
    rows_t maybe = draft_rows(&tx->answer, cursor_is_null(row, 6) ? 0 : 1, sizeof(version_ref_t));
    version_ref_t *version = draft_row(&tx->answer, maybe, 0, sizeof *version);
    if (version != NULL) {
        version->epoch = cursor_u64(row, 6);
        version->label = tx_cursor_text(tx, row, 7);
        cursor_copy(row, 8, version->root.byte, sizeof version->root.byte);
    }
    return maybe;
}

static void
answer_event(tx_t *tx, const cursor_t *row, event_t *event)
{
    event->seq = cursor_u64(row, 0);
    event->time = cursor_int(row, 1);
    event->site = tx_text(tx, slice_of(tx->db->name));
    event->component = tx_cursor_text(tx, row, 2);
    event->id = cursor_u32(row, 3);
    event->severity = cursor_u32(row, 4) <= SEVERITY_ERROR ? cursor_u32(row, 4) : SEVERITY_ERROR;
    event->package = tx_cursor_text(tx, row, 5);
    event->dp = tx_cursor_text(tx, row, 11);
    event->text = tx_cursor_text(tx, row, 9);
    event->version = answer_version(tx, row);
    event->attrs = answer_attrs(tx, cursor_bytes(row, 10));
}

static void
fill_events(tx_t *tx, uint64_t since, rows_t rows)
{
    uint32_t i = 0;
    cursor_t row = OPEN(tx, SQL_EVENTS_AFTER, v_u64(since), v_int(rows.count));
    while (cursor_next(&row)) {
        event_t *event = draft_row(&tx->answer, rows, i++, sizeof *event);
        if (event == NULL) {
            cursor_close(&row);
            return;
        }
        answer_event(tx, &row, event);
    }
}

/* What was asked for and is no longer kept. */
static rows_t
lost_range(tx_t *tx, uint64_t since, uint64_t last)
{
    uint64_t first = (uint64_t) tx_number(tx, SQL_EVENT_FIRST, (int64_t) last + 1, NULL, 0);
    bool lost = first > since + 1;
    rows_t maybe = draft_rows(&tx->answer, lost ? 1 : 0, sizeof(lost_range_t));
    lost_range_t *range = draft_row(&tx->answer, maybe, 0, sizeof *range);
    if (range != NULL) {
        *range = (lost_range_t){since + 1, first - 1};
    }
    return maybe;
}

void
events_answer(tx_t *tx, uint64_t since, uint32_t count)
{
    since = since > INT64_MAX ? INT64_MAX : since;
    count = count == 0 || count > EVENTS_PER_ANSWER_MAX ? EVENTS_PER_ANSWER_MAX : count;
    events_t *events = ANSWER(tx, events);
    events->last = events_last(tx);
    int64_t there = NUMBER(tx, SQL_EVENT_COUNT_AFTER, 0, v_u64(since), v_int(count));
    if (since < events->last) {
        events->lost = lost_range(tx, since, events->last);
    }
    events->events = draft_rows(&tx->answer, (uint32_t) there, sizeof(event_t));
    fill_events(tx, since, events->events);
}

void
events_trim(tx_t *tx)
{
    int64_t last = tx->last_event;
    int64_t first = tx_number(tx, SQL_EVENT_FIRST, 0, NULL, 0);
    int64_t keep_from = last - (int64_t) tx->db->history_max;
    if (first == 0 || first > keep_from) {
        return;
    }
    int64_t slice_end = first + TRIM_SLICE - 1;
    RUN(tx, SQL_EVENT_TRIM, v_int(slice_end < keep_from ? slice_end : keep_from));
}

/* ---- messages ---- */

void
handle_status_since(tx_t *tx, const status_since_t *m)
{
    events_answer(tx, m->since, m->count);
}

void
handle_events_after(tx_t *tx, const events_after_t *m)
{
    cursor_t row = OPEN(tx, SQL_META_GET, v_text(slice_of("published")));
    uint64_t published = cursor_next(&row) ? cursor_u64(&row, 0) : 0;
    cursor_close(&row);
    if (m->published > published && m->published <= INT64_MAX) {
        RUN(tx, SQL_META_SET, v_text(slice_of("published")), v_u64(m->published));
    }
    events_answer(tx, m->since, m->count);
}

static void
note_attrs(event_draft_t *event, const note_event_t *m)
{
    for (uint32_t i = 0; i < m->attrs.count; i++) {
        const pair_t *pair = ROW(m, m->attrs, i, pair_t);
        event_attr_bytes(event, record_slice(m, pair->name), record_slice(m, pair->value));
    }
}

#define MINUTE_NS INT64_C(60000000000)

/* Whether the source may be told once more in its minute; how many were held back before it. */
static bool
rate_allows(rate_place_t *places, uint64_t source, uint32_t most, int64_t now, uint64_t *ret_held)
{
    rate_place_t *place = &places[source % RATE_PLACES];
    if (place->source != source || now - place->since_ns >= MINUTE_NS) {
        *ret_held += place->source == source ? place->held : 0;
        *place = (rate_place_t){.source = source, .since_ns = now, .told = 1};
        return true;
    }
    bool allowed = place->told < most;
    place->told += allowed;
    place->held += !allowed;
    return allowed;
}

static uint64_t
hash_more(uint64_t hash, slice_t bytes)
{
    for (size_t i = 0; i < bytes.size; i++) {
        hash = (hash ^ (uint8_t) bytes.data[i]) * UINT64_C(0x100000001b3); /* FNV-1a */
    }
    return (hash ^ 0xff) * UINT64_C(0x100000001b3);
}

static bool
may_note(tx_t *tx, const note_event_t *m, uint64_t *ret_held)
{
    uint64_t source =
        hash_more(UINT64_C(0xcbf29ce484222325) ^ m->id, record_slice(m, m->component));
    uint64_t alike = hash_more(source, record_slice(m, m->package));
    alike = hash_more(alike, record_slice(m, m->dp));
    alike = hash_more(alike, record_slice(m, m->text));
    int64_t now = world_monotonic_ns(tx->db->world);
    *ret_held = 0;
    return rate_allows(tx->db->alike, alike, EVENTS_ALIKE_MAX, now, ret_held) &&
           rate_allows(tx->db->source, source, EVENTS_SOURCE_MAX, now, ret_held);
}

void
handle_note_event(tx_t *tx, const note_event_t *m)
{
    event_draft_t event;
    uint64_t held;
    char component[NAME_BYTES_MAX + 1];
    slice_t text = record_slice(m, m->text);
    if (!slice_copy(record_slice(m, m->component), component, sizeof component)) {
        tx_refuse(tx, ERR_BAD_NAME, NULL, "cannot note an event: its component has no name");
        return;
    }
    if (!may_note(tx, m, &held)) {
        tx_done(tx, false, NULL);
        return;
    }
    event_begin(&event, component, m->id);
    event.severity = m->severity;
    event.package = record_slice(m, m->package);
    event.dp = record_slice(m, m->dp);
    event_text(&event, "%.*s", (int) text.size, text.data);
    note_attrs(&event, m);
    if (held > 0) {
        event_attr_number(&event, "held_back", held);
    }
    event_write(tx, &event);
    tx_done(tx, true, NULL);
}
