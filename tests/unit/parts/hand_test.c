/* hand_test.c - claims about an order to end work that comes behind the target's next work. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "actors/despooler_hand.h"
#include "actors/outcome.h"
#include "proto/limits.h"

#define TARGET   7u
#define KEYS     4u /* of one target */
#define REMOVAL  (TARGET * KEYS + ACTION_REMOVE)
#define REVISION 5u

/* A removal of TARGET at this revision is in the inbox; in a slot where taken. */
static despooler_t
inbox_with(uint64_t revision, bool taken)
{
    despooler_t self = {.queue = queue_new(1)};
    queue_entry_t entry = {
        .key = REMOVAL, .revision = revision, .load = calloc(1, sizeof(hand_t)), .later = true};
    void *unused = NULL;

    cr_assert_eq(queue_add(self.queue, slice_of("a"), &entry, &unused), OK);
    cr_assert_null(unused);
    if (taken) {
        cr_assert_not_null(queue_take(self.queue));
    }
    return self;
}

static const stopped_row_t order = {.target = TARGET, .revision = REVISION};

Test(hand, an_order_to_end_work_takes_it_out_of_the_inbox)
{
    despooler_t self = inbox_with(REVISION, false);
    cr_expect_null(hand_stop(&self, &order));
    cr_expect_null(queue_waits(self.queue, REMOVAL), "it waits on");
    queue_destroy(&self.queue, hand_drop);
}

Test(hand, an_order_that_comes_late_leaves_the_removal_that_waits)
{
    despooler_t self = inbox_with(REVISION + 1, false);
    cr_expect_null(hand_stop(&self, &order));
    cr_expect_not_null(queue_waits(self.queue, REMOVAL), "the removal would stay removing");
    queue_destroy(&self.queue, hand_drop);
}

Test(hand, an_order_finds_what_is_in_a_slot_and_no_later_work)
{
    despooler_t self = inbox_with(REVISION, true), later = inbox_with(REVISION + 1, true);
    cr_expect_not_null(hand_stop(&self, &order), "it goes on");
    cr_expect_null(hand_stop(&later, &order), "the removal would stay removing");
    queue_destroy(&self.queue, hand_drop);
    queue_destroy(&later.queue, hand_drop);
}
