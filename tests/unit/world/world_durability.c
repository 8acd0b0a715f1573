/* world_durability.c - what a power cut takes from the simulated disk, and what it must leave. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include "runtime/world_sim.h"

#define EVERYTHING UINT64_MAX
#define NOTHING    UINT64_C(0)

typedef struct rig {
    world_sim_t *sim;
    world_t *w;
} rig_t;

static rig_t
rig_new(uint64_t seed)
{
    rig_t rig = {.sim = world_sim_new(&(world_sim_options_t){.seed = seed})};
    rig.w = world_sim_job_new(rig.sim, NULL, NULL);
    return rig;
}

static void
rig_end(rig_t *rig)
{
    world_sim_job_destroy(&rig->w);
    world_sim_destroy(&rig->sim);
}

static void
next_boot(rig_t *rig)
{
    world_sim_job_destroy(&rig->w);
    rig->w = world_sim_job_new(rig->sim, NULL, NULL);
}

static void
cut_keeping(rig_t *rig, uint64_t keep)
{
    world_sim_crash_keeping(rig->sim, keep);
    next_boot(rig);
}

static int
open_new(const rig_t *rig, const char *path)
{
    int fd = world_open(rig->w, AT_FDCWD, path, O_RDWR | O_CREAT | O_EXCL, 0644, 0);
    cr_assert_geq(fd, 0, "cannot create %s: %d", path, fd);
    return fd;
}

static int
put(const rig_t *rig, const char *path, const char *text)
{
    int fd = open_new(rig, path);
    cr_assert_eq(world_write(rig->w, fd, text, strlen(text), 0), (int64_t) strlen(text));
    return fd;
}

static void
sync_dir(const rig_t *rig, const char *path)
{
    int fd = world_open(rig->w, AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0, 0);
    cr_assert_eq(world_sync(rig->w, fd), 0);
    cr_assert_eq(world_close(rig->w, fd), 0);
}

static void
expect_text(const rig_t *rig, const char *path, const char *text)
{
    char got[256] = "";
    int fd = world_open(rig->w, AT_FDCWD, path, O_RDONLY, 0, 0);
    cr_assert_geq(fd, 0, "%s: expected '%s', got error %d", path, text, fd);
    cr_assert_geq(world_read(rig->w, fd, got, sizeof got - 1, 0), 0);
    cr_expect_str_eq(got, text, "%s: expected '%s', got '%s'", path, text, got);
    cr_assert_eq(world_close(rig->w, fd), 0);
}

static bool
is_there(const rig_t *rig, const char *path)
{
    world_stat_t stat;
    int result = world_stat_at(rig->w, AT_FDCWD, path, &stat);
    cr_assert(result == 0 || result == -ENOENT, "%s: %d", path, result);
    return result == 0;
}

Test(power_cut, loses_what_was_not_synced)
{
    rig_t rig = rig_new(1);
    put(&rig, "/f", "text");
    cr_expect_eq(world_sim_unsynced_count(rig.sim), 2u);
    cut_keeping(&rig, NOTHING);
    cr_expect_not(is_there(&rig, "/f"));
    cr_expect_eq(world_sim_open_count(rig.sim), 0u);
    rig_end(&rig);
}

Test(power_cut, leaves_a_file_whose_bytes_and_name_were_synced)
{
    rig_t rig = rig_new(1);
    int fd = put(&rig, "/f", "text");
    cr_assert_eq(world_sync(rig.w, fd), 0);
    sync_dir(&rig, "/");
    cr_expect_eq(world_sim_unsynced_count(rig.sim), 0u);
    cut_keeping(&rig, NOTHING);
    expect_text(&rig, "/f", "text");
    rig_end(&rig);
}

Test(power_cut, loses_the_name_of_a_synced_file_whose_directory_was_not)
{
    rig_t rig = rig_new(1);
    int fd = put(&rig, "/f", "text");
    cr_assert_eq(world_sync(rig.w, fd), 0);
    cut_keeping(&rig, NOTHING);
    cr_expect_not(is_there(&rig, "/f"));
    rig_end(&rig);
}

Test(power_cut, leaves_an_empty_file_where_only_the_name_was_synced)
{
    rig_t rig = rig_new(1);
    put(&rig, "/f", "text");
    sync_dir(&rig, "/");
    cut_keeping(&rig, NOTHING);
    expect_text(&rig, "/f", "");
    rig_end(&rig);
}

Test(power_cut, takes_back_a_rename_until_the_directory_it_went_to_is_synced)
{
    for (int synced = 0; synced < 3; synced++) {
        rig_t rig = rig_new(1);
        cr_assert_eq(world_make_dir(rig.w, AT_FDCWD, "/a", 0755), 0);
        cr_assert_eq(world_make_dir(rig.w, AT_FDCWD, "/b", 0755), 0);
        int fd = put(&rig, "/a/f", "text");
        cr_assert_eq(world_sync_all(rig.w, fd), 0);
        cr_assert_eq(world_rename(rig.w, AT_FDCWD, "/a/f", AT_FDCWD, "/b/f"), 0);
        if (synced > 0) {
            sync_dir(&rig, synced == 1 ? "/a" : "/b");
        }
        cut_keeping(&rig, NOTHING);
        cr_expect_eq(is_there(&rig, "/a/f"), synced < 2, "synced %d", synced);
        cr_expect_eq(is_there(&rig, "/b/f"), synced == 2, "synced %d", synced);
        rig_end(&rig);
    }
}

Test(power_cut, never_shows_a_renamed_file_twice_or_not_at_all)
{
    for (uint64_t seed = 0; seed < 200; seed++) {
        rig_t rig = rig_new(seed);
        int fd = put(&rig, "/f", "text");
        cr_assert_eq(world_sync_all(rig.w, fd), 0);
        cr_assert_eq(world_rename(rig.w, AT_FDCWD, "/f", AT_FDCWD, "/g"), 0);
        cr_assert_eq(world_rename(rig.w, AT_FDCWD, "/g", AT_FDCWD, "/h"), 0);
        world_sim_crash(rig.sim);
        next_boot(&rig);
        int there = is_there(&rig, "/f") + is_there(&rig, "/g") + is_there(&rig, "/h");
        cr_expect_eq(there, 1, "seed %d: %d names", (int) seed, there);
        rig_end(&rig);
    }
}

Test(power_cut, after_a_replacing_rename_shows_the_old_or_the_new_file_whole)
{
    int old = 0, new = 0;
    for (uint64_t seed = 0; seed < 100; seed++) {
        rig_t rig = rig_new(seed);
        int fd = put(&rig, "/f", "old");
        cr_assert_eq(world_sync_all(rig.w, fd), 0);
        fd = put(&rig, "/t", "new");
        cr_assert_eq(world_sync(rig.w, fd), 0);
        cr_assert_eq(world_rename(rig.w, AT_FDCWD, "/t", AT_FDCWD, "/f"), 0);
        world_sim_crash(rig.sim);
        next_boot(&rig);
        char got[4] = "";
        fd = world_open(rig.w, AT_FDCWD, "/f", O_RDONLY, 0, 0);
        cr_assert_eq(world_read(rig.w, fd, got, 3, 0), 3);
        old += strcmp(got, "old") == 0;
        new += strcmp(got, "new") == 0;
        rig_end(&rig);
    }
    cr_expect_eq(old + new, 100, "%d old, %d new", old, new);
    cr_expect(old > 0 && new > 0, "%d old, %d new", old, new);
}

Test(power_cut, keeps_names_independently_of_their_order)
{
    rig_t rig = rig_new(1);
    open_new(&rig, "/first");
    open_new(&rig, "/second");
    cut_keeping(&rig, 2);
    cr_expect_not(is_there(&rig, "/first"));
    cr_expect_eq(is_there(&rig, "/second"), true);
    rig_end(&rig);
}

Test(power_cut, brings_a_removed_file_back_until_its_directory_is_synced)
{
    for (int synced = 0; synced < 2; synced++) {
        rig_t rig = rig_new(1);
        int fd = put(&rig, "/f", "text");
        cr_assert_eq(world_sync_all(rig.w, fd), 0);
        cr_assert_eq(world_close(rig.w, fd), 0);
        cr_assert_eq(world_remove(rig.w, AT_FDCWD, "/f"), 0);
        if (synced == 1) {
            sync_dir(&rig, "/");
        }
        cut_keeping(&rig, NOTHING);
        cr_expect_eq(is_there(&rig, "/f"), synced == 0);
        if (synced == 0) {
            expect_text(&rig, "/f", "text");
        }
        rig_end(&rig);
    }
}

Test(power_cut, takes_back_modes_and_times_that_a_data_sync_did_not_cover)
{
    rig_t rig = rig_new(1);
    int fd = put(&rig, "/f", "text");
    cr_assert_eq(world_sync_all(rig.w, fd), 0);
    cr_assert_eq(world_write(rig.w, fd, "TEXT", 4, 0), 4);
    cr_assert_eq(world_chmod(rig.w, fd, 0600), 0);
    cr_assert_eq(world_set_mtime(rig.w, AT_FDCWD, "/f", 55), 0);
    cr_assert_eq(world_sync_data(rig.w, fd), 0);
    cut_keeping(&rig, NOTHING);
    world_stat_t stat;
    expect_text(&rig, "/f", "TEXT");
    cr_assert_eq(world_stat_at(rig.w, AT_FDCWD, "/f", &stat), 0);
    cr_expect_eq(stat.mode & 07777, 0644u, "mode is %o", stat.mode);
    cr_expect_neq(stat.mtime_ns, 55);
    rig_end(&rig);
}

Test(power_cut, tears_a_write_between_sectors_and_nowhere_else)
{
    int torn = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        rig_t rig = rig_new(seed);
        int fd = open_new(&rig, "/f");
        cr_assert_eq(world_truncate(rig.w, fd, 4096), 0);
        cr_assert_eq(world_sync_all(rig.w, fd), 0);
        char ones[4096], got[4096];
        memset(ones, 1, sizeof ones);
        cr_assert_eq(world_write(rig.w, fd, ones, sizeof ones, 0), 4096);
        world_sim_crash(rig.sim);
        next_boot(&rig);
        fd = world_open(rig.w, AT_FDCWD, "/f", O_RDONLY, 0, 0);
        cr_assert_eq(world_read(rig.w, fd, got, sizeof got, 0), 4096);
        size_t kept = 0;
        for (size_t at = 0; at < sizeof got; at += 512) {
            cr_assert_eq(memcmp(got + at, got + at + 1, 511), 0, "torn inside a sector");
            kept += got[at] == 1;
        }
        torn += kept > 0 && kept < 8;
        rig_end(&rig);
    }
    cr_expect_gt(torn, 10, "%d of 200 writes were torn", torn);
}

Test(power_cut, keeping_everything_changes_nothing)
{
    rig_t rig = rig_new(1);
    cr_assert_eq(world_make_dir(rig.w, AT_FDCWD, "/d", 0755), 0);
    put(&rig, "/d/f", "text");
    cr_assert_eq(world_make_link(rig.w, "d", AT_FDCWD, "/l"), 0);
    cr_assert_eq(world_hard_link(rig.w, AT_FDCWD, "/d/f", AT_FDCWD, "/d/g"), 0);
    cut_keeping(&rig, EVERYTHING);
    expect_text(&rig, "/l/g", "text");
    world_stat_t stat;
    cr_assert_eq(world_stat_at(rig.w, AT_FDCWD, "/d/f", &stat), 0);
    cr_expect_eq(stat.links, 2u);
    rig_end(&rig);
}

Test(power_cut, gives_the_space_of_lost_files_back)
{
    rig_t rig = rig_new(1);
    int root = world_open(rig.w, AT_FDCWD, "/", O_RDONLY, 0, 0);
    world_space_t before, after;
    cr_assert_eq(world_space(rig.w, root, &before), 0);
    put(&rig, "/f", "text");
    cr_assert_eq(world_space(rig.w, root, &after), 0);
    cr_expect_eq(after.bytes_free, before.bytes_free - 4096);
    cr_expect_eq(after.inodes_free, before.inodes_free - 1);
    cut_keeping(&rig, NOTHING);
    root = world_open(rig.w, AT_FDCWD, "/", O_RDONLY, 0, 0);
    cr_assert_eq(world_space(rig.w, root, &after), 0);
    cr_expect_eq(after.bytes_free, before.bytes_free);
    cr_expect_eq(after.inodes_free, before.inodes_free);
    rig_end(&rig);
}

Test(power_cut, ends_every_job_that_was_there_before)
{
    rig_t rig = rig_new(1);
    int fd = put(&rig, "/f", "text");
    world_sim_crash(rig.sim);
    world_stat_t stat;
    cr_expect_eq(world_stat(rig.w, fd, &stat), -EIO);
    cr_expect_eq(world_close(rig.w, fd), -EIO);
    rig_end(&rig);
}

Test(power_cut, comes_after_the_ordered_number_of_changes)
{
    rig_t rig = rig_new(1);
    world_sim_cut_after(rig.sim, 3);
    int fd = put(&rig, "/f", "text");
    cr_expect_not(world_sim_is_cut(rig.sim));
    cr_expect_eq(world_sync(rig.w, fd), 0);
    cr_expect_eq(world_sim_is_cut(rig.sim), true);
    cr_expect_eq(world_sim_operation_count(rig.sim), 3u);
    cr_expect_eq(world_sync(rig.w, fd), -EIO);
    cr_expect_eq(world_open(rig.w, AT_FDCWD, "/", O_RDONLY, 0, 0), -EIO);
    cut_keeping(&rig, EVERYTHING);
    expect_text(&rig, "/f", "text");
    rig_end(&rig);
}

static uint64_t
hash_of_a_busy_run(uint64_t seed)
{
    world_sim_t *sim = world_sim_new(
        &(world_sim_options_t){.seed = seed, .fault_per_million = 100000, .latency_ns_max = 1000});
    for (int boot = 0; boot < 5; boot++) {
        world_t *w = world_sim_job_new(sim, NULL, NULL);
        for (int i = 0; i < 40; i++) {
            char name[3] = {'/', (char) ('a' + i % 7), '\0'};
            int fd = world_open(w, AT_FDCWD, name, O_RDWR | O_CREAT, 0644, 0);
            world_write(w, fd, name, 2, (uint64_t) i);
            world_sync(w, i % 3 == 0 ? fd : -1);
            world_rename(w, AT_FDCWD, name, AT_FDCWD, "/x");
            world_close(w, fd);
        }
        world_sim_crash(sim);
        world_sim_job_destroy(&w);
    }
    uint64_t hash = world_sim_hash(sim) ^ (uint64_t) world_sim_now_ns(sim);
    world_sim_destroy(&sim);
    return hash;
}

Test(simulated_world, gives_the_same_trace_for_the_same_seed_and_another_for_another)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        cr_expect_eq(hash_of_a_busy_run(seed), hash_of_a_busy_run(seed));
        cr_expect_neq(hash_of_a_busy_run(seed), hash_of_a_busy_run(seed + 1));
    }
}
