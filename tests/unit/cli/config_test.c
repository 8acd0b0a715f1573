/* config_test.c - claims about the host's configuration. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/despoold_config.h"

static config_t config;
static char why[1024];

static err_t
load_bytes(const char *bytes, size_t size)
{
    char file[] = "despoold-config-XXXXXX";
    int fd = mkstemp(file);

    cr_assert(fd >= 0 && write(fd, bytes, size) == (ssize_t) size);
    close(fd);
    why[0] = 0;
    cr_assert_eq(config_defaults(&config, "/data", why, sizeof why), OK);
    err_t err = config_load(&config, file, why, sizeof why);
    unlink(file);
    if (err == OK) {
        err = config_check(&config, why, sizeof why);
    }
    return err;
}

static void
expect_taken(const char *text)
{
    err_t err = load_bytes(text, strlen(text));

    cr_assert_eq(err, OK, "got %s, expected ok, for\n%s", why, text);
}

static void
expect_refused(const char *text, const char *line, const char *key, const char *reason)
{
    err_t err = load_bytes(text, strlen(text));

    cr_expect_eq(err, ERR_CONFIG, "got %s, expected config, for\n%s", err_word(err), text);
    cr_expect(strstr(why, line), "got \"%s\", expected it to name %s", why, line);
    cr_expect(strstr(why, key), "got \"%s\", expected it to name %s", why, key);
    cr_expect(strstr(why, reason), "got \"%s\", expected: %s", why, reason);
    config_fini(&config);
}

Test(config, without_a_file_the_endpoints_are_in_the_data_directory)
{
    cr_assert_eq(config_defaults(&config, "/data", why, sizeof why), OK);
    cr_expect_str_eq(config.command, "ipc:///data/command.ipc");
    cr_expect_str_eq(config.status, "ipc:///data/status.ipc");
    cr_expect_str_eq(config.site, "S01");
    cr_expect_eq(config_check(&config, why, sizeof why), OK, "%s", why);
}

Test(config, every_key_is_taken)
{
    expect_taken("# a site\n"
                 "site\n"
                 "    name = HQ-1   # the first\n"
                 "\n"
                 "listen\n"
                 "    command = \"ipc:///run/c.ipc\"\n"
                 "    status = ipc:///run/s.ipc\n"
                 "allow\n"
                 "    source = /srv/a\n"
                 "    source = \"/srv/b c\"\n"
                 "    root = /mnt\n"
                 "tuning\n"
                 "    grace-ms = 31536000000\n"
                 "    probe-ms = 1\n"
                 "    backlog-alarm-ms = 86400000\n"
                 "    workers = 32\n"
                 "    placement = pool\n");
    cr_expect_str_eq(config.site, "HQ-1");
    cr_expect_str_eq(config.command, "ipc:///run/c.ipc");
    cr_expect_str_eq(config.status, "ipc:///run/s.ipc");
    cr_assert_eq(config.sources, 2, "got %u sources", config.sources);
    cr_expect_str_eq(config.source[1], "/srv/b c");
    cr_assert_eq(config.roots, 1, "got %u roots", config.roots);
    cr_expect_str_eq(config.root[0], "/mnt");
    cr_expect_eq(config.grace_ms, 31536000000);
    cr_expect_eq(config.probe_ms, 1);
    cr_expect_eq(config.backlog_alarm_ms, 86400000);
    cr_expect_eq(config.workers, 32);
    cr_expect_eq(config.placement, HOST_POOL);
    config_fini(&config);
}

Test(config, an_empty_file_changes_nothing)
{
    expect_taken("");
    expect_taken("# nothing\n\n");
    cr_expect_str_eq(config.site, "S01");
}

Test(config, each_refusal_names_line_and_key)
{
    static const char *const rows[][4] = {
        {"site\n    nmae = X\n", "line 2", "nmae", "no such key"},
        {"\n# c\nsite\n\n    name = -x\n", "line 5", "name", "begins with"},
        {"sites\n    name = x\n", "line 1", "sites", "no such section"},
        {"site\n    name = a\nlisten\n    stauts = x\n", "line 4", "stauts", "no such key"},
        {"site\n    name = a\n    name = b\n", "line 3", "name", "twice"},
        {"site\n    name = a\nsite\n    name = b\n", "line 4", "name", "twice"},
        {"site\n    name\n", "line 2", "name", "no value"},
        {"site\n    name =\n", "line 2", "name", "no value"},
        {"site = x\n", "line 1", "site", "no value"},
        {"site\n  name = a\n", "line 2", "name", "four blanks"},
        {"site\n\tname = a\n", "line 2", "name", "'name' or"},
        {"site\n        name = a\n", "line 2", "name", "depth"},
        {"    name = a\n", "line 1", "name", "no section"},
        {"site\n    name = \"a\n", "line 2", "name", "quote"},
        {"site\n    name a\n", "line 2", "name", "'name' or"},
        {"= x\n", "line 1", "= x", "'name' or"},
        {"listen\n    command = tcp://*:1\n", "line 2", "command", "ipc://"},
        {"listen\n    status = ipc://relative\n", "line 2", "status", "ipc://"},
        {"listen\n    agents = tcp://0.0.0.0:7100\n", "line 2", "agents", "they can reach"},
        {"listen\n    agents = tcp://[::]:7100\n", "line 2", "agents", "they can reach"},
        {"listen\n    plain = tcp://h:0\n", "line 2", "plain", "1 to 65535"},
        {"listen\n    agents = tcp://h:1 tcp://i:2\n", "line 2", "agents", "no blank"},
        {"allow\n    source = srv\n", "line 2", "source", "absolute"},
        {"allow\n    root = .\n", "line 2", "root", "absolute"},
        {"tuning\n    grace-ms = 0\n", "line 2", "grace-ms", "1 to"},
        {"tuning\n    grace-ms = 31536000001\n", "line 2", "grace-ms", "1 to"},
        {"tuning\n    probe-ms = 2s\n", "line 2", "probe-ms", "1 to"},
        {"tuning\n    probe-ms = -1\n", "line 2", "probe-ms", "1 to"},
        {"tuning\n    backlog-alarm-ms = 86400001\n", "line 2", "backlog-alarm-ms", "1 to"},
        {"tuning\n    workers = 33\n", "line 2", "workers", "1 to"},
        {"tuning\n    workers = 99999999999999999999\n", "line 2", "workers", "1 to"},
        {"tuning\n    workers = 2\n    workers = 2\n", "line 3", "workers", "twice"},
        {"tuning\n    placement = poole\n", "line 2", "placement", "component or pool"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expect_refused(rows[i][0], rows[i][1], rows[i][2], rows[i][3]);
    }
}

Test(config, prefixes_are_bounded)
{
    char text[8192] = "allow\n";

    for (unsigned i = 0; i < CONFIG_PREFIXES_MAX; i++) {
        sprintf(text + strlen(text), "    source = /s%u\n", i);
    }
    expect_taken(text);
    cr_expect_eq(config.sources, CONFIG_PREFIXES_MAX);
    config_fini(&config);
    strcat(text, "    source = /more\n");
    expect_refused(text, "line 66", "source", "more than 64");
}

Test(config, the_file_is_bounded_at_64_kib)
{
    static char text[CONFIG_BYTES_MAX + 1];

    memset(text, '#', sizeof text);
    cr_expect_eq(load_bytes(text, CONFIG_BYTES_MAX), OK, "64 KiB are refused: %s", why);
    cr_expect_eq(load_bytes(text, CONFIG_BYTES_MAX + 1), ERR_CONFIG, "64 KiB and one are taken");
    cr_expect(strstr(why, "64 KiB"), "got %s", why);
}

Test(config, a_file_that_is_none_is_refused_by_name)
{
    cr_assert_eq(config_defaults(&config, "/data", why, sizeof why), OK);
    cr_expect_eq(config_load(&config, "/nowhere/x.conf", why, sizeof why), ERR_CONFIG);
    cr_expect(strstr(why, "/nowhere/x.conf") && strstr(why, "No such file"), "got %s", why);
    cr_expect_eq(config_load(&config, "/", why, sizeof why), ERR_CONFIG);
    cr_expect(strstr(why, "directory"), "got %s", why);
    cr_expect_eq(load_bytes("site\n\0 x = y\n", 13), ERR_CONFIG);
    cr_expect(strstr(why, "NUL"), "got %s", why);
}

Test(config, a_data_directory_too_long_for_its_sockets_is_refused_with_what_to_do)
{
    char data[PATH_BYTES_MAX + 2];

    memset(data, 'd', sizeof data);
    data[0] = '/';
    data[107 - strlen("/command.ipc")] = 0;
    cr_assert_eq(config_defaults(&config, data, why, sizeof why), OK);
    cr_expect_eq(config_check(&config, why, sizeof why), OK, "107 bytes are refused: %s", why);
    data[107 - strlen("/command.ipc")] = 'd';
    data[108 - strlen("/command.ipc")] = 0;
    cr_assert_eq(config_defaults(&config, data, why, sizeof why), OK);
    cr_expect_eq(config_check(&config, why, sizeof why), ERR_CONFIG, "108 bytes are taken");
    cr_expect(strstr(why, "107") && strstr(why, "listen"), "got %s", why);
    data[108 - strlen("/command.ipc")] = 'd';
    data[PATH_BYTES_MAX + 1] = 0;
    cr_expect_eq(config_defaults(&config, data, why, sizeof why), ERR_CONFIG);
}
