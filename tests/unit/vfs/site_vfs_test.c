/* site_vfs_test.c - SQLite on both worlds: what was committed is there after a power cut, and
 * nothing else; and a machine that only pretends to sync is found out by the same judge. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "actors/database/site_vfs.h"
#include "runtime/world_os.h"
#include "runtime/world_sim.h"

#define TRANSACTIONS 200
#define CUTS         120 /* power cuts, spread over the run */

typedef struct base {
    site_vfs_t *vfs;
    sqlite3 *db;
} base_t;

static int
execute(sqlite3 *db, const char *sql)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

/* Opens the database at path as the site does; the checkpoint comes early, to be cut too. */
static int
base_open(base_t *base, world_t *world, const char *path)
{
    static const char *const wishes[] = {
        "PRAGMA locking_mode=EXCLUSIVE",
        "PRAGMA temp_store=MEMORY",
        "PRAGMA journal_mode=WAL",
        "PRAGMA synchronous=FULL",
        "PRAGMA wal_autocheckpoint=16",
        "CREATE TABLE IF NOT EXISTS row(id INTEGER PRIMARY KEY, text TEXT NOT NULL)",
    };
    sqlite3_randomness(0, NULL);
    *base = (base_t){.vfs = site_vfs_new(1)};
    cr_assert_not_null(base->vfs);
    site_vfs_set_world(base->vfs, world);
    int code = sqlite3_open_v2(path, &base->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                               site_vfs_name(base->vfs));
    for (size_t i = 0; code == SQLITE_OK && i < sizeof wishes / sizeof wishes[0]; i++) {
        code = execute(base->db, wishes[i]);
    }
    return code;
}

static void
base_close(base_t *base)
{
    cr_assert_eq(sqlite3_close(base->db), SQLITE_OK);
    site_vfs_destroy(&base->vfs);
}

/* Commits rows until one fails; returns how many were. */
static int
commit_rows(const base_t *base, int from, int count)
{
    char sql[160];
    for (int i = from; i < from + count; i++) {
        snprintf(sql, sizeof sql,
                 "BEGIN; INSERT INTO row VALUES(%d, hex(zeroblob(%d))); "
                 "UPDATE row SET text = text || '.' WHERE id = %d / 2; COMMIT",
                 i, 20 + i * 37 % 900, i);
        if (execute(base->db, sql) != SQLITE_OK) {
            return i - from;
        }
    }
    return count;
}

static int
first_number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int number = -1;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        number = sqlite3_column_int(statement, 0);
    }
    sqlite3_finalize(statement);
    return number;
}

static bool
is_whole(sqlite3 *db)
{
    sqlite3_stmt *statement = NULL;
    bool whole =
        sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW &&
        strcmp((const char *) sqlite3_column_text(statement, 0), "ok") == 0;
    sqlite3_finalize(statement);
    return whole;
}

/* Rows 1 to n, each changed as often as its later rows say; n is what was committed, or one more:
 * the commit that the cut fell into. */
static bool
is_as_committed(const base_t *base, int committed)
{
    int rows = first_number(base->db, "SELECT count(*) FROM row");
    int last = first_number(base->db, "SELECT coalesce(max(id), 0) FROM row");
    int dots = first_number(base->db,
                            "SELECT coalesce(sum(length(text) - length(replace(text, '.', ''))), "
                            "0) FROM row");
    int due = rows > 0 ? rows - 1 : 0; /* row 1 has none before it to change */
    return is_whole(base->db) && rows == last && dots == due &&
           (rows == committed || rows == committed + 1);
}

static void
claims_of_a_database(world_t *world, const char *path)
{
    base_t base;
    cr_assert_eq(base_open(&base, world, path), SQLITE_OK, "%s", sqlite3_errmsg(base.db));
    cr_expect_eq(commit_rows(&base, 1, TRANSACTIONS), TRANSACTIONS);
    cr_expect_eq(is_as_committed(&base, TRANSACTIONS), true);
    base_t other = {.vfs = site_vfs_new(2)};
    site_vfs_set_world(other.vfs, world);
    cr_assert_eq(sqlite3_open_v2(path, &other.db, SQLITE_OPEN_READWRITE, site_vfs_name(other.vfs)),
                 SQLITE_OK);
    cr_expect_eq(execute(other.db, "SELECT * FROM row"), SQLITE_BUSY);
    base_close(&other);
    base_close(&base);
    cr_assert_eq(base_open(&base, world, path), SQLITE_OK);
    cr_expect_eq(is_as_committed(&base, TRANSACTIONS), true);
    base_close(&base);
}

Test(site_vfs, carries_a_database_on_the_real_machine)
{
    const char *tmp = getenv("TMPDIR");
    char path[256], file[300];
    snprintf(path, sizeof path, "%s/despool-vfs-XXXXXX", tmp == NULL ? "/tmp" : tmp);
    cr_assert_not_null(mkdtemp(path));
    snprintf(file, sizeof file, "%s/site.db", path);
    world_os_t os;
    claims_of_a_database(world_os_init(&os, NULL), file);
    snprintf(file, sizeof file, "rm -rf '%s'", path);
    cr_assert_eq(system(file), 0);
}

Test(site_vfs, carries_a_database_on_the_simulated_machine)
{
    world_sim_t *sim = world_sim_new(&(world_sim_options_t){.seed = 3});
    world_t *world = world_sim_job_new(sim, NULL, NULL);
    claims_of_a_database(world, "/site.db");
    cr_expect_eq(world_sim_open_count(sim), 0u, "descriptors leaked");
    world_sim_job_destroy(&world);
    world_sim_destroy(&sim);
}

static int
no_sync(world_t *world, int fd)
{
    (void) world;
    (void) fd;
    return 0;
}

/* Runs until the machine has made that many changes (0: to the end), cuts the power, and judges
 * what the next boot finds. Returns whether it was right; *ret_changes is how many changes were
 * made. */
static bool
survives_cut(uint64_t seed, uint64_t cut_after, bool pretends, uint64_t *ret_changes)
{
    world_sim_t *sim = world_sim_new(&(world_sim_options_t){.seed = seed});
    world_t *job = world_sim_job_new(sim, NULL, NULL);
    world_calls_t calls = *job->call;
    if (pretends) {
        calls.sync = calls.sync_data = no_sync;
    }
    world_t world = {.call = &calls, .self = job->self};
    world_sim_cut_after(sim, cut_after);
    base_t base;
    int committed = 0;
    if (base_open(&base, &world, "/site.db") == SQLITE_OK) {
        committed = commit_rows(&base, 1, TRANSACTIONS);
    }
    *ret_changes = world_sim_operation_count(sim);
    world_sim_crash(sim);
    base_close(&base);
    world_sim_job_destroy(&job);
    job = world_sim_job_new(sim, NULL, NULL);
    bool right = base_open(&base, job, "/site.db") == SQLITE_OK &&
                 is_as_committed(&base, committed) && commit_rows(&base, 1000, 1) == 1;
    base_close(&base);
    world_sim_job_destroy(&job);
    world_sim_destroy(&sim);
    return right;
}

static int
cuts_not_survived(bool pretends)
{
    uint64_t all = 0;
    int wrong = 0;
    survives_cut(0, 0, pretends, &all);
    for (uint64_t i = 0; i < CUTS; i++) {
        uint64_t changes = 0;
        /* The first changes one by one, then spread evenly. */
        uint64_t at = i < CUTS / 4 ? i + 1 : 1 + i * all / CUTS;
        wrong += !survives_cut(i, at, pretends, &changes);
    }
    return wrong;
}

Test(site_vfs, keeps_exactly_what_was_committed_over_power_cuts)
{
    int wrong = cuts_not_survived(false);
    cr_expect_eq(wrong, 0, "%d of %d cuts lost or invented something", wrong, CUTS);
}

Test(site_vfs, is_found_out_when_its_syncs_do_nothing)
{
    int wrong = cuts_not_survived(true);
    cr_expect_gt(wrong, CUTS / 10, "only %d of %d cuts showed it", wrong, CUTS);
}

Test(site_vfs, tells_a_full_disk_as_full_and_goes_on_when_there_is_space)
{
    world_sim_t *sim = world_sim_new(&(world_sim_options_t){.seed = 3});
    world_t *world = world_sim_job_new(sim, NULL, NULL);
    base_t base;
    cr_assert_eq(base_open(&base, world, "/site.db"), SQLITE_OK);
    int committed = commit_rows(&base, 1, 5);
    world_sim_set_space(sim, "/", 1, UINT64_MAX);
    committed += commit_rows(&base, committed + 1, 100);
    cr_expect_lt(committed, 105);
    cr_expect_eq(sqlite3_errcode(base.db), SQLITE_FULL, "%s", sqlite3_errmsg(base.db));
    cr_expect_eq(site_vfs_last_os_error(base.vfs), ENOSPC);
    execute(base.db, "ROLLBACK");
    world_sim_set_space(sim, "/", 1 << 30, UINT64_MAX);
    cr_expect_eq(commit_rows(&base, committed + 1, 5), 5, "%s", sqlite3_errmsg(base.db));
    cr_expect_eq(is_as_committed(&base, committed + 5), true);
    base_close(&base);
    world_sim_job_destroy(&world);
    world_sim_destroy(&sim);
}

Test(site_vfs, outlives_the_job_and_ends_with_a_cancelled_one)
{
    world_sim_t *sim = world_sim_new(&(world_sim_options_t){.seed = 3});
    world_t *one = world_sim_job_new(sim, NULL, NULL);
    base_t base;
    cr_assert_eq(base_open(&base, one, "/site.db"), SQLITE_OK);
    cr_expect_eq(commit_rows(&base, 1, 1), 1);
    world_sim_job_destroy(&one);
    world_t *two = world_sim_job_new(sim, NULL, NULL);
    site_vfs_set_world(base.vfs, two);
    cr_expect_eq(commit_rows(&base, 2, 1), 1);
    world_sim_job_cancel(two);
    cr_expect_eq(commit_rows(&base, 3, 1), 0);
    cr_expect_eq(sqlite3_errcode(base.db), SQLITE_IOERR);
    cr_expect_eq(site_vfs_last_os_error(base.vfs), ECANCELED);
    execute(base.db, "ROLLBACK");
    world_t *three = world_sim_job_new(sim, NULL, NULL);
    site_vfs_set_world(base.vfs, three);
    cr_expect_eq(site_vfs_last_os_error(base.vfs), 0);
    cr_expect_eq(commit_rows(&base, 3, 1), 1);
    cr_expect_eq(is_as_committed(&base, 3), true);
    base_close(&base);
    world_sim_job_destroy(&two);
    world_sim_job_destroy(&three);
    world_sim_destroy(&sim);
}
