/* transaction.h - what the handling of one message works with: statements, its answer, its effects.
 *
 * Shape    one tx_t per transaction; each message of a group runs inside a savepoint of it.
 *          values are bound in order; rows are read by column.
 * Promises the first failure of a statement stays in err, and everything after it does nothing,
 *          so a handler reads straight down; who runs the handler looks at err once.
 * Costs    a bound statement each.
 * Errors   in err; a refusal (the request or the state forbids it) is an answer, not an err.
 * Threads  one job.
 */
#pragma once

#include "actors/database/connection.h"

typedef struct stopped {
    uint64_t target, revision;
    char dp[NAME_BYTES_MAX + 1], package[NAME_BYTES_MAX + 1];
} stopped_t;

/* A package whose targets a message changes, and its state before. */
typedef struct watched {
    int64_t package;
    uint32_t before;
    bool active; /* a target of it is not final, and nothing was changed after it */
} watched_t;

/* The state of a package as a message of this transaction has left it: the next one, which is often
 * of the same package, need not look for it among its targets. */
#define KNOWN_PLACES 64u /* packages whose states are known; more share places */
typedef struct known {
    int64_t package;
    uint32_t state;
} known_t;

typedef struct tx {
    connection_t *db;
    int64_t now_ns;  /* wall clock of the group */
    err_t err;       /* of a statement; ERR_TOO_LARGE: the answer does not fit */
    uint32_t number; /* of the message in hand */
    slice_t principal;

    draft_t answer;
    const record_type_t *answer_type;
    void *answer_fixed;
    bool refused; /* the answer is a refusal: the message has no effect */
    bool keep;    /* although it is refused, what was done stays */

    bool targets_changed;
    bool agents_changed; /* who may come in as an agent: any of them; else those named */
    uint64_t agent[AGENTS_NAMED_MAX]; /* by the rows of their points */
    uint32_t agent_count;
    int64_t last_event; /* sequence number; 0: none in this transaction */
    stopped_t *stopped; /* targets whose work in hand is to end */
    uint32_t stopped_count, stopped_room;
    watched_t *watched;
    uint32_t watched_count, watched_room;
    known_t known[KNOWN_PLACES];
} tx_t;

/* ---- values and statements ---- */

typedef enum value_kind { VALUE_NULL = 0, VALUE_NUMBER, VALUE_TEXT, VALUE_BYTES } value_kind_t;
typedef struct value {
    value_kind_t kind;
    int64_t number;
    slice_t bytes;
} value_t;

static inline value_t
v_null(void)
{
    return (value_t){VALUE_NULL, 0, {NULL, 0}};
}
static inline value_t
v_int(int64_t number)
{
    return (value_t){VALUE_NUMBER, number, {NULL, 0}};
}
static inline value_t
v_u64(uint64_t number)
{
    return v_int((int64_t) number);
}
/* 0, and RECORD_NONE by its second form, are stored as null. */
static inline value_t
v_some(int64_t number)
{
    return number == 0 ? v_null() : v_int(number);
}
static inline value_t
v_count(uint64_t number)
{
    return number == RECORD_NONE ? v_null() : v_u64(number);
}
static inline value_t
v_text(slice_t text)
{
    return (value_t){VALUE_TEXT, 0, text};
}
static inline value_t
v_maybe(slice_t text)
{
    return text.size == 0 ? v_null() : v_text(text);
}
static inline value_t
v_bytes(const void *bytes, size_t size)
{
    return (value_t){VALUE_BYTES, 0, {bytes, size}};
}
static inline value_t
v_id(const id128_t *id)
{
    return v_bytes(id->byte, sizeof id->byte);
}
static inline value_t
v_digest(const digest_t *digest)
{
    return digest_is_none(digest) ? v_null() : v_bytes(digest->byte, sizeof digest->byte);
}

#define VALUES(...)                                                                                \
    (const value_t[]){__VA_ARGS__}, sizeof((const value_t[]){__VA_ARGS__}) / sizeof(value_t)

/* A statement under way. A statement can be under way once at a time. */
typedef struct cursor {
    tx_t *tx;
    sqlite3_stmt *statement;
} cursor_t;
cursor_t tx_open(tx_t *tx, sql_t which, const value_t *values, size_t count);
#define OPEN(tx, which, ...) tx_open((tx), (which), VALUES(__VA_ARGS__))
bool
cursor_next(cursor_t *cursor); /* false: no more rows, or a failure; the cursor is closed then */
void cursor_close(cursor_t *cursor);
bool cursor_is_null(const cursor_t *cursor, int column);
int64_t cursor_int(const cursor_t *cursor, int column);
static inline uint64_t
cursor_u64(const cursor_t *cursor, int column)
{
    return (uint64_t) cursor_int(cursor, column);
}
static inline uint32_t
cursor_u32(const cursor_t *cursor, int column)
{
    return (uint32_t) cursor_int(cursor, column);
}
uint64_t cursor_count(const cursor_t *cursor, int column); /* null: RECORD_NONE */
slice_t cursor_bytes(const cursor_t *cursor, int column); /* null: {NULL, 0}; until the next step */
/* Copies exactly size bytes, or zeroes. */
void cursor_copy(const cursor_t *cursor, int column, void *ret_bytes, size_t size);
/* Copies at most room bytes; returns how many. */
uint32_t cursor_text(const cursor_t *cursor, int column, char *ret_text, size_t room);
/* A name of NAME_BYTES_MAX at most, with its end. */
void cursor_name(const cursor_t *cursor, int column, char *ret_name);
/* Reads the first row with read(&cursor, ret) and closes the cursor; false: there is none. */
#define CURSOR_ONE(cursor, read, ret)                                                              \
    (cursor_next(&(cursor)) && (read(&(cursor), ret), cursor_close(&(cursor)), true))

/* Runs to the end; returns the rows changed. */
int64_t tx_run(tx_t *tx, sql_t which, const value_t *values, size_t count);
#define RUN(tx, which, ...) tx_run((tx), (which), VALUES(__VA_ARGS__))
/* The first column of the first row; fallback when there is none or it is null. */
int64_t tx_number(tx_t *tx, sql_t which, int64_t fallback, const value_t *values, size_t count);
#define NUMBER(tx, which, fallback, ...) tx_number((tx), (which), (fallback), VALUES(__VA_ARGS__))

/* ---- the answer ---- */

void *tx_answer(tx_t *tx, const record_type_t *type); /* begins it; throws an earlier one away */
#define ANSWER(tx, message) ((message##_t *) tx_answer((tx), &message##_type))
text_t tx_text(tx_t *tx, slice_t text); /* into the answer */
text_t tx_cursor_text(tx_t *tx, const cursor_t *cursor, int column);
/* Answers a refusal. hint may be NULL: the error's own. */
void tx_refuse(tx_t *tx, err_t err, const char *hint, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void tx_done(tx_t *tx, bool changed, const char *text); /* text may be NULL */
/* Whether to go on: no failure and no refusal so far. */
static inline bool
tx_ok(const tx_t *tx)
{
    return tx->err == OK && !tx->refused;
}

/* For "%.*s": at most what fits a sentence. */
#define SHOWN_BYTES_MAX 200u
#define SHOWN(slice)                                                                               \
    (int) ((slice).size < SHOWN_BYTES_MAX ? (slice).size : SHOWN_BYTES_MAX), (slice).data

/* ---- effects that leave with the commit ---- */

void tx_stop_work(tx_t *tx, uint64_t target, uint64_t revision, const char *dp,
                  const char *package);
/* Notes a package's state before its targets change; the same package may be noted again at once.
 */
void tx_watch_package(tx_t *tx, int64_t package);
/* A target of a watched package is not final: that is the package's state, if nothing follows. */
void tx_is_active(tx_t *tx, int64_t package);
void tx_know_state(tx_t *tx, int64_t package, uint32_t state);
void tx_know_nothing(tx_t *tx);
void tx_release(tx_t *tx); /* frees what the lists hold */
