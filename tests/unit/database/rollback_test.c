/* rollback_test.c - claims about a version that becomes the newest again. */
#include "site_under_test.h"

#include <string.h>

/* P1 has versions 1 and 2, and DP1 and DP2 have 2, whose grace time for 1 is not over. */
static site_t *
updated(void)
{
    site_t *site = two_points();
    installed(site, "DP1");
    site->run.byte[0]++;
    installed(site, "DP2");
    cr_assert(package_updated(site, "P1", 2));
    installed(site, "DP1");
    site->run.byte[0]++;
    installed(site, "DP2");
    return site;
}

static const package_done_t *
rolled_back(site_t *site, const char *version)
{
    make_rollback(site, "P1", version);
    return ASK(site, rollback, package_done);
}

static void
tidied(site_t *site, uint64_t target)
{
    target_tidied_t *m = MAKE(site, target_tidied);
    m->target = target;
    m->epoch = 2;
    ASK(site, target_tidied, done);
    MAKE(site, live_roots);
    ASK(site, live_roots, roots);
}

static void
expect_refused(site_t *site, const char *version, err_t err, const char *hint)
{
    make_rollback(site, "P1", version);
    err_t got = REFUSED(site, rollback);
    cr_assert_eq(got, err, "rollback to '%s': expected %s, got %s", version, err_word(err),
                 err_word(got));
    const refusal_t *refusal = ANSWERED(site, 0, refusal);
    slice_t said_hint = said(refusal, refusal->hint);
    cr_expect(memmem(said_hint.data, said_hint.size, hint, strlen(hint)) != NULL,
              "expected '%s' in the hint, got '%.*s'", hint, (int) said_hint.size, said_hint.data);
}

Test(rollback, is_a_new_epoch_with_the_old_root)
{
    site_t *site = updated();
    const package_done_t *done = rolled_back(site, "1");
    const version_ref_t *version = ROW(done, done->version, 0, version_ref_t);
    digest_t first = root_of(1);
    cr_assert(done->changed);
    cr_assert_eq(version->epoch, 3u, "got %llu", (unsigned long long) version->epoch);
    cr_assert(memcmp(&version->root, &first, sizeof first) == 0);
    eq_text(done, version->label, "1");
    cr_assert_eq(shown(site, "P1", "DP1").wanted, 3u);
    cr_assert_eq(shown(site, "P1", "DP2").state, TARGET_PENDING);
    cr_assert_eq(events_of(site, STATUS_PACKAGE_ROLLED_BACK), 1u);
    due_row_t row = due_on(site, "DP1");
    cr_assert(memcmp(&row.root, &first, sizeof first) == 0);
    cr_assert(package_updated(site, "P1", 5));
    cr_assert_eq(shown(site, "P1", "DP1").wanted, 4u, "epochs rise");
    site_end(site);
}

Test(rollback, to_what_is_the_newest_changes_nothing)
{
    site_t *site = updated();
    cr_assert(!rolled_back(site, "2")->changed);
    cr_assert(rolled_back(site, "1")->changed);
    cr_assert(!rolled_back(site, "1")->changed, "the newest of this label is the newest of all");
    cr_assert(!rolled_back(site, "3")->changed);
    cr_assert_eq(events_of(site, STATUS_PACKAGE_ROLLED_BACK), 1u);
    site_end(site);
}

Test(rollback, once_with_its_key_and_not_at_all_when_dry)
{
    site_t *site = updated();
    site->dry_run = true;
    cr_assert(rolled_back(site, "1")->changed, "it tells what would be");
    site->dry_run = false;
    cr_assert_eq(shown(site, "P1", "DP1").wanted, 2u);
    site->key = "once";
    cr_assert(rolled_back(site, "1")->changed);
    cr_assert(rolled_back(site, "1")->changed, "the same answer");
    cr_assert_eq(shown(site, "P1", "DP1").wanted, 3u);
    site_end(site);
}

Test(rollback, to_what_is_unknown_or_collected_is_refused_and_says_what_there_is)
{
    site_t *site = updated();
    expect_refused(site, "9", ERR_NOT_FOUND, "2 '2', 1 '1'");
    expect_refused(site, "none", ERR_NOT_FOUND, "2 '2', 1 '1'");
    expect_refused(site, "18446744073709551617", ERR_NOT_FOUND, "2 '2'");
    tidied(site, 1);
    cr_assert(rolled_back(site, "1")->changed, "DP2 holds it still");
    site_end(site);
    site = updated();
    tidied(site, 1);
    tidied(site, 2);
    expect_refused(site, "1", ERR_NOT_STORED, "stored are 2 '2';");
    cr_assert_eq(shown(site, "P1", "DP1").wanted, 2u);
    site_end(site);
}

static err_t
asks_of_version(site_t *site, uint64_t target, digest_t root)
{
    version_held_t *m = MAKE(site, version_held);
    m->target = target;
    m->root = root;
    return REFUSED(site, version_held);
}

Test(versions, only_a_version_that_a_point_may_still_hold_is_sent_to_it_beside_the_one_ordered)
{
    site_t *site = two_points();
    due_row_t first = due_on(site, "DP1");
    cr_assert_eq(asks_of_version(site, first.target, first.root), ERR_NOT_STORED, "none was begun");
    begun(site, &first);
    cr_assert_eq(outcome(site, &first, OK, TARGET_INSTALLED, 1, RECORD_NONE), OK);
    cr_assert_eq(asks_of_version(site, first.target, first.root), OK);
    package_updated(site, "P1", 2);
    due_row_t second = due_on(site, "DP1");
    cr_assert_eq(asks_of_version(site, second.target, second.root), ERR_NOT_STORED,
                 "nothing of it is there");
    begun(site, &second);
    cr_assert_eq(outcome(site, &second, OK, TARGET_INSTALLED, 1, RECORD_NONE), OK);
    cr_assert_eq(asks_of_version(site, second.target, first.root), OK, "it may still be there");
    cr_assert_eq(asks_of_version(site, second.target + 1, first.root), ERR_NOT_STORED,
                 "DP2 never had it");
    target_tidied_t *m = MAKE(site, target_tidied);
    m->target = second.target;
    m->epoch = second.epoch;
    cr_assert_eq(REFUSED(site, target_tidied), OK);
    cr_assert_eq(asks_of_version(site, second.target, first.root), ERR_NOT_STORED, "it is gone");
    site_end(site);
}
