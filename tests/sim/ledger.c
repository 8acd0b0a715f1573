/* ledger.c - see ledger.h. */
#include "tests/sim/ledger.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/status.h"
#include "tests/sim/look_database.h"

#define ROWS_MAX   128u /* targets of one site here */
#define COPIES_MAX 512u /* commits that the stream has not come to yet; the oldest goes unjudged */

typedef struct ledger_row {
    char package[65], point[65], state[16];
    uint64_t wanted, have;
} ledger_row_t;

typedef struct ledger_copy {
    uint64_t seq; /* of the last event in it */
    uint32_t count, room;
    ledger_row_t *row; /* of its own: 512 times ROWS_MAX are 11 MB, and few sites fill them */
} ledger_copy_t;

struct ledger {
    stage_t *stage;
    look_database_t *look;
    ledger_copy_t fold;             /* of the stream; seq is the last one heard */
    ledger_copy_t copy[COPIES_MAX]; /* a ring */
    uint64_t copies, judged, commits;
};

ledger_t *
ledger_new(stage_t *stage)
{
    ledger_t *ledger = calloc(1, sizeof *ledger);

    assert(ledger);
    ledger->stage = stage;
    ledger->look = look_database_new();
    return ledger;
}

void
ledger_destroy(ledger_t **ledger)
{
    if (*ledger) {
        look_database_destroy(&(*ledger)->look);
        for (uint32_t i = 0; i < COPIES_MAX; i++) {
            free((*ledger)->copy[i].row);
        }
        free((*ledger)->fold.row);
        free(*ledger);
        *ledger = NULL;
    }
}

static ledger_row_t *
next_row(ledger_copy_t *copy)
{
    assert(copy->count < ROWS_MAX);
    if (copy->count == copy->room) {
        copy->room = copy->room == 0 ? 4 : copy->room * 2;
        copy->row = realloc(copy->row, copy->room * sizeof copy->row[0]);
        assert(copy->row);
    }
    return &copy->row[copy->count++];
}

uint64_t
ledger_commits(const ledger_t *ledger)
{
    return ledger->commits;
}

/* ---- invariant 2 ---- */

static const char targets_text[] =
    "SELECT p.id, d.name, t.state, t.wanted, ifnull(t.have, 0), t.attempts, t.of, t.due, t.look, "
    "t.cause, t.taken, ifnull(t.slot, 0), t.have_root FROM target t "
    "JOIN package p ON p.row = t.package JOIN point d ON d.row = t.point ORDER BY t.row";

enum {
    PACKAGE,
    POINT,
    STATE,
    WANTED,
    HAVE,
    ATTEMPTS,
    OF,
    DUE,
    LOOK,
    CAUSE,
    TAKEN,
    SLOT,
    HAVE_ROOT
};

static bool
is_there(sqlite3_stmt *row, int column)
{
    return sqlite3_column_type(row, column) != SQLITE_NULL;
}

static bool
cause_is(sqlite3_stmt *row, const char *word)
{
    const char *cause = (const char *) sqlite3_column_text(row, CAUSE);

    return cause && strcmp(cause, word) == 0;
}

/* A target whose state is final has nothing that is still to come. What is removed may have a
 * cause: somebody else's files stay. */
static const char *
fault_of_final(sqlite3_stmt *row, int64_t state)
{
    if (is_there(row, DUE) || is_there(row, LOOK)) {
        return "is final and has a due time";
    }
    if (sqlite3_column_int(row, TAKEN) || sqlite3_column_int(row, SLOT)) {
        return "is final and holds a slot";
    }
    if (state == TARGET_FAILED && !is_there(row, CAUSE)) {
        return "failed without a cause";
    }
    if (state != TARGET_INSTALLED) {
        return NULL;
    }
    if (!is_there(row, HAVE_ROOT) || sqlite3_column_int64(row, HAVE) == 0) {
        return "is installed without a receipt";
    }
    return is_there(row, CAUSE) ? "is installed and has a cause" : NULL;
}

/* One that was handed on is with somebody, whom its lease bounds once work has begun. */
static const char *
fault_of_taken(sqlite3_stmt *row, int64_t state)
{
    bool leased = sqlite3_column_int(row, SLOT) > 0;

    if (state == TARGET_INSTALLING && !leased) {
        return "is being installed without a slot";
    }
    return leased && !is_there(row, LOOK) ? "holds a slot without a deadline" : NULL;
}

static const char *
fault_of_waiting(sqlite3_stmt *row, int64_t state)
{
    bool named = state == TARGET_PROMISED || cause_is(row, "paused") ||
                 cause_is(row, "quarantined") || (cause_is(row, "window") && is_there(row, DUE));

    if (!is_there(row, LOOK) && !named) {
        return "waits for nothing that comes: it has no due time and no reason";
    }
    if (is_there(row, LOOK) && !is_there(row, DUE)) {
        return "is looked at some time and shows no due time";
    }
    if ((state == TARGET_WAITING || state == TARGET_RETRYING) && !is_there(row, CAUSE)) {
        return "waits or is tried again without a cause";
    }
    return NULL;
}

static const char *
fault_of_row(sqlite3_stmt *row)
{
    int64_t state = sqlite3_column_int64(row, STATE);

    if (state < 0 || state >= TARGET_COUNT) {
        return "is in no state";
    }
    if (sqlite3_column_int64(row, ATTEMPTS) > sqlite3_column_int64(row, OF)) {
        return "was tried more often than it may be";
    }
    if (state == TARGET_INSTALLED || state == TARGET_FAILED || state == TARGET_CANCELLED ||
        state == TARGET_REMOVED) {
        return fault_of_final(row, state);
    }
    return sqlite3_column_int(row, TAKEN) ? fault_of_taken(row, state)
                                          : fault_of_waiting(row, state);
}

/* ---- the database as of a commit ---- */

static void
copy_text(char *to, size_t size, const unsigned char *from)
{
    snprintf(to, size, "%s", from ? (const char *) from : "");
}

static void
copy_row(sqlite3_stmt *row, ledger_row_t *ret)
{
    int64_t state = sqlite3_column_int64(row, STATE);

    copy_text(ret->package, sizeof ret->package, sqlite3_column_text(row, PACKAGE));
    copy_text(ret->point, sizeof ret->point, sqlite3_column_text(row, POINT));
    copy_text(ret->state, sizeof ret->state,
              (const unsigned char *) (state >= 0 && state < TARGET_COUNT
                                           ? target_state_words.word[state]
                                           : "none"));
    ret->wanted = (uint64_t) sqlite3_column_int64(row, WANTED);
    ret->have = (uint64_t) sqlite3_column_int64(row, HAVE);
}

static void
judge_row(ledger_t *ledger, sqlite3_stmt *row)
{
    const char *fault = fault_of_row(row);

    if (fault) {
        stage_note_fault(ledger->stage, "invariant 2: '%s' at '%s' (state %d) %s",
                         sqlite3_column_text(row, PACKAGE), sqlite3_column_text(row, POINT),
                         sqlite3_column_int(row, STATE), fault);
    }
}

static void
take_rows(ledger_t *ledger, ledger_copy_t *copy)
{
    sqlite3_stmt *row = look_database_ask(ledger->look, targets_text);

    copy->count = 0;
    while (row && sqlite3_step(row) == SQLITE_ROW && copy->count < ROWS_MAX) {
        judge_row(ledger, row);
        copy_row(row, next_row(copy));
    }
    sqlite3_reset(row);
}

static uint64_t
last_event(ledger_t *ledger)
{
    static const char text[] = "SELECT seq FROM sqlite_sequence WHERE name = 'event'";
    sqlite3_stmt *row = look_database_ask(ledger->look, text);
    uint64_t last =
        row && sqlite3_step(row) == SQLITE_ROW ? (uint64_t) sqlite3_column_int64(row, 0) : 0;

    sqlite3_reset(row);
    return last;
}

/* ---- invariant 11 ---- */

static ledger_row_t *
row_of(ledger_copy_t *copy, const char *package, const char *point)
{
    for (uint32_t i = 0; i < copy->count; i++) {
        if (strcmp(copy->row[i].package, package) == 0 && strcmp(copy->row[i].point, point) == 0) {
            return &copy->row[i];
        }
    }
    return NULL;
}

/* A target that is gone was removed, or never began. */
static bool
says_same(const ledger_row_t *told, const ledger_row_t *kept)
{
    if (!told || !kept) {
        const ledger_row_t *only = told ? told : kept;
        return strcmp(only->state, "removed") == 0 ||
               (!kept && strcmp(only->state, "cancelled") == 0);
    }
    return strcmp(told->state, kept->state) == 0 && told->wanted == kept->wanted &&
           told->have == kept->have;
}

static void
tell_difference(ledger_t *ledger, uint64_t seq, const ledger_row_t *told, const ledger_row_t *kept)
{
    const ledger_row_t none = {.state = "none"};
    const ledger_row_t *only = told ? told : kept;

    told = told ? told : &none;
    kept = kept ? kept : &none;
    stage_note_fault(ledger->stage,
                     "invariant 11: up to %lu the stream says of '%s' at '%s': %s, wants %lu, has "
                     "%lu; and the database: %s, wants %lu, has %lu",
                     (unsigned long) seq, only->package, only->point, told->state,
                     (unsigned long) told->wanted, (unsigned long) told->have, kept->state,
                     (unsigned long) kept->wanted, (unsigned long) kept->have);
}

static void
judge_copy(ledger_t *ledger, ledger_copy_t *copy)
{
    for (uint32_t i = 0; i < ledger->fold.count; i++) {
        const ledger_row_t *told = &ledger->fold.row[i];
        const ledger_row_t *kept = row_of(copy, told->package, told->point);
        if (!says_same(told, kept)) {
            tell_difference(ledger, copy->seq, told, kept);
        }
    }
    for (uint32_t i = 0; i < copy->count; i++) {
        const ledger_row_t *kept = &copy->row[i];
        if (!row_of(&ledger->fold, kept->package, kept->point) && !says_same(NULL, kept)) {
            tell_difference(ledger, copy->seq, NULL, kept);
        }
    }
}

static void
judge_copies(ledger_t *ledger)
{
    while (ledger->judged < ledger->copies) {
        ledger_copy_t *copy = &ledger->copy[ledger->judged % COPIES_MAX];
        if (copy->seq > ledger->fold.seq) {
            return;
        }
        if (copy->seq == ledger->fold.seq) {
            judge_copy(ledger, copy);
        }
        ledger->judged++;
    }
}

void
ledger_look(ledger_t *ledger)
{
    if (!look_database_again(ledger->look, stage_world(ledger->stage))) {
        return;
    }
    if (ledger->copies - ledger->judged == COPIES_MAX) {
        ledger->judged++;
    }
    ledger_copy_t *copy = &ledger->copy[ledger->copies++ % COPIES_MAX];
    take_rows(ledger, copy);
    copy->seq = last_event(ledger);
    ledger->commits++;
    judge_copies(ledger);
}

void
ledger_forgets(ledger_t *ledger)
{
    look_database_forget(ledger->look);
    ledger->judged = ledger->copies;
}

/* ---- the stream ---- */

static bool
text_in(const wire_value_t *map, const char *name, char *ret_text, size_t size)
{
    wire_value_t value;

    return wire_find(map, name, &value) && slice_copy(value.bytes, ret_text, size);
}

static uint64_t
number_in(const wire_value_t *map, const char *name)
{
    char text[24] = "";

    return text_in(map, name, text, sizeof text) ? strtoull(text, NULL, 10) : 0;
}

/* A point or a package that was removed takes its targets with it. */
static void
fold_removal(ledger_copy_t *fold, const wire_value_t *message)
{
    char name[65];
    wire_value_t id = {0};
    bool found = wire_find(message, "id", &id);
    bool point = found && id.uint == STATUS_POINT_REMOVED;

    if ((!point && (!found || id.uint != STATUS_PACKAGE_REMOVED)) ||
        !text_in(message, point ? "dp" : "package", name, sizeof name)) {
        return;
    }
    for (uint32_t i = fold->count; i-- > 0;) {
        const ledger_row_t *row = &fold->row[i];
        if (strcmp(point ? row->point : row->package, name) == 0) {
            fold->row[i] = fold->row[--fold->count];
        }
    }
}

void
ledger_hears(ledger_t *ledger, uint64_t seq, const wire_value_t *message)
{
    ledger_row_t row = {.state = ""};
    wire_value_t attrs;

    ledger->fold.seq = seq;
    fold_removal(&ledger->fold, message);
    if (wire_find(message, "attrs", &attrs) &&
        text_in(message, "package", row.package, sizeof row.package) && *row.package &&
        text_in(message, "dp", row.point, sizeof row.point) && *row.point &&
        text_in(&attrs, "state", row.state, sizeof row.state)) {
        row.wanted = number_in(&attrs, "wanted");
        row.have = number_in(&attrs, "have");
        ledger_row_t *old = row_of(&ledger->fold, row.package, row.point);
        *(old ? old : next_row(&ledger->fold)) = row;
    }
    judge_copies(ledger);
}
