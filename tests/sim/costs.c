/* costs.c - see costs.h. When a statement begins, its counters have what its run before took. */
#include "tests/sim/costs.h"

#include <sqlite3.h>
#include <stdint.h>
#include <string.h>

#define KNOWN_MAX 4096u

static cost_t costs[SQL_COUNT];
static struct {
    sqlite3_stmt *statement;
    sql_t which; /* SQL_COUNT: none of the site's */
} known[KNOWN_MAX];

static sql_t
which_of(sqlite3_stmt *statement)
{
    size_t at = ((uintptr_t) statement >> 4) % KNOWN_MAX;
    const char *text = sqlite3_sql(statement);
    sql_t which = known[at].which;

    if (known[at].statement == statement &&
        (which == SQL_COUNT || strcmp(sql_text(which), text) == 0)) {
        return which;
    }
    for (which = 0; which < SQL_COUNT && strcmp(sql_text(which), text) != 0; which++) {
    }
    known[at].statement = statement;
    known[at].which = which;
    return which;
}

static int
begins(unsigned what, void *context, void *p, void *x)
{
    sqlite3_stmt *statement = p;
    sql_t which = what == SQLITE_TRACE_STMT ? which_of(statement) : SQL_COUNT;

    (void) context;
    (void) x;
    if (which < SQL_COUNT) {
        uint64_t steps = (uint64_t) sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_VM_STEP, 1);
        cost_t *cost = &costs[which];
        cost->runs++;
        cost->steps += steps;
        cost->most = steps > cost->most ? steps : cost->most;
        cost->walked +=
            (uint64_t) sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_FULLSCAN_STEP, 1);
    }
    return 0;
}

static int
opened(sqlite3 *database, const char **ret_text, const void *api)
{
    (void) ret_text;
    (void) api;
    return sqlite3_trace_v2(database, SQLITE_TRACE_STMT, begins, NULL);
}

void
costs_begin(void)
{
    (void) sqlite3_auto_extension((void (*)(void)) opened);
}

const cost_t *
costs_of(sql_t which)
{
    return &costs[which];
}

cost_t
costs_sum(void)
{
    cost_t sum = {0};

    for (sql_t which = 0; which < SQL_COUNT; which++) {
        sum.runs += costs[which].runs;
        sum.steps += costs[which].steps;
        sum.walked += strncmp(sql_symbol(which), "SQL_ALL_", 8) == 0 ? 0 : costs[which].walked;
    }
    return sum;
}
