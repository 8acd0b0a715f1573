/* commands_test.c - what many commands of one transaction cost, and that they are each whole.
 *
 * Counted, and not timed: rows, statements, and changes of the disk. */
#include "site_under_test.h"

#include <stdio.h>

#include "actors/database/events.h"
#include "actors/database/transaction.h"

static void
execute(site_t *site, const char *text)
{
    fault_t fault;
    cr_assert_eq(connection_execute(site->db, text, &fault), OK, "%s: %s", text,
                 sqlite3_errmsg(site->db->sql));
}

/* P1 and P2; DP1 and DP3, and DP2, which is being removed. */
static site_t *
site_with_one_leaving(void)
{
    site_t *site = site_start();
    package_is(site, "P1", 1);
    package_is(site, "P2", 2);
    point_is(site, "DP1");
    point_is(site, "DP2");
    point_is(site, "DP3");
    execute(site, "UPDATE point SET removing = 1 WHERE name = 'DP2'");
    return site;
}

static void
add_distribute(site_t *site, const char *id, const char *to)
{
    make_distribute(site, id, to);
    add(site, &distribute_type);
}

static int
runs_of(site_t *site, sql_t which)
{
    sqlite3_stmt *statement = site->db->statement[which];
    return statement == NULL ? 0 : sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_RUN, 1);
}

/* ---- each whole ---- */

Test(commands, one_that_is_refused_after_it_changed_something_is_taken_back_and_no_other)
{
    site_t *site = site_with_one_leaving();
    uint64_t accepted = events_of(site, STATUS_COMMAND_ACCEPTED);
    uint64_t pending = events_of(site, STATUS_TARGET_PENDING);
    add_distribute(site, "P2", "DP1");
    site->key = "k1";
    add_distribute(site, "P1", "DP1,DP2"); /* DP1 has its target when DP2 is met */
    site->key = NULL;
    add_distribute(site, "P1", "DP3");
    run(site);
    cr_assert(ANSWERED(site, 0, targets_changed)->changed);
    cr_assert_eq(ANSWERED(site, 1, refusal)->code, ERR_BUSY);
    cr_assert(ANSWERED(site, 2, targets_changed)->changed);
    cr_assert(shown(site, "P2", "DP1").there);
    cr_assert(!shown(site, "P1", "DP1").there, "half of what was refused is done");
    cr_assert(shown(site, "P1", "DP3").there);
    cr_assert_eq(events_of(site, STATUS_COMMAND_ACCEPTED), accepted + 2);
    cr_assert_eq(events_of(site, STATUS_TARGET_PENDING), pending + 2);
    site->key = "k1";
    cr_assert(distributed(site, "P1", "DP1"), "its key was not used up");
    site_end(site);
}

Test(commands, what_a_group_counts_is_counted_once_though_it_is_run_again)
{
    site_t *site = site_with_one_leaving();
    for (uint32_t i = 0; i < EVENTS_ALIKE_MAX; i++) {
        note_event_t *m = MAKE(site, note_event);
        m->component = site_text(site, "tester");
        m->id = STATUS_ALARM_RAISED;
        m->text = site_text(site, "it rings");
        add(site, &note_event_type);
        add_distribute(site, "P1", "DP1,DP2");
        run(site);
        cr_assert(ANSWERED(site, 0, done)->changed, "number %u of a minute is held back", i + 1);
    }
    site_end(site);
}

/* ---- a package's state, remembered ---- */

Test(commands, a_package_that_begins_and_ends_in_one_group_is_told_each_time)
{
    site_t *site = site_with_one_leaving();
    uint64_t before = events_of(site, STATUS_PACKAGE_PROCESSING);
    add_distribute(site, "P1", "DP1");
    make_cancel(site, "P1", NULL);
    add(site, &cancel_type);
    make_retry(site, "P1", NULL);
    add(site, &retry_type);
    add_distribute(site, "P1", "DP3");
    run(site);
    cr_assert(ANSWERED(site, 3, targets_changed)->changed);
    cr_assert_eq(events_of(site, STATUS_PACKAGE_PROCESSING), before + 2);
    site_end(site);
}

Test(commands, what_a_dry_run_would_make_of_a_package_is_not_remembered)
{
    site_t *site = site_with_one_leaving();
    uint64_t before = events_of(site, STATUS_PACKAGE_PROCESSING);
    site->dry_run = true;
    add_distribute(site, "P1", "DP1");
    site->dry_run = false;
    add_distribute(site, "P1", "DP3");
    run(site);
    cr_assert(ANSWERED(site, 1, targets_changed)->changed);
    cr_assert_eq(events_of(site, STATUS_PACKAGE_PROCESSING), before + 1);
    cr_assert(!shown(site, "P1", "DP1").there);
    site_end(site);
}

Test(commands, a_package_that_was_seen_active_is_looked_at_again_after_a_further_change)
{
    site_t *site = site_with_one_leaving();
    tx_t tx = {.db = site->db};
    tx_watch_package(&tx, 1);
    tx_is_active(&tx, 1);
    cr_assert(tx.watched[0].active);
    tx_watch_package(&tx, 1);
    cr_assert_eq(tx.watched_count, 1u);
    cr_assert(!tx.watched[0].active);
    tx_release(&tx);
    site_end(site);
}

/* ---- what one costs ---- */

Test(commands, a_new_target_is_written_once_with_its_two_events_and_its_answer)
{
    site_t *site = site_with_one_leaving();
    cr_assert(distributed(site, "P1", "DP3"));
    (void) runs_of(site, SQL_SAVEPOINT);
    (void) runs_of(site, SQL_PACKAGE_STATE);
    int64_t rows = sqlite3_total_changes64(site->db->sql);
    site->key = "k1";
    add_distribute(site, "P1", "DP1");
    site->key = "k2";
    add_distribute(site, "P2", "DP3");
    site->key = "k3";
    add_distribute(site, "P2", "DP1");
    uint64_t disk = world_sim_operation_count(site->sim);
    run(site);
    disk = world_sim_operation_count(site->sim) - disk;
    cr_assert(ANSWERED(site, 2, targets_changed)->changed);
    cr_expect_eq(sqlite3_total_changes64(site->db->sql) - rows, 3 * 4 + 1, "and P2 is active");
    cr_expect_eq(runs_of(site, SQL_SAVEPOINT), 0);
    cr_expect_eq(runs_of(site, SQL_PACKAGE_STATE), 2, "of each package before its first");
    cr_expect_leq(disk, 11u, "a call for each page, the sync, and the mark: %u", (unsigned) disk);
    site_end(site);
}

/* ---- the indexes that a target pays for ---- */

#define WITH_ALL_INDEXES 20 /* the last version of the schema that had them */

static int
indexes_of_targets(site_t *site)
{
    sqlite3_stmt *count = NULL;
    cr_assert_eq(sqlite3_prepare_v2(site->db->sql,
                                    "SELECT count(*) FROM sqlite_master WHERE type = 'index' "
                                    "AND tbl_name = 'target'",
                                    -1, &count, NULL),
                 SQLITE_OK);
    cr_assert_eq(sqlite3_step(count), SQLITE_ROW);
    int found = sqlite3_column_int(count, 0);
    sqlite3_finalize(count);
    return found;
}

Test(commands, the_indexes_that_nobody_goes_by_leave_an_older_database)
{
    site_t *site = two_points();
    char version[64];
    int known = indexes_of_targets(site);
    execute(site, "CREATE INDEX target_package ON target (package);"
                  "CREATE INDEX target_wanted ON target (package, wanted);"
                  "CREATE INDEX target_have ON target (package, have);"
                  "ALTER TABLE package DROP COLUMN links_inside;" /* what came after */
                  "ALTER TABLE point DROP COLUMN read_only");
    snprintf(version, sizeof version, "PRAGMA user_version = %d", WITH_ALL_INDEXES);
    execute(site, version);
    site_reopen(site);
    cr_assert_eq(indexes_of_targets(site), known);
    cr_assert_eq(shown(site, "P1", "DP1").state, TARGET_PENDING);
    cr_assert(withdrawn(site, "P1", NULL));
    cr_assert_eq(shown(site, "P1", "DP2").state, TARGET_REMOVING);
    site_end(site);
}
