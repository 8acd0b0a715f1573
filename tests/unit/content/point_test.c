/* point_test.c - claims about identity, verify and removal. */
#include "yard.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static err_t
reopen(yard_t *yard)
{
    point_close(&yard->point);
    return point_open(yard->world, yard->root, &yard->identity.site, &yard->identity.incarnation,
                      &yard->point, &yard->fault);
}

CLAIM_OF_BOTH(point, that_is_not_there_is_absent)
{
    yard_t yard;
    yard_begin(&yard, user);
    run("mv %s %s.away", yard.root, yard.root);
    EXPECT_ERR(&yard, ERR_ABSENT, reopen(&yard));
    make_directory(yard.root, 0755);
    EXPECT_ERR(&yard, ERR_ABSENT, reopen(&yard));
    run("rmdir %s; touch %s", yard.root, yard.root);
    EXPECT_ERR(&yard, ERR_ABSENT, reopen(&yard));
    run("rm %s; mv %s.away %s", yard.root, yard.root, yard.root);
    EXPECT_OK(&yard, reopen(&yard));
    yard_end(&yard);
}

CLAIM_OF_BOTH(point, of_another_name_or_site_is_refused)
{
    yard_t yard;
    yard_begin(&yard, user);
    yard.identity.incarnation.byte[3] ^= 1;
    EXPECT_ERR(&yard, ERR_NOT_THIS_POINT, reopen(&yard));
    yard.identity.site.byte[3] ^= 1;
    EXPECT_ERR(&yard, ERR_OTHER_SITE, reopen(&yard));
    yard_end(&yard);
}

CLAIM_OF_BOTH(point, that_was_torn_is_damaged_and_not_believed)
{
    yard_t yard;
    yard_begin(&yard, user);
    run("sed -i s/D1/D2/ %s/.despool/point", yard.root);
    EXPECT_ERR(&yard, ERR_DAMAGED, reopen(&yard));
    run("truncate -s 20 %s/.despool/point", yard.root);
    EXPECT_ERR(&yard, ERR_DAMAGED, reopen(&yard));
    yard_end(&yard);
}

CLAIM_OF_BOTH(point, is_claimed_once_and_adopted_on_purpose)
{
    yard_t yard;
    yard_begin(&yard, user);
    point_identity_t other = yard.identity;
    id128_t known[] = {yard.identity.incarnation};
    other.incarnation.byte[0] = 9;
    EXPECT_ERR(&yard, ERR_NOT_THIS_POINT,
               point_claim(yard.world, yard.root, &other, known, 1, false, &yard.fault));
    EXPECT_OK(&yard, reopen(&yard));
    EXPECT_OK(&yard, point_claim(yard.world, yard.root, &other, NULL, 0, true, &yard.fault));
    EXPECT_OK(&yard, reopen(&yard));
    EXPECT_OK(&yard, point_claim(yard.world, yard.root, &other, NULL, 0, false, &yard.fault));
    EXPECT_ERR(&yard, ERR_NOT_THIS_POINT, reopen(&yard));
    other.site.byte[0] = 9;
    EXPECT_ERR(&yard, ERR_OTHER_SITE,
               point_claim(yard.world, yard.root, &other, NULL, 0, false, &yard.fault));
    bool carried_another = false;
    EXPECT_OK(&yard,
              point_adopt(yard.world, yard.root, &other, false, &carried_another, &yard.fault));
    cr_expect(carried_another);
    EXPECT_ERR(&yard, ERR_OTHER_SITE, reopen(&yard));
    yard_end(&yard);
}

CLAIM_OF_BOTH(point, is_released_only_when_it_holds_nothing)
{
    yard_t yard;
    yard_begin(&yard, user);
    make_tree(&yard);
    take(&yard);
    placed(&yard);
    EXPECT_ERR(&yard, ERR_IN_USE, point_release(&yard.point, &yard.fault));
    cr_expect(verified(&yard));
    removal_result_t removed;
    EXPECT_OK(&yard, removal_package(yard.world, yard.store, &yard.point, "P1",
                                     &yard.order.incarnation, &removed, &yard.fault));
    removal_result_release(&removed);
    EXPECT_OK(&yard, point_release(&yard.point, &yard.fault));
    run("test -z \"$(ls -A %s)\"", yard.root);
    yard_end(&yard);
}

CLAIM_OF_BOTH(point, is_vacated_once_and_whatever_a_kill_left_of_it_goes)
{
    yard_t yard;
    yard_begin(&yard, user);
    point_identity_t other = yard.point.identity;
    const id128_t site = other.site, incarnation = other.incarnation;
    run("mkdir %s/theirs", yard.root);
    EXPECT_OK(&yard, point_empty(&yard.point, &yard.fault));
    EXPECT_OK(&yard, reopen(&yard));
    run("test \"$(ls -A %s/.despool)\" = point", yard.root);
    run("rm %s/.despool/point", yard.root);
    EXPECT_OK(&yard, point_vacate(yard.world, yard.root, &site, &incarnation, &yard.fault));
    run("test \"$(ls -A %s)\" = theirs", yard.root);
    EXPECT_OK(&yard, point_vacate(yard.world, yard.root, &site, &incarnation, &yard.fault));
    other.site.byte[0] ^= 1;
    EXPECT_OK(&yard, point_claim(yard.world, yard.root, &other, NULL, 0, false, &yard.fault));
    EXPECT_OK(&yard, point_vacate(yard.world, yard.root, &site, &incarnation, &yard.fault));
    run("test -f %s/.despool/point", yard.root);
    EXPECT_OK(&yard, point_vacate(yard.world, yard.root, &other.site, &incarnation, &yard.fault));
    run("test \"$(ls -A %s)\" = theirs", yard.root);
    run("mv %s/theirs %s.away && rmdir %s", yard.root, yard.root, yard.root);
    EXPECT_ERR(&yard, ERR_ABSENT,
               point_vacate(yard.world, yard.root, &site, &incarnation, &yard.fault));
    yard_end(&yard);
}

static bool
overlaps(yard_t *yard, const char *a, const char *b)
{
    char first[256];
    char second[256];
    bool result = false;
    strcpy(first, yard_path(yard, "%s", a));
    strcpy(second, yard_path(yard, "%s", b));
    EXPECT_OK(yard, point_overlaps(yard->world, first, second, &result, &yard->fault));
    return result;
}

CLAIM_OF_BOTH(point, overlap_is_found_by_inode_in_both_directions)
{
    yard_t yard;
    yard_begin(&yard, user);
    make_directory(yard_path(&yard, "a"), 0755);
    make_directory(yard_path(&yard, "a/b"), 0755);
    make_directory(yard_path(&yard, "ab"), 0755);
    make_symlink("a", yard_path(&yard, "link"));
    cr_expect(overlaps(&yard, "a", "a"));
    cr_expect(overlaps(&yard, "a", "a/b"));
    cr_expect(overlaps(&yard, "a/b", "a"));
    cr_expect(overlaps(&yard, "link", "a/b"));
    cr_expect(overlaps(&yard, "a/b", "link"));
    cr_expect(overlaps(&yard, "a/gone", "a"));
    cr_expect(!overlaps(&yard, "a", "ab"));
    cr_expect(!overlaps(&yard, "ab", "a/gone"));
    yard_end(&yard);
}

static bool
tells(const verify_result_t *result, path_kind_t kind, const char *path)
{
    for (uint32_t i = 0; i < result->paths.kept; i++) {
        const path_item_t *item = &result->paths.item[i];
        if (item->kind == kind && strcmp(result->paths.text + item->at, path) == 0) {
            return true;
        }
    }
    return false;
}

CLAIM_OF_BOTH(verify, finds_a_flipped_byte_whose_mtime_was_put_back)
{
    yard_t yard;
    yard_begin(&yard, user);
    make_tree(&yard);
    take(&yard);
    placed(&yard);
    run("cd %s/P1/v1 && touch -r plain ../../ref && printf P | dd of=plain conv=notrunc bs=1 "
        "2>/dev/null && touch -r ../../ref plain",
        yard.root);
    verify_result_t result = looked(&yard);
    cr_expect(!result.whole);
    EXPECT_COUNT(result.paths.count[PATH_CHANGED], 1);
    cr_expect(tells(&result, PATH_CHANGED, "v1/plain"));
    EXPECT_COUNT(result.files, 5);
    verify_result_release(&result);
    yard_end(&yard);
}

CLAIM_OF_BOTH(verify, lists_missing_changed_and_extra_paths)
{
    yard_t yard;
    yard_begin(&yard, user);
    make_tree(&yard);
    take(&yard);
    placed(&yard);
    run("cd %s/P1/v1 && rm -r dir plain && ln -sfn other dangling && chmod 777 empty && "
        "touch zzz && chmod u+w closed && touch closed/aaa && mkdir dir2 && mkdir plain",
        yard.root);
    verify_result_t result = looked(&yard);
    cr_expect(!result.whole);
    static const char *const missing[] = {"v1/dir", "v1/dir/inner", "v1/dir/empty", "v1/dir/link"};
    static const char *const changed[] = {"v1", "v1/dangling", "v1/empty", "v1/closed", "v1/plain"};
    static const char *const extra[] = {"v1/zzz", "v1/closed/aaa", "v1/dir2"};
    for (size_t i = 0; i < 4; i++) {
        cr_expect(tells(&result, PATH_MISSING, missing[i]), "%s", missing[i]);
    }
    for (size_t i = 0; i < 5; i++) {
        cr_expect(tells(&result, PATH_CHANGED, changed[i]), "%s", changed[i]);
    }
    for (size_t i = 0; i < 3; i++) {
        cr_expect(tells(&result, PATH_EXTRA, extra[i]), "%s", extra[i]);
    }
    EXPECT_COUNT(result.paths.count[PATH_MISSING], 4);
    EXPECT_COUNT(result.paths.count[PATH_CHANGED], 5);
    EXPECT_COUNT(result.paths.count[PATH_EXTRA], 3);
    verify_result_release(&result);
    yard_end(&yard);
}

/* All that the version has, and the version and `current` themselves. */
static void
expect_all_missing(yard_t *yard, bool link)
{
    static const char *const missing[] = {"v1", "v1/plain", "v1/dir/inner", "v1/dir/link",
                                          "v1/dangling"};
    verify_result_t result = looked(yard);
    uint64_t listed = yard->snapshot.files + yard->snapshot.directories + yard->snapshot.links + 1;
    cr_expect(!result.whole);
    for (size_t i = 0; i < sizeof missing / sizeof missing[0]; i++) {
        cr_expect(tells(&result, PATH_MISSING, missing[i]), "'%s' is not listed", missing[i]);
    }
    cr_expect_eq(tells(&result, PATH_MISSING, "current"), link);
    cr_expect(!tells(&result, PATH_MISSING, "."), "'.' is no path of the version");
    EXPECT_COUNT(result.paths.count[PATH_MISSING], listed + link);
    EXPECT_COUNT(result.files, 0);
    verify_result_release(&result);
}

CLAIM_OF_BOTH(verify, lists_all_that_is_missing_where_the_package_or_its_version_is_gone)
{
    yard_t yard;
    yard_begin(&yard, user);
    make_tree(&yard);
    take(&yard);
    placed(&yard);
    run("chmod -R u+w %s/P1 && rm -r %s/P1/v1", yard.root, yard.root);
    expect_all_missing(&yard, false);
    run("rm -r %s/P1", yard.root);
    expect_all_missing(&yard, true);
    yard_end(&yard);
}

CLAIM_OF_BOTH(verify, tells_a_missing_link_a_missing_version_and_a_missing_receipt)
{
    yard_t yard;
    yard_begin(&yard, user);
    make_tree(&yard);
    take(&yard);
    verify_result_t result = looked(&yard);
    cr_expect(!result.whole);
    verify_result_release(&result);
    placed(&yard);
    run("rm %s/P1/current", yard.root);
    result = looked(&yard);
    cr_expect(!result.whole && tells(&result, PATH_MISSING, "current"));
    verify_result_release(&result);
    run("ln -s v1 %s/P1/current", yard.root);
    cr_expect(verified(&yard));
    run("rm %s/.despool/receipts/P1", yard.root);
    result = looked(&yard);
    cr_expect(!result.whole && !result.has_receipt);
    verify_result_release(&result);
    yard_end(&yard);
}

CLAIM_OF_BOTH(removal, leaves_foreign_files_and_tells_them)
{
    yard_t yard;
    yard_begin(&yard, user);
    make_tree(&yard);
    take(&yard);
    placed(&yard);
    make_file(yard_path(&yard, "source/plain"), "new", 0644);
    take(&yard);
    placed(&yard);
    run("cd %s/P1 && chmod u+w v1/closed && echo foreign > v1/closed/foreign && echo f > v2/f",
        yard.root);
    removal_result_t removed;
    EXPECT_OK(&yard, removal_package(yard.world, yard.store, &yard.point, "P1",
                                     &yard.order.incarnation, &removed, &yard.fault));
    cr_expect(!removed.gone);
    EXPECT_COUNT(removed.foreign, 2);
    EXPECT_COUNT(removed.paths.count[PATH_EXTRA], 2);
    run("cd %s && test \"$(find P1 -type f | sort | tr '\\n' ' ')\" = "
        "'P1/v1/closed/foreign P1/v2/f ' && test ! -L P1/current && ! ls .despool/receipts/P1 "
        "2>/dev/null && test -z \"$(ls -A .despool/staging .despool/packages | grep -v :)\"",
        yard.root);
    removal_result_release(&removed);
    place_result_t result;
    EXPECT_ERR(&yard, ERR_NOT_OURS, place(&yard, &result));
    yard_end(&yard);
}

CLAIM_OF_BOTH(removal, takes_along_what_a_cut_run_left_of_its_notes)
{
    yard_t yard;
    removal_result_t removed;
    yard_begin(&yard, user);
    make_tree(&yard);
    take(&yard);
    placed(&yard);
    make_file(yard_path(&yard, "root/.despool/.point.new"), "half", 0644);
    make_file(yard_path(&yard, "root/.despool/receipts/.P1.new"), "half", 0644);
    make_file(yard_path(&yard, "root/.despool/packages/P1/.v1.new"), "half", 0644);
    EXPECT_OK(&yard, removal_package(yard.world, yard.store, &yard.point, "P1",
                                     &yard.order.incarnation, &removed, &yard.fault));
    removal_result_release(&removed);
    run("test -z \"$(cd %s/.despool && ls -A receipts packages staging | grep -v :)\"", yard.root);
    EXPECT_OK(&yard, point_release(&yard.point, &yard.fault));
    run("test -z \"$(ls -A %s)\"", yard.root);
    yard_end(&yard);
}

CLAIM_OF_BOTH(removal, of_nothing_is_done)
{
    yard_t yard;
    yard_begin(&yard, user);
    removal_result_t removed;
    EXPECT_OK(&yard, removal_package(yard.world, yard.store, &yard.point, "P1",
                                     &yard.order.incarnation, &removed, &yard.fault));
    cr_expect(removed.gone);
    EXPECT_COUNT(removed.removed, 0);
    removal_result_release(&removed);
    make_tree(&yard);
    take(&yard);
    placed(&yard);
    yard.order.incarnation.byte[0] ^= 1;
    EXPECT_ERR(&yard, ERR_NOT_OURS,
               removal_package(yard.world, yard.store, &yard.point, "P1", &yard.order.incarnation,
                               &removed, &yard.fault));
    yard.order.incarnation.byte[0] ^= 1;
    cr_expect(verified(&yard));
    yard_end(&yard);
}
