/* job_test.c - jobs on real threads: answers, cancellation, deadlines, threads that do not
 * return. */
#include "proto/limits.h"
#include "tests/unit/runtime/cast.h"

static sem_t release;
static _Atomic uint64_t begun;
static _Atomic int job_err[4]; /* 1 + the error that each tag was answered with */

static actor_next_t
job_answered(actor_ctx_t *ctx, void *self, const actor_answer_t *answer)
{
    claim(ctx, self && answer->tag < 4);
    const receipt_t *m = ANSWER_AS(answer, receipt);
    atomic_store(&job_err[answer->tag], 1 + (int) answer->err);
    if (m) {
        atomic_fetch_add(&heard, m->number);
    }
    sem_post(&done);
    return ACTOR_CONTINUE;
}

static void
job_double(job_t *job, world_t *world, const void *input, void *resource)
{
    const parcel_t *m = input;
    receipt_t *receipt = JOB_OUTPUT(job, receipt);

    receipt->number = resource || world_cancelled(world) ? 0 : 2 * m->number;
}

/* Ends only when it is cancelled. */
static void
job_obeys(job_t *job, world_t *world, const void *input, void *resource)
{
    const parcel_t *m = input;

    atomic_fetch_add(&begun, m->number);
    while (!world_cancelled(world) && !resource) {
        job_progress(job, 1, 2);
    }
}

/* Meets no cancellation: a call that hangs. */
static void
job_hangs(job_t *job, world_t *world, const void *input, void *resource)
{
    const parcel_t *m = input;

    atomic_fetch_add(&begun, m->number);
    while (sem_wait(&release) != 0) {
    }
    job_double(job, world, input, resource);
}

static verdict_t
start_job(actor_ctx_t *ctx, job_fn *run, const char *subject, uint32_t deadline_ms, uint64_t tag,
          uint64_t *ret_job)
{
    parcel_t *m = DRAFT(ctx, parcel);

    m->number = 21;
    job_spec_t spec = {.name = "work",
                       .run = run,
                       .input_type = &parcel_type,
                       .input = m,
                       .subject = slice_of(subject),
                       .deadline_ms = deadline_ms,
                       .then = job_answered,
                       .tag = tag};
    return actor_job(ctx, &spec, ret_job);
}

/* ---- what a starts with ---- */

typedef struct first {
    job_fn *run;
    const char *subject;
    uint32_t deadline_ms;
} first_t;
static first_t first;
static uint64_t first_job;

static actor_next_t
start_first(actor_ctx_t *ctx, part_t *self)
{
    verdict_t verdict = start_job(ctx, first.run, first.subject, first.deadline_ms, 0, &first_job);

    claim(ctx, self->who == A && verdict == VERDICT_OK);
    if (hook[A].timer) {
        claim(ctx, actor_timer(ctx, 1, 1) == VERDICT_OK);
    }
    return ACTOR_CONTINUE;
}

static host_t *
start_with(first_t what)
{
    cr_assert_eq(sem_init(&release, 0, 0), 0);
    first = what;
    hook[A].init = hook[A].init ? hook[A].init : start_first;
    return cast_start();
}

static void
expect_answer(uint32_t tag, err_t err)
{
    cr_assert_eq(job_err[tag], 1 + (int) err, "job %u got %s, expected %s", tag,
                 job_err[tag] == 0 ? "no answer" : err_word((err_t) (job_err[tag] - 1)),
                 err_word(err));
}

Test(job, its_answer_comes_back_to_who_started_it)
{
    host_t *host = start_with((first_t){job_double, "", 0});
    wait_done();
    expect_answer(0, OK);
    cr_assert_eq(heard, 42, "got %lu", (unsigned long) heard);
    cast_end(host);
}

static actor_next_t
cancel_when_begun(actor_ctx_t *ctx, part_t *self, uint64_t key)
{
    if (atomic_load(&begun) == 0) {
        claim(ctx, self->who == A && actor_timer(ctx, key, 1) == VERDICT_OK);
        return ACTOR_CONTINUE;
    }
    actor_job_cancel(ctx, first_job);
    return ACTOR_CONTINUE;
}

Test(job, one_that_is_cancelled_while_it_runs_ends_and_says_so)
{
    hook[A].timer = cancel_when_begun;
    host_t *host = start_with((first_t){job_obeys, "", 0});
    wait_done();
    expect_answer(0, ERR_CANCELLED);
    cast_end(host);
}

Test(job, one_that_runs_at_the_stop_is_cancelled_and_nothing_is_left)
{
    cast_end(start_with((first_t){job_obeys, "", 0}));
}

Test(job, past_its_deadline_the_asker_is_told_at_once)
{
    host_t *host = start_with((first_t){job_obeys, "", 50});
    wait_done();
    expect_answer(0, ERR_DEADLINE);
    cast_end(host);
}

/* tag 0 hangs; when its thread is lost: 1 for the same subject, 2 for another; when the thread is
 * back: 3 for the same subject. */
static const first_t hangs = {job_hangs, "server", 50};

static actor_next_t
watch_the_lost(actor_ctx_t *ctx, part_t *self, uint64_t key)
{
    host_figures_t figures;

    actor_host_figures(ctx, &figures);
    if (self->count == 0 && figures.job_threads_lost == 1) {
        claim(ctx, figures.job_threads == JOB_THREADS);
        claim(ctx, start_job(ctx, job_double, "server", 0, 1, NULL) == VERDICT_OK);
        claim(ctx, start_job(ctx, job_double, "other", 0, 2, NULL) == VERDICT_OK);
        self->count = 1;
    } else if (self->count == 1 && job_err[1] && job_err[2]) {
        sem_post(&release);
        self->count = 2;
    } else if (self->count == 2 && figures.job_threads_lost == 0) {
        claim(ctx, start_job(ctx, job_double, "server", 0, 3, NULL) == VERDICT_OK);
        return ACTOR_CONTINUE;
    }
    claim(ctx, actor_timer(ctx, key, 5) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

Test(job, a_lost_thread_is_replaced_and_its_subject_refused_until_it_returns)
{
    hook[A].timer = watch_the_lost;
    host_t *host = start_with(hangs);
    for (int i = 0; i < 4; i++) {
        wait_done();
    }
    expect_answer(0, ERR_DEADLINE);
    expect_answer(1, ERR_HUNG);
    expect_answer(2, OK);
    expect_answer(3, OK);
    cast_end(host);
}

/* ---- more jobs than threads (Q246785: connections ran out, and components waited) ---- */

/* Each thread is taken by a job that ends only when it is told to; tag 0 waits for one of them. */
static actor_next_t
take_all_threads(actor_ctx_t *ctx, part_t *self)
{
    for (uint32_t i = 0; i < JOB_THREADS; i++) {
        claim(ctx, start_job(ctx, job_hangs, "", 0, 3, NULL) == VERDICT_OK);
    }
    claim(ctx, self->who == A && start_job(ctx, job_double, "", 50, 0, NULL) == VERDICT_OK);
    verdict_t verdict = VERDICT_OK;
    for (uint32_t i = 0; i < 2 * ASKS_OPEN_MAX && verdict == VERDICT_OK; i++) {
        verdict = start_job(ctx, job_double, "", 0, 1, NULL);
        sent += verdict == VERDICT_OK;
    }
    claim(ctx, verdict == VERDICT_FULL);
    return ACTOR_CONTINUE;
}

Test(job, q246785_those_that_find_no_thread_are_bounded_and_told_in_time_and_the_rest_is_done)
{
    hook[A].init = take_all_threads;
    host_t *host = start_with((first_t){0});
    wait_done(); /* all threads are taken: only its deadline can have answered it */
    expect_answer(0, ERR_DEADLINE);
    cr_assert_eq(job_err[1], 0, "one without a deadline was answered without a thread");
    cr_assert_eq(sent, ASKS_OPEN_MAX - JOB_THREADS - 1, "%lu wait", (unsigned long) sent);
    host_figures_t figures;
    host_figures(host, &figures);
    cr_assert_leq(figures.job_threads, JOB_THREADS);
    for (uint32_t i = 0; i < JOB_THREADS; i++) {
        sem_post(&release);
    }
    for (uint64_t i = 0; i < sent + JOB_THREADS; i++) {
        wait_done();
    }
    expect_answer(1, OK);
    expect_answer(3, OK);
    cast_end(host);
}

Test(job, one_that_hangs_at_the_stop_is_named_and_left)
{
    char left[256] = "";

    host_t *host = start_with(hangs);
    wait_done(); /* its deadline */
    int64_t began = clock_ms();
    cr_assert_not(host_stop(host, 500, left, sizeof left));
    cr_assert_leq(clock_ms() - began, 1000);
    cr_assert_str_eq(left, "job work for server");
    host_destroy(&host);
}
