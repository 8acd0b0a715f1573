/* power_cut_test.c - every sync of the content room is needed, and with all of them nothing is
 * lost.
 *
 * Shape    one run on the simulated machine (open the store, claim a point, snapshot, place, a
 *          second version, removal), cut after every number of operations, with several fates of
 *          what was not synced; then a checker looks at what is left, and a second run must end
 *          well. For every sync point alone, left out, the checker must find something.
 */
#include <criterion/criterion.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "actors/content/place.h"
#include "actors/content/removal.h"
#include "actors/content/snapshot.h"
#include "actors/content/sync_points.h"
#include "actors/content/verify.h"
#include "actors/content/walk.h"
#include "outage.h"

sync_point_t sync_mutant = SYNC_NONE;

static const char *const point_names[] = {"none",
#define POINT_NAME(name) #name,
                                          SYNC_POINTS(POINT_NAME)
#undef POINT_NAME
};

static err_t
open_all(run_t *run)
{
    world_t *world = &run->world;
    TRY(store_open(world, "/data/store", &run->store, NULL));
    TRY(point_claim(world, "/root", &run->identity, NULL, 0, false, NULL));
    run->promised.claimed = true;
    return point_open(world, "/root", &run->identity.site, &run->identity.incarnation, &run->point,
                      NULL);
}

static err_t
distribute(run_t *run, uint64_t epoch)
{
    snapshot_t snapshot;
    place_result_t result;
    TRY(snapshot_take(&run->world, run->store, "/source", NULL, NULL, NULL, &snapshot, NULL));
    run->promised.root[epoch - 1] = snapshot.root;
    run->promised.roots = epoch;
    run->order.epoch = epoch;
    run->order.root = snapshot.root;
    TRY(place_version(&run->world, run->store, &run->point, &run->order, NULL, NULL, &result,
                      NULL));
    run->promised.placed = epoch;
    return OK;
}

/* The second version is promised first, and switched to by an order of its own. */
static err_t
stage(run_t *run, uint64_t epoch)
{
    snapshot_t snapshot;
    place_result_t result;
    TRY(snapshot_take(&run->world, run->store, "/source", NULL, NULL, NULL, &snapshot, NULL));
    run->promised.root[epoch - 1] = snapshot.root;
    run->promised.roots = epoch;
    place_order_t order = run->order;
    order.epoch = epoch;
    order.root = snapshot.root;
    order.stage = true;
    TRY(place_version(&run->world, run->store, &run->point, &order, NULL, NULL, &result, NULL));
    run->promised.staged = epoch;
    return OK;
}

static err_t
take_off(run_t *run)
{
    removal_result_t removed;
    TRY(removal_package(&run->world, run->store, &run->point, run->order.package,
                        &run->order.incarnation, &removed, NULL));
    bool gone = removed.gone;
    removal_result_release(&removed);
    run->promised.removed = true;
    return gone ? OK : ERR_INTERNAL;
}

/* What the second version superseded is marked, and then, without any grace, removed. */
static err_t
collect_twice(run_t *run)
{
    place_collected_t collected;
    place_collect_order_t order = {.package = run->order.package,
                                   .incarnation = run->order.incarnation,
                                   .keep_epoch = 2,
                                   .now_ns = 1000};
    TRY(place_collect(&run->world, run->store, &run->point, &order, &collected, NULL));
    return place_collect(&run->world, run->store, &run->point, &order, &collected, NULL);
}

static err_t
do_all(run_t *run)
{
    TRY(open_all(run));
    TRY(distribute(run, 1));
    put_file(run, "/source/a", "second bytes of a, and more of them");
    TRY(stage(run, 2));
    TRY(distribute(run, 2));
    TRY(collect_twice(run));
    return take_off(run);
}

static err_t
read_version(run_t *run, const digest_t *root)
{
    walk_t *walk = NULL;
    walk_event_t event = {.step = WALK_ENTRY};
    err_t err = walk_new(run->store, root, &walk, NULL);
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
check_store(run_t *run)
{
    err_t err = store_open(&run->world, "/data/store", &run->store, NULL);
    if (err != OK) {
        blame(run, "the store does not open", err);
        return;
    }
    check_objects(run);
    for (uint64_t i = 0; i < run->promised.roots; i++) {
        bool none = digest_is_none(&run->promised.root[i]);
        err = none ? OK : read_version(run, &run->promised.root[i]);
        if (err != OK) {
            blame(run, "a version that was stored is not whole in the store", err);
        }
    }
}

/* The directory v<epoch> holds the version of that epoch, down to the last byte. */
static bool
is_whole(run_t *run, uint64_t epoch)
{
    place_order_t order = run->order;
    verify_result_t result;
    order.epoch = epoch;
    order.root = run->promised.root[epoch - 1];
    if (verify_version(&run->world, run->store, &run->point, &order, NULL, NULL, &result, NULL) !=
        OK) {
        return false;
    }
    /* `current` and the receipt are judged by the caller. */
    uint64_t other = result.is_current ? 0 : 1;
    const uint64_t *count = result.paths.count;
    bool whole = count[PATH_MISSING] + count[PATH_CHANGED] + count[PATH_EXTRA] == other;
    verify_result_release(&result);
    return whole;
}

/* The directory that it leads to may have been taken over by a later epoch: its record says so. */
static uint64_t
current_epoch(run_t *run)
{
    char text[16] = "", name[RECEIPT_DIRECTORY_BYTES];
    receipt_t records[8];
    size_t count = 0;
    uint64_t epoch = 0;
    int64_t size =
        world_read_link(&run->world, AT_FDCWD, "/root/P1/current", text, sizeof text - 1);
    if (size < 0) {
        return 0;
    }
    err_t err = receipt_versions(&run->point, "P1", records, 8, &count, NULL);
    for (size_t i = 0; err == OK && i < count; i++) {
        if (strcmp(receipt_directory(&records[i], name), text) == 0) {
            epoch = records[i].epoch;
        }
    }
    if (epoch == 0) {
        blame(run, "current leads nowhere that was placed", err);
    }
    return epoch;
}

static void
check_promises(run_t *run, uint64_t current, bool has_receipt, uint64_t receipt_epoch)
{
    world_stat_t stat;
    const promised_t *promised = &run->promised;
    if (promised->removed) {
        if (world_stat_at(&run->world, AT_FDCWD, "/root/P1", &stat) == 0 || has_receipt) {
            blame(run, "what was removed is there again", OK);
        }
        return;
    }
    bool stays = promised->kept || promised->placed == 1;
    if (stays && (current < promised->placed || !has_receipt)) {
        blame(run, "a version was promised and is lost", OK);
    }
    if (has_receipt && current < receipt_epoch) {
        blame(run, "current is older than the receipt", OK);
    }
}

static void
check_point(run_t *run)
{
    err_t err = point_open(&run->world, "/root", &run->identity.site, &run->identity.incarnation,
                           &run->point, NULL);
    if (err != OK) {
        if (run->promised.claimed || err != ERR_ABSENT) {
            blame(run, "the point does not open", err);
        }
        return;
    }
    uint64_t current = current_epoch(run);
    receipt_t receipt;
    err = receipt_read(&run->point, "P1", &receipt, NULL);
    if (err != OK && err != ERR_NOT_FOUND) {
        blame(run, "the receipt cannot be read", err);
    }
    if (current > run->promised.roots || (current > 0 && !is_whole(run, current))) {
        blame(run, "current is not a whole version", OK);
    }
    if (err == OK && !is_whole(run, receipt.epoch)) {
        blame(run, "a receipt names a version that is not whole", OK);
    }
    if (run->promised.staged > run->promised.placed && !is_whole(run, run->promised.staged)) {
        blame(run, "a version that was promised is not whole in its place", OK);
    }
    check_promises(run, current, err == OK, err == OK ? receipt.epoch : 0);
}

/* After the cut the same work must end well: nothing that is left may stand in its way. */
static void
go_on(run_t *run)
{
    bool removed = run->promised.removed;
    put_file(run, "/source/a", "second bytes of a, and more of them");
    run->promised = (promised_t){0};
    err_t err = open_all(run);
    err = err == OK ? distribute(run, 2) : err;
    if (err != OK && !(removed && err == ERR_SUPERSEDED)) {
        blame(run, "the work cannot go on", err);
    }
    err = err == OK ? take_off(run) : err;
    if (err != OK) {
        blame(run, "the package cannot be removed", err);
    }
}

static void
look_again(run_t *run)
{
    boot(run);
    check_store(run);
    check_point(run);
    shut(run);
    check_open(run);
}

static void
look_again_and_go_on(run_t *run)
{
    look_again(run);
    boot(run);
    go_on(run);
    shut(run);
    check_open(run);
}

/* One run, cut after so many operations; *ret_ended: it came to its end before that. */
static void
cut_run(run_t *run, uint64_t operations, sync_point_t mutant, bool *ret_ended)
{
    boot(run);
    furnish(run);
    sync_mutant = mutant;
    world_sim_cut_after(run->sim, operations);
    err_t err = do_all(run);
    *ret_ended = !world_sim_is_cut(run->sim);
    if (err != OK && *ret_ended) {
        blame(run, "a run that nobody cut failed", err);
    }
    world_sim_crash(run->sim);
    sync_mutant = SYNC_NONE;
    shut(run);
    look_again_and_go_on(run);
}

static void
nothing_is_lost(bool each)
{
    tally_t tally = {0};
    cut_everywhere(cut_run, SYNC_NONE, each, 16, &tally);
    cr_log_info("%llu cuts", (unsigned long long) tally.cuts);
    cr_expect(tally.cuts * CUT_EACH > 2000, "only %llu cuts", (unsigned long long) tally.cuts);
    cr_expect(!tally.lost, "%s", tally.what);
}

Test(power_cut, loses_nothing_where_the_file_system_is_synced_as_a_whole)
{
    nothing_is_lost(false);
}

Test(power_cut, loses_nothing_where_each_file_is_synced)
{
    nothing_is_lost(true);
}

static void
every_sync_is_needed(bool each)
{
    if (CUT_EACH > 1) {
        cr_skip_test("the plain build shows it");
    }
    for (int point = 1; point < SYNC_POINT_COUNT; point++) {
        tally_t tally = {0};
        cut_everywhere(cut_run, (sync_point_t) point, each, 100, &tally);
        cr_log_info("%s: %llu cuts, %s", point_names[point], (unsigned long long) tally.cuts,
                    tally.what);
        cr_expect(tally.lost, "without %s nothing is lost in %llu cuts", point_names[point],
                  (unsigned long long) tally.cuts);
    }
}

Test(power_cut, without_any_one_sync_something_is_lost)
{
    every_sync_is_needed(false);
}

Test(power_cut, without_any_one_sync_something_is_lost_where_each_file_is_synced)
{
    every_sync_is_needed(true);
}

/* Calls fail by chance; then the machine is healed, and the same work must end well, also when the
 * power goes right after it: what a failed sync lost must not be taken for written. */
static void
fail_by_chance(uint64_t seed, bool each, char what[400], uint64_t *failures)
{
    run_t run;
    run_init(&run, seed, each);
    boot(&run);
    furnish(&run);
    world_sim_draw_faults(run.sim, 5000, 0);
    err_t err = do_all(&run);
    *failures += err != OK;
    world_sim_heal(run.sim);
    shut(&run);
    boot(&run);
    uint64_t epoch = run.promised.placed == 0 ? 1 : 2; /* the one that failed, once more */
    run.promised = (promised_t){.kept = true};
    err = open_all(&run);
    err = err == OK ? distribute(&run, epoch) : err;
    if (err != OK) {
        blame(&run, "the work cannot go on", err);
    }
    world_sim_crash(run.sim);
    shut(&run);
    look_again(&run);
    what[0] = '\0';
    if (run.violation[0] != '\0') {
        snprintf(what, 400, "seed %llu: %s", (unsigned long long) seed, run.violation);
    }
    world_sim_destroy(&run.sim);
}

Test(faults, that_come_by_chance_leave_nothing_wrong_and_nothing_open)
{
    uint64_t failures = 0;
    for (uint64_t seed = 1; seed <= 1000; seed++) {
        char what[400];
        fail_by_chance(seed, seed % 2 == 0, what, &failures);
        cr_assert(what[0] == '\0', "%s", what);
    }
    cr_expect(failures > 500, "only %llu runs met a fault", (unsigned long long) failures);
}
