/* print_test.c - claims about what is printed: tables, times, texts that would steer a terminal. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/cli/capture.h"
#include "tools/cli.h"
#include "tools/cli_print.h"
#include "tools/cli_table.h"

static capture_t capture;

static void
expect_shown(slice_t text, const char *expected)
{
    char *got = cli_shown(text);

    cr_expect_str_eq(got, expected, "got '%s', expected '%s'", got, expected);
    free(got);
}

Test(print, what_a_terminal_would_obey_is_shown_instead)
{
    expect_shown(slice_of("plain näme 漢"), "plain näme 漢");
    expect_shown(slice_of("a\033[2Jb\r\n\t\x7f"), "a\\x1B[2Jb\\x0D\\x0A\\x09\\x7F");
    expect_shown((slice_t){"a\0b", 3}, "a\\x00b");
    expect_shown(slice_of("\xff\xfe"), "\\xFF\\xFE");
    expect_shown(slice_of("\xc2\x9b"
                          "31m"),
                 "\\xC2\\x9B31m");
    expect_shown(slice_of("gpj.\xe2\x80\xae"), "gpj.\\xE2\\x80\\xAE");
    expect_shown(slice_of("a\xe2\x81\xa6"), "a\\xE2\\x81\\xA6");
    expect_shown(slice_of("cut \xe6\xbc"), "cut \\xE6\\xBC");
    expect_shown(slice_of(""), "");
}

Test(print, no_byte_of_any_text_reaches_the_terminal_as_a_control_character)
{
    for (int a = 0; a < 256; a++) {
        for (int b = 0; b < 256; b++) {
            char text[2] = {(char) a, (char) b};
            char *shown = cli_shown((slice_t){text, 2});
            for (const char *at = shown; *at; at++) {
                cr_assert((unsigned char) *at >= 0x20 && *at != 0x7f, "of %02x %02x", a, b);
            }
            free(shown);
        }
    }
}

Test(print, width_is_counted_in_characters)
{
    cr_expect_eq(cli_width("näme"), 4);
    cr_expect_eq(cli_cut("näme", 2), 3, "cut inside a character");
    cr_expect_eq(cli_cut("näme", 0), 0);
    cr_expect_eq(cli_cut("nä", 9), 3);
}

Test(print, a_rate_is_exact_and_has_its_unit)
{
    static const struct {
        uint64_t rate;
        const char *text;
    } rates[] = {
        {1, "1 B/s"},          {1234567, "1234567 B/s"},       {512 << 10, "512 KiB/s"},
        {40000000, "40 MB/s"}, {UINT64_C(3) << 30, "3 GiB/s"}, {UINT64_C(10000000000), "10 GB/s"}};
    char text[64];

    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        cli_rate_text(rates[i].rate, text, sizeof text);
        cr_expect_str_eq(text, rates[i].text, "got %s, expected %s", text, rates[i].text);
    }
}

static const char *
table(const char *columns, const char *const *cells)
{
    static const char *const heads[] = {"first", "second_one", "third", NULL};
    cli_table_t *t = table_new(heads);

    setenv("COLUMNS", columns, 1);
    for (size_t i = 0; cells[i]; i++) {
        if (i % 3 == 0) {
            table_row(t);
        }
        table_cell(t, cells[i]);
    }
    capture_begin(&capture);
    bool some = table_print(&t);
    capture_end(&capture);
    cr_expect_eq(some, cells[0] != NULL);
    return capture.out;
}

Test(print, a_table_stands_in_columns_and_umlauts_do_not_shift_it)
{
    const char *got = table("80", (const char *[]){"ä", "b", "c", "long one", "ö", "d", NULL});
    const char *expected = "FIRST     SECOND ONE  THIRD\n"
                           "ä         b           c\n"
                           "long one  ö           d\n";
    cr_expect_str_eq(got, expected, "got\n%sexpected\n%s", got, expected);
}

Test(print, no_line_of_a_table_is_wider_than_the_terminal)
{
    for (int columns = 1; columns < 40; columns++) {
        char text[16];
        snprintf(text, sizeof text, "%d", columns);
        char *got = strdup(table(
            text, (const char *[]){"äöü", "bb", "a rather long ünd wide one", "x", "", "y", NULL}));
        for (char *line = strtok(got, "\n"); line; line = strtok(NULL, "\n")) {
            cr_expect_leq(cli_width(line), (size_t) columns, "of %d columns: '%s'", columns, line);
        }
        free(got);
    }
    const char *cut = table("24", (const char *[]){"a", "b", "what does not fit", NULL});
    cr_expect(strstr(cut, "a      b           wh..."), "got\n%s", cut);
}

Test(print, a_table_without_rows_prints_nothing)
{
    cr_expect_str_eq(table("80", (const char *[]){NULL}), "");
}

Test(print, a_cell_cannot_break_its_row)
{
    const char *got = table("80", (const char *[]){"a\nb", "\033[1A", "c", NULL});
    cr_expect(strstr(got, "a\\x0Ab  \\x1B[1A     c\n"), "got\n%s", got);
}

Test(print, times_are_told_relative_to_now)
{
    static const struct {
        const char *iso;
        const char *expected;
    } rows[] = {
        {"2026-03-01T12:00:00.000Z", "now"},
        {"2026-03-01T12:00:12.900Z", "in 12 s"},
        {"2026-03-01T11:59:01.000Z", "59 s ago"},
        {"2026-03-01T12:03:00.000Z", "in 3 min"},
        {"2026-03-01T09:00:00.000Z", "3 h ago"},
        {"2026-03-05T12:00:00.000Z", "in 4 d"},
        {"2026-02-28T11:00:00.000Z", "25 h ago"},
        {"", ""},
        {"yesterday", ""},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[64];
        cli_relative(slice_of(rows[i].iso), 1772366400, text, sizeof text);
        cr_expect_str_eq(text, rows[i].expected, "%s: got '%s', expected '%s'", rows[i].iso, text,
                         rows[i].expected);
    }
}

static void
put_names(wire_writer_t *w, const char *field, const char *const *names)
{
    uint32_t count = 0;

    while (names[count]) {
        count++;
    }
    wire_put_str(w, slice_of(field));
    wire_put_array(w, count);
    for (uint32_t i = 0; i < count; i++) {
        wire_put_str(w, slice_of(names[i]));
    }
}

Test(print, a_retry_says_of_whom_it_waits_for)
{
    uint8_t memory[256];
    wire_writer_t w;
    wire_value_t root;
    const cli_command_t retry = {.words = "retry", .wire = "retry", .changes = true};
    const cli_line_t line = {.command = &retry};

    wire_writer_over(&w, memory, sizeof memory);
    wire_put_map(&w, 3);
    wire_put_str(&w, slice_of("changed"));
    wire_put_bool(&w, true);
    put_names(&w, "targets", (const char *[]){"a", "b", "c", NULL});
    put_names(&w, "absent", (const char *[]){"a", "c", NULL});
    cr_assert_eq(wire_check(memory, w.size, &root), OK);
    capture_begin(&capture);
    cli_show(&line, &root);
    capture_end(&capture);
    cr_expect_str_eq(capture.out,
                     "changed: a, which is absent: work begins when it is back\n"
                     "changed: b\n"
                     "changed: c, which is absent: work begins when it is back\n",
                     "got\n%s", capture.out);
}

/* A map of what a hostile site, or one that carries hostile names, may answer. */
static wire_value_t
hostile(uint8_t *memory, size_t size)
{
    static const char *const names[] = {"dp",   "state", "text", "message", "hint",
                                        "time", "code",  "id",   "source",  "severity"};
    wire_writer_t w;
    wire_value_t root;

    wire_writer_over(&w, memory, size);
    wire_put_map(&w, 14);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        wire_put_str(&w, slice_of(names[i]));
        wire_put_str(&w, slice_of("\033]0;owned\a\r\n\xc2\x9b"));
    }
    static const char *const lists[] = {"packages", "points", "targets", "events"};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        wire_put_str(&w, slice_of(lists[i]));
        wire_put_array(&w, 1);
        wire_put_map(&w, 3);
        wire_put_str(&w, slice_of("id"));
        wire_put_str(&w, slice_of("\033[2J"));
        wire_put_str(&w, slice_of("dp"));
        wire_put_str(&w, slice_of("\033[2J"));
        wire_put_str(&w, slice_of("missing"));
        wire_put_array(&w, 1);
        wire_put_str(&w, slice_of("evil\033[2J\n"));
    }
    cr_assert_eq(wire_check(memory, w.size, &root), OK);
    return root;
}

static void
expect_tame(const char *what, const char *text)
{
    for (const char *at = text; *at; at++) {
        bool tame = *at == '\n' || ((unsigned char) *at >= 0x20 && *at != 0x7f);
        cr_assert(tame, "%s: byte %02x reaches the terminal in \"%s\"", what, (unsigned char) *at,
                  text);
    }
    cr_expect_null(strstr(text, "\xc2\x9b"), "%s", what);
}

Test(print, no_answer_to_any_command_steers_the_terminal)
{
    static uint8_t memory[8192];
    wire_value_t answer = hostile(memory, sizeof memory);

    for (const cli_command_t *command = cli_commands; command->words; command++) {
        cli_line_t line = {.command = command};
        if (!command->wire) {
            continue;
        }
        capture_begin(&capture);
        cli_show(&line, &answer);
        cli_show_error(&line, &answer);
        cli_show_event(&answer);
        capture_end(&capture);
        expect_tame(command->words, capture.out);
        expect_tame(command->words, capture.err);
    }
}

Test(print, an_error_as_json_is_one_document)
{
    static uint8_t memory[8192];
    wire_value_t error = hostile(memory, sizeof memory);
    cli_line_t line = {.json = true};

    capture_begin(&capture);
    cli_show_error(&line, &error);
    capture_end(&capture);
    size_t size = strlen(capture.out);
    cr_expect(strncmp(capture.out, "{\"error\":{\"dp\":", 15) == 0, "got %s", capture.out);
    cr_expect(size > 3 && strcmp(capture.out + size - 3, "}}\n") == 0, "got %s", capture.out);
    cr_expect(strchr(capture.out, '\n') == capture.out + size - 1, "more than one line");
}

Test(print, an_error_shows_once_what_is_needed_and_what_is_there)
{
    static uint8_t memory[256];
    wire_writer_t w;
    wire_value_t error;
    cli_line_t line = {.json = false};

    wire_writer_over(&w, memory, sizeof memory);
    wire_put_map(&w, 4);
    wire_put_str(&w, slice_of("message"));
    wire_put_str(&w, slice_of("cannot run 'dp.pause a': the site's own disk is full, need 16777216 "
                              "bytes, have 4096 bytes"));
    wire_put_str(&w, slice_of("hint"));
    wire_put_str(&w, slice_of("free space"));
    wire_put_str(&w, slice_of("need"));
    wire_put_u64(&w, 16777216);
    wire_put_str(&w, slice_of("have"));
    wire_put_u64(&w, 4096);
    cr_assert_eq(wire_check(memory, w.size, &error), OK);
    capture_begin(&capture);
    cli_show_error(&line, &error);
    capture_end(&capture);
    cr_expect_str_eq(capture.err,
                     "cannot run 'dp.pause a': the site's own disk is full, need 16777216 "
                     "bytes, have 4096 bytes\n  free space\n");
}

/* The values whose JSON is much longer than their msgpack. */
Test(print, json_is_never_cut)
{
    static uint8_t memory[65536];
    wire_writer_t w;
    wire_value_t root;
    char blob[1000];

    memset(blob, 1, sizeof blob);
    wire_writer_over(&w, memory, sizeof memory);
    wire_put_array(&w, 2000);
    for (int i = 0; i < 1998; i++) {
        wire_put_nil(&w);
    }
    wire_put_str(&w, (slice_t){blob, sizeof blob});
    wire_put_bin(&w, (slice_t){blob, sizeof blob});
    cr_assert_eq(wire_check(memory, w.size, &root), OK);
    capture_begin(&capture);
    cli_show_json(&root);
    capture_end(&capture);
    size_t size = strlen(capture.out);
    cr_expect(size > 9990 + 6000 + 2000, "got %zu bytes", size);
    cr_expect_str_eq(capture.out + size - 2, "]\n");
}
