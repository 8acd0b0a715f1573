/* scrub_test.c - what is read again next, how far each point is, and how little one look costs. */
#include <stdio.h>
#include "site_under_test.h"

#define REST_MS 86400000u

static const scrub_due_t *
next_after(site_t *site, const char *after)
{
    scrub_next_t *m = MAKE(site, scrub_next);
    m->after = site_text(site, after);
    m->limit = UINT32_MAX;
    m->rest_ms = REST_MS;
    return ASK(site, scrub_next, scrub_due);
}

/* The portion of DP1, which is the only point that holds something. */
static scrub_row_t
next_of_dp1(site_t *site, const char *from)
{
    const scrub_due_t *due = next_after(site, "");
    cr_assert_eq(due->targets.count, 1u);
    scrub_row_t row = *ROW(due, due->targets, 0, scrub_row_t);
    eq_text(due, row.dp, "DP1");
    eq_text(due, row.from, from);
    return row;
}

/* A portion was read without a finding; to: the path at which it ended, empty: at the end. */
static void
read_to(site_t *site, const scrub_row_t *row, const char *to)
{
    scrubbed_t *m = MAKE(site, scrubbed);
    m->target = row->target;
    m->revision = row->revision;
    text_t next = site_text(site, to);
    rows_t rows = draft_rows(&site->message, 1, sizeof(verify_row_t));
    ((verify_row_t *) draft_row(&site->message, rows, 0, sizeof(verify_row_t)))->ok = true;
    m = (scrubbed_t *) site->message.base;
    m->scrub_next = next;
    m->verify = rows;
    (void) ASK(site, scrubbed, done);
}

Test(scrub, a_reading_goes_on_where_it_ended_also_over_a_restart_and_rests_when_it_was_whole)
{
    site_t *site = two_points();
    installed(site, "DP1");
    scrub_row_t row = next_of_dp1(site, "");
    read_to(site, &row, "dir/half");
    site_reopen(site);
    row = next_of_dp1(site, "dir/half");
    read_to(site, &row, "");
    cr_expect_eq(next_after(site, "")->targets.count, 0u, "it is read again at once");
    site_end(site);
}

Test(scrub, what_other_work_has_taken_over_meanwhile_is_not_believed)
{
    site_t *site = two_points();
    installed(site, "DP1");
    scrub_row_t row = next_of_dp1(site, "");
    row.revision--;
    scrubbed_t *m = MAKE(site, scrubbed);
    m->target = row.target;
    m->revision = row.revision;
    cr_expect_eq(REFUSED(site, scrubbed), ERR_SUPERSEDED);
    (void) next_of_dp1(site, "");
    site_end(site);
}

Test(scrub, a_look_goes_through_so_many_points_and_the_next_one_goes_on)
{
    char name[16];
    site_t *site = site_start();
    for (uint32_t i = 0; i < SCRUB_LOOKS_MAX + 3; i++) {
        snprintf(name, sizeof name, "dp%03u", i);
        point_is(site, name);
    }
    const scrub_due_t *due = next_after(site, "");
    snprintf(name, sizeof name, "dp%03u", SCRUB_LOOKS_MAX - 1);
    eq_text(due, due->last, name);
    due = next_after(site, name);
    eq_text(due, due->last, "");
    site_end(site);
}

static void
store_read_to(site_t *site, uint64_t pack)
{
    store_read_again_t *m = MAKE(site, store_read_again);
    m->pack = pack;
    (void) ASK(site, store_read_again, done);
}

Test(scrub, the_reading_of_the_store_goes_on_at_its_pack_over_a_restart_and_rests_at_the_end)
{
    site_t *site = site_start();
    const scrub_due_t *due = next_after(site, "");
    cr_expect(due->store_pack == 0 && !due->store_rests, "a new site's store is not read");
    store_read_to(site, UINT64_MAX);
    site_reopen(site);
    due = next_after(site, "");
    cr_expect_eq(due->store_pack, UINT64_MAX);
    cr_expect_not(due->store_rests);
    store_read_to(site, 0);
    due = next_after(site, "");
    cr_expect(due->store_pack == 0 && due->store_rests, "it is read again at once");
    site_end(site);
}
