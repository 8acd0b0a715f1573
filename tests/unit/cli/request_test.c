/* request_test.c - claims about requests: what was said is what a site decodes. */
#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "proto/messages.h"
#include "proto/messages.h"
#include "tests/unit/cli/words.h"

static uint64_t memory[CLI_REQUEST_BYTES / 4]; /* of a decoded record */
static uint8_t bytes[CLI_REQUEST_BYTES];

typedef struct request {
    wire_value_t root, args;
    draft_t draft;
    const void *record;
} request_t;

/* Parses, encodes, checks and decodes by the command's own record type. */
static request_t
encode(const record_type_t *type, const char *const *words)
{
    cli_line_t line;
    wire_writer_t writer;
    request_t r = {0};
    const char *field = NULL;

    cr_assert_eq(words_parse(words, &line), EXIT_DONE);
    wire_writer_over(&writer, bytes, sizeof bytes);
    cr_assert(cli_encode(&line, &writer), "it does not fit");
    cr_assert_eq(wire_check(bytes, writer.size, &r.root), OK);
    cr_assert(wire_find(&r.root, "args", &r.args));
    draft_over(&r.draft, memory, sizeof memory);
    err_t err = record_decode(type, &r.args, &r.draft, &r.record, &field);
    cr_assert_eq(err, OK, "got %s at '%s', expected ok", err_word(err), field ? field : "");
    cli_line_fini(&line);
    return r;
}
#define ENCODE(type, ...) encode(&type##_type, (const char *[]){"despool", __VA_ARGS__, NULL})
#define ARG(text)                                                                                  \
    (char[])                                                                                       \
    {                                                                                              \
        text                                                                                       \
    }

static void
expect_text(const void *record, text_t text, const char *expected)
{
    slice_t got = record_slice(record, text);

    cr_expect(slice_equal(got, slice_of(expected)), "got '%.*s', expected '%s'", (int) got.size,
              got.data, expected);
}

Test(request, what_was_said_is_what_is_decoded)
{
    request_t r = ENCODE(package_add, "package", "add", "P1", "/s/./t/", "--name", "näme",
                         "--version", "1.0", "--exclude", "*.o", "--exclude", "tmp");
    const package_add_t *add = r.record;

    cr_expect(slice_equal(cli_text(&r.root, "cmd"), slice_of("package.add")));
    cr_expect_eq(cli_number(&r.root, "v"), 1);
    cr_expect_eq(cli_number(&r.root, "id"), CLI_REQUEST_ID);
    expect_text(add, add->id, "P1");
    expect_text(add, add->source, "/s/t");
    expect_text(add, add->name, "näme");
    expect_text(add, add->version, "1.0");
    cr_assert_eq(add->exclude.count, 2, "got %u globs", add->exclude.count);
    expect_text(add, *ROW(add, add->exclude, 1, text_t), "tmp");
    cr_expect_eq(add->dry_run, 0);
}

Test(request, flags_lists_numbers_and_dry_run_are_carried)
{
    request_t r = ENCODE(distribute, "--dry-run", "distribute", "P1", "--to", "a,@g", "--wait=3");
    const distribute_t *distribute = r.record;

    cr_expect_eq(distribute->dry_run, 1, "no dry run");
    cr_assert_eq(distribute->to.count, 2, "got %u names", distribute->to.count);
    expect_text(distribute, *ROW(distribute, distribute->to, 1, text_t), "@g");
    r = ENCODE(quarantine_drop, "quarantine", "drop", "18446744073709551615");
    cr_expect_eq(((const quarantine_drop_t *) r.record)->number, UINT64_MAX);
    r = ENCODE(component_set, "component", "set", "despooler", "--slots", "0");
    cr_expect_eq(((const component_set_t *) r.record)->slots, 0, "0 slots is not said");
    r = ENCODE(dp_remove, "dp", "remove", "a", "--forget");
    cr_expect_eq(((const dp_remove_t *) r.record)->forget, 1);
    cr_expect_eq(((const dp_remove_t *) r.record)->withdraw, 0);
}

Test(request, excludes_of_a_package_are_replaced_when_named_or_emptied)
{
    request_t r = ENCODE(package_set, "package", "set", "P1", "--exclude", "a");
    cr_expect_eq(((const package_set_t *) r.record)->set_exclude, 1, "named, and not replaced");
    r = ENCODE(package_set, "package", "set", "P1", "--no-exclude");
    cr_expect_eq(((const package_set_t *) r.record)->set_exclude, 1, "emptied, and not replaced");
    cr_expect_eq(((const package_set_t *) r.record)->exclude.count, 0);
    r = ENCODE(package_set, "package", "set", "P1", "--name", "n");
    cr_expect_eq(((const package_set_t *) r.record)->set_exclude, 0, "replaced without a word");
}

Test(request, texts_that_are_not_utf8_arrive_byte_by_byte)
{
    request_t r = ENCODE(package_add, "package", "add", "P1", "/s/\xff\x01", "--name", "\xc3(",
                         "--exclude", "\x80*");
    const package_add_t *add = r.record;

    expect_text(add, add->source, "/s/\xff\x01");
    expect_text(add, add->name, "\xc3(");
    expect_text(add, *ROW(add, add->exclude, 0, text_t), "\x80*");
}

Test(request, every_changing_command_and_no_other_has_a_key_of_its_own)
{
    for (const cli_command_t *command = cli_commands; command->words; command++) {
        cli_line_t line = {.command = command};
        wire_writer_t writer;
        wire_value_t root, key = {0};
        char first[64] = "";
        for (int i = 0; command->wire && i < 2; i++) {
            wire_writer_over(&writer, bytes, sizeof bytes);
            cr_assert(cli_encode(&line, &writer));
            cr_assert_eq(wire_check(bytes, writer.size, &root), OK);
            cr_expect_eq(wire_find(&root, "key", &key), command->changes, "'%s'", command->words);
            if (command->changes) {
                cr_expect_eq(key.bytes.size, 32, "'%s': a key of %zu", command->words,
                             key.bytes.size);
                cr_expect_neq(slice_equal(key.bytes, slice_of(first)), true, "'%s': the same key",
                              command->words);
                slice_copy(key.bytes, first, sizeof first);
            }
        }
    }
}

Test(request, one_that_is_larger_than_a_request_may_be_is_not_sent_cut)
{
    static char words[CLI_ITEMS_MAX][128];
    static char group[] = "group", add[] = "add", name[] = "g";
    static char *line_words[CLI_ITEMS_MAX + 8] = {group, group, add, name};
    cli_line_t line;
    wire_writer_t writer;
    int count = 4;

    for (uint32_t i = 0; i < CLI_ITEMS_MAX; i++) {
        memset(words[i], 'a', 127);
        line_words[count++] = words[i];
    }
    cr_assert_eq(cli_parse(count, line_words, &line), EXIT_DONE);
    wire_writer_over(&writer, bytes, sizeof bytes);
    cr_expect_not(cli_encode(&line, &writer), "got %zu bytes", writer.size);
    cli_line_fini(&line);
}

Test(request, more_items_than_a_list_may_have_are_wrong_usage)
{
    static char group[] = "group", add[] = "add", name[] = "g";
    static char *line_words[CLI_ITEMS_MAX + 8] = {group, group, add, name};
    cli_line_t line;
    int count = 4;

    for (uint32_t i = 0; i <= CLI_ITEMS_MAX; i++) {
        line_words[count++] = name;
    }
    cr_expect_eq(cli_parse(count, line_words, &line), EXIT_USAGE);
    cli_line_fini(&line);
}
