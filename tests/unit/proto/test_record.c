/* test_record.c - drafts, the check of a record, copies and comparisons. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "proto/messages.h"
#include "samples.h"

static err_t
check_of(const draft_t *draft)
{
    return record_check(&every_type, draft->base, draft->size);
}

Test(record, a_filled_and_a_bare_draft_pass_the_check)
{
    static room_t room;
    draft_t draft;
    sample_full(&draft, &room);
    cr_assert_eq(check_of(&draft), OK, "full: %s", err_word(check_of(&draft)));
    sample_bare(&draft, &room);
    cr_assert_eq(check_of(&draft), OK, "bare: %s", err_word(check_of(&draft)));
}

Test(record, a_record_cut_anywhere_before_its_end_is_refused)
{
    static room_t room;
    draft_t draft;
    sample_full(&draft, &room);
    for (size_t size = 0; size < draft.size; size++) {
        cr_assert_neq(record_check(&every_type, draft.base, size), OK, "cut to %zu bytes of %u",
                      size, draft.size);
    }
}

Test(record, a_record_that_is_not_aligned_is_refused_and_not_read)
{
    static room_t room;
    draft_t draft;
    sample_full(&draft, &room);
    memmove(room.bytes + 1, room.bytes, draft.size);
    cr_assert_eq(record_check(&every_type, room.bytes + 1, draft.size), ERR_BAD_REQUEST);
}

/* One way in which a record can lie, and what the check must answer. */
typedef struct lie {
    const char *claim;
    void (*tell)(every_t *every, const draft_t *draft);
    err_t expected;
} lie_t;

static void
text_ends_after_the_record(every_t *every, const draft_t *draft)
{
    every->text = (text_t){draft->size - 1, 2};
}
static void
text_wraps_around(every_t *every, const draft_t *draft)
{
    (void) draft;
    every->text.size = UINT32_MAX;
}
static void
text_lies_in_the_fixed_part(every_t *every, const draft_t *draft)
{
    (void) draft;
    every->text = (text_t){8, 8};
}
static void
text_without_offset_has_a_size(every_t *every, const draft_t *draft)
{
    (void) draft;
    every->text = (text_t){0, 1};
}
static void
text_above_its_bound(every_t *every, const draft_t *draft)
{
    every->text = (text_t){sizeof *every, EVERY_TEXT_BYTES + 1};
    (void) draft;
}
static void
rows_not_aligned(every_t *every, const draft_t *draft)
{
    /* Zeroes are a sound row, so that nothing but their place is wrong. */
    memset(draft->base + draft->size - 256, 0, 256);
    every->rows = (rows_t){(draft->size - 256) / 8 * 8 + 4, 1};
}
static void
rows_across_the_end(every_t *every, const draft_t *draft)
{
    every->rows = (rows_t){draft->size / 8 * 8, 1};
}
static void
rows_past_the_end(every_t *every, const draft_t *draft)
{
    (void) draft;
    every->rows.count = 1000;
}
static void
rows_beyond_any_size(every_t *every, const draft_t *draft)
{
    (void) draft;
    every->rows.count = UINT32_MAX;
}
static void
rows_without_rows_have_an_offset(every_t *every, const draft_t *draft)
{
    (void) draft;
    every->rows.count = 0;
}
static void
two_rows_where_one_may_be(every_t *every, const draft_t *draft)
{
    (void) draft;
    every->maybe = every->rows;
}
static void
a_row_that_lies(every_t *every, const draft_t *draft)
{
    part_t *part = (part_t *) (draft->base + every->rows.at);
    part->name.at = draft->size + 1;
}
static void
a_word_that_does_not_exist(every_t *every, const draft_t *draft)
{
    (void) draft;
    every->word = COLOUR_COUNT;
}
static void
a_flag_of_two(every_t *every, const draft_t *draft)
{
    (void) draft;
    every->flag = 2;
}
static void
a_raw_value_that_is_not_one(every_t *every, const draft_t *draft)
{
    draft->base[every->raw.at] = 0xc1;
}

static const lie_t lies[] = {
    {"a text ends after the record", text_ends_after_the_record, ERR_BAD_REQUEST},
    {"a text wraps around", text_wraps_around, ERR_BAD_REQUEST},
    {"a text lies in the fixed part", text_lies_in_the_fixed_part, ERR_BAD_REQUEST},
    {"a text without offset has a size", text_without_offset_has_a_size, ERR_BAD_REQUEST},
    {"a text is above its bound", text_above_its_bound, ERR_TOO_LARGE},
    {"rows are not aligned", rows_not_aligned, ERR_BAD_REQUEST},
    {"rows go past the end", rows_past_the_end, ERR_BAD_REQUEST},
    {"rows go across the end", rows_across_the_end, ERR_BAD_REQUEST},
    {"rows go beyond any size", rows_beyond_any_size, ERR_BAD_REQUEST},
    {"no rows have an offset", rows_without_rows_have_an_offset, ERR_BAD_REQUEST},
    {"two rows where one may be", two_rows_where_one_may_be, ERR_TOO_LARGE},
    {"a row's text lies outside", a_row_that_lies, ERR_BAD_REQUEST},
    {"a word does not exist", a_word_that_does_not_exist, ERR_BAD_REQUEST},
    {"a flag is two", a_flag_of_two, ERR_BAD_REQUEST},
    {"a raw value is not msgpack", a_raw_value_that_is_not_one, ERR_BAD_REQUEST},
};

Test(record, every_kind_of_lie_is_refused)
{
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        static room_t room;
        static char filler[1024];
        draft_t draft;
        sample_full(&draft, &room);
        draft_text(&draft, (slice_t){filler, sizeof filler}); /* room for one lie at a time */
        lies[i].tell((every_t *) draft.base, &draft);
        err_t got = check_of(&draft);
        cr_assert_eq(got, lies[i].expected, "%s: expected %s, got %s", lies[i].claim,
                     err_word(lies[i].expected), err_word(got));
    }
}

/* A record that the check accepts can be walked, printed, copied, compared and encoded; in memory
 * of exactly its size, so that a sanitizer sees a byte too far. */
static void
use_checked(const void *record, size_t size)
{
    static room_t copy_room, wire_room;
    char line[512];
    if (record_check(&every_type, record, size) != OK) {
        return;
    }
    record_print(&every_type, record, line, sizeof line);
    draft_t copy;
    draft_over(&copy, copy_room.bytes, sizeof copy_room.bytes);
    void *fixed = draft_begin(&copy, &every_type);
    if (draft_copy(&copy, &every_type, fixed, record, record) == OK) {
        cr_assert(record_equal(&every_type, record, copy.base), "a copy differs: %s", line);
        cr_assert_eq(check_of(&copy), OK, "a copy is no record: %s", line);
    }
    wire_writer_t writer;
    wire_value_t root;
    wire_writer_over(&writer, wire_room.bytes, sizeof wire_room.bytes);
    if (record_encode(&every_type, record, &writer) == OK) {
        cr_assert_eq(wire_check(writer.base, writer.size, &root), OK, "not msgpack: %s", line);
    }
}

Test(record, no_mutated_record_leads_a_reader_outside_of_it, .timeout = 60)
{
    static room_t room;
    draft_t draft;
    uint64_t seed = 1;
    for (int round = 0; round < 20000; round++) {
        sample_full(&draft, &room);
        uint64_t changes = 1 + sample_random(&seed) % 4;
        for (uint64_t i = 0; i < changes; i++) {
            uint64_t chance = sample_random(&seed);
            draft.base[chance % draft.size] = (uint8_t) (chance >> 32);
        }
        void *exact = aligned_alloc(8, (draft.size + 7u) / 8 * 8);
        cr_assert_not_null(exact);
        memcpy(exact, draft.base, draft.size);
        use_checked(exact, draft.size);
        free(exact);
    }
}

Test(record, rows_that_share_their_tail_do_not_multiply_the_work)
{
    static room_t room;
    draft_t draft;
    sample_bare(&draft, &room);
    every_t *every = (every_t *) draft.base;
    every->rows = draft_rows(&draft, 2, sizeof(part_t));
    rows_t tags = draft_rows(&draft, 2, sizeof(text_t));
    for (uint32_t i = 0; i < 2; i++) {
        part_t *part = draft_row(&draft, every->rows, i, sizeof *part);
        part->name = draft_text(&draft, slice_of("x"));
        part->tags = tags;
    }
    draft_rows(&draft, 64, 8); /* bytes enough to pay for both */
    cr_assert_eq(check_of(&draft), OK);
    draft.size = tags.at + tags.count * (uint32_t) sizeof(text_t) + 2;
    cr_assert_eq(check_of(&draft), ERR_BAD_REQUEST);
}

Test(draft, what_does_not_fit_says_so_and_writes_nothing)
{
    static room_t room;
    draft_t draft;
    memset(room.bytes, 0x5a, sizeof room.bytes);
    draft_over(&draft, room.bytes, sizeof(every_t) + 8);
    draft_begin(&draft, &every_type);
    draft_text(&draft, slice_of("12345678"));
    cr_assert_not(draft.full, "8 bytes fit into 8");
    text_t text = draft_text(&draft, slice_of("9"));
    cr_assert(draft.full);
    cr_assert_eq(text.at, 0);
    cr_assert_eq(draft_rows(&draft, 1, 8).count, 0);
    cr_assert_eq(room.bytes[sizeof(every_t) + 8], 0x5a, "a byte behind the capacity was written");
}

Test(draft, bytes_skipped_for_alignment_are_zero_so_that_equal_records_are_equal_bytes)
{
    static room_t room;
    draft_t draft;
    memset(room.bytes, 0x5a, sizeof room.bytes);
    sample_bare(&draft, &room);
    draft_text(&draft, slice_of("x"));
    uint32_t from = draft.size;
    rows_t rows = draft_rows(&draft, 1, 8);
    cr_assert_gt(rows.at, from, "nothing was skipped: this proves nothing");
    for (uint32_t at = from; at < draft.size; at++) {
        cr_assert_eq(draft.base[at], 0, "byte %u is %02x", at, draft.base[at]);
    }
}

Test(draft, rows_of_any_count_cannot_overflow_it)
{
    static room_t room;
    static const uint32_t counts[] = {UINT32_MAX, UINT32_MAX / 8 + 1, 1u << 30, 4000};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        draft_t draft;
        sample_bare(&draft, &room);
        rows_t rows = draft_rows(&draft, counts[i], 8);
        cr_assert(draft.full, "%u rows", counts[i]);
        cr_assert_eq(rows.count, 0);
        cr_assert_null(draft_row(&draft, rows, 0, 8));
    }
}

Test(draft, formatted_text_is_whole_or_refused)
{
    static room_t room;
    draft_t draft;
    sample_bare(&draft, &room);
    text_t text = draft_textf(&draft, "%s-%d", "point", 7);
    cr_assert(slice_equal(record_slice(draft.base, text), slice_of("point-7")));
    draft.capacity = draft.size + 4;
    text = draft_textf(&draft, "12345");
    cr_assert(draft.full);
    cr_assert_eq(text.at, 0);
}

Test(draft, an_absent_text_stays_absent_in_a_copy_and_an_empty_one_stays_empty)
{
    static room_t room, other;
    draft_t draft, copy;
    const every_t *every = sample_bare(&draft, &room);
    draft_over(&copy, other.bytes, sizeof other.bytes);
    draft_begin(&copy, &every_type);
    cr_assert_eq(draft_copy_text(&copy, every, every->secret).at, 0);
    text_t empty = draft_copy_text(&copy, every, every->text);
    cr_assert_neq(empty.at, 0);
    cr_assert_eq(empty.size, 0);
}

Test(draft, a_copy_of_a_part_carries_its_tail_into_another_record)
{
    static room_t room, other;
    draft_t draft, copy;
    const every_t *every = sample_full(&draft, &room);
    const part_t *part = ROW(every, every->rows, 1, part_t);
    draft_over(&copy, other.bytes, sizeof other.bytes);
    part_t *to = draft_begin(&copy, &part_type);
    cr_assert_eq(draft_copy(&copy, &part_type, to, every, part), OK);
    cr_assert_eq(record_check(&part_type, copy.base, copy.size), OK);
    cr_assert(slice_equal(record_slice(to, to->name), slice_of("two")));
    cr_assert_eq(to->tags.count, 2);
    cr_assert(slice_equal(record_slice(to, ROW(to, to->tags, 0, text_t)[0]), slice_of("first")));
}

Test(draft, a_copy_that_does_not_fit_is_refused_at_every_capacity)
{
    static room_t room, other;
    draft_t draft, copy;
    const every_t *every = sample_full(&draft, &room);
    draft_over(&copy, other.bytes, sizeof other.bytes);
    cr_assert_eq(draft_copy(&copy, &every_type, draft_begin(&copy, &every_type), every, every), OK);
    uint32_t needed = copy.size;
    for (uint32_t capacity = sizeof(every_t); capacity < needed; capacity++) {
        draft_over(&copy, other.bytes, capacity);
        void *to = draft_begin(&copy, &every_type);
        cr_assert_eq(draft_copy(&copy, &every_type, to, every, every), ERR_TOO_LARGE,
                     "capacity %u of %u", capacity, needed);
    }
}

/* So are their hashes, whatever lies between the fields. */
Test(record, records_are_equal_by_content_and_differ_by_any_field)
{
    static room_t room, other;
    draft_t a, b;
    const every_t *first = sample_full(&a, &room);
    every_t *second = (every_t *) sample_full(&b, &other);
    cr_assert(record_equal(&every_type, first, second));
    uint64_t hash = record_hash(&every_type, first, 1);
    cr_assert_eq(record_hash(&every_type, second, 1), hash);
    cr_assert_neq(record_hash(&every_type, second, 2), hash);
    cr_assert_eq(offsetof(every_t, small) - offsetof(every_t, flag), 4, "nothing lies between");
    b.base[offsetof(every_t, flag) + 1] = 0x55;
    cr_assert_eq(record_hash(&every_type, second, 1), hash);
    for (uint32_t i = 0; i < every_type.field_count; i++) {
        const record_field_t *field = &every_type.field[i];
        second = (every_t *) sample_full(&b, &other);
        if (field->kind == RECORD_text && field->need == INTERNAL) {
            second->secret = draft_text(&b, slice_of("s"));
        } else if (field->kind >= RECORD_text && field->kind != RECORD_digest &&
                   field->kind != RECORD_id128) {
            memset(b.base + field->offset, 0, sizeof(text_t));
        } else {
            b.base[field->offset] ^= 1;
        }
        cr_assert_not(record_equal(&every_type, first, second), "field %s", field->name);
        cr_assert_neq(record_hash(&every_type, second, 1), hash, "field %s", field->name);
    }
}

Test(record, the_line_of_a_record_shows_every_field_and_is_cut_at_the_size)
{
    static room_t room;
    draft_t draft;
    char line[2048], cut[40];
    const every_t *every = sample_full(&draft, &room);
    record_print(&every_type, every, line, sizeof line);
    static const char expected[] = "every{flag=true small=4294967295 large=18446744073709551615 "
                                   "either=-9223372036854775808 count=0 time=1772366400123000000ns "
                                   "word=blue text=\"gr\xc3\xbc\xc3\x9f, \xf0\x9f\x93\xa6, "
                                   "\\xC3( and %n\" bytes=3:0001ff raw=4:9201a178";
    cr_assert_eq(strncmp(line, expected, sizeof expected - 1), 0, "expected %s\ngot      %s",
                 expected, line);
    cr_assert_not_null(strstr(line, "rows=[part{name=\"one\" size=1 tags=[\"first\" \"\"]} "));
    cr_assert_not_null(strstr(line, "pairs=[pair{name=\"key\\xFE\" value=\"value\"}] secret=nil}"));
    record_print(&every_type, every, cut, sizeof cut);
    cr_assert_lt(strlen(cut), sizeof cut);
    cr_assert_eq(strncmp(cut, line, strlen(cut)), 0);
}

Test(slices, are_copied_only_where_they_fit_and_hold_no_nul)
{
    char text[4];
    cr_assert(slice_copy(slice_of("abc"), text, sizeof text));
    cr_assert_str_eq(text, "abc");
    cr_assert_not(slice_copy(slice_of("abcd"), text, sizeof text));
    cr_assert_str_eq(text, "");
    cr_assert_not(slice_copy((slice_t){"a\0b", 3}, text, sizeof text));
    cr_assert_str_eq(text, "");
    cr_assert(slice_copy((slice_t){NULL, 0}, text, sizeof text));
}

Test(hex, goes_both_ways_and_refuses_all_else)
{
    uint8_t bytes[256], back[256];
    char hex[513];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t) i;
    }
    hex_of_bytes(bytes, sizeof bytes, hex);
    cr_assert(bytes_of_hex(slice_of(hex), back, sizeof back));
    cr_assert_eq(memcmp(bytes, back, sizeof bytes), 0);
    cr_assert(bytes_of_hex(slice_of("AbCd"), back, 2));
    cr_assert_not(bytes_of_hex(slice_of("abc"), back, 2));
    cr_assert_not(bytes_of_hex(slice_of("abcg"), back, 2));
    cr_assert_not(bytes_of_hex(slice_of("abcdef"), back, 2));
}
