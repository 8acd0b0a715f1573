/* core_ask_test.c - every ask that was taken resolves exactly once, whatever happens. */
#include "tests/sim/core_cast.h"

static actor_next_t
note_want(actor_ctx_t *ctx, puppet_t *self, const want_t *m)
{
    cr_assert(self != NULL);
    note("want-%lu", (unsigned long) m->number);
    answer(ctx, m->number * 10);
    return ACTOR_CONTINUE;
}
static actor_next_t
want_deferred(actor_ctx_t *ctx, puppet_t *self, const want_t *m)
{
    cr_assert(m->number > 0);
    self->request = actor_defer(ctx, "timer");
    self->number = m->number;
    self->count++;
    return ACTOR_CONTINUE;
}
static actor_next_t
want_ignored(actor_ctx_t *ctx, puppet_t *self, const want_t *m)
{
    cr_assert(ctx != NULL && self != NULL && m != NULL);
    return ACTOR_CONTINUE;
}
static actor_next_t
want_fails(actor_ctx_t *ctx, puppet_t *self, const want_t *m)
{
    cr_assert(self != NULL);
    answer(ctx, m->number * 10);
    return ACTOR_FAIL;
}
static actor_next_t
ask_d(actor_ctx_t *ctx, puppet_t *self)
{
    expect(ask(ctx, D, 10u * (self->who + 1u) + ++self->count, 1000) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
static actor_next_t
answer_late(actor_ctx_t *ctx, puppet_t *self)
{
    answer_to(ctx, self->request, self->number * 10);
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
static uint64_t
late_replies(void)
{
    host_figures_t figures;
    core_figures(cast->sim->core, &figures);
    return figures.late_replies;
}

Test(core_asks, a_reply_resolves_it_once)
{
    cast_hook[D].want = note_want;
    for (cast_run_t run = {0}; cast_next(&run);) {
        poke(A, ask_d);
        settle();
        expect_log("want-11 11=110 ");
        expect(cast_figures(A).asks_open == 0 && late_replies() == 0);
    }
}

static actor_next_t
note_say(actor_ctx_t *ctx, puppet_t *self, const say_t *m)
{
    cr_assert(ctx != NULL && self != NULL);
    note("say-%lu", (unsigned long) m->number);
    return ACTOR_CONTINUE;
}
static actor_next_t
tell_and_ask_a(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(self != NULL);
    expect(tell(ctx, A, 5) == VERDICT_OK && ask(ctx, A, 6, 1000) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
Test(core_asks, the_asker_stays_open_to_others_until_it_is_answered)
{
    cast_hook[A] = (cast_hooks_t){.say = note_say, .want = note_want};
    cast_hook[D].want = want_deferred;
    for (cast_run_t run = {0}; cast_next(&run);) {
        poke(A, ask_d);
        settle_ms(10);
        poke(B, tell_and_ask_a);
        settle_ms(10);
        expect_log("say-5 want-6 6=60 ");
        poke(D, answer_late);
        settle();
        expect_log("say-5 want-6 6=60 11=110 ");
    }
}

Test(core_asks, its_deadline_resolves_it_once_and_the_late_reply_is_dropped_and_counted)
{
    cast_hook[D].want = want_deferred;
    for (cast_run_t run = {0}; cast_next(&run);) {
        int64_t before = cast_ms();
        poke(A, ask_d);
        settle();
        expect_log("11=deadline ");
        expect(cast_ms() - before >= 1000 && cast_ms() - before <= 1001, "at its deadline");
        poke(D, answer_late);
        settle();
        expect_log("11=deadline ");
        expect(late_replies() == 1, "%lu late replies", (unsigned long) late_replies());
    }
}

Test(core_asks, a_reply_that_waits_behind_the_deadline_is_late_and_one_before_it_is_not)
{
    cast_hook[D].want = want_deferred;
    for (cast_run_t run = {0}; cast_next(&run);) {
        poke(A, ask_d);
        settle_ms(999);
        poke(D, answer_late);
        world_sim_advance(sim_world(run.sim), 2 * NS_PER_MS);
        settle();
        expect(noted_count("11=110") + noted_count("11=deadline") == 1, "exactly one answer");
        expect(late_replies() == noted_count("11=deadline"), "%lu late replies",
               (unsigned long) late_replies());
    }
}

Test(core_asks, a_deferred_reply_answers_the_one_who_asked)
{
    cast_hook[D].want = want_deferred;
    for (cast_run_t run = {0}; cast_next(&run);) {
        poke(A, ask_d);
        settle_ms(10);
        expect_log("");
        poke(D, answer_late);
        settle();
        expect_log("11=110 ");
        poke(D, answer_late);
        settle();
        expect_log("11=110 ");
    }
}

Test(core_asks, neither_answered_nor_deferred_is_answered_internal)
{
    cast_hook[D].want = want_ignored;
    for (cast_run_t run = {0}; cast_next(&run);) {
        poke(A, ask_d);
        settle();
        expect_log("11=internal ");
    }
}

Test(core_asks, the_end_of_the_asked_is_down_for_all_it_accepted_or_had_waiting)
{
    cast_class[D].restart = ACTOR_TRANSIENT;
    cast_hook[D].want = want_deferred;
    for (cast_run_t run = {0}; cast_next(&run);) {
        poke(A, ask_d);
        settle_ms(10);
        poke(B, ask_d);
        poke(D, stop_now);
        settle();
        expect(noted_count("11=down") == 1 && noted_count("21=down") == 1, "both hear it");
        expect(cast_figures(A).asks_open == 0);
    }
}

static actor_next_t
ask_nobody(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(self != NULL);
    expect(ask(ctx, D, 1, 1000) == VERDICT_DOWN);
    return ACTOR_CONTINUE;
}
Test(core_asks, who_is_gone_is_down_there_and_then)
{
    cast_class[D].restart = ACTOR_TRANSIENT;
    for (cast_run_t run = {0}; cast_next(&run);) {
        poke(D, stop_now);
        settle();
        poke(A, ask_nobody);
        settle();
        expect_log("");
    }
}

Test(core_asks, a_failed_handler_answers_restarting_and_not_what_it_said)
{
    cast_hook[D].want = want_fails;
    for (cast_run_t run = {0}; cast_next(&run);) {
        poke(A, ask_d);
        settle();
        expect_log("11=restarting ");
    }
}

Test(core_asks, a_restart_answers_restarting_to_all_that_were_accepted)
{
    cast_hook[D].want = want_deferred;
    for (cast_run_t run = {0}; cast_next(&run);) {
        poke(A, ask_d);
        poke(B, ask_d);
        poke(B, ask_d);
        settle_ms(10);
        expect(((puppet_t *) cast_actor(D)->state)->count == 3);
        poke(D, fail_now);
        settle();
        expect(noted_count("11=restarting") + noted_count("21=restarting") +
                       noted_count("22=restarting") ==
                   3,
               "all three");
    }
}

Test(core_asks, an_asker_that_restarted_hears_no_answer_of_its_former_life)
{
    cast_hook[D].want = want_deferred;
    for (cast_run_t run = {0}; cast_next(&run);) {
        poke(A, ask_d);
        settle_ms(10);
        poke(A, fail_now);
        settle_ms(500);
        poke(A, ask_d); /* has the slot of the one before */
        poke(D, answer_late);
        settle_ms(10);
        expect_log("");
        expect(late_replies() == 1);
        poke(D, answer_late);
        settle();
        expect_log("11=110 ");
    }
}

static actor_next_t
refuse_want(actor_ctx_t *ctx, puppet_t *self, const want_t *m)
{
    cr_assert(self != NULL && m != NULL);
    actor_refuse(ctx, ERR_STARTING);
    return ACTOR_CONTINUE;
}
Test(core_asks, a_refusal_carries_its_reason)
{
    cast_hook[D].want = refuse_want;
    for (cast_run_t run = {0}; cast_next(&run);) {
        poke(A, ask_d);
        settle();
        expect_log("11=starting ");
    }
}

/* ---- bounds ---- */

static actor_next_t
ask_until_full(actor_ctx_t *ctx, puppet_t *self)
{
    self->count = 0;
    while (ask(ctx, D, 1, 1000) == VERDICT_OK) {
        self->count++;
    }
    expect(ask(ctx, D, 1, 1000) == VERDICT_FULL);
    return ACTOR_CONTINUE;
}
Test(core_asks, an_actor_has_so_many_open_asks_and_not_one_more)
{
    cast_hook[D].want = note_want;
    cast_run_t run = {0};
    cr_assert(cast_next(&run));
    for (int i = 0; i < 3; i++) {
        forget();
        poke(A, ask_until_full);
        expect(((puppet_t *) cast_actor(A)->state)->count == ASKS_OPEN_MAX, "round %d", i);
        settle();
        expect(noted_count("1=10") == ASKS_OPEN_MAX, "all are answered");
        expect(cast_figures(A).asks_open == 0);
    }
    sim_destroy(&run.sim);
}

Test(core_asks, a_lane_that_is_full_refuses_there_and_then_and_leaves_no_ask_behind)
{
    cast_class[D].lane_messages_max = 5;
    cast_hook[D].want = note_want;
    for (cast_run_t run = {0}; cast_next(&run);) {
        poke(A, ask_until_full);
        expect(((puppet_t *) cast_actor(A)->state)->count == 5);
        expect(cast_figures(A).asks_open == 5);
        settle();
        expect(noted_count("1=10") == 5);
    }
}

static actor_next_t
tell_self_until_full(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(self != NULL);
    while (tell(ctx, A, 1) == VERDICT_OK && tell_urgent(ctx, A, 1) == VERDICT_OK) {
    }
    return ACTOR_CONTINUE;
}
Test(core_asks, a_reply_has_its_place_when_every_other_lane_is_full)
{
    cast_class[A].lane_messages_max = 4;
    cast_hook[D].want = note_want;
    for (cast_run_t run = {0}; cast_next(&run);) {
        poke(A, ask_d);
        poke(A, tell_self_until_full);
        settle();
        expect_log("want-11 11=110 ");
    }
}

/* ---- nobody does what nobody waits for ---- */

static actor_next_t
pause_d(actor_ctx_t *ctx, puppet_t *self)
{
    actor_pause(ctx, self->kid[D]);
    return ACTOR_CONTINUE;
}
static actor_next_t
resume_d(actor_ctx_t *ctx, puppet_t *self)
{
    actor_resume(ctx, self->kid[D]);
    return ACTOR_CONTINUE;
}
Test(core_asks, one_that_is_over_when_its_turn_comes_is_not_handled)
{
    cast_hook[D].want = note_want;
    for (cast_run_t run = {0}; cast_next(&run);) {
        poke(ROOT, pause_d);
        settle_ms(10);
        poke(A, ask_d);
        settle_ms(1500);
        expect_log("11=deadline ");
        poke(B, ask_d);
        settle_ms(10);
        poke(ROOT, resume_d);
        settle();
        expect_log("11=deadline want-21 21=210 ");
        expect(cast_figures(D).asks_open == 0 && cast_figures(A).asks_open == 0);
    }
}

/* ---- deadlines are inherited ---- */

static actor_next_t
want_nested(actor_ctx_t *ctx, puppet_t *self, const want_t *m)
{
    self->request = actor_defer(ctx, "d");
    expect(ask(ctx, D, m->number + 1, 60000) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
Test(core_asks, a_nested_ask_has_no_more_time_than_the_one_it_serves)
{
    cast_hook[B].want = want_nested;
    cast_hook[D].want = want_deferred;
    for (cast_run_t run = {0}; cast_next(&run);) {
        int64_t before = cast_ms();
        actor_next_t ask_b(actor_ctx_t * ctx, puppet_t * self);
        poke(A, ask_b);
        settle();
        expect(noted_count("30=deadline") == 1 && noted_count("31=deadline") == 1);
        expect(cast_ms() - before <= 1001, "%ld ms", (long) (cast_ms() - before));
    }
}
actor_next_t ask_b(actor_ctx_t *ctx, puppet_t *self);
actor_next_t
ask_b(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(self != NULL);
    expect(ask(ctx, B, 30, 1000) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

/* ---- many at once ---- */

static actor_next_t
want_any(actor_ctx_t *ctx, puppet_t *self, const want_t *m)
{
    switch (actor_random(ctx) % 6) {
    case 0:
        self->request = actor_defer(ctx, "nobody");
        return ACTOR_CONTINUE;
    case 1:
        actor_refuse(ctx, ERR_BUSY);
        return ACTOR_CONTINUE;
    case 2:
        return ACTOR_FAIL;
    case 3:
        answer_to(ctx, self->request, 1);
        return ACTOR_CONTINUE;
    default:
        answer(ctx, m->number);
        return ACTOR_CONTINUE;
    }
}
static actor_next_t
ask_everybody(actor_ctx_t *ctx, puppet_t *self)
{
    for (cast_who_t to = A; to <= D; to++) {
        uint64_t number = ++self->number;
        verdict_t verdict = ask(ctx, to, (uint64_t) self->who * 1000 + number,
                                (uint32_t) (1 + actor_random(ctx) % 300));
        if (verdict == VERDICT_OK) {
            note("asked");
        }
    }
    return ACTOR_CONTINUE;
}
static bool
is_open(cast_who_t who)
{
    return cast_actor(who) != NULL && cast_actor(who)->stage == STAGE_OPEN;
}
Test(core_asks, in_a_storm_of_failures_every_ask_resolves_at_most_once_and_none_stays_open)
{
    for (cast_who_t who = A; who <= D; who++) {
        cast_hook[who].want = want_any;
        cast_class[who].restart = ACTOR_PERMANENT;
    }
    cast_class[ROOT].restart_intensity = 100000;
    for (cast_run_t run = {0}; cast_next(&run);) {
        for (int round = 0; round < 60; round++) {
            for (cast_who_t who = A; who <= D; who++) {
                if (is_open(who)) {
                    poke(who, ask_everybody);
                }
            }
            settle_ms(5);
        }
        settle();
        char text[256];
        expect(sim_open_asks(run.sim, text, sizeof text) == 0, "open: %s", text);
        for (cast_who_t who = A; who <= D; who++) {
            expect(cast_actor(who)->accepted == NULL ||
                   cast_actor(who)->accepted->request.asker.index);
        }
    }
}
