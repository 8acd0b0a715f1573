/* store_cut_test.c - a store that is moved out of its first form and collected, cut anywhere.
 *
 * Shape    on the simulated machine: two versions in the form of the first release; then opened,
 *          migrated and collected for the second one, cut after every number of operations; after
 *          the cut the second version is whole, and the same work ends well.
 */
#include <criterion/criterion.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "actors/content/snapshot.h"
#include "actors/content/store_inner.h"
#include "actors/content/walk.h"
#include "outage.h"

#define BIG (400u * 1024u)

/* One large file, so that there is a list: a third of it differs between the versions. */
static void
put_big(run_t *run, uint8_t salt)
{
    world_t *world = &run->world;
    uint8_t *bytes = malloc(BIG);
    uint32_t state = 1;
    for (size_t i = 0; i < BIG; i++) {
        state = state * 1664525u + 1013904223u;
        bytes[i] = (uint8_t) (state >> 24) ^ (i < BIG / 3 ? salt : 0);
    }
    int fd = world_open(world, AT_FDCWD, "/source/big", O_WRONLY | O_CREAT | O_TRUNC, 0644, 0);
    cr_assert_eq(world_write(world, fd, bytes, BIG, 0), BIG);
    world_close(world, fd);
    free(bytes);
}

static err_t
write_old(void *context, const run_entry_t *entry, size_t index, uint64_t ordinal, fault_t *fault)
{
    run_t *run = context;
    world_t *world = &run->world;
    char hex[65];
    char path[120];
    void *bytes = NULL;
    size_t size = 0;
    (void) index;
    (void) ordinal;
    TRY(store_read(run->store, &entry->digest, 1 << 20, &bytes, &size, fault));
    hex_of_bytes(entry->digest.byte, sizeof entry->digest.byte, hex);
    snprintf(path, sizeof path, "/data/store/objects/%.2s", hex);
    (void) world_make_dir(world, AT_FDCWD, path, 0700);
    snprintf(path, sizeof path, "/data/store/objects/%.2s/%s", hex, hex);
    int fd = world_open(world, AT_FDCWD, path, O_WRONLY | O_CREAT, 0600, 0);
    cr_assert(fd >= 0);
    cr_assert_eq(world_write(world, fd, bytes, size, 0), (int64_t) size);
    world_close(world, fd);
    free(bytes);
    return OK;
}

/* The two versions as the first release would have left them, in /data/store. */
static void
make_old(run_t *run)
{
    world_t *world = &run->world;
    snapshot_t snapshot;
    cr_assert_eq(store_open(world, "/data/new", &run->store, NULL), OK);
    for (unsigned i = 0; i < 2; i++) {
        put_big(run, (uint8_t) (i * 7));
        put_file(run, "/source/a", i == 0 ? "first" : "second");
        cr_assert_eq(snapshot_take(world, run->store, "/source", NULL, NULL, NULL, &snapshot, NULL),
                     OK);
        run->promised.root[i] = snapshot.root;
    }
    cr_assert_eq(world_make_dir(world, AT_FDCWD, "/data/store", 0700), 0);
    cr_assert_eq(world_make_dir(world, AT_FDCWD, "/data/store/objects", 0700), 0);
    cr_assert_eq(world_make_dir(world, AT_FDCWD, "/data/store/tmp", 0700), 0);
    put_file(run, "/data/store/tmp/left", "by a kill");
    cr_assert_eq(store_each_entry(run->store, write_old, run, NULL), OK);
    store_close(&run->store);
    int fd = world_open(world, AT_FDCWD, "/data", O_RDONLY | O_DIRECTORY, 0, 0);
    cr_assert_eq(world_sync_all(world, fd), 0);
    world_close(world, fd);
}

static err_t
move_and_collect(run_t *run)
{
    uint64_t count = 0;
    store_collected_t collected;
    TRY(store_open(&run->world, "/data/store", &run->store, NULL));
    run->store->pack_bytes = 200000; /* more than one pack */
    TRY(store_recover(run->store, &count, NULL));
    TRY(store_migrate(run->store, NULL, NULL, &count, NULL));
    return store_collect(run->store, &run->promised.root[1], 1, false, NULL, NULL, &collected,
                         NULL);
}

static err_t
read_version(run_t *run)
{
    walk_t *walk = NULL;
    walk_event_t event = {.step = WALK_ENTRY};
    err_t err = walk_new(run->store, &run->promised.root[1], &walk, NULL);
    while (err == OK && (err = walk_next(walk, &event, NULL)) == OK && event.step != WALK_END) {
        void *bytes = NULL;
        size_t size;
        err = store_read(run->store, &event.entry.digest, 1 << 20, &bytes, &size, NULL);
        free(bytes);
    }
    walk_destroy(&walk);
    return err;
}

static void
expect_whole(run_t *run, uint64_t operations, const char *when)
{
    err_t err = run->store != NULL ? OK : store_open(&run->world, "/data/store", &run->store, NULL);
    err = err == OK ? read_version(run) : err;
    cr_assert(err == OK, "after %llu operations, %s: the version is not whole (%s)",
              (unsigned long long) operations, when, err_word(err));
}

/* *ret_ended: the work came to its end before the cut. */
static void
cut_work(uint64_t operations, uint64_t seed, bool *ret_ended)
{
    run_t run;
    run_init(&run, seed, false);
    boot(&run);
    furnish(&run);
    make_old(&run);
    world_sim_cut_after(run.sim, operations);
    err_t err = move_and_collect(&run);
    *ret_ended = !world_sim_is_cut(run.sim);
    cr_assert(!*ret_ended || err == OK, "nobody cut it, and it failed: %s", err_word(err));
    world_sim_crash(run.sim);
    shut(&run);
    boot(&run);
    expect_whole(&run, operations, "at once");
    store_close(&run.store);
    err = move_and_collect(&run);
    cr_assert(err == OK, "after %llu operations the work cannot go on: %s",
              (unsigned long long) operations, err_word(err));
    expect_whole(&run, operations, "when the work was done");
    world_stat_t stat;
    cr_assert(world_stat_at(&run.world, AT_FDCWD, "/data/store/objects", &stat) < 0);
    shut(&run);
    cr_assert_eq(world_sim_open_count(run.sim), 0);
    world_sim_destroy(&run.sim);
}

Test(store_cut, a_migration_and_a_collection_lose_nothing_wherever_the_power_goes)
{
    uint64_t cuts = 0;
    bool ended = false;
    for (uint64_t operations = 1; !ended; operations += CUT_EACH, cuts++) {
        cut_work(operations, operations * 31 + 5, &ended);
    }
    cr_expect(cuts * CUT_EACH > 150, "only %llu cuts", (unsigned long long) cuts);
}

/* Everything that goes over the whole store, and may take away what it holds for wrong. */
static err_t
go_over_all(run_t *run)
{
    uint64_t count = 0;
    store_checked_t checked;
    store_collected_t collected;
    const digest_t *root = &run->promised.root[1];
    TRY(store_check(run->store, root, 1, true, NULL, NULL, &checked, NULL));
    TRY(store_rebuild(run->store, NULL, NULL, &count, NULL));
    return store_collect(run->store, root, 1, false, NULL, NULL, &collected, NULL);
}

/* Which read it is that gives a wrong bit, the seed says. */
static uint64_t
misread(uint64_t seed, const char *path, err_t work(run_t *run))
{
    run_t run;
    run_init(&run, seed, false);
    boot(&run);
    furnish(&run);
    make_old(&run);
    if (work == go_over_all) {
        cr_assert_eq(move_and_collect(&run), OK);
        store_close(&run.store);
        cr_assert_eq(store_open(&run.world, "/data/store", &run.store, NULL), OK);
    }
    world_sim_mix(run.sim, path, &(world_sim_mix_t){.flip = 60000, .most = 1});
    (void) work(&run);
    uint64_t struck = world_sim_struck(run.sim);
    world_sim_heal(run.sim);
    store_close(&run.store);
    expect_whole(&run, seed, "once a bit was wrong on the way");
    shut(&run);
    world_sim_destroy(&run.sim);
    return struck;
}

Test(store_cut, what_is_wrong_once_on_the_way_costs_no_object)
{
    uint64_t struck = 0;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struck += misread(seed, "/data/store/objects", move_and_collect);
        struck += misread(seed, "/data/store/packs", move_and_collect);
        struck += misread(seed, "/data/store/packs", go_over_all);
        struck += misread(seed, "/data/store/index", go_over_all);
    }
    cr_expect(struck > 60, "only %llu wrong bits", (unsigned long long) struck);
}

/* Killed after so many calls; what stands there then is what anybody else sees at that moment. */
static bool
look_into_commit(uint64_t calls)
{
    run_t run;
    snapshot_t snapshot;
    uint64_t objects = 0, removed = 0;
    run_init(&run, calls, false);
    boot(&run);
    furnish(&run);
    shut(&run);
    run.calls_left = calls;
    boot(&run);
    err_t err = store_open(&run.world, "/data/store", &run.store, NULL);
    err = err == OK
              ? snapshot_take(&run.world, run.store, "/source", NULL, NULL, NULL, &snapshot, NULL)
              : err;
    run.calls_left = 0;
    shut(&run);
    boot(&run);
    cr_assert_eq(store_open(&run.world, "/data/store", &run.store, NULL), OK);
    cr_assert_eq(store_find_lost(run.store, false, &objects, NULL), OK);
    cr_expect(objects == 0, "after %llu calls %llu objects are said to have lost their run",
              (unsigned long long) calls, (unsigned long long) objects);
    cr_assert_eq(store_recover(run.store, &removed, NULL), OK);
    cr_assert_eq(store_find_lost(run.store, false, &objects, NULL), OK);
    cr_expect(objects == 0, "killed after %llu calls, recovered: %llu objects are said to be lost",
              (unsigned long long) calls, (unsigned long long) objects);
    shut(&run);
    world_sim_destroy(&run.sim);
    return err == OK;
}

Test(store_cut, who_looks_while_a_pack_gets_its_first_name_or_after_a_kill_finds_no_run_lost)
{
    uint64_t calls = 1;
    while (!look_into_commit(calls)) {
        calls++;
    }
    cr_expect(calls > 20, "only %llu calls", (unsigned long long) calls);
}

/* A run to come of this name is what a first commit leaves that was cut: here none was. */
Test(store_cut, a_pack_that_a_run_names_stays_whatever_run_was_to_come)
{
    run_t run;
    uint64_t removed = 0;
    pack_counts_t packs = {0};
    char name[80];
    run_init(&run, 1, false);
    boot(&run);
    furnish(&run);
    make_old(&run);
    cr_assert_eq(move_and_collect(&run), OK);
    cr_assert_eq(store_list_packs(run.store, &packs, NULL), OK);
    snprintf(name, sizeof name, "/data/store/index/.%016llx.run.new",
             (unsigned long long) packs.pack[0].id);
    free(packs.pack);
    put_file(&run, name, "");
    cr_assert_eq(store_recover(run.store, &removed, NULL), OK);
    cr_expect_eq(removed, 1);
    store_close(&run.store);
    expect_whole(&run, 1, "recovered");
    shut(&run);
    world_sim_destroy(&run.sim);
}
