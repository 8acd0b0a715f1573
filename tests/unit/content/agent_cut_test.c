/* agent_cut_test.c - every sync of keys and of what is staged at an agent is needed, and with all
 * of them nothing is lost.
 *
 * Shape    three scenes on the simulated machine: keys are made, an agent notes its site, objects
 *          come in parts. Each is cut after every number of operations, with several fates of what
 *          was not synced; and each is killed at every call, and the power goes while the next
 *          process is at work. Then a checker looks at what is left, the work is done again, and it
 *          looks once more. For every sync point alone, left out, it must find something.
 */
#include <criterion/criterion.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "actors/content/hash.h"
#include "actors/content/join.h"
#include "actors/content/keys.h"
#include "actors/content/staging.h"
#include "outage.h"

sync_point_t sync_mutant = SYNC_NONE;

#define OBJECTS           4u
#define OBJECT_MAX        2700u
#define PART_BYTES        1000u
#define STAGED_PATH_BYTES 96u
#define ROUNDS_MAX        16u /* of one process; three are enough when nothing came before */

/* The last two come in one piece, the last one when the others are there. */
static const uint64_t total[OBJECTS] = {OBJECT_MAX, 1500, 300, 200};
static uint8_t content[OBJECTS][OBJECT_MAX];
static digest_t digest[OBJECTS];

/* What was told to be done, by any process of the run. */
typedef struct told {
    bool has_keys, joined;
    keys_t keys;
    uint64_t durable[OBJECTS]; /* bytes that were acknowledged */
    bool torn[OBJECTS];        /* a cut left more than those, of which nothing is known */
} told_t;

static told_t told;
static store_left_t group_left; /* by the group before, of this process */

/* ---- keys ---- */

static err_t
work_with_keys(run_t *run)
{
    keys_t keys;
    TRY(keys_open(&run->world, "/data", &keys, NULL));
    if (told.has_keys && memcmp(&keys, &told.keys, sizeof keys) != 0) {
        blame(run, "keys that were in use are others now", OK);
    }
    told.keys = keys;
    told.has_keys = true;
    return OK;
}

static void
check_mode(run_t *run, const char *path, uint32_t mode)
{
    world_stat_t stat;
    int result = world_stat_at(&run->world, AT_FDCWD, path, &stat);
    if (result == 0 && (stat.mode & 07777) != mode) {
        blame(run, "others may look at a key", OK);
    }
    if (result < 0 && told.has_keys) {
        blame(run, "a key that was in use is not there", OK);
    }
}

/* A key has its name when it is whole, promised or not: opening them makes those that lack. */
static void
check_keys(run_t *run)
{
    check_mode(run, "/data/keys", 0700);
    check_mode(run, "/data/keys/transport", 0600);
    check_mode(run, "/data/keys/signing", 0600);
    err_t err = work_with_keys(run);
    if (err != OK) {
        blame(run, "the keys cannot be used", err);
    }
}

/* ---- what an agent knows of its site ---- */

static err_t
work_with_site(run_t *run)
{
    join_t join = {.address = "tcp://192.0.2.1:7100", .name = "shop1", .root = "/root"};
    join_t found = {.name = ""};
    memset(join.site_signing.byte, 7, sizeof join.site_signing.byte);
    err_t err = join_read(&run->world, "/data", &found, NULL);
    if (err == ERR_NOT_FOUND && told.joined) {
        blame(run, "the site that was joined is forgotten", err);
    }
    err = err == ERR_NOT_FOUND ? join_write(&run->world, "/data", &join, NULL) : err;
    TRY(err);
    told.joined = true;
    return OK;
}

static void
check_site(run_t *run)
{
    join_t found = {.name = ""};
    err_t err = join_read(&run->world, "/data", &found, NULL);
    if (err != OK && (told.joined || err != ERR_NOT_FOUND)) {
        blame(run, "what the agent knew of its site cannot be read", err);
    }
    if (err == OK && (strcmp(found.name, "shop1") != 0 || found.site_signing.byte[31] != 7)) {
        blame(run, "the agent knows another site", OK);
    }
}

/* ---- objects that come in parts ---- */

static void
make_objects(void)
{
    hash_t *hash = NULL;
    cr_assert_eq(hash_new(&hash), OK);
    for (uint32_t i = 0; i < OBJECTS; i++) {
        for (uint32_t at = 0; at < total[i]; at++) {
            content[i][at] = (uint8_t) (1 + (at * 31 + at / 512 * 7 + i * 11) % 255);
        }
        hash_bytes(hash, content[i], total[i], &digest[i]);
    }
    hash_destroy(&hash);
}

/* The next part of an object, from what is staged on, as lack.c asks for it; *ret_end: how much of
 * the object is there then. */
static err_t
put_next(run_t *run, staging_t *staging, uint32_t i, uint64_t *ret_end)
{
    bool has = false;
    uint64_t there = 0;
    TRY(store_has(run->store, &digest[i], &has, NULL));
    TRY(staging_size(staging, &digest[i], &there, NULL));
    if (has) {
        return OK;
    }
    there = there < total[i] ? there : total[i] - 1;
    uint64_t left = total[i] - there;
    uint64_t size = left < PART_BYTES ? left : PART_BYTES;
    staging_part_t part = {.object = digest[i], .from = there, .total = total[i]};
    part.bytes = (slice_t){(const char *) content[i] + there, (size_t) size};
    err_t err = staging_put(staging, &part, NULL);
    *ret_end = err == OK ? there + size : 0;
    if (err == ERR_DIGEST && !told.torn[i]) {
        blame(run, "bytes that no cut has torn were thrown away", OK);
    }
    if (err == ERR_DIGEST) {
        told.durable[i] = 0;
        told.torn[i] = false;
    }
    return err;
}

/* What is put behind torn bytes is promised when the whole object proves right, as the bytes before
 * it are not those that were sent. */
static void
acknowledge(uint32_t i, uint64_t end)
{
    if (end > told.durable[i] && (!told.torn[i] || end == total[i])) {
        told.durable[i] = end;
    }
}

/* One group, as a job of an agent stores it: what its commit returned OK for is acknowledged. In
 * the first only the first object comes, so that nothing of the store is synced along with it. */
static err_t
put_group(run_t *run, staging_t *staging, uint32_t round)
{
    uint64_t end[OBJECTS] = {0};
    for (uint32_t i = 0; i < OBJECTS && i <= round; i++) {
        TRY(put_next(run, staging, i, &end[i]));
    }
    TRY(staging_commit(staging, NULL));
    for (uint32_t i = 0; i < OBJECTS; i++) {
        acknowledge(i, end[i]);
    }
    return OK;
}

static bool
all_are_stored(run_t *run)
{
    bool all = true;
    for (uint32_t i = 0; i < OBJECTS; i++) {
        bool has = false;
        all = store_has(run->store, &digest[i], &has, NULL) == OK && has && all;
    }
    return all;
}

static err_t
store_group(run_t *run, uint32_t round, bool *ret_all)
{
    staging_t *staging = NULL;
    err_t err = store_open(&run->world, "/data/store", &run->store, NULL);
    err = err == OK ? staging_open(&run->world, "/data", run->store, &staging, NULL) : err;
    err = err == OK ? store_go_on(run->store, &group_left, NULL) : err;
    err = err == OK ? put_group(run, staging, round) : err;
    group_left = err == OK ? store_left(run->store) : (store_left_t){.pack_bytes = 0};
    *ret_all = err == OK && all_are_stored(run);
    staging_close(&staging);
    store_close(&run->store);
    return err;
}

static err_t
work_with_objects(run_t *run)
{
    bool all = false;
    group_left = (store_left_t){.pack_bytes = 0};
    for (uint32_t round = 0; !all && round < ROUNDS_MAX; round++) {
        err_t err = store_group(run, round, &all);
        if (err != OK && err != ERR_DIGEST) {
            return err;
        }
    }
    return all ? OK : ERR_INTERNAL;
}

static void
staged_path(uint32_t i, char path[STAGED_PATH_BYTES])
{
    char hex[65];
    hex_of_bytes(digest[i].byte, sizeof digest[i].byte, hex);
    snprintf(path, STAGED_PATH_BYTES, "/data/incoming/%s", hex);
}

/* Of an object that is not whole yet the bytes that were acknowledged are there. */
static void
check_staged(run_t *run, uint32_t i)
{
    char path[STAGED_PATH_BYTES];
    uint8_t bytes[OBJECT_MAX];
    staged_path(i, path);
    int fd = world_open(&run->world, AT_FDCWD, path, O_RDONLY, 0, 0);
    int64_t got = fd < 0 ? fd : world_read(&run->world, fd, bytes, sizeof bytes, 0);
    told.torn[i] = got > (int64_t) told.durable[i];
    if (told.durable[i] > 0 && got < (int64_t) told.durable[i]) {
        blame(run, "bytes that were acknowledged are not there", OK);
    } else if (memcmp(bytes, content[i], told.durable[i]) != 0) {
        blame(run, "bytes that were acknowledged are others", OK);
    }
    if (fd >= 0) {
        world_close(&run->world, fd);
    }
}

static void
check_object(run_t *run, uint32_t i)
{
    void *bytes = NULL;
    size_t size = 0;
    err_t err = store_read(run->store, &digest[i], OBJECT_MAX, &bytes, &size, NULL);
    if (err != OK && (err != ERR_NOT_STORED || told.durable[i] == total[i])) {
        blame(run, "an object that was acknowledged is not in the store", err);
    } else if (err != OK) {
        check_staged(run, i);
    }
    free(bytes);
}

static void
check_all_objects(run_t *run)
{
    err_t err = store_open(&run->world, "/data/store", &run->store, NULL);
    if (err != OK) {
        blame(run, "the store does not open", err);
        return;
    }
    check_objects(run);
    for (uint32_t i = 0; i < OBJECTS; i++) {
        check_object(run, i);
    }
    store_close(&run->store);
}

/* ---- cuts ---- */

typedef struct scene {
    err_t (*work)(run_t *run);
    void (*check)(run_t *run);
    sync_point_t point[2]; /* that it comes by */
    const char *name[2];
} scene_t;

#define POINTS(a, b) .point = {a, b}, .name = {#a, #b}
static const scene_t keys_scene = {work_with_keys, check_keys,
                                   POINTS(SYNC_KEY_FILE, SYNC_KEY_NAMES)};
static const scene_t site_scene = {work_with_site, check_site,
                                   POINTS(SYNC_KEY_FILE, SYNC_KEY_NAMES)};
static const scene_t objects_scene = {work_with_objects, check_all_objects,
                                      POINTS(SYNC_STAGED_DATA, SYNC_STAGED_NAMES)};
static const scene_t *scene;
static uint64_t failures; /* of first processes that met a fault */

static void
begin(run_t *run)
{
    told = (told_t){0};
    make_objects();
    boot(run);
    furnish(run);
    shut(run);
}

static void
look(run_t *run)
{
    boot(run);
    scene->check(run);
    shut(run);
    check_open(run);
}

/* A process at work until the power goes, if it does, and once more at its end. */
static void
work_until_cut(run_t *run, uint64_t operations, bool *ret_ended)
{
    boot(run);
    world_sim_cut_after(run->sim, operations);
    err_t err = scene->work(run);
    *ret_ended = !world_sim_is_cut(run->sim);
    if (err != OK && *ret_ended) {
        blame(run, "work that nobody cut failed", err);
    }
    world_sim_crash(run->sim);
    shut(run);
}

static void
look_and_go_on(run_t *run)
{
    bool ended;
    look(run);
    work_until_cut(run, 0, &ended);
    look(run);
}

static void
cut_run(run_t *run, uint64_t operations, sync_point_t mutant, bool *ret_ended)
{
    begin(run);
    sync_mutant = mutant;
    work_until_cut(run, operations, ret_ended);
    sync_mutant = SYNC_NONE;
    look_and_go_on(run);
}

/* The process is killed at a call, and what it had done is on the disk or not: the next one sees
 * it, and must not take it for durable. The power goes when that one has done something. */
static void
kill_run(run_t *run, uint64_t calls, sync_point_t mutant, bool *ret_ended)
{
    bool ended;
    begin(run);
    sync_mutant = mutant;
    run->calls_left = calls;
    boot(run);
    *ret_ended = scene->work(run) == OK;
    run->calls_left = 0;
    shut(run);
    uint64_t chance = 0;
    boot(run);
    world_random(&run->world, &chance, sizeof chance);
    shut(run);
    work_until_cut(run, chance % 40, &ended);
    sync_mutant = SYNC_NONE;
    look_and_go_on(run);
}

/* What is staged no more is not promised either: it comes again. */
static void
forget_what_was_thrown_away(run_t *run)
{
    boot(run);
    for (uint32_t i = 0; i < OBJECTS; i++) {
        world_stat_t stat;
        char path[STAGED_PATH_BYTES];
        staged_path(i, path);
        bool gone = world_stat_at(&run->world, AT_FDCWD, path, &stat) < 0;
        told.durable[i] = gone && told.durable[i] < total[i] ? 0 : told.durable[i];
    }
    shut(run);
}

/* One call of the first process fails by chance, which may be a sync that loses what it should have
 * written; then the machine is healed. */
static void
fault_run(run_t *run, uint64_t number, sync_point_t mutant, bool *ret_ended)
{
    bool ended;
    begin(run);
    sync_mutant = mutant;
    boot(run);
    world_sim_mix(run->sim, "/data",
                  &(world_sim_mix_t){.io = 30000, .full = 10000, .part = 10000, .most = 1});
    failures += scene->work(run) != OK;
    world_sim_heal(run->sim);
    shut(run);
    forget_what_was_thrown_away(run);
    work_until_cut(run, number % 40, &ended);
    sync_mutant = SYNC_NONE;
    look_and_go_on(run);
    *ret_ended = number >= 200;
}

static void
expect_nothing_lost(const scene_t *of, cut_run_fn *cut, uint64_t seeds, uint64_t cuts_min)
{
    scene = of;
    for (int each = 0; each <= 1; each++) {
        tally_t tally = {0};
        cut_everywhere(cut, SYNC_NONE, each == 1, seeds, &tally);
        cr_log_info("%llu cuts", (unsigned long long) tally.cuts);
        cr_expect(tally.lost || tally.cuts * CUT_EACH >= cuts_min, "only %llu cuts",
                  (unsigned long long) tally.cuts);
        cr_expect(!tally.lost, "%s%s", each == 1 ? "each file synced, " : "", tally.what);
    }
}

static void
expect_each_sync_needed(const scene_t *of)
{
    scene = of;
    if (CUT_EACH > 1) {
        cr_skip_test("the plain build shows it");
    }
    for (int i = 0; i < 4; i++) {
        tally_t tally = {0};
        cut_everywhere(cut_run, of->point[i / 2], i % 2 == 1, 100, &tally);
        cr_log_info("%s: %llu cuts, %s", of->name[i / 2], (unsigned long long) tally.cuts,
                    tally.what);
        cr_expect(tally.lost, "without %s nothing is lost in %llu cuts", of->name[i / 2],
                  (unsigned long long) tally.cuts);
    }
}

Test(agent_cut, keys_that_were_given_out_are_there_whole_and_their_owners_alone)
{
    expect_nothing_lost(&keys_scene, cut_run, 16, 200);
}

Test(agent_cut, a_site_that_was_joined_is_known)
{
    expect_nothing_lost(&site_scene, cut_run, 40, 160);
}

Test(agent_cut, bytes_that_were_acknowledged_are_there_and_a_name_means_a_whole_object)
{
    expect_nothing_lost(&objects_scene, cut_run, 6, 180);
}

Test(agent_cut, keys_that_a_killed_process_made_are_durable_before_they_are_used)
{
    expect_nothing_lost(&keys_scene, kill_run, 8, 200);
}

Test(agent_cut, a_site_that_a_killed_process_joined_is_durable_before_it_is_believed)
{
    expect_nothing_lost(&site_scene, kill_run, 40, 320);
}

Test(agent_cut, what_a_killed_process_staged_is_durable_before_what_follows_is_acknowledged)
{
    expect_nothing_lost(&objects_scene, kill_run, 3, 250);
}

Test(agent_faults, what_a_failed_sync_lost_is_not_taken_for_durable)
{
    expect_nothing_lost(&keys_scene, fault_run, 1, 200);
    expect_nothing_lost(&site_scene, fault_run, 1, 200);
    expect_nothing_lost(&objects_scene, fault_run, 2, 400);
    cr_expect(failures * CUT_EACH > 200, "only %llu processes met a fault",
              (unsigned long long) failures);
}

Test(agent_cut, without_any_one_sync_a_key_is_lost)
{
    expect_each_sync_needed(&keys_scene);
}

Test(agent_cut, without_any_one_sync_the_site_is_forgotten)
{
    expect_each_sync_needed(&site_scene);
}

Test(agent_cut, without_any_one_sync_an_acknowledged_byte_is_lost)
{
    expect_each_sync_needed(&objects_scene);
}
