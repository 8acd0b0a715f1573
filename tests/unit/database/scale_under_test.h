/* scale_under_test.h - sites of many points, and what their statements cost.
 *
 * Promises steps of SQLite's machine are the same on every machine, whatever else it does.
 * Threads  one.
 */
#pragma once

#include "site_under_test.h"

#include <stdio.h>

static inline void
execute(site_t *site, const char *text)
{
    fault_t fault;
    cr_assert_eq(connection_execute(site->db, text, &fault), OK, "%s: %s", text,
                 sqlite3_errmsg(site->db->sql));
}

static inline uint64_t
counted(site_t *site, int what, bool walks_too)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < SQL_COUNT; i++) {
        sqlite3_stmt *statement = site->db->statement[i];
        bool counts = walks_too || strncmp(sql_symbol((sql_t) i), "SQL_ALL_", 8) != 0;
        if (statement != NULL && counts) {
            count += (uint64_t) sqlite3_stmt_status(statement, what, 1);
        }
    }
    return count;
}

/* Since it was asked last. */
static inline uint64_t
steps_of(site_t *site)
{
    return counted(site, SQLITE_STMTSTATUS_VM_STEP, true);
}

/* Rows that were come to by walking a table or an index from end to end, but for statements whose
 * answer is a table. */
static inline uint64_t
walked_by(site_t *site)
{
    return counted(site, SQLITE_STMTSTATUS_FULLSCAN_STEP, false);
}

/* P1, which is wanted nowhere, and DP00000 and so on. */
static inline site_t *
site_of_points(int count)
{
    site_t *site = site_start();
    package_is(site, "P1", 1);
    for (int i = 0; i < count; i++) {
        char name[16];
        snprintf(name, sizeof name, "DP%05d", i);
        make_point(site, true, name, i);
        add(site, &point_commit_type);
        if (site->count == 250 || i + 1 == count) {
            run(site);
        }
    }
    return site;
}
