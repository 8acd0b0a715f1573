/* deposed_test.c - workers that are taken over while a handler runs, by hand: what the new thread
 * would do is done from within the handler that does not return. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "proto/record_table.h"
#include "tests/unit/lanes/by_test.h"

#define WORD(F, R) F(R, u64, number, 0, OPTIONAL)
RECORD(word, 0x7501, WORD)

/* ---- the cast: two neighbours on one worker; the next handler, or init, is taken over ---- */

static bool hangs_in_init, hangs;
static const worker_t *sink_began_on;
static char heard[32]; /* who had a message, by its first letter */
static bool context_kept;

static void
be_deposed(const actor_ctx_t *ctx)
{
    const actor_t *mine = ctx->actor;
    test_depose(ctx);
    context_kept = ctx->actor == mine;
}

HANDLE(void, word)
{
    snprintf(heard + strlen(heard), sizeof heard - strlen(heard), "%c%lu",
             ctx->actor->class->class->name[0], (unsigned long) m->number);
    if (hangs) {
        hangs = false;
        be_deposed(ctx);
    }
    return ACTOR_CONTINUE;
}

HANDLE_INIT(void, mill_init)
{
    if (hangs_in_init) {
        hangs_in_init = false;
        be_deposed(ctx);
    }
    return ACTOR_CONTINUE;
}

HANDLE_INIT(void, sink_init)
{
    sink_began_on = ctx->worker;
    return ACTOR_CONTINUE;
}

#define NEIGHBOUR(its_name, its_init)                                                              \
    {                                                                                              \
        .name = its_name, .role = true, .placement = ACTOR_POOL, .init = its_init,                 \
        ACTOR_HEARS(ON(word))                                                                      \
    }
static const actor_class_t mill = NEIGHBOUR("mill", mill_init), sink = NEIGHBOUR("sink", sink_init);

HANDLE_INIT(void, boss_init)
{
    claim(ctx, actor_spawn(ctx, &mill, slice_of(""), NULL, NULL, 0, NULL) == VERDICT_OK);
    claim(ctx, actor_spawn(ctx, &sink, slice_of(""), NULL, NULL, 0, NULL) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
static const actor_class_t boss = {
    .name = "boss", .role = true, .init = boss_init, ACTOR_HEARS(ON(word))};

static void
begin(void)
{
    static const actor_class_t *const classes[] = {&boss, &mill, &sink, NULL};
    test_begin(classes);
}

static void
tell(const actor_t *to, uint64_t number)
{
    word_t m = {.number = number};
    envelope_t *told =
        envelope_new(ENV_TELL, (actor_ref_t){0}, to->self, &word_type, &m, (uint32_t) sizeof m);
    told->lane = LANE_NORMAL;
    worker_deliver(core_worker(test_core, atomic_load(&to->cell->worker)), told);
}

/* The deposed thread has let go of everything. */
static void
come_back(worker_t *stuck)
{
    worker_deliver(core_worker(test_core, stuck->index), takeover_back(stuck));
}

/* ---- claims ---- */

/* Both inits are in their lanes, and the first one hangs. */
static worker_t *
hang_in_init(void)
{
    begin();
    worker_t *stuck = core_worker(test_core, test_core->pool_first);
    test_settle_but(stuck);
    hangs_in_init = true;
    return stuck;
}

Test(deposed, an_init_that_waits_behind_one_that_hangs_runs_on_the_worker_that_goes_on)
{
    worker_t *stuck = hang_in_init();
    test_run(stuck);
    cr_assert(worker_is_taken(stuck));
    cr_expect(sink_began_on == core_worker(test_core, stuck->index),
              "it ran in the stuck one's place");
    cr_expect(context_kept, "the handler that hangs was given another actor to be");
    cr_expect(test_actor(&sink)->stage == STAGE_OPEN && test_actor(&sink)->is_ready);
    come_back(stuck);
    test_settle();
    core_destroy(&test_core);
}

Test(deposed, an_order_that_came_before_the_takeover_is_done_when_the_handler_is_back)
{
    worker_t *stuck = hang_in_init();
    const actor_t *actor = test_actor(&mill);
    worker_deliver(stuck,
                   envelope_new(ENV_PAUSE, test_actor(&boss)->self, actor->self, NULL, NULL, 0));
    test_rung = true;
    test_run(stuck);
    cr_assert(worker_is_taken(stuck) && actor->lane_depth[LANE_SYSTEM] == 1);
    come_back(stuck);
    test_settle();
    cr_expect(actor->lane_depth[LANE_SYSTEM] == 0 && actor->paused, "it waits in its lane");
    core_destroy(&test_core);
}

Test(deposed, one_that_is_away_stays_away_when_its_neighbour_is_taken_over_as_well)
{
    begin();
    test_settle();
    test_rung = true; /* the first handler's thread does not say that it is back */
    worker_t *first = test_actor(&mill)->worker;
    hangs = true;
    tell(test_actor(&mill), 1);
    test_run(first);
    worker_t *second = core_worker(test_core, first->index);
    cr_assert(worker_is_taken(first) && test_actor(&sink)->worker == second);
    hangs = true;
    tell(test_actor(&sink), 2);
    test_run(second);
    cr_assert(worker_is_taken(second));
    cr_expect(test_actor(&mill)->worker == first, "another thread has it while its handler runs");
    tell(test_actor(&mill), 3);
    test_run(core_worker(test_core, first->index));
    cr_expect_str_eq(heard, "m1s2", "they heard %s, expected m1s2", heard);
    come_back(first);
    come_back(second);
    core_destroy(&test_core);
}

Test(deposed, a_worker_that_was_spare_takes_over_without_a_handler_as_long_as_the_time_since_boot)
{
    host_figures_t told = {0};
    begin();
    test_settle();
    test_rung = true;
    for (uint32_t i = 0; i < 3; i++) {
        worker_t *stuck = test_actor(&sink)->worker;
        hangs = true;
        tell(test_actor(&sink), i);
        test_run(stuck);
        cr_assert(worker_is_taken(stuck));
        come_back(stuck);
        test_settle();
        test_now_ns += 2 * RESTART_BACKOFF_MAX_MS * (int64_t) NS_PER_MS;
        test_settle();
        cr_assert(test_actor(&sink)->stage == STAGE_OPEN && test_actor(&sink)->held == NULL);
    }
    core_figures(test_core, &told);
    cr_expect(told.longest_ns < TEST_START_NS, "%lld ns", (long long) told.longest_ns);
    core_destroy(&test_core);
}

/* The worker that the first one left is spare again, and takes over another number. */
Test(deposed, a_worker_is_shown_by_its_own_name_after_another_had_what_was_its)
{
    begin();
    test_settle();
    test_rung = true;
    uint32_t number = test_actor(&sink)->worker->index;
    char name[32];
    snprintf(name, sizeof name, "%s", worker_name(core_worker(test_core, number)));
    worker_t *first = core_worker(test_core, number);
    hangs = true;
    tell(test_actor(&sink), 1);
    test_run(first);
    come_back(first);
    test_settle();
    worker_t *boss_worker = test_actor(&boss)->worker;
    cr_assert(atomic_load(&first->spare) && boss_worker != first);
    hangs = true;
    tell(test_actor(&boss), 2);
    test_run(boss_worker);
    cr_assert(core_worker(test_core, boss_worker->index) == first, "it goes on for the boss");
    actor_figures_t told;
    uint32_t after;
    cr_assert_eq(core_watch(test_core, test_actor(&mill)->self.index, &told, 1, &after), 1);
    cr_expect_str_eq(told.worker, name, "%s, expected %s", told.worker, name);
    cr_expect_str_eq(worker_name(first), "boss", "%s, expected boss", worker_name(first));
    come_back(boss_worker);
    core_destroy(&test_core);
}
