/* yard_run.c - see yard_run.h: the beginning of a run, its faults, its healing. */
#include "tests/sim/yard_run.h"

#include "tests/sim/stage_inside.h"

/* The power goes between the change of one name that matters, and its sync. */
static void
cut_at_name(far_t *far, yard_name_t name)
{
    static const char *const path[YARD_NAME_COUNT] = {
        [YARD_NAME_CURRENT] = "/point/P1/current",
        [YARD_NAME_RECEIPT] = "/point/.despool/receipts/P1",
        [YARD_NAME_RECORD] = "/point/.despool/packages/P1",
    };

    if (name != YARD_NAME_NONE) {
        world_sim_mix(sim_world(far->sim), path[name],
                      &(world_sim_mix_t){.cut_rename = 1000000, .most = 1});
    }
}

/* Faults that come where they hurt, and not when chance has it. */
static void
strike_first(yard_run_t *run)
{
    const yard_plan_t *plan = run->plan;
    uint32_t count = run->yard->count;

    for (uint32_t i = (uint32_t) (plan->value % count); i < count; i += 4) {
        if (plan->flips) {
            yard_flip(&run->yard->far[i], 1 + (uint32_t) (plan->value >> 8) % 3);
        }
        cut_at_name(&run->yard->far[i], plan->cut_name);
        world_sim_cut_after(sim_world(run->yard->far[i].sim), plan->cut_first);
        run->yard->far[i].cut_at_list = plan->cut_first % 8;
    }
}

static bool
set_up(yard_run_t *run)
{
    bool well = stage_ready(run->stage, STARTS_MS) &&
                stage_do(run->stage, 60000, "package.add", "id=P1", "source=/source", NULL) == OK;

    for (uint32_t i = 0; well && i < run->yard->count; i++) {
        well = yard_join(run->yard, run->stage, i);
    }
    if (!well) {
        stage_note_fault(run->stage, "the site cannot be set up");
        return false;
    }
    yard_note_version(run->yard, 1);
    for (uint32_t i = run->plan->value % 2; i < run->yard->count; i += 2) {
        if (run->plan->seed_kind != YARD_SEED_NONE) {
            yard_give_seed(&run->yard->far[i], run->plan->seed_kind, run->plan->value >> 4);
        }
    }
    for (uint32_t i = run->plan->value / 2 % 2; run->plan->plain && i < run->yard->count; i += 2) {
        yard_set_bulk(&run->yard->far[i], true);
    }
    run->yard->between = run->plan->plain && run->plan->between;
    yard_tamper(run);
    strike_first(run);
    well = stage_do(run->stage, 60000, "distribute", "id=P1", "all!", NULL) == OK;
    if (!well) {
        stage_note_fault(run->stage, "distribute was refused");
    }
    return well;
}

/* Who was refused for good, because of what somebody had forged, a person lets try again. */
static void
heal(yard_run_t *run)
{
    yard_heal(run->yard);
    for (uint32_t i = 0; i < run->yard->count; i += 3) {
        if (run->yard->far[i].wants_plain) {
            yard_set_bulk(&run->yard->far[i], false);
        }
    }
    if (run->changed || run->plan->updates) {
        yard_tamper(run);
        yard_update(run);
    }
    if (run->changed) {
        stage_note_fault(run->stage, "package.update was refused after all was healed");
    }
    stage_run(run->stage, 20000);
    yard_heal(run->yard);
    oracle_forgets_attempts(run->stage);
    stage_do(run->stage, 60000, "retry", "id=P1", NULL);
}

static void
live(yard_run_t *run)
{
    for (uint32_t i = 0; i < run->plan->acts && !stage_fault(run->stage); i++) {
        stage_run(run->stage, run->plan->act[i].after_ms);
        yard_strike(run, &run->plan->act[i]);
        yard_recount(run->yard);
    }
    stage_run(run->stage, 3000);
    heal(run);
    yard_converge(run, "after all was healed");
    for (uint32_t i = 0; i < run->yard->count && !stage_fault(run->stage); i++) {
        far_cut(&run->yard->far[i]);
    }
    yard_converge(run, "after a power cut at rest");
    yard_rest(run);
}

void
yard_run(stage_t *stage, yard_t *yard, const yard_plan_t *plan)
{
    yard_run_t run = {.stage = stage, .yard = yard, .plan = plan, .version = 1};

    yard->stage = stage;
    if (!stage_fault(stage) && set_up(&run)) {
        live(&run);
    }
}
