/* by_test.h - a core whose executor is the test: its clock is set, and what is posted waits.
 *
 * Shape    test_now_ns is the test's to set, test_posted its to hand on; test_begin makes the core.
 * Threads  one, but for the clock; a test is a process of its own.
 */
#pragma once

#include <criterion/criterion.h>
#include "runtime/inside.h"

#define TEST_START_NS  (INT64_C(1) << 50) /* a clock that is far from 0 */
#define TEST_POSTS_MAX 64u
#define TEST_QUANTUM   64u

extern core_t *test_core;
extern _Atomic int64_t test_now_ns;
extern struct posted {
    uint32_t to;
    envelope_t *envelope;
} test_posted[TEST_POSTS_MAX];
extern uint32_t test_posts;
extern bool test_batches; /* before test_begin: what is posted may be a batch */

/* Starts a core of these classes, whose first is its root, on one worker of the pool. */
void test_begin(const actor_class_t *const *classes);
/* Who has the role. */
actor_t *test_actor(const actor_class_t *class);
/* Hands on what was posted; what is posted meanwhile waits for the next time. False: nothing
 * was. */
bool test_hand_on(void);
/* Hands on what was posted, and runs all workers step by step, until nothing is left to do. */
void test_settle(void);
/* The same, but for one worker, who is handed what is his and does not run. */
void test_settle_but(const worker_t *left);
/* A quantum of this worker. */
void test_run(worker_t *worker);
extern bool test_rung; /* his bell: a quantum is one handler */
/* The watchdog finds the handler in hand overdue, and the new thread has its first quantum. */
void test_depose(const actor_ctx_t *ctx);
