/* lines_test.c - claims about what goes first in the despooler's inbox. */
#include <criterion/criterion.h>

#include "actors/despooler_queue.h"

#define KEYS 40u

static int load[KEYS + 1]; /* what entries carry: &load[key] */

static void
drop(__attribute__((unused)) void *one)
{
}

static void
expect_key(uint64_t got, uint64_t expected)
{
    cr_expect_eq(got, expected, "expected %llu, got %llu", (unsigned long long) expected,
                 (unsigned long long) got);
}

/* Work of a priority at a point of its own, or at one that has other work. */
static void
add_of(queue_t *queue, const char *point, uint64_t key, priority_t priority, bool later)
{
    queue_entry_t entry = {.key = key,
                           .revision = 1,
                           .load = &load[key % (KEYS + 1)],
                           .priority = priority,
                           .later = later};
    void *unused = NULL;
    cr_assert_eq(queue_add(queue, slice_of(point), &entry, &unused), OK);
}

Test(lines, the_more_urgent_goes_first_at_a_point_and_among_points)
{
    for (int apart = 0; apart < 2; apart++) {
        static const char *const points[] = {"a", "b", "c"};
        static const priority_t priorities[] = {PRIORITY_LOW, PRIORITY_DEFAULT, PRIORITY_HIGH};
        queue_t *queue = queue_new(3);
        for (uint64_t i = 0; i < 3; i++) {
            add_of(queue, points[apart ? i : 0], i + 1, priorities[i], false);
        }
        for (uint64_t i = 3; i >= 1; i--) {
            queue_entry_t *entry = queue_take(queue);
            cr_assert_not_null(entry);
            expect_key(entry->key, i);
            queue_done(queue, entry);
        }
        queue_destroy(&queue, drop);
    }
}

Test(lines, what_is_less_urgent_gets_a_turn_however_much_is_urgent)
{
    queue_t *queue = queue_new(1);
    uint32_t low = 0, later = 0;
    add_of(queue, "l", 31, PRIORITY_LOW, false);
    add_of(queue, "r", 32, PRIORITY_DEFAULT, true);
    for (uint32_t turn = 0; turn < 2 * QUEUE_LATER_TURN; turn++) {
        char point[2] = {(char) ('A' + turn), 0};
        add_of(queue, point, turn + 1, PRIORITY_HIGH, false);
        queue_entry_t *entry = queue_take(queue);
        low += entry->key == 31;
        later += entry->key == 32;
        queue_done(queue, entry);
    }
    cr_expect(low == 1 && later == 1, "expected a turn of each in %u, got %u and %u",
              2 * QUEUE_LATER_TURN, low, later);
    queue_destroy(&queue, drop);
}

Test(lines, who_waits_for_a_point_is_told_by_how_urgent_it_is)
{
    queue_t *queue = queue_new(1);
    add_of(queue, "a", 1, PRIORITY_MEDIUM, false);
    queue_entry_t *entry = queue_take(queue);
    cr_expect_eq(queue_rival(entry), QUEUE_NONE);
    add_of(queue, "b", 2, PRIORITY_HIGH, false);
    add_of(queue, "a", 3, PRIORITY_LOW, false);
    add_of(queue, "a", 4, PRIORITY_HIGH, true);
    cr_expect_eq(queue_rival(entry), QUEUE_NONE, "work of another point, or less urgent, is told");
    add_of(queue, "a", 5, PRIORITY_DEFAULT, false);
    cr_expect_eq(queue_rival(entry), QUEUE_EQUAL);
    add_of(queue, "a", 6, PRIORITY_HIGH, false);
    cr_expect_eq(queue_rival(entry), QUEUE_HIGHER);
    cr_assert_not_null(queue_stop(queue, 6));
    cr_expect_eq(queue_rival(entry), QUEUE_EQUAL);
    queue_destroy(&queue, drop);
}

Test(lines, what_waits_goes_to_the_line_of_its_new_priority)
{
    queue_t *queue = queue_new(1);
    add_of(queue, "a", 1, PRIORITY_MEDIUM, false);
    add_of(queue, "b", 2, PRIORITY_LOW, false);
    add_of(queue, "b", 2, PRIORITY_HIGH, false);
    queue_entry_t *entry = queue_take(queue);
    cr_assert_not_null(entry);
    expect_key(entry->key, 2);
    queue_destroy(&queue, drop);
}
