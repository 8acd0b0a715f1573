/* due_test.c - what is due on a worker, against a list that is searched from end to end. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "runtime/inside.h"

#define NODES 600
#define TURNS 60000

static unsigned
draw(uint64_t *seed, unsigned below)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned) (*seed >> 33) % below;
}

static timer_node_t *
soonest_of(timer_node_t *nodes, int64_t now_ns)
{
    timer_node_t *found = NULL;
    for (int i = 0; i < NODES; i++) {
        timer_node_t *node = &nodes[i];
        bool sooner = found == NULL || node->due_ns < found->due_ns ||
                      (node->due_ns == found->due_ns && node->order < found->order);
        if (node->place != 0 && node->due_ns <= now_ns && sooner) {
            found = node;
        }
    }
    return found;
}

/* Lengths as they are in a site, and some that fit behind no queue. */
static int64_t
length_of(uint64_t *seed)
{
    static const int64_t usual[] = {5000, 5000, 5000, 30000, 1000, 86400};
    return draw(seed, 4) != 0 ? usual[draw(seed, 6)] : draw(seed, 100000);
}

Test(due, nodes_fire_in_the_order_of_their_time_and_ties_in_the_order_in_which_they_were_set)
{
    for (uint64_t start = 1; start <= 4; start++) {
        timer_node_t *nodes = calloc(NODES, sizeof *nodes);
        cr_assert_not_null(nodes);
        due_t due = {0};
        uint64_t seed = start;
        int64_t now_ns = 0;
        for (int turn = 0; turn < TURNS; turn++) {
            timer_node_t *node = &nodes[draw(&seed, NODES)];
            if (draw(&seed, 3) == 0) {
                timer_unset(&due, node);
            } else {
                timer_set(&due, node, now_ns + length_of(&seed));
            }
            now_ns += draw(&seed, 100);
            timer_node_t *expected = soonest_of(nodes, now_ns);
            timer_node_t *got = timer_due(&due, now_ns);
            cr_assert_eq(got, expected, "seed %d, turn %d: expected node %td, got %td", (int) start,
                         turn, expected == NULL ? -1 : expected - nodes,
                         got == NULL ? -1 : got - nodes);
            const timer_node_t *next = soonest_of(nodes, INT64_MAX);
            cr_assert_eq(timer_next(&due), next == NULL ? INT64_MAX : next->due_ns);
        }
        due_free(&due);
        free(nodes);
    }
}

Test(due, deadlines_of_one_length_never_meet_the_heap_though_others_are_set_among_them)
{
    static timer_node_t nodes[NODES];
    static const int64_t length_ms[] = {5, 6, 86400};
    due_t due = {0};
    for (int i = 0; i < NODES; i++) {
        timer_set(&due, &nodes[i], i + length_ms[i % 3] * NS_PER_MS);
    }
    cr_expect_eq(due.count, 0, "expected none in the heap, got %u", due.count);
    for (int i = 0; i < NODES; i++) {
        timer_unset(&due, &nodes[i]);
    }
    cr_expect_eq(timer_next(&due), INT64_MAX);
    due_free(&due);
}

/* Those alike go behind each other at once: what is set among them is not to go with them. */
Test(due, deadlines_alike_then_a_sooner_one_and_then_alike_again_fire_in_their_order)
{
    static const int64_t at_ns[] = {5000, 5010, 5010, 3000, 5020, 2990, 5015, 5020, 60000, 5030};
    static const int order[] = {5, 3, 0, 1, 2, 6, 4, 7, 9, 8};
    enum { COUNT = sizeof at_ns / sizeof at_ns[0] };
    timer_node_t node[COUNT] = {0};
    due_t due = {0};
    for (int i = 0; i < COUNT; i++) {
        timer_set(&due, &node[i], at_ns[i]);
    }
    for (int i = 0; i < COUNT; i++) {
        const timer_node_t *fired = timer_due(&due, INT64_MAX);
        cr_assert_not_null(fired);
        cr_expect_eq(fired - node, order[i], "firing %d: expected that set as %d, got %d", i,
                     order[i], (int) (fired - node));
    }
    cr_expect_null(timer_due(&due, INT64_MAX));
    due_free(&due);
}
