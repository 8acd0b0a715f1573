/* odd_test.c - clocks that jump, ids at their ends, any byte, and ten thousand points. */
#include "scale_under_test.h"

#include <stdio.h>
#include <string.h>

#include "actors/database/events.h"

#define SECOND INT64_C(1000000000)
#define DAY    (86400 * SECOND)

static int64_t
number_of(site_t *site, const char *text)
{
    int64_t number = 0;
    fault_t fault;
    cr_assert_eq(connection_pragma(site->db, text, &number, &fault), OK, "%s", text);
    return number;
}

static err_t
noted(site_t *site, slice_t text)
{
    note_event_t *m = MAKE(site, note_event);
    m->component = site_text(site, "tester");
    m->id = STATUS_ALARM_RAISED;
    m->text = draft_text(&site->message, text);
    m->attrs = draft_rows(&site->message, 2, sizeof(pair_t));
    text_t name = draft_text(&site->message, slice_of("text"));
    text_t nothing = draft_text(&site->message, slice_of(""));
    *(pair_t *) draft_row(&site->message, m->attrs, 0, sizeof(pair_t)) = (pair_t){name, m->text};
    *(pair_t *) draft_row(&site->message, m->attrs, 1, sizeof(pair_t)) = (pair_t){nothing, nothing};
    return REFUSED(site, note_event);
}

/* ---- clocks ---- */

/* A whole life of a target, with the dates that an operator sees. */
static void
life_at(site_t *site, int64_t wall)
{
    world_sim_set_wall(site->sim, wall);
    make_withdraw(site, "P1", "DP1");
    REFUSED(site, withdraw);
    site->run.byte[0]++;
    removed(site, "DP1");
    cr_assert(distributed(site, "P1", "DP1"));
    due_row_t row = due_on(site, "DP1");
    begun(site, &row);
    cr_assert_eq(outcome(site, &row, ERR_IO, TARGET_RETRYING, 1, 60000), OK);
    int64_t due_at = shown(site, "P1", "DP1").due;
    cr_assert_eq(due_at, wall + 60 * SECOND, "due %lld, expected %lld", (long long) due_at,
                 (long long) (wall + 60 * SECOND));
    cr_assert_eq(due(site)->targets.count, 0u, "not before its time");
    world_sim_advance(site->sim, 60 * SECOND);
    installed(site, "DP1");
}

Test(d65, q202003_every_date_until_the_year_2200_is_one_like_any_other)
{
    static const int64_t seconds[] = {
        1,          2147483647 - 30, /* 2038-01-19T03:14:07Z, crossed by the retry */
        2147483648, 2147558400,      /* 2038-01-20 */
        4294967295, 4294967296,      /* 2106-02-07 */
        7258118400};                 /* 2200-01-01 */
    site_t *site = two_points();
    for (size_t i = 0; i < sizeof seconds / sizeof seconds[0]; i++) {
        life_at(site, seconds[i] * SECOND);
    }
    site_end(site);
}

Test(d57, q246749_a_message_from_the_future_is_stored_at_once_and_in_its_place)
{
    site_t *site = site_start();
    world_sim_set_wall(site->sim, WALL_START + 10000 * DAY);
    cr_assert_eq(noted(site, slice_of("from the future")), OK);
    world_sim_set_wall(site->sim, WALL_START);
    cr_assert_eq(noted(site, slice_of("of today")), OK);
    MAKE(site, status_since);
    const events_t *events = ASK(site, status_since, events);
    cr_assert_eq(events->events.count, 2u);
    eq_text(events, ROW(events, events->events, 0, event_t)->text, "from the future");
    eq_text(events, ROW(events, events->events, 1, event_t)->text, "of today");
    cr_assert_eq(ROW(events, events->events, 1, event_t)->seq, 2u);
    site_end(site);
}

static uint32_t
long_absent(site_t *site)
{
    MAKE(site, alarm_query);
    return ASK(site, alarm_query, alarm_facts)->absent.count;
}

Test(d65, q213279_after_the_clock_was_set_back_absence_is_alarmed_a_day_later)
{
    site_t *site = two_points();
    world_sim_set_wall(site->sim, WALL_START + 1000 * DAY);
    due_row_t row = due_on(site, "DP1");
    cr_assert_eq(outcome(site, &row, ERR_ABSENT, TARGET_RETRYING, 0, RETRY_MAX_MS), OK);
    world_sim_set_wall(site->sim, WALL_START);
    due(site); /* which is asked for again and again */
    world_sim_advance(site->sim, DAY - SECOND);
    cr_assert_eq(long_absent(site), 0u, "not a day yet");
    world_sim_advance(site->sim, 2 * SECOND);
    cr_assert_eq(long_absent(site), 1u, "absent for a day by the clock that was set back");
    site_end(site);
}

Test(d65, q213279_after_the_clock_was_set_back_a_key_ends_a_day_later)
{
    site_t *site = site_start();
    world_sim_set_wall(site->sim, WALL_START + 1000 * DAY);
    site->key = "k1";
    package_is(site, "P1", 1);
    world_sim_set_wall(site->sim, WALL_START);
    site->key = NULL;
    point_is(site, "DP1");
    site->key = "k1";
    package_is(site, "P1", 1); /* the answer of the first time still */
    world_sim_advance(site->sim, DAY + SECOND);
    site->key = NULL;
    point_is(site, "DP2");
    site->key = "k1";
    make_version(site, true, "P1", 1);
    cr_assert_eq(REFUSED(site, version_commit), ERR_EXISTS, "its key is forgotten");
    site_end(site);
}

static int64_t
skew(site_t *site)
{
    MAKE(site, alarm_query);
    return ASK(site, alarm_query, alarm_facts)->clock_skew_ms;
}

Test(d57, q295450_a_clock_that_jumps_all_day_is_one_warning_and_not_a_storm)
{
    site_t *site = site_start();
    uint32_t raised = 0;
    bool before = false;
    for (int minute = 0; minute < 3 * 24 * 60; minute++) {
        world_sim_advance(site->sim, 60 * SECOND);
        if (minute % 7 == 3) {
            world_sim_set_wall(site->sim, WALL_START + (minute % 2) * 3600 * SECOND);
        }
        bool now = skew(site) != 0;
        raised += now && !before;
        before = now;
    }
    cr_assert(raised >= 1 && raised <= 3, "expected one a day, got %u in three days", raised);
    world_sim_advance(site->sim, DAY + SECOND);
    cr_assert_eq(skew(site), 0, "a day without a jump ends it");
    site_end(site);
}

/* ---- loops ---- */

static const event_t *
event_after(site_t *site, uint64_t seq, const events_t **ret_events)
{
    status_since_t *m = MAKE(site, status_since);
    m->since = seq;
    *ret_events = ASK(site, status_since, events);
    cr_assert_eq((*ret_events)->events.count, 1u, "got %u", (*ret_events)->events.count);
    return ROW(*ret_events, (*ret_events)->events, 0, event_t);
}

/* 6,000 a minute, as in the article; with a number in its text when each is to be another. */
static void
loop_for_a_minute(site_t *site, bool alike)
{
    for (int i = 0; i < 6000; i++) {
        char text[32];
        snprintf(text, sizeof text, "round %d", alike ? 0 : i);
        world_sim_advance(site->sim, SECOND / 100);
        cr_assert_eq(noted(site, slice_of(text)), OK);
    }
}

Test(d59, q297870_a_loop_of_messages_is_held_back_and_counted_and_others_are_heard, .timeout = 60)
{
    const events_t *events;
    site_t *site = site_start();
    loop_for_a_minute(site, true);
    cr_assert_leq(last_event(site), EVENTS_ALIKE_MAX, "got %d", (int) last_event(site));
    uint64_t before = last_event(site);
    cr_assert_eq(noted(site, slice_of("of something else")), OK);
    const event_t *event = event_after(site, before, &events);
    eq_text(events, event->text, "of something else");
    world_sim_advance(site->sim, 60 * SECOND);
    cr_assert_eq(noted(site, slice_of("round 0")), OK);
    event = event_after(site, before + 1, &events);
    cr_assert_eq(event->attrs.count, 3u);
    eq_text(events, ROW(events, event->attrs, 2, pair_t)->name, "held_back");
    eq_text(events, ROW(events, event->attrs, 2, pair_t)->value, "5970");
    before = last_event(site);
    loop_for_a_minute(site, false);
    cr_assert_leq(last_event(site) - before, EVENTS_SOURCE_MAX, "whatever its words are: %d",
                  (int) (last_event(site) - before));
    site_end(site);
}

/* ---- ids ---- */

#define LAST_IDS "9223372036854775000"

Test(d35, q185901_ids_beyond_32_and_53_bits_are_ids_like_any_other)
{
    site_t *site = two_points();
    execute(site, "UPDATE sqlite_sequence SET seq = " LAST_IDS);
    execute(site, "UPDATE package SET next_epoch = " LAST_IDS);
    cr_assert(package_updated(site, "P1", 2));
    point_is(site, "DP3");
    package_is(site, "P2", 2);
    cr_assert(distributed(site, "P1", "DP3"));
    due_row_t row = due_on(site, "DP3");
    cr_assert_gt(row.target, UINT64_C(9223372036854775000));
    cr_assert_geq(row.epoch, UINT64_C(9223372036854775000));
    begun(site, &row);
    cr_assert_eq(outcome(site, &row, OK, TARGET_INSTALLED, 1, RECORD_NONE), OK);
    cr_assert_eq(shown(site, "P1", "DP3").have, row.epoch);
    site_reopen(site);
    cr_assert_gt(last_event(site), UINT64_C(9223372036854775000));
    status_since_t *m = MAKE(site, status_since);
    m->since = last_event(site) - 1;
    m = MAKE(site, status_since);
    m->since = UINT64_C(9223372036854775000);
    cr_assert_gt(ASK(site, status_since, events)->events.count, 4u);
    site_end(site);
}

Test(d35, q185901_past_the_last_id_a_command_is_refused_and_no_id_comes_again)
{
    site_t *site = two_points();
    execute(site, "UPDATE package SET next_epoch = 9223372036854775806");
    cr_assert(package_updated(site, "P1", 2));
    cr_assert(package_updated(site, "P1", 3));
    make_version(site, false, "P1", 4);
    cr_assert_neq(REFUSED(site, version_commit), OK);
    cr_assert_eq(shown(site, "P1", "DP1").wanted, (uint64_t) INT64_MAX, "no version went back");
    execute(site, "UPDATE sqlite_sequence SET seq = 9223372036854775807 WHERE name = 'event'");
    uint64_t last = last_event(site);
    make_cancel(site, "P1", "DP1");
    cr_assert_neq(REFUSED(site, cancel), OK, "what cannot be told is not done");
    cr_assert_eq(shown(site, "P1", "DP1").state, TARGET_PENDING);
    cr_assert_eq(last_event(site), last);
    site_end(site);
}

Test(d34, q320638_lost_or_doubled_tokens_of_ids_are_made_again_from_what_is_there)
{
    static const char *const losses[] = {
        "DELETE FROM sqlite_sequence",
        "UPDATE sqlite_sequence SET seq = 0",
        "INSERT INTO sqlite_sequence (name, seq) SELECT name, 1 FROM sqlite_sequence",
        "UPDATE package SET next_epoch = 1",
    };
    site_t *site = two_points();
    for (size_t i = 0; i < sizeof losses / sizeof losses[0]; i++) {
        char name[8] = {'D', 'P', (char) ('a' + i), '\0'};
        execute(site, losses[i]);
        site_reopen(site);
        uint64_t last = last_event(site), wanted = shown(site, "P1", "DP1").wanted;
        int64_t target = number_of(site, "SELECT max(row) FROM target");
        cr_assert(package_updated(site, "P1", 10 + (int) i), "%s", losses[i]);
        cr_assert_eq(shown(site, "P1", "DP1").wanted, wanted + 1, "%s", losses[i]);
        point_is(site, name);
        cr_assert(distributed(site, "P1", name));
        cr_assert_gt(number_of(site, "SELECT max(row) FROM target"), target, "%s", losses[i]);
        cr_assert_gt(last_event(site), last, "%s", losses[i]);
    }
    site_end(site);
}

Test(d34, q266195_an_id_is_not_given_again_after_its_owner_was_deleted)
{
    site_t *site = site_start();
    package_is(site, "P1", 1);
    uint64_t last = 0;
    for (int i = 0; i < 3; i++) {
        point_is(site, "DP1");
        cr_assert(distributed(site, "P1", "DP1"));
        due_row_t row = due_on(site, "DP1");
        cr_assert_gt(row.target, last);
        last = row.target;
        dp_remove_t *m = MAKE(site, dp_remove);
        HEAD(site, m);
        m->name = site_text(site, "DP1");
        m->forget = true;
        cr_assert_eq(REFUSED(site, dp_remove), OK);
        site_reopen(site);
    }
    site_end(site);
}

/* ---- bytes ---- */

Test(d64, q246949_q320276_every_byte_in_a_status_message_comes_back_as_it_was)
{
    site_t *site = site_start();
    for (int byte = 1; byte < 256; byte++) {
        char bytes[] = {'%', 'n', (char) byte, '\'', '%', 's', (char) byte, '"', '%', '*'};
        slice_t text = {bytes, sizeof bytes};
        uint64_t before = last_event(site);
        cr_assert_eq(noted(site, text), OK, "byte %d", byte);
        status_since_t *m = MAKE(site, status_since);
        m->since = before;
        const events_t *events = ASK(site, status_since, events);
        cr_assert_eq(events->events.count, 1u, "byte %d", byte);
        const event_t *event = ROW(events, events->events, 0, event_t);
        cr_assert(slice_equal(said(events, event->text), text), "byte %d: got '%.*s'", byte,
                  (int) event->text.size, said(events, event->text).data);
        cr_assert_eq(event->attrs.count, 2u);
        const pair_t *pair = ROW(events, event->attrs, 0, pair_t);
        cr_assert(slice_equal(said(events, pair->value), text), "byte %d in an attribute", byte);
    }
    site_end(site);
}

Test(d64, d11_q320276_directives_come_back_in_a_refusal)
{
    site_t *site = site_start();
    make_distribute(site, "%n%s%*d", "DP1");
    cr_assert_eq(REFUSED(site, distribute), ERR_NOT_FOUND);
    eq_text(ANSWERED(site, 0, refusal), ANSWERED(site, 0, refusal)->message,
            "cannot distribute '%n%s%*d': no package of this id is known");
    site_end(site);
}

Test(d31, q159201_attributes_of_no_length_or_cut_anywhere_end_the_walk_over_them, .timeout = 20)
{
    static const struct {
        const char *blob;
        uint32_t pairs;
    } odd[] = {{"x'0000'", 0},         {"x'00000000'", 1},
               {"x'000000000000'", 1}, {"x'00'", 0},
               {"x'ffff'", 0},         {"x'0100'", 0},
               {"x'010061ffff'", 0},   {"x'0100610000'", 1},
               {"zeroblob(32)", 8},    {"zeroblob(8000)", EVENT_ATTRS_MAX}};
    site_t *site = site_start();
    cr_assert_eq(noted(site, slice_of("whole")), OK);
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        char text[200];
        snprintf(text, sizeof text, "UPDATE event SET attrs = %s", odd[i].blob);
        execute(site, text);
        MAKE(site, status_since);
        const events_t *events = ASK(site, status_since, events);
        const event_t *event = ROW(events, events->events, 0, event_t);
        eq_text(events, event->text, "whole");
        cr_expect_eq(event->attrs.count, odd[i].pairs, "%s: expected %u pairs, got %u", odd[i].blob,
                     odd[i].pairs, event->attrs.count);
    }
    site_end(site);
}

/* ---- size ---- */

/* What the statements of a target's life cost in steps of SQLite's machine, which are the same on
 * every machine. */
static uint64_t
cost_among(int count)
{
    char last[16]; /* who walks meets it after all others */
    snprintf(last, sizeof last, "DP%05d", count - 1);
    site_t *site = site_of_points(count);
    cr_assert(distributed(site, "P1", NULL));
    execute(site, "UPDATE target SET state = 2, look = NULL, taken = 0, have = 1");
    steps_of(site);
    cr_assert(withdrawn(site, "P1", last));
    removed(site, last);
    cr_assert(distributed(site, "P1", last));
    due_row_t row = due_on(site, last);
    begun(site, &row);
    cr_assert_eq(outcome(site, &row, ERR_IO, TARGET_RETRYING, 1, 1000), OK);
    cr_assert(retried(site, "P1", last));
    installed(site, last);
    shown(site, "P1", last);
    uint64_t steps = steps_of(site);
    site_end(site);
    return steps;
}

static void
costs_alike(uint64_t (*cost)(int points))
{
    uint64_t few = cost(100), many = cost(10000);
    cr_assert_lt(many, 2 * few, "%d steps among 100 points, %d among 10,000", (int) few,
                 (int) many);
}

Test(d69, q275132_work_on_one_of_ten_thousand_points_costs_what_it_costs_among_a_hundred,
     .timeout = 120)
{
    costs_alike(cost_among);
}

static void
agent_is(site_t *site, const char *name, uint32_t number)
{
    point_commit_t *m = MAKE(site, point_commit);
    HEAD(site, m);
    m->add = true;
    m->name = site_text(site, name);
    m->root = site_text(site, POINT_AGENT);
    m->incarnation.byte[0] = 1;
    memcpy(m->token.byte, &number, sizeof number);
    m->token.byte[8] = 1;
    m->token_text = site_text(site, "token");
    cr_assert(ASK(site, point_commit, agent_added)->changed);
}

/* One that is told of alone, by the row of its point: what the host is told of when it is added. */
static uint64_t
cost_of_an_agent_among(int count)
{
    char name[16];
    site_t *site = site_of_points(count);
    for (int i = 0; i < count / 10; i++) {
        snprintf(name, sizeof name, "AG%05d", i);
        agent_is(site, name, (uint32_t) i);
    }
    steps_of(site);
    points_known_t *known = MAKE(site, points_known);
    known->name = site_text(site, "ONE-MORE");
    known->alone = true;
    cr_assert_eq(ASK(site, points_known, points_listed)->points.count, 0u);
    agent_is(site, "ONE-MORE", (uint32_t) count);
    agents_known_t *query = MAKE(site, agents_known);
    query->after = (uint64_t) number_of(site, "SELECT row FROM point WHERE name = 'ONE-MORE'");
    query->alone = true;
    const agents_listed_t *listed = ASK(site, agents_known, agents_listed);
    cr_assert_eq(listed->agents.count, 1u);
    eq_text(listed, ROW(listed, listed->agents, 0, agent_row_t)->dp, "ONE-MORE");
    uint64_t steps = steps_of(site);
    site_end(site);
    return steps;
}

Test(d69, an_agent_is_added_to_ten_thousand_points_for_what_it_costs_among_a_hundred,
     .timeout = 120)
{
    costs_alike(cost_of_an_agent_among);
}
