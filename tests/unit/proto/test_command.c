/* test_command.c - the frame around a command and around its reply. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "proto/command.h"

/* A frame under way; keys are put with put(), the head of the map at the end. */
typedef struct frame {
    uint8_t bytes[4096];
    wire_writer_t writer;
    command_frame_t opened;
    const char *field;
} frame_t;

static frame_t *
frame_of(uint32_t keys)
{
    static frame_t frame;
    memset(&frame, 0, sizeof frame);
    wire_writer_over(&frame.writer, frame.bytes, sizeof frame.bytes);
    wire_put_map(&frame.writer, keys);
    return &frame;
}

static void
put(frame_t *frame, const char *key, const char *encoded)
{
    wire_put_str(&frame->writer, slice_of(key));
    wire_put_raw(&frame->writer, slice_of(encoded));
}

static err_t
open_frame(frame_t *frame)
{
    return command_open(frame->bytes, frame->writer.size, &frame->opened, &frame->field);
}

static frame_t *
ping_of(uint32_t keys)
{
    frame_t *frame = frame_of(keys);
    put(frame, "v", "\x01");
    put(frame, "cmd", "\xa4ping");
    return frame;
}

Test(command_frame, of_the_least_form_is_opened_and_decoded)
{
    frame_t *frame = ping_of(2);
    cr_assert_eq(open_frame(frame), OK, "at '%s'", frame->field);
    cr_assert_str_eq(frame->opened.command->word, "ping");
    cr_assert(slice_equal(frame->opened.id, slice_of("\xc0")));
    cr_assert_eq(frame->opened.key.size, 0);
    static _Alignas(8) uint8_t memory[512];
    draft_t draft;
    const void *record;
    draft_over(&draft, memory, sizeof memory);
    cr_assert_eq(command_decode(&frame->opened, slice_of("admin"), &draft, &record, &frame->field),
                 OK);
    const ping_t *ping = record;
    cr_assert(slice_equal(record_slice(ping, ping->principal), slice_of("admin")));
    cr_assert_eq(ping->key.at, 0);
    cr_assert_eq(record_check(&ping_type, record, draft.size), OK);
}

Test(command_frame, carries_its_key_into_the_record)
{
    frame_t *frame = ping_of(4);
    put(frame, "key", "\xa3k-1");
    put(frame, "args",
        "\x81\xa7"
        "dry_run\xc3");
    cr_assert_eq(open_frame(frame), OK, "at '%s'", frame->field);
    static _Alignas(8) uint8_t memory[512];
    draft_t draft;
    const void *record;
    draft_over(&draft, memory, sizeof memory);
    cr_assert_eq(command_decode(&frame->opened, slice_of(""), &draft, &record, &frame->field), OK);
    const ping_t *ping = record;
    cr_assert(slice_equal(record_slice(ping, ping->key), slice_of("k-1")));
    cr_assert_eq(ping->dry_run, 1);
}

Test(command_frame, that_is_no_map_is_a_bad_request)
{
    command_frame_t frame;
    const char *field;
    cr_assert_eq(command_open("", 0, &frame, &field), ERR_BAD_REQUEST);
    cr_assert_eq(command_open("\x90", 1, &frame, &field), ERR_BAD_REQUEST);
    cr_assert_eq(command_open("\x81\x01", 2, &frame, &field), ERR_BAD_REQUEST);
    cr_assert_eq(command_open("ping", 4, &frame, &field), ERR_BAD_REQUEST);
    static uint8_t large[COMMAND_BYTES_MAX + 1];
    cr_assert_eq(command_open(large, sizeof large, &frame, &field), ERR_TOO_LARGE);
    cr_assert(slice_equal(frame.id, slice_of("\xc0")), "no id is echoed as nil");
}

Test(command_frame, refuses_each_wrong_key_by_name_and_still_tells_the_id)
{
    static const struct {
        const char *claim, *key, *encoded;
        err_t expected;
        const char *field;
    } rows[] = {
        {"another version", "v", "\x02", ERR_BAD_VALUE, "v"},
        {"a version as text", "v",
         "\xa1"
         "1",
         ERR_WRONG_TYPE, "v"},
        {"a version of nil", "v", "\xc0", ERR_MISSING_ARGUMENT, "v"},
        {"no such command", "cmd", "\xa4pong", ERR_UNKNOWN_COMMAND, "cmd"},
        {"a command as number", "cmd", "\x01", ERR_WRONG_TYPE, "cmd"},
        {"args as list", "args", "\x90", ERR_WRONG_TYPE, "args"},
        {"a key as number", "key", "\x01", ERR_WRONG_TYPE, "key"},
        {"an unknown key", "arg", "\x80", ERR_UNKNOWN_ARGUMENT, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool has_v = strcmp(rows[i].key, "v") == 0, has_cmd = strcmp(rows[i].key, "cmd") == 0;
        frame_t *frame = frame_of(has_v || has_cmd ? 3 : 4);
        put(frame, rows[i].key, rows[i].encoded);
        put(frame, "id", "\x07");
        if (!has_v) {
            put(frame, "v", "\x01");
        }
        if (!has_cmd) {
            put(frame, "cmd", "\xa4ping");
        }
        err_t got = open_frame(frame);
        cr_assert_eq(got, rows[i].expected, "%s: got %s", rows[i].claim, err_word(got));
        cr_assert_str_eq(frame->field, rows[i].field, "%s", rows[i].claim);
        cr_assert(slice_equal(frame->opened.id, slice_of("\x07")), "%s", rows[i].claim);
    }
}

Test(command_frame, refuses_a_key_given_twice_and_a_long_key_or_id)
{
    frame_t *frame = ping_of(3);
    put(frame, "cmd", "\xa4stop");
    cr_assert_eq(open_frame(frame), ERR_BAD_REQUEST);
    cr_assert_str_eq(frame->field, "cmd");
    char text[COMMAND_ID_BYTES_MAX];
    memset(text, 'x', sizeof text);
    static const char *const names[] = {"id", "key"};
    for (int i = 0; i < 2; i++) {
        frame = ping_of(3);
        wire_put_str(&frame->writer, slice_of(names[i]));
        wire_put_str(&frame->writer, (slice_t){text, sizeof text});
        cr_assert_eq(open_frame(frame), ERR_TOO_LARGE);
        cr_assert_str_eq(frame->field, names[i]);
    }
}

Test(replies, carry_the_id_as_it_came_and_a_result_or_an_error)
{
    uint8_t wire[2048];
    static _Alignas(8) uint8_t memory[2048];
    char json[2048];
    wire_writer_t writer;
    wire_value_t root;
    draft_t draft;
    size_t size;
    command_frame_t frame = {.id = slice_of("\x91\x01"), .command = &commands[0]};
    draft_over(&draft, memory, sizeof memory);
    const refusal_t *refusal = command_refusal(&draft, &frame, ERR_MISSING_ARGUMENT, "id");
    wire_writer_over(&writer, wire, sizeof wire);
    cr_assert_eq(reply_encode(&writer, frame.id, &refusal_type, refusal), OK);
    cr_assert_eq(wire_check(wire, writer.size, &root), OK);
    cr_assert(wire_json(&root, json, sizeof json, &size));
    cr_assert_str_eq(json, "{\"v\":1,\"id\":[1],\"ok\":false,\"error\":{\"code\":"
                           "\"missing-argument\",\"message\":\"cannot read 'package.add': a "
                           "required argument is missing: id\",\"hint\":\"add the named "
                           "argument\",\"need\":null,\"have\":null}}");
    done_t *done = draft_begin(&draft, &done_type);
    done->changed = 1;
    wire_writer_over(&writer, wire, sizeof wire);
    cr_assert_eq(reply_encode(&writer, slice_of("\xc0"), &done_type, done), OK);
    cr_assert_eq(wire_check(wire, writer.size, &root), OK);
    cr_assert(wire_json(&root, json, sizeof json, &size));
    cr_assert_str_eq(
        json, "{\"v\":1,\"id\":null,\"ok\":true,\"result\":{\"changed\":true,\"text\":null}}");
    wire_writer_over(&writer, wire, 10);
    cr_assert_eq(reply_encode(&writer, slice_of("\xc0"), &done_type, done), ERR_TOO_LARGE);
}
