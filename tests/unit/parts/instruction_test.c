/* instruction_test.c - claims about the message of Q153576: it names exactly what is due. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/instruction.h"

#define ROOM     (4u << 20)
#define ROWS_MAX 600u

static _Alignas(8) uint8_t due_memory[ROOM], made_memory[ROOM], again_memory[ROOM];

/* What is due: rows of one package and version, as a first try. */
static due_t *
due_of(draft_t *draft, uint32_t count)
{
    draft_over(draft, due_memory, ROOM);
    due_t *due = draft_begin(draft, &due_type);
    due->targets = draft_rows(draft, count, sizeof(due_row_t));
    for (uint32_t i = 0; i < count; i++) {
        due_row_t *row = draft_row(draft, due->targets, i, sizeof *row);
        row->target = i + 1;
        row->revision = 10 + i;
        row->action = ACTION_INSTALL;
        row->package = draft_text(draft, slice_of("P1"));
        row->package_incarnation.byte[0] = 7;
        row->epoch = 3;
        row->root.byte[0] = 9;
        row->label = draft_text(draft, slice_of("3.1"));
        row->bytes = 1234;
        row->dp = draft_textf(draft, "dp%u", i);
        row->dp_incarnation.byte[0] = (uint8_t) i;
        row->dp_root = draft_textf(draft, "/points/%u", i);
        row->attempt = 1;
        row->of = 100;
    }
    return due;
}

static due_row_t *
row_of(draft_t *draft, const due_t *due, uint32_t row)
{
    return draft_row(draft, due->targets, row, sizeof(due_row_t));
}

static const instruction_t *
make(const instruction_walk_t *walk, uint8_t *memory)
{
    draft_t draft;
    draft_over(&draft, memory, ROOM);
    instruction_t *instruction = draft_begin(&draft, &instruction_type);
    instruction_fill(walk, &draft, instruction);
    cr_assert(!draft.full);
    cr_assert_eq(record_check(&instruction_type, memory, draft.size), OK);
    return instruction;
}

/* Walks the whole of due, counts instructions, and how often each target is named. */
static uint32_t
walk_all(const due_t *due, uint32_t named[ROWS_MAX + 1])
{
    uint8_t grouped[ROWS_MAX] = {0};
    instruction_walk_t walk = {.due = due, .grouped = grouped};
    uint32_t count = 0;
    memset(named, 0, (ROWS_MAX + 1) * sizeof *named);
    while (instruction_next(&walk)) {
        const instruction_t *m = make(&walk, made_memory);
        cr_assert(m->targets.count > 0, "instruction %u names no target", count);
        cr_assert(m->targets.count <= INSTRUCTION_TARGETS_MAX, "%u targets", m->targets.count);
        for (uint32_t i = 0; i < m->targets.count; i++) {
            named[ROW(m, m->targets, i, target_ref_t)->target]++;
        }
        count++;
    }
    return count;
}

static void
expect_each_once(const uint32_t *named, uint32_t count)
{
    for (uint32_t target = 1; target <= count; target++) {
        cr_expect_eq(named[target], 1, "target %u is named %u times", target, named[target]);
    }
}

Test(instruction, every_due_target_is_named_exactly_once_and_none_is_empty)
{
    draft_t draft;
    uint32_t named[ROWS_MAX + 1];
    due_t *due = due_of(&draft, ROWS_MAX);
    uint32_t got = walk_all(due, named);
    uint32_t expected = (ROWS_MAX + INSTRUCTION_TARGETS_MAX - 1) / INSTRUCTION_TARGETS_MAX;
    cr_expect_eq(got, expected, "expected %u instructions, got %u", expected, got);
    expect_each_once(named, ROWS_MAX);
}

Test(instruction, nothing_due_makes_no_instruction)
{
    draft_t draft;
    uint32_t named[ROWS_MAX + 1];
    cr_expect_eq(walk_all(due_of(&draft, 0), named), 0);
}

Test(instruction, rows_that_differ_in_what_is_wanted_or_why_are_not_mixed)
{
    draft_t draft;
    uint32_t named[ROWS_MAX + 1];
    due_t *due = due_of(&draft, 8);
    row_of(&draft, due, 1)->action = ACTION_REMOVE;
    row_of(&draft, due, 2)->epoch = 4;
    row_of(&draft, due, 3)->attempt = 2;
    row_of(&draft, due, 4)->cause = ERR_IO;
    row_of(&draft, due, 5)->package_incarnation.byte[0] = 8;
    row_of(&draft, due, 6)->integrity = 1;
    uint32_t got = walk_all(due, named);
    cr_expect_eq(got, 7, "expected 7 instructions, got %u", got);
    expect_each_once(named, 8);
}

Test(instruction, what_is_wanted_is_told_as_it_is_due)
{
    draft_t draft;
    uint8_t grouped[1] = {0};
    instruction_walk_t walk = {.due = due_of(&draft, 1), .grouped = grouped};
    cr_assert(instruction_next(&walk));
    const instruction_t *m = make(&walk, made_memory);
    char shown[1024];
    record_print(&instruction_type, m, shown, sizeof shown);
    cr_expect(slice_equal(record_slice(m, m->package), slice_of("P1")), "%s", shown);
    cr_expect(slice_equal(record_slice(m, m->label), slice_of("3.1")), "%s", shown);
    cr_expect(m->epoch == 3 && m->root.byte[0] == 9 && m->bytes == 1234, "%s", shown);
    cr_expect(m->action == ACTION_INSTALL && m->attempt == 1 && m->of == 100, "%s", shown);
}

Test(instruction, a_target_carries_its_own_point_and_revision)
{
    draft_t draft;
    uint8_t grouped[3] = {0};
    instruction_walk_t walk = {.due = due_of(&draft, 3), .grouped = grouped};
    cr_assert(instruction_next(&walk));
    const instruction_t *m = make(&walk, made_memory);
    for (uint32_t i = 0; i < 3; i++) {
        char dp[16], root[32];
        const target_ref_t *target = ROW(m, m->targets, i, target_ref_t);
        snprintf(dp, sizeof dp, "dp%u", i);
        snprintf(root, sizeof root, "/points/%u", i);
        cr_expect_eq(target->revision, 10 + i);
        cr_expect_eq(target->dp_incarnation.byte[0], i);
        cr_expect(slice_equal(record_slice(m, target->dp), slice_of(dp)));
        cr_expect(slice_equal(record_slice(m, target->dp_root), slice_of(root)));
    }
}

/* The first instruction for three points; and its retry, after the last failed its first try. */
static void
make_both(const instruction_t **ret_first, instruction_t **ret_retry)
{
    draft_t draft;
    uint8_t grouped[3] = {0};
    instruction_walk_t walk = {.due = due_of(&draft, 3), .grouped = grouped};
    cr_assert(instruction_next(&walk));
    *ret_first = make(&walk, made_memory);
    due_row_t failed = *row_of(&draft, walk.due, 2);
    failed.attempt = 2;
    failed.cause = ERR_IO;
    failed.due = 77;
    due_t *due = due_of(&draft, 1);
    due_row_t *row = row_of(&draft, due, 0);
    failed.package = row->package;
    failed.label = row->label;
    failed.dp = draft_text(&draft, slice_of("dp2"));
    failed.dp_root = draft_text(&draft, slice_of("/points/2"));
    *row_of(&draft, due, 0) = failed;
    memset(grouped, 0, sizeof grouped);
    walk = (instruction_walk_t){.due = due, .grouped = grouped};
    cr_assert(instruction_next(&walk));
    *ret_retry = (instruction_t *) (void *) make(&walk, again_memory);
}

Test(instruction, q153576_a_retry_names_exactly_the_failed_point)
{
    const instruction_t *first;
    instruction_t *retry;
    make_both(&first, &retry);
    cr_assert_eq(retry->targets.count, 1, "expected 1 target, got %u", retry->targets.count);
    const target_ref_t *named = ROW(retry, retry->targets, 0, target_ref_t);
    cr_expect_eq(named->target, 3);
    cr_expect(slice_equal(record_slice(retry, named->dp), slice_of("dp2")));
}

Test(instruction, q195936_a_retry_equals_the_first_but_for_attempt_due_cause_and_what_is_done)
{
    const instruction_t *first;
    instruction_t *retry;
    make_both(&first, &retry);
    cr_expect_eq(retry->attempt, 2);
    cr_expect_eq(retry->cause, ERR_IO);
    cr_expect_eq(retry->due, 77);
    instruction_t *old = (instruction_t *) (void *) made_memory;
    retry->attempt = old->attempt;
    retry->cause = old->cause;
    retry->due = old->due;
    retry->targets.count = old->targets.count = 0;
    retry->targets.at = old->targets.at = 0;
    char a[1024], b[1024];
    cr_expect(record_equal(&instruction_type, first, retry), "first %s\nretry %s",
              record_print(&instruction_type, first, a, sizeof a),
              record_print(&instruction_type, retry, b, sizeof b));
}

Test(instruction, the_number_tells_package_version_and_action_apart_and_nothing_else)
{
    id128_t one = {{1}}, two = {{2}};
    uint64_t number = instruction_number(&one, 5, ACTION_INSTALL);
    cr_expect_eq(instruction_number(&one, 5, ACTION_INSTALL), number);
    cr_expect_neq(instruction_number(&two, 5, ACTION_INSTALL), number);
    cr_expect_neq(instruction_number(&one, 6, ACTION_INSTALL), number);
    cr_expect_neq(instruction_number(&one, 5, ACTION_REMOVE), number);
}

Test(instruction, a_draft_that_is_too_small_is_full_and_nothing_is_written_past_it)
{
    draft_t draft, small;
    uint8_t grouped[200] = {0};
    instruction_walk_t walk = {.due = due_of(&draft, 200), .grouped = grouped};
    cr_assert(instruction_next(&walk));
    for (uint32_t room = (uint32_t) sizeof(instruction_t); room < 4096; room += 8) {
        memset(again_memory, 0x5a, 8192);
        draft_over(&small, again_memory, room);
        instruction_fill(&walk, &small, draft_begin(&small, &instruction_type));
        cr_assert(small.full, "room %u was enough", room);
        cr_assert_eq(again_memory[room], 0x5a, "room %u: the byte after it changed", room);
    }
}

/* The article's despooler fell over its own feet here. */
Test(instruction, q186827_a_retry_is_whole_or_refused_whatever_room_there_is)
{
    draft_t draft, small;
    uint8_t grouped[40] = {0};
    uint32_t whole = 0;
    instruction_walk_t walk = {.due = due_of(&draft, 40), .grouped = grouped};
    for (uint32_t i = 0; i < 40; i++) {
        due_row_t *row = row_of(&draft, walk.due, i);
        row->attempt = 2;
        row->cause = ERR_IO;
    }
    cr_assert(instruction_next(&walk));
    for (uint32_t room = (uint32_t) sizeof(instruction_t); room < 8192; room++) {
        memset(again_memory, 0x5a, room + 64);
        draft_over(&small, again_memory, room);
        instruction_fill(&walk, &small, draft_begin(&small, &instruction_type));
        const instruction_t *m = (const instruction_t *) (void *) again_memory;
        for (uint32_t i = 0; i < 64; i++) {
            cr_assert_eq(again_memory[room + i], 0x5a, "room %u: byte %u behind it", room, i);
        }
        cr_assert(small.full || m->targets.count == 40, "room %u: %u targets", room,
                  m->targets.count);
        cr_assert(small.full || record_check(&instruction_type, m, small.size) == OK);
        whole += !small.full;
    }
    cr_assert_gt(whole, 1000u, "it never fits");
}
