/* site_run.c - see site_run.h. */
#include "tests/sim/site_run.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/sim/machine.h"
#include "tests/sim/stage_inside.h"

#define CONVERGE_MS 600000u  /* virtual time to converge in, after all was healed */
#define JUMPED_MS   2400000u /* after the clock went back: a due time is at most 30 minutes away */
#define STARTS_MS   60000u   /* virtual time to start in */
#define SPACE_BYTES (UINT64_C(1) << 30) /* of a point that is not full */
#define HOUR_NS     INT64_C(3600000000000)
#define NAMED       "(named points)" /* the place of a mix that strikes only those */

typedef struct run {
    stage_t *stage;
    const plan_t *plan;
    uint32_t points;  /* that are to hold the package now */
    uint32_t version; /* of the source */
    bool changed;     /* since it was last stored for sure */
    bool paused[STAGE_POINTS_MAX];
    uint32_t flips;
    uint32_t converge_ms;
    bool leapt; /* the wall clock went so far ahead that keys are too old */
} run_t;

static const char *const names[STAGE_POINTS_MAX] = {"a", "b", "c", "d"};
static const char *const paths[STAGE_POINTS_MAX] = {"/points/a", "/points/b", "/points/c",
                                                    "/points/d"};

static world_sim_t *
machine_of(run_t *run)
{
    return stage_world(run->stage);
}

static bool
must_do(run_t *run, const char *what, err_t err)
{
    if (err != OK) {
        stage_note_fault(run->stage, "%s was refused: %s", what, err_word(err));
    }
    return err == OK && !stage_fault(run->stage);
}

static bool
add_point(run_t *run, uint32_t point)
{
    char name[32], root[32];

    snprintf(name, sizeof name, "name=%s", names[point]);
    snprintf(root, sizeof root, "root=%s", paths[point]);
    return must_do(run, "dp.add", stage_do(run->stage, 60000, "dp.add", name, root, NULL));
}

/* The power goes when something was just told to be done. */
static bool
cut_here(run_t *run, uint32_t where)
{
    if (run->plan->cut_first == where) {
        stage_crash(run->stage);
        if (!stage_ready(run->stage, STARTS_MS)) {
            stage_note_fault(run->stage,
                             "after a power cut in the beginning the host is not ready");
        }
    }
    return !stage_fault(run->stage);
}

static bool
set_up(run_t *run)
{
    if (!stage_ready(run->stage, STARTS_MS)) {
        stage_note_fault(run->stage, "Q304381: the host is not ready after a virtual minute");
        return false;
    }
    bool well =
        must_do(run, "package.add",
                stage_do(run->stage, 60000, "package.add", "id=P1", "source=/source", NULL));
    well = well && cut_here(run, 1);
    for (uint32_t i = 0; well && i < run->points; i++) {
        well = add_point(run, i);
    }
    return well && cut_here(run, 2);
}

/* ---- faults ---- */

static const char *
component_of(uint64_t value)
{
    static const char *const components[] = {
        "name=despooler",      "name=distribution_manager", "name=site_database",
        "name=status_manager", "name=alarm_manager",
    };

    return components[value % (sizeof components / sizeof components[0])];
}

static void
strike_with_errors(run_t *run, const plan_act_t *act)
{
    const uint32_t chance = 20000;
    world_sim_mix_t mix = {.io = act->value & 1 ? chance : 0,
                           .full = act->value & 2 ? chance : 0,
                           .quota = act->value & 4 ? chance : 0,
                           .part = act->value & 8 ? 10 * chance : 0,
                           .most = 1 + (uint32_t) (act->value >> 4) % 20};

    world_sim_mix(machine_of(run), paths[act->point], &mix);
}

static void
jump(run_t *run, const plan_act_t *act)
{
    static const int64_t hours[] = {-8760, -25, -1, 1, 25, 8760};
    int64_t by = hours[act->value % (sizeof hours / sizeof hours[0])];
    world_t *look = world_sim_look_new(machine_of(run));

    world_sim_set_wall(machine_of(run), world_wall_ns(look) + by * HOUR_NS);
    world_sim_job_destroy(&look);
    oracle_forgets_pace(run->stage);
    run->leapt = run->leapt || by > 12;
    run->converge_ms = by < 0 ? JUMPED_MS : run->converge_ms;
}

/* What was staged when the power went comes back with a wrong bit: it must be hashed before it is
 * used. What readers can see does not rot here: only verify would find it. */
static void
rot(run_t *run, const plan_act_t *act)
{
    char staging[64], path[1024];

    stage_crash(run->stage);
    world_t *look = world_sim_look_new(machine_of(run));
    snprintf(staging, sizeof staging, "%s/.despool/staging", paths[act->point]);
    if (machine_find_file(look, staging, act->value % 4, path, sizeof path)) {
        world_sim_rot(machine_of(run), path, act->value >> 2);
    }
    world_sim_job_destroy(&look);
}

static void
update(run_t *run)
{
    run->version++;
    stage_change_source(run->stage, run->version);
    run->changed = stage_do(run->stage, 120000, "package.update", "id=P1", NULL) != OK;
}

static void
pause_point(run_t *run, uint32_t point)
{
    char name[32];

    snprintf(name, sizeof name, "name=%s", names[point]);
    run->paused[point] = true;
    stage_do(run->stage, 20, "dp.pause", name, NULL);
}

/* Of three wrong digests in a row a person is told: so at most two in a run are to heal unaided. */
static void
flip(run_t *run, const plan_act_t *act)
{
    if (run->flips++ == 0) {
        world_sim_mix(
            machine_of(run), act->value % 2 ? "/data/store" : paths[act->point],
            &(world_sim_mix_t){.flip = 100000, .most = 1 + (uint32_t) (act->value >> 1) % 2});
    }
}

static void
strike_machine(run_t *run, const plan_act_t *act)
{
    world_sim_t *machine = machine_of(run);
    const char *path = paths[act->point];
    uint32_t most = 1 + (uint32_t) act->value % 3;

    switch (act->kind) {
    case PLAN_FAIL:
        world_sim_fail(machine, path, act->value % 2 ? EIO : EROFS);
        break;
    case PLAN_HANG:
        world_sim_hang(machine, path, true);
        break;
    case PLAN_FULL:
        world_sim_set_space(machine, path, 4096, 100000);
        break;
    case PLAN_SLOW:
        world_sim_mix(machine, path,
                      &(world_sim_mix_t){.slow_ns = 1 + (uint32_t) (act->value % 20000000)});
        break;
    case PLAN_FLIP:
        flip(run, act);
        break;
    case PLAN_POINT:
        world_sim_mix(machine, NAMED, &(world_sim_mix_t){.point = 100000, .most = most});
        break;
    case PLAN_CUT_AT:
        world_sim_mix(machine, NAMED, &(world_sim_mix_t){.cut = 100000, .most = 1 + most / 3});
        break;
    case PLAN_CUT_RENAME:
        world_sim_mix(machine, NAMED, &(world_sim_mix_t){.cut_rename = 200000, .most = 1});
        break;
    case PLAN_CUT_AFTER:
        world_sim_cut_after(machine, 1 + act->value % 60);
        break;
    default:
        break;
    }
}

static void
strike(run_t *run, const plan_act_t *act)
{
    char text[128];

    plan_print_act(act, text, sizeof text);
    story_note(run->stage, text);
    switch (act->kind) {
    case PLAN_UNPLUG:
    case PLAN_PLUG:
        stage_plug(run->stage, names[act->point], act->kind == PLAN_PLUG);
        break;
    case PLAN_ERRORS:
        strike_with_errors(run, act);
        break;
    case PLAN_ROT:
        rot(run, act);
        break;
    case PLAN_CUT:
        stage_crash(run->stage);
        break;
    case PLAN_RESTART:
        stage_do(run->stage, 10, "component.restart", component_of(act->value), NULL);
        break;
    case PLAN_CLOCK:
        jump(run, act);
        break;
    case PLAN_PAUSE:
        pause_point(run, act->point);
        break;
    case PLAN_UPDATE:
        update(run);
        break;
    default:
        strike_machine(run, act);
        break;
    }
}

/* ---- all is well again ---- */

static void
heal(run_t *run)
{
    char name[32];

    story_note(run->stage, "everything is healed");
    world_sim_heal(machine_of(run));
    oracle_forgets_pace(run->stage);
    world_sim_cut_after(machine_of(run), 0);
    for (uint32_t i = 0; i < run->points; i++) {
        stage_plug(run->stage, names[i], true);
        world_sim_set_space(machine_of(run), paths[i], SPACE_BYTES, 100000);
    }
    for (uint32_t i = 0; i < run->points; i++) {
        snprintf(name, sizeof name, "name=%s", names[i]);
        if (run->paused[i]) {
            must_do(run, "dp.resume", stage_do(run->stage, 60000, "dp.resume", name, NULL));
        }
    }
    if (run->flips > 0) { /* what is read as damaged is left to a person, who now says: again */
        oracle_forgets_attempts(run->stage);
        stage_do(run->stage, 60000, "retry", "id=P1", NULL);
    }
    if (run->changed) {
        must_do(run, "package.update",
                stage_do(run->stage, 120000, "package.update", "id=P1", NULL));
        run->changed = false;
    }
}

static bool
all_installed(run_t *run)
{
    for (uint32_t i = 0; i < run->points; i++) {
        if (strcmp(stage_target(run->stage, "P1", names[i]), "installed") != 0) {
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
    stage_target(run->stage, "P1", names[0]);
    if (!wire_find(stage_answer(run->stage), "state", &state) ||
        !slice_equal(state.bytes, slice_of(wanted))) {
        stage_note_fault(run->stage, "invariant 4: the package is '%.*s', not '%s'",
                         (int) state.bytes.size, state.bytes.data, wanted);
    }
}

static bool
converge(run_t *run, const char *when)
{
    char why[512];

    uint32_t step_ms = run->converge_ms / 600;

    for (uint32_t waited = 0; waited < run->converge_ms && !all_installed(run); waited += step_ms) {
        stage_run(run->stage, step_ms);
    }
    for (uint32_t i = 0; i < run->points; i++) {
        const char *word = stage_target(run->stage, "P1", names[i]);
        if (strcmp(word, "installed") != 0) {
            stage_note_fault(run->stage, "%s '%s' is '%s', not installed", when, names[i], word);
        } else if (!stage_tree_is_whole(run->stage, "P1", names[i], why, sizeof why)) {
            stage_note_fault(run->stage, "%s '%s' is installed and not whole: %s", when, names[i],
                             why);
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
    return converge(run, "after a power cut at rest");
}

/* One more version; the one before it is collected when its grace is over, and the power goes. */
static bool
gets_a_version(run_t *run)
{
    update(run);
    if (run->changed) {
        stage_note_fault(run->stage, "package.update was refused at rest");
        return false;
    }
    if (!converge(run, "after an update")) {
        return false;
    }
    stage_run(run->stage, 1500);
    return survives_a_cut(run);
}

static bool
is_verified(run_t *run)
{
    wire_value_t rows, ok, row;

    if (!must_do(run, "verify", stage_do(run->stage, 120000, "verify", "id=P1", NULL)) ||
        !wire_find(stage_answer(run->stage), "points", &rows)) {
        stage_note_fault(run->stage, "verify tells no points");
        return false;
    }
    const uint8_t *at = rows.body;
    for (uint32_t i = 0; i < rows.count; i++) {
        wire_next(&rows, &at, &row);
        if (!wire_find(&row, "ok", &ok) || !ok.boolean) {
            stage_note_fault(run->stage, "verify finds what is installed and whole not to be");
        }
    }
    return !stage_fault(run->stage);
}

static bool
gets_a_late_point(run_t *run)
{
    char to[32];
    uint32_t point = run->points;

    if (!add_point(run, point)) {
        return false;
    }
    snprintf(to, sizeof to, "to[]=%s", names[point]);
    run->points++;
    return must_do(run, "distribute",
                   stage_do(run->stage, 60000, "distribute", "id=P1", to, NULL)) &&
           converge(run, "added late");
}

static void
gives_a_point_back(run_t *run)
{
    char left[512];

    if (!must_do(run, "withdraw",
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
    if (sim_open_asks(sim, left, sizeof left) > 0) {
        stage_note_fault(run->stage, "invariant 6: at rest an ask is open: %s", left);
    }
    oracle_recount(run->stage);
    if (!sim_stop(sim, INT64_C(10000000000))) {
        sim_open_asks(sim, left, sizeof left);
        stage_note_fault(run->stage, "the host did not stop within 10 s: %s", left);
    }
}

static void
live(run_t *run)
{
    const plan_t *plan = run->plan;

    if (plan->first_unplugged) {
        stage_plug(run->stage, names[run->points - 1], false);
    }
    if (!must_do(run, "distribute",
                 stage_do(run->stage, 60000, "distribute", "id=P1", "all!", NULL))) {
        return;
    }
    for (uint32_t i = 0; i < plan->acts && !stage_fault(run->stage); i++) {
        stage_run(run->stage, plan->act[i].after_ms);
        strike(run, &plan->act[i]);
    }
    stage_run(run->stage, 3000);
    heal(run);
    bool well = converge(run, "after all was healed");
    well = well && (!plan->cut_at_end || survives_a_cut(run));
    well = well && (!plan->updates || gets_a_version(run));
    well = well && (!plan->late || gets_a_late_point(run));
    well = well && (!plan->verifies || is_verified(run));
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

void
site_run(stage_t *stage, const plan_t *plan)
{
    run_t run = {.stage = stage,
                 .plan = plan,
                 .points = plan->points,
                 .version = 1,
                 .converge_ms = CONVERGE_MS};

    if (!stage_fault(stage) && set_up(&run)) {
        live(&run);
    }
}
