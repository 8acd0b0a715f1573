/* frames_test.c - claims about what a site and an agent say to each other. */
#include <criterion/criterion.h>
#include <string.h>

#include "actors/agent_wire.h"

static uint64_t memory[65536];
static uint8_t frame[65536];

static size_t
need_frame(void)
{
    static uint64_t made[8192];
    draft_t draft;

    draft_over(&draft, made, sizeof made);
    agent_need_t *m = draft_begin(&draft, &agent_need_type);
    m->order = 7;
    m->ranges = draft_rows(&draft, 2, sizeof(range_t));
    for (uint32_t i = 0; i < 2; i++) {
        range_t *row = draft_row(&draft, m->ranges, i, sizeof *row);
        memset(row->object.byte, (int) i + 1, sizeof row->object.byte);
        row->from = i * 1000;
        row->size = 5000;
    }
    size_t size = agent_frame_write(&agent_need_type, m, frame, sizeof frame);
    cr_assert_gt(size, 0);
    return size;
}

static err_t
read_frame(size_t size, agent_side_t from, const record_type_t **type, const void **record)
{
    return agent_frame_read((slice_t){(const char *) frame, size}, from, memory, sizeof memory,
                            type, record);
}

Test(frames, what_is_written_is_read_again)
{
    const record_type_t *type = NULL;
    const void *record = NULL;
    err_t err = read_frame(need_frame(), AGENT_SAYS, &type, &record);

    cr_assert_eq(err, OK, "expected ok, got %s", err_word(err));
    cr_assert_eq(type, &agent_need_type);
    const agent_need_t *m = record;
    cr_expect_eq(m->order, 7);
    cr_assert_eq(m->ranges.count, 2);
    cr_expect_eq(ROW(m, m->ranges, 1, range_t)->from, 1000);
    cr_expect_eq(ROW(m, m->ranges, 1, range_t)->object.byte[31], 2);
}

Test(frames, nobody_says_what_only_the_other_may_say)
{
    const record_type_t *type = NULL;
    const void *record = NULL;
    err_t err = read_frame(need_frame(), SITE_SAYS, &type, &record);

    cr_expect_eq(err, ERR_UNKNOWN_COMMAND, "expected unknown-command, got %s", err_word(err));
}

Test(frames, a_frame_that_was_cut_is_refused_wherever_it_was_cut)
{
    const record_type_t *type = NULL;
    const void *record = NULL;
    size_t size = need_frame();

    for (size_t cut = 0; cut < size; cut++) {
        cr_expect_neq(read_frame(cut, AGENT_SAYS, &type, &record), OK, "cut at %zu of %zu", cut,
                      size);
    }
}

Test(frames, what_does_not_fit_its_memory_is_refused)
{
    const record_type_t *type = NULL;
    const void *record = NULL;
    size_t size = need_frame();
    err_t err = agent_frame_read((slice_t){(const char *) frame, size}, AGENT_SAYS, memory, 64,
                                 &type, &record);

    cr_expect_neq(err, OK, "a need of two ranges was read into 64 bytes");
}

Test(frames, what_has_no_room_to_be_written_is_said_so)
{
    size_t size = need_frame();
    agent_beat_t beat = {.number = 1};

    cr_expect_eq(agent_frame_write(&agent_beat_type, &beat, frame, 4), 0);
    cr_expect_gt(size, 4);
}
