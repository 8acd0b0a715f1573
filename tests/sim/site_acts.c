/* site_acts.c - the acts of a plan: what goes wrong, and that all of it is healed. */
#include <errno.h>
#include <stdio.h>

#include "tests/sim/machine.h"
#include "tests/sim/site_inside.h"
#include "tests/sim/stage_inside.h"

#define SPACE_BYTES (UINT64_C(1) << 30) /* of a point that is not full */
#define HOUR_NS     INT64_C(3600000000000)
#define NAMED       "(named points)" /* the place of a mix that strikes only those */

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

    world_sim_mix(site_machine(run), site_paths[act->point], &mix);
}

static void
jump(run_t *run, const plan_act_t *act)
{
    static const int64_t hours[] = {-8760, -25, -1, 1, 25, 8760};
    int64_t by = hours[act->value % (sizeof hours / sizeof hours[0])];
    world_t *look = world_sim_look_new(site_machine(run));

    world_sim_set_wall(site_machine(run), world_wall_ns(look) + by * HOUR_NS);
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
    world_t *look = world_sim_look_new(site_machine(run));
    snprintf(staging, sizeof staging, "%s/.despool/staging", site_paths[act->point]);
    if (machine_find_file(look, staging, act->value % 4, path, sizeof path)) {
        world_sim_rot(site_machine(run), path, act->value >> 2);
    }
    world_sim_job_destroy(&look);
}

void
site_update(run_t *run)
{
    run->version++;
    stage_change_source(run->stage, run->version);
    /* Each second one switches all or none; not while another is not decided. */
    err_t err = run->version % 2 == 0
                    ? stage_do(run->stage, 120000, "package.update", "id=P1", "barrier!", NULL)
                    : ERR_BUSY;
    err = err == ERR_BUSY ? stage_do(run->stage, 120000, "package.update", "id=P1", NULL) : err;
    run->changed = err != OK;
}

/* The first version is the newest again, or it was collected: then it is stored again, as any. */
void
site_roll_back(run_t *run)
{
    stage_change_source(run->stage, 1);
    run->changed = stage_do(run->stage, 120000, "rollback", "id=P1", "version=1", NULL) != OK;
}

static void
pause_point(run_t *run, uint32_t point)
{
    char name[32];

    snprintf(name, sizeof name, "name=%s", site_names[point]);
    run->paused[point] = true;
    stage_do(run->stage, 20, "dp.pause", name, NULL);
}

/* Of three wrong digests in a row a person is told: so at most two in a run are to heal unaided.
 * Two that both looks at one object of the store meet are an object that is not stored any more. */
static void
flip(run_t *run, const plan_act_t *act)
{
    if (run->flips++ == 0) {
        run->flips_store = act->value % 2;
        world_sim_mix(
            site_machine(run), act->value % 2 ? "/data/store" : site_paths[act->point],
            &(world_sim_mix_t){.flip = 100000, .most = 1 + (uint32_t) (act->value >> 1) % 2});
    }
}

static void
strike_machine(run_t *run, const plan_act_t *act)
{
    world_sim_t *machine = site_machine(run);
    const char *path = site_paths[act->point];
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

void
site_strike(run_t *run, const plan_act_t *act)
{
    char text[128];

    plan_print_act(act, text, sizeof text);
    story_note(run->stage, text);
    switch (act->kind) {
    case PLAN_UNPLUG:
    case PLAN_PLUG:
        stage_plug(run->stage, site_names[act->point], act->kind == PLAN_PLUG);
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
        if (run->version > 1 && act->value % 3 == 0) {
            site_roll_back(run);
        } else {
            site_update(run);
        }
        break;
    default:
        strike_machine(run, act);
        break;
    }
}

/* ---- all is well again ---- */

void
site_heal(run_t *run)
{
    char name[32];

    story_note(run->stage, "everything is healed");
    world_sim_heal(site_machine(run));
    stage_cut_in_retry(run->stage, 0);
    oracle_forgets_pace(run->stage);
    world_sim_cut_after(site_machine(run), 0);
    for (uint32_t i = 0; i < run->points; i++) {
        stage_plug(run->stage, site_names[i], true);
        world_sim_set_space(site_machine(run), site_paths[i], SPACE_BYTES, 100000);
    }
    for (uint32_t i = 0; i < run->points; i++) {
        snprintf(name, sizeof name, "name=%s", site_names[i]);
        if (run->paused[i]) {
            site_must(run, "dp.resume", stage_do(run->stage, 60000, "dp.resume", name, NULL));
        }
    }
    if (run->flips > 0) { /* what is read as damaged is left to a person, who now says: again */
        oracle_forgets_attempts(run->stage);
        stage_do(run->stage, 60000, "retry", "id=P1", NULL);
    }
    if (run->changed) {
        site_must(run, "package.update",
                  stage_do(run->stage, 120000, "package.update", "id=P1", NULL));
        run->changed = false;
    }
    if (run->flips_store) {
        site_mends_store(run);
    }
}
