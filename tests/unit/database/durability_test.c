/* durability_test.c - what is left of a site after a power cut, damage, a full disk, a second host.
 */
#include "site_under_test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/database/schema.h"

static err_t
opening(site_t *site, char text[512])
{
    fault_t fault = {.err = OK};
    err_t err = site_open(site, &fault);
    fault_text(&fault, text, 512);
    return err;
}

static void
overwrite(site_t *site, const char *path, uint64_t at, const char *bytes, size_t size)
{
    world_t *world = world_sim_job_new(site->sim, NULL, NULL);
    int fd = world_open(world, AT_FDCWD, path, O_RDWR | O_CREAT, 0600, 0);
    cr_assert_geq(fd, 0);
    cr_assert_eq(world_write(world, fd, bytes, size, at), (int64_t) size);
    cr_assert_eq(world_sync(world, fd), 0);
    world_close(world, fd);
    world_sim_job_destroy(&world);
}

static void
read_part(site_t *site, const char *path, uint64_t at, char *bytes, size_t size)
{
    world_t *world = world_sim_job_new(site->sim, NULL, NULL);
    int fd = world_open(world, AT_FDCWD, path, O_RDONLY, 0, 0);
    cr_assert_eq(world_read(world, fd, bytes, size, at), (int64_t) size);
    world_close(world, fd);
    world_sim_job_destroy(&world);
}

static void
cut_file(site_t *site, const char *path, uint64_t size)
{
    world_t *world = world_sim_job_new(site->sim, NULL, NULL);
    int fd = world_open(world, AT_FDCWD, path, O_RDWR, 0, 0);
    cr_assert_eq(world_truncate(world, fd, size), 0);
    world_close(world, fd);
    world_sim_job_destroy(&world);
}

static uint64_t
size_of(site_t *site, const char *path)
{
    world_stat_t stat;
    world_t *world = world_sim_job_new(site->sim, NULL, NULL);
    cr_assert_eq(world_stat_at(world, AT_FDCWD, path, &stat), 0);
    world_sim_job_destroy(&world);
    return stat.size;
}

static void
remove_file(site_t *site, const char *path)
{
    world_t *world = world_sim_job_new(site->sim, NULL, NULL);
    cr_assert_eq(world_remove(world, AT_FDCWD, path), 0);
    world_sim_job_destroy(&world);
}

/* ---- opening ---- */

Test(opening, the_second_host_on_one_data_directory_is_refused)
{
    char text[512];
    site_t *site = site_start();
    site_t *second = site_on(site->sim);
    cr_assert_eq(opening(second, text), ERR_LOCKED, "%s", text);
    site_close(second);
    package_is(site, "P1", 1);
    site_close(site);
    cr_assert_eq(opening(second, text), OK, "the lock ends with its host: %s", text);
    cr_assert_eq(package_shown_state(second, "P1"), PACKAGE_IDLE);
    cr_assert_eq(opening(site, text), ERR_LOCKED);
    site_close(second);
    second->sim = NULL;
    site_end(second);
    site_end(site);
}

Test(opening, a_lost_database_is_damage_and_never_a_silent_new_one)
{
    char text[512];
    site_t *site = site_start();
    package_is(site, "P1", 1);
    site_close(site);
    remove_file(site, "/data/site.db");
    cr_assert_eq(opening(site, text), ERR_DAMAGED, "%s", text);
    site_close(site);
    remove_file(site, "/data/reserve");
    cr_assert_eq(opening(site, text), ERR_DAMAGED, "its log is still there: %s", text);
    site_close(site);
    remove_file(site, "/data/site.db-wal");
    cr_assert_eq(opening(site, text), ERR_DAMAGED, "its mark is still there: %s", text);
    site_close(site);
    remove_file(site, "/data/site.mark");
    cr_assert_eq(opening(site, text), OK, "nothing is left of it: %s", text);
    site_end(site);
}

/* SQLite takes a log that was cut short for the log of an older site. */
Test(opening, a_log_that_was_cut_short_is_damage_and_never_an_older_site)
{
    char text[512];
    site_t *site = site_start();
    package_is(site, "P1", 1);
    for (int part = 1; part < 8; part++) {
        package_updated(site, "P1", 1 + part);
        site_close(site);
        uint64_t whole = size_of(site, "/data/site.db-wal");
        char *log = malloc(whole);
        read_part(site, "/data/site.db-wal", 0, log, whole);
        cut_file(site, "/data/site.db-wal", whole * (uint64_t) part / 8);
        cr_assert_eq(opening(site, text), ERR_DAMAGED, "%d of 8 parts are left: %s", part, text);
        site_close(site);
        overwrite(site, "/data/site.db-wal", 0, log, whole);
        cr_assert_eq(opening(site, text), OK, "put back: %s", text);
        free(log);
    }
    site_end(site);
}

Test(opening, a_mark_that_says_nothing_is_no_hindrance)
{
    char text[512];
    site_t *site = site_start();
    package_is(site, "P1", 1);
    site_close(site);
    overwrite(site, "/data/site.mark", 20, "xyz", 3);
    cr_assert_eq(opening(site, text), OK, "%s", text);
    cr_assert_eq(package_shown_state(site, "P1"), PACKAGE_IDLE);
    site_end(site);
}

Test(opening, an_emptied_database_beside_a_store_is_damage)
{
    char text[512];
    site_t *site = site_start();
    site_close(site);
    world_t *world = world_sim_job_new(site->sim, NULL, NULL);
    cr_assert_eq(world_make_dir(world, AT_FDCWD, "/data/store", 0700), 0);
    int fd = world_open(world, AT_FDCWD, "/data/site.db", O_RDWR, 0, 0);
    cr_assert_eq(world_truncate(world, fd, 0), 0);
    world_close(world, fd);
    world_sim_job_destroy(&world);
    remove_file(site, "/data/reserve");
    remove_file(site, "/data/site.db-wal");
    cr_assert_eq(opening(site, text), ERR_DAMAGED, "%s", text);
    site_end(site);
}

Test(opening, a_damaged_database_is_refused_with_what_to_do)
{
    char text[512];
    char rubbish[4096];
    memset(rubbish, 0x5a, sizeof rubbish);
    site_t *site = site_start();
    package_is(site, "P1", 1);
    cr_assert_eq(
        sqlite3_wal_checkpoint_v2(site->db->sql, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL),
        SQLITE_OK);
    site_close(site);
    for (uint64_t page = 1; page < 20; page++) {
        char whole[4096];
        read_part(site, "/data/site.db", page * 4096, whole, sizeof whole);
        overwrite(site, "/data/site.db", page * 4096, rubbish, sizeof rubbish);
        cr_assert_eq(opening(site, text), ERR_DAMAGED, "page %d: %s", (int) page, text);
        site_close(site);
        overwrite(site, "/data/site.db", page * 4096, whole, sizeof whole);
    }
    cr_assert_eq(opening(site, text), OK, "mended: %s", text);
    cr_assert_eq(package_shown_state(site, "P1"), PACKAGE_IDLE);
    cr_assert(strstr(err_hint(ERR_DAMAGED), "backup") != NULL);
    site_end(site);
}

Test(opening, a_newer_schema_is_refused_and_left_as_it_is)
{
    char text[512];
    fault_t fault;
    site_t *site = site_start();
    cr_assert_eq(connection_execute(site->db, "PRAGMA user_version = 99", &fault), OK);
    site_close(site);
    cr_assert_eq(opening(site, text), ERR_NEWER_SCHEMA, "%s", text);
    site_close(site);
    cr_assert_eq(opening(site, text), ERR_NEWER_SCHEMA);
    site_end(site);
}

#define STEPS_MAX 32u

Test(opening, an_older_schema_is_copied_and_then_changed_in_one_transaction)
{
    const char *step[STEPS_MAX] = {NULL};
    const int64_t now = schema_steps.count;
    cr_assert_lt(now + 2, STEPS_MAX);
    step[now] = "CREATE TABLE added (x);";
    step[now + 1] = "no such statement";
    const schema_steps_t next = {step, now + 1};
    const schema_steps_t broken = {step, now + 2};
    char copy[32];
    snprintf(copy, sizeof copy, "/data/site.db.v%lld", (long long) now);
    int64_t version = 0;
    fault_t fault;
    site_t *site = site_start();
    package_is(site, "P1", 1);
    cr_assert_neq(schema_migrate(site->db, &broken, &fault), OK);
    cr_assert_eq(schema_version(site->db, &version, &fault), OK);
    cr_assert_eq(version, now, "all or nothing");
    cr_assert_eq(schema_migrate(site->db, &next, &fault), OK);
    cr_assert_eq(schema_version(site->db, &version, &fault), OK);
    cr_assert_eq(version, now + 1);
    world_stat_t stat;
    cr_assert_eq(world_stat_at(site->world, AT_FDCWD, copy, &stat), 0);
    cr_assert_gt(stat.size, 4096u);
    cr_assert_eq(package_shown_state(site, "P1"), PACKAGE_IDLE);
    site_end(site);
}

Test(opening, the_reserve_is_there_before_it_is_needed)
{
    site_t *site = site_start();
    cr_assert_eq(size_of(site, "/data/reserve"), SITE_RESERVE_BYTES);
    cr_assert(!site->db->full);
    site_end(site);
}

/* ---- power cuts ---- */

#define GROUPS 6

/* Runs groups of two packages each until one fails; returns how many were accepted. */
static int
run_groups(site_t *site)
{
    int accepted = 0;
    for (int i = 0; i < GROUPS; i++) {
        char id[8] = {'P', (char) ('0' + i), 'a', '\0'};
        for (int part = 0; part < 2; part++) {
            id[2] = (char) ('a' + part);
            make_version(site, true, id, i + 1);
            add(site, &version_commit_type);
        }
        const group_answers_t *answers = run(site);
        if (ROW(answers, answers->answers, 0, group_answer_t)->number != MSG_package_done) {
            return accepted;
        }
        accepted++;
    }
    return accepted;
}

static int
packages_of_group(site_t *site, int group)
{
    int count = 0;
    for (int part = 0; part < 2; part++) {
        char id[8] = {'P', (char) ('0' + group), (char) ('a' + part), '\0'};
        status_t *m = MAKE(site, status);
        m->id = site_text(site, id);
        count += REFUSED(site, status) == OK;
    }
    return count;
}

static void
judge_cut(site_t *site, uint64_t cut, int accepted)
{
    char text[512];
    cr_assert_eq(opening(site, text), OK, "cut after %d operations: %s", (int) cut, text);
    for (int i = 0; i < GROUPS; i++) {
        int packages = packages_of_group(site, i);
        cr_assert(i >= accepted || packages == 2, "cut %d: accepted group %d has %d packages",
                  (int) cut, i, packages);
        cr_assert(packages == 0 || packages == 2, "cut %d: half of group %d", (int) cut, i);
    }
    package_is(site, "after", 1);
    site_close(site);
}

/* One run of the site, cut after so many changing operations; false when it came to its end. */
static bool
cut_once(uint64_t cut, uint64_t seed)
{
    char text[512];
    world_sim_options_t options = {.seed = seed, .wall_start_ns = WALL_START};
    site_t *site = site_on(world_sim_new(&options));
    world_sim_cut_after(site->sim, cut);
    int accepted = opening(site, text) == OK ? run_groups(site) : 0;
    bool was_cut = world_sim_is_cut(site->sim);
    world_sim_crash(site->sim);
    site_close(site);
    world_sim_cut_after(site->sim, 0);
    judge_cut(site, cut, accepted);
    site_end(site);
    return was_cut;
}

Test(power, what_was_accepted_is_committed_and_no_group_is_halved_cut_at_every_operation)
{
    uint64_t cut = 1;
    while (cut_once(cut, 1000 + cut)) {
        cut++;
    }
    cr_assert_gt(cut, 40u, "only %d cuts were made", (int) cut);
}

/* ---- a full disk ---- */

/* A data directory of its own size. */
static site_t *
small_site(void)
{
    char text[512];
    world_sim_options_t options = {.seed = 3, .wall_start_ns = WALL_START};
    site_t *site = site_on(world_sim_new(&options));
    world_t *world = world_sim_job_new(site->sim, NULL, NULL);
    cr_assert_eq(world_make_dir(world, AT_FDCWD, "/data", 0700), 0);
    world_sim_job_destroy(&world);
    world_sim_mount_t mount = {
        .path = "/data", .bytes_max = SITE_RESERVE_BYTES + (2u << 20), .inodes_max = 100};
    world_sim_mount(site->sim, &mount);
    cr_assert_eq(opening(site, text), OK, "%s", text);
    cr_assert(!site->db->full);
    return site;
}

/* Sets names of this size until one is refused, which is the last answer; how many were not. */
static int
fill_with(site_t *site, size_t size)
{
    char name[TEXT_BYTES_MAX];
    memset(name, 'x', sizeof name);
    for (int i = 0; i < 5000; i++) {
        package_set_t *m = MAKE(site, package_set);
        HEAD(site, m);
        m->id = site_text(site, "P1");
        name[0] = (char) ('a' + i % 26);
        m->name = draft_text(&site->message, (slice_t){name, size});
        err_t err = REFUSED(site, package_set);
        if (err != OK) {
            cr_assert_eq(err, ERR_SITE_FULL, "%s", err_word(err));
            return i;
        }
    }
    return -1;
}

/* Large changes first, then the smallest, so that nothing has room. */
static int
fill_disk(site_t *site)
{
    int large = fill_with(site, TEXT_BYTES_MAX), small = fill_with(site, 1);
    return large < 0 || small < 0 ? -1 : large + small;
}

Test(full, changes_are_refused_with_need_and_have_and_what_is_vital_is_done)
{
    site_t *site = small_site();
    package_is(site, "P1", 1);
    point_is(site, "DP1");
    point_is(site, "DP2");
    distributed(site, "P1", "DP1,DP2");
    due_row_t row = due_on(site, "DP1");
    begun(site, &row);
    cr_assert_gt(fill_disk(site), 0);
    cr_assert_eq(ANSWERED(site, 0, refusal)->need, SITE_RESERVE_BYTES);
    cr_assert_lt(ANSWERED(site, 0, refusal)->have, SITE_RESERVE_BYTES + (2u << 20));
    cr_assert_eq(shown(site, "P1", "DP1").state, TARGET_INSTALLING, "status answers");
    cr_assert_eq(size_of(site, "/data/reserve"), SITE_RESERVE_BYTES,
                 "it is not for ordinary changes");
    cr_assert_eq(outcome(site, &row, OK, TARGET_INSTALLED, 1, RECORD_NONE), OK);
    cr_assert(cancelled(site, "P1", "DP2"));
    cr_assert_eq(shown(site, "P1", "DP1").state, TARGET_INSTALLED);
    cr_assert_eq(shown(site, "P1", "DP2").state, TARGET_CANCELLED);
    site_end(site);
}

Test(full, a_group_of_both_kinds_is_answered_each_as_it_is)
{
    site_t *site = small_site();
    package_is(site, "P1", 1);
    point_is(site, "DP1");
    distributed(site, "P1", "DP1");
    cr_assert_gt(fill_disk(site), 0);
    make_version(site, true, "P2", 2);
    add(site, &version_commit_type);
    make_cancel(site, "P1", "DP1");
    add(site, &cancel_type);
    MAKE(site, package_list);
    add(site, &package_list_type);
    run(site);
    cr_assert_eq(ANSWERED(site, 0, refusal)->code, ERR_SITE_FULL);
    cr_assert(ANSWERED(site, 1, targets_changed)->changed);
    cr_assert_eq(ANSWERED(site, 2, packages)->packages.count, 1u);
    site_end(site);
}

Test(full, commands_work_again_by_themselves_when_there_is_space)
{
    site_t *site = small_site();
    package_is(site, "P1", 1);
    point_is(site, "DP1");
    distributed(site, "P1", "DP1");
    cr_assert_gt(fill_disk(site), 0);
    cr_assert(cancelled(site, "P1", "DP1"));
    world_sim_set_space(site->sim, "/data", SITE_RESERVE_BYTES + (20u << 20), 100);
    cr_assert(distributed(site, "P1", "DP1"));
    cr_assert(!site->db->full);
    cr_assert_eq(size_of(site, "/data/reserve"), SITE_RESERVE_BYTES, "it is made again");
    site_reopen(site);
    cr_assert_eq(shown(site, "P1", "DP1").state, TARGET_PENDING);
    site_end(site);
}

Test(faults, a_group_whose_commit_fails_is_refused_whole_and_the_site_goes_on)
{
    site_t *site = site_start();
    package_is(site, "P1", 1);
    point_is(site, "DP1");
    world_sim_fail(site->sim, "/data/site.db-wal", EIO);
    make_distribute(site, "P1", "DP1");
    add(site, &distribute_type);
    make_version(site, true, "P2", 2);
    add(site, &version_commit_type);
    const group_answers_t *answers = run(site);
    cr_assert_eq(answers->err, ERR_IO);
    cr_assert_eq(answers->last_event, 0u);
    cr_assert_eq(ANSWERED(site, 0, refusal)->code, ERR_IO);
    cr_assert_eq(ANSWERED(site, 1, refusal)->code, ERR_IO);
    world_sim_fail(site->sim, "/data/site.db-wal", 0);
    cr_assert(!shown(site, "P1", "DP1").there);
    cr_assert(distributed(site, "P1", "DP1"));
    package_is(site, "P2", 2);
    site_end(site);
}
