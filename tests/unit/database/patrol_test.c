/* patrol_test.c - which points are looked at next, and what a look that missed one changes. */
#include <stdio.h>
#include "site_under_test.h"

/* The names of the next points after this one, in their order, with commas. */
static const char *
next_after(site_t *site, const char *after)
{
    static char names[200];
    patrol_t *m = MAKE(site, patrol);
    m->after = site_text(site, after);
    m->limit = UINT32_MAX;
    const points_listed_t *listed = ASK(site, patrol, points_listed);
    names[0] = '\0';
    for (uint32_t i = 0; i < listed->points.count; i++) {
        slice_t dp = said(listed, ROW(listed, listed->points, i, point_ref_t)->dp);
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%.*s", i > 0 ? "," : "",
                 (int) dp.size, dp.data);
    }
    return names;
}

/* What a look has found; returns how many points are to be looked out for then. */
static uint32_t
looked(site_t *site, const char *dp, const char *root, int incarnation, err_t err)
{
    looked_t *m = MAKE(site, looked);
    m->dp = site_text(site, dp);
    m->dp_root = site_text(site, root);
    memset(m->dp_incarnation.byte, incarnation, sizeof m->dp_incarnation.byte);
    m->err = err;
    return ASK(site, looked, points_listed)->points.count;
}

Test(patrol, all_points_that_are_believed_there_have_their_turn_in_small_portions)
{
    site_t *site = site_start();
    const char *const names[] = {"DP3", "dp1", "DP2", "DP5", "dp4"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        point_is(site, names[i]);
    }
    cr_assert_eq(PATROL_LOOKS_MAX, 2u);
    cr_assert_str_eq(next_after(site, ""), "dp1,DP2");
    cr_assert_str_eq(next_after(site, "DP2"), "DP3,dp4");
    cr_assert_eq(looked(site, "DP3", "/dp/DP3", '3', ERR_ABSENT), 1u);
    cr_assert_str_eq(next_after(site, "DP2"), "dp4,DP5", "who is absent is looked out for already");
    cr_assert_str_eq(next_after(site, "DP5"), "");
    site_end(site);
}

Test(patrol, a_point_that_a_look_missed_is_absent_with_its_cause_and_none_of_its_targets_changes)
{
    site_t *site = two_points();
    installed(site, "DP1");
    cr_assert_eq(looked(site, "DP1", "/dp/DP1", '1', ERR_NOT_THIS_POINT), 1u);
    cr_assert_eq(looked(site, "DP1", "/dp/DP1", '1', ERR_ABSENT), 1u, "it is so already");
    cr_assert_eq(events_of(site, STATUS_POINT_ABSENT), 1u);
    MAKE(site, dp_list);
    const points_t *points = ASK(site, dp_list, points);
    const point_row_t *row = ROW(points, points->dps, 0, point_row_t);
    cr_assert_eq(row->state, POINT_ABSENT);
    cr_assert_eq(row->since, world_wall_ns(site->world));
    cr_assert_eq(shown(site, "P1", "DP1").state, TARGET_INSTALLED, "its target is as it was");
    cr_assert_eq(events_of(site, STATUS_TARGET_PENDING), 2u, "of the distribution itself");
    site_end(site);
}

Test(patrol, what_a_look_found_at_another_root_or_of_another_point_is_not_believed)
{
    site_t *site = two_points();
    cr_assert_eq(looked(site, "DP1", "/dp/former", '1', ERR_ABSENT), 0u);
    cr_assert_eq(looked(site, "DP1", "/dp/DP1", '7', ERR_ABSENT), 0u);
    cr_assert_eq(looked(site, "DP9", "/dp/DP9", '9', ERR_ABSENT), 0u);
    cr_assert_eq(events_of(site, STATUS_POINT_ABSENT), 0u);
    site_end(site);
}

Test(patrol, what_an_absent_point_had_is_unknown_since_it_was_missed)
{
    site_t *site = two_points();
    installed(site, "DP1");
    cr_assert_eq(shown(site, "P1", "DP1").unknown_since, 0);
    cr_assert_eq(looked(site, "DP1", "/dp/DP1", '1', ERR_ABSENT), 1u);
    cr_assert_eq(shown(site, "P1", "DP1").state, TARGET_INSTALLED, "its receipt was durable");
    cr_assert(shown(site, "P1", "DP1").unknown_since >= WALL_START, "and nobody sees it now");
    cr_assert_eq(shown(site, "P1", "DP2").unknown_since, 0, "it is there");
    point_returned_t *back = MAKE(site, point_returned);
    back->dp = site_text(site, "DP1");
    memset(back->dp_incarnation.byte, '1', sizeof back->dp_incarnation.byte);
    ASK(site, point_returned, done);
    cr_assert_eq(shown(site, "P1", "DP1").unknown_since, 0);
    site_end(site);
}

#define ABSENT (ALARMS_MAX + 1u)

/* The last of them first, one after the other. */
static site_t *
many_absent(void)
{
    site_t *site = site_start();
    char name[NAME_BYTES_MAX + 1], root[NAME_BYTES_MAX + 5];
    for (uint32_t i = ABSENT; i-- > 0;) {
        snprintf(name, sizeof name, "DP%04u", i);
        snprintf(root, sizeof root, "/dp/%s", name);
        point_is(site, name);
        cr_assert_eq(looked(site, name, root, name[5], ERR_ABSENT), 1u);
        world_sim_advance(site->sim, 1000000);
    }
    return site;
}

Test(patrol, all_that_are_absent_are_looked_out_for_and_no_more_are_named_than_there_can_be_alarms)
{
    site_t *site = many_absent();
    MAKE(site, alarm_query);
    cr_assert_eq(ASK(site, alarm_query, alarm_facts)->absent.count, 0u, "not a day yet");
    MAKE(site, absent_points);
    const points_listed_t *listed = ASK(site, absent_points, points_listed);
    cr_assert_eq(listed->points.count, ABSENT);
    eq_text(listed, ROW(listed, listed->points, 0, point_ref_t)->dp, "DP1000");
    eq_text(listed, ROW(listed, listed->points, ALARMS_MAX, point_ref_t)->dp, "DP0000");
    world_sim_advance(site->sim, INT64_C(86400000000000));
    MAKE(site, alarm_query);
    const alarm_facts_t *facts = ASK(site, alarm_query, alarm_facts);
    cr_assert_eq(facts->absent.count, ALARMS_MAX, "%u points are named", facts->absent.count);
    eq_text(facts, *ROW(facts, facts->absent, 0, text_t), "DP1000");
    eq_text(facts, *ROW(facts, facts->absent, ALARMS_MAX - 1, text_t), "DP0001");
    site_end(site);
}

static void
returned(site_t *site, const char *dp)
{
    point_returned_t *m = MAKE(site, point_returned);
    m->dp = site_text(site, dp);
    memset(m->dp_incarnation.byte, dp[strlen(dp) - 1], sizeof m->dp_incarnation.byte);
    (void) ASK(site, point_returned, done);
}

Test(patrol, a_retry_names_who_is_absent_and_is_due_when_that_one_is_back)
{
    site_t *site = two_points();
    due_row_t row = due_on(site, "DP1");
    cr_assert_eq(outcome(site, &row, ERR_ABSENT, TARGET_RETRYING, 0, RETRY_MAX_MS), OK);
    site->run.byte[0]++; /* DP2 was taken up as well */
    row = due_on(site, "DP2");
    cr_assert_eq(outcome(site, &row, ERR_IO, TARGET_RETRYING, 1, RETRY_MAX_MS), OK);
    make_retry(site, "P1", NULL);
    const targets_changed_t *answer = ASK(site, retry, targets_changed);
    cr_assert(answer->targets.count == 2 && answer->absent.count == 1, "%u targets, %u absent",
              answer->targets.count, answer->absent.count);
    eq_text(answer, *ROW(answer, answer->absent, 0, text_t), "DP1");
    row = due_on(site, "DP1"); /* it is tried at once all the same, */
    cr_assert_eq(outcome(site, &row, ERR_ABSENT, TARGET_RETRYING, 0, RETRY_MAX_MS), OK);
    returned(site, "DP1"); /* and when it comes */
    cr_assert_eq(due_on(site, "DP1").target, row.target);
    make_retry(site, "P1", "DP2");
    cr_assert_eq(ASK(site, retry, targets_changed)->absent.count, 0u);
    site_end(site);
}
