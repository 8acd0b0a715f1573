/* keys.c - answers kept under the keys of their commands, as they go over the wire; see keys.h.
 * Command and answer are told by name: another version may number its messages otherwise. */
#include "actors/database/keys.h"

#include "actors/database/handlers.h"
#include "proto/limits.h"
#include "proto/wire.h"

static err_t
decode(tx_t *tx, const record_type_t *type, slice_t encoded)
{
    wire_value_t value;
    const void *record = NULL;
    if (type == NULL || wire_check(encoded.data, encoded.size, &value) != OK ||
        record_decode(type, &value, &tx->answer, &record, NULL) != OK) {
        return ERR_DAMAGED;
    }
    tx->answer_type = type;
    tx->answer_fixed = tx->answer.base;
    return OK;
}

static slice_t
name_of(uint32_t number)
{
    return slice_of(message_type(number)->name);
}

static void
refuse_other(tx_t *tx)
{
    tx_refuse(tx, ERR_BAD_VALUE, "use a new key for each command",
              "cannot use the key again: it belongs to another command");
}

bool
key_answer(tx_t *tx, slice_t key, uint32_t command)
{
    cursor_t row = OPEN(tx, SQL_ANSWER_GET, v_bytes(key.data, key.size));
    if (!cursor_next(&row)) {
        return false;
    }
    if (!slice_equal(name_of(command), cursor_bytes(&row, 0))) {
        refuse_other(tx);
    } else {
        const record_type_t *type = message_type(message_number_of(cursor_bytes(&row, 1)));
        tx->err = decode(tx, type, cursor_bytes(&row, 2));
    }
    cursor_close(&row);
    return true;
}

void
key_store(tx_t *tx, slice_t key, uint32_t command)
{
    wire_writer_t writer;
    wire_writer_over(&writer, tx->db->encoded, KEY_ANSWER_BYTES_MAX);
    err_t err = record_encode(tx->answer_type, tx->answer.base, &writer);
    if (err != OK || writer.full) {
        tx->err = tx->err == OK ? ERR_TOO_LARGE : tx->err;
        return;
    }
    RUN(tx, SQL_ANSWER_PUT, v_bytes(key.data, key.size), v_text(name_of(command)),
        v_text(slice_of(tx->answer_type->name)), v_bytes(tx->db->encoded, writer.size),
        v_int(tx->now_ns));
}

void
keys_expire(tx_t *tx)
{
    RUN(tx, SQL_ANSWER_CLAMP, v_int(tx->now_ns));
    RUN(tx, SQL_ANSWER_EXPIRE, v_int(tx->now_ns - (int64_t) KEY_KEPT_S * INT64_C(1000000000)));
}

void
handle_recall(tx_t *tx, const recall_t *m)
{
    slice_t key = record_slice(m, m->key);
    recalled_t *recalled = ANSWER(tx, recalled);
    cursor_t row = OPEN(tx, SQL_ANSWER_GET, v_bytes(key.data, key.size));
    if (!cursor_next(&row)) {
        return;
    }
    if (!slice_equal(name_of(m->command), cursor_bytes(&row, 0))) {
        refuse_other(tx);
    } else {
        recalled->type = message_number_of(cursor_bytes(&row, 1));
        recalled->answer = tx_cursor_text(tx, &row, 2);
    }
    cursor_close(&row);
}
