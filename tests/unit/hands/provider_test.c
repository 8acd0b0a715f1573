/* provider_test.c - claims about command frames: what is refused, and what goes back. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "actors/provider_routes.h"
#include "tests/unit/hands/frames.h"
#include "tests/unit/hands/leasts.h"

static frame_t frame;

/* Runs one frame and expects one error: a message that holds a word, and a hint. */
static void
expect(const char *command, const char *args, err_t err, const char *word)
{
    frame_make(&frame, command, args);
    err_t got = frame_run(&frame, NULL);
    cr_assert_eq(got, err, "%s {%s}: expected %s, got %s: %s", command, args, err_word(err),
                 err_word(got), frame.fault.message);
    if (err != OK) {
        cr_assert_eq(frame.fault.err, err);
        cr_assert(strstr(frame.fault.message, word) != NULL, "expected '%s' in: %s", word,
                  frame.fault.message);
        cr_assert(frame.fault.hint[0] != '\0', "no hint: %s", frame.fault.message);
    }
}

static const char *
least_of(const char *command)
{
    for (size_t i = 0; i < sizeof leasts / sizeof leasts[0]; i++) {
        if (strcmp(leasts[i].command, command) == 0) {
            return leasts[i].args;
        }
    }
    cr_assert_fail("no arguments are known for %s", command);
    return "";
}

/* The least arguments of a command without one of them, and with a word instead. */
static void
args_instead(char *ret_args, size_t size, const char *least, const char *field, const char *word)
{
    char words[512], *rest = NULL;
    snprintf(words, sizeof words, "%s", least);
    snprintf(ret_args, size, "%s", word);
    for (char *at = strtok_r(words, " ", &rest); at != NULL; at = strtok_r(NULL, " ", &rest)) {
        size_t name = strcspn(at, "=:#!*/%");
        if (name != strlen(field) || strncmp(at, field, name) != 0) {
            size_t used = strlen(ret_args);
            snprintf(ret_args + used, size - used, " %s", at);
        }
    }
}

Test(commands, a_word_that_is_none_is_answered_with_those_that_are)
{
    expect("prioritize", "id=P1 priority=urgent", ERR_BAD_VALUE, "'priority' is none of its words");
    cr_expect_str_eq(frame.fault.hint, "one of: default, high, medium, low");
    expect("dp.set", "name=a bulk=fast", ERR_BAD_VALUE, "'bulk' is none of its words");
    cr_expect_str_eq(frame.fault.hint, "one of: none, curve, plain");
}

Test(commands, each_runs_with_the_least_arguments_and_with_a_dry_run)
{
    cr_assert_eq(command_count, sizeof leasts / sizeof leasts[0]);
    for (uint32_t i = 0; i < command_count; i++) {
        char args[512];
        expect(commands[i].word, least_of(commands[i].word), OK, "");
        snprintf(args, sizeof args, "dry_run! %s", least_of(commands[i].word));
        expect(commands[i].word, args, OK, "");
    }
}

Test(commands, a_missing_argument_is_named)
{
    uint32_t tried = 0;
    for (uint32_t i = 0; i < command_count; i++) {
        const record_type_t *type = commands[i].type;
        for (uint32_t f = 0; f < type->field_count; f++) {
            if (type->field[f].need == REQUIRED) {
                char args[512], quoted[64];
                const char *name = type->field[f].name;
                args_instead(args, sizeof args, least_of(commands[i].word), name, "");
                snprintf(quoted, sizeof quoted, "argument '%s' is missing", name);
                expect(commands[i].word, args, ERR_MISSING_ARGUMENT, quoted);
                tried++;
            }
        }
    }
    cr_assert_gt(tried, 25, "only %u arguments were tried", tried);
}

Test(commands, an_argument_of_the_wrong_type_is_named)
{
    for (uint32_t i = 0; i < command_count; i++) {
        const record_type_t *type = commands[i].type;
        for (uint32_t f = 0; f < type->field_count; f++) {
            if (type->field[f].need != INTERNAL) {
                char args[512], word[64], quoted[64];
                snprintf(word, sizeof word, "%s%%", type->field[f].name);
                args_instead(args, sizeof args, least_of(commands[i].word), type->field[f].name,
                             word);
                snprintf(quoted, sizeof quoted, "argument '%s' has the wrong type",
                         type->field[f].name);
                expect(commands[i].word, args, ERR_WRONG_TYPE, quoted);
            }
        }
    }
}

Test(commands, an_oversized_text_is_named_and_called_what_it_is)
{
    for (uint32_t i = 0; i < command_count; i++) {
        const record_type_t *type = commands[i].type;
        for (uint32_t f = 0; f < type->field_count; f++) {
            const record_field_t *field = &type->field[f];
            if (field->need == INTERNAL || field->kind != RECORD_text) {
                continue;
            }
            char args[512], word[64], quoted[64];
            bool path = field->bound == PATH_BYTES_MAX;
            snprintf(word, sizeof word, "%s%c%u", field->name, path ? '/' : '*', field->bound + 1u);
            args_instead(args, sizeof args, least_of(commands[i].word), field->name, word);
            snprintf(quoted, sizeof quoted, "argument '%s' is larger than its limit", field->name);
            err_t err =
                path ? ERR_NAME_TOO_LONG
                : field->bound == NAME_BYTES_MAX || strncmp(commands[i].word, "component.", 10) == 0
                    ? ERR_BAD_NAME
                    : ERR_TOO_LARGE;
            expect(commands[i].word, args, err, quoted);
            snprintf(quoted, sizeof quoted, "give at most %u bytes", field->bound);
            cr_expect(err != ERR_TOO_LARGE || strcmp(frame.fault.hint, quoted) == 0, "%s: %s",
                      field->name, frame.fault.hint);
        }
    }
}

Test(commands, a_glob_that_is_longer_than_a_text_may_be_is_refused)
{
    char args[TEXT_BYTES_MAX + 64], word[64];
    snprintf(word, sizeof word, "argument 'exclude' is larger than its limit");
    for (uint32_t more = 0; more < 2; more++) {
        int used = snprintf(args, sizeof args, "id=P source=/s exclude:");
        memset(args + used, 'x', TEXT_BYTES_MAX + more);
        args[used + (int) (TEXT_BYTES_MAX + more)] = 0;
        expect("package.add", args, more > 0 ? ERR_TOO_LARGE : OK, word);
    }
    cr_expect_str_eq(frame.fault.hint, "give at most 1024 bytes in each");
}

Test(commands, an_unknown_argument_is_named_also_when_the_site_uses_that_word_inside)
{
    static const char *const words[] = {"bogus", "key", "principal"};
    for (uint32_t i = 0; i < command_count; i++) {
        for (size_t w = 0; w < sizeof words / sizeof words[0]; w++) {
            char args[512], quoted[64];
            snprintf(args, sizeof args, "%s=x %s", words[w], least_of(commands[i].word));
            snprintf(quoted, sizeof quoted, "argument '%s' is not known", words[w]);
            expect(commands[i].word, args, ERR_UNKNOWN_ARGUMENT, quoted);
        }
    }
}

Test(commands, values_that_mean_nothing_are_refused)
{
    static const struct {
        const char *command, *args;
        err_t err;
        const char *word;
    } rows[] = {
        {"package.show", "id=", ERR_BAD_NAME, "'id'"},
        {"package.show", "id=.hidden", ERR_BAD_NAME, ".hidden"},
        {"package.show", "id=a/b", ERR_BAD_NAME, "a/b"},
        {"package.show", "id=@g", ERR_BAD_NAME, "@g"},
        {"dp.add", "name=.. root=/a", ERR_BAD_NAME, "'name'"},
        {"dp.show", "name=@g", ERR_BAD_NAME, "@g"},
        {"group.add", "name*65 dps:a", ERR_BAD_NAME, "'name'"},
        {"group.add", "name=g dps:@h", ERR_BAD_NAME, "@h"},
        {"group.add", "name=g dps:", ERR_NO_TARGETS, "'dps'"},
        {"distribute", "id=P1", ERR_MISSING_ARGUMENT, "argument 'to' is missing"},
        {"distribute", "id=P1 to:", ERR_NO_TARGETS, "'to' names nobody"},
        {"distribute", "id=P1 to:a all!", ERR_BAD_VALUE, "'to'"},
        {"distribute", "id=P1 to:a,@", ERR_BAD_NAME, "'to'"},
        {"withdraw", "id=P1", ERR_MISSING_ARGUMENT, "argument 'from' is missing"},
        {"withdraw", "id=P1 from:", ERR_NO_TARGETS, "'from' names nobody"},
        {"package.add", "id=P1 source=src", ERR_NOT_ABSOLUTE, "'source'"},
        {"package.add", "id=P1 source=/a/../b", ERR_BAD_VALUE, "'source'"},
        {"package.add", "id=P1 source=/a/.", ERR_BAD_VALUE, "'source'"},
        {"package.add", "id=P1 source=", ERR_BAD_VALUE, "'source'"},
        {"package.add", "id=P1 source=/a exclude:a,,b", ERR_BAD_VALUE, "'exclude'"},
        {"dp.add", "name=a root=a", ERR_NOT_ABSOLUTE, "'root'"},
        {"dp.set", "name=a root=./a", ERR_NOT_ABSOLUTE, "'root'"},
        {"dp.remove", "name=a withdraw! forget!", ERR_BAD_VALUE, "'forget'"},
        {"component.set", "name=despooler", ERR_MISSING_ARGUMENT, "'slots'"},
        {"component.set", "name=despooler slots#257", ERR_BAD_VALUE, "'slots'"},
        {"component.set", "name=provider slots#2", ERR_BAD_VALUE, "'name'"},
        {"status.since", "since#9223372036854775808", ERR_BAD_VALUE, "'since'"},
        {"quarantine.show", "number#18446744073709551615", ERR_BAD_VALUE, "'number'"},
        {"distribute", "id=P1 all!", OK, ""},
        {"status", "dp=@g", OK, ""},
        {"package.add", "id=P1 source=/a..b/.c/...", OK, ""},
        {"component.set", "name=despooler slots#0", OK, ""},
        {"status.since", "since#9223372036854775807", OK, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expect(rows[i].command, rows[i].args, rows[i].err, rows[i].word);
    }
}

/* A site whose configuration allows /data/in for sources and /mnt for roots. */
static const site_args_t *
narrow_site(draft_t *draft)
{
    site_args_t *site = draft_begin(draft, &site_args_type);
    site->allow_source = draft_rows(draft, 2, sizeof(text_t));
    text_t *first = draft_row(draft, site->allow_source, 0, sizeof(text_t));
    text_t *second = draft_row(draft, site->allow_source, 1, sizeof(text_t));
    *first = draft_text(draft, slice_of("/data/in/"));
    *second = draft_text(draft, slice_of("/more"));
    site->allow_root = draft_rows(draft, 1, sizeof(text_t));
    text_t *root = draft_row(draft, site->allow_root, 0, sizeof(text_t));
    *root = draft_text(draft, slice_of("/mnt"));
    return site;
}

Test(commands, paths_outside_of_the_allowed_prefixes_are_refused)
{
    static const struct {
        const char *command, *args;
        err_t err;
    } rows[] = {
        {"package.add", "id=P source=/data/in/x", OK},
        {"package.add", "id=P source=/data/in", OK},
        {"package.add", "id=P source=/more/x", OK},
        {"package.add", "id=P source=/data/inside", ERR_BAD_VALUE},
        {"package.add", "id=P source=/data", ERR_BAD_VALUE},
        {"package.add", "id=P source=/mnt/x", ERR_BAD_VALUE},
        {"package.set", "id=P source=/etc", ERR_BAD_VALUE},
        {"dp.add", "name=a root=/mnt/a", OK},
        {"dp.add", "name=a root=/mnta", ERR_BAD_VALUE},
        {"dp.set", "name=a root=/data/in", ERR_BAD_VALUE},
    };
    _Alignas(8) uint8_t memory[1024];
    draft_t draft;
    draft_over(&draft, memory, sizeof memory);
    const site_args_t *site = narrow_site(&draft);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        frame_make(&frame, rows[i].command, rows[i].args);
        err_t got = frame_run(&frame, site);
        cr_assert_eq(got, rows[i].err, "%s {%s}: expected %s, got %s", rows[i].command,
                     rows[i].args, err_word(rows[i].err), err_word(got));
        cr_expect(got == OK || strstr(frame.fault.hint, "of section 'allow'"), "%s",
                  frame.fault.hint);
    }
}

/* ---- frames ---- */

#define BYTES(text)                                                                                \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }

Test(frames, what_is_no_command_is_refused_and_its_id_is_echoed)
{
    static const struct {
        slice_t bytes, id;
        err_t err;
        const char *word;
    } rows[] = {
        {BYTES(""), BYTES(""), ERR_BAD_REQUEST, "not one msgpack map"},
        {BYTES("\x93\x01\x02\x03"), BYTES(""), ERR_BAD_REQUEST, "not one msgpack map"},
        {BYTES("\x80\x80"), BYTES(""), ERR_BAD_REQUEST, "not one msgpack map"},
        {BYTES("\x80"), BYTES(""), ERR_BAD_REQUEST, "'v' is not 1"},
        {BYTES("\x82\xa1v\x02\xa2id\xa1x"), BYTES("\xa1x"), ERR_BAD_REQUEST, "'v' is not 1"},
        {BYTES("\x82\xa1v\x01\xa2id\x93\x01\x02\x03"), BYTES("\x93\x01\x02\x03"), ERR_BAD_REQUEST,
         "'cmd' is missing"},
        {BYTES("\x83\xa1v\x01\xa3"
               "cmd\xa4nope\xa2id\x05"),
         BYTES("\x05"), ERR_UNKNOWN_COMMAND, "cannot run 'nope'"},
        {BYTES("\x83\xa1v\x01\xa1x\x01\xa2id\x05"), BYTES("\x05"), ERR_BAD_REQUEST,
         "only v, id, cmd, args and key"},
        {BYTES("\x83\xa1v\x01\xa1v\x01\xa2id\x05"), BYTES("\x05"), ERR_BAD_REQUEST,
         "'v' is given twice"},
        {BYTES("\x83\xa1v\x01\xa3"
               "cmd\xa4ping\xa4"
               "args\x90"),
         BYTES(""), ERR_BAD_REQUEST, "'args' is not a map"},
        {BYTES("\x83\xa1v\x01\xa3"
               "cmd\xa4ping\xa3key\xa0"),
         BYTES(""), ERR_BAD_REQUEST, "'key'"},
        {BYTES("\x82\xa1v\x01\xa3"
               "cmd\xa4ping"),
         BYTES(""), OK, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        client_request_t request;
        request_fault_t fault = {.err = OK};
        err_t got = request_read(rows[i].bytes, &request, &fault);
        cr_assert_eq(got, rows[i].err, "row %zu: expected %s, got %s: %s", i, err_word(rows[i].err),
                     err_word(got), fault.message);
        cr_assert(strstr(fault.message, rows[i].word) != NULL || rows[i].err == OK,
                  "row %zu: expected '%s' in: %s", i, rows[i].word, fault.message);
        cr_assert(slice_equal(request.id, rows[i].id), "row %zu: the id is not echoed", i);
    }
}

Test(frames, an_id_of_256_bytes_is_echoed_and_a_larger_one_refused)
{
    uint8_t bytes[512];
    char id[300];
    memset(id, 'i', sizeof id);
    for (size_t size = 253; size <= 255; size++) {
        wire_writer_t w;
        client_request_t request;
        request_fault_t fault = {.err = OK};
        wire_writer_over(&w, bytes, sizeof bytes);
        wire_put_map(&w, 3);
        wire_put_str(&w, slice_of("v"));
        wire_put_u64(&w, 1);
        wire_put_str(&w, slice_of("id"));
        wire_put_str(&w, (slice_t){id, size}); /* and two bytes before it */
        wire_put_str(&w, slice_of("cmd"));
        wire_put_str(&w, slice_of("ping"));
        err_t got = request_read((slice_t){(const char *) bytes, w.size}, &request, &fault);
        cr_assert_eq(got, size <= 254 ? OK : ERR_TOO_LARGE, "%zu bytes: got %s", size,
                     err_word(got));
    }
}

Test(frames, a_key_or_a_frame_larger_than_its_limit_is_refused)
{
    static uint8_t bytes[COMMAND_BYTES_MAX + 1];
    char key[KEY_BYTES_MAX + 1];
    wire_writer_t writer;
    client_request_t request;
    request_fault_t fault = {.err = OK};
    memset(key, 'k', sizeof key);
    for (size_t size = KEY_BYTES_MAX; size <= sizeof key; size++) {
        wire_writer_over(&writer, bytes, sizeof bytes);
        wire_put_map(&writer, 3);
        wire_put_str(&writer, slice_of("v"));
        wire_put_u64(&writer, 1);
        wire_put_str(&writer, slice_of("cmd"));
        wire_put_str(&writer, slice_of("ping"));
        wire_put_str(&writer, slice_of("key"));
        wire_put_str(&writer, (slice_t){key, size});
        err_t got = request_read((slice_t){(char *) bytes, writer.size}, &request, &fault);
        cr_assert_eq(got, size > KEY_BYTES_MAX ? ERR_TOO_LARGE : OK, "a key of %zu bytes: got %s",
                     size, err_word(got));
    }
    err_t got = request_read((slice_t){(char *) bytes, sizeof bytes}, &request, &fault);
    cr_assert_eq(got, ERR_TOO_LARGE, "a frame of %zu bytes: got %s", sizeof bytes, err_word(got));
}

Test(frames, key_and_principal_are_set_by_the_site_alone)
{
    frame_make(&frame, "distribute", "id=P1 to:a");
    cr_assert_eq(frame_run(&frame, NULL), OK);
    frame.request.key = slice_of("k1");
    cr_assert_eq(request_sign(&frame.request, slice_of("local"), &frame.draft), OK);
    const distribute_t *m = (const distribute_t *) frame.draft.base;
    cr_assert_eq(record_check(&distribute_type, m, frame.draft.size), OK);
    cr_assert(slice_equal(record_slice(m, m->key), slice_of("k1")));
    cr_assert(slice_equal(record_slice(m, m->principal), slice_of("local")));
    cr_assert(slice_equal(record_slice(m, m->id), slice_of("P1")));
}

/* ---- answers ---- */

static void
expect_json(const wire_writer_t *w, const char *expected)
{
    wire_value_t root;
    char text[1024];
    size_t size = 0;
    cr_assert_eq(wire_check(w->base, w->size, &root), OK);
    cr_assert(wire_json(&root, text, sizeof text, &size));
    cr_assert_str_eq(text, expected);
}

Test(answers, a_result_goes_out_with_the_id_as_it_came)
{
    uint8_t bytes[512];
    _Alignas(8) uint8_t memory[512];
    draft_t draft;
    wire_writer_t w;
    draft_over(&draft, memory, sizeof memory);
    done_t *done = draft_begin(&draft, &done_type);
    done->changed = true;
    done->text = draft_text(&draft, slice_of("it is so"));
    wire_writer_over(&w, bytes, sizeof bytes);
    cr_assert_eq(reply_put_result(&w, (slice_t){"\x92\x01\xa1x", 4}, &done_type, done), OK);
    expect_json(&w, "{\"v\":1,\"id\":[1,\"x\"],\"ok\":true,"
                    "\"result\":{\"changed\":true,\"text\":\"it is so\"}}");
}

Test(answers, a_refusal_goes_out_as_an_error_in_both_ways_it_is_made)
{
    static const char expected[] =
        "{\"v\":1,\"id\":null,\"ok\":false,\"error\":{\"code\":\"space\","
        "\"message\":\"m\",\"hint\":\"h\",\"need\":10,\"have\":null}}";
    uint8_t bytes[512];
    _Alignas(8) uint8_t memory[512];
    draft_t draft;
    wire_writer_t w;
    draft_over(&draft, memory, sizeof memory);
    refusal_t *refusal = draft_begin(&draft, &refusal_type);
    refusal->code = ERR_SPACE;
    refusal->message = draft_text(&draft, slice_of("m"));
    refusal->hint = draft_text(&draft, slice_of("h"));
    refusal->need = 10;
    refusal->have = RECORD_NONE;
    wire_writer_over(&w, bytes, sizeof bytes);
    cr_assert_eq(reply_put_result(&w, (slice_t){"", 0}, &refusal_type, refusal), OK);
    expect_json(&w, expected);
    wire_writer_over(&w, bytes, sizeof bytes);
    reply_put_error(&w, (slice_t){"", 0}, ERR_SPACE, slice_of("m"), slice_of("h"), 10, RECORD_NONE);
    expect_json(&w, expected);
}

Test(answers, an_answer_that_was_kept_goes_out_as_it_was)
{
    uint8_t bytes[512];
    wire_writer_t w;
    wire_writer_over(&w, bytes, sizeof bytes);
    reply_put_recalled(&w, (slice_t){"\x07", 1}, false, (slice_t){"\x81\xa1x\x01", 4});
    expect_json(&w, "{\"v\":1,\"id\":7,\"ok\":true,\"result\":{\"x\":1}}");
    wire_writer_over(&w, bytes, sizeof bytes);
    reply_put_recalled(&w, (slice_t){"\x07", 1}, true, (slice_t){"\x81\xa1x\x01", 4});
    expect_json(&w, "{\"v\":1,\"id\":7,\"ok\":false,\"error\":{\"x\":1}}");
}

Test(answers, a_command_that_nobody_answers_is_refused_with_its_id)
{
    static const struct {
        slice_t frame;
        const char *expected;
    } rows[] = {
        {BYTES("\x83\xa1v\x01\xa3"
               "cmd\xa4ping\xa2id\x07"),
         "{\"v\":1,\"id\":7,\"ok\":false,\"error\":{\"code\":\"down\",\"message\":\"cannot run "
         "'ping': "},
        {BYTES("\x82\xa1v\x01\xa2id\x07"),
         "{\"v\":1,\"id\":7,\"ok\":false,\"error\":{\"code\":\"bad-request\",\"message\":\"cannot "
         "read 'request': 'cmd' is missing"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t wire[1024];
        char json[2048];
        wire_writer_t writer;
        wire_value_t root;
        size_t size;
        wire_writer_over(&writer, wire, sizeof wire);
        reply_put_unanswered(&writer, rows[i].frame, ERR_DOWN);
        cr_assert_eq(wire_check(wire, writer.size, &root), OK);
        cr_assert(wire_json(&root, json, sizeof json, &size));
        cr_assert(strncmp(json, rows[i].expected, strlen(rows[i].expected)) == 0,
                  "expected %s..., got %s", rows[i].expected, json);
    }
}

Test(routes, every_command_but_ping_has_exactly_one)
{
    uint32_t routed[MSG_COUNT] = {0};
#define ROUTED(kind, whom, command) routed[MSG_##command]++;
    ROUTES(ROUTED)
#undef ROUTED
    for (uint32_t i = 0; i < command_count; i++) {
        uint32_t number = commands[i].type->number;
        cr_assert_eq(routed[number], number == MSG_ping ? 0u : 1u, "%s has %u routes",
                     commands[i].word, routed[number]);
    }
}
