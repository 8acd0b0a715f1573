/* rollback_test.c - claims about an older version that becomes the newest, where it stands. */
#include "yard.h"

#include <stdio.h>

#include "actors/content/hash.h"

/* Versions 1 and 2 are placed; the order is for the content of 1 as epoch 3. */
static void
order_the_first_again(yard_t *yard)
{
    make_file(yard_path(yard, "source/a"), "one", 0644);
    take(yard);
    digest_t first = yard->order.root;
    placed(yard);
    make_file(yard_path(yard, "source/a"), "two", 0644);
    take(yard);
    placed(yard);
    yard->order.epoch = 3;
    yard->order.root = first;
}

static place_collected_t
collected_now(yard_t *yard)
{
    place_collect_order_t order = {.package = "P1",
                                   .incarnation = yard->order.incarnation,
                                   .keep_epoch = yard->order.epoch,
                                   .now_ns = 1000};
    place_collected_t collected;
    for (int i = 0; i < 2; i++) { /* the first one notes since when they are superseded */
        EXPECT_OK(yard, place_collect(yard->world, yard->store, &yard->point, &order, &collected,
                                      &yard->fault));
    }
    return collected;
}

CLAIM_OF_BOTH(rollback, an_older_version_that_is_there_is_switched_to_and_nothing_is_written)
{
    yard_t yard;
    yard_begin(&yard, user);
    order_the_first_again(&yard);
    run("stat -c '%%i %%Z' %s > %s", yard_path(&yard, "root/P1/v1/a"), yard_path(&yard, "before"));
    place_plan_t plan;
    EXPECT_OK(&yard,
              place_plan(yard.world, yard.store, &yard.point, &yard.order, &plan, &yard.fault));
    EXPECT_COUNT(plan.need_bytes, 0);
    place_result_t result = placed(&yard);
    EXPECT_COUNT(result.files_written, 0);
    EXPECT_COUNT(result.files_resumed, 1);
    EXPECT_COUNT(result.receipt.epoch, 3);
    run("stat -c '%%i %%Z' %s | cmp - %s", yard_path(&yard, "root/P1/current/a"),
        yard_path(&yard, "before"));
    cr_expect(verified(&yard));
    cr_expect(placed(&yard).already);
    EXPECT_COUNT(collected_now(&yard).versions_removed, 1);
    cr_expect(!exists(yard_path(&yard, "root/P1/v2")));
    cr_expect(verified(&yard), "the collection took what is read");
    remove_all(&yard);
    yard_end(&yard);
}

CLAIM_OF_BOTH(rollback, an_older_version_that_is_there_is_read_before_it_is_switched_to)
{
    yard_t yard;
    yard_begin(&yard, user);
    order_the_first_again(&yard);
    run("touch -r %s %s && printf eno > %s && touch -r %s %s", yard_path(&yard, "root/P1/v1/a"),
        yard_path(&yard, "time"), yard_path(&yard, "root/P1/v1/a"), yard_path(&yard, "time"),
        yard_path(&yard, "root/P1/v1/a"));
    EXPECT_COUNT(placed(&yard).files_written, 1);
    run("test \"$(cat %s)\" = one", yard_path(&yard, "root/P1/current/a"));
    cr_expect(verified(&yard));
    EXPECT_COUNT(collected_now(&yard).versions_removed, 2);
    cr_expect(verified(&yard));
    remove_all(&yard);
    yard_end(&yard);
}

CLAIM_OF_BOTH(rollback, what_is_current_becomes_the_newest_epoch_where_it_is)
{
    yard_t yard;
    yard_begin(&yard, user);
    make_file(yard_path(&yard, "source/a"), "one", 0644);
    take(&yard);
    placed(&yard);
    yard.order.epoch = 3; /* 2 was never here */
    EXPECT_COUNT(placed(&yard).files_written, 0);
    run("test \"$(readlink %s)\" = v1", yard_path(&yard, "root/P1/current"));
    cr_expect(verified(&yard));
    place_result_t result;
    yard.order.epoch = 2;
    EXPECT_ERR(&yard, ERR_SUPERSEDED, place(&yard, &result));
    EXPECT_OK(&yard, receipt_remove(&yard.point, "P1", &yard.fault));
    EXPECT_ERR(&yard, ERR_SUPERSEDED, place(&yard, &result));
    remove_all(&yard);
    yard_end(&yard);
}

static void
lose_manifest(yard_t *yard, const char *name)
{
    run("f=$(ls %s/store/packs/*.pack) && printf X | dd of=$f conv=notrunc bs=1 "
        "seek=$(grep -abo '%s' $f | cut -d: -f1) 2>/dev/null",
        yard->data, name);
}

static err_t
collect_older(yard_t *yard, place_collected_t *ret)
{
    place_collect_order_t order = {.package = "P1",
                                   .incarnation = yard->order.incarnation,
                                   .keep_epoch = yard->order.epoch,
                                   .grace_ns = 1,
                                   .now_ns = 1000};
    err_t err = place_collect(yard->world, yard->store, &yard->point, &order, ret, &yard->fault);

    order.now_ns = 2000;
    return err == OK
               ? place_collect(yard->world, yard->store, &yard->point, &order, ret, &yard->fault)
               : err;
}

/* Which version cannot be taken away is told; its paths stay, and the current one is as it was. */
CLAIM_OF_BOTH(collect,
              a_superseded_version_whose_manifest_is_lost_is_named_and_goes_when_it_is_back)
{
    yard_t yard;
    place_collected_t collected;
    removal_result_t removed;
    yard_begin(&yard, user);
    make_file(yard_path(&yard, "source/of-the-first-version-alone"), "one", 0644);
    take(&yard);
    placed(&yard);
    digest_t first = yard.order.root;
    run("mv %s %s", yard_path(&yard, "source/of-the-first-version-alone"),
        yard_path(&yard, "kept"));
    make_file(yard_path(&yard, "source/b"), "two", 0644);
    take(&yard);
    placed(&yard);
    lose_manifest(&yard, "of-the-first-version-alone");
    EXPECT_ERR(&yard, ERR_DIGEST, collect_older(&yard, &collected));
    cr_expect(digest_equal(&collected.unread, &first), "it does not say which one");
    EXPECT_ERR(&yard, ERR_NOT_STORED, collect_older(&yard, &collected));
    cr_expect(digest_equal(&collected.unread, &first), "it does not say which one");
    cr_expect(exists(yard_path(&yard, "root/P1/v1/of-the-first-version-alone")));
    cr_expect(verified(&yard));
    EXPECT_ERR(&yard, ERR_NOT_STORED,
               removal_package(yard.world, yard.store, &yard.point, "P1", &yard.order.incarnation,
                               &removed, &yard.fault));
    cr_expect(digest_equal(&removed.unread, &first), "it does not say which one");
    cr_expect(exists(yard_path(&yard, "root/P1/v1/of-the-first-version-alone")));
    run("mv %s %s && rm %s", yard_path(&yard, "kept"),
        yard_path(&yard, "source/of-the-first-version-alone"), yard_path(&yard, "source/b"));
    take(&yard); /* the site has it, and sends it */
    EXPECT_OK(&yard, removal_package(yard.world, yard.store, &yard.point, "P1",
                                     &yard.order.incarnation, &removed, &yard.fault));
    cr_expect(removed.gone && removed.foreign == 0);
    removal_result_release(&removed);
    yard_end(&yard);
}

static err_t
collect_at(yard_t *yard, int64_t now_ns, place_collected_t *ret)
{
    place_collect_order_t order = {.package = "P1",
                                   .incarnation = yard->order.incarnation,
                                   .keep_epoch = yard->order.epoch,
                                   .grace_ns = 1,
                                   .now_ns = now_ns};
    return place_collect(yard->world, yard->store, &yard->point, &order, ret, &yard->fault);
}

/* Whoever waits for a manifest to come back has the others out of the way. */
CLAIM_OF_BOTH(collect, a_version_whose_manifest_is_lost_keeps_no_other_one)
{
    yard_t yard;
    place_collected_t collected;
    yard_begin(&yard, user);
    make_file(yard_path(&yard, "source/of-the-first-version-alone"), "one", 0644);
    take(&yard);
    placed(&yard);
    digest_t first = yard.order.root;
    run("rm %s", yard_path(&yard, "source/of-the-first-version-alone"));
    for (unsigned version = 2; version <= 3; version++) {
        make_file(yard_path(&yard, "source/b"), version == 2 ? "two" : "three", 0644);
        take(&yard);
        placed(&yard);
    }
    lose_manifest(&yard, "of-the-first-version-alone");
    EXPECT_OK(&yard, collect_at(&yard, 1000, &collected));
    EXPECT_ERR(&yard, ERR_DIGEST, collect_at(&yard, 2000, &collected));
    cr_expect(digest_equal(&collected.unread, &first), "it does not say which one");
    cr_expect(exists(yard_path(&yard, "root/P1/v1/of-the-first-version-alone")));
    cr_expect(!exists(yard_path(&yard, "root/P1/v2")), "the second one waits for the first");
    cr_expect(verified(&yard));
    yard_end(&yard);
}

/* A bit that turned in a text of a few hundred bytes, of a version that nobody reads any more. */
CLAIM_OF_BOTH(place, a_record_that_is_damaged_keeps_no_version_from_its_point)
{
    yard_t yard;
    place_collected_t collected = {0};
    yard_begin(&yard, user);
    for (unsigned version = 1; version <= 2; version++) {
        make_file(yard_path(&yard, "source/a"), version == 1 ? "one" : "two", 0644);
        take(&yard);
        placed(&yard);
    }
    run("cd %s/root/.despool/packages/P1 && sed -i 's/root/rooc/' v1 v2", yard.path);
    cr_expect(placed(&yard).already);
    cr_expect(verified(&yard));
    make_file(yard_path(&yard, "source/a"), "three", 0644);
    take(&yard);
    placed(&yard);
    cr_expect(verified(&yard));
    make_file(yard_path(&yard, "source/a"), "four", 0644);
    take(&yard);
    placed(&yard);
    EXPECT_ERR(&yard, ERR_DAMAGED, collect_at(&yard, 1000, &collected));
    EXPECT_ERR(&yard, ERR_DAMAGED, collect_at(&yard, 2000, &collected));
    cr_expect(exists(yard_path(&yard, "root/P1/v1")), "what nobody knows was taken away");
    cr_expect(!exists(yard_path(&yard, "root/P1/v3")), "what is known stays for it");
    place_result_t result;
    EXPECT_OK(&yard, receipt_remove(&yard.point, "P1", &yard.fault));
    EXPECT_ERR(&yard, ERR_DAMAGED, place(&yard, &result));
    yard_end(&yard);
}

CLAIM_OF_BOTH(rollback, a_version_that_was_taken_over_and_is_damaged_gets_a_directory_of_its_own)
{
    yard_t yard;
    yard_begin(&yard, user);
    order_the_first_again(&yard);
    placed(&yard);
    make_file(yard_path(&yard, "root/P1/v1/a"), "eno", 0644);
    EXPECT_OK(&yard, receipt_remove(&yard.point, "P1", &yard.fault));
    EXPECT_COUNT(placed(&yard).files_written, 1);
    run("test \"$(readlink %s)\" = v3", yard_path(&yard, "root/P1/current"));
    cr_expect(verified(&yard));
    remove_all(&yard);
    yard_end(&yard);
}

CLAIM_OF_BOTH(rollback, q288970_q320692_a_site_that_is_behind_is_told_how_far)
{
    yard_t yard;
    yard_begin(&yard, user);
    order_the_first_again(&yard);
    uint64_t highest = 0;
    place_result_t result;
    yard.order.epoch = 2; /* of a site that knows 1 alone, and gives 2 to its next version */
    EXPECT_ERR(&yard, ERR_SUPERSEDED, place(&yard, &result));
    yard.order.epoch = 1;
    EXPECT_ERR(&yard, ERR_SUPERSEDED, place(&yard, &result));
    EXPECT_OK(&yard, receipt_remove(&yard.point, "P1", &yard.fault));
    EXPECT_ERR(&yard, ERR_SUPERSEDED, place(&yard, &result));
    EXPECT_OK(&yard,
              place_highest(&yard.point, "P1", &yard.order.incarnation, &highest, &yard.fault));
    EXPECT_COUNT(highest, 2);
    yard.order.epoch = highest + 1;
    EXPECT_COUNT(placed(&yard).files_written, 0);
    cr_expect(verified(&yard));
    remove_all(&yard);
    yard_end(&yard);
}
