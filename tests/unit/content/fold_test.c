/* fold_test.c - claims about names that differ only in case. */
#include "watched.h"

#include <string.h>
#include "actors/content/fold.h"

static void
folds_to(const char *name, const char *expected)
{
    char fold[TREE_NAME_BYTES_MAX + 1] = "";
    bool changed = fold_name(name, strlen(name), fold);
    cr_expect_str_eq(fold, expected, "'%s' is '%s'", name, fold);
    cr_expect_eq(changed, strcmp(name, expected) != 0, "'%s'", name);
}

Test(fold, letters_of_ascii_latin_greek_and_cyrillic_are_folded_and_nothing_else)
{
    folds_to("ReadMe.TXT", "readme.txt");
    folds_to("@[`{09-_", "@[`{09-_");
    folds_to("\u00c0\u00d6\u00d7\u00d8\u00de\u00df", "\u00e0\u00f6\u00d7\u00f8\u00fe\u00df");
    folds_to("\u0100\u0101\u012e\u0132\u0137\u0138", "\u0101\u0101\u012f\u0133\u0137\u0138");
    folds_to("\u0139\u0148\u0149\u014a\u0177", "\u013a\u0148\u0149\u014b\u0177");
    folds_to("\u0178\u0179\u017d\u017f", "\u00ff\u017a\u017e\u017f");
    folds_to("\u0130\u0131", "\u0130\u0131"); /* Turkish ones are folded by nobody alike */
    folds_to("\u0391\u03a1\u03a3\u03a9", "\u03b1\u03c1\u03c3\u03c9");
    folds_to("\u0400\u040f\u0410\u042f\u0430", "\u0450\u045f\u0430\u044f\u0430");
    folds_to("\u4e00A\U0001f600B", "\u4e00a\U0001f600b");
}

Test(fold, a_name_that_is_not_utf8_folds_its_ascii_alone)
{
    folds_to("A\xc3\x80\xff", "a\xc3\x80\xff");
    folds_to("A\xc3", "a\xc3");
    folds_to("\xc0\xc1", "\xc0\xc1");
}

CLAIM_OF_BOTH(snapshot, counts_names_that_differ_only_in_case_and_tells_the_first)
{
    yard_t yard;
    yard_begin(&yard, user);
    make_directory(yard_path(&yard, "source/sub"), 0755);
    make_directory(yard_path(&yard, "source/SUB2"), 0755);
    make_file(yard_path(&yard, "source/readme"), "another directory's", 0644);
    take(&yard);
    EXPECT_COUNT(yard.snapshot.clashes.count, 0);
    cr_expect_str_eq(yard.snapshot.clashes.first, "");
    make_file(yard_path(&yard, "source/sub/README"), "one", 0644);
    make_file(yard_path(&yard, "source/sub/Readme"), "two", 0644);
    make_file(yard_path(&yard, "source/sub/readme"), "three", 0644);
    make_symlink("x", yard_path(&yard, "source/sub/\u00c4"));
    make_directory(yard_path(&yard, "source/sub/\u00e4"), 0755);
    take(&yard);
    EXPECT_COUNT(yard.snapshot.clashes.count, 3);
    cr_expect_str_eq(yard.snapshot.clashes.first, "sub/Readme");
    yard_end(&yard);
}

/* ---- at a point ---- */

static void
begin(yard_t *yard, watched_t *watched, user_t user)
{
    yard_begin(yard, user);
    make_tree(yard);
    take(yard);
    watch(watched, yard);
    placed(yard);
    make_directory(yard_path(yard, "source/deep"), 0755);
    make_file(yard_path(yard, "source/deep/Makefile"), "one", 0644);
    make_file(yard_path(yard, "source/deep/makefile"), "two", 0644);
    take(yard);
}

/* How many names staging/ has. */
static void
expect_nothing_staged(yard_t *yard)
{
    run("test -z \"$(ls -A %s)\"", yard_path(yard, "root/.despool/staging"));
}

static void
expect_refused(yard_t *yard)
{
    place_result_t result;
    for (int i = 0; i < 2; i++) {
        EXPECT_ERR(yard, ERR_NAMES_CLASH, place(yard, &result));
        EXPECT_SUBJECT(yard, "deep/makefile");
    }
    expect_nothing_staged(yard);
    cr_expect(!exists(yard_path(yard, "root/P1/v2")));
    cr_expect(!exists(yard_path(yard, "root/.despool/packages/P1/v2")));
    run("test \"$(readlink %s)\" = v1", yard_path(yard, "root/P1/current"));
}

CLAIM_OF_BOTH(place, names_that_clash_are_refused_where_case_is_no_difference_and_before_a_write)
{
    yard_t yard;
    watched_t watched;
    place_plan_t plan;
    begin(&yard, &watched, user);
    watched.folds = "";
    uint64_t writes = watched.writes;
    expect_refused(&yard);
    EXPECT_COUNT(watched.writes, writes);
    EXPECT_ERR(&yard, ERR_NAMES_CLASH,
               place_plan(yard.world, yard.store, &yard.point, &yard.order, &plan, &yard.fault));
    EXPECT_SUBJECT(&yard, "deep/makefile");
    yard_end(&yard);
}

CLAIM_OF_BOTH(place, names_that_clash_are_refused_where_staging_alone_tells_no_difference)
{
    yard_t yard;
    watched_t watched;
    begin(&yard, &watched, user);
    watched.folds = "/staging";
    expect_refused(&yard);
    yard_end(&yard);
}

CLAIM_OF_BOTH(place, names_that_clash_are_placed_where_case_is_a_difference)
{
    yard_t yard;
    watched_t watched;
    begin(&yard, &watched, user);
    placed(&yard);
    cr_expect(verified(&yard));
    cr_expect(same_tree(yard.source, yard_path(&yard, "root/P1/current/")));
    yard_end(&yard);
}

CLAIM_OF_BOTH(place, a_version_without_a_clash_is_placed_where_case_is_no_difference)
{
    yard_t yard;
    watched_t watched;
    begin(&yard, &watched, user);
    watched.folds = "";
    expect_refused(&yard);
    run("rm %s/deep/makefile", yard.source);
    take(&yard);
    placed(&yard);
    cr_expect(verified(&yard));
    yard_end(&yard);
}
