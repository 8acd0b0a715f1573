/* core_restart_table_test.c - what becomes of an incarnation that is restarted: a claim for each
 * line of the table in runtime/README.md. (That of the message that failed: core_poison_test.c.) */
#include "tests/sim/core_cast.h"

#include <stdlib.h>

static actor_next_t
fail_now(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(ctx != NULL && self != NULL);
    return ACTOR_FAIL;
}
static actor_next_t
pause_b(actor_ctx_t *ctx, puppet_t *self)
{
    actor_pause(ctx, self->kid[B]);
    return ACTOR_CONTINUE;
}
static actor_next_t
note_say(actor_ctx_t *ctx, puppet_t *self, const say_t *m)
{
    cr_assert(self != NULL);
    claim(ctx, m->number != 666);
    note("say-%lu", (unsigned long) m->number);
    return ACTOR_CONTINUE;
}
static actor_next_t
want_deferred(actor_ctx_t *ctx, puppet_t *self, const want_t *m)
{
    self->number = m->number;
    self->request = actor_defer(ctx, "outside");
    return ACTOR_CONTINUE;
}
static actor_next_t
answer_now(actor_ctx_t *ctx, puppet_t *self)
{
    answer_to(ctx, self->request, self->number * 10);
    return ACTOR_CONTINUE;
}
static uint64_t
late_replies(void)
{
    host_figures_t figures;
    core_figures(cast->sim->core, &figures);
    return figures.late_replies;
}

/* ---- queued tells: stay, in order ---- */

static actor_next_t
tell_three(actor_ctx_t *ctx, puppet_t *self)
{
    for (uint64_t i = 1; i <= 3; i++) {
        expect(tell(ctx, B, 10 * self->who + i) == VERDICT_OK);
    }
    return ACTOR_CONTINUE;
}
Test(core_restart_table, queued_tells_stay_in_order)
{
    cast_hook[B].say = note_say;
    for (cast_run_t run = {0}; cast_next(&run);) {
        poke(ROOT, pause_b);
        settle();
        poke(A, tell_three);
        settle();
        poke(B, fail_now);
        settle_ms(5);
        poke(C, tell_three); /* while it backs off */
        settle();
        expect_log("say-1 say-2 say-3 say-21 say-22 say-23 ");
    }
}

/* ---- asks accepted or queued: answered `restarting`, at once ---- */

static actor_next_t
ask_b(actor_ctx_t *ctx, puppet_t *self)
{
    expect(ask(ctx, B, 10u + self->who, 60000) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
Test(core_restart_table, asks_accepted_or_queued_are_answered_restarting_at_once)
{
    cast_hook[B].want = want_deferred;
    for (cast_run_t run = {0}; cast_next(&run);) {
        poke(A, ask_b);
        settle_ms(1);
        expect(cast_actor(B)->accepted != NULL, "a's ask is accepted");
        poke(ROOT, pause_b);
        settle_ms(1);
        poke(C, ask_b);
        settle_ms(1);
        expect(cast_actor(B)->lane_depth[LANE_NORMAL] == 1, "c's is queued");
        poke(B, fail_now);
        settle_ms(1);
        expect(noted_count("10=restarting") == 1 && noted_count("12=restarting") == 1);
        poke(D, ask_b);
        settle_ms(1);
        expect(noted_count("13=restarting") == 1, "and one that comes while it backs off");
        settle();
        expect(cast_figures(B).restarts == 1);
    }
}

static actor_next_t
tell_bad(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(self != NULL);
    expect(tell(ctx, B, 666) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
Test(core_restart_table, an_ask_behind_a_message_of_its_sender_that_failed_is_answered_too)
{
    cast_hook[B] = (cast_hooks_t){.say = note_say, .want = want_deferred};
    for (cast_run_t run = {0}; cast_next(&run);) {
        poke(D, tell_bad);
        settle_ms(2 * RESTART_BACKOFF_MS + RESTART_BACKOFF_MS / 2); /* it has failed twice */
        poke(D, ask_b);
        settle_ms(1);
        expect(cast_actor(B)->held != NULL && fifo_count(&cast_actor(B)->held->later) == 1);
        expect_log("");
        poke(B, fail_now);
        settle_ms(1);
        expect_log("13=restarting ");
        settle();
    }
}

/* ---- timers: ended, with an expiry that is queued ---- */

static actor_next_t
arm(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(self != NULL);
    expect(actor_timer(ctx, 77, 500) == VERDICT_OK && actor_timer(ctx, 7, 1) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
Test(core_restart_table, its_timers_end_and_so_does_an_expiry_that_is_queued)
{
    for (cast_run_t run = {0}; cast_next(&run);) {
        poke(ROOT, pause_b);
        settle();
        poke(B, arm);
        settle_ms(3);
        expect(cast_actor(B)->lane_depth[LANE_NORMAL] == 1, "one has expired, and waits");
        poke(B, fail_now);
        expect(cast_figures(B).timers == 0);
        settle();
        expect_log("");
        poke(B, arm);
        settle();
        expect_log("timer-7 timer-77 ");
    }
}

/* ---- its own asks and calls: ended; a late reply is counted ---- */

static actor_next_t
call_c_and_ask_d(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(self != NULL);
    expect(call(ctx, C, 5, 60000) == VERDICT_OK && ask(ctx, D, 6, 60000) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
Test(core_restart_table, its_own_asks_and_calls_end_and_a_late_reply_is_counted)
{
    cast_hook[B].say = note_say;
    cast_hook[C].want = cast_hook[D].want = want_deferred;
    for (cast_run_t run = {0}; cast_next(&run);) {
        poke(B, call_c_and_ask_d);
        settle_ms(1);
        poke(B, fail_now);
        expect(cast_figures(B).asks_open == 0 && cast_figures(B).waits_for[0] == '\0');
        settle();
        poke(C, answer_now);
        poke(D, answer_now);
        poke(A, tell_three);
        settle();
        expect_log("say-1 say-2 say-3 ");
        expect(late_replies() == 2, "%lu late replies", (unsigned long) late_replies());
    }
}

/* ---- monitors of it: told, with the old and the new reference; to be set again ---- */

static actor_ref_t told_who, told_next;
static actor_next_t
down_noted(actor_ctx_t *ctx, puppet_t *self, const actor_down_t *down)
{
    cr_assert(ctx != NULL && self != NULL);
    told_who = down->who;
    told_next = down->next;
    note("down-%lu-%s", (unsigned long) down->tag,
         down->reason == ACTOR_RESTARTED ? "restarted" : "other");
    return ACTOR_CONTINUE;
}
static actor_next_t
monitor_b(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(self != NULL);
    actor_monitor(ctx, cast_ref(B), 5);
    return ACTOR_CONTINUE;
}
static actor_next_t
monitor_c(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(self != NULL);
    actor_monitor(ctx, cast_ref(C), 8);
    return ACTOR_CONTINUE;
}
Test(core_restart_table, monitors_of_it_hear_the_old_and_the_new_reference_and_are_set_again)
{
    cast_hook[D].down = down_noted;
    for (cast_run_t run = {0}; cast_next(&run);) {
        poke(D, monitor_b);
        settle();
        actor_ref_t old = cast_figures(B).who;
        poke(B, fail_now);
        settle();
        expect_log("down-5-restarted ");
        expect(ref_equal(told_who, old) && ref_equal(told_next, cast_figures(B).who) &&
               !ref_equal(told_who, told_next));
        poke(B, fail_now);
        settle();
        expect_log("down-5-restarted "); /* not set again */
        poke(D, monitor_b);
        settle();
        poke(B, fail_now);
        settle();
        expect_log("down-5-restarted down-5-restarted ");
    }
}

/* ---- monitors it had set: never heard by the new one ---- */

Test(core_restart_table, monitors_it_had_set_are_never_heard_by_the_new_one)
{
    cast_hook[B].down = down_noted;
    for (cast_run_t run = {0}; cast_next(&run);) {
        poke(B, monitor_c);
        settle();
        poke(B, fail_now);
        settle();
        poke(C, fail_now);
        settle();
        expect_log("");
        poke(B, monitor_c);
        settle();
        poke(C, fail_now);
        settle();
        expect_log("down-8-restarted ");
    }
}

/* ---- children: stopped first, last one first ---- */

static actor_next_t
have_two(actor_ctx_t *ctx, puppet_t *self)
{
    note("init-%s", cast_class[self->who].name);
    expect(actor_spawn(ctx, &cast_class[KID], slice_of("1"), NULL, NULL, 1, &self->kid[0]) ==
           VERDICT_OK);
    expect(actor_spawn(ctx, &cast_class[KID], slice_of("2"), NULL, NULL, 2, &self->kid[1]) ==
           VERDICT_OK);
    return ACTOR_CONTINUE;
}
static actor_next_t
kid_init(actor_ctx_t *ctx, puppet_t *self)
{
    self->number = (uint64_t) (actor_name(ctx)[0] - '0');
    note("init-%lu", (unsigned long) self->number);
    return ACTOR_CONTINUE;
}
static void
kid_drop(void *self)
{
    note("end-%lu", (unsigned long) ((puppet_t *) self)->number);
}
Test(core_restart_table, its_children_are_stopped_first_the_last_one_first)
{
    cast_hook[A].init = have_two;
    cast_hook[KID].init = kid_init;
    cast_class[KID].drop = kid_drop;
    for (cast_run_t run = {0}; cast_next(&run);) {
        settle();
        forget();
        poke(A, fail_now);
        settle();
        expect(strncmp(noted(), "end-2 end-1 init-a ", 19) == 0, "got: %s", noted());
        expect(noted_count("init-1") == 1 && noted_count("init-2") == 1);
    }
}

/* ---- state: released by drop ---- */

static void
drop_noted(void *self)
{
    free(((puppet_t *) self)->owned);
    note("drop");
}
static actor_next_t
init_owning(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(ctx != NULL && self->owned == NULL && self->count == 0);
    self->owned = malloc(100);
    self->count = 1;
    note("init");
    return ACTOR_CONTINUE;
}
Test(core_restart_table, its_state_is_released_by_drop_and_the_new_one_begins_with_nothing)
{
    cast_hook[B].init = init_owning;
    cast_class[B].drop = drop_noted;
    for (cast_run_t run = {0}; cast_next(&run);) {
        forget();
        poke(B, fail_now);
        settle();
        expect_log("drop init ");
    }
}

/* ---- a pause: over ---- */

Test(core_restart_table, a_pause_is_over)
{
    cast_hook[B].say = note_say;
    for (cast_run_t run = {0}; cast_next(&run);) {
        poke(ROOT, pause_b);
        settle();
        expect(cast_figures(B).state == ACTOR_PAUSED);
        poke(B, fail_now);
        settle();
        expect(cast_figures(B).state == ACTOR_READY);
        poke(A, tell_three);
        settle();
        expect_log("say-1 say-2 say-3 ");
    }
}
