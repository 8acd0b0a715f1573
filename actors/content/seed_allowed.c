/* seed_allowed.c - whether a site may have a directory of this machine read; see seed.h.
 *
 * Bytes    DATA/seeds, written by who runs the agent: a directory a line; what does not
 *          begin with a slash says nothing.
 * A crash  changes nothing here: this reads only.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "actors/content/fail.h"
#include "actors/content/seed.h"
#include "proto/limits.h"

/* Whether path is the directory or below it. */
static bool
is_below(const char *path, const char *directory, size_t size)
{
    while (size > 1 && directory[size - 1] == '/') {
        size--;
    }
    return strncmp(path, directory, size) == 0 &&
           (size == 1 || path[size] == '\0' || path[size] == '/');
}

static bool
is_listed(const char *rules, const char *path)
{
    for (const char *line = rules; *line != '\0';) {
        size_t size = strcspn(line, "\n");
        if (line[0] == '/' && is_below(path, line, size)) {
            return true;
        }
        line += size + (line[size] == '\n');
    }
    return false;
}

/* NULL: there is no such file. */
static err_t
read_rules(world_t *world, const char *data, char **ret_rules, fault_t *fault)
{
    char path[PATH_BYTES_MAX + 8];
    snprintf(path, sizeof path, "%s/seeds", data);
    *ret_rules = NULL;
    int fd = world_open(world, AT_FDCWD, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0, 0);
    if (fd < 0) {
        return fd == -ENOENT ? OK : FAIL(fault, fd, "open", path);
    }
    char *rules = calloc(1, SEED_RULES_BYTES_MAX + 1);
    size_t size = 0;
    int64_t got = rules == NULL ? -ENOMEM : 1;
    while (got > 0 && size < SEED_RULES_BYTES_MAX) {
        got = world_read(world, fd, rules + size, SEED_RULES_BYTES_MAX - size, size);
        size += got > 0 ? (size_t) got : 0;
    }
    world_close(world, fd);
    if (got == 0 && strlen(rules) == size) {
        *ret_rules = rules;
        return OK;
    }
    free(rules);
    return got < 0 ? FAIL(fault, got, "read", path) : RAISE(fault, ERR_CONFIG, 0, "read", path);
}

/* Who can enter it may know what is in it; who runs the agent has shown the way to its own. */
static err_t
check_way(world_t *world, const seed_way_t *way, fault_t *fault)
{
    char part[AGENT_PATH_BYTES_MAX + 1];
    world_stat_t stat;
    for (size_t size = 1; way->seed[size] != '\0'; size++) {
        if (size > 1 && way->seed[size] != '/') {
            continue;
        }
        snprintf(part, sizeof part, "%.*s", (int) (size > 1 ? size : 1), way->seed);
        if (is_below(way->root, part, strlen(part)) || is_below(way->data, part, strlen(part))) {
            continue;
        }
        int result = world_stat_at(world, AT_FDCWD, part, &stat);
        if (result < 0) {
            return PATH_FAIL(fault, result, "look at", part);
        }
        if ((stat.mode & S_IXOTH) == 0) {
            return RAISE(fault, ERR_PERMISSION, 0, "use as a seed", way->seed);
        }
    }
    return OK;
}

err_t
seed_allowed(world_t *world, const seed_way_t *way, bool *ret_all, fault_t *fault)
{
    char *rules = NULL;
    if (way->seed[0] != '/' || strlen(way->seed) > AGENT_PATH_BYTES_MAX) {
        return RAISE(fault, ERR_NOT_ABSOLUTE, 0, "use as a seed", way->seed);
    }
    TRY(read_rules(world, way->data, &rules, fault));
    *ret_all = rules != NULL;
    err_t err = rules == NULL ? check_way(world, way, fault)
                : is_listed(rules, way->seed)
                    ? OK
                    : RAISE(fault, ERR_PERMISSION, 0, "use as a seed", way->seed);
    free(rules);
    return err;
}
