/* restored_test.c - claims about a site that comes from a backup, and points that are ahead. */
#include "site_under_test.h"

#include <string.h>

/* The point of a row says that it knows this epoch. */
static err_t
says_ahead(site_t *site, const due_row_t *row, uint64_t holds)
{
    make_outcome(site, row, ERR_SUPERSEDED, TARGET_FAILED, 1, RECORD_NONE)->holds = holds;
    return REFUSED(site, target_outcome);
}

static due_row_t
due_anew(site_t *site, const char *dp)
{
    site->run.byte[0]++;
    return due_on(site, dp);
}

static bool
restored(site_t *site, int id)
{
    MAKE(site, site_restored)->restore.byte[0] = (uint8_t) id;
    return ASK(site, site_restored, done)->changed;
}

Test(restored, q288970_q320692_the_site_goes_on_above_a_point_that_is_ahead)
{
    site_t *site = two_points();
    due_row_t row = due_on(site, "DP1");
    cr_assert_eq(says_ahead(site, &row, 7), OK);
    cr_assert_eq(shown(site, "P1", "DP1").wanted, 8u, "got %llu",
                 (unsigned long long) shown(site, "P1", "DP1").wanted);
    cr_assert_eq(shown(site, "P1", "DP2").wanted, 8u);
    cr_assert_eq(shown(site, "P1", "DP1").state, TARGET_PENDING);
    cr_assert_eq(events_of(site, STATUS_POINT_AHEAD), 1u, "it is told");
    row = due_anew(site, "DP1");
    digest_t root = root_of(1);
    cr_assert(memcmp(&row.root, &root, sizeof root) == 0, "the content is the site's");
    cr_assert(package_updated(site, "P1", 2));
    cr_assert_eq(shown(site, "P1", "DP1").wanted, 9u);
    site_end(site);
}

Test(restored, a_point_that_has_the_same_epoch_with_other_content_is_ahead)
{
    site_t *site = two_points();
    due_row_t row = due_on(site, "DP1");
    cr_assert_eq(says_ahead(site, &row, 1), OK);
    cr_assert_eq(shown(site, "P1", "DP1").wanted, 2u);
    site_end(site);
}

Test(restored, a_point_is_believed_once_in_an_incarnation_and_not_without_a_bound)
{
    site_t *site = two_points();
    due_row_t row = due_on(site, "DP1");
    cr_assert_eq(says_ahead(site, &row, EPOCHS_AHEAD_MAX + 2), OK);
    cr_assert_eq(shown(site, "P1", "DP1").state, TARGET_FAILED, "too far ahead is told");
    cr_assert_eq(shown(site, "P1", "DP2").wanted, 1u);
    cr_assert(retried(site, "P1", "DP1"));
    row = due_anew(site, "DP1");
    cr_assert_eq(says_ahead(site, &row, 7), OK);
    row = due_anew(site, "DP1");
    cr_assert_eq(says_ahead(site, &row, 9), OK);
    cr_assert_eq(shown(site, "P1", "DP1").state, TARGET_FAILED, "who says so again is told");
    cr_assert_eq(shown(site, "P1", "DP1").cause, ERR_SUPERSEDED);
    cr_assert_eq(shown(site, "P1", "DP2").wanted, 8u, "and the others go on");
    cr_assert(restored(site, 1));
    row = due_anew(site, "DP1");
    cr_assert_eq(says_ahead(site, &row, 9), OK);
    cr_assert_eq(shown(site, "P1", "DP2").wanted, 10u, "after a restore it is believed again");
    site_end(site);
}

Test(restored, a_restore_raises_the_incarnation_once_and_looks_at_every_target_again)
{
    site_t *site = two_points();
    installed(site, "DP1");
    cr_assert(cancelled(site, "P1", "DP2"));
    uint64_t last = last_event(site);
    cr_assert(restored(site, 1));
    cr_assert_eq(shown(site, "P1", "DP1").state, TARGET_PENDING, "its receipt decides");
    cr_assert_eq(shown(site, "P1", "DP1").have, 1u);
    cr_assert_eq(shown(site, "P1", "DP2").state, TARGET_CANCELLED, "nobody wants it");
    cr_assert(last_event(site) > last + RESTORE_SKIPS_MESSAGES, "others may have read them");
    last = last_event(site);
    cr_assert(!restored(site, 1), "the same restore");
    cr_assert_eq(last_event(site), last);
    cr_assert(restored(site, 2));
    cr_assert_eq(events_of(site, STATUS_SITE_RESTORED), 2u);
    site_end(site);
}
