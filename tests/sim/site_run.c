/* site_run.c - see site_run.h: the beginning of a run, its faults, its end. */
#include "tests/sim/site_inside.h"

#include <stdio.h>

const char *const site_names[STAGE_POINTS_MAX] = {"a", "b", "c", "d"};
const char *const site_paths[STAGE_POINTS_MAX] = {"/points/a", "/points/b", "/points/c",
                                                  "/points/d"};

world_sim_t *
site_machine(run_t *run)
{
    return stage_world(run->stage);
}

bool
site_must(run_t *run, const char *what, err_t err)
{
    if (err != OK) {
        stage_note_fault(run->stage, "%s was refused: %s", what, err_word(err));
    }
    return err == OK && !stage_fault(run->stage);
}

bool
site_add_point(run_t *run, uint32_t point)
{
    char name[32], root[32];

    snprintf(name, sizeof name, "name=%s", site_names[point]);
    snprintf(root, sizeof root, "root=%s", site_paths[point]);
    return site_must(run, "dp.add", stage_do(run->stage, 60000, "dp.add", name, root, NULL));
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

/* The power goes while the site is started for the first time: on an empty disk all is made. */
static bool
starts(run_t *run)
{
    world_sim_cut_after(site_machine(run), run->plan->cut_start);
    bool ready = stage_ready(run->stage, STARTS_MS);
    if (!ready && run->plan->cut_start > 0) {
        stage_note_fault(run->stage, "after a power cut in its first start the host is not ready");
    } else if (!ready) {
        stage_note_fault(run->stage, "Q304381: the host is not ready after a virtual minute");
    }
    world_sim_cut_after(site_machine(run), 0);
    return ready;
}

/* The power goes between the change of one name that matters, and its sync. */
static void
cut_at_name(run_t *run)
{
    static const char *const below[PLAN_NAME_COUNT] = {
        [PLAN_NAME_IDENTITY] = ".despool/point",
        [PLAN_NAME_CURRENT] = "P1/current",
        [PLAN_NAME_RECEIPT] = ".despool/receipts/P1",
        [PLAN_NAME_RECORD] = ".despool/packages/P1",
    };
    char path[64];

    if (run->plan->cut_name != PLAN_NAME_NONE) {
        snprintf(path, sizeof path, "%s/%s", site_paths[run->plan->cut_point],
                 below[run->plan->cut_name]);
        world_sim_mix(site_machine(run), path,
                      &(world_sim_mix_t){.cut_rename = 1000000, .most = 1});
    }
}

/* The first try at a point fails, and the power goes in the next. */
static void
cut_in_retry(run_t *run)
{
    char path[64];

    if (run->plan->cut_retry > 0) {
        snprintf(path, sizeof path, "%s/.despool/staging", site_paths[run->plan->cut_point]);
        world_sim_mix(site_machine(run), path, &(world_sim_mix_t){.io = 1000000, .most = 1});
        stage_cut_in_retry(run->stage, run->plan->cut_retry);
    }
}

static bool
set_up(run_t *run)
{
    bool well = starts(run) && site_must(run, "package.add",
                                         stage_do(run->stage, 60000, "package.add", "id=P1",
                                                  "source=/source", NULL));
    well = well && cut_here(run, 1);
    cut_at_name(run);
    for (uint32_t i = 0; well && i < run->points; i++) {
        well = site_add_point(run, i);
    }
    return well && cut_here(run, 2);
}

static void
live(run_t *run)
{
    const plan_t *plan = run->plan;

    if (plan->first_unplugged) {
        stage_plug(run->stage, site_names[run->points - 1], false);
    }
    cut_in_retry(run);
    if (!site_must(run, "distribute",
                   stage_do(run->stage, 60000, "distribute", "id=P1", "all!", NULL))) {
        return;
    }
    for (uint32_t i = 0; i < plan->acts && !stage_fault(run->stage); i++) {
        stage_run(run->stage, plan->act[i].after_ms);
        site_strike(run, &plan->act[i]);
    }
    stage_run(run->stage, 3000);
    site_heal(run);
    site_rest(run);
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
