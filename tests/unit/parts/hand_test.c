/* hand_test.c - claims about an order to end work that comes behind the target's next work. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "actors/despooler_hand.h"
#include "actors/outcome.h"
#include "proto/limits.h"

#define TARGET   7u
#define REMOVAL  hand_key(TARGET, ACTION_REMOVE)
#define REVISION 5u

/* Work for TARGET at this revision is in the inbox; in a slot where taken. */
static despooler_t
inbox_of(uint32_t action, uint64_t revision, bool taken)
{
    despooler_t self = {.queue = queue_new(1)};
    queue_entry_t entry = {.key = hand_key(TARGET, action),
                           .revision = revision,
                           .load = calloc(1, sizeof(hand_t)),
                           .later = action == ACTION_REMOVE};
    void *unused = NULL;

    cr_assert_eq(queue_add(self.queue, slice_of("a"), &entry, &unused), OK);
    cr_assert_null(unused);
    if (taken) {
        cr_assert_not_null(queue_take(self.queue));
    }
    return self;
}

static despooler_t
inbox_with(uint64_t revision, bool taken)
{
    return inbox_of(ACTION_REMOVE, revision, taken);
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

/* Their askers wait for an answer of theirs. */
Test(hand, an_order_ends_each_kind_of_work_but_for_looks)
{
    for (uint32_t action = 0; action < ACTION_COUNT; action++) {
        for (int taken = 0; taken < 2; taken++) {
            despooler_t self = inbox_of(action, REVISION, taken);
            uint64_t key = hand_key(TARGET, action);
            bool ends = hand_stop(&self, &order) || !(taken || queue_waits(self.queue, key));
            cr_expect_eq(ends, !action_looks(action), "%s, %s a slot: it %s",
                         action_words.word[action], taken ? "in" : "without",
                         ends ? "ends" : "goes on");
            queue_destroy(&self.queue, hand_drop);
        }
    }
}

/* What has the key of another replaces it in the inbox. */
Test(hand, no_work_has_the_key_of_work_for_another_target)
{
    for (uint32_t a = 0; a < ACTION_COUNT; a++) {
        for (uint32_t b = 0; b < ACTION_COUNT; b++) {
            cr_expect_neq(hand_key(TARGET, a), hand_key(TARGET + 1, b), "%s and, of the next, %s",
                          action_words.word[a], action_words.word[b]);
        }
    }
}
