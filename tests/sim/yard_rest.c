/* yard_rest.c - a site and its agents at rest: what an update costs, what rots, who goes.
 *
 *   verify     what is installed is found whole by the agents themselves
 *   edits      an edit of a few bytes costs a delta, and of a large file the chunks around it
 *   scrub      a bit that turned where readers see it, and perhaps another where the agent keeps
 *              the same file, is found by reading everything again, and what is sent to have it
 *              right is at most the file
 *   withdrawn  nothing is left of a package that was taken off an agent, also where the power goes
 *              while or after versions are removed
 *   tombstone  a point is removed while its agent is here, or away, or the site's power goes: its
 *              agent hears it, ends, and leaves what was to stay as it was */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "tests/sim/machine.h"
#include "tests/sim/rot.h"
#include "tests/sim/stage_inside.h"
#include "tests/sim/yard_run.h"

#define EDIT_BYTES_MAX (2u << 20) /* the chunks on both sides of an edit, and the small files */
#define DAY_NS         INT64_C(90000000000000) /* 25 h: then a reading begins anew */
#define SCRUB_MS       600000u
#define COLLECTS_MS    3000u
#define AWAY_MS        15000u /* the site has seen that an agent is silent, */
#define KNOWS_MS       5000u  /* and who minds the door that a point was removed */
#define GOES_MS        180000u

/* ---- all is well ---- */

static bool
is_installed(yard_run_t *run)
{
    for (uint32_t i = 0; i < run->yard->count; i++) {
        far_t *far = &run->yard->far[i];
        if (!far->gone && strcmp(stage_target(run->stage, "P1", far->name), "installed") != 0) {
            return false;
        }
    }
    return true;
}

static void
look_at_far(yard_run_t *run, far_t *far, const char *when)
{
    char why[512];
    const char *word = stage_target(run->stage, "P1", far->name);

    if (strcmp(word, "installed") != 0) {
        stage_note_fault(run->stage, "%s '%s' is '%s', not installed", when, far->name, word);
    } else if (!far_is_whole(far, run->version, why, sizeof why)) {
        stage_note_fault(run->stage, "%s '%s' is installed and not whole: %s", when, far->name,
                         why);
    }
}

void
yard_converge(yard_run_t *run, const char *when)
{
    for (uint32_t waited = 0; waited < CONVERGE_MS && !stage_fault(run->stage); waited += 1000) {
        if (is_installed(run)) {
            break;
        }
        stage_run(run->stage, 1000);
    }
    for (uint32_t i = 0; i < run->yard->count; i++) {
        if (!run->yard->far[i].gone) {
            look_at_far(run, &run->yard->far[i], when);
        }
    }
    yard_recount(run->yard);
}

static bool
row_is_whole(const wire_value_t *row)
{
    wire_value_t ok;

    return wire_find(row, "ok", &ok) && ok.boolean;
}

/* One that is just coming back is told as such, which is true, and looked at again. */
static bool
row_is_absent(const wire_value_t *row)
{
    wire_value_t cause, code;

    return wire_find(row, "cause", &cause) && cause.kind == WIRE_MAP &&
           wire_find(&cause, "code", &code) && slice_equal(code.bytes, slice_of("absent"));
}

/* False: somebody was not there to be looked at. */
static bool
all_were_looked_at(yard_run_t *run)
{
    wire_value_t rows = {0}, row;
    bool all = true;

    if (stage_do(run->stage, 120000, "verify", "id=P1", NULL) != OK ||
        !wire_find(stage_answer(run->stage), "points", &rows)) {
        stage_note_fault(run->stage, "verify tells no points");
    }
    const uint8_t *at = rows.body;
    for (uint32_t i = 0; i < rows.count; i++) {
        wire_next(&rows, &at, &row);
        bool absent = row_is_absent(&row);
        all = all && !absent;
        if (!absent && !row_is_whole(&row)) {
            stage_note_fault(run->stage, "verify finds what is installed and whole not to be");
        }
    }
    return all;
}

/* After the power of each agent went at rest: what was told to be so is so. */
static void
is_verified(yard_run_t *run)
{
    uint32_t waited = 0;

    while (!all_were_looked_at(run) && !stage_fault(run->stage)) {
        if (waited >= CONVERGE_MS) {
            stage_note_fault(run->stage, "verify finds an agent away that is here");
        }
        stage_run(run->stage, 1000);
        waited += 1000;
    }
}

/* ---- what an edit costs ---- */

static void
edit_costs_little(yard_run_t *run)
{
    uint64_t all[FARS_MAX], deltas[FARS_MAX];

    for (uint32_t i = 0; i < run->yard->count; i++) {
        all[i] = run->yard->far[i].all;
        deltas[i] = run->yard->far[i].deltas;
    }
    yard_update(run);
    if (run->changed) {
        stage_note_fault(run->stage, "package.update was refused at rest");
    }
    yard_converge(run, "after an edit");
    for (uint32_t i = 0; i < run->yard->count; i++) {
        const far_t *far = &run->yard->far[i];
        uint64_t sent = far->all - all[i];
        if (sent > EDIT_BYTES_MAX) {
            stage_note_fault(run->stage, "edits: '%s' was sent %lu bytes for an edit of 16",
                             far->name, (unsigned long) sent);
        } else if (far->deltas == deltas[i]) {
            stage_note_fault(run->stage, "edits: '%s' was sent an edited file whole", far->name);
        }
    }
}

/* ---- what rots ---- */

static bool
turn_bit(yard_run_t *run, far_t *far, uint64_t *ret_size)
{
    char directory[512], path[1024] = "";
    unsigned long epoch = 0;
    world_stat_t stat = {.size = 0};

    if (!far_current(far, directory, sizeof directory, &epoch)) {
        return false;
    }
    world_t *look = world_sim_look_new(sim_world(far->sim));
    bool found = machine_find_file(look, directory, run->plan->value % run->plan->files, path,
                                   sizeof path) &&
                 world_stat_at(look, AT_FDCWD, path, &stat) == 0;
    world_sim_job_destroy(&look);
    *ret_size = stat.size;
    story_note(run->stage, path);
    if (found && run->plan->rots_kept) {
        far->flips |= rot_kept(sim_world(far->sim), "/data/store", path);
    }
    return found && world_sim_rot(sim_world(far->sim), path, run->plan->value >> 8);
}

static void
a_day_passes(yard_run_t *run)
{
    world_t *look = world_sim_look_new(stage_world(run->stage));
    int64_t wall_ns = world_wall_ns(look);

    world_sim_job_destroy(&look);
    world_sim_set_wall(stage_world(run->stage), wall_ns + DAY_NS);
    oracle_forgets_pace(run->stage);
}

static void
rot_is_found(yard_run_t *run)
{
    char why[512] = "";
    uint64_t size = 0;
    far_t *far = &run->yard->far[(run->plan->value >> 16) % run->yard->count];

    far->rotten = true;
    if (!turn_bit(run, far, &size)) {
        stage_note_fault(run->stage, "'%s' has no file of which a bit could turn", far->name);
    }
    uint64_t before = far->all;
    a_day_passes(run);
    bool whole = false;
    for (uint32_t waited = 0; !whole && waited < SCRUB_MS && !stage_fault(run->stage);
         waited += 1000) {
        stage_run(run->stage, 1000);
        whole = far_is_whole(far, run->version, why, sizeof why);
    }
    if (!whole) {
        stage_note_fault(run->stage, "scrub: at '%s' a bit has turned, and a day later: %s",
                         far->name, why);
    }
    yard_converge(run, "after a bit had turned");
    far->rotten = false;
    if (far->all - before > size) {
        stage_note_fault(run->stage, "scrub: '%s' was sent %lu bytes for a file of %lu", far->name,
                         (unsigned long) (far->all - before), (unsigned long) size);
    }
}

/* ---- what is taken off ---- */

static void
look_for_rest_of_package(yard_run_t *run, far_t *far)
{
    char left[64] = "";

    if (far_has_package(far, left, sizeof left)) {
        stage_note_fault(run->stage, "withdrawn: '%s' still has %s", far->name, left);
    }
}

static bool
has_withdrawn(yard_run_t *run, const far_t *far)
{
    const char *word = stage_target(run->stage, "P1", far->name);

    return !*word || strcmp(word, "removed") == 0;
}

static bool
withdraw(yard_run_t *run, far_t *far)
{
    char from[32];

    snprintf(from, sizeof from, "from[]=%s", far->name);
    world_sim_cut_after(sim_world(far->sim), run->plan->cut_withdraw);
    if (stage_do(run->stage, 60000, "withdraw", "id=P1", from, NULL) != OK) {
        stage_note_fault(run->stage, "withdraw was refused");
    }
    for (uint32_t waited = 0; waited < CONVERGE_MS && !has_withdrawn(run, far); waited += 1000) {
        stage_run(run->stage, 1000);
    }
    if (!has_withdrawn(run, far)) {
        stage_note_fault(run->stage, "withdrawn, '%s' is '%s'", far->name,
                         stage_target(run->stage, "P1", far->name));
    }
    world_sim_cut_after(sim_world(far->sim), 0);
    return !stage_fault(run->stage);
}

/* Older versions are collected first, when their grace is over. What was removed stays so when the
 * power goes. */
static void
package_goes(yard_run_t *run)
{
    char to[32];
    far_t *far = &run->yard->far[(run->plan->value >> 24) % run->yard->count];

    if (run->plan->rots_older) {
        yard_rot_manifest(run, far);
        yard_update(run);
        yard_converge(run, "after the manifest of the version before had rotted");
    }
    yard_older_go(run, far);
    stage_run(run->stage, COLLECTS_MS);
    far_cut(far);
    yard_converge(run, "after versions were collected");
    if (stage_fault(run->stage) || !withdraw(run, far)) {
        return;
    }
    far_cut(far);
    look_for_rest_of_package(run, far);
    snprintf(to, sizeof to, "to[]=%s", far->name);
    if (stage_do(run->stage, 60000, "distribute", "id=P1", to, NULL) != OK) {
        stage_note_fault(run->stage, "distribute was refused at rest");
    }
    yard_converge(run, "after it was withdrawn and distributed");
}

/* ---- who goes ---- */

static bool
command_goes(yard_run_t *run, far_t *far)
{
    char name[32];
    bool here = run->plan->removes == YARD_REMOVES_HERE;

    snprintf(name, sizeof name, "name=%s", far->name);
    far->gone = true;
    err_t err =
        stage_do(run->stage, 120000, "dp.remove", name, here ? "withdraw!" : "forget!", NULL);
    if (err != OK) {
        stage_note_fault(run->stage, "dp.remove was refused: %s", err_word(err));
    }
    return err == OK;
}

/* Away from before the command until the site has heard of it. */
static bool
is_removed_away(yard_run_t *run, far_t *far)
{
    far->apart = true;
    stage_run(run->stage, AWAY_MS);
    if (!command_goes(run, far)) {
        return false;
    }
    far->gone_connection = far->connection;
    if (run->plan->removes == YARD_REMOVES_DOWN) {
        stage_crash(run->stage);
        yard_site_was_cut(run->yard);
        if (!stage_ready(run->stage, STARTS_MS)) {
            stage_note_fault(run->stage, "after a power cut at rest the host is not ready");
        }
    }
    stage_run(run->stage, KNOWS_MS);
    lines_drop(far);
    far->apart = false;
    return true;
}

static void
look_at_rest_of(yard_run_t *run, far_t *far)
{
    char why[512] = "";

    far_cut(far);
    if (run->plan->removes == YARD_REMOVES_HERE) {
        look_for_rest_of_package(run, far);
    } else if (!far_is_whole(far, run->version, why, sizeof why)) {
        stage_note_fault(run->stage, "'%s' was removed without its content, and has lost it: %s",
                         far->name, why);
    }
}

static void
point_goes(yard_run_t *run)
{
    far_t *far = &run->yard->far[run->plan->value % run->yard->count];
    bool here = run->plan->removes == YARD_REMOVES_HERE;

    if (!(here ? command_goes(run, far) : is_removed_away(run, far))) {
        return;
    }
    for (uint32_t waited = 0; far->started && waited < GOES_MS && !stage_fault(run->stage);
         waited += 1000) {
        stage_run(run->stage, 1000);
    }
    if (far->started) {
        stage_note_fault(run->stage, "tombstone: '%s' was removed, and its agent goes on",
                         far->name);
    }
    look_at_rest_of(run, far);
    yard_converge(run, "after a point was removed");
}

void
yard_rest(yard_run_t *run)
{
    if (run->plan->value % 2 == 0 && !stage_fault(run->stage)) {
        is_verified(run);
    }
    if (run->plan->edits && !stage_fault(run->stage)) {
        edit_costs_little(run);
    }
    if (run->plan->scrubs && !stage_fault(run->stage)) {
        rot_is_found(run);
    }
    if (run->plan->withdraws && !stage_fault(run->stage)) {
        package_goes(run);
    }
    if (run->plan->removes != YARD_REMOVES_NONE && !stage_fault(run->stage)) {
        point_goes(run);
    }
}
