/* world_mix.c - faults drawn below one path of the simulated machine, and what ends them. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include "runtime/world_sim.h"

#define TRIES 2000

typedef struct rig {
    world_sim_t *sim;
    world_t *w;
    int fd;    /* of /p/f: ten bytes, durable */
    int other; /* of /q/f, beside it */
    unsigned hung;
} rig_t;

/* Stands for the simulator: what hangs is healed by somebody after three looks. */
static void
pause_job(void *context, int64_t latency_ns, const char *operation)
{
    rig_t *rig = context;

    (void) operation;
    world_sim_advance(rig->sim, latency_ns);
    if (world_sim_hangs(rig->w) && ++rig->hung % 3 == 0) {
        world_sim_heal(rig->sim);
    }
}

static int
put(const rig_t *rig, const char *path)
{
    int fd = world_open(rig->w, AT_FDCWD, path, O_RDWR | O_CREAT, 0644, 0);

    cr_assert_geq(fd, 0);
    cr_assert_eq(world_write(rig->w, fd, "0123456789", 10, 0), 10);
    cr_assert_eq(world_sync_all(rig->w, fd), 0);
    return fd;
}

static void
rig_start(rig_t *rig, uint64_t seed, const world_sim_mix_t *mix)
{
    world_sim_options_t options = {.seed = seed};

    *rig = (rig_t){.sim = world_sim_new(&options)};
    rig->w = world_sim_job_new(rig->sim, pause_job, rig);
    cr_assert_eq(world_make_dir(rig->w, AT_FDCWD, "/p", 0755), 0);
    cr_assert_eq(world_make_dir(rig->w, AT_FDCWD, "/q", 0755), 0);
    rig->fd = put(rig, "/p/f");
    rig->other = put(rig, "/q/f");
    world_sim_mix(rig->sim, "/p", mix);
}

static void
rig_end(rig_t *rig)
{
    world_sim_job_destroy(&rig->w);
    world_sim_destroy(&rig->sim);
}

/* How many of many writes of ten bytes gave this; 1 stands for a part. */
static int
writes_that_give(const rig_t *rig, int fd, int64_t wanted)
{
    int count = 0;

    for (int i = 0; i < TRIES; i++) {
        int64_t result = world_write(rig->w, fd, "0123456789", 10, 0);
        count += wanted == 1 ? result > 0 && result < 10 : result == wanted;
    }
    return count;
}

static void
strikes_below_and_not_beside(const world_sim_mix_t *mix, int64_t wanted)
{
    rig_t rig;

    rig_start(&rig, 1, mix);
    int below = writes_that_give(&rig, rig.fd, wanted);
    int beside = writes_that_give(&rig, rig.other, wanted);
    cr_expect(below > TRIES / 20 && below < TRIES / 5, "%d of %d struck", below, TRIES);
    cr_expect_eq(beside, 0, "%d struck beside the path", beside);
    cr_expect_eq(world_sim_struck(rig.sim), (uint64_t) below);
    world_sim_heal(rig.sim);
    cr_expect_eq(writes_that_give(&rig, rig.fd, 10), TRIES, "healed, a fault struck");
    rig_end(&rig);
}

Test(mix, io_errors_strike_below_their_path_and_end_with_healing)
{
    strikes_below_and_not_beside(&(world_sim_mix_t){.io = 100000}, -EIO);
}

Test(mix, a_device_that_is_now_and_then_full)
{
    strikes_below_and_not_beside(&(world_sim_mix_t){.full = 100000}, -ENOSPC);
}

Test(mix, a_quota_that_is_now_and_then_reached)
{
    strikes_below_and_not_beside(&(world_sim_mix_t){.quota = 100000}, -EDQUOT);
}

Test(mix, short_writes)
{
    strikes_below_and_not_beside(&(world_sim_mix_t){.part = 100000}, 1);
}

Test(mix, a_full_device_and_a_quota_refuse_nothing_that_only_reads)
{
    rig_t rig;
    char bytes[10];

    rig_start(&rig, 1, &(world_sim_mix_t){.full = 1000000, .quota = 1000000});
    cr_expect_eq(world_read(rig.w, rig.fd, bytes, sizeof bytes, 0), 10);
    cr_expect_eq(world_open(rig.w, AT_FDCWD, "/p/new", O_WRONLY | O_CREAT, 0644, 0), -ENOSPC);
    rig_end(&rig);
}

Test(mix, a_read_that_gives_one_wrong_bit_gives_the_right_one_when_asked_again)
{
    rig_t rig;
    int wrong = 0;

    rig_start(&rig, 1, &(world_sim_mix_t){.flip = 100000});
    for (int i = 0; i < TRIES; i++) {
        char bytes[10];
        int bits = 0;
        cr_assert_eq(world_read(rig.w, rig.fd, bytes, sizeof bytes, 0), 10);
        for (size_t at = 0; at < sizeof bytes; at++) {
            bits += __builtin_popcount((unsigned char) (bytes[at] ^ "0123456789"[at]));
        }
        cr_expect_leq(bits, 1);
        wrong += bits;
    }
    cr_expect(wrong > TRIES / 20 && wrong < TRIES / 5, "%d of %d", wrong, TRIES);
    rig_end(&rig);
}

Test(mix, a_slow_device_takes_longer_and_its_neighbour_does_not)
{
    rig_t rig;

    rig_start(&rig, 1, &(world_sim_mix_t){.slow_ns = 1000000});
    int64_t began = world_sim_now_ns(rig.sim);
    writes_that_give(&rig, rig.other, 10);
    int64_t beside = world_sim_now_ns(rig.sim) - began;
    writes_that_give(&rig, rig.fd, 10);
    int64_t below = world_sim_now_ns(rig.sim) - began - beside;
    cr_expect_eq(beside, 0);
    cr_expect(below > INT64_C(400000) * TRIES && below < INT64_C(600000) * TRIES, "%lld ns",
              (long long) below);
    rig_end(&rig);
}

Test(mix, a_call_that_hangs_goes_on_when_it_is_healed)
{
    rig_t rig;

    rig_start(&rig, 1, &(world_sim_mix_t){.hang = 1000000});
    cr_expect_eq(world_write(rig.w, rig.fd, "x", 1, 0), 1);
    cr_expect_eq(rig.hung, 3u);
    rig_end(&rig);
}

Test(mix, no_more_faults_than_its_bound)
{
    rig_t rig;

    rig_start(&rig, 1, &(world_sim_mix_t){.io = 500000, .most = 7});
    cr_expect_eq(writes_that_give(&rig, rig.fd, -EIO), 7);
    cr_expect_eq(world_sim_struck(rig.sim), 7u);
    rig_end(&rig);
}

Test(mix, a_named_point_fails_by_the_seed)
{
    rig_t rig;
    int failed = 0;

    rig_start(&rig, 1, &(world_sim_mix_t){.point = 100000});
    for (int i = 0; i < TRIES; i++) {
        int result = world_point(rig.w, "place.staged");
        cr_expect(result == 0 || result == -EIO);
        failed += result == -EIO;
    }
    cr_expect(failed > TRIES / 20 && failed < TRIES / 5, "%d of %d", failed, TRIES);
    rig_end(&rig);
}

Test(mix, the_power_goes_at_a_named_point_and_nothing_comes_after_it)
{
    rig_t rig;

    rig_start(&rig, 1, &(world_sim_mix_t){.cut = 1000000, .most = 1});
    cr_expect_not(world_sim_is_cut(rig.sim));
    cr_expect_eq(world_point(rig.w, "place.staged"), -EIO);
    cr_expect(world_sim_is_cut(rig.sim));
    cr_expect_eq(world_write(rig.w, rig.fd, "x", 1, 0), -EIO);
    world_sim_crash(rig.sim);
    world_sim_job_destroy(&rig.w);
    rig.w = world_sim_job_new(rig.sim, pause_job, &rig);
    cr_expect_eq(world_point(rig.w, "place.staged"), 0, "its bound was one");
    rig_end(&rig);
}

Test(mix, the_power_goes_right_after_a_rename_whose_sync_never_comes)
{
    rig_t rig;
    int old = 0, new = 0;

    for (uint64_t seed = 0; seed < 40; seed++) {
        rig_start(&rig, seed, &(world_sim_mix_t){.cut_rename = 1000000, .most = 1});
        cr_expect_eq(world_rename(rig.w, AT_FDCWD, "/p/f", AT_FDCWD, "/p/g"), 0);
        cr_expect(world_sim_is_cut(rig.sim));
        cr_expect_eq(world_sync(rig.w, rig.fd), -EIO);
        world_sim_crash(rig.sim);
        world_t *look = world_sim_look_new(rig.sim);
        world_stat_t stat;
        old += world_stat_at(look, AT_FDCWD, "/p/f", &stat) == 0;
        new += world_stat_at(look, AT_FDCWD, "/p/g", &stat) == 0;
        world_sim_job_destroy(&look);
        rig_end(&rig);
    }
    cr_expect(old > 5 && new > 5 && old + new == 40, "%d under the old name, %d under the new", old,
              new);
}

Test(mix, the_type_of_a_file_system_is_as_told)
{
    rig_t rig;
    world_space_t space;

    rig_start(&rig, 1, &(world_sim_mix_t){0});
    cr_expect_eq(world_space(rig.w, rig.fd, &space), 0);
    cr_expect_eq(space.type, 0xEF53u);
    world_sim_set_type(rig.sim, "/p", 7);
    cr_expect_eq(world_space(rig.w, rig.fd, &space), 0);
    cr_expect_eq(space.type, 7u);
    rig_end(&rig);
}

Test(mix, a_bit_that_rots_is_wrong_for_good_also_after_a_power_cut)
{
    rig_t rig;
    char bytes[10];

    rig_start(&rig, 1, &(world_sim_mix_t){0});
    cr_expect(world_sim_rot(rig.sim, "/p/f", 13));
    cr_expect_not(world_sim_rot(rig.sim, "/p", 13));
    cr_expect_not(world_sim_rot(rig.sim, "/p/nothing", 13));
    world_sim_heal(rig.sim);
    world_sim_crash(rig.sim);
    world_sim_job_destroy(&rig.w);
    rig.w = world_sim_job_new(rig.sim, pause_job, &rig);
    int fd = world_open(rig.w, AT_FDCWD, "/p/f", O_RDONLY, 0, 0);
    cr_expect_eq(world_read(rig.w, fd, bytes, sizeof bytes, 0), 10);
    cr_expect_eq(memcmp(bytes, "012", 3), 0);
    cr_expect_eq(bytes[3], '3' ^ (1 << 5));
    cr_expect_eq(memcmp(bytes + 4, "456789", 6), 0);
    rig_end(&rig);
}

Test(mix, an_oracle_looks_and_leaves_no_trace)
{
    rig_t rig;
    char bytes[10];

    rig_start(&rig, 1, &(world_sim_mix_t){.io = 1000000, .slow_ns = 1000});
    uint64_t hash = world_sim_hash(rig.sim), open = world_sim_open_count(rig.sim);
    int64_t now = world_sim_now_ns(rig.sim);
    world_t *look = world_sim_look_new(rig.sim);
    int fd = world_open(look, AT_FDCWD, "/p/f", O_RDONLY, 0, 0);
    cr_expect_eq(world_read(look, fd, bytes, sizeof bytes, 0), 10);
    world_close(look, fd);
    world_sim_hang(rig.sim, "/p", true);
    cr_expect_eq(world_open(look, AT_FDCWD, "/p/f", O_RDONLY, 0, 0), -EIO);
    world_sim_job_destroy(&look);
    cr_expect_eq(world_sim_hash(rig.sim), hash);
    cr_expect_eq(world_sim_open_count(rig.sim), open);
    cr_expect_eq(world_sim_now_ns(rig.sim), now);
    rig_end(&rig);
}
