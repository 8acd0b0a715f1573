/* core_restart_test.c - who is started again, with whom, when, and what of it stays. */
#include "tests/placement.h"
#include "tests/sim/core_cast.h"

static const char *const reason_words[] = {"ended", "failed", "restarted", "given-up", "late"};

static actor_next_t
root_down(actor_ctx_t *ctx, puppet_t *self, const actor_down_t *down)
{
    cr_assert(ctx != NULL && self != NULL);
    note("%s-%s", down->name, reason_words[down->reason]);
    return ACTOR_CONTINUE;
}
static actor_next_t
init_noted(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(ctx != NULL);
    note("init-%s", cast_class[self->who].name);
    return ACTOR_CONTINUE;
}
static actor_next_t
fail_now(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(ctx != NULL && self != NULL);
    return ACTOR_FAIL;
}
static actor_next_t
stop_now(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(ctx != NULL && self != NULL);
    return ACTOR_STOP;
}
static void
listen(void)
{
    cast_hook[ROOT].down = root_down;
    for (cast_who_t who = A; who <= D; who++) {
        cast_hook[who].init = init_noted;
    }
}

/* On one worker b may begin again before its supervisor has heard of it. */
static void
expect_restart_of_b(void)
{
    bool first = placement_wanted() == HOST_POOL && strncmp(noted(), "init-b ", 7) == 0;
    expect_log(first ? "init-b b-restarted " : "b-restarted init-b ");
}

/* ---- kinds ---- */

Test(core_restart, a_permanent_one_always_comes_back)
{
    listen();
    for (cast_run_t run = {0}; cast_next(&run);) {
        forget();
        poke(B, fail_now);
        settle();
        expect_restart_of_b();
        forget();
        poke(B, stop_now);
        settle();
        expect_restart_of_b();
    }
}

static actor_next_t
want_answered(actor_ctx_t *ctx, puppet_t *self, const want_t *m)
{
    cr_assert(self != NULL);
    answer(ctx, m->number * 10);
    return ACTOR_CONTINUE;
}
static actor_next_t
ask_the_next_one(actor_ctx_t *ctx, puppet_t *self, const actor_down_t *down)
{
    want_t *m = DRAFT(ctx, want);
    cr_assert(self != NULL);
    m->number = 7;
    verdict_t verdict = actor_ask(ctx, B * 4 + 2, down->next, m, 60000, cast_heard, 7);
    expect(verdict == VERDICT_OK, "verdict %d", (int) verdict);
    return ACTOR_CONTINUE;
}

Test(core_restart, a_parent_speaks_to_the_new_child_as_soon_as_it_is_told_of_it)
{
    cast_hook[ROOT].down = ask_the_next_one;
    cast_hook[B].want = want_answered;
    for (cast_run_t run = {0}; cast_next(&run);) {
        forget();
        poke(B, fail_now);
        settle();
        expect_log("7=70 ");
    }
}

Test(core_restart, a_transient_one_comes_back_when_it_failed_and_not_when_it_ended)
{
    listen();
    cast_class[B].restart = ACTOR_TRANSIENT;
    for (cast_run_t run = {0}; cast_next(&run);) {
        forget();
        poke(B, fail_now);
        settle();
        expect_restart_of_b();
        forget();
        poke(B, stop_now);
        settle();
        expect_log("b-ended ");
        expect(cast_actor(B) == NULL, "nobody has the role");
    }
}

Test(core_restart, a_temporary_one_never_comes_back)
{
    listen();
    cast_class[B].restart = ACTOR_TEMPORARY;
    for (cast_run_t run = {0}; cast_next(&run);) {
        forget();
        poke(B, fail_now);
        settle();
        expect_log("b-failed ");
        expect(cast_actor(B) == NULL && cast_actor(A) != NULL && cast_actor(C) != NULL);
    }
}

/* ---- strategies ---- */

static void
expect_incarnations(uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
    uint32_t got_[4];
    for (cast_who_t who = A; who <= D; who++) {
        got_[who] = (uint32_t) cast_figures(who).restarts;
    }
    expect(got_[A] == a && got_[B] == b && got_[C] == c && got_[D] == d,
           "expected restarts %u %u %u %u, got %u %u %u %u", a, b, c, d, got_[A], got_[B], got_[C],
           got_[D]);
}

Test(core_restart, one_for_one_restarts_the_one_that_failed)
{
    cast_class[ROOT].strategy = ACTOR_ONE_FOR_ONE;
    for (cast_run_t run = {0}; cast_next(&run);) {
        poke(B, fail_now);
        settle();
        expect_incarnations(0, 1, 0, 0);
    }
}

Test(core_restart, one_for_all_restarts_all_in_the_order_of_their_start_after_the_backoff)
{
    listen();
    cast_class[ROOT].strategy = ACTOR_ONE_FOR_ALL;
    for (cast_run_t run = {0}; cast_next(&run);) {
        forget();
        poke(B, fail_now);
        settle_ms(RESTART_BACKOFF_MS - 5);
        expect_log("");
        settle();
        expect_incarnations(1, 1, 1, 1);
        expect(strstr(noted(), "a-restarted ") < strstr(noted(), "b-restarted ") &&
               strstr(noted(), "b-restarted ") < strstr(noted(), "c-restarted ") &&
               strstr(noted(), "c-restarted ") < strstr(noted(), "d-restarted "));
    }
}

Test(core_restart, rest_for_one_restarts_it_and_those_started_after_it)
{
    cast_class[ROOT].strategy = ACTOR_REST_FOR_ONE;
    for (cast_run_t run = {0}; cast_next(&run);) {
        poke(B, fail_now);
        settle();
        expect_incarnations(0, 1, 1, 1);
    }
}

Test(core_restart, a_temporary_one_goes_with_the_others_and_does_not_come_back)
{
    cast_class[ROOT].strategy = ACTOR_ONE_FOR_ALL;
    cast_class[C].restart = ACTOR_TEMPORARY;
    for (cast_run_t run = {0}; cast_next(&run);) {
        poke(B, fail_now);
        settle();
        expect(cast_figures(A).restarts == 1 && cast_figures(D).restarts == 1);
        expect(cast_actor(C) == NULL);
    }
}

Test(core_restart, two_that_fail_at_once_under_one_for_all_are_both_back)
{
    cast_class[ROOT].strategy = ACTOR_ONE_FOR_ALL;
    for (cast_run_t run = {0}; cast_next(&run);) {
        poke(B, fail_now);
        poke(C, fail_now);
        settle();
        for (cast_who_t who = A; who <= D; who++) {
            expect(cast_figures(who).state == ACTOR_READY, "%s is ready", cast_class[who].name);
        }
    }
}

Test(core_restart, one_that_ends_for_good_while_the_others_wait_for_it_holds_up_nobody)
{
    cast_class[ROOT].strategy = ACTOR_REST_FOR_ONE;
    cast_class[D].restart = ACTOR_TRANSIENT;
    cast_delay_ns_max = 500000000; /* its end comes after the backoff, in most runs */
    for (cast_run_t run = {0}; cast_next(&run);) {
        const child_t *child = supervisor_find(cast_actor(ROOT), cast_ref(D));
        poke(C, fail_now);
        while (child->state != CHILD_CYCLES) {
            sim_step(run.sim);
        }
        poke(D, stop_now); /* before it hears that it is to be restarted */
        settle();
        expect(cast_figures(C).state == ACTOR_READY && cast_actor(D) == NULL);
        run.sim->options.delay_ns_max = 0; /* what follows is the stop, which has deadlines */
    }
}

/* ---- intensity and backoff ---- */

static int64_t
back_after_ms(void)
{
    int64_t before = cast_ms();
    poke(B, fail_now);
    settle();
    expect(cast_figures(B).state == ACTOR_READY);
    return cast_ms() - before;
}

Test(core_restart, backoff_doubles_with_each_restart_of_the_period)
{
    cast_class[ROOT].restart_intensity = 20;
    for (cast_run_t run = {0}; cast_next(&run);) {
        int64_t wait_ms = RESTART_BACKOFF_MS;
        for (int i = 0; i < 9; i++) {
            int64_t took = back_after_ms();
            expect(took >= wait_ms && took <= wait_ms + 3, "failure %d: %ld ms, not %ld", i,
                   (long) took, (long) wait_ms);
            wait_ms = wait_ms * 2 > RESTART_BACKOFF_MAX_MS ? RESTART_BACKOFF_MAX_MS : wait_ms * 2;
        }
        settle_ms(2 * RESTART_PERIOD_MS);
        expect(back_after_ms() <= RESTART_BACKOFF_MS + 3, "a calm period forgives");
    }
}

Test(core_restart, more_restarts_than_the_intensity_in_one_period_and_it_is_given_up)
{
    listen();
    cast_class[ROOT].restart_intensity = 3;
    cast_class[ROOT].restart_period_ms = 10000;
    for (cast_run_t run = {0}; cast_next(&run);) {
        for (int i = 0; i < 3; i++) {
            poke(B, fail_now);
            settle();
        }
        forget();
        poke(B, fail_now);
        settle();
        expect_log("b-given-up ");
        expect(cast_actor(B) == NULL && cast_actor(A) != NULL && cast_actor(C) != NULL);
        for (int i = 0; i < 6; i++) {
            poke(C, fail_now);
            settle_ms(6000);
        }
        expect(cast_figures(C).restarts == 6, "six in more than a period each are no storm");
    }
}

/* A given-up one of a supervisor that does not hear of it ends the supervisor. */
static actor_next_t
have_kid(actor_ctx_t *ctx, puppet_t *self)
{
    note("init-%s", cast_class[self->who].name);
    expect(actor_spawn(ctx, &cast_class[KID], slice_of("kid"), NULL, NULL, 1, &self->kid[0]) ==
           VERDICT_OK);
    return ACTOR_CONTINUE;
}
static uint32_t kid_inits, kid_bad_inits;
static actor_next_t
kid_init(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(ctx != NULL && self != NULL);
    return kid_inits++ < kid_bad_inits ? ACTOR_FAIL : ACTOR_CONTINUE;
}
Test(core_restart, a_supervisor_without_on_down_fails_with_a_child_that_was_given_up)
{
    cast_hook[A].init = have_kid;
    cast_hook[KID].init = kid_init;
    cast_class[A].on_down = NULL;
    cast_class[A].restart_intensity = 2;
    kid_bad_inits = 4;
    for (cast_run_t run = {0}; kid_inits = 0, cast_next(&run);) {
        settle();
        expect(cast_figures(A).restarts == 1, "%lu restarts of a",
               (unsigned long) cast_figures(A).restarts);
        expect(kid_inits == 5, "%u inits of the kid", kid_inits);
        expect(noted_count("init-a") == 2);
    }
}

/* ---- what a restart keeps ---- */

static actor_next_t
tell_three(actor_ctx_t *ctx, puppet_t *self)
{
    for (uint64_t i = 1; i <= 3; i++) {
        expect(tell(ctx, B, 10 * self->who + i) == VERDICT_OK);
    }
    expect(ask(ctx, B, 9, 60000) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
static actor_next_t
note_say(actor_ctx_t *ctx, puppet_t *self, const say_t *m)
{
    cr_assert(ctx != NULL);
    note("say-%lu", (unsigned long) m->number);
    self->count++;
    return ACTOR_CONTINUE;
}
static actor_next_t
want_deferred(actor_ctx_t *ctx, puppet_t *self, const want_t *m)
{
    cr_assert(m != NULL);
    self->request = actor_defer(ctx, "nobody");
    return ACTOR_CONTINUE;
}
static actor_next_t
busy_then_fail(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(self != NULL);
    expect(actor_timer(ctx, 77, 50) == VERDICT_OK);
    expect(ask(ctx, C, 5, 60000) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
static actor_next_t
watch_b(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(self != NULL);
    actor_monitor(ctx, cast_ref(B), 5);
    return ACTOR_CONTINUE;
}
static actor_ref_t heard_who, heard_next;
static actor_next_t
down_kept(actor_ctx_t *ctx, puppet_t *self, const actor_down_t *down)
{
    cr_assert(ctx != NULL && self != NULL && down->tag == 5);
    heard_who = down->who;
    heard_next = down->next;
    note("monitor-%s", reason_words[down->reason]);
    return ACTOR_CONTINUE;
}

Test(core_restart, queued_tells_stay_in_order_asks_and_timers_and_own_asks_end)
{
    cast_hook[B] = (cast_hooks_t){.say = note_say, .want = want_deferred};
    cast_hook[C].want = want_deferred;
    cast_hook[D].down = down_kept;
    for (cast_run_t run = {0}; cast_next(&run);) {
        poke(A, tell_three); /* accepted: the ask is deferred */
        settle_ms(5);
        expect_log("say-1 say-2 say-3 ");
        forget();
        poke(D, watch_b);
        poke(B, busy_then_fail);
        settle_ms(5);
        actor_ref_t before = cast_ref(B);
        before.incarnation = cast_figures(B).who.incarnation;
        poke(B, fail_now);
        poke(A, tell_three); /* while it backs off: the tells stay, the ask does not */
        settle();
        expect(strstr(noted(), "say-1 say-2 say-3 ") != NULL, "they stay, in order");
        expect(noted_count("9=restarting") == 2, "both asks come back");
        expect(noted_count("timer-77") == 0, "the old life's timer ended");
        expect(noted_count("5=restarting") + noted_count("5=deadline") == 0, "so did its ask");
        expect(noted_count("monitor-restarted") == 1);
        expect(ref_equal(heard_who, before) && heard_next.incarnation == before.incarnation + 1 &&
                   heard_next.index == before.index,
               "the monitor hears the old and the new");
        expect(cast_figures(B).restarts == 1 && cast_figures(B).asks_open == 0);
    }
}

/* ---- stop, pause, resume, restart_child ---- */

static actor_next_t
stop_b(actor_ctx_t *ctx, puppet_t *self)
{
    actor_stop(ctx, self->kid[B]);
    return ACTOR_CONTINUE;
}
static actor_next_t
pause_b(actor_ctx_t *ctx, puppet_t *self)
{
    actor_pause(ctx, self->kid[B]);
    return ACTOR_CONTINUE;
}
static actor_next_t
resume_b(actor_ctx_t *ctx, puppet_t *self)
{
    actor_resume(ctx, self->kid[B]);
    return ACTOR_CONTINUE;
}
static actor_next_t
restart_b(actor_ctx_t *ctx, puppet_t *self)
{
    actor_restart_child(ctx, self->kid[B]);
    return ACTOR_CONTINUE;
}

Test(core_restart, each_child_is_paused_resumed_restarted_and_stopped_by_itself)
{
    listen();
    cast_hook[B].say = note_say;
    for (cast_run_t run = {0}; cast_next(&run);) {
        forget();
        poke(ROOT, pause_b);
        settle();
        expect(cast_figures(B).state == ACTOR_PAUSED);
        poke(A, tell_three);
        settle_ms(5);
        expect_log("");
        poke(ROOT, resume_b);
        settle();
        expect_log("say-1 say-2 say-3 9=internal ");
        expect(cast_figures(B).state == ACTOR_READY);
        forget();
        poke(ROOT, restart_b);
        settle();
        expect_restart_of_b();
        forget();
        poke(ROOT, stop_b);
        settle();
        expect_log("b-ended ");
        expect(cast_actor(B) == NULL);
    }
}

Test(core_restart, a_restart_by_hand_ends_the_backoff)
{
    cast_class[ROOT].restart_intensity = 20;
    for (cast_run_t run = {0}; cast_next(&run);) {
        for (int i = 0; i < 6; i++) {
            poke(B, fail_now);
            settle();
        }
        poke(B, fail_now);
        settle_ms(10);
        expect(cast_figures(B).state == ACTOR_BACKING_OFF);
        poke(ROOT, restart_b);
        settle_ms(10);
        expect(cast_figures(B).state == ACTOR_READY, "it does not wait its 6,400 ms");
    }
}

Test(core_restart, a_stop_during_the_backoff_ends_it_for_good)
{
    listen();
    for (cast_run_t run = {0}; cast_next(&run);) {
        forget();
        poke(B, fail_now);
        settle_ms(10);
        poke(ROOT, stop_b);
        settle();
        expect_log("b-ended ");
    }
}
