/* core_call_test.c - a call closes its caller's lanes; a circle of waiting fails at once, and
 * nothing else does. */
#include "tests/sim/core_cast.h"

static actor_next_t
note_say(actor_ctx_t *ctx, puppet_t *self, const say_t *m)
{
    cr_assert(ctx != NULL && self != NULL);
    note("say-%lu", (unsigned long) m->number);
    return ACTOR_CONTINUE;
}
static actor_next_t
want_deferred(actor_ctx_t *ctx, puppet_t *self, const want_t *m)
{
    self->request = actor_defer(ctx, "outside");
    self->number = m->number;
    return ACTOR_CONTINUE;
}
static actor_next_t
answer_now(actor_ctx_t *ctx, puppet_t *self)
{
    answer_to(ctx, self->request, self->number * 10);
    return ACTOR_CONTINUE;
}
static actor_next_t
call_b_twice(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(self != NULL);
    expect(call(ctx, B, 1, 60000) == VERDICT_OK);
    expect(call(ctx, C, 2, 60000) == VERDICT_FULL, "one call at a time");
    return ACTOR_CONTINUE;
}
static actor_next_t
tell_a(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(self != NULL);
    expect(tell(ctx, A, 5) == VERDICT_OK && tell_urgent(ctx, A, 6) == VERDICT_OK);
    expect(ask(ctx, A, 7, 60000) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
static actor_next_t
note_press(actor_ctx_t *ctx, puppet_t *self, const press_t *m)
{
    cr_assert(ctx != NULL && self != NULL);
    note("press-%lu", (unsigned long) m->number);
    return ACTOR_CONTINUE;
}
static actor_next_t
pause_and_resume(actor_ctx_t *ctx, puppet_t *self)
{
    actor_pause(ctx, self->kid[A]);
    actor_resume(ctx, self->kid[A]);
    return ACTOR_CONTINUE;
}

Test(core_calls, a_call_closes_the_urgent_and_normal_lanes_until_it_resolves)
{
    cast_hook[B].want = want_deferred;
    cast_hook[A] = (cast_hooks_t){.say = note_say, .press = note_press};
    for (cast_run_t run = {0}; cast_next(&run);) {
        poke(A, call_b_twice);
        poke(D, tell_a);
        poke(ROOT, pause_and_resume); /* does not open what the call closed */
        settle_ms(50);
        expect_log("");
        expect(strcmp(cast_figures(A).waits_for, "b") == 0, "waits for %s",
               cast_figures(A).waits_for);
        expect(strcmp(cast_figures(B).waits_for, "outside") == 0);
        poke(B, answer_now);
        settle();
        expect_log("1=10 press-6 say-5 7=internal ");
        expect(cast_figures(A).waits_for[0] == '\0' && cast_figures(B).waits_for[0] == '\0');
    }
}

/* ---- circles ---- */

static actor_next_t
trouble_noted(actor_ctx_t *ctx, puppet_t *self, const char *what, const char *why)
{
    cr_assert(ctx != NULL && self != NULL);
    char text[300];
    snprintf(text, sizeof text, "%s:%s", what, why);
    for (char *at = text; *at != '\0'; at++) {
        *at = *at == ' ' ? '_' : *at;
    }
    note("%s", text);
    return ACTOR_CONTINUE;
}
static cast_who_t calls_on[CAST_COUNT]; /* whom each calls when it is asked, MUTE: nobody */
static bool defers_by_ask[CAST_COUNT];

static actor_next_t
heard_serving(actor_ctx_t *ctx, void *self_, const actor_answer_t *answer_)
{
    puppet_t *self = self_;
    actor_next_t next = cast_heard(ctx, self_, answer_);
    if (answer_->err == OK) {
        answer_to(ctx, self->request, 1);
    } else {
        actor_refuse_to(ctx, self->request, answer_->err);
    }
    return next;
}
static actor_next_t
want_passed_on(actor_ctx_t *ctx, puppet_t *self, const want_t *m)
{
    cast_who_t to = calls_on[self->who];
    if (to == MUTE || m->number % 100 > 5) { /* it would go round for ever */
        answer(ctx, 1);
        return ACTOR_CONTINUE;
    }
    self->request = actor_defer(ctx, cast_class[to].name);
    want_t *w = DRAFT(ctx, want);
    w->number = m->number + 1;
    uint32_t edge = (uint32_t) to * 4 + (defers_by_ask[self->who] ? 2 : 3);
    verdict_t verdict = actor_ask_role(ctx, edge, w, 60000, heard_serving, w->number);
    if (verdict != VERDICT_OK) {
        actor_refuse(ctx, verdict_err(verdict));
    }
    return ACTOR_CONTINUE;
}
static actor_next_t
call_next(actor_ctx_t *ctx, puppet_t *self)
{
    expect(call(ctx, calls_on[self->who], (uint64_t) self->who * 100, 60000) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
static void
all_pass_on(void)
{
    for (cast_who_t who = A; who <= D; who++) {
        cast_hook[who].want = want_passed_on;
        calls_on[who] = MUTE;
    }
    cast_notes_to = "d";
    cast_hook[D].trouble = trouble_noted;
}

Test(core_calls, a_circle_fails_at_once_and_its_path_is_told_by_name)
{
    all_pass_on();
    calls_on[A] = B;
    calls_on[B] = C;
    calls_on[C] = A;
    for (cast_run_t run = {0}; cast_next(&run);) {
        int64_t before = cast_ms();
        poke(A, call_next);
        settle();
        expect(cast_ms() - before < 100, "at once: %ld ms", (long) (cast_ms() - before));
        expect(noted_count("2=cycle") == 1 && noted_count("1=cycle") == 1 &&
               noted_count("0=cycle") == 1);
        expect(noted_count("cycle:c_->_a_->_b_->_c") == 1, "the path");
    }
}

Test(core_calls, of_two_that_call_each_other_at_once_at_least_one_fails_and_at_once)
{
    all_pass_on();
    calls_on[A] = B;
    calls_on[B] = A;
    for (cast_run_t run = {0}; cast_next(&run);) {
        int64_t before = cast_ms();
        poke(A, call_next);
        poke(B, call_next);
        calls_on[A] = calls_on[B] = MUTE;
        settle();
        calls_on[A] = B;
        calls_on[B] = A;
        expect(noted_count("0=cycle") + noted_count("100=cycle") == 1);
        expect(noted_count("0=1") + noted_count("100=1") == 1, "the other one is answered");
        expect(cast_ms() - before < 100);
    }
}

Test(core_calls, a_call_of_oneself_is_a_circle_of_one)
{
    all_pass_on();
    calls_on[A] = A;
    for (cast_run_t run = {0}; cast_next(&run);) {
        poke(A, call_next);
        settle();
        expect(noted_count("0=cycle") == 1);
    }
}

Test(core_calls, a_circle_through_deferred_replies_fails_at_once)
{
    all_pass_on();
    calls_on[A] = B;
    calls_on[B] = C;
    calls_on[C] = A;
    defers_by_ask[B] = true; /* b stays open: it only asks c, and puts off its answer to a */
    for (cast_run_t run = {0}; cast_next(&run);) {
        int64_t before = cast_ms();
        poke(A, call_next);
        settle();
        expect(cast_ms() - before < 100, "at once: %ld ms", (long) (cast_ms() - before));
        expect(noted_count("0=cycle") == 1);
    }
}

/* c calls a; a, serving it, calls b; b asks c and puts off: this closes the circle, not a call. The
 * call that b put off fails, and a hands that on to c. */
Test(core_calls, a_circle_that_a_deferral_closes_fails_at_once)
{
    all_pass_on();
    calls_on[C] = A;
    calls_on[A] = B;
    calls_on[B] = C;
    defers_by_ask[B] = true;
    for (cast_run_t run = {0}; cast_next(&run);) {
        int64_t before = cast_ms();
        poke(C, call_next);
        settle();
        expect(cast_ms() - before < 100, "at once: %ld ms", (long) (cast_ms() - before));
        expect(noted_count("201=cycle") == 1 && noted_count("200=cycle") == 1);
    }
}

/* A chain of deferrals by asks: a calls b, b asks c, c asks d, d calls a. */
Test(core_calls, a_circle_through_a_chain_of_deferrals_fails_at_once)
{
    all_pass_on();
    for (cast_who_t who = A; who <= D; who++) {
        calls_on[who] = (cast_who_t) ((who + 1) % 4);
    }
    defers_by_ask[B] = defers_by_ask[C] = true;
    for (cast_run_t run = {0}; cast_next(&run);) {
        int64_t before = cast_ms();
        poke(A, call_next);
        settle();
        expect(cast_ms() - before < 100, "at once: %ld ms", (long) (cast_ms() - before));
        expect(noted_count("0=cycle") == 1);
    }
}

Test(core_calls, a_tail_into_a_circle_ends)
{
    all_pass_on();
    calls_on[D] = A; /* the tail */
    calls_on[A] = B;
    calls_on[B] = C;
    calls_on[C] = A;
    for (cast_run_t run = {0}; cast_next(&run);) {
        int64_t before = cast_ms();
        poke(D, call_next);
        poke(A, call_next);
        settle();
        expect(cast_ms() - before < 100);
        expect(noted_count("300=cycle") + noted_count("300=1") == 1, "d is answered");
        expect(cast_actor(D)->calls_open == 0 && cast_actor(A)->calls_open == 0);
    }
}

/* While two threads find the same circle, a third may walk into it before it is broken. */
Test(core_calls, a_walk_that_meets_a_circle_of_others_ends_and_its_call_does_not_fail,
     .timeout = 60)
{
    all_pass_on();
    calls_on[A] = B;
    for (cast_run_t run = {0}; calls_on[A] = B, cast_next(&run);) {
        core_t *core = run.sim->core;
        atomic_store(&cell_at(core, cast_ref(B).index)->waits,
                     1ul << 62 | wait_next(core, cast_ref(C)));
        atomic_store(&cell_at(core, cast_ref(C).index)->waits,
                     1ul << 62 | wait_next(core, cast_ref(B)));
        poke(A, call_next);
        settle();
        expect(noted_count("0=1") == 1);
    }
}

/* ---- no call outside of a circle fails ---- */

static actor_next_t
want_answer_then_call(actor_ctx_t *ctx, puppet_t *self, const want_t *m)
{
    if (m->number < 1000) {
        expect(call(ctx, calls_on[self->who], m->number + 1000, 60000) == VERDICT_OK);
    }
    answer(ctx, m->number); /* said after the call, but it leaves with it */
    return ACTOR_CONTINUE;
}
Test(core_calls, who_has_answered_may_call_its_caller)
{
    cast_hook[A].want = cast_hook[B].want = want_answer_then_call;
    calls_on[A] = B;
    calls_on[B] = A;
    for (cast_run_t run = {0}; cast_next(&run);) {
        poke(A, call_next);
        settle();
        expect(noted_count("0=0") == 1 && noted_count("1000=1000") == 1, "both are answered");
    }
}

static actor_next_t
want_answer_and_go_on(actor_ctx_t *ctx, puppet_t *self, const want_t *m)
{
    if (self->who == B) {
        expect(actor_timer(ctx, 1, 0) == VERDICT_OK);
    }
    answer(ctx, m->number);
    return ACTOR_CONTINUE;
}
static actor_next_t
timer_calls_a(actor_ctx_t *ctx, puppet_t *self, uint64_t key)
{
    cr_assert(self != NULL);
    expect(call(ctx, A, key * 1000, 60000) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
/* Its answer has left and is on its way, when the next handler calls. */
Test(core_calls, who_has_answered_may_call_its_caller_in_its_next_handler)
{
    cast_hook[A].want = want_answer_and_go_on;
    cast_hook[B] = (cast_hooks_t){.want = want_answer_and_go_on, .timer = timer_calls_a};
    calls_on[A] = B;
    cast_delay_ns_max = 1000000;
    for (cast_run_t run = {0}; cast_next(&run);) {
        poke(A, call_next);
        settle();
        expect(noted_count("0=0") == 1 && noted_count("1000=1000") == 1, "both are answered");
    }
}

/* b has put off its answer until its job for the outside ends; it may call a meanwhile? No: a is
 * closed until b answers, but b's answer does not need a. So b's call waits, and then succeeds. */
Test(core_calls, a_deferral_for_the_outside_closes_no_circle)
{
    cast_hook[B].want = want_deferred;
    cast_hook[A].want = want_passed_on;
    calls_on[A] = B;
    for (cast_run_t run = {0}; calls_on[A] = B, cast_next(&run);) {
        poke(A, call_next);
        settle_ms(10);
        calls_on[A] = MUTE;
        calls_on[B] = A;
        poke(B, call_next);
        settle_ms(10);
        expect_log("");
        poke(B, answer_now);
        settle();
        expect(noted_count("0=0") == 1 && noted_count("100=1") == 1, "both are answered");
    }
}

/* The whole truth about who waits for whom, from the actors themselves: a call is in a circle when
 * following "is in an open, unanswered call to" from its target comes back to it. */
static bool
truly_in_circle(const actor_t *caller, const actor_t *target)
{
    for (uint32_t steps = 0; target != NULL && steps < 10; steps++) {
        if (target == caller) {
            return true;
        }
        const open_ask_t *found = NULL;
        for (uint32_t i = 0; i < target->rare->ask_capacity; i++) {
            if (target->rare->ask[i] != NULL && target->rare->ask[i]->call) {
                found = target->rare->ask[i];
            }
        }
        if (found == NULL) {
            return false;
        }
        const actor_t *next = atomic_load(&cell_at(cast->sim->core, found->to.index)->actor);
        bool answered = true; /* unless it is waiting at next, on its way there, or accepted */
        for (const accepted_t *a = next->accepted; a != NULL; a = a->next) {
            answered = answered && !(a->request.ask == found->id && !a->answered &&
                                     a->request.asker.index == target->self.index);
        }
        for (const envelope_t *e = lane_first(next, LANE_NORMAL); e != NULL;
             e = lane_after(next, LANE_NORMAL, e)) {
            answered = answered && !(e->number == found->id && e->from.index == target->self.index);
        }
        sim_t *sim = cast->sim;
        for (const flight_t *f =
                 sim->channel[target->worker->index * sim->workers + next->worker->index].head;
             f != NULL; f = f->next) {
            answered =
                answered && !(f->envelope->kind == ENV_ASK && f->envelope->number == found->id);
        }
        if (answered) {
            return false;
        }
        target = next;
    }
    return false;
}

static uint32_t calls_made, calls_failed;
static actor_next_t
heard_random(actor_ctx_t *ctx, void *self_, const actor_answer_t *answer_)
{
    puppet_t *self = self_;
    cr_assert(ctx != NULL);
    calls_failed += answer_->err == ERR_CYCLE;
    if (answer_->tag == 1) { /* it served a request */
        answer_to(ctx, self->request, 1);
    }
    return ACTOR_CONTINUE;
}
static void
call_random(actor_ctx_t *ctx, puppet_t *self, uint64_t depth, uint64_t tag)
{
    cast_who_t to = (cast_who_t) (actor_random(ctx) % 4);
    uint32_t failed = calls_failed;
    want_t *w = DRAFT(ctx, want);
    w->number = depth;
    cr_assert(failed == calls_failed && self->who <= D);
    if (actor_ask_role(ctx, (uint32_t) to * 4 + 3, w, 600000, heard_random, tag) == VERDICT_OK) {
        calls_made++;
    } else if (tag == 1) {
        actor_refuse(ctx, ERR_BUSY);
    }
}
static actor_next_t
want_random(actor_ctx_t *ctx, puppet_t *self, const want_t *m)
{
    if (m->number == 0 || actor_random(ctx) % 3 == 0) {
        answer(ctx, 1);
        if (m->number > 0 && actor_random(ctx) % 2 == 0) {
            call_random(ctx, self, m->number - 1, 0);
        }
        return ACTOR_CONTINUE;
    }
    self->request = actor_defer(ctx, cast_class[self->who].name);
    call_random(ctx, self, m->number - 1, 1);
    return ACTOR_CONTINUE;
}
static actor_next_t
call_somebody(actor_ctx_t *ctx, puppet_t *self)
{
    if (ctx->actor->calls_open == 0) {
        call_random(ctx, self, 3, 0);
    }
    return ACTOR_CONTINUE;
}

/* Each step is watched: a call that has just been made either has the answer "cycle" in its
 * caller's reply lane, and then the full search must find the circle, or has not, and then it must
 * find none. */
static uint64_t seen_call[CAST_COUNT];
static void
judge_new_calls(void)
{
    for (cast_who_t who = A; who <= D; who++) {
        const actor_t *actor = cast_actor(who);
        for (uint32_t i = 0; i < actor->rare->ask_capacity; i++) {
            const open_ask_t *ask = actor->rare->ask[i];
            if (ask == NULL || !ask->call || ask->id == seen_call[who]) {
                continue;
            }
            seen_call[who] = ask->id;
            bool failed = false;
            for (const envelope_t *e = lane_first(actor, LANE_REPLY); e != NULL;
                 e = lane_after(actor, LANE_REPLY, e)) {
                failed = failed || (e->number == ask->id && e->err == ERR_CYCLE);
            }
            const actor_t *target = atomic_load(&cell_at(cast->sim->core, ask->to.index)->actor);
            bool truth = truly_in_circle(actor, target);
            expect(failed == truth, "%s calls %s: %s, and truly %s", watch_called(actor),
                   watch_called(target), failed ? "cycle" : "no cycle", truth ? "a cycle" : "none");
        }
    }
}

Test(core_calls, exactly_the_calls_that_close_a_circle_fail_over_random_call_graphs)
{
    for (cast_who_t who = A; who <= D; who++) {
        cast_hook[who].want = want_random;
    }
    for (cast_run_t run = {0}; cast_next(&run);) {
        memset(seen_call, 0, sizeof seen_call);
        for (uint32_t step = 0; step < 6000; step++) {
            if (step % 20 == 0) {
                poke((cast_who_t) (step / 20 % 4), call_somebody);
                judge_new_calls();
            }
            if (something_to_do()) {
                sim_step(run.sim);
                judge_new_calls();
            }
        }
        settle();
        for (cast_who_t who = A; who <= D; who++) {
            expect(cast_actor(who)->calls_open == 0, "%s waits for ever", cast_class[who].name);
        }
        expect(cast_ms() < 60000, "nobody was freed by a deadline: %ld ms", (long) cast_ms());
    }
    cr_assert(calls_failed > 200 && calls_made > 10 * 200, "%u calls, %u circles", calls_made,
              calls_failed);
    fprintf(stderr, "%u random calls, %u circles\n", calls_made, calls_failed);
}
