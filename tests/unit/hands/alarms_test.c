/* alarms_test.c - claims about alarms: each and its end are told once, and they are bounded. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "actors/alarms.h"

static alarms_t alarms;

/* Tells what is untold and returns how many were raised and how many have ended. */
static void
tell(uint32_t *ret_raised, uint32_t *ret_ended)
{
    alarm_t *alarm = NULL;
    *ret_raised = 0;
    *ret_ended = 0;
    while ((alarm = alarms_untold(&alarms, alarm)) != NULL) {
        *(alarm->raised ? ret_raised : ret_ended) += 1;
        alarms_told(&alarms, alarm);
    }
}

static void
expect_told(uint32_t raised, uint32_t ended)
{
    uint32_t got_raised, got_ended;
    tell(&got_raised, &got_ended);
    cr_assert_eq(got_raised, raised, "expected %u raised, got %u", raised, got_raised);
    cr_assert_eq(got_ended, ended, "expected %u ended, got %u", ended, got_ended);
}

static void
backlog_is(uint32_t slots, uint64_t waiting, uint64_t oldest_ms)
{
    backlog_t backlog = {.slots = slots, .waiting = waiting, .oldest_ms = oldest_ms};
    alarms_of_backlog(&alarms, &backlog, 60000);
}

Test(alarms, one_is_told_once_however_often_it_is_seen_and_its_end_once)
{
    for (int look = 0; look < 3; look++) {
        backlog_is(4, 1, 60001);
        expect_told(look == 0, 0);
    }
    for (int look = 0; look < 3; look++) {
        backlog_is(4, 1, 60000);
        expect_told(0, look == 0);
    }
    backlog_is(4, 1, 60001);
    expect_told(1, 0);
}

Test(alarms, one_that_ended_before_it_was_told_is_not_told_at_all)
{
    alarms_raise(&alarms, ALARM_OF_STALLED, "stalled:a", "t");
    alarms_clear(&alarms, ALARM_OF_STALLED, "stalled:a");
    expect_told(0, 0);
    cr_assert_eq(alarms_raised(&alarms), 0);
}

Test(alarms, one_that_came_back_before_its_end_was_told_goes_on_silently)
{
    alarms_raise(&alarms, ALARM_OF_STALLED, "stalled:a", "t");
    expect_told(1, 0);
    alarms_clear(&alarms, ALARM_OF_STALLED, "stalled:a");
    alarms_raise(&alarms, ALARM_OF_STALLED, "stalled:a", "t");
    expect_told(0, 0);
    cr_assert_eq(alarms_raised(&alarms), 1);
}

Test(alarms, a_look_at_one_source_ends_nothing_of_another)
{
    alarms_raise(&alarms, ALARM_OF_STALLED, "stalled:a", "t");
    alarms_look(&alarms, ALARM_OF_STALLED); /* and this look has not ended */
    backlog_is(4, 1, 60001);
    expect_told(2, 0);
    backlog_is(4, 0, 0);
    expect_told(0, 1);
    cr_assert_eq(alarms_raised(&alarms), 1);
}

Test(alarms, a_despooler_without_slots_is_one_while_something_waits)
{
    backlog_is(0, 0, 0);
    expect_told(0, 0);
    backlog_is(0, 1, 10);
    expect_told(1, 0);
    cr_assert_str_eq(alarms.alarm[0].name, "disabled");
    backlog_is(1, 1, 10);
    expect_told(0, 1);
}

Test(alarms, each_absent_or_full_point_is_one_and_so_are_failed_targets_space_and_clock)
{
    _Alignas(8) uint8_t memory[2048];
    draft_t draft;
    draft_over(&draft, memory, sizeof memory);
    alarm_facts_t *facts = draft_begin(&draft, &alarm_facts_type);
    facts->absent = draft_rows(&draft, 2, sizeof(text_t));
    for (uint32_t i = 0; i < 2; i++) {
        text_t name = draft_textf(&draft, "dp%u", i);
        *(text_t *) draft_row(&draft, facts->absent, i, sizeof name) = name;
    }
    facts->full = draft_rows(&draft, 1, sizeof(text_t));
    *(text_t *) draft_row(&draft, facts->full, 0, sizeof(text_t)) =
        draft_text(&draft, slice_of("dp0"));
    facts->failed = 3;
    facts->site_free = SITE_FREE_BYTES_MIN - 1u;
    facts->clock_skew_ms = -SKEW_MS_MAX - 1;
    alarms_of_site(&alarms, facts);
    expect_told(6, 0);
    facts->absent.count = 1;
    facts->full.count = 0;
    facts->failed = 0;
    facts->site_free = SITE_FREE_BYTES_MIN;
    facts->clock_skew_ms = SKEW_MS_MAX;
    alarms_of_site(&alarms, facts);
    expect_told(0, 5);
}

Test(alarms, one_past_the_bound_is_dropped_until_another_has_ended)
{
    char name[ALARM_NAME_BYTES];
    for (uint32_t i = 0; i <= ALARMS_MAX; i++) {
        snprintf(name, sizeof name, "late:%u", i);
        alarms_raise(&alarms, ALARM_OF_LATE, name, "t");
    }
    expect_told(ALARMS_MAX, 0);
    alarms_clear(&alarms, ALARM_OF_LATE, "late:0");
    expect_told(0, 1);
    alarms_raise(&alarms, ALARM_OF_LATE, name, "t");
    expect_told(1, 0);
}

Test(alarms, each_of_as_many_as_there_can_be_is_found_again_whichever_ended_before)
{
    char name[ALARM_NAME_BYTES];
    for (uint32_t look = 0; look < 4; look++) {
        alarms_look(&alarms, ALARM_OF_SITE);
        for (uint32_t i = look; i < ALARMS_MAX; i += look + 1) {
            snprintf(name, sizeof name, "absent:%u", i);
            alarms_raise(&alarms, ALARM_OF_SITE, name, "t");
        }
        alarms_looked(&alarms, ALARM_OF_SITE);
        uint32_t raised, ended, before = look > 0 ? ALARMS_MAX / look : 0;
        tell(&raised, &ended);
        cr_expect_eq(before + raised - ended, ALARMS_MAX / (look + 1), "look %u: %u and %u", look,
                     raised, ended);
        cr_expect_eq(alarms_raised(&alarms), ALARMS_MAX / (look + 1));
    }
}
