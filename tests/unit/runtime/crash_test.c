/* crash_test.c - work that ends the process is counted over processes, and told so that somebody
 * puts it aside before it is tried again. A run that is to die is a process of its own.
 */
#include "tests/unit/runtime/cast.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of the sanitizer's interface, which is there only where it is. */
void __sanitizer_set_report_path(const char *path);

#include "proto/limits.h"
#include "runtime/actor.h"

#define POISON 13

static char path[] = "/tmp/crash-box-XXXXXX";
typedef struct told {
    uint32_t count;
    actor_crash_t crash[4];
} told_t;
static told_t *told; /* what the run in hand was told at its start; shared with its process */

static void
make_box(void)
{
    int fd = mkstemp(path);

    cr_assert_geq(fd, 0);
    close(fd);
    told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(told, MAP_FAILED);
}

static void
drop_box(void)
{
    unlink(path);
    munmap(told, sizeof *told);
}

TestSuite(crash, .init = make_box, .fini = drop_box);

/* ---- what the cast does ---- */

static bool forgets;

static actor_next_t
look_and_send(actor_ctx_t *ctx, part_t *self)
{
    told->count = actor_crashes(ctx, told->crash, 4);
    for (uint32_t i = 0; forgets && i < told->count; i++) {
        actor_crash_forget(ctx, told->crash[i].number);
    }
    sem_post(&done);
    for (uint64_t i = 1; i < POISON + 2; i++) {
        claim(ctx, tell_parcel(ctx, B, i, self->who) == VERDICT_OK);
    }
    return ACTOR_CONTINUE;
}

static int death; /* the signal of which the poison dies */

static actor_next_t
die_of_poison(actor_ctx_t *ctx, part_t *self, const parcel_t *m)
{
    claim(ctx, self->who == B);
    if (m->number == POISON) {
        raise(death);
    }
    return ACTOR_CONTINUE;
}

/* As an actor that takes a list apart: the parcel itself does not say what its work is about. */
static actor_next_t
die_of_an_item(actor_ctx_t *ctx, part_t *self, const parcel_t *m)
{
    claim(ctx, self->who == B);
    if (m->number == POISON) {
        actor_about(77);
        raise(death);
    }
    return ACTOR_CONTINUE;
}

static uint64_t
descend(volatile char *above, uint64_t left)
{
    volatile char here[4096];

    here[0] = above ? above[0] : 1;
    return left == 0 ? 0 : descend(here, left - 1) + (uint64_t) here[0];
}

static actor_next_t
die_of_depth(actor_ctx_t *ctx, part_t *self, const parcel_t *m)
{
    claim(ctx, self->who == B);
    return m->number == POISON && descend(NULL, UINT64_MAX) == 0 ? ACTOR_STOP : ACTOR_CONTINUE;
}

static void
job_dies(job_t *job, world_t *world, const void *input, void *resource)
{
    (void) job, (void) world, (void) input, (void) resource;
    raise(death);
}

static actor_next_t
never(actor_ctx_t *ctx, void *self, const actor_answer_t *answer)
{
    claim(ctx, self == NULL || answer == NULL);
    return ACTOR_CONTINUE;
}

static actor_next_t
start_job(actor_ctx_t *ctx, part_t *self, const parcel_t *m)
{
    claim(ctx, self->who == B);
    if (m->number == POISON) {
        const job_spec_t spec = {.name = "unpack",
                                 .run = job_dies,
                                 .input_type = &parcel_type,
                                 .input = m,
                                 .then = never};
        claim(ctx, actor_job(ctx, &spec, NULL) == VERDICT_OK);
    }
    return ACTOR_CONTINUE;
}

/* ---- runs ---- */

/* A sanitizer would report the crash that is wanted here as one of the test's. */
static void
tell_crash_to_nobody(void)
{
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_set_report_path("stderr");
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
    __sanitizer_set_report_path("stderr");
#endif
#endif
}

/* A host in a process of its own, until it dies; what it was told at its start is in `told`. */
static void
run_until_dead(actor_next_t (*parcel)(actor_ctx_t *, part_t *, const parcel_t *), int signal)
{
    int status = 0;
    death = signal;
    hook[A].init = look_and_send;
    hook[B].parcel = parcel;
    memset(told, 0, sizeof *told);
    pid_t child = fork();
    if (child == 0) {
        tell_crash_to_nobody();
        host_t *host = cast_new(path);
        err_t err = host_start(host);
        host_wait_stop(host); /* it never stops */
        _exit(err == OK ? 0 : 2);
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFSIGNALED(status) || WEXITSTATUS(status) == 1, "it ended with %d", status);
}

/* One that ends in order. */
static void
run_in_order(void)
{
    memset(told, 0, sizeof *told);
    hook[A].init = look_and_send;
    hook[B].parcel = NULL;
    host_t *host = cast_new(path);
    cr_assert_eq(host_start(host), OK);
    wait_done();
    cast_end(host);
}

static void
expect_told(uint64_t about, const char *class_name, const char *message, int signal)
{
    cr_assert_eq(told->count, 1, "told of %u crashes, expected 1", told->count);
    const actor_crash_t *crash = &told->crash[0];
    cr_expect_eq(crash->about, about, "about %lu, expected %lu", crash->about, about);
    cr_expect_str_eq(crash->class_name, class_name);
    cr_expect_str_eq(crash->message, message);
    cr_expect_eq(crash->times, CRASH_ATTEMPTS_MAX, "%u times", crash->times);
    cr_expect(signal == 0 || crash->signal == signal, "signal %d", crash->signal);
}

Test(crash, q303462_work_that_ended_the_process_three_times_is_told_at_the_next_start)
{
    for (uint32_t i = 0; i < CRASH_ATTEMPTS_MAX; i++) {
        run_until_dead(die_of_poison, SIGABRT);
        cr_assert_eq(told->count, 0, "told after %u crashes, expected not before %u", i,
                     CRASH_ATTEMPTS_MAX);
    }
    run_in_order();
    expect_told(POISON, "b", "parcel", SIGABRT);
}

Test(crash, q303462_a_crash_in_a_job_is_counted_against_what_the_job_was_about)
{
    for (uint32_t i = 0; i < CRASH_ATTEMPTS_MAX; i++) {
        run_until_dead(start_job, SIGABRT);
    }
    run_in_order();
    expect_told(POISON, "b", "unpack", SIGABRT);
}

Test(crash, a_handler_that_takes_a_list_apart_says_what_it_is_at)
{
    for (uint32_t i = 0; i < CRASH_ATTEMPTS_MAX; i++) {
        run_until_dead(die_of_an_item, SIGABRT);
    }
    run_in_order();
    expect_told(77, "b", "parcel", SIGABRT);
}

Test(crash, a_stack_that_is_full_is_a_crash_like_another)
{
    for (uint32_t i = 0; i < CRASH_ATTEMPTS_MAX; i++) {
        run_until_dead(die_of_depth, SIGSEGV);
    }
    run_in_order();
    expect_told(POISON, "b", "parcel", 0);
}

Test(crash, the_same_work_is_counted_as_one_whoever_had_it_in_hand)
{
    run_until_dead(die_of_poison, SIGABRT);
    run_until_dead(start_job, SIGABRT);
    run_until_dead(die_of_poison, SIGFPE);
    run_in_order();
    cr_assert_eq(told->count, 1, "told of %u crashes, expected 1", told->count);
    cr_assert_eq(told->crash[0].about, POISON);
}

Test(crash, a_kill_is_nobodys_fault)
{
    for (uint32_t i = 0; i < 2 * CRASH_ATTEMPTS_MAX; i++) {
        run_until_dead(die_of_poison, SIGKILL);
        cr_assert_eq(told->count, 0, "told after %u kills", i);
    }
    run_in_order();
    cr_assert_eq(told->count, 0, "told of %u crashes, expected none", told->count);
}

Test(crash, a_kill_in_between_forgets_no_crash)
{
    for (uint32_t i = 0; i < CRASH_ATTEMPTS_MAX; i++) {
        run_until_dead(die_of_poison, SIGABRT);
        run_until_dead(die_of_poison, SIGKILL);
    }
    run_in_order();
    expect_told(POISON, "b", "parcel", SIGABRT);
}

Test(crash, it_is_told_at_every_start_until_it_is_forgotten)
{
    for (uint32_t i = 0; i < CRASH_ATTEMPTS_MAX; i++) {
        run_until_dead(die_of_poison, SIGABRT);
    }
    run_until_dead(die_of_poison, SIGKILL);
    cr_assert_eq(told->count, 1);
    forgets = true;
    run_until_dead(die_of_poison, SIGKILL);
    cr_assert_eq(told->count, 1);
    run_until_dead(die_of_poison, SIGKILL);
    cr_assert_eq(told->count, 0, "told again although it was forgotten");
}

Test(crash, a_run_that_ends_in_order_ends_the_count)
{
    for (uint32_t i = 1; i < CRASH_ATTEMPTS_MAX; i++) {
        run_until_dead(die_of_poison, SIGABRT);
    }
    run_in_order();
    run_until_dead(die_of_poison, SIGABRT);
    run_in_order();
    cr_assert_eq(told->count, 0, "crashes before an orderly end were counted");
}
