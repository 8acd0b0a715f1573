/* core_poison_test.c - a message that fails its handler delays nobody else for long, and is set
 * aside in the end. */
#include "tests/sim/core_cast.h"

#define BAD 666u

static uint32_t bad_attempts, bad_until;
static actor_next_t
say_or_fail(actor_ctx_t *ctx, puppet_t *self, const say_t *m)
{
    cr_assert(self != NULL);
    if (m->number == BAD) {
        bad_attempts++;
        note("try-%u", actor_attempt(ctx));
        claim(ctx, bad_attempts > bad_until);
        note("passed");
        return ACTOR_CONTINUE;
    }
    note("say-%lu", (unsigned long) m->number);
    return ACTOR_CONTINUE;
}
static actor_next_t
tell_bad_and_good(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(self != NULL);
    expect(tell(ctx, D, BAD) == VERDICT_OK && tell(ctx, D, 1) == VERDICT_OK &&
           tell(ctx, D, 2) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
static actor_next_t
tell_good(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(self != NULL);
    expect(tell(ctx, D, 11) == VERDICT_OK && tell(ctx, D, 12) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
static void
forget_bad(uint32_t until)
{
    bad_attempts = 0;
    bad_until = until;
    forget();
}

Test(core_poison, others_wait_for_one_attempt_its_own_sender_for_all)
{
    cast_hook[D].say = say_or_fail;
    for (cast_run_t run = {0}; cast_next(&run);) {
        forget_bad(100);
        poke(A, tell_bad_and_good);
        settle_ms(2);
        poke(B, tell_good);
        settle();
        const char *second = strstr(noted(), "try-2 ");
        expect(strstr(noted(), "say-12 ") < second, "b is served after the first attempt");
        expect(strstr(noted(), "try-3 ") < strstr(noted(), "say-1 "),
               "a's own follow it, in order");
        expect(strstr(noted(), "say-1 ") < strstr(noted(), "say-2 "));
        expect(bad_attempts == DELIVERY_ATTEMPTS_MAX, "%u attempts", bad_attempts);
    }
}

Test(core_poison, one_that_passes_at_its_second_attempt_is_followed_by_the_rest_in_order)
{
    cast_hook[D].say = say_or_fail;
    for (cast_run_t run = {0}; cast_next(&run);) {
        forget_bad(1);
        int64_t before = cast_ms();
        poke(A, tell_bad_and_good);
        settle();
        expect_log("try-1 try-2 passed say-1 say-2 ");
        expect(cast_ms() - before >= RESTART_BACKOFF_MS && cast_ms() - before < 500);
    }
}

Test(core_poison, failures_on_one_message_count_once_toward_intensity)
{
    cast_hook[D].say = say_or_fail;
    cast_class[ROOT].restart_intensity = 1;
    for (cast_run_t run = {0}; cast_next(&run);) {
        forget_bad(100);
        poke(A, tell_bad_and_good);
        settle();
        expect(bad_attempts == DELIVERY_ATTEMPTS_MAX);
        expect(cast_actor(D) != NULL && cast_figures(D).state == ACTOR_READY, "not given up");
        expect(cast_figures(D).restarts == 3 && cast_figures(D).failures == 3);
    }
}

/* ---- quarantine ---- */

static quarantined_t listed[8];
static uint32_t listed_count;
static actor_next_t
list(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(self != NULL);
    listed_count = actor_quarantine_list(ctx, 0, listed, 8);
    return ACTOR_CONTINUE;
}
static actor_next_t
retry_first(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(self != NULL);
    err_t err = actor_quarantine_retry(ctx, listed[0].number);
    note("retry-%s", err_word(err));
    return ACTOR_CONTINUE;
}
static actor_next_t
retry_and_fail(actor_ctx_t *ctx, puppet_t *self)
{
    return retry_first(ctx, self) == ACTOR_CONTINUE ? ACTOR_FAIL : ACTOR_STOP;
}
static actor_next_t
drop_first(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(self != NULL);
    note("drop-%s", err_word(actor_quarantine_drop(ctx, listed[0].number)));
    return ACTOR_CONTINUE;
}

Test(core_poison, after_its_last_attempt_it_is_quarantined_with_its_reason_and_can_be_retried)
{
    cast_hook[D].say = say_or_fail;
    for (cast_run_t run = {0}; cast_next(&run);) {
        forget_bad(DELIVERY_ATTEMPTS_MAX);
        poke(A, tell_bad_and_good);
        settle();
        poke(B, list);
        expect(listed_count == 1, "%u listed", listed_count);
        expect(strcmp(listed[0].actor, "d") == 0 && strcmp(listed[0].message, "say") == 0);
        expect(strstr(listed[0].reason, "bad_attempts > bad_until") != NULL, "%s",
               listed[0].reason);
        expect(listed[0].attempts == DELIVERY_ATTEMPTS_MAX &&
               strstr(listed[0].shown, "666") != NULL);
        forget();
        poke(C, retry_and_fail); /* said by a handler that failed: it stays */
        settle();
        poke(B, list);
        expect(listed_count == 1, "it is still there");
        expect_log("retry-ok ");
        forget();
        poke(B, retry_first);
        settle();
        expect_log("retry-ok try-1 passed ");
        poke(B, list);
        expect(listed_count == 0);
        forget();
        poke(B, retry_first);
        expect_log("retry-not-found ");
    }
}

static actor_next_t
fill_d(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(self != NULL);
    while (tell(ctx, D, 5) == VERDICT_OK) {
    }
    return ACTOR_CONTINUE;
}
Test(core_poison, a_retry_that_finds_no_room_leaves_it_in_quarantine_and_drop_takes_it_out)
{
    cast_hook[D].say = say_or_fail;
    cast_class[D].lane_messages_max = 4;
    for (cast_run_t run = {0}; cast_next(&run);) {
        forget_bad(100);
        poke(A, tell_bad_and_good);
        settle();
        poke(B, list);
        poke(C, fill_d);
        forget();
        poke(B, retry_first);
        poke(B, list);
        expect(listed_count == 1);
        expect_log("retry-full ");
        poke(B, drop_first);
        poke(B, drop_first);
        poke(B, list);
        expect(listed_count == 0);
        expect_log("retry-full drop-ok drop-not-found ");
        settle();
        host_figures_t figures;
        core_figures(run.sim->core, &figures);
        expect(figures.quarantined == 0);
    }
}

static actor_next_t
stop_d(actor_ctx_t *ctx, puppet_t *self)
{
    actor_stop(ctx, self->kid[D]);
    return ACTOR_CONTINUE;
}
static actor_next_t
start_d(actor_ctx_t *ctx, puppet_t *self)
{
    expect(actor_spawn(ctx, &cast_class[D], slice_of("d"), NULL, NULL, D, &self->kid[D]) ==
           VERDICT_OK);
    return ACTOR_CONTINUE;
}
Test(core_poison, a_retry_goes_to_whoever_has_the_role_now)
{
    cast_hook[D].say = say_or_fail;
    for (cast_run_t run = {0}; cast_next(&run);) {
        forget_bad(DELIVERY_ATTEMPTS_MAX);
        poke(A, tell_bad_and_good);
        settle();
        poke(ROOT, stop_d);
        settle();
        poke(B, list);
        forget();
        poke(B, retry_first);
        expect_log("retry-down ");
        poke(ROOT, start_d);
        settle();
        poke(B, retry_first);
        settle();
        expect_log("retry-down retry-ok try-1 passed ");
    }
}

/* ---- what was not poison ---- */

static actor_next_t
want_fails(actor_ctx_t *ctx, puppet_t *self, const want_t *m)
{
    cr_assert(self != NULL && m != NULL);
    note("want-%u", actor_attempt(ctx));
    return ACTOR_FAIL;
}
static actor_next_t
ask_d(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(self != NULL);
    expect(ask(ctx, D, 7, 60000) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
Test(core_poison, an_ask_that_fails_goes_back_to_its_asker_and_is_not_tried_again)
{
    cast_hook[D].want = want_fails;
    for (cast_run_t run = {0}; cast_next(&run);) {
        poke(A, ask_d);
        settle();
        expect_log("want-1 7=restarting ");
    }
}

static actor_next_t
talk_and_end(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(self != NULL);
    expect(tell(ctx, D, BAD) == VERDICT_OK && tell(ctx, D, 3) == VERDICT_OK);
    return ACTOR_STOP;
}
static actor_next_t
spawn_talker(actor_ctx_t *ctx, puppet_t *self)
{
    expect(actor_spawn(ctx, &cast_class[KID], slice_of("talker"), NULL, NULL, 7, &self->kid[0]) ==
           VERDICT_OK);
    return ACTOR_CONTINUE;
}
static actor_next_t
note_down(actor_ctx_t *ctx, puppet_t *self, const actor_down_t *down)
{
    cr_assert(ctx != NULL && self != NULL);
    note("down-%lu", (unsigned long) down->tag);
    return ACTOR_CONTINUE;
}
static actor_next_t
watch_as_d(actor_ctx_t *ctx, puppet_t *self, const press_t *m)
{
    cr_assert(m != NULL);
    return spawn_talker(ctx, self);
}
static actor_next_t
press_d(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(self != NULL);
    expect(tell_urgent(ctx, C, 1) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
static actor_next_t
monitor_talker(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(self != NULL);
    for (uint32_t i = 1; i < atomic_load(&cast->sim->core->cells_used); i++) {
        const actor_t *actor = atomic_load(&cast->sim->core->cells[i].actor);
        if (actor != NULL && strcmp(watch_called(actor), "talker") == 0) {
            actor_monitor(ctx, actor->self, 8);
        }
    }
    return ACTOR_CONTINUE;
}
static actor_next_t
kid_says(actor_ctx_t *ctx, puppet_t *self, const say_t *m)
{
    cr_assert(m != NULL);
    return talk_and_end(ctx, self);
}
static actor_next_t
tell_kid(actor_ctx_t *ctx, puppet_t *self)
{
    expect(tell_ref(ctx, KID, self->kid[0], 1) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
Test(core_poison, the_down_of_a_sender_waits_behind_its_message_that_is_held_back)
{
    cast_class[KID].restart = ACTOR_TRANSIENT;
    cast_hook[KID].say = kid_says;
    cast_hook[C].press = watch_as_d;
    cast_hook[D] = (cast_hooks_t){.say = say_or_fail, .down = note_down};
    for (cast_run_t run = {0}; cast_next(&run);) {
        forget_bad(1);
        poke(A, press_d);
        settle();
        poke(D, monitor_talker);
        settle();
        poke(C, tell_kid);
        settle();
        expect(strstr(noted(), "say-3 ") != NULL);
        expect(noted_count("down-8") == 0, "the monitor was of the life before");
        expect_log("try-1 try-2 passed say-3 ");
    }
}
