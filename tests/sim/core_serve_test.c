/* core_serve_test.c - an answer that was put off, and what is asked for it in later handlers: each
 * such ask is an edge of the wait-for graph like the first, and one that was given up is none. */
#include "tests/sim/core_cast.h"

static verdict_t
ask_for(actor_ctx_t *ctx, cast_who_t to, uint32_t edge, uint32_t deadline_ms, actor_answer_fn *then)
{
    want_t *m = DRAFT(ctx, want);
    m->number = 1;
    return actor_ask_role(ctx, (uint32_t) to * 4 + edge, m, deadline_ms, then, (uint64_t) to);
}
static verdict_t
ask_then(actor_ctx_t *ctx, cast_who_t to, actor_answer_fn *then)
{
    return ask_for(ctx, to, 2, 60000, then);
}
static actor_next_t
pass_back(actor_ctx_t *ctx, void *self_, const actor_answer_t *answer_)
{
    puppet_t *self = self_;
    if (answer_->err == OK) {
        answer_to(ctx, self->request, 1);
    } else {
        actor_refuse_to(ctx, self->request, answer_->err);
    }
    return cast_heard(ctx, self_, answer_);
}
static actor_next_t
call_b(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(self != NULL);
    expect(call(ctx, B, 9, 60000) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
static actor_next_t
want_answered(actor_ctx_t *ctx, puppet_t *self, const want_t *m)
{
    self->count++;
    answer(ctx, m->number);
    return ACTOR_CONTINUE;
}
static actor_next_t
want_outside(actor_ctx_t *ctx, puppet_t *self, const want_t *m)
{
    cr_assert(m != NULL);
    self->request = actor_defer(ctx, "outside");
    return ACTOR_CONTINUE;
}
static actor_next_t
want_own_timer(actor_ctx_t *ctx, puppet_t *self, const want_t *m)
{
    cr_assert(m != NULL);
    self->request = actor_defer(ctx, cast_class[self->who].name);
    return ACTOR_CONTINUE;
}
static actor_next_t
answer_now(actor_ctx_t *ctx, puppet_t *self)
{
    answer_to(ctx, self->request, 1);
    return ACTOR_CONTINUE;
}
/* Serves its request by a call of a, which a circle leads back from. */
static actor_next_t
want_calling_a(actor_ctx_t *ctx, puppet_t *self, const want_t *m)
{
    cr_assert(m != NULL);
    self->request = actor_defer(ctx, "a");
    expect(ask_for(ctx, A, 3, 60000, pass_back) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
static actor_next_t
call_a(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(self != NULL);
    expect(call(ctx, A, 7, 60000) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

/* b asks c; when c has answered, d. */
static actor_next_t
then_d(actor_ctx_t *ctx, void *self_, const actor_answer_t *answer_)
{
    puppet_t *self = self_;
    actor_next_t next = cast_heard(ctx, self_, answer_);
    actor_serve(ctx, self->request, "d");
    expect(ask_then(ctx, D, pass_back) == VERDICT_OK);
    return next;
}
static actor_next_t
want_c_then_d(actor_ctx_t *ctx, puppet_t *self, const want_t *m)
{
    cr_assert(m != NULL);
    self->request = actor_defer(ctx, "c");
    expect(ask_then(ctx, C, then_d) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

Test(core_serves, a_circle_through_a_further_ask_for_the_same_answer_fails_at_once)
{
    cast_hook[B].want = want_c_then_d;
    cast_hook[C].want = want_answered;
    cast_hook[D].want = want_calling_a;
    for (cast_run_t run = {0}; cast_next(&run);) {
        int64_t before = cast_ms();
        poke(A, call_b);
        settle();
        expect(cast_ms() - before < 100, "at once: %ld ms", (long) (cast_ms() - before));
        expect_log("2=1 0=cycle 3=cycle 9=cycle ");
    }
}

/* b asks c, and c asks d twice: at the second time d calls a. */
static actor_next_t
want_answered_then_calling(actor_ctx_t *ctx, puppet_t *self, const want_t *m)
{
    return self->count == 0 ? want_answered(ctx, self, m) : want_calling_a(ctx, self, m);
}
static actor_next_t
want_d_then_d(actor_ctx_t *ctx, puppet_t *self, const want_t *m)
{
    cr_assert(m != NULL);
    self->request = actor_defer(ctx, "d");
    expect(ask_then(ctx, D, then_d) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
static actor_next_t
want_from_c(actor_ctx_t *ctx, puppet_t *self, const want_t *m)
{
    cr_assert(m != NULL);
    self->request = actor_defer(ctx, "c");
    expect(ask_then(ctx, C, pass_back) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
Test(core_serves, who_was_asked_for_it_may_ask_further_too)
{
    cast_hook[B].want = want_from_c;
    cast_hook[C].want = want_d_then_d;
    cast_hook[D].want = want_answered_then_calling;
    for (cast_run_t run = {0}; cast_next(&run);) {
        int64_t before = cast_ms();
        poke(A, call_b);
        settle();
        expect(cast_ms() - before < 100, "at once: %ld ms", (long) (cast_ms() - before));
        expect_log("3=1 0=cycle 3=cycle 2=cycle 9=cycle ");
    }
}

/* c has answered, and b waits for the outside: c and d may call a, who is free when b answers. */
static actor_next_t
then_outside(actor_ctx_t *ctx, void *self_, const actor_answer_t *answer_)
{
    puppet_t *self = self_;
    actor_serve(ctx, self->request, "outside");
    return cast_heard(ctx, self_, answer_);
}
static actor_next_t
want_c_then_outside(actor_ctx_t *ctx, puppet_t *self, const want_t *m)
{
    cr_assert(m != NULL);
    self->request = actor_defer(ctx, "c");
    expect(ask_for(ctx, C, 2, 500, then_outside) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
Test(core_serves, who_has_answered_is_waited_for_no_longer)
{
    cast_hook[A].want = cast_hook[C].want = want_answered;
    cast_hook[B].want = want_c_then_outside;
    for (cast_run_t run = {0}; cast_next(&run);) {
        poke(A, call_b);
        settle_ms(10);
        expect(strcmp(cast_figures(B).waits_for, "outside") == 0, "it shows whom it waits for");
        poke(C, call_a);
        poke(B, call_a);
        settle_ms(10);
        expect_log("2=1 ");
        poke(B, answer_now);
        settle();
        expect(noted_count("9=1") == 1 && noted_count("7=7") == 2, "got: %s", noted());
    }
}

Test(core_serves, who_was_asked_and_has_answered_may_call_the_first_one)
{
    cast_hook[A].want = want_answered;
    cast_hook[B].want = want_from_c;
    cast_hook[C].want = want_own_timer;
    for (cast_run_t run = {0}; cast_next(&run);) {
        poke(A, call_b);
        settle_ms(10);
        poke(C, answer_now);
        poke(C, call_a); /* before b hears of it */
        settle();
        expect(noted_count("9=1") == 1 && noted_count("7=7") == 1, "got: %s", noted());
    }
}

/* b gives c up, who has asked d: what d does from then on is no edge of a's call. */
static actor_next_t
want_from_d(actor_ctx_t *ctx, puppet_t *self, const want_t *m)
{
    cr_assert(m != NULL);
    self->request = actor_defer(ctx, "d");
    expect(ask_then(ctx, D, cast_heard) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
Test(core_serves, one_that_was_given_up_makes_no_edge)
{
    cast_hook[A].want = want_answered;
    cast_hook[B].want = want_c_then_outside;
    cast_hook[C].want = want_from_d;
    cast_hook[D].want = want_own_timer;
    for (cast_run_t run = {0}; cast_next(&run);) {
        poke(A, call_b);
        settle_ms(490);
        world_sim_advance(sim_world(run.sim), 20 * NS_PER_MS);
        worker_step(cast_actor(B)->worker); /* its time is over; c and d do not know yet */
        poke(D, call_a);
        settle_ms(10);
        expect(noted_count("7=cycle") == 0 && noted_count("2=deadline") == 1,
               "a waits for b, and not for d: %s", noted());
        poke(B, answer_now);
        settle();
        expect(noted_count("9=1") == 1 && noted_count("7=7") == 1, "got: %s", noted());
    }
}

/* c answers b without having heard from d: from then on nobody waits for d. */
Test(core_serves, who_is_answered_without_one_waits_for_that_one_no_longer)
{
    cast_hook[A].want = want_answered;
    cast_hook[B].want = want_from_c;
    cast_hook[C].want = want_from_d;
    cast_hook[D].want = want_own_timer;
    for (cast_run_t run = {0}; cast_next(&run);) {
        poke(A, call_b);
        settle_ms(10);
        poke(C, answer_now);
        poke(D, call_a); /* before b hears of it */
        settle_ms(10);
        expect(noted_count("7=cycle") == 0 && noted_count("9=1") == 1 && noted_count("7=7") == 1,
               "got: %s", noted());
        poke(D, answer_now);
        settle();
    }
}

/* ---- time ---- */

static actor_next_t
ask_b_for_a_second(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(self != NULL);
    expect(ask(ctx, B, 9, 1000) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
Test(core_serves, a_further_ask_has_no_more_time_than_what_it_serves)
{
    cast_hook[B].want = want_c_then_d;
    cast_hook[C].want = want_answered;
    cast_hook[D].want = want_outside;
    for (cast_run_t run = {0}; cast_next(&run);) {
        int64_t before = cast_ms();
        poke(A, ask_b_for_a_second);
        settle();
        expect(noted_count("9=deadline") == 1 && noted_count("3=deadline") == 1);
        expect(cast_ms() - before <= 1001, "%ld ms", (long) (cast_ms() - before));
    }
}

static actor_next_t
call_b_shortly(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(self != NULL);
    expect(call(ctx, B, 9, 10) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
static actor_next_t
serve_by_c(actor_ctx_t *ctx, puppet_t *self)
{
    actor_serve(ctx, self->request, "c");
    expect(ask_then(ctx, C, pass_back) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
/* Turns are counted by 32 bits. a does not wait any more; b, who does not know that, asks c for it,
 * and c calls a. */
Test(core_serves, the_turn_after_the_four_billionth_is_not_that_of_who_calls_nobody)
{
    cast_hook[A].want = want_answered;
    cast_hook[B].want = want_outside;
    for (cast_run_t run = {0}; cast_next(&run);) {
        atomic_store(&run.sim->core->wait_sequence, UINT32_MAX);
        poke(A, call_b_shortly);
        settle_ms(20);
        expect_log("9=deadline ");
        poke(B, serve_by_c);
        poke(C, call_a);
        settle();
        expect(noted_count("7=7") == 1, "c's call of a is answered");
    }
}
