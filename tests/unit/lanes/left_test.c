/* left_test.c - what is told of one whose handler does not return, and what it had of others: the
 * takeover is made from within that handler, by hand. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "proto/record_table.h"
#include "tests/unit/lanes/by_test.h"

#define QUANTUM   64u
#define LONGER_NS (INT64_C(200) * NS_PER_MS) /* than what is told of oneself stands */
#define ASK_MS    60000u

#define WORD(F, R) F(R, u64, number, 0, OPTIONAL)
RECORD(word, 0x7503, WORD)

/* ---- the cast: a mill and a sink on one worker, their boss on another ---- */

enum { DOES_NOTHING, ASKS, ASKS_AND_HANGS, TELLS_AND_HANGS, HANGS };
static bool hangs_on_answer;
static const void *runs; /* the state of whose handler does not return */
static uint32_t described_while_it_runs;
static uint32_t asks_before, asks_after, handled_after; /* as told at the takeover */

static void
no_fence(void)
{
}

static void
run(worker_t *worker)
{
    const _Atomic uint32_t bell = 0;
    worker_run(worker, &bell, 0, QUANTUM);
}

/* The watchdog finds the handler in hand overdue, and the new thread has its first turn. */
static void
be_deposed(const actor_ctx_t *ctx)
{
    overdue_t who = {ctx->worker->index, atomic_load(&ctx->worker->handlers)};
    const cell_t *told = ctx->actor->cell;
    runs = ctx->actor->state;
    asks_before = atomic_load(&told->asks);
    cr_assert(core_take_over(test_core, &who, no_fence));
    asks_after = atomic_load(&told->asks);
    handled_after = (uint32_t) atomic_load(&told->handled);
    run(core_worker(test_core, who.worker));
    runs = NULL;
}

static void
describe(const void *state, char *text, size_t size)
{
    described_while_it_runs += state == runs;
    snprintf(text, size, "%s", "well");
}

HANDLE_ANSWER(void, heard)
{
    if (hangs_on_answer) {
        be_deposed(ctx);
    }
    return ACTOR_CONTINUE;
}

enum { TO_BOSS, TO_SINK };
HANDLE(void, word)
{
    if (m->number == ASKS || m->number == ASKS_AND_HANGS) {
        verdict_t asked = actor_ask_role(ctx, TO_BOSS, DRAFT(ctx, word), ASK_MS, heard_then, 0);
        claim(ctx, asked == VERDICT_OK);
    }
    if (m->number == TELLS_AND_HANGS) {
        claim(ctx, actor_tell_role(ctx, TO_SINK, DRAFT(ctx, word)) == VERDICT_OK);
    }
    if (m->number >= ASKS_AND_HANGS && actor_attempt(ctx) == 1) {
        be_deposed(ctx);
    }
    return ACTOR_CONTINUE;
}

static actor_next_t
boss_word(actor_ctx_t *ctx, void *self, const void *m)
{
    claim(ctx, self != NULL && REPLY(ctx, word, m) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

static const actor_edge_t mill_edges[] = {{EDGE_ASK, "boss", &word_type},
                                          {EDGE_TELL, "sink", &word_type}};
static const actor_class_t mill = {.name = "mill",
                                   .role = true,
                                   .placement = ACTOR_POOL,
                                   .state_bytes = 8,
                                   .describe = describe,
                                   ACTOR_HEARS(ON(word)),
                                   .edges = mill_edges,
                                   .edge_count = 2};
static const actor_class_t sink = {
    .name = "sink", .role = true, .placement = ACTOR_POOL, ACTOR_HEARS(ON(word))};

HANDLE_INIT(void, boss_init)
{
    claim(ctx, actor_spawn(ctx, &mill, slice_of(""), NULL, NULL, 0, NULL) == VERDICT_OK);
    claim(ctx, actor_spawn(ctx, &sink, slice_of(""), NULL, NULL, 0, NULL) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
static const actor_hears_t boss_hears[] = {{&word_type, LANE_NORMAL, boss_word}};
static const actor_class_t boss = {.name = "boss",
                                   .role = true,
                                   .state_bytes = 8,
                                   .init = boss_init,
                                   .hears = boss_hears,
                                   .hears_count = 1};

/* ---- by hand ---- */

static void
begin(void)
{
    static const actor_class_t *const classes[] = {&boss, &mill, &sink, NULL};
    test_begin(classes);
}

static void
tell(const actor_class_t *to, uint64_t number)
{
    const actor_t *actor = test_actor(to);
    word_t m = {.number = number};
    envelope_t *told =
        envelope_new(ENV_TELL, (actor_ref_t){0}, actor->self, &word_type, &m, (uint32_t) sizeof m);
    told->lane = LANE_NORMAL;
    worker_deliver(core_worker(test_core, atomic_load(&actor->cell->worker)), told);
}

/* The deposed thread has let go of everything. */
static void
end(worker_t *stuck)
{
    cr_assert(worker_is_taken(stuck), "it was not taken over");
    worker_deliver(core_worker(test_core, stuck->index), takeover_back(stuck));
    test_settle();
    core_destroy(&test_core);
}

/* ---- claims ---- */

Test(left, one_that_hangs_is_not_asked_to_describe_itself_and_its_figures_are_told)
{
    begin();
    test_settle();
    worker_t *stuck = test_actor(&mill)->worker;
    uint32_t before = (uint32_t) atomic_load(&test_actor(&mill)->cell->handled);
    test_now_ns += LONGER_NS;
    tell(&mill, DOES_NOTHING);
    tell(&sink, DOES_NOTHING); /* its figures change after those of the mill */
    tell(&mill, HANGS);
    run(stuck);
    cr_expect_eq(described_while_it_runs, 0, "its state was looked at while its handler ran");
    cr_expect_eq(handled_after - before, 1, "%u handlers are told, expected the one before",
                 handled_after - before);
    cr_expect(!test_actor(&mill)->touched && stuck->touched == NULL, "it is on a list");
    end(stuck);
}

Test(left, what_one_has_asked_is_told_before_it_hangs)
{
    begin();
    test_settle();
    worker_t *stuck = test_actor(&mill)->worker;
    tell(&mill, ASKS);
    tell(&mill, HANGS);
    run(stuck);
    cr_expect_eq(asks_before, 1, "%u open asks were told, expected 1", asks_before);
    cr_expect_eq(asks_after, 1, "%u open asks at the takeover, expected 1", asks_after);
    end(stuck);
}

Test(left, what_one_asks_in_a_handler_that_hangs_is_told_when_its_worker_goes_on)
{
    begin();
    test_settle();
    worker_t *stuck = test_actor(&mill)->worker;
    tell(&mill, ASKS_AND_HANGS);
    run(stuck);
    cr_expect_eq(asks_after, 1, "%u open asks are told, expected 1", asks_after);
    end(stuck);
}

Test(left, an_ask_whose_answer_is_in_the_hand_that_hangs_is_not_told_as_open)
{
    begin();
    test_settle();
    worker_t *stuck = test_actor(&mill)->worker;
    tell(&mill, ASKS);
    run(stuck);
    hangs_on_answer = true;
    test_settle();
    hangs_on_answer = false;
    cr_expect_eq(asks_after, 0, "%u open asks are told, expected none", asks_after);
    end(stuck);
}

/* The init of the sink waits in the mailbox meanwhile: until it comes nobody but the stuck worker
 * knows that the sink has spare places. */
Test(left, places_of_one_that_has_not_begun_are_given_back_when_its_neighbour_hangs)
{
    begin();
    (void) test_hand_on();
    run(core_worker(test_core, 0));
    cr_assert_eq(test_posts, 2, "%u inits left, expected 2", test_posts);
    worker_t *stuck = core_worker(test_core, test_posted[0].to);
    worker_deliver(stuck, test_posted[0].envelope);
    test_posted[0] = test_posted[1];
    test_posts = 1;
    run(stuck);
    tell(&mill, TELLS_AND_HANGS);
    run(stuck);
    uint64_t taken = room_messages(test_actor(&sink)->cell, LANE_NORMAL);
    cr_expect_eq(taken, 1, "%lu places are taken, expected the one that was told",
                 (unsigned long) taken);
    actor_t *mine = test_actor(&sink);
    worker_deliver(core_worker(test_core, stuck->index), takeover_back(stuck));
    test_settle();
    test_now_ns += 2 * RESTART_BACKOFF_MAX_MS * (int64_t) NS_PER_MS;
    test_settle();
    cr_assert(mine->stage == STAGE_OPEN && mine->lane_depth[LANE_NORMAL] == 0);
    taken = room_messages(mine->cell, LANE_NORMAL);
    cr_expect_eq(taken, 0, "%lu places are taken by nothing", (unsigned long) taken);
    core_destroy(&test_core);
}
