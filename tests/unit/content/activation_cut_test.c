/* activation_cut_test.c - what an agent keeps of its program outlives cuts and kills at every call.
 *
 * Shape    a version is noted, placed (its receipt stands for that) and run for, on the simulated
 *          machine, and all of that is cut after every number of operations, with several fates of
 *          what was not synced, or killed at every call with the power going while the next process
 *          is at work. A checker looks at what is left, the work goes on, the checker looks again.
 *          Without either sync it must find something.
 */
#include <criterion/criterion.h>

#include <fcntl.h>
#include <string.h>
#include "actors/content/activation.h"
#include "actors/content/receipt.h"
#include "outage.h"

sync_point_t sync_mutant = SYNC_NONE;

/* What was told to be done, by any process of the run. */
typedef struct told {
    bool placed, ended;
    uint64_t attempt; /* that was said to have ended */
} told_t;

static told_t told;
static const activation_run_t order = {
    .program = "/program", .data = "/data", .root = "/root", .point = "D1", .time_ms = 1000};

static receipt_t
receipt_of(const run_t *run)
{
    return (receipt_t){.incarnation = run->order.incarnation, .epoch = 5, .package = "P1"};
}

static err_t
place(run_t *run)
{
    receipt_t receipt = receipt_of(run), found;
    err_t err = receipt_read(&run->point, "P1", &found, NULL);
    if (err == ERR_NOT_FOUND) {
        TRY(activation_intend(&run->world, "/data", &run->point, "P1", &receipt.incarnation,
                              receipt.epoch, NULL));
        err = receipt_write(&run->point, &receipt, NULL);
    } else if (err == OK) {
        err = receipt_settle(&run->point, NULL);
    }
    told.placed |= err == OK;
    return err;
}

static err_t
open_point(run_t *run)
{
    return point_open(&run->world, "/root", &run->identity.site, &run->identity.incarnation,
                      &run->point, NULL);
}

static err_t
work(run_t *run)
{
    activation_t ended;
    bool ran = false;
    TRY(open_point(run));
    TRY(place(run));
    TRY(activation_run(&run->world, &run->point, &order, &ended, &ran, NULL));
    if (ran) {
        told.ended = true;
        told.attempt = ended.attempt;
    }
    return OK;
}

/* ---- what is left ---- */

static void
check_untold(run_t *run)
{
    activation_t ended[4];
    uint32_t count = 0;
    err_t err = activation_untold(&run->world, "/data", ended, 4, &count, NULL);
    bool kept = count == 1 && ended[0].how == WORLD_EXITED && ended[0].code == 3 &&
                ended[0].attempt >= told.attempt && strcmp(ended[0].text, "closed") == 0;
    if (err != OK || (told.ended && !kept)) {
        blame(run, "an end that was told is not known any more", err);
    }
    if (count > 0 && ended[0].attempt < world_sim_runs(run->sim)) {
        blame(run, "an attempt began before it was counted", OK);
    }
}

/* Of a version that is current and has not ended a run must be due: the next look finds it. */
static void
check_due(run_t *run)
{
    uint64_t before = world_sim_runs(run->sim);
    activation_t ended;
    bool ran = false;
    err_t err = open_point(run);
    err = err == OK ? activation_run(&run->world, &run->point, &order, &ended, &ran, NULL) : err;
    if (err != OK) {
        blame(run, "what is due cannot be run", err);
    }
    if (ran != (world_sim_runs(run->sim) == before + 1)) {
        blame(run, "a run is told that was none", OK);
    }
    if (ran && told.ended) {
        blame(run, "what had ended ran again", OK);
    }
    if (ran && ended.attempt < world_sim_runs(run->sim)) {
        blame(run, "an attempt has the number of one before", OK);
    }
    if (told.placed && world_sim_runs(run->sim) == 0) {
        blame(run, "a version is current and nothing ran for it", OK);
    }
    told.ended |= ran;
}

static void
look(run_t *run)
{
    boot(run);
    check_untold(run);
    shut(run);
    boot(run);
    check_due(run);
    check_untold(run);
    shut(run);
    check_open(run);
}

/* ---- cuts ---- */

static void
begin(run_t *run)
{
    told = (told_t){.placed = false};
    boot(run);
    furnish(run);
    put_file(run, "/program", "say closed\nsleep 250\nexit 3\n");
    int fd = world_open(&run->world, AT_FDCWD, "/program", O_RDONLY, 0, 0);
    cr_assert_eq(world_chmod(&run->world, fd, 0755), 0);
    cr_assert_eq(world_sync_all(&run->world, fd), 0);
    world_close(&run->world, fd);
    cr_assert_eq(point_claim(&run->world, "/root", &run->identity, NULL, 0, false, NULL), OK);
    shut(run);
}

static void
work_until_cut(run_t *run, uint64_t operations, bool *ret_ended)
{
    boot(run);
    world_sim_cut_after(run->sim, operations);
    err_t err = work(run);
    *ret_ended = !world_sim_is_cut(run->sim);
    if (err != OK && *ret_ended) {
        blame(run, "work that nobody cut failed", err);
    }
    world_sim_crash(run->sim);
    shut(run);
}

static void
cut_run(run_t *run, uint64_t operations, sync_point_t mutant, bool *ret_ended)
{
    begin(run);
    sync_mutant = mutant;
    work_until_cut(run, operations, ret_ended);
    sync_mutant = SYNC_NONE;
    look(run);
    look(run);
}

static void
kill_run(run_t *run, uint64_t calls, sync_point_t mutant, bool *ret_ended)
{
    bool ended;
    begin(run);
    sync_mutant = mutant;
    run->calls_left = calls;
    boot(run);
    *ret_ended = work(run) == OK;
    run->calls_left = 0;
    shut(run);
    uint64_t chance = 0;
    boot(run);
    world_random(&run->world, &chance, sizeof chance);
    shut(run);
    work_until_cut(run, chance % 40, &ended);
    sync_mutant = SYNC_NONE;
    look(run);
    look(run);
}

static void
expect_nothing_lost(cut_run_fn *cut, uint64_t seeds, uint64_t cuts_min)
{
    tally_t tally = {0};
    cut_everywhere(cut, SYNC_NONE, false, seeds, &tally);
    cr_log_info("%llu cuts", (unsigned long long) tally.cuts);
    cr_expect(tally.lost || tally.cuts * CUT_EACH >= cuts_min, "only %llu cuts",
              (unsigned long long) tally.cuts);
    cr_expect(!tally.lost, "%s", tally.what);
}

Test(activation_cut, a_current_version_is_run_for_and_an_end_that_was_told_is_kept)
{
    expect_nothing_lost(cut_run, 40, 400);
}

Test(activation_cut, what_a_killed_process_noted_is_durable_before_it_is_built_on)
{
    expect_nothing_lost(kill_run, 10, 300);
}

Test(activation_cut, without_any_one_sync_a_run_or_its_end_is_lost)
{
    static const sync_point_t points[] = {SYNC_ACTIVATION_FILE, SYNC_ACTIVATION_NAMES};
    if (CUT_EACH > 1) {
        cr_skip_test("the plain build shows it");
    }
    for (int i = 0; i < 2; i++) {
        tally_t tally = {0};
        cut_everywhere(cut_run, points[i], false, 100, &tally);
        cr_expect(tally.lost, "without the %s sync nothing is lost in %llu cuts",
                  i == 0 ? "first" : "second", (unsigned long long) tally.cuts);
    }
}
