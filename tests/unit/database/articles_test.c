/* articles_test.c - what Microsoft's articles describe, done to the rules of targets. */
#include "site_under_test.h"

#include <stdio.h>
#include <string.h>

static void
next_run(site_t *site)
{
    site->run.byte[0]++; /* what was taken up and is not done is due again */
}

/* Returns how many works in hand are stopped by it. */
static uint32_t
point_forgotten(site_t *site, const char *name)
{
    dp_remove_t *m = MAKE(site, dp_remove);
    HEAD(site, m);
    m->name = site_text(site, name);
    m->forget = true;
    add(site, &dp_remove_type);
    uint32_t stopped = run(site)->stopped.count;
    cr_assert(ANSWERED(site, 0, done)->changed);
    return stopped;
}

static void
package_removed(site_t *site, const char *id)
{
    package_remove_t *m = MAKE(site, package_remove);
    HEAD(site, m);
    m->id = site_text(site, id);
    m->withdraw = true; /* what was begun may have left files */
    cr_assert_eq(REFUSED(site, package_remove), OK);
}

static err_t
begin_again(site_t *site, const due_row_t *row)
{
    target_begin_t *m = MAKE(site, target_begin);
    m->target = row->target;
    m->revision = row->revision;
    m->action = row->action;
    m->slot = 1;
    return REFUSED(site, target_begin);
}

static void
execute(site_t *site, const char *text)
{
    fault_t fault;
    cr_assert_eq(connection_execute(site->db, text, &fault), OK, "%s: %s", text,
                 sqlite3_errmsg(site->db->sql));
}

Test(d14, q139590_no_target_is_an_error_where_one_is_meant_and_idle_where_none_is)
{
    site_t *site = site_start();
    package_is(site, "P1", 1);
    package_is(site, "P2", 2);
    point_is(site, "DP1");
    point_is(site, "DP2");
    make_distribute(site, "P1", "");
    cr_assert_eq(REFUSED(site, distribute), ERR_NO_TARGETS);
    make_withdraw(site, "P1", "");
    cr_assert_eq(REFUSED(site, withdraw), ERR_NO_TARGETS);
    cr_assert_eq(package_shown_state(site, "P1"), PACKAGE_IDLE, "meant for none, so nothing to do");
    cr_assert(distributed(site, "P1", "DP1"));
    due_row_t row = due_on(site, "DP1");
    cr_assert_eq(outcome(site, &row, ERR_NOT_OURS, TARGET_FAILED, 1, RECORD_NONE), OK);
    cr_assert_eq(package_shown_state(site, "P1"), PACKAGE_FAILED);
    cr_assert(!shown(site, "P1", "DP2").there, "who is not involved has not failed");
    cr_assert_eq(package_shown_state(site, "P2"), PACKAGE_IDLE);
    site_end(site);
}

#define POINTS 250

Test(d41, q319207_one_failed_point_of_many_is_retried_alone_however_often)
{
    site_t *site = site_start();
    package_is(site, "P1", 1);
    for (int i = 0; i < POINTS; i++) {
        char name[16];
        snprintf(name, sizeof name, "DP%03d", i);
        make_point(site, true, name, i);
        add(site, &point_commit_type);
    }
    run(site);
    cr_assert(distributed(site, "P1", NULL));
    due_row_t row = due_on(site, "DP007");
    execute(site, "UPDATE target SET state = 2, taken = 0, look = NULL, have = 1 "
                  "WHERE point <> (SELECT row FROM point WHERE name = 'DP007')");
    uint64_t events = last_event(site);
    for (uint32_t tries = 1; tries <= 20; tries++) {
        cr_assert_eq(outcome(site, &row, ERR_IO, TARGET_RETRYING, tries, 1000), OK);
        world_sim_advance(site->sim, INT64_C(1000000000));
        const due_t *again = due(site);
        cr_assert_eq(again->targets.count, 1u, "try %u: expected 1 target due, got %u", tries,
                     again->targets.count);
        row = *ROW(again, again->targets, 0, due_row_t);
    }
    cr_assert_eq(last_event(site) - events, 20u, "each failure is told once, and nothing else: %d",
                 (int) (last_event(site) - events));
    site_end(site);
}

Test(d42, q319189_work_for_a_point_that_was_deleted_ends_and_no_update_meets_it)
{
    site_t *site = two_points();
    group_add_t *m = MAKE(site, group_add);
    HEAD(site, m);
    m->name = site_text(site, "east");
    m->dps = site_texts(site, "DP1,DP2");
    cr_assert(ASK(site, group_add, done)->changed);
    due_row_t row = due_on(site, "DP1");
    begun(site, &row);
    cr_assert_eq(point_forgotten(site, "DP1"), 1u, "its work in hand is to stop");
    cr_assert_eq(begin_again(site, &row), ERR_SUPERSEDED);
    cr_assert_eq(outcome(site, &row, ERR_IO, TARGET_RETRYING, 1, 1000), ERR_SUPERSEDED);
    cr_assert(package_updated(site, "P1", 2));
    for (int day = 0; day < 30; day++) {
        next_run(site);
        const due_t *work = due(site);
        cr_assert_eq(work->targets.count, 1u, "day %d: got %u", day, work->targets.count);
        eq_text(work, ROW(work, work->targets, 0, due_row_t)->dp, "DP2");
        world_sim_advance(site->sim, INT64_C(86400000000000));
    }
    cr_assert(!distributed(site, "P1", "@east"), "its group goes on without it");
    make_distribute(site, "P1", "DP1,DP2");
    cr_assert_eq(REFUSED(site, distribute), ERR_NOT_FOUND);
    site_end(site);
}

/* Outcomes of work that began at row, told too late. */
static void
late_outcomes_are_refused(site_t *site, const due_row_t *row, uint64_t have, target_state_t state)
{
    static const struct {
        err_t err;
        target_state_t next;
    } ends[] = {{OK, TARGET_INSTALLED},      {ERR_IO, TARGET_RETRYING},
                {ERR_SPACE, TARGET_WAITING}, {ERR_NOT_OURS, TARGET_FAILED},
                {OK, TARGET_REMOVED},        {ERR_CANCELLED, TARGET_RETRYING}};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        cr_expect_eq(outcome(site, row, ends[i].err, ends[i].next, 9, 1000), ERR_SUPERSEDED, "%s",
                     err_word(ends[i].err));
        shown_t target = shown(site, "P1", "DP1");
        cr_expect_eq(target.have, have, "%s: expected version %d, got %d", err_word(ends[i].err),
                     (int) have, (int) target.have);
        cr_expect_eq(target.state, state, "%s: expected %s, got %s", err_word(ends[i].err),
                     target_state_words.word[state], target_state_words.word[target.state]);
        cr_expect_eq(target.attempts, state == TARGET_INSTALLED ? 1u : 0u);
    }
}

Test(d43, q318834_an_outcome_out_of_sequence_sets_no_version_back)
{
    site_t *site = two_points();
    due_row_t first = due_on(site, "DP1");
    begun(site, &first);
    cr_assert(package_updated(site, "P1", 2));
    next_run(site);
    installed(site, "DP1");
    late_outcomes_are_refused(site, &first, 2, TARGET_INSTALLED);
    cr_assert(package_updated(site, "P1", 3));
    late_outcomes_are_refused(site, &first, 2, TARGET_PENDING);
    next_run(site);
    due_row_t third = due_on(site, "DP1");
    begun(site, &third);
    late_outcomes_are_refused(site, &first, 2, TARGET_INSTALLING);
    first.revision = third.revision; /* as if it knew */
    cr_expect_eq(outcome(site, &first, OK, TARGET_INSTALLED, 9, RECORD_NONE), ERR_SUPERSEDED);
    cr_expect_eq(shown(site, "P1", "DP1").have, 2u);
    site_end(site);
}

/* ---- cancel ---- */

static due_row_t
in_hand(site_t *site)
{
    next_run(site);
    due_row_t row = due_on(site, "DP1");
    begun(site, &row);
    return row;
}

static void
bring_to(site_t *site, target_state_t state)
{
    due_row_t row;
    if (state == TARGET_REMOVING) {
        cr_assert(withdrawn(site, "P1", "DP1"));
        row = in_hand(site);
        return;
    }
    if (state == TARGET_PENDING) {
        return;
    }
    row = in_hand(site);
    if (state != TARGET_INSTALLING) {
        cr_assert_eq(outcome(site, &row, state == TARGET_WAITING ? ERR_SPACE : ERR_IO, state, 1,
                             state == TARGET_FAILED ? RECORD_NONE : 1000),
                     OK);
    }
}

Test(d37, q153533_cancel_ends_from_every_state_and_the_next_one_starts)
{
    static const target_state_t states[] = {TARGET_PENDING, TARGET_INSTALLING, TARGET_RETRYING,
                                            TARGET_WAITING, TARGET_FAILED,     TARGET_REMOVING};
    site_t *site = two_points();
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        const char *word = target_state_words.word[states[i]];
        bring_to(site, states[i]);
        cr_assert_eq(shown(site, "P1", "DP1").state, states[i], "not brought to %s", word);
        cr_assert(cancelled(site, "P1", "DP1"), "%s", word);
        cr_assert_eq(shown(site, "P1", "DP1").state, TARGET_CANCELLED, "from %s", word);
        next_run(site);
        cr_assert_eq(due(site)->targets.count, 1u, "after %s only DP2 is due", word);
        cr_assert(distributed(site, "P1", "DP1"), "the next one after %s", word);
        cr_assert_eq(shown(site, "P1", "DP1").state, TARGET_PENDING);
    }
    in_hand(site);
    site_end(site);
}

/* ---- names that come again ---- */

Test(d53, q259702_what_is_told_of_a_package_that_is_gone_does_not_touch_its_namesake)
{
    site_t *site = site_start();
    package_is(site, "P1", 1);
    point_is(site, "DP1");
    cr_assert(distributed(site, "P1", "DP1"));
    due_row_t old = in_hand(site);
    cr_assert(cancelled(site, "P1", "DP1"));
    package_removed(site, "P1");
    removed(site, "DP1");
    package_is(site, "P1", 1);
    cr_assert(distributed(site, "P1", "DP1"));
    due_row_t row = in_hand(site);
    cr_assert_neq(row.target, old.target);
    cr_assert_eq(begin_again(site, &old), ERR_SUPERSEDED);
    old.revision = row.revision;
    cr_assert_eq(outcome(site, &old, ERR_NOT_OURS, TARGET_FAILED, 1, RECORD_NONE), ERR_SUPERSEDED);
    cr_assert_eq(outcome(site, &old, OK, TARGET_INSTALLED, 1, RECORD_NONE), ERR_SUPERSEDED);
    cr_assert_eq(shown(site, "P1", "DP1").state, TARGET_INSTALLING);
    cr_assert_eq(shown(site, "P1", "DP1").have, 0u);
    site_end(site);
}

Test(d53, q259702_a_receipt_of_another_disk_under_the_same_name_is_not_believed)
{
    site_t *site = two_points();
    due_row_t row = in_hand(site);
    make_point(site, false, "DP1", 99); /* adopted: another disk, the same name and target */
    cr_assert(ASK(site, point_commit, done)->changed);
    cr_assert_eq(outcome(site, &row, OK, TARGET_INSTALLED, 1, RECORD_NONE), ERR_SUPERSEDED);
    cr_assert_eq(shown(site, "P1", "DP1").have, 0u, "nothing is on the new disk");
    site_end(site);
}

/* ---- many at once, and the same again ---- */

#define CLIENTS     10000
#define CLIENTS_RUN 250

static void
many_add(site_t *site, int from, bool one_name)
{
    char id[16], key[32];
    for (int i = from; i < from + CLIENTS_RUN; i++) {
        snprintf(id, sizeof id, one_name ? "SAME" : "N%05d", i);
        snprintf(key, sizeof key, "%s-client-%05d", one_name ? "same" : "other", i);
        site->key = key;
        make_version(site, true, id, 1);
        add(site, &version_commit_type);
    }
    run(site);
}

static uint32_t
accepted(site_t *site)
{
    uint32_t count = 0;
    const group_answers_t *answers = (const group_answers_t *) site->answers.base;
    cr_assert_eq(answers->answers.count, (uint32_t) CLIENTS_RUN);
    for (uint32_t i = 0; i < answers->answers.count; i++) {
        count += ROW(answers, answers->answers, i, group_answer_t)->number == MSG_package_done;
    }
    return count;
}

Test(d54, q301352_of_ten_thousand_at_once_none_is_lost_and_none_taken_for_another)
{
    site_t *site = site_start();
    uint32_t same = 0;
    for (int from = 0; from < CLIENTS; from += CLIENTS_RUN) {
        many_add(site, from, true);
        same += accepted(site); /* the others are told that it exists */
        many_add(site, from, false);
        cr_assert_eq(accepted(site), (uint32_t) CLIENTS_RUN, "from %d: got %u", from,
                     accepted(site));
        cr_assert(ANSWERED(site, 17, package_done)->changed);
    }
    cr_assert_eq(same, 1u, "expected 1 to add the name that all gave, got %u", same);
    MAKE(site, package_list);
    uint32_t there = ASK(site, package_list, packages)->packages.count;
    cr_assert_eq(there, CLIENTS + 1u, "expected %d packages, got %u", CLIENTS + 1, there);
    site_end(site);
}

Test(d56, q215059_a_doubled_key_has_no_second_effect_and_blocks_nothing_behind_it)
{
    site_t *site = site_start();
    for (int i = 0; i < 3; i++) {
        site->key = "one";
        make_version(site, true, "P1", 1);
        add(site, &version_commit_type);
    }
    make_point(site, true, "DP1", 1); /* the same key, of another command */
    add(site, &point_commit_type);
    site->key = "two";
    make_point(site, true, "DP2", 2);
    add(site, &point_commit_type);
    run(site);
    for (uint32_t i = 0; i < 3; i++) {
        cr_expect(ANSWERED(site, i, package_done)->changed, "copy %u", i);
    }
    cr_expect_eq(ANSWERED(site, 3, refusal)->code, ERR_BAD_VALUE);
    cr_expect(ANSWERED(site, 4, done)->changed, "what came after them is done");
    cr_expect_eq(events_of(site, STATUS_PACKAGE_STORED), 1u);
    site_reopen(site);
    point_is(site, "DP3");
    site_end(site);
}

/* ---- the state of a package ---- */

static package_state_t
expected_state(const int *states, int count)
{
    bool working = false, failed = false, there = false;
    for (int i = 0; i < count; i++) {
        int state = states[i];
        failed |= state == TARGET_FAILED;
        there |= state == TARGET_INSTALLED;
        working |= state != TARGET_FAILED && state != TARGET_INSTALLED &&
                   state != TARGET_CANCELLED && state != TARGET_REMOVED;
    }
    return working  ? PACKAGE_ACTIVE
           : failed ? PACKAGE_FAILED
           : there  ? PACKAGE_COMPLETE
                    : PACKAGE_IDLE;
}

static void
state_follows(site_t *site, const int *states, int count)
{
    char text[200];
    execute(site, "DELETE FROM target");
    for (int i = 0; i < count; i++) {
        snprintf(text, sizeof text,
                 "INSERT INTO target (package, point, state, wanted, of, since) "
                 "VALUES (1, %d, %d, 1, 100, 1)",
                 i + 1, states[i]);
        execute(site, text);
    }
    package_state_t got = package_shown_state(site, "P1"), expected = expected_state(states, count);
    cr_expect_eq(got, expected, "%d targets %d %d %d: expected %s, got %s", count, states[0],
                 states[1], states[2], package_state_words.word[expected],
                 package_state_words.word[got]);
    MAKE(site, package_list);
    const packages_t *list = ASK(site, package_list, packages);
    cr_expect_eq(ROW(list, list->packages, 0, package_row_t)->state, expected);
}

Test(d71, q221945_the_state_of_a_package_follows_from_its_targets_alone)
{
    site_t *site = two_points();
    point_is(site, "DP3");
    int n = TARGET_COUNT;
    for (int count = 0; count <= 3; count++) {
        int combinations = count == 0 ? 1 : count == 1 ? n : count == 2 ? n * n : n * n * n;
        for (int i = 0; i < combinations; i++) {
            int states[3] = {i % n, i / n % n, i / n / n % n};
            state_follows(site, states, count);
        }
    }
    site_end(site);
}
