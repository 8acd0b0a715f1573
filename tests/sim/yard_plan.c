/* yard_plan.c - see yard_plan.h. */
#include "tests/sim/yard_plan.h"

#include <stdio.h>

#include "tests/sim/plan.h"

static uint64_t
draw(uint64_t *state, uint64_t bound)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % bound;
}

static void
draw_acts(yard_plan_t *plan, uint64_t *chance)
{
    plan->acts = (uint32_t) draw(chance, YARD_ACTS_FEW + (plan->agents > 3 ? plan->agents / 2 : 0));
    for (uint32_t i = 0; i < plan->acts; i++) {
        plan->act[i] =
            (yard_act_t){.kind = (yard_kind_t) draw(chance, YARD_KIND_COUNT),
                         .after_ms = (uint32_t) draw(chance, draw(chance, 4) ? 250 : 12000),
                         .far = (uint32_t) draw(chance, plan->agents),
                         .value = draw(chance, UINT64_C(1) << 32)};
    }
}

/* By a chance of its own, so that what is drawn here changes nothing of what is drawn there. */
static void
draw_phases(yard_plan_t *plan)
{
    uint64_t chance = plan->seed ^ UINT64_C(0x7068617365);

    plan->cut_name =
        draw(&chance, 2) ? YARD_NAME_NONE : (yard_name_t) (1 + draw(&chance, YARD_NAME_COUNT - 1));
    plan->seed_kind =
        draw(&chance, 2) ? YARD_SEED_NONE : (yard_seed_t) (1 + draw(&chance, YARD_SEED_COUNT - 1));
    plan->withdraws = draw(&chance, 3) == 0;
    plan->plain = draw(&chance, 3) == 0;
    plan->between = draw(&chance, 2) == 0;
    plan->cut_withdraw = draw(&chance, 2) ? 0 : 1 + (uint32_t) draw(&chance, 30);
    plan->rots_older = draw(&chance, 2) == 0;
    plan->rots_kept = draw(&chance, 2) == 0;
}

void
yard_plan_draw(yard_plan_t *ret_plan, uint64_t seed, uint32_t agents)
{
    uint64_t chance = seed ^ UINT64_C(0x79617264);
    yard_plan_t plan = {.seed = seed};

    plan.agents = agents ? agents : 1 + (uint32_t) (seed % 3);
    plan.files = 4 + (uint32_t) (seed % 5);
    plan.large = draw(&chance, 4) == 0;
    plan.flips = draw(&chance, 4) == 0;
    plan.cut_first = draw(&chance, 3) ? 0 : 1 + (uint32_t) draw(&chance, 60);
    plan.updates = draw(&chance, 2) == 0;
    plan.edits = draw(&chance, 3) == 0;
    plan.scrubs = draw(&chance, 4) == 0;
    plan.removes = draw(&chance, 2) ? YARD_REMOVES_NONE
                                    : (yard_removal_t) (1 + draw(&chance, YARD_REMOVAL_COUNT - 1));
    plan.value = draw(&chance, UINT64_C(1) << 32);
    draw_acts(&plan, &chance);
    draw_phases(&plan);
    *ret_plan = plan;
}

bool
yard_plan_keep(yard_plan_t *plan, const char *list)
{
    bool kept[YARD_ACTS_MAX] = {false};
    uint32_t acts = 0, skipped_ms = 0;

    if (!plan_chosen(list, plan->acts, kept)) {
        return false;
    }
    for (uint32_t i = 0; i < plan->acts; i++) {
        skipped_ms += plan->act[i].after_ms;
        if (kept[i]) {
            plan->act[acts] = plan->act[i];
            plan->act[acts++].after_ms = skipped_ms;
            skipped_ms = 0;
        }
    }
    plan->acts = acts;
    return true;
}

void
yard_plan_print_act(const yard_act_t *act, char *ret_text, size_t size)
{
    static const char *const words[] = {
#define YARD_WORD(symbol, word) word,
        YARD_ACTS(YARD_WORD)
#undef YARD_WORD
    };

    snprintf(ret_text, size, "%s s%02u, %u ms later, value %lu", words[act->kind], act->far,
             act->after_ms, (unsigned long) act->value);
}

void
yard_plan_print(const yard_plan_t *plan)
{
    char text[128];

    for (uint32_t i = 0; i < plan->acts; i++) {
        yard_plan_print_act(&plan->act[i], text, sizeof text);
        fprintf(stderr, "#   act %u: %s\n", i, text);
    }
    fprintf(stderr,
            "#   agents %u, files %u, large %d, flips %d, cut-first %u, cut-name %d, updates %d, "
            "edits %d, scrubs %d, rots-kept %d, seeds %d, plain %d, between %d, withdraws %d, "
            "cut-withdraw %u, "
            "rots-older %d, removes %d\n",
            plan->agents, plan->files, plan->large, plan->flips, plan->cut_first, plan->cut_name,
            plan->updates, plan->edits, plan->scrubs, plan->rots_kept, plan->seed_kind, plan->plain,
            plan->between, plan->withdraws, plan->cut_withdraw, plan->rots_older, plan->removes);
}
