/* job_test.c - claims about jobs on real threads: cancelling, deadlines, threads that are lost. */
#include <criterion/criterion.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/runtime/cast.h"

#define ANSWERS 4

typedef struct answered {
    _Atomic uint32_t count;
    _Atomic uint32_t err[ANSWERS];
    _Atomic bool resource[ANSWERS];
    _Atomic int64_t at_ms[ANSWERS];
} answered_t;
static answered_t seen;
static _Atomic uint32_t dropped;
static _Atomic bool runs;

static void
drop_resource(void *resource)
{
    atomic_fetch_add(&dropped, resource != NULL);
}

static void
never_returns(job_t *job, world_t *world, const void *input, void *resource)
{
    cr_assert(job != NULL && world != NULL && input == NULL);
    (void) resource;
    atomic_store(&runs, true);
    for (;;) {
        pause();
    }
}

static void
until_cancelled(job_t *job, world_t *world, const void *input, void *resource)
{
    cr_assert(job != NULL && input == NULL);
    (void) resource;
    atomic_store(&runs, true);
    while (!world_cancelled(world)) {
        sched_yield();
    }
}

static void
returns_at_once(job_t *job, world_t *world, const void *input, void *resource)
{
    cr_assert(world != NULL && input == NULL);
    (void) resource;
    receipt_t *out = JOB_OUTPUT(job, receipt);
    out->number = 7;
}

static actor_next_t
job_answered(actor_ctx_t *ctx, void *self, const actor_answer_t *answer)
{
    uint32_t which = atomic_load(&seen.count);
    claim(ctx, self != NULL && which < ANSWERS);
    atomic_store(&seen.err[which], answer->err);
    atomic_store(&seen.resource[which], answer->resource != NULL);
    atomic_store(&seen.at_ms[which], cast_now_ms());
    atomic_fetch_add(&seen.count, 1);
    return ACTOR_CONTINUE;
}

static uint64_t
begin_job(actor_ctx_t *ctx, job_fn *run, const char *subject, uint32_t deadline_ms)
{
    static int lent;
    uint64_t number = 0;
    job_spec_t spec = {.name = "job",
                       .run = run,
                       .subject = slice_of(subject),
                       .deadline_ms = deadline_ms,
                       .resource = &lent,
                       .drop = drop_resource,
                       .then = job_answered};
    cr_assert_eq(actor_job(ctx, &spec, &number), VERDICT_OK);
    return number;
}

/* ---- an actor that does what its timer says: 1 asks again for the subject, 2 cancels ---- */

typedef struct boss {
    uint64_t job;
} boss_t;
static job_fn *first_job;
static uint32_t first_deadline_ms;

static actor_next_t
boss_init(actor_ctx_t *ctx, void *state, const void *args)
{
    boss_t *self = state;
    claim(ctx, args == NULL);
    self->job = begin_job(ctx, first_job, "disk", first_deadline_ms);
    return actor_timer(ctx, 1, 5) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
}

static _Atomic bool cancel_wanted, again_wanted, other_wanted;

static actor_next_t
boss_timer(actor_ctx_t *ctx, void *state, uint64_t key)
{
    const boss_t *self = state;
    if (atomic_exchange(&cancel_wanted, false)) {
        actor_job_cancel(ctx, self->job);
    }
    if (atomic_exchange(&again_wanted, false)) {
        begin_job(ctx, returns_at_once, "disk", 60000);
    }
    if (atomic_exchange(&other_wanted, false)) {
        begin_job(ctx, returns_at_once, "another disk", 60000);
    }
    return actor_timer(ctx, key, 5) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
}
static const actor_class_t boss_class = {.name = "boss",
                                         .state_bytes = sizeof(boss_t),
                                         .init = boss_init,
                                         .on_timer = boss_timer,
                                         .role = true};

static host_t *
start_with(job_fn *run, uint32_t deadline_ms)
{
    static const actor_class_t *const classes[] = {&boss_class, NULL};
    static const host_options_t options = {
        .classes = classes, .root = &boss_class, .job_threads = 2};
    first_job = run;
    first_deadline_ms = deadline_ms;
    host_t *host = host_new(&options);
    cr_assert_eq(host_start(host), OK);
    return host;
}

static bool
job_runs(const host_t *host)
{
    return host != NULL && atomic_load(&runs);
}

static bool
one_answer(const host_t *host)
{
    return host != NULL && atomic_load(&seen.count) >= 1;
}

static bool
two_answers(const host_t *host)
{
    return host != NULL && atomic_load(&seen.count) >= 2;
}

static bool
three_answers(const host_t *host)
{
    return host != NULL && atomic_load(&seen.count) >= 3;
}

static bool
thread_is_lost(const host_t *host)
{
    host_figures_t figures;
    host_figures(host, &figures);
    return figures.job_threads_lost == 1;
}

static void
ends(host_t *host)
{
    char left[256] = "";
    cr_assert(host_stop(host, 5000, left, sizeof left), "expected nothing left, got: %s", left);
    host_destroy(&host);
}

Test(jobs, an_answer_comes_with_the_resource_lent, .timeout = 60)
{
    host_t *host = start_with(returns_at_once, 60000);
    cr_assert(cast_becomes(one_answer, host));
    cr_expect_eq(atomic_load(&seen.err[0]), OK);
    cr_expect(atomic_load(&seen.resource[0]), "what was lent comes back");
    ends(host);
    cr_expect_eq(atomic_load(&dropped), 0);
}

Test(jobs, a_cancelled_job_answers_cancelled_and_gives_its_resource_back, .timeout = 60)
{
    host_t *host = start_with(until_cancelled, 60000);
    cr_assert(cast_becomes(job_runs, host));
    atomic_store(&cancel_wanted, true);
    cr_assert(cast_becomes(one_answer, host));
    cr_expect_eq(atomic_load(&seen.err[0]), ERR_CANCELLED);
    cr_expect(atomic_load(&seen.resource[0]));
    ends(host);
}

Test(jobs, a_stop_cancels_what_runs, .timeout = 60)
{
    host_t *host = start_with(until_cancelled, 60000);
    cr_assert(cast_becomes(job_runs, host));
    ends(host);
    cr_expect_eq(atomic_load(&dropped), 1, "what was lent is dropped, nobody takes it back");
}

Test(jobs, a_thread_that_does_not_return_is_lost_and_only_its_subject_with_it, .timeout = 60)
{
    char left[256] = "";
    int64_t began = cast_now_ms();
    host_t *host = start_with(never_returns, 200);
    cr_assert(cast_becomes(one_answer, host));
    cr_expect_eq(atomic_load(&seen.err[0]), ERR_DEADLINE);
    cr_expect_lt(atomic_load(&seen.at_ms[0]) - began, 2000, "the asker hears at its deadline");
    cr_expect(!atomic_load(&seen.resource[0]), "the lost thread still has what was lent");
    cr_assert(cast_becomes(thread_is_lost, host));
    atomic_store(&again_wanted, true);
    cr_assert(cast_becomes(two_answers, host));
    cr_expect_eq(atomic_load(&seen.err[1]), ERR_HUNG);
    atomic_store(&other_wanted, true);
    cr_assert(cast_becomes(three_answers, host));
    cr_expect_eq(atomic_load(&seen.err[2]), OK);
    /* The stop does not wait for it; that it is left is told, and the process ends in order. */
    began = cast_now_ms();
    host_stop(host, 3000, left, sizeof left);
    cr_expect_lt(cast_now_ms() - began, 4000);
    host_destroy(&host);
}
