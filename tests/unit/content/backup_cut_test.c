/* backup_cut_test.c - what calls itself a backup is one, and what a host may start on was restored
 * whole, wherever the power goes; and every sync of both is needed.
 *
 * Shape    the simulated machine has a small data directory. One process makes a backup of it and
 *          a data directory of that, cut after every number of operations, with several fates of
 *          what was not synced. Then a checker looks at what is left. For every sync point alone,
 *          left out, it must find something.
 */
#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include "actors/content/backup.h"
#include "outage.h"

sync_point_t sync_mutant = SYNC_NONE;

#define FILES 4u

static const char *const names[FILES] = {"site.db", "keys/signing", "store/index/r1",
                                         "store/packs/p1"};
static const char *const bytes[FILES] = {"rows", "a secret", "a run of the index", "objects"};

/* What the process was told to be done. */
static bool backed_up, restored;

static void
make_data(run_t *run)
{
    static const char *const directories[] = {"/data/keys", "/data/store", "/data/store/index",
                                              "/data/store/packs"};
    boot(run);
    furnish(run);
    for (size_t i = 0; i < sizeof directories / sizeof directories[0]; i++) {
        cr_assert_eq(world_make_dir(&run->world, AT_FDCWD, directories[i], 0700), 0);
    }
    for (uint32_t i = 0; i < FILES; i++) {
        char path[64];
        snprintf(path, sizeof path, "/data/%s", names[i]);
        put_file(run, path, bytes[i]);
    }
    int fd = world_open(&run->world, AT_FDCWD, "/data", O_RDONLY | O_DIRECTORY, 0, 0);
    cr_assert_eq(world_sync_all(&run->world, fd), 0);
    world_close(&run->world, fd);
    shut(run);
}

/* As the job of the database does it: durable before it is told. */
static err_t
copy_database(run_t *run)
{
    put_file(run, "/backup/site.db", bytes[0]);
    int fd = world_open(&run->world, AT_FDCWD, "/backup/site.db", O_RDWR, 0, 0);
    int synced = fd < 0 ? fd : world_sync(&run->world, fd);
    if (fd >= 0) {
        world_close(&run->world, fd);
    }
    return synced < 0 ? ERR_IO : OK;
}

static err_t
work(run_t *run)
{
    const backup_about_t about = {.site = run->identity.site, .last_event = 7};
    backup_result_t result;
    TRY(backup_begin(&run->world, "/data", "/backup", false, NULL));
    TRY(copy_database(run));
    TRY(backup_fill(&run->world, "/data", "/backup", &about, NULL, NULL, &result, NULL));
    backed_up = true;
    TRY(backup_restore(&run->world, "/backup", "/restored", &result, NULL));
    restored = true;
    return OK;
}

static bool
holds(run_t *run, const char *root, uint32_t i)
{
    char path[64], found[32] = "";
    snprintf(path, sizeof path, "%s/%s", root, names[i]);
    int fd = world_open(&run->world, AT_FDCWD, path, O_RDONLY, 0, 0);
    int64_t got = fd < 0 ? fd : world_read(&run->world, fd, found, sizeof found - 1, 0);
    if (fd >= 0) {
        world_close(&run->world, fd);
    }
    return got >= 0 && strcmp(found, bytes[i]) == 0;
}

static void
check_all(run_t *run, const char *root, const char *blamed)
{
    for (uint32_t i = 0; i < FILES; i++) {
        if (!holds(run, root, i)) {
            blame(run, blamed, OK);
        }
    }
}

static void
check_backup(run_t *run)
{
    world_stat_t stat;
    bool named = world_stat_at(&run->world, AT_FDCWD, "/backup/backup", &stat) == 0;
    if (named) {
        check_all(run, "/backup", "what calls itself a backup lacks something");
    } else if (backed_up) {
        blame(run, "a backup that was told is not one", OK);
    }
}

static void
check_restored(run_t *run)
{
    id128_t restore;
    err_t err = backup_restored(&run->world, "/restored", &restore, NULL);
    bool whole = err == OK && !id128_is_none(&restore);
    if (whole) {
        check_all(run, "/restored", "what a host may start on lacks something");
    } else if (restored) {
        blame(run, "what was told to be restored is not", err);
    } else if (err != OK && err != ERR_HALF_RESTORED) {
        blame(run, "what is half restored cannot be told from a damage", err);
    }
}

static void
cut_run(run_t *run, uint64_t operations, sync_point_t mutant, bool *ret_ended)
{
    backed_up = restored = false;
    make_data(run);
    sync_mutant = mutant;
    boot(run);
    world_sim_cut_after(run->sim, operations);
    err_t err = work(run);
    *ret_ended = !world_sim_is_cut(run->sim);
    if (err != OK && *ret_ended) {
        blame(run, "work that nobody cut failed", err);
    }
    world_sim_crash(run->sim);
    shut(run);
    sync_mutant = SYNC_NONE;
    boot(run);
    check_backup(run);
    check_restored(run);
    shut(run);
    check_open(run);
}

Test(backup_cut, what_calls_itself_a_backup_or_a_restored_site_is_whole)
{
    tally_t tally = {0};
    cut_everywhere(cut_run, SYNC_NONE, false, 12, &tally);
    cr_expect(tally.lost || tally.cuts * CUT_EACH >= 800, "only %llu cuts",
              (unsigned long long) tally.cuts);
    cr_expect(!tally.lost, "%s", tally.what);
}

Test(backup_cut, without_any_one_sync_a_backup_is_none)
{
    static const struct {
        sync_point_t point;
        const char *name;
    } of[] = {{SYNC_BACKUP_DATA, "SYNC_BACKUP_DATA"}, {SYNC_BACKUP_NAMES, "SYNC_BACKUP_NAMES"}};
    if (CUT_EACH > 1) {
        cr_skip_test("the plain build shows it");
    }
    for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
        tally_t tally = {0};
        cut_everywhere(cut_run, of[i].point, false, 40, &tally);
        cr_expect(tally.lost, "without %s nothing is lost in %llu cuts", of[i].name,
                  (unsigned long long) tally.cuts);
    }
}
