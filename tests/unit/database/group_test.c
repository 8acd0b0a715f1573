/* group_test.c - groups, keys, dry runs, events, all bytes, and the way of every statement. */
#include "site_under_test.h"

#include <stdio.h>
#include <string.h>

#include "proto/wire.h"

Test(group, many_messages_are_one_transaction_and_a_refused_one_falls_alone)
{
    site_t *site = site_start();
    make_version(site, true, "P1", 1);
    add(site, &version_commit_type);
    make_point(site, true, "DP1", 1);
    add(site, &point_commit_type);
    make_distribute(site, "P9", "DP1");
    add(site, &distribute_type);
    make_distribute(site, "P1", "DP1");
    add(site, &distribute_type);
    uint64_t before = world_sim_operation_count(site->sim);
    const group_answers_t *answers = run(site);
    cr_assert_eq(answers->answers.count, 4u);
    cr_assert_eq(answers->done, 4u);
    cr_assert(ANSWERED(site, 0, package_done)->changed);
    cr_assert(ANSWERED(site, 1, done)->changed);
    cr_assert_eq(ANSWERED(site, 2, refusal)->code, ERR_NOT_FOUND);
    cr_assert(ANSWERED(site, 3, targets_changed)->changed);
    cr_assert_gt(answers->last_event, 0u);
    uint64_t together = world_sim_operation_count(site->sim) - before;
    cr_assert_eq(shown(site, "P1", "DP1").state, TARGET_PENDING);
    before = world_sim_operation_count(site->sim);
    cr_assert(package_updated(site, "P1", 2));
    cr_assert_lt(together, 4 * (world_sim_operation_count(site->sim) - before),
                 "one commit, not four");
    site_end(site);
}

Test(group, a_message_that_is_no_record_is_refused_and_the_others_are_done)
{
    site_t *site = site_start();
    make_point(site, true, "DP1", 1);
    add(site, &point_commit_type);
    site->added[0].number = MSG_distribute; /* not what it is */
    make_point(site, true, "DP2", 2);
    add(site, &point_commit_type);
    MAKE(site, ping);
    add(site, &ping_type); /* not for the database */
    run(site);
    cr_assert_eq(ANSWERED(site, 0, refusal)->code, ERR_BAD_REQUEST);
    cr_assert(ANSWERED(site, 1, done)->changed);
    cr_assert_eq(ANSWERED(site, 2, refusal)->code, ERR_BAD_REQUEST);
    site_end(site);
}

Test(keys, a_repeat_has_the_same_answer_and_no_effect)
{
    site_t *site = site_start();
    site->key = "k1";
    package_is(site, "P1", 1);
    uint64_t events = last_event(site);
    make_version(site, true, "P1", 1);
    const package_done_t *again = ASK(site, version_commit, package_done);
    cr_assert(again->changed, "the answer of the first time, not 'exists'");
    cr_assert_eq(last_event(site), events);
    site_reopen(site);
    package_is(site, "P1", 1);
    recall_t *m = MAKE(site, recall);
    m->key = site_text(site, "k1");
    m->command = MSG_package_add;
    const recalled_t *recalled = ASK(site, recall, recalled);
    cr_assert_eq(recalled->type, MSG_package_done);
    slice_t encoded = said(recalled, recalled->answer);
    wire_value_t map, epoch;
    cr_assert_eq(wire_check(encoded.data, encoded.size, &map), OK, "as it goes over the wire");
    cr_assert(wire_find(&map, "version", &epoch) && wire_find(&epoch, "epoch", &epoch));
    cr_assert_eq(epoch.uint, 1u);
    m = MAKE(site, recall);
    m->key = site_text(site, "k2");
    cr_assert_eq(ASK(site, recall, recalled)->answer.size, 0u);
    site_end(site);
}

Test(keys, an_answer_is_kept_under_names_for_another_version_numbers_them_otherwise)
{
    site_t *site = site_start();
    sqlite3_stmt *row = NULL;
    site->key = "k1";
    package_is(site, "P1", 1);
    cr_assert_eq(
        sqlite3_prepare_v2(site->db->sql, "SELECT command, number FROM answer", -1, &row, NULL),
        SQLITE_OK);
    cr_assert_eq(sqlite3_step(row), SQLITE_ROW);
    cr_expect_str_eq((const char *) sqlite3_column_text(row, 0), "package_add");
    cr_expect_str_eq((const char *) sqlite3_column_text(row, 1), "package_done");
    sqlite3_finalize(row);
    site_end(site);
}

Test(keys, the_key_of_another_command_is_not_recalled_and_does_nothing)
{
    site_t *site = site_start();
    site->key = "k1";
    package_is(site, "P1", 1);
    recall_t *m = MAKE(site, recall);
    m->key = site_text(site, "k1");
    m->command = MSG_dp_add;
    cr_assert_eq(REFUSED(site, recall), ERR_BAD_VALUE);
    uint64_t events = last_event(site);
    make_version(site, false, "P1", 2);
    cr_assert_eq(REFUSED(site, version_commit), ERR_BAD_VALUE, "an update is not the add again");
    make_point(site, true, "DP1", 1);
    cr_assert_eq(REFUSED(site, point_commit), ERR_BAD_VALUE);
    cr_assert_eq(last_event(site), events);
    site_end(site);
}

Test(keys, a_repeat_inside_one_group_has_no_effect_either)
{
    site_t *site = site_start();
    site->key = "k1";
    for (int i = 0; i < 2; i++) {
        make_version(site, true, "P1", 1);
        add(site, &version_commit_type);
    }
    run(site);
    cr_assert(ANSWERED(site, 0, package_done)->changed);
    cr_assert(ANSWERED(site, 1, package_done)->changed);
    cr_assert_eq(events_of(site, STATUS_COMMAND_ACCEPTED), 1u);
    site_end(site);
}

Test(keys, one_belongs_to_one_command_and_ends_after_a_day)
{
    site_t *site = site_start();
    site->key = "k1";
    package_is(site, "P1", 1);
    make_point(site, true, "DP1", 1);
    cr_assert_eq(REFUSED(site, point_commit), ERR_BAD_VALUE);
    world_sim_advance(site->sim, (int64_t) KEY_KEPT_S * 1000000000 + 1);
    site->key = NULL;
    point_is(site, "DP1"); /* writing lets old keys go */
    site->key = "k1";
    make_version(site, true, "P1", 1);
    cr_assert_eq(REFUSED(site, version_commit), ERR_EXISTS);
    site_end(site);
}

Test(keys, a_refused_command_keeps_no_answer)
{
    site_t *site = site_start();
    package_is(site, "P1", 1);
    site->key = "k1";
    make_distribute(site, "P1", "DP1");
    cr_assert_eq(REFUSED(site, distribute), ERR_NOT_FOUND);
    site->key = NULL;
    point_is(site, "DP1");
    site->key = "k1";
    cr_assert(distributed(site, "P1", "DP1"));
    site_end(site);
}

Test(dry_run, it_answers_as_if_and_changes_nothing)
{
    site_t *site = site_start();
    package_is(site, "P1", 1);
    point_is(site, "DP1");
    uint64_t events = last_event(site);
    site->dry_run = true;
    site->key = "k1";
    make_distribute(site, "P1", "DP1");
    add(site, &distribute_type);
    const group_answers_t *answers = run(site);
    cr_assert(!answers->targets_changed);
    cr_assert_eq(answers->last_event, 0u);
    cr_assert(ANSWERED(site, 0, targets_changed)->changed);
    cr_assert(!shown(site, "P1", "DP1").there);
    cr_assert_eq(last_event(site), events);
    site->dry_run = false;
    cr_assert(distributed(site, "P1", "DP1"), "its key was not used up");
    cr_assert(shown(site, "P1", "DP1").there);
    site_end(site);
}

Test(events, each_accepted_command_is_one_with_its_principal)
{
    site_t *site = site_start();
    package_is(site, "P1", 1);
    status_since_t *m = MAKE(site, status_since);
    m->since = 0;
    const events_t *events = ASK(site, status_since, events);
    cr_assert_eq(events->events.count, 2u);
    cr_assert_eq(events->last, 2u);
    const event_t *stored = ROW(events, events->events, 0, event_t);
    cr_assert_eq(stored->id, STATUS_PACKAGE_STORED);
    eq_text(events, stored->package, "P1");
    cr_assert_eq(stored->version.count, 1u);
    cr_assert_eq(stored->time, WALL_START + world_sim_now_ns(site->sim));
    const event_t *accepted = ROW(events, events->events, 1, event_t);
    cr_assert_eq(accepted->id, STATUS_COMMAND_ACCEPTED);
    eq_text(events, accepted->text, "package.add 'P1' by 'tester'");
    cr_assert_eq(accepted->attrs.count, 3u);
    eq_text(events, ROW(events, accepted->attrs, 2, pair_t)->name, "principal");
    eq_text(events, ROW(events, accepted->attrs, 2, pair_t)->value, "tester");
    site_end(site);
}

Test(events, what_is_no_longer_kept_is_told_as_lost)
{
    site_t *site = site_start();
    site->db->history_max = 10;
    for (int i = 0; i < 30; i++) {
        note_event_t *m = MAKE(site, note_event);
        m->component = site_text(site, "tester");
        m->id = STATUS_ALARM_RAISED;
        m->text = site_text(site, "it rings");
        cr_assert_eq(REFUSED(site, note_event), OK);
    }
    MAKE(site, status_since);
    const events_t *events = ASK(site, status_since, events);
    cr_assert_eq(events->events.count, 10u);
    cr_assert_eq(events->lost.count, 1u);
    cr_assert_eq(ROW(events, events->lost, 0, lost_range_t)->from, 1u);
    cr_assert_eq(ROW(events, events->lost, 0, lost_range_t)->to, 20u);
    status_since_t *m = MAKE(site, status_since);
    m->since = 20;
    cr_assert_eq(ASK(site, status_since, events)->lost.count, 0u);
    site_end(site);
}

Test(events, how_far_they_were_published_is_remembered)
{
    site_t *site = site_start();
    package_is(site, "P1", 1);
    events_after_t *m = MAKE(site, events_after);
    m->published = 1;
    m->since = 1;
    cr_assert_eq(ASK(site, events_after, events)->events.count, 1u);
    site_reopen(site);
    MAKE(site, site_open);
    const site_opened_t *opened = ASK(site, site_open, site_opened);
    cr_assert_eq(opened->published, 1u);
    cr_assert_eq(opened->last_event, 2u);
    cr_assert_eq(opened->slots, SLOTS_DEFAULT);
    eq_text(opened, opened->name, "S01");
    cr_assert(!id128_is_none(&opened->site));
    site_end(site);
}

Test(settings, slots_are_kept_and_nonsense_is_refused)
{
    static const char *const values[] = {"", "-1", "257", "4x", "99999999999999999999"};
    site_t *site = site_start();
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        setting_set_t *m = MAKE(site, setting_set);
        HEAD(site, m);
        m->name = site_text(site, "slots");
        m->value = site_text(site, values[i]);
        cr_assert_eq(REFUSED(site, setting_set), ERR_BAD_VALUE, "%s", values[i]);
    }
    setting_set_t *m = MAKE(site, setting_set);
    HEAD(site, m);
    m->name = site_text(site, "slots");
    m->value = site_text(site, "0");
    cr_assert(ASK(site, setting_set, done)->changed);
    site_reopen(site);
    MAKE(site, site_open);
    cr_assert_eq(ASK(site, site_open, site_opened)->slots, 0u);
    site_end(site);
}

/* Every byte value but NUL first, then NUL in the middle. */
static slice_t
all_bytes(char bytes[300])
{
    for (int i = 0; i < 256; i++) {
        bytes[i] = (char) (255 - i);
    }
    memcpy(bytes + 256, "'; DROP TABLE target; --%n%s", 28);
    return (slice_t){bytes, 284};
}

Test(bytes, d64_d11_all_values_come_back_as_they_were)
{
    char bytes[300];
    slice_t odd = all_bytes(bytes);
    site_t *site = site_start();
    make_version(site, true, "P1", 1);
    version_commit_t *m = (version_commit_t *) site->message.base;
    m->name = draft_text(&site->message, odd);
    m->source = draft_text(&site->message, (slice_t){"/\xff'\n\"\x80", 6});
    m->label = draft_text(&site->message, (slice_t){odd.data, 100});
    m->exclude = draft_rows(&site->message, 1, sizeof(text_t));
    text_t glob = draft_text(&site->message, odd);
    *(text_t *) draft_row(&site->message, m->exclude, 0, sizeof(text_t)) = glob;
    m->principal = draft_text(&site->message, (slice_t){"o'brien%s", 9});
    cr_assert(ASK(site, version_commit, package_done)->changed);
    site_reopen(site);
    package_show_t *show = MAKE(site, package_show);
    show->id = site_text(site, "P1");
    const package_shown_t *shown = ASK(site, package_show, package_shown);
    const package_row_t *row = ROW(shown, shown->package, 0, package_row_t);
    cr_assert(slice_equal(said(shown, row->name), odd));
    cr_assert(slice_equal(said(shown, row->source), (slice_t){"/\xff'\n\"\x80", 6}));
    cr_assert(slice_equal(said(shown, *ROW(shown, row->exclude, 0, text_t)), odd));
    site_end(site);
}

Test(bytes, an_unknown_name_of_any_bytes_is_refused_and_nothing_else_happens)
{
    char bytes[300];
    slice_t odd = all_bytes(bytes);
    site_t *site = site_start();
    package_is(site, "P1", 1);
    for (size_t at = 0; at < 256; at += 4) {
        distribute_t *m = MAKE(site, distribute);
        HEAD(site, m);
        m->id = draft_text(&site->message, (slice_t){odd.data + at, 4});
        m->to = site_texts(site, "DP1");
        cr_assert_eq(REFUSED(site, distribute), ERR_NOT_FOUND);
    }
    site_end(site);
}

/* ---- the way of every statement ---- */

static bool
may_walk(sql_t which)
{
    return strncmp(sql_symbol(which), "SQL_ALL_", 8) == 0;
}

/* Whether a line of a plan walks a table: a SCAN that is not by a covering index for min or max. */
static bool
walks(const char *line)
{
    return strncmp(line, "SCAN ", 5) == 0 && strcmp(line, "SCAN CONSTANT ROW") != 0 &&
           strstr(line, "SUBQUERY") == NULL && strncmp(line, "SCAN (", 6) != 0;
}

Test(statements, none_walks_a_table_but_those_whose_answer_is_the_table)
{
    site_t *site = site_start();
    for (uint32_t i = 0; i < SQL_COUNT; i++) {
        char text[4096];
        sqlite3_stmt *plan = NULL;
        snprintf(text, sizeof text, "EXPLAIN QUERY PLAN %s", sql_text((sql_t) i));
        cr_assert_eq(sqlite3_prepare_v2(site->db->sql, text, -1, &plan, NULL), SQLITE_OK, "%s: %s",
                     sql_symbol((sql_t) i), sqlite3_errmsg(site->db->sql));
        while (!may_walk((sql_t) i) && sqlite3_step(plan) == SQLITE_ROW) {
            const char *line = (const char *) sqlite3_column_text(plan, 3);
            cr_expect(!walks(line), "%s: %s", sql_symbol((sql_t) i), line);
        }
        sqlite3_finalize(plan);
    }
    site_end(site);
}
