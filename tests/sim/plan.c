/* plan.c - see plan.h. */
#include "tests/sim/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t
draw(uint64_t *state, uint64_t bound)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % bound;
}

const char *
plan_word(plan_kind_t kind)
{
    static const char *const words[] = {
#define PLAN_WORD(symbol, word) word,
        PLAN_KINDS(PLAN_WORD)
#undef PLAN_WORD
    };

    return words[kind];
}

static void
draw_acts(plan_t *plan, uint64_t *chance)
{
    plan_kind_t on[PLAN_KIND_COUNT];
    uint32_t kinds = 0;

    for (uint32_t i = 0; i < PLAN_KIND_COUNT; i++) {
        if (draw(chance, 3) == 0) {
            on[kinds++] = (plan_kind_t) i;
        }
    }
    plan->acts = kinds ? (uint32_t) draw(chance, 7) : 0;
    for (uint32_t i = 0; i < plan->acts; i++) {
        plan->act[i] =
            (plan_act_t){.kind = on[draw(chance, kinds)],
                         .after_ms = (uint32_t) draw(chance, draw(chance, 4) ? 120 : 4000),
                         .point = (uint32_t) draw(chance, plan->points),
                         .value = draw(chance, UINT64_C(1) << 32)};
    }
}

/* Faults that come where they hurt and not when chance has it. */
static void
draw_phases(plan_t *plan, uint64_t *chance)
{
    plan->cut_start = draw(chance, 4) ? 0 : 1 + (uint32_t) draw(chance, 100);
    plan->cut_name =
        draw(chance, 3) ? PLAN_NAME_NONE : (plan_name_t) (1 + draw(chance, PLAN_NAME_COUNT - 1));
    plan->cut_retry = draw(chance, 5) ? 0 : 1 + (uint32_t) draw(chance, 30);
    plan->cut_point = (uint32_t) draw(chance, plan->points);
    plan->rots =
        draw(chance, 2) ? PLAN_ROTS_NOTHING : (plan_rots_t) (1 + draw(chance, PLAN_ROTS_COUNT - 1));
    plan->rot_value = draw(chance, UINT64_MAX);
    plan->poison = draw(chance, 6) == 0;
    plan->late = plan->late || plan->rots == PLAN_ROTS_STORED || plan->rots == PLAN_ROTS_ON_THE_WAY;
}

void
plan_draw(plan_t *ret_plan, uint64_t seed)
{
    uint64_t chance = seed ^ UINT64_C(0xd1b54a32d192ed03);
    plan_t plan = {.seed = seed};

    plan.points = 2 + (uint32_t) (seed % 2);
    plan.files = 3 + (uint32_t) (seed % 7);
    plan.first_unplugged = draw(&chance, 2);
    plan.late = draw(&chance, 3) == 0;
    plan.withdraws = draw(&chance, 4) == 0;
    plan.cut_at_end = draw(&chance, 2);
    plan.updates = draw(&chance, 4) == 0;
    plan.verifies = draw(&chance, 3) == 0;
    plan.plain_disks = draw(&chance, 3) == 0;
    plan.fresh_data = draw(&chance, 3) == 0;
    plan.cut_first = (uint32_t) draw(&chance, 6);
    if (draw(&chance, 3) == 0) {
        plan.link.lose = (uint32_t) draw(&chance, 40);
        plan.link.twice = (uint32_t) draw(&chance, 40);
        plan.link.half = (uint32_t) draw(&chance, 40);
    }
    draw_acts(&plan, &chance);
    draw_phases(&plan, &chance);
    *ret_plan = plan;
}

bool
plan_chosen(const char *list, uint32_t acts, bool *ret_kept)
{
    char *end = NULL;

    for (const char *at = list; *at && strcmp(list, "none") != 0; at = *end ? end + 1 : end) {
        unsigned long number = strtoul(at, &end, 10);
        if (end == at || (*end && *end != ',') || number >= acts) {
            return false;
        }
        ret_kept[number] = true;
    }
    return true;
}

bool
plan_keep(plan_t *plan, const char *list)
{
    bool kept[PLAN_ACTS_MAX] = {false};

    if (!plan_chosen(list, plan->acts, kept)) {
        return false;
    }
    uint32_t acts = 0, skipped_ms = 0;
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
plan_print_act(const plan_act_t *act, char *ret_text, size_t size)
{
    snprintf(ret_text, size, "%s point %u, %u ms later, value %lu", plan_word(act->kind),
             act->point, act->after_ms, (unsigned long) act->value);
}
