/* client_test.c - claims about asking a host: answers, refusals, hosts silent, slow or absent. */
#include <criterion/criterion.h>
#include <dlfcn.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

#include "tests/unit/cli/capture.h"
#include "tests/unit/cli/fake_host.h"
#include "tests/unit/cli/words.h"

#define LONG_MS 10000 /* that nobody waits for here, however busy the machine is */
#define HUNG_MS 50    /* so that what was sent is older than the next host, whatever is rounded */
#define SIGN_MS 2000  /* a sign of life in it, which the host gives, however busy the machine is */

static capture_t capture;
static fake_host_t host;

static int64_t
now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The client looks at two sockets at once, and nobody else does. With stopped_ms set its first
 * one after the request was sent is that of a process that is stopped in it: it sees nothing, and
 * when it ends the answer has come and the time is over. */
static int64_t stopped_ms;
static int stopped_by; /* the socket at which something has come */

int
zmq_poll(zmq_pollitem_t *items, int count, long timeout)
{
    typedef int (*poll_t)(zmq_pollitem_t *, int, long);
    poll_t look = (poll_t) dlsym(RTLD_NEXT, "zmq_poll");

    if (count != 2 || stopped_ms == 0 || (items[0].events & ZMQ_POLLOUT)) {
        return look(items, count, timeout);
    }
    int64_t until = now_ms() + stopped_ms;
    stopped_ms = 0;
    cr_assert_eq(look(&items[stopped_by], 1, LONG_MS), 1, "nothing came");
    while (now_ms() < until) {
    }
    items[0].revents = items[1].revents = 0;
    return 0;
}

/* The exit code of one command; what it printed is in capture. */
static int
run(uint32_t answer_ms, const char *const *words)
{
    cli_line_t line;

    capture_begin(&capture);
    int code = words_parse(words, &line);
    if (code == EXIT_DONE) {
        cli_client_t *client = cli_client_new(&line, answer_ms);
        code = cli_say(client, &line);
        cli_client_destroy(&client);
    }
    cli_line_fini(&line);
    capture_end(&capture);
    return code;
}
#define RUN(answer_ms, ...) run(answer_ms, (const char *[]){"despool", __VA_ARGS__, NULL})

static void
expect_exit(int code, int expected)
{
    cr_expect_eq(code, expected, "exit %d, expected %d: %s%s", code, expected, capture.out,
                 capture.err);
}

static fake_answer_t
changed(fake_host_t *fake, slice_t command, const wire_value_t *args, wire_writer_t *body)
{
    (void) fake;
    (void) command;
    (void) args;
    wire_put_map(body, 2);
    wire_put_str(body, slice_of("changed"));
    wire_put_bool(body, true);
    wire_put_str(body, slice_of("text"));
    wire_put_str(body, slice_of("it is paused"));
    return FAKE_RESULT;
}

static fake_answer_t
refused(fake_host_t *fake, slice_t command, const wire_value_t *args, wire_writer_t *body)
{
    (void) fake;
    (void) command;
    (void) args;
    wire_put_map(body, 3);
    wire_put_str(body, slice_of("code"));
    wire_put_str(body, slice_of("not-found"));
    wire_put_str(body, slice_of("message"));
    wire_put_str(body, slice_of("cannot pause 'a': no such thing is known"));
    wire_put_str(body, slice_of("hint"));
    wire_put_str(body, slice_of("list what there is"));
    return FAKE_ERROR;
}

static fake_answer_t
silent(fake_host_t *fake, slice_t command, const wire_value_t *args, wire_writer_t *body)
{
    (void) fake;
    (void) command;
    (void) args;
    (void) body;
    return FAKE_SILENT;
}

Test(client, an_answer_is_printed_and_exit_is_0)
{
    host.answer = changed;
    fake_host_begin(&host);
    expect_exit(RUN(5000, "--connect", host.endpoint, "dp", "pause", "a"), EXIT_DONE);
    cr_expect_str_eq(capture.out, "changed: it is paused\n", "got %s", capture.out);
    cr_expect_str_eq(capture.err, "", "got %s", capture.err);
    expect_exit(RUN(5000, "--json", "--data", host.directory, "dp", "pause", "a"), EXIT_DONE);
    cr_expect_str_eq(capture.out, "{\"changed\":true,\"text\":\"it is paused\"}\n", "got %s",
                     capture.out);
    fake_host_end(&host);
}

Test(client, a_refusal_is_exit_1_with_message_and_hint)
{
    host.answer = refused;
    fake_host_begin(&host);
    expect_exit(RUN(5000, "--connect", host.endpoint, "dp", "pause", "a"), EXIT_REFUSED);
    cr_expect_str_eq(capture.err,
                     "cannot pause 'a': no such thing is known\n  list what there is\n", "got %s",
                     capture.err);
    cr_expect_str_eq(capture.out, "", "got %s", capture.out);
    expect_exit(RUN(5000, "--connect", host.endpoint, "--json", "dp", "pause", "a"), EXIT_REFUSED);
    cr_expect_str_eq(capture.out,
                     "{\"error\":{\"code\":\"not-found\",\"message\":\"cannot pause 'a': no such "
                     "thing is known\",\"hint\":\"list what there is\"}}\n",
                     "got %s", capture.out);
    fake_host_end(&host);
}

Test(client, a_reply_to_another_request_is_not_taken_for_this_one)
{
    host.answer = refused;
    host.answers_twice = true;
    fake_host_begin(&host);
    expect_exit(RUN(5000, "--connect", host.endpoint, "dp", "pause", "a"), EXIT_REFUSED);
    fake_host_end(&host);
}

Test(client, without_a_socket_there_is_no_host_at_once)
{
    int64_t began = now_ms();

    expect_exit(RUN(LONG_MS, "--data", "/nowhere/at/all", "ping"), EXIT_NO_HOST);
    cr_expect_lt(now_ms() - began, LONG_MS, "it was waited for: %ld ms", (long) (now_ms() - began));
    cr_expect(strstr(capture.err, "/nowhere/at/all/command.ipc"), "got %s", capture.err);
    cr_expect(strstr(capture.err, "despoold"), "got %s", capture.err);
    expect_exit(RUN(5000, "--connect", "no-endpoint", "ping"), EXIT_NO_HOST);
}

Test(client, a_socket_that_nobody_listens_at_is_no_host_when_the_time_is_up)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char directory[] = "dead-host-XXXXXX";
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    cr_assert_not_null(mkdtemp(directory));
    snprintf(address.sun_path, sizeof address.sun_path, "%s/command.ipc", directory);
    cr_assert_eq(bind(fd, (struct sockaddr *) &address, sizeof address), 0);
    close(fd);
    int64_t began = now_ms();
    expect_exit(RUN(300, "--data", directory, "ping"), EXIT_NO_HOST);
    cr_expect_geq(now_ms() - began, 300, "it gave up after %ld ms", (long) (now_ms() - began));
    cr_expect_lt(now_ms() - began, LONG_MS, "it took %ld ms", (long) (now_ms() - began));
    cr_expect(strstr(capture.err, "does not answer"), "got %s", capture.err);
    unlink(address.sun_path);
    rmdir(directory);
}

/* Whose time for all asks is over waits for a sign of life for less than that. */
Test(client, a_host_that_showed_no_sign_of_life_is_not_said_to_live)
{
    cli_line_t line;
    wire_value_t result;
    const char *const words[] = {"despool", "--connect", host.endpoint, "ping", NULL};

    host.answer = silent;
    host.ignores_pings = true;
    fake_host_begin(&host);
    cr_assert_eq(words_parse(words, &line), EXIT_DONE);
    cli_client_t *client = cli_client_new(&line, SIGN_MS);
    cli_client_until(client, now_ms());
    capture_begin(&capture);
    int code = cli_ask_small(client, "ping", NULL, NULL, 0, &result);
    capture_end(&capture);
    expect_exit(code, EXIT_NO_HOST);
    cr_expect(strstr(capture.err, ": it does not answer"), "%s", capture.err);
    cli_client_destroy(&client);
    cli_line_fini(&line);
    fake_host_end(&host);
}

Test(client, a_host_that_shows_no_sign_of_life_is_no_host)
{
    host.answer = silent;
    host.ignores_pings = true;
    fake_host_begin(&host);
    expect_exit(RUN(300, "--connect", host.endpoint, "package", "update", "P1"), EXIT_NO_HOST);
    fake_host_end(&host);
}

Test(client, an_answer_that_came_while_the_client_was_stopped_is_seen)
{
    host.answer = changed;
    host.answers_twice = true; /* one that nobody waits for is in front of it */
    fake_host_begin(&host);
    stopped_ms = 300;
    expect_exit(RUN(200, "--connect", host.endpoint, "dp", "pause", "a"), EXIT_DONE);
    cr_expect_eq(host.requests, 1, "it was asked %u times", host.requests);
    fake_host_end(&host);
}

static fake_answer_t
shown(fake_host_t *fake, slice_t command, const wire_value_t *args, wire_writer_t *body)
{
    (void) fake;
    cr_expect(slice_equal(command, slice_of("component.list")), "asked for '%.*s'",
              (int) command.size, command.data);
    cr_expect_eq(args->count, 0);
    wire_put_map(body, 1);
    wire_put_str(body, slice_of("components"));
    wire_put_array(body, 0);
    return FAKE_RESULT;
}

/* As a wait or a watch does, whose requests stand where pings once stood, too. */
Test(client, a_host_that_began_anew_is_asked_the_same_once_more)
{
    cli_line_t line;
    wire_value_t result;
    const char *const words[] = {"despool", "--connect", host.endpoint, "ping", NULL};

    host.answer = shown;
    host.tells_age = true;
    host.begins_anew = true;
    host.loses = 1;
    fake_host_begin(&host);
    cr_assert_eq(words_parse(words, &line), EXIT_DONE);
    cli_client_t *client = cli_client_new(&line, SIGN_MS);
    expect_exit(cli_ask_small(client, "component.list", NULL, NULL, 0, &result), EXIT_DONE);
    cr_expect_eq(host.requests, 1, "%u were heard", host.requests);
    cli_client_destroy(&client);
    cli_line_fini(&line);
    fake_host_end(&host);
}

static struct sockaddr_un place = {.sun_family = AF_UNIX};

/* Whoever listens there takes a connection, says nothing, and is gone; then the host begins. */
static void *
follow_one_that_hangs(void *listener)
{
    int fd = *(int *) listener, taken = accept(fd, NULL, NULL);
    char greeting;

    cr_assert_eq(read(taken, &greeting, 1), 1);
    for (int64_t met = now_ms(); now_ms() < met + HUNG_MS;) {
    }
    close(fd);
    unlink(place.sun_path);
    fake_host_begin(&host);
    close(taken);
    return NULL;
}

Test(client, what_was_sent_to_a_host_that_hung_is_brought_to_the_next_one_once)
{
    pthread_t thread;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(host.directory, sizeof host.directory, "hung-host-XXXXXX");
    cr_assert_not_null(mkdtemp(host.directory));
    snprintf(place.sun_path, sizeof place.sun_path, "%s/command.ipc", host.directory);
    cr_assert_eq(bind(fd, (struct sockaddr *) &place, sizeof place) | listen(fd, 4), 0);
    host.answer = changed;
    host.late_pings = 5; /* it is pinged before, and with, what would be sent once more */
    host.tells_age = true;
    cr_assert_eq(pthread_create(&thread, NULL, follow_one_that_hangs, &fd), 0);
    expect_exit(RUN(SIGN_MS, "--data", host.directory, "package", "update", "P1"), EXIT_DONE);
    pthread_join(thread, NULL);
    cr_expect_eq(host.heard, 1, "it was asked %u times", host.heard);
    fake_host_end(&host);
}

/* It is young when it is looked at, and was older than the request when it said so. */
Test(client, a_host_that_was_there_already_is_asked_once_however_late_it_is_seen_to_be)
{
    host.answer = silent;
    host.tells_age = true;
    fake_host_begin(&host);
    stopped_ms = 300;
    stopped_by = 1; /* its pong has come by then */
    expect_exit(RUN(200, "--connect", host.endpoint, "dp", "pause", "a"), EXIT_NO_HOST);
    cr_expect_eq(host.requests, 1, "it was asked %u times", host.requests);
    fake_host_end(&host);
}

Test(client, long_work_is_waited_for_while_the_host_lives)
{
    host.answer = changed;
    host.late_pings = 4;
    fake_host_begin(&host);
    int64_t began = now_ms();
    expect_exit(RUN(SIGN_MS, "--connect", host.endpoint, "package", "update", "P1"), EXIT_DONE);
    cr_expect_gt(now_ms() - began, SIGN_MS, "the answer was not late: %ld ms",
                 (long) (now_ms() - began));
    fake_host_end(&host);
}

Test(client, who_waits_is_told_once_of_a_paused_component_that_keeps_the_answer)
{
    host.answer = changed;
    host.late_pings = 4;
    host.held = "distribution_manager";
    fake_host_begin(&host);
    expect_exit(RUN(SIGN_MS, "--connect", host.endpoint, "package", "update", "P1"), EXIT_DONE);
    cr_expect_str_eq(capture.err,
                     "the component distribution_manager is paused: "
                     "despool component resume distribution_manager\n",
                     "got %s", capture.err);
    fake_host_end(&host);
}

Test(client, who_is_answered_at_once_is_told_of_nobody_who_is_paused)
{
    host.answer = changed;
    host.late_pings = 1; /* its pong comes before the answer */
    host.held = "distribution_manager";
    fake_host_begin(&host);
    expect_exit(RUN(LONG_MS, "--connect", host.endpoint, "dp", "pause", "a"), EXIT_DONE);
    cr_expect_str_eq(capture.err, "", "got %s", capture.err);
    fake_host_end(&host);
}

Test(client, a_data_directory_that_is_named_from_here_is_looked_for_at_once)
{
    cr_expect_eq(RUN(LONG_MS, "--data", "no/such/directory", "ping"), EXIT_NO_HOST);
    cr_expect(strstr(capture.err, "there is no such socket"), "%s", capture.err);
}
