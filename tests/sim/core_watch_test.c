/* core_watch_test.c - timers by key; figures that are true at each step; notes about who is stuck,
 * late or failed. */
#include "tests/sim/core_cast.h"

#include <malloc.h>
#include <time.h>

#if defined(__SANITIZE_ADDRESS__)
#define STEPS_OF_GROWTH 200000u /* a sanitized step costs ten times as much */
#else
#define STEPS_OF_GROWTH 4000000u
#endif

/* ---- timers ---- */

static actor_next_t
arm_three(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(self != NULL);
    expect(actor_timer(ctx, 3, 30) == VERDICT_OK && actor_timer(ctx, 1, 10) == VERDICT_OK);
    expect(actor_timer(ctx, 2, 20) == VERDICT_OK && actor_timer(ctx, 4, 20) == VERDICT_OK);
    expect(actor_timer(ctx, 1, 40) == VERDICT_OK, "the same key: set anew");
    actor_timer_cancel(ctx, 3);
    actor_timer_cancel(ctx, 99);
    return ACTOR_CONTINUE;
}
Test(core_timers, one_per_key_which_is_set_anew_or_cancelled_and_ties_go_to_the_first)
{
    for (cast_run_t run = {0}; cast_next(&run);) {
        poke(A, arm_three);
        expect(cast_figures(A).timers == 3);
        settle_ms(15);
        expect_log("");
        settle_ms(10);
        expect_log("timer-2 timer-4 ");
        settle();
        expect_log("timer-2 timer-4 timer-1 ");
        expect(cast_figures(A).timers == 0);
    }
}

static actor_next_t
pause_a(actor_ctx_t *ctx, puppet_t *self)
{
    actor_pause(ctx, self->kid[A]);
    return ACTOR_CONTINUE;
}
static actor_next_t
resume_a(actor_ctx_t *ctx, puppet_t *self)
{
    actor_resume(ctx, self->kid[A]);
    return ACTOR_CONTINUE;
}
static actor_next_t
arm_one(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(self != NULL);
    expect(actor_timer(ctx, 7, 1) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
static actor_next_t
cancel_one(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(self != NULL);
    actor_timer_cancel(ctx, 7);
    return ACTOR_CONTINUE;
}
Test(core_timers, at_most_one_expiry_of_a_key_is_queued)
{
    for (cast_run_t run = {0}; cast_next(&run);) {
        poke(ROOT, pause_a);
        settle();
        for (int i = 0; i < 5; i++) {
            poke(A, arm_one);
            settle_ms(3);
            expect(cast_actor(A)->lane_depth[LANE_NORMAL] == 1, "expiry %d: %lu are queued", i,
                   (unsigned long) cast_actor(A)->lane_depth[LANE_NORMAL]);
        }
        poke(A, cancel_one);
        expect(cast_actor(A)->lane_depth[LANE_NORMAL] == 0, "cancelled is cancelled");
        poke(A, arm_one);
        settle_ms(3);
        poke(ROOT, resume_a);
        settle();
        expect_log("timer-7 ");
    }
}

static actor_next_t
arm_all(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(self != NULL);
    for (uint64_t key = 0; key < TIMERS_PER_ACTOR_MAX; key++) {
        expect(actor_timer(ctx, key, 1 + key * 7919 % 5000) == VERDICT_OK);
    }
    expect(actor_timer(ctx, TIMERS_PER_ACTOR_MAX, 1) == VERDICT_FULL, "not one more");
    expect(actor_timer(ctx, 5, 1) == VERDICT_OK, "but one of them anew");
    for (uint64_t key = 0; key < TIMERS_PER_ACTOR_MAX; key += 2) {
        actor_timer_cancel(ctx, key);
    }
    return ACTOR_CONTINUE;
}
static uint64_t fired;
static actor_next_t
timer_counted(actor_ctx_t *ctx, puppet_t *self, uint64_t key)
{
    cr_assert(ctx != NULL && self != NULL);
    expect(key % 2 == 1, "%lu was cancelled", (unsigned long) key);
    fired++;
    forget();
    return ACTOR_CONTINUE;
}
Test(core_timers, a_hundred_thousand_of_them_are_set_cancelled_and_expire_in_seconds)
{
    cast_hook[A].timer = timer_counted;
    cast_run_t run = {0};
    cr_assert(cast_next(&run));
    clock_t before = clock();
    poke(A, arm_all);
    settle();
    double took = (double) (clock() - before) / CLOCKS_PER_SEC;
    expect(fired == TIMERS_PER_ACTOR_MAX / 2, "%lu fired", (unsigned long) fired);
    cr_assert(took < 20, "%.1f s of processor time", took);
    fprintf(stderr, "100,000 timers: %.2f s\n", took);
    sim_destroy(&run.sim);
}

/* ---- figures ---- */

static actor_next_t
say_and_look(actor_ctx_t *ctx, puppet_t *self, const say_t *m)
{
    actor_figures_t figures = {0};
    uint32_t next = 0;
    cr_assert(m != NULL);
    self->count++;
    expect(actor_watch(ctx, actor_self(ctx).index, &figures, 1, &next) == 1);
    expect(strcmp(figures.handling, "say") == 0 && figures.handling_since_ns > 0, "%s",
           figures.handling);
    return ACTOR_CONTINUE;
}
static actor_next_t
want_any(actor_ctx_t *ctx, puppet_t *self, const want_t *m)
{
    cr_assert(m != NULL);
    if (actor_random(ctx) % 10 == 0) {
        return ACTOR_FAIL;
    }
    if (actor_random(ctx) % 3 == 0) {
        self->request = actor_defer(ctx, "elsewhere");
        return ACTOR_CONTINUE;
    }
    answer(ctx, 1);
    return ACTOR_CONTINUE;
}
static actor_next_t
say_something(actor_ctx_t *ctx, puppet_t *self)
{
    cast_who_t to = (cast_who_t) (actor_random(ctx) % 4);
    cr_assert(self != NULL);
    switch (actor_random(ctx) % 4) {
    case 0:
        (void) !tell(ctx, to, 1);
        break;
    case 1:
        (void) !ask(ctx, to, 1, 100);
        break;
    case 2:
        (void) !call(ctx, to, 1, 50);
        break;
    default:
        (void) !actor_timer(ctx, actor_random(ctx) % 5, 5);
    }
    return ACTOR_CONTINUE;
}
/* Places taken in the lane: what waits in it, is held back, or is under way to it. */
static uint64_t
places(const actor_t *actor, lane_t lane)
{
    const sim_t *sim = cast->sim;
    uint64_t count = 0;
    for (const envelope_t *e = lane_first(actor, lane); e != NULL; e = lane_after(actor, lane, e)) {
        count += e->reserved;
    }
    for (const held_t *held = actor->held; held != NULL; held = held->next) {
        for (const envelope_t *e = held->later.head; e != NULL; e = e->next) {
            count += e->reserved && e->lane == lane;
        }
    }
    for (uint32_t i = 0; i < sim->senders * sim->workers; i++) {
        for (const flight_t *f = sim->channel[i].head; f != NULL; f = f->next) {
            count += f->envelope->reserved && f->envelope->lane == lane &&
                     f->envelope->to.index == actor->self.index;
        }
    }
    return count;
}
static void
figures_are_true(cast_who_t who, const uint64_t *handled)
{
    const actor_t *actor = cast_actor(who);
    actor_figures_t figures = cast_figures(who);
    expect(figures.depth[LANE_SYSTEM] == actor->lane_depth[LANE_SYSTEM]);
    expect(figures.depth[LANE_REPLY] == actor->lane_depth[LANE_REPLY]);
    expect(figures.depth[LANE_NORMAL] == places(actor, LANE_NORMAL), "%lu, truly %lu",
           (unsigned long) figures.depth[LANE_NORMAL], (unsigned long) places(actor, LANE_NORMAL));
    expect(figures.asks_open == actor->asks_open && figures.timers == actor->rare->timers);
    expect(figures.handling[0] == '\0' && figures.handling_since_ns == 0, "idle between steps");
    expect(figures.handled >= handled[who]);
    expect((figures.state == ACTOR_READY) == (actor->stage == STAGE_OPEN));
    bool waits =
        actor->calls_open > 0 || (actor->accepted != NULL && actor->accepted->waits_for[0] != '\0');
    expect((figures.waits_for[0] != '\0') == waits, "%s waits for '%s'", watch_called(actor),
           figures.waits_for);
    int64_t oldest = 0;
    for (int lane = 0; lane < LANE_COUNT; lane++) {
        const envelope_t *head = lane_first(actor, (lane_t) lane);
        int64_t age = head == NULL ? 0 : sim_now_ns(cast->sim) - head->sent_ns;
        oldest = age > oldest ? age : oldest;
    }
    expect(oldest <= 1 || figures.oldest_age_ns == oldest, "age %ld, truly %ld",
           (long) figures.oldest_age_ns, (long) oldest);
}

Test(core_watching, figures_are_true_at_each_step)
{
    cast_class[ROOT].restart_intensity = 100000;
    for (cast_who_t who = A; who <= D; who++) {
        cast_hook[who] = (cast_hooks_t){.say = say_and_look, .want = want_any};
    }
    for (cast_run_t run = {0}; cast_next(&run);) {
        uint64_t handled[CAST_COUNT] = {0};
        for (uint32_t step = 0; step < 1500; step++) {
            cast_who_t who = (cast_who_t) (step / 4 % 4);
            if (step % 4 == 0 && cast_actor(who)->stage == STAGE_OPEN) {
                poke(who, say_something);
            }
            sim_step(run.sim);
            forget();
            for (who = A; who <= D; who++) {
                figures_are_true(who, handled);
                handled[who] = cast_figures(who).handled;
            }
        }
        settle();
    }
}

/* ---- notes ---- */

static actor_next_t
say_for_long(actor_ctx_t *ctx, puppet_t *self, const say_t *m)
{
    cr_assert(ctx != NULL && self != NULL && m != NULL);
    core_look(cast->sim->core); /* as the watchdog does on a thread of its own */
    world_sim_advance(sim_world(cast->sim), 2 * HANDLER_LIMIT_MS * NS_PER_MS);
    core_look(cast->sim->core);
    core_look(cast->sim->core);
    return ACTOR_CONTINUE;
}
static actor_next_t
tell_b(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(self != NULL);
    expect(tell(ctx, B, 1) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
Test(core_watching, a_handler_over_its_limit_is_told_while_it_is_stuck_and_once_when_it_is_over)
{
    cast_hook[B].say = say_for_long;
    cast_notes_to = "d";
    for (cast_run_t run = {0}; cast_next(&run);) {
        core_look(run.sim->core);
        settle();
        expect_log("settled-ready- ");
        forget();
        poke(A, tell_b);
        settle();
        core_look(run.sim->core);
        core_look(run.sim->core);
        settle();
        expect_log("stalled-b-still-say stalled-b-over- ");
        expect(cast_stalled_ms == 2 * HANDLER_LIMIT_MS, "since when: %lu ms ago",
               (unsigned long) cast_stalled_ms);
    }
}

/* Of a thousand of one class it is the name that tells which is stuck. It ends before it is looked
 * at again: that is told as well, or its alarm would stay for ever. */
static actor_next_t
spawn_seventh(actor_ctx_t *ctx, puppet_t *self)
{
    expect(actor_spawn(ctx, &cast_class[KID], slice_of("kid-7"), NULL, NULL, 7, &self->kid[0]) ==
           VERDICT_OK);
    return ACTOR_CONTINUE;
}
static actor_next_t
tell_seventh(actor_ctx_t *ctx, puppet_t *self)
{
    expect(tell_ref(ctx, KID, self->kid[0], 1) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
static actor_next_t
say_for_long_and_end(actor_ctx_t *ctx, puppet_t *self, const say_t *m)
{
    return say_for_long(ctx, self, m) == ACTOR_CONTINUE ? ACTOR_STOP : ACTOR_FAIL;
}
Test(core_watching, one_of_many_that_is_stuck_is_told_by_its_own_name_and_so_is_its_end)
{
    cast_class[KID].restart = ACTOR_TEMPORARY;
    cast_hook[KID].say = say_for_long_and_end;
    cast_notes_to = "d";
    for (cast_run_t run = {0}; cast_next(&run);) {
        core_look(run.sim->core);
        poke(C, spawn_seventh);
        settle();
        forget();
        poke(C, tell_seventh);
        settle();
        core_look(run.sim->core);
        settle();
        expect(strstr(noted(), "stalled-kid-7-still-say stalled-kid-7-over- ") != NULL, "got: %s",
               noted());
    }
}

static actor_next_t
root_down(actor_ctx_t *ctx, puppet_t *self, const actor_down_t *down)
{
    cr_assert(ctx != NULL && self != NULL);
    note("%s-%s", down->name, down->reason == ACTOR_LATE ? "late" : "other");
    return ACTOR_CONTINUE;
}
static actor_next_t
trouble_noted(actor_ctx_t *ctx, puppet_t *self, const char *what, const char *why)
{
    cr_assert(ctx != NULL && self != NULL && why != NULL);
    note("trouble-%s", what);
    return ACTOR_CONTINUE;
}
static actor_next_t
want_replied(actor_ctx_t *ctx, puppet_t *self, const want_t *m)
{
    cr_assert(self != NULL);
    answer(ctx, m->number);
    return ACTOR_CONTINUE;
}
static actor_next_t
ask_a(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(self != NULL);
    expect(ask(ctx, A, 4, 1000) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
static actor_next_t
ready_now(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(self != NULL);
    actor_degraded(ctx, "came late");
    return ACTOR_CONTINUE;
}

/* Q281603: one component's start waited for a click, and nearly all others never started. */
Test(core_watching, q281603_one_that_never_gets_ready_delays_no_other_and_is_told_by_name)
{
    cast_class[B].starts_later = true;
    cast_hook[ROOT].down = root_down;
    cast_hook[A].want = want_replied;
    cast_hook[D].trouble = trouble_noted;
    cast_notes_to = "d";
    for (cast_run_t run = {0}; cast_next(&run);) {
        char why[256] = "";
        settle_ms(20);
        expect(!sim_is_ready(run.sim, why, sizeof why) && strcmp(why, "b") == 0, "%s", why);
        poke(C, ask_a);
        settle_ms(20);
        expect(noted_count("4=4") == 1, "the others work");
        core_look(run.sim->core);
        world_sim_advance(sim_world(run.sim), (INIT_DEADLINE_MS + 1) * (int64_t) NS_PER_MS);
        core_look(run.sim->core);
        core_look(run.sim->core);
        settle();
        expect(noted_count("b-late") == 1 && noted_count("trouble-late") == 1, "told once");
        expect(noted_count("settled-not-b") == 1);
        poke(B, ready_now);
        core_look(run.sim->core);
        settle();
        expect(noted_count("settled-ready-") == 1 && cast_figures(B).state == ACTOR_DEGRADED);
        expect(strcmp(cast_figures(B).why, "came late") == 0);
    }
}

/* ---- nothing grows ---- */

static actor_next_t
pass_on(actor_ctx_t *ctx, puppet_t *self, const say_t *m)
{
    self->count++;
    expect(tell(ctx, self->who == A ? B : A, m->number) == VERDICT_OK);
    return actor_timer(ctx, 1, 1000) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
}
static size_t
heap_bytes(void)
{
    return mallinfo2().uordblks;
}

static actor_next_t
watch_a_and_end(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(self != NULL);
    actor_monitor(ctx, cast_ref(A), 1);
    return ACTOR_STOP;
}
static actor_next_t
spawn_watcher(actor_ctx_t *ctx, puppet_t *self)
{
    expect(actor_spawn(ctx, &cast_class[KID], slice_of("watcher"), NULL, NULL, 7, &self->kid[0]) ==
           VERDICT_OK);
    return ACTOR_CONTINUE;
}
Test(core_watching, those_who_watched_and_ended_are_forgotten)
{
    cast_class[KID].restart = ACTOR_TEMPORARY;
    cast_hook[KID].init = watch_a_and_end;
    cast_run_t run = {0};
    cr_assert(cast_next(&run));
    for (int i = 0; i < 200; i++) {
        poke(B, spawn_watcher);
        settle();
    }
    expect(cast_actor(A)->rare->monitor_capacity <= 8, "%u places",
           cast_actor(A)->rare->monitor_capacity);
    sim_destroy(&run.sim);
}

/* Q237611: a history file that grew made the components slow, and stop. */
Test(core_watching, q237611_after_millions_of_messages_nothing_has_grown)
{
    cast_hook[A].say = cast_hook[B].say = pass_on;
    cast_run_t run = {0};
    cr_assert(cast_next(&run));
    poke(A, tell_b);
    size_t early = 0;
    for (uint32_t i = 0; i < STEPS_OF_GROWTH; i++) {
        sim_step(run.sim);
        early = i == 100000 ? heap_bytes() : early;
    }
    expect(cast_figures(A).handled + cast_figures(B).handled > STEPS_OF_GROWTH / 4);
    expect(heap_bytes() <= early + 65536, "%zu bytes, and %zu in the beginning", heap_bytes(),
           early);
    sim_destroy(&run.sim);
}
