/* links_test.c - claims about symbolic links that lead out of the tree they are in. */
#include "yard.h"

#include "actors/content/links.h"

typedef struct sample {
    const char *text;
    size_t depth; /* of the link's directory below the topmost one */
    bool leads_out;
} sample_t;

Test(links, a_text_leads_out_by_a_root_above_the_top_or_up_behind_a_name)
{
    static const sample_t samples[] = {
        {"a", 0, false},          {"a/b/c", 0, false},     {"./a", 0, false},
        {".", 0, false},          {"..", 1, false},        {"../..", 2, false},
        {"../a", 1, false},       {"..//a/", 1, false},    {"..a", 0, false},
        {"a..", 0, false},        {"a/..b/...", 0, false}, {"/", 0, true},
        {"/etc/passwd", 5, true}, {"..", 0, true},         {"../..", 1, true},
        {"./../a", 0, true},      {"../../../a", 2, true}, {"a/..", 3, true},
        {"a/../b", 3, true},      {"../a/../..", 3, true},
    };
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        const sample_t *it = &samples[i];
        cr_expect(link_may_lead_out(it->text, it->depth) == it->leads_out,
                  "'%s' at depth %zu: expected %s", it->text, it->depth,
                  it->leads_out ? "out" : "inside");
    }
}

static err_t
take_inside(yard_t *yard)
{
    return snapshot_take(yard->world, yard->store, yard->source,
                         &(snapshot_rules_t){.links_inside = true}, NULL, NULL, &yard->snapshot,
                         &yard->fault);
}

CLAIM_OF_BOTH(links, inside_refuses_the_first_that_leads_out_and_carries_all_others)
{
    yard_t yard;
    yard_begin(&yard, user);
    make_directory(yard_path(&yard, "source/d"), 0755);
    make_directory(yard_path(&yard, "source/d/e"), 0755);
    make_file(yard_path(&yard, "source/f"), "x", 0644);
    make_symlink("../../f", yard_path(&yard, "source/d/e/up"));
    make_symlink("d/e/nothing", yard_path(&yard, "source/dangling"));
    EXPECT_OK(&yard, take_inside(&yard));
    EXPECT_COUNT(yard.snapshot.links, 2);
    make_symlink("../../../f", yard_path(&yard, "source/d/e/culprit"));
    EXPECT_ERR(&yard, ERR_LINK_OUTSIDE, take_inside(&yard));
    EXPECT_SUBJECT(&yard, "d/e/culprit");
    take(&yard); /* without the rule it is carried as it is */
    EXPECT_COUNT(yard.snapshot.links, 3);
    yard_end(&yard);
}
