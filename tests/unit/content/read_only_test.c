/* read_only_test.c - claims about points at which nobody may write to what was placed. */
#include "ahead.h"

/* The source's tree with its modes less the right to write stands there. */
static void
expect_less_write(yard_t *yard, const char *placed_at)
{
    const char *wanted = yard_path(yard, "wanted");
    run("mkdir %s && cp -a %s/. %s && touch -r %s %s && chmod -R a-w %s", wanted, yard->source,
        wanted, yard->source, wanted, wanted);
    cr_expect(same_tree(wanted, yard_path(yard, "%s", placed_at)));
    run("chmod -R u+w %s && rm -r %s", wanted, wanted);
}

/* Another version than before. */
static void
take_file(yard_t *yard, const char *text)
{
    make_file(yard_path(yard, "source/a"), text, 0644);
    take(yard);
}

CLAIM_OF_BOTH(read_only, a_version_is_placed_less_the_right_to_write_and_is_whole_so)
{
    yard_t yard;
    yard_begin(&yard, user);
    make_tree(&yard);
    take(&yard);
    yard.order.read_only = true;
    place_result_t result = placed(&yard);
    cr_expect(result.receipt.read_only);
    expect_less_write(&yard, "root/P1/current");
    cr_expect(verified(&yard));
    cr_expect(placed(&yard).already);
    remove_all(&yard);
    cr_expect(!exists(yard_path(&yard, "root/P1")));
    yard_end(&yard);
}

CLAIM_OF_BOTH(read_only, who_may_write_again_is_found_by_verify_and_repaired)
{
    yard_t yard;
    yard_begin(&yard, user);
    make_tree(&yard);
    take(&yard);
    yard.order.read_only = true;
    placed(&yard);
    run("chmod u+w %s", yard_path(&yard, "root/P1/v1/dir/inner"));
    verify_result_t result = looked(&yard);
    EXPECT_COUNT(result.paths.count[PATH_CHANGED], 1);
    verify_result_release(&result);
    EXPECT_OK(&yard, receipt_remove(&yard.point, "P1", &yard.fault));
    placed(&yard);
    expect_less_write(&yard, "root/P1/v1-1");
    cr_expect(verified(&yard));
    run("chmod u+w %s", yard_path(&yard, "root/P1/v1-1"));
    cr_expect(!verified(&yard), "its topmost directory is not looked at");
    remove_all(&yard);
    yard_end(&yard);
}

CLAIM_OF_BOTH(read_only, what_stands_keeps_its_modes_and_the_next_version_has_the_others)
{
    yard_t yard;
    yard_begin(&yard, user);
    take_file(&yard, "one");
    placed(&yard);
    yard.order.read_only = true;
    cr_expect(verified(&yard), "it is held against other modes than it was placed with");
    cr_expect(placed(&yard).already);
    EXPECT_OK(&yard, receipt_remove(&yard.point, "P1", &yard.fault));
    EXPECT_COUNT(placed(&yard).files_written, 0);
    cr_expect(same_tree(yard.source, yard_path(&yard, "root/P1/v1")));
    cr_expect(verified(&yard));
    take_file(&yard, "two");
    placed(&yard);
    expect_less_write(&yard, "root/P1/v2");
    yard.order.read_only = false;
    cr_expect(verified(&yard));
    take_file(&yard, "three");
    placed(&yard);
    cr_expect(same_tree(yard.source, yard_path(&yard, "root/P1/current")));
    cr_expect(verified(&yard));
    remove_all(&yard);
    yard_end(&yard);
}

/* Versions 1 and 2 are placed so; the order is for the content of 1 as epoch 3. */
static void
order_the_first_again(yard_t *yard, bool read_only)
{
    yard->order.read_only = read_only;
    take_file(yard, "one");
    digest_t first = yard->order.root;
    placed(yard);
    take_file(yard, "two");
    placed(yard);
    make_file(yard_path(yard, "source/a"), "one", 0644);
    yard->order.epoch = 3;
    yard->order.root = first;
}

CLAIM_OF_BOTH(read_only, a_rollback_to_a_version_that_stands_so_writes_nothing)
{
    yard_t yard;
    yard_begin(&yard, user);
    order_the_first_again(&yard, true);
    EXPECT_COUNT(placed(&yard).files_written, 0);
    run("test \"$(readlink %s)\" = v1", yard_path(&yard, "root/P1/current"));
    cr_expect(verified(&yard));
    cr_expect(placed(&yard).already);
    remove_all(&yard);
    yard_end(&yard);
}

CLAIM_OF_BOTH(read_only, a_rollback_to_a_version_that_stands_with_other_modes_places_it_anew)
{
    yard_t yard;
    yard_begin(&yard, user);
    order_the_first_again(&yard, false);
    yard.order.read_only = true;
    place_plan_t plan;
    EXPECT_OK(&yard,
              place_plan(yard.world, yard.store, &yard.point, &yard.order, &plan, &yard.fault));
    cr_expect(plan.need_bytes > 0, "no room is asked for");
    EXPECT_COUNT(placed(&yard).files_written, 1);
    run("test \"$(readlink %s)\" = v3", yard_path(&yard, "root/P1/current"));
    run("test \"$(stat -c %%a %s)\" = 444", yard_path(&yard, "root/P1/v3/a"));
    run("test \"$(stat -c %%a %s)\" = 644", yard_path(&yard, "root/P1/v1/a"));
    cr_expect(verified(&yard));
    remove_all(&yard);
    yard_end(&yard);
}

CLAIM_OF_BOTH(read_only, what_is_promised_is_switched_to_as_it_was_staged)
{
    yard_t yard;
    yard_begin(&yard, user);
    take_file(&yard, "one");
    yard.order.stage = yard.order.read_only = true;
    placed(&yard);
    yard.order.read_only = false;
    cr_expect(verified(&yard));
    yard.order.stage = false;
    EXPECT_COUNT(placed(&yard).files_written, 0);
    expect_less_write(&yard, "root/P1/current");
    cr_expect(verified(&yard));
    remove_all(&yard);
    yard_end(&yard);
}

CLAIM_OF_BOTH(read_only, what_came_is_in_the_tree_with_its_modes_and_is_not_read_again)
{
    ahead_t ahead;
    ahead_begin(&ahead, user);
    ahead.yard.order.read_only = true;
    ahead_begin_order(&ahead);
    ahead_fetch(&ahead);
    place_result_t result = ahead_placed(&ahead);
    EXPECT_COUNT(result.files_written, 0);
    EXPECT_COUNT(result.files_resumed, result.files);
    cr_expect(ahead.seen.read < MORE, "%llu bytes were read", (unsigned long long) ahead.seen.read);
    expect_less_write(&ahead.yard, "root/P1/current");
    cr_expect(verified(&ahead.yard));
    ahead_end(&ahead);
}

CLAIM_OF_BOTH(read_only, what_came_with_other_modes_is_given_those_of_the_order)
{
    ahead_t ahead;
    ahead_begin(&ahead, user);
    ahead_fetch(&ahead);
    ahead.yard.order.read_only = true;
    EXPECT_COUNT(ahead_placed(&ahead).files_written, 0);
    expect_less_write(&ahead.yard, "root/P1/current");
    cr_expect(verified(&ahead.yard));
    ahead_end(&ahead);
}
