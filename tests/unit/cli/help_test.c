/* help_test.c - claims about what is shown: help that is asked for, a value that is too long, and
 * output that cannot be written. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio_ext.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/cli/capture.h"
#include "tests/unit/cli/words.h"

static capture_t capture;

/* What is printed for a line of words, told apart by blanks; its exit code. */
static int
run(const char *text, cli_line_t *ret_line)
{
    static char copy[256];
    const char *words[16] = {"despool"};
    int count = 1;

    snprintf(copy, sizeof copy, "%s", text);
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " ")) {
        words[count++] = word;
    }
    capture_begin(&capture);
    int code = words_parse(words, ret_line);
    if (code == EXIT_DONE && ret_line->noun) {
        cli_help_noun(ret_line->noun);
    }
    capture_end(&capture);
    cli_line_fini(ret_line);
    return code;
}

Test(help, on_a_noun_lists_its_commands_and_no_others)
{
    static const char *const lines[] = {"store --help", "store -h", "help store", "--help store",
                                        "--json store --help"};

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        cli_line_t line;
        int code = run(lines[i], &line);
        cr_assert(code == EXIT_DONE && line.help && line.noun, "'%s': exit %d: %s", lines[i], code,
                  capture.err);
        cr_expect(strstr(capture.out, "despool store check [--repair]") &&
                      strstr(capture.out, "despool store collect"),
                  "'%s': %s", lines[i], capture.out);
        cr_expect(!strstr(capture.out, "despool site"), "'%s': %s", lines[i], capture.out);
    }
}

Test(help, on_a_command_may_be_said_before_it)
{
    static const char *const lines[][2] = {{"help store check", "store check"},
                                           {"--help distribute", "distribute"},
                                           {"help ping", "ping"},
                                           {"distribute --help", "distribute"}};

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        cli_line_t line;
        int code = run(lines[i][0], &line);
        cr_assert(code == EXIT_DONE && line.help && line.command, "'%s': exit %d: %s", lines[i][0],
                  code, capture.err);
        cr_expect_str_eq(line.command->words, lines[i][1], "'%s': got %s", lines[i][0],
                         line.command->words);
    }
}

Test(help, on_what_is_no_command_is_wrong_usage)
{
    static const char *const lines[] = {"help frob", "--help frob", "store frob --help",
                                        "help store frob"};

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        cli_line_t line;
        cr_expect_eq(run(lines[i], &line), EXIT_USAGE, "'%s' is taken", lines[i]);
        cr_expect(strstr(capture.err, "frob"), "'%s': %s", lines[i], capture.err);
    }
}

/* Its exit code when what it printed goes to a disk that is full; what it said is in capture. */
static int
written_to_a_full_disk(int code)
{
    capture_begin(&capture);
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    cr_assert(full >= 0 && dup2(full, STDOUT_FILENO) == STDOUT_FILENO);
    close(full);
    printf("{\"packages\":[]}\n");
    code = cli_written(code);
    __fpurge(stdout);
    clearerr(stdout);
    capture_end(&capture);
    return code;
}

Test(help, output_that_cannot_be_written_is_told_and_is_no_success)
{
    cr_expect_eq(written_to_a_full_disk(EXIT_DONE), EXIT_REFUSED);
    cr_expect(strncmp(capture.err, "cannot write 'standard output': No space left on device\n  ",
                      58) == 0,
              "%s", capture.err);
    cr_expect_eq(written_to_a_full_disk(EXIT_NO_HOST), EXIT_NO_HOST);
    capture_begin(&capture);
    printf("written\n");
    int code = cli_written(EXIT_DONE);
    capture_end(&capture);
    cr_expect_eq(code, EXIT_DONE);
    cr_expect_str_eq(capture.err, "");
}

Test(help, a_wrong_value_of_thousands_of_names_is_not_shown_whole)
{
    static char list[100000];
    char word[][16] = {"despool", "distribute", "P1", "--to"};
    char *words[] = {word[0], word[1], word[2], word[3], list};
    cli_line_t line;

    for (size_t i = 0; i + 2 < sizeof list; i += 2) {
        memcpy(list + i, "a,", 3);
    }
    capture_begin(&capture);
    int code = cli_parse(5, words, &line);
    capture_end(&capture);
    cli_line_fini(&line);
    cr_expect_eq(code, EXIT_USAGE);
    cr_expect(strstr(capture.err, "a,a,...';") && strlen(capture.err) < 400, "%s", capture.err);
}
