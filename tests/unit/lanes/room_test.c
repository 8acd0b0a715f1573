/* room_test.c - the bound of a lane, with threads that hammer on it. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/inside.h"

#define HAMMERS    4
#define ROOM       100u
#define HAMMERINGS 20000
#define CELLS      4 /* nobody, and the one whose lane it is */

typedef struct anvil {
    core_t *core;
    actor_ref_t to;
    loaded_class_t *class;
    _Atomic int64_t inside, most;
} anvil_t;

static cell_t *
cells_new(void)
{
    cell_t *cells = aligned_alloc(CACHE_LINE, CELLS * sizeof(cell_t));
    cr_assert_not_null(cells);
    return memset(cells, 0, CELLS * sizeof(cell_t));
}

static void *
hammer(void *context)
{
    anvil_t *anvil = context;
    for (int i = 0; i < HAMMERINGS; i++) {
        if (room_take(anvil->core, anvil->to, LANE_NORMAL, (room_t){1, 16}, anvil->class) !=
            VERDICT_OK) {
            continue;
        }
        int64_t now = atomic_fetch_add(&anvil->inside, 1) + 1;
        int64_t most = atomic_load(&anvil->most);
        while (now > most && !atomic_compare_exchange_weak(&anvil->most, &most, now)) {
        }
        if (i % 3 != 0) { /* a third stays, so that the bound is met */
            atomic_fetch_sub(&anvil->inside, 1);
            room_give(anvil->core, anvil->to, LANE_NORMAL, (room_t){1, 16});
        }
    }
    return NULL;
}

Test(room, no_bound_is_exceeded_by_one_however_many_threads_reserve, .timeout = 60)
{
    static const actor_class_t class = {.name = "anvil", .lane_messages_max = ROOM};
    loaded_class_t loaded = {.class = &class, .messages_max = ROOM, .bytes_max = 1u << 20};
    core_t core = {.cells = cells_new()};
    anvil_t anvil = {.core = &core, .class = &loaded};
    core.cells_used = 1;
    cr_assert(cell_claim(&core, &anvil.to));
    cell_open(&core, anvil.to);
    pthread_t thread[HAMMERS];
    for (int i = 0; i < HAMMERS; i++) {
        cr_assert_eq(pthread_create(&thread[i], NULL, hammer, &anvil), 0);
    }
    for (int i = 0; i < HAMMERS; i++) {
        pthread_join(thread[i], NULL);
    }
    cr_expect_eq(atomic_load(&anvil.most), ROOM, "expected %u at most and at least, got %lld", ROOM,
                 (long long) atomic_load(&anvil.most));
    cr_expect_eq(room_messages(&core.cells[anvil.to.index], LANE_NORMAL), ROOM);
    free(core.cells);
}

/* ---- leases ---- */

#define SIZES 6

typedef struct bench {
    core_t core;
    worker_t *worker[2];
    loaded_class_t class;
    actor_ref_t to;
} bench_t;

static const actor_class_t lender = {.name = "lender"};

static void
bench_begin(bench_t *bench)
{
    *bench = (bench_t){.class = {.class = &lender,
                                 .messages_max = LANE_MESSAGES_MAX,
                                 .bytes_max = LANE_BYTES_MAX}};
    bench->core.cells = cells_new();
    bench->core.cells_used = 1;
    cr_assert(cell_claim(&bench->core, &bench->to));
    cell_open(&bench->core, bench->to);
    atomic_store(&cell_at(&bench->core, bench->to.index)->class, &bench->class);
    for (int i = 0; i < 2; i++) {
        bench->worker[i] = calloc(1, sizeof(worker_t));
        bench->worker[i]->core = &bench->core;
    }
}

static void
bench_end(bench_t *bench)
{
    free(bench->worker[0]);
    free(bench->worker[1]);
    free(bench->core.cells);
}

static verdict_t
reserve(bench_t *bench, int worker, uint32_t bytes)
{
    return lease_reserve(bench->worker[worker], bench->to, LANE_NORMAL, bytes, &bench->class);
}

static void
give_back(bench_t *bench, int worker, uint32_t bytes)
{
    lease_release(bench->worker[worker], bench->to, LANE_NORMAL, bytes);
}

/* Whether nothing is taken of the lane any more: it takes everything that it may. */
static bool
is_whole(bench_t *bench)
{
    room_t all = {bench->class.messages_max, bench->class.bytes_max};
    bool whole = room_take(&bench->core, bench->to, LANE_NORMAL, all, &bench->class) == VERDICT_OK;
    if (whole) {
        room_give(&bench->core, bench->to, LANE_NORMAL, all);
    }
    return whole;
}

Test(lease, every_place_and_byte_comes_back_in_whatever_order_two_workers_take_and_give)
{
    static const uint32_t size[SIZES] = {0, 1, 16, 24, 500, 5000};
    uint64_t chance = 1;
    bench_t bench;
    bench_begin(&bench);
    for (int story = 0; story < 50; story++) {
        uint32_t taken[SIZES] = {0};
        for (int step = 0; step < 4000; step++) {
            chance = chance * 6364136223846793005u + 1442695040888963407u;
            uint32_t which = (uint32_t) (chance >> 40) % SIZES;
            int worker = (int) (chance >> 60 & 1);
            if ((chance >> 50 & 3) != 0 && reserve(&bench, worker, size[which]) == VERDICT_OK) {
                taken[which]++;
            } else if (taken[which] > 0) {
                give_back(&bench, worker, size[which]);
                taken[which]--;
            }
        }
        for (uint32_t which = 0; which < SIZES; which++) {
            for (; taken[which] > 0; taken[which]--) {
                give_back(&bench, story % 2, size[which]);
            }
        }
        lease_rest(bench.worker[0]);
        lease_rest(bench.worker[1]);
        cr_assert(is_whole(&bench), "story %d: something of the lane is lost", story);
    }
    bench_end(&bench);
}

Test(lease, what_a_busy_worker_keeps_does_not_fill_the_lane_of_another)
{
    enum { LARGE = 1 << 20, MANY = LANE_BYTES_MAX / LARGE };
    bench_t bench;
    bench_begin(&bench);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < MANY; i++) {
            cr_assert_eq(reserve(&bench, round, LARGE), VERDICT_OK, "round %d: %d", round, i);
        }
        cr_assert_eq(reserve(&bench, round, LARGE), VERDICT_FULL);
        for (int i = 0; i < MANY; i++) {
            give_back(&bench, round, LARGE);
        }
    }
    for (int i = 0; i < 100000; i++) { /* large ones come back, small ones go */
        cr_assert_eq(reserve(&bench, 1, 500), VERDICT_OK);
        cr_assert_eq(reserve(&bench, 0, 16), VERDICT_OK);
        give_back(&bench, 0, 500);
        give_back(&bench, 1, 16);
    }
    for (int i = 0; i < MANY - 1; i++) {
        cr_assert_eq(reserve(&bench, 1, LARGE), VERDICT_OK, "after small ones: %d", i);
    }
    bench_end(&bench);
}
