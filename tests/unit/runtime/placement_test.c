/* placement_test.c - which worker an actor is put on, and what crosses a socket because of it. */
#include <dlfcn.h>
#include <pthread.h>
#include <zmq.h>

#include "proto/limits.h"
#include "tests/unit/runtime/cast.h"

#define ROUNDS 200u

/* ---- what crosses: the messages that ZeroMQ hands to the runtime, by their socket ---- */

#define ENDPOINTS_MAX 16u
static struct {
    char endpoint[64];
    uint32_t messages;
} crossed[ENDPOINTS_MAX];
static uint32_t endpoints;
static pthread_mutex_t crossed_lock = PTHREAD_MUTEX_INITIALIZER;

static void
count_crossing(void *socket)
{
    char endpoint[64] = "";
    size_t size = sizeof endpoint;
    uint32_t at = 0;

    cr_assert_eq(zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint, &size), 0);
    pthread_mutex_lock(&crossed_lock);
    while (at < endpoints && strcmp(crossed[at].endpoint, endpoint) != 0) {
        at++;
    }
    if (at == endpoints) {
        cr_assert(endpoints < ENDPOINTS_MAX);
        memcpy(crossed[endpoints++].endpoint, endpoint, sizeof endpoint);
    }
    crossed[at].messages++;
    pthread_mutex_unlock(&crossed_lock);
}

/* In place of ZeroMQ's own, which it calls. */
int
zmq_msg_recv(zmq_msg_t *message, void *socket, int flags)
{
    typedef int recv_fn(zmq_msg_t *, void *, int);
    static recv_fn *next;

    if (!next) {
        void *symbol = dlsym(RTLD_NEXT, "zmq_msg_recv");
        memcpy(&next, &symbol, sizeof next);
    }
    int size = next(message, socket, flags);
    if (size > 0) {
        count_crossing(socket);
    }
    return size;
}

static uint32_t
crossed_into(const char *endpoint)
{
    for (uint32_t i = 0; i < endpoints; i++) {
        if (strcmp(crossed[i].endpoint, endpoint) == 0) {
            return crossed[i].messages;
        }
    }
    return 0;
}

static uint32_t
crossed_in_all(void)
{
    uint32_t all = 0;

    for (uint32_t i = 0; i < endpoints; i++) {
        cr_expect(strncmp(crossed[i].endpoint, "inproc://", 9) == 0, "%s", crossed[i].endpoint);
        all += crossed[i].messages;
    }
    return all;
}

/* ---- two that throw one parcel to and fro ---- */

static actor_next_t
throw_first(actor_ctx_t *ctx, part_t *self)
{
    claim(ctx, tell_parcel(ctx, B, 0, self->who) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

static actor_next_t
throw_back(actor_ctx_t *ctx, part_t *self, const parcel_t *m)
{
    heard++;
    if (m->number == 2 * ROUNDS - 1) {
        sem_post(&done);
        return ACTOR_CONTINUE;
    }
    who_t to = self->who == A ? B : A;
    claim(ctx, tell_parcel(ctx, to, m->number + 1, self->who) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

static uint32_t
worker_of(host_t *host, const char *name, char *ret_worker)
{
    actor_figures_t figures[64];
    uint32_t next = 0, found = 0;
    uint32_t count = host_watch(host, 0, figures, 64, &next);

    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(figures[i].name, name) == 0) {
            memcpy(ret_worker, figures[i].worker, sizeof figures[i].worker);
            found++;
        }
    }
    return found;
}

static void throw(host_placement_t placement, uint32_t pool_workers)
{
    hook[A] = (hooks_t){.init = throw_first, .parcel = throw_back};
    hook[B] = (hooks_t){.parcel = throw_back};
    cast_options.placement = placement;
    cast_options.pool_workers = pool_workers;
    host_t *host = cast_start();
    wait_done();
    cast_end(host);
    cr_assert_eq(heard, 2 * ROUNDS, "all were heard");
}

Test(placement, messages_between_two_named_components_cross_an_inproc_socket, .timeout = 60)
{
    throw(HOST_BY_CLASS, 0);
    /* The host's root has worker 0; those of a, b and c follow, as they are listed. */
    uint32_t into_a = crossed_into("inproc://worker-1"), into_b = crossed_into("inproc://worker-2");
    cr_expect_geq(into_a, ROUNDS, "into a's mailbox: %u", into_a);
    cr_expect_geq(into_b, ROUNDS, "into b's mailbox: %u", into_b);
}

Test(placement, on_one_pool_worker_they_cross_none, .timeout = 60)
{
    throw(HOST_POOL, 1);
    cr_expect_leq(crossed_in_all(), 8, "only start and stop come from outside: %u",
                  crossed_in_all());
}

/* ---- who sits where ---- */

static const actor_class_t leaf = {.name = "leaf", .state_bytes = 1};
static const actor_class_t bird = {.name = "bird", .state_bytes = 1, .placement = ACTOR_POOL};
static const actor_class_t nest = {.name = "nest", .state_bytes = 1, .placement = ACTOR_OWN_WORKER};
static const actor_class_t twin = {
    .name = "twin", .state_bytes = 1, .placement = ACTOR_WITH_PARENT, .role = true};
static const actor_class_t hill = {
    .name = "hill", .state_bytes = 1, .placement = ACTOR_BESIDE_THE_POOL, .role = true};
static const actor_class_t *const beings[] = {&leaf, &bird, &nest, &twin, &hill};
#define BEINGS (sizeof beings / sizeof beings[0])

static actor_next_t
oak_init(actor_ctx_t *ctx, void *state, const void *args)
{
    claim(ctx, state && !args);
    for (uint32_t i = 0; i < BEINGS; i++) {
        claim(ctx, actor_spawn(ctx, beings[i], slice_of(beings[i]->name), NULL, NULL, 0, NULL) ==
                       VERDICT_OK);
    }
    return ACTOR_CONTINUE;
}
static const actor_class_t oak = {.name = "oak", .state_bytes = 1, .init = oak_init, .role = true};

static actor_next_t
wood_init(actor_ctx_t *ctx, void *state, const void *args)
{
    claim(ctx, state && !args);
    claim(ctx, actor_spawn(ctx, &oak, slice_of("oak"), NULL, NULL, 0, NULL) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
static const actor_class_t wood = {
    .name = "wood", .state_bytes = 1, .init = wood_init, .role = true};

/* expected: a worker's name; "pool": one of the pool. */
static void
expect_on(host_t *host, const char *name, const char *expected)
{
    char worker[32] = "nowhere";

    cr_assert_eq(worker_of(host, name, worker), 1, "%s is there once", name);
    bool right = strcmp(expected, "pool") == 0 ? strncmp(worker, "pool-", 5) == 0
                                               : strcmp(worker, expected) == 0;
    cr_expect(right, "%s is expected on %s, it is on %s", name, expected, worker);
}

static host_t *
start_wood(host_placement_t placement)
{
    static const actor_class_t *const classes[] = {&leaf, &bird, &nest, &twin, &hill, &oak, NULL};
    static host_options_t options;

    options = (host_options_t){.classes = classes, .root = &wood, .placement = placement};
    host_t *host = host_new(&options);
    cr_assert_eq(host_start(host), OK, "%s", host_why(host));
    cr_assert(host_wait_ready(host, WAIT_S * 1000));
    return host;
}

Test(placement, a_role_has_its_own_worker_and_a_child_its_parents_unless_the_class_says_otherwise,
     .timeout = 60)
{
    host_t *host = start_wood(HOST_BY_CLASS);

    expect_on(host, "wood", "wood");
    expect_on(host, "oak", "oak");
    expect_on(host, "leaf", "oak");
    expect_on(host, "twin", "oak");
    expect_on(host, "nest", "nest");
    expect_on(host, "hill", "hill");
    expect_on(host, "bird", "pool");
    cast_end(host);
}

Test(placement, on_the_pool_all_are_on_its_workers_and_a_child_is_still_with_its_parent,
     .timeout = 60)
{
    host_t *host = start_wood(HOST_POOL);
    host_figures_t figures;
    char oaks[32] = "", leafs[32] = "";

    expect_on(host, "wood", "pool");
    expect_on(host, "nest", "pool");
    expect_on(host, "bird", "pool");
    expect_on(host, "hill", "hill");
    worker_of(host, "oak", oaks);
    worker_of(host, "leaf", leafs);
    cr_expect(strncmp(oaks, "pool-", 5) == 0 && strcmp(oaks, leafs) == 0, "%s, %s", oaks, leafs);
    host_figures(host, &figures);
    cr_expect_eq(figures.workers, POOL_WORKERS + 1u, "workers: %lu",
                 (unsigned long) figures.workers);
    cast_end(host);
}
