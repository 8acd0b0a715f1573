/* store_reading.c - the site's own store is read again over time: where that stands, and what was
 * found.
 *
 * One setting: the pack at which it goes on (0: it rests), and when it last came to the end. It is
 * written when a pack was read to its end, so that a site without work is left alone. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "actors/database/handlers.h"
#include "actors/database/rows.h"

#define NS_PER_MS INT64_C(1000000)
#define SHOWN_MAX 512u
#define VALUE_MAX 48u /* two numbers of 64 bits */
#define SETTING   slice_of("store-read")

typedef struct store_reading {
    uint64_t pack;
    int64_t whole; /* wall ns; 0: never */
} store_reading_t;

static store_reading_t
reading_of(tx_t *tx)
{
    char text[VALUE_MAX] = "";
    store_reading_t reading = {0, 0};
    cursor_t row = OPEN(tx, SQL_SETTING_GET, v_text(SETTING));
    if (cursor_next(&row) && slice_copy(cursor_bytes(&row, 0), text, sizeof text)) {
        char *rest = NULL;
        reading.pack = strtoull(text, &rest, 10);
        reading.whole = strtoll(rest, NULL, 10);
    }
    cursor_close(&row);
    return reading;
}

void
store_reading_fill(tx_t *tx, uint64_t rest_ms, scrub_due_t *due)
{
    store_reading_t reading = reading_of(tx);
    due->store_pack = reading.pack;
    due->store_rests = reading.pack == 0 && reading.whole != 0 && reading.whole <= tx->now_ns &&
                       tx->now_ns - reading.whole < (int64_t) rest_ms * NS_PER_MS;
}

static void
note_damaged(tx_t *tx, uint64_t records)
{
    event_draft_t event;
    event_begin(&event, "distribution_manager", STATUS_STORE_DAMAGED);
    event_text(&event,
               "read again, %" PRIu64 " records of the site's store are not what was stored, and "
               "were set aside: `despool store check` tells what that means for versions, "
               "`despool package update` stores again what its source still has",
               records);
    event_attr_number(&event, "records", records);
    event_write(tx, &event);
}

static void
note_unread(tx_t *tx, slice_t text)
{
    event_draft_t event;
    event_begin(&event, "distribution_manager", STATUS_STORE_UNREAD);
    event_text(&event, "a part of the site's store could not be read again: %.*s",
               (int) (text.size < SHOWN_MAX ? text.size : SHOWN_MAX),
               text.size > 0 ? text.data : "");
    event_write(tx, &event);
}

static void
note_named(tx_t *tx, uint64_t objects)
{
    event_draft_t event;
    event_begin(&event, "distribution_manager", STATUS_STORE_NAMED);
    event_text(&event,
               "a file of the index of the site's store is gone: the %" PRIu64 " objects of the "
               "packs that it named are named again",
               objects);
    event_attr_number(&event, "objects", objects);
    event_write(tx, &event);
}

void
handle_store_read_again(tx_t *tx, const store_read_again_t *m)
{
    char text[VALUE_MAX];
    store_reading_t reading = reading_of(tx);
    if (m->damaged > 0) {
        note_damaged(tx, m->damaged);
    }
    if (m->named > 0) {
        note_named(tx, m->named);
    }
    if (m->err != OK) {
        note_unread(tx, record_slice(m, m->text));
    }
    snprintf(text, sizeof text, "%" PRIu64 " %" PRId64, m->pack,
             m->pack == 0 ? tx->now_ns : reading.whole);
    RUN(tx, SQL_SETTING_SET, v_text(SETTING), v_text(slice_of(text)));
    tx_done(tx, true, NULL);
}
