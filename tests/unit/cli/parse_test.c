/* parse_test.c - claims about the arguments of the command line. */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/limits.h"
#include "proto/messages.h"
#include "tools/cli.h"
#include "tools/data_default.h"

#define WORDS_MAX 16

typedef struct said {
    char text[2048];
    char *word[WORDS_MAX];
    int count;
    cli_line_t line;
    int code;
} said_t;

/* Parses one line of words that are told apart by blanks; "~" is an empty word. */
static said_t *
say(const char *text)
{
    static said_t said;

    said = (said_t){0};
    snprintf(said.text, sizeof said.text, "despool %s", text);
    for (char *word = strtok(said.text, " "); word; word = strtok(NULL, " ")) {
        said.word[said.count++] = strcmp(word, "~") == 0 ? word + 1 : word;
    }
    said.code = cli_parse(said.count, said.word, &said.line);
    return &said;
}

static const char *
wire_of(const char *text)
{
    said_t *said = say(text);

    cr_assert_eq(said->code, EXIT_DONE, "'%s': exit %d, expected 0", text, said->code);
    cr_assert_not_null(said->line.command, "'%s': no command", text);
    const char *wire = said->line.command->wire;
    cli_line_fini(&said->line);
    return wire ? wire : "(watch)";
}

Test(parse, every_command_of_the_manual_can_be_said)
{
    static const char *const lines[][2] = {
        {"package add P1 /s --name n --version v", "package.add"},
        {"package update P1", "package.update"},
        {"package set P1 --source /s --exclude a --exclude b", "package.set"},
        {"package list", "package.list"},
        {"package show P1", "package.show"},
        {"package remove P1 --withdraw", "package.remove"},
        {"dp add a /r", "dp.add"},
        {"dp set a --root /r", "dp.set"},
        {"dp adopt a", "dp.adopt"},
        {"dp list", "dp.list"},
        {"dp show a", "dp.show"},
        {"dp pause a", "dp.pause"},
        {"dp resume a", "dp.resume"},
        {"dp remove a --withdraw", "dp.remove"},
        {"dp remove a --forget", "dp.remove"},
        {"group add g a b c", "group.add"},
        {"group list", "group.list"},
        {"group remove g", "group.remove"},
        {"site set --address tcp://h:7100", "site.set"},
        {"distribute P1 --to a,@g --wait=5", "distribute"},
        {"distribute P1 --all --wait", "distribute"},
        {"withdraw P1 --from a,b", "withdraw"},
        {"status", "status"},
        {"status P1 --dp a", "status"},
        {"rollback P1 --to one", "rollback"},
        {"site backup /b", "site.backup"},
        {"retry P1 --dp a", "retry"},
        {"cancel P1 --dp a", "cancel"},
        {"verify P1 --dp a", "verify"},
        {"store check --repair", "store.check"},
        {"store rebuild", "store.rebuild"},
        {"store collect --dry-run", "store.collect"},
        {"watch --since 3 --count 4", "(watch)"},
        {"component list", "component.list"},
        {"component show c", "component.show"},
        {"component start c", "component.start"},
        {"component stop c", "component.stop"},
        {"component pause c", "component.pause"},
        {"component resume c", "component.resume"},
        {"component restart c", "component.restart"},
        {"component set despooler --slots 2", "component.set"},
        {"quarantine list", "quarantine.list"},
        {"quarantine show 7", "quarantine.show"},
        {"quarantine retry 7", "quarantine.retry"},
        {"quarantine drop 7", "quarantine.drop"},
        {"blackbox", "blackbox"},
        {"graph --dot", "graph"},
        {"ping", "ping"},
        {"stop", "stop"},
    };

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        const char *wire = wire_of(lines[i][0]);
        cr_expect_str_eq(wire, lines[i][1], "'%s': got %s, expected %s", lines[i][0], wire,
                         lines[i][1]);
    }
}

static const record_field_t *
field_of(const record_type_t *type, const char *name)
{
    for (uint32_t i = 0; i < type->field_count; i++) {
        if (strcmp(type->field[i].name, name) == 0) {
            return &type->field[i];
        }
    }
    return NULL;
}

static const char *
slot_agrees(const record_type_t *type, const cli_slot_t *slot)
{
    const record_field_t *field = field_of(type, slot->name);

    if (!field || field->need == INTERNAL) {
        return "has no such argument on the wire";
    }
    if (field->need == REQUIRED && !slot->required) {
        return "is required on the wire";
    }
    switch (slot->kind) {
    case CLI_TEXT:
    case CLI_PATH:
        return field->kind == RECORD_text || field->kind == RECORD_word ? NULL
                                                                        : "is no text on the wire";
    case CLI_LIST:
    case CLI_REPEAT:
    case CLI_REST:
        return field->kind == RECORD_texts ? NULL : "is no list on the wire";
    case CLI_NUMBER:
    case CLI_RATE:
        return field->kind == RECORD_u64 || field->kind == RECORD_u32 || field->kind == RECORD_count
                   ? NULL
                   : "is no number on the wire";
    case CLI_TIME:
        return field->kind == RECORD_time ? NULL : "is no time on the wire";
    case CLI_FLAG:
        return field->kind == RECORD_flag ? NULL : "is no flag on the wire";
    }
    return "has no kind";
}

static const cli_command_t *
command_with(const char *wire)
{
    for (const cli_command_t *command = cli_commands; command->words; command++) {
        if (command->wire && strcmp(command->wire, wire) == 0) {
            return command;
        }
    }
    return NULL;
}

static void
expect_agreement(const char *wire, bool changes, const record_type_t *type)
{
    const cli_command_t *command = command_with(wire);

    if (strcmp(wire, "status.since") == 0) {
        cr_expect_null(command, "status.since is what watch says");
        return;
    }
    cr_assert_not_null(command, "'%s' cannot be said", wire);
    cr_expect_eq(command->changes, changes, "'%s': changes the site here or there only", wire);
    for (const cli_slot_t *slot = command->slot; slot->word; slot++) {
        const char *fault = slot->name ? slot_agrees(type, slot) : NULL;
        cr_expect_null(fault, "'%s': %s %s", wire, slot->word, fault);
    }
    for (uint32_t i = 0; i < type->field_count; i++) {
        const char *name = type->field[i].name;
        bool said = type->field[i].need == INTERNAL || strcmp(name, "dry_run") == 0 ||
                    strcmp(wire, "package.add") == 0;
        for (const cli_slot_t *slot = command->slot; slot->word; slot++) {
            said = said || (slot->name && strcmp(slot->name, name) == 0);
        }
        cr_expect(said, "'%s': no way to say '%s'", wire, name);
    }
}

Test(parse, the_command_line_and_the_wire_know_the_same_commands_and_arguments)
{
    uint32_t count = 0;

#define AGREE(record, word, changes, sentence)                                                     \
    expect_agreement(word, changes, &record##_type);                                               \
    count++;
    COMMANDS(AGREE)
    for (const cli_command_t *command = cli_commands; command->words; command++) {
        count -= command->wire != NULL;
    }
    cr_expect_eq(count, 1, "the tables differ in length by %u, expected 1 (status.since)", count);
}

Test(parse, wrong_usage_is_exit_2_and_one_line_that_names_what_is_wrong)
{
    static const char *const lines[][2] = {
        {"", "a command is missing"},
        {"no-such-verb", "no-such-verb"},
        {"package", "one of add"},
        {"package frob", "frob"},
        {"packageadd", "packageadd"},
        {"package add", "ID"},
        {"package add P1", "SOURCE"},
        {"package add P1 /s more", "more"},
        {"package add P1 ~", "SOURCE"},
        {"dp set a", "nothing is set"},
        {"component set despooler", "nothing is set"},
        {"dp set a --rate 40X", "--rate takes bytes a second (40M, 512Ki, or none), not '40X'"},
        {"watch --since x", "--since takes a whole number, not 'x'"},
        {"dp remove a --withdraw --forget", "--withdraw, --forget"},
        {"package set P --exclude a --no-exclude", "--exclude, --no-exclude"},
        {"group add g", "DP"},
        {"distribute P1", "--to"},
        {"distribute P1 --to", "--to"},
        {"distribute P1 --to ~", "--to"},
        {"distribute P1 --to a,,b", "--to takes 1 to 10000 names, lists with commas between "
                                    "(a,b,c), not 'a,,b'"},
        {"distribute P1 --to a, --wait", "--to"},
        {"distribute P1 --to a --all", "--to, --all"},
        {"distribute P1 --all=yes", "--all"},
        {"distribute P1 --all --wait=", "--wait"},
        {"distribute P1 --all --wait=0", "--wait"},
        {"distribute P1 --all --wait=-1", "--wait"},
        {"distribute P1 --all --wait=5x", "--wait"},
        {"distribute P1 --all --wait=99999999999", "--wait"},
        {"withdraw P1", "--from"},
        {"status --no-such-option", "--no-such-option"},
        {"status -x", "-x"},
        {"status P1 P2", "P2"},
        {"status --dp a --dp b", "--dp"},
        {"watch --since -1", "--since"},
        {"watch --count 99999999999999999999999", "--count"},
        {"watch --count", "--count"},
        {"quarantine show first", "NUMBER"},
        {"--data", "--data"},
        {"--data= ping", "--data"},
        {"--data /a ping --data=/b", "given twice: '--data'"},
        {"--frob ping", "--frob"},
        {"--json=1 ping", "--json=1"},
        {"ping --data /d --connect ipc:///e", "--data, --connect"},
    };

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        char text[1024] = "";
        FILE *file = tmpfile();
        int kept = dup(STDERR_FILENO);
        dup2(fileno(file), STDERR_FILENO);
        said_t *said = say(lines[i][0]);
        dup2(kept, STDERR_FILENO);
        rewind(file);
        text[fread(text, 1, sizeof text - 1, file)] = 0;
        cr_expect_eq(said->code, EXIT_USAGE, "'%s': exit %d, expected 2", lines[i][0], said->code);
        cr_expect(strstr(text, lines[i][1]), "'%s': got \"%s\", expected it to name \"%s\"",
                  lines[i][0], text, lines[i][1]);
        cr_expect(strchr(text, '\n') == text + strlen(text) - 1,
                  "'%s': got \"%s\", expected one line", lines[i][0], text);
        cli_line_fini(&said->line);
        fclose(file);
        close(kept);
    }
}

Test(parse, options_take_their_value_after_a_blank_or_an_equals_sign)
{
    static const char *const lines[] = {"--data /d dp set a --root /r --json",
                                        "--data=/d dp set --root=/r a --json",
                                        "dp set --json --data=/d a --root /r"};

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        said_t *said = say(lines[i]);
        cr_assert_eq(said->code, EXIT_DONE, "'%s'", lines[i]);
        cr_expect_str_eq(said->line.data, "/d");
        cr_expect(said->line.json, "'%s': no json", lines[i]);
        cr_expect_str_eq(cli_argument(&said->line, "NAME")->text, "a");
        cr_expect_str_eq(cli_argument(&said->line, "--root")->path, "/r");
        cli_line_fini(&said->line);
    }
}

Test(parse, lists_are_taken_apart_and_repeats_are_gathered)
{
    said_t *said = say("distribute P1 --to a,@g --to c");
    const cli_argument_t *to = cli_argument(&said->line, "--to");

    cr_assert_eq(to->count, 3, "got %u names, expected 3", to->count);
    cr_expect_str_eq(to->items[0], "a");
    cr_expect_str_eq(to->items[1], "@g");
    cr_expect_str_eq(to->items[2], "c");
    cli_line_fini(&said->line);
    said = say("package add P1 /s --exclude *.o --exclude=a,b");
    const cli_argument_t *exclude = cli_argument(&said->line, "--exclude");
    cr_assert_eq(exclude->count, 2, "got %u globs, expected 2", exclude->count);
    cr_expect_str_eq(exclude->items[1], "a,b");
    cli_line_fini(&said->line);
}

Test(parse, after_two_dashes_everything_is_an_argument)
{
    said_t *said = say("package add --version 1 -- P1 --odd");

    cr_assert_eq(said->code, EXIT_DONE);
    cr_expect(strstr(cli_argument(&said->line, "SOURCE")->path, "/--odd"), "got %s",
              cli_argument(&said->line, "SOURCE")->path);
    cli_line_fini(&said->line);
}

Test(parse, wait_is_with_or_without_a_limit)
{
    said_t *said = say("distribute P1 --all --wait");
    cr_expect(said->line.wait && said->line.wait_s == 0);
    cli_line_fini(&said->line);
    said = say("distribute P1 --all --wait=90");
    cr_expect(said->line.wait && said->line.wait_s == 90, "got %u s", said->line.wait_s);
    cli_line_fini(&said->line);
}

Test(parse, paths_become_absolute_by_their_text_alone)
{
    static const char *const paths[][2] = {
        {"/", "/"},          {"/a/", "/a"},          {"/a//b/./c/.", "/a/b/c"},
        {"/a/../b", "/b"},   {"/..", "/"},           {"//", "/"},
        {".", "/usr"},       {"x", "/usr/x"},        {"./x/", "/usr/x"},
        {"..", "/"},         {"../y", "/y"},         {".hidden", "/usr/.hidden"},
        {"...", "/usr/..."}, {"a b/./", "/usr/a b"},
    };

    cr_assert_eq(chdir("/usr"), 0);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        char *got = cli_absolute(paths[i][0]);
        cr_expect_str_eq(got, paths[i][1], "'%s': got %s, expected %s", paths[i][0], got,
                         paths[i][1]);
        free(got);
    }
}

Test(parse, a_path_longer_than_a_path_may_be_is_wrong_usage)
{
    char path[PATH_BYTES_MAX + 3];

    memset(path, 'a', sizeof path);
    path[0] = '/';
    path[PATH_BYTES_MAX] = 0;
    char *longest = cli_absolute(path);
    cr_expect_not_null(longest, "%u bytes are refused", PATH_BYTES_MAX);
    free(longest);
    path[PATH_BYTES_MAX] = 'a';
    path[PATH_BYTES_MAX + 1] = 0;
    cr_expect_null(cli_absolute(path), "%u bytes are taken", PATH_BYTES_MAX + 1);
}

Test(parse, a_time_has_a_zone_or_is_so_long_from_now_and_travels_as_utc)
{
    static const struct {
        const char *said, *utc;
    } times[] = {{"2027-03-01T02:00:00Z", "2027-03-01T02:00:00.000Z"},
                 {"2027-03-01T02:00+01:00", "2027-03-01T01:00:00.000Z"},
                 {"2027-03-01T02:00:00.5-05:30", "2027-03-01T07:30:00.500Z"},
                 {"2028-02-29T23:59:59-00:01", "2028-03-01T00:00:59.000Z"},
                 {"2027-03-01T02:00:00", NULL},
                 {"2027-03-01", NULL},
                 {"2027-02-29T02:00:00Z", NULL},
                 {"2027-03-01T24:00:00Z", NULL},
                 {"2027-03-01T02:00:00+24:00", NULL},
                 {"2027-03-01T02:00:00+0100", NULL},
                 {"1969-03-01T02:00:00Z", NULL},
                 {"02:00", NULL},
                 {"tomorrow", NULL},
                 {"+", NULL},
                 {"+2", NULL},
                 {"+2w", NULL},
                 {"+2h30m", NULL},
                 {"+99999999999s", NULL},
                 {"", NULL}};

    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        char *utc = cli_time(times[i].said);
        bool same = times[i].utc ? utc && strcmp(utc, times[i].utc) == 0 : utc == NULL;
        cr_expect(same, "'%s': got %s, expected %s", times[i].said, utc ? utc : "nothing",
                  times[i].utc ? times[i].utc : "nothing");
        free(utc);
    }
    char *minutes = cli_time("+90m"), *seconds = cli_time("+5400s");
    cr_assert(minutes && seconds);
    cr_expect(strncmp(minutes, seconds, 13) == 0 || strcmp(minutes, seconds) < 0, "%s and %s",
              minutes, seconds);
    free(minutes);
    free(seconds);
}

Test(parse, help_needs_nothing_else)
{
    static const char *const lines[] = {"--help", "-h", "help", "package add --help",
                                        "--help stop"};

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        said_t *said = say(lines[i]);
        cr_expect(said->code == EXIT_DONE && said->line.help, "'%s': exit %d, help %d", lines[i],
                  said->code, said->line.help);
        cli_line_fini(&said->line);
    }
}

Test(parse, help_lists_every_command_with_its_arguments, .init = cr_redirect_stdout)
{
    char text[16384] = "";

    cli_help(NULL);
    fflush(stdout);
    FILE *out = cr_get_redirected_stdout();
    text[fread(text, 1, sizeof text - 1, out)] = 0;
    for (const cli_command_t *command = cli_commands; command->words; command++) {
        cr_expect(strstr(text, command->words), "help does not know '%s'", command->words);
    }
    cr_expect(strstr(text, "distribute ID [--to NAME[,NAME...]] [--all] [--priority WORD] "
                           "[--rings PERCENTS]\n          [--stop-at N] [--activate-at TIME] "
                           "[--barrier] [--deadline TIME] [--wait[=SECONDS]]\n"),
              "%s", text);
    cr_expect(strstr(text, "link set NAME [--rate RATE]"), "%s", text);
}

Test(parse, help_on_a_command_says_what_each_argument_is, .init = cr_redirect_stdout)
{
    char text[65536] = "", line[160];
    for (const cli_command_t *command = cli_commands; command->words; command++) {
        cli_help(command);
    }
    fflush(stdout);
    FILE *out = cr_get_redirected_stdout();
    text[fread(text, 1, sizeof text - 1, out)] = 0;
    for (const cli_command_t *command = cli_commands; command->words; command++) {
        for (const cli_slot_t *slot = command->slot; slot->word; slot++) {
            cr_expect(slot->help && *slot->help, "'%s': %s says nothing", command->words,
                      slot->word);
        }
    }
    snprintf(line, sizeof line, "\n  --stop-at N  %13s%s", "",
             "of rings: hold the rest at so many failures; default 1\n");
    cr_expect(strstr(text, line), "%s", text);
    for (const char *at = text; *at; at += strcspn(at, "\n") + 1) {
        cr_expect(strcspn(at, "\n") <= 100, "%.*s", (int) strcspn(at, "\n"), at);
    }
}

static void
expect_data(const char *expected)
{
    char *data = data_default();

    cr_expect_str_eq(data, expected, "got %s, expected %s", data, expected);
    free(data);
}

Test(parse, the_data_directory_follows_the_user_and_the_environment)
{
    setenv("XDG_STATE_HOME", "/state", 1);
    setenv("HOME", "/home/u", 1);
    bool root = geteuid() == 0;
    if (root) {
        expect_data("/var/lib/despool");
        cr_assert_eq(seteuid(65534), 0);
    }
    expect_data("/state/despool");
    setenv("XDG_STATE_HOME", "relative", 1);
    expect_data("/home/u/.local/state/despool");
    unsetenv("XDG_STATE_HOME");
    expect_data("/home/u/.local/state/despool");
    cr_assert(!root || seteuid(0) == 0);
}
