/* job_hands_test.c - claims about threads that compute for jobs. */
#include "runtime/job_hands.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define WORKS 200u

typedef struct sum {
    world_work_t work; /* first */
    uint32_t of, done;
} sum_t;

static void
add_up(world_work_t *work)
{
    sum_t *sum = (sum_t *) work;
    sum->done++;
    for (uint32_t i = 1; i <= 1000; i++) {
        sum->of += i;
    }
}

static void
do_all(world_t *world, sum_t sums[WORKS])
{
    for (uint32_t i = 0; i < WORKS; i++) {
        sums[i] = (sum_t){.work = {.run = add_up}};
        world_begin(world, &sums[i].work);
    }
    for (uint32_t i = 0; i < WORKS; i++) {
        world_await(world, &sums[i].work);
    }
}

static void
expect_all(const sum_t sums[WORKS])
{
    for (uint32_t i = 0; i < WORKS; i++) {
        cr_expect(sums[i].done == 1 && sums[i].of == 500500, "work %u: done %u times, sum %u", i,
                  sums[i].done, sums[i].of);
    }
}

static void
expect_all_done_with(uint32_t threads)
{
    hands_t *hands = hands_new(threads);
    world_t world = {.hands = hands_of(hands)};
    sum_t sums[WORKS];
    do_all(&world, sums);
    expect_all(sums);
    hands_destroy(&hands);
}

Test(job_hands, each_work_is_done_once_before_its_await_returns)
{
    expect_all_done_with(1);
    expect_all_done_with(HANDS_MAX + 1);
}

Test(job_hands, without_threads_whoever_awaits_does_it)
{
    world_t alone = {.hands = NULL};
    sum_t sums[WORKS];
    expect_all_done_with(0);
    do_all(&alone, sums);
    expect_all(sums);
}

/* ---- a thread that is at work ---- */

typedef struct gate {
    world_work_t work; /* first */
    atomic_bool begun, open;
    pthread_t by;
} gate_t;

static void
pass(world_work_t *work)
{
    gate_t *gate = (gate_t *) work;
    gate->by = pthread_self();
    atomic_store(&gate->begun, true);
    while (!atomic_load(&gate->open)) {
    }
}

static void
open_gate(world_work_t *work)
{
    gate_t *gate = (gate_t *) (void *) ((char *) work - sizeof(gate_t));
    gate->by = pthread_self();
    atomic_store(&gate->open, true);
}

/* The only thread waits for a work that only the job itself can do: it would wait for ever. */
Test(job_hands, who_waits_for_a_work_in_hand_does_what_else_is_waiting)
{
    struct {
        gate_t gate;
        world_work_t key; /* behind its gate */
    } both = {.gate = {.work = {.run = pass}}, .key = {.run = open_gate}};
    hands_t *hands = hands_new(1);
    world_t world = {.hands = hands_of(hands)};
    world_begin(&world, &both.gate.work);
    while (!atomic_load(&both.gate.begun)) {
    }
    world_begin(&world, &both.key);
    world_await(&world, &both.gate.work);
    cr_expect(pthread_equal(both.gate.by, pthread_self()), "the key was not turned by the job");
    world_await(&world, &both.key);
    hands_destroy(&hands);
}

/* Two jobs at a time: neither takes what the other awaits away from it unfinished. */
static void *
job(void *context)
{
    sum_t sums[WORKS];
    world_t world = {.hands = hands_of(context)};
    for (unsigned round = 0; round < 20; round++) {
        do_all(&world, sums);
        expect_all(sums);
    }
    return NULL;
}

Test(job_hands, jobs_use_the_same_threads)
{
    hands_t *hands = hands_new(2);
    pthread_t thread[2];
    for (unsigned i = 0; i < 2; i++) {
        cr_assert_eq(pthread_create(&thread[i], NULL, job, hands), 0);
    }
    for (unsigned i = 0; i < 2; i++) {
        cr_assert_eq(pthread_join(thread[i], NULL), 0);
    }
    hands_destroy(&hands);
}
