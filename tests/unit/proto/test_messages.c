/* test_messages.c - what must hold for every record, command and status id of the site's tables. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "proto/messages.h"
#include "proto/status.h"
#include "proto/wire.h"

#define NESTED_MAX 6 /* records within records, far above what the tables have */

static void
judge_type(const record_type_t *type, unsigned depth)
{
    cr_assert_lt(depth, NESTED_MAX, "%s: records nest without end", type->name);
    cr_assert_leq(type->field_count, RECORD_FIELDS_MAX, "%s has too many fields", type->name);
    cr_assert_leq(type->align, 8, "%s needs more alignment than a draft gives", type->name);
    for (uint32_t i = 0; i < type->field_count; i++) {
        const record_field_t *field = &type->field[i];
        cr_assert_lt(field->offset, type->fixed_bytes, "%s.%s", type->name, field->name);
        for (uint32_t other = 0; other < i; other++) {
            cr_assert_str_neq(field->name, type->field[other].name, "%s", type->name);
        }
        if (field->kind == RECORD_word) {
            cr_assert_gt(field->words->count, 0, "%s.%s", type->name, field->name);
        }
        if (field->kind >= RECORD_text && field->kind != RECORD_digest &&
            field->kind != RECORD_id128) {
            cr_assert_gt(field->bound, 0, "%s.%s has no bound", type->name, field->name);
        }
        if (field->type != NULL) {
            judge_type(field->type, depth + 1);
        }
    }
}

Test(messages, every_type_is_sound_and_bounded)
{
    for (uint32_t number = 1; number < MSG_COUNT; number++) {
        const record_type_t *type = message_type(number);
        cr_assert_not_null(type, "number %u", number);
        cr_assert_eq(type->number, number, "%s", type->name);
        judge_type(type, 0);
    }
    cr_assert_null(message_type(MSG_NONE));
    cr_assert_null(message_type(MSG_COUNT));
    cr_assert_null(message_type(UINT32_MAX));
}

Test(messages, a_zeroed_record_of_every_type_is_checked_printed_and_encoded)
{
    static _Alignas(8) uint8_t memory[4096];
    static uint8_t wire[8192];
    for (uint32_t number = 1; number < MSG_COUNT; number++) {
        const record_type_t *type = message_type(number);
        draft_t draft;
        char line[256];
        wire_writer_t writer;
        wire_value_t root;
        draft_over(&draft, memory, sizeof memory);
        const void *record = draft_begin(&draft, type);
        cr_assert_eq(record_check(type, record, draft.size), OK, "%s", type->name);
        record_print(type, record, line, sizeof line);
        cr_assert_eq(strncmp(line, type->name, strlen(type->name)), 0, "%s", line);
        wire_writer_over(&writer, wire, sizeof wire);
        cr_assert_eq(record_encode(type, record, &writer), OK, "%s", type->name);
        cr_assert_eq(wire_check(wire, writer.size, &root), OK, "%s", type->name);
    }
}

Test(commands, are_found_by_their_word_and_by_nothing_else)
{
    for (uint32_t i = 0; i < command_count; i++) {
        const command_t *command = command_of_word(slice_of(commands[i].word));
        cr_assert_eq(command, &commands[i], "%s", commands[i].word);
        cr_assert_eq(message_type(command->type->number), command->type);
    }
    cr_assert_null(command_of_word(slice_of("")));
    cr_assert_null(command_of_word(slice_of("package")));
    cr_assert_null(command_of_word((slice_t){"ping\0", 5}));
}

/* Decodes {} , or a map of one key, as the arguments of a command. */
static err_t
decode_args(const command_t *command, const char *key, slice_t value, const char **ret_field)
{
    static _Alignas(8) uint8_t memory[4096];
    uint8_t wire[512];
    wire_writer_t writer;
    wire_value_t root;
    draft_t draft;
    const void *record;
    wire_writer_over(&writer, wire, sizeof wire);
    wire_put_map(&writer, key == NULL ? 0 : 1);
    if (key != NULL) {
        wire_put_str(&writer, slice_of(key));
        wire_put_raw(&writer, value);
    }
    cr_assert_eq(wire_check(wire, writer.size, &root), OK);
    draft_over(&draft, memory, sizeof memory);
    return record_decode(command->type, &root, &draft, &record, ret_field);
}

static const record_field_t *
first_required(const command_t *command)
{
    for (uint32_t i = 0; i < command->type->field_count; i++) {
        if (command->type->field[i].need == REQUIRED) {
            return &command->type->field[i];
        }
    }
    return NULL;
}

Test(commands, without_arguments_name_the_first_required_one)
{
    for (uint32_t i = 0; i < command_count; i++) {
        const char *field = "";
        const record_field_t *required = first_required(&commands[i]);
        err_t err = decode_args(&commands[i], NULL, (slice_t){"", 0}, &field);
        cr_assert_eq(err, required == NULL ? OK : ERR_MISSING_ARGUMENT, "%s: got %s",
                     commands[i].word, err_word(err));
        cr_assert_str_eq(field, required == NULL ? "" : required->name, "%s", commands[i].word);
    }
}

Test(commands, refuse_unknown_arguments_and_those_that_only_the_site_sets)
{
    static const char *const keys[] = {"nonsense", "principal", "key", "principal_raw", "ID"};
    for (uint32_t i = 0; i < command_count; i++) {
        for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
            const char *field = "";
            err_t err = decode_args(&commands[i], keys[k], slice_of("\xa1x"), &field);
            cr_assert_eq(err, ERR_UNKNOWN_ARGUMENT, "%s %s: got %s", commands[i].word, keys[k],
                         err_word(err));
            cr_assert_str_eq(field, keys[k], "%s", commands[i].word);
        }
    }
}

static bool
has_other_required(const record_type_t *type, const record_field_t *but)
{
    for (uint32_t i = 0; i < type->field_count; i++) {
        if (type->field[i].need == REQUIRED && &type->field[i] != but) {
            return true;
        }
    }
    return false;
}

Test(commands, refuse_a_float_for_every_argument_they_have)
{
    static const slice_t a_float = {"\xca\x3f\x80\x00\x00", 5};
    for (uint32_t i = 0; i < command_count; i++) {
        const record_type_t *type = commands[i].type;
        for (uint32_t f = 0; f < type->field_count; f++) {
            const char *field = "";
            if (type->field[f].need == INTERNAL) {
                continue;
            }
            err_t err = decode_args(&commands[i], type->field[f].name, a_float, &field);
            bool missing = has_other_required(type, &type->field[f]);
            cr_assert_eq(err, missing ? ERR_MISSING_ARGUMENT : ERR_WRONG_TYPE, "%s %s: got %s",
                         commands[i].word, type->field[f].name, err_word(err));
        }
    }
}

Test(names, are_1_to_64_letters_digits_and_marks_beginning_with_neither_mark)
{
    static const char *const good[] = {"a", "P1", "0", "a.b_c-d", "Z.."};
    static const char *const bad[] = {"", ".", "-a", "_a", "a b", "a/b", "a\n", "@g", "\xc3\xbc"};
    char long_name[NAME_BYTES_MAX + 1];
    memset(long_name, 'x', sizeof long_name);
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        cr_assert(name_is_valid(slice_of(good[i])), "'%s'", good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_assert_not(name_is_valid(slice_of(bad[i])), "'%s'", bad[i]);
    }
    cr_assert(name_is_valid((slice_t){long_name, NAME_BYTES_MAX}));
    cr_assert_not(name_is_valid((slice_t){long_name, NAME_BYTES_MAX + 1}));
    cr_assert_not(name_is_valid((slice_t){"a\0b", 3}));
}

Test(words, of_errors_and_classes_are_those_of_their_tables)
{
    cr_assert_eq(err_words.count, ERR_COUNT);
    for (uint32_t err = 0; err < err_words.count; err++) {
        cr_assert_str_eq(err_words.word[err], err_word((err_t) err));
    }
    for (uint32_t class = 0; class < error_class_words.count; class ++) {
        cr_assert_str_eq(error_class_words.word[class], error_class_word((error_class_t) class));
    }
}

Test(status_ids, have_a_sentence_and_a_severity_and_unknown_ones_read_as_errors)
{
    static const uint32_t ids[] = {
#define STATUS_NUMBER(number, symbol, severity, sentence) number,
        STATUS_MESSAGES(STATUS_NUMBER)
#undef STATUS_NUMBER
    };
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        cr_assert_gt(strlen(status_sentence(ids[i])), 0, "id %u", ids[i]);
        for (size_t other = 0; other < i; other++) {
            cr_assert_neq(ids[i], ids[other], "id %u is there twice", ids[i]);
        }
    }
    cr_assert_eq(status_severity(STATUS_TARGET_INSTALLED), SEVERITY_INFO);
    cr_assert_eq(status_severity(STATUS_TARGET_RETRYING), SEVERITY_WARNING);
    cr_assert_eq(status_severity(4242), SEVERITY_ERROR);
    cr_assert_str_eq(status_sentence(4242), "");
}

Test(addresses, others_can_dial_are_told_from_those_that_nobody_can)
{
    static const char *const good[] = {"tcp://h:1", "tcp://192.0.2.1:7100",
                                       "tcp://[2001:db8::1]:65535", "tcp://0.0.0.01.example:7"};
    static const char *const bad[] = {"",
                                      "tcp://",
                                      "tcp://h",
                                      "tcp://h:",
                                      "tcp://:7",
                                      "tcp://h:0",
                                      "tcp://h:65536",
                                      "tcp://h:99999999999999999999",
                                      "tcp://h:7x",
                                      "tcp://h i:7",
                                      "tcp://*:7",
                                      "tcp://0.0.0.0:7",
                                      "tcp://[::]:7",
                                      "ipc:///h:7",
                                      "h:7"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        cr_expect(address_is_valid(slice_of(good[i])), "%s", good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_expect(!address_is_valid(slice_of(bad[i])), "%s", bad[i]);
    }
}
