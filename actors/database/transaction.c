/* transaction.c - statements with their values, answers and effects; see transaction.h. */
#include "actors/database/transaction.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- statements ---- */

static void
fail(tx_t *tx, int result)
{
    if (tx->err == OK) {
        tx->err = connection_err(tx->db, result);
    }
}

static sqlite3_stmt *
prepared(tx_t *tx, sql_t which)
{
    sqlite3_stmt **statement = &tx->db->statement[which];
    if (*statement == NULL) {
        int result = sqlite3_prepare_v3(tx->db->sql, sql_text(which), -1, SQLITE_PREPARE_PERSISTENT,
                                        statement, NULL);
        if (result != SQLITE_OK) {
            fail(tx, result);
        }
    }
    return *statement;
}

static int
bind(sqlite3_stmt *statement, int place, const value_t *value)
{
    const char *data = value->bytes.data == NULL ? "" : value->bytes.data;
    switch (value->kind) {
    case VALUE_NUMBER:
        return sqlite3_bind_int64(statement, place, value->number);
    case VALUE_TEXT:
        return sqlite3_bind_text64(statement, place, data, value->bytes.size, SQLITE_STATIC,
                                   SQLITE_UTF8);
    case VALUE_BYTES:
        return sqlite3_bind_blob64(statement, place, data, value->bytes.size, SQLITE_STATIC);
    default:
        return sqlite3_bind_null(statement, place);
    }
}

/* Values are bound where they stand: they stay valid until the cursor is closed or has its first
 * row. */
cursor_t
tx_open(tx_t *tx, sql_t which, const value_t *values, size_t count)
{
    cursor_t cursor = {tx, NULL};
    sqlite3_stmt *statement = tx->err == OK ? prepared(tx, which) : NULL;
    if (statement == NULL) {
        return cursor;
    }
    assert(!sqlite3_stmt_busy(statement)); /* one use of a statement at a time */
    for (size_t i = 0; i < count; i++) {
        int result = bind(statement, (int) i + 1, &values[i]);
        if (result != SQLITE_OK) {
            fail(tx, result);
            return cursor;
        }
    }
    cursor.statement = statement;
    return cursor;
}

bool
cursor_next(cursor_t *cursor)
{
    if (cursor->statement == NULL) {
        return false;
    }
    int result = sqlite3_step(cursor->statement);
    if (result == SQLITE_ROW) {
        return true;
    }
    if (result != SQLITE_DONE) {
        fail(cursor->tx, result);
    }
    cursor_close(cursor);
    return false;
}

void
cursor_close(cursor_t *cursor)
{
    if (cursor->statement != NULL) {
        sqlite3_reset(cursor->statement);
        sqlite3_clear_bindings(cursor->statement);
        cursor->statement = NULL;
    }
}

bool
cursor_is_null(const cursor_t *cursor, int column)
{
    return sqlite3_column_type(cursor->statement, column) == SQLITE_NULL;
}

int64_t
cursor_int(const cursor_t *cursor, int column)
{
    return sqlite3_column_int64(cursor->statement, column);
}

uint64_t
cursor_count(const cursor_t *cursor, int column)
{
    return cursor_is_null(cursor, column) ? RECORD_NONE : cursor_u64(cursor, column);
}

slice_t
cursor_bytes(const cursor_t *cursor, int column)
{
    if (cursor_is_null(cursor, column)) {
        return (slice_t){NULL, 0};
    }
    const void *bytes = sqlite3_column_blob(cursor->statement, column);
    size_t size = (size_t) sqlite3_column_bytes(cursor->statement, column);
    return (slice_t){bytes == NULL ? "" : bytes, size};
}

void
cursor_copy(const cursor_t *cursor, int column, void *ret_bytes, size_t size)
{
    slice_t bytes = cursor_bytes(cursor, column);
    if (bytes.size == size) {
        memcpy(ret_bytes, bytes.data, size);
    } else {
        memset(ret_bytes, 0, size);
    }
}

uint32_t
cursor_text(const cursor_t *cursor, int column, char *ret_text, size_t room)
{
    slice_t text = cursor_bytes(cursor, column);
    size_t size = text.size < room ? text.size : room;
    if (size > 0) {
        memcpy(ret_text, text.data, size);
    }
    return (uint32_t) size;
}

void
cursor_name(const cursor_t *cursor, int column, char *ret_name)
{
    ret_name[cursor_text(cursor, column, ret_name, NAME_BYTES_MAX)] = '\0';
}

int64_t
tx_run(tx_t *tx, sql_t which, const value_t *values, size_t count)
{
    cursor_t cursor = tx_open(tx, which, values, count);
    while (cursor_next(&cursor)) {
    }
    return tx->err == OK ? sqlite3_changes64(tx->db->sql) : 0;
}

int64_t
tx_number(tx_t *tx, sql_t which, int64_t fallback, const value_t *values, size_t count)
{
    cursor_t cursor = tx_open(tx, which, values, count);
    if (!cursor_next(&cursor)) {
        return fallback;
    }
    int64_t number = cursor_is_null(&cursor, 0) ? fallback : cursor_int(&cursor, 0);
    cursor_close(&cursor);
    return number;
}

/* ---- the answer ---- */

void *
tx_answer(tx_t *tx, const record_type_t *type)
{
    tx->answer_type = type;
    tx->answer_fixed = draft_begin(&tx->answer, type);
    return tx->answer_fixed;
}

text_t
tx_text(tx_t *tx, slice_t text)
{
    return draft_text(&tx->answer, text);
}

text_t
tx_cursor_text(tx_t *tx, const cursor_t *cursor, int column)
{
    return draft_text(&tx->answer, cursor_bytes(cursor, column));
}

void
tx_refuse(tx_t *tx, err_t err, const char *hint, const char *format, ...)
{
    char text[TEXT_BYTES_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    refusal_t *refusal = ANSWER(tx, refusal);
    refusal->code = err;
    refusal->message = tx_text(tx, slice_of(text));
    refusal->hint = tx_text(tx, slice_of(hint == NULL ? err_hint(err) : hint));
    refusal->need = RECORD_NONE;
    refusal->have = RECORD_NONE;
    tx->refused = true;
}

void
tx_done(tx_t *tx, bool changed, const char *text)
{
    done_t *done = ANSWER(tx, done);
    done->changed = changed;
    done->text = tx_text(tx, slice_of(text));
}

/* ---- effects ---- */

/* Room for one more; false when there is no memory. */
static bool
grow(tx_t *tx, void **list, uint32_t count, uint32_t *room, size_t bytes)
{
    if (count < *room) {
        return true;
    }
    uint32_t more = *room == 0 ? 16 : *room * 2;
    void *longer = realloc(*list, more * bytes);
    if (longer == NULL) {
        tx->err = tx->err == OK ? ERR_NO_MEMORY : tx->err;
        return false;
    }
    *list = longer;
    *room = more;
    return true;
}

void
tx_stop_work(tx_t *tx, uint64_t target, uint64_t revision, const char *dp, const char *package)
{
    if (grow(tx, (void **) &tx->stopped, tx->stopped_count, &tx->stopped_room,
             sizeof *tx->stopped)) {
        stopped_t *stopped = &tx->stopped[tx->stopped_count++];
        stopped->target = target;
        stopped->revision = revision;
        memcpy(stopped->dp, dp, sizeof stopped->dp);
        memcpy(stopped->package, package, sizeof stopped->package);
    }
}

/* The last one first: a message changes many targets of one package. */
static watched_t *
watched_of(const tx_t *tx, int64_t package)
{
    for (uint32_t i = tx->watched_count; i > 0; i--) {
        if (tx->watched[i - 1].package == package) {
            return &tx->watched[i - 1];
        }
    }
    return NULL;
}

static uint32_t
state_before(tx_t *tx, int64_t package)
{
    const known_t *known = &tx->known[(uint64_t) package % KNOWN_PLACES];
    return known->package == package
               ? known->state
               : (uint32_t) NUMBER(tx, SQL_PACKAGE_STATE, PACKAGE_IDLE, v_int(package));
}

void
tx_watch_package(tx_t *tx, int64_t package)
{
    watched_t *watched = watched_of(tx, package);
    if (watched != NULL) {
        watched->active = false;
        return;
    }
    uint32_t before = state_before(tx, package);
    if (grow(tx, (void **) &tx->watched, tx->watched_count, &tx->watched_room,
             sizeof *tx->watched)) {
        tx->watched[tx->watched_count++] = (watched_t){package, before, false};
    }
}

void
tx_is_active(tx_t *tx, int64_t package)
{
    watched_t *watched = watched_of(tx, package);
    if (watched != NULL) {
        watched->active = true;
    }
}

void
tx_know_state(tx_t *tx, int64_t package, uint32_t state)
{
    tx->known[(uint64_t) package % KNOWN_PLACES] = (known_t){package, state};
}

void
tx_know_nothing(tx_t *tx)
{
    memset(tx->known, 0, sizeof tx->known);
}

void
tx_release(tx_t *tx)
{
    free(tx->stopped);
    free(tx->watched);
    tx->stopped = NULL;
    tx->watched = NULL;
    tx->stopped_count = tx->stopped_room = 0;
    tx->watched_count = tx->watched_room = 0;
}
