/* sim_strategy.c - which of the things that can be done is done next: see sim.h. */
#include "runtime/sim_inside.h"

#include <string.h>

static const char *const names[SIM_STRATEGY_COUNT] = {"uniform", "starve-one", "burst",
                                                      "pct1",    "pct2",       "pct3"};

const char *
sim_strategy_name(sim_strategy_t strategy)
{
    return strategy < SIM_STRATEGY_COUNT ? names[strategy] : "none";
}

bool
sim_strategy_parse(const char *name, sim_strategy_t *ret_strategy)
{
    for (int i = 0; i < SIM_STRATEGY_COUNT; i++) {
        if (strcmp(name, names[i]) == 0) {
            *ret_strategy = (sim_strategy_t) i;
            return true;
        }
    }
    return false;
}

/* ---- starve-one and burst: one worker for a stretch ---- */

static bool
is_offered(const sim_t *sim, uint32_t count, uint32_t wanted)
{
    for (uint32_t i = 0; i < count; i++) {
        if (sim->choice[i] == wanted) {
            return true;
        }
    }
    return false;
}

static uint32_t
starve_one(sim_t *sim, uint32_t count)
{
    scheduler_t *scheduler = &sim->scheduler;

    if (scheduler->left == 0) {
        scheduler->left = SIM_STRETCH;
        scheduler->favourite =
            sim_channel_count(sim) + (uint32_t) sim_drawn_below(sim, sim->workers);
    }
    scheduler->left--;
    if (!is_offered(sim, count, scheduler->favourite) || count == 1) {
        return sim->choice[sim_drawn_below(sim, count)];
    }
    uint32_t pick = (uint32_t) sim_drawn_below(sim, count - 1);
    return sim->choice[pick] == scheduler->favourite ? sim->choice[count - 1] : sim->choice[pick];
}

static uint32_t
burst(sim_t *sim, uint32_t count)
{
    scheduler_t *scheduler = &sim->scheduler;

    if (scheduler->left == 0 || !is_offered(sim, count, scheduler->favourite)) {
        scheduler->left = SIM_STRETCH;
        scheduler->favourite = sim->choice[sim_drawn_below(sim, count)];
    }
    scheduler->left--;
    return scheduler->favourite;
}

/* ---- PCT ---- */

/* What a priority belongs to: jobs come and go, so their number says which it is. */
static uint64_t
thing(const sim_t *sim, uint32_t choice)
{
    uint32_t first_job = sim_channel_count(sim) + sim->workers;

    return choice < first_job ? choice : first_job + sim_jobs_number(sim->jobs, choice - first_job);
}

/* Drawn priorities are above all that were lowered. */
static uint64_t
priority(const sim_t *sim, uint64_t of)
{
    const scheduler_t *scheduler = &sim->scheduler;
    uint64_t state = scheduler->key ^ of * UINT64_C(0xd1342543de82ef95);

    for (uint32_t i = 0; i < PCT_DEPTH_MAX - 1; i++) {
        if (scheduler->lowered[i] == of) {
            return i;
        }
    }
    return sim_drawn(&state) | UINT64_C(1) << 63;
}

static uint32_t
highest(const sim_t *sim, uint32_t count)
{
    uint32_t best = sim->choice[0];
    uint64_t best_priority = 0;

    for (uint32_t i = 0; i < count; i++) {
        uint64_t its = priority(sim, thing(sim, sim->choice[i]));
        if (its > best_priority) {
            best_priority = its;
            best = sim->choice[i];
        }
    }
    return best;
}

static void
pct_begin(sim_t *sim, uint32_t depth)
{
    scheduler_t *scheduler = &sim->scheduler;

    scheduler->left = sim->options.pct_steps ? sim->options.pct_steps : SIM_PCT_STEPS;
    scheduler->key = sim_drawn(&sim->chance);
    for (uint32_t i = 0; i < PCT_DEPTH_MAX - 1; i++) {
        scheduler->lowered[i] = UINT64_MAX;
        scheduler->change[i] =
            i < depth - 1 ? 1 + sim_drawn_below(sim, scheduler->left) : UINT64_MAX;
    }
}

/* A decision is a step at which there is more than one thing to do. */
static uint32_t
pct(sim_t *sim, uint32_t count, uint32_t depth)
{
    scheduler_t *scheduler = &sim->scheduler;

    if (count == 1) {
        return sim->choice[0];
    }
    if (scheduler->left == 0) {
        pct_begin(sim, depth);
    }
    for (uint32_t i = 0; i < depth - 1; i++) {
        if (scheduler->change[i] == scheduler->left) {
            uint64_t falls = thing(sim, highest(sim, count));
            uint64_t other = 1 - i;
            if (scheduler->lowered[other] == falls) {
                scheduler->lowered[other] = UINT64_MAX;
            }
            scheduler->lowered[i] = falls;
        }
    }
    scheduler->left--;
    return highest(sim, count);
}

/* ---- all of them ---- */

void
sim_strategy_begin(sim_t *sim)
{
    sim->scheduler = (scheduler_t){.favourite = UINT32_MAX};
}

uint32_t
sim_strategy_choose(sim_t *sim, uint32_t count)
{
    switch (sim->options.strategy) {
    case SIM_STARVE_ONE:
        return starve_one(sim, count);
    case SIM_BURST:
        return burst(sim, count);
    case SIM_PCT1:
    case SIM_PCT2:
    case SIM_PCT3:
        return pct(sim, count, 1 + (uint32_t) (sim->options.strategy - SIM_PCT1));
    case SIM_UNIFORM:
    case SIM_STRATEGY_COUNT:
        break;
    }
    return sim->choice[sim_drawn_below(sim, count)];
}
