/* site.c - the site itself: its identity, its settings, and progress. */
#include <stdlib.h>

#include "actors/database/events.h"
#include "actors/database/handlers.h"
#include "actors/database/rows.h"
#include "proto/limits.h"

static uint32_t
slots_of(slice_t value)
{
    char text[16];
    unsigned long slots =
        slice_copy(value, text, sizeof text) ? strtoul(text, NULL, 10) : SLOTS_DEFAULT;
    return slots <= SLOTS_MAX ? (uint32_t) slots : SLOTS_DEFAULT;
}

uint32_t
site_slots(tx_t *tx)
{
    cursor_t row = OPEN(tx, SQL_SETTING_GET, v_text(slice_of("slots")));
    uint32_t slots = cursor_next(&row) ? slots_of(cursor_bytes(&row, 0)) : SLOTS_DEFAULT;
    cursor_close(&row);
    return slots;
}

void
handle_site_open(tx_t *tx, __attribute__((unused)) const site_open_t *m)
{
    cursor_t row = OPEN(tx, SQL_META_GET, v_text(slice_of("published")));
    uint64_t published = cursor_next(&row) ? cursor_u64(&row, 0) : 0;
    cursor_close(&row);
    site_opened_t *opened = ANSWER(tx, site_opened);
    opened->site = tx->db->site;
    opened->name = tx_text(tx, slice_of(tx->db->name));
    opened->slots = site_slots(tx);
    opened->last_event = events_last(tx);
    opened->published = published;
}

/* A number from 0 to SLOTS_MAX; anything else would stop the despooler without a word. */
static bool
are_slots(slice_t value)
{
    uint32_t number = 0;
    for (size_t i = 0; i < value.size; i++) {
        if (value.data[i] < '0' || value.data[i] > '9' || number > SLOTS_MAX) {
            return false;
        }
        number = number * 10 + (uint32_t) (value.data[i] - '0');
    }
    return value.size > 0 && number <= SLOTS_MAX;
}

void
handle_setting_set(tx_t *tx, const setting_set_t *m)
{
    slice_t name = record_slice(m, m->name);
    slice_t value = record_slice(m, m->value);
    bool slots = slice_equal(name, slice_of("slots"));
    if (slots && !are_slots(value)) {
        tx_refuse(tx, ERR_BAD_VALUE, "give a number from 0 to 256", "cannot set '%.*s' to '%.*s'",
                  SHOWN(name), SHOWN(value));
        return;
    }
    cursor_t row = OPEN(tx, SQL_SETTING_GET, v_text(name));
    bool kept = cursor_next(&row);
    bool changed = !kept || !slice_equal(cursor_bytes(&row, 0), value);
    cursor_close(&row);
    if (!kept && slots) { /* what was never set is what a site begins with */
        changed = slots_of(value) != SLOTS_DEFAULT;
    }
    if (changed) {
        RUN(tx, SQL_SETTING_SET, v_text(name), v_text(value));
    }
    if (changed && slots) {
        event_draft_t event;
        event_begin(&event, "despooler", STATUS_SLOTS_CHANGED);
        event_text(&event, "despooling slots: %.*s%s", SHOWN(value),
                   slots_of(value) == 0 ? ": despooling is disabled" : "");
        event_attr(&event, "slots", value);
        event_write(tx, &event);
    }
    tx_done(tx, changed, NULL);
}

void
handle_progress(tx_t *tx, const progress_t *m)
{
    progress_set(tx->db, m->target, m->bytes_done, m->bytes_total);
    estimate_tell(tx, m->target);
    tx_done(tx, false, NULL);
}
