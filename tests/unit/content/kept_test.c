/* kept_test.c - claims about points whose file systems do not keep all that a version has. */
#include "watched.h"

#include <stdio.h>

static void
begin(yard_t *yard, watched_t *watched, user_t user)
{
    yard_begin(yard, user);
    make_tree(yard);
    take(yard);
    watch(watched, yard);
}

/* Its receipt would promise what each verify denies, and each repair would be another copy. */
static void
expect_refused(yard_t *yard, const char *what)
{
    place_result_t result;
    for (int i = 0; i < 2; i++) {
        err_t err = place(yard, &result);
        cr_expect(err == ERR_NOT_KEPT, "%s: got %s", what, err_word(err));
    }
    cr_expect(!exists(yard_path(yard, "root/P1/current")), "%s: readers see it", what);
    cr_expect(!exists(yard_path(yard, "root/.despool/receipts/P1")), "%s: it is promised", what);
}

CLAIM_OF_BOTH(place, no_receipt_is_given_where_times_or_modes_are_not_kept)
{
    static const struct {
        const char *what;
        int64_t coarse_ns;
        uint32_t mode_mask;
    } cases[] = {{"times by the second", 1000000000, 0},
                 {"times by 100 ns", 100, 0},
                 {"no right of others", 0, 07},
                 {"no bit of the owner alone", 0, 0100}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        yard_t yard;
        watched_t watched;
        begin(&yard, &watched, user);
        watched.coarse_ns = cases[i].coarse_ns;
        watched.mode_mask = cases[i].mode_mask;
        expect_refused(&yard, cases[i].what);
        watched.coarse_ns = watched.mode_mask = 0; /* another file system is mounted there */
        placed(&yard);
        cr_expect(verified(&yard));
        yard_end(&yard);
    }
}

/* Files that came as they should, say, in a tree without directories. */
CLAIM_OF_BOTH(place, the_top_of_a_version_is_kept_as_well_or_no_receipt_is_given)
{
    yard_t yard;
    watched_t watched;
    yard_begin(&yard, user);
    run("touch -d '2020-01-01 00:00:00.123456789' %s", yard.source);
    take(&yard);
    watch(&watched, &yard);
    watched.coarse_ns = 1000;
    expect_refused(&yard, "the time of the top");
    yard_end(&yard);
}
