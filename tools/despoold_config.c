/* despoold_config.c - see despoold_config.h. zconfig reads the file. */
#include "tools/despoold_config.h"

#include <czmq.h>

#include "proto/messages.h"
#include "tools/despoold_lines.h"

/* ---- keys ---- */

typedef const char *config_set_fn(config_t *config, const char *value);

static bool
number_in(const char *value, uint64_t low, uint64_t high, uint64_t *ret_number)
{
    char *end = NULL;

    errno = 0;
    unsigned long long number = strtoull(value, &end, 10);
    if (!isdigit((unsigned char) value[0]) || *end || errno || number < low || number > high) {
        return false;
    }
    *ret_number = number;
    return true;
}

static const char *
set_site(config_t *config, const char *value)
{
    if (!name_is_valid(slice_of(value))) {
        return "a name is 1 to 64 of A-Z a-z 0-9 . _ - and begins with a letter or digit";
    }
    snprintf(config->site, sizeof config->site, "%s", value);
    return NULL;
}

static const char *
set_endpoint(char *endpoint, size_t size, const char *value)
{
    if (strncmp(value, "ipc:///", 7) != 0) {
        return "an endpoint is ipc:// and an absolute path";
    }
    return (size_t) snprintf(endpoint, size, "%s", value) < size ? NULL : "it is too long";
}

static const char *
set_command(config_t *config, const char *value)
{
    return set_endpoint(config->command, sizeof config->command, value);
}

static const char *
set_status(config_t *config, const char *value)
{
    return set_endpoint(config->status, sizeof config->status, value);
}

/* Agents are told this address. */
static const char *
fault_of_address(const char *value)
{
    if (strchr(value, ' ')) {
        return "an address has no blank in it; a further one has a line or option of its own";
    }
    if (strlen(value) > CONFIG_ADDRESS_BYTES_MAX) {
        return "it is too long";
    }
    return address_is_valid(slice_of(value))
               ? NULL
               : "the endpoint for agents is tcp://ADDRESS:PORT, an address that they can reach, "
                 "and a port of 1 to 65535";
}

/* One more. */
static const char *
config_agents(config_t *config, const char *value)
{
    size_t used = strlen(config->agents), size = strlen(value);
    const char *fault = fault_of_address(value);

    if (fault) {
        return fault;
    }
    if (used + size + 2 > sizeof config->agents) {
        return "it is too long";
    }
    if (config->listens == LISTEN_MAX) {
        return "a site listens at four endpoints at most";
    }
    config->listens++;
    snprintf(config->agents + used, sizeof config->agents - used, "%s%s", used > 0 ? " " : "",
             value);
    return NULL;
}

static const char *
set_plain(config_t *config, const char *value)
{
    const char *fault = fault_of_address(value);

    if (!fault) {
        snprintf(config->plain, sizeof config->plain, "%s", value);
    }
    return fault;
}

static const char *
set_plain_told(config_t *config, const char *value)
{
    const char *fault = fault_of_address(value);

    if (!fault) {
        snprintf(config->plain_told, sizeof config->plain_told, "%s", value);
    }
    return fault;
}

static const char *
add_prefix(char **list, uint32_t *count, const char *value)
{
    if (value[0] != '/') {
        return "a prefix is an absolute path";
    }
    if (*count == CONFIG_PREFIXES_MAX) {
        return "there are more than 64 of them";
    }
    list[(*count)++] = strdup(value);
    return NULL;
}

static const char *
add_source(config_t *config, const char *value)
{
    return add_prefix(config->source, &config->sources, value);
}

static const char *
add_root(config_t *config, const char *value)
{
    return add_prefix(config->root, &config->roots, value);
}

static const char *
set_grace(config_t *config, const char *value)
{
    return number_in(value, 1, UINT64_C(31536000000), &config->grace_ms)
               ? NULL
               : "wants milliseconds, 1 to 31536000000 (a year)";
}

static const char *
set_small(uint32_t *small, uint64_t high, const char *value, const char *wants)
{
    uint64_t number = 0;

    if (!number_in(value, 1, high, &number)) {
        return wants;
    }
    *small = (uint32_t) number;
    return NULL;
}

static const char *
set_probe(config_t *config, const char *value)
{
    return set_small(&config->probe_ms, 3600000, value, "wants milliseconds, 1 to 3600000");
}

static const char *
set_scrub(config_t *config, const char *value)
{
    return set_small(&config->scrub_ms, 86400000, value, "wants milliseconds, 1 to 86400000");
}

static const char *
set_beacon(config_t *config, const char *value)
{
    return set_small(&config->beacon_ms, 86400000, value, "wants milliseconds, 1 to 86400000");
}

static const char *
set_backlog_alarm(config_t *config, const char *value)
{
    return set_small(&config->backlog_alarm_ms, 86400000, value,
                     "wants milliseconds, 1 to 86400000");
}

static const char *
set_workers(config_t *config, const char *value)
{
    return set_small(&config->workers, 32, value, "wants a number of threads, 1 to 32");
}

bool
config_placement(const char *word, host_placement_t *ret_placement)
{
    bool pool = streq(word, "pool");

    *ret_placement = pool ? HOST_POOL : HOST_BY_CLASS;
    return pool || streq(word, "component");
}

static const char *
set_placement(config_t *config, const char *value)
{
    return config_placement(value, &config->placement) ? NULL : "wants component or pool";
}

static const char *
set_program(config_t *config, const char *value)
{
    if (value[0] != '/') {
        return "a program is an absolute path";
    }
    return (size_t) snprintf(config->on_activate, sizeof config->on_activate, "%s", value) <
                   sizeof config->on_activate
               ? NULL
               : "it is too long";
}

static const char *
set_program_ms(config_t *config, const char *value)
{
    return set_small(&config->on_activate_ms, ON_ACTIVATE_MS_MAX, value,
                     "wants milliseconds, 1 to 86400000");
}

static const struct {
    const char *section, *key;
    config_set_fn *set;
    bool repeats;
} keys[] = {
    {"site", "name", set_site, false},
    {"listen", "command", set_command, false},
    {"listen", "status", set_status, false},
    {"listen", "agents", config_agents, true},
    {"listen", "plain", set_plain, false},
    {"listen", "plain-address", set_plain_told, false},
    {"allow", "source", add_source, true},
    {"allow", "root", add_root, true},
    {"tuning", "grace-ms", set_grace, false},
    {"tuning", "probe-ms", set_probe, false},
    {"tuning", "scrub-ms", set_scrub, false},
    {"tuning", "beacon-ms", set_beacon, false},
    {"tuning", "backlog-alarm-ms", set_backlog_alarm, false},
    {"tuning", "workers", set_workers, false},
    {"tuning", "placement", set_placement, false},
    {"agent", "on-activate", set_program, false},
    {"agent", "on-activate-ms", set_program_ms, false},
};
#define KEY_COUNT (sizeof keys / sizeof keys[0])

/* NULL, or what is wrong with this key. */
static const char *
take_key(config_t *config, const char *section, zconfig_t *item, bool *seen)
{
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (!streq(keys[i].section, section) || !streq(keys[i].key, zconfig_name(item))) {
            continue;
        }
        if (seen[i] && !keys[i].repeats) {
            return "it is given twice";
        }
        seen[i] = true;
        const char *value = zconfig_value(item);
        return value && *value ? keys[i].set(config, value) : "it has no value";
    }
    return "no such key";
}

static bool
is_section(const char *name)
{
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (streq(keys[i].section, name)) {
            return true;
        }
    }
    return false;
}

static err_t
take_all(config_t *config, zconfig_t *root, const lines_t *lines, const char *file, char *ret_why,
         size_t why_size)
{
    bool seen[KEY_COUNT] = {false};
    unsigned item = 0;

    for (zconfig_t *section = zconfig_child(root); section; section = zconfig_next(section)) {
        if (!is_section(zconfig_name(section))) {
            return lines_refuse(ret_why, why_size, file, lines_of_item(lines, item),
                                zconfig_name(section), "no such section");
        }
        item++;
        for (zconfig_t *key = zconfig_child(section); key; key = zconfig_next(key), item++) {
            const char *fault = take_key(config, zconfig_name(section), key, seen);
            if (fault) {
                return lines_refuse(ret_why, why_size, file, lines_of_item(lines, item),
                                    zconfig_name(key), fault);
            }
        }
    }
    return OK;
}

/* ---- the door ---- */

err_t
config_defaults(config_t *config, const char *data, char *ret_why, size_t why_size)
{
    *config = (config_t){.site = "S01"};
    if (strlen(data) > PATH_BYTES_MAX) {
        snprintf(ret_why, why_size, "cannot use '%.64s...': the path has more than %u bytes", data,
                 PATH_BYTES_MAX);
        return ERR_CONFIG;
    }
    snprintf(config->data, sizeof config->data, "%s", data);
    snprintf(config->command, sizeof config->command, "ipc://%s/command.ipc", data);
    snprintf(config->status, sizeof config->status, "ipc://%s/status.ipc", data);
    return OK;
}

static err_t
read_file(const char *file, lines_t *ret_lines, char *ret_why, size_t why_size)
{
    FILE *stream = fopen(file, "r");
    char *text = calloc(1, CONFIG_BYTES_MAX + 2);

    size_t size = stream && text ? fread(text, 1, CONFIG_BYTES_MAX + 1, stream) : 0;
    int os_error = errno;
    bool read = stream && text && !ferror(stream);
    const char *why = !read                           ? strerror(os_error)
                      : size > CONFIG_BYTES_MAX       ? "it is larger than 64 KiB"
                      : memchr(text, 0, size) != NULL ? "it holds a NUL byte"
                                                      : NULL;
    if (stream) {
        fclose(stream);
    }
    if (why) {
        snprintf(ret_why, why_size, "cannot read '%.512s': %s", file, why);
        free(text);
        return ERR_CONFIG;
    }
    *ret_lines = (lines_t){text, size};
    return OK;
}

err_t
config_load(config_t *config, const char *file, char *ret_why, size_t why_size)
{
    lines_t lines;
    err_t err = read_file(file, &lines, ret_why, why_size);

    if (err != OK) {
        return err;
    }
    err = lines_check(&lines, file, ret_why, why_size);
    zconfig_t *root = err == OK ? zconfig_str_load(lines.text) : NULL;
    if (err == OK && !root) {
        snprintf(ret_why, why_size, "cannot read '%.512s': it is not ZPL", file);
        err = ERR_CONFIG;
    }
    if (err == OK) {
        err = take_all(config, root, &lines, file, ret_why, why_size);
    }
    zconfig_destroy(&root);
    free(lines.text);
    return err;
}

static err_t
check_endpoint(const char *endpoint, char *ret_why, size_t why_size)
{
    const char *path = endpoint + strlen("ipc://");

    if (strlen(path) > IPC_PATH_BYTES_MAX) {
        snprintf(ret_why, why_size,
                 "cannot listen at '%.512s': a socket's path has at most %u bytes, this one %zu; "
                 "use a shorter data directory, or 'listen' in the configuration",
                 path, IPC_PATH_BYTES_MAX, strlen(path));
        return ERR_CONFIG;
    }
    return OK;
}

err_t
config_check(const config_t *config, char *ret_why, size_t why_size)
{
    TRY(check_endpoint(config->command, ret_why, why_size));
    return check_endpoint(config->status, ret_why, why_size);
}

void
config_fini(config_t *config)
{
    while (config->sources > 0) {
        free(config->source[--config->sources]);
    }
    while (config->roots > 0) {
        free(config->root[--config->roots]);
    }
}

err_t
config_listen(config_t *config, const char *const *endpoint, uint32_t count, const char *plain,
              char *ret_why, size_t why_size)
{
    const char *wrong = plain ? set_plain(config, plain) : NULL;

    if (wrong) {
        snprintf(ret_why, why_size, "cannot listen at '%.255s': %s", plain, wrong);
        return ERR_CONFIG;
    }
    if (count > 0) {
        config->agents[0] = '\0';
        config->listens = 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        const char *fault = config_agents(config, endpoint[i]);
        if (fault) {
            snprintf(ret_why, why_size, "cannot listen at '%.255s': %s", endpoint[i], fault);
            return ERR_CONFIG;
        }
    }
    if (config->plain[0] && !config->agents[0]) {
        snprintf(ret_why, why_size,
                 "cannot listen at '%.255s': agents come by an encrypted connection first; give "
                 "--listen as well",
                 config->plain);
        return ERR_CONFIG;
    }
    return OK;
}

err_t
config_program(config_t *config, const char *program, char *ret_why, size_t why_size)
{
    const char *fault = program ? set_program(config, program) : NULL;

    if (fault) {
        snprintf(ret_why, why_size, "cannot run '%.255s' on activate: %s", program, fault);
        return ERR_CONFIG;
    }
    return OK;
}
