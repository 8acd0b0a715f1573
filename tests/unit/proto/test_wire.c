/* test_wire.c - the bounded reader and writer of msgpack, times and JSON. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "proto/limits.h"
#include "proto/wire.h"
#include "proto/wire_time.h"

typedef struct document {
    uint8_t bytes[4096];
    wire_writer_t writer;
} document_t;

static wire_writer_t *
begin(document_t *document)
{
    wire_writer_over(&document->writer, document->bytes, sizeof document->bytes);
    return &document->writer;
}

static wire_value_t
root_of(const document_t *document)
{
    wire_value_t root = {.kind = WIRE_NIL};
    err_t err = wire_check(document->writer.base, document->writer.size, &root);
    cr_assert_eq(err, OK, "the document is refused: %s", err_word(err));
    return root;
}

static const char *
json_of(const document_t *document)
{
    static char text[8192];
    size_t size;
    wire_value_t root = root_of(document);
    cr_assert(wire_json(&root, text, sizeof text, &size));
    cr_assert_eq(size, strlen(text));
    return text;
}

Test(wire, every_width_of_unsigned_number_comes_back)
{
    static const uint64_t numbers[] = {0,         1,          127,       128,        255,
                                       256,       65535,      65536,     UINT32_MAX, 1ULL << 32,
                                       INT64_MAX, 1ULL << 63, UINT64_MAX};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        document_t document;
        wire_put_u64(begin(&document), numbers[i]);
        wire_value_t root = root_of(&document);
        cr_assert_eq(root.kind, WIRE_UINT);
        cr_assert_eq(root.uint, numbers[i], "expected %lu, got %lu", numbers[i], root.uint);
    }
}

Test(wire, every_width_of_signed_number_comes_back)
{
    static const int64_t numbers[] = {
        -1, -32, -33, -128, -129, -32768, -32769, -65536, INT32_MIN, INT32_MIN - 1LL, INT64_MIN};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        document_t document;
        wire_put_i64(begin(&document), numbers[i]);
        wire_value_t root = root_of(&document);
        cr_assert_eq(root.kind, WIRE_INT);
        cr_assert_eq(root.sint, numbers[i], "expected %ld, got %ld", numbers[i], root.sint);
    }
}

Test(wire, a_signed_number_that_is_not_negative_is_told_as_unsigned)
{
    static const uint8_t five_as_int32[] = {0xd2, 0, 0, 0, 5};
    wire_value_t root;
    cr_assert_eq(wire_check(five_as_int32, sizeof five_as_int32, &root), OK);
    cr_assert_eq(root.kind, WIRE_UINT);
    cr_assert_eq(root.uint, 5);
}

Test(wire, texts_and_bytes_of_every_length_form_come_back)
{
    static char text[70000];
    static uint8_t memory[70010];
    static const size_t sizes[] = {0, 1, 31, 32, 255, 256, 65535, 65536, 70000};
    memset(text, 'x', sizeof text);
    for (size_t i = 0; i < 2 * sizeof sizes / sizeof sizes[0]; i++) {
        wire_writer_t writer;
        wire_value_t root;
        slice_t slice = {text, sizes[i / 2]};
        wire_writer_over(&writer, memory, sizeof memory);
        if (i % 2 == 0) {
            wire_put_str(&writer, slice);
        } else {
            wire_put_bin(&writer, slice);
        }
        cr_assert_eq(wire_check(writer.base, writer.size, &root), OK, "%zu bytes", slice.size);
        cr_assert_eq(root.kind, i % 2 == 0 ? WIRE_STR : WIRE_BIN);
        cr_assert(slice_equal(root.bytes, slice), "%zu bytes", slice.size);
    }
}

Test(wire, all_256_byte_values_are_safe_in_bytes_texts_and_json)
{
    char every[256];
    document_t document;
    for (size_t i = 0; i < sizeof every; i++) {
        every[i] = (char) i;
    }
    wire_put_bin(begin(&document), (slice_t){every, sizeof every});
    cr_assert(slice_equal(root_of(&document).bytes, (slice_t){every, sizeof every}));
    for (size_t i = 0; i < sizeof every; i++) {
        wire_put_shown(begin(&document), (slice_t){every + i, 1});
        slice_t shown = root_of(&document).bytes;
        cr_assert(wire_is_utf8(shown), "byte %zu", i);
        cr_assert_eq(shown.size, i < 128 ? 1 : 4, "byte %zu is shown in %zu bytes", i, shown.size);
        const char *json = json_of(&document);
        for (const char *at = json; *at != '\0'; at++) {
            cr_assert_geq((unsigned char) *at, 0x20, "byte %zu as JSON: %s", i, json);
        }
    }
    wire_put_shown(begin(&document), (slice_t){"a'b\"c\\d\n\x00%n\xff", 12});
    cr_assert_str_eq(json_of(&document), "\"a'b\\\"c\\\\d\\u000a\\u0000%n\\\\xFF\"");
}

Test(wire, what_is_utf8_is_decided_as_in_rfc_3629)
{
    static const char *const good[] = {"",
                                       "a",
                                       "\xc2\x80",
                                       "\xdf\xbf",
                                       "\xe0\xa0\x80",
                                       "\xed\x9f\xbf",
                                       "\xee\x80\x80",
                                       "\xf0\x90\x80\x80",
                                       "\xf4\x8f\xbf\xbf",
                                       "\x7f"};
    static const char *const bad[] = {"\x80",
                                      "\xbf",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xc2",
                                      "\xc2x",
                                      "\xe0\x9f\xbf",
                                      "\xe0\xa0",
                                      "\xed\xa0\x80",
                                      "\xed\xbf\xbf",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xf8\x88\x80\x80\x80",
                                      "\xff",
                                      "\xfe",
                                      "a\xe2\x82"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        cr_assert(wire_is_utf8(slice_of(good[i])), "good %zu", i);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_assert_not(wire_is_utf8(slice_of(bad[i])), "bad %zu", i);
    }
}

static void
put_nested(wire_writer_t *w, unsigned depth)
{
    for (unsigned i = 0; i < depth; i++) {
        wire_put_array(w, i + 1 == depth ? 0 : 1);
    }
}

Test(wire, a_document_may_be_as_deep_as_the_limit_and_no_deeper)
{
    document_t document;
    wire_value_t root;
    put_nested(begin(&document), WIRE_DEPTH_MAX);
    cr_assert_eq(wire_check(document.bytes, document.writer.size, &root), OK);
    put_nested(begin(&document), WIRE_DEPTH_MAX + 1);
    cr_assert_eq(wire_check(document.bytes, document.writer.size, &root), ERR_BAD_REQUEST);
    static uint8_t bomb[100000];
    memset(bomb, 0x91, sizeof bomb);
    cr_assert_eq(wire_check(bomb, sizeof bomb, &root), ERR_BAD_REQUEST);
}

Test(wire, a_length_that_the_bytes_do_not_cover_is_not_believed)
{
    static const struct {
        const char *claim;
        const char *bytes;
        size_t size;
    } lies[] = {
        {"nothing", "", 0},
        {"a byte that is never used", "\xc1", 1},
        {"fixstr of 3 with 2", "\xa3xy", 3},
        {"str8 without length", "\xd9", 1},
        {"str8 of 200", "\xd9\xc8x", 3},
        {"str16 cut in its length", "\xda\x01", 2},
        {"str32 of 4 GiB", "\xdb\xff\xff\xff\xffx", 6},
        {"bin8 of 1 with 0", "\xc4\x01", 2},
        {"bin32 of 4 GiB", "\xc6\xff\xff\xff\xff", 5},
        {"array16 of 65535", "\xdc\xff\xff\xc0", 4},
        {"array32 of 2^32-1", "\xdd\xff\xff\xff\xff\xc0", 6},
        {"map32 of 2^31 pairs, which wraps to 0", "\xdf\x80\x00\x00\x00", 5},
        {"map32 of 2^32-1 pairs", "\xdf\xff\xff\xff\xff\xc0\xc0", 7},
        {"map of 1 with a key only", "\x81\xa1k", 3},
        {"uint64 of 7 bytes", "\xcf\x01\x02\x03\x04\x05\x06\x07", 8},
        {"float64 of 7 bytes", "\xcb\x01\x02\x03\x04\x05\x06\x07", 8},
        {"float32 of 3 bytes", "\xca\x01\x02\x03", 4},
        {"int8 without its byte", "\xd0", 1},
        {"ext8 without its type", "\xc7\x00", 2},
        {"ext32 of 4 GiB", "\xc9\xff\xff\xff\xff\x01", 6},
        {"fixext16 of 15",
         "\xd8\x01"
         "123456789012345",
         17},
        {"bytes after the document", "\xc0\xc0", 2},
        {"bytes after a map", "\x80\x01", 2},
    };
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        wire_value_t root;
        /* A copy of the exact size lets a sanitizer see a byte too far. */
        uint8_t *exact = malloc(lies[i].size + (lies[i].size == 0));
        cr_assert_not_null(exact);
        memcpy(exact, lies[i].bytes, lies[i].size);
        cr_assert_eq(wire_check(exact, lies[i].size, &root), ERR_BAD_REQUEST, "%s", lies[i].claim);
        free(exact);
    }
}

Test(wire, a_valid_document_cut_anywhere_is_refused)
{
    document_t document;
    wire_writer_t *w = begin(&document);
    wire_put_map(w, 2);
    wire_put_str(w, slice_of("list"));
    wire_put_array(w, 2);
    wire_put_u64(w, 70000);
    wire_put_bin(w, slice_of("bytes"));
    wire_put_str(w, slice_of("nil"));
    wire_put_nil(w);
    for (size_t size = 0; size < w->size; size++) {
        wire_value_t root;
        cr_assert_eq(wire_check(w->base, size, &root), ERR_BAD_REQUEST, "cut to %zu", size);
    }
}

Test(wire, a_map_is_searched_and_walked_past_nested_values)
{
    document_t document;
    wire_writer_t *w = begin(&document);
    wire_put_map(w, 3);
    wire_put_str(w, slice_of("deep"));
    wire_put_array(w, 2);
    wire_put_map(w, 1);
    wire_put_str(w, slice_of("key"));
    wire_put_u64(w, 1);
    wire_put_array(w, 0);
    wire_put_u64(w, 5); /* a key that is no text */
    wire_put_bool(w, true);
    wire_put_str(w, slice_of("key"));
    wire_put_u64(w, 2);
    wire_value_t root = root_of(&document), value;
    cr_assert(wire_find(&root, "key", &value));
    cr_assert_eq(value.uint, 2, "the key of the nested map was taken");
    cr_assert(wire_find(&root, "deep", &value));
    cr_assert_eq(value.kind, WIRE_ARRAY);
    cr_assert_eq(value.after - value.from, 8);
    cr_assert_not(wire_find(&root, "ke", &value));
    cr_assert_eq(root.after, root.end);
}

Test(wire, the_writer_stops_at_its_capacity_and_says_so)
{
    for (size_t capacity = 0; capacity < 20; capacity++) {
        uint8_t memory[32];
        wire_writer_t writer;
        memset(memory, 0x5a, sizeof memory);
        wire_writer_over(&writer, memory, capacity);
        wire_put_array(&writer, 2);
        wire_put_str(&writer, slice_of("0123456789"));
        wire_put_u64(&writer, UINT32_MAX);
        cr_assert_eq(writer.full, capacity < 17, "capacity %zu", capacity);
        cr_assert_leq(writer.size, capacity);
        cr_assert_eq(memory[capacity], 0x5a, "a byte behind capacity %zu was written", capacity);
    }
}

Test(wire, a_full_writer_takes_nothing_more)
{
    uint8_t memory[4];
    wire_writer_t writer;
    wire_writer_over(&writer, memory, sizeof memory);
    wire_put_str(&writer, slice_of("too long"));
    size_t size = writer.size;
    wire_put_nil(&writer);
    cr_assert(writer.full);
    cr_assert_eq(writer.size, size, "a value was written behind a cut one");
}

Test(wire, one_value_of_every_kind_is_json)
{
    document_t document;
    wire_writer_t *w = begin(&document);
    static const char rest[] = "\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00" /* 1.5 */
                               "\xca\x40\x20\x00\x00"                 /* 2.5 as float32 */
                               "\xcb\x7f\xf0\x00\x00\x00\x00\x00\x00" /* infinity */
                               "\xd4\x05\xff";                        /* ext */
    wire_put_array(w, 12);
    wire_put_nil(w);
    wire_put_bool(w, true);
    wire_put_bool(w, false);
    wire_put_u64(w, UINT64_MAX);
    wire_put_i64(w, INT64_MIN);
    wire_put_str(w, slice_of("t\xc3\xbc"));
    wire_put_bin(w, (slice_t){"\x00\xff", 2});
    wire_put_raw(w, (slice_t){rest, sizeof rest - 1});
    wire_put_map(w, 2);
    wire_put_u64(w, 1);
    wire_put_array(w, 0);
    wire_put_str(w, slice_of("k"));
    wire_put_map(w, 0);
    cr_assert_str_eq(json_of(&document),
                     "[null,true,false,18446744073709551615,-9223372036854775808,\"t\xc3\xbc\","
                     "\"00ff\",1.5,2.5,null,\"05ff\",{\"1\":[],\"k\":{}}]");
}

Test(wire, json_that_does_not_fit_is_refused_at_every_size)
{
    document_t document;
    wire_writer_t *w = begin(&document);
    char text[64];
    size_t size;
    wire_put_array(w, 2);
    wire_put_str(w, slice_of("a\"b"));
    wire_put_u64(w, 12);
    wire_value_t root = root_of(&document);
    size_t needed = strlen("[\"a\\\"b\",12]") + 1;
    for (size_t room = 1; room < needed; room++) {
        cr_assert_not(wire_json(&root, text, room, &size), "size %zu of %zu", room, needed);
    }
    cr_assert(wire_json(&root, text, needed, &size));
}

Test(times, have_the_text_of_their_millisecond)
{
    static const struct {
        int64_t wall_ns;
        const char *text;
    } rows[] = {
        {1, "1970-01-01T00:00:00.000Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {951782400000000000, "2000-02-29T00:00:00.000Z"},
        {1772366400000000000, "2026-03-01T12:00:00.000Z"},
        {1772366399999999999, "2026-03-01T11:59:59.999Z"},
        {4107542400000000000, "2100-03-01T00:00:00.000Z"},
        {INT64_MAX, "2262-04-11T23:47:16.854Z"},
        {INT64_MIN, "1677-09-21T00:12:43.145Z"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[25];
        wire_time_text(rows[i].wall_ns, text);
        cr_assert_str_eq(text, rows[i].text, "%ld ns: expected %s, got %s", rows[i].wall_ns,
                         rows[i].text, text);
    }
}

Test(times, read_back_as_the_same_millisecond_over_the_whole_range)
{
    for (int64_t day = -106000; day < 106000; day += 7) {
        int64_t wall_ns = day * 86400000000000 + (day & 0xfff) * 1000000;
        char text[25];
        int64_t back = 0;
        wire_time_text(wall_ns, text);
        cr_assert(wire_time_of_text(slice_of(text), &back), "%s is refused", text);
        cr_assert_eq(back, wall_ns, "%s: expected %ld, got %ld", text, wall_ns, back);
    }
}

Test(times, are_read_with_any_fraction_and_refused_in_any_other_form)
{
    static const char *const bad[] = {
        "",
        "2026",
        "2026-03-01",
        "2026-03-01T12:00:00",
        "2026-03-01T12:00:00.Z",
        "2026-03-01T12:00:00.1234567890Z",
        "2026-03-01T12:00:00.000+01:00",
        "2026-03-01T12:00:00.000Zx",
        "2026-03-01 12:00:00.000Z",
        "2026-02-29T12:00:00.000Z",
        "2026-13-01T12:00:00.000Z",
        "2026-00-01T12:00:00.000Z",
        "2026-03-00T12:00:00.000Z",
        "2026-03-32T12:00:00.000Z",
        "2026-03-01T24:00:00.000Z",
        "2026-03-01T12:60:00.000Z",
        "2026-03-01T12:00:60.000Z",
        "+026-03-01T12:00:00.000Z",
        "9999-03-01T12:00:00.000Z",
        "0000-03-01T12:00:00.000Z",
        "1677-09-21T00:12:43.144Z",
    };
    int64_t wall_ns = 7;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_assert_not(wire_time_of_text(slice_of(bad[i]), &wall_ns), "'%s' is accepted", bad[i]);
        cr_assert_eq(wall_ns, 7, "touched by '%s'", bad[i]);
    }
    cr_assert(wire_time_of_text(slice_of("2026-03-01T12:00:00Z"), &wall_ns));
    cr_assert_eq(wall_ns, 1772366400000000000);
    cr_assert(wire_time_of_text(slice_of("2026-03-01T12:00:00.123456789Z"), &wall_ns));
    cr_assert_eq(wall_ns, 1772366400123456789);
}
