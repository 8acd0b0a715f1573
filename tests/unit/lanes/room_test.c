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

/* ---- what two workers have taken ahead: that of the receiver, and another one ---- */

#define SIZES 6
enum { ITS_OWN, OTHER, WORKERS };

typedef struct bench {
    core_t core;
    worker_t *worker[WORKERS];
    loaded_class_t class;
    actor_ref_t to;
    actor_t actor;
} bench_t;

static const actor_class_t lender = {.name = "lender"};

/* A tenant of the next free slot, on that worker. */
static void
move_in(bench_t *bench, actor_t *actor, int worker)
{
    cr_assert(cell_claim(&bench->core, &bench->to));
    cell_t *cell = cell_at(&bench->core, bench->to.index);
    *actor = (actor_t){.core = &bench->core,
                       .worker = bench->worker[worker],
                       .cell = cell,
                       .class = &bench->class,
                       .self = bench->to};
    atomic_store(&cell->class, &bench->class);
    atomic_store(&cell->worker, bench->worker[worker]->index);
    atomic_store(&cell->actor, actor);
    cell_open(&bench->core, bench->to);
}

static void
bench_begin(bench_t *bench, uint32_t messages_max)
{
    *bench = (bench_t){.class = {.class = &lender,
                                 .messages_max = messages_max,
                                 .bytes_max = LANE_BYTES_MAX,
                                 .leases = true}};
    bench->core.cells = cells_new();
    bench->core.cells_used = 1;
    for (uint32_t i = 0; i < WORKERS; i++) {
        bench->worker[i] = calloc(1, sizeof(worker_t));
        cr_assert_not_null(bench->worker[i]);
        bench->worker[i]->core = &bench->core;
        bench->worker[i]->index = i;
    }
    move_in(bench, &bench->actor, ITS_OWN);
}

static void
bench_end(bench_t *bench)
{
    for (uint32_t i = 0; i < WORKERS; i++) {
        free(bench->worker[i]);
    }
    free(bench->core.cells);
}

static verdict_t
reserve(bench_t *bench, int worker, uint32_t bytes)
{
    return worker == ITS_OWN
               ? spare_take(&bench->actor, LANE_NORMAL, bytes)
               : lease_reserve(bench->worker[worker], bench->to, LANE_NORMAL, bytes, &bench->class);
}

/* The message has left the lane, or never arrived there. */
static void
give_back(bench_t *bench, int worker, uint32_t bytes)
{
    if (worker == ITS_OWN) {
        spare_give(&bench->actor, LANE_NORMAL, bytes);
    } else {
        lease_release(bench->worker[worker], bench->to, LANE_NORMAL, bytes);
    }
}

static void
both_rest(bench_t *bench)
{
    lease_rest(bench->worker[ITS_OWN]);
    lease_rest(bench->worker[OTHER]);
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
    bench_begin(&bench, LANE_MESSAGES_MAX);
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
        both_rest(&bench);
        cr_assert(is_whole(&bench), "story %d: something of the lane is lost", story);
    }
    bench_end(&bench);
}

Test(lease, what_a_busy_worker_keeps_does_not_fill_the_lane_of_another)
{
    enum { LARGE = 1 << 20, MANY = LANE_BYTES_MAX / LARGE };
    bench_t bench;
    bench_begin(&bench, LANE_MESSAGES_MAX);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < MANY; i++) {
            cr_assert_eq(reserve(&bench, round, LARGE), VERDICT_OK, "round %d: %d", round, i);
        }
        cr_assert_eq(reserve(&bench, round, LARGE), VERDICT_FULL);
        for (int i = 0; i < MANY; i++) {
            give_back(&bench, ITS_OWN, LARGE);
        }
    }
    for (int i = 0; i < 100000; i++) { /* large ones come back, small ones go */
        cr_assert_eq(reserve(&bench, OTHER, 500), VERDICT_OK);
        cr_assert_eq(reserve(&bench, ITS_OWN, 16), VERDICT_OK);
        give_back(&bench, ITS_OWN, 500);
        give_back(&bench, OTHER, 16);
    }
    for (int i = 0; i < MANY - 1; i++) {
        cr_assert_eq(reserve(&bench, OTHER, LARGE), VERDICT_OK, "after small ones: %d", i);
    }
    bench_end(&bench);
}

/* Of one size after the other, of which none leaves meanwhile: the batch that is taken ahead fits
 * none of them. */
Test(lease, a_burst_fills_the_lane_but_for_the_batch_that_is_taken_ahead)
{
    static const uint32_t size[] = {0, 16, 500};
    bench_t bench;
    bench_begin(&bench, LANE_MESSAGES_MAX);
    for (int worker = 0; worker < WORKERS; worker++) {
        for (uint32_t which = 0; which < 3; which++) {
            uint32_t taken = 0;
            while (reserve(&bench, worker, size[which]) == VERDICT_OK) {
                taken++;
            }
            cr_expect(taken + LEASE_MESSAGES_MAX >= LANE_MESSAGES_MAX,
                      "worker %d: %u messages of %u bytes, expected %u or a few less", worker,
                      taken, size[which], LANE_MESSAGES_MAX);
            for (; taken > 0; taken--) {
                give_back(&bench, OTHER, size[which]);
            }
            both_rest(&bench);
            cr_expect(is_whole(&bench), "worker %d: something is lost, of %u bytes each", worker,
                      size[which]);
        }
    }
    bench_end(&bench);
}

Test(lease, spares_of_one_who_went_are_not_mistaken_for_those_of_the_next_tenant)
{
    bench_t bench;
    bench_begin(&bench, LANE_MESSAGES_MAX);
    cr_assert_eq(reserve(&bench, ITS_OWN, 16), VERDICT_OK);
    actor_ref_t first = bench.to;
    actor_t next;
    atomic_store(&bench.actor.cell->actor, NULL);
    cell_give_back(&bench.core, first.index);
    move_in(&bench, &next, OTHER);
    cr_assert_eq(bench.to.index, first.index);
    cr_assert_eq(spare_take(&next, LANE_NORMAL, 16), VERDICT_OK);
    spare_t before = next.spare[LANE_NORMAL - LANE_URGENT];
    lease_rest(bench.worker[ITS_OWN]); /* its list has the one who went */
    spare_t after = next.spare[LANE_NORMAL - LANE_URGENT];
    cr_expect(before.messages > 0 && after.messages == before.messages && next.spares,
              "%u places of the next one, expected %u: they are another worker's", after.messages,
              before.messages);
    spare_give(&next, LANE_NORMAL, 16);
    both_rest(&bench);
    cr_expect(is_whole(&bench));
    bench_end(&bench);
}

/* A place that is taken elsewhere, and of an earlier tenant, is none of the next one's. */
Test(lease, what_is_sent_to_one_who_went_takes_no_place_of_the_next_tenant)
{
    bench_t bench;
    bench_begin(&bench, LANE_MESSAGES_MAX);
    actor_ref_t first = bench.to;
    actor_t next;
    atomic_store(&bench.actor.cell->actor, NULL);
    cell_give_back(&bench.core, first.index);
    move_in(&bench, &next, ITS_OWN);
    cr_assert_eq(reserve(&bench, OTHER, 16), VERDICT_OK);
    verdict_t verdict = lease_reserve(bench.worker[OTHER], first, LANE_NORMAL, 16, &bench.class);
    cr_expect_eq(verdict, VERDICT_DOWN, "expected `down`, got %s", err_word(verdict_err(verdict)));
    give_back(&bench, OTHER, 16);
    both_rest(&bench);
    cr_expect(is_whole(&bench));
    bench_end(&bench);
}

/* ---- and with threads ---- */

typedef struct mixed {
    bench_t bench;
    _Atomic int64_t arrived, inside, most;
    _Atomic uint32_t senders;
} mixed_t;

static void
comes_in(mixed_t *mixed)
{
    int64_t now = atomic_fetch_add(&mixed->inside, 1) + 1;
    int64_t most = atomic_load(&mixed->most);
    while (now > most && !atomic_compare_exchange_weak(&mixed->most, &most, now)) {
    }
}

static void *
send_many(void *context)
{
    mixed_t *mixed = context;
    for (int i = 0; i < HAMMERINGS; i++) {
        if (reserve(&mixed->bench, OTHER, 16) == VERDICT_OK) {
            comes_in(mixed);
            atomic_fetch_add(&mixed->arrived, 1);
        }
    }
    atomic_fetch_sub(&mixed->senders, 1);
    return NULL;
}

static void *
take_and_tell_itself(void *context)
{
    mixed_t *mixed = context;
    int64_t mine = 0;
    for (bool over = false; !over;) {
        over = atomic_load(&mixed->senders) == 0;
        if (reserve(&mixed->bench, ITS_OWN, 16) == VERDICT_OK) {
            comes_in(mixed);
            mine++;
        }
        int64_t taken = atomic_load(&mixed->inside) < LEASE_FROM - 100 && !over
                            ? 0
                            : mine + atomic_exchange(&mixed->arrived, 0);
        for (int64_t i = 0; i < taken; i++) { /* all leave, when the bound was met */
            atomic_fetch_sub(&mixed->inside, 1);
            spare_give(&mixed->bench.actor, LANE_NORMAL, 16);
        }
        mine = taken > 0 ? 0 : mine;
    }
    return NULL;
}

Test(lease, no_bound_is_exceeded_by_one_when_some_places_are_spare_and_some_leased, .timeout = 60)
{
    mixed_t mixed = {.senders = 1};
    bench_begin(&mixed.bench, LEASE_FROM);
    pthread_t sender, taker;
    cr_assert_eq(pthread_create(&taker, NULL, take_and_tell_itself, &mixed), 0);
    cr_assert_eq(pthread_create(&sender, NULL, send_many, &mixed), 0);
    pthread_join(sender, NULL);
    pthread_join(taker, NULL);
    int64_t most = atomic_load(&mixed.most);
    cr_expect(most <= LEASE_FROM && most >= LEASE_FROM - 100, "%lld messages in a lane of %u",
              (long long) most, LEASE_FROM);
    both_rest(&mixed.bench);
    cr_expect(is_whole(&mixed.bench), "something of the lane is lost");
    bench_end(&mixed.bench);
}
