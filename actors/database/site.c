/* site.c - the site itself: its identity, its settings, its keys, and progress. */
#include <stdlib.h>
#include <string.h>

#include "actors/database/events.h"
#include "actors/database/handlers.h"
#include "actors/database/keys.h"
#include "proto/limits.h"

static uint32_t
slots_stored(tx_t *tx)
{
    char text[16];
    uint32_t slots = SLOTS_DEFAULT;
    cursor_t row = OPEN(tx, SQL_SETTING_GET, v_text(slice_of("slots")));
    if (cursor_next(&row) && slice_copy(cursor_bytes(&row, 0), text, sizeof text)) {
        unsigned long stored = strtoul(text, NULL, 10);
        slots = stored <= SLOTS_MAX ? (uint32_t) stored : SLOTS_DEFAULT;
    }
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
    opened->slots = slots_stored(tx);
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
    bool changed = !cursor_next(&row) || !slice_equal(cursor_bytes(&row, 0), value);
    cursor_close(&row);
    if (changed) {
        RUN(tx, SQL_SETTING_SET, v_text(name), v_text(value));
    }
    if (changed && slots) {
        event_draft_t event;
        event_begin(&event, "despooler", STATUS_SLOTS_CHANGED);
        event_text(&event, "despooling slots: %.*s", SHOWN(value));
        event_attr(&event, "slots", value);
        event_write(tx, &event);
    }
    tx_done(tx, changed, NULL);
}

void
handle_progress(tx_t *tx, const progress_t *m)
{
    progress_set(tx->db, m->target, m->bytes_done, m->bytes_total);
    tx_done(tx, false, NULL);
}

/* ---- keys
 * ------------------------------------------------------------------------------------------------
 */

bool
key_answer(tx_t *tx, slice_t key, uint32_t command)
{
    cursor_t row = OPEN(tx, SQL_ANSWER_GET, v_bytes(key.data, key.size));
    if (!cursor_next(&row)) {
        return false;
    }
    uint32_t stored_command = cursor_u32(&row, 0);
    const record_type_t *type = message_type(cursor_u32(&row, 1));
    slice_t record = cursor_bytes(&row, 2);
    if (command != stored_command) {
        tx_refuse(tx, ERR_BAD_VALUE, "use a new key for each command",
                  "cannot use the key again: it belongs to another command");
    } else if (type == NULL || record.size > tx->answer.capacity) {
        tx->err = ERR_DAMAGED;
    } else {
        memcpy(tx->answer.base, record.data, record.size);
        tx->answer.size = (uint32_t) record.size;
        tx->answer.full = false;
        tx->answer_type = type;
        tx->answer_fixed = tx->answer.base;
        tx->err = record_check(type, tx->answer.base, record.size) == OK ? OK : ERR_DAMAGED;
    }
    cursor_close(&row);
    return true;
}

void
key_store(tx_t *tx, slice_t key, uint32_t command)
{
    RUN(tx, SQL_ANSWER_PUT, v_bytes(key.data, key.size), v_int(command),
        v_int(tx->answer_type->number), v_bytes(tx->answer.base, tx->answer.size),
        v_int(tx->now_ns));
}

void
keys_expire(tx_t *tx)
{
    RUN(tx, SQL_ANSWER_EXPIRE, v_int(tx->now_ns - (int64_t) KEY_KEPT_S * INT64_C(1000000000)));
}

void
handle_recall(tx_t *tx, const recall_t *m)
{
    slice_t key = record_slice(m, m->key);
    recalled_t *recalled = ANSWER(tx, recalled);
    cursor_t row = OPEN(tx, SQL_ANSWER_GET, v_bytes(key.data, key.size));
    if (cursor_next(&row)) {
        recalled->type = cursor_u32(&row, 1);
        recalled->answer = tx_cursor_text(tx, &row, 2);
        cursor_close(&row);
    }
}
