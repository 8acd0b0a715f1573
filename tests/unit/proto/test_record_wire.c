/* test_record_wire.c - records to msgpack and back, and every way in which a map is refused. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "samples.h"

/* A map under way, and what became of decoding it as an every_t. */
typedef struct trial {
    room_t wire, record;
    wire_writer_t writer;
    draft_t draft;
    const every_t *every;
    const char *field;
    err_t err;
} trial_t;

static wire_writer_t *
begin(trial_t *trial, uint32_t keys)
{
    memset(trial, 0, sizeof *trial);
    wire_writer_over(&trial->writer, trial->wire.bytes, sizeof trial->wire.bytes);
    wire_put_map(&trial->writer, keys);
    return &trial->writer;
}

static void
put_key(trial_t *trial, const char *key)
{
    wire_put_str(&trial->writer, slice_of(key));
}

static err_t
decode(trial_t *trial)
{
    wire_value_t root;
    cr_assert_not(trial->writer.full);
    cr_assert_eq(wire_check(trial->writer.base, trial->writer.size, &root), OK);
    draft_over(&trial->draft, trial->record.bytes, sizeof trial->record.bytes);
    const void *record = NULL;
    trial->err = record_decode(&every_type, &root, &trial->draft, &record, &trial->field);
    trial->every = record;
    if (trial->err == OK) {
        cr_assert_eq(record_check(&every_type, record, trial->draft.size), OK,
                     "what was decoded is no record");
    }
    return trial->err;
}

static void
expect(trial_t *trial, err_t expected, const char *field, const char *claim)
{
    err_t got = decode(trial);
    cr_assert_eq(got, expected, "%s: expected %s, got %s at '%s'", claim, err_word(expected),
                 err_word(got), trial->field == NULL ? "" : trial->field);
    if (expected != OK) {
        cr_assert_str_eq(trial->field, field, "%s: expected field %s, got %s", claim, field,
                         trial->field);
    }
}

static void
encode(trial_t *trial, const every_t *every)
{
    begin(trial, 0);
    trial->writer.size = 0;
    cr_assert_eq(record_encode(&every_type, every, &trial->writer), OK);
}

Test(record_wire, a_record_of_every_kind_comes_back_equal)
{
    static room_t room;
    static trial_t trial;
    draft_t draft;
    const every_t *every = sample_full(&draft, &room);
    encode(&trial, every);
    expect(&trial, OK, NULL, "full");
    cr_assert(record_equal(&every_type, every, trial.every));
    every = sample_bare(&draft, &room);
    encode(&trial, every);
    expect(&trial, OK, NULL, "bare");
    cr_assert(record_equal(&every_type, every, trial.every));
}

Test(record_wire, encoding_twice_gives_the_same_bytes)
{
    static room_t room;
    static trial_t first, second;
    draft_t draft;
    encode(&first, sample_full(&draft, &room));
    expect(&first, OK, NULL, "full");
    encode(&second, first.every);
    cr_assert_eq(first.writer.size, second.writer.size);
    cr_assert_eq(memcmp(first.writer.base, second.writer.base, first.writer.size), 0);
}

Test(record_wire, absent_and_null_fields_are_nil_and_lists_are_empty)
{
    static room_t room;
    static trial_t trial;
    draft_t draft;
    char json[2048];
    size_t size;
    wire_value_t root;
    encode(&trial, sample_bare(&draft, &room));
    cr_assert_eq(wire_check(trial.writer.base, trial.writer.size, &root), OK);
    cr_assert(wire_json(&root, json, sizeof json, &size));
    cr_assert_str_eq(json, "{\"flag\":false,\"small\":0,\"large\":0,\"either\":0,\"count\":null,"
                           "\"time\":null,\"word\":\"red\",\"text\":\"\",\"bytes\":null,"
                           "\"raw\":null,\"texts\":[],\"digest\":null,\"id\":null,\"rows\":[],"
                           "\"maybe\":null,\"pairs\":{}}");
}

Test(record_wire, internal_fields_are_neither_written_nor_accepted)
{
    static room_t room;
    static trial_t trial;
    draft_t draft;
    every_t *every = (every_t *) sample_bare(&draft, &room);
    every->secret = draft_text(&draft, slice_of("principal"));
    encode(&trial, every);
    expect(&trial, OK, NULL, "a record with a secret");
    cr_assert_eq(trial.every->secret.at, 0, "the secret travelled");
    begin(&trial, 2);
    put_key(&trial, "text");
    wire_put_nil(&trial.writer);
    put_key(&trial, "secret");
    wire_put_str(&trial.writer, slice_of("root"));
    expect(&trial, ERR_UNKNOWN_ARGUMENT, "secret", "a map with the secret");
}

Test(record_wire, a_text_that_is_not_utf8_is_shown_and_carried_raw)
{
    static room_t room;
    static trial_t trial;
    draft_t draft;
    every_t *every = (every_t *) sample_bare(&draft, &room);
    every->text = draft_text(&draft, slice_of("caf\xe9"));
    encode(&trial, every);
    wire_value_t root, value;
    cr_assert_eq(wire_check(trial.writer.base, trial.writer.size, &root), OK);
    cr_assert(wire_find(&root, "text", &value));
    cr_assert_eq(value.kind, WIRE_STR);
    cr_assert(slice_equal(value.bytes, slice_of("caf\\xE9")));
    cr_assert(wire_find(&root, "text_raw", &value));
    cr_assert_eq(value.kind, WIRE_BIN);
    cr_assert(slice_equal(value.bytes, slice_of("caf\xe9")));
    expect(&trial, OK, NULL, "a text with a raw form");
    cr_assert(slice_equal(record_slice(trial.every, trial.every->text), slice_of("caf\xe9")));
}

Test(record_wire, each_of_the_256_byte_values_comes_back_in_every_text)
{
    for (int byte = 0; byte < 256; byte++) {
        static room_t room;
        static trial_t trial;
        draft_t draft;
        char text[] = {'<', (char) byte, '\'', '>'};
        every_t *every = (every_t *) sample_bare(&draft, &room);
        every->text = draft_text(&draft, (slice_t){text, sizeof text});
        every->texts = draft_rows(&draft, 1, sizeof(text_t));
        *(text_t *) draft_row(&draft, every->texts, 0, sizeof(text_t)) = every->text;
        every->pairs = draft_rows(&draft, 1, sizeof(pair_t));
        *(pair_t *) draft_row(&draft, every->pairs, 0, sizeof(pair_t)) =
            (pair_t){every->text, every->text};
        encode(&trial, every);
        expect(&trial, OK, NULL, "a text of an odd byte");
        cr_assert(record_equal(&every_type, every, trial.every), "byte %d", byte);
    }
}

Test(record_wire, all_byte_values_in_one_text_and_format_directives_come_back)
{
    static room_t room;
    static trial_t trial;
    draft_t draft;
    char all[256];
    for (int byte = 0; byte < 256; byte++) {
        all[byte] = (char) byte;
    }
    static const char directives[] = "%n%s%%%1$n%*d'; DROP TABLE targets; --";
    const slice_t texts[] = {{all, sizeof all}, {directives, sizeof directives - 1}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        every_t *every = (every_t *) sample_bare(&draft, &room);
        every->text = draft_text(&draft, texts[i]);
        encode(&trial, every);
        expect(&trial, OK, NULL, "a text of odd bytes");
        cr_assert(slice_equal(record_slice(trial.every, trial.every->text), texts[i]));
        char line[4096];
        cr_assert_not_null(strstr(record_print(&every_type, trial.every, line, sizeof line),
                                  i == 0 ? "$%&'()" : directives));
    }
}

Test(record_wire, a_shown_text_may_be_longer_than_the_bound_of_its_raw_form)
{
    static room_t room;
    static trial_t trial;
    draft_t draft;
    char text[EVERY_TEXT_BYTES];
    memset(text, 0xff, sizeof text);
    every_t *every = (every_t *) sample_bare(&draft, &room);
    every->text = draft_text(&draft, (slice_t){text, sizeof text});
    encode(&trial, every);
    expect(&trial, OK, NULL, "a text of 0xff at its bound");
    cr_assert(record_equal(&every_type, every, trial.every));
}

Test(record_wire, a_document_that_does_not_fit_is_refused_at_every_capacity)
{
    static room_t room;
    static trial_t trial;
    draft_t draft;
    const every_t *every = sample_full(&draft, &room);
    encode(&trial, every);
    size_t needed = trial.writer.size;
    for (size_t capacity = 0; capacity < needed; capacity++) {
        static uint8_t memory[4096];
        wire_writer_t writer;
        wire_writer_over(&writer, memory, capacity);
        cr_assert_eq(record_encode(&every_type, every, &writer), ERR_TOO_LARGE,
                     "capacity %zu of %zu", capacity, needed);
    }
}

Test(record_wire, a_record_that_does_not_fit_its_draft_is_refused_at_every_capacity)
{
    static room_t room, other;
    static trial_t trial;
    draft_t draft, small;
    wire_value_t root;
    encode(&trial, sample_full(&draft, &room));
    expect(&trial, OK, NULL, "full");
    uint32_t needed = trial.draft.size;
    cr_assert_eq(wire_check(trial.writer.base, trial.writer.size, &root), OK);
    for (uint32_t capacity = sizeof(every_t); capacity < needed; capacity++) {
        const void *record = NULL;
        draft_over(&small, other.bytes, capacity);
        cr_assert_eq(record_decode(&every_type, &root, &small, &record, NULL), ERR_TOO_LARGE,
                     "capacity %u of %u", capacity, needed);
        cr_assert_null(record, "ret_record was touched");
    }
}

/* One value under one key beside a valid "text", and what is to come of it. */
typedef struct one {
    const char *claim;
    const char *key;
    const char *bytes; /* encoded value */
    size_t size;
    err_t expected;
} one_t;

#define ENCODED(bytes) bytes, sizeof bytes - 1

static const one_t ones[] = {
    {"a flag of 1", "flag", ENCODED("\x01"), ERR_WRONG_TYPE},
    {"a flag", "flag", ENCODED("\xc3"), OK},
    {"an absent flag", "flag", ENCODED("\xc0"), OK},
    {"a u32 as text", "small",
     ENCODED("\xa1"
             "1"),
     ERR_WRONG_TYPE},
    {"a u32 as float", "small", ENCODED("\xca\x3f\x80\x00\x00"), ERR_WRONG_TYPE},
    {"a u32 of 2^32", "small", ENCODED("\xcf\x00\x00\x00\x01\x00\x00\x00\x00"), ERR_BAD_VALUE},
    {"a u32 below zero", "small", ENCODED("\xff"), ERR_BAD_VALUE},
    {"a u64 below zero", "large", ENCODED("\xff"), ERR_BAD_VALUE},
    {"a u64 in a list", "large", ENCODED("\x91\x01"), ERR_WRONG_TYPE},
    {"an i64 above its range", "either", ENCODED("\xcf\x80\x00\x00\x00\x00\x00\x00\x00"),
     ERR_BAD_VALUE},
    {"an i64 below zero", "either", ENCODED("\xe0"), OK},
    {"an i64 as flag", "either", ENCODED("\xc2"), ERR_WRONG_TYPE},
    {"a count", "count", ENCODED("\x05"), OK},
    {"a count of nil", "count", ENCODED("\xc0"), OK},
    {"a count that means none", "count", ENCODED("\xcf\xff\xff\xff\xff\xff\xff\xff\xff"),
     ERR_BAD_VALUE},
    {"a time in ns", "time", ENCODED("\x01"), OK},
    {"a time in words", "time", ENCODED("\xa5today"), ERR_BAD_VALUE},
    {"a time as text", "time",
     ENCODED("\xb4"
             "2026-03-01T12:00:00Z"),
     OK},
    {"a time as bytes", "time", ENCODED("\xc4\x01x"), ERR_WRONG_TYPE},
    {"a word", "word",
     ENCODED("\xa4"
             "blue"),
     OK},
    {"an unknown word", "word", ENCODED("\xa4pink"), ERR_BAD_VALUE},
    {"a word as number", "word", ENCODED("\x01"), ERR_WRONG_TYPE},
    {"bytes as text", "bytes", ENCODED("\xa3xyz"), OK},
    {"bytes as number", "bytes", ENCODED("\x07"), ERR_WRONG_TYPE},
    {"bytes above their bound", "bytes",
     ENCODED("\xc4\x41"
             "01234567890123456789012345678901234567890123456789012345678901234"),
     ERR_TOO_LARGE},
    {"raw of any kind", "raw", ENCODED("\x81\xa1k\x93\x01\x02\x03"), OK},
    {"raw above its bound", "raw",
     ENCODED("\xc4\x40"
             "0123456789012345678901234567890123456789012345678901234567890123"),
     ERR_TOO_LARGE},
    {"texts as text", "texts", ENCODED("\xa1x"), ERR_WRONG_TYPE},
    {"texts as map", "texts", ENCODED("\x80"), ERR_WRONG_TYPE},
    {"texts of numbers", "texts", ENCODED("\x91\x01"), ERR_WRONG_TYPE},
    {"as many texts as may be", "texts", ENCODED("\x94\xa0\xa0\xa0\xa0"), OK},
    {"a text too many", "texts", ENCODED("\x95\xa0\xa0\xa0\xa0\xa0"), ERR_TOO_LARGE},
    {"texts of nil", "texts", ENCODED("\xc0"), OK},
    {"a short digest", "digest", ENCODED("\xa2xy"), ERR_BAD_VALUE},
    {"a digest as bytes", "digest", ENCODED("\xc4\x01x"), ERR_WRONG_TYPE},
    {"an id that is not hex", "id",
     ENCODED("\xd9\x20"
             "0123456789abcdef0123456789abcdeg"),
     ERR_BAD_VALUE},
    {"an id", "id",
     ENCODED("\xd9\x20"
             "0123456789abcdef0123456789abcdef"),
     OK},
    {"rows as map", "rows", ENCODED("\x80"), ERR_WRONG_TYPE},
    {"rows of texts", "rows", ENCODED("\x91\xa1x"), ERR_WRONG_TYPE},
    {"no rows", "rows", ENCODED("\x90"), OK},
    {"maybe as list", "maybe", ENCODED("\x90"), ERR_WRONG_TYPE},
    {"maybe nil", "maybe", ENCODED("\xc0"), OK},
    {"pairs as list", "pairs", ENCODED("\x90"), ERR_WRONG_TYPE},
    {"pairs", "pairs",
     ENCODED("\x82\xa1"
             "a\xa1x\xa1"
             "b\xa1x"),
     OK},
    {"pairs with a name twice", "pairs",
     ENCODED("\x82\xa1"
             "a\xa1x\xa1"
             "a\xa1y"),
     ERR_BAD_REQUEST},
    {"pairs to numbers", "pairs",
     ENCODED("\x81\xa1"
             "a\x01"),
     ERR_WRONG_TYPE},
    {"pairs of numbers", "pairs",
     ENCODED("\x81\x01\xa1"
             "a"),
     ERR_WRONG_TYPE},
    {"a pair too many", "pairs",
     ENCODED("\x85\xa1"
             "a\xa0\xa1"
             "b\xa0\xa1"
             "c\xa0\xa1"
             "d\xa0\xa1"
             "e\xa0"),
     ERR_TOO_LARGE},
};

Test(record_wire, every_value_of_a_wrong_type_or_range_is_refused_by_its_field)
{
    for (size_t i = 0; i < sizeof ones / sizeof ones[0]; i++) {
        static trial_t trial;
        begin(&trial, 2);
        put_key(&trial, "text");
        wire_put_str(&trial.writer, slice_of("x"));
        put_key(&trial, ones[i].key);
        wire_put_raw(&trial.writer, (slice_t){ones[i].bytes, ones[i].size});
        expect(&trial, ones[i].expected, ones[i].key, ones[i].claim);
    }
}

Test(record_wire, a_required_field_that_is_missing_or_nil_is_named)
{
    static trial_t trial;
    begin(&trial, 1);
    put_key(&trial, "flag");
    wire_put_bool(&trial.writer, true);
    expect(&trial, ERR_MISSING_ARGUMENT, "text", "no text");
    begin(&trial, 1);
    put_key(&trial, "text");
    wire_put_nil(&trial.writer);
    expect(&trial, ERR_MISSING_ARGUMENT, "text", "a text of nil");
}

Test(record_wire, a_required_field_of_a_row_that_is_missing_is_named)
{
    static trial_t trial;
    begin(&trial, 2);
    put_key(&trial, "text");
    wire_put_str(&trial.writer, slice_of("x"));
    put_key(&trial, "rows");
    wire_put_array(&trial.writer, 1);
    wire_put_map(&trial.writer, 0);
    expect(&trial, ERR_MISSING_ARGUMENT, "name", "a row without name");
}

Test(record_wire, an_unknown_key_is_refused_and_shown)
{
    static trial_t trial;
    static const struct {
        const char *key, *shown;
    } keys[] = {
        {"colour", "colour"}, {"flag_raw", "flag_raw"}, {"odd\xff\n", "odd\\xFF\\x0A"}, {"", ""}};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        begin(&trial, 2);
        put_key(&trial, "text");
        wire_put_str(&trial.writer, slice_of("x"));
        put_key(&trial, keys[i].key);
        wire_put_u64(&trial.writer, 1);
        expect(&trial, ERR_UNKNOWN_ARGUMENT, keys[i].shown, "an unknown key");
    }
}

Test(record_wire, a_key_given_twice_is_refused)
{
    static trial_t trial;
    static const char *const keys[] = {"text", "text_raw"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        begin(&trial, 2);
        put_key(&trial, keys[i]);
        wire_put_str(&trial.writer, slice_of("x"));
        put_key(&trial, keys[i]);
        wire_put_str(&trial.writer, slice_of("y"));
        expect(&trial, ERR_BAD_REQUEST, "text", "a key twice");
    }
}

Test(record_wire, keys_that_are_no_texts_and_values_that_are_no_maps_are_refused)
{
    static trial_t trial;
    begin(&trial, 1);
    wire_put_u64(&trial.writer, 1);
    wire_put_u64(&trial.writer, 1);
    expect(&trial, ERR_BAD_REQUEST, "every", "a number as key");
    begin(&trial, 0);
    trial.writer.size = 0;
    wire_put_array(&trial.writer, 0);
    expect(&trial, ERR_WRONG_TYPE, "every", "a list");
}

Test(record_wire, texts_are_bounded_in_bytes)
{
    static trial_t trial;
    char text[EVERY_TEXT_BYTES + 1];
    memset(text, 'x', sizeof text);
    for (size_t size = EVERY_TEXT_BYTES; size <= EVERY_TEXT_BYTES + 1; size++) {
        begin(&trial, 1);
        put_key(&trial, "text");
        wire_put_str(&trial.writer, (slice_t){text, size});
        expect(&trial, size > EVERY_TEXT_BYTES ? ERR_TOO_LARGE : OK, "text", "a long text");
    }
}

Test(record_wire, no_document_however_damaged_makes_a_record_that_fails_its_check, .timeout = 60)
{
    static room_t room;
    static trial_t sound, trial;
    draft_t draft;
    uint64_t seed = 2;
    unsigned decoded = 0;
    encode(&sound, sample_full(&draft, &room));
    for (int round = 0; round < 20000; round++) {
        memcpy(trial.wire.bytes, sound.writer.base, sound.writer.size);
        uint64_t chance = sample_random(&seed);
        trial.wire.bytes[chance % sound.writer.size] = (uint8_t) (chance >> 32);
        uint8_t *exact = malloc(sound.writer.size);
        cr_assert_not_null(exact);
        memcpy(exact, trial.wire.bytes, sound.writer.size);
        wire_value_t root;
        const void *record = NULL;
        draft_over(&trial.draft, trial.record.bytes, sizeof trial.record.bytes);
        if (wire_check(exact, sound.writer.size, &root) == OK &&
            record_decode(&every_type, &root, &trial.draft, &record, &trial.field) == OK) {
            decoded++;
            cr_assert_eq(record_check(&every_type, record, trial.draft.size), OK, "round %d",
                         round);
        }
        free(exact);
    }
    cr_assert_gt(decoded, 100, "too few documents were decoded for this to prove anything: %u",
                 decoded);
}
