/* yard_acts.c - what strikes a site and its agents; see yard_plan.h. */
#include "tests/sim/stage_inside.h"
#include "tests/sim/yard_run.h"

void
yard_tamper(yard_run_t *run)
{
    for (uint32_t i = 0; i < run->yard->count; i++) {
        if (yard_drawn(run->yard, 2) == 0) {
            run->yard->far[i].tamper = (tamper_t) yard_drawn(run->yard, TAMPER_COUNT);
        }
    }
}

void
yard_update(yard_run_t *run)
{
    run->version++;
    stage_change_source(run->stage, run->version);
    yard_note_version(run->yard, run->version);
    err_t err = run->version % 2 == 0
                    ? stage_do(run->stage, 120000, "package.update", "id=P1", "barrier!", NULL)
                    : ERR_BUSY;
    err = err == ERR_BUSY ? stage_do(run->stage, 120000, "package.update", "id=P1", NULL) : err;
    run->changed = err != OK;
}

static void
cut_site(yard_run_t *run)
{
    stage_crash(run->stage);
    yard_site_was_cut(run->yard);
}

/* Nothing that readers see has rotted: nothing is damaged. */
static void
verify(yard_run_t *run)
{
    wire_value_t rows, row, paths;

    if (stage_do(run->stage, 120000, "verify", "id=P1", NULL) != OK ||
        !wire_find(stage_answer(run->stage), "points", &rows)) {
        return;
    }
    const uint8_t *at = rows.body;
    for (uint32_t i = 0; i < rows.count; i++) {
        wire_next(&rows, &at, &row);
        if ((wire_find(&row, "changed", &paths) && paths.count > 0) ||
            (wire_find(&row, "missing", &paths) && paths.count > 0)) {
            stage_note_fault(run->stage, "verify finds what is whole to be damaged");
        }
    }
}

static void
strike_line(far_t *far, const yard_act_t *act)
{
    if (act->kind == YARD_DROP && far->plain > 0 && act->value % 2 == 0) {
        yard_end_plain(far);
    } else if (act->kind == YARD_DROP && far->connection > 0) {
        lines_drop(far);
    } else if (act->kind == YARD_DEAD) {
        far->dead = true;
    } else if (act->kind == YARD_APART) {
        far->apart = !far->apart;
    } else if (act->kind == YARD_TAMPER) {
        far->tamper = (tamper_t) (1 + act->value % (TAMPER_COUNT - 1));
    }
}

void
yard_flip(far_t *far, uint32_t most)
{
    far->flips = true;
    world_sim_mix(sim_world(far->sim), "/data/store/packs",
                  &(world_sim_mix_t){.flip = 200000, .most = most});
}

static void
strike_disk(far_t *far, const yard_act_t *act)
{
    world_sim_t *machine = sim_world(far->sim);

    if (act->kind == YARD_CUT_AFTER) {
        world_sim_cut_after(machine, 1 + act->value % 40);
    } else if (act->kind == YARD_ERRORS) {
        far->failed = true;
        world_sim_mix(
            machine, act->value % 2 ? "/data" : "/point",
            &(world_sim_mix_t){.io = 30000, .most = 1 + (uint32_t) (act->value >> 1) % 4});
    } else {
        yard_flip(far, 1 + (uint32_t) (act->value >> 1) % 2);
    }
}

void
yard_strike(yard_run_t *run, const yard_act_t *act)
{
    far_t *far = &run->yard->far[act->far];
    char text[128];

    yard_plan_print_act(act, text, sizeof text);
    story_note(run->stage, text);
    switch (act->kind) {
    case YARD_CUT:
        far_cut(far);
        break;
    case YARD_CUT_AFTER:
    case YARD_ERRORS:
    case YARD_FLIP:
        strike_disk(far, act);
        break;
    case YARD_CUT_SITE:
        cut_site(run);
        break;
    case YARD_VERIFY:
        verify(run);
        break;
    case YARD_UPDATE:
        yard_tamper(run);
        yard_update(run);
        break;
    default:
        strike_line(far, act);
        break;
    }
}
