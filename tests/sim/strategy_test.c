/* strategy_test.c - each strategy is what sim.h says of it.
 *
 * The cast is x, y and z, each on a worker of its own, and a root that starts them. x and y tell
 * themselves STEPS times to go on; it is noted how far the one was when the other began or ended.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "runtime/inside.h"
#include "runtime/notes.h"
#include "runtime/sim.h"
#include "runtime/sim_inside.h"

#define STEPS 24u

static struct {
    uint32_t x, y;         /* how far they are */
    uint32_t x_at_first_y; /* how far x was when y began */
    uint32_t y_at_last_x;  /* how far y was when x ended */
    bool y_began, x_ended, z_began;
} seen;

#define EDGES(E) E(TELL_TO, x, link_publish) E(TELL_TO, y, link_publish)
ACTOR_EDGES(EDGES)

typedef struct nothing {
    uint8_t none;
} nothing_t;
HEARS(nothing_t, link_publish)

static actor_next_t
go_on(actor_ctx_t *ctx)
{
    link_publish_t *m = DRAFT(ctx, link_publish);
    bool is_x = ctx->actor->class->class->name[0] == 'x';

    m->body = actor_text(ctx, slice_of("go on"));
    verdict_t verdict = is_x ? tell_x_link_publish(ctx, actor_self(ctx), m)
                             : tell_y_link_publish(ctx, actor_self(ctx), m);
    return verdict == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
}

static actor_next_t
on_link_publish(actor_ctx_t *ctx, nothing_t *self, const link_publish_t *m)
{
    bool is_x = ctx->actor->class->class->name[0] == 'x';

    claim(ctx, self && m->body.size > 0);
    if ((is_x ? seen.x++ : seen.y++) < STEPS) {
        return go_on(ctx);
    }
    if (is_x) {
        seen.x_ended = true;
        seen.y_at_last_x = seen.y;
    }
    return ACTOR_CONTINUE;
}

static actor_next_t
runner_init(actor_ctx_t *ctx, void *self, const void *args)
{
    claim(ctx, self && !args);
    switch (ctx->actor->class->class->name[0]) {
    case 'y':
        seen.x_at_first_y = seen.x;
        seen.y_began = true;
        return go_on(ctx);
    case 'x':
        return go_on(ctx);
    default:
        seen.z_began = true;
    }
    return ACTOR_CONTINUE;
}

static const actor_hears_t hears[] = {ON(link_publish)};
#define RUNNER(name_)                                                                              \
    {                                                                                              \
        .name = name_, .state_bytes = sizeof(nothing_t), .init = runner_init, .hears = hears,      \
        .hears_count = 1, .edges = actor_edges, .edge_count = ACTOR_EDGE_COUNT, .role = true       \
    }
static const actor_class_t runner[] = {RUNNER("x"), RUNNER("y"), RUNNER("z")};

static actor_next_t
root_init(actor_ctx_t *ctx, void *self, const void *args)
{
    actor_ref_t child;

    claim(ctx, self && !args);
    for (int i = 0; i < 3; i++) {
        claim(ctx, actor_spawn(ctx, &runner[i], slice_of(runner[i].name), NULL, NULL, 0, &child) ==
                       VERDICT_OK);
    }
    return ACTOR_CONTINUE;
}
static const actor_class_t root_class = {
    .name = "root", .state_bytes = 1, .init = root_init, .role = true};
static const actor_class_t *const cast[] = {&root_class, &runner[0], &runner[1], &runner[2], NULL};

/* ---- runs ---- */

/* Of PCT's guarantee: how many things were seen at most, and decisions made. */
typedef struct bound {
    uint64_t things, decisions;
} bound_t;
typedef void after_step_fn(const sim_t *sim);

static sim_t *
started(uint64_t seed, sim_strategy_t strategy, uint32_t pct_steps)
{
    host_options_t host = {.classes = cast, .root = &root_class};
    sim_options_t options = {
        .seed = seed, .strategy = strategy, .pct_steps = pct_steps, .host = &host};
    char why[256] = "";
    err_t err = OK;
    sim_t *sim = sim_new(&options, &err, why, sizeof why);

    cr_assert_not_null(sim, "%s: %s", err_word(err), why);
    memset(&seen, 0, sizeof seen);
    sim_start(sim);
    return sim;
}

static bound_t
run_of(uint64_t seed, sim_strategy_t strategy, uint32_t pct_steps, after_step_fn *after)
{
    sim_t *sim = started(seed, strategy, pct_steps);
    bool used[1024] = {false};
    bound_t bound = {0, 0};

    while (sim_step(sim)) {
        if (sim->choices > 0 && after) {
            after(sim);
        }
        if (sim->choices > 0 && sim->chosen < 1024 && !used[sim->chosen]) {
            used[sim->chosen] = true;
            bound.things++;
        }
        bound.decisions += sim->choices > 1;
    }
    cr_assert(seen.x_ended && seen.y > STEPS && seen.z_began,
              "seed %lu, %s: x made %u of %u steps, y %u, z began: %d", (unsigned long) seed,
              sim_strategy_name(strategy), seen.x, STEPS + 1, seen.y, seen.z_began);
    sim_destroy(&sim);
    return bound;
}

/* ---- PCT: what is planted needs y after x; y in the midst of x; that, and the end of x in the
 * midst of y ---- */

static bool
depth_1(void)
{
    return seen.x_at_first_y > STEPS;
}

static bool
depth_2(void)
{
    return seen.x_at_first_y >= 8 && seen.x_at_first_y < 12;
}

static bool
depth_3(void)
{
    return seen.x_at_first_y >= 4 && seen.x_at_first_y < 20 && seen.y_at_last_x >= 4 &&
           seen.y_at_last_x < 20;
}

static uint32_t
found_in(uint32_t seeds, sim_strategy_t strategy, uint32_t pct_steps, bool (*bug)(void))
{
    uint32_t found = 0;

    for (uint64_t seed = 1; seed <= seeds; seed++) {
        run_of(seed, strategy, pct_steps, NULL);
        found += bug();
    }
    return found;
}

static bound_t
largest(void)
{
    bound_t most = {0, 0};

    for (uint64_t seed = 1; seed <= 50; seed++) {
        bound_t bound = run_of(seed, SIM_PCT1, 0, NULL);
        most.things = bound.things > most.things ? bound.things : most.things;
        most.decisions = bound.decisions > most.decisions ? bound.decisions : most.decisions;
    }
    return most;
}

static void
finds(sim_strategy_t strategy, uint32_t depth, bool (*bug)(void), uint32_t seeds)
{
    bound_t bound = largest();
    uint32_t steps = (uint32_t) bound.decisions;
    uint64_t one_in = bound.things;

    for (uint32_t i = 1; i < depth; i++) {
        one_in *= steps;
    }
    uint32_t found = found_in(seeds, strategy, steps, bug);
    uint64_t promised = seeds / one_in > 0 ? seeds / one_in : 1;
    cr_expect_geq(found, promised, "%s found depth %u in %u of %u seeds, promised %lu",
                  sim_strategy_name(strategy), depth, found, seeds, (unsigned long) promised);
    fprintf(stderr, "%s: depth %u in %u of %u seeds, promised %lu (%lu things, %u decisions)\n",
            sim_strategy_name(strategy), depth, found, seeds, (unsigned long) promised,
            (unsigned long) bound.things, steps);
}

Test(strategy, pct_meets_what_d_orders_bring_about_at_least_as_often_as_it_promises)
{
    finds(SIM_PCT1, 1, depth_1, 400);
    finds(SIM_PCT2, 2, depth_2, 1500);
    finds(SIM_PCT3, 3, depth_3, 1500);
}

Test(strategy, pct_makes_no_more_changes_than_its_depth)
{
    cr_expect_eq(found_in(300, SIM_PCT1, 100, depth_2), 0, "depth 2 without a change");
    cr_expect_eq(found_in(300, SIM_PCT1, 100, depth_3), 0, "depth 3 without a change");
    cr_expect_eq(found_in(300, SIM_PCT2, 100, depth_3), 0, "depth 3 with one change");
}

Test(strategy, pct_finds_what_uniform_is_unlikely_to_find)
{
    uint32_t uniform = found_in(400, SIM_UNIFORM, 0, depth_1);

    cr_expect_lt(8 * uniform, found_in(400, SIM_PCT1, 0, depth_1), "uniform: %u of 400", uniform);
}

/* ---- starve-one ---- */

static uint32_t starved, starved_decisions, starved_ran;

static bool
is_offered(const sim_t *sim, uint32_t what)
{
    for (uint32_t i = 0; i < sim->choices; i++) {
        if (sim->choice[i] == what) {
            return true;
        }
    }
    return false;
}

static void
see_starved(const sim_t *sim)
{
    uint32_t first = sim_channel_count(sim);

    starved = sim->scheduler.favourite;
    cr_assert(starved >= first && starved < first + sim->workers, "one worker is starved");
    if (is_offered(sim, starved) && sim->choices > 1) {
        starved_decisions++;
        starved_ran += sim->chosen == starved;
    }
}

Test(strategy, starve_one_lets_one_worker_run_only_when_nothing_else_can_be_done)
{
    uint32_t workers_starved = 0;

    for (uint64_t seed = 1; seed <= 60; seed++) {
        uint32_t before = starved;
        run_of(seed, SIM_STARVE_ONE, 0, see_starved); /* which asserts that all came to its end */
        workers_starved += starved != before;
    }
    cr_expect_eq(starved_ran, 0, "it ran before others %u times of %u", starved_ran,
                 starved_decisions);
    cr_expect_gt(starved_decisions, 100, "it never had to wait");
    cr_expect_gt(workers_starved, 20, "other seeds starve other workers");
}

/* ---- burst ---- */

static uint32_t before, broken_off, kept_up;

static void
see_burst(const sim_t *sim)
{
    if (before != UINT32_MAX && is_offered(sim, before)) {
        kept_up += sim->chosen == before;
        broken_off += sim->chosen != before;
    }
    before = sim->chosen;
}

Test(strategy, burst_goes_on_with_what_it_does_while_it_can)
{
    for (uint64_t seed = 1; seed <= 60; seed++) {
        before = UINT32_MAX;
        run_of(seed, SIM_BURST, 0, see_burst);
    }
    cr_expect_eq(broken_off, 0, "broken off %u times, kept up %u", broken_off, kept_up);
    cr_expect_gt(kept_up, 60 * STEPS / 2);
}

/* ---- uniform ---- */

static uint32_t taken[2], offered; /* of two choices */

static void
see_uniform(const sim_t *sim)
{
    if (sim->choices == 2) {
        offered++;
        taken[sim->chosen == sim->choice[1]]++;
    }
}

Test(strategy, uniform_takes_each_as_often_as_the_others)
{
    for (uint64_t seed = 1; seed <= 200; seed++) {
        run_of(seed, SIM_UNIFORM, 0, see_uniform);
    }
    cr_assert_gt(offered, 500);
    cr_expect(taken[0] > offered * 4 / 10 && taken[1] > offered * 4 / 10,
              "of %u the first %u times, the second %u times", offered, taken[0], taken[1]);
}

/* ---- names ---- */

Test(strategy, every_strategy_has_a_name_that_is_read_back_and_no_other_is)
{
    sim_strategy_t parsed;

    for (int i = 0; i < SIM_STRATEGY_COUNT; i++) {
        cr_expect(sim_strategy_parse(sim_strategy_name((sim_strategy_t) i), &parsed));
        cr_expect_eq((int) parsed, i);
    }
    cr_expect(!sim_strategy_parse("pct4", &parsed));
    cr_expect(!sim_strategy_parse("", &parsed));
}
