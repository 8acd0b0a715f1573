/* promise_test.c - claims about a version that is staged first, and switched to by another
 * order. */
#include "actors/content/hash.h"

#include "yard.h"

/* Version 1 is current; the order is to stage version 2. */
static void
order_to_stage(yard_t *yard)
{
    make_file(yard_path(yard, "source/a"), "one", 0644);
    take(yard);
    placed(yard);
    make_file(yard_path(yard, "source/a"), "two", 0644);
    take(yard);
    yard->order.stage = true;
}

/* The collection of what `keep` superseded, without any grace. */
static uint64_t
collected_below(yard_t *yard, uint64_t keep)
{
    uint64_t removed = 0;
    place_collect_order_t order = {.package = "P1",
                                   .incarnation = yard->order.incarnation,
                                   .keep_epoch = keep,
                                   .now_ns = 1000};
    for (int i = 0; i < 2; i++) { /* the first one notes since when they are superseded */
        place_collected_t collected;
        EXPECT_OK(yard, place_collect(yard->world, yard->store, &yard->point, &order, &collected,
                                      &yard->fault));
        removed += collected.versions_removed;
    }
    return removed;
}

static void
leads_to(yard_t *yard, const char *text)
{
    run("test \"$(readlink %s)\" = %s", yard_path(yard, "root/P1/current"), text);
}

static uint64_t
receipt_of(yard_t *yard)
{
    receipt_t receipt = {.epoch = 0};
    EXPECT_OK(yard, receipt_read(&yard->point, "P1", &receipt, &yard->fault));
    return receipt.epoch;
}

CLAIM_OF_BOTH(promise, what_is_staged_is_whole_and_nobody_is_led_to_it_before_the_switch)
{
    yard_t yard;
    yard_begin(&yard, user);
    order_to_stage(&yard);
    place_result_t result = placed(&yard);
    EXPECT_COUNT(result.files_written, 1);
    EXPECT_COUNT(result.receipt.epoch, 2);
    cr_expect(digest_equal(&result.receipt.root, &yard.order.root));
    leads_to(&yard, "v1");
    EXPECT_COUNT(receipt_of(&yard), 1);
    cr_expect(same_tree(yard.source, yard_path(&yard, "root/P1/v2")));
    EXPECT_COUNT(collected_below(&yard, 1), 0);
    EXPECT_COUNT(placed(&yard).files_written, 0);
    leads_to(&yard, "v1");
    yard.order.stage = false;
    EXPECT_COUNT(placed(&yard).files_written, 0);
    leads_to(&yard, "v2");
    EXPECT_COUNT(receipt_of(&yard), 2);
    cr_expect(verified(&yard));
    remove_all(&yard);
    yard_end(&yard);
}

CLAIM_OF_BOTH(promise, what_rotted_between_promise_and_switch_is_placed_again_and_never_read)
{
    yard_t yard;
    yard_begin(&yard, user);
    order_to_stage(&yard);
    placed(&yard);
    run("cd %s && touch -r a ../time && printf owt > a && touch -r ../time a && rm ../time",
        yard_path(&yard, "root/P1/v2"));
    yard.order.stage = false;
    EXPECT_COUNT(placed(&yard).files_written, 1);
    leads_to(&yard, "v2-1");
    cr_expect(verified(&yard));
    yard_end(&yard);
}

CLAIM_OF_BOTH(promise, of_what_is_current_already_nothing_is_written_and_nothing_taken_over)
{
    yard_t yard;
    yard_begin(&yard, user);
    order_to_stage(&yard);
    yard.order.stage = false;
    placed(&yard);
    yard.order.stage = true;
    yard.order.epoch = 3; /* with the root of 2 */
    EXPECT_COUNT(placed(&yard).files_written, 0);
    EXPECT_COUNT(receipt_of(&yard), 2);
    EXPECT_COUNT(collected_below(&yard, 2), 1);
    yard.order.epoch = 2;
    cr_expect(verified(&yard), "the version before the switch has lost its directory");
    yard.order.stage = false;
    cr_expect(placed(&yard).already, "the version before the switch is not the point's any more");
    yard.order.epoch = 3;
    yard.order.stage = false;
    EXPECT_COUNT(placed(&yard).files_written, 0);
    EXPECT_COUNT(receipt_of(&yard), 3);
    cr_expect(verified(&yard));
    yard_end(&yard);
}

CLAIM_OF_BOTH(promise, does_not_rest_on_a_directory_that_is_collected_before_the_switch)
{
    yard_t yard;
    yard_begin(&yard, user);
    make_file(yard_path(&yard, "source/a"), "one", 0644);
    take(&yard);
    digest_t first = yard.order.root;
    placed(&yard);
    make_file(yard_path(&yard, "source/a"), "two", 0644);
    take(&yard);
    placed(&yard);
    yard.order.stage = true;
    yard.order.epoch = 3;
    yard.order.root = first;
    EXPECT_COUNT(placed(&yard).files_written, 1);
    EXPECT_COUNT(collected_below(&yard, 2), 1);
    yard.order.stage = false;
    EXPECT_COUNT(placed(&yard).files_written, 0);
    leads_to(&yard, "v3");
    cr_expect(verified(&yard));
    remove_all(&yard);
    yard_end(&yard);
}
