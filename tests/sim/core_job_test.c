/* core_job_test.c - jobs: their answer, their resource, cancelling, deadlines, lost threads; and
 * what a claim releases. */
#include "tests/sim/core_cast.h"

#include <stdlib.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define SPOILT_IS_POISONED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SPOILT_IS_POISONED 1
#endif
#endif

static int alive; /* resources that exist */
static void *
resource_new(void)
{
    alive++;
    return calloc(1, 16);
}
static void
resource_drop(void *resource)
{
    alive--;
    free(resource);
}

static void
double_it(job_t *job, world_t *world, const void *input, void *resource)
{
    cr_assert(world != NULL && resource != NULL);
    JOB_OUTPUT(job, got)->number = 2 * ((const want_t *) input)->number;
}
static void
make_nothing(job_t *job, world_t *world, const void *input, void *resource)
{
    cr_assert(job != NULL && world != NULL && input != NULL && resource != NULL);
}
/* Calls the world ten times; gives up at the first call that fails. */
static void
work_slowly(job_t *job, world_t *world, const void *input, void *resource)
{
    cr_assert(input != NULL && resource != NULL);
    for (uint64_t i = 1; i <= 10; i++) {
        world_stat_t stat;
        if (world_stat_at(world, -100, "/", &stat) < 0) {
            return;
        }
        job_progress(job, i, 10);
    }
    JOB_OUTPUT(job, got)->number = 10;
}

static job_fn *job_run;
static uint32_t job_deadline_ms;
static const char *job_for = "";
static actor_next_t
heard_job(actor_ctx_t *ctx, void *self, const actor_answer_t *answer_)
{
    if (answer_->resource != NULL) {
        note("back");
        resource_drop(answer_->resource);
    }
    return cast_heard(ctx, self, answer_);
}
static actor_next_t
start_job(actor_ctx_t *ctx, puppet_t *self)
{
    want_t *m = DRAFT(ctx, want);
    m->number = 21;
    job_spec_t spec = {.name = "test",
                       .run = job_run,
                       .input_type = &want_type,
                       .input = m,
                       .subject = slice_of(job_for),
                       .deadline_ms = job_deadline_ms,
                       .resource = resource_new(),
                       .drop = resource_drop,
                       .then = heard_job,
                       .tag = 9};
    verdict_t verdict = actor_job(ctx, &spec, &self->job);
    if (verdict != VERDICT_OK) {
        resource_drop(spec.resource);
        note("verdict-%s", err_word(verdict_err(verdict)));
    }
    return ACTOR_CONTINUE;
}
static actor_next_t
start_job_and_fail(actor_ctx_t *ctx, puppet_t *self)
{
    return start_job(ctx, self) == ACTOR_CONTINUE ? ACTOR_FAIL : ACTOR_STOP;
}
static actor_next_t
fail_now(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(ctx != NULL && self != NULL);
    return ACTOR_FAIL;
}
static actor_next_t
cancel_job(actor_ctx_t *ctx, puppet_t *self)
{
    actor_job_cancel(ctx, self->job);
    return ACTOR_CONTINUE;
}
static actor_next_t
look_at_progress(actor_ctx_t *ctx, puppet_t *self)
{
    uint64_t done = 0, total = 0;
    if (actor_job_progress(ctx, self->job, &done, &total)) {
        note("%lu/%lu", (unsigned long) done, (unsigned long) total);
    } else {
        note("no-job");
    }
    return ACTOR_CONTINUE;
}
static void
use_job(job_fn *run, const char *subject, uint32_t deadline_ms)
{
    job_run = run;
    job_for = subject;
    job_deadline_ms = deadline_ms;
}

Test(core_jobs, the_answer_comes_once_with_the_resource)
{
    for (cast_run_t run = {0}; use_job(double_it, "", 0), cast_next(&run);) {
        poke(A, start_job);
        expect(cast_figures(A).jobs_open == 1 && cast_figures(A).asks_open == 0);
        settle();
        expect_log("back 9=42 ");
        expect(cast_figures(A).jobs_open == 0 && alive == 0);
        poke(A, look_at_progress);
        expect_log("back 9=42 no-job ");
    }
}

/* Of the address space: an output has room for MESSAGE_BYTES_MAX, whatever is in it. */
static size_t
bytes_mapped(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    size_t pages = 0;

    cr_assert(file && fscanf(file, "%zu", &pages) == 1);
    fclose(file);
    return pages * (size_t) sysconf(_SC_PAGESIZE);
}

Test(core_jobs, what_their_answers_were_made_in_is_given_back_when_none_runs)
{
    for (cast_run_t run = {0}; use_job(double_it, "", 0), cast_next(&run);) {
        poke(A, start_job);
        settle();
        size_t before = bytes_mapped();
        jobs_rest();
        size_t after = bytes_mapped();
        expect(after + MESSAGE_BYTES_MAX <= before);
        expect_log("back 9=42 ");
    }
}

Test(core_jobs, one_that_makes_no_answer_is_answered_internal)
{
    for (cast_run_t run = {0}; use_job(make_nothing, "", 0), cast_next(&run);) {
        poke(A, start_job);
        settle();
        expect_log("back 9=internal ");
    }
}

Test(core_jobs, progress_is_seen_while_it_runs)
{
    cast_latency_ns_max = 2000000;
    for (cast_run_t run = {0}; use_job(work_slowly, "", 0), cast_next(&run);) {
        poke(A, start_job);
        poke(A, look_at_progress);
        for (int i = 0; i < 30; i++) {
            settle_ms(1);
            poke(A, look_at_progress);
        }
        expect(strncmp(noted(), "0/0 ", 4) == 0 && noted_count("9=10") == 1);
        expect(noted_count("5/10") + noted_count("6/10") + noted_count("4/10") > 0, "half of it");
        expect(alive == 0);
    }
}

Test(core_jobs, a_cancelled_one_meets_it_at_its_next_call_and_gives_the_resource_back)
{
    cast_latency_ns_max = 2000000;
    for (cast_run_t run = {0}; use_job(work_slowly, "", 0), cast_next(&run);) {
        poke(A, start_job);
        settle_ms(3);
        poke(A, cancel_job);
        settle();
        expect_log("back 9=cancelled ");
        expect(alive == 0);
    }
}

Test(core_jobs,
     past_its_deadline_it_is_answered_at_once_and_its_subject_is_hung_until_it_comes_back)
{
    for (cast_run_t run = {0}; use_job(work_slowly, "DP1", 500), cast_next(&run);) {
        world_sim_hang(sim_world(run.sim), "/", true);
        int64_t before = cast_ms();
        poke(A, start_job);
        settle_ms(600);
        expect_log("9=deadline ");
        expect(cast_ms() - before <= 600 && sim_threads_lost(run.sim) == 1);
        poke(B, start_job);
        settle_ms(10);
        expect_log("9=deadline back 9=hung ");
        use_job(double_it, "DP2", 500);
        poke(B, start_job);
        settle_ms(10);
        expect_log("9=deadline back 9=hung back 9=42 ");
        expect(alive == 1, "the lost thread still has its resource");
        world_sim_hang(sim_world(run.sim), "/", false);
        settle();
        expect(alive == 0 && sim_threads_lost(run.sim) == 0, "it came back and was dropped");
        use_job(double_it, "DP1", 500);
        forget();
        poke(B, start_job);
        settle();
        expect_log("back 9=42 ");
    }
}

Test(core_jobs, those_of_an_actor_that_restarted_are_cancelled_and_their_resource_is_dropped)
{
    cast_latency_ns_max = 100000000;
    for (cast_run_t run = {0}; use_job(work_slowly, "", 0), cast_next(&run);) {
        poke(A, start_job);
        poke(A, start_job);
        settle_ms(3);
        poke(A, fail_now);
        expect(cast_figures(A).jobs_open == 0);
        settle_ms(150); /* a call; uncancelled, they would make ten */
        expect(alive == 0, "they met it at their next call");
        settle();
        expect_log("");
        expect(alive == 0 && cast_figures(A).restarts == 1);
    }
}

Test(core_jobs, one_of_a_failed_handler_never_runs)
{
    for (cast_run_t run = {0}; use_job(double_it, "", 0), cast_next(&run);) {
        for (int i = 0; i < 3; i++) {
            poke(A, start_job_and_fail);
            expect(alive == 0 && core_open_jobs(run.sim->core) == 0);
            settle();
        }
        expect_log("");
    }
}

Test(core_jobs, a_stop_with_jobs_that_hang_ends)
{
    for (cast_run_t run = {0}; use_job(work_slowly, "", 0), cast_next(&run);) {
        world_sim_hang(sim_world(run.sim), "/", true);
        poke(A, start_job);
        settle_ms(50);
    }
    cr_assert_eq(alive, 0, "%d resources are left", alive);
}

/* ---- claims ---- */

static actor_next_t
own_and_claim(actor_ctx_t *ctx, puppet_t *self, const say_t *m)
{
    if (self->owned == NULL) {
        self->owned = malloc(1000);
    }
    claim(ctx, m->number < 3);
    note("say-%lu", (unsigned long) m->number);
    return ACTOR_CONTINUE;
}
static actor_next_t
tell_four(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(self != NULL);
    for (uint64_t i = 1; i <= 4; i++) {
        expect(tell(ctx, B, i) == VERDICT_OK);
    }
    return ACTOR_CONTINUE;
}
static uint32_t dropped;
static void
drop_counted(void *self)
{
    dropped++;
    free(((puppet_t *) self)->owned);
}
static actor_next_t
trouble_noted(actor_ctx_t *ctx, puppet_t *self, const char *what, const char *why)
{
    cr_assert(ctx != NULL && self != NULL);
    note("%s", what);
    expect(strstr(why, "m->number < 3 does not hold") != NULL, "%s", why);
    expect(strncmp(why, "core_job_test.c:", 16) == 0, "where its build is: %s", why);
    return ACTOR_CONTINUE;
}

Test(core_claims, a_failed_claim_ends_the_actor_only_and_drop_releases_its_state)
{
    cast_class[B].drop = drop_counted;
    cast_hook[B].say = own_and_claim;
    cast_hook[D].trouble = trouble_noted;
    cast_notes_to = "d";
    for (cast_run_t run = {0}; cast_next(&run);) {
        forget();
        dropped = 0;
        poke(A, tell_four);
        settle();
        expect(noted_count("say-1") == 1 && noted_count("say-2") == 1);
        expect(noted_count("failed") == 6 && noted_count("quarantined") == 2);
        expect(dropped == 6, "%u states were dropped", dropped);
        expect(strstr(cast_figures(A).why, "claim") == NULL && cast_figures(A).failures == 0);
        expect(cast_figures(B).failures == 6);
    }
}

/* ---- borrowed pointers ---- */

static uint32_t spoilt;
static actor_next_t
keep_a_pointer(actor_ctx_t *ctx, puppet_t *self, const say_t *m)
{
    cr_assert(ctx != NULL);
    if (self->borrowed == NULL) {
        self->borrowed = record_slice(m, m->body).data;
        return ACTOR_CONTINUE;
    }
#if defined(SPOILT_IS_POISONED)
    int __asan_address_is_poisoned(const void volatile *address);
    spoilt += __asan_address_is_poisoned(self->borrowed) != 0;
#else
    spoilt += self->borrowed[100] != 'x';
#endif
    return ACTOR_CONTINUE;
}
static actor_next_t
tell_body(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(self != NULL);
    expect(tell_bytes(ctx, B, 2000) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
static actor_next_t
tell_short(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(self != NULL);
    expect(tell(ctx, B, 1) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

static const void *delivered_at[DELIVERY_ATTEMPTS_MAX + 1];
static actor_next_t
fail_and_note_address(actor_ctx_t *ctx, puppet_t *self, const say_t *m)
{
    cr_assert(self != NULL);
    delivered_at[actor_attempt(ctx)] = m;
    return ACTOR_FAIL;
}
Test(core_claims, each_delivery_of_a_message_is_at_an_address_of_its_own)
{
    cast_hook[B].say = fail_and_note_address;
    for (cast_run_t run = {0}; cast_next(&run);) {
        poke(A, tell_short);
        settle();
        expect(delivered_at[1] != delivered_at[2] && delivered_at[2] != delivered_at[3]);
    }
}

Test(core_claims, an_actor_that_keeps_a_borrowed_pointer_meets_spoilt_bytes)
{
    cast_hook[B].say = keep_a_pointer;
    uint32_t runs = 0;
    for (cast_run_t run = {0}; cast_next(&run); runs++) {
        poke(A, tell_body);
        settle();
        poke(A, tell_short);
        settle();
        expect(spoilt == runs + 1, "%u of %u runs saw it", spoilt, runs + 1);
    }
}
