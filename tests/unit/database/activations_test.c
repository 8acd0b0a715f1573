/* activations_test.c - how agents' own programs ended, as an operator would state the rules. */
#include "site_under_test.h"

static void
agent_is(site_t *site, const char *name)
{
    point_commit_t *m = MAKE(site, point_commit);
    HEAD(site, m);
    m->add = true;
    m->name = site_text(site, name);
    m->root = site_text(site, POINT_AGENT);
    m->incarnation.byte[0] = 9;
    m->token.byte[0] = 9;
    m->token_text = site_text(site, "token");
    cr_assert(ASK(site, point_commit, agent_added)->changed);
}

/* P1 on the agent's point DP3. */
static site_t *
one_agent(id128_t *ret_package)
{
    site_t *site = two_points();
    agent_is(site, "DP3");
    cr_assert(distributed(site, "P1", "DP3"));
    due_row_t row = due_on(site, "DP3");
    *ret_package = row.package_incarnation;
    begun(site, &row);
    cr_assert_eq(outcome(site, &row, OK, TARGET_INSTALLED, 1, 0), OK);
    return site;
}

static void
note(site_t *site, const id128_t *package, uint64_t epoch, uint32_t attempt, uint32_t code)
{
    activation_note_t *m = MAKE(site, activation_note);
    text_t dp = site_text(site, "DP3"), id = site_text(site, "P1");
    text_t text = site_text(site, "closed");
    rows_t rows = draft_rows(&site->message, 1, sizeof(agent_activated_t));
    agent_activated_t *row = draft_row(&site->message, rows, 0, sizeof *row);
    *row = (agent_activated_t){.package = id,
                               .package_incarnation = *package,
                               .epoch = epoch,
                               .result = code == 0 ? ACTIVATION_RESULT_OK : ACTIVATION_RESULT_EXIT,
                               .code = code,
                               .attempt = attempt,
                               .at = WALL_START,
                               .text = text};
    m = (activation_note_t *) site->message.base;
    m->dp = dp;
    m->dp_incarnation.byte[0] = 9;
    m->said = rows;
    cr_assert_eq(ASK(site, activation_note, activation_noted)->epoch, epoch);
}

/* Exit status shown, or -1: none. */
static int
shown_code(site_t *site)
{
    status_t *m = MAKE(site, status);
    m->id = site_text(site, "P1");
    m->dp = site_text(site, "DP3");
    const status_of_t *status = ASK(site, status, status_of);
    const target_status_t *target = ROW(status, status->targets, 0, target_status_t);
    return target->activation.count == 0
               ? -1
               : (int) ROW(status, target->activation, 0, activation_row_t)->code;
}

Test(activations, an_end_is_a_state_with_one_event_however_often_it_is_said_and_over_restarts)
{
    id128_t package;
    site_t *site = one_agent(&package);
    cr_expect_eq(shown_code(site), -1);
    note(site, &package, 1, 1, 3);
    note(site, &package, 1, 1, 3);
    site_reopen(site);
    note(site, &package, 1, 1, 3);
    cr_expect_eq(shown_code(site), 3);
    cr_expect_eq(events_of(site, STATUS_ACTIVATION_FAILED), 1u);
    note(site, &package, 1, 2, 0);
    cr_expect_eq(shown_code(site), 0, "the second attempt went well");
    cr_expect_eq(events_of(site, STATUS_ACTIVATED), 1u);
    site_end(site);
}

Test(activations, what_is_said_of_other_versions_and_other_packages_is_not_shown)
{
    id128_t package, other;
    site_t *site = one_agent(&package);
    other = package;
    other.byte[0] ^= 1;
    note(site, &other, 1, 1, 3);
    cr_expect_eq(shown_code(site), -1, "it is of a package that was removed");
    note(site, &package, 2, 1, 4);
    cr_expect_eq(shown_code(site), -1, "the site has not heard of that version there");
    note(site, &package, 1, 1, 3);
    cr_expect_eq(shown_code(site), -1, "an older one took the place of a newer one");
    site_end(site);
}

Test(activations, a_target_that_was_removed_and_comes_again_has_none)
{
    id128_t package;
    site_t *site = one_agent(&package);
    note(site, &package, 1, 1, 3);
    cr_assert(withdrawn(site, "P1", "DP3"));
    removed(site, "DP3");
    cr_assert(distributed(site, "P1", "DP3"));
    due_row_t row = due_on(site, "DP3");
    begun(site, &row);
    cr_assert_eq(outcome(site, &row, OK, TARGET_INSTALLED, 1, 0), OK);
    cr_expect_eq(shown_code(site), -1);
    note(site, &package, 1, 1, 3);
    cr_expect_eq(shown_code(site), 3, "it ran for it again");
    site_end(site);
}
