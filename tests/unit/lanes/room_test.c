/* room_test.c - the bound of a lane, with threads that hammer on it. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>

#include "runtime/inside.h"

#define HAMMERS    4
#define ROOM       100u
#define HAMMERINGS 20000

typedef struct anvil {
    core_t *core;
    actor_ref_t to;
    loaded_class_t *class;
    _Atomic int64_t inside, most;
} anvil_t;

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
    core_t core = {.cells = calloc(ACTORS_MAX, sizeof(cell_t))};
    cr_assert_not_null(core.cells);
    anvil_t anvil = {.core = &core, .class = &loaded};
    core.cells_used = 1;
    cr_assert(cell_claim(&core, &anvil.to));
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
