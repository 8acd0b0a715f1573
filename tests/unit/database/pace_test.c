/* pace_test.c - the rules of priorities, rates and plans, as an operator would state them. */
#include "site_under_test.h"

static bool
prioritized(site_t *site, const char *dp, priority_t priority)
{
    prioritize_t *m = MAKE(site, prioritize);
    HEAD(site, m);
    m->id = site_text(site, "P1");
    m->dp = site_text(site, dp);
    m->priority = priority;
    return ASK(site, prioritize, targets_changed)->changed;
}

static void
agent_is(site_t *site, const char *name)
{
    point_commit_t *m = MAKE(site, point_commit);
    HEAD(site, m);
    m->add = true;
    m->name = site_text(site, name);
    m->root = site_text(site, POINT_AGENT);
    m->incarnation.byte[0] = (uint8_t) name[0];
    m->token.byte[0] = (uint8_t) name[0];
    m->token_text = site_text(site, "token");
    cr_assert(ASK(site, point_commit, agent_added)->changed);
}

static bool
paced(site_t *site, const char *name, uint64_t rate, const char *link)
{
    dp_set_t *m = MAKE(site, dp_set);
    HEAD(site, m);
    m->name = site_text(site, name);
    m->rate = rate;
    m->link = site_text(site, link);
    return ASK(site, dp_set, done)->changed;
}

static bool
link_is(site_t *site, const char *name, uint64_t rate)
{
    link_set_t *m = MAKE(site, link_set);
    HEAD(site, m);
    m->name = site_text(site, name);
    m->rate = rate;
    return ASK(site, link_set, done)->changed;
}

static agent_row_t
first_agent(site_t *site, uint64_t *ret_site_rate)
{
    (void) MAKE(site, agents_known);
    const agents_listed_t *listed = ASK(site, agents_known, agents_listed);
    cr_assert_eq(listed->agents.count, 1u);
    *ret_site_rate = listed->rate;
    return *ROW(listed, listed->agents, 0, agent_row_t);
}

Test(priorities, a_change_takes_back_what_is_in_hand_and_has_it_due_in_its_new_place)
{
    site_t *site = two_points();
    due_row_t before = due_on(site, "DP1");
    begun(site, &before);
    cr_assert_eq(before.priority, PRIORITY_MEDIUM);
    cr_assert(prioritized(site, "DP1", PRIORITY_HIGH));
    cr_assert_eq(shown(site, "P1", "DP1").state, TARGET_PENDING);
    cr_assert_eq(outcome(site, &before, ERR_IO, TARGET_RETRYING, 1, 1000), ERR_SUPERSEDED,
                 "work that was taken back counts");
    due_row_t after = due_on(site, "DP1");
    cr_assert_eq(after.priority, PRIORITY_HIGH);
    cr_assert_gt(after.revision, before.revision);
    cr_assert_not(prioritized(site, "DP1", PRIORITY_HIGH), "what is so already is no change");
    site_end(site);
}

Test(priorities, what_is_installed_has_no_place_to_change)
{
    site_t *site = two_points();
    installed(site, "DP1");
    cr_assert_not(prioritized(site, "DP1", PRIORITY_HIGH));
    cr_assert(prioritized(site, "DP2", PRIORITY_LOW));
    cr_assert_eq(shown(site, "P1", "DP1").state, TARGET_INSTALLED);
    site_end(site);
}

Test(priorities, they_are_kept_and_a_distribution_without_one_changes_none)
{
    site_t *site = two_points();
    cr_assert(prioritized(site, "DP1", PRIORITY_LOW));
    site_reopen(site);
    cr_assert_not(distributed(site, "P1", "DP1"));
    cr_assert_eq(due_on(site, "DP1").priority, PRIORITY_LOW);
    make_distribute(site, "P1", "DP1");
    ((distribute_t *) site->message.base)->priority = PRIORITY_HIGH;
    cr_assert(ASK(site, distribute, targets_changed)->changed);
    cr_assert_eq(due_on(site, "DP1").priority, PRIORITY_HIGH);
    site_end(site);
}

Test(rates, those_of_a_point_its_link_and_the_site_are_kept_and_listed)
{
    site_t *site = site_start();
    uint64_t site_rate = 0;
    agent_is(site, "a");
    cr_assert(link_is(site, "wan", 500));
    cr_assert(paced(site, "A", 900, "WAN"));
    cr_assert_not(paced(site, "a", RECORD_NONE, "wan"), "what is so already is no change");
    site_set_t *m = MAKE(site, site_set);
    HEAD(site, m);
    m->rate = 1000;
    cr_assert(ASK(site, site_set, done)->changed);
    site_reopen(site);
    agent_row_t row = first_agent(site, &site_rate);
    cr_expect_eq(row.rate, 900u);
    cr_expect_eq(row.link_rate, 500u);
    cr_expect_eq(site_rate, 1000u);
    cr_assert(link_is(site, "Wan", 0));
    cr_assert(paced(site, "a", 0, "none"));
    row = first_agent(site, &site_rate);
    cr_expect(row.rate == 0 && row.link_rate == 0 && row.link.size == 0);
    cr_expect_eq(events_of(site, STATUS_RATE_CHANGED), 5u);
    site_end(site);
}

Test(rates, a_directory_has_none_and_a_link_that_is_shared_stays)
{
    site_t *site = site_start();
    point_is(site, "DP1");
    dp_set_t *m = MAKE(site, dp_set);
    HEAD(site, m);
    m->name = site_text(site, "DP1");
    m->rate = 1;
    cr_assert_eq(REFUSED(site, dp_set), ERR_BAD_VALUE);
    agent_is(site, "a");
    cr_assert(link_is(site, "wan", RECORD_NONE));
    cr_assert(paced(site, "a", RECORD_NONE, "wan"));
    link_remove_t *gone = MAKE(site, link_remove);
    HEAD(site, gone);
    gone->name = site_text(site, "wan");
    cr_assert_eq(REFUSED(site, link_remove), ERR_IN_USE);
    site_end(site);
}

Test(plans, points_that_are_no_targets_are_numbered_as_was_asked)
{
    site_t *site = two_points();
    point_is(site, "DP3");
    plan_targets_t *m = MAKE(site, plan_targets);
    m->id = site_text(site, "p1");
    m->to = site_texts(site, "DP3,DP1");
    m->first = 1000000;
    const due_t *plan = ASK(site, plan_targets, due);
    cr_assert_eq(plan->targets.count, 2u);
    for (uint32_t i = 0; i < 2; i++) {
        const due_row_t *row = ROW(plan, plan->targets, i, due_row_t);
        cr_expect_eq(row->target, 1000000 + i);
        cr_expect_eq(row->action, ACTION_PLAN);
        cr_expect_eq(row->epoch, 1u);
        eq_text(plan, row->dp, i == 0 ? "DP1" : "DP3");
    }
    cr_expect_not(shown(site, "P1", "DP3").there, "a plan has made a target");
    site_end(site);
}
