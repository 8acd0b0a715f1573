/* pace_test.c - one worker whose clock is the test's: what it does between its handlers, and how
 * long that may wait while it never rests; and what a tell meets when the world moves beside it. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>

#include "proto/record_table.h"
#include "tests/unit/lanes/by_test.h"

#define NS_PER_US  1000
#define FIGURES_NS (2 * NS_PER_MS) /* so old may figures be: they are told once a millisecond */
#define ASKS       17u             /* one more than share a look at the clock */
#define ASK_MS     100u

#define WORD(F, R) F(R, u64, number, 0, OPTIONAL)
RECORD(word, 0x7501, WORD)

/* ---- the cast: a mill and a sink on the pool's one worker, their boss on his own ---- */

enum { TO_SINK, ASK_SINK, TO_GUEST };
static void (*in_hand)(void);
static uint32_t mill_waits; /* so many of its next messages, and then */
static uint32_t mill_tells; /* on so many */
static char ran[64];        /* who had a message, by its first letter */

HANDLE(void, word)
{
    const char *who = ctx->actor->class->class->name;
    snprintf(ran + strlen(ran), sizeof ran - strlen(ran), "%c", who[0]);
    if (in_hand != NULL) {
        in_hand();
    }
    test_now_ns += (int64_t) m->number;
    if (who[0] == 'm' && mill_waits > 0) {
        mill_waits--;
    } else if (who[0] == 'm' && mill_tells > 0) {
        mill_tells--;
        claim(ctx, actor_tell_role(ctx, TO_SINK, DRAFT(ctx, word)) == VERDICT_OK);
    }
    return ACTOR_CONTINUE;
}

HANDLE_TIMER(void, mill_timer)
{
    return ACTOR_CONTINUE;
}

static const actor_edge_t mill_edges[] = {{EDGE_TELL, "sink", &word_type},
                                          {EDGE_ASK, "sink", &word_type},
                                          {EDGE_TELL, "guest", &word_type}};
static const actor_class_t mill = {.name = "mill",
                                   .role = true,
                                   .placement = ACTOR_POOL,
                                   .on_timer = mill_timer,
                                   ACTOR_HEARS(ON(word)),
                                   .edges = mill_edges,
                                   .edge_count = 3};
static const actor_class_t sink = {
    .name = "sink", .role = true, .placement = ACTOR_POOL, ACTOR_HEARS(ON(word))};
static const actor_class_t guest = {
    .name = "guest", .placement = ACTOR_WITH_PARENT, ACTOR_HEARS(ON(word))};
static const actor_class_t heir = {.name = "heir", .placement = ACTOR_POOL, ACTOR_HEARS(ON(word))};

static actor_ref_t visitor; /* a guest, and then the heir of its slot */

HANDLE_INIT(void, boss_init)
{
    claim(ctx, actor_spawn(ctx, &mill, slice_of(""), NULL, NULL, 0, NULL) == VERDICT_OK);
    claim(ctx, actor_spawn(ctx, &sink, slice_of(""), NULL, NULL, 0, NULL) == VERDICT_OK);
    claim(ctx, actor_spawn(ctx, &guest, slice_of(""), NULL, NULL, 0, &visitor) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
static const actor_class_t boss = {.name = "boss", .role = true, .init = boss_init};

static void
begin(void)
{
    static const actor_class_t *const classes[] = {&boss, &mill, &sink, &guest, &heir, NULL};
    char why[256];

    in_hand = NULL;
    ran[0] = '\0';
    test_begin(classes);
    test_settle();
    cr_assert(core_is_ready(test_core, why, sizeof why), "not ready: %s", why);
}

static void
end(void)
{
    core_stop(test_core);
    test_settle();
    cr_expect(core_is_ended(test_core));
    core_destroy(&test_core);
}

/* So many messages that take so long each. */
static void
give_work(uint32_t count, int64_t each_ns)
{
    for (uint32_t i = 0; i < count; i++) {
        word_t m = {.number = (uint64_t) each_ns};
        envelope_t *tell = envelope_new(ENV_TELL, (actor_ref_t){0}, test_actor(&mill)->self,
                                        &word_type, &m, sizeof m);
        tell->lane = LANE_NORMAL;
        worker_deliver(test_actor(&mill)->worker, tell);
    }
}

static void
run_quanta(uint32_t count)
{
    const _Atomic uint32_t bell = 0;
    for (uint32_t i = 0; i < count; i++) {
        worker_run(test_actor(&mill)->worker, &bell, 0, TEST_QUANTUM);
    }
}

/* ---- between handlers ---- */

static uint64_t done, most_behind;

static void
look_at_figures(void)
{
    uint64_t behind = done++ - atomic_load(&test_actor(&mill)->cell->handled);
    most_behind = behind > most_behind ? behind : most_behind;
}

Test(pace, figures_of_a_worker_that_never_rests_are_told_once_a_millisecond)
{
    static const int64_t each_ns[] = {10 * NS_PER_US, 200 * NS_PER_US};
    for (uint32_t i = 0; i < 2; i++) {
        begin();
        done = atomic_load(&test_actor(&mill)->cell->handled);
        most_behind = 0;
        in_hand = look_at_figures;
        give_work(20 * TEST_QUANTUM, each_ns[i]);
        run_quanta(10);
        cr_assert_not(worker_is_idle(test_actor(&mill)->worker));
        int64_t behind_ns = (int64_t) most_behind * each_ns[i];
        cr_expect(most_behind > 0 && behind_ns <= FIGURES_NS,
                  "handlers of %lld ns: figures %lld ns old, expected %d at most",
                  (long long) each_ns[i], (long long) behind_ns, FIGURES_NS);
        in_hand = NULL;
        end();
    }
}

static int64_t due_ns;
static uint32_t ran_since;

static void
look_for_expiry(void)
{
    const envelope_t *last = test_actor(&mill)->lane_last[LANE_NORMAL];
    ran_since += test_now_ns >= due_ns && last->kind != ENV_TIMER;
}

static actor_next_t
set_timer(actor_ctx_t *ctx, void *self, const void *argument)
{
    cr_assert(self != NULL && argument == NULL);
    claim(ctx, actor_timer(ctx, 1, 1) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

Test(pace, a_timer_waits_for_one_long_handler_and_not_for_thirty_two)
{
    begin();
    core_run(test_actor(&mill), "test", set_timer, NULL);
    due_ns = test_now_ns + NS_PER_MS;
    ran_since = 0;
    in_hand = look_for_expiry;
    give_work(TEST_QUANTUM, 100 * NS_PER_US);
    run_quanta(TEST_QUANTUM / 2);
    cr_assert(test_now_ns > due_ns + NS_PER_MS);
    cr_expect(ran_since <= 1, "%u handlers ran while it was due, expected the next one at most",
              ran_since);
    in_hand = NULL;
    end();
}

/* What was told to another worker leaves when a run is over. */
Test(pace, a_run_of_handlers_takes_some_microseconds_however_many_there_are)
{
    static const struct {
        int64_t each_ns;
        uint32_t most;
    } runs[] = {{100 * NS_PER_US, 1}, {10 * NS_PER_US, 8}, {NS_PER_US, 40}};
    for (uint32_t i = 0; i < 3; i++) {
        begin();
        give_work(TEST_QUANTUM, runs[i].each_ns);
        run_quanta(1);
        cr_expect_eq(strlen(ran), runs[i].most, "%zu handlers of %ld ns ran, expected %u",
                     strlen(ran), (long) runs[i].each_ns, runs[i].most);
        run_quanta(TEST_QUANTUM);
        end();
    }
}

static actor_next_t
tell_sink(actor_ctx_t *ctx, void *self, const void *argument)
{
    cr_assert(self != NULL && argument == NULL);
    claim(ctx, actor_tell_role(ctx, TO_SINK, DRAFT(ctx, word)) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

Test(pace, a_worker_that_rests_has_given_all_places_back)
{
    begin();
    core_run(test_actor(&mill), "test", tell_sink, NULL);
    const cell_t *cell = test_actor(&sink)->cell;
    cr_assert(room_messages(cell, LANE_NORMAL) > 1, "none was taken ahead");
    run_quanta(1);
    cr_expect_eq(room_messages(cell, LANE_NORMAL), 0, "%d places of an empty lane are taken",
                 (int) room_messages(cell, LANE_NORMAL));
    end();
}

static actor_next_t
heard(actor_ctx_t *ctx, void *self, const actor_answer_t *answer)
{
    claim(ctx, self != NULL && answer->err == ERR_INTERNAL); /* the sink answers nobody */
    return ACTOR_CONTINUE;
}

static actor_next_t
ask_slowly(actor_ctx_t *ctx, void *self, const void *argument)
{
    cr_assert(self != NULL && argument == NULL);
    for (uint32_t i = 0; i < ASKS; i++) {
        test_now_ns += NS_PER_MS;
        claim(ctx, actor_ask_role(ctx, ASK_SINK, DRAFT(ctx, word), ASK_MS, heard, 0) == VERDICT_OK);
    }
    return ACTOR_CONTINUE;
}

Test(pace, the_seventeenth_ask_of_a_long_handler_has_its_time_from_when_it_asked)
{
    begin();
    core_run(test_actor(&mill), "test", ask_slowly, NULL);
    const envelope_t *last = test_actor(&sink)->lane_last[LANE_NORMAL];
    cr_assert(last != NULL && last->kind == ENV_ASK &&
              test_actor(&sink)->lane_depth[LANE_NORMAL] == ASKS);
    int64_t has_ns = envelope_more_of(last)->ask.deadline_ns - test_now_ns;
    cr_expect_eq(has_ns, (int64_t) ASK_MS * NS_PER_MS, "it has %lld ns, expected %u ms",
                 (long long) has_ns, ASK_MS);
    end();
}

Test(pace, the_longest_handler_is_told_and_a_sleep_between_two_is_none)
{
    host_figures_t told = {0};
    begin();
    give_work(1, 3 * NS_PER_MS);
    run_quanta(2); /* until the next look at the clock */
    test_now_ns += (int64_t) 60000 * NS_PER_MS;
    run_quanta(1);
    give_work(1, 5 * NS_PER_US);
    run_quanta(2);
    core_figures(test_core, &told);
    cr_expect_eq(told.longest_ns, 3 * NS_PER_MS, "%lld ns", (long long) told.longest_ns);
    end();
}

/* ---- what goes from hand to hand, and what it must not overtake ---- */

static void
runs(const char *expected)
{
    cr_expect_str_eq(ran, expected, "ran '%s', expected '%s'", ran, expected);
    ran[0] = '\0';
}

/* The mill tells the sink on the first of so many messages. One goes before them, because after the
 * first handler of a run the clock is looked at, and nothing stays on hand; but where a bell rings,
 * which is heard before. */
static void
mill_passes_on(uint32_t messages, uint32_t rung, uint32_t handlers)
{
    const _Atomic uint32_t bell = rung;
    mill_waits = 1 - rung;
    mill_tells = 1;
    give_work(mill_waits + messages, 0);
    worker_run(test_actor(&mill)->worker, &bell, 0, handlers);
}

Test(pace, what_is_on_hand_when_a_quantum_ends_or_mail_comes_is_in_its_lane)
{
    for (uint32_t rung = 0; rung < 2; rung++) {
        begin();
        mill_passes_on(1, rung, rung == 0 ? 2 : TEST_QUANTUM);
        runs(rung == 0 ? "mm" : "m");
        const worker_t *worker = test_actor(&sink)->worker;
        cr_expect(worker->on_hand == NULL && test_actor(&sink)->lane_depth[LANE_NORMAL] == 1 &&
                      !worker_is_idle(worker),
                  "the worker would sleep on it");
        cr_expect_neq(lane_first(test_actor(&sink), LANE_NORMAL)->sent_ns, 0,
                      "it waits, and nobody sees since when");
        run_quanta(1);
        runs("s");
        end();
    }
}

Test(pace, what_is_told_waits_behind_all_that_could_run_before)
{
    begin();
    mill_passes_on(2, 0, TEST_QUANTUM);
    runs("mmms");
    end();
}

Test(pace, what_is_told_to_one_who_is_paused_waits_in_its_lane)
{
    begin();
    test_actor(&sink)->paused = true;
    mill_passes_on(1, 0, TEST_QUANTUM);
    runs("mm");
    test_actor(&sink)->paused = false;
    lane_wake(test_actor(&sink));
    run_quanta(1);
    runs("s");
    end();
}

Test(pace, what_is_told_after_a_message_that_failed_waits_for_its_next_try)
{
    begin();
    word_t m = {0};
    envelope_t *failed = envelope_new(ENV_TELL, test_actor(&mill)->self, test_actor(&sink)->self,
                                      &word_type, &m, (uint32_t) sizeof m);
    failed->lane = LANE_NORMAL;
    poison_hold(test_actor(&sink), failed, "it failed");
    mill_passes_on(1, 0, TEST_QUANTUM);
    runs("mm");
    test_now_ns += (int64_t) RESTART_BACKOFF_MAX_MS * NS_PER_MS;
    test_settle();
    runs("ss");
    end();
}

/* ---- a slot that changes hands while its tenant is told something ---- */

static actor_next_t
stop_guest(actor_ctx_t *ctx, void *self, const void *argument)
{
    cr_assert(self != NULL && argument == NULL);
    actor_stop(ctx, visitor);
    return ACTOR_CONTINUE;
}

static actor_next_t
spawn_heir(actor_ctx_t *ctx, void *self, const void *argument)
{
    cr_assert(self != NULL && argument == NULL);
    claim(ctx, actor_spawn(ctx, &heir, slice_of(""), NULL, NULL, 0, &visitor) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

static verdict_t guest_told;

static actor_next_t
tell_guest(actor_ctx_t *ctx, void *self, const void *guest_at)
{
    cr_assert_not_null(self);
    guest_told = actor_tell(ctx, TO_GUEST, *(const actor_ref_t *) guest_at, DRAFT(ctx, word));
    return ACTOR_CONTINUE;
}

static void
wait_inside(const worker_t *worker)
{
    while (!atomic_load(&worker->inside) || atomic_load(&worker->hand) == 0) {
        sched_yield();
    }
}

static void *
mill_thread(void *guest_at)
{
    core_run(test_actor(&mill), "test", tell_guest, guest_at);
    memory_thread_ends();
    return NULL;
}

/* Somebody asks for the mill's worker, so that its handler waits on its way into the runtime: it
 * has seen the guest by then, and goes on when the heir has moved in on the mill's own worker. */
Test(pace, what_is_told_to_one_who_goes_meanwhile_is_not_given_to_who_gets_its_slot, .timeout = 60)
{
    begin();
    worker_t *worker = test_actor(&mill)->worker;
    actor_ref_t was = visitor;
    pthread_t thread;
    worker->taking = TAKING_ASKED;
    worker->inside = false;
    cr_assert_eq(pthread_create(&thread, NULL, mill_thread, &was), 0);
    wait_inside(worker);
    core_run(test_actor(&boss), "test", stop_guest, NULL);
    test_settle_but(worker);
    core_run(test_actor(&boss), "test", spawn_heir, NULL);
    cr_assert(visitor.index == was.index && visitor.incarnation != was.incarnation);
    const actor_t *next = atomic_load(&cell_at(test_core, visitor.index)->actor);
    cr_assert(next->worker == worker);
    atomic_store(&worker->taking, TAKING_NONE);
    pthread_join(thread, NULL);
    cr_expect_eq(guest_told, VERDICT_DOWN, "expected `down`, got %s",
                 err_word(verdict_err(guest_told)));
    cr_expect(next->lane_depth[LANE_NORMAL] == 0 && !next->spares, "the heir has got it");
    test_settle();
    end();
}

static actor_next_t
nothing(actor_ctx_t *ctx, void *self, const void *argument)
{
    cr_assert(ctx != NULL && self != NULL && argument == NULL);
    return ACTOR_CONTINUE;
}

static void *
return_thread(void *argument)
{
    core_run(test_actor(&mill), "test", nothing, argument);
    memory_thread_ends();
    return NULL;
}

/* Who takes over has the worker's lists while the handler that returns waits to know of it. */
Test(pace, a_handler_that_returns_touches_no_list_of_one_that_may_be_taken_over, .timeout = 60)
{
    begin();
    worker_t *worker = test_actor(&mill)->worker;
    pthread_t thread;
    run_quanta(1); /* all has been told */
    cr_assert_null(worker->touched);
    worker->taking = TAKING_ASKED;
    worker->inside = false;
    cr_assert_eq(pthread_create(&thread, NULL, return_thread, NULL), 0);
    wait_inside(worker);
    cr_expect_null(worker->touched, "it is on the list of a worker that may be another's");
    atomic_store(&worker->taking, TAKING_NONE);
    pthread_join(thread, NULL);
    cr_expect_eq(worker->touched, test_actor(&mill));
    end();
}
