/* world_faults.c - what the simulated machine can be told to do wrong. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include "runtime/world_sim.h"

#define GIVES(expected, call)                                                                      \
    do {                                                                                           \
        long long want_ = (long long) (expected);                                                  \
        long long got_ = (long long) (call);                                                       \
        cr_expect_eq(got_, want_, "%s: expected %lld, got %lld", #call, want_, got_);              \
    } while (0)

typedef struct rig {
    world_sim_t *sim;
    world_t *w;
    unsigned pauses;
    unsigned pauses_in_hang;
    unsigned heal_after; /* pauses in a hang; then the set hang ends */
    bool cancel;         /* instead of healing */
    bool crash;          /* instead of healing */
} rig_t;

/* Stands for the simulator: the job waits, and something ends the hang after a while. */
static void
pause_job(void *context, int64_t latency_ns, const char *operation)
{
    rig_t *rig = context;
    (void) operation;
    rig->pauses++;
    world_sim_advance(rig->sim, latency_ns);
    if (!world_sim_hangs(rig->w) || ++rig->pauses_in_hang < rig->heal_after) {
        return;
    }
    if (rig->cancel) {
        world_sim_job_cancel(rig->w);
    } else if (rig->crash) {
        world_sim_crash(rig->sim);
    } else {
        world_sim_heal(rig->sim);
    }
}

static void
rig_start(rig_t *rig, const world_sim_options_t *options)
{
    *rig = (rig_t){.sim = world_sim_new(options), .heal_after = 5};
    rig->w = world_sim_job_new(rig->sim, pause_job, rig);
}

static void
rig_end(rig_t *rig)
{
    world_sim_job_destroy(&rig->w);
    world_sim_destroy(&rig->sim);
}

static int
put(const rig_t *rig, const char *path)
{
    return world_open(rig->w, AT_FDCWD, path, O_RDWR | O_CREAT, 0644, 0);
}

static int
look(const rig_t *rig, const char *path)
{
    world_stat_t stat;
    return world_stat_at(rig->w, AT_FDCWD, path, &stat);
}

Test(faults, an_unplugged_directory_is_gone_until_it_is_plugged_in)
{
    rig_t rig;
    rig_start(&rig, &(world_sim_options_t){.seed = 1});
    GIVES(0, world_make_dir(rig.w, AT_FDCWD, "/p", 0755));
    int fd = put(&rig, "/p/f");
    world_sim_unplug(rig.sim, "/p");
    GIVES(-ENOENT, look(&rig, "/p"));
    GIVES(-ENOENT, look(&rig, "/p/f"));
    GIVES(-EIO, world_write(rig.w, fd, "x", 1, 0));
    world_sim_plug(rig.sim, "/p");
    GIVES(0, look(&rig, "/p/f"));
    GIVES(1, world_write(rig.w, fd, "x", 1, 0));
    rig_end(&rig);
}

Test(faults, an_unplugged_mount_uncovers_the_empty_directory_below)
{
    rig_t rig;
    rig_start(&rig, &(world_sim_options_t){.seed = 1});
    GIVES(0, world_make_dir(rig.w, AT_FDCWD, "/p", 0755));
    world_sim_mount(rig.sim, &(world_sim_mount_t){.path = "/p"});
    GIVES(3, put(&rig, "/p/f"));
    world_stat_t covered, mounted;
    GIVES(0, world_stat_at(rig.w, AT_FDCWD, "/p", &mounted));
    world_sim_unplug(rig.sim, "/p");
    GIVES(0, world_stat_at(rig.w, AT_FDCWD, "/p", &covered));
    cr_expect_neq(covered.device, mounted.device);
    GIVES(-ENOENT, look(&rig, "/p/f"));
    world_sim_plug(rig.sim, "/p");
    GIVES(0, look(&rig, "/p/f"));
    rig_end(&rig);
}

Test(faults, a_mount_is_a_device_of_its_own_with_bounds_of_its_own)
{
    rig_t rig;
    rig_start(&rig, &(world_sim_options_t){.seed = 1});
    GIVES(0, world_make_dir(rig.w, AT_FDCWD, "/p", 0755));
    world_sim_mount(rig.sim,
                    &(world_sim_mount_t){.path = "/p", .bytes_max = 8192, .inodes_max = 3});
    int fd = put(&rig, "/p/f");
    char bytes[10000] = {0};
    GIVES(8192, world_write(rig.w, fd, bytes, sizeof bytes, 0));
    GIVES(-ENOSPC, world_write(rig.w, fd, bytes, 1, 8192));
    GIVES(10, world_write(rig.w, fd, bytes, 10, 100));
    GIVES(4, put(&rig, "/p/g"));
    GIVES(-ENOSPC, put(&rig, "/p/h"));
    GIVES(0, world_remove(rig.w, AT_FDCWD, "/p/g"));
    GIVES(-ENOSPC, put(&rig, "/p/h"));
    GIVES(0, world_close(rig.w, 4));
    GIVES(4, put(&rig, "/p/h"));
    GIVES(-EXDEV, world_rename(rig.w, AT_FDCWD, "/p/h", AT_FDCWD, "/h"));
    GIVES(-EXDEV, world_hard_link(rig.w, AT_FDCWD, "/p/h", AT_FDCWD, "/h"));
    GIVES(-EXDEV, world_open(rig.w, AT_FDCWD, "p", O_RDONLY, 0, WORLD_NO_XDEV));
    GIVES(-EBUSY, world_remove_dir(rig.w, AT_FDCWD, "/p"));
    world_sim_set_space(rig.sim, "/p", 1 << 20, 100);
    GIVES(1, world_write(rig.w, fd, bytes, 1, 8192));
    rig_end(&rig);
}

Test(faults, a_failing_path_fails_every_call_at_and_below_it)
{
    rig_t rig;
    rig_start(&rig, &(world_sim_options_t){.seed = 1});
    GIVES(0, world_make_dir(rig.w, AT_FDCWD, "/p", 0755));
    int fd = put(&rig, "/p/f");
    world_sim_fail(rig.sim, "/p", EROFS);
    GIVES(-EROFS, look(&rig, "/p"));
    GIVES(-EROFS, put(&rig, "/p/g"));
    GIVES(-EROFS, world_sync(rig.w, fd));
    GIVES(0, look(&rig, "/"));
    world_sim_fail(rig.sim, "/p", 0);
    GIVES(0, world_sync(rig.w, fd));
    rig_end(&rig);
}

Test(faults, a_hang_ends_when_it_is_healed_and_the_call_then_takes_effect)
{
    rig_t rig;
    rig_start(&rig, &(world_sim_options_t){.seed = 1});
    int fd = put(&rig, "/f");
    world_sim_hang(rig.sim, "/f", true);
    GIVES(1, world_write(rig.w, fd, "x", 1, 0));
    GIVES(5, rig.pauses_in_hang);
    world_sim_hang(rig.sim, "/", true);
    rig.pauses_in_hang = 0;
    GIVES(0, look(&rig, "/f"));
    GIVES(5, rig.pauses_in_hang);
    rig_end(&rig);
}

Test(faults, a_hanging_job_leaves_when_it_is_cancelled_or_the_power_goes)
{
    for (int crash = 0; crash < 2; crash++) {
        rig_t rig;
        rig_start(&rig, &(world_sim_options_t){.seed = 1});
        GIVES(0, world_make_dir(rig.w, AT_FDCWD, "/p", 0755));
        rig.cancel = crash == 0;
        rig.crash = crash == 1;
        world_sim_hang(rig.sim, "/p", true);
        GIVES(crash == 1 ? -EIO : -ECANCELED, look(&rig, "/p/f"));
        GIVES(5, rig.pauses_in_hang);
        GIVES(0, world_sim_hangs(rig.w));
        rig_end(&rig);
    }
}

Test(faults, a_drawn_hang_lasts_until_the_machine_is_healed)
{
    rig_t rig;
    rig_start(&rig, &(world_sim_options_t){.seed = 1, .hang_per_million = 1000000});
    GIVES(0, look(&rig, "/"));
    GIVES(5, rig.pauses_in_hang);
    GIVES(0, look(&rig, "/"));
    GIVES(5, rig.pauses_in_hang);
    rig_end(&rig);
}

Test(faults, drawn_ones_are_of_every_kind_and_end_with_healing)
{
    rig_t rig;
    rig_start(&rig, &(world_sim_options_t){.seed = 1, .fault_per_million = 500000});
    int fd = -1;
    while (fd < 0) {
        fd = put(&rig, "/f");
    }
    int io = 0, full = 0, quota = 0, partial = 0, whole = 0;
    for (int i = 0; i < 400; i++) {
        int64_t result = world_write(rig.w, fd, "0123456789", 10, 0);
        io += result == -EIO;
        full += result == -ENOSPC;
        quota += result == -EDQUOT;
        partial += result > 0 && result < 10;
        whole += result == 10;
    }
    GIVES(400, io + full + quota + partial + whole);
    cr_expect(io > 10 && full > 10 && quota > 10 && partial > 10 && whole > 10,
              "%d io, %d full, %d quota, %d partial, %d whole", io, full, quota, partial, whole);
    world_sim_heal(rig.sim);
    for (int i = 0; i < 100; i++) {
        GIVES(10, world_write(rig.w, fd, "0123456789", 10, 0));
    }
    world_sim_draw_faults(rig.sim, 1000000, 0);
    cr_expect_lt(world_sync(rig.w, fd), 0);
    rig_end(&rig);
}

Test(faults, after_a_failed_sync_the_next_one_does_not_bring_the_data_back)
{
    int lost = 0;
    for (uint64_t seed = 0; seed < 50; seed++) {
        rig_t rig;
        rig_start(&rig, &(world_sim_options_t){.seed = seed});
        int fd = put(&rig, "/f");
        GIVES(0, world_sync_all(rig.w, fd));
        GIVES(4, world_write(rig.w, fd, "text", 4, 0));
        world_sim_draw_faults(rig.sim, 1000000, 0);
        cr_expect_lt(world_sync(rig.w, fd), 0);
        world_sim_heal(rig.sim);
        GIVES(0, world_sync(rig.w, fd));
        world_sim_crash_keeping(rig.sim, 0);
        world_sim_job_destroy(&rig.w);
        rig.w = world_sim_job_new(rig.sim, NULL, NULL);
        world_stat_t stat;
        GIVES(0, world_stat_at(rig.w, AT_FDCWD, "/f", &stat));
        lost += stat.size == 0;
        rig_end(&rig);
    }
    cr_expect(lost > 5 && lost < 45, "lost %d of 50", lost);
}

Test(faults, modes_bind_the_unprivileged_user)
{
    rig_t rig;
    rig_start(&rig, &(world_sim_options_t){.seed = 1});
    GIVES(0, world_make_dir(rig.w, AT_FDCWD, "/d", 0777));
    int d = world_open(rig.w, AT_FDCWD, "/d", O_RDONLY, 0, 0);
    world_stat_t stat;
    GIVES(0, world_stat(rig.w, d, &stat));
    GIVES(0755, stat.mode & 07777);
    int fd = put(&rig, "/d/f");
    GIVES(0, world_chmod(rig.w, fd, 0444));
    GIVES(-EACCES, put(&rig, "/d/f"));
    GIVES(0, world_chmod(rig.w, d, 0555));
    GIVES(-EACCES, put(&rig, "/d/g"));
    GIVES(-EACCES, world_remove(rig.w, AT_FDCWD, "/d/f"));
    GIVES(0, world_chmod(rig.w, d, 0666));
    GIVES(-EACCES, look(&rig, "/d/f"));
    rig_end(&rig);
}

Test(faults, the_wall_clock_jumps_and_the_other_one_does_not)
{
    rig_t rig;
    rig_start(&rig, &(world_sim_options_t){.seed = 1, .wall_start_ns = 100, .latency_ns_max = 50});
    GIVES(100, world_wall_ns(rig.w));
    world_sim_advance(rig.sim, 7);
    GIVES(107, world_wall_ns(rig.w));
    world_sim_set_wall(rig.sim, 5);
    world_sim_advance(rig.sim, 1);
    GIVES(6, world_wall_ns(rig.w));
    GIVES(8, world_monotonic_ns(rig.w));
    for (int i = 0; i < 20; i++) {
        GIVES(0, look(&rig, "/"));
    }
    cr_expect_gt(world_sim_now_ns(rig.sim), 8);
    GIVES(20, rig.pauses);
    rig_end(&rig);
}

Test(faults, many_files_that_come_and_go_do_not_pile_up)
{
    rig_t rig;
    rig_start(&rig, &(world_sim_options_t){.seed = 1});
    int root = world_open(rig.w, AT_FDCWD, "/", O_RDONLY, 0, 0);
    world_space_t before, after;
    GIVES(0, world_space(rig.w, root, &before));
    for (int i = 0; i < 2000; i++) {
        int fd = put(&rig, "/f");
        GIVES(4, world_write(rig.w, fd, "text", 4, 0));
        GIVES(0, world_remove(rig.w, AT_FDCWD, "/f"));
        GIVES(0, world_sync(rig.w, root));
        GIVES(0, world_sync(rig.w, fd));
        GIVES(0, world_close(rig.w, fd));
    }
    GIVES(0, world_space(rig.w, root, &after));
    GIVES(before.bytes_free, after.bytes_free);
    GIVES(before.inodes_free, after.inodes_free);
    GIVES(0, world_sim_unsynced_count(rig.sim));
    rig_end(&rig);
}
