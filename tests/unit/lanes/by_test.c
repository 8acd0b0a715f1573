/* by_test.c - see by_test.h. */
#include "tests/unit/lanes/by_test.h"

core_t *test_core;
_Atomic int64_t test_now_ns;
struct posted test_posted[TEST_POSTS_MAX];
uint32_t test_posts;
bool test_batches, test_rung;

static int64_t
now(void *self)
{
    cr_assert_null(self);
    return test_now_ns;
}

static void
post(void *self, uint32_t from, uint32_t to, envelope_t *take_envelope)
{
    cr_assert(self == NULL && test_posts < TEST_POSTS_MAX &&
              from < core_worker_count(test_core) + CORE_OUTSIDERS);
    test_posted[test_posts++] = (struct posted){to, take_envelope};
}

static void
changed(void *self)
{
    cr_assert_null(self);
}

static void
figures(void *self, host_figures_t *ret)
{
    cr_assert(self == NULL && ret != NULL);
}

void
test_begin(const actor_class_t *const *classes)
{
    const core_options_t options = {
        .classes = classes, .root = classes[0], .pool_workers = 1, .takeover_ms = 5000};
    const executor_t executor = {.now_ns = now,
                                 .wall_ns = now,
                                 .post = post,
                                 .changed = changed,
                                 .figures = figures,
                                 .batches = test_batches};
    char why[256];
    err_t err;

    test_now_ns = TEST_START_NS;
    test_core = core_new(&options, &executor, &err, why, sizeof why);
    cr_assert_not_null(test_core, "%s", why);
    core_start(test_core);
}

actor_t *
test_actor(const actor_class_t *class)
{
    const loaded_class_t *loaded = load_find(test_core, class->name);
    return atomic_load(&cell_at(test_core, (uint32_t) atomic_load(&loaded->role))->actor);
}

bool
test_hand_on(void)
{
    uint32_t all = test_posts;

    for (uint32_t i = 0; i < all; i++) {
        worker_deliver(core_worker(test_core, test_posted[i].to), test_posted[i].envelope);
    }
    memmove(test_posted, test_posted + all, (test_posts - all) * sizeof test_posted[0]);
    test_posts -= all;
    return all > 0;
}

void
test_settle_but(const worker_t *left)
{
    for (bool busy = true; busy;) {
        busy = test_hand_on();
        for (uint32_t i = 0; i < core_worker_count(test_core); i++) {
            worker_t *worker = core_worker(test_core, i);
            busy = (worker != left && worker_step(worker)) || busy;
        }
    }
}

void
test_settle(void)
{
    test_settle_but(NULL);
}

void
test_run(worker_t *worker)
{
    const _Atomic uint32_t bell = test_rung;
    worker_run(worker, &bell, 0, TEST_QUANTUM);
}

static void
no_fence(void)
{
}

void
test_depose(const actor_ctx_t *ctx)
{
    overdue_t who = {ctx->worker->index, atomic_load(&ctx->worker->handlers)};
    cr_assert(core_take_over(test_core, &who, no_fence));
    test_run(core_worker(test_core, who.worker));
}
