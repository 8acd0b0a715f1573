/* site_rest.c - what must be so when nothing is broken any more: all is installed and whole, also
 * after a power cut, a new version and a late point; and who is done is silent and ends. */
#include <stdio.h>
#include <string.h>

#include "tests/sim/site_inside.h"
#include "tests/sim/stage_inside.h"

bool
site_is_installed(run_t *run)
{
    for (uint32_t i = 0; i < run->points; i++) {
        if (strcmp(stage_target(run->stage, "P1", site_names[i]), "installed") != 0) {
            return false;
        }
    }
    return true;
}

static void
package_is(run_t *run, const char *wanted)
{
    wire_value_t state;

    if (stage_fault(run->stage)) {
        return;
    }
    stage_target(run->stage, "P1", site_names[0]);
    if (!wire_find(stage_answer(run->stage), "state", &state) ||
        !slice_equal(state.bytes, slice_of(wanted))) {
        stage_note_fault(run->stage, "invariant 4: the package is '%.*s', not '%s'",
                         (int) state.bytes.size, state.bytes.data, wanted);
    }
}

bool
site_converge(run_t *run, const char *when)
{
    char why[512];

    uint32_t step_ms = run->converge_ms / 600;

    for (uint32_t waited = 0; waited < run->converge_ms && !site_is_installed(run);
         waited += step_ms) {
        site_mends_store_again(run);
        stage_run(run->stage, step_ms);
    }
    for (uint32_t i = 0; i < run->points; i++) {
        const char *word = stage_target(run->stage, "P1", site_names[i]);
        if (strcmp(word, "installed") != 0) {
            stage_note_fault(run->stage, "%s '%s' is '%s', not installed", when, site_names[i],
                             word);
        } else if (!stage_tree_is_whole(run->stage, "P1", site_names[i], why, sizeof why)) {
            stage_note_fault(run->stage, "%s '%s' is installed and not whole: %s", when,
                             site_names[i], why);
        }
    }
    package_is(run, "complete");
    return !stage_fault(run->stage);
}

/* ---- what was told must be so, also after a power cut ---- */

static bool
survives_a_cut(run_t *run)
{
    stage_crash(run->stage);
    if (!stage_ready(run->stage, STARTS_MS)) {
        stage_note_fault(run->stage, "after a power cut at rest the host is not ready");
        return false;
    }
    return site_converge(run, "after a power cut at rest");
}

/* The first version becomes the newest again; one that was collected is stored again. */
static bool
goes_back(run_t *run)
{
    site_roll_back(run);
    if (run->changed && !site_must(run, "package.update",
                                   stage_do(run->stage, 120000, "package.update", "id=P1", NULL))) {
        return false;
    }
    run->changed = false;
    return site_converge(run, "after a rollback");
}

/* One more version; the one before it is collected when its grace is over, and the power goes. */
static bool
gets_a_version(run_t *run)
{
    if (run->version > 1 && run->plan->seed % 2 == 0 && !goes_back(run)) {
        return false;
    }
    site_update(run);
    if (run->changed) {
        stage_note_fault(run->stage, "package.update was refused at rest");
        return false;
    }
    if (!site_converge(run, "after an update")) {
        return false;
    }
    stage_run(run->stage, 1500);
    return survives_a_cut(run);
}

static bool
all_are_whole(run_t *run)
{
    wire_value_t rows, ok, row;
    bool whole = true;

    if (!site_must(run, "verify", stage_do(run->stage, 120000, "verify", "id=P1", NULL)) ||
        !wire_find(stage_answer(run->stage), "points", &rows)) {
        stage_note_fault(run->stage, "verify tells no points");
        return false;
    }
    const uint8_t *at = rows.body;
    for (uint32_t i = 0; i < rows.count; i++) {
        wire_next(&rows, &at, &row);
        whole = whole && wire_find(&row, "ok", &ok) && ok.boolean;
    }
    return whole;
}

/* Who reads a bit wrongly at a point takes the receipt away there, so that the version is placed
 * again. When the power goes before that is told to the site, the next look finds what it did:
 * verify may be that look, and mends it. */
static bool
is_verified(run_t *run)
{
    bool whole = all_are_whole(run);

    if (!whole && run->flips > 0 && !stage_fault(run->stage)) {
        whole = site_converge(run, "after verify found what a look had begun to mend") &&
                all_are_whole(run);
    }
    if (!whole && !stage_fault(run->stage)) {
        stage_note_fault(run->stage, "verify finds what is installed and whole not to be");
    }
    return !stage_fault(run->stage);
}

static bool
gets_a_late_point(run_t *run)
{
    char to[32];
    uint32_t point = run->points;

    if (!site_add_point(run, point)) {
        return false;
    }
    snprintf(to, sizeof to, "to[]=%s", site_names[point]);
    run->points++;
    site_rot_store(run);
    if (!site_must(run, "distribute",
                   stage_do(run->stage, 60000, "distribute", "id=P1", to, NULL))) {
        return false;
    }
    if (run->plan->rots == PLAN_ROTS_STORED || run->flips_store) {
        site_mends_store(run);
    }
    bool well = site_converge(run, "added late");
    world_sim_heal(site_machine(run));
    return well;
}

static void
gives_a_point_back(run_t *run)
{
    char left[512];

    if (!site_must(run, "withdraw",
                   stage_do(run->stage, 60000, "withdraw", "id=P1", "from[]=a", NULL))) {
        return;
    }
    const char *word = stage_target(run->stage, "P1", "a");
    for (uint32_t waited = 0; waited < CONVERGE_MS && *word && strcmp(word, "removed") != 0;
         waited += 1000) {
        stage_run(run->stage, 1000);
        word = stage_target(run->stage, "P1", "a");
    }
    stage_crash(run->stage);
    stage_ready(run->stage, STARTS_MS);
    word = stage_target(run->stage, "P1", "a");
    if (*word && strcmp(word, "removed") != 0) {
        stage_note_fault(run->stage, "withdrawn, 'a' is '%s'", word);
    } else if (stage_has_package(run->stage, "P1", "a", left, sizeof left)) {
        stage_note_fault(run->stage, "'a' is withdrawn and still has %s", left);
    }
}

/* One look may fall into an ask that alarm_manager makes every few seconds; ten in a row do not. */
static bool
asks_stay_open(stage_t *stage, char *ret_left, size_t size)
{
    uint32_t looks = 0;

    while (sim_open_asks(stage_sim(stage), ret_left, size) > 0 && looks++ < 10) {
        stage_run(stage, 20);
    }
    return looks > 10;
}

static void
end_well(run_t *run)
{
    char left[512] = "";
    sim_t *sim = stage_sim(run->stage);

    stage_run(run->stage, 40000);
    uint64_t seq = stage_last_seq(run->stage);
    stage_run(run->stage, 30000);
    if (stage_last_seq(run->stage) != seq) {
        stage_note_fault(run->stage, "invariant 11: who is idle is not silent: message %lu",
                         (unsigned long) stage_last_seq(run->stage));
    }
    if (sim_threads_lost(sim) > 0) {
        stage_note_fault(run->stage, "a healed machine still has %u lost threads",
                         sim_threads_lost(sim));
    }
    if (asks_stay_open(run->stage, left, sizeof left)) {
        stage_note_fault(run->stage, "invariant 6: at rest an ask is open: %s", left);
    }
    oracle_recount(run->stage);
    if (!sim_stop(sim, INT64_C(10000000000))) {
        sim_open_asks(sim, left, sizeof left);
        stage_note_fault(run->stage, "the host did not stop within 10 s: %s", left);
    }
}

/* All that a plan has for a site at rest, one after the other, and an orderly end. */
void
site_rest(run_t *run)
{
    const plan_t *plan = run->plan;

    bool well = site_converge(run, "after all was healed");
    well = well && (!plan->cut_at_end || survives_a_cut(run));
    well = well && site_finds_rot(run);
    well = well && (!plan->updates || gets_a_version(run));
    well = well && (!plan->late || gets_a_late_point(run));
    well = well && (!plan->verifies || is_verified(run));
    well = well && site_bears_poison(run);
    if (well && !run->leapt) {
        stage_repeat_all(run->stage);
    }
    if (well && plan->withdraws) {
        gives_a_point_back(run);
    }
    if (!stage_fault(run->stage)) {
        end_well(run);
    }
}
