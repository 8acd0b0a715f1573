/* queue_test.c - claims about the despooler's inbox, some held against a plain model of it. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "actors/despooler_queue.h"
#include "proto/limits.h"

#define POINTS 7u
#define KEYS   40u

static int dropped;
static int load[KEYS + 1]; /* what entries carry: &load[key] */

static void
drop(__attribute__((unused)) void *one)
{
    dropped++;
}

static err_t
add(queue_t *queue, const char *point, uint64_t key, uint64_t revision, int64_t since,
    void **ret_unused)
{
    queue_entry_t entry = {
        .key = key, .revision = revision, .since_ns = since, .load = &load[key % (KEYS + 1)]};
    return queue_add(queue, slice_of(point), &entry, ret_unused);
}

static void
must_add(queue_t *queue, const char *point, uint64_t key, int64_t since)
{
    void *unused = NULL;
    cr_assert_eq(add(queue, point, key, 1, since, &unused), OK);
    cr_assert_null(unused);
}

static uint64_t
take_key(queue_t *queue)
{
    queue_entry_t *entry = queue_take(queue);
    return entry == NULL ? 0 : entry->key;
}

static void
expect_key(uint64_t got, uint64_t expected)
{
    cr_expect_eq(got, expected, "expected %llu, got %llu", (unsigned long long) expected,
                 (unsigned long long) got);
}

static queue_figures_t
look(const queue_t *queue)
{
    queue_figures_t figures;
    queue_look(queue, &figures);
    return figures;
}

Test(queue, no_more_are_in_hand_than_there_are_slots)
{
    queue_t *queue = queue_new(2);
    must_add(queue, "a", 1, 10);
    must_add(queue, "b", 2, 20);
    must_add(queue, "c", 3, 30);
    expect_key(take_key(queue), 1);
    expect_key(take_key(queue), 2);
    expect_key(take_key(queue), 0);
    cr_expect_eq(look(queue).waiting_for_slot, 1);
    cr_expect_eq(look(queue).oldest_ns, 30);
    queue_destroy(&queue, drop);
    cr_expect_eq(dropped, 3, "expected 3 dropped, got %d", dropped);
}

Test(queue, a_point_has_one_in_hand_and_its_next_is_not_said_to_wait_for_a_slot)
{
    queue_t *queue = queue_new(4);
    must_add(queue, "a", 1, 10);
    must_add(queue, "a", 2, 20);
    expect_key(take_key(queue), 1);
    expect_key(take_key(queue), 0);
    cr_expect_eq(look(queue).waiting, 1);
    cr_expect_eq(look(queue).waiting_for_slot, 0);
    cr_expect_eq(queue_done(queue, queue_in_hand(queue, 1)), &load[1]);
    expect_key(take_key(queue), 2);
    queue_destroy(&queue, drop);
}

Test(queue, a_point_that_is_slow_holds_up_nobody_else)
{
    queue_t *queue = queue_new(2);
    for (uint64_t key = 1; key <= 10; key++) {
        must_add(queue, "slow", key, (int64_t) key);
    }
    must_add(queue, "b", 11, 11);
    must_add(queue, "c", 12, 12);
    expect_key(take_key(queue), 1);
    expect_key(take_key(queue), 11);
    queue_done(queue, queue_in_hand(queue, 11));
    expect_key(take_key(queue), 12);
    queue_destroy(&queue, drop);
}

Test(queue, points_take_turns_and_each_its_oldest_first)
{
    queue_t *queue = queue_new(1);
    const uint64_t expected[] = {1, 4, 2, 5, 3};
    must_add(queue, "a", 1, 1);
    must_add(queue, "a", 2, 2);
    must_add(queue, "a", 3, 3);
    must_add(queue, "b", 4, 4);
    must_add(queue, "b", 5, 5);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        uint64_t key = take_key(queue);
        expect_key(key, expected[i]);
        queue_done(queue, queue_in_hand(queue, key));
    }
    queue_destroy(&queue, drop);
    cr_expect_eq(dropped, 0);
}

static void
must_add_later(queue_t *queue, const char *point, uint64_t key)
{
    void *unused = NULL;
    queue_entry_t entry = {
        .key = key, .revision = 1, .since_ns = 1, .load = &load[key % (KEYS + 1)], .later = true};
    cr_assert_eq(queue_add(queue, slice_of(point), &entry, &unused), OK);
}

/* Takes and ends entries until this one had its turn; returns how many came before it. */
static unsigned
ended_before(queue_t *queue, uint64_t wanted)
{
    for (unsigned count = 0;; count++) {
        uint64_t key = take_key(queue);
        cr_assert(key != 0, "%llu never had its turn", (unsigned long long) wanted);
        queue_done(queue, queue_in_hand(queue, key));
        if (key == wanted) {
            return count;
        }
    }
}

/* The article: thousands of files of cancelled jobs were worked off before any new job. */
Test(queue, q168130_a_backlog_of_10000_that_can_wait_lets_new_work_pass)
{
    queue_t *queue = queue_new(1);
    char point[32];
    for (uint64_t key = 1; key <= 10000; key++) { /* half of it at one point */
        snprintf(point, sizeof point, "p%llu", (unsigned long long) (key % 2 * key));
        must_add_later(queue, point, key);
    }
    for (unsigned i = 0; i < 20; i++) {
        must_add(queue, i % 2 == 0 ? "p0" : "another", 20000 + i, 2);
        unsigned before = ended_before(queue, 20000 + i);
        cr_expect(before <= 2, "%u of the backlog came before new work, expected 2 at most",
                  before);
    }
    queue_destroy(&queue, drop);
}

Test(queue, what_can_wait_gets_its_turn_however_much_cannot)
{
    queue_t *queue = queue_new(1);
    must_add_later(queue, "a", 1);
    must_add_later(queue, "b", 2);
    for (uint64_t key = 100; key < 200; key++) {
        must_add(queue, "a", key, 3);
    }
    unsigned first = ended_before(queue, 1);
    cr_expect(first <= 2 * QUEUE_LATER_TURN, "waited for %u others", first);
    queue_destroy(&queue, drop);
}

/* ---- overload ---- */

#define SLOTS       4u
#define POINTS_BUSY 50u

typedef struct overload {
    queue_t *queue;
    uint64_t last_key, new_waiting, clean_ups_waiting;
} overload_t;

static void
comes(overload_t *o, bool clean_up)
{
    char point[32];
    uint64_t key = ++o->last_key;
    void *unused = NULL;
    queue_entry_t entry = {.key = key, .revision = 1, .since_ns = 1, .load = o, .later = clean_up};
    snprintf(point, sizeof point, "p%llu", (unsigned long long) (key * 7919 % POINTS_BUSY));
    cr_assert_eq(queue_add(o->queue, slice_of(point), &entry, &unused), OK);
    *(clean_up ? &o->clean_ups_waiting : &o->new_waiting) += 1;
}

/* So much comes, and every slot ends one; what is new leaves something to clean up. How much of the
 * new is done. */
static unsigned
turn(overload_t *o, unsigned arrivals)
{
    uint64_t done[SLOTS];
    unsigned taken = 0, new_done = 0;
    for (unsigned i = 0; i < arrivals; i++) {
        comes(o, false);
    }
    for (queue_entry_t *entry; (entry = queue_take(o->queue)) != NULL;) {
        new_done += !entry->later;
        *(entry->later ? &o->clean_ups_waiting : &o->new_waiting) -= 1;
        done[taken++] = entry->key;
    }
    for (unsigned i = 0; i < taken; i++) {
        queue_done(o->queue, queue_in_hand(o->queue, done[i]));
    }
    for (unsigned i = 0; i < new_done; i++) {
        comes(o, true);
    }
    return new_done;
}

/* The article: the clean-up of what was finished kept new work waiting, and the backlog of a busy
 * hour stayed when the hour was over. */
Test(queue, kb836553_after_an_overload_the_backlog_drains_at_the_rate_of_the_slots)
{
    overload_t o = {.queue = queue_new(SLOTS)};
    const unsigned share = SLOTS / 2; /* at least, of each turn, for what is new */
    unsigned got = 0;
    for (int i = 0; i < 1000; i++) {
        got += turn(&o, 2 * SLOTS);
    }
    cr_expect(got >= 1000 * share, "%u slots of %u were for new work", got, 1000 * SLOTS);
    uint64_t backlog = o.new_waiting, turns = 0, expected = backlog / (share - 1) + SLOTS;
    for (; o.new_waiting > 0 && turns <= expected; turns++) {
        turn(&o, 1);
    }
    cr_expect(turns <= expected, "%llu turns for a backlog of %llu, expected %llu at most",
              (unsigned long long) turns, (unsigned long long) backlog,
              (unsigned long long) expected);
    expected = o.clean_ups_waiting / SLOTS + SLOTS;
    for (turns = 0; o.clean_ups_waiting > 0; turns++) {
        turn(&o, 0);
    }
    cr_expect(turns <= expected, "%llu turns for the clean-ups, expected %llu at most",
              (unsigned long long) turns, (unsigned long long) expected);
    queue_destroy(&o.queue, drop);
    cr_expect_eq(dropped, 0);
}

/* The article: of a batch only the newest summary was kept, whatever site it was of. */
Test(queue, q274795_a_later_order_takes_the_place_of_its_own_target_and_of_no_other)
{
    queue_t *queue = queue_new(0);
    for (uint64_t key = 1; key <= KEYS; key++) {
        must_add(queue, key % 2 == 0 ? "a" : "b", key, 1);
    }
    for (uint64_t key = 1; key <= KEYS; key++) {
        void *unused = NULL;
        cr_assert_eq(add(queue, key % 2 == 0 ? "a" : "b", key, 2, 2, &unused), OK);
        cr_expect_eq(unused, &load[key], "order %llu replaced another target's",
                     (unsigned long long) key);
    }
    cr_expect_eq(look(queue).waiting, KEYS, "got %llu orders, expected one for each target",
                 (unsigned long long) look(queue).waiting);
    queue_destroy(&queue, drop);
    cr_expect_eq(dropped, KEYS);
}

Test(queue, what_could_start_at_once_does_not_wait_for_a_slot)
{
    queue_t *queue = queue_new(1);
    must_add(queue, "a", 1, 10);
    cr_expect_eq(look(queue).waiting, 1);
    cr_expect_eq(look(queue).waiting_for_slot, 0);
    queue_destroy(&queue, drop);
}

Test(queue, without_slots_nothing_starts_and_what_waits_is_counted)
{
    queue_t *queue = queue_new(0);
    must_add(queue, "a", 1, 10);
    expect_key(take_key(queue), 0);
    cr_expect_eq(look(queue).waiting_for_slot, 1);
    queue_slots(queue, 1);
    expect_key(take_key(queue), 1);
    queue_destroy(&queue, drop);
}

Test(queue, fewer_slots_let_what_is_in_hand_go_on_and_start_nothing)
{
    queue_t *queue = queue_new(2);
    must_add(queue, "a", 1, 1);
    must_add(queue, "b", 2, 2);
    must_add(queue, "c", 3, 3);
    take_key(queue);
    take_key(queue);
    queue_slots(queue, 1);
    cr_expect_eq(look(queue).busy, 2);
    queue_done(queue, queue_in_hand(queue, 1));
    expect_key(take_key(queue), 0);
    queue_done(queue, queue_in_hand(queue, 2));
    expect_key(take_key(queue), 3);
    queue_destroy(&queue, drop);
}

Test(queue, an_entry_that_comes_again_takes_the_place_and_the_age_of_the_one_that_waits)
{
    queue_t *queue = queue_new(1);
    void *unused = NULL;
    must_add(queue, "a", 1, 10);
    must_add(queue, "a", 2, 20);
    cr_assert_eq(add(queue, "a", 1, 9, 30, &unused), OK);
    cr_expect_eq(unused, &load[1]);
    cr_expect_eq(look(queue).waiting, 2);
    cr_expect_eq(look(queue).oldest_ns, 10);
    queue_entry_t *entry = queue_take(queue);
    expect_key(entry->key, 1);
    expect_key(entry->revision, 9);
    queue_destroy(&queue, drop);
}

Test(queue, the_same_revision_as_the_one_in_hand_is_not_done_twice)
{
    queue_t *queue = queue_new(4);
    void *unused = NULL;
    must_add(queue, "a", 1, 10);
    take_key(queue);
    cr_assert_eq(add(queue, "a", 1, 1, 20, &unused), OK);
    cr_expect_eq(unused, &load[1]);
    cr_expect_eq(look(queue).waiting, 0);
    queue_destroy(&queue, drop);
}

Test(queue, a_later_revision_waits_for_the_end_of_the_one_in_hand)
{
    queue_t *queue = queue_new(4);
    void *unused = NULL;
    must_add(queue, "a", 1, 10);
    queue_entry_t *first = queue_take(queue);
    cr_assert_eq(add(queue, "a", 1, 2, 20, &unused), OK);
    cr_expect_null(unused);
    expect_key(take_key(queue), 0);
    queue_done(queue, first);
    queue_entry_t *second = queue_take(queue);
    cr_assert_not_null(second);
    expect_key(second->revision, 2);
    queue_destroy(&queue, drop);
}

Test(queue, what_waits_can_be_stopped_and_what_is_in_hand_cannot)
{
    queue_t *queue = queue_new(1);
    must_add(queue, "a", 1, 10);
    must_add(queue, "a", 2, 20);
    take_key(queue);
    cr_expect_null(queue_stop(queue, 1));
    cr_expect_eq(queue_stop(queue, 2), &load[2]);
    cr_expect_null(queue_stop(queue, 2));
    cr_expect_eq(look(queue).waiting, 0);
    queue_destroy(&queue, drop);
    cr_expect_eq(dropped, 1);
}

Test(queue, one_too_many_is_refused_and_the_inbox_stays_as_it_was)
{
    queue_t *queue = queue_new(1);
    void *unused = NULL;
    for (uint64_t key = 1; key <= QUEUE_ENTRIES_MAX; key++) {
        cr_assert_eq(add(queue, "a", key, 1, 1, &unused), OK);
    }
    cr_expect_eq(add(queue, "b", QUEUE_ENTRIES_MAX + 1, 1, 1, &unused), ERR_FULL);
    cr_expect_eq(look(queue).waiting, QUEUE_ENTRIES_MAX);
    cr_expect_eq(add(queue, "a", 1, 2, 1, &unused), OK);
    queue_destroy(&queue, drop);
}

Test(queue, a_name_that_is_no_name_is_refused)
{
    char name[NAME_BYTES_MAX + 2];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    queue_t *queue = queue_new(1);
    void *unused = NULL;
    cr_expect_eq(add(queue, name, 1, 1, 1, &unused), ERR_BAD_NAME);
    queue_destroy(&queue, drop);
}

/* ---- against a model ------------------------------------------------------------------------- */

typedef struct model {
    bool waits[KEYS + 1], held[KEYS + 1];
    int64_t since[KEYS + 1];
} model_t;

static const char *
point_of(uint64_t key)
{
    static const char *const names[POINTS] = {"a", "b", "c", "d", "e", "f", "g"};
    return names[key % POINTS];
}

static uint32_t
held_on(const model_t *model, uint64_t key)
{
    uint32_t count = 0;
    for (uint64_t k = 1; k <= KEYS; k++) {
        count += model->held[k] && k % POINTS == key % POINTS;
    }
    return count;
}

static void
expect_as_model(const queue_t *queue, const model_t *model)
{
    queue_figures_t got = look(queue);
    uint64_t waiting = 0, held = 0;
    int64_t oldest = 0;
    for (uint64_t k = 1; k <= KEYS; k++) {
        waiting += model->waits[k];
        held += model->held[k];
        cr_assert(held_on(model, k) <= 1, "two in hand on %s", point_of(k));
        if (model->waits[k] && (oldest == 0 || model->since[k] < oldest)) {
            oldest = model->since[k];
        }
    }
    cr_assert_eq(got.waiting, waiting);
    cr_assert_eq(got.busy, held);
    cr_assert_eq(got.oldest_ns, oldest);
}

static void
model_take(queue_t *queue, model_t *model)
{
    queue_figures_t before = look(queue);
    queue_entry_t *entry = queue_take(queue);
    bool may = false;
    for (uint64_t k = 1; k <= KEYS; k++) {
        may |= model->waits[k] && held_on(model, k) == 0;
    }
    cr_assert_eq(entry != NULL, may && before.busy < before.slots);
    if (entry != NULL) {
        cr_assert(model->waits[entry->key]);
        cr_assert_eq(queue_slot(queue, entry->slot), entry);
        model->waits[entry->key] = false;
        model->held[entry->key] = true;
    }
}

static void
model_end(queue_t *queue, model_t *model, uint64_t key)
{
    queue_entry_t *entry = queue_in_hand(queue, key);
    cr_assert_eq(entry != NULL, model->held[key]);
    if (entry != NULL) {
        cr_assert_eq(queue_done(queue, entry), &load[key]);
        model->held[key] = false;
    }
}

Test(queue, any_order_of_adds_takes_ends_and_stops_does_what_the_model_does)
{
    queue_t *queue = queue_new(3);
    model_t model = {.waits = {false}};
    uint64_t random = 1;
    for (int64_t step = 1; step <= 200000; step++) {
        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        uint64_t key = 1 + (random >> 33) % KEYS;
        void *unused = NULL;
        switch ((random >> 59) % 5) {
        case 0:
        case 1:
            if (!model.waits[key]) {
                model.since[key] = step;
                model.waits[key] = true;
            }
            cr_assert_eq(add(queue, point_of(key), key, (uint64_t) step, step, &unused), OK);
            break;
        case 2:
            model_take(queue, &model);
            break;
        case 3:
            model_end(queue, &model, key);
            break;
        default:
            cr_assert_eq(queue_stop(queue, key) != NULL, model.waits[key]);
            model.waits[key] = false;
            queue_slots(queue, (uint32_t) (random >> 20) % 5);
            break;
        }
        expect_as_model(queue, &model);
    }
    queue_destroy(&queue, drop);
}
