/* watch_test.c - claims about what takes many requests: watching, and waiting for targets. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio_ext.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/cli/capture.h"
#include "tests/unit/cli/fake_host.h"
#include "tests/unit/cli/words.h"

static capture_t capture;
static fake_host_t host;
static uint64_t last = 5; /* sequence number of the history's end */
static uint64_t kept = 1; /* its first */
static uint32_t answer_ms = 1000;
static unsigned busy; /* asks that are still refused as starting */

static void
put_error(wire_writer_t *body, const char *code)
{
    wire_put_map(body, 2);
    wire_put_str(body, slice_of("code"));
    wire_put_str(body, slice_of(code));
    wire_put_str(body, slice_of("message"));
    wire_put_str(body, slice_of("cannot do it"));
}

/* Three at a time, so that a watcher has to ask again. */
static fake_answer_t
history(fake_host_t *fake, slice_t command, const wire_value_t *args, wire_writer_t *body)
{
    uint64_t since = cli_number(args, "since"), first = since + 1;

    (void) fake;
    cr_assert(slice_equal(command, slice_of("status.since")));
    if (busy > 0) {
        busy--;
        put_error(body, "starting");
        return FAKE_ERROR;
    }
    bool lost = first < kept;
    first = lost ? kept : first;
    uint64_t count = first > last ? 0 : last - first + 1;
    count = count > 3 ? 3 : count;
    wire_put_map(body, 3);
    wire_put_str(body, slice_of("events"));
    wire_put_array(body, (uint32_t) count);
    for (uint64_t i = 0; i < count; i++) {
        fake_put_event(body, first + i);
    }
    wire_put_str(body, slice_of("lost"));
    if (lost) {
        wire_put_map(body, 2);
        wire_put_str(body, slice_of("from"));
        wire_put_u64(body, since + 1);
        wire_put_str(body, slice_of("to"));
        wire_put_u64(body, kept - 1);
    } else {
        wire_put_nil(body);
    }
    wire_put_str(body, slice_of("last"));
    wire_put_u64(body, last);
    return FAKE_RESULT;
}

static int
run(const char *const *words)
{
    cli_line_t line;

    capture_begin(&capture);
    int code = words_parse(words, &line);
    if (code == EXIT_DONE) {
        cli_client_t *client = cli_client_new(&line, answer_ms);
        code = line.command->wire ? cli_say(client, &line) : cli_watch(client, &line);
        cli_client_destroy(&client);
    }
    cli_line_fini(&line);
    capture_end(&capture);
    return code;
}
#define RUN(...) run((const char *[]){"despool", "--data", host.directory, __VA_ARGS__, NULL})

/* The sequence numbers printed, as "1 2 3". */
static const char *
seqs(void)
{
    static char text[1024];

    text[0] = 0;
    for (char *line = strtok(capture.out, "\n"); line; line = strtok(NULL, "\n")) {
        uint64_t seq = 0;
        cr_assert_eq(sscanf(line, "{\"seq\":%" SCNu64, &seq), 1, "no event: %s", line);
        sprintf(text + strlen(text), "%s%" PRIu64, *text ? " " : "", seq);
    }
    return text;
}

static void
expect_seqs(const char *expected)
{
    const char *got = seqs();

    cr_expect_str_eq(got, expected, "got %s, expected %s", got, expected);
}

Test(watch, since_and_count_choose_what_is_printed)
{
    host.answer = history;
    fake_host_begin(&host);
    cr_expect_eq(RUN("--json", "watch", "--since", "0", "--count", "5"), EXIT_DONE);
    expect_seqs("1 2 3 4 5");
    cr_expect_eq(RUN("--json", "watch", "--since", "2", "--count", "2"), EXIT_DONE);
    expect_seqs("3 4");
    cr_expect_eq(RUN("--json", "watch", "--since", "0", "--count", "0"), EXIT_DONE);
    expect_seqs("");
    fake_host_end(&host);
}

Test(watch, whose_output_nobody_takes_ends)
{
    cli_line_t line;
    host.answer = history;
    fake_host_begin(&host);
    cr_assert_eq(words_parse((const char *[]){"despool", "--data", host.directory, "watch",
                                              "--since", "0", NULL},
                             &line),
                 EXIT_DONE);
    capture_begin(&capture);
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    cr_assert(full >= 0 && dup2(full, STDOUT_FILENO) == STDOUT_FILENO);
    close(full);
    cli_client_t *client = cli_client_new(&line, answer_ms);
    int code = cli_watch(client, &line);
    cli_client_destroy(&client);
    __fpurge(stdout);
    clearerr(stdout);
    capture_end(&capture);
    cli_line_fini(&line);
    cr_expect_eq(code, EXIT_DONE, "exit %d: %s", code, capture.err); /* and no host is missed */
    fake_host_end(&host);
}

/* The stream jumps from 5 to 8: what lies between is in the history by then. */
static fake_answer_t
history_with_a_gap(fake_host_t *fake, slice_t command, const wire_value_t *args,
                   wire_writer_t *body)
{
    if (cli_number(args, "since") == 5) {
        fake->publish[0] = 4;
        fake->publish[1] = 8;
        last = 8;
        wire_put_map(body, 1);
        wire_put_str(body, slice_of("last"));
        wire_put_u64(body, 5);
        fake->answer = history;
        return FAKE_RESULT;
    }
    return history(fake, command, args, body);
}

Test(watch, a_gap_in_the_stream_is_filled_from_the_history)
{
    host.answer = history_with_a_gap;
    fake_host_begin(&host);
    cr_expect_eq(RUN("--json", "watch", "--since", "5", "--count", "3"), EXIT_DONE);
    expect_seqs("6 7 8");
    fake_host_end(&host);
}

Test(watch, without_since_only_what_is_new_is_printed)
{
    host.answer = history_with_a_gap;
    fake_host_begin(&host);
    cr_expect_eq(RUN("--json", "watch", "--count", "3"), EXIT_DONE);
    expect_seqs("6 7 8");
    fake_host_end(&host);
}

Test(watch, what_is_no_longer_kept_is_told_once_and_the_rest_follows)
{
    kept = 4;
    host.answer = history;
    fake_host_begin(&host);
    cr_expect_eq(RUN("--json", "watch", "--since", "0", "--count", "2"), EXIT_DONE);
    const char *expected = "{\"lost\":{\"from\":1,\"to\":3}}\n{\"seq\":4,";
    cr_expect(strncmp(capture.out, expected, strlen(expected)) == 0, "got %s", capture.out);
    cr_expect_eq(RUN("watch", "--since", "0", "--count", "2"), EXIT_DONE);
    cr_expect(strncmp(capture.out, "status messages 1 to 3 are no longer kept\n", 41) == 0,
              "got %s", capture.out);
    fake_host_end(&host);
}

/* Starting at the second ask, as a host that was restarted is. */
static fake_answer_t
history_of_a_restarted_host(fake_host_t *fake, slice_t command, const wire_value_t *args,
                            wire_writer_t *body)
{
    if (fake->requests == 2) {
        busy = 3;
    }
    return history(fake, command, args, body);
}

Test(watch, a_host_that_starts_again_is_waited_for)
{
    host.answer = history_of_a_restarted_host;
    fake_host_begin(&host);
    int code = RUN("--json", "watch", "--since", "0", "--count", "5");
    cr_expect_eq(code, EXIT_DONE, "exit %d: %s", code, capture.err);
    expect_seqs("1 2 3 4 5");
    fake_host_end(&host);
}

Test(watch, a_refusal_of_the_history_is_told)
{
    busy = 1000;
    host.answer = history;
    fake_host_begin(&host);
    cr_expect_eq(RUN("watch", "--since", "0"), EXIT_REFUSED);
    cr_expect_str_eq(capture.err, "cannot do it\n", "got %s", capture.err);
    fake_host_end(&host);
}

/* ---- waiting ---- */

static const char *state_of_b = "installed";

static void
put_target(wire_writer_t *body, const char *dp, const char *state)
{
    wire_put_map(body, 2);
    wire_put_str(body, slice_of("dp"));
    wire_put_str(body, slice_of(dp));
    wire_put_str(body, slice_of("state"));
    wire_put_str(body, slice_of(state));
}

/* 'a' is installed at the third request, 'b' is what the test says, 'c' never ends. */
static fake_answer_t
site(fake_host_t *fake, slice_t command, const wire_value_t *args, wire_writer_t *body)
{
    (void) args;
    if (slice_equal(command, slice_of("distribute"))) {
        wire_put_map(body, 1);
        wire_put_str(body, slice_of("changed"));
        wire_put_bool(body, true);
    } else if (slice_equal(command, slice_of("group.list"))) {
        wire_put_map(body, 1);
        wire_put_str(body, slice_of("groups"));
        wire_put_array(body, 1);
        wire_put_map(body, 2);
        wire_put_str(body, slice_of("name"));
        wire_put_str(body, slice_of("both"));
        wire_put_str(body, slice_of("dps"));
        wire_put_array(body, 2);
        wire_put_str(body, slice_of("a"));
        wire_put_str(body, slice_of("b"));
    } else {
        wire_put_map(body, 1);
        wire_put_str(body, slice_of("targets"));
        wire_put_array(body, 3);
        put_target(body, "a", fake->requests > 2 ? "installed" : "installing");
        put_target(body, "b", state_of_b);
        put_target(body, "c", "retrying");
    }
    return FAKE_RESULT;
}

Test(wait, ends_well_when_the_named_points_are_installed_whatever_the_others_do)
{
    host.answer = site;
    fake_host_begin(&host);
    cr_expect_eq(RUN("distribute", "P1", "--to", "a", "--wait=5"), EXIT_DONE, "%s", capture.err);
    cr_expect_geq(host.requests, 3, "it did not wait: %u requests", host.requests);
    cr_expect_eq(RUN("distribute", "P1", "--to", "@both", "--wait=5"), EXIT_DONE, "%s",
                 capture.err);
    cr_expect_eq(RUN("distribute", "P1", "--to", "A,b", "--wait=5"), EXIT_DONE,
                 "names are unique ignoring case: %s", capture.err);
    fake_host_end(&host);
}

Test(wait, ends_with_exit_1_when_a_point_failed)
{
    host.answer = site;
    state_of_b = "failed";
    fake_host_begin(&host);
    cr_expect_eq(RUN("distribute", "P1", "--to", "a,b", "--wait=5"), EXIT_REFUSED);
    cr_expect(strstr(capture.err, "1 of 2 points have 'P1'"), "got %s", capture.err);
    fake_host_end(&host);
}

Test(wait, ends_with_exit_1_when_its_time_is_up)
{
    host.answer = site;
    fake_host_begin(&host);
    cr_expect_eq(RUN("distribute", "P1", "--all", "--wait=1"), EXIT_REFUSED);
    cr_expect(strstr(capture.err, "2 of 3 points have 'P1'"), "got %s", capture.err);
    fake_host_end(&host);
}

static fake_answer_t
site_that_ends(fake_host_t *fake, slice_t command, const wire_value_t *args, wire_writer_t *body)
{
    fake->ignores_pings = fake->requests > 3;
    return fake->ignores_pings ? FAKE_SILENT : site(fake, command, args, body);
}

/* A host is else given its time for each answer, and 30 s to be back. */
Test(wait, ends_when_its_time_is_up_also_when_the_host_is_gone)
{
    host.answer = site_that_ends;
    answer_ms = 12000;
    fake_host_begin(&host);
    time_t began = time(NULL);
    cr_expect_eq(RUN("distribute", "P1", "--all", "--wait=1"), EXIT_NO_HOST);
    cr_expect_lt(time(NULL) - began, answer_ms / 1000, "it took %ld s", time(NULL) - began);
    fake_host_end(&host);
}

Test(wait, without_any_target_is_no_success)
{
    host.answer = site;
    fake_host_begin(&host);
    cr_expect_eq(RUN("distribute", "P1", "--to", "zz", "--wait=5"), EXIT_REFUSED);
    fake_host_end(&host);
}
